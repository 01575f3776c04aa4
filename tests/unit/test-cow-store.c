/* Stores of copied-out chunks, made by hand as the kernel makes them: what is in them is found; and
 * what nobody would make does no harm and is refused. And the map that it goes to. */

#include "daemon/providers/cow-delta.h"
#include "daemon/providers/cow-store.h"

#include <check.h>
#include <endian.h>
#include <stdio.h>
#include <vss/vss.h>

#define CHUNK 4096
#define PER_AREA (CHUNK / 16)
#define STORE_CHUNKS 2048
#define ORIGIN_CHUNKS 1000

/* What lies on the device. */
static struct {
        uint8_t *bytes;
        uint64_t size, chunk_bytes;
        unsigned n_reads;
        int failure;                                /* of reads from here on */
        void (*before)(unsigned n, uint64_t where); /* another writes it: before each read */
        uint64_t highest;                           /* byte that was read */
} image;

static uint64_t found[8192];
static size_t n_found;

static void image_new(uint64_t chunk_bytes, uint64_t chunks) {
        image.size = chunk_bytes * chunks;
        image.chunk_bytes = chunk_bytes;
        image.bytes = calloc(1, image.size);
        ck_assert_ptr_nonnull(image.bytes);
}

static void put32(uint64_t at, uint32_t value) {
        value = htole32(value);
        memcpy(image.bytes + at, &value, sizeof(value));
}

static void put64(uint64_t at, uint64_t value) {
        value = htole64(value);
        memcpy(image.bytes + at, &value, sizeof(value));
}

static void put_header(void) {
        put32(0, 0x70416e53);
        put32(4, 1);
        put32(8, 1);
        put32(12, (uint32_t)(image.chunk_bytes / 512));
}

/* Where the n-th pair is; and the chunk of data that the kernel takes for it. */
static uint64_t pair_at(uint64_t n) {
        uint64_t per_area = image.chunk_bytes / 16;

        return (1 + n / per_area * (per_area + 1)) * image.chunk_bytes + n % per_area * 16;
}

static uint64_t data_of(uint64_t n) {
        uint64_t per_area = image.chunk_bytes / 16;

        return 1 + n / per_area * (per_area + 1) + 1 + n % per_area;
}

static void put_pair(uint64_t n, uint64_t origin_chunk) {
        put64(pair_at(n), origin_chunk);
        put64(pair_at(n) + 8, data_of(n));
}

static void setup(void) {
        memset(&image, 0, sizeof(image));
        n_found = 0;
        image_new(CHUNK, STORE_CHUNKS);
        put_header();
}

static void teardown(void) {
        free(image.bytes);
}

static int read_image(void *userdata, void *buffer, size_t n, uint64_t offset) {
        ck_assert_ptr_eq(userdata, &image);
        ck_assert_uint_eq(n % COW_STORE_ALIGNMENT, 0);
        ck_assert_uint_eq(offset % COW_STORE_ALIGNMENT, 0);
        ck_assert_uint_eq((uintptr_t)buffer % COW_STORE_ALIGNMENT, 0);
        ck_assert_uint_le(n, 64 * 1024);
        if (image.before)
                image.before(image.n_reads, offset);
        image.n_reads++;
        if (image.failure < 0)
                return image.failure;
        if (offset > image.size || n > image.size - offset)
                return -ENODATA;
        if (offset + n > image.highest)
                image.highest = offset + n;
        memcpy(buffer, image.bytes + offset, n);
        return 0;
}

static void take_chunk(void *userdata, uint64_t chunk) {
        ck_assert_ptr_eq(userdata, found);
        ck_assert_uint_lt(n_found, ARRAY_SIZE(found));
        found[n_found++] = chunk;
}

static int read_store_as(uint64_t origin_bytes, uint64_t full_areas, HRESULT *ret_hr) {
        const struct cow_source source = {
                .name = "/dev/store", .bytes = image.size, .read = read_image, .userdata = &image
        };
        const struct cow_store store = { .chunk_bytes = image.chunk_bytes,
                                         .origin_bytes = origin_bytes,
                                         .full_areas = full_areas };
        struct vss_error error = { 0 };
        int r;

        r = cow_store_read(&source, &store, take_chunk, found, &error);
        ck_assert((r < 0) == (error.hr != S_OK));
        if (r < 0)
                ck_assert_ptr_nonnull(strstr(error.message, "/dev/store"));
        *ret_hr = error.hr;
        vss_error_done(&error);
        return r;
}

static void assert_read(size_t n) {
        HRESULT hr;

        ck_assert_int_eq(read_store_as(ORIGIN_CHUNKS * image.chunk_bytes, 0, &hr), 0);
        ck_assert_uint_eq(n_found, n);
}

static void assert_refused(HRESULT wanted) {
        HRESULT hr;

        ck_assert_int_lt(read_store_as(ORIGIN_CHUNKS * image.chunk_bytes, 0, &hr), 0);
        ck_assert_int_eq(hr, wanted);
}

START_TEST(an_empty_store_has_no_chunks) {
        assert_read(0);
}
END_TEST

START_TEST(what_was_copied_out_is_found_in_order) {
        static const uint64_t chunks[] = { 7, 3, 999, 0, 500 };

        for (size_t i = 0; i < ARRAY_SIZE(chunks); i++)
                put_pair(i, chunks[i]);
        assert_read(ARRAY_SIZE(chunks));
        ck_assert_mem_eq(found, chunks, sizeof(chunks));
}
END_TEST

/* Over several areas, with the last of them full and not full; and with areas larger than what is
 * read at once. */
START_TEST(stores_of_several_areas_are_read_to_their_end) {
        static const struct {
                uint64_t chunk_bytes, pairs;
        } cases[] = {
                { 4096, PER_AREA - 1 }, { 4096, PER_AREA }, { 4096, PER_AREA + 1 },
                { 4096, 3 * PER_AREA }, { 4096, 999 },      { 32768, 2047 },
                { 32768, 2048 },        { 32768, 2049 },    { 131072, 5000 },
                { 131072, 8191 },       { 131072, 4096 },   { 4096, ORIGIN_CHUNKS },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                HRESULT hr;

                free(image.bytes);
                n_found = 0;
                image.chunk_bytes = cases[i].chunk_bytes;
                image_new(image.chunk_bytes, data_of(cases[i].pairs) + 1);
                put_header();
                for (uint64_t n = 0; n < cases[i].pairs; n++)
                        put_pair(n, n * 7919 % 8192);
                ck_assert_int_eq(read_store_as(8192 * image.chunk_bytes,
                                               cases[i].pairs / (image.chunk_bytes / 16), &hr),
                                 0);
                ck_assert_uint_eq(n_found, cases[i].pairs);
                for (uint64_t n = 0; n < n_found; n++)
                        ck_assert_uint_eq(found[n], n * 7919 % 8192);
        }
}
END_TEST

/* What is behind the end may be anything: the kernel wipes one area ahead, not more. */
START_TEST(nothing_behind_the_end_counts) {
        put_pair(0, 5);
        memset(image.bytes + pair_at(2), 0xff, 1000);
        memset(image.bytes + pair_at(PER_AREA), 0xff, CHUNK);
        assert_read(1);
}
END_TEST

/* The last area is full, and its data end where the device does. */
START_TEST(a_store_may_end_with_a_full_area) {
        free(image.bytes);
        image_new(CHUNK, 1 + 1 + PER_AREA);
        put_header();
        for (uint64_t n = 0; n < PER_AREA; n++)
                put_pair(n, n);
        assert_read(PER_AREA);
}
END_TEST

START_TEST(a_store_that_the_kernel_gave_up_is_a_lost_copy) {
        put32(4, 0);
        assert_refused(VSS_E_BAD_STATE);
}
END_TEST

START_TEST(what_has_no_such_header_is_refused) {
        static const struct {
                uint64_t at;
                uint32_t value;
        } cases[] = { { 0, 0 },  { 0, 0x536e4170 },  { 8, 0 },   { 8, 2 },          { 12, 0 },
                      { 12, 7 }, { 12, 0xffffffff }, { 12, 16 }, { 12, 0x80000000 } };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                put_header();
                put32(cases[i].at, cases[i].value);
                assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        }
}
END_TEST

/* Whoever calls has the size of the chunks from the kernel, and believes it no more than the rest.
 */
START_TEST(chunks_of_an_absurd_size_are_refused) {
        static const uint64_t sizes[] = { 0, 1, 512, 2048, 4097, 12288, UINT64_C(2) << 30 };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                image.chunk_bytes = sizes[i];
                put32(12, (uint32_t)(sizes[i] / 512));
                assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        }
        ck_assert_uint_eq(image.n_reads, 0);
}
END_TEST

START_TEST(a_pair_that_cannot_be_is_refused) {
        static const struct {
                uint64_t origin_chunk, store_chunk;
        } cases[] = {
                { ORIGIN_CHUNKS, 2 },     /* behind the origin's end */
                { UINT64_MAX, 2 },        /* ... times the size of a chunk is a small number */
                { UINT64_C(1) << 52, 2 }, /* ... or none */
                { 3, 1 },                 /* the area itself */
                { 3, 1 + PER_AREA + 1 },  /* the next one */
                { 3, STORE_CHUNKS },      /* behind the store's end */
                { 3, UINT64_MAX },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                put_pair(0, 4);
                put64(pair_at(1), cases[i].origin_chunk);
                put64(pair_at(1) + 8, cases[i].store_chunk);
                assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
                /* Nothing of a bad piece is passed on. */
                ck_assert_uint_eq(n_found, 0);
        }
}
END_TEST

/* Areas without an end; the same chunk over and over: it ends with the origin's chunks at the
 * latest. */
START_TEST(a_store_with_more_chunks_than_the_origin_is_refused) {
        for (uint64_t n = 0; n < 7 * (uint64_t)PER_AREA; n++)
                put_pair(n, 1);
        assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_uint_le(n_found, ORIGIN_CHUNKS);
        ck_assert_uint_lt(image.n_reads, 10);
}
END_TEST

START_TEST(a_store_that_was_cut_off_is_refused) {
        HRESULT hr;

        for (uint64_t n = 0; n < 2 * (uint64_t)PER_AREA + 5; n++)
                put_pair(n, n);
        /* Data of the second area lie behind the end. */
        image.size = (1 + PER_AREA + 1 + 4) * (uint64_t)CHUNK;
        assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        /* The second area itself does. */
        n_found = 0;
        image.size = (1 + PER_AREA + 1) * (uint64_t)CHUNK;
        ck_assert_int_lt(read_store_as(ORIGIN_CHUNKS * (uint64_t)CHUNK, 2, &hr), 0);
        ck_assert_int_eq(hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        /* Even the header does. */
        image.size = CHUNK;
        assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        image.size = 0;
        assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
}
END_TEST

/* A stale state of the disk, as a cache would show it. */
START_TEST(a_store_with_less_than_the_kernel_says_is_refused) {
        HRESULT hr;

        for (uint64_t n = 0; n < 5; n++)
                put_pair(n, n);
        ck_assert_int_eq(read_store_as(ORIGIN_CHUNKS * (uint64_t)CHUNK, 0, &hr), 0);
        ck_assert_int_lt(read_store_as(ORIGIN_CHUNKS * (uint64_t)CHUNK, 1, &hr), 0);
        ck_assert_int_eq(hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
}
END_TEST

START_TEST(a_store_that_cannot_be_read_is_an_error) {
        image.failure = -EIO;
        assert_refused(VSS_E_UNEXPECTED_PROVIDER_ERROR);
}
END_TEST

/* The kernel is in the middle of a pair when it is read for the first time. */
static void finish_pair(unsigned n, uint64_t where) {
        if (where == 0 || n < 3)
                return;
        put_pair(1, 17);
}

START_TEST(a_pair_that_is_being_written_is_read_again) {
        put_pair(0, 4);
        put64(pair_at(1), UINT64_C(0xffffffff00000011));
        put64(pair_at(1) + 8, data_of(1));
        image.before = finish_pair;
        assert_read(2);
        ck_assert_uint_eq(found[0], 4);
        ck_assert_uint_eq(found[1], 17);
}
END_TEST

/* The kernel goes on while we read: the areas that follow are there when we come to them. */
static void append(unsigned n, uint64_t where _unused_) {
        for (uint64_t i = n * (uint64_t)100; i < (n + 1) * (uint64_t)100; i++)
                put_pair(i, i % ORIGIN_CHUNKS);
}

START_TEST(a_store_that_grows_is_read_with_what_was_there_at_first) {
        HRESULT hr;

        for (uint64_t n = 0; n < PER_AREA + 1; n++)
                put_pair(n, n);
        image.before = append;
        ck_assert_int_eq(read_store_as(ORIGIN_CHUNKS * (uint64_t)CHUNK, 1, &hr), 0);
        ck_assert_uint_ge(n_found, PER_AREA + 1);
        for (uint64_t n = 0; n < n_found; n++)
                ck_assert_uint_eq(found[n], n);
}
END_TEST

static uint32_t random_number(void) {
        static uint32_t state = 12345;

        state = state * 1664525 + 1013904223;
        return state >> 8;
}

/* Whatever the bytes are, it ends, and what it passes on is inside the origin. */
START_TEST(no_bytes_lead_outside) {
        for (unsigned round = 0; round < 60; round++) {
                uint64_t n_pairs = random_number() % 900, n_flips = random_number() % 4;
                HRESULT hr;

                memset(image.bytes, 0, image.size);
                put_header();
                for (uint64_t n = 0; n < n_pairs; n++)
                        put_pair(n, random_number() % ORIGIN_CHUNKS);
                for (uint64_t k = 0; k < n_flips; k++)
                        image.bytes[random_number() % (3 * PER_AREA * 16)] ^=
                                (uint8_t)(1u << (random_number() % 8));
                n_found = 0;
                (void)read_store_as(ORIGIN_CHUNKS * (uint64_t)CHUNK, 0, &hr);
                for (size_t i = 0; i < n_found; i++)
                        ck_assert_uint_lt(found[i], ORIGIN_CHUNKS);
        }
}
END_TEST

static struct mapper_table table_of(struct mapper_target *target, const char *type,
                                    const char *params) {
        *target = (struct mapper_target){ .length = 2097152,
                                          .type = (char *)type,
                                          .params = (char *)params };
        return (struct mapper_table){ .targets = target, .n = 1 };
}

START_TEST(a_copy_is_known_by_its_table) {
        static const struct {
                const char *type, *params;
                int r;
        } cases[] = {
                { "snapshot", "254:3 254:4 P 64", 0 },
                { "snapshot", "254:3 254:4 PO 64 1 discard_zeroes_cow", 0 },
                { "snapshot", "254:3 254:4 N 64", -EOPNOTSUPP },
                { "snapshot-merge", "254:3 254:4 P 64", -EBADMSG },
                { "snapshot-origin", "254:3", -EBADMSG },
                { "error", "", -EBADMSG },
                { "snapshot", "254:3 254:4 P", -EBADMSG },
                { "snapshot", "/dev/a /dev/b P 64", -EBADMSG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mapper_target target;
                struct mapper_table table = table_of(&target, cases[i].type, cases[i].params);
                struct cow_copy c = { 0 };

                ck_assert_msg(cow_copy_parse(&c, &table) == cases[i].r, "%s", cases[i].params);
                if (cases[i].r == 0) {
                        ck_assert_uint_eq(c.chunk_bytes, 32768);
                        ck_assert_uint_eq(c.bytes, UINT64_C(1) << 30);
                        ck_assert(c.origin != c.store);
                }
        }
}
END_TEST

START_TEST(a_copys_status_says_how_many_areas_are_full) {
        static const struct {
                const char *params;
                int r;
                uint64_t full;
        } cases[] = {
                { "16/1000 16", 0, 0 }, /* header and first area, of 8 sectors each */
                { "24/1000 16", 0, 0 },
                { "4000/9000 24", 0, 1 },
                { "4000/9000 40", 0, 3 },
                { "0/1000 0", 0, 0 },
                { "Invalid", -ENODATA, 0 },
                { "Overflow", -ENODATA, 0 },
                { "Merge failed", -ENODATA, 0 },
                { "Unknown", -ENODATA, 0 },
                { "", -ENODATA, 0 },
        };
        const struct cow_copy c = { .chunk_bytes = 4096 };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mapper_target target;
                struct mapper_table status = table_of(&target, "snapshot", cases[i].params);
                uint64_t full = 77;

                ck_assert_msg(cow_copy_parse_status(&c, &status, &full) == cases[i].r, "%s",
                              cases[i].params);
                if (cases[i].r == 0)
                        ck_assert_uint_eq(full, cases[i].full);
        }
}
END_TEST

START_TEST(a_map_has_a_bit_for_each_block) {
        struct delta_map m = { 0 };

        ck_assert_int_eq(delta_map_init(&m, 10 * 4096 + 1, 4096), 0);
        ck_assert_uint_eq(m.n_blocks, 11);
        ck_assert_uint_eq(delta_map_size(&m), 2);
        delta_map_add(&m, 0, 1);
        delta_map_add(&m, 2 * 4096 + 5, 4096); /* touches two */
        delta_map_add(&m, 10 * 4096, 4096);    /* half of it behind the end */
        delta_map_add(&m, 11 * 4096, 4096);    /* all of it */
        delta_map_add(&m, UINT64_MAX, UINT64_MAX);
        delta_map_add(&m, 5 * 4096, 0);
        ck_assert_uint_eq(m.bits[0], 0x0d);
        ck_assert_uint_eq(m.bits[1], 0x04);
        ck_assert_uint_eq(m.bits[2], 0);
        delta_map_add(&m, 0, UINT64_MAX);
        ck_assert_uint_eq(m.bits[0], 0xff);
        ck_assert_uint_eq(m.bits[1], 0x07);
        delta_map_done(&m);
}
END_TEST

/* Every beginning and every end within a few bytes of bits. */
START_TEST(ranges_set_what_they_touch_and_nothing_else) {
        for (uint64_t first = 0; first < 40; first++)
                for (uint64_t n = 1; first + n <= 40; n++) {
                        struct delta_map m = { 0 };

                        ck_assert_int_eq(delta_map_init(&m, 40 * 512, 512), 0);
                        delta_map_add(&m, first * 512, n * 512);
                        for (uint64_t i = 0; i < 40; i++)
                                ck_assert_int_eq((m.bits[i / 8] >> (i % 8)) & 1,
                                                 i >= first && i < first + n);
                        delta_map_done(&m);
                }
}
END_TEST

START_TEST(a_map_stays_small_whatever_the_volume) {
        struct delta_map m = { 0 };

        ck_assert_int_eq(delta_map_init(&m, UINT64_C(1) << 50, 32768), 0); /* a PiB */
        ck_assert_uint_le(m.n_blocks, DELTA_MAP_BITS_MAX);
        ck_assert_uint_eq(m.block_bytes, 2097152);
        /* A chunk marks the whole block. */
        delta_map_add(&m, 3 * UINT64_C(2097152) + 32768, 32768);
        ck_assert_uint_eq(m.bits[0], 0x08);
        delta_map_done(&m);

        ck_assert_int_eq(delta_map_init(&m, UINT64_MAX, 32768), -EFBIG);
        ck_assert_int_eq(delta_map_init(&m, 0, 32768), -EINVAL);
        ck_assert_int_eq(delta_map_init(&m, 1, 0), -EINVAL);
        ck_assert_int_eq(delta_map_init(&m, 1, UINT64_MAX), -EFBIG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("cow-store");
        TCase *t = tcase_create("cow-store");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, an_empty_store_has_no_chunks);
        tcase_add_test(t, what_was_copied_out_is_found_in_order);
        tcase_add_test(t, stores_of_several_areas_are_read_to_their_end);
        tcase_add_test(t, nothing_behind_the_end_counts);
        tcase_add_test(t, a_store_may_end_with_a_full_area);
        tcase_add_test(t, a_store_that_the_kernel_gave_up_is_a_lost_copy);
        tcase_add_test(t, what_has_no_such_header_is_refused);
        tcase_add_test(t, chunks_of_an_absurd_size_are_refused);
        tcase_add_test(t, a_pair_that_cannot_be_is_refused);
        tcase_add_test(t, a_store_with_more_chunks_than_the_origin_is_refused);
        tcase_add_test(t, a_store_that_was_cut_off_is_refused);
        tcase_add_test(t, a_store_with_less_than_the_kernel_says_is_refused);
        tcase_add_test(t, a_store_that_cannot_be_read_is_an_error);
        tcase_add_test(t, a_pair_that_is_being_written_is_read_again);
        tcase_add_test(t, a_store_that_grows_is_read_with_what_was_there_at_first);
        tcase_add_test(t, no_bytes_lead_outside);
        tcase_add_test(t, a_copy_is_known_by_its_table);
        tcase_add_test(t, a_copys_status_says_how_many_areas_are_full);
        tcase_add_test(t, a_map_has_a_bit_for_each_block);
        tcase_add_test(t, ranges_set_what_they_touch_and_nothing_else);
        tcase_add_test(t, a_map_stays_small_whatever_the_volume);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
