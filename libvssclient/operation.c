/* The records of operations, and the two signals that fill them. */

#include "libvssclient/operation.h"
#include "common/wire.h"
#include "libvssclient/connection.h"
#include "libvssclient/generation.h"

static void operation_free(struct operation *o) {
        generation_unref(o->generation);
        free(o->path);
        free(o->phase);
        free(o->message);
        free(o);
}

static struct operation *find(const struct operations *list, const char *path) {
        for (struct operation *o = list->first; o; o = o->next)
                if (streq(o->path, path))
                        return o;
        return NULL;
}

static struct operation *add(struct operations *list, const char *path) {
        struct operation *o = calloc(1, sizeof(*o));

        if (!o)
                return NULL;
        o->path = strdup(path);
        if (!o->path) {
                operation_free(o);
                return NULL;
        }
        o->status = VSS_S_ASYNC_PENDING;
        o->next = list->first;
        list->first = o;
        return o;
}

struct operation *operations_ref(struct operations *list, const char *path) {
        struct operation *o = find(list, path);

        if (!o)
                o = add(list, path);
        if (o)
                o->refs++;
        return o;
}

void operations_unref(struct operations *list, struct operation *o) {
        if (--o->refs > 0)
                return;
        for (struct operation **link = &list->first; *link; link = &(*link)->next)
                if (*link == o) {
                        *link = o->next;
                        operation_free(o);
                        return;
                }
}

void operations_done(struct operations *list) {
        struct operation *next;

        for (struct operation *o = list->first; o; o = next) {
                next = o->next;
                operation_free(o);
        }
        *list = (struct operations){ 0 };
}

void operation_complete(struct operation *o, HRESULT hr, const char *message) {
        if (o->completed)
                return;
        o->completed = true;
        /* S_OK is no final status of IVssAsync: finished is. */
        o->status = hr == S_OK ? VSS_S_ASYNC_FINISHED : hr;
        (void)str_replace(&o->message, message); /* without memory: the code speaks alone */
        if (o->generation)
                generation_advance(o->generation);
}

static bool on_completed(struct operations *list, DBusMessage *signal) {
        const char *path = dbus_message_get_path(signal), *message;
        struct operation *o;
        dbus_int32_t hr;

        if (!path ||
            !dbus_message_get_args(signal, NULL, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING, &message,
                                   DBUS_TYPE_INVALID) ||
            hr == VSS_S_ASYNC_PENDING)
                return false;
        o = find(list, path);
        if (!o)
                return false;
        operation_complete(o, hr, message);
        return true;
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

static void on_properties_changed(struct operations *list, DBusMessage *signal) {
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
        o = find(list, path);
        if (o && progress.phase) {
                free(o->phase);
                o->phase = TAKE_PTR(progress.phase);
        }
        if (o && (seen & WIRE_SEEN(1)))
                o->percent = progress.percent > 100 ? 100 : progress.percent;
        free(progress.phase);
}

bool operations_take_signal(struct operations *list, DBusMessage *signal) {
        if (dbus_message_is_signal(signal, VSS_BUS_NAME ".Async", "Completed"))
                return on_completed(list, signal);
        if (dbus_message_is_signal(signal, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged"))
                on_properties_changed(list, signal);
        return false;
}
