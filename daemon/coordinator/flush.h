#pragma once

/* Flushing the volumes of a set while writes still flow, to make the write-freeze window short.
 * syncfs(2) cannot be interrupted and may take minutes on slow storage, so each volume is synced by
 * a thread of its own and the wait, not the sync, is bounded. */

#include "common/vss-error.h"

struct flush_volume {
        int fd;           /* of the mounted file system; -1: nothing to flush */
        const char *name; /* for messages */
};

/* Syncs all volumes in parallel, `passes` times over: what was dirtied during a long pass is
 * little, so the next one is short. VSS_E_FLUSH_WRITES_TIMEOUT names who is not done after
 * timeout_usec; their threads end with the sync. */
int flush_volumes(const struct flush_volume *volumes, size_t n, unsigned passes,
                  uint64_t timeout_usec, int (*sync)(int fd), struct vss_error *reterr);
