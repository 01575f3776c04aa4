#pragma once

/* One snapshot set in creation, as docs/architecture.md has it:
 *
 *   PrepareSnapshot -> stage -> Freeze (front end, back end, system) -> flush -> window -> Thaw
 *   (reverse) -> finish -> PostSnapshot -> seal -> commit
 *
 * with the way back from each of them. Storage steps are jobs; writers are told through the
 * participants. All or nothing over the volumes. A participant that was asked to freeze is always
 * told to thaw or abort, whatever it answered. It never blocks and calls back from the loop only.
 */

#include "daemon/providers/provider.h"
#include "daemon/writers/participant.h"

struct coordinator_volume {
        struct volume *volume; /* owned by the request */
        const struct provider *provider;
        VSS_ID snapshot_id;
};

struct coordinator_request {
        sd_event *event;
        struct store *store;
        VSS_ID session_id, set_id;
        LONG context;
        VSS_BACKUP_TYPE backup_type;
        bool component_mode, bootable_system_state, partial_files;
        uint64_t expire_unix;
        uint64_t store_bytes; /* of all copies' stores together; 0, UINT64_MAX: no limit */
        struct coordinator_volume *volumes; /* borrowed until done() */
        size_t n_volumes;
        struct participants *participants; /* borrowed until done(); NULL: no writers */
        uint64_t freeze_usec, flush_usec, hold_usec;
        uint64_t prepare_snapshot_usec, post_snapshot_usec, event_usec;
        const char *suspend_lists; /* of the window: window.h */
};

/* One phase, as the timeline keeps it; usec since the operation's start. */
struct coordinator_phase {
        const char *name;
        uint64_t begin_usec, end_usec;
};

struct coordinator_result {
        const struct snapshot_record *snapshots;
        size_t n;
        const struct coordinator_phase *phases;
        size_t n_phases;
        uint64_t window_usec; /* first suspend to last resume */
};

struct coordinator;
typedef void (*coordinator_progress_fn)(void *userdata, const char *phase, unsigned per_cent);
/* r == 0: the set is there and in the store. -ECANCELED: cancelled, error is empty. Otherwise error
 * says what failed. Whatever r is, everything else was put back and the writers were told. */
typedef void (*coordinator_done_fn)(void *userdata, int r, const struct coordinator_result *result,
                                    struct vss_error *error);
int coordinator_start(struct coordinator **ret, const struct coordinator_request *request,
                      coordinator_progress_fn progress, coordinator_done_fn done, void *userdata);
/* Asks for the way back; done() comes with -ECANCELED, unless the set was past its commit. */
void coordinator_cancel(struct coordinator *c);
