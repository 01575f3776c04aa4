/* The table of sessions: found by id, few enough to be looked through. */

#include "libvssclient/writer-sessions.h"
#include "common/time-util.h"
#include "common/vss-id.h"

static void drop(struct writer_sessions *s, size_t i) {
        s->items[i].identity = document_unref(s->items[i].identity);
        s->n--;
        memmove(&s->items[i], &s->items[i + 1], (s->n - i) * sizeof(s->items[0]));
}

void writer_sessions_done(struct writer_sessions *s) {
        while (s->n > 0)
                drop(s, s->n - 1);
}

struct writer_session *writer_sessions_find(struct writer_sessions *s, VSS_ID id) {
        for (size_t i = 0; i < s->n; i++)
                if (vss_id_equal(s->items[i].id, id))
                        return &s->items[i];
        return NULL;
}

/* Who only asked for our metadata goes before who makes a backup. */
static void make_room(struct writer_sessions *s) {
        size_t victim = 0;

        while (victim < s->n && s->items[victim].backup)
                victim++;
        if (victim == s->n)
                victim = s->items[0].open ? 1 : 0; /* one at most is open */
        drop(s, victim);
}

struct writer_session *writer_sessions_get(struct writer_sessions *s, VSS_ID id) {
        struct writer_session *known = writer_sessions_find(s, id);

        if (known)
                return known;
        if (s->n == WRITER_SESSIONS_MAX)
                make_room(s);
        s->items[s->n] = (struct writer_session){ .id = id, .deadline_usec = USEC_INFINITY };
        return &s->items[s->n++];
}

void writer_sessions_close(struct writer_sessions *s, VSS_ID id) {
        struct writer_session *session = writer_sessions_find(s, id);

        if (session)
                drop(s, (size_t)(session - s->items));
}

static void want_abort(struct writer_session *session, uint64_t now_usec) {
        if ((!session->open && !session->frozen) || session->wants_abort)
                return;
        session->wants_abort = true;
        session->wants_since_usec = now_usec;
}

static void begin(struct writer_sessions *s, struct writer_session *session, uint64_t now_usec) {
        for (size_t i = 0; i < s->n; i++)
                if (&s->items[i] != session)
                        want_abort(&s->items[i], now_usec);
        session->open = true;
        session->expired = session->copied = false;
}

static void freeze(struct writer_session *session, uint32_t timeout_ms, uint64_t now_usec) {
        uint32_t asked = session->details.freeze_timeout_ms;

        if (asked != 0 && asked < timeout_ms)
                timeout_ms = asked;
        session->frozen = true;
        session->deadline_usec = now_usec + timeout_ms * USEC_PER_MSEC;
}

void writer_sessions_arrive(struct writer_sessions *s, const struct writer_event *e,
                            uint32_t freeze_timeout_ms, uint64_t now_usec) {
        struct writer_session *session;

        /* These begin nothing that is to be ended. */
        if (e->phase != PHASE_PREPARE_BACKUP && e->phase != PHASE_PREPARE_SNAPSHOT &&
            e->phase != PHASE_FREEZE) {
                session = writer_sessions_find(s, e->session_id);
                if (!session)
                        return;
        } else {
                session = writer_sessions_get(s, e->session_id);
                session->backup = true;
        }
        session->details = e->details;
        session->details.volumes = session->details.devices = NULL; /* the event's */
        session->details.instance_name = NULL;
        if (e->phase == PHASE_PREPARE_SNAPSHOT || e->phase == PHASE_FREEZE)
                begin(s, session, now_usec);
        /* The clock starts with the event's arrival: the time until its handler runs, and what
         * that takes, count. */
        if (e->phase == PHASE_FREEZE)
                freeze(session, freeze_timeout_ms, now_usec);
}

void writer_sessions_lose(struct writer_sessions *s, uint64_t now_usec) {
        for (size_t i = s->n; i > 0; i--) {
                struct writer_session *session = &s->items[i - 1];

                want_abort(session, now_usec);
                session->wants_shutdown = session->backup;
                if (!session->backup)
                        drop(s, i - 1);
        }
}

uint64_t writer_sessions_expire(struct writer_sessions *s, uint64_t now_usec) {
        uint64_t next = USEC_INFINITY;

        for (size_t i = 0; i < s->n; i++) {
                struct writer_session *session = &s->items[i];

                if (!session->frozen || session->expired)
                        continue;
                if (session->deadline_usec <= now_usec) {
                        session->expired = true;
                        want_abort(session, now_usec);
                } else if (session->deadline_usec < next)
                        next = session->deadline_usec;
        }
        return next;
}

struct writer_session *writer_sessions_wanting(struct writer_sessions *s, bool frozen_only) {
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i].wants_abort && (!frozen_only || s->items[i].frozen))
                        return &s->items[i];
        for (size_t i = 0; !frozen_only && i < s->n; i++)
                if (s->items[i].wants_shutdown)
                        return &s->items[i];
        return NULL;
}

const struct writer_session *writer_sessions_frozen(const struct writer_sessions *s) {
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i].frozen)
                        return &s->items[i];
        return NULL;
}

void writer_session_make_abort(struct writer_session *session, struct writer_event *ret) {
        writer_event_make(ret, PHASE_ABORT, session->id, &session->details);
        writer_session_abort(session);
}

void writer_session_make_shutdown(const struct writer_session *session, struct writer_event *ret) {
        writer_event_make(ret, PHASE_BACKUP_SHUTDOWN, session->id, &session->details);
        if (!session->copied)
                ret->details.set_id = GUID_NULL;
}

void writer_session_abort(struct writer_session *session) {
        session->open = session->frozen = session->wants_abort = session->copied = false;
        session->deadline_usec = USEC_INFINITY;
}

/* Who makes a backup may ask for it until PostSnapshot; who only listed writers may yet begin one:
 * of those the latest are kept. */
static void drop_listings(struct writer_sessions *s) {
        size_t left = WRITER_LISTINGS_BYTES;

        for (size_t i = s->n; i > 0; i--) {
                struct writer_session *session = &s->items[i - 1];
                size_t size;

                if (!session->identity || session->backup)
                        continue;
                size = document_size(session->identity);
                if (size > left && left < WRITER_LISTINGS_BYTES)
                        session->identity = document_unref(session->identity);
                left -= size < left ? size : left;
        }
}

void writer_session_identify(struct writer_sessions *s, VSS_ID id, struct document *identity) {
        struct writer_session *session = writer_sessions_get(s, id);

        document_unref(session->identity);
        session->identity = document_ref(identity);
        drop_listings(s);
}
