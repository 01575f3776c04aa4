/* Waiting to be told to stop: by a signal, by the end of stdin, or by neither. */

#include "cli/interrupt.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Each test runs in a process of its own, so stdin and handlers are its own. */
static void use_as_stdin(int fd) {
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
        ck_assert_int_eq(close(fd), 0);
}

START_TEST(the_end_of_a_pipe_ends_it) {
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0);
        use_as_stdin(fds[0]);
        ck_assert_int_eq(interrupt_hold(0), HOLD_TICK);
        ck_assert_int_eq(write(fds[1], "text\n", 5), 5);
        ck_assert_int_eq(interrupt_hold(60000), HOLD_TICK); /* taken, and thrown away */
        ck_assert_int_eq(close(fds[1]), 0);
        ck_assert_int_eq(interrupt_hold(60000), HOLD_EOF);
}
END_TEST

START_TEST(dev_null_ends_nothing) {
        use_as_stdin(open("/dev/null", O_RDONLY | O_CLOEXEC));
        ck_assert_int_eq(interrupt_hold(0), HOLD_TICK);
        ck_assert_int_eq(close(STDIN_FILENO), 0);
        ck_assert_int_eq(interrupt_hold(0), HOLD_TICK);
}
END_TEST

START_TEST(a_signal_before_the_wait_is_not_slept_through) {
        use_as_stdin(open("/dev/null", O_RDONLY | O_CLOEXEC));
        interrupt_install();
        ck_assert_int_eq(interrupt_pending(), 0);
        ck_assert_int_eq(raise(SIGTERM), 0);
        ck_assert_int_eq(interrupt_pending(), SIGTERM);
        ck_assert_int_eq(interrupt_hold(60000), HOLD_SIGNAL);
}
END_TEST

static void raise_interrupt(int sig) {
        (void)sig;
        (void)raise(SIGINT);
}

START_TEST(a_signal_wakes_the_wait) {
        use_as_stdin(open("/dev/null", O_RDONLY | O_CLOEXEC));
        interrupt_install();
        ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGALRM, raise_interrupt),
                         (void *)(uintptr_t)SIG_ERR);
        ck_assert_int_eq((int)ualarm(1000, 0), 0);
        while (interrupt_hold(60000) == HOLD_TICK) /* the alarm alone is no reason to end */
                continue;
        ck_assert_int_eq(interrupt_pending(), SIGINT);
}
END_TEST

START_TEST(ignored_hangups_stay_ignored) {
        ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGHUP, SIG_IGN), (void *)(uintptr_t)SIG_ERR);
        ck_assert_ptr_ne((void *)(uintptr_t)signal(SIGINT, SIG_IGN), (void *)(uintptr_t)SIG_ERR);
        interrupt_install();
        ck_assert_int_eq(raise(SIGHUP), 0);
        ck_assert_int_eq(interrupt_pending(), 0);
        ck_assert_int_eq(raise(SIGINT), 0);
        ck_assert_int_eq(interrupt_pending(), SIGINT);
}
END_TEST

int main(void) {
        Suite *s = suite_create("interrupt");
        TCase *c = tcase_create("interrupt");
        SRunner *runner;
        int failed;

        tcase_add_test(c, the_end_of_a_pipe_ends_it);
        tcase_add_test(c, dev_null_ends_nothing);
        tcase_add_test(c, a_signal_before_the_wait_is_not_slept_through);
        tcase_add_test(c, a_signal_wakes_the_wait);
        tcase_add_test(c, ignored_hangups_stay_ignored);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
