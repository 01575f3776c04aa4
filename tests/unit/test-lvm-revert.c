/* What LVM's report says of a copy that is merged back, and what the kernel says of the merge. */

#include "daemon/providers/lvm-revert.h"
#include "daemon/providers/snapshot-merge.h"

#include <check.h>
#include <stdlib.h>

#define VG_UUID "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
#define ORIGIN_UUID "bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
#define COPY_UUID "cccccc-cccc-cccc-cccc-cccc-cccc-cccccc"
#define OTHER_UUID "dddddd-dddd-dddd-dddd-dddd-dddd-dddddd"

#define COPY "vss_ShadowCopy7"
#define ORIGIN_ROW "tank|data|" ORIGIN_UUID "|owi-a-s---|\n"
#define OTHERS                                                              \
        "tank|vss_ShadowCopy70|" OTHER_UUID "|Sri-a-s---|" ORIGIN_UUID "\n" \
        "tank|[lvol0_pmspare]|" OTHER_UUID "|ewi-------|\n"

static const struct {
        const char *report;
        bool uuid_known;
        enum lvm_merge state;
        const char *origin, *lv;
} reports[] = {
        { ORIGIN_ROW "tank|" COPY "|" COPY_UUID "|sri-a-s---|" ORIGIN_UUID "\n" OTHERS, true,
          LVM_MERGE_COPY, "data", COPY },
        { "tank|data|" ORIGIN_UUID "|Owi-aos---|\ntank|[" COPY "]|" COPY_UUID
          "|Sri-a-s---|" ORIGIN_UUID "\n",
          true, LVM_MERGE_MARKED, "data", COPY },
        { "tank|[" COPY "]|" COPY_UUID "|Sri-a-s---|\ntank|data|" ORIGIN_UUID "|Owi-aos---|\n",
          false, LVM_MERGE_MARKED, "data", COPY },
        { ORIGIN_ROW "tank|renamed|" COPY_UUID "|swi-a-s---|" ORIGIN_UUID "\n", true,
          LVM_MERGE_COPY, "data", "renamed" },
        { ORIGIN_ROW "tank|renamed|" COPY_UUID "|swi-a-s---|" ORIGIN_UUID "\n", false,
          LVM_MERGE_GONE, "data", NULL },
        { ORIGIN_ROW OTHERS, true, LVM_MERGE_GONE, "data", NULL },
        { ORIGIN_ROW OTHERS, false, LVM_MERGE_GONE, "data", NULL },
        { OTHERS, true, LVM_MERGE_LOST, NULL, NULL },
        { "", true, LVM_MERGE_LOST, NULL, NULL },
        /* A thin one, merged with the next activation. */
        { "tank|data|" ORIGIN_UUID "|Owi-aotz--|\ntank|[" COPY "]|" COPY_UUID
          "|Sri---tz-k|" ORIGIN_UUID "\n",
          true, LVM_MERGE_MARKED, "data", COPY },
};

static void make_copy(struct lvm_copy *c, bool uuid_known) {
        ck_assert_int_eq(lvm_copy_init(c, "tank", VG_UUID, "data", ORIGIN_UUID, COPY,
                                       uuid_known ? COPY_UUID : NULL),
                         0);
}

START_TEST(what_lvm_says) {
        _cleanup_(lvm_merge_state_done) struct lvm_merge_state state = { 0 };
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        make_copy(&c, reports[_i].uuid_known);
        ck_assert_int_eq(
                lvm_report_parse(reports[_i].report, LVM_MERGE_FIELDS, &report.rows, &report.n), 0);
        ck_assert_int_eq(lvm_merge_parse(&state, &c, &report), 0);
        ck_assert_int_eq(state.state, reports[_i].state);
        ck_assert_str_eq(str_or_empty(state.origin), str_or_empty(reports[_i].origin));
        ck_assert_str_eq(str_or_empty(state.lv), str_or_empty(reports[_i].lv));
        if (state.lv)
                ck_assert_str_eq(state.lv_uuid, COPY_UUID);
        if (state.origin)
                ck_assert_str_eq(state.vg, "tank");
}
END_TEST

/* LVM forgets it when the volume is reverted to another thin copy. */
START_TEST(whose_copy_lvm_says_it_is) {
#define THIN_ORIGIN "tank|data|" ORIGIN_UUID "|Vwi-aotz--|\n"
#define THIN_COPY "tank|" COPY "|" COPY_UUID "|Vri---tz-k|"
        static const char *const texts[] = {
                THIN_COPY ORIGIN_UUID "\n" THIN_ORIGIN,
                THIN_ORIGIN THIN_COPY "\n",
                THIN_ORIGIN THIN_COPY OTHER_UUID "\n",
        };
        _cleanup_(lvm_merge_state_done) struct lvm_merge_state state = { 0 };
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        make_copy(&c, true);
        ck_assert_int_eq(lvm_report_parse(texts[_i], LVM_MERGE_FIELDS, &report.rows, &report.n), 0);
        ck_assert_int_eq(lvm_merge_parse(&state, &c, &report), 0);
        ck_assert_int_eq(state.state, LVM_MERGE_COPY);
        ck_assert_int_eq(state.linked, _i == 0);
}
END_TEST

START_TEST(what_that_means) {
        static const enum revert_state states[] = {
                [LVM_MERGE_COPY] = REVERT_NONE,
                [LVM_MERGE_MARKED] = REVERT_WAITING,
                [LVM_MERGE_GONE] = REVERT_OVER,
                [LVM_MERGE_LOST] = REVERT_LOST,
        };
        struct revert_progress p;

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                lvm_revert_state((enum lvm_merge)i, &p);
                ck_assert_int_eq(p.state, states[i]);
        }
}
END_TEST

static const struct {
        const char *status;
        enum revert_state state;
        uint64_t left;
} merges[] = {
        { "1040/204800 16", REVERT_RUNNING, UINT64_C(1024) * 512 },
        { "16/204800 16", REVERT_COPIED, 0 },
        { "18446744073709551615/1 18446744073709551615", REVERT_COPIED, 0 },
        { "Invalid", REVERT_FAILED, 0 },
        { "Merge failed", REVERT_FAILED, 0 },
        { "Overflow", REVERT_FAILED, 0 },
        { "", REVERT_FAILED, 0 },
        { "16/204800", REVERT_FAILED, 0 },
        { "16/204800 17", REVERT_FAILED, 0 }, /* more than there is */
        { "16/204800 16 more", REVERT_FAILED, 0 },
};

START_TEST(what_the_kernel_says) {
        struct revert_progress p;

        snapshot_merge_parse(merges[_i].status, &p);
        ck_assert_int_eq(p.state, merges[_i].state);
        ck_assert_uint_eq(p.left, merges[_i].left);
}
END_TEST

START_TEST(no_making_of_a_copy) {
        static const struct intent_record intents[] = {
                { .kind = (char *)(uintptr_t) "delete", .data = (char *)(uintptr_t) "x" },
                { .kind = (char *)(uintptr_t) "create", .data = (char *)(uintptr_t) "nonsense" },
                { .kind = (char *)(uintptr_t) "create",
                  .data = (char *)(uintptr_t) "another-provider 1\n" },
                { .kind = (char *)(uintptr_t) "create" },
        };
        struct snapshot_record found = { 0 };

        /* No lvm is asked. */
        lvm_program = "/nonexistent/lvm";
        for (size_t i = 0; i < ARRAY_SIZE(intents); i++)
                ck_assert_int_eq(lvm_revert_find("lvm-thick", &intents[i], &found, NULL), 0);
        ck_assert_ptr_null(found.volume);
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-revert");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tc, what_lvm_says, 0, ARRAY_SIZE(reports));
        tcase_add_loop_test(tc, whose_copy_lvm_says_it_is, 0, 3);
        tcase_add_test(tc, what_that_means);
        tcase_add_loop_test(tc, what_the_kernel_says, 0, ARRAY_SIZE(merges));
        tcase_add_test(tc, no_making_of_a_copy);
        suite_add_tcase(s, tc);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
