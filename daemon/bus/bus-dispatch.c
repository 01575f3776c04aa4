/* From a message to a handler: see bus-dispatch.h. */

#include "daemon/bus/bus-dispatch.h"

#include "daemon/bus/bus-access.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-private.h"

#include <stdio.h>

/* The n-th interface of a kind; NULL: there are not so many. */
static const struct bus_interface *interface_at(const struct bus_kind *kind, size_t n) {
        const struct bus_interface *const all[] = {
                kind->interface,
                &bus_interface_introspectable,
                &bus_interface_properties,
                kind == &bus_kind_manager ? &bus_interface_object_manager : NULL,
        };

        return n < ARRAY_SIZE(all) ? all[n] : NULL;
}

/* Finds the row. Where there is none, *ret_error is the name of the D-Bus error that says so. */
static const struct bus_method *find_row(const struct bus_kind *kind, DBusMessage *m,
                                         const struct bus_interface **ret_interface,
                                         const char **ret_error) {
        const char *wanted = dbus_message_get_interface(m);
        const char *member = dbus_message_get_member(m);
        bool interface_found = !wanted;

        if (!kind) {
                /* Every path can be introspected: those who walk the tree pass here. */
                *ret_interface = &bus_interface_introspectable;
                *ret_error = DBUS_ERROR_UNKNOWN_OBJECT;
                if (wanted && !streq(wanted, bus_interface_introspectable.name))
                        return NULL;
                return bus_interface_find_method(&bus_interface_introspectable, member);
        }

        for (size_t n = 0; interface_at(kind, n); n++) {
                const struct bus_interface *i = interface_at(kind, n);
                const struct bus_method *method;

                if (wanted && !streq(wanted, i->name))
                        continue;
                interface_found = true;
                method = bus_interface_find_method(i, member);
                if (method) {
                        *ret_interface = i;
                        return method;
                }
        }
        *ret_error = interface_found ? DBUS_ERROR_UNKNOWN_METHOD : DBUS_ERROR_UNKNOWN_INTERFACE;
        return NULL;
}

static void refuse_message(struct bus *bus, DBusMessage *m, const char *name, const char *text) {
        const char *interface = dbus_message_get_interface(m);

        if (dbus_message_get_no_reply(m))
                return;
        bus_send(bus,
                 dbus_message_new_error_printf(m, name, "%s: %s%s%s: %s", dbus_message_get_path(m),
                                               str_or_empty(interface), interface ? "." : "",
                                               dbus_message_get_member(m), text));
}

/* The sender of a call that needs no identity may be known all the same. */
static bool call_sees(const struct bus_call *call) {
        const struct bus_client *client = call->client;

        if (!client)
                client = bus_client_find(call->bus, dbus_message_get_sender(call->message));
        return bus_object_is_visible(&call->object, client);
}

/* The rest, once it is known who calls. */
static void call_run(struct bus_call *call) {
        enum bus_class class = bus_call_class(call);
        struct vss_error error = { 0 };
        int r = 0;

        if (call->bus->stopping && class != BUS_CLASS_OPEN)
                r = vss_error_set(&error, VSS_E_UNEXPECTED, ESHUTDOWN,
                                  "The service is stopping; call again when it is back");
        if (r >= 0 && class != BUS_CLASS_OPEN)
                r = bus_access_check(call->client, class, &error);
        if (r < 0) {
                bus_call_fail(call, &error);
                vss_error_done(&error);
                return;
        }
        if (call->bad_args.hr != S_OK) {
                vss_error_move(&error, &call->bad_args);
                bus_call_fail(call, &error);
                vss_error_done(&error);
                return;
        }

        if (call->kind) {
                r = bus_object_find(call->bus, bus_call_path(call), &call->object);
                /* What anybody may call tells nobody that others have sessions. */
                if (r >= 0 && class == BUS_CLASS_OPEN && !call_sees(call))
                        r = -ENOENT;
                if (r == -ENOENT) {
                        bus_call_refuse(call, DBUS_ERROR_UNKNOWN_OBJECT,
                                        "There is no object %s (any more)", bus_call_path(call));
                        return;
                }
                if (r >= 0 && class != BUS_CLASS_OPEN &&
                    !bus_object_is_visible(&call->object, call->client))
                        r = vss_error_set(&error, E_ACCESSDENIED, EACCES,
                                          "%s belongs to another connection", bus_call_path(call));
        }
        if (r < 0) {
                bus_call_finish(call, r, &error);
                return;
        }
        call->method->handler(call, call->args);
}

void bus_dispatch_waiting(struct bus_client *client) {
        struct bus_call *call;

        /* A handler frees its call, and may answer others: begin anew each time. */
        do {
                for (call = client->calls; call && !call->waiting; call = call->next)
                        ;
                if (call) {
                        call->waiting = false;
                        call_run(call);
                }
        } while (call);
}

void bus_dispatch(struct bus *bus, DBusMessage *m) {
        const char *path = dbus_message_get_path(m), *sender = dbus_message_get_sender(m);
        const struct bus_interface *interface = NULL;
        const char *error_name = NULL, *name = NULL;
        const struct bus_method *method;
        const struct bus_kind *kind;
        struct bus_client *client = NULL;
        struct vss_error error = { 0 };
        struct bus_call *call = NULL;
        char signature[BUS_SIGNATURE_MAX];

        /* On a bus there is always a sender; without one there is nobody to answer. */
        if (!path || !sender)
                return;

        kind = bus_kind_of_path(path, &name);
        method = find_row(kind, m, &interface, &error_name);
        if (!method) {
                refuse_message(bus, m, error_name,
                               streq(error_name, DBUS_ERROR_UNKNOWN_OBJECT)
                                       ? "there is no such object"
                               : streq(error_name, DBUS_ERROR_UNKNOWN_INTERFACE)
                                       ? "the object has no such interface"
                                       : "the object has no such method");
                return;
        }
        if (!dbus_message_has_signature(m, bus_args_signature(method->in, signature))) {
                char text[256];

                (void)snprintf(
                        text, sizeof(text),
                        "the arguments have the signature \"%.60s\", the method takes \"%s\"",
                        dbus_message_get_signature(m), signature);
                refuse_message(bus, m, DBUS_ERROR_INVALID_ARGS, text);
                return;
        }

        if (bus_call_new(&call, bus, m, kind, interface, method) < 0) {
                refuse_message(bus, m, DBUS_ERROR_NO_MEMORY, "Out of memory");
                return;
        }
        if (bus_call_class(call) == BUS_CLASS_OPEN) {
                call_run(call);
                return;
        }

        if (bus_client_get(&client, bus, sender) < 0) {
                bus_call_finish(call, -ENOMEM, &error);
                return;
        }
        if (bus_call_attach(call, client, &error) < 0) {
                bus_call_fail(call, &error);
                vss_error_done(&error);
                return;
        }
        if (bus_client_is_identified(client))
                call_run(call);
        else {
                call->waiting = true;
                bus_client_identify(client);
        }
}
