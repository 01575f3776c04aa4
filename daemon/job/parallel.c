/* See parallel.h. A pass lives on its caller's stack: the threads are joined before it goes. */

#include "daemon/job/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* The caller's among them. More would wait for the same disks. */
#define THREADS_MAX 16
/* As a job's: the window locks all memory of the process, and whoever asks for a group's or a
 * user's name needs some. */
#define STACK_BYTES (512U * 1024U)

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
        pthread_attr_t attr;
        sigset_t all, before;

        if (pthread_attr_init(&attr) != 0)
                return 0;
        /* A size that the system refuses leaves the default: larger, and as good. */
        (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
        /* Signals are the loop's: a worker takes none. */
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        while (started < n && pthread_create(&threads[started], &attr, pass_thread, p) == 0)
                started++;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void)pthread_attr_destroy(&attr);
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
