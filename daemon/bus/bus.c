/* The daemon on the bus: see bus.h. Start: connect -> Hello -> AddMatch -> RequestName -> ready().
 * Each step waits for the answer of the one before in the loop, not in the call. */

#include "daemon/bus/bus-private.h"

#include "common/wire-error.h"
#include "daemon/bus/bus-access.h"
#include "daemon/bus/bus-address.h"
#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-dispatch.h"
#include "daemon/bus/manager-areas.h"
#include "daemon/bus/snapshot-object.h"
#include "daemon/bus/writer-object.h"
#include "daemon/bus/writer-transport.h"
#include "daemon/log/log.h"

#include <limits.h>

#define START_TIMEOUT_MS 25000
/* A broadcast for each connection that goes: those that never called us are not known, and
 * forgetting one that is costs a match rule less than one rule per caller. */
#define MATCH_GONE                                                                  \
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"

void bus_send(struct bus *bus, DBusMessage *m) {
        if (!m)
                return;
        /* FALSE: no memory for the queue. Whoever waits for it has a deadline. */
        if (!dbus_connection_send(bus->connection, m, NULL))
                log_error("No memory to send a message");
        dbus_message_unref(m);
}

static void bus_free_clients(struct bus *bus) {
        while (bus->clients)
                bus_client_free(bus->clients);
}

/* Without a bus every caller and every writer has gone, and libdbus tells none of those who wait
 * for an answer. */
static void bus_lose(struct bus *bus, struct vss_error *error) {
        bus->stopping = true;
        bus_free_clients(bus);
        bus->options.lost(bus->options.userdata, error);
        vss_error_done(error);
}

static void on_name_owner_changed(struct bus *bus, DBusMessage *m) {
        const char *name, *before, *after;
        struct bus_client *client;

        if (!dbus_message_has_sender(m, DBUS_SERVICE_DBUS) ||
            !dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                   DBUS_TYPE_STRING, &after, DBUS_TYPE_INVALID) ||
            *after != '\0')
                return;
        client = bus_client_find(bus, name);
        if (client) {
                log_debug("%s left the bus", name);
                bus_client_free(client);
        }
}

static DBusHandlerResult bus_on_message(DBusConnection *connection _unused_, DBusMessage *m,
                                        void *userdata) {
        struct bus *bus = userdata;
        struct vss_error error = { 0 };

        switch (dbus_message_get_type(m)) {
        case DBUS_MESSAGE_TYPE_METHOD_CALL:
                bus_dispatch(bus, m);
                return DBUS_HANDLER_RESULT_HANDLED;
        case DBUS_MESSAGE_TYPE_SIGNAL:
                if (dbus_message_is_signal(m, DBUS_INTERFACE_DBUS, "NameOwnerChanged"))
                        on_name_owner_changed(bus, m);
                /* libdbus' own; nobody else can send in the name of this interface. */
                else if (dbus_message_is_signal(m, DBUS_INTERFACE_LOCAL, "Disconnected")) {
                        (void)vss_error_set(&error, VSS_E_UNEXPECTED, ENOTCONN,
                                            "The connection to the bus was lost");
                        bus_lose(bus, &error);
                }
                return DBUS_HANDLER_RESULT_HANDLED;
        default: /* not an enum; answers that nobody waits for any more */
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        }
}

/* Calls the bus itself; `answered` gets the pending call. */
static int bus_ask(struct bus *bus, DBusMessage *m, DBusPendingCallNotifyFunction answered) {
        int r = 0;

        assert(!bus->starting);

        if (!m)
                return -ENOMEM;
        if (!dbus_connection_send_with_reply(bus->connection, m, &bus->starting, START_TIMEOUT_MS))
                r = -ENOMEM;
        else if (!bus->starting)
                r = -ENOTCONN;
        else if (!dbus_pending_call_set_notify(bus->starting, answered, bus, NULL))
                r = -ENOMEM;
        dbus_message_unref(m);
        return r;
}

/* The answer to bus_ask(). NULL: it was an error, and the bus is lost. */
static DBusMessage *bus_answer(struct bus *bus, DBusPendingCall *pending, const char *what) {
        struct vss_error error = { 0 };
        DBusMessage *reply;

        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(bus->starting);
        bus->starting = NULL;
        if (reply && wire_error_read(reply, &error) < 0) {
                dbus_message_unref(reply);
                reply = NULL;
                (void)vss_error_prefix(&error, "Cannot %s", what);
                bus_lose(bus, &error);
        }
        return reply;
}

static void bus_start_failed(struct bus *bus, int r, const char *what) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, r, what);
        bus_lose(bus, &error);
}

static void bus_on_name(DBusPendingCall *pending, void *userdata) {
        struct vss_error error = { 0 };
        struct bus *bus = userdata;
        dbus_uint32_t result = 0;
        DBusMessage *reply;
        bool ours;

        reply = bus_answer(bus, pending, "take the name " BUS_NAME " on the bus");
        if (!reply)
                return;
        ours = dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &result, DBUS_TYPE_INVALID) &&
               (result == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER ||
                result == DBUS_REQUEST_NAME_REPLY_ALREADY_OWNER);
        dbus_message_unref(reply);
        if (ours) {
                bus->options.ready(bus->options.userdata);
                return;
        }
        (void)vss_error_set(&error, VSS_E_UNEXPECTED, EEXIST,
                            "The name " BUS_NAME " is taken: another vssd is on this bus");
        bus_lose(bus, &error);
}

static void bus_request_name(struct bus *bus) {
        const char *name = BUS_NAME;
        dbus_uint32_t flags = DBUS_NAME_FLAG_DO_NOT_QUEUE;
        DBusMessage *m;
        int r;

        m = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
                                         "RequestName");
        if (m && !dbus_message_append_args(m, DBUS_TYPE_STRING, &name, DBUS_TYPE_UINT32, &flags,
                                           DBUS_TYPE_INVALID)) {
                dbus_message_unref(m);
                m = NULL;
        }
        r = bus_ask(bus, m, bus_on_name);
        if (r < 0)
                bus_start_failed(bus, r, "request the name");
}

static void bus_on_match(DBusPendingCall *pending, void *userdata) {
        struct bus *bus = userdata;
        DBusMessage *reply;

        reply = bus_answer(bus, pending, "watch for callers that leave the bus");
        if (!reply)
                return;
        dbus_message_unref(reply);
        bus_request_name(bus);
}

static void bus_add_match(struct bus *bus) {
        const char *rule = MATCH_GONE;
        DBusMessage *m;
        int r;

        m = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
                                         "AddMatch");
        if (m && !dbus_message_append_args(m, DBUS_TYPE_STRING, &rule, DBUS_TYPE_INVALID)) {
                dbus_message_unref(m);
                m = NULL;
        }
        r = bus_ask(bus, m, bus_on_match);
        if (r < 0)
                bus_start_failed(bus, r, "add a match rule");
}

static void bus_on_hello(DBusPendingCall *pending, void *userdata) {
        struct bus *bus = userdata;
        const char *name = NULL;
        DBusMessage *reply;
        int r = 0;

        reply = bus_answer(bus, pending, "greet the bus");
        if (!reply)
                return;
        if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
                r = -EBADMSG;
        else if (!dbus_bus_set_unique_name(bus->connection, name))
                r = -ENOMEM;
        dbus_message_unref(reply);
        if (r < 0)
                bus_start_failed(bus, r, "greet the bus");
        else
                bus_add_match(bus);
}

static int bus_connect(struct bus *bus, const char *address, struct vss_error *reterr) {
        DBusError error = DBUS_ERROR_INIT;

        address = bus_address(address);
        bus->connection = dbus_connection_open_private(address, &error);
        if (!bus->connection) {
                int r = vss_error_set(reterr, VSS_E_UNEXPECTED, ECONNREFUSED,
                                      "Cannot connect to the bus at %s: %s", address,
                                      error.message);

                dbus_error_free(&error);
                return r;
        }

        /* The bus has limits of its own. With lower ones here libdbus would hang up at a message
         * that is too long for us, and stop reading while many wait: then the answers that they
         * wait for could not come. What a caller makes us keep is limited in bus-client.h. */
        dbus_connection_set_max_message_size(bus->connection, DBUS_MAXIMUM_MESSAGE_LENGTH);
        dbus_connection_set_max_received_size(bus->connection, LONG_MAX);
        return 0;
}

int bus_new(struct bus **ret, const struct bus_options *options, struct vss_error *reterr) {
        _cleanup_(bus_freep) struct bus *bus = NULL;
        int r;

        assert(ret && options && options->event && options->ready && options->lost);

        bus = calloc(1, sizeof(*bus));
        if (!bus)
                return vss_error_from_errno(reterr, -ENOMEM, "connect to the bus");
        bus->options = *options;
        bus->event = sd_event_ref(options->event);
        bus_access_init();

        r = bus_connect(bus, options->address, reterr);
        if (r < 0)
                return r;
        r = bus_loop_new(&bus->loop, bus->event, bus->connection);
        if (r >= 0 && !dbus_connection_add_filter(bus->connection, bus_on_message, bus, NULL))
                r = -ENOMEM;
        if (r >= 0)
                r = bus_ask(bus,
                            dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                         DBUS_INTERFACE_DBUS, "Hello"),
                            bus_on_hello);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "connect to the bus");

        session_manager_set_observer(options->sessions, snapshot_object_on_change, bus);
        session_manager_set_area_observer(options->sessions, manager_on_area_event, bus);
        writer_registry_set_observer(options->writers, writer_object_on_change, bus);

        *ret = TAKE_PTR(bus);
        return 0;
}

void bus_stop(struct bus *bus) {
        bus->stopping = true;
        /* Writers stay: those that were frozen must be told. */
        for (struct bus_client *c = bus->clients; c; c = c->next)
                bus_client_end_work(c);
        while (bus->orphans) /* cancelling frees it */
                bus_call_cancel(bus->orphans);
}

bool bus_is_idle(const struct bus *bus) {
        return bus->n_calls == 0 && !dbus_connection_has_messages_to_send(bus->connection);
}

bool bus_has_users(const struct bus *bus) {
        if (bus->n_sessions > 0)
                return true;
        /* Not those that are in the registry without a connection. */
        for (const struct bus_client *c = bus->clients; c; c = c->next)
                if (c->n_writers > 0)
                        return true;
        return false;
}

struct bus *bus_free(struct bus *bus) {
        if (!bus)
                return NULL;

        if (bus->connection && bus->loop) {
                session_manager_set_observer(bus->options.sessions, NULL, NULL);
                session_manager_set_area_observer(bus->options.sessions, NULL, NULL);
                bus->stopping = true;
                bus_free_clients(bus);
                while (bus->orphans)
                        bus_call_cancel(bus->orphans);
                writer_registry_set_observer(bus->options.writers, NULL, NULL);
        }
        if (bus->starting) {
                dbus_pending_call_cancel(bus->starting);
                dbus_pending_call_unref(bus->starting);
        }
        writer_calls_done(&bus->writer_calls);
        bus->loop = bus_loop_free(bus->loop);
        if (bus->connection) {
                dbus_connection_remove_filter(bus->connection, bus_on_message, bus);
                dbus_connection_close(bus->connection);
                dbus_connection_unref(bus->connection);
        }
        sd_event_unref(bus->event);
        free(bus);
        return NULL;
}
