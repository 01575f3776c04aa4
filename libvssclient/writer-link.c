/* The link: one private connection, two rules.
 *
 *      no bus ----(retry)----> bus, not registered ----(service there)----> registered
 *         ^                        ^      |                                      |
 *         |                        |      +--(refused: retry)                    |
 *         +------ Disconnected ----+------------- NameOwnerChanged --------------+
 *
 * Only Subscribe may start the service; later registrations do not, or nobody could stop it. */

#include "libvssclient/writer-link.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "common/wire-error.h"
#include "common/wire-rows.h"
#include "libvssclient/bus-address.h"
#include "libvssclient/call.h"
#include <poll.h>

#define RETRY_MIN_USEC (USEC_PER_SEC)
#define RETRY_MAX_USEC (30 * USEC_PER_SEC)
#define GOODBYE_USEC (USEC_PER_SEC)

struct writer_link {
        const struct writer_identity *identity;
        const struct writer_link_handlers *handlers;
        void *userdata;

        DBusConnection *bus; /* NULL: no bus */
        bool disconnected;   /* the bus said so; dropped outside of its dispatch */
        char *service;       /* unique name of the service that has us; NULL: not registered */
        VSS_ID instance_id;
        DBusPendingCall *registering;
        uint64_t retry_usec;      /* when to try again; USEC_INFINITY: not */
        uint64_t retry_wait_usec; /* doubled at each try */
};

void writer_identity_done(struct writer_identity *i) {
        free(i->name);
        free(i->instance_name);
        *i = (struct writer_identity){ 0 };
}

static void retry_later(struct writer_link *l) {
        l->retry_usec = now_monotonic_usec() + l->retry_wait_usec;
        l->retry_wait_usec *= 2;
        if (l->retry_wait_usec > RETRY_MAX_USEC)
                l->retry_wait_usec = RETRY_MAX_USEC;
}

static void retry_never(struct writer_link *l) {
        l->retry_usec = USEC_INFINITY;
        l->retry_wait_usec = RETRY_MIN_USEC;
}

static void forget_registering(struct writer_link *l) {
        if (!l->registering)
                return;
        dbus_pending_call_cancel(l->registering);
        dbus_pending_call_unref(l->registering);
        l->registering = NULL;
}

/* What was registered is so no more. */
static void lose_service(struct writer_link *l) {
        bool had = l->service;

        forget_registering(l);
        free(l->service);
        l->service = NULL;
        if (had)
                l->handlers->on_lost(l->userdata);
}

static int build_registration(const struct writer_identity *identity, DBusMessage **ret,
                              struct vss_error *reterr) {
        struct wire_writer_options options = {
                .instance_id = identity->instance_id,
                .instance_name = identity->instance_name,
                .usage = (uint32_t)identity->usage,
                .source = (uint32_t)identity->source,
                .level = identity->level,
                .freeze_timeout_ms = identity->freeze_timeout_ms,
                .major_version = identity->major_version,
                .minor_version = identity->minor_version,
                .subscribe = identity->events,
        };
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        const char *events = WRITER_EVENTS_PATH, *name = identity->name;
        char buf[VSS_ID_TEXT_MAX];
        const char *id = vss_id_format(identity->class_id, buf);
        DBusMessageIter iter;
        int r;

        r = call_new(&call, VSS_BUS_PATH, VSS_BUS_NAME ".Manager", "RegisterWriter", reterr,
                     DBUS_TYPE_STRING, &id, DBUS_TYPE_STRING, &name, DBUS_TYPE_OBJECT_PATH, &events,
                     DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        dbus_message_iter_init_append(call, &iter);
        r = wire_append_dict(&iter, &wire_writer_options_table, &options);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "RegisterWriter");
        *ret = TAKE_PTR(call);
        return 0;
}

/* Takes the service's answer in: from here on its sender is obeyed. */
static int finish_registration(struct writer_link *l, DBusMessage *reply,
                               struct vss_error *reterr) {
        const char *instance, *object, *sender = dbus_message_get_sender(reply);
        int r;

        r = wire_error_read(reply, reterr);
        if (r < 0)
                return r;
        r = reply_get(reply, reterr, DBUS_TYPE_STRING, &instance, DBUS_TYPE_OBJECT_PATH, &object,
                      DBUS_TYPE_INVALID);
        if (r >= 0)
                r = reply_id(&l->instance_id, instance, reterr);
        if (r < 0)
                return r;
        r = str_replace(&l->service, str_or_empty(sender));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "RegisterWriter");
        retry_never(l);
        return 0;
}

int link_register(struct writer_link *l, int timeout_msec, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL, *reply = NULL;
        DBusPendingCall *pending = NULL;
        int r;

        r = build_registration(l->identity, &call, reterr);
        if (r < 0)
                return r;
        if (!dbus_connection_send_with_reply(l->bus, call, &pending, timeout_msec))
                return vss_error_from_errno(reterr, -ENOMEM, "RegisterWriter");
        if (!pending)
                return wire_error_from_name(DBUS_ERROR_DISCONNECTED,
                                            "the bus closed the connection", reterr);
        dbus_pending_call_block(pending);
        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(pending);
        if (!reply)
                return wire_error_from_name(DBUS_ERROR_NO_REPLY, NULL, reterr);
        return finish_registration(l, reply, reterr);
}

static void on_registered(DBusPendingCall *pending, void *userdata) {
        struct writer_link *l = userdata;
        _cleanup_(message_unrefp) DBusMessage *reply = dbus_pending_call_steal_reply(pending);

        if (l->registering == pending) {
                dbus_pending_call_unref(pending);
                l->registering = NULL;
        }
        /* Not there: it will be announced when it comes. Anything else may pass, such as our own
         * former registration which the service has not noticed to be gone. */
        if (!reply || (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR &&
                       !dbus_message_is_error(reply, DBUS_ERROR_SERVICE_UNKNOWN) &&
                       !dbus_message_is_error(reply, DBUS_ERROR_NAME_HAS_NO_OWNER)))
                retry_later(l);
        else if (dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_ERROR &&
                 finish_registration(l, reply, NULL) < 0)
                retry_later(l);
}

/* The registration of a thread that must not block. */
static void start_registering(struct writer_link *l) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;

        if (l->registering || l->service)
                return;
        l->retry_usec = USEC_INFINITY;
        if (build_registration(l->identity, &call, NULL) < 0) {
                retry_later(l);
                return;
        }
        dbus_message_set_auto_start(call, FALSE);
        /* Without a timeout of its own: the bus answers if the service goes, and then there is a
         * new owner to register with. */
        if (!dbus_connection_send_with_reply(l->bus, call, &l->registering,
                                             DBUS_TIMEOUT_INFINITE) ||
            !l->registering ||
            !dbus_pending_call_set_notify(l->registering, on_registered, l, NULL)) {
                forget_registering(l);
                retry_later(l);
        }
}

static void on_name_owner_changed(struct writer_link *l, DBusMessage *signal) {
        const char *name, *old_owner, *new_owner;

        if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING,
                                   &old_owner, DBUS_TYPE_STRING, &new_owner, DBUS_TYPE_INVALID) ||
            !streq(name, VSS_BUS_NAME))
                return;
        /* Signals from before the registration may still be under way: they name others. */
        if (l->service && streq(l->service, old_owner))
                lose_service(l);
        if (*new_owner != '\0' && !l->service) {
                forget_registering(l);
                l->retry_wait_usec = RETRY_MIN_USEC;
                start_registering(l);
        }
}

static void refuse_stranger(struct writer_link *l, DBusMessage *call) {
        struct vss_error error = { 0 };
        DBusMessage *reply;

        (void)vss_error_set(&error, E_ACCESSDENIED, 0,
                            "Only the owner of " VSS_BUS_NAME " may tell events to a writer");
        reply = wire_error_reply(call, &error);
        if (reply) {
                link_send(l, reply);
                dbus_message_unref(reply);
        }
        vss_error_done(&error);
}

static DBusHandlerResult on_message(DBusConnection *bus, DBusMessage *message, void *userdata) {
        struct writer_link *l = userdata;

        (void)bus;

        if (dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected"))
                l->disconnected = true;
        else if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged")) {
                if (dbus_message_has_sender(message, DBUS_SERVICE_DBUS))
                        on_name_owner_changed(l, message);
        } else if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_METHOD_CALL &&
                   dbus_message_has_path(message, WRITER_EVENTS_PATH) &&
                   dbus_message_has_interface(message, WRITER_EVENTS_INTERFACE)) {
                if (l->service && dbus_message_has_sender(message, l->service))
                        l->handlers->on_call(l->userdata, message);
                else
                        refuse_stranger(l, message);
                return DBUS_HANDLER_RESULT_HANDLED;
        }
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

static int connect_bus(struct writer_link *l, struct vss_error *reterr) {
        static const char rule[] =
                "type='signal',sender='" DBUS_SERVICE_DBUS "',interface='" DBUS_INTERFACE_DBUS
                "',member='NameOwnerChanged',arg0='" VSS_BUS_NAME "'";
        _cleanup_(bus_closep) DBusConnection *bus = NULL;
        int r;

        r = bus_open(&bus, reterr);
        if (r < 0)
                return r;
        if (!dbus_connection_add_filter(bus, on_message, l, NULL))
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the bus");
        /* Not waited for: it comes before any registration, and only what follows matters. */
        dbus_bus_add_match(bus, rule, NULL);
        l->bus = TAKE_PTR(bus);
        l->disconnected = false;
        return 0;
}

static void drop_bus(struct writer_link *l) {
        lose_service(l);
        if (l->bus)
                dbus_connection_remove_filter(l->bus, on_message, l);
        l->bus = bus_close(l->bus);
        l->disconnected = false;
}

int link_open(struct writer_link **ret, const struct writer_identity *identity,
              const struct writer_link_handlers *handlers, void *userdata,
              struct vss_error *reterr) {
        _cleanup_(link_freep) struct writer_link *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        l->identity = identity;
        l->handlers = handlers;
        l->userdata = userdata;
        retry_never(l);
        r = connect_bus(l, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

struct writer_link *link_free(struct writer_link *l) {
        if (!l)
                return NULL;
        forget_registering(l);
        free(TAKE_PTR(l->service)); /* nobody is told: the owner ends the link itself */
        drop_bus(l);
        free(l);
        return NULL;
}

VSS_ID link_instance_id(const struct writer_link *l) {
        return l->instance_id;
}

void link_send(struct writer_link *l, DBusMessage *reply) {
        /* Without memory there is no answer, and the service's deadline speaks. */
        if (l->bus)
                (void)dbus_connection_send(l->bus, reply, NULL);
}

int link_fd(const struct writer_link *l) {
        int fd;

        return l->bus && dbus_connection_get_unix_fd(l->bus, &fd) ? fd : -1;
}

short link_poll_events(const struct writer_link *l) {
        return l->bus && dbus_connection_has_messages_to_send(l->bus) ? POLLIN | POLLOUT : POLLIN;
}

uint64_t link_deadline_usec(const struct writer_link *l) {
        return l->retry_usec;
}

void link_goodbye(struct writer_link *l) {
        uint64_t deadline = now_monotonic_usec() + GOODBYE_USEC;
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        char buf[VSS_ID_TEXT_MAX];
        const char *id = vss_id_format(l->instance_id, buf);

        if (!l->bus || !l->service ||
            call_new(&call, VSS_BUS_PATH, VSS_BUS_NAME ".Manager", "UnregisterWriter", NULL,
                     DBUS_TYPE_STRING, &id, DBUS_TYPE_INVALID) < 0)
                return;
        dbus_message_set_no_reply(call, TRUE);
        dbus_message_set_auto_start(call, FALSE);
        link_send(l, call);
        while (dbus_connection_has_messages_to_send(l->bus) && now_monotonic_usec() < deadline &&
               dbus_connection_read_write(l->bus, 100))
                ;
}

void link_process(struct writer_link *l) {
        if (now_monotonic_usec() >= l->retry_usec) {
                l->retry_usec = USEC_INFINITY;
                if (!l->bus && connect_bus(l, NULL) < 0)
                        retry_later(l);
                else
                        start_registering(l);
        }
        if (!l->bus)
                return;
        if (!dbus_connection_read_write(l->bus, 0))
                l->disconnected = true;
        while (dbus_connection_dispatch(l->bus) == DBUS_DISPATCH_DATA_REMAINS)
                ;
        if (l->disconnected) {
                drop_bus(l);
                retry_later(l);
        }
}
