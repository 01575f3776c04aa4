#pragma once

/* A pool's metadata as it was at one moment, kept for programs that read it while the pool works
 * (Linux: Documentation/admin-guide/device-mapper/thin-provisioning.rst, reserve_metadata_snap). A
 * pool has one at most. One that is forgotten stays, on the disk, over reboots, and costs metadata
 * with each change of the pool; so before it is taken an intent says that it will be, and the
 * intent goes only when it has been released. Who finds such an intent open, at the daemon's start
 * or before taking another of the same pool, releases.
 *
 * One that was there before is somebody else's and is left alone. In one case it cannot be told
 * apart from ours: who reserves one after this daemon has died between its note and its message,
 * and before its next start, has it released. */

#include "daemon/providers/mapper.h"
#include "daemon/store/store.h"

#define THIN_RESERVE_INTENT "delta"

/* What is done to pools; a test has its own. */
struct thin_reserve_pools {
        int (*find)(const char *uuid, struct mapper_info *ret, struct vss_error *reterr);
        /* Whether there is one: -EBADMSG if it is no pool. */
        int (*is_held)(const char *name, bool *ret, struct vss_error *reterr);
        int (*message)(const char *name, const char *message, struct vss_error *reterr);
        /* Of a pool that is not active: 1: LVM has it. 0: it is gone for good. -ENODEV: its group
         * is not there. */
        int (*ask)(const char *uuid, struct vss_error *reterr);
};
extern const struct thin_reserve_pools thin_reserve_system;

struct thin_reserve {
        const struct thin_reserve_pools *pools;
        struct store *store;
        char pool[128];
        int64_t intent;
        bool taken;
};

/* What a thin pool's status says: a number or "-". -EBADMSG. */
int thin_reserve_parse_status(const char *status, bool *ret_held);

/* VSS_E_BAD_STATE: somebody else has one. */
int thin_reserve_take(struct thin_reserve *ret, const struct thin_reserve_pools *pools,
                      struct store *store, const char *provider, const struct mapper_info *pool,
                      struct vss_error *reterr);
/* Nothing if it was not taken. Should it fail, the intent stays. */
int thin_reserve_release(struct thin_reserve *r, struct vss_error *reterr);
/* See struct provider. */
int thin_reserve_recover(const struct thin_reserve_pools *pools, struct store *store,
                         const struct intent_record *intent, struct vss_error *reterr);
