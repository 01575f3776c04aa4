/* IVssBackupComponents and the writers: their metadata and their status. */

#include "libvssclient/backup-components.h"

HRESULT IVssBackupComponents_GatherWriterMetadata(IVssBackupComponents *backup,
                                                  IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "GatherWriterMetadata", OUT_ASYNC(ppAsync));
}

HRESULT IVssBackupComponents_GetWriterMetadataCount(IVssBackupComponents *backup, UINT *pcWriters) {
        return SESSION_CALL(backup, "GetWriterMetadataCount", OUT_NUMBER(pcWriters));
}

HRESULT IVssBackupComponents_FreeWriterMetadata(IVssBackupComponents *backup) {
        return SESSION_CALL_PLAIN(backup, CALL_TIMEOUT_MSEC, "FreeWriterMetadata");
}

HRESULT IVssBackupComponents_GatherWriterStatus(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return SESSION_CALL_STORAGE(backup, "GatherWriterStatus", OUT_ASYNC(ppAsync));
}

HRESULT IVssBackupComponents_GetWriterStatusCount(IVssBackupComponents *backup, UINT *pcWriters) {
        return SESSION_CALL(backup, "GetWriterStatusCount", OUT_NUMBER(pcWriters));
}

HRESULT IVssBackupComponents_FreeWriterStatus(IVssBackupComponents *backup) {
        return SESSION_CALL_PLAIN(backup, CALL_TIMEOUT_MSEC, "FreeWriterStatus");
}

HRESULT IVssBackupComponents_GetWriterStatus(IVssBackupComponents *backup, UINT iWriter,
                                             VSS_ID *pidInstance, VSS_ID *pidWriter,
                                             BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                             HRESULT *phrFailureWriter) {
        return IVssBackupComponentsEx3_GetWriterStatusEx(backup, iWriter, pidInstance, pidWriter,
                                                         pbstrWriter, pnStatus, phrFailureWriter,
                                                         NULL, NULL);
}

HRESULT IVssBackupComponentsEx3_GetWriterStatusEx(IVssBackupComponents *backup, UINT iWriter,
                                                  VSS_ID *pidInstance, VSS_ID *pidWriter,
                                                  BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                                  HRESULT *phrFailureWriter,
                                                  HRESULT *phrApplication,
                                                  BSTR *pbstrApplicationMessage) {
        return SESSION_CALL(backup, "GetWriterStatus", IN_NUMBER(iWriter), OUT_ID(pidInstance),
                            OUT_ID(pidWriter), OUT_TEXT(pbstrWriter), OUT_STATE(pnStatus),
                            OUT_SIGNED(phrFailureWriter), OUT_SIGNED_IF(phrApplication),
                            OUT_OPTIONAL_IF(pbstrApplicationMessage));
}
