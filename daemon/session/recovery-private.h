#pragma once

/* The insides of the recovery at the start, shared by its files and nobody else: see recovery.c. */

#include "daemon/job/job.h"
#include "daemon/session/recovery-steps.h"

#include <pthread.h>
#include <stdatomic.h>

/* An open intent, and what it is about. */
struct left {
        const struct intent_record *intent;
        char **uuids, **names;
};

/* An origin of open intents that is resumed. */
struct rescue {
        struct recovery *recovery;
        const char *uuid, *name;
        pthread_t thread;
        bool running; /* to be joined */
};

struct lane {
        struct lane *next;
        struct recovery *recovery;
        char **uuids, **names;
        struct job *job;
        _Atomic(const char *) doing; /* for the log */
        bool held, cancelled, late;
        struct snapshot_record *gone; /* deleted by it */
        size_t n_gone;
};

struct recovery {
        struct session_manager *manager;
        struct intent_record *intents;
        struct left *left; /* n, in the intents' order */
        size_t n;
        struct rescue *rescues;
        size_t n_rescues;
        struct lane *lanes; /* those that have not ended */
        unsigned n_lanes;
        uint64_t begin_usec;
        sd_event_source *timer;
        bool late; /* the time is over, and those that wait for the start know it */
        session_recovered_fn done;
        void *userdata;
};

/* recovery-lane.c: what is put right one after the other. */
struct lane *lane_free(struct lane *l);
DEFINE_CLEANUP(struct lane, lane_free);
/* Into the lane of any of these, or one of their own; lanes that they have together become one. */
int recovery_add(struct recovery *r, char *const *uuids, char *const *names);
bool lane_has(const struct lane *l, const char *uuid);
/* Its volumes are held (volume-hold.h), all or none; -ENOMEM. */
int lane_hold(struct lane *l);
void lane_let_go(struct lane *l);
/* On a thread. job: NULL, or asked whether it is cancelled. */
int lane_run(struct job *job, void *userdata, struct vss_error *reterr);

/* recovery-rescue.c: what is suspended goes on. */
int recovery_find_rescues(struct recovery *r);
/* All of them at once: a resume writes to its volume, and one that hangs must not hold up others.
 * Their lanes wait for those that are late. */
void recovery_rescue(struct recovery *r, uint64_t timeout_usec);
/* Whether there were any. */
bool lane_await_rescues(struct lane *l);
