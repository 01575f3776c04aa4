/* How the daemon ends: what the service manager learns of it, and the exit status. */

#include "tests/bus/harness.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct harness h;

/* All that was said to the service manager since the last look. */
static const char *take(int notify) {
        static char text[4096];
        size_t length = 0;
        ssize_t n;

        while ((n = recv(notify, text + length, sizeof(text) - 2 - length, MSG_DONTWAIT)) > 0) {
                length += (size_t)n;
                text[length++] = '\n';
        }
        text[length] = '\0';
        return text;
}

/* The unit's own time is not enough for a longer Stop=. */
START_TEST(the_service_manager_waits_as_long_as_the_stop_may_take) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const char *said;

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test-stop-%d", getpid());
        ck_assert_int_ge(notify, 0);
        ck_assert_int_eq(bind(notify, (const struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        harness_start(&h, "[Daemon]\nStop=5min\n");
        said = take(notify);
        ck_assert_ptr_nonnull(strstr(said, "READY=1"));
        ck_assert_ptr_null(strstr(said, "STOPPING=1"));
        harness_stop_daemon(&h);
        said = take(notify);
        ck_assert_msg(strstr(said, "STOPPING=1\n"), "%s", said);
        ck_assert_msg(strstr(said, "\nEXTEND_TIMEOUT_USEC=330000000\n"), "%s", said);
        ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
        ck_assert_int_eq(unlink(address.sun_path), 0);
        safe_close(notify);
        harness_start_daemon(&h, NULL);
        harness_stop(&h);
}
END_TEST

/* The exit status; what was printed must have words. */
static int status_of(const char *command, const char *words) {
        char text[4096];
        FILE *f = popen(command, "re");
        int status;

        ck_assert_ptr_nonnull(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
        status = pclose(f);
        ck_assert_msg(strstr(text, words), "%s: no '%s' in '%s'", command, words, text);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(wrong_usage_is_two_and_points_to_the_help) {
        ck_assert_int_eq(status_of(VSSD_FAKE " --bogus 2>&1", "vssd --help"), 2);
        ck_assert_int_eq(status_of(VSSD_FAKE " word 2>&1", "vssd --help"), 2);
        ck_assert_int_eq(status_of(VSSD_FAKE " --help 2>&1", "Usage: vssd"), 0);
        ck_assert_int_eq(status_of(VSSD_FAKE " --config /no/such 2>&1", "Cannot read /no/such"), 1);
        ck_assert_int_eq(status_of(VSS_HOOK_WRITER " --bogus 2>&1", "vss-hook-writer --help"), 2);
        ck_assert_int_eq(status_of(VSS_HOOK_WRITER " word 2>&1", "with --check only"), 2);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-stop");
        TCase *t = tcase_create("bus-stop");
        SRunner *runner;
        int failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, the_service_manager_waits_as_long_as_the_stop_may_take);
        tcase_add_test(t, wrong_usage_is_two_and_points_to_the_help);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
