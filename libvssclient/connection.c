/* Calls, and a filter that collects what the service says of its operations. Signals are believed
 * only from the connection that answered our first call: anybody on a bus may send us a signal. */

#include "libvssclient/connection.h"
#include "common/time-util.h"
#include "common/wire-error.h"
#include "common/wire.h"
#include "libvssclient/bus-address.h"
#include <limits.h>
#include <stdatomic.h>

/* An honest service sends signals of operations that we began, a handful in a session. */
#define OPERATIONS_MAX 1024u

struct connection {
        atomic_uint refs;
        DBusConnection *bus; /* NULL: closed */
        char *service;       /* unique name; NULL until the first answer */
        bool lost;
        struct operation *operations;
        unsigned n_operations;
};

static void operation_free(struct operation *o) {
        free(o->path);
        free(o->phase);
        free(o->message);
        free(o);
}

struct operation *connection_operation(struct connection *c, const char *path) {
        struct operation *o;

        for (o = c->operations; o; o = o->next)
                if (streq(o->path, path))
                        return o;
        if (c->n_operations == OPERATIONS_MAX)
                return NULL;
        o = calloc(1, sizeof(*o));
        if (!o)
                return NULL;
        o->path = strdup(path);
        if (!o->path) {
                operation_free(o);
                return NULL;
        }
        o->status = VSS_S_ASYNC_PENDING;
        o->next = c->operations;
        c->operations = o;
        c->n_operations++;
        return o;
}

void connection_forget(struct connection *c, struct operation *o) {
        for (struct operation **link = &c->operations; *link; link = &(*link)->next)
                if (*link == o) {
                        *link = o->next;
                        c->n_operations--;
                        operation_free(o);
                        return;
                }
}

static void on_completed(struct connection *c, DBusMessage *signal) {
        const char *path = dbus_message_get_path(signal), *message;
        struct operation *o;
        dbus_int32_t hr;

        if (!path || !dbus_message_get_args(signal, NULL, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING,
                                            &message, DBUS_TYPE_INVALID))
                return;
        o = connection_operation(c, path);
        if (!o || o->completed || hr == VSS_S_ASYNC_PENDING)
                return;
        o->completed = true;
        /* S_OK is no final status of IVssAsync: finished is. */
        o->status = hr == S_OK ? VSS_S_ASYNC_FINISHED : hr;
        (void)str_replace(&o->message, message); /* without memory: the code speaks alone */
}

struct progress {
        char *phase;
        uint32_t percent;
};

static const struct wire_field progress_fields[] = {
        WIRE_FIELD(struct progress, phase, "Phase", WIRE_TEXT),
        WIRE_FIELD(struct progress, percent, "Progress", WIRE_UINT32),
};
static const struct wire_table progress_table = WIRE_TABLE(progress_fields);

static void on_properties_changed(struct connection *c, DBusMessage *signal) {
        const char *path = dbus_message_get_path(signal), *interface;
        struct progress progress = { 0 };
        struct operation *o;
        DBusMessageIter iter;
        uint64_t seen;

        if (!path || !dbus_message_iter_init(signal, &iter) ||
            dbus_message_iter_get_arg_type(&iter) != DBUS_TYPE_STRING)
                return;
        dbus_message_iter_get_basic(&iter, &interface);
        if (!streq(interface, VSS_BUS_NAME ".Async") || !dbus_message_iter_next(&iter) ||
            wire_read_dict(&iter, &progress_table, WIRE_UNKNOWN_IGNORED, "Async", &progress, &seen,
                           NULL) < 0)
                return;
        o = connection_operation(c, path);
        if (o && progress.phase) {
                free(o->phase);
                o->phase = TAKE_PTR(progress.phase);
        }
        if (o && (seen & WIRE_SEEN(1)))
                o->percent = progress.percent > 100 ? 100 : progress.percent;
        free(progress.phase);
}

static void on_name_owner_changed(struct connection *c, DBusMessage *signal) {
        const char *name, *old_owner, *new_owner;

        if (dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING,
                                  &old_owner, DBUS_TYPE_STRING, &new_owner, DBUS_TYPE_INVALID) &&
            c->service && streq(name, c->service) && *new_owner == '\0')
                c->lost = true;
}

static DBusHandlerResult on_message(DBusConnection *bus, DBusMessage *message, void *userdata) {
        struct connection *c = userdata;

        (void)bus;

        if (dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected"))
                c->lost = true;
        else if (dbus_message_has_sender(message, DBUS_SERVICE_DBUS)) {
                if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged"))
                        on_name_owner_changed(c, message);
        } else if (c->service && dbus_message_has_sender(message, c->service)) {
                if (dbus_message_is_signal(message, VSS_BUS_NAME ".Async", "Completed"))
                        on_completed(c, message);
                else if (dbus_message_is_signal(message, DBUS_INTERFACE_PROPERTIES,
                                                "PropertiesChanged"))
                        on_properties_changed(c, message);
        }
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

int connection_open(struct connection **ret, struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        atomic_init(&c->refs, 1);
        r = bus_open(&c->bus, reterr);
        if (r < 0)
                return r;
        if (!dbus_connection_add_filter(c->bus, on_message, c, NULL))
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        *ret = TAKE_PTR(c);
        return 0;
}

struct connection *connection_ref(struct connection *c) {
        atomic_fetch_add(&c->refs, 1);
        return c;
}

struct connection *connection_unref(struct connection *c) {
        if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
                return NULL;
        connection_close(c);
        while (c->operations)
                connection_forget(c, c->operations);
        free(c->service);
        free(c);
        return NULL;
}

void connection_close(struct connection *c) {
        c->lost = true;
        if (c->bus)
                dbus_connection_remove_filter(c->bus, on_message, c);
        c->bus = bus_close(c->bus);
}

bool connection_is_lost(const struct connection *c) {
        return c->lost;
}

/* From its first answer on we know which connection is the service: calls go to it and to no
 * successor, which would know nothing of our session. A rule tells of its end; no need to wait for
 * the rule, as any later answer of the service comes after it. */
static int remember_service(struct connection *c, DBusMessage *reply, struct vss_error *reterr) {
        const char *sender = dbus_message_get_sender(reply);
        _cleanup_(freep) char *rule = NULL;

        if (c->service || !sender || streq(sender, DBUS_SERVICE_DBUS))
                return 0;
        c->service = strdup(sender);
        if (!c->service ||
            str_format(&rule,
                       "type='signal',sender='" DBUS_SERVICE_DBUS
                       "',interface='" DBUS_INTERFACE_DBUS "',member='NameOwnerChanged',arg0='%s'",
                       sender) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        dbus_bus_add_match(c->bus, rule, NULL);
        return 0;
}

static int lost_error(struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                             "The connection to the shadow copy service was lost, and with it what "
                             "was under way; see 'systemctl status vssd'");
}

int connection_call(struct connection *c, DBusMessage *call, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        DBusPendingCall *pending = NULL;
        int r;

        if (c->lost)
                return lost_error(reterr);
        if (!dbus_message_set_destination(call, c->service ? c->service : VSS_BUS_NAME) ||
            !dbus_connection_send_with_reply(c->bus, call, &pending, timeout_msec))
                return vss_error_from_errno(reterr, -ENOMEM, dbus_message_get_member(call));
        if (!pending) {
                c->lost = true;
                return lost_error(reterr);
        }
        dbus_pending_call_block(pending);
        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(pending);
        if (!reply) /* libdbus makes one up when there is none; be safe */
                return lost_error(reterr);
        r = remember_service(c, reply, reterr);
        if (r >= 0)
                r = wire_error_read(reply, reterr);
        if (ret)
                *ret = TAKE_PTR(reply);
        return r;
}

void connection_send(struct connection *c, DBusMessage *call) {
        if (c->lost)
                return;
        dbus_message_set_no_reply(call, TRUE);
        if (dbus_message_set_destination(call, c->service ? c->service : VSS_BUS_NAME))
                (void)dbus_connection_send(c->bus, call, NULL); /* a courtesy: may be lost */
}

static void dispatch_all(struct connection *c) {
        while (!c->lost && dbus_connection_dispatch(c->bus) == DBUS_DISPATCH_DATA_REMAINS)
                ;
}

static void read_write(struct connection *c, int timeout_msec) {
        if (!dbus_connection_read_write(c->bus, timeout_msec))
                c->lost = true;
}

void connection_drain(struct connection *c) {
        if (c->lost)
                return;
        dispatch_all(c);
        if (!c->lost)
                read_write(c, 0);
        dispatch_all(c);
}

void connection_wait(struct connection *c, const struct operation *o, uint64_t deadline_usec) {
        connection_drain(c);
        while (!c->lost && !o->completed) {
                uint64_t now = now_monotonic_usec(), left;
                int timeout_msec = -1;

                if (deadline_usec != USEC_INFINITY) {
                        if (now >= deadline_usec)
                                return;
                        /* Rounded up: a wait that wakes too early would spin. */
                        left = (deadline_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
                        timeout_msec = left > INT_MAX ? INT_MAX : (int)left;
                }
                read_write(c, timeout_msec);
                dispatch_all(c);
        }
}
