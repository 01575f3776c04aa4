#pragma once

/* One look at the stores of all copies: how full they are, and growing those that need it.
 * Blocking, for a worker; what follows from it (who is told, what is deleted) is area-watch.c's. */

#include "daemon/session/area-policy.h"
#include "daemon/store/store.h"

/* A copy with a store, as it was at the last look. */
struct area_copy {
        struct snapshot_record record;
        struct area area;
        uint64_t maximum;     /* of all stores of its volume; UINT64_MAX: no limit */
        uint64_t looked_usec; /* monotonic; 0: it could not be asked yet */
        bool overflowed;      /* the kernel has given it up */
        bool complete;        /* its store can take all of the volume */
        uint64_t grown_from;  /* the store's size before this look; 0: it has not grown */
        bool failed; /* it was to grow at this look and could not, but not for want of room */

        /* It wants to grow and could not, for want of room or for another reason; until pause_usec
         * (monotonic) nobody tries again. */
        bool has_no_room;
        struct vss_error error;
        uint64_t pause_usec;

        /* area-watch.c's. */
        bool told_overflow, told_full, told_failure;
};

struct area_copies {
        struct area_copy *items;
        size_t n;
};
void area_copies_done(struct area_copies *c);

struct area_limits {
        uint64_t volume_bytes; /* all stores of one volume for which nothing else was set down */
        uint64_t all_bytes;    /* all stores */
};

/* Has the copy a store that can grow? */
bool area_patrol_concerns(const struct snapshot_record *r);
/* before: of the last look, and emptied. On failure *ret is what was before. */
int area_patrol(struct area_copies *ret, struct area_copies *before, struct store *store,
                const struct area_limits *limits, struct vss_error *reterr);
/* Are they copies of one volume? */
bool area_copies_are_siblings(const struct area_copy *a, const struct area_copy *b);
/* What the stores of its volume take together. */
uint64_t area_copies_allocated(const struct area_copies *c, const struct area_copy *of);
