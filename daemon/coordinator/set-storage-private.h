#pragma once

/* What the rooms of a set's storage share: set-storage.c, and set-sealing.c for its last step. */

#include "daemon/coordinator/set-storage.h"
#include "daemon/coordinator/storage.h"

struct group {
        const struct provider *provider;
        struct provider_set *set;  /* NULL: not staged, or let go of */
        size_t first, n;           /* of records */
        int64_t instant_unix_nsec; /* of one that makes its copies beside the window; 0: not yet */
};

struct set_storage {
        const struct coordinator_request *request;
        struct snapshot_record *records; /* grouped; after the commit as requested */
        const struct volume **volumes;   /* grouped */
        size_t *index;                   /* of the request's i-th volume in them */
        size_t n;
        bool *mounted;        /* grouped: mounting was begun */
        struct group *groups; /* those that make their copies beside the window come first */
        size_t n_groups, n_beside;
        struct vg_locks locks; /* of the others' volume groups, from staging to finishing */
        struct window *window;
        struct window_result window_result;

        uint64_t freeze_usec, deadline_usec;
        bool writable;
        struct set_writers *writers; /* from seal() on */
        struct set_storage_times flush, window_times, commit;
        struct set_steps *steps; /* borrowed */
        struct set_record made;  /* how the set was made */
};

/* Of the record i. */
const struct group *set_storage_group_of(const struct set_storage *s, size_t i);
/* One of its steps is over: r. */
void set_storage_note_provider(struct set_storage *s, const struct group *g, const char *step,
                               uint64_t begin_usec, int r);
/* Of each copy that is mounted, side by side. job NULL: to the end. */
int set_storage_each_copy(struct set_storage *s, struct job *job, const char *name,
                          int (*step)(struct set_storage *s, size_t i, struct vss_error *reterr),
                          struct vss_error *reterr);
