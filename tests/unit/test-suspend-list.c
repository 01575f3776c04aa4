/* The lists of what may be suspended, and the start that finds them after the death of daemon and
 * guard: over a fake device-mapper. */

#include "common/alive-lock.h"
#include "daemon/window/other-device.h"
#include "daemon/window/suspend-list.h"
#include "fake-dm-kernel.h"
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <sys/prctl.h>
#include <time.h>

#define LONG_USEC (10 * USEC_PER_SEC)

static char directory[] = "/tmp/test-suspend-list-XXXXXX";

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
                      struct FTW *at _unused_) {
        return remove(path);
}

static void teardown(void) {
        ck_assert_int_eq(nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS), 0);
}

static char last_file[PATH_MAX];

/* Of which the names begin so. */
static unsigned files_of(const char *prefix) {
        DIR *d = opendir(directory);
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        for (const struct dirent *e; (e = readdir(d));)
                if (e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0) {
                        (void)snprintf(last_file, sizeof(last_file), "%s/%s", directory, e->d_name);
                        n++;
                }
        (void)closedir(d);
        return n;
}

static unsigned files(void) {
        return files_of("");
}

/* A thread takes them away. */
static void await_files(unsigned n) {
        const struct timespec pause = { .tv_nsec = 10L * 1000 * 1000 };
        uint64_t end_usec = now_monotonic_usec() + LONG_USEC;

        while (files() != n && now_monotonic_usec() < end_usec)
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        ck_assert_uint_eq(files(), n);
}

static const char *only_file(void) {
        ck_assert_uint_eq(files(), 1);
        return last_file;
}

/* As a window that died has left it. */
static void leave_entries(const struct suspend_entry *entries, size_t n, bool armed) {
        struct suspend_list *l = NULL;
        char kept[PATH_MAX];

        ck_assert_int_eq(suspend_list_new(&l, directory, entries, n, NULL), 0);
        if (!armed) {
                (void)snprintf(kept, sizeof(kept), "%s/new-window-17-0", directory);
                ck_assert_int_eq(link(only_file(), kept), 0);
        } else {
                ck_assert_int_eq(suspend_list_arm(l, NULL), 0);
                (void)snprintf(kept, sizeof(kept), "%s-left", suspend_list_path(l));
                ck_assert_int_eq(link(suspend_list_path(l), kept), 0);
        }
        ck_assert_ptr_null(suspend_list_free(l));
}

static void leave_list(size_t n, bool clears, bool armed) {
        struct suspend_entry entries[FAKE_MAX];
        char uuids[FAKE_MAX][16];

        for (size_t i = 0; i < n; i++) {
                (void)snprintf(uuids[i], sizeof(uuids[i]), "FAKE-%zu", i);
                entries[i] = (struct suspend_entry){
                        .origin = FAKE_ORIGIN(i),
                        .clears_inactive_table = clears,
                        .other = fake->has_others ? FAKE_OTHER(i) : 0,
                        .other_works = fake->others_work,
                        .uuid = uuids[i],
                };
        }
        leave_entries(entries, n, armed);
}

static int rescue(uint64_t timeout_usec, const char *says) {
        struct vss_error error = { 0 };
        int r = suspend_list_rescue(directory, &fake_kernel, timeout_usec, &error);

        if (says)
                ck_assert_msg(strstr(str_or_empty(error.message), says), "%s",
                              str_or_empty(error.message));
        else
                ck_assert_msg(!error.message, "%s", error.message);
        vss_error_done(&error);
        return r;
}

START_TEST(what_is_still_suspended_is_resumed) {
        fake_init(5);
        leave_list(3, true, true);
        leave_list(5, false, true); /* of another window: the same and more */
        ck_assert_uint_eq(files(), 2);
        fake->origins[1].suspended = true;
        fake->origins[4].suspended = true;
        ck_assert_int_ge(rescue(LONG_USEC, NULL), 2);
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(fake->origins[0].n_resumes + fake->origins[0].n_clears, 0);
        ck_assert_uint_eq(fake->origins[4].n_clears, 0);
        ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(the_inactive_table_goes_first) {
        fake_init(2);
        leave_list(2, true, true);
        fake->origins[1].suspended = true;
        fake->origins[1].resume_failures = 2;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 1);
        ck_assert_uint_eq(fake->origins[1].n_clears, 1);
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert(!fake->too_early);
}
END_TEST

START_TEST(another_device_of_the_number_is_left_alone) {
        const struct suspend_entry entries[] = {
                { .origin = FAKE_ORIGIN(0), .uuid = "FAKE-17" },
                { .origin = FAKE_ORIGIN(1), .uuid = "" },
                { .origin = FAKE_ORIGIN(9), .uuid = "FAKE-9" }, /* there is none any more */
        };

        fake_init(2);
        fake->origins[0].suspended = true;
        fake->origins[1].suspended = true;
        leave_entries(entries, 3, true);
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 0);
        ck_assert(fake->origins[0].suspended && fake->origins[1].suspended);
        ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(one_that_hangs_does_not_hold_up_the_others) {
        fake_init(3);
        leave_list(3, false, true);
        for (size_t i = 0; i < 3; i++) {
                fake->origins[i].suspended = true;
                fake->origins[i].inactive_table = false;
        }
        fake->origins[0].hangs_at = FAKE_RESUME;
        ck_assert_int_eq(rescue(USEC_PER_SEC, "254:0 (FAKE-0)"), -ETIMEDOUT);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended && !fake->origins[2].suspended));
        ck_assert(fake->origins[0].suspended);
        ck_assert_uint_eq(files(), 1); /* for the next start */
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        await_files(0);
        /* Another program's, days later. */
        fake->origins[0].suspended = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 0);
        ck_assert(fake->origins[0].suspended);
}
END_TEST

/* What is late takes its own list along and no other. */
START_TEST(a_list_stays_for_what_is_still_to_be_resumed) {
        const struct suspend_entry entries[] = {
                { .origin = FAKE_ORIGIN(0), .uuid = "FAKE-0" },
                { .origin = FAKE_ORIGIN(1), .uuid = "FAKE-1" },
                { .origin = FAKE_ORIGIN(2), .uuid = "FAKE-2" },
        };
        const char *const kept = _i == 0 ? "FAKE-2" : "nonsense";
        char line[64];
        FILE *f;

        fake_init(3);
        leave_entries(&entries[2], 1, true);
        if (_i > 0) { /* behind its first line */
                f = fopen(only_file(), "ae");
                ck_assert_ptr_nonnull(f);
                ck_assert_int_ge(fputs("nonsense\n", f), 0);
                ck_assert_int_eq(fclose(f), 0);
        }
        leave_entries(entries, 2, true);
        for (size_t i = 0; i < 3; i++) {
                fake->origins[i].suspended = true;
                fake->origins[i].inactive_table = false;
        }
        fake->origins[0].hangs_at = FAKE_RESUME;
        if (_i == 0)
                fake->origins[2].resume_failures = 1000;
        ck_assert_int_lt(suspend_list_rescue(directory, &fake_kernel, USEC_PER_SEC, NULL), 0);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended));
        ck_assert_uint_eq(files(), 2);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(!fake->origins[0].suspended));
        await_files(1);
        f = fopen(only_file(), "re");
        ck_assert_ptr_nonnull(f);
        do
                ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
        while (!strstr(line, kept));
        ck_assert_int_eq(fclose(f), 0);
}
END_TEST

/* A set that is made meanwhile has a list of its own, by whatever process. */
START_TEST(no_two_lists_have_one_name) {
        const struct suspend_entry entry = { .origin = FAKE_ORIGIN(0), .uuid = "FAKE-0" };
        struct suspend_list *l = NULL;
        char name[64];
        pid_t child;

        fake_init(1);
        /* Its first list is called as ours, but for the numbers of the processes. */
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                (void)suspend_list_new(&l, directory, &entry, 1, NULL); /* seen by its file */
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        (void)snprintf(name, sizeof(name), "%s", strrchr(only_file(), '/') + 1);
        ck_assert_int_eq(unlink(only_file()), 0);
        ck_assert_int_eq(suspend_list_new(&l, directory, &entry, 1, NULL), 0);
        ck_assert_str_ne(strchr(name + strlen("new-window-"), '-'),
                         strchr(strrchr(only_file(), '/') + 1 + strlen("new-window-"), '-'));
        ck_assert_ptr_null(suspend_list_free(l));
}
END_TEST

START_TEST(one_that_cannot_be_resumed_is_said) {
        fake_init(2);
        leave_list(2, false, true);
        fake->origins[1].suspended = true;
        fake->origins[1].resume_failures = 1000;
        ck_assert_int_eq(rescue(LONG_USEC, "dmsetup resume -u FAKE-1"), -EIO);
        ck_assert_uint_eq(files(), 1);
}
END_TEST

/* Each has another device, to be made; or, if they work, unmade: the commits of none were run. */
static void init_others(size_t n, bool work) {
        fake_init(n);
        fake->has_others = true;
        fake->others_work = work;
        for (size_t i = 0; i < n; i++) {
                atomic_store(&fake->origins[i].suspended, true);
                atomic_store(&fake->origins[i].other_live_table, work);
                atomic_store(&fake->origins[i].other_inactive_table, !work);
        }
        leave_list(n, true, true);
}

/* The first has worked and the second has not. */
START_TEST(an_origin_goes_on_over_the_other_device_that_has_worked) {
        init_others(2, false);
        fake->origins[0].other_inactive_table = false;
        fake->origins[0].other_live_table = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 2);
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert(fake_other_works(&fake->origins[0]));
        ck_assert_uint_eq(fake->origins[1].n_clears, 1);
        ck_assert(!fake->origins[1].other_live_table && !fake->origins[1].other_inactive_table);
        ck_assert_uint_eq(fake->origins[0].n_others + fake->origins[1].n_others, 0);
        ck_assert(!fake->two_at_work && !fake->too_early);
}
END_TEST

START_TEST(an_other_device_that_was_to_be_unmade_works_again) {
        init_others(2, true);
        fake->origins[0].other_suspended = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 2);
        ck_assert(fake_nothing_suspended());
        for (size_t i = 0; i < 2; i++) {
                ck_assert(fake_other_works(&fake->origins[i]));
                ck_assert_uint_eq(fake->origins[i].n_clears, 1);
        }
        ck_assert(!fake->too_early);
}
END_TEST

/* A thread of the dead daemon is in the kernel still, and brings it to life. */
START_TEST(an_other_device_that_is_just_being_woken_is_waited_for) {
        int daemon_fd;

        init_others(2, false);
        ck_assert_int_eq(alive_lock_hold(only_file(), &daemon_fd), 0);
        fake->origins[0].other_inactive_table = false;
        fake->origins[0].other_live_table = true;
        fake->origins[0].other_suspended = true;
        ck_assert_int_eq(rescue(USEC_PER_SEC, "254:0 (FAKE-0)"), -ETIMEDOUT);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended));
        ck_assert(fake->origins[0].suspended);
        ck_assert_uint_eq(files(), 1);
        ck_assert_uint_eq(other_device_n_awaited(), 1);
        fake->origins[0].other_suspended = false;
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert(!fake->two_at_work && !fake->too_early);
        ck_assert(FAKE_WAIT_FOR(other_device_n_awaited() == 0 || (fake_event(), false)));
        await_files(0);
        ck_assert_int_eq(close(daemon_fd), 0);
}
END_TEST

/* With nobody left it was tried, and has failed. */
START_TEST(an_other_device_that_did_not_wake_keeps_nobody_waiting) {
        init_others(2, false);
        fake->origins[0].other_inactive_table = false;
        fake->origins[0].other_live_table = true;
        fake->origins[0].other_suspended = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 2);
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(fake->origins[0].n_clears, 1);
        ck_assert_uint_eq(files(), 0);
        ck_assert(!fake->two_at_work);
}
END_TEST

static const char *const damaged[] = { "nonsense\n", "254:\n", "254:1 1 0:0 x y", "\n",
                                       "-1:0 x y\n" };

START_TEST(a_damaged_list_is_said_and_the_others_count) {
        char other[128];
        FILE *f;

        fake_init(2);
        leave_list(2, false, true);
        fake->origins[1].suspended = true;
        (void)snprintf(other, sizeof(other), "%s/window-damaged", directory);
        f = fopen(other, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(damaged[_i], f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(rescue(LONG_USEC, "window-damaged"), -EBADMSG);
        ck_assert(fake_nothing_suspended());
        await_files(1);
}
END_TEST

START_TEST(without_lists_there_is_nothing_to_do) {
        static const struct dm_kernel none = { .open_control = NULL };

        ck_assert_int_eq(suspend_list_rescue(directory, &none, LONG_USEC, NULL), 0);
        ck_assert_int_eq(suspend_list_rescue("/nonexistent", &none, LONG_USEC, NULL), 0);
        ck_assert_ptr_null(suspend_list_free(NULL));
        ck_assert_ptr_null(suspend_list_path(NULL));
}
END_TEST

/* The daemon has died while it prepared a window, and somebody else has suspended a volume since.
 */
START_TEST(a_list_counts_for_nothing_before_the_first_suspend) {
        fake_init(2);
        leave_list(2, true, false);
        ck_assert_uint_eq(files_of("new-window-"), 1);
        fake->origins[1].suspended = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 0);
        ck_assert(fake->origins[1].suspended);
        ck_assert_uint_eq(fake->origins[1].n_clears, 0);
        ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(a_window_has_its_list_from_before_the_suspend_to_its_end) {
        struct window_result result;
        struct window *w;

        fake_init(3);
        fake_suspend_lists = directory;
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_uint_eq(files(), 0);
        ck_assert_int_eq(window_prepare(w, NULL), 0);
        ck_assert_uint_eq(files(), 1);
        ck_assert_uint_eq(files_of("new-window-"), 1);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert_uint_eq(files(), 0);
        window_free(w);
}
END_TEST

/* One that failed, as its suspend hangs: it stays until that has been undone. */
START_TEST(a_window_that_is_not_settled_keeps_its_list) {
        struct window_result result;
        struct window *w;

        fake_init(2);
        fake_suspend_lists = directory;
        fake->origins[1].hangs_at = FAKE_SUSPEND;
        w = fake_window(USEC_PER_SEC, USEC_PER_SEC);
        ck_assert_int_eq(window_prepare(w, NULL), 0);
        ck_assert_int_lt(window_run(w, &result, NULL), 0);
        window_free(w);
        ck_assert_uint_eq(files_of("window-"), 1);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake->origins[1].n_resumes > 0));
}
END_TEST

START_TEST(a_window_that_never_ran_leaves_no_list) {
        struct window *w;

        fake_init(2);
        fake_suspend_lists = directory;
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, NULL), 0);
        window_free(w);
        ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(a_window_that_cannot_arm_its_list_stays_shut) {
        struct vss_error error = { 0 };
        struct window_result result;
        struct window *w;

        fake_init(1);
        fake_suspend_lists = directory;
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, NULL), 0);
        ck_assert_int_eq(unlink(only_file()), 0);
        ck_assert_int_eq(window_run(w, &result, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.message, directory));
        vss_error_done(&error);
        window_free(w);
        ck_assert_uint_eq(fake->origins[0].n_suspends, 0);
}
END_TEST

START_TEST(without_its_list_a_window_stays_shut) {
        struct vss_error error = { 0 };
        struct window *w;

        fake_init(1);
        fake_suspend_lists = "/nonexistent";
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent"));
        vss_error_done(&error);
        window_free(w);
        ck_assert_uint_eq(fake->origins[0].n_suspends, 0);
}
END_TEST

/* A daemon in a process group of its own, its guard with it, all of whose origins are suspended and
 * committed but the last, whose commit hangs. */
static pid_t start_daemon(void) {
        pid_t daemon;

        fake_suspend_lists = directory;
        fake->origins[fake->n - 1].hangs_at = FAKE_COMMIT;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(6 * LONG_USEC, 6 * LONG_USEC);
                struct window_result result;

                ck_assert_int_eq(setpgid(0, 0), 0);
                ck_assert_int_eq(window_prepare(w, NULL), 0);
                (void)window_run(w, &result, NULL); /* it does not return */
                _exit(1);
        }
        for (size_t i = 0; i + 1 < fake->n; i++)
                ck_assert(FAKE_WAIT_FOR(fake->origins[i].committed));
        ck_assert_uint_eq(files_of("window-"), 1);
        ck_assert_uint_eq(files(), 1);
        return daemon;
}

/* Daemon and guard, both killed while all is suspended: what the next start does. */
START_TEST(the_next_start_resumes_when_daemon_and_guard_are_dead) {
        pid_t daemon;

        fake_init(4);
        daemon = start_daemon();
        ck_assert_int_eq(kill(-daemon, SIGKILL), 0);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        ck_assert_uint_eq(files_of("window-"), 1);
        for (size_t i = 0; i < fake->n; i++)
                ck_assert(fake->origins[i].suspended);
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 4);
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(files(), 0);
}
END_TEST

/* The list of a real window names its other devices: all of them work by then. */
START_TEST(the_next_start_goes_on_over_the_other_devices) {
        pid_t daemon;

        fake_init(3);
        fake->has_others = true;
        for (size_t i = 0; i < fake->n; i++)
                atomic_store(&fake->origins[i].other_inactive_table, true);
        daemon = start_daemon();
        ck_assert(FAKE_WAIT_FOR(fake_other_works(&fake->origins[2])));
        ck_assert_int_eq(kill(-daemon, SIGKILL), 0);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 3);
        ck_assert(fake_nothing_suspended());
        for (size_t i = 0; i < fake->n; i++) {
                ck_assert_uint_eq(fake->origins[i].n_clears, 0);
                ck_assert(fake_other_works(&fake->origins[i]));
        }
        ck_assert(!fake->two_at_work);
}
END_TEST

/* Or the start would resume what others have suspended since. */
START_TEST(the_guard_takes_the_list_with_it) {
        pid_t daemon;

        fake_init(4);
        daemon = start_daemon();
        atomic_store(&fake->origins[3].hangs_at, FAKE_NOWHERE); /* not for the guard */
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(files(), 0);
        fake->origins[1].suspended = true;
        ck_assert_int_eq(rescue(LONG_USEC, NULL), 0);
        ck_assert(fake->origins[1].suspended);
}
END_TEST

int main(void) {
        Suite *s = suite_create("suspend-list");
        TCase *t = tcase_create("suspend-list");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, what_is_still_suspended_is_resumed);
        tcase_add_test(t, the_inactive_table_goes_first);
        tcase_add_test(t, another_device_of_the_number_is_left_alone);
        tcase_add_test(t, one_that_hangs_does_not_hold_up_the_others);
        tcase_add_loop_test(t, a_list_stays_for_what_is_still_to_be_resumed, 0, 2);
        tcase_add_test(t, no_two_lists_have_one_name);
        tcase_add_test(t, one_that_cannot_be_resumed_is_said);
        tcase_add_test(t, an_origin_goes_on_over_the_other_device_that_has_worked);
        tcase_add_test(t, an_other_device_that_was_to_be_unmade_works_again);
        tcase_add_test(t, an_other_device_that_is_just_being_woken_is_waited_for);
        tcase_add_test(t, an_other_device_that_did_not_wake_keeps_nobody_waiting);
        tcase_add_loop_test(t, a_damaged_list_is_said_and_the_others_count, 0, ARRAY_SIZE(damaged));
        tcase_add_test(t, without_lists_there_is_nothing_to_do);
        tcase_add_test(t, a_list_counts_for_nothing_before_the_first_suspend);
        tcase_add_test(t, a_window_has_its_list_from_before_the_suspend_to_its_end);
        tcase_add_test(t, a_window_that_is_not_settled_keeps_its_list);
        tcase_add_test(t, a_window_that_never_ran_leaves_no_list);
        tcase_add_test(t, a_window_that_cannot_arm_its_list_stays_shut);
        tcase_add_test(t, without_its_list_a_window_stays_shut);
        tcase_add_test(t, the_next_start_resumes_when_daemon_and_guard_are_dead);
        tcase_add_test(t, the_next_start_goes_on_over_the_other_devices);
        tcase_add_test(t, the_guard_takes_the_list_with_it);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
