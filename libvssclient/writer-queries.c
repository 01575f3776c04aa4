/* What a handler may ask and say. Every one looks first which event is being handled, on this very
 * thread, and whether its phase has what is asked for. */

#include "common/path.h"
#include "common/vss-id.h"
#include "libvssclient/last-error.h"
#include "libvssclient/volume-path.h"
#include "libvssclient/writer-components.h"
#include "libvssclient/writer-documents.h"
#include "libvssclient/writer-failure.h"
#include "libvssclient/writer.h"

static struct writer_event *current_with(CVssWriter *writer, unsigned what) {
        struct writer_event *e = writer_current(writer);

        return e && event_phase_has(e->phase, what) ? e : NULL;
}

static HRESULT bad_state(const char *function, const char *where) {
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, VSS_E_BAD_STATE, 0, "%s may only be called in %s", function,
                            where);
        return last_error_raise(&error);
}

static HRESULT record_failure(CVssWriter *writer, const char *function, HRESULT hr,
                              HRESULT application, const char *message) {
        struct writer_event *e = current_with(writer, PHASE_HAS_FAILURE);
        struct vss_error error = { 0 };

        if (!writer)
                return last_error_argument(function, "the CVssWriter is NULL");
        if (!e)
                return bad_state(function, "a handler other than OnIdentify, on its own thread");
        if (hr == VSS_E_WRITERERROR_PARTIAL_FAILURE && !e->components)
                return bad_state(function, "a handler that was given components, to say that some "
                                           "of them failed");
        if (hr == S_OK) /* clears nothing, and sets nothing */
                return S_OK;
        if (str_replace(&e->message, message) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, function);
                return last_error_raise(&error);
        }
        e->failure = hr;
        e->application = application;
        return S_OK;
}

HRESULT CVssWriter_SetWriterFailure(CVssWriter *writer, HRESULT hr) {
        if (!writer_failure_is(hr))
                return last_error_argument(__func__,
                                           "hr is not one of the VSS_E_WRITERERROR_ codes that a "
                                           "writer may set");
        return record_failure(writer, __func__, hr, S_OK, NULL);
}

HRESULT CVssWriterEx2_SetWriterFailureEx(CVssWriter *writer, HRESULT hr, HRESULT hrApplication,
                                         LPCWSTR wszApplicationMessage) {
        if (hr != S_OK && hr != VSS_E_WRITERERROR_PARTIAL_FAILURE && !writer_failure_is(hr))
                return last_error_argument(__func__,
                                           "hr is not S_OK or one of the VSS_E_WRITERERROR_ codes "
                                           "that a writer may set");
        return record_failure(writer, __func__, hr, hrApplication, wszApplicationMessage);
}

UINT CVssWriter_GetCurrentVolumeCount(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_VOLUMES);

        return e ? (UINT)strv_length(e->details.volumes) : 0;
}

const LPCWSTR *CVssWriter_GetCurrentVolumeArray(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_VOLUMES);

        return e ? (const LPCWSTR *)e->details.volumes : NULL;
}

VSS_ID CVssWriter_GetCurrentSnapshotSetId(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_SET);

        return e ? e->details.set_id : GUID_NULL;
}

LONG CVssWriter_GetContext(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_CONTEXT);

        return e ? e->details.context : VSS_CTX_BACKUP;
}

VSS_APPLICATION_LEVEL CVssWriter_GetCurrentLevel(CVssWriter *writer) {
        return writer ? writer->identity.level : VSS_APP_UNKNOWN;
}

VSS_BACKUP_TYPE CVssWriter_GetBackupType(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_STATE);

        return e ? (VSS_BACKUP_TYPE)e->details.backup_type : VSS_BT_UNDEFINED;
}

VSS_RESTORE_TYPE CVssWriter_GetRestoreType(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_RESTORE);

        return e ? (VSS_RESTORE_TYPE)e->details.restore_type : VSS_RTYPE_UNDEFINED;
}

bool CVssWriter_AreComponentsSelected(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_STATE);

        return e && e->details.component_mode;
}

bool CVssWriter_IsBootableSystemStateBackedUp(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_STATE);

        return e && e->details.bootable_system_state;
}

bool CVssWriter_IsPartialFileSupportEnabled(CVssWriter *writer) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_STATE);

        return e && e->details.partial_files;
}

HRESULT CVssWriter_GetSnapshotDeviceName(CVssWriter *writer, LPCWSTR wszOriginalVolume,
                                         LPCWSTR *ppwszSnapshotDevice) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_DEVICES);
        struct vss_error error = { 0 };
        char **volume, **device;

        if (ppwszSnapshotDevice)
                *ppwszSnapshotDevice = NULL;
        if (!writer || str_empty(wszOriginalVolume) || !ppwszSnapshotDevice)
                return last_error_argument(__func__, "an argument is NULL, or the volume is empty");
        if (!e)
                return bad_state(__func__, "OnPostSnapshot");
        volume = e->details.volumes;
        device = e->details.devices;
        for (; volume && device && *volume && *device; volume++, device++)
                if (path_is_same(*volume, wszOriginalVolume)) {
                        *ppwszSnapshotDevice = *device;
                        return S_OK;
                }
        (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                            "The volume '%s' is not in the snapshot set", wszOriginalVolume);
        return last_error_raise(&error);
}

bool CVssWriter_IsPathAffected(CVssWriter *writer, LPCWSTR wszPath) {
        const struct writer_event *e = current_with(writer, PHASE_HAS_VOLUMES);

        return e && wszPath && volume_path_is_on(wszPath, e->details.volumes);
}

HRESULT CVssWriterEx_GetIdentifyInformation(CVssWriter *writer,
                                            IVssExamineWriterMetadata **ppMetadata) {
        struct writer_event *e = current_with(writer, PHASE_HAS_IDENTITY);
        struct vss_error error = { 0 };

        if (!writer || !ppMetadata)
                return last_error_argument(__func__, "an argument is NULL");
        *ppMetadata = NULL;
        if (e && e->identity)
                return writer_event_examine(e, ppMetadata, &error) < 0 ? last_error_raise(&error)
                                                                       : S_OK;
        (void)vss_error_set(&error, E_FAIL, 0,
                            e ? "%s: what this writer said in the session's Identify is not kept "
                                "any more"
                              : "%s may only be called in OnPrepareBackup, OnPrepareSnapshot and "
                                "OnPostSnapshot",
                            __func__);
        return last_error_raise(&error);
}

HRESULT CVssWriterEx2_GetSessionId(CVssWriter *writer, VSS_ID *idSession) {
        const struct writer_event *e = writer_current(writer);

        if (!writer || !idSession)
                return last_error_argument(__func__, "an argument is NULL");
        *idSession = GUID_NULL;
        if (!e)
                return bad_state(__func__, "a handler, on its own thread");
        *idSession = e->session_id;
        return S_OK;
}
