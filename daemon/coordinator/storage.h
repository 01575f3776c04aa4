#pragma once

/* What a set's life asks of the host besides its providers: finding volumes, mounting and exposing
 * copies, flushing file systems, adopting partitions. A table, so that a test (or a test daemon on
 * a machine without device-mapper) hands in its own; main() need not do anything. Everything in it
 * may block and runs on workers. */

#include "daemon/adoption/adoption.h"
#include "daemon/providers/origin-mounts.h"
#include "daemon/providers/snapshot-expose.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/providers/volume.h"

struct storage {
        int (*volume_open)(struct volume **ret, const char *spec, struct vss_error *reterr);
        int (*volume_list)(struct volume ***ret, size_t *ret_n, struct vss_error *reterr);
        int (*mount)(const struct snapshot_record *r, bool writable, struct vss_error *reterr);
        int (*mount_seal)(const struct snapshot_record *r, struct vss_error *reterr);
        int (*unmount)(const struct snapshot_record *r, bool force, struct vss_error *reterr);
        int (*expose_check)(const struct snapshot_record *r, uid_t owner, char **ret_name,
                            struct vss_error *reterr);
        int (*expose)(const struct snapshot_record *r, uid_t owner, struct vss_error *reterr);
        int (*expose_again)(const struct snapshot_record *r, struct vss_error *reterr);
        int (*unexpose)(const struct snapshot_record *r, bool force, struct vss_error *reterr);
        /* Of a volume that is reverted: origin-mounts.h. */
        int (*origin_mounts)(const char *dm_uuid, struct origin_mounts *ret,
                             struct vss_error *reterr);
        int (*origin_unmount)(const char *dm_uuid, const char *mounts, bool force,
                              struct vss_error *reterr);
        int (*origin_mount)(const char *dm_uuid, const char *mounts, struct vss_error *reterr);
        /* Whether the state lies on it. */
        int (*has_state)(const char *dm_uuid, struct store *store, bool *ret,
                         struct vss_error *reterr);
        int (*sync)(int fd); /* as syncfs(2) */
        int (*adopt)(const char *volume, const struct adoption_options *options, char ***ret_notes,
                     struct vss_error *reterr);
        int (*release)(const char *volume, const struct adoption_options *options,
                       char ***ret_notes, struct vss_error *reterr);
        enum adoption_state (*adoption)(const struct volume *v);
        /* as vg_locks_take(); NULL: there are no groups to lock */
        int (*lock_groups)(struct vg_locks *l, const char **names, size_t n, VSS_ID owner,
                           struct vss_error *reterr);
        const struct dm_kernel *kernel; /* of the window; NULL: the real one */
};

/* Before anything else runs, as providers_init(). */
void storage_init(const struct storage *table);
const struct storage *storage_table(void);
