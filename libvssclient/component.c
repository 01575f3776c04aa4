/* What the methods of IVssComponent are made of, and its identity. */

#include "libvssclient/component.h"
#include "libvssclient/last-error.h"
#include "libvssclient/wm-filedesc.h"

ULONG IVssComponent_AddRef(IVssComponent *component) {
        return component ? atomic_fetch_add(&component->refs, 1) + 1 : 0;
}

ULONG IVssComponent_Release(IVssComponent *component) {
        unsigned left;

        if (!component)
                return 0;
        left = atomic_fetch_sub(&component->refs, 1) - 1;
        if (left == 0) {
                component_view_unref(component->view);
                free(component);
        }
        return left;
}

static HRESULT refuse(HRESULT hr, const char *function, const char *why) {
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, hr, 0, "%s: %s", function, why);
        return last_error_raise(&error);
}

static HRESULT out_of_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

HRESULT component_enter(const IVssComponent *c, const char *function) {
        struct vss_error error = { 0 };

        if (!c)
                return last_error_argument(function, "the IVssComponent is NULL");
        if (component_view_check(c->view, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT component_enter_restore(const IVssComponent *c, const char *function) {
        HRESULT hr = component_enter(c, function);

        if (SUCCEEDED(hr) && !c->view->restore)
                hr = refuse(VSS_E_BAD_STATE, function, "this is a backup, not a restore");
        return hr;
}

HRESULT component_enter_writer(const IVssComponent *c, const char *function, bool allowed) {
        HRESULT hr = component_enter(c, function);

        if (FAILED(hr))
                return hr;
        if (c->view->role != COMPONENT_ROLE_WRITER)
                return refuse(VSS_E_BAD_STATE, function,
                              "only the writer may change its component; a requester reads it");
        if (!allowed)
                return refuse(VSS_E_BAD_STATE, function,
                              "a writer may not change this in the handler that runs");
        return S_OK;
}

static HRESULT copy_out(const char *function, const char *text, BSTR *ret) {
        if (!text)
                return S_FALSE;
        *ret = strdup(text);
        return *ret ? S_OK : out_of_memory(function);
}

HRESULT component_get_text(const IVssComponent *c, const char *function, enum backup_text what,
                           BSTR *ret) {
        HRESULT hr;

        if (!ret)
                return last_error_argument(function, "the output is NULL");
        *ret = NULL;
        hr = component_enter(c, function);
        return FAILED(hr) ? hr : copy_out(function, backup_component_text(c->component, what), ret);
}

HRESULT component_get_flag(const IVssComponent *c, const char *function, enum backup_flag what,
                           bool *ret) {
        HRESULT hr;
        int value;

        if (!ret)
                return last_error_argument(function, "the output is NULL");
        *ret = false;
        hr = component_enter(c, function);
        if (FAILED(hr))
                return hr;
        value = backup_component_flag(c->component, what);
        *ret = value == 1;
        return value < 0 ? S_FALSE : S_OK;
}

HRESULT component_count(const IVssComponent *c, const char *function, enum backup_list list,
                        UINT *ret) {
        HRESULT hr;

        if (!ret)
                return last_error_argument(function, "the output is NULL");
        *ret = 0;
        hr = component_enter(c, function);
        if (SUCCEEDED(hr))
                *ret = (UINT)backup_component_n_entries(c->component, list);
        return hr;
}

HRESULT component_set_text(IVssComponent *c, const char *function, enum backup_text what, bool once,
                           const char *text) {
        struct vss_error error = { 0 };
        HRESULT hr;

        if (str_empty(text))
                return last_error_argument(function, "the text is NULL or empty");
        hr = component_enter_writer(c, function,
                                    c && backup_phase_may_set_text(c->view->phase, what));
        if (FAILED(hr))
                return hr;
        if (once && backup_component_text(c->component, what))
                return refuse(VSS_E_OBJECT_ALREADY_EXISTS, function,
                              "it was called before for this component; once is all there is");
        if (backup_component_set_text(c->component, what, text, &error) < 0)
                return last_error_raise(&error);
        c->view->changed = true;
        return S_OK;
}

bool component_clear_texts(BSTR *const texts[BACKUP_ENTRY_TEXTS], size_t n) {
        bool complete = true;

        for (size_t i = 0; i < n; i++)
                if (texts[i])
                        *texts[i] = NULL;
                else
                        complete = false;
        return complete;
}

HRESULT component_get_entry(const IVssComponent *c, const char *function, enum backup_list list,
                            UINT i, BSTR *const texts[BACKUP_ENTRY_TEXTS],
                            struct backup_entry *ret) {
        HRESULT hr = component_enter(c, function);

        if (FAILED(hr))
                return hr;
        if (!backup_component_entry(c->component, list, i, ret))
                return refuse(VSS_E_OBJECT_NOT_FOUND, function, "there is no such index");
        for (size_t t = 0; t < BACKUP_ENTRY_TEXTS; t++) {
                if (!texts[t] || !ret->texts[t])
                        continue;
                *texts[t] = strdup(ret->texts[t]);
                if (*texts[t])
                        continue;
                while (t-- > 0)
                        if (texts[t]) {
                                free(*texts[t]);
                                *texts[t] = NULL;
                        }
                return out_of_memory(function);
        }
        return S_OK;
}

HRESULT component_get_files(const IVssComponent *c, const char *function, enum backup_list list,
                            UINT i, IVssWMFiledesc **ret) {
        struct writer_metadata_files files = {
                .backup_type_mask = VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED,
        };
        struct vss_error error = { 0 };
        struct backup_entry entry;
        HRESULT hr;

        if (!ret)
                return last_error_argument(function, "ppFiledesc is NULL");
        *ret = NULL;
        hr = component_enter(c, function);
        if (FAILED(hr))
                return hr;
        if (!backup_component_entry(c->component, list, i, &entry))
                return refuse(VSS_E_OBJECT_NOT_FOUND, function, "there is no such index");
        files.path = entry.texts[0];
        files.filespec = entry.texts[1];
        files.alternate_path = entry.texts[2];
        files.recursive = entry.flag;
        if (filedesc_new_copy(ret, &files, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT component_add_entry(IVssComponent *c, enum backup_list list,
                            const struct backup_entry *entry) {
        struct vss_error error = { 0 };

        if (backup_component_add_entry(c->component, list, entry, &error) < 0)
                return last_error_raise(&error);
        c->view->changed = true;
        return S_OK;
}

HRESULT IVssComponent_GetLogicalPath(IVssComponent *component, BSTR *pbstrPath) {
        const char *path;
        HRESULT hr;

        if (!pbstrPath)
                return last_error_argument(__func__, "pbstrPath is NULL");
        *pbstrPath = NULL;
        hr = component_enter(component, __func__);
        if (FAILED(hr))
                return hr;
        path = backup_component_logical_path(component->component);
        return copy_out(__func__, str_empty(path) ? NULL : path, pbstrPath);
}

HRESULT IVssComponent_GetComponentType(IVssComponent *component, VSS_COMPONENT_TYPE *pct) {
        HRESULT hr;

        if (!pct)
                return last_error_argument(__func__, "pct is NULL");
        *pct = VSS_CT_UNDEFINED;
        hr = component_enter(component, __func__);
        if (SUCCEEDED(hr))
                *pct = backup_component_type(component->component);
        return hr;
}

HRESULT IVssComponent_GetComponentName(IVssComponent *component, BSTR *pbstrName) {
        HRESULT hr;

        if (!pbstrName)
                return last_error_argument(__func__, "pbstrName is NULL");
        *pbstrName = NULL;
        hr = component_enter(component, __func__);
        if (FAILED(hr))
                return hr;
        return copy_out(__func__, str_or_empty(backup_component_name(component->component)),
                        pbstrName);
}
