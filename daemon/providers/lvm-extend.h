#pragma once

/* A logical volume grows below what goes on using it, a copy's store for instance. LVM's metadata
 * are changed first, its driver told to be absent; then the volume's device gets the longer table,
 * which is one step inside the kernel. So nothing above the volume is ever suspended: LVM's own
 * way for the store of a snapshot is to suspend the origin, with its file system, and should lvm be
 * killed meanwhile the origin would stay so.
 *
 * The device is never longer than the metadata have it. After a crash between the two it is
 * shorter, which is no harm, and the next call puts it right. */

#include "daemon/providers/mapper.h"

struct lvm_extend {
        const char *vg, *lv; /* by their names of now */
        const char *select;  /* LVM's expression for exactly this volume */
        const char *device;  /* device-mapper's name of what has the volume's blocks */
};

/* Grows it to so many bytes, or to as many as the group has for it; 0: only puts the device right.
 * *ret_bytes: what it has now. Takes the group's lock. VSS_E_INSUFFICIENT_STORAGE: the group is
 * full. VSS_E_OBJECT_NOT_FOUND: there is no such volume any more. */
int lvm_extend(const struct lvm_extend *e, uint64_t bytes, uint64_t *ret_bytes,
               struct vss_error *reterr);

/* Whether a table of linear targets maps what the live one maps to the same place, and perhaps
 * more. */
bool lvm_extend_keeps(const struct mapper_table *live, const struct mapper_table *longer);
