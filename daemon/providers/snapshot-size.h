#pragma once

/* How large the stores of copied-out blocks are at first, and how far each
 * can grow. Pure arithmetic. */

#include "common/util.h"

#define SNAPSHOT_CHUNK_KIB 32

struct snapshot_size {
        uint64_t origin_bytes;
        uint64_t extents; /* out */
};

/* What an administrator has set down of stores; set once, before anything else runs. 0: as by
 * default; maximum: what one store may not exceed at first, UINT64_MAX: no limit. */
void snapshot_size_init(uint64_t start_bytes, uint64_t maximum_bytes);

/* The least that any store begins with where there is room. */
uint64_t snapshot_size_minimum(void);
/* Extents that a store needs at most: with as many it can never overflow. */
uint64_t snapshot_size_enough(uint64_t origin_bytes, uint64_t extent_bytes);
/* What one begins with by default (it grows: area-policy.h), and below what a copy makes no sense.
 */
uint64_t snapshot_size_wanted(uint64_t origin_bytes, uint64_t extent_bytes);
uint64_t snapshot_size_least(uint64_t origin_bytes, uint64_t extent_bytes);
/* Shares out what is free among the copies of one group: what each wants, or less, but never less
 * than its least. -ENOSPC: even that is more than is free; *ret_needed is the sum of the least. */
int snapshot_size_share(struct snapshot_size *sizes, size_t n, uint64_t free_extents,
                        uint64_t extent_bytes, uint64_t *ret_needed);
