#pragma once

/* Flushing the volumes of a set while writes still flow, to make the write-freeze window short.
 * syncfs(2) cannot be interrupted and may take minutes on slow storage, so each volume is synced by
 * a thread of its own and the wait, not the sync, is bounded. */

#include "common/vss-error.h"

#define FLUSH_PASSES_MAX 2U

struct flush_volume {
        int fd;           /* of the mounted file system; -1: nothing to flush */
        const char *name; /* for messages */
        /* Filled in, monotonic; 0: it was not begun, or has not ended. */
        uint64_t begin_usec[FLUSH_PASSES_MAX], end_usec[FLUSH_PASSES_MAX];
};

/* Syncs all volumes in parallel, `passes` times over: what was dirtied during a long pass is
 * little, so the next one is short. VSS_E_FLUSH_WRITES_TIMEOUT names who is not done after
 * timeout_usec; their threads end with the sync, and as long as one hangs the file system is not
 * begun anew: the next call waits for it, as long as it would for its own. */
int flush_volumes(struct flush_volume *volumes, size_t n, unsigned passes, uint64_t timeout_usec,
                  int (*sync)(int fd), struct vss_error *reterr);
