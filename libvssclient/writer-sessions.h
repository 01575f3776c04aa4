#pragma once

/* What the library remembers of the requesters' sessions that a writer takes part in, so that what
 * an event began is always ended: each from its first event to BackupShutdown, the last ones only.
 * Belongs to the writer, under its lock.
 *
 *      open        PrepareSnapshot arrived; PostSnapshot, Abort or a veto of PrepareSnapshot has
 *                  not ended it. Only one is: a set that begins means that an earlier one is over.
 *      frozen      Freeze arrived; Thaw or Abort has not been handled. Has a deadline.
 *      expired     its freeze was ended here: the Thaw that may come is too late
 *      wants_*     to be told by us, since the service will not */

#include "libvssclient/writer-event.h"

#define WRITER_SESSIONS_MAX 64
#define WRITER_LISTINGS_BYTES ((size_t)16 << 20) /* documents can be large */

struct writer_session {
        VSS_ID id;
        struct wire_event_details details; /* of its latest event, without what it points to */
        bool backup;                       /* BackupShutdown is to come */
        bool open, frozen, expired;
        bool copied; /* Thaw was handled: there may be a copy */
        bool wants_abort, wants_shutdown;
        uint64_t deadline_usec;    /* frozen */
        uint64_t wants_since_usec; /* wants_abort */
        struct document *identity; /* what the writer said in Identify; NULL: not kept */
};

struct writer_sessions {
        struct writer_session items[WRITER_SESSIONS_MAX];
        size_t n; /* oldest first */
};

void writer_sessions_done(struct writer_sessions *s);
/* NULL if it is not known. */
struct writer_session *writer_sessions_find(struct writer_sessions *s, VSS_ID id);
/* Known or new; the oldest that is not open makes room. */
struct writer_session *writer_sessions_get(struct writer_sessions *s, VSS_ID id);
void writer_sessions_close(struct writer_sessions *s, VSS_ID id);

/* An event of the session has arrived, and was not handled yet. */
void writer_sessions_arrive(struct writer_sessions *s, const struct writer_event *e,
                            uint32_t freeze_timeout_ms, uint64_t now_usec);
/* All of them are to be ended here: the service will not any more. */
void writer_sessions_lose(struct writer_sessions *s, uint64_t now_usec);
/* Ends the freezes whose time is over; returns when the next one's is. */
uint64_t writer_sessions_expire(struct writer_sessions *s, uint64_t now_usec);
/* The session that an ending is wanted for, Aborts before BackupShutdowns; NULL: none. frozen_only:
 * one that is frozen, which cannot wait. */
struct writer_session *writer_sessions_wanting(struct writer_sessions *s, bool frozen_only);
/* The session whose application is frozen; NULL: none. */
const struct writer_session *writer_sessions_frozen(const struct writer_sessions *s);
/* The Abort, or the BackupShutdown, that is told here. The Abort counts as told. */
void writer_session_make_abort(struct writer_session *session, struct writer_event *ret);
void writer_session_make_shutdown(const struct writer_session *session, struct writer_event *ret);
/* Abort is told. */
void writer_session_abort(struct writer_session *session);
/* Keeps a reference to what the writer said. */
void writer_session_identify(struct writer_sessions *s, VSS_ID id, struct document *identity);
