/* Sessions of a writer: known by their id, limited in number, the frozen one never forgotten. */

#include "writers/hook/hook-session.h"

#include <check.h>

static VSS_ID id(uint32_t n) {
        return (VSS_ID){ .Data1 = n };
}

START_TEST(opened_found_closed) {
        struct hook_sessions s = { 0 };

        ck_assert_ptr_null(hook_sessions_find(&s, id(1)));
        hook_sessions_open(&s, id(1))->engaged = true;
        hook_sessions_open(&s, id(2));
        ck_assert(hook_sessions_open(&s, id(1))->engaged);
        ck_assert_uint_eq(s.n, 2);
        hook_sessions_close(&s, id(1));
        hook_sessions_close(&s, id(7));
        ck_assert_uint_eq(s.n, 1);
        ck_assert_ptr_null(hook_sessions_find(&s, id(1)));
        ck_assert_ptr_nonnull(hook_sessions_find(&s, id(2)));
}
END_TEST

START_TEST(the_frozen_are_never_forgotten) {
        struct hook_sessions s = { 0 };

        for (uint32_t i = 0; i < HOOK_SESSIONS_MAX; i++)
                hook_sessions_open(&s, id(i))->frozen = true;
        ck_assert_ptr_null(hook_sessions_open(&s, id(1000)));
        for (uint32_t i = 0; i < HOOK_SESSIONS_MAX; i++)
                ck_assert_ptr_nonnull(hook_sessions_find(&s, id(i)));
        hook_sessions_find(&s, id(63))->frozen = false;
        ck_assert_ptr_nonnull(hook_sessions_open(&s, id(1000)));
        ck_assert_ptr_null(hook_sessions_find(&s, id(63)));
}
END_TEST

START_TEST(who_has_something_to_undo_goes_last) {
        struct hook_sessions s = { 0 };

        for (uint32_t i = 0; i < HOOK_SESSIONS_MAX; i++)
                hook_sessions_open(&s, id(i))->undo = i != 7;
        hook_sessions_open(&s, id(1000))->undo = true;
        ck_assert_ptr_null(hook_sessions_find(&s, id(7)));
        hook_sessions_open(&s, id(1001));
        ck_assert_ptr_null(hook_sessions_find(&s, id(0)));
}
END_TEST

START_TEST(the_oldest_goes_but_not_the_frozen) {
        struct hook_sessions s = { 0 };

        for (uint32_t i = 0; i < HOOK_SESSIONS_MAX; i++)
                hook_sessions_open(&s, id(i));
        hook_sessions_find(&s, id(0))->frozen = true;
        hook_sessions_open(&s, id(1000));
        ck_assert_uint_eq(s.n, HOOK_SESSIONS_MAX);
        ck_assert_ptr_nonnull(hook_sessions_find(&s, id(0)));
        ck_assert_ptr_null(hook_sessions_find(&s, id(1)));
        ck_assert_ptr_nonnull(hook_sessions_find(&s, id(1000)));
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-session");
        TCase *c = tcase_create("hook-session");
        SRunner *runner;
        int failed;

        tcase_add_test(c, opened_found_closed);
        tcase_add_test(c, the_oldest_goes_but_not_the_frozen);
        tcase_add_test(c, the_frozen_are_never_forgotten);
        tcase_add_test(c, who_has_something_to_undo_goes_last);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
