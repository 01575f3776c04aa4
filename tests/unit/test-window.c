/* The write-freeze window and its guard over a fake device-mapper: what is suspended is resumed,
 * whatever fails, hangs or dies. */

#include "common/alive-lock.h"
#include "fake-dm-kernel.h"
#include <sched.h>
#include <sys/prctl.h>

#define LONG_USEC (10 * USEC_PER_SEC)
#define SHORT_USEC (200 * USEC_PER_MSEC)

static void prepare(struct window *w) {
        struct vss_error error = { 0 };

        ck_assert_msg(window_prepare(w, &error) == 0, "%s", error.message);
}

static void assert_no_children_left(void) {
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
}

/* Runs the window and expects it to fail so. */
static void assert_run_fails(struct window *w, HRESULT hr, const char *word) {
        struct window_result result = { .start_usec = 1234 };
        struct vss_error error = { 0 };

        ck_assert_int_lt(window_run(w, &result, &error), 0);
        ck_assert_msg(error.hr == hr, "%#x: %s", (unsigned)error.hr, error.message);
        ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
        ck_assert_uint_eq(result.start_usec, 1234);
        vss_error_done(&error);
}

START_TEST(all_copies_share_one_instant) {
        struct window_result result;
        struct window *w;

        fake_init(FAKE_MAX);
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_uint_eq(window_row_count(w), FAKE_MAX);
        prepare(w);
        ck_assert(fake->locked);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);

        ck_assert_uint_le(result.start_usec, result.suspended_usec);
        ck_assert_uint_le(result.suspended_usec, result.committed_usec);
        ck_assert_uint_le(result.committed_usec, result.end_usec);
        ck_assert_int_gt(result.instant_unix_nsec, 0);
        for (size_t i = 0; i < fake->n; i++) {
                const struct fake_origin *o = &fake->origins[i];
                const struct window_row_times *t = window_row_times(w, i);

                ck_assert(!o->suspended && o->committed && !o->inactive_table);
                ck_assert_uint_eq(o->n_suspends, 1);
                ck_assert_uint_eq(o->n_commits, 1);
                ck_assert_uint_eq(o->n_resumes, 1);
                ck_assert_uint_eq(o->n_clears, 0);
                ck_assert_int_eq(o->resumed_by, getpid());
                ck_assert_uint_le(t->suspend_begin_usec, t->suspend_end_usec);
                ck_assert_uint_le(t->suspend_end_usec, result.suspended_usec);
                ck_assert_uint_le(result.suspended_usec, t->commit_end_usec);
                ck_assert_uint_le(t->commit_end_usec, result.committed_usec);
                ck_assert_uint_le(result.committed_usec, t->resume_begin_usec);
                ck_assert_uint_le(t->resume_begin_usec, t->resume_end_usec);
                ck_assert_uint_le(t->resume_end_usec, result.end_usec);
        }
        ck_assert(!fake->too_early);
        window_free(w);
        ck_assert(!fake->locked);
        assert_no_children_left();
}
END_TEST

static _Atomic int policy_inside;

static void note_policy(void) {
        atomic_store(&policy_inside, sched_getscheduler(0));
}

static bool may_be_urgent(void) {
        const struct sched_param lowest = { .sched_priority = 1 }, none = { 0 };
        bool may = sched_setscheduler(0, SCHED_RR, &lowest) == 0;

        if (may)
                ck_assert_int_eq(sched_setscheduler(0, SCHED_OTHER, &none), 0);
        return may;
}

START_TEST(nothing_else_runs_before_the_window) {
        int wanted = may_be_urgent() ? SCHED_RR : SCHED_OTHER;
        struct window_result result;
        struct window *w;

        fake_init(4);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        fake->in_ioctl = note_policy;
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert_int_eq(atomic_load(&policy_inside), wanted);
        window_free(w);
        ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
}
END_TEST

START_TEST(a_failed_suspend_turns_all_back) {
        struct window *w;

        fake_init(8);
        fake->origins[5].suspend_error = EIO;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "suspend /srv/5/");
        ck_assert(fake_nothing_suspended());
        for (size_t i = 0; i < fake->n; i++) {
                ck_assert_uint_eq(fake->origins[i].n_commits, 0);
                /* Only what was suspended is resumed. */
                ck_assert_uint_eq(fake->origins[i].n_resumes, i == 5 ? 0 : 1);
                ck_assert_uint_eq(fake->origins[i].n_clears, i == 5 ? 0 : 1);
        }
        window_free(w);
        assert_no_children_left();
}
END_TEST

START_TEST(a_frozen_file_system_is_named_as_such) {
        struct window *w;

        fake_init(2);
        fake->origins[1].suspend_error = EBUSY;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/1/ is frozen by another");
        window_free(w);
}
END_TEST

START_TEST(a_failed_commit_turns_all_back) {
        struct window *w;

        fake_init(8);
        fake->origins[2].commit_error = ENOMEM;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/2/");
        ck_assert(fake_nothing_suspended());
        ck_assert(!fake->too_early);
        for (size_t i = 0; i < fake->n; i++) {
                ck_assert_uint_eq(fake->origins[i].n_clears, 1);
                ck_assert_uint_eq(fake->origins[i].n_resumes, 1);
        }
        window_free(w);
}
END_TEST

static void init_others(size_t n, bool work) {
        fake_init(n);
        fake->has_others = true;
        fake->others_work = work;
        for (size_t i = 0; i < n; i++) {
                atomic_store(&fake->origins[i].other_live_table, work);
                atomic_store(&fake->origins[i].other_inactive_table, !work);
        }
}

/* A cache that has worked cannot hand back, so that its origin goes on over it, with the new
 * table; one that was to be put to sleep works again before its origin does, on the old. */
START_TEST(the_way_back_leaves_one_of_two_devices_at_work) {
        bool work = _i == 1;
        struct window *w;

        init_others(4, work);
        fake->origins[2].commit_error = EIO;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/2/");
        ck_assert(fake_nothing_suspended());
        ck_assert(!fake->too_early);
        ck_assert(!fake->two_at_work);
        for (size_t i = 0; i < fake->n; i++) {
                bool works = fake_other_works(&fake->origins[i]);

                /* Not every row had begun when all were sent back. */
                ck_assert(works || (!work && i != 2));
                ck_assert_uint_eq(fake->origins[i].n_clears, (works && !work ? 0U : 1U));
        }
        window_free(w);
}
END_TEST

START_TEST(the_way_back_before_the_other_has_worked_drops_its_table) {
        struct window *w;

        init_others(3, false);
        fake->origins[2].suspend_error = EIO;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/2/");
        ck_assert(fake_nothing_suspended());
        for (size_t i = 0; i < 2; i++) {
                ck_assert_uint_eq(fake->origins[i].n_clears, 1);
                ck_assert(!fake->origins[i].other_live_table);
                ck_assert(!fake->origins[i].other_inactive_table);
        }
        window_free(w);
}
END_TEST

START_TEST(an_origin_goes_back_if_the_other_device_does_not_wake) {
        struct window *w;

        init_others(2, false);
        fake->origins[1].other_error = EIO;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "resume /srv/1/");
        ck_assert(fake_nothing_suspended());
        ck_assert(!fake->two_at_work);
        ck_assert_uint_eq(fake->origins[1].n_clears, 1);
        ck_assert(!fake_other_works(&fake->origins[1]));
        ck_assert_uint_eq(fake->origins[1].n_others, 1); /* it is not tried again */
        window_free(w);
}
END_TEST

/* Nobody knows which of the two will work, so that the origin waits for the end of it. */
START_TEST(a_hung_change_over_is_left_to_its_thread) {
        bool work = _i == 1;
        struct window *w;

        init_others(3, work);
        fake->origins[1].hangs_at = FAKE_OTHER_COMMIT;
        /* Time enough for the other two to wake theirs. */
        w = fake_window(LONG_USEC, 10 * SHORT_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "/srv/1/");
        ck_assert(!fake->origins[0].suspended && !fake->origins[2].suspended);
        if (!work)
                ck_assert(fake->origins[1].suspended);
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert(fake_nothing_suspended());
        ck_assert(!fake->two_at_work);
        for (size_t i = 0; i < fake->n; i++)
                ck_assert(fake_other_works(&fake->origins[i]));
}
END_TEST

START_TEST(the_good_end_leaves_the_other_device_alone) {
        struct window_result result;
        struct window *w;

        init_others(4, false);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        for (size_t i = 0; i < fake->n; i++)
                ck_assert_uint_eq(fake->origins[i].n_others, 1);
        window_free(w);
}
END_TEST

START_TEST(inactive_tables_stay_where_the_row_has_none) {
        const struct window_options options = {
                .flush_usec = LONG_USEC,
                .hold_usec = LONG_USEC,
                .kernel = &fake_kernel,
        };
        struct window *w;

        fake_init(1);
        fake->origins[0].suspend_error = 0;
        fake->origins[0].commit_error = EIO;
        fake->origins[0].inactive_table = false;
        ck_assert_int_eq(window_new(&w, &options), 0);
        struct dm_request **commits = calloc(1, sizeof(*commits));
        ck_assert_int_eq(dm_request_new_resume(commits, FAKE_COPY(0)), 0);
        ck_assert_int_eq(window_add_row(w,
                                        &(struct window_row){ .volume = "/",
                                                              .origin = FAKE_ORIGIN(0),
                                                              .commits = commits,
                                                              .n_commits = 1 },
                                        NULL),
                         0);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/");
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert_uint_eq(fake->origins[0].n_resumes, 1);
        window_free(w);
}
END_TEST

START_TEST(a_resume_that_fails_is_tried_again) {
        struct window_result result;
        struct window *w;

        fake_init(2);
        fake->origins[1].resume_failures = 2;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert(fake_nothing_suspended());
        window_free(w);
}
END_TEST

START_TEST(a_resume_that_fails_for_good_is_told) {
        struct window *w;

        fake_init(2);
        fake->origins[1].resume_failures = 1000;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "resume /srv/1/");
        ck_assert(!fake->origins[0].suspended);
        window_free(w);
}
END_TEST

/* The hung one is let go before (0) or after (1) the window is freed. */
START_TEST(a_hung_suspend_does_not_hold_up_the_others) {
        uint64_t begin_usec;
        struct window *w;

        fake_init(4);
        fake->origins[3].hangs_at = FAKE_SUSPEND;
        w = fake_window(SHORT_USEC, LONG_USEC);
        prepare(w);
        begin_usec = now_monotonic_usec();
        assert_run_fails(w, VSS_E_FLUSH_WRITES_TIMEOUT, "/srv/3/");
        ck_assert_uint_ge(now_monotonic_usec() - begin_usec, SHORT_USEC);
        for (size_t i = 0; i < 3; i++) {
                ck_assert(!fake->origins[i].suspended);
                ck_assert_uint_eq(fake->origins[i].n_clears, 1);
                ck_assert_uint_eq(fake->origins[i].n_resumes, 1);
        }
        ck_assert_uint_eq(fake->origins[3].n_resumes, 0);

        if (_i == 1)
                w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(atomic_load(&fake->origins[3].n_resumes) == 1 &&
                                fake_nothing_suspended()));
        ck_assert_uint_eq(fake->origins[3].n_clears, 1);
        w = window_free(w);
        /* The last owner, here or on the thread that hung, sends the guard away. */
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
}
END_TEST

START_TEST(a_hung_suspend_is_undone_by_the_guard_when_the_daemon_dies) {
        pid_t daemon;

        fake_init(2);
        fake->origins[1].hangs_at = FAKE_SUSPEND;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(SHORT_USEC, LONG_USEC);

                prepare(w);
                assert_run_fails(w, VSS_E_FLUSH_WRITES_TIMEOUT, "/srv/1/");
                /* The kernel completes it while the process dies. */
                atomic_store(&fake->origins[1].suspended, true);
                (void)raise(SIGKILL);
        }
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_int_ne(fake->origins[1].resumed_by, daemon);
}
END_TEST

START_TEST(a_hung_commit_is_taken_over) {
        struct window *w;

        fake_init(3);
        fake->origins[1].hangs_at = FAKE_COMMIT;
        w = fake_window(LONG_USEC, SHORT_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "/srv/1/");
        ck_assert(fake_nothing_suspended());
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert(fake_nothing_suspended());
}
END_TEST

/* The daemon is stopped inside its own commit: only the guard can act. */
START_TEST(the_guard_fires_for_a_stopped_daemon) {
        int status, tell[2];
        pid_t daemon;
        char end;

        fake_init(3);
        fake->origins[0].stops_at = FAKE_COMMIT;
        ck_assert_int_eq(pipe(tell), 0);
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, SHORT_USEC);

                prepare(w);
                assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "held for more than 200 ms");
                ck_assert(fake_nothing_suspended());
                window_free(w);
                ck_assert_int_eq(write(tell[1], "x", 1), 1);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        for (size_t i = 0; i < fake->n; i++) {
                ck_assert_int_ne(fake->origins[i].resumed_by, daemon);
                ck_assert_uint_eq(fake->origins[i].n_clears, 1);
        }

        ck_assert_int_eq(kill(daemon, SIGCONT), 0);
        ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_int_eq(read(tell[0], &end, 1), 1);
        ck_assert(fake_nothing_suspended());
}
END_TEST

/* The daemon is killed while an origin hangs in the given step: before (0) or after (1) all are
 * committed. The hung thread dies with it: what the fake does is done by then. */
START_TEST(the_guard_resumes_when_the_daemon_dies) {
        bool committed = _i == 1;
        pid_t daemon;

        init_others(4, false);
        fake->origins[2].hangs_at = committed ? FAKE_RESUME : FAKE_COMMIT;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, 6 * LONG_USEC);
                struct window_result result;

                prepare(w);
                (void)window_run(w, &result, NULL); /* it does not return */
                _exit(1);
        }
        if (committed)
                ck_assert(FAKE_WAIT_FOR(!fake->origins[0].suspended &&
                                        !fake->origins[1].suspended &&
                                        !fake->origins[3].suspended && fake->origins[3].committed &&
                                        fake->origins[2].suspended));
        else
                ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed && fake->origins[1].committed &&
                                        fake->origins[3].committed));
        atomic_store(&fake->origins[2].hangs_at, FAKE_NOWHERE); /* not for the guard */
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        for (size_t i = 0; i < fake->n; i++) {
                /* The new tables: after the commit they are what everybody wants, and before it
                 * there is no way back behind the other devices. */
                ck_assert_uint_eq(fake->origins[i].n_clears, 0);
                ck_assert(fake_other_works(&fake->origins[i]));
                if (!committed || i == 2)
                        ck_assert_int_ne(fake->origins[i].resumed_by, daemon);
        }
}
END_TEST

/* Killed while the other device is being brought to life: here the daemon's thread dies with that
 * undone, and the origin goes back. (a_hung_change_over_is_left_to_its_thread has one that lives.)
 */
START_TEST(the_guard_goes_back_where_a_change_over_died) {
        pid_t daemon;

        init_others(2, false);
        fake->origins[1].hangs_at = FAKE_OTHER_COMMIT;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, 6 * LONG_USEC);
                struct window_result result;

                prepare(w);
                (void)window_run(w, &result, NULL); /* it does not return */
                _exit(1);
        }
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed && fake->origins[1].other_live_table));
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert_uint_eq(fake->origins[1].n_clears, 1);
        ck_assert(!fake_other_works(&fake->origins[1]));
        ck_assert(!fake->two_at_work);
}
END_TEST

/* Stopped before it brings the other device to life, it finds nothing to bring to life when it goes
 * on after the guard. */
START_TEST(a_daemon_that_goes_on_wakes_no_second_device) {
        int status;
        pid_t daemon;

        init_others(1, false);
        fake->origins[0].stops_at = FAKE_OTHER_BEGIN;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, SHORT_USEC);

                prepare(w);
                assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/0/");
                ck_assert(fake_nothing_suspended());
                window_free(w);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_int_eq(kill(daemon, SIGCONT), 0);
        ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert(fake_nothing_suspended());
        ck_assert(!fake->two_at_work);
        ck_assert_uint_ge(fake->origins[0].n_clears, 1);
        ck_assert(!fake_other_works(&fake->origins[0]));
}
END_TEST

START_TEST(the_guard_does_nothing_when_the_daemon_dies_before_the_window) {
        pid_t daemon;

        fake_init(2);
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, LONG_USEC);

                prepare(w);
                (void)raise(SIGKILL);
        }
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        /* The orphan is ours now. */
        ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
        assert_no_children_left();
        ck_assert_uint_eq(fake->origins[0].n_resumes + fake->origins[1].n_resumes, 0);
        ck_assert_uint_eq(fake->origins[0].n_clears + fake->origins[1].n_clears, 0);
}
END_TEST

static void guard_lock_make(char path[static 32]) {
        strcpy(path, "/tmp/test-window-XXXXXX");
        ck_assert_int_eq(close(mkstemp(path)), 0);
        fake_guard_lock = path;
}

/* Whoever waits for the lock meets no guard any more: not even one that looks at the origins once
 * more, to resume what others have suspended since. */
START_TEST(the_guard_holds_its_lock_to_its_end) {
        char path[32];
        pid_t daemon;

        fake_init(2);
        fake->origins[1].hangs_at = FAKE_COMMIT;
        guard_lock_make(path);
        ck_assert_int_eq(alive_lock_await(path, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, 6 * LONG_USEC);
                struct window_result result;

                prepare(w);
                (void)window_run(w, &result, NULL); /* it does not return */
                _exit(1);
        }
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed));
        ck_assert_int_eq(alive_lock_await(path, 0), -ETIMEDOUT);
        atomic_store(&fake->origins[1].hangs_at, FAKE_NOWHERE); /* not for the guard */
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert_int_eq(alive_lock_await(path, FAKE_PATIENCE_USEC), 0);
        ck_assert(fake_nothing_suspended());
        /* The orphan is ours now, and on its way out. */
        ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
        assert_no_children_left();
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(without_its_lock_no_guard_is_made) {
        struct vss_error error = { 0 };
        struct window *w;

        fake_init(1);
        fake_guard_lock = "/nonexistent/lock";
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error.message, "guard"));
        vss_error_done(&error);
        window_free(w);
        assert_no_children_left();
        ck_assert_uint_eq(fake->origins[0].n_suspends, 0);
}
END_TEST

static pid_t only_child(void) {
        char path[64], line[64] = "";
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        f = fopen(path, "re");
        if (!f)
                return -1; /* a kernel without it */
        if (!fgets(line, sizeof(line), f))
                line[0] = '\0';
        (void)fclose(f);
        return (pid_t)atoi(line);
}

START_TEST(without_its_guard_the_window_stays_shut) {
        struct window *w;
        pid_t guard;

        fake_init(2);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        guard = only_child();
        if (guard > 0) {
                ck_assert_int_eq(kill(guard, SIGKILL), 0);
                /* It is dead when it can be waited for; it stays the window's to reap. */
                ck_assert_int_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT),
                                 0);
                assert_run_fails(w, VSS_E_UNEXPECTED, "guard");
                ck_assert_uint_eq(fake->origins[0].n_suspends + fake->origins[1].n_suspends, 0);
        }
        window_free(w);
        assert_no_children_left();
}
END_TEST

START_TEST(the_guard_ignores_signals_that_stop_a_service) {
        struct window_result result;
        struct window *w;
        pid_t guard;

        fake_init(1);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        guard = only_child();
        if (guard > 0)
                for (size_t i = 0; i < 3; i++)
                        ck_assert_int_eq(kill(guard, (int[]){ SIGTERM, SIGINT, SIGHUP }[i]), 0);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        window_free(w);
        assert_no_children_left();
}
END_TEST

START_TEST(what_others_have_suspended_is_refused) {
        struct vss_error error = { 0 };
        struct window *w;

        fake_init(2);
        fake->origins[1].suspended = true;
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, &error), -EBUSY);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_IN_USE);
        ck_assert_ptr_nonnull(strstr(error.message, "/srv/1/"));
        vss_error_done(&error);
        window_free(w);
        ck_assert(fake->origins[1].suspended);
        assert_no_children_left();
}
END_TEST

START_TEST(an_origin_has_one_row) {
        struct vss_error error = { 0 };
        struct window *w;

        fake_init(1);
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_add_row(w,
                                        &(struct window_row){ .volume = "/again/",
                                                              .origin = FAKE_ORIGIN(0) },
                                        &error),
                         -EEXIST);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_ALREADY_EXISTS);
        vss_error_done(&error);
        window_free(w);
}
END_TEST

START_TEST(without_locked_memory_nothing_is_suspended) {
        struct vss_error error = { 0 };
        struct window *w;

        fake_init(2);
        fake->lock_error = ENOMEM;
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, &error), -ENOMEM);
        ck_assert_ptr_nonnull(strstr(error.message, "LimitMEMLOCK"));
        vss_error_done(&error);
        window_free(w);
        ck_assert_uint_eq(fake->origins[0].n_suspends, 0);
        assert_no_children_left();
}
END_TEST

START_TEST(a_window_that_never_ran_leaves_nothing) {
        struct window *w;

        fake_init(3);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        window_free(w);
        ck_assert(!fake->locked);
        for (size_t i = 0; i < fake->n; i++)
                ck_assert_uint_eq(fake->origins[i].n_suspends + fake->origins[i].n_resumes, 0);
        assert_no_children_left();
}
END_TEST

START_TEST(an_empty_window_succeeds) {
        struct window_result result;
        struct window *w;

        fake_init(0);
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert_uint_eq(result.start_usec, result.end_usec);
        ck_assert_int_gt(result.instant_unix_nsec, 0);
        window_free(w);
        assert_no_children_left();
}
END_TEST

START_TEST(many_windows_leave_no_descriptor_behind) {
        int first = dup(0);
        char path[32];

        fake_init(4);
        guard_lock_make(path);
        for (unsigned i = 0; i < 20; i++) {
                struct window_result result;
                struct window *w = fake_window(LONG_USEC, LONG_USEC);

                for (size_t k = 0; k < fake->n; k++) {
                        fake->origins[k].inactive_table = true;
                        fake->origins[k].committed = false;
                }
                prepare(w);
                ck_assert_int_eq(window_run(w, &result, NULL), 0);
                ck_assert(!fake->too_early);
                window_free(w);
        }
        close(first);
        ck_assert_int_eq(dup(0), first);
        assert_no_children_left();
        ck_assert_int_eq(alive_lock_await(path, 0), 0);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("window");
        TCase *t = tcase_create("window");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, nothing_else_runs_before_the_window);
        tcase_add_test(t, all_copies_share_one_instant);
        tcase_add_test(t, a_failed_suspend_turns_all_back);
        tcase_add_test(t, a_frozen_file_system_is_named_as_such);
        tcase_add_test(t, a_failed_commit_turns_all_back);
        tcase_add_loop_test(t, the_way_back_leaves_one_of_two_devices_at_work, 0, 2);
        tcase_add_test(t, the_way_back_before_the_other_has_worked_drops_its_table);
        tcase_add_test(t, an_origin_goes_back_if_the_other_device_does_not_wake);
        tcase_add_loop_test(t, a_hung_change_over_is_left_to_its_thread, 0, 2);
        tcase_add_test(t, the_guard_goes_back_where_a_change_over_died);
        tcase_add_test(t, a_daemon_that_goes_on_wakes_no_second_device);
        tcase_add_test(t, the_good_end_leaves_the_other_device_alone);
        tcase_add_test(t, inactive_tables_stay_where_the_row_has_none);
        tcase_add_test(t, a_resume_that_fails_is_tried_again);
        tcase_add_test(t, a_resume_that_fails_for_good_is_told);
        tcase_add_loop_test(t, a_hung_suspend_does_not_hold_up_the_others, 0, 2);
        tcase_add_test(t, a_hung_suspend_is_undone_by_the_guard_when_the_daemon_dies);
        tcase_add_test(t, a_hung_commit_is_taken_over);
        tcase_add_test(t, the_guard_fires_for_a_stopped_daemon);
        tcase_add_loop_test(t, the_guard_resumes_when_the_daemon_dies, 0, 2);
        tcase_add_test(t, the_guard_does_nothing_when_the_daemon_dies_before_the_window);
        tcase_add_test(t, the_guard_holds_its_lock_to_its_end);
        tcase_add_test(t, without_its_lock_no_guard_is_made);
        tcase_add_test(t, without_its_guard_the_window_stays_shut);
        tcase_add_test(t, the_guard_ignores_signals_that_stop_a_service);
        tcase_add_test(t, what_others_have_suspended_is_refused);
        tcase_add_test(t, an_origin_has_one_row);
        tcase_add_test(t, without_locked_memory_nothing_is_suspended);
        tcase_add_test(t, a_window_that_never_ran_leaves_nothing);
        tcase_add_test(t, an_empty_window_succeeds);
        tcase_add_test(t, many_windows_leave_no_descriptor_behind);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
