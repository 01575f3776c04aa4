/* How events reach a writer: see writer-transport.h.
 *
 * The bus bounds how many of our calls may lack an answer (128 on a system bus), and it goes on
 * counting those that we gave up. So a call stays here until it is really answered, whoever still
 * listens: a limited number is sent at a time, in all and to one writer, the rest wait for their
 * turn, their deadlines running; and a writer that left several unanswered beyond their deadlines
 * is taken for mute, without waiting, until it answers again.
 *
 * A thousand writers may wait for their turn: each answer sends the next without looking at more
 * than a few. There is one queue for each class of events, because each has its own limit; and each
 * writer counts what waits for it, so that its own events keep their order.
 *
 *      WAITING --slot free--> SENT --answer--> freed
 *         |                    |
 *         +----- deadline or cancel: the asker is told (deadline) and forgotten;
 *                WAITING is freed, SENT stays until its answer or the writer's end */

#include "daemon/bus/writer-transport.h"

#include "common/time-util.h"
#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/log/log.h"

/* Identify, which any number of sessions may ask at once, leaves room for the stages of a set, and
 * these for Thaw and Abort: whoever was asked to freeze is always told. */
static const struct limits {
        unsigned in_all, of_one_writer;
} limits[_WRITER_QUEUE_MAX] = {
        [WRITER_QUEUE_THAW] = { 120, 16 },
        [WRITER_QUEUE_STAGE] = { 96, 8 },
        [WRITER_QUEUE_IDENTIFY] = { 64, 4 },
};
/* Unanswered beyond their deadlines. */
#define LATE_MAX 4U

struct writer_call {
        struct bus *bus;
        struct writer_peer *peer;
        struct writer_call *next, **pprev;                   /* of the writer, the newest first */
        struct writer_call *next_waiting, *previous_waiting; /* WAITING: in its queue */
        enum writer_event_type type;
        uint64_t number;          /* counts the calls of the writer */
        bool queued;              /* WAITING */
        DBusMessage *message;     /* WAITING; NULL: SENT */
        DBusPendingCall *pending; /* SENT */
        bool late;                /* SENT, and nobody waits for the answer any more */
        sd_event_source *deadline;
        writer_reply_fn reply; /* NULL: forgotten */
        void *userdata;
};

static enum writer_queue queue_of(enum writer_event_type type) {
        if (type == WRITER_EVENT_IDENTIFY)
                return WRITER_QUEUE_IDENTIFY;
        return type == WRITER_EVENT_THAW || type == WRITER_EVENT_ABORT ? WRITER_QUEUE_THAW
                                                                       : WRITER_QUEUE_STAGE;
}

static void call_unlink(struct writer_call *c) {
        if (!c->pprev)
                return;
        *c->pprev = c->next;
        if (c->next)
                c->next->pprev = c->pprev;
        c->pprev = NULL;
}

static void call_queue(struct writer_call *c) {
        enum writer_queue queue = queue_of(c->type);
        struct writer_call_queue *q = &c->bus->writer_queues[queue];

        c->previous_waiting = q->last;
        if (q->last)
                q->last->next_waiting = c;
        else
                q->first = c;
        q->last = c;
        c->peer->n_waiting[queue]++;
}

static void call_unqueue(struct writer_call *c) {
        enum writer_queue queue = queue_of(c->type);
        struct writer_call_queue *q = &c->bus->writer_queues[queue];

        if (c->previous_waiting)
                c->previous_waiting->next_waiting = c->next_waiting;
        else
                q->first = c->next_waiting;
        if (c->next_waiting)
                c->next_waiting->previous_waiting = c->previous_waiting;
        else
                q->last = c->previous_waiting;
        c->next_waiting = c->previous_waiting = NULL;
        c->peer->n_waiting[queue]--;
}

static void call_uncount(struct writer_call *c) {
        dbus_pending_call_unref(c->pending);
        c->pending = NULL;
        c->bus->n_writer_calls--;
        c->peer->n_unanswered--;
        if (c->late)
                c->peer->n_late--;
}

static struct writer_call *writer_call_free(struct writer_call *c) {
        if (!c)
                return NULL;
        call_unlink(c);
        if (c->pending) {
                dbus_pending_call_cancel(c->pending);
                call_uncount(c);
        }
        if (c->queued)
                call_unqueue(c);
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

/* What an answer brings: its strings point into the message, its documents are ours. */
static int read_document(DBusMessageIter *iter, const char *what, struct document **ret,
                         const struct writer_call *c) {
        struct vss_error error = { 0 };
        int r;

        r = document_read(iter, what, DOCUMENT_MAX, ret, &error);
        if (r < 0)
                log_full(LOG_WARNING,
                         (&(const struct log_fields){
                                 .writer = writer_identity(c->peer->writer)->name }),
                         "Writer %s, %s: %s", writer_identity(c->peer->writer)->name,
                         writer_event_type_to_string(c->type), str_or_empty(error.message));
        vss_error_done(&error);
        return r;
}

static bool parse_answer(struct writer_reply *reply, const struct writer_call *c, DBusMessage *m) {
        const struct bus_method *row;
        dbus_bool_t ok = FALSE;
        DBusMessageIter iter;

        row = bus_interface_find_method(&bus_interface_writer_events,
                                        writer_event_type_to_string(c->type));
        if (!dbus_message_has_signature(
                    m, bus_args_signature(row->out, (char[BUS_SIGNATURE_MAX]){ 0 })))
                return false;
        (void)dbus_message_iter_init(m, &iter); /* there are arguments: see above */
        dbus_message_iter_get_basic(&iter, &ok);
        (void)dbus_message_iter_next(&iter);
        if (c->type == WRITER_EVENT_IDENTIFY) {
                if (read_document(&iter, "the metadata", &reply->metadata, c) < 0)
                        return false;
        } else {
                dbus_message_iter_get_basic(&iter, &reply->failure);
                (void)dbus_message_iter_next(&iter);
                dbus_message_iter_get_basic(&iter, &reply->application);
                (void)dbus_message_iter_next(&iter);
                dbus_message_iter_get_basic(&iter, &reply->message);
                if (writer_event_type_has_components(c->type)) {
                        (void)dbus_message_iter_next(&iter);
                        if (read_document(&iter, "the components", &reply->components, c) < 0)
                                return false;
                }
        }
        reply->delivered = true;
        reply->ok = ok;
        return true;
}

static void bus_send_waiting(struct bus *bus);

/* An error is no answer, but its words are all that the writer's author has to go by. The bus' own,
 * of a writer that went, say nothing new. */
static void log_refusal(const struct writer_call *c, DBusMessage *m) {
        const char *name = writer_identity(c->peer->writer)->name, *text = NULL;

        (void)dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        log_full(dbus_message_has_sender(m, c->peer->client->name) ? LOG_WARNING : LOG_DEBUG,
                 (&(const struct log_fields){ .writer = name }),
                 "Writer %s answered %s with the error %s: %.512s", name,
                 writer_event_type_to_string(c->type), str_or_empty(dbus_message_get_error_name(m)),
                 str_or_empty(text));
}

static void call_on_answer(DBusPendingCall *pending, void *userdata) {
        _cleanup_(writer_call_freep) struct writer_call *c = userdata;
        struct writer_reply reply = { 0 };
        struct bus *bus = c->bus;
        DBusMessage *m;

        m = dbus_pending_call_steal_reply(pending);
        call_uncount(c); /* not to be cancelled: it is being called back */
        /* The bus lets only the one that was called answer; a private one may be laxer. */
        if (m && dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_METHOD_RETURN &&
            dbus_message_has_sender(m, c->peer->client->name) && !parse_answer(&reply, c, m)) {
                log_full(LOG_WARNING,
                         (&(const struct log_fields){
                                 .writer = writer_identity(c->peer->writer)->name }),
                         "Writer %s answered %s with something that is no answer",
                         writer_identity(c->peer->writer)->name,
                         writer_event_type_to_string(c->type));
                reply = (struct writer_reply){ .nonsense = true };
        } else if (m && dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR)
                log_refusal(c, m);

        call_unlink(c);
        call_tell(c, &reply);
        document_unref(reply.metadata);
        document_unref(reply.components);
        if (m)
                dbus_message_unref(m);
        bus_send_waiting(bus);
}

/* Events to one writer keep their order, but that the stages of a set go before any Identify. Only
 * a writer that does not answer has more than one waiting: what is looked through is its own. */
static bool call_is_preceded(const struct writer_call *c) {
        const struct writer_peer *peer = c->peer;
        unsigned stages = peer->n_waiting[WRITER_QUEUE_THAW] + peer->n_waiting[WRITER_QUEUE_STAGE];
        bool identify = c->type == WRITER_EVENT_IDENTIFY;

        if (identify ? stages > 0 : stages == 0)
                return identify;
        if (identify && peer->n_waiting[WRITER_QUEUE_IDENTIFY] == 0)
                return false;
        for (const struct writer_call *other = peer->calls; other; other = other->next)
                if (other->queued && other->number < c->number &&
                    (other->type == WRITER_EVENT_IDENTIFY) == identify)
                        return true;
        return false;
}

static bool call_may_go(const struct writer_call *c) {
        const struct limits *l = &limits[queue_of(c->type)];

        return c->bus->n_writer_calls < l->in_all && c->peer->n_unanswered < l->of_one_writer &&
               !call_is_preceded(c);
}

static int call_go(struct writer_call *c) {
        if (!dbus_connection_send_with_reply(c->bus->connection, c->message, &c->pending,
                                             DBUS_TIMEOUT_INFINITE))
                return -ENOMEM;
        if (!c->pending)
                return -ENOTCONN;
        if (!dbus_pending_call_set_notify(c->pending, call_on_answer, c, NULL)) {
                dbus_pending_call_cancel(c->pending);
                dbus_pending_call_unref(c->pending);
                c->pending = NULL;
                return -ENOMEM;
        }
        if (c->queued)
                call_unqueue(c);
        c->queued = false;
        c->bus->n_writer_calls++;
        c->peer->n_unanswered++;
        dbus_message_unref(TAKE_PTR(c->message));
        return 0;
}

/* Nobody listens any more. Freed only if the bus does not count it. */
static void call_forget(struct writer_call *c) {
        c->reply = NULL;
        c->deadline = sd_event_source_disable_unref(c->deadline);
        if (c->message)
                writer_call_free(c);
        else if (!c->late) {
                c->late = true;
                c->peer->n_late++;
        }
}

static int call_on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_,
                            void *userdata) {
        struct writer_call *c = userdata;
        struct writer_peer *peer = c->peer;
        struct bus *bus = c->bus;

        log_full(LOG_WARNING,
                 (&(const struct log_fields){ .writer = writer_identity(peer->writer)->name }),
                 "Writer %s (%s, pid %ld) did not answer %s in time",
                 writer_identity(peer->writer)->name, peer->client->name,
                 (long)writer_identity(peer->writer)->pid, writer_event_type_to_string(c->type));
        call_tell(c, &(const struct writer_reply){ .timed_out = true });
        call_forget(c);
        bus_send_waiting(bus);
        return 0;
}

static void bus_send_waiting(struct bus *bus) {
        for (unsigned queue = 0; queue < _WRITER_QUEUE_MAX; queue++) {
                struct writer_call *c, *next;

                for (c = bus->writer_queues[queue].first;
                     c && bus->n_writer_calls < limits[queue].in_all; c = next) {
                        next = c->next_waiting;
                        /* What cannot be sent is told so by its deadline, as is what nobody
                         * answers. */
                        if (call_may_go(c) && call_go(c) < 0)
                                return;
                }
        }
}

static DBusMessage *event_message(const struct writer_peer *peer,
                                  const struct writer_event *event) {
        struct wire_event_details details = {
                .set_id = event->set_id,
                .context = event->context,
                .backup_type = (uint32_t)event->backup_type,
                .restore_type = (uint32_t)event->restore_type,
                .instance_name = writer_identity(peer->writer)->instance_name,
                .component_mode = event->component_mode,
                .bootable_system_state = event->bootable_system_state,
                .partial_files = event->partial_files,
                .volumes = (char **)event->volumes, /* only read */
                .devices = (char **)event->devices,
                .freeze_timeout_ms = event->type == WRITER_EVENT_FREEZE
                                             ? writer_identity(peer->writer)->freeze_timeout_ms
                                             : 0,
        };
        struct bus_out out;
        DBusMessage *m;

        m = dbus_message_new_method_call(peer->client->name, peer->path,
                                         bus_interface_writer_events.name,
                                         writer_event_type_to_string(event->type));
        if (!m)
                return NULL;
        bus_out_init(&out, m);
        bus_out_id(&out, event->session_id);
        bus_out_dict(&out, &wire_event_details_table, &details);
        if (writer_event_type_has_components(event->type))
                bus_out_document(&out, event->components);
        if (out.failed) {
                dbus_message_unref(m);
                return NULL;
        }
        return m;
}

static int transport_send(void *userdata, const struct writer_event *event, uint64_t timeout_usec,
                          writer_reply_fn reply, void *reply_userdata, struct writer_call **ret) {
        _cleanup_(writer_call_freep) struct writer_call *c = NULL;
        struct writer_peer *peer = userdata;
        bool mute = peer->n_late >= LATE_MAX && queue_of(event->type) != WRITER_QUEUE_THAW;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->bus = peer->bus;
        c->peer = peer;
        c->type = event->type;
        c->number = peer->n_calls++;
        c->reply = reply;
        c->userdata = reply_userdata;
        c->message = event_message(peer, event);
        if (!c->message)
                return -ENOMEM;
        /* One that has so much left to answer will not answer this in time, either. */
        r = sd_event_add_time_relative(c->bus->event, &c->deadline, CLOCK_MONOTONIC,
                                       mute ? 0 : timeout_usec, USEC_PER_MSEC, call_on_deadline, c);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(c->deadline, "writer-event"); /* for debugging */
        if (!mute && call_may_go(c)) {
                r = call_go(c);
                if (r < 0)
                        return r;
        } else {
                call_queue(c);
                c->queued = true;
        }

        c->pprev = &peer->calls;
        c->next = peer->calls;
        if (c->next)
                c->next->pprev = &c->next;
        peer->calls = c;
        *ret = TAKE_PTR(c);
        return 0;
}

static void transport_cancel(struct writer_call *c) {
        call_forget(c);
}

static const struct writer_transport transport = {
        .send = transport_send,
        .cancel = transport_cancel,
};

int writer_peer_new(struct writer_peer **ret, struct bus_client *client,
                    const struct writer_identity *identity, const char *path,
                    struct vss_error *reterr) {
        struct writer_identity who = *identity;
        struct writer_peer *p;
        int r;

        if (client->n_writers >= BUS_CLIENT_WRITERS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "This connection already has %u writers; unregister one first",
                                     client->n_writers);
        p = calloc(1, sizeof(*p));
        if (!p)
                return vss_error_from_errno(reterr, -ENOMEM, "register a writer");
        p->bus = client->bus;
        p->client = client;
        p->path = strdup(path);
        who.uid = client->uid;
        who.pid = client->pid;
        r = p->path ? writer_registry_add(p->bus->options.writers, &p->writer, &who, &transport, p,
                                          reterr)
                    : vss_error_from_errno(reterr, -ENOMEM, "register a writer");
        if (r < 0) {
                free(p->path);
                free(p);
                return r;
        }

        p->pprev = &client->writers;
        p->next = client->writers;
        if (p->next)
                p->next->pprev = &p->next;
        client->writers = p;
        client->n_writers++;
        *ret = p;
        return 0;
}

struct writer_peer *writer_peer_free(struct writer_peer *p) {
        struct bus *bus;

        if (!p)
                return NULL;

        bus = p->bus;
        /* Its participants end the rounds that it is part of, and forget its calls. */
        writer_remove(p->writer);
        while (p->calls) {
                assert(!p->calls->reply);
                writer_call_free(p->calls);
        }
        *p->pprev = p->next;
        if (p->next)
                p->next->pprev = p->pprev;
        p->client->n_writers--;
        free(p->path);
        free(p);
        bus_send_waiting(bus);
        return NULL;
}
