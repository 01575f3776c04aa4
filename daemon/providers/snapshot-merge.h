#pragma once

/* Merging a copy on write back into its origin, as device-mapper has it:
 *
 *      ORIGIN   snapshot-merge of REAL and STORE   reads what the copy had, at once
 *      REAL, STORE                                 as they were
 *
 * COPY is gone: what it alone knew (which blocks are in the store) the kernel has handed over to
 * the origin. In the background it copies them back, and the store's own account of them shrinks,
 * on disk, too: the same table begun anew goes on where it ended. Other copies of the origin stay
 * what they are: what is overwritten below them is copied out for them. */

#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-devices.h"

/* Whether it can be: VSS_E_VOLUME_NOT_SUPPORTED says why not, VSS_E_PROVIDER_VETO that somebody has
 * COPY open. */
int snapshot_merge_check(const struct snapshot_devices *d, struct vss_error *reterr);
/* Everything that can fail: the table waits in the origin's inactive slot, and COPY answers nobody
 * any more. Nothing else has changed. As snapshot_merge_check(). */
int snapshot_merge_prepare(const struct snapshot_devices *d, struct vss_error *reterr);
void snapshot_merge_cancel(const struct snapshot_devices *d);
/* Of a step inside the kernel that has failed half way, the part that cannot wait: a merging origin
 * that is suspended is resumed. With another table that waits for it, it is somebody else's. */
int snapshot_merge_rescue(const struct snapshot_devices *d, struct vss_error *reterr);
/* Whether somebody else, LVM, is at the end of a merge, and will resume the origin. */
int snapshot_merge_is_ending(const struct snapshot_devices *d, bool *ret, struct vss_error *reterr);
/* One step inside the kernel, and COPY goes. */
int snapshot_merge_start(const struct snapshot_devices *d, struct vss_error *reterr);
/* REVERT_RUNNING, _COPIED, _FAILED; _NONE: the origin is there and not merging; _LOST: it is not
 * there. */
int snapshot_merge_look(const struct snapshot_devices *d, struct revert_progress *ret,
                        struct vss_error *reterr);
/* Of snapshot_merge_look(): what the target says of itself. */
void snapshot_merge_parse(const char *status, struct revert_progress *ret);
