/* IVssBackupComponents and the writers: their metadata and their status. */

#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

/* Who carries the events is gone: that has a code of its own where writers are asked. */
static bool service_is_lost(struct connection *c) {
        bool lost;

        connection_enter(c);
        connection_drain(c); /* the bus may have told of it behind its answer */
        lost = connection_is_lost(c);
        connection_leave(c);
        return lost;
}

static HRESULT gather(IVssBackupComponents *backup, const char *function, const char *method,
                      IVssAsync **ppAsync) {
        const struct argument arguments[] = { OUT_ASYNC(ppAsync) };
        struct vss_error error = { 0 };

        if (session_call(backup, function, method, CALL_TIMEOUT_STORAGE_MSEC, arguments,
                         ARRAY_SIZE(arguments), NULL, &error) >= 0)
                return S_OK;
        if (error.hr == VSS_E_UNEXPECTED && service_is_lost(backup->connection))
                error.hr = VSS_E_WRITER_INFRASTRUCTURE;
        return last_error_raise(&error);
}

HRESULT IVssBackupComponents_GatherWriterMetadata(IVssBackupComponents *backup,
                                                  IVssAsync **ppAsync) {
        return gather(backup, __func__, "GatherWriterMetadata", ppAsync);
}

HRESULT IVssBackupComponents_GetWriterMetadataCount(IVssBackupComponents *backup, UINT *pcWriters) {
        return SESSION_CALL(backup, "GetWriterMetadataCount", OUT_NUMBER(pcWriters));
}

HRESULT IVssBackupComponents_FreeWriterMetadata(IVssBackupComponents *backup) {
        return SESSION_CALL_PLAIN(backup, CALL_TIMEOUT_MSEC, "FreeWriterMetadata");
}

HRESULT IVssBackupComponents_GatherWriterStatus(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return gather(backup, __func__, "GatherWriterStatus", ppAsync);
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
