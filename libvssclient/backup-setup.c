/* IVssBackupComponents before anything happens: mode, context, backup state, which writers. */

#include "common/wire.h"
#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

HRESULT IVssBackupComponents_InitializeForBackup(IVssBackupComponents *backup, LPCWSTR bstrXML) {
        const char *xml = str_or_empty(bstrXML);
        struct vss_error error = { 0 };

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!wire_is_utf8(xml) || strlen(xml) > WIRE_DOCUMENT_MAX)
                (void)vss_error_set(&error, VSS_E_INVALID_XML_DOCUMENT, 0,
                                    "The document is not UTF-8 text of at most %u bytes",
                                    WIRE_DOCUMENT_MAX);
        else
                (void)session_call(backup, "InitializeForBackup", CALL_TIMEOUT_MSEC, NULL, &error,
                                   DBUS_TYPE_STRING, &xml, DBUS_TYPE_INVALID);
        return error.hr == S_OK ? S_OK : last_error_raise(&error);
}

HRESULT IVssBackupComponents_SetContext(IVssBackupComponents *backup, LONG lContext) {
        struct vss_error error = { 0 };
        dbus_int32_t context = lContext;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (session_call(backup, "SetContext", CALL_TIMEOUT_MSEC, NULL, &error, DBUS_TYPE_INT32,
                         &context, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssBackupComponents_SetBackupState(IVssBackupComponents *backup, bool bSelectComponents,
                                            bool bBackupBootableSystemState,
                                            VSS_BACKUP_TYPE backupType, bool bPartialFileSupport) {
        dbus_bool_t components = bSelectComponents, bootable = bBackupBootableSystemState;
        dbus_bool_t partial = bPartialFileSupport;
        dbus_uint32_t type = (dbus_uint32_t)backupType;
        struct vss_error error = { 0 };

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (session_call(backup, "SetBackupState", CALL_TIMEOUT_MSEC, NULL, &error,
                         DBUS_TYPE_BOOLEAN, &components, DBUS_TYPE_BOOLEAN, &bootable,
                         DBUS_TYPE_UINT32, &type, DBUS_TYPE_BOOLEAN, &partial,
                         DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return S_OK;
}

static HRESULT send_ids(IVssBackupComponents *backup, const char *method, const VSS_ID *ids,
                        UINT n) {
        struct vss_error error = { 0 };
        DBusMessageIter iter;
        DBusMessage *call;

        if (!backup)
                return last_error_argument(method, "the IVssBackupComponents is NULL");
        if (!ids && n > 0)
                return last_error_argument(method, "the array of ids is NULL");
        if (n > WIRE_STRV_MAX)
                return last_error_argument(method, "more than 1024 ids; call it several times");
        if (call_new(&call, backup->path, VSS_SESSION_INTERFACE, method, &error,
                     DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        dbus_message_iter_init_append(call, &iter);
        if (wire_append_ids(&iter, ids, n) < 0) {
                dbus_message_unref(call);
                (void)vss_error_from_errno(&error, -ENOMEM, method);
                return last_error_raise(&error);
        }
        if (session_send(backup, call, CALL_TIMEOUT_MSEC, NULL, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssBackupComponents_EnableWriterClasses(IVssBackupComponents *backup,
                                                 const VSS_ID *rgWriterClassId, UINT cClassId) {
        return send_ids(backup, "EnableWriterClasses", rgWriterClassId, cClassId);
}

HRESULT IVssBackupComponents_DisableWriterClasses(IVssBackupComponents *backup,
                                                  const VSS_ID *rgWriterClassId, UINT cClassId) {
        return send_ids(backup, "DisableWriterClasses", rgWriterClassId, cClassId);
}

HRESULT IVssBackupComponents_DisableWriterInstances(IVssBackupComponents *backup,
                                                    const VSS_ID *rgWriterInstanceId,
                                                    UINT cInstanceId) {
        return send_ids(backup, "DisableWriterInstances", rgWriterInstanceId, cInstanceId);
}

HRESULT IVssBackupComponentsEx3_GetSessionId(IVssBackupComponents *backup, VSS_ID *idSession) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        const char *text;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!idSession)
                return last_error_argument(__func__, "idSession is NULL");
        *idSession = GUID_NULL;
        if (session_call(backup, "GetSessionId", CALL_TIMEOUT_MSEC, &reply, &error,
                         DBUS_TYPE_INVALID) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID) < 0 ||
            reply_id(idSession, text, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}
