#pragma once

/* More room at a store's place. */

#include "daemon/providers/dm-store.h"

/* The place gives so many bytes in all, or as many as it has: *ret is the live table and what was
 * added to it. VSS_E_INSUFFICIENT_STORAGE: nothing. For a logical volume: as large as it is. */
int dm_store_grow(struct mapper_table *ret, const struct dm_copy *c,
                  const struct mapper_table *live, uint64_t bytes, struct vss_error *reterr);
/* The logical volume that has a store; takes its group's lock. */
int dm_store_grow_volume(const struct dm_copy *c, uint64_t bytes, struct vss_error *reterr);
