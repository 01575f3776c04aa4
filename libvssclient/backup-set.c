/* IVssBackupComponents and its one set: from StartSnapshotSet to BackupComplete or AbortBackup. */

#include "common/vss-id.h"
#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

HRESULT IVssBackupComponents_StartSnapshotSet(IVssBackupComponents *backup,
                                              VSS_ID *pSnapshotSetId) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        const char *text;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!pSnapshotSetId)
                return last_error_argument(__func__, "pSnapshotSetId is NULL");
        *pSnapshotSetId = GUID_NULL;
        if (session_call(backup, "StartSnapshotSet", CALL_TIMEOUT_MSEC, &reply, &error,
                         DBUS_TYPE_INVALID) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID) < 0 ||
            reply_id(pSnapshotSetId, text, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

/* On the wire the service's choice is the empty string. */
static const char *provider_text(VSS_ID id, char buf[static VSS_ID_TEXT_MAX]) {
        return vss_id_is_null(id) ? "" : vss_id_format(id, buf);
}

HRESULT IVssBackupComponents_AddToSnapshotSet(IVssBackupComponents *backup, LPCWSTR pwszVolumeName,
                                              VSS_ID ProviderId, VSS_ID *pidSnapshot) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        char buf[VSS_ID_TEXT_MAX];
        const char *provider = provider_text(ProviderId, buf), *text;
        struct vss_error error = { 0 };

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!pidSnapshot)
                return last_error_argument(__func__, "pidSnapshot is NULL");
        *pidSnapshot = GUID_NULL;
        if (check_string(pwszVolumeName, "The volume's name", &error) < 0 ||
            session_call(backup, "AddToSnapshotSet", CALL_TIMEOUT_STORAGE_MSEC, &reply, &error,
                         DBUS_TYPE_STRING, &pwszVolumeName, DBUS_TYPE_STRING, &provider,
                         DBUS_TYPE_INVALID) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID) < 0 ||
            reply_id(pidSnapshot, text, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssBackupComponents_IsVolumeSupported(IVssBackupComponents *backup, VSS_ID ProviderId,
                                               LPCWSTR pwszVolumeName,
                                               BOOL *pbSupportedByThisProvider) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        char buf[VSS_ID_TEXT_MAX];
        const char *provider = provider_text(ProviderId, buf);
        struct vss_error error = { 0 };
        dbus_bool_t supported;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!pbSupportedByThisProvider)
                return last_error_argument(__func__, "pbSupportedByThisProvider is NULL");
        *pbSupportedByThisProvider = FALSE;
        if (check_string(pwszVolumeName, "The volume's name", &error) < 0 ||
            session_call(backup, "IsVolumeSupported", CALL_TIMEOUT_STORAGE_MSEC, &reply, &error,
                         DBUS_TYPE_STRING, &provider, DBUS_TYPE_STRING, &pwszVolumeName,
                         DBUS_TYPE_INVALID) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_BOOLEAN, &supported, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        *pbSupportedByThisProvider = supported ? TRUE : FALSE;
        return S_OK;
}

HRESULT IVssBackupComponents_PrepareForBackup(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_async(backup, "PrepareForBackup", ppAsync);
}

HRESULT IVssBackupComponents_DoSnapshotSet(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_async(backup, "DoSnapshotSet", ppAsync);
}

HRESULT IVssBackupComponents_BackupComplete(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_async(backup, "BackupComplete", ppAsync);
}

HRESULT IVssBackupComponents_AbortBackup(IVssBackupComponents *backup) {
        return session_plain(backup, "AbortBackup", CALL_TIMEOUT_SLOW_MSEC);
}
