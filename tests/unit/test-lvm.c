/* Talking to lvm: the process, its reports, its complaints and its end; and LVM's lock of a volume
 * group. The lvm is a script of the test's own. */

#include "common/alive-lock.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/vg-lock.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char top[] = "/tmp/test-lvm.XXXXXX";

/* It answers as lvm's shell does: reports on descriptor 3, complaints where LVM_ERR_FD says. */
static const char script[] =
        "#!/bin/sh\n"
        "[ \"$LC_ALL\" = C ] && [ \"$LVM_REPORT_FD\" = 3 ] && [ $# = 0 ] || exit 9\n"
        "[ \"$LVM_ERR_FD\" = 1 ] || exit 9\n"
        "while read -r verb rest; do\n"
        "  case $verb in\n"
        "  report) printf '  a|b|%s\\n  c||d\\n' \"$rest\" >&3;;\n"
        "  much) i=0; while [ $i -lt 5000 ]; do echo '  some|more|fields' >&3; i=$((i+1)); done;;\n"
        "  say) printf '  %s\\n' \"$rest\";;\n"
        "  prompt) printf 'lvm>   %s\\n' \"$rest\";;\n"
        "  die) exit 1;;\n"
        "  pid) echo $$ >&3;;\n"
        "  version) echo '  LVM version:     2.03.16(2) (2022-05-18)'\n"
        "    echo '  Driver version:  4.47.0';;\n"
        "  *) echo \"  No such command '$verb'.  Try 'help'.\";;\n"
        "  esac\n"
        "done\n";

static void make_program(void) {
        static char path[64];
        FILE *f;

        ck_assert_ptr_nonnull(mkdtemp(top));
        (void)snprintf(path, sizeof(path), "%s/lvm", top);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(script, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0700), 0);
        lvm_program = path;
        lvm_lock_directory = vg_lock_directory = top;
}

/* What every lvm has held: one file for all of this process. */
static void remove_alive(void) {
        _cleanup_(closedirp) DIR *d = opendir(top);
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        for (const struct dirent *e; (e = readdir(d));)
                if (strncmp(e->d_name, "alive-", 6) == 0) {
                        ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
                        n++;
                }
        ck_assert_uint_eq(n, 1);
}

static void remove_program(void) {
        ck_assert_int_eq(unlink(lvm_program), 0);
        remove_alive();
        ck_assert_int_eq(rmdir(top), 0);
}

static struct lvm *start(void) {
        struct vss_error error = { 0 };
        struct lvm *l = NULL;

        make_program();
        ck_assert_msg(lvm_open(&l, &error) == 0, "%s", error.message);
        return l;
}

static char *run(struct lvm *l, const char *command) {
        char *commands[] = { (char *)command, NULL };
        struct vss_error error = { 0 };
        char *report = NULL;

        ck_assert_msg(lvm_run(l, commands, &report, &error) == 0, "%s", error.message);
        return report;
}

START_TEST(one_process_serves_many_runs) {
        struct lvm *l = start();
        char *first, *second, *third;

        first = run(l, "pid");
        second = run(l, "report x");
        third = run(l, "pid");
        ck_assert_str_eq(first, third);
        ck_assert_str_eq(second, "  a|b|x\n  c||d\n");
        ck_assert_str_eq(lvm_complaint(l), "");
        free(first);
        free(second);
        free(third);
        lvm_close(l);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        remove_program();
}
END_TEST

START_TEST(a_run_without_a_report_gives_an_empty_one) {
        struct lvm *l = start();
        char *report = run(l, "say Logical volume \"c1\" created.");

        ck_assert_str_eq(report, "");
        ck_assert_str_eq(lvm_complaint(l), "");
        free(report);
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(the_version_is_a_number) {
        struct lvm *l = start();
        unsigned version = 0;

        ck_assert_int_eq(lvm_version(l, &version, NULL), 0);
        ck_assert_uint_eq(version, 2003016);
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(what_was_said_is_counted) {
        char *commands[] = { (char *)"say Logical volume t/a converted to snapshot.",
                             (char *)"say Logical volume t/b is in use",
                             (char *)"say Logical volume t/c converted to snapshot.", NULL };
        struct lvm *l = start();

        ck_assert_uint_eq(lvm_said(l, "converted"), 0);
        ck_assert_int_eq(lvm_run(l, commands, NULL, NULL), 0);
        ck_assert_uint_eq(lvm_said(l, "converted to snapshot"), 2);
        ck_assert_str_eq(lvm_complaint(l), "Logical volume t/b is in use");
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(the_first_error_is_the_complaint) {
        char *commands[] = { (char *)"say WARNING: this is harmless",
                             (char *)"prompt Volume group \"x\" not found", (char *)"say and more",
                             NULL };
        struct lvm *l = start();

        ck_assert_int_eq(lvm_run(l, commands, NULL, NULL), 0);
        ck_assert_str_eq(lvm_complaint(l), "Volume group \"x\" not found");
        free(run(l, "report"));
        ck_assert_str_eq(lvm_complaint(l), "");
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(output_larger_than_a_pipe_is_read) {
        struct lvm *l = start();
        char *report = run(l, "much");

        ck_assert_uint_eq(strlen(report), 5000 * strlen("  some|more|fields\n"));
        free(report);
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(input_larger_than_a_pipe_is_written) {
        struct lvm *l = start();
        char **commands = NULL;
        char *report = NULL;

        for (size_t i = 0; i < 5000; i++)
                ck_assert_int_eq(strv_append(&commands, "report of something that is quite long"),
                                 0);
        ck_assert_int_eq(lvm_run(l, commands, &report, NULL), 0);
        ck_assert_uint_eq(strlen(report),
                          5000 * strlen("  a|b|of something that is quite long\n  c||d\n"));
        strv_free(commands);
        free(report);
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(an_lvm_that_dies_is_an_error) {
        char *commands[] = { (char *)"say It is out of memory", (char *)"die", NULL };
        struct vss_error error = { 0 };
        struct lvm *l = start();

        ck_assert_int_lt(lvm_run(l, commands, NULL, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_ptr_nonnull(strstr(error.message, "It is out of memory"));
        vss_error_done(&error);
        /* And the daemon lives: the next write meets a closed pipe. */
        ck_assert_int_lt(lvm_run(l, commands, NULL, &error), 0);
        vss_error_done(&error);
        lvm_close(l);
        remove_program();
}
END_TEST

/* A daemon that dies leaves its lvm behind, with the end of what it was told to do. */
START_TEST(an_lvm_that_was_left_behind_is_waited_for) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        char *answer, path[80];
        struct lvm *l;
        int fd = -1;

        lvm_lock_directory = "/nonexistent";
        ck_assert_int_eq(lvm_await_orphans(0, NULL), 0);
        l = start();
        answer = run(l, "pid");
        free(answer);
        /* Its own is none: several are at work side by side when a start undoes what was left. */
        ck_assert_int_eq(lvm_await_orphans(0, NULL), 0);
        (void)snprintf(path, sizeof(path), "%s/alive-17-4", top);
        ck_assert_int_eq(alive_lock_hold(path, &fd), 0);
        ck_assert_int_eq(lvm_await_orphans(0, &error), -ETIMEDOUT);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(error.message, "/alive-17-4"));
        fd = safe_close(fd);
        ck_assert_int_eq(lvm_await_orphans(0, NULL), 0);
        ck_assert_int_eq(access(path, F_OK), -1); /* nobody looks at it again */
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(a_missing_lvm_is_an_error) {
        struct vss_error error = { 0 };
        struct lvm *l = NULL;

        ck_assert_ptr_nonnull(mkdtemp(top));
        lvm_lock_directory = vg_lock_directory = top;
        lvm_program = "/no/such/lvm";
        ck_assert_int_eq(lvm_open(&l, &error), -ENOENT);
        ck_assert_ptr_null(l);
        ck_assert_ptr_nonnull(strstr(error.message, "lvm2"));
        vss_error_done(&error);
        remove_alive();
        ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

START_TEST(reports_are_rows_of_fields) {
        struct lvm_row *rows = NULL;
        size_t n = 0;

        ck_assert_int_eq(lvm_report_parse("  a|b|c\n\n  d||e,f\n", 3, &rows, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(rows[0].fields[0], "a");
        ck_assert_str_eq(rows[1].fields[1], "");
        ck_assert_str_eq(rows[1].fields[2], "e,f");
        lvm_rows_free(rows, n);

        ck_assert_int_eq(lvm_report_parse("", 3, &rows, &n), 0);
        ck_assert_uint_eq(n, 0);
        lvm_rows_free(rows, n);
        ck_assert_int_eq(lvm_report_parse("a|b\n", 3, &rows, &n), -EBADMSG);
        ck_assert_int_eq(lvm_report_parse("a|b|c|d\n", 3, &rows, &n), -EBADMSG);
}
END_TEST

START_TEST(a_single_command_is_a_format) {
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        struct lvm *l = start();

        ck_assert_int_eq(lvm_report_ask(&report, l, 3, NULL, "report %d%s", 7, "x"), 0);
        ck_assert_uint_eq(report.n, 2);
        ck_assert_str_eq(report.rows[0].fields[2], "7x");
        ck_assert_int_eq(lvm_tell(l, NULL, "say Logical volume %s created.", "c1"), 0);
        ck_assert_uint_eq(lvm_said(l, "c1 created."), 1);
        lvm_report_done(&report);
        ck_assert_int_eq(lvm_report_ask(&report, l, 2, NULL, "report 7"), -EBADMSG);
        ck_assert_uint_eq(report.n, 0);
        lvm_close(l);
        remove_program();
}
END_TEST

START_TEST(numbers_are_whole) {
        uint64_t number = 7;

        ck_assert_int_eq(lvm_number("8192", &number), 0);
        ck_assert_uint_eq(number, 8192);
        ck_assert_int_eq(lvm_number("18446744073709551615", &number), 0);
        ck_assert_int_eq(lvm_number("18446744073709551616", &number), -EBADMSG);
        ck_assert_int_eq(lvm_number("", &number), -EBADMSG);
        ck_assert_int_eq(lvm_number("-1", &number), -EBADMSG);
        ck_assert_int_eq(lvm_number("4.00m", &number), -EBADMSG);
        ck_assert_int_eq(lvm_number(" 4", &number), -EBADMSG);
}
END_TEST

/* As LVM does it: lock, work, unlink, let go. */
static void *hold_as_lvm(void *userdata) {
        int fd = *(int *)userdata;
        char path[80];

        (void)snprintf(path, sizeof(path), "%s/V_tank", vg_lock_directory);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(close(fd), 0);
        return NULL;
}

START_TEST(the_lock_of_a_group_is_lvms) {
        char path[80];
        struct stat ours, theirs;
        pthread_t thread;
        int fd, other;

        ck_assert_ptr_nonnull(mkdtemp(top));
        vg_lock_directory = top;
        (void)snprintf(path, sizeof(path), "%s/V_tank", top);

        /* LVM has it, and takes the file away when it lets go: what is locked then is the new one.
         */
        other = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0700);
        ck_assert_int_eq(flock(other, LOCK_EX), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, hold_as_lvm, &other), 0);
        ck_assert_int_eq(vg_lock("tank", (VSS_ID){ 0 }, &fd, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(fstat(fd, &ours), 0);
        ck_assert_int_eq(stat(path, &theirs), 0);
        ck_assert_uint_eq(ours.st_ino, theirs.st_ino);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);

        /* And LVM has to wait for us. */
        other = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_lt(flock(other, LOCK_EX | LOCK_NB), 0);
        fd = vg_unlock(fd);
        ck_assert_int_eq(fd, -1);
        ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
        ck_assert_int_eq(close(other), 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

/* Whether a process that is not of this set would get it. */
static bool is_free(const char *path) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
        bool got;

        ck_assert_int_ge(fd, 0);
        got = flock(fd, LOCK_EX | LOCK_NB) == 0;
        ck_assert_int_eq(close(fd), 0);
        return got;
}

START_TEST(the_providers_of_a_set_share_its_locks) {
        const VSS_ID set = { .Data1 = 1 };
        const char *first_names[] = { "b", "a", "b" }, *second_names[] = { "c", "b" };
        struct vg_locks first = { 0 }, second = { 0 };
        char paths[3][80];

        ck_assert_ptr_nonnull(mkdtemp(top));
        vg_lock_directory = top;
        for (size_t i = 0; i < 3; i++)
                (void)snprintf(paths[i], sizeof(paths[i]), "%s/V_%c", top, "abc"[i]);

        ck_assert_int_eq(vg_locks_take(&first, first_names, 3, set, NULL), 0);
        ck_assert_uint_eq(first.n, 2);
        ck_assert_int_eq(vg_locks_take(&second, second_names, 2, set, NULL), 0);
        ck_assert_uint_eq(second.n, 2);
        /* The one lets go, in the order in which it took, and what the other has is still held. */
        vg_locks_drop(&first);
        ck_assert(is_free(paths[0]));
        ck_assert(!is_free(paths[1]));
        ck_assert(!is_free(paths[2]));
        /* It comes back, and the other goes. */
        ck_assert_int_eq(vg_locks_take(&first, first_names, 3, set, NULL), 0);
        vg_locks_drop(&second);
        ck_assert(!is_free(paths[0]));
        ck_assert(!is_free(paths[1]));
        ck_assert(is_free(paths[2]));
        vg_locks_drop(&first);
        vg_locks_drop(&first);
        for (size_t i = 0; i < 3; i++) {
                ck_assert(is_free(paths[i]));
                ck_assert_int_eq(unlink(paths[i]), 0);
        }
        ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

/* A deletion that falls into the creation of a set must wait: the lock is not the process's. */
static void *wait_for_group(void *userdata) {
        _Atomic bool *got = userdata;
        int fd;

        ck_assert_int_eq(vg_lock("a", (VSS_ID){ 0 }, &fd, NULL), 0);
        atomic_store(got, true);
        vg_unlock(fd);
        return NULL;
}

START_TEST(nobody_else_in_the_process_shares_them) {
        const VSS_ID set = { .Data1 = 1 };
        _Atomic bool got = false;
        pthread_t thread;
        char path[80];
        int fd, again;

        ck_assert_ptr_nonnull(mkdtemp(top));
        vg_lock_directory = top;
        (void)snprintf(path, sizeof(path), "%s/V_a", top);
        ck_assert_int_eq(vg_lock("a", set, &fd, NULL), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_group, &got), 0);
        for (unsigned i = 0; i < 50; i++) {
                ck_assert_int_eq(vg_lock("a", set, &again, NULL), 0);
                ck_assert(!atomic_load(&got));
                vg_unlock(fd);
                fd = again;
                ck_assert_int_eq(sched_yield(), 0);
        }
        vg_unlock(fd);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert(atomic_load(&got));
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm");
        TCase *t = tcase_create("lvm");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 30);
        tcase_add_test(t, one_process_serves_many_runs);
        tcase_add_test(t, a_run_without_a_report_gives_an_empty_one);
        tcase_add_test(t, the_version_is_a_number);
        tcase_add_test(t, what_was_said_is_counted);
        tcase_add_test(t, the_first_error_is_the_complaint);
        tcase_add_test(t, output_larger_than_a_pipe_is_read);
        tcase_add_test(t, input_larger_than_a_pipe_is_written);
        tcase_add_test(t, an_lvm_that_dies_is_an_error);
        tcase_add_test(t, an_lvm_that_was_left_behind_is_waited_for);
        tcase_add_test(t, a_missing_lvm_is_an_error);
        tcase_add_test(t, reports_are_rows_of_fields);
        tcase_add_test(t, a_single_command_is_a_format);
        tcase_add_test(t, numbers_are_whole);
        tcase_add_test(t, the_lock_of_a_group_is_lvms);
        tcase_add_test(t, the_providers_of_a_set_share_its_locks);
        tcase_add_test(t, nobody_else_in_the_process_shares_them);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
