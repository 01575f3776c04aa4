/* IVssBackupComponents and the copies that exist: properties, Query, deletion, and what else
 * becomes of them. */

#include "common/vss-id.h"
#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

HRESULT IVssBackupComponents_GetSnapshotProperties(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                                   VSS_SNAPSHOT_PROP *pProp) {
        return SESSION_CALL_STORAGE(backup, "GetSnapshotProperties", IN_ID(SnapshotId),
                                    OUT_PROPERTIES(pProp));
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
        size_t n = 0;
        HRESULT hr;

        if (ppEnum)
                *ppEnum = NULL;
        if (eReturnedObjectsType != VSS_OBJECT_SNAPSHOT &&
            eReturnedObjectsType != VSS_OBJECT_PROVIDER)
                return last_error_argument(__func__,
                                           "only VSS_OBJECT_SNAPSHOT and VSS_OBJECT_PROVIDER can "
                                           "be returned");
        hr = SESSION_CALL_STORAGE(backup, "Query", IN_ID(QueriedObjectId),
                                  IN_NUMBER(eQueriedObjectType), IN_NUMBER(eReturnedObjectsType),
                                  OUT_OBJECTS(ppEnum, eReturnedObjectsType, &n));
        return SUCCEEDED(hr) && n == 0 ? S_FALSE : hr;
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
        const struct argument arguments[] = {
                IN_ID(SourceObjectId),          IN_NUMBER(eSourceObjectType),
                IN_FLAG(bForceDelete != FALSE), OUT_SIGNED(plDeletedSnapshots),
                OUT_ID(pNondeletedSnapshotID),
        };
        struct vss_error error = { 0 };

        if (session_call(backup, __func__, "DeleteSnapshots", CALL_TIMEOUT_SLOW_MSEC, arguments,
                         ARRAY_SIZE(arguments), &reply, &error) < 0) {
                if (reply)
                        read_partial_deletion(reply, plDeletedSnapshots, pNondeletedSnapshotID);
                return last_error_raise(&error);
        }
        return S_OK;
}

HRESULT IVssBackupComponents_ImportSnapshots(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "ImportSnapshots", OUT_ASYNC(ppAsync));
}

HRESULT IVssBackupComponents_BreakSnapshotSet(IVssBackupComponents *backup, VSS_ID SnapshotSetId) {
        return SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_SLOW_MSEC, "BreakSnapshotSet",
                                   IN_ID(SnapshotSetId));
}

HRESULT IVssBackupComponentsEx2_BreakSnapshotSetEx(IVssBackupComponents *backup,
                                                   VSS_ID SnapshotSetID, DWORD dwBreakFlags,
                                                   IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "BreakSnapshotSetEx", IN_ID(SnapshotSetID),
                                    IN_NUMBER(dwBreakFlags), OUT_ASYNC(ppAsync));
}

HRESULT IVssBackupComponents_ExposeSnapshot(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                            LPCWSTR wszPathFromRoot, LONG lAttributes,
                                            LPCWSTR wszExpose, VSS_PWSZ *pwszExposed) {
        return SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_SLOW_MSEC, "ExposeSnapshot",
                                   IN_ID(SnapshotId), IN_OPTIONAL(wszPathFromRoot),
                                   IN_SIGNED(lAttributes), IN_OPTIONAL(wszExpose),
                                   OUT_TEXT(pwszExposed));
}

HRESULT IVssBackupComponentsEx2_UnexposeSnapshot(IVssBackupComponents *backup, VSS_ID snapshotId) {
        return SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_SLOW_MSEC, "UnexposeSnapshot",
                                   IN_ID(snapshotId));
}

HRESULT IVssBackupComponents_RevertToSnapshot(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                              BOOL bForceDismount) {
        return SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_SLOW_MSEC, "RevertToSnapshot",
                                   IN_ID(SnapshotId), IN_FLAG(bForceDismount != FALSE));
}

HRESULT IVssBackupComponents_QueryRevertStatus(IVssBackupComponents *backup, LPCWSTR pwszVolume,
                                               IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "QueryRevertStatus", IN_TEXT(pwszVolume),
                                    { .type = RESULT_ASYNC,
                                      .name = "ppAsync",
                                      .if_null = E_POINTER,
                                      .to_async = ppAsync });
}

HRESULT IVssBackupComponentsEx2_PreFastRecovery(IVssBackupComponents *backup, VSS_ID SnapshotSetID,
                                                DWORD dwPreFastRecoveryFlags, IVssAsync **ppAsync) {
        return SESSION_CALL(backup, "PreFastRecovery", IN_ID(SnapshotSetID),
                            IN_NUMBER(dwPreFastRecoveryFlags), OUT_ASYNC_IF(ppAsync));
}

HRESULT IVssBackupComponentsEx2_FastRecovery(IVssBackupComponents *backup, VSS_ID SnapshotSetID,
                                             DWORD dwFastRecoveryFlags, IVssAsync **ppAsync) {
        return SESSION_CALL(backup, "FastRecovery", IN_ID(SnapshotSetID),
                            IN_NUMBER(dwFastRecoveryFlags), OUT_ASYNC_IF(ppAsync));
}
