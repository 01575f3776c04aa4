/* One IVssBackupComponents object: what it is made of, its gate, its one running operation. The
 * methods live in rooms of their own: session-setup, -writers, -components, -documents, -set,
 * -backup, -restore, -query, -storage; its end in session-release.
 *
 *        InitializeForBackup  Gather      Start        Prepare      Do           Complete
 *      N --------------> B0 -------> BM --------> BS --------> BP ------> BC ------> BD ------> BE
 *                         \----------------------/ \-- (no writers) ----/ |  \
 *                                                   AbortBackup, failure, cancel: BA */

#include "daemon/session/session-private.h"

#include "common/time-util.h"
#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"

void session_config_defaults(struct session_config *c) {
        *c = (struct session_config){
                .freeze_usec = 60 * USEC_PER_SEC,
                .flush_usec = 120 * USEC_PER_SEC,
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
                .recovery_usec = 30 * USEC_PER_SEC,
                .max_volumes = 64,
                .max_snapshots = 512,
                .max_client_snapshots = 64,
                .max_sessions = 1024,
                .area_volume_bytes = UINT64_MAX,
                .area_all_bytes = UINT64_MAX,
        };
}

void session_turn(sd_event_source *source) {
        int r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);

        assert(r >= 0);
        (void)r;
}

static int session_add_turn(struct session *s, sd_event_source **ret, sd_event_handler_t handler) {
        int r;

        r = sd_event_add_defer(s->manager->event, ret, handler, s);
        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static struct session *session_free_memory(struct session *s) {
        sd_event_source_disable_unref(s->status_turn);
        sd_event_source_disable_unref(s->abort_turn);
        sd_event_source_disable_unref(s->release_turn);
        sd_event_source_disable_unref(s->merged_turn);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(struct session, session_free_memory);

int session_new(struct session **ret, struct session_manager *m, uid_t owner,
                struct vss_error *reterr) {
        _cleanup_(session_free_memoryp) struct session *s = NULL;
        int r;

        if (m->n_sessions >= m->config.max_sessions)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "%u sessions are open, the most this service keeps; release "
                                     "one, or wait until one has ended",
                                     m->n_sessions);
        s = calloc(1, sizeof(*s));
        if (!s)
                return vss_error_from_errno(reterr, -ENOMEM, "Making a session");
        r = vss_id_random(&s->id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Making a session's id");
        s->manager = m;
        r = session_add_turn(s, &s->status_turn, session_on_status_turn);
        if (r >= 0)
                r = session_add_turn(s, &s->abort_turn, session_on_abort_turn);
        if (r >= 0)
                r = session_add_turn(s, &s->release_turn, session_on_release_turn);
        if (r >= 0)
                r = session_add_turn(s, &s->merged_turn, session_on_merged_turn);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Making a session");
        s->owner = owner;
        s->number = ++m->last_number;
        s->state = SESSION_NEW;
        s->context = VSS_CTX_BACKUP;
        s->next = m->sessions;
        s->pprev = &m->sessions;
        if (s->next)
                s->next->pprev = &s->next;
        m->sessions = s;
        m->n_sessions++;
        log_debug("Session %llu of uid %u is %s", (unsigned long long)s->number, (unsigned)owner,
                  VSS_ID_TEXT(s->id));
        *ret = TAKE_PTR(s);
        return 0;
}

void session_drop_volumes(struct session *s) {
        for (size_t i = 0; i < s->n_volumes; i++)
                volume_free(s->volumes[i].volume);
        free(s->volumes);
        s->volumes = NULL;
        s->n_volumes = 0;
}

/* The memory alone: everything that runs has ended. */
struct session *session_destroy(struct session *s) {
        if (!s)
                return NULL;
        assert(!s->coordinator && !s->operation.async && !s->inquiries && !s->abort_waiters);

        manager_release_creation(s->manager, s);
        *s->pprev = s->next;
        if (s->next)
                s->next->pprev = s->pprev;
        s->manager->n_sessions--;
        if (s->manager->n_sessions == 0)
                session_turn(s->manager->trim_turn); /* when what follows is freed */

        session_drop_status(s);
        assert(!s->readings && !s->work);
        session_set_account(s, NULL);
        session_drop_models(s);
        session_discard_document(s->manager, s->document);
        async_unref(s->status_async);
        session_drop_volumes(s);
        free(s->imported);
        participants_free(s->participants);
        writer_filter_done(&s->filter);
        return session_free_memory(s);
}

uint64_t session_number(const struct session *s) {
        return s->number;
}

VSS_ID session_id(const struct session *s) {
        return s->id;
}

uid_t session_owner(const struct session *s) {
        return s->owner;
}

void session_set_state(struct session *s, enum session_state state) {
        if (s->state == state)
                return;
        log_debug("Session %llu: %s -> %s", (unsigned long long)s->number,
                  session_state_to_string(s->state), session_state_to_string(state));
        s->state = state;
        session_drop_metadata(s);
}

void session_set_expiry(struct session *s, uint64_t expire_unix) {
        s->expire_unix = expire_unix;
}

void session_consume_context(struct session *s) {
        s->context_set = true;
}

/* Those that move the state, or what an operation under way has told the writers. Polling calls
 * and administration are fine at any time. */
static bool method_waits_for_operation(enum session_method m) {
        static const enum session_method waiting[] = {
                METHOD_INITIALIZE_FOR_BACKUP,
                METHOD_INITIALIZE_FOR_RESTORE,
                METHOD_SET_CONTEXT,
                METHOD_SET_BACKUP_STATE,
                METHOD_SET_RESTORE_STATE,
                METHOD_GATHER_WRITER_METADATA,
                METHOD_ADD_COMPONENT,
                METHOD_SET_BACKUP_SUCCEEDED,
                METHOD_SET_BACKUP_OPTIONS,
                METHOD_SET_PREVIOUS_BACKUP_STAMP,
                METHOD_SET_SELECTED_FOR_RESTORE,
                METHOD_SET_SELECTED_FOR_RESTORE_EX,
                METHOD_SET_RESTORE_OPTIONS,
                METHOD_SET_ADDITIONAL_RESTORES,
                METHOD_ADD_ALTERNATIVE_LOCATION_MAPPING,
                METHOD_ADD_RESTORE_SUBCOMPONENT,
                METHOD_SET_FILE_RESTORE_STATUS,
                METHOD_ADD_NEW_TARGET,
                METHOD_SET_RANGES_FILE_PATH,
                METHOD_SET_AUTHORITATIVE_RESTORE,
                METHOD_SET_ROLL_FORWARD,
                METHOD_SET_RESTORE_NAME,
                METHOD_START_SNAPSHOT_SET,
                METHOD_PREPARE_FOR_BACKUP,
                METHOD_DO_SNAPSHOT_SET,
                METHOD_BACKUP_COMPLETE,
                METHOD_PRE_RESTORE,
                METHOD_POST_RESTORE,
                METHOD_IMPORT_SNAPSHOTS,
        };

        for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
                if (waiting[i] == m)
                        return true;
        return false;
}

int session_enter(const struct session *s, enum session_method m, enum session_state *ret_next,
                  struct vss_error *reterr) {
        const struct session *builder = s->manager->builder;
        const struct session_facts facts = {
                .no_writers = !vss_context_has_writers(s->context),
                .all_contexts = s->context == VSS_CTX_ALL,
                .context_set = s->context_set,
                .backup_state = s->backup_state_set,
                .loaded = s->loaded,
                .other_builds = builder && builder != s,
        };
        enum session_state next;
        int r;

        r = session_table_check(m, &facts, s->state, &next, reterr);
        if (r < 0)
                return r;
        if (r == 0 && s->operation.async && method_waits_for_operation(m))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s must wait: %s is still running; wait for its end or "
                                     "cancel it",
                                     session_method_to_string(m),
                                     session_method_to_string(s->operation.method));
        if (r == 0 && s->work && method_waits_for_operation(m))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s must wait: the document is large, and an earlier call "
                                     "that reads it is not answered yet; wait for its answer",
                                     session_method_to_string(m));
        if (ret_next)
                *ret_next = next;
        return r;
}

int session_check(const struct session *s, enum session_method m, struct vss_error *reterr) {
        return session_enter(s, m, NULL, reterr);
}

int session_begin_operation(struct session *s, enum session_method m, enum session_state next,
                            async_cancel_fn cancel, struct vss_error *reterr) {
        int r;

        assert(!s->operation.async);

        r = async_new(&s->operation.async, session_method_to_string(m), cancel, s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, session_method_to_string(m));
        s->operation.method = m;
        s->operation.next = next;
        s->operation.round = NULL;
        s->operation.cancelled = false;
        s->operation.held = false;
        return 0;
}

void session_end_operation(struct session *s, const struct vss_error *error) {
        _cleanup_(async_unrefp) struct async *a = TAKE_PTR(s->operation.async);

        assert(!s->operation.round);

        s->operation.parts = session_parts_free(s->operation.parts);
        s->operation.held = false;
        vss_error_done(&s->operation.outcome);
        vss_error_done(&s->operation.failure);
        if (!a)
                return;
        /* Last: its observer may do anything. */
        if (error)
                async_complete(a, error);
        else
                async_complete_cancelled(a);
}

void session_drop_operation(struct session *s) {
        round_cancel(TAKE_PTR(s->operation.round));
        session_end_operation(s, NULL);
}

struct writer_event session_event(const struct session *s, enum writer_event_type type) {
        const struct backup_document_state *state = session_backup_state(s);

        return (struct writer_event){
                .type = type,
                .session_id = s->id,
                .set_id = s->set_id,
                .context = s->context,
                /* Before SetBackupState, i.e. in Identify, nothing is known. */
                .backup_type =
                        state->backup_type == VSS_BT_UNDEFINED ? VSS_BT_FULL : state->backup_type,
                .restore_type = state->restore_type,
                .component_mode = state->select_components,
                .bootable_system_state = state->bootable_system_state,
                .partial_files = state->partial_files,
        };
}

static void session_conclude_round(struct session *s) {
        struct vss_error error = { 0 };

        vss_error_move(&error, &s->operation.outcome);
        session_set_state(s, s->operation.next);
        session_end_operation(s, &error);
        vss_error_done(&error);
}

/* Who failed is in the status; whether to go on is the requester's decision. The one documented
 * exception: an answer to BackupComplete that is none. The backup is complete all the same. */
static void session_on_round(void *userdata, const struct round_result *result) {
        struct session *s = userdata;
        struct vss_error error = { 0 };

        if (s->operation.next == SESSION_COMPLETE && result->nonsense > 0)
                (void)vss_error_set(&error, VSS_E_UNEXPECTED_WRITER_ERROR, 0,
                                    "%u writer(s) answered BackupComplete with what is no answer: "
                                    "%s; GetWriterStatus tells which",
                                    result->nonsense, str_or_empty(result->error.message));
        s->operation.round = NULL;
        vss_error_move(&s->operation.outcome, &error);
        s->operation.held = s->n_merges > 0;
        if (!s->operation.held)
                session_conclude_round(s);
}

static int session_send_round(struct session *s, struct vss_error *reterr) {
        const struct writer_event event = session_event(s, s->operation.type);
        int r;

        r = participants_send(s->participants, &event, s->manager->config.event_usec,
                              session_on_round, s, &s->operation.round);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r,
                                           session_method_to_string(s->operation.method));
        return r;
}

static void session_on_parts(void *userdata, int r, const void *result _unused_,
                             struct vss_error *error) {
        struct session *s = userdata;

        /* It may have been cancelled meanwhile, or the session be ending. */
        if (s->released || !s->operation.async)
                return;
        if (r >= 0)
                r = session_send_round(s, error);
        if (r < 0)
                session_end_operation(s, error);
}

int session_begin_round(struct session *s, enum session_method m, enum writer_event_type type,
                        enum session_state next, async_cancel_fn cancel, struct async **ret,
                        struct vss_error *reterr) {
        int r;

        r = session_begin_operation(s, m, next, cancel, reterr);
        if (r < 0)
                return r;
        s->operation.type = type;
        r = session_make_parts(s, session_is_restore(s), session_on_parts, reterr);
        if (r > 0)
                r = session_send_round(s, reterr);
        if (r < 0) {
                s->operation.async = async_unref(s->operation.async);
                return r;
        }
        *ret = async_ref(s->operation.async);
        return 0;
}

int session_on_merged_turn(sd_event_source *source _unused_, void *userdata) {
        struct session *s = userdata;

        if (!s->operation.held || s->n_merges > 0)
                return 0;
        s->operation.held = false;
        if (s->operation.method == METHOD_DO_SNAPSHOT_SET)
                session_conclude_set(s, 0, &s->operation.outcome);
        else
                session_conclude_round(s);
        return 0;
}
