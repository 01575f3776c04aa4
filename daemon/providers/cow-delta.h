#pragma once

/* What differs between a copy that dm-snapshot makes and its origin, or between two copies of one
 * origin: from the stores of chunks (cow-store.h), so that it takes as long as there are changes
 * and no longer, whatever the volume's size.
 *
 * A copy's store has what the origin has overwritten since the copy was made, and what was written
 * into the copy before it was sealed. Everything else is read from the origin. So what is not in it
 * is equal in both, and what is in it was written in one of them: copy and origin differ in no
 * other chunk.
 *
 * Of two copies, the store of the older has all that the origin has overwritten since the older was
 * made, thus also all that it has overwritten between the two; the younger one's has, beside what
 * the older's has already, what was written into the younger itself. So the chunks of both stores
 * together are all in which the two can differ. What the origin has overwritten only after the
 * younger was made is among them, in both stores, and equal in both copies: when a chunk was
 * copied out no store says. */

#include "daemon/providers/delta-map.h"
#include "daemon/providers/mapper.h"

/* A copy as device-mapper has it. */
struct cow_copy {
        dev_t origin, store; /* the devices below it */
        uint64_t bytes;
        uint64_t chunk_bytes;
};

/* What its table says: "254:3 254:4 P 64". -EOPNOTSUPP: its store is lost with the machine's
 * memory. -EBADMSG: it is no copy's. */
int cow_copy_parse(struct cow_copy *ret, const struct mapper_table *table);
/* How many areas of the store are full, by what the target says of itself: "64/2048 16".
 * -ENODATA: it was lost. */
int cow_copy_parse_status(const struct cow_copy *c, const struct mapper_table *status,
                          uint64_t *ret_full_areas);

/* Devices by device-mapper's names; younger NULL: the origin as it is now. E_INVALIDARG: they are
 * not of one origin. VSS_E_BAD_STATE: one of them was lost. */
int cow_delta_read(struct delta_map *ret, const char *older, const char *younger,
                   struct vss_error *reterr);
