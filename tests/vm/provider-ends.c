/* Preloaded into a provider, it makes that end, stall or lie at one certain call of the service's:
 * by chance a kill meets such a moment once in hundreds.
 *
 * PROVIDER_ENDS names a file with lines "METHOD WHAT [ARGUMENT]", of which the first is waited for:
 *
 *      before          it dies, and has done nothing
 *      unanswered      it dies when it has done everything but answer
 *      after           it dies when it has answered
 *      late SECONDS    it is asleep so long, and then does it
 *      fails NAME      it does it, and answers with that error
 *      device PATH     it does it, and answers that this is its copy
 *
 * A line that was met is taken from the file, and the file goes with the last one: so it happens
 * once, and a test sees that it did. */

#include "common/util.h"

#include <dbus/dbus.h>
#include <dlfcn.h>
#include <signal.h>

#define INTERFACE "org.vssd.Vss1.SnapshotProvider"

struct step {
        char method[64], what[32], argument[256];
};

static struct step current; /* of the call that is being answered; method "": nothing special */

/* The rest of the file takes its place. */
static void step_take(const char *path, FILE *f) {
        char rest[1024];
        const size_t n = fread(rest, 1, sizeof(rest), f);
        FILE *out;

        if (n == 0) {
                (void)unlink(path);
                return;
        }
        out = fopen(path, "we");
        if (!out)
                return; /* the test will find the line still there */
        (void)fwrite(rest, 1, n, out);
        (void)fclose(out);
}

/* Is it this method's turn? */
static bool step_read(struct step *ret, const char *method) {
        const char *path = getenv("PROVIDER_ENDS");
        struct step s = { .method = "" };
        char line[512];
        bool here;
        FILE *f;

        f = path ? fopen(path, "re") : NULL;
        if (!f)
                return false;
        here = fgets(line, sizeof(line), f) &&
               sscanf(line, "%63s %31s %255s", s.method, s.what, s.argument) >= 2 &&
               streq(s.method, method);
        if (here) {
                step_take(path, f);
                *ret = s;
        }
        (void)fclose(f);
        return here;
}

/* The service's calls pass through here, each once when it is theirs. */
dbus_bool_t dbus_message_is_method_call(DBusMessage *m, const char *interface, const char *method) {
        dbus_bool_t (*next)(DBusMessage *, const char *, const char *) =
                (dbus_bool_t(*)(DBusMessage *, const char *, const char *))(uintptr_t)dlsym(
                        RTLD_NEXT, "dbus_message_is_method_call");

        if (!next(m, interface, method))
                return FALSE;
        if (streq(interface, INTERFACE)) {
                current.method[0] = '\0';
                if (step_read(&current, method) && streq(current.what, "before"))
                        (void)raise(SIGKILL);
                if (streq(current.method, method) && streq(current.what, "late"))
                        (void)sleep((unsigned)atoi(current.argument));
        }
        return TRUE;
}

static DBusMessage *instead(DBusMessage *of, int type) {
        DBusMessage *m = dbus_message_new(type);

        if (!m || !dbus_message_set_reply_serial(m, dbus_message_get_reply_serial(of)) ||
            !dbus_message_set_destination(m, dbus_message_get_destination(of)))
                abort();
        return m;
}

static DBusMessage *failure(DBusMessage *of, const char *name) {
        DBusMessage *m = instead(of, DBUS_MESSAGE_TYPE_ERROR);
        const char *text = "the test says so";
        char error[300];

        (void)snprintf(error, sizeof(error), "org.vssd.Vss1.Error.%s", name);
        if (!dbus_message_set_error_name(m, error) ||
            !dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID))
                abort();
        return m;
}

static DBusMessage *properties(DBusMessage *of, const char *path) {
        DBusMessage *m = instead(of, DBUS_MESSAGE_TYPE_METHOD_RETURN);
        DBusMessageIter iter, dict, entry, variant;
        const char *key = "Device";

        dbus_message_iter_init_append(m, &iter);
        if (!dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &dict) ||
            !dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
            !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) ||
            !dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant) ||
            !dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &path) ||
            !dbus_message_iter_close_container(&entry, &variant) ||
            !dbus_message_iter_close_container(&dict, &entry) ||
            !dbus_message_iter_close_container(&iter, &dict))
                abort();
        return m;
}

dbus_bool_t dbus_connection_send(DBusConnection *connection, DBusMessage *message,
                                 dbus_uint32_t *serial) {
        dbus_bool_t (*next)(DBusConnection *, DBusMessage *, dbus_uint32_t *) =
                (dbus_bool_t(*)(DBusConnection *, DBusMessage *, dbus_uint32_t *))(uintptr_t)dlsym(
                        RTLD_NEXT, "dbus_connection_send");
        DBusMessage *other = NULL;
        dbus_bool_t sent;

        if (dbus_message_get_reply_serial(message) == 0 || current.method[0] == '\0')
                return next(connection, message, serial);
        if (streq(current.what, "unanswered"))
                (void)raise(SIGKILL);
        if (streq(current.what, "fails"))
                other = failure(message, current.argument);
        else if (streq(current.what, "device"))
                other = properties(message, current.argument);
        sent = next(connection, other ? other : message, serial);
        if (other)
                dbus_message_unref(other);
        if (streq(current.what, "after")) {
                dbus_connection_flush(connection);
                (void)raise(SIGKILL);
        }
        current.method[0] = '\0';
        return sent;
}
