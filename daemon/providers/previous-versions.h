#pragma once

/* Client-accessible copies where file servers look for them: a directory for each of their volumes,
 * in it each copy under the time of its making, as Samba's vfs_shadow_copy2 has it:
 *
 *      PREVIOUS_VERSIONS_ROOT/MOUNT/POINT/@GMT-2026.11.23-14.30.00
 *
 * An entry is a mount of its own, as what is exposed, since the copies' own place is for root and
 * those who make backups alone. The directories on the way let in whom those of the same names
 * above the volume let in. The mount table is the state: an entry is a copy's by what is mounted,
 * the copy's node. Thread-safe. */

#include "daemon/store/store.h"

#define PREVIOUS_VERSIONS_ROOT "/run/vss-previous"

/* Of a copy that is mounted on its device object: below the mount point that its volume has, or
 * had when the copy was made. Shown already, or not client-accessible: success. */
int previous_versions_show(const struct snapshot_record *r, struct vss_error *reterr);
/* Only the device of *r is looked at. force: also when it is in use, which else is
 * VSS_E_PROVIDER_VETO naming who holds it. Not shown: success. */
int previous_versions_hide(const struct snapshot_record *r, bool force, struct vss_error *reterr);
