/* One pass over the volumes is an object shared by the caller and its threads; whoever lets go of
 * it last frees it, because a sync may go on long after nobody waits for it any more. All tasks
 * that run are in one list, so that a file system has one of them at most: who asks again for one
 * that hangs does not leave another thread hanging in it. */

#include "daemon/coordinator/flush.h"

#include "common/thread.h"
#include "common/time-util.h"
#include "daemon/log/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

struct pass;

struct sync_task {
        struct pass *pass;
        struct sync_task *next; /* of those that run */
        dev_t file_system;
        pthread_t thread;
        bool started;
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

/* Its mutex is taken for moments and inside no other. */
static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct sync_task *first;
} under_way = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool is_under_way(dev_t file_system) {
        for (const struct sync_task *t = under_way.first; t; t = t->next)
                if (t->file_system == file_system)
                        return true;
        return false;
}

static void under_way_add(struct sync_task *t) {
        (void)pthread_mutex_lock(&under_way.mutex);
        t->next = under_way.first;
        under_way.first = t;
        (void)pthread_mutex_unlock(&under_way.mutex);
}

static void under_way_remove(struct sync_task *t) {
        (void)pthread_mutex_lock(&under_way.mutex);
        for (struct sync_task **p = &under_way.first; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        (void)pthread_cond_broadcast(&under_way.changed);
        (void)pthread_mutex_unlock(&under_way.mutex);
}

static struct timespec timespec_of(uint64_t usec) {
        return (struct timespec){
                .tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000,
        };
}

/* Until no earlier pass, of a set that was given up, is at the file system any more. */
static int under_way_await(dev_t file_system, uint64_t deadline_usec) {
        const struct timespec until = timespec_of(deadline_usec);
        int r = 0;

        (void)pthread_mutex_lock(&under_way.mutex);
        while (r == 0 && is_under_way(file_system))
                r = pthread_cond_clockwait(&under_way.changed, &under_way.mutex, CLOCK_MONOTONIC,
                                           &until);
        (void)pthread_mutex_unlock(&under_way.mutex);
        return -r;
}

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
                struct stat st;

                if (volumes[i].fd < 0)
                        continue;
                *t = (struct sync_task){ .pass = p, .fd = -1, .index = i };
                p->n_tasks++;
                t->name = strdup(volumes[i].name);
                t->fd = fcntl(volumes[i].fd, F_DUPFD_CLOEXEC, 3);
                if (!t->name || t->fd < 0)
                        return t->name ? -errno : -ENOMEM;
                if (fstat(t->fd, &st) < 0)
                        return -errno;
                t->file_system = st.st_dev;
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

        under_way_remove(t);
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
        int r;

        (void)pthread_mutex_lock(&p->mutex);
        p->refs++;
        p->n_pending++;
        (void)pthread_mutex_unlock(&p->mutex);
        under_way_add(t);
        r = thread_start(&t->thread, THREAD_SMALL_STACK_BYTES, sync_thread, t);
        t->started = r == 0;
        if (r < 0) {
                under_way_remove(t);
                (void)pthread_mutex_lock(&p->mutex);
                p->refs--;
                p->n_pending--;
                (void)pthread_mutex_unlock(&p->mutex);
        }
        return r;
}

static int say_late(const struct sync_task *late, uint64_t timeout_usec, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_FLUSH_WRITES_TIMEOUT, ETIMEDOUT,
                             "Volume %s could not be flushed within %.1f s: its storage is slow or "
                             "hangs; try again when it answers, or less is written to it",
                             late->name, (double)timeout_usec / USEC_PER_SEC);
}

static int pass_wait(struct pass *p, uint64_t deadline_usec, uint64_t timeout_usec,
                     struct vss_error *reterr) {
        const struct timespec until = timespec_of(deadline_usec);
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
        return say_late(late, timeout_usec, reterr);
}

static int pass_await_others(const struct pass *p, uint64_t deadline_usec, uint64_t timeout_usec,
                             struct vss_error *reterr) {
        for (size_t i = 0; i < p->n_tasks; i++)
                if (under_way_await(p->tasks[i].file_system, deadline_usec) < 0)
                        return say_late(&p->tasks[i], timeout_usec, reterr);
        return 0;
}

/* What is done is over then, to the last of its thread: the window may come next, and nobody but
 * its own threads closes, frees or unmaps anything in there. What is late goes its own way. */
static void pass_part(struct pass *p) {
        for (size_t i = 0; i < p->n_tasks; i++) {
                struct sync_task *t = &p->tasks[i];
                bool done;

                if (!t->started)
                        continue;
                (void)pthread_mutex_lock(&p->mutex);
                done = t->done;
                (void)pthread_mutex_unlock(&p->mutex);
                /* Neither fails for a thread that is ours and neither joined nor detached. */
                if (done)
                        (void)pthread_join(t->thread, NULL);
                else
                        (void)pthread_detach(t->thread);
        }
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
        if (r >= 0) {
                r = pass_await_others(p, deadline_usec, timeout_usec, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; r >= 0 && i < p->n_tasks; i++)
                r = task_start(&p->tasks[i]);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r, "Flushing the volumes");
        else
                r = pass_wait(p, deadline_usec, timeout_usec, reterr);
        if (p) {
                pass_part(p);
                pass_tell(p, volumes, number);
        }
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
