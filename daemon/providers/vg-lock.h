#pragma once

/* LVM's own lock of a volume group: while it is held no other LVM command meets the half-way
 * state of a snapshot in the making. Our own commands run under it with --nolocking. */

#include "common/vss-error.h"
#include <vss/vss.h>

/* LVM's global/locking_dir; a test puts a directory of its own there. */
extern const char *vg_lock_directory;

/* Waits, but not for ever: VSS_E_PROVIDER_VETO names the group. The lock is the descriptor.
 *
 * owner: the set in creation, whose providers may hold the group at the same time; it is free when
 * the last of them lets go. Without one (all zeroes) the lock is the caller's alone. */
int vg_lock(const char *vg, VSS_ID owner, int *ret_fd, struct vss_error *reterr);
int vg_unlock(int fd);

/* Several groups, taken in the order of their names. */
struct vg_locks {
        int *fds;
        size_t n;
};
/* All or none; a name may be there more than once. */
int vg_locks_take(struct vg_locks *l, const char **names, size_t n, VSS_ID owner,
                  struct vss_error *reterr);
void vg_locks_drop(struct vg_locks *l);
