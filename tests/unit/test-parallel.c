/* The same work for several things: each once, side by side, and an end at the first failure. */

#include "daemon/job/parallel.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define MANY 100

struct fixture {
        atomic_uint calls[MANY];
        pthread_barrier_t barrier;
        size_t fails_from;
};

static int count(size_t i, void *userdata, struct vss_error *reterr _unused_) {
        struct fixture *f = userdata;

        atomic_fetch_add(&f->calls[i], 1);
        return 0;
}

START_TEST(each_index_once) {
        static const size_t sizes[] = { 0, 1, 2, 15, 16, 17, MANY };
        struct vss_error error = { 0 };

        for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
                struct fixture f = { 0 };

                ck_assert_int_eq(parallel_each(sizes[k], count, &f, &error), 0);
                for (size_t i = 0; i < MANY; i++)
                        ck_assert_uint_eq(atomic_load(&f.calls[i]), i < sizes[k] ? 1 : 0);
        }
        ck_assert_int_eq(error.hr, S_OK);
}
END_TEST

/* One after the other would never pass the barrier. */
static int meet(size_t i _unused_, void *userdata, struct vss_error *reterr _unused_) {
        struct fixture *f = userdata;

        (void)pthread_barrier_wait(&f->barrier);
        return 0;
}

START_TEST(side_by_side) {
        struct vss_error error = { 0 };
        struct fixture f = { 0 };

        ck_assert_int_eq(pthread_barrier_init(&f.barrier, NULL, 8), 0);
        ck_assert_int_eq(parallel_each(8, meet, &f, &error), 0);
        ck_assert_int_eq(pthread_barrier_destroy(&f.barrier), 0);
}
END_TEST

static int fail_from(size_t i, void *userdata, struct vss_error *reterr) {
        struct fixture *f = userdata;

        atomic_fetch_add(&f->calls[i], 1);
        if (i < f->fails_from)
                return 0;
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO, "number %zu fails", i);
}

START_TEST(a_failure_ends_it) {
        struct vss_error error = { 0 };
        struct fixture f = { .fails_from = 20 };
        unsigned calls = 0;

        ck_assert_int_eq(parallel_each(MANY, fail_from, &f, &error), -EIO);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(error.message, "number 20 fails");
        for (size_t i = 0; i < MANY; i++)
                calls += atomic_load(&f.calls[i]);
        /* The twenty before it, and at most one more in each of the threads. */
        ck_assert_uint_ge(calls, 21);
        ck_assert_uint_le(calls, 36);
        vss_error_done(&error);
}
END_TEST

/* Not whichever came first. */
static int meet_and_fail(size_t i, void *userdata, struct vss_error *reterr) {
        struct fixture *f = userdata;

        (void)pthread_barrier_wait(&f->barrier);
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO, "number %zu fails", i);
}

START_TEST(the_lowest_failure_is_told) {
        for (unsigned round = 0; round < 50; round++) {
                struct vss_error error = { 0 };
                struct fixture f = { 0 };

                ck_assert_int_eq(pthread_barrier_init(&f.barrier, NULL, 4), 0);
                ck_assert_int_eq(parallel_each(4, meet_and_fail, &f, &error), -EIO);
                ck_assert_int_eq(pthread_barrier_destroy(&f.barrier), 0);
                ck_assert_str_eq(error.message, "number 0 fails");
                vss_error_done(&error);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("parallel");
        TCase *tc = tcase_create("core");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, each_index_once);
        tcase_add_test(tc, side_by_side);
        tcase_add_test(tc, a_failure_ends_it);
        tcase_add_test(tc, the_lowest_failure_is_told);
        suite_add_tcase(s, tc);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? 0 : 1;
}
