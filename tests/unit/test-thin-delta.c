/* What differs in a thin pool: what thin_delta prints is understood, and nothing else; and whatever
 * happens, the pool's metadata snapshot is released, or noted to be. */

#include "daemon/providers/program-lines.h"
#include "daemon/providers/thin-delta.h"

#include "common/time-util.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <vss/vss.h>

#define BLOCK 65536
#define POOL_UUID "LVM-pool-tpool"

static char directory[64], program[96];
static struct store *store;

/* The pool, as far as it has to do with this. */
static struct {
        bool exists, held;
        const char *fails; /* the message that does */
        bool fails_after;  /* ... but was done */
        int asked;         /* what LVM says */
        unsigned n_reserved, n_released;
        bool noted; /* an intent was open whenever it was reserved */
} pool;

static size_t n_intents(void) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return n;
}

static int find_pool(const char *uuid, struct mapper_info *ret, struct vss_error *reterr _unused_) {
        ck_assert_str_eq(uuid, POOL_UUID);
        *ret = (struct mapper_info){ .exists = pool.exists, .name = "vg-pool-tpool" };
        return 0;
}

static int is_held(const char *name, bool *ret, struct vss_error *reterr _unused_) {
        ck_assert_str_eq(name, "vg-pool-tpool");
        *ret = pool.held;
        return 0;
}

static int send_message(const char *name, const char *message, struct vss_error *reterr) {
        bool fails = pool.fails && streq(message, pool.fails);

        ck_assert_str_eq(name, "vg-pool-tpool");
        if (!fails || pool.fails_after) {
                if (streq(message, "reserve_metadata_snap")) {
                        ck_assert(!pool.held);
                        pool.noted = n_intents() == 1;
                        pool.held = true;
                        pool.n_reserved++;
                } else {
                        ck_assert_str_eq(message, "release_metadata_snap");
                        ck_assert(pool.held);
                        pool.held = false;
                        pool.n_released++;
                }
        }
        return fails ? vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO, "fails") : 0;
}

static int ask(const char *uuid, struct vss_error *reterr _unused_) {
        ck_assert_str_eq(uuid, POOL_UUID);
        return pool.asked;
}

static const struct thin_reserve_pools pools = {
        .find = find_pool,
        .is_held = is_held,
        .message = send_message,
        .ask = ask,
};

static const struct thin_pool facts = {
        .device = { .exists = true, .name = "vg-pool-tpool", .uuid = POOL_UUID },
        .name = (char *)"vg/pool",
        .block_bytes = BLOCK,
};

static void setup(void) {
        struct vss_error error = { 0 };

        memset(&pool, 0, sizeof(pool));
        pool.exists = true;
        (void)snprintf(directory, sizeof(directory), "/tmp/test-thin-delta-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        (void)snprintf(program, sizeof(program), "%s/thin_delta", directory);
        thin_delta_program = program;
        ck_assert_int_eq(store_open(&store, directory, &error), 0);
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void teardown(void) {
        store = store_close(store);
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put_program(const char *script) {
        FILE *f = fopen(program, "w");

        ck_assert_ptr_nonnull(f);
        (void)fprintf(f, "#!/bin/sh\n%s\n", script);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(program, 0755), 0);
}

#define REPORT(lines)                                                                         \
        "cat <<E\n<superblock uuid=\"\" time=\"1\" transaction=\"2\" data_block_size=\"128\"" \
        " nr_data_blocks=\"1600\">\n  <diff left=\"1\" right=\"2\">\n" lines                  \
        "  </diff>\n</superblock>\nE\n"

static int read_delta(struct delta_map *map, uint64_t older, uint64_t younger, HRESULT *ret_hr) {
        const struct thin_delta_side left = { .id = 1, .bytes = older };
        const struct thin_delta_side right = { .id = 2, .bytes = younger };
        struct vss_error error = { 0 };
        int r;

        r = thin_delta_read(map, store, "lvm-thin", &pools, &facts, &left, &right, &error);
        ck_assert((r < 0) == (error.hr != S_OK));
        if (r < 0)
                ck_assert_ptr_nonnull(error.message);
        *ret_hr = error.hr;
        vss_error_done(&error);
        return r;
}

static void assert_fails(HRESULT wanted) {
        struct delta_map map = { 0 };
        HRESULT hr;

        ck_assert_int_lt(read_delta(&map, 16 * BLOCK, 16 * BLOCK, &hr), 0);
        ck_assert_int_eq(hr, wanted);
        ck_assert_ptr_null(map.bits);
}

static void assert_settled(void) {
        ck_assert(!pool.held);
        ck_assert_uint_eq(pool.n_reserved, pool.n_released);
        ck_assert_uint_eq(n_intents(), 0);
}

START_TEST(what_differs_is_found) {
        struct delta_map map = { 0 };
        HRESULT hr;

        put_program(REPORT("    <same begin=\"0\" length=\"1\"/>\n"
                           "    <different begin=\"1\" length=\"2\"/>\n"
                           "    <left_only begin=\"4\" length=\"1\"/>\n"
                           "    <right_only begin=\"8\" length=\"3\"/>\n"));
        ck_assert_int_eq(read_delta(&map, 12 * BLOCK, 12 * BLOCK, &hr), 0);
        ck_assert_uint_eq(map.block_bytes, BLOCK);
        ck_assert_uint_eq(map.n_blocks, 12);
        ck_assert(map.exact);
        ck_assert_uint_eq(map.bits[0], 0x16);
        ck_assert_uint_eq(map.bits[1], 0x07);
        delta_map_done(&map);
        ck_assert(pool.noted);
        ck_assert_uint_eq(pool.n_reserved, 1);
        assert_settled();
}
END_TEST

/* A volume that has grown: what the other has not got; that was made smaller: what it has still. */
START_TEST(volumes_of_different_sizes_differ_behind_the_smaller) {
        struct delta_map map = { 0 };
        HRESULT hr;

        put_program(REPORT("    <different begin=\"0\" length=\"1\"/>\n"
                           "    <left_only begin=\"100\" length=\"1000\"/>\n"));
        ck_assert_int_eq(read_delta(&map, 8 * BLOCK, 10 * BLOCK + 512, &hr), 0);
        ck_assert_uint_eq(map.n_blocks, 11);
        ck_assert_uint_eq(map.bits[0], 0x01);
        ck_assert_uint_eq(map.bits[1], 0x07);
        delta_map_done(&map);
        ck_assert_int_eq(read_delta(&map, 10 * BLOCK, 8 * BLOCK, &hr), 0);
        ck_assert_uint_eq(map.bits[1], 0x03);
        delta_map_done(&map);
        assert_settled();
}
END_TEST

START_TEST(a_report_that_cannot_be_is_refused) {
        static const char *const scripts[] = {
                "true",
                "echo nonsense",
                "echo '<superblock data_block_size=\"128\">'",
                /* another pool's, other volumes' */
                "echo '<superblock data_block_size=\"64\">\n<diff left=\"1\" "
                "right=\"2\">\n</diff>\n</superblock>'",
                "echo '<superblock data_block_size=\"128\">\n<diff left=\"2\" "
                "right=\"1\">\n</diff>\n</superblock>'",
                /* without its end */
                "echo '<superblock data_block_size=\"128\">\n<diff left=\"1\" right=\"2\">'",
                "echo '<superblock data_block_size=\"128\">\n<diff left=\"1\" "
                "right=\"2\">\n</diff>'",
                /* what is not known */
                REPORT("<changed begin=\"1\" length=\"1\"/>\n"),
                REPORT("<superblock data_block_size=\"128\">\n"),
                REPORT("<different length=\"1\"/>\n"),
                REPORT("<different begin=\"1\"/>\n"),
                REPORT("<different begin=\"-1\" length=\"1\"/>\n"),
                REPORT("<different begin=\"\" length=\"1\"/>\n"),
                REPORT("<different begin=\"1x\" length=\"1\"/>\n"),
                REPORT("<different begin=\"99999999999999999999\" length=\"1\"/>\n"),
                REPORT("<different begin=\"18446744073709551616\" length=\"1\"/>\n"),
                REPORT("<different begin=\"1\" length=\"18446744073709551615\"/>\n"),
                REPORT("<same begin=\"18446744073709551615\" length=\"1\"/>\n"),
                REPORT("") "echo '<diff>'",
        };

        for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
                put_program(scripts[i]);
                assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
                assert_settled();
        }
        ck_assert_uint_eq(pool.n_reserved, ARRAY_SIZE(scripts));
}
END_TEST

START_TEST(a_program_that_fails_is_an_error_although_it_has_printed_all) {
        put_program(REPORT("") "echo 'superblock is corrupt' >&2\nexit 1");
        assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        put_program(REPORT("") "kill -9 $$");
        assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        assert_settled();
}
END_TEST

START_TEST(a_line_without_end_is_not_kept) {
        put_program("head -c 10000000 /dev/zero | tr '\\0' '<'");
        assert_fails(VSS_E_UNEXPECTED);
        assert_settled();
}
END_TEST

START_TEST(a_program_that_is_not_there_changes_nothing) {
        assert_fails(VSS_E_UNEXPECTED);
        assert_settled();
}
END_TEST

static int no_line(void *userdata _unused_, const char *line _unused_) {
        return 0;
}

START_TEST(a_program_that_does_not_end_is_ended) {
        char *argv[] = { program, NULL };
        struct vss_error error = { 0 };
        uint64_t begin = now_monotonic_usec();

        put_program("sleep 1000");
        ck_assert_int_eq(program_lines(argv, 200 * USEC_PER_MSEC, no_line, NULL, &error), -ETIME);
        ck_assert_uint_lt(now_monotonic_usec() - begin, 20 * USEC_PER_SEC);
        vss_error_done(&error);
}
END_TEST

struct kept {
        uint64_t n; /* lines, each of which is its number */
        size_t longest;
        char last[2048];
        int end; /* with which the line of `end_at` is answered */
        uint64_t end_at;
};

static int keep_line(void *userdata, const char *line) {
        struct kept *k = userdata;

        k->n++;
        if (strlen(line) > k->longest)
                k->longest = strlen(line);
        (void)snprintf(k->last, sizeof(k->last), "%s", line); /* no line is that long */
        return k->n == k->end_at ? k->end : 0;
}

static int count_line(void *userdata, const char *line) {
        struct kept *k = userdata;

        k->n++;
        ck_assert_uint_eq(strtoull(line, NULL, 10), k->n);
        return 0;
}

static int run_lines(const char *script, program_line_fn line, struct kept *kept) {
        char *argv[] = { program, NULL };
        struct vss_error error = { 0 };
        int r;

        put_program(script);
        r = program_lines(argv, 20 * USEC_PER_SEC, line, kept, &error);
        vss_error_done(&error);
        return r;
}

/* So many that lines lie across the ends of what is read at once, at each place of a line. */
START_TEST(each_line_comes_once_and_whole) {
        struct kept kept = { 0 };

        ck_assert_int_eq(run_lines("seq 1 60000", count_line, &kept), 0);
        ck_assert_uint_eq(kept.n, 60000);
}
END_TEST

START_TEST(a_line_may_come_in_parts_and_the_last_one_without_end) {
        struct kept kept = { 0 };

        ck_assert_int_eq(run_lines("printf 'a\n\nb'; sleep 0.2; printf 'c'; sleep 0.2; "
                                   "printf '\nde'; sleep 0.2; printf 'f'",
                                   keep_line, &kept),
                         0);
        ck_assert_uint_eq(kept.n, 4);
        ck_assert_str_eq(kept.last, "def");
        kept = (struct kept){ 0 };
        ck_assert_int_eq(run_lines("true", keep_line, &kept), 0);
        ck_assert_uint_eq(kept.n, 0);
}
END_TEST

/* Wherever among others it lies, and whether or not its end is read with it. */
START_TEST(a_line_has_1023_bytes_at_most) {
        static const unsigned before[] = { 0, 1, 15360, 15361, 15872, 16383, 16384, 40000 };

        for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
                for (unsigned n = 1023; n <= 1024; n++) {
                        struct kept kept = { 0 };
                        char script[256];

                        (void)snprintf(script, sizeof(script),
                                       "yes | head -c %u; echo; "
                                       "head -c %u /dev/zero | tr '\\0' x; echo; echo last",
                                       before[i], n);
                        ck_assert_int_eq(run_lines(script, keep_line, &kept),
                                         n < 1024 ? 0 : -EOVERFLOW);
                        ck_assert_uint_eq(kept.longest, n < 1024 ? n : before[i] > 0);
                        if (n < 1024)
                                ck_assert_str_eq(kept.last, "last");
                }
        }
}
END_TEST

START_TEST(after_a_line_that_is_refused_there_is_no_other) {
        struct kept kept = { .end = -EBADMSG, .end_at = 3 };

        ck_assert_int_eq(run_lines("seq 1 100; sleep 1000", keep_line, &kept), -EBADMSG);
        ck_assert_uint_eq(kept.n, 3);
        ck_assert_str_eq(kept.last, "3");
}
END_TEST

START_TEST(somebody_elses_snapshot_is_left_alone) {
        pool.held = true;
        put_program(REPORT(""));
        assert_fails(VSS_E_BAD_STATE);
        ck_assert(pool.held);
        ck_assert_uint_eq(pool.n_released, 0);
        ck_assert_uint_eq(n_intents(), 0);
}
END_TEST

START_TEST(a_reservation_that_fails_leaves_nothing) {
        put_program(REPORT(""));
        pool.fails = "reserve_metadata_snap";
        assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        assert_settled();
        pool.fails_after = true;
        assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        assert_settled();
}
END_TEST

/* It could not be released: the intent stays, and the next one of the same pool begins with it. */
START_TEST(what_could_not_be_released_is_released_by_the_next) {
        struct delta_map map = { 0 };
        HRESULT hr;

        put_program(REPORT(""));
        pool.fails = "release_metadata_snap";
        assert_fails(VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert(pool.held);
        ck_assert_uint_eq(n_intents(), 1);

        pool.fails = NULL;
        ck_assert_int_eq(read_delta(&map, BLOCK, BLOCK, &hr), 0);
        delta_map_done(&map);
        ck_assert_uint_eq(pool.n_released, 2);
        assert_settled();
}
END_TEST

static int recover(void) {
        struct intent_record *intents = NULL;
        struct vss_error error = { 0 };
        size_t n = 0;
        int r;

        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(intents[0].kind, THIN_RESERVE_INTENT);
        ck_assert_str_eq(intents[0].provider, "lvm-thin");
        r = thin_reserve_recover(&pools, store, &intents[0], &error);
        ck_assert((r < 0) == (error.hr != S_OK));
        vss_error_done(&error);
        intent_records_free(intents, n);
        return r;
}

/* The daemon died: before the message, or after it. */
START_TEST(a_start_releases_what_a_crash_left) {
        struct thin_reserve reserve;

        for (int after = 0; after < 2; after++) {
                struct vss_error error = { 0 };

                ck_assert_int_eq(thin_reserve_take(&reserve, &pools, store, "lvm-thin",
                                                   &facts.device, &error),
                                 0);
                if (after == 0) {
                        pool.held = false; /* as if it had not been sent */
                        pool.n_reserved--;
                }
                ck_assert_int_eq(recover(), 0);
                assert_settled();
        }
}
END_TEST

START_TEST(a_pool_that_is_not_there_is_waited_for_unless_it_is_gone) {
        struct thin_reserve reserve;
        struct vss_error error = { 0 };

        ck_assert_int_eq(
                thin_reserve_take(&reserve, &pools, store, "lvm-thin", &facts.device, &error), 0);
        pool.exists = false;
        pool.asked = 1; /* LVM has it, and it is not active */
        ck_assert_int_lt(recover(), 0);
        pool.asked = -ENODEV; /* its group is on a disk that is not there */
        ck_assert_int_lt(recover(), 0);
        pool.exists = true;
        ck_assert_int_eq(recover(), 0);
        assert_settled();

        ck_assert_int_eq(
                thin_reserve_take(&reserve, &pools, store, "lvm-thin", &facts.device, &error), 0);
        pool.exists = false;
        pool.asked = 0; /* it was deleted */
        ck_assert_int_eq(recover(), 0);
        ck_assert_uint_eq(n_intents(), 0);
}
END_TEST

START_TEST(the_status_of_a_pool_says_whether_there_is_one) {
        static const struct {
                const char *status;
                int r;
                bool held;
        } cases[] = {
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space - 256", 0, false },
                { "2 113/1024 290/3200 77 rw discard_passdown queue_if_no_space - 256", 0, true },
                { "Fail", -EBADMSG, false },
                { "Error", -EBADMSG, false },
                { "", -EBADMSG, false },
                { "2 113/1024 290/3200", -EBADMSG, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool held = !cases[i].held;

                ck_assert_int_eq(thin_reserve_parse_status(cases[i].status, &held), cases[i].r);
                if (cases[i].r == 0)
                        ck_assert_int_eq(held, cases[i].held);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("thin-delta");
        TCase *t = tcase_create("thin-delta");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, what_differs_is_found);
        tcase_add_test(t, volumes_of_different_sizes_differ_behind_the_smaller);
        tcase_add_test(t, a_report_that_cannot_be_is_refused);
        tcase_add_test(t, a_program_that_fails_is_an_error_although_it_has_printed_all);
        tcase_add_test(t, a_line_without_end_is_not_kept);
        tcase_add_test(t, a_program_that_is_not_there_changes_nothing);
        tcase_add_test(t, a_program_that_does_not_end_is_ended);
        tcase_add_test(t, each_line_comes_once_and_whole);
        tcase_add_test(t, a_line_may_come_in_parts_and_the_last_one_without_end);
        tcase_add_test(t, a_line_has_1023_bytes_at_most);
        tcase_add_test(t, after_a_line_that_is_refused_there_is_no_other);
        tcase_add_test(t, somebody_elses_snapshot_is_left_alone);
        tcase_add_test(t, a_reservation_that_fails_leaves_nothing);
        tcase_add_test(t, what_could_not_be_released_is_released_by_the_next);
        tcase_add_test(t, a_start_releases_what_a_crash_left);
        tcase_add_test(t, a_pool_that_is_not_there_is_waited_for_unless_it_is_gone);
        tcase_add_test(t, the_status_of_a_pool_says_whether_there_is_one);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
