#pragma once

/* Inside daemon/session/ only: the object whose methods fill several rooms. */

#include "daemon/coordinator/coordinator.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/session-state.h"
#include "daemon/session/session-table.h"
#include "daemon/session/writer-filter.h"

/* The one operation that changes the state and is under way. */
struct operation {
        struct async *async; /* NULL: none */
        enum session_method method;
        enum session_state next; /* when it has succeeded */
        struct round *round;     /* to the writers; NULL: a set in creation */
};

/* AbortBackup's callers, answered together. */
struct abort_waiter {
        struct abort_waiter *next;
        session_done_fn done;
        void *userdata;
};

struct status_item {
        struct writer_status shown; /* points into the strings below */
        char *name, *message;
};

struct status_list {
        bool gathered;
        struct status_item *items;
        size_t n;
};

/* What is left to do after the last Release, in this order. */
enum release_step { RELEASE_ABORT, RELEASE_SHUTDOWN, RELEASE_DELETE, RELEASE_END };

struct session {
        struct session_manager *manager;
        struct session *next, **pprev;
        uint64_t number;
        VSS_ID id;
        uid_t owner;
        enum session_state state; /* session_set_state() */

        LONG context;
        bool context_set; /* by SetContext, or consumed */
        bool backup_state, component_mode, bootable, partial_files;
        VSS_BACKUP_TYPE backup_type;
        uint64_t expire_unix;

        struct writer_filter filter;
        struct participants *participants; /* NULL: nobody was asked to Identify */
        bool gather_begun, gathered, metadata_freed;
        struct status_list status;
        struct async *status_async; /* GatherWriterStatus under way */
        sd_event_source *status_turn;

        VSS_ID set_id; /* GUID_NULL: none was started */
        bool set_created;
        struct coordinator_volume *volumes; /* of the set */
        size_t n_volumes;
        unsigned n_adding; /* AddToSnapshotSet calls not answered */
        struct coordinator *coordinator;

        struct operation operation;
        struct inquiry *inquiries;

        struct abort_waiter *abort_waiters;
        struct round *abort_round;
        int abort_result;            /* of sending it */
        sd_event_source *abort_turn; /* the answer, when there is nobody to wait for */

        bool released; /* the requester is gone: winding up, see session-release.c */
        enum release_step release_step;
        struct round *release_round;
        bool deleting;
        sd_event_source *release_turn;
};

struct session *session_destroy(struct session *s);
/* The next turn of one of the session's own sources: it was made with the session, so this cannot
 * fail. */
void session_turn(sd_event_source *source);
int session_on_status_turn(sd_event_source *source, void *userdata);
int session_on_abort_turn(sd_event_source *source, void *userdata);
int session_on_release_turn(sd_event_source *source, void *userdata);
void session_set_state(struct session *s, enum session_state state);

/* The gate in front of every method: 0 legal (*ret_next, if asked for, follows), 1 answer success
 * and do nothing, negative the documented refusal. */
int session_enter(const struct session *s, enum session_method m, enum session_state *ret_next,
                  struct vss_error *reterr);
/* From here on the context cannot be changed. */
void session_consume_context(struct session *s);

int session_begin_operation(struct session *s, enum session_method m, enum session_state next,
                            async_cancel_fn cancel, struct vss_error *reterr);
/* Ends the operation: error empty: finished; NULL: cancelled. The state is the caller's matter. */
void session_end_operation(struct session *s, const struct vss_error *error);
/* Ends a round's operation without waiting for its writers. */
void session_drop_operation(struct session *s);
struct writer_event session_event(const struct session *s, enum writer_event_type type);

void session_drop_volumes(struct session *s);
void session_drop_status(struct session *s);
void session_end_status(struct session *s);

/* The set's creation has ended (coordinator_done_fn, userdata: the session). */
void session_on_set(void *userdata, int r, const struct coordinator_result *result,
                    struct vss_error *error);
/* AbortBackup, once no set is in creation any more. */
void session_abort_now(struct session *s);
void session_answer_abort(struct session *s, int r, struct vss_error *error);
/* The next thing to wind up after the last Release. */
void session_release_next(struct session *s);
/* For the one-shot verbs. */
void session_set_expiry(struct session *s, uint64_t expire_unix);
