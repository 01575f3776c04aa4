/* A provider of somebody else's, as a vendor would write it with plain libdbus: it takes /srv/mail,
 * and the volume too that a knob "vendor-more" names. Its copies are directories below
 * $VSSD_FAKE_DIR/copies, so that another process of its kind finds what this one has left:
 * ID.prepared before the commit, and ID.
 *
 * Each call is noted in the journal as "vendor METHOD". The knob "vendor" holds a method and what
 * it does instead: "fail NAME" (an error of the service's), "error" (of somebody else's), "die",
 * "hang MSEC", "nonsense", "device PATH", "data BYTES" (so much of it), "bare" (without a device),
 * "typed" (with one that is a number), "no" (is not supported). With a knob "vendor-lax" it says
 * that it has aborted what it does not know.
 *
 * usage: fake-vendor ADDRESS */

#include <dbus/dbus.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME "com.example.Vendor"
#define INTERFACE "org.vssd.Vss1.SnapshotProvider"
#define IDS_MAX 64

static const char *directory;
static char ids[IDS_MAX][64]; /* of the set that is being made */
static size_t n_ids;

struct knob {
        char method[64], action[32], argument[256];
};

static struct knob knob_read(void) {
        struct knob k = { .method = "" };
        char path[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/vendor", directory);
        f = fopen(path, "re");
        if (f) {
                if (fscanf(f, "%63s %31s %255s", k.method, k.action, k.argument) < 2)
                        k.method[0] = '\0';
                fclose(f);
        }
        return k;
}

static bool has_knob(const char *name) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        return access(path, F_OK) == 0;
}

static void note(const char *method) {
        char path[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/journal", directory);
        f = fopen(path, "ae");
        if (f) {
                fprintf(f, "vendor %s\n", method);
                fclose(f);
        }
}

static bool is_more(const char *volume) {
        char path[512], name[256] = "";
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/vendor-more", directory);
        f = fopen(path, "re");
        if (!f)
                return false;
        if (fscanf(f, "%255s", name) < 1)
                name[0] = '\0';
        fclose(f);
        return strcmp(name, volume) == 0;
}

static const char *copy_path(const char *id, const char *suffix, char path[static 512]) {
        if (snprintf(path, 512, "%s/copies/%s%s", directory, id, suffix) >= 512)
                abort();
        return path;
}

static bool copy_remove(const char *id) {
        char path[512];
        bool was_there = rmdir(copy_path(id, "", path)) == 0;

        return rmdir(copy_path(id, ".prepared", path)) == 0 || was_there;
}

/* The first strings of a call. */
static const char *text(DBusMessage *m, unsigned index) {
        const char *s = "";
        DBusMessageIter iter;

        if (!dbus_message_iter_init(m, &iter))
                return s;
        while (index-- > 0)
                dbus_message_iter_next(&iter);
        if (dbus_message_iter_get_arg_type(&iter) == DBUS_TYPE_STRING)
                dbus_message_iter_get_basic(&iter, &s);
        return s;
}

/* Of the dictionary that stands first. */
static const char *volume_name(DBusMessage *m) {
        DBusMessageIter iter, entry, value, variant;
        const char *key, *name = "";

        if (!dbus_message_iter_init(m, &iter) ||
            dbus_message_iter_get_arg_type(&iter) != DBUS_TYPE_ARRAY)
                return name;
        for (dbus_message_iter_recurse(&iter, &entry);
             dbus_message_iter_get_arg_type(&entry) == DBUS_TYPE_DICT_ENTRY;
             dbus_message_iter_next(&entry)) {
                dbus_message_iter_recurse(&entry, &value);
                dbus_message_iter_get_basic(&value, &key);
                dbus_message_iter_next(&value);
                dbus_message_iter_recurse(&value, &variant);
                if (strcmp(key, "Name") == 0)
                        dbus_message_iter_get_basic(&variant, &name);
        }
        return name;
}

static DBusMessage *fail(DBusMessage *m, const char *error) {
        char name[512];

        (void)snprintf(name, sizeof(name), "org.vssd.Vss1.Error.%s", error);
        return dbus_message_new_error(m, name, "The vendor says so");
}

static DBusMessage *on_is_volume_supported(DBusMessage *m) {
        const char *name = volume_name(m), *reason = "it is not the vendor's";
        dbus_bool_t supported = strcmp(name, "/srv/mail/") == 0 || is_more(name);
        DBusMessage *reply = dbus_message_new_method_return(m);

        if (supported)
                reason = "";
        dbus_message_append_args(reply, DBUS_TYPE_BOOLEAN, &supported, DBUS_TYPE_STRING, &reason,
                                 DBUS_TYPE_INVALID);
        return reply;
}

static DBusMessage *on_begin(DBusMessage *m) {
        char path[512];

        if (n_ids == IDS_MAX)
                return fail(m, "MaximumNumberOfSnapshotsReached");
        (void)snprintf(ids[n_ids], sizeof(ids[0]), "%s", text(m, 1));
        if (mkdir(copy_path(ids[n_ids], ".prepared", path), 0755) < 0)
                return fail(m, "ProviderVeto");
        n_ids++;
        return dbus_message_new_method_return(m);
}

static DBusMessage *on_commit(DBusMessage *m) {
        char from[512], to[512];

        for (size_t i = 0; i < n_ids; i++)
                if (rename(copy_path(ids[i], ".prepared", from), copy_path(ids[i], "", to)) < 0)
                        return fail(m, "ProviderVeto");
        return dbus_message_new_method_return(m);
}

static DBusMessage *on_abort(DBusMessage *m) {
        if (n_ids == 0 && !has_knob("vendor-lax"))
                return fail(m, "ObjectNotFound");
        while (n_ids > 0)
                copy_remove(ids[--n_ids]);
        return dbus_message_new_method_return(m);
}

static DBusMessage *on_post_final(DBusMessage *m) {
        n_ids = 0;
        return dbus_message_new_method_return(m);
}

static DBusMessage *on_nothing(DBusMessage *m) {
        return dbus_message_new_method_return(m);
}

static void put(DBusMessageIter *dict, const char *key, const char *value) {
        DBusMessageIter entry, variant;

        dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
        dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
        dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant);
        dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &value);
        dbus_message_iter_close_container(&entry, &variant);
        dbus_message_iter_close_container(dict, &entry);
}

static void put_number(DBusMessageIter *dict, const char *key, dbus_uint32_t value) {
        DBusMessageIter entry, variant;

        dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
        dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
        dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "u", &variant);
        dbus_message_iter_append_basic(&variant, DBUS_TYPE_UINT32, &value);
        dbus_message_iter_close_container(&entry, &variant);
        dbus_message_iter_close_container(dict, &entry);
}

static DBusMessage *say_properties(DBusMessage *m, const char *device, const char *data,
                                   bool is_number) {
        DBusMessage *reply = dbus_message_new_method_return(m);
        DBusMessageIter iter, dict;

        dbus_message_iter_init_append(reply, &iter);
        dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &dict);
        if (is_number)
                put_number(&dict, "Device", 77);
        else if (device)
                put(&dict, "Device", device);
        put(&dict, "Data", data);
        put(&dict, "Later", "what a later version may say");
        dbus_message_iter_close_container(&iter, &dict);
        return reply;
}

static DBusMessage *properties(DBusMessage *m, const char *device) {
        return say_properties(m, device, "the vendor's own", false);
}

/* Of the copy that is there. */
static DBusMessage *much_data(DBusMessage *m, size_t n) {
        char path[512], *data = calloc(1, n + 1);
        DBusMessage *reply;

        if (!data)
                abort();
        memset(data, 'x', n);
        reply = say_properties(m, copy_path(text(m, 0), "", path), data, false);
        free(data);
        return reply;
}

static DBusMessage *on_get_properties(DBusMessage *m) {
        const char *data = text(m, 2);
        char path[512];

        if (*data && strcmp(data, "the vendor's own") != 0)
                return fail(m, "InvalidArg");
        if (access(copy_path(text(m, 0), "", path), F_OK) < 0)
                return fail(m, "ObjectNotFound");
        return properties(m, path);
}

static DBusMessage *on_delete(DBusMessage *m) {
        return copy_remove(text(m, 0)) ? dbus_message_new_method_return(m)
                                       : fail(m, "ObjectNotFound");
}

static const struct {
        const char *name;
        DBusMessage *(*handler)(DBusMessage *m);
} methods[] = {
        { "IsVolumeSupported", on_is_volume_supported },
        { "BeginPrepareSnapshot", on_begin },
        { "EndPrepareSnapshots", on_nothing },
        { "PreCommitSnapshots", on_nothing },
        { "CommitSnapshots", on_commit },
        { "PostCommitSnapshots", on_nothing },
        { "PreFinalCommitSnapshots", on_nothing },
        { "PostFinalCommitSnapshots", on_post_final },
        { "AbortSnapshots", on_abort },
        { "GetSnapshotProperties", on_get_properties },
        { "DeleteSnapshot", on_delete },
};

static DBusMessage *nonsense(DBusMessage *m) {
        DBusMessage *reply = dbus_message_new_method_return(m);
        dbus_uint32_t number = 77;

        dbus_message_append_args(reply, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
        return reply;
}

static DBusMessage *refuse_volume(DBusMessage *m) {
        DBusMessage *reply = dbus_message_new_method_return(m);
        const char *reason = "it is not the day";
        dbus_bool_t supported = FALSE;

        dbus_message_append_args(reply, DBUS_TYPE_BOOLEAN, &supported, DBUS_TYPE_STRING, &reason,
                                 DBUS_TYPE_INVALID);
        return reply;
}

static DBusMessage *instead(DBusMessage *m, const struct knob *k) {
        struct timespec t;
        long msec;

        if (strcmp(k->action, "die") == 0)
                _exit(1);
        if (strcmp(k->action, "fail") == 0)
                return fail(m, k->argument);
        if (strcmp(k->action, "error") == 0)
                return dbus_message_new_error(m, "com.example.Error.Odd", "Something odd");
        if (strcmp(k->action, "nonsense") == 0)
                return nonsense(m);
        if (strcmp(k->action, "device") == 0)
                return properties(m, k->argument);
        if (strcmp(k->action, "data") == 0)
                return much_data(m, (size_t)atol(k->argument));
        if (strcmp(k->action, "bare") == 0)
                return properties(m, NULL);
        if (strcmp(k->action, "typed") == 0)
                return say_properties(m, NULL, "", true);
        if (strcmp(k->action, "no") == 0)
                return refuse_volume(m);
        if (strcmp(k->action, "hang") == 0) {
                msec = atol(k->argument);
                t = (struct timespec){ .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000L };
                (void)nanosleep(&t, NULL);
        }
        return NULL; /* as ever, after all */
}

static DBusHandlerResult on_message(DBusConnection *c, DBusMessage *m, void *userdata) {
        const char *member = dbus_message_get_member(m);
        struct knob k = knob_read();
        DBusMessage *reply = NULL;

        (void)userdata;
        if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL ||
            !dbus_message_has_interface(m, INTERFACE))
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        note(member);
        if (strcmp(k.method, member) == 0)
                reply = instead(m, &k);
        for (size_t i = 0; !reply && i < sizeof(methods) / sizeof(methods[0]); i++)
                if (strcmp(methods[i].name, member) == 0)
                        reply = methods[i].handler(m);
        if (!reply)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        dbus_connection_send(c, reply, NULL);
        dbus_message_unref(reply);
        return DBUS_HANDLER_RESULT_HANDLED;
}

int main(int argc, char **argv) {
        DBusError error = DBUS_ERROR_INIT;
        DBusConnection *c;
        char copies[512];

        directory = getenv("VSSD_FAKE_DIR");
        if (argc != 2 || !directory)
                return EXIT_FAILURE;
        (void)snprintf(copies, sizeof(copies), "%s/copies", directory);
        if (mkdir(copies, 0755) < 0 && errno != EEXIST)
                return EXIT_FAILURE;
        c = dbus_connection_open_private(argv[1], &error);
        if (!c || !dbus_bus_register(c, &error) ||
            !dbus_connection_add_filter(c, on_message, NULL, NULL) ||
            dbus_bus_request_name(c, NAME, DBUS_NAME_FLAG_DO_NOT_QUEUE, &error) !=
                    DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER) {
                fprintf(stderr, "fake-vendor: %s\n", error.message ? error.message : "no name");
                return EXIT_FAILURE;
        }
        while (dbus_connection_read_write_dispatch(c, -1))
                ;
        return EXIT_SUCCESS;
}
