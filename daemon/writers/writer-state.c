/* The writer's state machine: one table, event x state.
 *
 *            PrepareBackup   PrepareSnapshot       Freeze             Thaw
 *      STABLE ----> STABLE ------------> W_FREEZE ------> W_THAW -----------> W_POST
 *        ^  ^                                |               |                   |
 *        |  +---------- Abort (RETRYABLE) ---+---------------+-------------------+
 *        |                                                                       | PostSnapshot
 *        +------------------------- BackupComplete --------------------------- W_COMPLETE
 *
 * and from each event an edge to FAILED_AT_<event>. A failure of Freeze or Thaw, the freeze
 * deadline, and a writer that vanishes between PrepareSnapshot's end and Thaw take the set along.
 *
 * Where the rows are quoted: "-" of the specification is WRITER_REFUSE; "not delivered" is
 * WRITER_SKIP. No Abort follows a delivered PostSnapshot. */

#include "daemon/writers/writer-state.h"

#define SAME VSS_WS_COUNT
#define REFUSE \
        { .delivery = WRITER_REFUSE, .next = SAME, .failed = SAME }
#define SKIP \
        { .delivery = WRITER_SKIP, .next = SAME, .failed = SAME }
#define UNCHANGED \
        { .delivery = WRITER_DELIVER, .next = SAME, .failed = SAME }
#define GO(n, f) \
        { .delivery = WRITER_DELIVER, .next = VSS_WS_##n, .failed = VSS_WS_FAILED_AT_##f }
#define GO_FATAL(n, f)                                                                          \
        {                                                                                       \
                .delivery = WRITER_DELIVER, .next = VSS_WS_##n, .failed = VSS_WS_FAILED_AT_##f, \
                .fatal = true                                                                   \
        }
#define ABORTED                                                                    \
        {                                                                          \
                .delivery = WRITER_DELIVER, .next = VSS_WS_STABLE, .failed = SAME, \
                .leaves = VSS_E_WRITERERROR_RETRYABLE                              \
        }
#define END                                                        \
        {                                                          \
                .delivery = WRITER_DELIVER, .next = VSS_WS_STABLE, \
                .failed = VSS_WS_FAILED_AT_BACKUPSHUTDOWN          \
        }
#define END_AFTER_ABORT                                                        \
        {                                                                      \
                .delivery = WRITER_DELIVER_AFTER_ABORT, .next = VSS_WS_STABLE, \
                .failed = VSS_WS_FAILED_AT_BACKUPSHUTDOWN                      \
        }
#define LOST(is_fatal)                                                                        \
        {                                                                                     \
                .delivery = WRITER_DELIVER, .next = VSS_WS_UNKNOWN, .failed = VSS_WS_UNKNOWN, \
                .leaves = VSS_E_WRITER_NOT_RESPONDING, .fatal = (is_fatal)                    \
        }

enum column { COLUMN_STABLE, COLUMN_FREEZE, COLUMN_THAW, COLUMN_POST, COLUMN_COMPLETE, COLUMN_MAX };

#define BIT(state) (UINT32_C(1) << VSS_WS_FAILED_AT_##state)
#define FAILED_BITS UINT32_C(0xFFC0) /* every FAILED_AT_x */

static const struct row {
        struct writer_transition cells[COLUMN_MAX];
        struct writer_transition failed; /* in those FAILED_AT_x that are in takes_failed */
        uint32_t takes_failed;
        enum writer_delivery otherwise; /* in the other FAILED_AT_x */
} table[_WRITER_INPUT_MAX] = {
        [WRITER_EVENT_IDENTIFY] = {
                .cells = { UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED },
                .failed = UNCHANGED, .takes_failed = FAILED_BITS,
        },
        [WRITER_EVENT_PREPARE_BACKUP] = {
                .cells = { GO(STABLE, PREPARE_BACKUP), REFUSE, REFUSE, REFUSE, REFUSE },
                .otherwise = WRITER_REFUSE,
        },
        [WRITER_EVENT_PREPARE_SNAPSHOT] = {
                .cells = { GO(WAITING_FOR_FREEZE, PREPARE_SNAPSHOT), REFUSE, REFUSE, REFUSE,
                           REFUSE },
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_FREEZE] = {
                .cells = { REFUSE, GO_FATAL(WAITING_FOR_THAW, FREEZE), REFUSE, REFUSE, REFUSE },
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_THAW] = {
                .cells = { REFUSE, REFUSE, GO_FATAL(WAITING_FOR_POST_SNAPSHOT, THAW), REFUSE,
                           REFUSE },
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_POST_SNAPSHOT] = {
                .cells = { REFUSE, REFUSE, REFUSE,
                           GO(WAITING_FOR_BACKUP_COMPLETE, POST_SNAPSHOT), REFUSE },
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_BACKUP_COMPLETE] = {
                /* STABLE: no copy was made. */
                .cells = { GO(STABLE, BACKUP_COMPLETE), REFUSE, REFUSE, REFUSE,
                           GO(STABLE, BACKUP_COMPLETE) },
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_ABORT] = {
                .cells = { UNCHANGED, ABORTED, ABORTED, ABORTED, SKIP },
                .failed = UNCHANGED,
                .takes_failed = FAILED_BITS & ~(BIT(POST_SNAPSHOT) | BIT(BACKUP_COMPLETE) |
                                                BIT(BACKUPSHUTDOWN)),
                .otherwise = WRITER_SKIP,
        },
        [WRITER_EVENT_BACKUP_SHUTDOWN] = {
                .cells = { END, END_AFTER_ABORT, END_AFTER_ABORT, END_AFTER_ABORT, END },
                .failed = END, .takes_failed = FAILED_BITS,
        },
        [WRITER_EVENT_PRE_RESTORE] = {
                .cells = { GO(STABLE, PRE_RESTORE), REFUSE, REFUSE, REFUSE, REFUSE },
                .otherwise = WRITER_REFUSE,
        },
        [WRITER_EVENT_POST_RESTORE] = {
                .cells = { GO(STABLE, POST_RESTORE), REFUSE, REFUSE, REFUSE, REFUSE },
                .failed = GO(STABLE, POST_RESTORE), .takes_failed = BIT(PRE_RESTORE),
                .otherwise = WRITER_REFUSE,
        },
        [WRITER_INPUT_FREEZE_TIMER] = {
                .cells = { REFUSE, REFUSE,
                           { .delivery = WRITER_DELIVER, .next = VSS_WS_FAILED_AT_FREEZE,
                             .failed = VSS_WS_FAILED_AT_FREEZE,
                             .leaves = VSS_E_WRITERERROR_TIMEOUT, .fatal = true },
                           REFUSE, REFUSE },
                .otherwise = WRITER_REFUSE,
        },
        [WRITER_INPUT_LOST] = {
                .cells = { LOST(false), LOST(true), LOST(true), LOST(false), LOST(false) },
                .failed = UNCHANGED, .takes_failed = FAILED_BITS,
        },
};

static const struct writer_transition refuse = REFUSE, skip = SKIP;

static enum column column_of(VSS_WRITER_STATE phase) {
        assert(phase >= VSS_WS_STABLE && phase <= VSS_WS_WAITING_FOR_BACKUP_COMPLETE);

        return (enum column)(phase - VSS_WS_STABLE);
}

const struct writer_transition *writer_transition(unsigned input, VSS_WRITER_STATE state) {
        const struct row *row;

        assert(input < _WRITER_INPUT_MAX);

        row = &table[input];
        /* Gone: nothing reaches it. */
        if (state == VSS_WS_UNKNOWN)
                return &skip;
        if (state <= VSS_WS_WAITING_FOR_BACKUP_COMPLETE)
                return &row->cells[column_of(state)];
        if (row->takes_failed & (UINT32_C(1) << state))
                return &row->failed;
        return row->otherwise == WRITER_SKIP ? &skip : &refuse;
}

const char *writer_delivery_to_string(enum writer_delivery d) {
        switch (d) {
        case WRITER_REFUSE: return "refuse";
        case WRITER_SKIP: return "skip";
        case WRITER_DELIVER: return "deliver";
        case WRITER_DELIVER_AFTER_ABORT: return "abort, then deliver";
        }
        return NULL;
}

void writer_session_state_init(struct writer_session_state *s) {
        *s = (struct writer_session_state){ .phase = VSS_WS_STABLE, .failed = VSS_WS_UNKNOWN };
}

void writer_session_state_done(struct writer_session_state *s) {
        free(s->message);
        *s = (struct writer_session_state){ 0 };
}

VSS_WRITER_STATE writer_session_state_shown(const struct writer_session_state *s) {
        if (s->failed != VSS_WS_UNKNOWN && !s->refused)
                return s->failed;
        return s->mute ? VSS_WS_UNKNOWN : s->phase;
}

/* The state that decides what is delivered: a writer that failed and went on is where its phase
 * says. */
static VSS_WRITER_STATE effective(const struct writer_session_state *s) {
        return s->vetoed ? s->failed : s->phase;
}

enum writer_delivery writer_session_state_ask(const struct writer_session_state *s,
                                              enum writer_event_type type) {
        if (s->refused)
                return WRITER_SKIP;
        return writer_transition(type, effective(s))->delivery;
}

/* A message is shown to requesters and kept as long as the session: bounded, and cut between
 * characters, because it travels over the bus again. */
#define MESSAGE_MAX_BYTES 4096

static char *bounded_message(const char *message) {
        size_t n = strnlen(message, MESSAGE_MAX_BYTES + 1);

        if (n > MESSAGE_MAX_BYTES)
                for (n = MESSAGE_MAX_BYTES; n > 0 && ((unsigned char)message[n] & 0xC0) == 0x80;)
                        n--;
        return strndup(message, n);
}

static void state_record(struct writer_session_state *s, HRESULT failure, HRESULT application,
                         const char *message) {
        s->failure = failure;
        s->application = application;
        free(s->message);
        /* Without memory the failure stands without its text. */
        s->message = str_empty(message) ? NULL : bounded_message(message);
}

/* What a writer may record (1.6); anything else from it says only that it failed. */
static HRESULT legal_failure(HRESULT hr) {
        static const HRESULT legal[] = {
                VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT,
                VSS_E_WRITERERROR_OUTOFRESOURCES,
                VSS_E_WRITERERROR_TIMEOUT,
                VSS_E_WRITERERROR_RETRYABLE,
                VSS_E_WRITERERROR_NONRETRYABLE,
                VSS_E_WRITERERROR_PARTIAL_FAILURE,
                VSS_E_WRITERERROR_RECOVERY_FAILED,
        };

        if (!FAILED(hr))
                return S_OK;
        for (size_t i = 0; i < ARRAY_SIZE(legal); i++)
                if (legal[i] == hr)
                        return hr;
        return VSS_E_WRITERERROR_NONRETRYABLE;
}

static HRESULT missing_answer(enum writer_event_type type, const struct writer_reply *reply) {
        if (reply->timed_out && (type == WRITER_EVENT_FREEZE || type == WRITER_EVENT_THAW))
                return VSS_E_WRITERERROR_TIMEOUT;
        return VSS_E_WRITER_NOT_RESPONDING;
}

static void state_advance(struct writer_session_state *s, const struct writer_transition *t) {
        if (t->next != SAME)
                s->phase = t->next;
        /* The culprit keeps its own failure; an innocent one learns that it may try again. */
        if (t->leaves != S_OK && s->failed == VSS_WS_UNKNOWN)
                state_record(s, t->leaves, S_OK, NULL);
        if (s->failed == VSS_WS_FAILED_AT_PRE_RESTORE &&
            t->failed == VSS_WS_FAILED_AT_POST_RESTORE) {
                s->failed = VSS_WS_UNKNOWN;
                s->vetoed = false;
                state_record(s, S_OK, S_OK, NULL);
        }
}

static void state_fail(struct writer_session_state *s, const struct writer_transition *t, bool veto,
                       HRESULT failure, HRESULT application, const char *message) {
        /* A writer that went on stays in step with the others. */
        if (!veto && t->next != SAME)
                s->phase = t->next;
        s->failed = t->failed;
        s->vetoed = s->vetoed || veto;
        state_record(s, failure, application, message);
}

enum writer_outcome writer_session_state_answer(struct writer_session_state *s,
                                                enum writer_event_type type,
                                                const struct writer_reply *reply) {
        const struct writer_transition *t = writer_transition(type, effective(s));
        HRESULT failure;

        assert(t->delivery == WRITER_DELIVER || t->delivery == WRITER_DELIVER_AFTER_ABORT);

        /* What a handler says to Abort is read by nobody; only silence is worth noting. */
        if (type == WRITER_EVENT_ABORT || type == WRITER_EVENT_IDENTIFY) {
                state_advance(s, t);
                if (reply->delivered)
                        return WRITER_OUTCOME_OK;
                if (type == WRITER_EVENT_ABORT && s->failed == VSS_WS_UNKNOWN) {
                        s->mute = true;
                        state_record(s, VSS_E_WRITER_NOT_RESPONDING, S_OK, NULL);
                }
                return WRITER_OUTCOME_FAILED;
        }

        failure = reply->delivered ? legal_failure(reply->failure) : missing_answer(type, reply);
        if (reply->delivered && !reply->ok && failure == S_OK)
                failure = VSS_E_WRITERERROR_NONRETRYABLE;
        if (failure == S_OK) {
                state_advance(s, t);
                return WRITER_OUTCOME_OK;
        }

        state_fail(s, t, !reply->delivered || !reply->ok, failure,
                   reply->delivered ? reply->application : S_OK,
                   reply->delivered ? reply->message : NULL);
        return t->fatal && (!reply->delivered || !reply->ok) ? WRITER_OUTCOME_FATAL
                                                             : WRITER_OUTCOME_FAILED;
}

enum writer_outcome writer_session_state_expire(struct writer_session_state *s) {
        const struct writer_transition *t =
                writer_transition(WRITER_INPUT_FREEZE_TIMER, effective(s));

        if (t->delivery != WRITER_DELIVER)
                return WRITER_OUTCOME_OK;
        s->failed = t->failed;
        s->vetoed = true;
        state_record(s, t->leaves, S_OK, NULL);
        return WRITER_OUTCOME_FATAL;
}

void writer_session_state_refuse(struct writer_session_state *s, enum writer_event_type type) {
        const struct writer_transition *t = writer_transition(type, effective(s));

        state_fail(s, t, true, VSS_E_WRITER_STATUS_NOT_AVAILABLE, S_OK, NULL);
        s->mute = true;
        s->refused = true;
}

enum writer_outcome writer_session_state_lose(struct writer_session_state *s) {
        const struct writer_transition *t = writer_transition(WRITER_INPUT_LOST, effective(s));

        if (t->leaves != S_OK && s->failed == VSS_WS_UNKNOWN)
                state_record(s, t->leaves, S_OK, NULL);
        s->mute = true;
        return t->fatal ? WRITER_OUTCOME_FATAL : WRITER_OUTCOME_FAILED;
}
