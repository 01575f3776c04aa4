/* The parts of the lvm-thin provider that need no storage: what the kernel says of pools and thin
 * volumes, and whether there is room for copies. */

#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-thin-pool.h"

#include <check.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)

/* As Linux 6.1 and 6.12 say it. */
#define GOOD "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space - 256"

START_TEST(the_state_of_a_pool_is_understood) {
        static const struct {
                const char *status;
                const char *unfit; /* a word of the reason; NULL: copies can be made */
        } cases[] = {
                { GOOD, NULL },
                { "0 10/100 0/10 77 rw no_discard_passdown error_if_no_space - 25", NULL },
                { "0 10/100 10/10 - out_of_data_space discard_passdown queue_if_no_space - 25",
                  NULL }, /* that is for when a set is made */
                { "2 113/1024 290/3200 - ro discard_passdown queue_if_no_space - 256",
                  "read-only" },
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space needs_check 256",
                  "needs a check" },
                { "2 113/1024 290/3200 - ro discard_passdown queue_if_no_space needs_check 256",
                  "needs a check" },
                /* Before Linux 4.0 and 4.19. */
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space", NULL },
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space -", NULL },
                { "Fail", "has failed" },
                { "Error", "has failed" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct thin_pool p = { 0 };
                const char *unfit;

                ck_assert_msg(thin_pool_parse(&p, cases[i].status) == 0, "%s", cases[i].status);
                unfit = thin_pool_unfit(&p);
                if (cases[i].unfit)
                        ck_assert_msg(unfit && strstr(unfit, cases[i].unfit), "%s: %s",
                                      cases[i].status, str_or_empty(unfit));
                else
                        ck_assert_msg(!unfit, "%s: %s", cases[i].status, unfit);
        }
}
END_TEST

START_TEST(the_numbers_of_a_pool_are_understood) {
        struct thin_pool p = { 0 };

        ck_assert_int_eq(thin_pool_parse(&p, GOOD), 0);
        ck_assert_uint_eq(p.transaction_id, 2);
        ck_assert_uint_eq(p.metadata_used, 113);
        ck_assert_uint_eq(p.metadata_total, 1024);
        ck_assert_uint_eq(p.data_used, 290);
        ck_assert_uint_eq(p.data_total, 3200);
}
END_TEST

START_TEST(what_is_no_state_is_not_understood) {
        static const char *const texts[] = {
                "",
                "2",
                "2 113/1024",
                "2 113/1024 290/3200 -",
                "2 113 290/3200 - rw discard_passdown queue_if_no_space - 256",
                "2 1025/1024 290/3200 - rw discard_passdown queue_if_no_space - 256",
                "2 113/1024 3201/3200 - rw discard_passdown queue_if_no_space - 256",
                "fail",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct thin_pool p = { 0 };

                ck_assert_msg(thin_pool_parse(&p, texts[i]) == -EBADMSG, "%s", texts[i]);
        }
}
END_TEST

static int room(uint64_t free_blocks, uint64_t free_metadata, bool out_of_space,
                const uint64_t *mapped, size_t n, struct vss_error *reterr) {
        const struct thin_pool p = {
                .name = (char[]){ "tank/pool" },
                .block_bytes = 64 * 1024,
                .metadata_used = 1024 - free_metadata,
                .metadata_total = 1024,
                .data_used = 16000 - free_blocks,
                .data_total = 16000,
                .out_of_space = out_of_space,
        };

        return thin_pool_check_room(&p, mapped, n, reterr);
}

START_TEST(a_pool_that_is_nearly_full_takes_no_copies) {
        /* Two that can change by 32 MiB at least, and one that has no more than 1. */
        const uint64_t mapped[] = { 500 * MIB, 32 * MIB, 1 * MIB };
        static const struct {
                uint64_t free_blocks, free_metadata;
                bool out_of_space;
                const char *word; /* NULL: there is room */
        } cases[] = {
                { 16000, 1024, false, NULL },
                { 65 * 16, 1024, false, NULL },
                { 65 * 16 - 1, 1024, false, "of data left" },
                { 0, 1024, false, "of data left" },
                { 16000, 1024, true, "of data left" },
                { 16000, 256, false, NULL },
                { 16000, 255, false, "--poolmetadatasize" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int r = room(cases[i].free_blocks, cases[i].free_metadata, cases[i].out_of_space,
                             mapped, ARRAY_SIZE(mapped), &error);

                if (!cases[i].word) {
                        ck_assert_msg(r == 0, "case %zu: %s", i, error.message);
                        continue;
                }
                ck_assert_int_eq(r, -ENOSPC);
                ck_assert_int_eq(error.hr, VSS_E_INSUFFICIENT_STORAGE);
                ck_assert_ptr_nonnull(strstr(error.message, "tank/pool"));
                ck_assert_msg(strstr(error.message, cases[i].word) != NULL, "%s", error.message);
        }
}
END_TEST

START_TEST(the_kernels_mark_of_large_metadata_is_enough) {
        const struct thin_pool p = {
                .name = (char[]){ "tank/pool" },
                .block_bytes = 64 * 1024,
                .metadata_used = 100000 - 1024,
                .metadata_total = 100000,
                .data_total = 16000,
        };

        ck_assert_int_eq(thin_pool_check_room(&p, NULL, 0, NULL), 0);
}
END_TEST

START_TEST(a_thin_volume_knows_its_pool) {
        struct thin_volume v = { 0 };

        ck_assert_int_eq(thin_volume_parse(&v, "253:3 7"), 0);
        ck_assert_uint_eq(v.pool, makedev(253, 3));
        ck_assert_uint_eq(v.id, 7);
        ck_assert_str_eq(v.external, "");
        ck_assert_int_eq(thin_volume_parse(&v, "253:300 16777215 253:9"), 0);
        ck_assert_uint_eq(v.pool, makedev(253, 300));
        ck_assert_uint_eq(v.id, 16777215);
        ck_assert_str_eq(v.external, "253:9");
}
END_TEST

START_TEST(what_is_no_thin_volume_is_not_understood) {
        static const char *const texts[] = { "", "253:3", "253 3", "/dev/dm-3 1", "253:3 x" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct thin_volume v;

                ck_assert_msg(thin_volume_parse(&v, texts[i]) == -EBADMSG, "%s", texts[i]);
        }
}
END_TEST

START_TEST(an_intent_is_its_own_providers) {
        _cleanup_(lvm_intent_done) struct lvm_intent intent = { 0 };
        _cleanup_(freep) char *text = NULL;

        ck_assert_int_eq(lvm_intent_format("lvm-thin", (VSS_ID){ 0 }, NULL, 0, &text), 0);
        ck_assert_str_eq(text, "lvm-thin 1\n");
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm-thick", text), -EBADMSG);
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm", text), -EBADMSG);
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm-thin", text), 0);
        ck_assert_uint_eq(intent.n, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-thin");
        TCase *t = tcase_create("lvm-thin");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, the_state_of_a_pool_is_understood);
        tcase_add_test(t, the_numbers_of_a_pool_are_understood);
        tcase_add_test(t, what_is_no_state_is_not_understood);
        tcase_add_test(t, a_pool_that_is_nearly_full_takes_no_copies);
        tcase_add_test(t, the_kernels_mark_of_large_metadata_is_enough);
        tcase_add_test(t, a_thin_volume_knows_its_pool);
        tcase_add_test(t, what_is_no_thin_volume_is_not_understood);
        tcase_add_test(t, an_intent_is_its_own_providers);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
