/* See snapshot-size.h. */

#include "daemon/providers/snapshot-size.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define CHUNK_BYTES (SNAPSHOT_CHUNK_KIB * KIB)

/* An exception, the note of one copied-out chunk, takes 16 bytes of the store. */
#define EXCEPTION_BYTES 16

/* The default: a twentieth of the volume, but not less than Windows' smallest, and no more than
 * a fast disk can fill in the time that it takes to see it and to grow. */
#define WANTED_PART 20
#define SMALL_VOLUME (500 * MIB)
#define WANTED_MIN_SMALL (32 * MIB)
#define WANTED_MIN (320 * MIB)
#define WANTED_MAX (2048 * MIB)
/* The practical minimum where the group is nearly full. */
#define LEAST (32 * MIB)

static uint64_t configured_start, configured_maximum = UINT64_MAX;

void snapshot_size_init(uint64_t start_bytes, uint64_t maximum_bytes) {
        configured_start = start_bytes;
        configured_maximum = maximum_bytes;
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
        return a / b + (a % b != 0);
}

static uint64_t least_of(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

uint64_t snapshot_size_enough(uint64_t origin_bytes, uint64_t extent_bytes) {
        uint64_t chunks = divide_up(origin_bytes, CHUNK_BYTES);
        /* Behind areas of notes that are full the kernel wipes the next one, used or not: where
         * that does not fit, it gives the copy up. */
        uint64_t notes = chunks / (CHUNK_BYTES / EXCEPTION_BYTES) + 1;

        return divide_up((1 + chunks + notes) * CHUNK_BYTES, extent_bytes);
}

uint64_t snapshot_size_minimum(void) {
        return least_of(configured_start > 0 ? configured_start : WANTED_MIN_SMALL,
                        configured_maximum);
}

uint64_t snapshot_size_wanted(uint64_t origin_bytes, uint64_t extent_bytes) {
        uint64_t wanted = origin_bytes / WANTED_PART;
        uint64_t minimum = origin_bytes < SMALL_VOLUME ? WANTED_MIN_SMALL : WANTED_MIN;

        if (wanted > WANTED_MAX)
                wanted = WANTED_MAX;
        if (wanted < minimum)
                wanted = minimum;
        if (configured_start > 0)
                wanted = configured_start;
        wanted = least_of(wanted, configured_maximum);
        return least_of(divide_up(wanted, extent_bytes),
                        snapshot_size_enough(origin_bytes, extent_bytes));
}

uint64_t snapshot_size_least(uint64_t origin_bytes, uint64_t extent_bytes) {
        return least_of(divide_up(LEAST, extent_bytes),
                        snapshot_size_enough(origin_bytes, extent_bytes));
}

int snapshot_size_share(struct snapshot_size *sizes, size_t n, uint64_t free_extents,
                        uint64_t extent_bytes, uint64_t *ret_needed) {
        uint64_t wanted = 0, least = 0;

        for (size_t i = 0; i < n; i++) {
                wanted += snapshot_size_wanted(sizes[i].origin_bytes, extent_bytes);
                least += snapshot_size_least(sizes[i].origin_bytes, extent_bytes);
        }
        *ret_needed = least;
        if (least > free_extents)
                return -ENOSPC;
        for (size_t i = 0; i < n; i++) {
                uint64_t one_wants = snapshot_size_wanted(sizes[i].origin_bytes, extent_bytes);
                uint64_t one_least = snapshot_size_least(sizes[i].origin_bytes, extent_bytes);

                if (wanted <= free_extents)
                        sizes[i].extents = one_wants;
                else
                        /* Of what is left above the least, each gets its part. LVM counts extents
                         * in 32 bits, so the product fits. */
                        sizes[i].extents = one_least + (free_extents - least) *
                                                               (one_wants - one_least) /
                                                               (wanted - least);
        }
        return 0;
}
