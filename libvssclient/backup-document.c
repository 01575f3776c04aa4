/* IVssBackupComponents and the Backup Components Document: what is included in a backup, and the
 * document's text. */

#include "libvssclient/backup-components.h"

HRESULT IVssBackupComponents_AddComponent(IVssBackupComponents *backup, VSS_ID instanceId,
                                          VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                          LPCWSTR wszLogicalPath, LPCWSTR wszComponentName) {
        return SESSION_CALL(backup, "AddComponent", IN_ID(instanceId),
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName));
}

HRESULT IVssBackupComponents_SetBackupOptions(IVssBackupComponents *backup, VSS_ID writerId,
                                              VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                              LPCWSTR wszComponentName, LPCWSTR wszBackupOptions) {
        return SESSION_CALL(backup, "SetBackupOptions",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszBackupOptions));
}

HRESULT IVssBackupComponents_SetPreviousBackupStamp(IVssBackupComponents *backup, VSS_ID writerId,
                                                    VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                    LPCWSTR wszComponentName,
                                                    LPCWSTR wszPreviousBackupStamp) {
        return SESSION_CALL(backup, "SetPreviousBackupStamp",
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_TEXT(wszPreviousBackupStamp));
}

HRESULT IVssBackupComponents_SetBackupSucceeded(IVssBackupComponents *backup, VSS_ID instanceId,
                                                VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                LPCWSTR wszLogicalPath, LPCWSTR wszComponentName,
                                                bool bSucceded) {
        return SESSION_CALL(backup, "SetBackupSucceeded", IN_ID(instanceId),
                            IN_COMPONENT(writerId, ct, wszLogicalPath, wszComponentName),
                            IN_FLAG(bSucceded));
}

HRESULT IVssBackupComponents_GetWriterComponentsCount(IVssBackupComponents *backup,
                                                      UINT *pcComponents) {
        return SESSION_CALL(backup, "GetWriterComponentsCount", OUT_NUMBER(pcComponents));
}

HRESULT IVssBackupComponents_SaveAsXML(IVssBackupComponents *backup, BSTR *pbstrXML) {
        return SESSION_CALL(backup, "SaveAsXML", OUT_XML(pbstrXML));
}
