/* One method call: see bus-call.h. */

#include "daemon/bus/bus-call.h"

#include "common/wire-error.h"
#include "daemon/bus/bus-private.h"
#include "daemon/log/log.h"

#include <stdarg.h>
#include <stdio.h>

void bus_object_done(struct bus_object *o) {
        if (o->source && o->kind->release)
                o->kind->release(o->source);
        free(o->path);
        *o = (struct bus_object){ 0 };
}

/* A message that can be answered in the place of m, and holds none of its arguments. */
static DBusMessage *message_stub(DBusMessage *m) {
        DBusMessage *stub;

        stub = dbus_message_new_method_call(NULL, dbus_message_get_path(m),
                                            dbus_message_get_interface(m),
                                            dbus_message_get_member(m));
        if (!stub)
                return NULL;
        dbus_message_set_serial(stub, dbus_message_get_serial(m));
        dbus_message_set_no_reply(stub, dbus_message_get_no_reply(m));
        if (!dbus_message_set_sender(stub, dbus_message_get_sender(m))) {
                dbus_message_unref(stub);
                return NULL;
        }
        return stub;
}

static struct bus_call *bus_call_free(struct bus_call *call) {
        if (!call)
                return NULL;

        if (call->pprev) {
                *call->pprev = call->next;
                if (call->next)
                        call->next->pprev = call->pprev;
        }
        if (call->client) {
                call->client->n_calls--;
                call->client->bytes -= call->bytes;
        }
        if (call->bus)
                call->bus->n_calls--;
        for (size_t i = 0; i < call->n_args; i++)
                bus_value_done(&call->args[i]);
        vss_error_done(&call->bad_args);
        bus_object_done(&call->object);
        if (call->reply)
                dbus_message_unref(call->reply);
        if (call->message)
                dbus_message_unref(call->message);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(struct bus_call, bus_call_free);

static void call_parse(struct bus_call *call, DBusMessage *m) {
        const struct bus_method *method = call->method;
        DBusMessageIter iter;

        if (!method->in)
                return;
        (void)dbus_message_iter_init(m, &iter); /* the signature says that there is something */
        for (const char *const *arg = method->in; *arg; arg++) {
                static const char *const signatures[] = { "s", "o",  "i", "u",     "x",
                                                          "b", "as", "v", "a{sv}", "a{ss}" };
                const char *signature = NULL;
                char type[BUS_TYPE_MAX];

                assert(call->n_args < BUS_ARGS_MAX);
                (void)bus_arg_type(*arg, type);
                if (streq(type, "v") && call->interface == &bus_interface_properties)
                        return; /* Set's value, which nobody looks at */
                for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
                        if (streq(signatures[i], type))
                                signature = signatures[i];
                assert(signature);
                if (bus_value_parse(&call->args[call->n_args], signature, &method->options,
                                    bus_arg_name(*arg), &iter, &call->bytes, &call->bad_args) < 0)
                        return;
                call->n_args++;
                (void)dbus_message_iter_next(&iter); /* the rows know how many there are */
        }
}

int bus_call_new(struct bus_call **ret, struct bus *bus, DBusMessage *m,
                 const struct bus_kind *kind, const struct bus_interface *interface,
                 const struct bus_method *method) {
        _cleanup_(bus_call_freep) struct bus_call *call = NULL;

        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        call->message = message_stub(m);
        if (!call->message)
                return -ENOMEM;
        call->bus = bus;
        bus->n_calls++;
        call->kind = kind;
        call->interface = interface;
        call->method = method;
        call_parse(call, m);

        *ret = TAKE_PTR(call);
        return 0;
}

int bus_call_attach(struct bus_call *call, struct bus_client *client, struct vss_error *reterr) {
        struct bus_call **last = &client->calls;

        if (client->n_calls >= BUS_CLIENT_CALLS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "This connection already waits for %u answers; wait for some "
                                     "before calling again",
                                     BUS_CLIENT_CALLS_MAX);
        if (client->bytes + call->bytes > BUS_CLIENT_BYTES_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "The unanswered calls of this connection hold more than %zu "
                                     "bytes; wait for some answers before calling again",
                                     BUS_CLIENT_BYTES_MAX);

        while (*last)
                last = &(*last)->next;
        *last = call;
        call->pprev = last;
        call->client = client;
        client->n_calls++;
        client->bytes += call->bytes;
        return 0;
}

static void call_list(struct bus_call *call, struct bus_call **list) {
        call->pprev = list;
        call->next = *list;
        if (call->next)
                call->next->pprev = &call->next;
        *list = call;
}

void bus_call_orphan(struct bus_call *call) {
        struct bus_client *client = call->client;

        assert(client);

        *call->pprev = call->next;
        if (call->next)
                call->next->pprev = call->pprev;
        client->n_calls--;
        client->bytes -= call->bytes;
        call->client = NULL;
        call->next = NULL;
        call->pprev = NULL;

        call->orphan = true;

        if (call->waiting)
                bus_call_free(call);
        else if (call->cancel && call->outlives_caller && !call->bus->stopping)
                call_list(call, &call->bus->orphans);
        else if (call->cancel)
                bus_call_cancel(call);
}

void bus_call_cancel(struct bus_call *call) {
        void (*cancel)(struct bus_call *, void *) = TAKE_PTR(call->cancel);

        cancel(call, call->userdata);
}

const char *bus_call_path(const struct bus_call *call) {
        return dbus_message_get_path(call->message);
}

enum bus_class bus_call_class(const struct bus_call *call) {
        if (call->method->class != BUS_CLASS_PROPERTIES)
                return call->method->class;
        return call->n_args > 0 && streq(call->args[0].s, bus_kind_manager.interface->name)
                       ? BUS_CLASS_OPEN
                       : BUS_CLASS_QUERY;
}

/* Sends the answer (NULL: there was no memory for it) and ends the call. */
static void call_send(struct bus_call *call, DBusMessage *answer) {
        if (!answer) {
                log_error("No memory for the answer to %s of %s",
                          dbus_message_get_member(call->message),
                          str_or_empty(dbus_message_get_sender(call->message)));
                answer = dbus_message_new_error(call->message, DBUS_ERROR_NO_MEMORY, NULL);
        }
        if (answer && (call->orphan || dbus_message_get_no_reply(call->message))) {
                dbus_message_unref(answer);
                answer = NULL;
        }
        bus_send(call->bus, answer);
        bus_call_free(call);
}

struct bus_out *bus_call_answer(struct bus_call *call) {
        assert(!call->reply);

        call->reply = dbus_message_new_method_return(call->message);
        if (call->reply)
                bus_out_init(&call->out, call->reply);
        else
                call->out = (struct bus_out){ .failed = true };
        return &call->out;
}

void bus_call_reply(struct bus_call *call) {
        DBusMessage *reply;

        if (!call->reply)
                (void)bus_call_answer(call);
        reply = TAKE_PTR(call->reply);
        if (reply && call->out.failed) {
                dbus_message_unref(reply);
                reply = NULL;
        }
        assert(!reply || dbus_message_has_signature(
                                 reply, bus_args_signature(call->method->out,
                                                           (char[BUS_SIGNATURE_MAX]){ 0 })));
        call_send(call, reply);
}

/* Where a code says that the log has the details, this is where they are. */
static void call_log_failure(const struct bus_call *call, const struct vss_error *error) {
        log_failure(error->hr == VSS_E_UNEXPECTED ? LOG_WARNING : LOG_DEBUG, error,
                    "%s %s of %s: %s", bus_call_path(call), dbus_message_get_member(call->message),
                    str_or_empty(dbus_message_get_sender(call->message)),
                    str_or_empty(error->message));
}

void bus_call_fail(struct bus_call *call, const struct vss_error *error) {
        call_log_failure(call, error);
        call_send(call, wire_error_reply(call->message, error));
}

void bus_call_fail_at(struct bus_call *call, const struct vss_error *error, int32_t count,
                      const char *id) {
        DBusMessage *answer;
        struct bus_out out;

        call_log_failure(call, error);
        answer = wire_error_reply(call->message, error);
        if (answer) {
                bus_out_init(&out, answer);
                bus_out_int32(&out, count);
                bus_out_string(&out, id);
                if (out.failed) {
                        dbus_message_unref(answer);
                        answer = NULL;
                }
        }
        call_send(call, answer);
}

void bus_call_refuse(struct bus_call *call, const char *name, const char *format, ...) {
        char text[512];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        /* The names in it came through D-Bus, but a cut may have gone through a character. */
        if (!wire_is_utf8(text))
                (void)snprintf(text, sizeof(text), "The call cannot be answered");
        call_send(call, dbus_message_new_error(call->message, name, text));
}

void bus_call_finish(struct bus_call *call, int r, struct vss_error *error) {
        if (r < 0) {
                if (error->hr == S_OK)
                        (void)vss_error_from_errno(error, r, call->method->name);
                bus_call_fail(call, error);
        } else
                bus_call_reply(call);
        vss_error_done(error);
}
