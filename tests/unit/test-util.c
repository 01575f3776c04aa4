/* String vectors, strings, the two clocks and their common border. */

#include "common/time-util.h"
#include "common/util.h"

#include <check.h>

START_TEST(a_vector_grows_and_is_copied) {
        _cleanup_(strv_freep) char **v = NULL, **copy = NULL, **empty = NULL;

        ck_assert_uint_eq(strv_length(NULL), 0);
        ck_assert(!strv_contains(NULL, "a"));
        ck_assert_int_eq(strv_append(&v, "a"), 0);
        ck_assert_int_eq(strv_append(&v, "b"), 0);
        ck_assert_uint_eq(strv_length(v), 2);
        ck_assert(strv_contains(v, "b") && !strv_contains(v, "c"));
        ck_assert_int_eq(strv_copy(&copy, v), 0);
        ck_assert_str_eq(copy[1], "b");
        ck_assert_ptr_null(copy[2]);
        ck_assert_ptr_ne(copy[1], v[1]);
        ck_assert_int_eq(strv_copy(&empty, NULL), 0);
        ck_assert_ptr_nonnull(empty);
        ck_assert_ptr_null(empty[0]);
}
END_TEST

START_TEST(a_string_is_replaced_or_cleared) {
        _cleanup_(freep) char *s = NULL;

        ck_assert_int_eq(str_replace(&s, "a"), 0);
        ck_assert_str_eq(s, "a");
        ck_assert_int_eq(str_replace(&s, s), 0); /* itself */
        ck_assert_str_eq(s, "a");
        ck_assert_int_eq(str_replace(&s, NULL), 0);
        ck_assert_ptr_null(s);
        ck_assert_int_eq(str_format(&s, "%d-%s", 7, "x"), 0);
        ck_assert_str_eq(s, "7-x");
        ck_assert(str_empty(NULL) && str_empty("") && !str_empty("a"));
        ck_assert_str_eq(str_or_empty(NULL), "");
}
END_TEST

START_TEST(a_word_is_found_whole) {
        ck_assert(str_has_word("public", ",", "public"));
        ck_assert(str_has_word("public,origin,thickorigin", ",", "origin"));
        ck_assert(str_has_word("rw needs_check ", " ", "needs_check"));
        ck_assert(str_has_word(",,a", ",", "a"));
        ck_assert(!str_has_word("public,thickorigin", ",", "origin"));
        ck_assert(!str_has_word("thinorigins", ",", "thinorigin"));
        ck_assert(!str_has_word("a b", ",", "a"));
        ck_assert(!str_has_word("", ",", "a"));
}
END_TEST

START_TEST(ticks_and_unix_time_agree) {
        ck_assert_int_eq(vss_timestamp_from_unix_nsec(0), VSS_TIMESTAMP_UNIX_EPOCH);
        ck_assert_int_eq(vss_timestamp_to_unix_nsec(VSS_TIMESTAMP_UNIX_EPOCH), 0);
        /* 2024-01-01T00:00:00Z */
        ck_assert_int_eq(vss_timestamp_from_unix_nsec(INT64_C(1704067200) * 1000000000),
                         INT64_C(133485408000000000));
        ck_assert_int_eq(vss_timestamp_to_unix_nsec(INT64_C(133485408000000001)),
                         INT64_C(1704067200) * 1000000000 + 100);
}
END_TEST

START_TEST(what_unix_time_cannot_hold_stays_at_its_ends) {
        ck_assert_int_eq(vss_timestamp_to_unix_nsec(INT64_MAX), INT64_MAX);
        ck_assert_int_eq(vss_timestamp_to_unix_nsec(INT64_MIN), INT64_MIN);
        ck_assert_int_eq(vss_timestamp_to_unix_nsec(0), INT64_MIN);
}
END_TEST

START_TEST(the_clocks_run) {
        uint64_t a = now_monotonic_usec();

        ck_assert_uint_gt(a, 0);
        ck_assert_uint_ge(now_monotonic_usec(), a);
        ck_assert_int_gt(now_realtime_nsec(), INT64_C(1600000000) * 1000000000);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("util");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, a_vector_grows_and_is_copied);
        tcase_add_test(tcase, a_string_is_replaced_or_cleared);
        tcase_add_test(tcase, a_word_is_found_whole);
        tcase_add_test(tcase, ticks_and_unix_time_agree);
        tcase_add_test(tcase, what_unix_time_cannot_hold_stays_at_its_ends);
        tcase_add_test(tcase, the_clocks_run);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
