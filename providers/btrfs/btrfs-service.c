/* See btrfs-service.h. */

#include "providers/btrfs/btrfs-service.h"
#include "common/wire-error.h"
#include "common/wire.h"
#include "providers/btrfs/btrfs-copies.h"
#include "providers/btrfs/btrfs-set.h"

#define INTERFACE "org.vssd.Vss1.SnapshotProvider"

/* Of the dictionary of a volume, what is wanted here. */
struct volume {
        char *mount_point, *file_system;
        uint64_t device_number;
        bool read_only;
};

static const struct wire_field volume_fields[] = {
        WIRE_FIELD(struct volume, mount_point, "MountPoint", WIRE_TEXT),
        WIRE_FIELD(struct volume, file_system, "FileSystem", WIRE_TEXT),
        WIRE_FIELD(struct volume, device_number, "DeviceNumber", WIRE_UINT64),
        WIRE_FIELD(struct volume, read_only, "ReadOnly", WIRE_BOOL),
};
static const struct wire_table volume_table = WIRE_TABLE(volume_fields);

struct properties {
        char *device, *data;
        uint32_t attributes;
};

static const struct wire_field property_fields[] = {
        WIRE_FIELD(struct properties, device, "Device", WIRE_TEXT),
        WIRE_FIELD(struct properties, data, "Data", WIRE_TEXT),
        WIRE_FIELD(struct properties, attributes, "Attributes", WIRE_UINT32),
};
static const struct wire_table property_table = WIRE_TABLE(property_fields);

/* What a call brought, in the order of its signature; strings are the message's. */
struct arguments {
        const char *texts[3];
        size_t n_texts;
        struct volume volume;
        int32_t number;
};

static void arguments_done(struct arguments *a) {
        wire_clear(&volume_table, &a->volume);
}

static int arguments_read(struct arguments *a, DBusMessage *m, struct vss_error *reterr) {
        DBusMessageIter iter;
        dbus_bool_t flag;
        int type;

        if (!dbus_message_iter_init(m, &iter))
                return 0;
        while ((type = dbus_message_iter_get_arg_type(&iter)) != DBUS_TYPE_INVALID) {
                if (type == DBUS_TYPE_STRING)
                        dbus_message_iter_get_basic(&iter, &a->texts[a->n_texts++]);
                else if (type == DBUS_TYPE_INT32)
                        dbus_message_iter_get_basic(&iter, &a->number);
                else if (type == DBUS_TYPE_BOOLEAN)
                        dbus_message_iter_get_basic(&iter,
                                                    &flag); /* force: there is no other way */
                else if (wire_read_dict(&iter, &volume_table, WIRE_UNKNOWN_IGNORED, "volume",
                                        &a->volume, NULL, reterr) < 0)
                        return -EINVAL;
                (void)dbus_message_iter_next(&iter); /* false at the end, which is seen above */
        }
        return 0;
}

static struct btrfs_volume told(const struct arguments *a) {
        return (struct btrfs_volume){
                .mount_point = a->volume.mount_point,
                .file_system = a->volume.file_system,
                .device_number = a->volume.device_number,
                .read_only = a->volume.read_only,
        };
}

/* Its refusal is an answer. */
static int on_is_volume_supported(const struct arguments *a, DBusMessage *reply,
                                  struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        const struct btrfs_volume v = told(a);
        dbus_bool_t supported = btrfs_check_volume(&v, a->number, &why) >= 0;
        DBusMessageIter iter;

        if (!supported && why.hr != VSS_E_VOLUME_NOT_SUPPORTED) {
                vss_error_move(reterr, &why);
                return -EIO;
        }
        dbus_message_iter_init_append(reply, &iter);
        return dbus_message_iter_append_basic(&iter, DBUS_TYPE_BOOLEAN, &supported) &&
                               wire_append_string(&iter, why.message) >= 0
                       ? 0
                       : -ENOMEM;
}

static int on_begin(const struct arguments *a, DBusMessage *reply _unused_,
                    struct vss_error *reterr) {
        const struct btrfs_volume v = told(a);

        return btrfs_set_begin(a->texts[0], a->texts[1], &v, a->number, reterr);
}

#define PHASE(name, phase)                                                      \
        static int name(const struct arguments *a, DBusMessage *reply _unused_, \
                        struct vss_error *reterr) {                             \
                return btrfs_set_advance(a->texts[0], phase, reterr);           \
        }
PHASE(on_end_prepare, BTRFS_END_PREPARE)
PHASE(on_pre_commit, BTRFS_PRE_COMMIT)
PHASE(on_commit, BTRFS_COMMIT)
PHASE(on_post_commit, BTRFS_POST_COMMIT)
PHASE(on_pre_final_commit, BTRFS_PRE_FINAL_COMMIT)
PHASE(on_post_final_commit, BTRFS_POST_FINAL_COMMIT)

static int on_abort(const struct arguments *a, DBusMessage *reply _unused_,
                    struct vss_error *reterr) {
        return btrfs_set_abort(a->texts[0], reterr);
}

static int check_id(const char *id, struct vss_error *reterr) {
        return copy_id_is_valid(id)
                       ? 0
                       : vss_error_set(reterr, E_INVALIDARG, EINVAL, "\"%s\" is no id", id);
}

static int on_get_properties(const struct arguments *a, DBusMessage *reply,
                             struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;
        char data[COPY_DATA_MAX] = "";
        struct properties p = { .data = data, .attributes = VSS_VOLSNAP_ATTR_DIFFERENTIAL };
        DBusMessageIter iter;
        int r;

        r = check_id(a->texts[0], reterr);
        if (r >= 0)
                r = copy_find(a->texts[1], a->texts[0], a->texts[2], &path, data, reterr);
        if (r < 0)
                return r;
        p.device = path;
        dbus_message_iter_init_append(reply, &iter);
        return wire_append_dict(&iter, &property_table, &p);
}

static int on_delete(const struct arguments *a, DBusMessage *reply _unused_,
                     struct vss_error *reterr) {
        int r = check_id(a->texts[0], reterr);

        return r < 0 ? r
                     : copy_find_and_delete(a->texts[1], a->texts[0], a->texts[2],
                                            !btrfs_set_is_open(), reterr);
}

static const struct method {
        const char *name, *signature;
        int (*handler)(const struct arguments *a, DBusMessage *reply, struct vss_error *reterr);
        bool frozen; /* the writers are: a line of the log may wait for one of them */
} methods[] = {
        { .name = "IsVolumeSupported", .signature = "a{sv}i", .handler = on_is_volume_supported },
        { .name = "BeginPrepareSnapshot", .signature = "ssa{sv}i", .handler = on_begin },
        { .name = "EndPrepareSnapshots", .signature = "s", .handler = on_end_prepare },
        { .name = "PreCommitSnapshots",
          .signature = "s",
          .handler = on_pre_commit,
          .frozen = true },
        { .name = "CommitSnapshots", .signature = "s", .handler = on_commit, .frozen = true },
        { .name = "PostCommitSnapshots",
          .signature = "si",
          .handler = on_post_commit,
          .frozen = true },
        { .name = "PreFinalCommitSnapshots", .signature = "s", .handler = on_pre_final_commit },
        { .name = "PostFinalCommitSnapshots", .signature = "s", .handler = on_post_final_commit },
        { .name = "AbortSnapshots", .signature = "s", .handler = on_abort },
        { .name = "GetSnapshotProperties", .signature = "sss", .handler = on_get_properties },
        { .name = "DeleteSnapshot", .signature = "sssb", .handler = on_delete },
};

/* Who vetoes says why in the log; of a call with the writers frozen, behind the next that is not:
 * AbortSnapshots. */
static void say_veto(const struct method *method, const struct vss_error *error) {
        static char unsaid[1024];
        char line[sizeof(unsaid)] = "";

        if (error->hr == VSS_E_PROVIDER_VETO)
                (void)snprintf(line, sizeof(line), "%s: %s\n", method->name,
                               str_or_empty(error->message));
        if (method->frozen) {
                if (*line)
                        memcpy(unsaid, line, sizeof(unsaid));
                return;
        }
        fprintf(stderr, "%s%s", unsaid, line);
        unsaid[0] = '\0';
}

/* NULL: no memory. */
static DBusMessage *answer(DBusMessage *m, const struct method *method) {
        _cleanup_(arguments_done) struct arguments a = { .n_texts = 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        DBusMessage *reply;
        int r;

        if (!dbus_message_has_signature(m, method->signature))
                return dbus_message_new_error(m, DBUS_ERROR_INVALID_ARGS, method->signature);
        reply = dbus_message_new_method_return(m);
        if (!reply)
                return NULL;
        r = arguments_read(&a, m, &error);
        if (r >= 0)
                r = method->handler(&a, reply, &error);
        say_veto(method, &error);
        if (r >= 0)
                return reply;
        dbus_message_unref(reply);
        if (error.hr == S_OK)
                (void)vss_error_from_errno(&error, r, method->name);
        return wire_error_reply(m, &error);
}

static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *m,
                                    void *userdata _unused_) {
        DBusMessage *reply = NULL;
        bool known = false;

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                if (dbus_message_is_method_call(m, INTERFACE, methods[i].name)) {
                        known = true;
                        reply = answer(m, &methods[i]);
                }
        if (!known)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        if (!reply || !dbus_connection_send(connection, reply, NULL)) {
                if (reply)
                        dbus_message_unref(reply);
                return DBUS_HANDLER_RESULT_NEED_MEMORY;
        }
        dbus_message_unref(reply);
        return DBUS_HANDLER_RESULT_HANDLED;
}

int btrfs_service_run(DBusConnection *connection, struct vss_error *reterr) {
        static const DBusObjectPathVTable object = { .message_function = on_message };
        DBusError error = DBUS_ERROR_INIT;
        int r = 0;

        if (!dbus_connection_register_object_path(connection, BTRFS_BUS_PATH, &object, NULL))
                return vss_error_from_errno(reterr, -ENOMEM, "serve");
        if (dbus_bus_request_name(connection, BTRFS_BUS_NAME, DBUS_NAME_FLAG_DO_NOT_QUEUE,
                                  &error) != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
                r = vss_error_set(reterr, VSS_E_UNEXPECTED, EEXIST, "cannot take the name %s: %s",
                                  BTRFS_BUS_NAME, error.message ? error.message : "it is taken");
        dbus_error_free(&error);
        /* Its calls may wait for a disk; there is nobody else who would have to be answered. */
        while (r >= 0 && dbus_connection_read_write_dispatch(connection, -1))
                ;
        btrfs_set_drop();
        return r;
}
