/* The life of an IVssBackupComponents and the calls that its methods are made of. */

#include "libvssclient/backup-components.h"
#include "common/wire.h"
#include "libvssclient/async.h"
#include "libvssclient/last-error.h"
#include <stdarg.h>

static IVssBackupComponents *backup_free(IVssBackupComponents *backup) {
        if (!backup)
                return NULL;
        connection_unref(backup->connection);
        free(backup->path);
        free(backup);
        return NULL;
}
DEFINE_CLEANUP(IVssBackupComponents, backup_free);

static int open_session(IVssBackupComponents *backup, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL, *reply = NULL;
        DBusMessageIter iter;
        const char *path;
        int r;

        static const struct wire_table no_options = { .fields = NULL, .n = 0 };

        r = call_new(&call, VSS_BUS_PATH, VSS_BUS_NAME ".Manager", "CreateBackupComponents", reterr,
                     DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        dbus_message_iter_init_append(call, &iter);
        r = wire_append_dict(&iter, &no_options, NULL);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "CreateVssBackupComponents");
        r = connection_call(backup->connection, call, CALL_TIMEOUT_STORAGE_MSEC, &reply, reterr);
        if (r < 0)
                return r;
        r = reply_get(reply, reterr, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        backup->path = strdup(path);
        if (!backup->path)
                return vss_error_from_errno(reterr, -ENOMEM, "CreateVssBackupComponents");
        return 0;
}

HRESULT CreateVssBackupComponents(IVssBackupComponents **ppBackup) {
        _cleanup_(backup_freep) IVssBackupComponents *backup = NULL;
        struct vss_error error = { 0 };

        if (!ppBackup)
                return last_error_argument(__func__, "ppBackup is NULL");
        *ppBackup = NULL;
        backup = calloc(1, sizeof(*backup));
        if (!backup) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        atomic_init(&backup->refs, 1);
        if (connection_open(&backup->connection, &error) < 0 || open_session(backup, &error) < 0)
                return last_error_raise(&error);
        *ppBackup = TAKE_PTR(backup);
        return S_OK;
}

HRESULT CreateVssBackupComponentsInternal(IVssBackupComponents **ppBackup) {
        return CreateVssBackupComponents(ppBackup);
}

ULONG IVssBackupComponents_AddRef(IVssBackupComponents *backup) {
        return backup ? atomic_fetch_add(&backup->refs, 1) + 1 : 0;
}

ULONG IVssBackupComponents_Release(IVssBackupComponents *backup) {
        unsigned left;

        if (!backup)
                return 0;
        left = atomic_fetch_sub(&backup->refs, 1) - 1;
        if (left > 0)
                return left;
        /* The answer says that the end of the session has begun. Whatever it is, the end of the
         * connection says the same to the service. */
        if (!connection_is_lost(backup->connection))
                (void)session_call(backup, "Release", CALL_TIMEOUT_MSEC, NULL, NULL,
                                   DBUS_TYPE_INVALID);
        connection_close(backup->connection);
        backup_free(backup);
        return 0;
}

int session_send(IVssBackupComponents *backup, DBusMessage *call, int timeout_msec,
                 DBusMessage **ret, struct vss_error *reterr) {
        int r;

        r = connection_call(backup->connection, call, timeout_msec, ret, reterr);
        dbus_message_unref(call);
        return r;
}

int session_call(IVssBackupComponents *backup, const char *method, int timeout_msec,
                 DBusMessage **ret, struct vss_error *reterr, int first_type, ...) {
        DBusMessage *call;
        dbus_bool_t ok;
        va_list args;
        int r;

        r = call_new(&call, backup->path, VSS_SESSION_INTERFACE, method, reterr, DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        va_start(args, first_type);
        ok = dbus_message_append_args_valist(call, first_type, args);
        va_end(args);
        if (!ok) {
                dbus_message_unref(call);
                return vss_error_from_errno(reterr, -ENOMEM, method);
        }
        return session_send(backup, call, timeout_msec, ret, reterr);
}

HRESULT session_plain(IVssBackupComponents *backup, const char *method, int timeout_msec) {
        struct vss_error error = { 0 };

        if (!backup)
                return last_error_argument(method, "the IVssBackupComponents is NULL");
        if (session_call(backup, method, timeout_msec, NULL, &error, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT session_async(IVssBackupComponents *backup, const char *method, IVssAsync **ppAsync) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        const char *path;

        if (!backup)
                return last_error_argument(method, "the IVssBackupComponents is NULL");
        if (!ppAsync)
                return last_error_argument(method, "ppAsync is NULL");
        *ppAsync = NULL;
        if (session_call(backup, method, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error,
                         DBUS_TYPE_INVALID) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID) < 0 ||
            async_new(ppAsync, backup->connection, path, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT session_count(IVssBackupComponents *backup, const char *method, UINT *ret) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        dbus_uint32_t count;

        if (!backup)
                return last_error_argument(method, "the IVssBackupComponents is NULL");
        if (!ret)
                return last_error_argument(method, "the output pointer is NULL");
        *ret = 0;
        if (session_call(backup, method, CALL_TIMEOUT_MSEC, &reply, &error, DBUS_TYPE_INVALID) <
                    0 ||
            reply_get(reply, &error, DBUS_TYPE_UINT32, &count, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        *ret = count;
        return S_OK;
}
