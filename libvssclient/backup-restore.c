/* IVssBackupComponents in a restore: what is chosen, how it goes, and the writers' two events. */

#include "libvssclient/backup-components.h"

HRESULT IVssBackupComponents_SetSelectedForRestore(IVssBackupComponents *backup, VSS_ID writerId,
                                                   VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                   LPCWSTR wszComponentName,
                                                   bool bSelectedForRestore) {
        return SESSION_CALL(backup, "SetSelectedForRestore",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_FLAG(bSelectedForRestore));
}

HRESULT IVssBackupComponentsEx_SetSelectedForRestoreEx(IVssBackupComponents *backup,
                                                       VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                       LPCWSTR wszLogicalPath,
                                                       LPCWSTR wszComponentName,
                                                       bool bSelectedForRestore,
                                                       VSS_ID instanceId) {
        return SESSION_CALL(backup, "SetSelectedForRestoreEx",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_FLAG(bSelectedForRestore), IN_ANY_ID(instanceId));
}

HRESULT IVssBackupComponents_AddRestoreSubcomponent(IVssBackupComponents *backup, VSS_ID writerId,
                                                    VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                    LPCWSTR wszComponentName,
                                                    LPCWSTR wszSubComponentLogicalPath,
                                                    LPCWSTR wszSubComponentName, bool bRepair) {
        return SESSION_CALL(backup, "AddRestoreSubcomponent",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszSubComponentLogicalPath), IN_TEXT(wszSubComponentName),
                            IN_FLAG(bRepair));
}

HRESULT IVssBackupComponents_SetRestoreOptions(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName,
                                               LPCWSTR wszRestoreOptions) {
        return SESSION_CALL(backup, "SetRestoreOptions",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszRestoreOptions));
}

HRESULT IVssBackupComponents_SetAdditionalRestores(IVssBackupComponents *backup, VSS_ID writerId,
                                                   VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                   LPCWSTR wszComponentName,
                                                   bool bAdditionalRestores) {
        return SESSION_CALL(backup, "SetAdditionalRestores",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_FLAG(bAdditionalRestores));
}

HRESULT IVssBackupComponentsEx2_SetAuthoritativeRestore(IVssBackupComponents *backup,
                                                        VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                        LPCWSTR wszLogicalPath,
                                                        LPCWSTR wszComponentName, bool bAuth) {
        return SESSION_CALL(backup, "SetAuthoritativeRestore",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_FLAG(bAuth));
}

HRESULT IVssBackupComponentsEx2_SetRollForward(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName,
                                               VSS_ROLLFORWARD_TYPE rollType,
                                               LPCWSTR wszRollForwardPoint) {
        return SESSION_CALL(backup, "SetRollForward",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_NUMBER(rollType), IN_OPTIONAL(wszRollForwardPoint));
}

HRESULT IVssBackupComponentsEx2_SetRestoreName(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName, LPCWSTR wszRestoreName) {
        return SESSION_CALL(backup, "SetRestoreName",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszRestoreName));
}

HRESULT IVssBackupComponents_AddNewTarget(IVssBackupComponents *backup, VSS_ID writerId,
                                          VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                          LPCWSTR wszComponentName, LPCWSTR wszPath,
                                          LPCWSTR wszFileName, bool bRecursive,
                                          LPCWSTR wszAlternatePath) {
        return SESSION_CALL(backup, "AddNewTarget",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszPath), IN_TEXT(wszFileName), IN_FLAG(bRecursive),
                            IN_TEXT(wszAlternatePath));
}

HRESULT IVssBackupComponents_PreRestore(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_change(backup, __func__, "PreRestore", ppAsync);
}

HRESULT IVssBackupComponents_AddAlternativeLocationMapping(
        IVssBackupComponents *backup, VSS_ID writerId, VSS_COMPONENT_TYPE ct,
        LPCWSTR wszLogicalPath, LPCWSTR wszComponentName, LPCWSTR wszPath, LPCWSTR wszFilespec,
        bool bRecursive, LPCWSTR wszDestination) {
        return SESSION_CALL(backup, "AddAlternativeLocationMapping",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszPath), IN_TEXT(wszFilespec), IN_FLAG(bRecursive),
                            IN_TEXT(wszDestination));
}

HRESULT IVssBackupComponents_SetRangesFilePath(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName, UINT iPartialFile,
                                               LPCWSTR wszRangesFile) {
        return SESSION_CALL(backup, "SetRangesFilePath",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_NUMBER(iPartialFile), IN_TEXT(wszRangesFile));
}

HRESULT IVssBackupComponents_SetFileRestoreStatus(IVssBackupComponents *backup, VSS_ID writerId,
                                                  VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                  LPCWSTR wszComponentName,
                                                  VSS_FILE_RESTORE_STATUS status) {
        return SESSION_CALL(backup, "SetFileRestoreStatus",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_NUMBER(status));
}

HRESULT IVssBackupComponents_PostRestore(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_change(backup, __func__, "PostRestore", ppAsync);
}

HRESULT IVssBackupComponentsEx3_AddSnapshotToRecoverySet(IVssBackupComponents *backup,
                                                         VSS_ID snapshotId, DWORD dwFlags,
                                                         LPCWSTR pwszDestinationVolume) {
        return SESSION_CALL_STORAGE(backup, "AddSnapshotToRecoverySet", IN_ID(snapshotId),
                                    IN_NUMBER(dwFlags), IN_OPTIONAL(pwszDestinationVolume));
}

HRESULT IVssBackupComponentsEx3_RecoverSet(IVssBackupComponents *backup, DWORD dwFlags,
                                           IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "RecoverSet", IN_NUMBER(dwFlags), OUT_ASYNC(ppAsync));
}
