#pragma once

/* The storage half of a set in creation: what stage, window, finish, seal and abort do to volumes,
 * providers, mounts and the store. Owned by its coordinator; each step is the run() of a job, one
 * at a time. Knows nothing of writers. */

#include "daemon/coordinator/coordinator.h"
#include "daemon/job/job.h"

struct set_steps;
struct set_writers;
struct set_storage;

struct set_storage_times {
        uint64_t begin_usec, end_usec; /* monotonic; 0: did not happen */
};

/* steps: what each step did is noted there; the storage's while one of its steps runs. */
int set_storage_new(struct set_storage **ret, const struct coordinator_request *request,
                    struct set_steps *steps);
/* Nothing may be staged any more: it was committed or aborted. */
struct set_storage *set_storage_free(struct set_storage *s);
DEFINE_CLEANUP(struct set_storage, set_storage_free);

/* Before the steps that look at them: how long the writers stay frozen at most; when they thaw at
 * the latest (0: nobody is frozen); whether writers may change the copy; who they are, and what
 * became of them. */
void set_storage_limit_freeze(struct set_storage *s, uint64_t freeze_usec);
void set_storage_set_deadline(struct set_storage *s, uint64_t deadline_usec);
void set_storage_set_writable(struct set_storage *s, bool writable);
void set_storage_set_writers(struct set_storage *s, struct set_writers *writers); /* taken over */
/* The phases so far, for the record of the set: 0 or -ENOMEM. */
int set_storage_set_timeline(struct set_storage *s, const struct coordinator_phase *phases,
                             size_t n);

/* The steps: job_run_fn with a struct set_storage as userdata. */
int set_storage_stage(struct job *job, void *userdata, struct vss_error *reterr);
int set_storage_window(struct job *job, void *userdata, struct vss_error *reterr);
int set_storage_finish(struct job *job, void *userdata, struct vss_error *reterr);
/* -ECANCELED only before the commit. */
int set_storage_seal(struct job *job, void *userdata, struct vss_error *reterr);
int set_storage_abort(struct job *job, void *userdata, struct vss_error *reterr);

/* Is there something that abort would have to put back? */
bool set_storage_is_staged(const struct set_storage *s);
/* The record of the request's i-th volume, once staged. */
const struct snapshot_record *set_storage_record(const struct set_storage *s, size_t i);
/* After the commit: all of them, in the order of the request's volumes. */
const struct snapshot_record *set_storage_snapshots(const struct set_storage *s);
uint64_t set_storage_window_usec(const struct set_storage *s);
struct set_storage_times set_storage_flush_times(const struct set_storage *s);
struct set_storage_times set_storage_window_times(const struct set_storage *s);
struct set_storage_times set_storage_commit_times(const struct set_storage *s);
