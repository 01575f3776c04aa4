/* See parallel.h. A pass lives on its caller's stack: the threads are joined before it goes. */

#include "daemon/job/parallel.h"
#include "common/thread.h"

#include <pthread.h>
#include <stdatomic.h>

/* The caller's among them. More would wait for the same disks. */
#define THREADS_MAX 16

struct pass {
        size_t n;
        parallel_fn work;
        void *userdata;
        atomic_size_t next;
        atomic_bool failed;

        pthread_mutex_t mutex; /* the rest */
        size_t failed_index;
        int result;
        struct vss_error error;
};

static void pass_fail(struct pass *p, size_t i, int r, struct vss_error *error) {
        (void)pthread_mutex_lock(&p->mutex);
        if (p->result == 0 || i < p->failed_index) {
                vss_error_done(&p->error);
                vss_error_move(&p->error, error);
                p->failed_index = i;
                p->result = r;
        }
        (void)pthread_mutex_unlock(&p->mutex);
        atomic_store(&p->failed, true);
}

static void *pass_thread(void *userdata) {
        struct pass *p = userdata;

        while (!atomic_load(&p->failed)) {
                struct vss_error error = { 0 };
                size_t i = atomic_fetch_add(&p->next, 1);
                int r;

                if (i >= p->n)
                        break;
                r = p->work(i, p->userdata, &error);
                if (r < 0)
                        pass_fail(p, i, r, &error);
                vss_error_done(&error);
        }
        return NULL;
}

/* How many were started; the caller does what they do not. */
static size_t start_threads(struct pass *p, pthread_t *threads, size_t n) {
        size_t started = 0;

        while (started < n &&
               thread_start(&threads[started], THREAD_STACK_BYTES, pass_thread, p) == 0)
                started++;
        return started;
}

int parallel_each(size_t n, parallel_fn work, void *userdata, struct vss_error *reterr) {
        struct pass p = {
                .n = n,
                .work = work,
                .userdata = userdata,
                .mutex = PTHREAD_MUTEX_INITIALIZER,
        };
        pthread_t threads[THREADS_MAX - 1];
        size_t n_threads = 0;

        if (n > 1)
                n_threads = start_threads(&p, threads, n < THREADS_MAX ? n - 1 : THREADS_MAX - 1);
        (void)pass_thread(&p);
        for (size_t i = 0; i < n_threads; i++)
                (void)pthread_join(threads[i], NULL);
        (void)pthread_mutex_destroy(&p.mutex);
        if (p.result < 0)
                vss_error_move(reterr, &p.error);
        return p.result;
}
