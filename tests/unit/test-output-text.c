/* Sizes, times and durations in words. */

#include "cli/output-text.h"

#include <check.h>
#include <stdlib.h>

START_TEST(sizes_are_iec) {
        ck_assert_str_eq(TEXT_SIZE(0), "0 B");
        ck_assert_str_eq(TEXT_SIZE(1023), "1023 B");
        ck_assert_str_eq(TEXT_SIZE(1024), "1.0 KiB");
        ck_assert_str_eq(TEXT_SIZE(1536), "1.5 KiB");
        ck_assert_str_eq(TEXT_SIZE(1048575), "1.0 MiB");
        ck_assert_str_eq(TEXT_SIZE(UINT64_C(5) << 40), "5.0 TiB");
        ck_assert_str_eq(TEXT_SIZE(UINT64_MAX), "16.0 EiB");
}
END_TEST

START_TEST(times_are_relative) {
        ck_assert_str_eq(TEXT_RELATIVE_TIME(100, 100), "just now");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(99, 100), "1 s ago");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(0, 3599), "59 min ago");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(0, 7200), "2 h ago");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(0, 86400 * 400), "1 y ago");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(86400 * 3, 0), "in 3 d");
        ck_assert_str_eq(TEXT_RELATIVE_TIME(INT64_MIN, INT64_MAX), "584942417355 y ago");
}
END_TEST

START_TEST(durations_have_a_unit_that_fits) {
        ck_assert_str_eq(TEXT_DURATION(440), "0.4 ms");
        ck_assert_str_eq(TEXT_DURATION(999999), "999 ms");
        ck_assert_str_eq(TEXT_DURATION(1500000), "1.5 s");
        ck_assert_str_eq(TEXT_DURATION(UINT64_C(125000000)), "2 min 5 s");
}
END_TEST

START_TEST(rfc3339_is_utc) {
        ck_assert_int_eq(setenv("TZ", "America/New_York", 1), 0);
        ck_assert_str_eq(TEXT_RFC3339(0), "1970-01-01T00:00:00Z");
        ck_assert_str_eq(TEXT_RFC3339(1767225600), "2026-01-01T00:00:00Z");
        ck_assert_str_eq(TEXT_RFC3339(INT64_MAX), "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("output-text");
        TCase *c = tcase_create("output-text");
        SRunner *runner;
        int failed;

        tcase_add_test(c, sizes_are_iec);
        tcase_add_test(c, times_are_relative);
        tcase_add_test(c, durations_have_a_unit_that_fits);
        tcase_add_test(c, rfc3339_is_utc);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
