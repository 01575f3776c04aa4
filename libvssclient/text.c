/* Text forms of results, ids, contexts and states; strings that are freed. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "libvssclient/last-error.h"
#include <vss/vsslinux.h>

_Static_assert(VSS_ID_STRING_SIZE == VSS_ID_TEXT_MAX, "one size of an id's text");

const char *VssHresultName(HRESULT hr) {
        const struct vss_hresult_info *info = vss_hresult_find(hr);

        return info ? info->symbol : NULL;
}

const char *VssHresultMessage(HRESULT hr) {
        const struct vss_hresult_info *info = vss_hresult_find(hr);

        if (info)
                return info->text;
        return FAILED(hr) ? "Unknown failure" : "Unknown result";
}

int VssHresultToErrno(HRESULT hr) {
        const struct vss_hresult_info *info = vss_hresult_find(hr);

        if (info)
                return info->error_number;
        return FAILED(hr) ? EIO : 0;
}

void VssFreeString(char *string) {
        free(string);
}

void SysFreeString(BSTR string) {
        free(string);
}

char *VssIdToString(VSS_ID id, char *buffer) {
        return vss_id_format(id, buffer);
}

HRESULT VssIdFromString(LPCWSTR text, VSS_ID *id) {
        if (!id)
                return last_error_argument(__func__, "id is NULL");
        *id = GUID_NULL;
        if (str_empty(text) || vss_id_parse(id, text) < 0)
                return last_error_argument(__func__, "not an id; one looks like "
                                                     "b5946137-7b9f-4925-af80-51abd60b20d5");
        return S_OK;
}

const char *VssContextToString(LONG context) {
        return vss_context_to_string(context);
}

HRESULT VssContextFromString(LPCWSTR text, LONG *context) {
        if (!context)
                return last_error_argument(__func__, "context is NULL");
        *context = VSS_CTX_BACKUP;
        if (!text || vss_context_from_string(context, text) < 0)
                return last_error_argument(__func__,
                                           "no context; they are backup, file-share, "
                                           "nas-rollback, app-rollback, client, client-writers "
                                           "and all");
        return S_OK;
}

static const char *const writer_states[VSS_WS_COUNT] = {
        [VSS_WS_UNKNOWN] = "UNKNOWN",
        [VSS_WS_STABLE] = "STABLE",
        [VSS_WS_WAITING_FOR_FREEZE] = "WAITING_FOR_FREEZE",
        [VSS_WS_WAITING_FOR_THAW] = "WAITING_FOR_THAW",
        [VSS_WS_WAITING_FOR_POST_SNAPSHOT] = "WAITING_FOR_POST_SNAPSHOT",
        [VSS_WS_WAITING_FOR_BACKUP_COMPLETE] = "WAITING_FOR_BACKUP_COMPLETE",
        [VSS_WS_FAILED_AT_IDENTIFY] = "FAILED_AT_IDENTIFY",
        [VSS_WS_FAILED_AT_PREPARE_BACKUP] = "FAILED_AT_PREPARE_BACKUP",
        [VSS_WS_FAILED_AT_PREPARE_SNAPSHOT] = "FAILED_AT_PREPARE_SNAPSHOT",
        [VSS_WS_FAILED_AT_FREEZE] = "FAILED_AT_FREEZE",
        [VSS_WS_FAILED_AT_THAW] = "FAILED_AT_THAW",
        [VSS_WS_FAILED_AT_POST_SNAPSHOT] = "FAILED_AT_POST_SNAPSHOT",
        [VSS_WS_FAILED_AT_BACKUP_COMPLETE] = "FAILED_AT_BACKUP_COMPLETE",
        [VSS_WS_FAILED_AT_PRE_RESTORE] = "FAILED_AT_PRE_RESTORE",
        [VSS_WS_FAILED_AT_POST_RESTORE] = "FAILED_AT_POST_RESTORE",
        [VSS_WS_FAILED_AT_BACKUPSHUTDOWN] = "FAILED_AT_BACKUPSHUTDOWN",
};

const char *VssWriterStateToString(VSS_WRITER_STATE state) {
        return (unsigned)state < ARRAY_SIZE(writer_states) ? writer_states[state] : NULL;
}
