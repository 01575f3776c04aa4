#pragma once

/* The directory /run/vss/ShadowCopyN through which a copy is read, and the node
 * /dev/vss/ShadowCopyN. Mounts by mount(2), never by a shell. A client-accessible copy is
 * among its volume's previous versions (previous-versions.h) as long as it is mounted there
 * read-only; that it cannot be fails nothing, the log says it. */

#include "daemon/store/store.h"

#define SNAPSHOT_MOUNT_ROOT "/run/vss"
#define SNAPSHOT_DEVICE_ROOT "/dev/vss"
/* Who may read what is below the root, beside the superuser. */
#define SNAPSHOT_MOUNT_GROUP "backup"

/* Is it a directory itself, of a file system that goes on (device is none in /dev)? Whatever is
 * done to mounts of such a copy must not be done to that file system, nor to its other mounts. */
bool snapshot_is_directory(const struct snapshot_record *r);

/* Mounts the copy on its directory, nosuid,nodev (XFS: nouuid), letting the file system recover
 * its journal; a copy that is a directory itself, by a mount of that alone;
 * writable: for auto-recovery until snapshot_mount_seal(). Mounted already: success.
 * A record without a file system (fs_type NULL) or whose device object is the device: nothing to
 * do, success. */
int snapshot_mount(const struct snapshot_record *r, bool writable, struct vss_error *reterr);
int snapshot_mount_seal(const struct snapshot_record *r, struct vss_error *reterr);
/* force: lazily, when busy. Without it a busy copy is VSS_E_PROVIDER_VETO naming who holds it.
 * Not mounted is success. Removes the directory. */
int snapshot_unmount(const struct snapshot_record *r, bool force, struct vss_error *reterr);
