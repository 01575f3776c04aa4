/* A hook's command: where it runs, as whom, with what; its deadline; what is made of its end. */

#include "common/time-util.h"
#include "writers/hook/hook-command.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <vss/vsserror.h>

struct fixture {
        struct hook_user user;
        struct hook_result result;
};

static void fixture_init(struct fixture *f) {
        *f = (struct fixture){ 0 };
        ck_assert_int_eq(hook_user_find(&f->user, NULL), 0);
}

static void fixture_done(struct fixture *f) {
        hook_result_done(&f->result);
        hook_user_done(&f->user);
}

static int run_script(struct fixture *f, const char *script, uint64_t deadline_usec, int stop_fd) {
        char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)script, NULL };
        char *env[] = { (char[]){ "VSS_EVENT=freeze" }, NULL };
        struct hook_command command = {
                .argv = argv,
                .environment = env,
                .user = &f->user,
                .deadline_usec = deadline_usec,
                .stop_fd = stop_fd,
        };

        hook_result_done(&f->result);
        return hook_command_run(&f->result, &command);
}

static HRESULT failure_of(struct fixture *f, const char *script) {
        ck_assert_int_eq(run_script(f, script, 30 * USEC_PER_SEC, -1), 0);
        return hook_result_failure(&f->result);
}

START_TEST(exit_status_becomes_a_code) {
        struct fixture f;

        fixture_init(&f);
        ck_assert_int_eq(failure_of(&f, "exit 0"), S_OK);
        ck_assert_int_eq(failure_of(&f, "exit 64"), S_OK);
        ck_assert_int_eq(failure_of(&f, "exit 1"), VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_int_eq(failure_of(&f, "exit 65"), VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT);
        ck_assert_int_eq(failure_of(&f, "exit 71"), VSS_E_WRITERERROR_OUTOFRESOURCES);
        ck_assert_int_eq(failure_of(&f, "exit 74"), VSS_E_WRITERERROR_OUTOFRESOURCES);
        ck_assert_int_eq(failure_of(&f, "exit 75"), VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(failure_of(&f, "exit 124"), VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_int_eq(failure_of(&f, "kill -SEGV $$"), VSS_E_WRITERERROR_NONRETRYABLE);
        fixture_done(&f);
}
END_TEST

START_TEST(what_it_printed_is_kept) {
        struct fixture f;
        char *line;

        fixture_init(&f);
        ck_assert_int_eq(failure_of(&f,
                                    "echo out; echo first >&2; printf '\\n last \\377\\n\\n' >&2; "
                                    "exit 3"),
                         VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_str_eq(f.result.output, "out\n");
        line = hook_last_line(f.result.errors);
        ck_assert_str_eq(line, "last \xEF\xBF\xBD");
        free(line);
        ck_assert_ptr_null(hook_last_line(""));
        ck_assert_ptr_null(hook_last_line(" \n\n"));

        /* More than is kept: the end of it, and the command does not hang on a full pipe. */
        ck_assert_int_eq(failure_of(&f, "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; "
                                        "i=$((i+1)); done"),
                         S_OK);
        ck_assert_uint_eq(strlen(f.result.errors), HOOK_OUTPUT_MAX);
        line = hook_last_line(f.result.errors);
        ck_assert_str_eq(line, "line 4999");
        free(line);
        fixture_done(&f);
}
END_TEST

START_TEST(a_long_line_is_cut) {
        char text[2000], *line;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        line = hook_last_line(text);
        ck_assert_uint_eq(strlen(line), 512);
        free(line);
}
END_TEST

START_TEST(the_sentence_names_command_end_and_reason) {
        static const struct {
                struct hook_result result;
                const char *want;
        } cases[] = {
                { { .wait_status = 3 << 8 }, "ctl ended with exit status 3: broken" },
                { { .wait_status = SIGSEGV }, "ctl was killed by signal 11: broken" },
                { { .timed_out = true },
                  "ctl took longer than its 1500 ms and was stopped: broken" },
                { { .stopped = true },
                  "ctl was stopped because the hook writer is to end: broken" },
        };
        char *argv[] = { (char[]){ "ctl" }, NULL };
        struct hook_command command = { .argv = argv, .deadline_usec = 1500000 };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct hook_result result = cases[i].result;
                char errors[] = "broken\n", empty[] = "", *sentence;

                result.errors = errors;
                result.output = empty;
                sentence = hook_result_sentence(&result, &command);
                ck_assert_str_eq(sentence, cases[i].want);
                free(sentence);

                /* Nothing on stderr: then stdout has to tell. */
                result.errors = empty;
                result.output = errors;
                sentence = hook_result_sentence(&result, &command);
                ck_assert_str_eq(sentence, cases[i].want);
                free(sentence);
        }
}
END_TEST

START_TEST(the_surroundings_are_fixed) {
        struct fixture f;
        int fd;

        fixture_init(&f);
        fd = open("/dev/null", O_RDONLY); /* inheritable, on purpose */
        ck_assert_int_eq(dup2(fd, 57), 57);
        ck_assert_int_eq(setenv("SECRET", "x", 1), 0);
        ck_assert_int_eq(failure_of(&f, "exec >&2\n"
                                        "test \"$VSS_EVENT\" = freeze || exit 1\n"
                                        "test \"$PATH\" = '" HOOK_COMMAND_PATH "' || exit 2\n"
                                        "test -z \"$SECRET\" || exit 3\n"
                                        "test \"$(pwd)\" = / || exit 4\n"
                                        "test \"$(umask)\" = 0022 || exit 5\n"
                                        "read line && exit 6\n"
                                        "test ! -e /proc/$$/fd/57 || exit 7\n"
                                        "exit 0\n"),
                         S_OK);
        ck_assert_int_eq(close(57), 0);
        ck_assert_int_eq(close(fd), 0);
        fixture_done(&f);
}
END_TEST

START_TEST(signals_are_as_new) {
        struct fixture f;
        sigset_t set;

        fixture_init(&f);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
        ck_assert_int_eq(failure_of(&f, "kill -TERM $$; sleep 0; exit 0"),
                         VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert(WIFSIGNALED(f.result.wait_status));
        ck_assert_int_eq(WTERMSIG(f.result.wait_status), SIGTERM);
        fixture_done(&f);
}
END_TEST

START_TEST(the_deadline_ends_the_whole_group) {
        struct fixture f;
        uint64_t begin;
        pid_t child;

        fixture_init(&f);
        begin = now_monotonic_usec();
        /* A child that does not care for SIGTERM, and its leader that waits for it. */
        ck_assert_int_eq(run_script(&f,
                                    "(trap '' TERM; echo waiting >&2; while :; do sleep 1; done) & "
                                    "echo $!; wait",
                                    USEC_PER_SEC, -1),
                         0);
        ck_assert(f.result.timed_out);
        ck_assert_int_eq(hook_result_failure(&f.result), VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_uint_lt(now_monotonic_usec() - begin, 10 * USEC_PER_SEC);

        child = atoi(f.result.output);
        ck_assert_int_gt(child, 1);
        for (unsigned i = 0; i < 500 && kill(child, 0) == 0; i++) {
                char path[64], state = 0;
                FILE *stat;

                /* Killed, but perhaps not reaped: we are not its parent. */
                snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
                stat = fopen(path, "re");
                if (!stat || fscanf(stat, "%*d %*s %c", &state) != 1)
                        state = 'Z';
                if (stat)
                        fclose(stat);
                if (state == 'Z' || state == 'X')
                        break;
                ck_assert_uint_lt(i, 499);
                usleep(10000);
        }
        fixture_done(&f);
}
END_TEST

/* A pipe that is never empty, however often it is read. */
static bool prints_without_pause;

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size) {
        if (!prints_without_pause)
                return __real_read(fd, buf, size);
        memset(buf, 'y', size);
        return (ssize_t)size;
}

START_TEST(a_command_that_never_stops_printing_is_ended) {
        struct fixture f;

        fixture_init(&f);
        prints_without_pause = true;
        ck_assert_int_eq(run_script(&f, "exec yes", 100 * USEC_PER_MSEC, -1), 0);
        prints_without_pause = false;
        ck_assert(f.result.timed_out);
        /* Nor does it help to ignore the request. */
        ck_assert_int_eq(run_script(&f, "trap '' TERM; while :; do echo y; done", USEC_PER_SEC, -1),
                         0);
        ck_assert(f.result.timed_out);
        ck_assert_int_eq(WTERMSIG(f.result.wait_status), SIGKILL);
        fixture_done(&f);
}
END_TEST

START_TEST(a_process_left_behind_does_not_hold_us_up) {
        struct fixture f;
        uint64_t begin;

        fixture_init(&f);
        begin = now_monotonic_usec();
        ck_assert_int_eq(run_script(&f, "sleep 20 & echo $!; exit 0", 30 * USEC_PER_SEC, -1), 0);
        ck_assert_uint_lt(now_monotonic_usec() - begin, 10 * USEC_PER_SEC);
        ck_assert_int_eq(hook_result_failure(&f.result), S_OK);
        ck_assert_int_eq(kill(atoi(f.result.output), SIGKILL), 0);
        fixture_done(&f);
}
END_TEST

START_TEST(it_can_be_told_to_stop) {
        struct fixture f;
        int fd;

        fixture_init(&f);
        fd = eventfd(1, EFD_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(run_script(&f, "sleep 60", 60 * USEC_PER_SEC, fd), 0);
        ck_assert(f.result.stopped && !f.result.timed_out);
        ck_assert_int_eq(hook_result_failure(&f.result), VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_int_eq(close(fd), 0);
        fixture_done(&f);
}
END_TEST

START_TEST(programs_that_others_can_change_are_refused) {
        char path[] = "/tmp/test-hook-command-XXXXXX", *found = NULL;
        struct fixture f;
        int fd;

        fixture_init(&f);
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fchmod(fd, 0600), 0);
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), -EACCES);
        ck_assert_int_eq(fchmod(fd, 0775), 0);
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), -EPERM);
        ck_assert_int_eq(fchmod(fd, 0757), 0);
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), -EPERM);
        ck_assert_int_eq(fchmod(fd, 0755), 0);
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), 0);
        ck_assert_str_eq(found, path);

        /* Another user's program; root's are everybody's. */
        f.user.uid++;
        if (geteuid() == 0) {
                ck_assert_int_eq(hook_command_find(&found, path, &f.user), 0);
                ck_assert_int_eq(fchown(fd, f.user.uid + 1, (gid_t)-1), 0);
        }
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), -EPERM);
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(hook_command_find(&found, path, &f.user), -ENOENT);
        ck_assert_int_eq(hook_command_find(&found, "no-such-program", &f.user), -ENOENT);
        ck_assert_int_eq(hook_command_find(&found, "/etc", &f.user), -EACCES);
        free(found);
        fixture_done(&f);
}
END_TEST

START_TEST(users_are_looked_up) {
        struct hook_user user = { 0 };

        ck_assert_int_eq(hook_user_find(&user, "no-such-user"), -ESRCH);
        ck_assert_int_eq(hook_user_find(&user, "root"), 0);
        ck_assert_uint_eq(user.uid, 0);
        ck_assert_uint_ge(user.n_groups, 1);
        hook_user_done(&user);
}
END_TEST

START_TEST(root_becomes_the_user) {
        struct fixture f;

        ck_assert_msg(geteuid() == 0, "only root can become a user; run this test as root");
        fixture_init(&f);
        hook_user_done(&f.user);
        ck_assert_int_eq(hook_user_find(&f.user, "nobody"), 0);
        ck_assert_int_eq(failure_of(&f, "id -un; id -G; grep ^Uid: /proc/self/status"), S_OK);
        ck_assert_ptr_nonnull(strstr(f.result.output, "nobody\n"));
        ck_assert_ptr_nonnull(strstr(f.result.output, "\t65534\t65534\t65534\t65534"));
        ck_assert_ptr_null(strstr(f.result.output, "\n0"));
        fixture_done(&f);
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-command");
        TCase *c = tcase_create("hook-command");
        SRunner *runner;
        int failed;

        tcase_add_test(c, exit_status_becomes_a_code);
        tcase_add_test(c, what_it_printed_is_kept);
        tcase_add_test(c, a_long_line_is_cut);
        tcase_add_test(c, the_sentence_names_command_end_and_reason);
        tcase_add_test(c, the_surroundings_are_fixed);
        tcase_add_test(c, signals_are_as_new);
        tcase_add_test(c, the_deadline_ends_the_whole_group);
        tcase_add_test(c, a_command_that_never_stops_printing_is_ended);
        tcase_add_test(c, a_process_left_behind_does_not_hold_us_up);
        tcase_add_test(c, it_can_be_told_to_stop);
        tcase_add_test(c, programs_that_others_can_change_are_refused);
        tcase_add_test(c, users_are_looked_up);
        tcase_add_test(c, root_becomes_the_user);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
