#pragma once

/* When a copy's store has to grow, how far, and which copy goes where there is no room: the rules
 * that vssd(8) has in "Growing stores". Pure arithmetic. */

#include "daemon/store/store.h"

struct area {
        uint64_t used, size; /* bytes */
        uint64_t rate;       /* bytes a second that it fills with */
};

/* The rate that follows from two looks at it, usec apart: at once as high as it is, and down by
 * half at each look. */
uint64_t area_rate(const struct area *before, uint64_t used, uint64_t usec);
/* The size that it should have now; what it has, if that will do for a while. */
uint64_t area_wants(const struct area *a);
/* It may be full by the next look. */
bool area_on_brink(const struct area *a);

/* What there may be of stores, in bytes; UINT64_MAX: no limit. */
struct area_room {
        uint64_t volume_allocated, volume_maximum; /* of this volume's copies */
        uint64_t all_allocated, all_maximum;
};
/* How far of what it wants it may grow. a->size: not at all. */
uint64_t area_may_have(const struct area *a, uint64_t wanted, const struct area_room *room);

/* A copy beside others of the same volume. */
struct area_rank {
        const struct snapshot_record *record; /* borrowed */
        bool overflowed;                      /* it is lost already */
};
/* The one to delete so that copies[i] can grow: one that is lost, or the oldest; itself only where
 * it is that, there are younger ones, and it is full as good as now (on_brink). n: none of them. */
size_t area_victim(const struct area_rank *copies, size_t n, size_t i, bool on_brink);
/* The one to delete because all together have more than they may: never the youngest. n: none. */
size_t area_surplus(const struct area_rank *copies, size_t n);
