/* The methods of IVssComponent that belong to a restore. */

#include "libvssclient/check-path.h"
#include "libvssclient/component-claims.h"
#include "libvssclient/last-error.h"
#include "libvssclient/range-list.h"

HRESULT IVssComponent_IsSelectedForRestore(IVssComponent *component, bool *pbSelectedForRestore) {
        HRESULT hr;

        if (!pbSelectedForRestore)
                return last_error_argument(__func__, "pbSelectedForRestore is NULL");
        *pbSelectedForRestore = false;
        hr = component_enter_restore(component, __func__);
        if (SUCCEEDED(hr))
                *pbSelectedForRestore =
                        backup_component_flag(component->component,
                                              BACKUP_FLAG_SELECTED_FOR_RESTORE) == 1;
        return hr;
}

HRESULT IVssComponent_GetAdditionalRestores(IVssComponent *component, bool *pbAdditionalRestores) {
        return component_get_flag(component, __func__, BACKUP_FLAG_ADDITIONAL_RESTORES,
                                  pbAdditionalRestores);
}

HRESULT IVssComponent_GetRestoreOptions(IVssComponent *component, BSTR *pbstrRestoreOptions) {
        return component_get_text(component, __func__, BACKUP_TEXT_RESTORE_OPTIONS,
                                  pbstrRestoreOptions);
}

HRESULT IVssComponent_GetNewTargetCount(IVssComponent *component, UINT *pcNewTarget) {
        return component_count(component, __func__, BACKUP_LIST_NEW_TARGET, pcNewTarget);
}

HRESULT IVssComponent_GetNewTarget(IVssComponent *component, UINT iNewTarget,
                                   IVssWMFiledesc **ppFiledesc) {
        return component_get_files(component, __func__, BACKUP_LIST_NEW_TARGET, iNewTarget,
                                   ppFiledesc);
}

HRESULT IVssComponent_GetAlternateLocationMappingCount(IVssComponent *component, UINT *pcMappings) {
        return component_count(component, __func__, BACKUP_LIST_ALTERNATE_LOCATION_MAPPING,
                               pcMappings);
}

HRESULT IVssComponent_GetAlternateLocationMapping(IVssComponent *component, UINT iMapping,
                                                  IVssWMFiledesc **ppFiledesc) {
        return component_get_files(component, __func__, BACKUP_LIST_ALTERNATE_LOCATION_MAPPING,
                                   iMapping, ppFiledesc);
}

HRESULT IVssComponent_GetRestoreSubcomponentCount(IVssComponent *component,
                                                  UINT *pcRestoreSubcomponent) {
        return component_count(component, __func__, BACKUP_LIST_RESTORE_SUBCOMPONENT,
                               pcRestoreSubcomponent);
}

HRESULT IVssComponent_GetRestoreSubcomponent(IVssComponent *component, UINT iComponent,
                                             BSTR *pbstrLogicalPath, BSTR *pbstrComponentName,
                                             bool *pbRepair) {
        BSTR *const texts[BACKUP_ENTRY_TEXTS] = { pbstrLogicalPath, pbstrComponentName };
        bool outputs = component_clear_texts(texts, 2);
        struct backup_entry entry;
        HRESULT hr;

        if (pbRepair)
                *pbRepair = false;
        if (!outputs || !pbRepair)
                return last_error_argument(__func__, "an output is NULL");
        hr = component_get_entry(component, __func__, BACKUP_LIST_RESTORE_SUBCOMPONENT, iComponent,
                                 texts, &entry);
        if (SUCCEEDED(hr))
                *pbRepair = entry.flag;
        return hr;
}

HRESULT IVssComponent_GetFileRestoreStatus(IVssComponent *component,
                                           VSS_FILE_RESTORE_STATUS *pStatus) {
        HRESULT hr;

        if (!pStatus)
                return last_error_argument(__func__, "pStatus is NULL");
        *pStatus = VSS_RS_UNDEFINED;
        hr = component_enter_restore(component, __func__);
        if (SUCCEEDED(hr))
                *pStatus = (VSS_FILE_RESTORE_STATUS)backup_component_number(
                        component->component, BACKUP_NUMBER_FILE_RESTORE_STATUS);
        return hr;
}

HRESULT IVssComponent_SetRestoreTarget(IVssComponent *component, VSS_RESTORE_TARGET target) {
        struct vss_error error = { 0 };
        HRESULT hr;

        if (target < VSS_RT_ORIGINAL || target > VSS_RT_ORIGINAL_LOCATION)
                return last_error_argument(__func__, "target is not one of the documented values");
        hr = component_enter_writer(
                component, __func__,
                component && backup_phase_may_set_number(component->view->phase,
                                                         BACKUP_NUMBER_RESTORE_TARGET));
        if (FAILED(hr))
                return hr;
        if (backup_component_set_number(component->component, BACKUP_NUMBER_RESTORE_TARGET,
                                        (int32_t)target, &error) < 0)
                return last_error_raise(&error);
        component->view->changed = true;
        return S_OK;
}

HRESULT IVssComponent_GetRestoreTarget(IVssComponent *component, VSS_RESTORE_TARGET *pTarget) {
        HRESULT hr;

        if (!pTarget)
                return last_error_argument(__func__, "pTarget is NULL");
        *pTarget = VSS_RT_UNDEFINED;
        hr = component_enter_restore(component, __func__);
        if (SUCCEEDED(hr))
                *pTarget = (VSS_RESTORE_TARGET)backup_component_number(
                        component->component, BACKUP_NUMBER_RESTORE_TARGET);
        return hr;
}

/* Each side: a directory, a file's name, ranges. */
static int check_directed_target(struct backup_entry *e, struct vss_error *reterr) {
        static const char *const paths[] = { "The source's path", "The destination's path" };
        static const char *const names[] = { "The source's name", "The destination's name" };
        static const char *const ranges[] = { "The source's ranges", "The destination's ranges" };
        int r = 0;

        for (size_t side = 0; side < 2 && r >= 0; side++) {
                const char **texts = &e->texts[3 * side];

                r = check_path(texts[0], paths[side], reterr);
                if (r >= 0)
                        r = check_file_name(texts[1], names[side], reterr);
                if (r >= 0)
                        r = range_list_check(texts[2], ranges[side], &texts[2], reterr);
        }
        /* What stands in files is seen by who restores. */
        if (r >= 0 && range_list_is(e->texts[2]) && range_list_is(e->texts[5]) &&
            !range_lists_match(e->texts[2], e->texts[5]))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The ranges '%s' and '%s' do not match: there must be as "
                                     "many, each as long as its counterpart",
                                     e->texts[2], e->texts[5]);
        return r;
}

HRESULT IVssComponent_AddDirectedTarget(IVssComponent *component, LPCWSTR wszSourcePath,
                                        LPCWSTR wszSourceFilename, LPCWSTR wszSourceRangeList,
                                        LPCWSTR wszDestinationPath, LPCWSTR wszDestinationFilename,
                                        LPCWSTR wszDestinationRangeList) {
        struct backup_entry entry = {
                .texts = { wszSourcePath, wszSourceFilename, wszSourceRangeList, wszDestinationPath,
                           wszDestinationFilename, wszDestinationRangeList }
        };
        struct vss_error error = { 0 };
        HRESULT hr;

        for (size_t i = 0; i < BACKUP_ENTRY_TEXTS; i++)
                if (str_empty(entry.texts[i]))
                        return last_error_argument(__func__, "a text is NULL or empty");
        hr = component_enter_writer(component, __func__,
                                    component && backup_phase_may_add(component->view->phase,
                                                                      BACKUP_LIST_DIRECTED_TARGET));
        if (FAILED(hr))
                return hr;
        if (check_directed_target(&entry, &error) < 0 ||
            component_check_directed_source(component, &entry, &error) < 0)
                return last_error_raise(&error);
        return component_add_entry(component, BACKUP_LIST_DIRECTED_TARGET, &entry);
}

HRESULT IVssComponent_GetDirectedTargetCount(IVssComponent *component, UINT *pcDirectedTarget) {
        return component_count(component, __func__, BACKUP_LIST_DIRECTED_TARGET, pcDirectedTarget);
}

HRESULT IVssComponent_GetDirectedTarget(IVssComponent *component, UINT iDirectedTarget,
                                        BSTR *pbstrSourcePath, BSTR *pbstrSourceFileName,
                                        BSTR *pbstrSourceRangeList, BSTR *pbstrDestinationPath,
                                        BSTR *pbstrDestinationFilename,
                                        BSTR *pbstrDestinationRangeList) {
        BSTR *const texts[BACKUP_ENTRY_TEXTS] = {
                pbstrSourcePath,      pbstrSourceFileName,      pbstrSourceRangeList,
                pbstrDestinationPath, pbstrDestinationFilename, pbstrDestinationRangeList,
        };
        struct backup_entry entry;

        if (!component_clear_texts(texts, BACKUP_ENTRY_TEXTS))
                return last_error_argument(__func__, "an output is NULL");
        return component_get_entry(component, __func__, BACKUP_LIST_DIRECTED_TARGET,
                                   iDirectedTarget, texts, &entry);
}

HRESULT IVssComponent_SetRestoreMetadata(IVssComponent *component, LPCWSTR wszRestoreMetadata) {
        return component_set_text(component, __func__, BACKUP_TEXT_RESTORE_METADATA, true,
                                  wszRestoreMetadata);
}

HRESULT IVssComponent_GetRestoreMetadata(IVssComponent *component, BSTR *pbstrRestoreMetadata) {
        return component_get_text(component, __func__, BACKUP_TEXT_RESTORE_METADATA,
                                  pbstrRestoreMetadata);
}

static HRESULT get_message(const IVssComponent *c, const char *function, enum backup_text what,
                           BSTR *ret) {
        HRESULT hr;

        if (!ret)
                return last_error_argument(function, "the output is NULL");
        *ret = NULL;
        hr = component_enter_restore(c, function);
        return FAILED(hr) ? hr : component_get_text(c, function, what, ret);
}

HRESULT IVssComponent_SetPreRestoreFailureMsg(IVssComponent *component,
                                              LPCWSTR wszPreRestoreFailureMsg) {
        return component_set_text(component, __func__, BACKUP_TEXT_PRE_RESTORE_FAILURE, false,
                                  wszPreRestoreFailureMsg);
}

HRESULT IVssComponent_GetPreRestoreFailureMsg(IVssComponent *component,
                                              BSTR *pbstrPreRestoreFailureMsg) {
        return get_message(component, __func__, BACKUP_TEXT_PRE_RESTORE_FAILURE,
                           pbstrPreRestoreFailureMsg);
}

HRESULT IVssComponent_SetPostRestoreFailureMsg(IVssComponent *component,
                                               LPCWSTR wszPostRestoreFailureMsg) {
        return component_set_text(component, __func__, BACKUP_TEXT_POST_RESTORE_FAILURE, false,
                                  wszPostRestoreFailureMsg);
}

HRESULT IVssComponent_GetPostRestoreFailureMsg(IVssComponent *component,
                                               BSTR *pbstrPostRestoreFailureMsg) {
        return get_message(component, __func__, BACKUP_TEXT_POST_RESTORE_FAILURE,
                           pbstrPostRestoreFailureMsg);
}

HRESULT IVssComponentEx_GetAuthoritativeRestore(IVssComponent *component, bool *pbAuth) {
        HRESULT hr =
                component_get_flag(component, __func__, BACKUP_FLAG_AUTHORITATIVE_RESTORE, pbAuth);

        return hr == S_FALSE ? S_OK : hr; /* not set is false here */
}

HRESULT IVssComponentEx_GetRollForward(IVssComponent *component, VSS_ROLLFORWARD_TYPE *pRollType,
                                       BSTR *pbstrPoint) {
        HRESULT hr;

        if (pRollType)
                *pRollType = VSS_RF_UNDEFINED;
        if (pbstrPoint)
                *pbstrPoint = NULL;
        if (!pRollType || !pbstrPoint)
                return last_error_argument(__func__, "an output is NULL");
        hr = component_get_text(component, __func__, BACKUP_TEXT_ROLL_FORWARD_POINT, pbstrPoint);
        if (FAILED(hr))
                return hr;
        *pRollType = (VSS_ROLLFORWARD_TYPE)backup_component_number(component->component,
                                                                   BACKUP_NUMBER_ROLL_FORWARD);
        return S_OK;
}

HRESULT IVssComponentEx_GetRestoreName(IVssComponent *component, BSTR *pbstrName) {
        return component_get_text(component, __func__, BACKUP_TEXT_RESTORE_NAME, pbstrName);
}
