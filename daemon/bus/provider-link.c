/* See provider-link.h.
 *
 * A link is to one process, by its unique name: another that takes the well-known name later is not
 * called in the middle of a set, and the bus itself answers for a process that went. Only root's
 * processes (on a private bus, also the daemon's own user's) are talked to: what a provider says is
 * mounted for everybody who may read copies. */

#include "daemon/bus/provider-link.h"

#include "common/time-util.h"
#include "common/wire-error.h"
#include "common/wire.h"
#include "daemon/bus/bus-address.h"
#include "daemon/bus/bus-table.h"

#include <limits.h>

/* Longer answers make libdbus hang up. */
#define MESSAGE_BYTES_MAX (256L * 1024)

struct peer {
        DBusConnection *connection;
        char *name; /* unique */
        char *path;
};

static const char *address;

void provider_link_init(const char *bus_address) {
        address = bus_address;
}

struct volume_text {
        char *name, *mount_point, *device, *file_system;
        uint64_t size, number;
        bool read_only;
};

static const struct wire_field volume_fields[] = {
        WIRE_FIELD(struct volume_text, name, "Name", WIRE_TEXT),
        WIRE_FIELD(struct volume_text, mount_point, "MountPoint", WIRE_TEXT),
        WIRE_FIELD(struct volume_text, device, "Device", WIRE_TEXT),
        WIRE_FIELD(struct volume_text, file_system, "FileSystem", WIRE_TEXT),
        WIRE_FIELD(struct volume_text, size, "Size", WIRE_UINT64),
        WIRE_FIELD(struct volume_text, number, "DeviceNumber", WIRE_UINT64),
        WIRE_FIELD(struct volume_text, read_only, "ReadOnly", WIRE_BOOL),
};
static const struct wire_table volume_table = WIRE_TABLE(volume_fields);

static const struct wire_field property_fields[] = {
        WIRE_FIELD(struct foreign_reply, device, "Device", WIRE_TEXT),
        WIRE_OPTIONAL(struct foreign_reply, data, "Data", WIRE_TEXT),
        WIRE_OPTIONAL(struct foreign_reply, attributes, "Attributes", WIRE_UINT32),
};
static const struct wire_table property_table = WIRE_TABLE(property_fields);

static void put_volume(struct bus_out *o, const struct foreign_args *args) {
        const struct volume *v = args->volume;
        const struct volume_text text = {
                .name = v->name,
                .mount_point = v->mount_point,
                .device = v->device,
                .file_system = v->fs_type,
                .size = v->size,
                .number = v->devno,
                .read_only = v->read_only,
        };

        bus_out_dict(o, &volume_table, &text);
}

static void put_set_id(struct bus_out *o, const struct foreign_args *args) {
        bus_out_id(o, args->set_id);
}

static void put_snapshot_id(struct bus_out *o, const struct foreign_args *args) {
        bus_out_id(o, args->snapshot_id);
}

static void put_volume_name(struct bus_out *o, const struct foreign_args *args) {
        bus_out_string(o, args->volume_name);
}

static void put_data(struct bus_out *o, const struct foreign_args *args) {
        bus_out_string(o, args->data);
}

static void put_context(struct bus_out *o, const struct foreign_args *args) {
        bus_out_int32(o, args->context);
}

static void put_count(struct bus_out *o, const struct foreign_args *args) {
        bus_out_int32(o, args->count);
}

static void put_force(struct bus_out *o, const struct foreign_args *args) {
        bus_out_boolean(o, args->force);
}

/* By the names that the interface's rows have. */
static const struct {
        const char *name;
        void (*put)(struct bus_out *o, const struct foreign_args *args);
} arguments[] = {
        { "volume", put_volume },   { "set_id", put_set_id },
        { "data", put_data },       { "snapshot_id", put_snapshot_id },
        { "context", put_context }, { "volume_name", put_volume_name },
        { "count", put_count },     { "force", put_force },
};

static void put_argument(struct bus_out *o, const char *row, const struct foreign_args *args) {
        for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
                if (streq(bus_arg_name(row), arguments[i].name)) {
                        arguments[i].put(o, args);
                        return;
                }
        assert(false);
}

static struct peer *peer_free(struct peer *p) {
        if (!p)
                return NULL;
        if (p->connection) {
                dbus_connection_close(p->connection);
                dbus_connection_unref(p->connection);
        }
        free(p->name);
        free(p->path);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(struct peer, peer_free);

static const struct bus_method *row_of(enum foreign_method m) {
        return bus_interface_find_method(&bus_interface_snapshot_provider,
                                         foreign_method_to_string(m));
}

static DBusMessage *call_new(const struct peer *p, const struct bus_method *row,
                             const struct foreign_args *args) {
        DBusMessage *m = dbus_message_new_method_call(
                p->name, p->path, bus_interface_snapshot_provider.name, row->name);
        struct bus_out out;

        if (!m)
                return NULL;
        bus_out_init(&out, m);
        for (const char *const *in = row->in; *in; in++)
                put_argument(&out, *in, args);
        if (out.failed) {
                dbus_message_unref(m);
                return NULL;
        }
        return m;
}

static int to_milliseconds(uint64_t usec) {
        const uint64_t msec = (usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC;

        return msec > INT_MAX / 2 ? INT_MAX / 2 : (int)msec;
}

/* What was answered with an error. end_usec: when its time was over. */
static int read_error(const DBusError *e, uint64_t end_usec, struct vss_error *reterr) {
        static const char *const nobody[] = {
                DBUS_ERROR_NO_REPLY,
                DBUS_ERROR_SERVICE_UNKNOWN,
                DBUS_ERROR_NAME_HAS_NO_OWNER,
                DBUS_ERROR_DISCONNECTED,
        };

        /* What it says itself is no silence, whichever code it chooses. */
        if (vss_hresult_find_bus_name(e->name))
                return wire_error_from_dbus(e, reterr) == -ENOMEM ? -ENOMEM : -EREMOTEIO;
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%s (%s)", e->message, e->name);
        if (streq(e->name, DBUS_ERROR_NO_MEMORY))
                return -ENOMEM;
        if (streq(e->name, DBUS_ERROR_TIMEOUT) || streq(e->name, DBUS_ERROR_TIMED_OUT) ||
            (streq(e->name, DBUS_ERROR_NO_REPLY) && now_monotonic_usec() >= end_usec))
                return -ETIMEDOUT;
        for (size_t i = 0; i < ARRAY_SIZE(nobody); i++)
                if (streq(nobody[i], e->name))
                        return -EPIPE;
        return -EBADMSG;
}

/* Takes m over. *ret: the answer, which is no error. */
static int ask(DBusConnection *connection, DBusMessage *m, uint64_t end_usec, DBusMessage **ret,
               struct vss_error *reterr) {
        const uint64_t now_usec = now_monotonic_usec();
        DBusError error = DBUS_ERROR_INIT;
        int r;

        if (!m)
                return -ENOMEM;
        *ret = dbus_connection_send_with_reply_and_block(
                connection, m, end_usec > now_usec ? to_milliseconds(end_usec - now_usec) : 0,
                &error);
        dbus_message_unref(m);
        if (*ret)
                return 0;
        r = read_error(&error, end_usec, reterr);
        dbus_error_free(&error);
        return r;
}

static int not_an_answer(const char *method, struct vss_error *reterr) {
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG, "its answer to %s is none", method);
        return -EBADMSG;
}

static int ask_bus(struct peer *p, const char *method, const char *name, uint64_t end_usec,
                   DBusMessage **ret, struct vss_error *reterr) {
        DBusMessage *m = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                      DBUS_INTERFACE_DBUS, method);
        const dbus_uint32_t flags = 0;

        if (m && (!dbus_message_append_args(m, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID) ||
                  (streq(method, "StartServiceByName") &&
                   !dbus_message_append_args(m, DBUS_TYPE_UINT32, &flags, DBUS_TYPE_INVALID)))) {
                dbus_message_unref(m);
                m = NULL;
        }
        return ask(p->connection, m, end_usec, ret, reterr);
}

static int get_owner(struct peer *p, const char *name, uint64_t end_usec,
                     struct vss_error *reterr) {
        DBusMessage *reply = NULL;
        const char *owner = NULL;
        int r;

        r = ask_bus(p, "GetNameOwner", name, end_usec, &reply, reterr);
        if (r < 0)
                return r;
        if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID))
                r = not_an_answer("GetNameOwner", reterr);
        else
                r = str_replace(&p->name, owner);
        dbus_message_unref(reply);
        return r;
}

static int find_owner(struct peer *p, const char *name, uint64_t end_usec,
                      struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        DBusMessage *reply = NULL;
        int r;

        r = get_owner(p, name, end_usec, &error);
        if (r != -EPIPE) {
                vss_error_move(reterr, &error);
                return r;
        }
        r = ask_bus(p, "StartServiceByName", name, end_usec, &reply, reterr);
        if (r < 0)
                return r;
        dbus_message_unref(reply);
        return get_owner(p, name, end_usec, reterr);
}

static int check_owner(struct peer *p, uint64_t end_usec, struct vss_error *reterr) {
        DBusMessage *reply = NULL;
        dbus_uint32_t uid = 0;
        int r;

        r = ask_bus(p, "GetConnectionUnixUser", p->name, end_usec, &reply, reterr);
        if (r < 0)
                return r;
        if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID))
                r = not_an_answer("GetConnectionUnixUser", reterr);
        dbus_message_unref(reply);
        if (r < 0 || uid == 0 || uid == geteuid())
                return r;
        (void)vss_error_set(reterr, E_ACCESSDENIED, EACCES,
                            "its process is that of the user with uid %lu, and not root's",
                            (unsigned long)uid);
        return -EPIPE;
}

static int connect_bus(struct peer *p, struct vss_error *reterr) {
        DBusError error = DBUS_ERROR_INIT;
        int r = 0;

        p->connection = dbus_connection_open_private(bus_address(address), &error);
        if (p->connection) {
                dbus_connection_set_exit_on_disconnect(p->connection, FALSE);
                dbus_connection_set_max_message_size(p->connection, MESSAGE_BYTES_MAX);
        }
        if (!p->connection || !dbus_bus_register(p->connection, &error)) {
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED, ENOTCONN,
                                    "no connection to the bus: %s", error.message);
                r = -EPIPE;
        }
        dbus_error_free(&error);
        return r;
}

static int link_open(void **ret, const char *bus_name, const char *path, uint64_t timeout_usec,
                     struct vss_error *reterr) {
        const uint64_t end_usec = now_monotonic_usec() + timeout_usec; /* of all there is to ask */
        _cleanup_(peer_freep) struct peer *p = calloc(1, sizeof(*p));
        int r;

        if (!p || str_replace(&p->path, path) < 0)
                return -ENOMEM;
        r = connect_bus(p, reterr);
        if (r >= 0)
                r = find_owner(p, bus_name, end_usec, reterr);
        if (r >= 0)
                r = check_owner(p, end_usec, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

/* Strings of no more than is wanted, and whatever they are: who uses them looks at them. */
static int read_answer(DBusMessage *reply, const struct bus_method *row, struct foreign_reply *ret,
                       struct vss_error *reterr) {
        char signature[BUS_SIGNATURE_MAX];
        DBusMessageIter iter;
        dbus_bool_t flag = FALSE;
        const char *text = NULL;

        if (!dbus_message_has_signature(reply, bus_args_signature(row->out, signature)))
                return not_an_answer(row->name, reterr);
        if (!dbus_message_iter_init(reply, &iter))
                return 0; /* a method that answers nothing */
        if (dbus_message_iter_get_arg_type(&iter) == DBUS_TYPE_ARRAY) {
                if (wire_read_dict(&iter, &property_table, WIRE_UNKNOWN_IGNORED, row->name, ret,
                                   NULL, reterr) < 0)
                        return reterr->hr == E_OUTOFMEMORY ? -ENOMEM : -EBADMSG;
                return 0;
        }
        dbus_message_iter_get_basic(&iter, &flag);
        (void)dbus_message_iter_next(&iter); /* the signature was right */
        dbus_message_iter_get_basic(&iter, &text);
        ret->supported = flag;
        ret->reason = strndup(text, WIRE_STRING_MAX / 64);
        return ret->reason ? 0 : -ENOMEM;
}

static int link_call(void *peer, enum foreign_method m, const struct foreign_args *args,
                     uint64_t timeout_usec, struct foreign_reply *ret, struct vss_error *reterr) {
        const struct bus_method *row = row_of(m);
        struct peer *p = peer;
        DBusMessage *reply = NULL;
        int r;

        r = ask(p->connection, call_new(p, row, args), now_monotonic_usec() + timeout_usec, &reply,
                reterr);
        if (r < 0)
                return r;
        r = dbus_message_has_sender(reply, p->name) ? read_answer(reply, row, ret, reterr)
                                                    : not_an_answer(row->name, reterr);
        dbus_message_unref(reply);
        return r;
}

static void link_close(void *peer) {
        peer_free(peer);
}

const struct foreign_transport provider_link_transport = {
        .open = link_open,
        .call = link_call,
        .close = link_close,
};
