#pragma once

/* One writer's state in one session (VSS_WRITER_STATE, and what leads to it): how far the events
 * of the operation have come, and what failed on the way. The two move independently: a writer
 * that recorded a failure and still returned true goes on through the phases, and stays failed
 * for whoever asks. What it shows to the requester (the VSS_WRITER_STATE) follows from both.
 *
 * The state knows nothing of transports: it is asked what to do with an event, and told how the
 * event went. */

#include "daemon/writers/writer.h"

/* What can happen to a writer in a session: the events, the freeze deadline, the end of its
 * connection. */
enum writer_input {
        WRITER_INPUT_FREEZE_TIMER = _WRITER_EVENT_MAX,
        WRITER_INPUT_LOST,
        _WRITER_INPUT_MAX,
};

enum writer_delivery {
        WRITER_REFUSE,              /* cannot happen in this session: deliver nothing, BAD_STATE */
        WRITER_SKIP,                /* this writer is left out, and that is right */
        WRITER_DELIVER,             /* send it */
        WRITER_DELIVER_AFTER_ABORT, /* it is in the middle of a set: Abort first */
};
const char *writer_delivery_to_string(enum writer_delivery d);

struct writer_transition {
        enum writer_delivery delivery;
        VSS_WRITER_STATE next;   /* after success; VSS_WS_COUNT: as it was */
        VSS_WRITER_STATE failed; /* after a failure; VSS_WS_COUNT: as it was */
        HRESULT leaves;          /* success records this failure; S_OK: nothing */
        bool fatal;              /* a failure takes the whole set with it */
};

/* The cell of the table. A failed state here is one that ended the writer's part (it returned
 * false, or did not answer). */
const struct writer_transition *writer_transition(unsigned input, VSS_WRITER_STATE state);

struct writer_session_state {
        VSS_WRITER_STATE phase;  /* STABLE ... WAITING_FOR_BACKUP_COMPLETE */
        VSS_WRITER_STATE failed; /* FAILED_AT_x; VSS_WS_UNKNOWN: nothing failed */
        bool vetoed;             /* failed, and only Abort and BackupShutdown still reach it */
        bool mute;               /* gone, did not even answer an Abort, or could not be asked:
                                    shown as UNKNOWN */
        bool refused;            /* could not be asked: nothing of the session reaches it */
        HRESULT failure, application;
        char *message; /* owned */
};

void writer_session_state_init(struct writer_session_state *s);
void writer_session_state_done(struct writer_session_state *s);

/* What the requester is shown. */
VSS_WRITER_STATE writer_session_state_shown(const struct writer_session_state *s);
enum writer_delivery writer_session_state_ask(const struct writer_session_state *s,
                                              enum writer_event_type type);

enum writer_outcome {
        WRITER_OUTCOME_OK,
        WRITER_OUTCOME_FAILED, /* recorded; the operation goes on */
        WRITER_OUTCOME_FATAL,  /* Freeze or Thaw: the set is to be aborted */
};
/* The event was delivered and ended so. */
enum writer_outcome writer_session_state_answer(struct writer_session_state *s,
                                                enum writer_event_type type,
                                                const struct writer_reply *reply);
/* The freeze deadline passed between the answer to Freeze and Thaw. */
enum writer_outcome writer_session_state_expire(struct writer_session_state *s);
/* It is in so many sessions that it cannot be asked: nothing was sent to it. */
void writer_session_state_refuse(struct writer_session_state *s, enum writer_event_type type);
/* Its connection went. */
enum writer_outcome writer_session_state_lose(struct writer_session_state *s);
