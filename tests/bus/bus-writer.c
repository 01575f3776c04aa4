/* An application on the private bus: see bus-writer.h. */

#include "tests/bus/bus-writer.h"

#include <stdio.h>
#include <time.h>
#include <vss/vsserror.h>

#define EVENTS SERVICE ".WriterEvents"
#define EVENTS_PATH "/test/events"
#define METADATA                                                                      \
        "<WRITER_METADATA version=\"1.2\">\n<IDENTIFICATION "                         \
        "writerId=\"aaaaaaaa-0000-4000-8000-000000000001\" friendlyName=\"fake\"/>\n" \
        "</WRITER_METADATA>\n"

static struct {
        pthread_mutex_t mutex;
        char events[65536];
        char details[16][2][512]; /* event, text */
        size_t n_details;
} seen = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void append_text(char *text, size_t size, const char *more) {
        size_t n = strlen(text);

        (void)snprintf(text + n, size - n, "%s", more);
}

/* "SetId=... Volumes=/a,/b " */
static void details_to_text(DBusMessageIter *details, char *text, size_t size) {
        DBusMessageIter array, entry, variant, items;

        text[0] = '\0';
        for (dbus_message_iter_recurse(details, &array);
             dbus_message_iter_get_arg_type(&array) != DBUS_TYPE_INVALID;
             dbus_message_iter_next(&array)) {
                const char *key, *s;
                char number[32];
                DBusBasicValue v;

                dbus_message_iter_recurse(&array, &entry);
                dbus_message_iter_get_basic(&entry, &key);
                dbus_message_iter_next(&entry);
                dbus_message_iter_recurse(&entry, &variant);
                append_text(text, size, key);
                append_text(text, size, "=");
                if (dbus_message_iter_get_arg_type(&variant) == DBUS_TYPE_ARRAY) {
                        for (dbus_message_iter_recurse(&variant, &items);
                             dbus_message_iter_get_arg_type(&items) != DBUS_TYPE_INVALID;
                             dbus_message_iter_next(&items)) {
                                dbus_message_iter_get_basic(&items, &s);
                                append_text(text, size, s);
                                append_text(text, size, ",");
                        }
                } else if (dbus_message_iter_get_arg_type(&variant) == DBUS_TYPE_STRING) {
                        dbus_message_iter_get_basic(&variant, &s);
                        append_text(text, size, s);
                } else {
                        memset(&v, 0, sizeof(v));
                        dbus_message_iter_get_basic(&variant, &v);
                        (void)snprintf(number, sizeof(number), "%u", v.u32);
                        append_text(text, size, number);
                }
                append_text(text, size, " ");
        }
}

static void note(const struct bus_writer *w, const char *event, DBusMessage *m) {
        DBusMessageIter iter;
        char line[128];
        size_t i = 0;

        (void)snprintf(line, sizeof(line), "%s:%s ", w->label, event);
        (void)pthread_mutex_lock(&seen.mutex);
        append_text(seen.events, sizeof(seen.events), line);
        if (strncmp(dbus_message_get_signature(m), "sa{sv}", 6) == 0 &&
            dbus_message_iter_init(m, &iter)) {
                dbus_message_iter_next(&iter);
                while (i < seen.n_details && !streq(seen.details[i][0], event))
                        i++;
                if (i < ARRAY_SIZE(seen.details)) {
                        if (i == seen.n_details)
                                seen.n_details++;
                        (void)snprintf(seen.details[i][0], sizeof(seen.details[i][0]), "%s", event);
                        details_to_text(&iter, seen.details[i][1], sizeof(seen.details[i][1]));
                }
        }
        (void)pthread_mutex_unlock(&seen.mutex);
}

const char *bus_writer_events(void) {
        static char copy[sizeof(seen.events)];

        (void)pthread_mutex_lock(&seen.mutex);
        memcpy(copy, seen.events, sizeof(copy));
        (void)pthread_mutex_unlock(&seen.mutex);
        return copy;
}

size_t bus_writer_count(const char *label, const char *event) {
        const char *at = bus_writer_events();
        char wanted[128];
        size_t n = 0;

        (void)snprintf(wanted, sizeof(wanted), "%s:%s ", label, event);
        while ((at = strstr(at, wanted))) {
                n++;
                at += strlen(wanted);
        }
        return n;
}

const char *bus_writer_details(const char *event) {
        static char copy[512];

        copy[0] = '\0';
        (void)pthread_mutex_lock(&seen.mutex);
        for (size_t i = 0; i < seen.n_details; i++)
                if (streq(seen.details[i][0], event))
                        memcpy(copy, seen.details[i][1], sizeof(copy));
        (void)pthread_mutex_unlock(&seen.mutex);
        return copy;
}

void bus_writer_await(const char *label, const char *event, size_t n) {
        for (unsigned i = 0; bus_writer_count(label, event) < n; i++) {
                struct timespec t = { .tv_nsec = 5000000 };

                ck_assert_msg(i < 6000, "%s:%s did not come; there were: %s", label, event,
                              bus_writer_events());
                (void)nanosleep(&t, NULL);
        }
}

void bus_writer_forget(void) {
        (void)pthread_mutex_lock(&seen.mutex);
        seen.events[0] = '\0';
        seen.n_details = 0;
        (void)pthread_mutex_unlock(&seen.mutex);
}

static void append_document(DBusMessage *m, const char *text) {
        DBusMessageIter iter, variant;

        dbus_message_iter_init_append(m, &iter);
        (void)dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "s", &variant);
        (void)dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text);
        (void)dbus_message_iter_close_container(&iter, &variant);
}

static void append_descriptor(DBusMessage *m, int fd) {
        DBusMessageIter iter, variant;

        dbus_message_iter_init_append(m, &iter);
        (void)dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "h", &variant);
        (void)dbus_message_iter_append_basic(&variant, DBUS_TYPE_UNIX_FD, &fd);
        (void)dbus_message_iter_close_container(&iter, &variant);
}

/* On the writer's thread nothing asserts: a failure shows in what the daemon makes of it. */
static DBusMessage *make_answer(const struct bus_writer *w, DBusMessage *m,
                                enum bus_writer_answer answer) {
        bool identify = dbus_message_has_member(m, "Identify");
        const char *text = identify                ? w->metadata ? w->metadata : METADATA
                           : answer == ANSWER_VETO ? "the fake is not ready"
                                                   : "";
        dbus_int32_t failure = answer == ANSWER_VETO ? VSS_E_WRITERERROR_RETRYABLE : 0;
        dbus_int32_t application = answer == ANSWER_VETO ? 42 : 0;
        dbus_bool_t ok = answer == ANSWER_OK;
        DBusMessage *reply;

        if (answer == ANSWER_ERROR)
                return dbus_message_new_error(m, DBUS_ERROR_FAILED, "the fake has crashed");
        reply = dbus_message_new_method_return(m);
        if (!reply)
                return NULL;
        if (answer == ANSWER_NONSENSE)
                (void)dbus_message_append_args(reply, DBUS_TYPE_INT32, &application,
                                               DBUS_TYPE_INVALID);
        else if (identify) {
                (void)dbus_message_append_args(reply, DBUS_TYPE_BOOLEAN, &ok, DBUS_TYPE_INVALID);
                if (w->metadata_fd > 0)
                        append_descriptor(reply, w->metadata_fd);
                else
                        append_document(reply, text);
        } else {
                (void)dbus_message_append_args(reply, DBUS_TYPE_BOOLEAN, &ok, DBUS_TYPE_INT32,
                                               &failure, DBUS_TYPE_INT32, &application,
                                               DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
                if (dbus_message_has_signature(m, "sa{sv}v"))
                        append_document(reply, "");
        }
        return reply;
}

static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *m, void *userdata) {
        struct bus_writer *w = userdata;
        enum bus_writer_answer answer = ANSWER_OK;
        const char *event = dbus_message_get_member(m);
        DBusMessage *reply;

        if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL ||
            !dbus_message_has_interface(m, EVENTS))
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;

        note(w, event, m);
        if (w->special_event && streq(w->special_event, event))
                answer = w->special;
        if (answer == ANSWER_DISCONNECT) {
                w->stop = true;
                dbus_connection_close(connection);
                return DBUS_HANDLER_RESULT_HANDLED;
        }
        if (answer != ANSWER_NEVER) {
                reply = make_answer(w, m, answer);
                if (reply) {
                        (void)dbus_connection_send(connection, reply, NULL);
                        dbus_message_unref(reply);
                }
        }
        return DBUS_HANDLER_RESULT_HANDLED;
}

static void *writer_thread(void *userdata) {
        struct bus_writer *w = userdata;

        while (!w->stop && dbus_connection_read_write_dispatch(w->connection, 20))
                ;
        return NULL;
}

static void append_option(DBusMessageIter *array, const char *key, int type, const char *signature,
                          const void *value) {
        DBusMessageIter entry, variant;

        ck_assert(dbus_message_iter_open_container(array, DBUS_TYPE_DICT_ENTRY, NULL, &entry));
        ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key));
        ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, type, value));
        ck_assert(dbus_message_iter_close_container(&entry, &variant));
        ck_assert(dbus_message_iter_close_container(array, &entry));
}

DBusMessage *bus_writer_register(struct bus_writer *w, const struct harness *h) {
        const char *name = w->name, *instance = w->instance_name, *path = EVENTS_PATH;
        const char *class_id = w->class_id;
        DBusMessageIter iter, array;
        DBusMessage *m, *reply;
        struct client c = { 0 };

        if (!w->connection) {
                DBusError error = DBUS_ERROR_INIT;

                ck_assert(dbus_threads_init_default());
                w->connection = dbus_connection_open_private(h->address, &error);
                ck_assert_msg(w->connection, "%s", error.message);
                dbus_connection_set_exit_on_disconnect(w->connection, FALSE);
                ck_assert_msg(dbus_bus_register(w->connection, &error), "%s", error.message);
        }
        c.connection = w->connection;
        (void)snprintf(w->unique, sizeof(w->unique), "%s", dbus_bus_get_unique_name(w->connection));

        m = dbus_message_new_method_call(SERVICE, ROOT, MANAGER, "RegisterWriter");
        ck_assert_ptr_nonnull(m);
        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &class_id));
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &name));
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_OBJECT_PATH, &path));
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &array));
        if (w->level != 0)
                append_option(&array, "level", DBUS_TYPE_INT32, "i", &w->level);
        if (w->instance_name[0])
                append_option(&array, "instance_name", DBUS_TYPE_STRING, "s", &instance);
        ck_assert(dbus_message_iter_close_container(&iter, &array));
        reply = client_send(&c, m);
        return reply;
}

void bus_writer_start(struct bus_writer *w, const struct harness *h) {
        const char *instance_id, *path;

        reply_read(reply_good(bus_writer_register(w, h), "RegisterWriter"), "so", &instance_id,
                   &path);
        (void)snprintf(w->instance_id, sizeof(w->instance_id), "%s", instance_id);
        (void)snprintf(w->path, sizeof(w->path), "%s", path);
        ck_assert(dbus_connection_add_filter(w->connection, on_message, w, NULL));
        w->stop = false;
        ck_assert_int_eq(pthread_create(&w->thread, NULL, writer_thread, w), 0);
}

void bus_writer_stop(struct bus_writer *w) {
        if (w->thread) {
                w->stop = true;
                ck_assert_int_eq(pthread_join(w->thread, NULL), 0);
        }
        if (w->connection) {
                dbus_connection_close(w->connection);
                dbus_connection_unref(w->connection);
        }
        w->connection = NULL;
        w->thread = 0;
}
