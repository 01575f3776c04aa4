/* One pass over the volumes is an object shared by the caller and its threads; whoever lets go of
 * it last frees it, because a sync may go on long after nobody waits for it any more. */

#include "daemon/coordinator/flush.h"

#include "common/time-util.h"
#include "daemon/log/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#define FLUSH_STACK_BYTES (64U * 1024U)

struct pass;

struct sync_task {
        struct pass *pass;
        int fd; /* our own */
        char *name;
        size_t index; /* of its volume */
        bool done;
        uint64_t begin_usec, end_usec;
};

struct pass {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        unsigned refs;
        size_t n_tasks, n_pending;
        int (*sync)(int fd);
        struct sync_task tasks[];
};

static void pass_unref(struct pass *p) {
        bool last;

        (void)pthread_mutex_lock(&p->mutex);
        last = --p->refs == 0;
        (void)pthread_mutex_unlock(&p->mutex);
        if (!last)
                return;
        for (size_t i = 0; i < p->n_tasks; i++) {
                p->tasks[i].fd = safe_close(p->tasks[i].fd);
                free(p->tasks[i].name);
        }
        (void)pthread_cond_destroy(&p->changed);
        (void)pthread_mutex_destroy(&p->mutex);
        free(p);
}

static void pass_unrefp(struct pass **p) {
        if (*p)
                pass_unref(*p);
}

static int pass_new(struct pass **ret, const struct flush_volume *volumes, size_t n,
                    int (*sync)(int fd)) {
        _cleanup_(pass_unrefp) struct pass *p = NULL;
        pthread_condattr_t attr;

        p = calloc(1, sizeof(*p) + n * sizeof(*p->tasks));
        if (!p)
                return -ENOMEM;
        (void)pthread_mutex_init(&p->mutex, NULL);
        (void)pthread_condattr_init(&attr);
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&p->changed, &attr);
        (void)pthread_condattr_destroy(&attr);
        p->refs = 1;
        p->sync = sync;
        for (size_t i = 0; i < n; i++) {
                struct sync_task *t = &p->tasks[p->n_tasks];

                if (volumes[i].fd < 0)
                        continue;
                *t = (struct sync_task){ .pass = p, .fd = -1, .index = i };
                p->n_tasks++;
                t->name = strdup(volumes[i].name);
                t->fd = fcntl(volumes[i].fd, F_DUPFD_CLOEXEC, 3);
                if (!t->name || t->fd < 0)
                        return t->name ? -errno : -ENOMEM;
        }
        *ret = TAKE_PTR(p);
        return 0;
}

static void *sync_thread(void *userdata) {
        struct sync_task *t = userdata;
        struct pass *p = t->pass;
        uint64_t begin_usec = now_monotonic_usec();

        /* A write error that the kernel reports here is older than the snapshot and is the
         * volume's, not ours: a disk that begins to fail is what backups are for. */
        if (p->sync(t->fd) < 0)
                log_warning("Flushing %s: %s; the copy is made all the same", t->name,
                            strerror(errno));

        (void)pthread_mutex_lock(&p->mutex);
        t->begin_usec = begin_usec;
        t->end_usec = now_monotonic_usec();
        t->done = true;
        p->n_pending--;
        (void)pthread_cond_broadcast(&p->changed);
        (void)pthread_mutex_unlock(&p->mutex);
        pass_unref(p);
        return NULL;
}

static int task_start(struct sync_task *t) {
        struct pass *p = t->pass;
        pthread_attr_t attr;
        sigset_t all, before;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attr);
        if (r != 0)
                return -r;
        (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        /* A size that the system refuses leaves the default: larger, and as good. */
        (void)pthread_attr_setstacksize(&attr, FLUSH_STACK_BYTES);
        (void)pthread_mutex_lock(&p->mutex);
        p->refs++;
        p->n_pending++;
        (void)pthread_mutex_unlock(&p->mutex);
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, &attr, sync_thread, t);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void)pthread_attr_destroy(&attr);
        if (r != 0) {
                (void)pthread_mutex_lock(&p->mutex);
                p->refs--;
                p->n_pending--;
                (void)pthread_mutex_unlock(&p->mutex);
        }
        return -r;
}

static int pass_wait(struct pass *p, uint64_t deadline_usec, uint64_t timeout_usec,
                     struct vss_error *reterr) {
        const struct timespec until = {
                .tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000,
        };
        const struct sync_task *late = NULL;
        int r = 0;

        (void)pthread_mutex_lock(&p->mutex);
        while (p->n_pending > 0 && r == 0)
                r = pthread_cond_timedwait(&p->changed, &p->mutex, &until);
        for (size_t i = 0; p->n_pending > 0 && i < p->n_tasks && !late; i++)
                if (!p->tasks[i].done)
                        late = &p->tasks[i];
        (void)pthread_mutex_unlock(&p->mutex);
        if (!late)
                return 0;
        return vss_error_set(reterr, VSS_E_FLUSH_WRITES_TIMEOUT, ETIMEDOUT,
                             "Volume %s could not be flushed within %.1f s; try again when less is "
                             "written to it",
                             late->name, (double)timeout_usec / USEC_PER_SEC);
}

/* When the volumes were flushed; of those that go on nobody knows yet. */
static void pass_tell(struct pass *p, struct flush_volume *volumes, unsigned number) {
        (void)pthread_mutex_lock(&p->mutex);
        for (size_t i = 0; i < p->n_tasks; i++) {
                const struct sync_task *t = &p->tasks[i];

                if (!t->done)
                        continue;
                volumes[t->index].begin_usec[number] = t->begin_usec;
                volumes[t->index].end_usec[number] = t->end_usec;
        }
        (void)pthread_mutex_unlock(&p->mutex);
}

static int flush_once(struct flush_volume *volumes, size_t n, unsigned number,
                      uint64_t deadline_usec, uint64_t timeout_usec, int (*sync)(int fd),
                      struct vss_error *reterr) {
        _cleanup_(pass_unrefp) struct pass *p = NULL;
        int r;

        r = pass_new(&p, volumes, n, sync);
        for (size_t i = 0; r >= 0 && i < p->n_tasks; i++)
                r = task_start(&p->tasks[i]);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Flushing the volumes");
        r = pass_wait(p, deadline_usec, timeout_usec, reterr);
        pass_tell(p, volumes, number);
        return r;
}

int flush_volumes(struct flush_volume *volumes, size_t n, unsigned passes, uint64_t timeout_usec,
                  int (*sync)(int fd), struct vss_error *reterr) {
        uint64_t deadline_usec = now_monotonic_usec() + timeout_usec;
        int r = 0;

        assert(passes <= FLUSH_PASSES_MAX);

        for (unsigned i = 0; r >= 0 && i < passes; i++)
                r = flush_once(volumes, n, i, deadline_usec, timeout_usec, sync, reterr);
        return r;
}
