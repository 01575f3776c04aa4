#pragma once

/* LVM's own lock of a volume group: while it is held no other LVM command meets the half-way
 * state of a snapshot in the making. Our own commands run under it with --nolocking. */

#include "common/vss-error.h"

/* LVM's global/locking_dir; a test puts a directory of its own there. */
extern const char *vg_lock_directory;

/* Waits, but not for ever: VSS_E_PROVIDER_VETO names the group. The lock is the descriptor. */
int vg_lock(const char *vg, int *ret_fd, struct vss_error *reterr);
int vg_unlock(int fd);
