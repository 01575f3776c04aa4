/* IVssBackupComponents and the copies that exist: properties, Query, deletion. */

#include "common/vss-id.h"
#include "common/wire-rows.h"
#include "libvssclient/backup-components.h"
#include "libvssclient/enum-object.h"
#include "libvssclient/last-error.h"

HRESULT IVssBackupComponents_GetSnapshotProperties(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                                   VSS_SNAPSHOT_PROP *pProp) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        char buf[VSS_ID_TEXT_MAX];
        const char *id = vss_id_format(SnapshotId, buf);
        struct vss_error error = { 0 };
        DBusMessageIter iter;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!pProp)
                return last_error_argument(__func__, "pProp is NULL");
        *pProp = (VSS_SNAPSHOT_PROP){ 0 };
        if (session_call(backup, "GetSnapshotProperties", CALL_TIMEOUT_STORAGE_MSEC, &reply, &error,
                         DBUS_TYPE_STRING, &id, DBUS_TYPE_INVALID) < 0 ||
            reply_iter(reply, &iter, &error) < 0)
                return last_error_raise(&error);
        if (wire_read_dict(&iter, &wire_snapshot_prop_table, WIRE_UNKNOWN_IGNORED,
                           "GetSnapshotProperties", pProp, NULL, &error) < 0) {
                (void)reply_refuse(&error);
                return last_error_raise(&error);
        }
        return S_OK;
}

void VssFreeSnapshotProperties(VSS_SNAPSHOT_PROP *pProp) {
        if (!pProp)
                return;
        freep(&pProp->m_pwszSnapshotDeviceObject);
        freep(&pProp->m_pwszOriginalVolumeName);
        freep(&pProp->m_pwszOriginatingMachine);
        freep(&pProp->m_pwszServiceMachine);
        freep(&pProp->m_pwszExposedName);
        freep(&pProp->m_pwszExposedPath);
}

void VssFreeSnapshotPropertiesInternal(VSS_SNAPSHOT_PROP *pProp) {
        VssFreeSnapshotProperties(pProp);
}

HRESULT IVssBackupComponents_Query(IVssBackupComponents *backup, VSS_ID QueriedObjectId,
                                   VSS_OBJECT_TYPE eQueriedObjectType,
                                   VSS_OBJECT_TYPE eReturnedObjectsType, IVssEnumObject **ppEnum) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        dbus_uint32_t queried = (dbus_uint32_t)eQueriedObjectType;
        dbus_uint32_t returned = (dbus_uint32_t)eReturnedObjectsType;
        char buf[VSS_ID_TEXT_MAX];
        const char *id = vss_id_format(QueriedObjectId, buf);
        struct vss_error error = { 0 };
        DBusMessageIter iter;
        size_t n;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!ppEnum)
                return last_error_argument(__func__, "ppEnum is NULL");
        *ppEnum = NULL;
        if (eReturnedObjectsType != VSS_OBJECT_SNAPSHOT &&
            eReturnedObjectsType != VSS_OBJECT_PROVIDER)
                return last_error_argument(__func__,
                                           "only VSS_OBJECT_SNAPSHOT and VSS_OBJECT_PROVIDER can "
                                           "be returned");
        if (session_call(backup, "Query", CALL_TIMEOUT_STORAGE_MSEC, &reply, &error,
                         DBUS_TYPE_STRING, &id, DBUS_TYPE_UINT32, &queried, DBUS_TYPE_UINT32,
                         &returned, DBUS_TYPE_INVALID) < 0 ||
            reply_iter(reply, &iter, &error) < 0 ||
            enum_object_read(ppEnum, &iter, eReturnedObjectsType, &n, &error) < 0)
                return last_error_raise(&error);
        return n > 0 ? S_OK : S_FALSE;
}

/* The error reply's second and third argument, if it has them. */
static void read_partial_deletion(DBusMessage *reply, LONG *deleted, VSS_ID *not_deleted) {
        const char *message, *text;
        dbus_int32_t count;

        if (dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &message, DBUS_TYPE_INT32, &count,
                                  DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID)) {
                *deleted = count;
                if (vss_id_parse(not_deleted, text) < 0)
                        *not_deleted = GUID_NULL;
        }
}

HRESULT IVssBackupComponents_DeleteSnapshots(IVssBackupComponents *backup, VSS_ID SourceObjectId,
                                             VSS_OBJECT_TYPE eSourceObjectType, BOOL bForceDelete,
                                             LONG *plDeletedSnapshots,
                                             VSS_ID *pNondeletedSnapshotID) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        dbus_uint32_t type = (dbus_uint32_t)eSourceObjectType;
        dbus_bool_t force = bForceDelete != FALSE;
        char buf[VSS_ID_TEXT_MAX];
        const char *id = vss_id_format(SourceObjectId, buf), *text;
        struct vss_error error = { 0 };
        dbus_int32_t deleted;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!plDeletedSnapshots || !pNondeletedSnapshotID)
                return last_error_argument(__func__, "an output pointer is NULL");
        *plDeletedSnapshots = 0;
        *pNondeletedSnapshotID = GUID_NULL;
        if (session_call(backup, "DeleteSnapshots", CALL_TIMEOUT_SLOW_MSEC, &reply, &error,
                         DBUS_TYPE_STRING, &id, DBUS_TYPE_UINT32, &type, DBUS_TYPE_BOOLEAN, &force,
                         DBUS_TYPE_INVALID) < 0) {
                if (reply)
                        read_partial_deletion(reply, plDeletedSnapshots, pNondeletedSnapshotID);
                return last_error_raise(&error);
        }
        if (reply_get(reply, &error, DBUS_TYPE_INT32, &deleted, DBUS_TYPE_STRING, &text,
                      DBUS_TYPE_INVALID) < 0 ||
            reply_id(pNondeletedSnapshotID, text, &error) < 0)
                return last_error_raise(&error);
        *plDeletedSnapshots = deleted;
        return S_OK;
}
