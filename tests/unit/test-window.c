/* The write-freeze window over a fake device-mapper: what is suspended is resumed, whatever fails
 * or hangs. (What dies: test-guard.c.) */

#include "common/alive-lock.h"
#include "daemon/window/core-dump.h"
#include "daemon/window/guard.h"
#include "daemon/window/held-origin.h"
#include "window-checks.h"
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

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

static _Atomic unsigned n_dumpable;

static void note_dumpable(void) {
        if (prctl(PR_GET_DUMPABLE) != 0)
                atomic_fetch_add(&n_dumpable, 1);
}

static void *prepare_another(void *p) {
        struct window *w = p;

        prepare(w);
        return NULL;
}

/* Begins while the first window is open, and lets that go on only when it has waited for a while.
 */
static void *prepare_beside(void *second) {
        pthread_t preparer;

        ck_assert(FAKE_WAIT_FOR(fake->origins[0].n_suspends == 1));
        ck_assert_int_eq(pthread_create(&preparer, NULL, prepare_another, second), 0);
        ck_assert_int_eq(nanosleep(&(struct timespec){ .tv_nsec = 300 * 1000 * 1000 }, NULL), 0);
        ck_assert_uint_eq(fake->n_locks, 2); /* its own comes after the fork */
        fake_release();
        ck_assert_int_eq(pthread_join(preparer, NULL), 0);
        return NULL;
}

/* A fork makes the pages of all windows copy-on-write: no guard is forked while one is open (a
 * cache's deletion beside a set, say), and what was prepared before the fork is brought back. */
START_TEST(no_guard_is_forked_beside_an_open_window) {
        struct window_result result;
        struct window *w, *second;
        pthread_t beside;

        fake_init(2);
        fake->n = 1;
        w = fake_window(LONG_USEC, LONG_USEC);
        fake->n = 2;
        fake->first = 1;
        second = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        ck_assert_uint_eq(fake->n_locks, 1);
        fake->origins[0].hangs_at = FAKE_SUSPEND;
        ck_assert_int_eq(pthread_create(&beside, NULL, prepare_beside, second), 0);
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert_int_eq(pthread_join(beside, NULL), 0);
        ck_assert_uint_eq(fake->n_locks, 3);
        window_free(w);
        window_free(second);
        ck_assert(!fake->locked);
        assert_no_children_left();
}
END_TEST

/* It would keep the guard from hearing of the crash, and the dump from being written. */
START_TEST(no_core_is_dumped_inside_a_window) {
        struct window_result result;
        struct window *w, *second;

        fake_init(2);
        ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
        w = fake_window(LONG_USEC, LONG_USEC);
        second = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        prepare(second);
        ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
        core_dump_forbid(); /* another one's */
        fake->in_ioctl = note_dumpable;
        ck_assert_int_eq(window_run(w, &result, NULL), 0);
        ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
        core_dump_allow();
        ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
        fake->origins[0].suspend_error = EIO;
        assert_run_fails(second, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/0/");
        ck_assert_uint_eq(atomic_load(&n_dumpable), 0);
        ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
        fake->in_ioctl = NULL;
        window_free(w);
        window_free(second);
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
        uint64_t since_usec;
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
        ck_assert(held_origin_find(FAKE_ORIGIN(1), &since_usec)); /* and to nobody else */
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert(FAKE_WAIT_FOR(!held_origin_find(FAKE_ORIGIN(1), &since_usec) ||
                                (fake_event(), false)));
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

/* That is enough only for an origin that keeps its table (0): a new one (1) is lost by then, and
 * what is written goes past the copy. */
START_TEST(a_resume_that_fails_is_tried_again) {
        struct window_result result;
        struct window *w;

        fake_init(2);
        if (_i == 0)
                fake_no_new_tables();
        fake->origins[1].resume_failures = _i == 0 ? 2 : 1;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        if (_i == 0)
                ck_assert_int_eq(window_run(w, &result, NULL), 0);
        else
                assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "resume /srv/1/");
        ck_assert(fake_nothing_suspended());
        window_free(w);
}
END_TEST

/* On the way forward (0) or back (1): as long as it is suspended it is noted, and tried again. */
START_TEST(a_resume_that_fails_is_tried_to_the_end) {
        char lists[] = "/tmp/test-window-XXXXXX";
        struct window *w;

        fake_init(3);
        ck_assert_ptr_nonnull(mkdtemp(lists));
        fake_suspend_lists = lists;
        fake->origins[1].resume_failures = 1000000;
        if (_i == 1)
                fake->origins[2].commit_error = EINVAL;
        w = fake_window(LONG_USEC, SHORT_USEC);
        prepare(w);
        if (_i == 0)
                assert_run_fails(
                        w, VSS_E_UNEXPECTED_PROVIDER_ERROR,
                        "resume /srv/1/: Input/output error; writes to /srv/1/ are still held");
        else
                assert_run_fails(
                        w, VSS_E_UNEXPECTED_PROVIDER_ERROR,
                        "resume /srv/2/: Invalid argument; writes to /srv/1/ are still held");
        ck_assert(!fake->origins[0].suspended && !fake->origins[2].suspended);
        w = window_free(w);
        ck_assert_int_eq(rmdir(lists), -1);
        ck_assert_int_eq(errno, ENOTEMPTY);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); /* the guard is there */
        ck_assert(fake->origins[1].suspended);

        atomic_store(&fake->origins[1].resume_failures, 0);
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert_int_eq(rmdir(lists), 0);
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

/* It is the flush that is late, also where the limit of the whole window is the nearer. */
START_TEST(a_hung_suspend_is_a_late_flush_by_either_limit) {
        struct window *w;

        fake_init(2);
        fake->origins[1].hangs_at = FAKE_SUSPEND;
        w = fake_window(LONG_USEC, SHORT_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_FLUSH_WRITES_TIMEOUT, "/srv/1/ could not be flushed within 200");
        ck_assert(!fake->origins[0].suspended);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake->origins[1].n_suspends == 1 &&
                                fake->origins[1].n_resumes > 0 && fake_nothing_suspended()));
        window_free(w);
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

/* A resume writes to the volume, whose disk may have died since its suspend. With everything
 * committed (0), or on the way back of a failure (1). */
START_TEST(a_hung_resume_does_not_hold_up_the_end) {
        bool back = _i == 1;
        struct vss_error error = { 0 };
        uint64_t begin_usec, since_usec;
        struct window *w;

        fake_init(3);
        fake->origins[1].hangs_at = FAKE_RESUME;
        if (back)
                fake->origins[2].commit_error = EIO;
        w = fake_window(LONG_USEC, 5 * SHORT_USEC);
        prepare(w);
        begin_usec = now_monotonic_usec();
        if (back)
                assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/2/");
        else
                assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "/srv/1/ are still held");
        ck_assert_uint_lt(now_monotonic_usec() - begin_usec, LONG_USEC / 2);
        ck_assert(!fake->origins[0].suspended && !fake->origins[2].suspended);
        ck_assert(fake->origins[1].suspended);
        window_free(w);

        /* Until then it is nobody else's. */
        w = fake_window(LONG_USEC, LONG_USEC);
        ck_assert_int_eq(window_prepare(w, &error), -EBUSY);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_IN_USE);
        ck_assert_ptr_nonnull(strstr(error.message, "/srv/1/ is still held"));
        vss_error_done(&error);
        window_free(w);

        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert(FAKE_WAIT_FOR(!held_origin_find(FAKE_ORIGIN(1), &since_usec) ||
                                (fake_event(), false)));
        /* The last owner, on the thread that hung, sends the guard away. */
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
}
END_TEST

/* Where a commit hangs, and then the resume that is done for it, another such row is let go all the
 * same, and long before the deadline. */
START_TEST(a_hung_take_over_does_not_hold_up_another) {
        uint64_t begin_usec;
        struct window *w;

        fake_init(4);
        fake->origins[0].hangs_at = FAKE_COMMIT;
        fake->origins[0].resume_hangs = true;
        fake->origins[1].hangs_at = FAKE_COMMIT;
        fake->origins[3].commit_error = EIO;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        begin_usec = now_monotonic_usec();
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/3/");
        ck_assert_uint_lt(now_monotonic_usec() - begin_usec, LONG_USEC / 2);
        ck_assert(!fake->origins[1].suspended && !fake->origins[2].suspended &&
                  !fake->origins[3].suspended);
        ck_assert(fake->origins[0].suspended);
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
}
END_TEST

/* Where one hangs until all have gone back, what would follow it is of an origin that takes writes
 * by then, if not of another set. */
START_TEST(a_hung_commit_is_the_last_of_its_row) {
        struct window *w;

        fake_init(2);
        fake->n_copies = 2;
        fake->origins[1].hangs_at = FAKE_COMMIT;
        w = fake_window(LONG_USEC, SHORT_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "/srv/1/");
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(fake->origins[0].n_commits, 3);
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert_uint_eq(fake->origins[1].n_commits, 1);
        ck_assert_uint_eq(fake->origins[1].n_resumes, 1);
}
END_TEST

/* Nobody answers, when it is called. */
static void *kill_guard(void *p) {
        ck_assert(FAKE_WAIT_FOR(fake->origins[1].n_commits == 1));
        ck_assert_int_eq(kill(*(pid_t *)p, SIGKILL), 0);
        return NULL;
}

static pid_t window_pid;

static void kill_guard_at_work(void) {
        if (getpid() != window_pid)
                (void)raise(SIGKILL);
}

/* The guard is killed before it is called (0), or when it has taken over and resumed nothing yet
 * (1). */
START_TEST(a_hung_commit_is_taken_over_without_a_guard) {
        pthread_t killer;
        struct window *w;
        pid_t guard;

        fake_init(3);
        fake->origins[1].hangs_at = FAKE_COMMIT;
        w = fake_window(LONG_USEC, 5 * SHORT_USEC);
        prepare(w);
        window_pid = getpid();
        guard = only_child();
        ck_assert_int_gt(guard, 0);
        if (_i == 0)
                ck_assert_int_eq(pthread_create(&killer, NULL, kill_guard, &guard), 0);
        else
                fake->in_ioctl = kill_guard_at_work;
        assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "/srv/1/");
        ck_assert(fake_nothing_suspended());
        ck_assert_int_eq(fake->origins[1].resumed_by, getpid());
        if (_i == 0)
                ck_assert_int_eq(pthread_join(killer, NULL), 0);
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert_uint_eq(fake->origins[1].n_resumes, 1);
}
END_TEST

/* It works, and sleeps: who writes to the origin waits for it, whether the origin runs or not. */
START_TEST(another_device_that_works_is_woken_for_as_long_as_it_takes) {
        struct window *w;

        init_others(1, true);
        fake->origins[0].commit_error = EIO;
        fake->origins[0].other_error = EIO;
        w = fake_window(LONG_USEC, 5 * SHORT_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/0/");
        w = window_free(w);
        ck_assert(fake->origins[0].other_suspended);
        atomic_store(&fake->origins[0].other_error, 0);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[0].other_suspended && !fake->origins[0].suspended));
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
}
END_TEST

/* Beside one that brings the origin to its new table a second could bring the old one to work. */
START_TEST(a_slow_resume_has_none_beside_it) {
        struct window *w;

        init_others(2, false);
        fake->origins[1].commit_error = EIO;
        fake->origins[0].hangs_at = FAKE_RESUME;
        w = fake_window(LONG_USEC, LONG_USEC);
        prepare(w);
        assert_run_fails(w, VSS_E_UNEXPECTED_PROVIDER_ERROR, "/srv/1/");
        w = window_free(w);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(waitpid(-1, NULL, WNOHANG) < 0 || (fake_event(), false)));
        ck_assert(fake_nothing_suspended());
        ck_assert_uint_eq(fake->origins[0].n_resumes, 1);
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
        /* The guards' helpers may be on their way out. */
        ck_assert_int_eq(alive_lock_await(path, FAKE_PATIENCE_USEC), 0);
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
        tcase_add_test(t, no_guard_is_forked_beside_an_open_window);
        tcase_add_test(t, no_core_is_dumped_inside_a_window);
        tcase_add_test(t, a_failed_suspend_turns_all_back);
        tcase_add_test(t, a_frozen_file_system_is_named_as_such);
        tcase_add_test(t, a_failed_commit_turns_all_back);
        tcase_add_loop_test(t, the_way_back_leaves_one_of_two_devices_at_work, 0, 2);
        tcase_add_test(t, the_way_back_before_the_other_has_worked_drops_its_table);
        tcase_add_test(t, an_origin_goes_back_if_the_other_device_does_not_wake);
        tcase_add_loop_test(t, a_hung_change_over_is_left_to_its_thread, 0, 2);
        tcase_add_test(t, the_good_end_leaves_the_other_device_alone);
        tcase_add_test(t, inactive_tables_stay_where_the_row_has_none);
        tcase_add_loop_test(t, a_resume_that_fails_is_tried_again, 0, 2);
        tcase_add_loop_test(t, a_resume_that_fails_is_tried_to_the_end, 0, 2);
        tcase_add_loop_test(t, a_hung_suspend_does_not_hold_up_the_others, 0, 2);
        tcase_add_test(t, a_hung_suspend_is_a_late_flush_by_either_limit);
        tcase_add_test(t, a_hung_commit_is_taken_over);
        tcase_add_loop_test(t, a_hung_resume_does_not_hold_up_the_end, 0, 2);
        tcase_add_test(t, a_hung_take_over_does_not_hold_up_another);
        tcase_add_test(t, a_hung_commit_is_the_last_of_its_row);
        tcase_add_loop_test(t, a_hung_commit_is_taken_over_without_a_guard, 0, 2);
        tcase_add_test(t, another_device_that_works_is_woken_for_as_long_as_it_takes);
        tcase_add_test(t, a_slow_resume_has_none_beside_it);
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
