#pragma once

/* A job: one blocking piece of storage work on a thread of its own, reporting back through the
 * event loop. The bus thread never blocks; whatever may is a job.
 *
 * run() executes on the worker and touches only what its userdata owns (and the store, which is
 * thread-safe). done() executes on the loop, exactly once, with run()'s result and error, also
 * when the job was cancelled; afterwards the job has freed itself. Cancelling is a request that
 * run() may look at with job_is_cancelled(). */

#include "common/vss-error.h"
#include <systemd/sd-event.h>

struct job;

typedef int (*job_run_fn)(struct job *job, void *userdata, struct vss_error *reterr);
typedef void (*job_done_fn)(void *userdata, int r, struct vss_error *error);

/* name: a static string for logs and thread name (at most 15 characters are seen). */
int job_start(struct job **ret, sd_event *event, const char *name, job_run_fn run, job_done_fn done,
              void *userdata);
void job_cancel(struct job *job);
bool job_is_cancelled(const struct job *job);
/* From run(): report progress text (static string) to the loop; progress(userdata, phase) is
 * called there. Set once after job_start, before returning to the loop. */
typedef void (*job_progress_fn)(void *userdata, const char *phase);
void job_set_progress(struct job *job, job_progress_fn progress);
void job_report(struct job *job, const char *phase);
/* Number of jobs whose done() has not run: the daemon does not exit while it is not 0. */
unsigned job_count(void);
