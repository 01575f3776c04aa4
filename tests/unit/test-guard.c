/* The guard of the write-freeze window, over a fake device-mapper: what was suspended is resumed
 * when the daemon dies, is stopped or hangs, and by nobody else. */

#include "common/alive-lock.h"
#include "window-checks.h"
#include <sys/prctl.h>
#include <time.h>

static void pause_msec(unsigned msec) {
        const struct timespec pause = { .tv_sec = msec / 1000,
                                        .tv_nsec = (long)(msec % 1000) * 1000000 };

        ck_assert_int_eq(nanosleep(&pause, NULL), 0);
}

/* Its window does not return: something of it hangs in the fake kernel. */
static pid_t start_daemon_that_hangs(uint64_t flush_usec, uint64_t hold_usec) {
        pid_t daemon = fork();

        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(flush_usec, hold_usec);
                struct window_result result;

                prepare(w);
                (void)window_run(w, &result, NULL);
                _exit(1);
        }
        return daemon;
}

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

/* Stopped for as long as that takes, inside its window (0), or when it has given up that suspend
 * (1): a thread that cannot run undoes nothing. */
START_TEST(a_suspend_that_completes_in_a_stopped_daemon_is_undone) {
        pid_t daemon;

        fake_init(2);
        fake->origins[1].hangs_at = FAKE_SUSPEND;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(_i == 0 ? LONG_USEC : SHORT_USEC,
                                               _i == 0 ? SHORT_USEC : LONG_USEC);
                struct window_result result;

                prepare(w);
                (void)window_run(w, &result, NULL);
                (void)pause();
                _exit(1);
        }
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].suspended));
        if (_i == 1)
                ck_assert(FAKE_WAIT_FOR(fake->origins[0].n_resumes == 1));
        else
                ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
        pause_msec(3000); /* longer than a second set, and than any number of quick rounds */
        ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
        ck_assert(!fake->origins[0].suspended);
        ck_assert_uint_eq(fake->origins[1].n_resumes, 0);
        atomic_store(&fake->origins[1].suspended, true);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended));
        ck_assert_int_ne(fake->origins[1].resumed_by, daemon);
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
}
END_TEST

/* What another program suspends once the guard has seen it running is that program's. */
START_TEST(the_guard_resumes_for_a_stopped_daemon_once) {
        int status;
        pid_t daemon;

        fake_init(2);
        fake->origins[0].stops_at = FAKE_COMMIT;
        daemon = start_daemon_that_hangs(LONG_USEC, SHORT_USEC);
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        pause_msec(300);
        atomic_store(&fake->origins[1].suspended, true);
        pause_msec(1000);
        ck_assert(fake->origins[1].suspended);
        ck_assert_uint_eq(fake->origins[1].n_resumes, 1);
        atomic_store(&fake->origins[1].suspended, false);
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
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
        daemon = start_daemon_that_hangs(LONG_USEC, 6 * LONG_USEC);
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
        daemon = start_daemon_that_hangs(LONG_USEC, 6 * LONG_USEC);
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

/* The same with a daemon that does not run: the guard comes back to it for as long as that takes,
 * and the origin goes on over the other device. So from before (0) that has its table to the end of
 * its waking (1). Another origin is not kept waiting. */
START_TEST(the_guard_waits_longer_than_its_rounds_for_a_change_over) {
        int status;
        pid_t daemon;

        init_others(2, false);
        fake->origins[0].stops_at = _i == 0 ? FAKE_OTHER_SWAP : FAKE_OTHER_COMMIT;
        daemon = start_daemon_that_hangs(LONG_USEC, SHORT_USEC);
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended));
        pause_msec(3000);
        ck_assert(fake->origins[0].suspended);
        /* The kernel comes to its end. */
        atomic_store(&fake->origins[0].other_live_table, true);
        atomic_store(&fake->origins[0].other_suspended, false);
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_uint_eq(fake->origins[0].n_clears, 0);
        ck_assert(!fake->two_at_work);
        ck_assert_int_ne(fake->origins[0].resumed_by, daemon);
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
}
END_TEST

/* Stopped in one commit it does not go on with the next when the guard has let the origin go. */
START_TEST(a_daemon_that_goes_on_commits_no_more) {
        int status;
        pid_t daemon;

        fake_init(2);
        fake->n_copies = 2;
        fake->origins[0].stops_at = FAKE_COMMIT;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, SHORT_USEC);

                prepare(w);
                assert_run_fails(w, VSS_E_HOLD_WRITES_TIMEOUT, "held for more than 200 ms");
                window_free(w);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_int_eq(kill(daemon, SIGCONT), 0);
        ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_uint_eq(fake->origins[0].n_commits, 1);
        ck_assert(fake_nothing_suspended());
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

/* Only of a device that does not exist it is known that it is not suspended. */
START_TEST(the_guard_asks_again_what_it_could_not_learn) {
        pid_t daemon;

        fake_init(3);
        fake->origins[0].hangs_at = FAKE_COMMIT;
        daemon = start_daemon_that_hangs(LONG_USEC, 6 * LONG_USEC);
        ck_assert(FAKE_WAIT_FOR(fake->origins[1].committed && fake->origins[2].committed));
        fake->origins[1].status_error = ENOMEM;
        fake->origins[2].status_error = ENXIO;
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[0].suspended));
        pause_msec(300);
        ck_assert(fake->origins[1].suspended);
        atomic_store(&fake->origins[1].status_error, 0);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended));
        ck_assert(fake->origins[2].suspended); /* the fake's notion of what is gone */
}
END_TEST

/* A resume writes to its volume: where that hangs, the other volumes do not wait for it, wherever
 * in the set they are. Once the guard has done what can be done it leaves the rest to the hung. */
START_TEST(the_guard_does_not_wait_for_a_resume_that_hangs) {
        pid_t daemon;

        fake_init(4);
        fake->origins[0].hangs_at = FAKE_RESUME;
        fake->origins[2].hangs_at = FAKE_COMMIT;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        daemon = start_daemon_that_hangs(LONG_USEC, 6 * LONG_USEC);
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed && fake->origins[1].committed &&
                                fake->origins[3].committed));
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert(FAKE_WAIT_FOR(!fake->origins[1].suspended && !fake->origins[2].suspended &&
                                !fake->origins[3].suspended));
        ck_assert(fake->origins[0].suspended);
        ck_assert_uint_eq(fake->origins[0].n_clears, 1);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        reap_orphans();
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
        reap_orphans();
        ck_assert_uint_eq(fake->origins[0].n_resumes + fake->origins[1].n_resumes, 0);
        ck_assert_uint_eq(fake->origins[0].n_clears + fake->origins[1].n_clears, 0);
}
END_TEST

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
        daemon = start_daemon_that_hangs(LONG_USEC, 6 * LONG_USEC);
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed));
        ck_assert_int_eq(alive_lock_await(path, 0), -ETIMEDOUT);
        atomic_store(&fake->origins[1].hangs_at, FAKE_NOWHERE); /* not for the guard */
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert_int_eq(alive_lock_await(path, FAKE_PATIENCE_USEC), 0);
        ck_assert(fake_nothing_suspended());
        reap_orphans();
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* Its rounds are over in a few seconds, and what it has told a helper to do is not done then. */
START_TEST(the_guard_does_not_end_before_a_resume_that_hangs) {
        char path[32];
        pid_t daemon;

        fake_init(2);
        fake->origins[0].hangs_at = FAKE_RESUME;
        fake->origins[1].hangs_at = FAKE_COMMIT;
        guard_lock_make(path);
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        daemon = start_daemon_that_hangs(6 * LONG_USEC, 6 * LONG_USEC);
        ck_assert(FAKE_WAIT_FOR(fake->origins[0].committed));
        ck_assert_int_eq(kill(daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        ck_assert_int_eq(alive_lock_await(path, LONG_USEC / 2), -ETIMEDOUT);
        ck_assert(fake->origins[0].suspended);
        fake_release();
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        reap_orphans();
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

/* All is committed when the daemon is stopped, and the guard's first resume fails, in which the
 * kernel drops the new table: the copy is not told of what is written then. */
START_TEST(a_set_that_the_guard_resumed_is_not_good) {
        int status;
        pid_t daemon;

        fake_init(2);
        fake->origins[0].stops_at = FAKE_RESUME;
        fake->origins[0].resume_failures = 1;
        daemon = fork();
        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct window *w = fake_window(LONG_USEC, SHORT_USEC);
                struct window_result result;
                int r;

                prepare(w);
                r = window_run(w, &result, NULL);
                window_free(w);
                _exit(r >= 0 ? 42 : 43);
        }
        ck_assert_int_eq(waitpid(daemon, &status, WUNTRACED), daemon);
        ck_assert(WIFSTOPPED(status));
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
        ck_assert_int_eq(fake->origins[0].resume_failures, 0);
        ck_assert_int_eq(kill(daemon, SIGCONT), 0);
        ck_assert_int_eq(waitpid(daemon, &status, 0), daemon);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 43);
}
END_TEST

int main(void) {
        Suite *s = suite_create("guard");
        TCase *t = tcase_create("guard");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, the_guard_goes_back_where_a_change_over_died);
        tcase_add_loop_test(t, the_guard_waits_longer_than_its_rounds_for_a_change_over, 0, 2);
        tcase_add_test(t, a_daemon_that_goes_on_wakes_no_second_device);
        tcase_add_test(t, a_daemon_that_goes_on_commits_no_more);
        tcase_add_test(t, a_hung_suspend_is_undone_by_the_guard_when_the_daemon_dies);
        tcase_add_loop_test(t, a_suspend_that_completes_in_a_stopped_daemon_is_undone, 0, 2);
        tcase_add_test(t, the_guard_resumes_for_a_stopped_daemon_once);
        tcase_add_test(t, the_guard_fires_for_a_stopped_daemon);
        tcase_add_test(t, a_set_that_the_guard_resumed_is_not_good);
        tcase_add_loop_test(t, the_guard_resumes_when_the_daemon_dies, 0, 2);
        tcase_add_test(t, the_guard_asks_again_what_it_could_not_learn);
        tcase_add_test(t, the_guard_does_not_wait_for_a_resume_that_hangs);
        tcase_add_test(t, the_guard_does_nothing_when_the_daemon_dies_before_the_window);
        tcase_add_test(t, the_guard_holds_its_lock_to_its_end);
        tcase_add_test(t, the_guard_does_not_end_before_a_resume_that_hangs);
        tcase_add_test(t, without_its_lock_no_guard_is_made);
        tcase_add_test(t, without_its_guard_the_window_stays_shut);
        tcase_add_test(t, the_guard_ignores_signals_that_stop_a_service);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
