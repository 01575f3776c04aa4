#pragma once

/* The store of a copy at its place: made before the copy (how it grows: dm-store-grow.h); removed
 * after it, by what is there. */

#include "daemon/providers/dm-place.h"

/* A store that exists, in pieces of other devices. Nothing but the descriptor keeps a loop device
 * until the table is in use. */
struct dm_store {
        struct mapper_table table;
        int loop_fd; /* -1: none */
        dev_t below; /* what was not looked at before it was made: a logical volume. 0: nothing */
};

void dm_store_done(struct dm_store *s);
/* lvm: for a logical volume, whose group is locked by the caller; its devices appear at once. */
int dm_store_make(struct dm_store *ret, const struct dm_copy *c, uint64_t bytes, struct lvm *lvm,
                  struct vss_error *reterr);
/* That of one in a file. 0 or -ENOMEM. */
int dm_store_file_path(const struct dm_copy *c, char **ret);
/* set_id: of a set in creation that may hold the group; otherwise zeroes. The store's mapped device
 * is gone by now. Not there is success. */
int dm_store_remove(const struct dm_copy *c, VSS_ID set_id, struct vss_error *reterr);
