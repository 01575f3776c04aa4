/* The methods of IVssComponent that belong to a backup, and failures. */

#include "libvssclient/check-path.h"
#include "libvssclient/component-claims.h"
#include "libvssclient/last-error.h"
#include "libvssclient/range-list.h"
#include "libvssclient/writer-failure.h"

HRESULT IVssComponent_GetBackupSucceeded(IVssComponent *component, bool *pbSucceeded) {
        return component_get_flag(component, __func__, BACKUP_FLAG_SUCCEEDED, pbSucceeded);
}

HRESULT IVssComponent_GetBackupOptions(IVssComponent *component, BSTR *pbstrBackupOptions) {
        return component_get_text(component, __func__, BACKUP_TEXT_BACKUP_OPTIONS,
                                  pbstrBackupOptions);
}

HRESULT IVssComponent_SetBackupStamp(IVssComponent *component, LPCWSTR wszBackupStamp) {
        return component_set_text(component, __func__, BACKUP_TEXT_BACKUP_STAMP, false,
                                  wszBackupStamp);
}

HRESULT IVssComponent_GetBackupStamp(IVssComponent *component, BSTR *pbstrBackupStamp) {
        return component_get_text(component, __func__, BACKUP_TEXT_BACKUP_STAMP, pbstrBackupStamp);
}

HRESULT IVssComponent_GetPreviousBackupStamp(IVssComponent *component, BSTR *pbstrBackupStamp) {
        return component_get_text(component, __func__, BACKUP_TEXT_PREVIOUS_BACKUP_STAMP,
                                  pbstrBackupStamp);
}

HRESULT IVssComponent_SetBackupMetadata(IVssComponent *component, LPCWSTR wszData) {
        return component_set_text(component, __func__, BACKUP_TEXT_BACKUP_METADATA, true, wszData);
}

HRESULT IVssComponent_GetBackupMetadata(IVssComponent *component, BSTR *pbstrData) {
        return component_get_text(component, __func__, BACKUP_TEXT_BACKUP_METADATA, pbstrData);
}

static HRESULT enter_to_add(const IVssComponent *c, const char *function, enum backup_list list) {
        return component_enter_writer(c, function, c && backup_phase_may_add(c->view->phase, list));
}

static int check_partial_file(const struct component_view *v, const struct backup_entry *e,
                              const char **ret_ranges, struct vss_error *reterr) {
        int r;

        if (!backup_document_state(v->document)->partial_files)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "The requester does not support partial files: ask "
                                     "CVssWriter_IsPartialFileSupportEnabled first");
        r = check_path(e->texts[0], "The partial file's path", reterr);
        if (r >= 0)
                r = check_file_name(e->texts[1], "The partial file's name", reterr);
        if (r >= 0)
                r = range_list_check(e->texts[2], "The partial file's ranges", ret_ranges, reterr);
        return r;
}

HRESULT IVssComponent_AddPartialFile(IVssComponent *component, LPCWSTR wszPath, LPCWSTR wszFilename,
                                     LPCWSTR wszRanges, LPCWSTR wszMetadata) {
        struct backup_entry entry = { .texts = { wszPath, wszFilename, wszRanges, wszMetadata } };
        struct vss_error error = { 0 };
        HRESULT hr;

        if (str_empty(wszPath) || str_empty(wszFilename) || str_empty(wszRanges))
                return last_error_argument(__func__, "path, name or ranges are NULL or empty");
        hr = enter_to_add(component, __func__, BACKUP_LIST_PARTIAL_FILE);
        if (FAILED(hr))
                return hr;
        if (check_partial_file(component->view, &entry, &entry.texts[2], &error) < 0 ||
            component_check_partial_file(component, &entry, &error) < 0)
                return last_error_raise(&error);
        return component_add_entry(component, BACKUP_LIST_PARTIAL_FILE, &entry);
}

HRESULT IVssComponent_GetPartialFileCount(IVssComponent *component, UINT *pcPartialFiles) {
        return component_count(component, __func__, BACKUP_LIST_PARTIAL_FILE, pcPartialFiles);
}

HRESULT IVssComponent_GetPartialFile(IVssComponent *component, UINT iPartialFile, BSTR *pbstrPath,
                                     BSTR *pbstrFilename, BSTR *pbstrRange, BSTR *pbstrMetadata) {
        BSTR *const texts[BACKUP_ENTRY_TEXTS] = { pbstrPath, pbstrFilename, pbstrRange,
                                                  pbstrMetadata };
        struct backup_entry entry;

        if (!component_clear_texts(texts, 4))
                return last_error_argument(__func__, "an output is NULL");
        return component_get_entry(component, __func__, BACKUP_LIST_PARTIAL_FILE, iPartialFile,
                                   texts, &entry);
}

static int check_differenced_files(const IVssComponent *c, const struct backup_entry *e,
                                   struct vss_error *reterr) {
        struct backup_writer_info info;
        int r;

        backup_writer_info(c->writer, &info);
        if (!(info.schema & VSS_BS_LAST_MODIFY))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "The writer's backup schema lacks VSS_BS_LAST_MODIFY: say so "
                                     "in OnIdentify, with SetBackupSchema");
        r = check_path(e->texts[0], "The path of differenced files", reterr);
        if (r >= 0)
                r = check_filespec(e->texts[1], "The file specification of differenced files",
                                   reterr);
        return r;
}

HRESULT IVssComponent_AddDifferencedFilesByLastModifyTime(IVssComponent *component, LPCWSTR wszPath,
                                                          LPCWSTR wszFilespec, BOOL bRecursive,
                                                          FILETIME ftLastModifyTime) {
        const struct backup_entry entry = {
                .texts = { wszPath, wszFilespec },
                .flag = bRecursive != FALSE,
                .time = (uint64_t)ftLastModifyTime.dwHighDateTime << 32 |
                        ftLastModifyTime.dwLowDateTime,
        };
        struct vss_error error = { 0 };
        HRESULT hr;

        if (str_empty(wszPath) || str_empty(wszFilespec))
                return last_error_argument(__func__, "path or file specification is NULL or empty");
        hr = enter_to_add(component, __func__, BACKUP_LIST_DIFFERENCED_FILES);
        if (FAILED(hr))
                return hr;
        if (check_differenced_files(component, &entry, &error) < 0 ||
            component_check_differenced_files(component, &entry, &error) < 0)
                return last_error_raise(&error);
        return component_add_entry(component, BACKUP_LIST_DIFFERENCED_FILES, &entry);
}

HRESULT IVssComponent_AddDifferencedFilesByLastModifyLSN(IVssComponent *component, LPCWSTR wszPath,
                                                         LPCWSTR wszFilespec, BOOL bRecursive,
                                                         LPCWSTR bstrLsnString) {
        struct vss_error error = { 0 };
        HRESULT hr;

        (void)bRecursive;
        if (str_empty(wszPath) || str_empty(wszFilespec) || str_empty(bstrLsnString))
                return last_error_argument(__func__, "a text is NULL or empty");
        hr = component_enter(component, __func__);
        if (FAILED(hr))
                return hr;
        (void)vss_error_set(&error, E_NOTIMPL, 0,
                            "%s is reserved: use AddDifferencedFilesByLastModifyTime", __func__);
        return last_error_raise(&error);
}

HRESULT IVssComponent_GetDifferencedFilesCount(IVssComponent *component, UINT *pcDifferencedFiles) {
        return component_count(component, __func__, BACKUP_LIST_DIFFERENCED_FILES,
                               pcDifferencedFiles);
}

HRESULT IVssComponent_GetDifferencedFile(IVssComponent *component, UINT iDifferencedFile,
                                         BSTR *pbstrPath, BSTR *pbstrFilespec, BOOL *pbRecursive,
                                         BSTR *pbstrLsnString, FILETIME *pftLastModifyTime) {
        BSTR *const texts[BACKUP_ENTRY_TEXTS] = { pbstrPath, pbstrFilespec, pbstrLsnString };
        bool outputs = component_clear_texts(texts, 3);
        struct backup_entry entry;
        HRESULT hr;

        if (pbRecursive)
                *pbRecursive = FALSE;
        if (pftLastModifyTime)
                *pftLastModifyTime = (FILETIME){ 0, 0 };
        if (!outputs || !pbRecursive || !pftLastModifyTime)
                return last_error_argument(__func__, "an output is NULL");
        hr = component_get_entry(component, __func__, BACKUP_LIST_DIFFERENCED_FILES,
                                 iDifferencedFile, texts, &entry);
        if (FAILED(hr))
                return hr;
        *pbRecursive = entry.flag;
        pftLastModifyTime->dwLowDateTime = (DWORD)entry.time;
        pftLastModifyTime->dwHighDateTime = (DWORD)(entry.time >> 32);
        return hr;
}

HRESULT IVssComponentEx_SetPrepareForBackupFailureMsg(IVssComponent *component,
                                                      LPCWSTR wszFailureMsg) {
        return component_set_text(component, __func__, BACKUP_TEXT_PREPARE_FAILURE, false,
                                  wszFailureMsg);
}

HRESULT IVssComponentEx_GetPrepareForBackupFailureMsg(IVssComponent *component,
                                                      BSTR *pbstrFailureMsg) {
        return component_get_text(component, __func__, BACKUP_TEXT_PREPARE_FAILURE,
                                  pbstrFailureMsg);
}

HRESULT IVssComponentEx_SetPostSnapshotFailureMsg(IVssComponent *component, LPCWSTR wszFailureMsg) {
        return component_set_text(component, __func__, BACKUP_TEXT_POST_SNAPSHOT_FAILURE, false,
                                  wszFailureMsg);
}

HRESULT IVssComponentEx_GetPostSnapshotFailureMsg(IVssComponent *component, BSTR *pbstrFailureMsg) {
        return component_get_text(component, __func__, BACKUP_TEXT_POST_SNAPSHOT_FAILURE,
                                  pbstrFailureMsg);
}

HRESULT IVssComponentEx2_SetFailure(IVssComponent *component, HRESULT hr, HRESULT hrApplication,
                                    LPCWSTR wszApplicationMessage, DWORD dwReserved) {
        struct vss_error error = { 0 };
        HRESULT entered;

        if (hr != S_OK && !writer_failure_is(hr))
                return last_error_argument(__func__,
                                           "hr is not S_OK or one of the VSS_E_WRITERERROR_ codes "
                                           "that a component may have");
        if (dwReserved != 0)
                return last_error_argument(__func__, "dwReserved is not 0");
        entered = component_enter_writer(
                component, __func__,
                component &&
                        backup_phase_may_set_number(component->view->phase, BACKUP_NUMBER_FAILURE));
        if (FAILED(entered))
                return entered;
        component->view->changed = true;
        /* The text first: it is the one that may be refused. */
        if (backup_component_set_text(component->component, BACKUP_TEXT_APPLICATION_MESSAGE,
                                      wszApplicationMessage, &error) < 0 ||
            backup_component_set_number(component->component, BACKUP_NUMBER_FAILURE, hr, &error) <
                    0 ||
            backup_component_set_number(component->component, BACKUP_NUMBER_APPLICATION_FAILURE,
                                        hrApplication, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssComponentEx2_GetFailure(IVssComponent *component, HRESULT *phr, HRESULT *phrApplication,
                                    BSTR *pbstrApplicationMessage, DWORD *pdwReserved) {
        HRESULT hr;

        if (phr)
                *phr = S_OK;
        if (phrApplication)
                *phrApplication = S_OK;
        if (pdwReserved)
                *pdwReserved = 0;
        if (pbstrApplicationMessage)
                *pbstrApplicationMessage = NULL;
        if (!phr || !phrApplication || !pbstrApplicationMessage || !pdwReserved)
                return last_error_argument(__func__, "an output is NULL");
        hr = component_get_text(component, __func__, BACKUP_TEXT_APPLICATION_MESSAGE,
                                pbstrApplicationMessage);
        if (FAILED(hr))
                return hr;
        *phr = backup_component_number(component->component, BACKUP_NUMBER_FAILURE);
        *phrApplication =
                backup_component_number(component->component, BACKUP_NUMBER_APPLICATION_FAILURE);
        return S_OK;
}
