/* IVssAsync on the daemon's side: it ends once, tells its observer, and has three ways to answer a
 * cancel. */

#include "daemon/session/async.h"

#include <check.h>

static struct { unsigned progress, completed, cancels; } seen;

static void on_change(void *userdata _unused_, struct async *a _unused_, enum async_change change) {
        if (change == ASYNC_PROGRESS)
                seen.progress++;
        else
                seen.completed++;
}

static void on_cancel(void *userdata) {
        seen.cancels++;
        if (userdata)
                async_complete_cancelled(userdata);
}

static void setup(void) {
        memset(&seen, 0, sizeof(seen));
}

START_TEST(it_finishes_once) {
        struct vss_error error = { .hr = VSS_E_PROVIDER_VETO };
        struct async *a;

        ck_assert_int_eq(async_new(&a, "DoSnapshotSet", NULL, NULL), 0);
        async_set_observer(a, on_change, NULL);
        ck_assert_str_eq(async_name(a), "DoSnapshotSet");
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert_str_eq(async_phase(a), "");
        async_set_phase(a, "Stage", 10);
        async_set_phase(a, "Stage", 10); /* no news */
        ck_assert_uint_eq(seen.progress, 1);
        ck_assert_str_eq(async_phase(a), "Stage");
        async_complete(a, NULL);
        async_complete(a, &error);
        async_complete_cancelled(a);
        async_set_phase(a, "Freeze", 20);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(async_progress(a), 100);
        ck_assert_str_eq(async_message(a), "");
        ck_assert_uint_eq(seen.completed, 1);
        ck_assert_uint_eq(seen.progress, 1);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_FINISHED);
        async_unref(a);
}
END_TEST

START_TEST(a_failure_keeps_its_sentence) {
        struct vss_error error = { 0 };
        struct async *a;

        ck_assert_int_eq(async_new(&a, "DoSnapshotSet", on_cancel, NULL), 0);
        (void)vss_error_set(&error, VSS_E_INSUFFICIENT_STORAGE, 0, "vg has no room");
        async_complete(a, &error);
        vss_error_done(&error);
        ck_assert_int_eq(async_status(a), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_str_eq(async_message(a), "vg has no room");
        ck_assert_int_eq(async_cancel(a), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_uint_eq(seen.cancels, 0);
        async_unref(a);
}
END_TEST

START_TEST(cancel_has_three_success_codes) {
        struct async *a;

        /* One that takes its time to go back. */
        ck_assert_int_eq(async_new(&a, "DoSnapshotSet", on_cancel, NULL), 0);
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_uint_eq(seen.cancels, 1);
        async_complete_cancelled(a);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_CANCELLED);
        async_unref(a);
        /* One that was past the point of no return. */
        ck_assert_int_eq(async_new(&a, "DoSnapshotSet", on_cancel, NULL), 0);
        ck_assert_int_eq(async_cancel(a), S_OK);
        async_complete(a, NULL);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_FINISHED);
        async_unref(a);
        /* One that cannot be cancelled. */
        ck_assert_int_eq(async_new(&a, "QueryRevertStatus", NULL, NULL), 0);
        ck_assert_int_eq(async_cancel(a), VSS_E_UNEXPECTED);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        async_unref(a);
}
END_TEST

static void drop_on_change(void *userdata, struct async *a _unused_, enum async_change change) {
        struct async **held = userdata;

        if (change == ASYNC_COMPLETED)
                *held = async_unref(*held);
}

START_TEST(its_observer_may_drop_the_last_reference) {
        struct async *a;

        ck_assert_int_eq(async_new(&a, "x", NULL, NULL), 0);
        async_set_observer(a, drop_on_change, &a);
        async_complete(a, NULL);
        ck_assert_ptr_null(a);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("async");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, NULL);
        tcase_add_test(tc, it_finishes_once);
        tcase_add_test(tc, a_failure_keeps_its_sentence);
        tcase_add_test(tc, cancel_has_three_success_codes);
        tcase_add_test(tc, its_observer_may_drop_the_last_reference);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
