/* A job: a thread, an eventfd through which it knocks at the loop, and a mutex around the little
 * that both sides look at: the phases reported and not yet delivered, and the end. It belongs to
 * itself: job_start() hands out a pointer that is good until done() was called. */

#include "daemon/job/job.h"
#include "common/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

/* Phases of a job that the loop has not yet seen; the oldest gives way. */
#define JOB_PHASES 32

struct job {
        const char *name;
        job_run_fn run;
        job_done_fn done;
        job_progress_fn progress;
        void *userdata;

        sd_event_source *source;
        int fd;
        pthread_t thread;
        bool thread_started;
        atomic_bool cancelled;

        pthread_mutex_t mutex; /* the rest: both threads */
        const char *phases[JOB_PHASES];
        size_t n_phases;
        bool finished;
        int result;
        struct vss_error error;
};

static unsigned n_jobs; /* the loop's thread only */

unsigned job_count(void) {
        return n_jobs;
}

static struct job *job_free(struct job *job) {
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->source);
        job->fd = safe_close(job->fd);
        (void)pthread_mutex_destroy(&job->mutex);
        vss_error_done(&job->error);
        free(job);
        return NULL;
}
DEFINE_CLEANUP(struct job, job_free);

static void job_knock(struct job *job) {
        /* Fails only when the counter is full, and then the loop is going to look anyway. */
        (void)eventfd_write(job->fd, 1);
}

static void *job_thread(void *userdata) {
        struct job *job = userdata;
        struct vss_error error = { 0 };
        int r;

        r = job->run(job, job->userdata, &error);

        (void)pthread_mutex_lock(&job->mutex);
        job->result = r;
        vss_error_move(&job->error, &error);
        job->finished = true;
        job_knock(job);
        (void)pthread_mutex_unlock(&job->mutex);
        return NULL;
}

static void job_deliver_phases(struct job *job, const char *const *phases, size_t n) {
        for (size_t i = 0; job->progress && i < n; i++)
                job->progress(job->userdata, phases[i]);
}

static int job_on_knock(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                        void *userdata) {
        struct job *job = userdata;
        const char *phases[JOB_PHASES];
        size_t n_phases;
        bool finished;
        eventfd_t ignored;

        (void)eventfd_read(fd, &ignored); /* how many knocks does not matter */

        (void)pthread_mutex_lock(&job->mutex);
        n_phases = job->n_phases;
        memcpy(phases, job->phases, n_phases * sizeof(*phases));
        job->n_phases = 0;
        finished = job->finished;
        (void)pthread_mutex_unlock(&job->mutex);

        job_deliver_phases(job, phases, n_phases);
        if (!finished)
                return 0;

        /* The thread has nothing left to do but return. */
        (void)pthread_join(job->thread, NULL);
        n_jobs--;
        job->done(job->userdata, job->result, &job->error);
        job_free(job);
        return 0;
}

int job_start(struct job **ret, sd_event *event, const char *name, job_run_fn run, job_done_fn done,
              void *userdata) {
        _cleanup_(job_freep) struct job *job = NULL;
        char thread_name[16] = { 0 };
        int r;

        assert(event && name && run && done);

        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->name = name;
        job->run = run;
        job->done = done;
        job->userdata = userdata;
        (void)pthread_mutex_init(&job->mutex, NULL);
        job->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (job->fd < 0)
                return -errno;
        r = sd_event_add_io(event, &job->source, job->fd, EPOLLIN, job_on_knock, job);
        if (r < 0)
                return r;
        /* For those who debug the loop; without it everything works. */
        (void)sd_event_source_set_description(job->source, name);
        r = thread_start(&job->thread, THREAD_STACK_BYTES, job_thread, job);
        if (r < 0)
                return r;
        memcpy(thread_name, name, strnlen(name, sizeof(thread_name) - 1));
        (void)pthread_setname_np(job->thread, thread_name); /* for ps and core dumps only */

        n_jobs++;
        if (ret)
                *ret = job;
        TAKE_PTR(job);
        return 0;
}

void job_cancel(struct job *job) {
        atomic_store(&job->cancelled, true);
}

bool job_is_cancelled(const struct job *job) {
        return atomic_load(&job->cancelled);
}

void job_set_progress(struct job *job, job_progress_fn progress) {
        job->progress = progress;
}

void job_report(struct job *job, const char *phase) {
        (void)pthread_mutex_lock(&job->mutex);
        if (job->n_phases == JOB_PHASES) {
                memmove(job->phases, job->phases + 1, (JOB_PHASES - 1) * sizeof(*job->phases));
                job->n_phases--;
        }
        job->phases[job->n_phases++] = phase;
        job_knock(job);
        (void)pthread_mutex_unlock(&job->mutex);
}
