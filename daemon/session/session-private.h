#pragma once

/* Inside daemon/session/ only: the object whose methods fill several rooms. */

#include "common/file-set-index.h"
#include "daemon/coordinator/coordinator.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/session-state.h"
#include "daemon/session/session-table.h"
#include "daemon/session/writer-filter.h"

/* What each participant is to be shown of a large document in an operation's events. */
struct session_part {
        VSS_ID instance_id, class_id;
        char *instance_name;       /* NULL: none */
        struct document *document; /* NULL: nothing */
};
struct session_parts {
        size_t n;
        struct session_part items[];
};

/* The one operation that changes the state and is under way. */
struct operation {
        struct async *async; /* NULL: none */
        enum session_method method;
        enum writer_event_type type; /* of a round */
        struct session_parts *parts; /* NULL: they are made as they are wanted */
        bool held;                   /* it has ended, but for what writers answered with */
        struct vss_error outcome;    /* of what is held */
        enum session_state next;     /* when it has succeeded */
        struct round *round;         /* to the writers; NULL: a set in creation */
        bool cancelled;              /* a set past its commit, that is to go again */
        struct vss_error failure;    /* why it is to go if that is not the reason */
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
        uint64_t expire_unix;

        struct backup_document *document;       /* NULL in the state N */
        struct document_work *work, *last_work; /* that a worker does with it, the first first */
        size_t document_charged;                /* its memory, before that */
        unsigned n_merges;                      /* of the work, what writers answered with */
        sd_event_source *merged_turn;           /* there are none left */
        bool loaded;                            /* it was saved by an earlier object */
        bool backup_state_set;                  /* SetBackupState was called */
        struct session_account *account;        /* NULL: nobody counts */
        size_t charged;

        struct writer_filter filter;
        struct participants *participants; /* NULL: nobody was asked to Identify */
        bool gather_begun, gathered, metadata_freed;
        size_t metadata_bytes;       /* of what was gathered */
        struct writer_model *models; /* what was read of it */
        struct writer_reading *readings;
        struct status_list status;
        struct async *status_async; /* GatherWriterStatus under way */
        sd_event_source *status_turn;

        VSS_ID set_id; /* GUID_NULL: none was started */
        bool set_created;
        VSS_ID *imported; /* what was taken in of the set, which was not made here; NULL: nothing */
        size_t n_imported;
        LONG imported_context;              /* of that */
        bool handed_over;                   /* its document was given out when it was made */
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
/* By what the context decides, and by all administration, also of what is not there: it cannot be
 * set any more. */
void session_consume_context(struct session *s);

int session_begin_operation(struct session *s, enum session_method m, enum session_state next,
                            async_cancel_fn cancel, struct vss_error *reterr);
/* Ends the operation: error empty: finished; NULL: cancelled. The state is the caller's matter. */
void session_end_operation(struct session *s, const struct vss_error *error);
/* Ends a round's operation without waiting for its writers. */
void session_drop_operation(struct session *s);
struct writer_event session_event(const struct session *s, enum writer_event_type type);
/* As SetBackupState, SetRestoreState or the loaded document say. */
const struct backup_document_state *session_backup_state(const struct session *s);

/* --- session-account.c --- */
/* Is there room for so much more? E_OUTOFMEMORY. */
int session_check_room_for(const struct session *s, size_t more, struct vss_error *reterr);
/* After every change of what is kept. */
void session_charge(struct session *s);

/* --- session-documents.c --- */
/* The components' part in events with them, for the participants (NULL: whole volumes). */
int session_give_components(void *userdata, const struct participant_info *info,
                            enum writer_event_type type, struct document **ret);
void session_take_components(void *userdata, const struct participant_info *info,
                             enum writer_event_type type, struct document *components);
bool session_is_restore(const struct session *s);
/* Does the writer have components that the events of this object are about? */
bool session_concerns(void *userdata, const struct participant_info *info);

/* --- writer-check.c --- */
/* Leaves out the participants whose metadata is no document; done(), whose userdata is the session,
 * comes from the loop. */
int session_check_writers(struct session *s, session_done_fn done, struct vss_error *reterr);

/* --- writer-model.c: the metadata of gathered writers, read --- */
/* Is it read? */
const struct writer_metadata *session_model(const struct session *s, VSS_ID instance_id);
/* In a restore: which files it has. */
const struct file_set_index *session_model_files(const struct session *s, VSS_ID instance_id);
/* Reads it, once however many wait for it; done() comes from the loop, and result is NULL. */
int session_read_model(struct session *s, const struct participant_info *info, session_done_fn done,
                       void *userdata, struct vss_error *reterr);
/* What is read lives as long as something may ask for it. */
void session_drop_models(struct session *s);
size_t session_models_memory(const struct session *s);

/* --- session-writers.c --- */
/* What nobody can ask for any more: with each change of the state, and FreeWriterMetadata, which
 * takes away the list alone as long as methods go by what is in it. */
void session_drop_metadata(struct session *s);

/* A round to the writers as the one operation of the session: PrepareForBackup, BackupComplete,
 * PreRestore, PostRestore. */
int session_begin_round(struct session *s, enum session_method m, enum writer_event_type type,
                        enum session_state next, async_cancel_fn cancel, struct async **ret,
                        struct vss_error *reterr);

void session_drop_volumes(struct session *s);
void session_drop_status(struct session *s);
void session_end_status(struct session *s);

/* --- document-work.c --- */
/* First member of what is derived from it, as the inquiry is of it. */
struct document_work;
struct document_work_type {
        /* On the worker, with the document for itself. */
        int (*run)(struct document_work *w, struct vss_error *reterr);
        /* As an inquiry's, with the session that is still there; may be NULL. */
        const void *(*answer)(struct document_work *w, struct session *s, int *r,
                              struct vss_error *error);
        void (*free)(struct document_work *w);
};
struct document_work {
        struct inquiry inquiry;
        const struct document_work_type *type;
        struct document_work *next;
        struct backup_document *document;
};
/* The session ends. */
void session_drop_work(struct session *s, struct vss_error *error);
/* Is it better worked on elsewhere? */
bool session_document_is_large(const struct session *s);
size_t session_document_memory(const struct session *s);
/* The document, or a writer's part of it, as text. 1: *ret has it. 0: done() comes from the loop,
 * with a struct document as its result. */
int session_print(struct session *s, const struct backup_writer_info *writer, struct document **ret,
                  session_done_fn done, void *userdata, struct vss_error *reterr);
/* The participants' parts, for the operation. 1: none are needed, they can be made at once. 0:
 * done(), whose userdata is the session, comes from the loop. */
int session_make_parts(struct session *s, bool selected_only, session_done_fn done,
                       struct vss_error *reterr);
struct session_parts *session_parts_free(struct session_parts *p);
DEFINE_CLEANUP(struct session_parts, session_parts_free);
/* Takes in what a writer made of its components, now or later; session_on_merged_turn() follows
 * when it is later. */
void session_merge(struct session *s, const struct participant_info *info,
                   enum writer_event_type type, enum backup_phase phase,
                   struct document *components);
int session_on_merged_turn(sd_event_source *source, void *userdata);
/* Frees them, on a worker if they are large. NULL is allowed. */
void session_discard_document(struct session_manager *m, struct backup_document *d);
void session_discard_metadata(struct session_manager *m, struct writer_metadata *metadata,
                              size_t size);

/* The set's creation has ended (coordinator_done_fn, userdata: the session). */
void session_on_set(void *userdata, int r, const struct coordinator_result *result,
                    struct vss_error *error);
/* AbortBackup, once no set is in creation any more. */
void session_abort_now(struct session *s);
void session_answer_abort(struct session *s, int r, struct vss_error *error);
/* The set is made, and what the writers answered with is taken. */
void session_conclude_set(struct session *s, int r, struct vss_error *error);
/* The next thing to wind up after the last Release. */
void session_release_next(struct session *s);
/* For the one-shot verbs. */
void session_set_expiry(struct session *s, uint64_t expire_unix);
