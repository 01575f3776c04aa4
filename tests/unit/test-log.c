/* The log: lines go to stderr, wait while held, keep their order, and stay one line. */

#include "daemon/log/log.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* In the place of libsystemd's: what the journal is sent. */
static char sent[4096];

int sd_journal_sendv(const struct iovec *fields, int n);

int sd_journal_sendv(const struct iovec *fields, int n) {
        sent[0] = '\n';
        sent[1] = '\0';
        for (int i = 0; i < n; i++) {
                size_t length = strlen(sent);

                (void)snprintf(sent + length, sizeof(sent) - length, "%.*s\n",
                               (int)fields[i].iov_len, (const char *)fields[i].iov_base);
        }
        return 0;
}

static int saved_stderr = -1, read_end = -1;

/* stderr into a pipe that does not block, so that "nothing was written" can be seen. */
static void setup(void) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        saved_stderr = dup(STDERR_FILENO);
        ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
        close(fds[1]);
        read_end = fds[0];
        ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
        ck_assert_int_eq(unsetenv("VSSD_LOG_LEVEL"), 0);
        log_init();
}

static void teardown(void) {
        ck_assert_int_ge(dup2(saved_stderr, STDERR_FILENO), 0);
        close(saved_stderr);
        close(read_end);
}

static const char *written(void) {
        static char text[65536];
        ssize_t n = read(read_end, text, sizeof(text) - 1);

        text[n > 0 ? n : 0] = '\0';
        return text;
}

START_TEST(lines_go_to_stderr_with_their_urgency) {
        log_info("one %i", 1);
        ck_assert_str_eq(written(), "vssd: one 1\n");
        log_warning("two");
        ck_assert_str_eq(written(), "vssd: warning: two\n");
        log_error("three");
        ck_assert_str_eq(written(), "vssd: error: three\n");
}
END_TEST

START_TEST(debug_lines_only_when_asked_for) {
        log_debug("hidden");
        ck_assert_str_eq(written(), "");
        ck_assert_int_eq(setenv("VSSD_LOG_LEVEL", "debug", 1), 0);
        log_init();
        ck_assert_int_eq(log_max_priority(), LOG_DEBUG);
        log_debug("shown");
        ck_assert_str_eq(written(), "vssd: shown\n");
}
END_TEST

START_TEST(held_lines_wait_in_order_until_the_last_release) {
        VSS_ID id = { .Data1 = 7 };

        log_hold();
        log_info("a");
        log_hold();
        log_set(LOG_INFO, id, "b");
        ck_assert_str_eq(written(), "");
        log_release();
        ck_assert_str_eq(written(), "");
        log_release();
        ck_assert_str_eq(written(), "vssd: a\nvssd: b\n");
        log_info("c");
        ck_assert_str_eq(written(), "vssd: c\n");
}
END_TEST

START_TEST(lost_lines_are_counted) {
        const char *text;

        log_hold();
        for (unsigned i = 0; i < 300; i++)
                log_info("line");
        log_release();
        text = written();
        ck_assert_ptr_nonnull(strstr(text, "vssd: warning: 44 log lines"));
}
END_TEST

START_TEST(a_line_break_from_a_client_does_not_make_a_line) {
        log_info("volume %s", "/a\nvssd: error: forged");
        ck_assert_str_eq(written(), "vssd: volume /a vssd: error: forged\n");
}
END_TEST

static void use_journal(void) {
        char stream[64];
        struct stat st;

        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
                       (unsigned long long)st.st_ino);
        ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
        log_init();
}

START_TEST(a_failure_has_its_code_and_what_it_is_about_as_fields) {
        const struct vss_error error = { .hr = VSS_E_INSUFFICIENT_STORAGE };
        const VSS_ID session = { .Data1 = 1 }, set = { .Data1 = 2 }, snapshot = { .Data1 = 3 };

        use_journal();
        log_full(LOG_ERR,
                 (&(const struct log_fields){ .session_id = &session,
                                              .set_id = &set,
                                              .snapshot_id = &snapshot,
                                              .writer = "mail",
                                              .code = error.hr }),
                 "It failed");
        ck_assert_ptr_nonnull(strstr(sent, "\nMESSAGE=It failed\n"));
        ck_assert_ptr_nonnull(strstr(sent, "\nPRIORITY=3\n"));
        ck_assert_ptr_nonnull(strstr(sent, "test-log.c\n"));
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_SESSION_ID=00000001-"));
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_SET_ID=00000002-"));
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_SNAPSHOT_ID=00000003-"));
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_WRITER=mail\n"));
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_HRESULT=VSS_E_INSUFFICIENT_STORAGE\n"));
        ck_assert_ptr_nonnull(strstr(sent, "\nMESSAGE_ID=" LOG_MESSAGE_ID_PREFIX "8004231f\n"));

        log_set_failure(LOG_ERR, set, &error, "held or not");
        ck_assert_ptr_nonnull(strstr(sent, "\nVSS_SET_ID=00000002-"));
        ck_assert_ptr_nonnull(strstr(sent, "8004231f\n"));
        log_info("no failure");
        ck_assert_ptr_null(strstr(sent, "MESSAGE_ID"));
        ck_assert_ptr_null(strstr(sent, "VSS_"));
        /* 128 bits, as the journal wants them. */
        ck_assert_uint_eq(strlen(LOG_MESSAGE_ID_PREFIX) + 8, 32);
        ck_assert_str_eq(written(), "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("log");
        TCase *c = tcase_create("log");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, lines_go_to_stderr_with_their_urgency);
        tcase_add_test(c, debug_lines_only_when_asked_for);
        tcase_add_test(c, held_lines_wait_in_order_until_the_last_release);
        tcase_add_test(c, lost_lines_are_counted);
        tcase_add_test(c, a_failure_has_its_code_and_what_it_is_about_as_fields);
        tcase_add_test(c, a_line_break_from_a_client_does_not_make_a_line);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
