#pragma once

/* Which blocks of a volume may differ between two states of it: a bit for each, bit 0 the lowest of
 * the first byte. A set bit may stand for blocks that are equal after all; a clear one never stands
 * for blocks that differ.
 *
 * It never has more than DELTA_MAP_BITS_MAX bits. Where a volume has more blocks, each bit stands
 * for twice as many of them, or four times, and so on: that is still such a map. */

#include "common/util.h"

#define DELTA_MAP_BITS_MAX (UINT64_C(1) << 29) /* 64 MiB; at 32 KiB a block, 16 TiB */

struct delta_map {
        uint64_t volume_bytes;
        uint32_t block_bytes; /* for each bit; the last block may end behind the volume */
        uint64_t n_blocks;
        uint8_t *bits; /* delta_map_size() bytes and one more, 0; those behind the last block: 0 */
        bool exact;    /* every block that is set was written between the two states */
};

/* unit_bytes: what whoever fills it tells apart. -EINVAL: one of the two is 0. -EFBIG: not even
 * the largest blocks make it few enough. */
int delta_map_init(struct delta_map *ret, uint64_t volume_bytes, uint64_t unit_bytes);
void delta_map_done(struct delta_map *m);
size_t delta_map_size(const struct delta_map *m);
/* All blocks that these bytes touch; those behind the volume's end do not count. */
void delta_map_add(struct delta_map *m, uint64_t offset, uint64_t bytes);
