/* The parts of the lvm-thick provider that need no storage: sizes of stores, the line that a copy
 * is noted in, the text of an intent, what is said of caches. */

#include "common/vss-id.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/origin-health.h"
#include "daemon/providers/snapshot-size.h"

#include <check.h>

#define MIB (UINT64_C(1024) * 1024)
#define GIB (MIB * 1024)
#define EXTENT (4 * MIB)

#define VG_UUID "L1e6mu-jFuK-Nip8-rM0v-iGRr-Fn9G-y5isPI"
#define LV_UUID "TIYC0Q-gPeB-UO90-GMc7-y6zm-A0Y1-bIu15O"
#define COW_UUID "0tXmVQ-owDa-T3cx-33Kh-W0pG-vPKl-z1NKNb"

START_TEST(a_store_begins_small_but_not_too_small) {
        /* A volume under 500 MB: 32 MiB. */
        ck_assert_uint_eq(snapshot_size_wanted(100 * MIB, EXTENT), 8);
        /* One above: 320 MiB at least. */
        ck_assert_uint_eq(snapshot_size_wanted(1 * GIB, EXTENT), 80);
        ck_assert_uint_eq(snapshot_size_wanted(20 * GIB, EXTENT), 256);
        /* Rounded up to whole extents. */
        ck_assert_uint_eq(snapshot_size_wanted(20 * GIB + 1, EXTENT), 256);
        ck_assert_uint_eq(snapshot_size_wanted(20 * GIB + 20 * EXTENT, EXTENT), 257);
        /* The rest it gets when it needs it. */
        ck_assert_uint_eq(snapshot_size_wanted(100 * GIB, EXTENT), 512);
}
END_TEST

START_TEST(what_a_store_begins_with_can_be_configured) {
        snapshot_size_init(64 * MIB, UINT64_MAX);
        ck_assert_uint_eq(snapshot_size_wanted(100 * MIB, EXTENT), 16);
        ck_assert_uint_eq(snapshot_size_wanted(100 * GIB, EXTENT), 16);
        ck_assert_uint_eq(snapshot_size_wanted(4 * MIB, EXTENT), 2);
        snapshot_size_init(0, 100 * MIB); /* a maximum holds for the first, too */
        ck_assert_uint_eq(snapshot_size_wanted(100 * GIB, EXTENT), 25);
        ck_assert_uint_eq(snapshot_size_wanted(100 * MIB, EXTENT), 8);
        snapshot_size_init(0, UINT64_MAX);
}
END_TEST

START_TEST(no_store_is_larger_than_can_ever_be_needed) {
        /* 4 MiB are 128 chunks: one for the head, one for their notes. */
        ck_assert_uint_eq(snapshot_size_enough(4 * MIB, 32 * 1024), 130);
        /* 2048 fill one area of notes, and the kernel wipes the next. */
        ck_assert_uint_eq(snapshot_size_enough(64 * MIB - 32 * 1024, 32 * 1024), 1 + 2047 + 1);
        ck_assert_uint_eq(snapshot_size_enough(64 * MIB, 32 * 1024), 1 + 2048 + 2);
        /* Nor do whole extents always leave room for that. */
        ck_assert_uint_eq(snapshot_size_enough(127 * 64 * MIB, EXTENT), 127 * 16 + 2);
        ck_assert_uint_eq(snapshot_size_wanted(4 * MIB, EXTENT), 2);
        ck_assert_uint_eq(snapshot_size_least(4 * MIB, EXTENT), 2);
        for (uint64_t size = EXTENT; size < 4 * GIB; size += 37 * EXTENT) {
                ck_assert_uint_le(snapshot_size_wanted(size, EXTENT),
                                  snapshot_size_enough(size, EXTENT));
                ck_assert_uint_le(snapshot_size_least(size, EXTENT),
                                  snapshot_size_wanted(size, EXTENT));
                ck_assert_uint_gt(snapshot_size_enough(size, EXTENT) * EXTENT, size);
        }
}
END_TEST

START_TEST(what_is_free_is_shared_out) {
        struct snapshot_size sizes[] = {
                { .origin_bytes = 1 * GIB },   /* wants 80, 8 at least */
                { .origin_bytes = 20 * GIB },  /* wants 256 */
                { .origin_bytes = 100 * MIB }, /* wants 8 */
        };
        uint64_t needed, sum = 0;

        ck_assert_int_eq(snapshot_size_share(sizes, 3, 344, EXTENT, &needed), 0);
        ck_assert_uint_eq(needed, 24);
        ck_assert_uint_eq(sizes[0].extents, 80);
        ck_assert_uint_eq(sizes[1].extents, 256);
        ck_assert_uint_eq(sizes[2].extents, 8);

        ck_assert_int_eq(snapshot_size_share(sizes, 3, 124, EXTENT, &needed), 0);
        for (size_t i = 0; i < 3; i++) {
                ck_assert_uint_ge(sizes[i].extents, 8);
                sum += sizes[i].extents;
        }
        ck_assert_uint_le(sum, 124);
        ck_assert_uint_ge(sum, 120);
        ck_assert_uint_gt(sizes[1].extents, sizes[0].extents);

        ck_assert_int_eq(snapshot_size_share(sizes, 3, 24, EXTENT, &needed), 0);
        ck_assert_uint_eq(sizes[1].extents, 8);
        ck_assert_int_eq(snapshot_size_share(sizes, 3, 23, EXTENT, &needed), -ENOSPC);
        ck_assert_uint_eq(needed, 24);
}
END_TEST

START_TEST(sharing_large_groups_does_not_overflow) {
        struct snapshot_size sizes[64];
        uint64_t needed, free_extents = UINT32_MAX / 2;

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                sizes[i].origin_bytes = (uint64_t)UINT32_MAX * EXTENT;
        ck_assert_int_eq(
                snapshot_size_share(sizes, ARRAY_SIZE(sizes), free_extents, EXTENT, &needed), 0);
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                ck_assert_uint_le(sizes[i].extents, free_extents / 60);
}
END_TEST

static void make_copy(struct lvm_copy *c, const char *cow_uuid) {
        ck_assert_int_eq(
                lvm_copy_init(c, "my-vg", VG_UUID, "ro-ot", LV_UUID, "vss_ShadowCopy7", cow_uuid),
                0);
}

START_TEST(a_copy_knows_its_devices) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        make_copy(&c, NULL);
        ck_assert_str_eq(c.origin_device, "my--vg-ro--ot");
        ck_assert_str_eq(c.real_device, "my--vg-ro--ot-real");
        ck_assert_str_eq(c.copy_device, "my--vg-vss_ShadowCopy7");
        ck_assert_str_eq(c.store_device, "my--vg-vss_ShadowCopy7-cow");
        ck_assert_str_eq(c.origin_dm_uuid,
                         "LVM-L1e6mujFuKNip8rM0viGRrFn9Gy5isPITIYC0QgPeBUO90GMc7y6zmA0Y1bIu15O");
        ck_assert_ptr_null(c.copy_dm_uuid);
        ck_assert_int_eq(lvm_copy_set_lv_uuid(&c, "nonsense"), -EINVAL);
        ck_assert_int_eq(lvm_copy_set_lv_uuid(&c, COW_UUID), 0);
        ck_assert_str_eq(
                c.store_dm_uuid,
                "LVM-L1e6mujFuKNip8rM0viGRrFn9Gy5isPI0tXmVQowDaT3cx33KhW0pGvPKlz1NKNb-cow");
}
END_TEST

START_TEST(a_copy_survives_its_text) {
        const char *uuids[] = { NULL, COW_UUID };

        for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
                _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 }, back = { 0 };
                _cleanup_(freep) char *text = NULL, *again = NULL;

                make_copy(&c, uuids[i]);
                ck_assert_int_eq(lvm_copy_format(&c, &text), 0);
                ck_assert_int_eq(lvm_copy_parse(&back, text), 0);
                ck_assert_str_eq(back.origin_device, c.origin_device);
                ck_assert_pstr_eq(back.store_dm_uuid, c.store_dm_uuid);
                ck_assert_int_eq(lvm_copy_format(&back, &again), 0);
                ck_assert_str_eq(again, text);
        }
}
END_TEST

START_TEST(what_is_no_copy_is_not_understood) {
        static const char *const texts[] = {
                "",
                "vg=a",
                "vg=a vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c",
                "vg=a vg_uuid=x origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
                "vg=a vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=- more",
                "vg=a/b vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
                "vg=-a vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
                "vg= vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
                "lv=a vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
                "vg=a;reboot vg_uuid=" VG_UUID " origin=b origin_uuid=" LV_UUID " cow=c cow_uuid=-",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct lvm_copy c = { 0 };

                ck_assert_msg(lvm_copy_parse(&c, texts[i]) == -EBADMSG, "%s", texts[i]);
                ck_assert_ptr_null(c.vg);
        }
}
END_TEST

START_TEST(an_intent_survives_its_text) {
        _cleanup_(lvm_copy_done) struct lvm_copy one = { 0 }, two = { 0 };
        struct lvm_copy *copies[] = { &one, &two };
        VSS_ID ids[2];

        make_copy(&one, NULL);
        make_copy(&two, COW_UUID);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(vss_id_random(&ids[i]), 0);
        for (size_t i = 0; i < 2; i++) {
                const struct lvm_intent_subject subject = {
                        .snapshots = i ? ids : NULL,
                        .copies = copies,
                        .n = 2,
                };
                _cleanup_(lvm_intent_done) struct lvm_intent intent = { 0 };
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(lvm_intent_format("lvm-thick", &subject, &text), 0);
                ck_assert_int_eq(lvm_intent_parse(&intent, "lvm-thick", text), 0);
                ck_assert_uint_eq(intent.n_snapshots, i ? 2 : 0);
                for (size_t k = 0; k < intent.n_snapshots; k++)
                        ck_assert(vss_id_equal(intent.snapshots[k], ids[k]));
                ck_assert_uint_eq(intent.n, 2);
                ck_assert_ptr_null(intent.copies[0].lv_uuid);
                ck_assert_str_eq(intent.copies[1].lv_uuid, COW_UUID);
        }
}
END_TEST

/* What is held while it cannot be undone, and resumed before anything else. */
START_TEST(an_intent_tells_its_origins) {
        struct lvm_copy copies[2] = { { 0 }, { 0 } };
        const struct lvm_intent_subject subject = {
                .copies = (struct lvm_copy *[]){ &copies[0], &copies[1] },
                .n = 2,
        };
        _cleanup_(strv_freep) char **uuids = NULL, **names = NULL;
        struct intent_record record = { .kind = (char *)LVM_INTENT_CREATE };

        ck_assert_int_eq(lvm_copy_init(&copies[0], "tank", VG_UUID, "a", LV_UUID, "c1", NULL), 0);
        ck_assert_int_eq(lvm_copy_init(&copies[1], "tank", VG_UUID, "b", COW_UUID, "c2", NULL), 0);
        ck_assert_int_eq(lvm_intent_format("lvm-thick", &subject, &record.data), 0);
        ck_assert_int_eq(provider_lvm_thick.origins(&record, &uuids, &names, NULL), 0);
        ck_assert_uint_eq(strv_length(uuids), 2);
        ck_assert_str_eq(uuids[0], copies[0].origin_dm_uuid);
        ck_assert_str_eq(uuids[1], copies[1].origin_dm_uuid);
        ck_assert_str_eq(names[0], "tank/a");
        ck_assert_str_eq(names[1], "tank/b");
        free(record.data);
        record.data = (char *)"nonsense";
        ck_assert_int_lt(provider_lvm_thick.origins(&record, &uuids, &names, NULL), 0);
        for (size_t i = 0; i < 2; i++)
                lvm_copy_done(&copies[i]);
}
END_TEST

START_TEST(what_is_no_intent_is_not_understood) {
        static const char *const texts[] = {
                "",
                "lvm-thick 2\n",
                "lvm-thick 1\nnonsense\n",
                "lvm-thick 1\nsnapshot=7\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct lvm_intent intent = { 0 };

                ck_assert_msg(lvm_intent_parse(&intent, "lvm-thick", texts[i]) == -EBADMSG, "%s",
                              texts[i]);
                ck_assert_ptr_null(intent.copies);
                ck_assert_ptr_null(intent.snapshots);
        }
}
END_TEST

START_TEST(only_known_kinds_of_blocks_can_be_copied) {
        static const struct {
                const char *types[3];
                const char *unfit;
        } cases[] = {
                { { "linear" }, NULL },
                { { "linear", "striped", "linear" }, NULL },
                { { "raid" }, NULL },
                { { "thin" }, "thin" },
                { { "cache" }, NULL },
                { { "writecache" }, NULL },
                { { "linear", "vdo" }, "vdo" },
                { { "mirror" }, "mirror" },
                { { NULL }, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(mapper_table_done) struct mapper_table table = { 0 };

                for (size_t k = 0; k < 3 && cases[i].types[k]; k++)
                        ck_assert_int_eq(mapper_table_add(&table, k * 8, 8, cases[i].types[k], ""),
                                         0);
                ck_assert_uint_eq(mapper_table_length(&table), table.n * 8);
                ck_assert_pstr_eq(thick_unfit_target(&table), cases[i].unfit);
        }
}
END_TEST

/* As Linux 6.1 and 6.12 say it. */
#define CACHE "8 27/1024 128 3/512 0 58 0 0 0 0 0 1 writethrough 2 migration_threshold 2048 smq 0 "

START_TEST(a_cache_that_is_not_in_order_is_not_copied) {
        static const struct {
                const char *type, *status;
                const char *unfit; /* words of the reason; NULL: it can be */
        } cases[] = {
                { "cache", CACHE "rw - ", NULL },
                { "cache", CACHE "rw -", NULL },
                { "cache", CACHE "ro - ", "read-only" },
                { "cache", CACHE "rw needs_check ", "needs a check" },
                { "cache", CACHE "ro needs_check ", "needs a check" },
                { "cache", "Fail", "has failed" },
                { "cache", "Error", "has failed" },
                { "cache", "", "has failed" },
                { "writecache", "0 16352 16352 0", NULL },
                { "writecache", "0 16352 16352 0 1 1 0 0 0 0 0 0 0 0", NULL },
                { "writecache", "1 16352 16352 0", "write cache that has failed" },
                { "writecache", "", "write cache that has failed" },
                { "linear", "", NULL },
                { "snapshot-origin", "", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *unfit = origin_health_unfit_cache(cases[i].type, cases[i].status);

                if (cases[i].unfit)
                        ck_assert_msg(unfit && strstr(unfit, cases[i].unfit), "%s: %s",
                                      cases[i].status, str_or_empty(unfit));
                else
                        ck_assert_msg(!unfit, "%s: %s", cases[i].status, unfit);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-thick");
        TCase *t = tcase_create("lvm-thick");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, a_store_begins_small_but_not_too_small);
        tcase_add_test(t, what_a_store_begins_with_can_be_configured);
        tcase_add_test(t, no_store_is_larger_than_can_ever_be_needed);
        tcase_add_test(t, what_is_free_is_shared_out);
        tcase_add_test(t, sharing_large_groups_does_not_overflow);
        tcase_add_test(t, a_copy_knows_its_devices);
        tcase_add_test(t, a_copy_survives_its_text);
        tcase_add_test(t, what_is_no_copy_is_not_understood);
        tcase_add_test(t, an_intent_survives_its_text);
        tcase_add_test(t, an_intent_tells_its_origins);
        tcase_add_test(t, what_is_no_intent_is_not_understood);
        tcase_add_test(t, only_known_kinds_of_blocks_can_be_copied);
        tcase_add_test(t, a_cache_that_is_not_in_order_is_not_copied);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
