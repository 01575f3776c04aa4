/* IVssBackupComponents and the writers: their metadata and their status. */

#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

HRESULT IVssBackupComponents_GatherWriterMetadata(IVssBackupComponents *backup,
                                                  IVssAsync **ppAsync) {
        return session_async(backup, "GatherWriterMetadata", ppAsync);
}

HRESULT IVssBackupComponents_GetWriterMetadataCount(IVssBackupComponents *backup, UINT *pcWriters) {
        return session_count(backup, "GetWriterMetadataCount", pcWriters);
}

HRESULT IVssBackupComponents_FreeWriterMetadata(IVssBackupComponents *backup) {
        return session_plain(backup, "FreeWriterMetadata", CALL_TIMEOUT_MSEC);
}

HRESULT IVssBackupComponents_GatherWriterStatus(IVssBackupComponents *backup, IVssAsync **ppAsync) {
        return session_async(backup, "GatherWriterStatus", ppAsync);
}

HRESULT IVssBackupComponents_GetWriterStatusCount(IVssBackupComponents *backup, UINT *pcWriters) {
        return session_count(backup, "GetWriterStatusCount", pcWriters);
}

HRESULT IVssBackupComponents_FreeWriterStatus(IVssBackupComponents *backup) {
        return session_plain(backup, "FreeWriterStatus", CALL_TIMEOUT_MSEC);
}

HRESULT IVssBackupComponents_GetWriterStatus(IVssBackupComponents *backup, UINT iWriter,
                                             VSS_ID *pidInstance, VSS_ID *pidWriter,
                                             BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                             HRESULT *phrFailureWriter) {
        return IVssBackupComponentsEx3_GetWriterStatusEx(backup, iWriter, pidInstance, pidWriter,
                                                         pbstrWriter, pnStatus, phrFailureWriter,
                                                         NULL, NULL);
}

/* The eight arguments of an answer, strings borrowed from it. */
struct status {
        const char *instance, *writer, *name, *message;
        dbus_uint32_t state;
        dbus_int32_t failure, application;
};

static int read_status(DBusMessage *reply, struct status *s, struct vss_error *reterr) {
        int r;

        r = reply_get(reply, reterr, DBUS_TYPE_STRING, &s->instance, DBUS_TYPE_STRING, &s->writer,
                      DBUS_TYPE_STRING, &s->name, DBUS_TYPE_UINT32, &s->state, DBUS_TYPE_INT32,
                      &s->failure, DBUS_TYPE_INT32, &s->application, DBUS_TYPE_STRING, &s->message,
                      DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        if (s->state >= VSS_WS_COUNT) {
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%u is no state of a writer",
                                    s->state);
                return reply_refuse(reterr);
        }
        return 0;
}

HRESULT IVssBackupComponentsEx3_GetWriterStatusEx(IVssBackupComponents *backup, UINT iWriter,
                                                  VSS_ID *pidInstance, VSS_ID *pidWriter,
                                                  BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                                  HRESULT *phrFailureWriter,
                                                  HRESULT *phrApplication,
                                                  BSTR *pbstrApplicationMessage) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        _cleanup_(freep) char *name = NULL, *message = NULL;
        dbus_uint32_t index = iWriter;
        struct vss_error error = { 0 };
        struct status status;

        if (!backup)
                return last_error_argument(__func__, "the IVssBackupComponents is NULL");
        if (!pidInstance || !pidWriter || !pbstrWriter || !pnStatus || !phrFailureWriter)
                return last_error_argument(__func__, "a required output pointer is NULL");
        *pidInstance = *pidWriter = GUID_NULL;
        *pbstrWriter = NULL;
        *pnStatus = VSS_WS_UNKNOWN;
        *phrFailureWriter = S_OK;
        if (phrApplication)
                *phrApplication = S_OK;
        if (pbstrApplicationMessage)
                *pbstrApplicationMessage = NULL;
        if (session_call(backup, "GetWriterStatus", CALL_TIMEOUT_MSEC, &reply, &error,
                         DBUS_TYPE_UINT32, &index, DBUS_TYPE_INVALID) < 0 ||
            read_status(reply, &status, &error) < 0 ||
            reply_id(pidInstance, status.instance, &error) < 0 ||
            reply_id(pidWriter, status.writer, &error) < 0)
                return last_error_raise(&error);
        if (str_replace(&name, status.name) < 0 ||
            (*status.message && str_replace(&message, status.message) < 0)) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        *pbstrWriter = TAKE_PTR(name);
        *pnStatus = (VSS_WRITER_STATE)status.state;
        *phrFailureWriter = status.failure;
        if (phrApplication)
                *phrApplication = status.application;
        if (pbstrApplicationMessage)
                *pbstrApplicationMessage = TAKE_PTR(message);
        return S_OK;
}
