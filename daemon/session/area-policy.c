/* See area-policy.h. */

#include "daemon/session/area-policy.h"

#include "common/time-util.h"
#include "daemon/session/volume-facts.h"

#define MIB (UINT64_C(1024) * 1024)

/* From 70 % on, and never less than what would be filled in twenty seconds: LVM may be asked by
 * others, too, each step of ours takes it a second or, on a busy machine, some, and another copy
 * may have to be deleted first. */
#define FREE_PERCENT 30
#define AHEAD_SEC 20
/* So much at a time: no volume group in crumbs, and not all of it for a copy that stays small. */
#define STEP_SEC 30
#define STEP_PART 2 /* of what it has */
#define STEP_MIN (64 * MIB)
/* Less is no growth: LVM's usual extent. */
#define GROWTH_MIN (4 * MIB)
#define BRINK_PERCENT 5
#define BRINK_SEC 3

uint64_t area_rate(const struct area *before, uint64_t used, uint64_t usec) {
        uint64_t rate = 0;

        if (used > before->used && usec > 0)
                rate = (used - before->used) * USEC_PER_SEC / usec;
        return rate > before->rate / 2 ? rate : before->rate / 2;
}

static uint64_t room_left(const struct area *a) {
        return a->size > a->used ? a->size - a->used : 0;
}

static uint64_t larger(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}

uint64_t area_wants(const struct area *a) {
        uint64_t wanted;

        if (room_left(a) >= larger(a->size / 100 * FREE_PERCENT, a->rate * AHEAD_SEC))
                return a->size;
        wanted = a->used + larger(larger(a->size / STEP_PART, STEP_MIN), a->rate * STEP_SEC);
        return larger(wanted, a->size);
}

bool area_on_brink(const struct area *a) {
        return room_left(a) < larger(a->size / 100 * BRINK_PERCENT, a->rate * BRINK_SEC);
}

static uint64_t cut(uint64_t wanted, uint64_t size, uint64_t allocated, uint64_t maximum) {
        uint64_t left = maximum > allocated ? maximum - allocated : 0;

        return wanted - size > left ? size + left : wanted;
}

uint64_t area_may_have(const struct area *a, uint64_t wanted, const struct area_room *room) {
        if (wanted <= a->size)
                return a->size;
        wanted = cut(wanted, a->size, room->volume_allocated, room->volume_maximum);
        wanted = cut(wanted, a->size, room->all_allocated, room->all_maximum);
        return wanted - a->size < GROWTH_MIN ? a->size : wanted;
}

/* One that is lost before one that is not; then by age. */
static bool goes_before(const struct area_rank *a, const struct area_rank *b) {
        return a->overflowed != b->overflowed ? a->overflowed
                                              : snapshot_is_newer(b->record, a->record);
}

/* n: there is no other. */
static size_t first_to_go(const struct area_rank *copies, size_t n, size_t spared) {
        size_t first = n;

        for (size_t k = 0; k < n; k++)
                if (k != spared && (first == n || goes_before(&copies[k], &copies[first])))
                        first = k;
        return first;
}

size_t area_victim(const struct area_rank *copies, size_t n, size_t i, bool on_brink) {
        size_t first = first_to_go(copies, n, i);

        if (first == n || goes_before(&copies[first], &copies[i]))
                return first;
        return on_brink ? i : n;
}

size_t area_surplus(const struct area_rank *copies, size_t n) {
        size_t youngest = n;

        for (size_t k = 0; k < n; k++)
                if (youngest == n || snapshot_is_newer(copies[k].record, copies[youngest].record))
                        youngest = k;
        return first_to_go(copies, n, youngest);
}
