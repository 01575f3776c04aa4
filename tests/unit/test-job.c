/* Jobs: run() on a worker, done() once on the loop, progress before it, cancelling is a wish. */

#include "daemon/job/job.h"
#include "daemon/job/run-program.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

struct fixture {
        sd_event *event;
        pthread_t loop_thread, worker_thread;
        unsigned n_done;
        int result;
        HRESULT hr;
        char message[128];
        const char *phases[8];
        size_t n_phases;
        pthread_barrier_t barrier;
};

static void on_done(void *userdata, int r, struct vss_error *error) {
        struct fixture *f = userdata;

        ck_assert(pthread_equal(pthread_self(), f->loop_thread));
        f->n_done++;
        f->result = r;
        f->hr = error->hr;
        (void)snprintf(f->message, sizeof(f->message), "%s", str_or_empty(error->message));
        ck_assert_int_ge(sd_event_exit(f->event, 0), 0);
}

static void on_progress(void *userdata, const char *phase) {
        struct fixture *f = userdata;

        ck_assert(pthread_equal(pthread_self(), f->loop_thread));
        ck_assert_uint_eq(f->n_done, 0);
        ck_assert_uint_lt(f->n_phases, ARRAY_SIZE(f->phases));
        f->phases[f->n_phases++] = phase;
}

static void fixture_init(struct fixture *f) {
        *f = (struct fixture){ .loop_thread = pthread_self() };
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(pthread_barrier_init(&f->barrier, NULL, 2), 0);
}

static void fixture_done(struct fixture *f) {
        sd_event_unref(f->event);
        ck_assert_int_eq(pthread_barrier_destroy(&f->barrier), 0);
}

static int run_fails(struct job *job, void *userdata, struct vss_error *reterr) {
        struct fixture *f = userdata;

        f->worker_thread = pthread_self();
        job_report(job, "first");
        job_report(job, "second");
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC, "The group %s is full",
                             "vg");
}

START_TEST(result_error_and_phases_arrive_on_the_loop) {
        struct fixture f;
        struct job *job = NULL;

        fixture_init(&f);
        ck_assert_uint_eq(job_count(), 0);
        ck_assert_int_ge(job_start(&job, f.event, "fails", run_fails, on_done, &f), 0);
        job_set_progress(job, on_progress);
        ck_assert_uint_eq(job_count(), 1);
        ck_assert_int_ge(sd_event_loop(f.event), 0);

        ck_assert_uint_eq(f.n_done, 1);
        ck_assert_uint_eq(job_count(), 0);
        ck_assert(!pthread_equal(f.worker_thread, f.loop_thread));
        ck_assert_int_eq(f.result, -ENOSPC);
        ck_assert_int_eq(f.hr, VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_str_eq(f.message, "The group vg is full");
        ck_assert_uint_eq(f.n_phases, 2);
        ck_assert_str_eq(f.phases[0], "first");
        ck_assert_str_eq(f.phases[1], "second");
        fixture_done(&f);
}
END_TEST

static int run_until_cancelled(struct job *job, void *userdata, struct vss_error *reterr _unused_) {
        struct fixture *f = userdata;
        bool before = job_is_cancelled(job);

        /* Once for "running", once for "the loop has cancelled". */
        (void)pthread_barrier_wait(&f->barrier);
        (void)pthread_barrier_wait(&f->barrier);
        return !before && job_is_cancelled(job) ? -ECANCELED : 0;
}

START_TEST(a_cancelled_job_is_told_and_still_ends_once) {
        struct fixture f;
        struct job *job = NULL;

        fixture_init(&f);
        ck_assert_int_ge(job_start(&job, f.event, "cancelled", run_until_cancelled, on_done, &f),
                         0);
        (void)pthread_barrier_wait(&f.barrier);
        job_cancel(job);
        (void)pthread_barrier_wait(&f.barrier);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_done, 1);
        ck_assert_int_eq(f.result, -ECANCELED);
        fixture_done(&f);
}
END_TEST

static int run_reports_much(struct job *job, void *userdata _unused_,
                            struct vss_error *reterr _unused_) {
        static const char *const names[] = { "a", "b" };

        for (size_t i = 0; i < 1000; i++)
                job_report(job, names[i % 2]);
        return 0;
}

static void on_progress_counted(void *userdata, const char *phase _unused_) {
        struct fixture *f = userdata;

        ck_assert_uint_eq(f->n_done, 0);
        f->n_phases++;
}

START_TEST(a_loop_that_lags_misses_phases_but_not_the_end) {
        struct fixture f;
        struct job *job = NULL;

        fixture_init(&f);
        ck_assert_int_ge(job_start(&job, f.event, "chatty", run_reports_much, on_done, &f), 0);
        job_set_progress(job, on_progress_counted);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_done, 1);
        ck_assert_uint_ge(f.n_phases, 1);
        ck_assert_uint_le(f.n_phases, 1000);
        fixture_done(&f);
}
END_TEST

static unsigned n_many_done;
static int run_nothing(struct job *job _unused_, void *userdata _unused_,
                       struct vss_error *reterr _unused_) {
        sigset_t blocked;

        if (pthread_sigmask(SIG_SETMASK, NULL, &blocked) != 0)
                return -EIO;
        return sigismember(&blocked, SIGTERM) ? 7 : -EIO;
}

static void on_one_of_many(void *userdata, int r, struct vss_error *error _unused_) {
        ck_assert_int_eq(r, 7);
        if (++n_many_done == 20)
                ck_assert_int_ge(sd_event_exit(userdata, 0), 0);
}

START_TEST(many_jobs_at_once_take_no_signals) {
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 20; i++)
                ck_assert_int_ge(
                        job_start(NULL, f.event, "many", run_nothing, on_one_of_many, f.event), 0);
        ck_assert_uint_eq(job_count(), 20);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(n_many_done, 20);
        ck_assert_uint_eq(job_count(), 0);
        fixture_done(&f);
}
END_TEST

START_TEST(what_a_program_prints) {
        const uint64_t patience_usec = 60 * UINT64_C(1000000);
        char *const good[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
                               (char[]){ "echo one; echo; echo two >&2; printf three" }, NULL };
        char *const silent[] = { (char[]){ "/bin/true" }, NULL };
        char *const bad[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
                              (char[]){ "echo first; echo last; exit 1" }, NULL };
        char *const endless[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
                                  (char[]){ "while :; do echo again and again; done" }, NULL };
        struct vss_error error = { 0 };
        char *output = NULL;

        ck_assert_int_eq(run_program_output(good, patience_usec, &output, NULL), 0);
        ck_assert_str_eq(output, "one\n\ntwo\nthree");
        free(output);
        ck_assert_int_eq(run_program_output(silent, patience_usec, &output, NULL), 0);
        ck_assert_str_eq(output, "");
        free(output);
        output = NULL;
        ck_assert_int_lt(run_program_output(bad, patience_usec, &output, &error), 0);
        ck_assert_str_eq(error.message, "/bin/sh failed: last");
        vss_error_done(&error);
        ck_assert_int_eq(run_program_output(endless, patience_usec, &output, &error), -E2BIG);
        vss_error_done(&error);
        ck_assert_ptr_null(output);
}
END_TEST

int main(void) {
        Suite *s = suite_create("job");
        TCase *c = tcase_create("job");
        SRunner *runner;
        int failed;

        tcase_add_test(c, result_error_and_phases_arrive_on_the_loop);
        tcase_add_test(c, a_cancelled_job_is_told_and_still_ends_once);
        tcase_add_test(c, a_loop_that_lags_misses_phases_but_not_the_end);
        tcase_add_test(c, many_jobs_at_once_take_no_signals);
        tcase_add_test(c, what_a_program_prints);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
