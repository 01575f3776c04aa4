/* vssctl run: the command's status, its environment, its signals, and what vssctl makes of it. */

#include "cli/exit-status.h"
#include "cli/run-command.h"
#include "common/util.h"

#include <check.h>
#include <signal.h>
#include <vss/vsserror.h>

static int run_shell(const char *script, int *ret_signal) {
        char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)script, NULL };
        char *env[] = { (char[]){ "VSS_COPY_1=/run/vss/ShadowCopy1" }, NULL };
        int status = -1;

        ck_assert_int_eq(run_command(argv, env, &status, ret_signal), 0);
        return exit_status_from_command(status);
}

START_TEST(status_is_shifted_and_capped) {
        int sig;

        ck_assert_int_eq(run_shell("exit 0", &sig), EXIT_DONE);
        ck_assert_int_eq(run_shell("exit 1", &sig), 11);
        ck_assert_int_eq(run_shell("exit 88", &sig), 98);
        ck_assert_int_eq(run_shell("exit 89", &sig), 99);
        ck_assert_int_eq(run_shell("exit 255", &sig), 99);
        ck_assert_int_eq(run_shell("kill -KILL $$", &sig), 99);
        ck_assert_int_eq(sig, 0);
}
END_TEST

START_TEST(the_environment_is_the_one_given) {
        int sig;

        ck_assert_int_eq(
                run_shell("test \"$VSS_COPY_1\" = /run/vss/ShadowCopy1 && test -z \"$HOME\"", &sig),
                EXIT_DONE);
}
END_TEST

START_TEST(a_signal_sent_to_us_reaches_the_command) {
        int sig;

        ck_assert_int_eq(run_shell("trap 'exit 7' TERM; kill -TERM $PPID; "
                                   "while :; do sleep 0.01; done",
                                   &sig),
                         17);
        ck_assert_int_eq(sig, SIGTERM);
}
END_TEST

START_TEST(the_command_gets_signals_as_they_were) {
        int sig;

        ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGPIPE, SIG_IGN), (void *)(uintptr_t)SIG_ERR);
        /* A blocked or ignored signal would let the shell live. */
        ck_assert_int_eq(run_shell("kill -PIPE $$; exit 3", &sig), 99);
        ck_assert_int_eq(run_shell("kill -INT $$; exit 3", &sig), 99);
}
END_TEST

START_TEST(programs_are_looked_up_before_anything_is_made) {
        ck_assert_int_eq(run_command_check("sh"), 0);
        ck_assert_int_eq(run_command_check("/bin/sh"), 0);
        ck_assert_int_eq(run_command_check("no-such-program"), -ENOENT);
        ck_assert_int_eq(run_command_check("/no/such/program"), -ENOENT);
        ck_assert_int_eq(run_command_check("/etc/passwd"), -EACCES);
        ck_assert_int_eq(run_command_check("/etc"), -EACCES);
        ck_assert_int_eq(setenv("PATH", "/nowhere::/bin", 1), 0);
        ck_assert_int_eq(run_command_check("sh"), 0);
}
END_TEST

START_TEST(what_cannot_be_executed_is_an_error) {
        char *argv[] = { (char[]){ "/no/such/program" }, NULL }, *env[] = { NULL };
        int status, sig;

        ck_assert_int_eq(run_command(argv, env, &status, &sig), -ENOENT);
}
END_TEST

START_TEST(results_have_their_exit_status) {
        ck_assert_int_eq(exit_status_from_hresult(S_OK), EXIT_DONE);
        ck_assert_int_eq(exit_status_from_hresult(S_FALSE), EXIT_DONE);
        ck_assert_int_eq(exit_status_from_hresult(E_ACCESSDENIED), EXIT_ACCESS_DENIED);
        ck_assert_int_eq(exit_status_from_hresult(E_OUTOFMEMORY), EXIT_NO_RESOURCES);
        ck_assert_int_eq(exit_status_from_hresult(VSS_E_INSUFFICIENT_STORAGE), EXIT_NO_RESOURCES);
        ck_assert_int_eq(exit_status_from_hresult(VSS_E_OBJECT_NOT_FOUND), EXIT_FAILED);
        ck_assert_int_eq(exit_status_from_hresult(VSS_E_UNEXPECTED), EXIT_FAILED);
}
END_TEST

int main(void) {
        Suite *s = suite_create("run-command");
        TCase *c = tcase_create("run-command");
        SRunner *runner;
        int failed;

        tcase_add_test(c, status_is_shifted_and_capped);
        tcase_add_test(c, the_environment_is_the_one_given);
        tcase_add_test(c, a_signal_sent_to_us_reaches_the_command);
        tcase_add_test(c, the_command_gets_signals_as_they_were);
        tcase_add_test(c, programs_are_looked_up_before_anything_is_made);
        tcase_add_test(c, what_cannot_be_executed_is_an_error);
        tcase_add_test(c, results_have_their_exit_status);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
