/* The private bus and its clients: see harness.h. */

#include "tests/bus/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Patience with a slow machine; nothing here takes so long unless something is wrong. */
#define PATIENCE_MS 30000
#define STEP_MS 5

static const char bus_config[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\""
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
        "<include>" DBUS_SOURCE_DIR "/org.vssd.Vss1.conf</include>%s\n"
        "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n"
        "<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\n"
        "<allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
        "<allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
        "<allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\n"
        "<allow receive_type=\"error\"/><allow receive_type=\"signal\"/></policy>\n"
        "</busconfig>\n";

static void rest(void) {
        struct timespec t = { .tv_nsec = STEP_MS * 1000000L };

        (void)nanosleep(&t, NULL);
}

static void write_file(const char *path, const char *text) {
        FILE *f = fopen(path, "we");

        ck_assert_msg(f, "cannot write %s", path);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static const char *in_directory(const struct harness *h, const char *name) {
        static char paths[8][160];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", h->directory, name);
        return path;
}

/* The bus complains of rlimits that it cannot raise; the daemon's words are wanted. */
static pid_t spawn(char *const *argv, bool quiet) {
        pid_t parent = getpid(), child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0) {
                /* A failed assertion kills the test without further ado. */
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(126);
                if (quiet && !freopen("/dev/null", "w", stderr))
                        _exit(126);
                execv(argv[0], argv);
                _exit(127);
        }
        return child;
}

static bool name_has_owner(DBusConnection *connection) {
        DBusError error = DBUS_ERROR_INIT;
        bool has = dbus_bus_name_has_owner(connection, SERVICE, &error);

        dbus_error_free(&error);
        return has;
}

void harness_start_daemon(struct harness *h, const char *config) {
        struct client c;
        char *argv[] = { (char *)VSSD_FAKE,
                         (char *)"--address",
                         h->address,
                         (char *)"--state-dir",
                         (char *)in_directory(h, "state"),
                         (char *)"--config",
                         (char *)in_directory(h, "vssd.conf"),
                         NULL };
        unsigned waited = 0;

        write_file(argv[6], config ? config : "");
        ck_assert_int_eq(setenv("VSSD_FAKE_DIR", h->directory, 1), 0);
        h->vssd = spawn(argv, false);
        client_open(&c, h);
        while (!name_has_owner(c.connection)) {
                ck_assert_int_eq(waitpid(h->vssd, NULL, WNOHANG), 0);
                ck_assert_uint_lt(waited += STEP_MS, PATIENCE_MS);
                rest();
        }
        client_close(&c);
}

static bool can_connect(const struct harness *h) {
        DBusConnection *connection = dbus_connection_open_private(h->address, NULL);

        if (!connection)
                return false;
        dbus_connection_close(connection);
        dbus_connection_unref(connection);
        return true;
}

void harness_start_limited(struct harness *h, const char *config, const char *limits) {
        _cleanup_(freep) char *text = NULL;
        char *argv[] = { (char *)DBUS_DAEMON, (char *)"--nofork", NULL, NULL };
        char option[128];
        unsigned waited = 0;

        *h = (struct harness){ .directory = "/tmp/test-bus-XXXXXX" };
        ck_assert_ptr_nonnull(mkdtemp(h->directory));
        ck_assert_int_eq(chmod(h->directory, 0755), 0); /* others call, too */
        (void)snprintf(h->address, sizeof(h->address), "unix:path=%s/bus", h->directory);
        ck_assert_int_ge(str_format(&text, bus_config, h->directory, limits), 0);
        write_file(in_directory(h, "bus.conf"), text);
        (void)snprintf(option, sizeof(option), "--config-file=%s", in_directory(h, "bus.conf"));
        argv[2] = option;
        h->bus = spawn(argv, true);
        while (!can_connect(h)) {
                ck_assert_uint_lt(waited += STEP_MS, PATIENCE_MS);
                rest();
        }
        harness_start_daemon(h, config);
}

void harness_start(struct harness *h, const char *config) {
        harness_start_limited(h, config, "");
}

void harness_stop_daemon(struct harness *h) {
        unsigned waited = 0;
        int status = 0;

        ck_assert_int_eq(kill(h->vssd, SIGTERM), 0);
        while (waitpid(h->vssd, &status, WNOHANG) == 0) {
                ck_assert_uint_lt(waited += STEP_MS, PATIENCE_MS);
                rest();
        }
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                      "the daemon ended with status %#x", (unsigned)status);
        h->vssd = 0;
}

void harness_kill_daemon(struct harness *h) {
        ck_assert_int_eq(kill(h->vssd, SIGKILL), 0);
        ck_assert_int_eq(waitpid(h->vssd, NULL, 0), h->vssd);
        h->vssd = 0;
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

void harness_stop(struct harness *h) {
        if (h->vssd > 0)
                harness_stop_daemon(h);
        ck_assert_int_eq(kill(h->bus, SIGTERM), 0);
        ck_assert_int_eq(waitpid(h->bus, NULL, 0), h->bus);
        ck_assert_int_eq(nftw(h->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void harness_knob(const struct harness *h, const char *name, const char *text) {
        if (text)
                write_file(in_directory(h, name), text);
        else
                ck_assert(unlink(in_directory(h, name)) == 0 || errno == ENOENT);
}

const char *harness_journal(const struct harness *h) {
        static char text[262144];
        FILE *f = fopen(in_directory(h, "journal"), "re");
        size_t n = 0;

        if (f) {
                n = fread(text, 1, sizeof(text) - 1, f);
                ck_assert_int_eq(fclose(f), 0);
        }
        text[n] = '\0';
        return text;
}

size_t harness_count(const struct harness *h, const char *step) {
        const char *line = harness_journal(h);
        size_t n = 0, k = strlen(step);

        for (; *line; line += strcspn(line, "\n") + 1)
                if (strncmp(line, step, k) == 0 && line[k] == ' ')
                        n++;
        return n;
}

void harness_await(const struct harness *h, const char *step, size_t n) {
        unsigned waited = 0;

        while (harness_count(h, step) < n) {
                ck_assert_msg((waited += STEP_MS) < PATIENCE_MS, "%s did not come; there were:\n%s",
                              step, harness_journal(h));
                rest();
        }
}

static DBusHandlerResult keep_signal(DBusConnection *connection _unused_, DBusMessage *m,
                                     void *userdata) {
        struct client *c = userdata;

        if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_SIGNAL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        ck_assert_uint_lt(c->n_signals, SIGNALS_MAX);
        c->signals[c->n_signals++] = dbus_message_ref(m);
        return DBUS_HANDLER_RESULT_HANDLED;
}

void client_open(struct client *c, const struct harness *h) {
        DBusError error = DBUS_ERROR_INIT;

        *c = (struct client){ .connection = dbus_connection_open_private(h->address, &error) };
        ck_assert_msg(c->connection, "%s", error.message);
        dbus_connection_set_exit_on_disconnect(c->connection, FALSE);
        ck_assert_msg(dbus_bus_register(c->connection, &error), "%s", error.message);
        ck_assert(dbus_connection_add_filter(c->connection, keep_signal, c, NULL));
}

void client_drain(struct client *c) {
        while (dbus_connection_dispatch(c->connection) == DBUS_DISPATCH_DATA_REMAINS)
                ;
        while (c->n_signals > 0)
                dbus_message_unref(c->signals[--c->n_signals]);
}

void client_close(struct client *c) {
        client_drain(c);
        dbus_connection_remove_filter(c->connection, keep_signal, c);
        dbus_connection_close(c->connection);
        dbus_connection_unref(c->connection);
        c->connection = NULL;
}

static void append_strings(DBusMessageIter *iter, char *const *strings) {
        DBusMessageIter array;

        ck_assert(dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "s", &array));
        STRV_FOREACH (s, strings)
                ck_assert(dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, s));
        ck_assert(dbus_message_iter_close_container(iter, &array));
}

static void append_dict(DBusMessageIter *iter, char *const *pairs, bool variants) {
        DBusMessageIter array, entry, variant;

        ck_assert(dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY,
                                                   variants ? "{sv}" : "{ss}", &array));
        for (; pairs && pairs[0]; pairs += 2) {
                ck_assert(dbus_message_iter_open_container(&array, DBUS_TYPE_DICT_ENTRY, NULL,
                                                           &entry));
                ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &pairs[0]));
                if (variants)
                        ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s",
                                                                   &variant));
                ck_assert(dbus_message_iter_append_basic(variants ? &variant : &entry,
                                                         DBUS_TYPE_STRING, &pairs[1]));
                if (variants)
                        ck_assert(dbus_message_iter_close_container(&entry, &variant));
                ck_assert(dbus_message_iter_close_container(&array, &entry));
        }
        ck_assert(dbus_message_iter_close_container(iter, &array));
}

static void append_document(DBusMessageIter *iter, const char *text) {
        DBusMessageIter variant;

        ck_assert(dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, "s", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text));
        ck_assert(dbus_message_iter_close_container(iter, &variant));
}

DBusMessage *message_new(const char *path, const char *interface, const char *member,
                         const char *signature, ...) {
        DBusMessage *m = dbus_message_new_method_call(SERVICE, path, interface, member);
        DBusMessageIter iter;
        va_list ap;

        ck_assert_ptr_nonnull(m);
        dbus_message_iter_init_append(m, &iter);
        va_start(ap, signature);
        while (*signature) {
                if (strncmp(signature, "as", 2) == 0) {
                        append_strings(&iter, va_arg(ap, char *const *));
                        signature += 2;
                } else if (strncmp(signature, "a{s", 3) == 0) {
                        append_dict(&iter, va_arg(ap, char *const *), signature[3] == 'v');
                        signature += 5;
                } else if (*signature == 'v') {
                        append_document(&iter, va_arg(ap, const char *));
                        signature++;
                } else if (*signature == 's' || *signature == 'o') {
                        const char *s = va_arg(ap, const char *);

                        ck_assert(dbus_message_iter_append_basic(&iter, *signature++, &s));
                } else {
                        /* int, unsigned and dbus_bool_t have one size. */
                        dbus_uint32_t u = va_arg(ap, dbus_uint32_t);

                        ck_assert(dbus_message_iter_append_basic(&iter, *signature++, &u));
                }
        }
        va_end(ap);
        return m;
}

DBusMessage *client_send(struct client *c, DBusMessage *m) {
        DBusPendingCall *pending = NULL;
        DBusMessage *reply;

        ck_assert(dbus_connection_send_with_reply(c->connection, m, &pending, PATIENCE_MS));
        ck_assert_ptr_nonnull(pending);
        dbus_message_unref(m);
        dbus_pending_call_block(pending);
        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(pending);
        ck_assert_ptr_nonnull(reply);
        return reply;
}

static const char *first_string(DBusMessage *m) {
        const char *text = NULL;
        DBusMessageIter iter;

        if (dbus_message_iter_init(m, &iter) &&
            dbus_message_iter_get_arg_type(&iter) == DBUS_TYPE_STRING)
                dbus_message_iter_get_basic(&iter, &text);
        return str_or_empty(text);
}

/* A few texts that outlive their messages. */
static const char *keep_text(const char *text) {
        static char *kept[256];
        static unsigned next;
        char **slot = &kept[next++ % ARRAY_SIZE(kept)];

        free(*slot);
        *slot = strdup(text);
        ck_assert_ptr_nonnull(*slot);
        return *slot;
}

DBusMessage *reply_good(DBusMessage *reply, const char *member) {
        ck_assert_msg(dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN,
                      "%s failed: %s: %s", member, str_or_empty(dbus_message_get_error_name(reply)),
                      first_string(reply));
        return reply;
}

const char *reply_bad(DBusMessage *reply, const char *member, const char *error) {
        const char *text;

        ck_assert_msg(dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR,
                      "%s succeeded, which should fail with %s", member, error);
        ck_assert_msg(streq(dbus_message_get_error_name(reply), error),
                      "%s failed with %s (%s), which should fail with %s", member,
                      dbus_message_get_error_name(reply), first_string(reply), error);
        text = keep_text(first_string(reply));
        dbus_message_unref(reply);
        return text;
}

static char **read_strings(DBusMessageIter *iter) {
        DBusMessageIter array;
        char **v = NULL;

        for (dbus_message_iter_recurse(iter, &array);
             dbus_message_iter_get_arg_type(&array) != DBUS_TYPE_INVALID;
             dbus_message_iter_next(&array)) {
                const char *s;

                dbus_message_iter_get_basic(&array, &s);
                ck_assert_int_ge(strv_append(&v, s), 0);
        }
        return v;
}

void reply_read(DBusMessage *reply, const char *signature, ...) {
        DBusMessageIter iter;
        va_list ap;

        ck_assert_str_eq(dbus_message_get_signature(reply), signature);
        va_start(ap, signature);
        if (*signature)
                ck_assert(dbus_message_iter_init(reply, &iter));
        while (*signature) {
                if (*signature == 'a') {
                        *va_arg(ap, char ***) = read_strings(&iter);
                        signature += 2;
                } else if (*signature == 'v') {
                        DBusMessageIter variant;
                        const char *s;

                        /* None of ours is long enough for a memfd. */
                        dbus_message_iter_recurse(&iter, &variant);
                        ck_assert_int_eq(dbus_message_iter_get_arg_type(&variant),
                                         DBUS_TYPE_STRING);
                        dbus_message_iter_get_basic(&variant, &s);
                        *va_arg(ap, const char **) = keep_text(s);
                        signature++;
                } else if (*signature == 's' || *signature == 'o') {
                        const char *s;

                        dbus_message_iter_get_basic(&iter, &s);
                        *va_arg(ap, const char **) = keep_text(s);
                        signature++;
                } else {
                        dbus_message_iter_get_basic(&iter, va_arg(ap, dbus_uint32_t *));
                        signature++;
                }
                dbus_message_iter_next(&iter);
        }
        va_end(ap);
        dbus_message_unref(reply);
}

static const char *variant_text(DBusMessageIter *variant) {
        char text[64];
        DBusBasicValue v;

        memset(&v, 0, sizeof(v));
        switch (dbus_message_iter_get_arg_type(variant)) {
        case DBUS_TYPE_STRING: dbus_message_iter_get_basic(variant, &v); return keep_text(v.str);
        case DBUS_TYPE_BOOLEAN:
                dbus_message_iter_get_basic(variant, &v);
                return v.bool_val ? "true" : "false";
        case DBUS_TYPE_INT32:
                dbus_message_iter_get_basic(variant, &v);
                (void)snprintf(text, sizeof(text), "%d", v.i32);
                return keep_text(text);
        case DBUS_TYPE_UINT32:
                dbus_message_iter_get_basic(variant, &v);
                (void)snprintf(text, sizeof(text), "%u", v.u32);
                return keep_text(text);
        case DBUS_TYPE_INT64:
        case DBUS_TYPE_UINT64:
                dbus_message_iter_get_basic(variant, &v);
                (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v.u64);
                return keep_text(text);
        default: return "(an array)"; /* not an enum */
        }
}

static const char *dict_value(DBusMessageIter *dict, const char *key) {
        DBusMessageIter array, entry, variant;

        for (dbus_message_iter_recurse(dict, &array);
             dbus_message_iter_get_arg_type(&array) != DBUS_TYPE_INVALID;
             dbus_message_iter_next(&array)) {
                const char *name;

                dbus_message_iter_recurse(&array, &entry);
                dbus_message_iter_get_basic(&entry, &name);
                if (!streq(name, key))
                        continue;
                dbus_message_iter_next(&entry);
                dbus_message_iter_recurse(&entry, &variant);
                return variant_text(&variant);
        }
        return NULL;
}

const char *reply_dict(DBusMessage *reply, const char *key) {
        DBusMessageIter iter;

        ck_assert_str_eq(dbus_message_get_signature(reply), "a{sv}");
        ck_assert(dbus_message_iter_init(reply, &iter));
        return dict_value(&iter, key);
}

const char *reply_row(DBusMessage *reply, size_t n, const char *key) {
        DBusMessageIter iter, rows;

        ck_assert_str_eq(dbus_message_get_signature(reply), "aa{sv}");
        ck_assert(dbus_message_iter_init(reply, &iter));
        dbus_message_iter_recurse(&iter, &rows);
        for (; n > 0; n--)
                dbus_message_iter_next(&rows);
        return dbus_message_iter_get_arg_type(&rows) == DBUS_TYPE_ARRAY ? dict_value(&rows, key)
                                                                        : NULL;
}

size_t reply_rows(DBusMessage *reply) {
        DBusMessageIter iter;

        ck_assert_str_eq(dbus_message_get_signature(reply), "aa{sv}");
        ck_assert(dbus_message_iter_init(reply, &iter));
        return (size_t)dbus_message_iter_get_element_count(&iter);
}

const char *client_property(struct client *c, const char *path, const char *interface,
                            const char *name) {
        DBusMessage *reply = client_call(c, path, PROPERTIES, "Get", "ss", interface, name);
        DBusMessageIter iter, variant;
        const char *text;

        ck_assert(dbus_message_iter_init(reply, &iter));
        dbus_message_iter_recurse(&iter, &variant);
        text = variant_text(&variant);
        dbus_message_unref(reply);
        return text;
}

DBusMessage *client_signal(struct client *c, const char *path, const char *interface,
                           const char *member) {
        unsigned waited = 0;

        for (;;) {
                while (dbus_connection_dispatch(c->connection) == DBUS_DISPATCH_DATA_REMAINS)
                        ;
                for (size_t i = 0; i < c->n_signals; i++) {
                        DBusMessage *m = c->signals[i];

                        if (!dbus_message_is_signal(m, interface, member) ||
                            (path && !dbus_message_has_path(m, path)))
                                continue;
                        memmove(&c->signals[i], &c->signals[i + 1],
                                (c->n_signals - i - 1) * sizeof(struct DBusMessage *));
                        c->n_signals--;
                        return m;
                }
                if ((waited += STEP_MS) > PATIENCE_MS)
                        return NULL;
                if (!dbus_connection_read_write(c->connection, STEP_MS))
                        return NULL;
        }
}

const char *client_session(struct client *c) {
        const char *path;

        reply_read(client_call(c, ROOT, MANAGER, "CreateBackupComponents", "a{sv}", NULL), "o",
                   &path);
        return path;
}

int32_t client_await(struct client *c, const char *async, const char **ret_message) {
        DBusMessage *m = client_signal(c, async, ASYNC, "Completed");
        const char *message;
        int32_t hr;

        ck_assert_msg(m, "%s never completed", async);
        reply_read(m, "is", &hr, &message);
        if (ret_message)
                *ret_message = message;
        return hr;
}

int32_t client_run(struct client *c, const char *session, const char *member,
                   const char **ret_message) {
        const char *async;

        reply_read(client_call(c, session, SESSION, member, ""), "o", &async);
        return client_await(c, async, ret_message);
}
