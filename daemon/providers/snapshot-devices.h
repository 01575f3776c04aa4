#pragma once

/* A copy on write as device-mapper has it, whoever keeps its store:
 *
 *      ORIGIN   snapshot-origin over REAL      what is mounted
 *      REAL     the origin's own table
 *      COPY     snapshot of REAL               what is read
 *      STORE    the blocks copied out
 *
 * Here is the way back from any of its states, by what is there and not by what should be: what is
 * gone already is as good as undone. How it is made: snapshot-making.h. */

#include "daemon/providers/mapper.h"

/* How the four are called; borrowed from the provider's own description of the copy. */
struct snapshot_devices {
        const char *origin, *real, *copy, *store;       /* device-mapper names */
        const char *real_uuid, *copy_uuid, *store_uuid; /* the last two may be unknown yet: NULL */
        const char *origin_uuid;                        /* NULL: it has none, the name must do */
        /* What a UUID that is not known begins with. A device of one of these names and another
         * UUID is somebody else's, and is left alone. */
        const char *family;
        size_t family_length;
};

/* What the next start needs after the death of daemon and guard in a window of a deletion: the two
 * of window.h, which a set's window is given with the set. Once, before anything else; borrowed. */
void snapshot_devices_set_notes(const char *guard_lock, const char *suspend_lists);

int snapshot_devices_find_origin(const struct snapshot_devices *d, struct mapper_info *ret,
                                 struct vss_error *reterr);

/* The part that cannot wait: the origin's inactive table is dropped; if it is suspended it is
 * resumed, with REAL if it lies on that. If both are caches and REAL has worked, it is resumed on
 * its inactive table, which lies on REAL: see daemon/window/other-device.h. While a thread is left
 * that waits for REAL to work, it stays as it is: VSS_E_PROVIDER_VETO. */
int snapshot_devices_rescue(const struct snapshot_devices *d, struct vss_error *reterr);
/* How long one waits there. */
extern uint64_t snapshot_devices_await_usec;
/* Until the origin is not suspended, or VSS_E_PROVIDER_VETO (ETIMEDOUT). */
int snapshot_devices_await_origin(const struct snapshot_devices *d, struct vss_error *reterr);
/* Its target keeps state of its own, in memory and on disk, so that only one device with it may
 * work at a time. */
bool snapshot_devices_is_stateful(const struct mapper_table *table);
/* So much of its own that the data depend on it: which blocks are in the cache, and newer there. */
bool snapshot_devices_is_cache(const struct mapper_table *table);
/* In this order: from here on nothing is copied out. A copy in use is VSS_E_PROVIDER_VETO; by force
 * it is cut off from what lies below and goes when the last user does, and 1 is returned. */
int snapshot_devices_remove_copy(const struct snapshot_devices *d, bool force,
                                 struct vss_error *reterr);
/* An origin without any copy gets its own table back, and REAL goes. That is one step inside the
 * kernel, so that it may be the root; for a cache it is a window with its guard. */
int snapshot_devices_restore_origin(const struct snapshot_devices *d, struct vss_error *reterr);
/* The same of an origin into which a copy has been merged: snapshot-merge.h. With other copies it
 * becomes what it was with them. */
int snapshot_devices_end_merge(const struct snapshot_devices *d, struct vss_error *reterr);
/* An origin that was to merge and does not becomes what it is with copies, whatever its table. */
int snapshot_devices_end_attempt(const struct snapshot_devices *d, struct vss_error *reterr);
int snapshot_devices_remove_store(const struct snapshot_devices *d, struct vss_error *reterr);
/* Who reads a store has it open, and it could not be removed: so that waits until the reader, one
 * at a time, lets go. */
void snapshot_devices_hold_stores(void);
void snapshot_devices_release_stores(void);

/* How full the store is. Overflowed: the kernel has given the copy up, and the other two are 0. */
int snapshot_devices_usage(const char *copy, uint64_t *ret_used, uint64_t *ret_max,
                           bool *ret_overflowed, struct vss_error *reterr);
