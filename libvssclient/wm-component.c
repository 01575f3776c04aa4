/* A component as its writer describes it, and what it depends on. */

#include "libvssclient/wm-component.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>

struct IVssWMComponent {
        atomic_uint refs;
        struct wm_document *document;
        size_t index;
};

struct IVssWMDependency {
        atomic_uint refs;
        struct wm_document *document;
        struct writer_metadata_dependency on; /* its texts are the document's */
};

#define NO_OBJECT "the IVssWMComponent is NULL"
#define NO_DEPENDENCY "the IVssWMDependency is NULL"

static HRESULT out_of_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

int wm_component_new(IVssWMComponent **ret, struct wm_document *document, size_t i,
                     struct vss_error *reterr) {
        IVssWMComponent *c = malloc(sizeof(*c));

        if (!c)
                return vss_error_from_errno(reterr, -ENOMEM, "A component");
        atomic_init(&c->refs, 1);
        c->document = wm_document_ref(document);
        c->index = i;
        *ret = c;
        return 0;
}

ULONG IVssWMComponent_AddRef(IVssWMComponent *component) {
        return component ? atomic_fetch_add(&component->refs, 1) + 1 : 0;
}

ULONG IVssWMComponent_Release(IVssWMComponent *component) {
        unsigned left;

        if (!component)
                return 0;
        left = atomic_fetch_sub(&component->refs, 1) - 1;
        if (left == 0) {
                wm_document_unref(component->document);
                free(component);
        }
        return left;
}

static void info_free(VSS_COMPONENTINFO *info) {
        if (!info)
                return;
        free(info->bstrLogicalPath);
        free(info->bstrComponentName);
        free(info->bstrCaption);
        free(info->pbIcon);
        free(info);
}

static void info_freep(VSS_COMPONENTINFO **info) {
        info_free(*info);
        *info = NULL;
}

static bool copy_icon(VSS_COMPONENTINFO *info, const struct writer_metadata_component *c) {
        if (c->icon_size == 0)
                return true;
        info->pbIcon = malloc(c->icon_size);
        if (!info->pbIcon)
                return false;
        memcpy(info->pbIcon, c->icon, c->icon_size);
        info->cbIcon = (UINT)c->icon_size;
        return true;
}

HRESULT IVssWMComponent_GetComponentInfo(IVssWMComponent *component, PVSSCOMPONENTINFO *ppInfo) {
        _cleanup_(info_freep) VSS_COMPONENTINFO *info = NULL;
        const struct writer_metadata_component *c;
        const struct writer_metadata *m;
        size_t i;

        if (!ppInfo)
                return last_error_argument(__func__, "ppInfo is NULL");
        *ppInfo = NULL;
        if (!component)
                return last_error_argument(__func__, NO_OBJECT);
        m = wm_document_get(component->document);
        i = component->index;
        c = writer_metadata_component(m, i);
        info = calloc(1, sizeof(*info));
        if (!info)
                return out_of_memory(__func__);
        info->bstrComponentName = strdup(str_or_empty(c->name));
        if (!info->bstrComponentName || !wm_copy_text(c->logical_path, &info->bstrLogicalPath) ||
            !wm_copy_text(c->caption, &info->bstrCaption) || !copy_icon(info, c))
                return out_of_memory(__func__);
        info->type = c->type;
        info->bRestoreMetadata = c->restore_metadata;
        info->bNotifyOnBackupComplete = c->notify_on_backup_complete;
        info->bSelectable = c->selectable;
        info->bSelectableForRestore = c->selectable_for_restore;
        info->dwComponentFlags = c->flags;
        info->cFileCount = (UINT)writer_metadata_n_files(m, WRITER_METADATA_FILES, i);
        info->cDatabases = (UINT)writer_metadata_n_files(m, WRITER_METADATA_DATABASE_FILES, i);
        info->cLogFiles = (UINT)writer_metadata_n_files(m, WRITER_METADATA_DATABASE_LOG_FILES, i);
        info->cDependencies = (UINT)writer_metadata_n_dependencies(m, i);
        *ppInfo = TAKE_PTR(info);
        return S_OK;
}

HRESULT IVssWMComponent_FreeComponentInfo(IVssWMComponent *component, PVSSCOMPONENTINFO pInfo) {
        if (!component)
                return last_error_argument(__func__, NO_OBJECT);
        info_free((VSS_COMPONENTINFO *)pInfo); /* made here, and const for the caller only */
        return S_OK;
}

static HRESULT get_files(IVssWMComponent *component, const char *function,
                         enum writer_metadata_list list, UINT i, IVssWMFiledesc **ret) {
        if (!ret)
                return last_error_argument(function, "ppFiledesc is NULL");
        *ret = NULL;
        if (!component)
                return last_error_argument(function, NO_OBJECT);
        return wm_document_files(component->document, function, list, component->index, i, ret);
}

HRESULT IVssWMComponent_GetFile(IVssWMComponent *component, UINT iFile,
                                IVssWMFiledesc **ppFiledesc) {
        return get_files(component, __func__, WRITER_METADATA_FILES, iFile, ppFiledesc);
}

HRESULT IVssWMComponent_GetDatabaseFile(IVssWMComponent *component, UINT iDBFile,
                                        IVssWMFiledesc **ppFiledesc) {
        return get_files(component, __func__, WRITER_METADATA_DATABASE_FILES, iDBFile, ppFiledesc);
}

HRESULT IVssWMComponent_GetDatabaseLogFile(IVssWMComponent *component, UINT iDbLogFile,
                                           IVssWMFiledesc **ppFiledesc) {
        return get_files(component, __func__, WRITER_METADATA_DATABASE_LOG_FILES, iDbLogFile,
                         ppFiledesc);
}

HRESULT IVssWMComponent_GetDependency(IVssWMComponent *component, UINT iDependency,
                                      IVssWMDependency **ppDependency) {
        struct writer_metadata_dependency on;
        struct vss_error error = { 0 };
        IVssWMDependency *d;

        if (!ppDependency)
                return last_error_argument(__func__, "ppDependency is NULL");
        *ppDependency = NULL;
        if (!component)
                return last_error_argument(__func__, NO_OBJECT);
        if (!writer_metadata_get_dependency(wm_document_get(component->document), component->index,
                                            iDependency, &on)) {
                (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                    "The component has no dependency %u", iDependency);
                return last_error_raise(&error);
        }
        d = malloc(sizeof(*d));
        if (!d)
                return out_of_memory(__func__);
        atomic_init(&d->refs, 1);
        d->document = wm_document_ref(component->document);
        d->on = on;
        *ppDependency = d;
        return S_OK;
}

ULONG IVssWMDependency_AddRef(IVssWMDependency *dependency) {
        return dependency ? atomic_fetch_add(&dependency->refs, 1) + 1 : 0;
}

ULONG IVssWMDependency_Release(IVssWMDependency *dependency) {
        unsigned left;

        if (!dependency)
                return 0;
        left = atomic_fetch_sub(&dependency->refs, 1) - 1;
        if (left == 0) {
                wm_document_unref(dependency->document);
                free(dependency);
        }
        return left;
}

HRESULT IVssWMDependency_GetWriterId(IVssWMDependency *dependency, VSS_ID *pWriterId) {
        if (!pWriterId)
                return last_error_argument(__func__, "pWriterId is NULL");
        *pWriterId = GUID_NULL;
        if (!dependency)
                return last_error_argument(__func__, NO_DEPENDENCY);
        *pWriterId = dependency->on.writer_id;
        return S_OK;
}

static HRESULT get_text(const IVssWMDependency *dependency, const char *function, const char *text,
                        BSTR *ret) {
        if (!dependency)
                return last_error_argument(function, NO_DEPENDENCY);
        if (!wm_copy_text(text, ret))
                return out_of_memory(function);
        return *ret ? S_OK : S_FALSE;
}

HRESULT IVssWMDependency_GetLogicalPath(IVssWMDependency *dependency, BSTR *pbstrLogicalPath) {
        if (!pbstrLogicalPath)
                return last_error_argument(__func__, "pbstrLogicalPath is NULL");
        *pbstrLogicalPath = NULL;
        return get_text(dependency, __func__, dependency ? dependency->on.logical_path : NULL,
                        pbstrLogicalPath);
}

HRESULT IVssWMDependency_GetComponentName(IVssWMDependency *dependency, BSTR *pbstrComponentName) {
        if (!pbstrComponentName)
                return last_error_argument(__func__, "pbstrComponentName is NULL");
        *pbstrComponentName = NULL;
        return get_text(dependency, __func__, dependency ? dependency->on.name : NULL,
                        pbstrComponentName);
}
