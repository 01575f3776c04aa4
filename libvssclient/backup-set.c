/* IVssBackupComponents and its one set: from StartSnapshotSet to BackupComplete or AbortBackup. */

#include "libvssclient/backup-components.h"

HRESULT IVssBackupComponents_StartSnapshotSet(IVssBackupComponents *backup,
                                              VSS_ID *pSnapshotSetId) {
        return SESSION_CALL(backup, "StartSnapshotSet", OUT_ID(pSnapshotSetId));
}

HRESULT IVssBackupComponents_AddToSnapshotSet(IVssBackupComponents *backup, LPCWSTR pwszVolumeName,
                                              VSS_ID ProviderId, VSS_ID *pidSnapshot) {
        return SESSION_CALL_STORAGE(backup, "AddToSnapshotSet", IN_TEXT(pwszVolumeName),
                                    IN_ANY_ID(ProviderId), OUT_ID(pidSnapshot));
}

HRESULT IVssBackupComponents_IsVolumeSupported(IVssBackupComponents *backup, VSS_ID ProviderId,
                                               LPCWSTR pwszVolumeName,
                                               BOOL *pbSupportedByThisProvider) {
        return SESSION_CALL_STORAGE(backup, "IsVolumeSupported", IN_ANY_ID(ProviderId),
                                    IN_TEXT(pwszVolumeName), OUT_BOOL(pbSupportedByThisProvider));
}

HRESULT IVssBackupComponents_PrepareForBackup(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_change(backup, __func__, "PrepareForBackup", ppAsync);
}

HRESULT IVssBackupComponents_DoSnapshotSet(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_change(backup, __func__, "DoSnapshotSet", ppAsync);
}

HRESULT IVssBackupComponents_BackupComplete(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_change(backup, __func__, "BackupComplete", ppAsync);
}

HRESULT IVssBackupComponents_AbortBackup(IVssBackupComponents *backup) {
        return SESSION_CALL_PLAIN(backup, CALL_TIMEOUT_SLOW_MSEC, "AbortBackup");
}
