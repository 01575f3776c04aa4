/* See writer-calls.h. A thousand writers may wait for their turn: each answer sends the next
 * without looking at more than a few.
 *
 *      HELD <---> WAITING <---> SENT --answer--> freed
 *        |           |            |
 *        +-----------+------------+-- deadline or cancel: the asker is told (deadline) and
 *                                     forgotten; what was not sent is freed, but for ends, which
 *                                     are still sent; what was sent is late, and stays until its
 *                                     answer or the writer's end
 *
 * HELD: the writer has something before it to answer first, or has not answered for so long that it
 * is taken for mute. WAITING: the bus carries no more. SENT goes back to WAITING when the bus
 * refuses it.
 *
 * The deadline of an event begins when it is sent; one that has not been sent for as long is told
 * so. What is late is nothing that the others wait for: they share what the bus grants besides. To
 * a writer that is late nothing more is sent but the ends of what it was told, so that a stuck one
 * takes one call of those that the bus counts, or a few. */

#include "daemon/bus/writer-calls.h"

#include "common/time-util.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/writer-message.h"
#include "daemon/log/log.h"

/* How much of what the bus grants, in sixteenths, and how many events of one writer. Identify
 * leaves room for the stages of a set, and these for the ends. */
static const struct share {
        unsigned sixteenths, of_one_writer;
} shares[_WRITER_QUEUE_MAX] = {
        [WRITER_QUEUE_END] = { 15, 16 },
        [WRITER_QUEUE_STAGE] = { 12, 8 },
        [WRITER_QUEUE_IDENTIFY] = { 8, 4 },
};
/* Deadlines that a writer has to miss to be taken for mute. */
#define MISSED_MAX 4U
/* What the bus once refused it may grant when its configuration was changed. */
#define ASK_AGAIN_USEC (300 * USEC_PER_SEC)

enum call_state { CALL_HELD, CALL_WAITING, CALL_SENT };

struct writer_call {
        struct bus *bus;
        struct writer_peer *peer;
        struct writer_call *next, **pprev;   /* of the writer */
        struct writer_call *later, *earlier; /* WAITING, SENT: in its list */
        enum writer_event_type type;
        enum call_state state;
        bool late;       /* SENT */
        uint64_t number; /* the older one's is lower */
        DBusMessage *message;
        DBusPendingCall *pending; /* SENT */
        sd_event_source *deadline;
        uint64_t timeout_usec,
                unsent_usec;   /* from sending; the time when waiting to be sent ends */
        writer_reply_fn reply; /* NULL: forgotten */
        void *userdata;
};

static enum writer_queue queue_of(enum writer_event_type type) {
        static const enum writer_queue queues[_WRITER_EVENT_MAX] = {
                [WRITER_EVENT_IDENTIFY] = WRITER_QUEUE_IDENTIFY,
                [WRITER_EVENT_PREPARE_BACKUP] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_PREPARE_SNAPSHOT] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_FREEZE] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_THAW] = WRITER_QUEUE_END,
                [WRITER_EVENT_POST_SNAPSHOT] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_ABORT] = WRITER_QUEUE_END,
                [WRITER_EVENT_BACKUP_COMPLETE] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_BACKUP_SHUTDOWN] = WRITER_QUEUE_END,
                [WRITER_EVENT_PRE_RESTORE] = WRITER_QUEUE_STAGE,
                [WRITER_EVENT_POST_RESTORE] = WRITER_QUEUE_STAGE,
        };

        return queues[type];
}

static struct writer_calls *calls_of(const struct writer_call *c) {
        return &c->bus->writer_calls;
}

/* The list of its state, NULL: none. */
static struct writer_call_list *list_of(const struct writer_call *c) {
        if (c->state == CALL_HELD)
                return NULL;
        return c->state == CALL_SENT ? &calls_of(c)->sent
                                     : &calls_of(c)->waiting[queue_of(c->type)];
}

/* Before `later`; NULL: the last. */
static void list_insert(struct writer_call_list *list, struct writer_call *c,
                        struct writer_call *later) {
        c->later = later;
        c->earlier = later ? later->earlier : list->last;
        *(c->earlier ? &c->earlier->later : &list->first) = c;
        *(later ? &later->earlier : &list->last) = c;
}

static void list_remove(struct writer_call_list *list, struct writer_call *c) {
        *(c->earlier ? &c->earlier->later : &list->first) = c->later;
        *(c->later ? &c->later->earlier : &list->last) = c->earlier;
        c->later = c->earlier = NULL;
}

/* SENT apart, which is counted where it is sent. One that the bus refused goes before the younger:
 * the refused are the first in the queue, and come in their order. */
static void call_set_unsent(struct writer_call *c, enum call_state state) {
        struct writer_call_list *list = list_of(c);
        struct writer_call *later = NULL;

        if (list)
                list_remove(list, c);
        if (c->state == CALL_SENT)
                c->peer->calls.n_unsent[queue_of(c->type)]++;
        c->state = state;
        list = list_of(c);
        if (!list)
                return;
        if (list->last && list->last->number > c->number)
                for (later = list->first; later->number < c->number;)
                        later = later->later;
        list_insert(list, c, later);
}

static void call_uncount(struct writer_call *c) {
        dbus_pending_call_unref(c->pending);
        c->pending = NULL;
        calls_of(c)->n_sent--;
        c->peer->calls.n_sent--;
        if (c->late) {
                calls_of(c)->n_late--;
                c->peer->calls.n_late--;
        }
}

static struct writer_call *writer_call_free(struct writer_call *c) {
        struct writer_call_list *list;

        if (!c)
                return NULL;
        if (c->pending) {
                dbus_pending_call_cancel(c->pending);
                call_uncount(c);
        }
        if (c->pprev) {
                *c->pprev = c->next;
                if (c->next)
                        c->next->pprev = c->pprev;
                list = list_of(c);
                if (list)
                        list_remove(list, c);
                if (c->state != CALL_SENT)
                        c->peer->calls.n_unsent[queue_of(c->type)]--;
        }
        if (c->message)
                dbus_message_unref(c->message);
        sd_event_source_disable_unref(c->deadline);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct writer_call, writer_call_free);

/* Tells the asker, once. What it does then may free any call but this one. */
static void call_tell(struct writer_call *c, const struct writer_reply *reply) {
        writer_reply_fn tell = TAKE_PTR(c->reply);

        c->deadline = sd_event_source_disable_unref(c->deadline);
        if (tell)
                tell(c->userdata, reply);
}

static bool calls_have_room(const struct writer_calls *calls, enum writer_queue queue) {
        unsigned granted = calls->granted > 0 ? calls->granted : WRITER_CALLS_MAX;
        unsigned left = granted > calls->n_late ? granted - calls->n_late : 0;
        unsigned share = left * shares[queue].sixteenths / 16;

        return calls->n_sent < granted && calls->n_sent - calls->n_late < (share > 0 ? share : 1);
}

/* Events to one writer keep their order, but that ends go before the stages of other sessions, and
 * these before any Identify. Only a writer that does not answer has more than one unsent: what is
 * looked through is its own. */
static bool call_is_preceded(const struct writer_call *c) {
        const struct writer_peer_calls *calls = &c->peer->calls;
        enum writer_queue queue = queue_of(c->type);
        unsigned n = 0;

        for (unsigned q = 0; q <= queue; q++)
                n += calls->n_unsent[q];
        for (const struct writer_call *other = calls->first; n > 0 && other; other = other->next)
                if (other->state != CALL_SENT && other->number < c->number &&
                    queue_of(other->type) <= queue)
                        return true;
        return false;
}

static bool peer_is_mute(const struct writer_peer *peer) {
        return peer->calls.n_missed >= MISSED_MAX;
}

/* May its writer be sent this now? */
static bool call_is_due(const struct writer_call *c) {
        const struct writer_peer *peer = c->peer;
        enum writer_queue queue = queue_of(c->type);

        if (queue != WRITER_QUEUE_END && (peer->calls.n_late > 0 || peer_is_mute(peer)))
                return false;
        return peer->calls.n_sent < shares[queue].of_one_writer && !call_is_preceded(c);
}

static void call_on_answer(DBusPendingCall *pending, void *userdata);

/* On failure it stays what it was, and its deadline says so. */
static int call_go(struct writer_call *c) {
        struct writer_call_list *list = list_of(c);
        int r;

        if (!dbus_connection_send_with_reply(c->bus->connection, c->message, &c->pending,
                                             DBUS_TIMEOUT_INFINITE))
                return -ENOMEM;
        if (!c->pending)
                return -ENOTCONN;
        r = c->deadline ? sd_event_source_set_time_relative(c->deadline, c->timeout_usec) : 0;
        if (r >= 0 && !dbus_pending_call_set_notify(c->pending, call_on_answer, c, NULL))
                r = -ENOMEM;
        if (r < 0) {
                dbus_pending_call_cancel(c->pending);
                dbus_pending_call_unref(c->pending);
                c->pending = NULL;
                return r;
        }
        if (list)
                list_remove(list, c);
        c->peer->calls.n_unsent[queue_of(c->type)]--;
        c->state = CALL_SENT;
        list_insert(list_of(c), c, NULL);
        calls_of(c)->n_sent++;
        c->peer->calls.n_sent++;
        if (!c->reply) {
                c->late = true;
                calls_of(c)->n_late++;
                c->peer->calls.n_late++;
        }
        return 0;
}

/* Sends or queues what its writer was not sent for another's sake. */
static void peer_release(struct writer_peer *peer) {
        struct writer_call *next;

        do {
                next = NULL;
                for (struct writer_call *c = peer->calls.first; c; c = c->next)
                        if (c->state == CALL_HELD && call_is_due(c))
                                next = c; /* the oldest is the last */
                if (!next || peer->leaving)
                        return;
                if (!calls_have_room(&peer->bus->writer_calls, queue_of(next->type)))
                        call_set_unsent(next, CALL_WAITING);
        } while (next->state == CALL_WAITING || call_go(next) >= 0);
}

static void calls_send_waiting(struct writer_calls *calls) {
        for (unsigned queue = 0; queue < _WRITER_QUEUE_MAX; queue++) {
                struct writer_call *c;

                while ((c = calls->waiting[queue].first) && calls_have_room(calls, queue)) {
                        if (!call_is_due(c) || c->peer->leaving)
                                call_set_unsent(c, CALL_HELD);
                        else if (call_go(c) < 0)
                                return;
                        else
                                peer_release(c->peer);
                }
        }
}

/* The bus counts as many as were sent before this one, and have no answer yet. */
static unsigned count_sent_before(const struct writer_call *c) {
        unsigned n = 0;

        for (c = c->earlier; c; c = c->earlier)
                n++;
        return n;
}

/* The bus' word for a writer that does not read is the same, and that one's failure alone. */
static bool is_refusal(DBusMessage *m) {
        const char *text = "";

        if (!m || !dbus_message_is_error(m, DBUS_ERROR_LIMITS_EXCEEDED) ||
            !dbus_message_has_sender(m, DBUS_SERVICE_DBUS))
                return false;
        (void)dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        return !strstr(text, "full message queue");
}

/* Takes the call back, to be sent when another is answered. False: nothing else is under way, so
 * that it is not for our calls that the bus refuses it. */
static bool call_refused(struct writer_call *c) {
        struct writer_calls *calls = calls_of(c);
        unsigned granted = count_sent_before(c);

        if (granted == 0 || (!c->reply && !c->message))
                return false;
        c->late = false;
        calls->refused_usec = now_monotonic_usec();
        if (calls->granted == 0)
                log_warning("The bus lets only %u events wait for their answers at a time (its "
                            "limit max_replies_per_connection): with more writers a set takes "
                            "longer; see \"LIMITS OF THE BUS\" in vssd(8)",
                            granted);
        if (calls->granted == 0 || granted < calls->granted)
                calls->granted = granted;
        call_set_unsent(c, CALL_WAITING);
        /* Fails for no live source: and then the one that it waits for brings it on. */
        if (c->deadline)
                (void)sd_event_source_set_time(c->deadline, c->unsent_usec);
        return true;
}

/* An error is no answer, but its words are all that the writer's author has to go by. The bus' own,
 * of a writer that went, say nothing new. */
static void call_log_error(const struct writer_call *c, DBusMessage *m) {
        const char *name = writer_identity(c->peer->writer)->name, *text = NULL;

        (void)dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        log_full(dbus_message_has_sender(m, c->peer->client->name) ? LOG_WARNING : LOG_DEBUG,
                 (&(const struct log_fields){ .writer = name }),
                 "Writer %s answered %s with the error %s: %.512s", name,
                 writer_event_type_to_string(c->type), str_or_empty(dbus_message_get_error_name(m)),
                 str_or_empty(text));
}

static void call_read(const struct writer_call *c, DBusMessage *m, struct writer_reply *ret) {
        const struct writer_peer *peer = c->peer;
        const char *name = writer_identity(peer->writer)->name;

        if (m && dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR)
                call_log_error(c, m);
        /* The bus lets only the one that was called answer; a private one may be laxer. */
        if (!m || dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_RETURN ||
            !dbus_message_has_sender(m, peer->client->name) ||
            writer_message_read(ret, peer, c->type, m))
                return;
        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = name }),
                 "Writer %s answered %s with something that is no answer", name,
                 writer_event_type_to_string(c->type));
        document_unref(ret->metadata);
        document_unref(ret->components);
        *ret = (struct writer_reply){ .nonsense = true };
}

static void call_on_answer(DBusPendingCall *pending, void *userdata) {
        _cleanup_(writer_call_freep) struct writer_call *c = userdata;
        struct writer_peer *peer = c->peer;
        struct writer_reply reply = { 0 };
        struct bus *bus = c->bus;
        DBusMessage *m;

        m = dbus_pending_call_steal_reply(pending);
        call_uncount(c); /* not to be cancelled: it is being called back */
        if (is_refusal(m)) {
                if (call_refused(c)) {
                        dbus_message_unref(m);
                        (void)TAKE_PTR(c);
                        return;
                }
        } else
                peer->calls.n_missed = 0;
        call_read(c, m, &reply);
        call_tell(c, &reply);
        document_unref(reply.metadata);
        document_unref(reply.components);
        if (m)
                dbus_message_unref(m);
        writer_call_free(TAKE_PTR(c));
        peer_release(peer);
        calls_send_waiting(&bus->writer_calls);
}

/* Nobody listens any more. Freed only if the bus does not count it. */
static void call_forget(struct writer_call *c) {
        struct writer_peer *peer = c->peer;

        c->reply = NULL;
        c->deadline = sd_event_source_disable_unref(c->deadline);
        /* Who was asked to freeze is told the end, though nobody waits for its answer. */
        if (c->state != CALL_SENT && queue_of(c->type) == WRITER_QUEUE_END && !peer->leaving &&
            peer->calls.n_unsent[WRITER_QUEUE_END] <= shares[WRITER_QUEUE_END].of_one_writer)
                return;
        if (c->state != CALL_SENT) {
                writer_call_free(c);
                peer_release(peer);
                return;
        }
        if (c->late)
                return;
        c->late = true;
        calls_of(c)->n_late++;
        peer->calls.n_late++;
        dbus_message_unref(TAKE_PTR(c->message));
}

static int call_on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_,
                            void *userdata) {
        static const struct {
                const char *verb, *why;
        } phrases[] = {
                [CALL_HELD] = { "was not told", ", as it has not answered what came before" },
                [CALL_WAITING] = { "was not told", " in time, as too many events lack an answer" },
                [CALL_SENT] = { "did not answer", " in time" },
        };
        struct writer_call *c = userdata;
        struct writer_peer *peer = c->peer;
        const struct writer_identity *who = writer_identity(peer->writer);
        struct bus *bus = c->bus;

        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = who->name }),
                 "Writer %s (%s, pid %ld) %s %s%s", who->name, peer->client->name, (long)who->pid,
                 phrases[c->state].verb, writer_event_type_to_string(c->type),
                 phrases[c->state].why);
        if (c->state != CALL_WAITING)
                peer->calls.n_missed++;
        call_tell(c, &(const struct writer_reply){ .timed_out = true });
        call_forget(c);
        calls_send_waiting(&bus->writer_calls);
        return 0;
}

int writer_call_new(struct writer_call **ret, struct writer_peer *peer,
                    const struct writer_event *event, uint64_t timeout_usec, writer_reply_fn reply,
                    void *userdata) {
        _cleanup_(writer_call_freep) struct writer_call *c = NULL;
        struct writer_calls *calls = &peer->bus->writer_calls;
        uint64_t now = now_monotonic_usec();
        enum writer_queue queue = queue_of(event->type);
        int r;

        if (peer->leaving)
                return -ENOTCONN;
        if (calls->granted > 0 && now - calls->refused_usec > ASK_AGAIN_USEC)
                calls->granted = 0;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->bus = peer->bus;
        c->peer = peer;
        c->type = event->type;
        c->number = calls->n_ever++;
        c->timeout_usec = timeout_usec;
        /* One that has so much left to answer will not answer this in time, either. */
        c->unsent_usec = queue != WRITER_QUEUE_END && peer_is_mute(peer) ? now : now + timeout_usec;
        c->reply = reply;
        c->userdata = userdata;
        c->message = writer_message_new(&calls->pattern, peer, event);
        if (!c->message)
                return -ENOMEM;
        r = sd_event_add_time(c->bus->event, &c->deadline, CLOCK_MONOTONIC, c->unsent_usec,
                              USEC_PER_MSEC, call_on_deadline, c);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(c->deadline, "writer-event"); /* for debugging */

        c->pprev = &peer->calls.first;
        c->next = peer->calls.first;
        if (c->next)
                c->next->pprev = &c->next;
        peer->calls.first = c;
        peer->calls.n_unsent[queue]++;
        if (call_is_due(c)) {
                if (!calls_have_room(calls, queue))
                        call_set_unsent(c, CALL_WAITING);
                else {
                        r = call_go(c);
                        if (r < 0)
                                return r;
                }
        }
        *ret = TAKE_PTR(c);
        return 0;
}

static int calls_on_again(sd_event_source *source _unused_, void *userdata) {
        calls_send_waiting(userdata);
        return 0;
}

/* A little later: what waits may be of the round that is being cancelled. */
static void calls_send_later(struct bus *bus) {
        struct writer_calls *calls = &bus->writer_calls;
        bool any = false;

        for (unsigned queue = 0; queue < _WRITER_QUEUE_MAX; queue++)
                any = any || calls->waiting[queue].first;
        if (!any)
                return;
        /* Without memory the next answer sends them. */
        if (!calls->again &&
            sd_event_add_defer(bus->event, &calls->again, calls_on_again, calls) < 0)
                return;
        (void)sd_event_source_set_enabled(calls->again, SD_EVENT_ONESHOT); /* it is a live one */
}

void writer_call_cancel(struct writer_call *c) {
        struct bus *bus = c->bus;

        call_forget(c);
        calls_send_later(bus);
}

void writer_peer_drop_calls(struct writer_peer *peer) {
        struct bus *bus = peer->bus;

        assert(peer->leaving);

        while (peer->calls.first) {
                assert(!peer->calls.first->reply);
                writer_call_free(peer->calls.first);
        }
        calls_send_waiting(&bus->writer_calls);
}

void writer_calls_done(struct writer_calls *calls) {
        assert(!calls->sent.first);

        calls->again = sd_event_source_disable_unref(calls->again);
        calls->pattern = writer_message_pattern_free(calls->pattern);
}
