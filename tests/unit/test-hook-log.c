/* The hook writer's log: one clean line each, and silence while something is frozen. */

#include "writers/hook/hook-log.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>

static int read_end = -1;

/* What is written to stderr from now on can be read. */
static void catch_stderr(void) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
        ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
        ck_assert_int_eq(close(fds[1]), 0);
        read_end = fds[0];
}

static void expect(const char *want) {
        static char got[256 * 1024];
        size_t length = 0;
        ssize_t n;

        while ((n = read(read_end, got + length, sizeof(got) - length - 1)) > 0)
                length += (size_t)n;
        got[length] = '\0';
        ck_assert_str_eq(got, want);
}

START_TEST(a_line_has_its_priority_and_is_clean) {
        catch_stderr();
        hook_log(LOG_INFO, "%s", "a\nb\033[2J\xFF");
        expect("<6>a\xEF\xBF\xBD"
               "b\xEF\xBF\xBD[2J\xEF\xBF\xBD\n");
        hook_log_lines(LOG_WARNING, "app: ", "one\r\n\ntwo");
        expect("<4>app: one\n<4>app: two\n");
        hook_log_lines(LOG_WARNING, "app: ", "");
        expect("");
}
END_TEST

START_TEST(nothing_is_written_while_it_is_held) {
        catch_stderr();
        hook_log_hold();
        hook_log(LOG_INFO, "one");
        hook_log_hold();
        hook_log(LOG_INFO, "two");
        hook_log_release();
        expect("");
        hook_log_release();
        expect("<6>one\n<6>two\n");
        hook_log(LOG_INFO, "three");
        expect("<6>three\n");
}
END_TEST

START_TEST(too_much_is_lost_and_said_so) {
        static char text[200 * 1024];
        static char line[60 * 1024];

        catch_stderr();
        ck_assert_int_ge(fcntl(read_end, F_SETPIPE_SZ, 1024 * 1024), 0);
        memset(line, 'x', sizeof(line) - 1);
        hook_log_hold();
        hook_log(LOG_INFO, "%s", line);
        hook_log(LOG_INFO, "%s", line);
        hook_log_release();
        (void)snprintf(text, sizeof(text),
                       "<6>%s\n<4>more was printed while applications were frozen than could be "
                       "kept\n",
                       line);
        expect(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-log");
        TCase *c = tcase_create("hook-log");
        SRunner *runner;
        int failed;

        tcase_add_test(c, a_line_has_its_priority_and_is_clean);
        tcase_add_test(c, nothing_is_written_while_it_is_held);
        tcase_add_test(c, too_much_is_lost_and_said_so);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
