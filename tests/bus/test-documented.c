/* What docs/dbus-api.md shows, and README.md of the same, works as printed, on a bus that is the
 * system bus for it. */

#include "tests/bus/harness.h"

START_TEST(the_commands_of_the_pages_work_as_printed) {
        struct harness h;

        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", h.address, 1), 0);
        ck_assert_int_eq(system(RUN_DOCUMENTED " " DBUS_API_PAGE), 0);
        harness_await(&h, "remove", 3);
        ck_assert_int_eq(system(RUN_DOCUMENTED " " README), 0);
        harness_await(&h, "remove", 5);
        harness_stop(&h);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-documented");
        TCase *t = tcase_create("bus-documented");
        SRunner *runner;
        int failed;

        tcase_set_timeout(t, 120);
        tcase_add_test(t, the_commands_of_the_pages_work_as_printed);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
