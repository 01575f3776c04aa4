/* The life of an IVssBackupComponents and the calls that its methods are made of. */

#include "libvssclient/backup-components.h"
#include "common/wire.h"
#include "libvssclient/async.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"

static IVssBackupComponents *backup_free(IVssBackupComponents *backup) {
        if (!backup)
                return NULL;
        connection_unref(backup->connection);
        generation_unref(backup->generation);
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
        if (generation_new(&backup->generation) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
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
        (void)session_call(backup, __func__, "Release", CALL_TIMEOUT_MSEC, NULL, 0, NULL, NULL);
        connection_close(backup->connection);
        backup_free(backup);
        return 0;
}

static int check_arguments(const IVssBackupComponents *backup, const struct argument *arguments,
                           size_t n, struct vss_error *reterr) {
        int r;

        r = arguments_reset(arguments, n, reterr);
        if (r < 0)
                return r;
        if (!backup)
                return vss_error_set(reterr, E_INVALIDARG, 0, "the IVssBackupComponents is NULL");
        return 0;
}

static int compose(const IVssBackupComponents *backup, const char *function, const char *method,
                   const struct argument *arguments, size_t n, DBusMessage **ret,
                   struct vss_error *reterr) {
        int r;

        r = check_arguments(backup, arguments, n, reterr);
        if (r >= 0)
                r = arguments_call(arguments, n, backup->path, VSS_SESSION_INTERFACE, method, ret,
                                   reterr);
        return r < 0 ? vss_error_prefix(reterr, "%s", function) : 0;
}

int session_call(IVssBackupComponents *backup, const char *function, const char *method,
                 int timeout_msec, const struct argument *arguments, size_t n, DBusMessage **ret,
                 struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL, *reply = NULL;
        int r;

        r = compose(backup, function, method, arguments, n, &call, reterr);
        if (r >= 0)
                r = connection_call(backup->connection, call, timeout_msec, &reply, reterr);
        if (r >= 0)
                return arguments_read(arguments, n, backup->connection, reply, reterr);
        if (ret)
                *ret = TAKE_PTR(reply);
        return r;
}

HRESULT session_method(IVssBackupComponents *backup, const char *function, const char *method,
                       int timeout_msec, const struct argument *arguments, size_t n) {
        struct vss_error error = { 0 };

        if (session_call(backup, function, method, timeout_msec, arguments, n, NULL, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT session_change(IVssBackupComponents *backup, const char *function, const char *method,
                       IVssAsync **ppAsync) {
        const struct argument arguments[] = { OUT_ASYNC(ppAsync) };
        HRESULT hr;

        hr = session_method(backup, function, method, CALL_TIMEOUT_STORAGE_MSEC, arguments,
                            ARRAY_SIZE(arguments));
        if (SUCCEEDED(hr))
                async_advances(*ppAsync, backup->generation);
        return hr;
}
