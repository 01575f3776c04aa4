/* The document is read by an object of its own: the service knows what is in it. */

#include "cli/previous-backup.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/saved-documents.h"

#include <vss/vsslinux.h>

static void release_backup(IVssBackupComponents **b) {
        (void)IVssBackupComponents_Release(*b);
}

static void release_components(IVssWriterComponents **c) {
        (void)IVssWriterComponentsExt_Release(*c);
}

static void release_component(IVssComponent **c) {
        (void)IVssComponent_Release(*c);
}

static void free_text(BSTR *text) {
        SysFreeString(*text);
}

/* A component that is not in this backup, and one without a stamp, are passed over. */
static HRESULT apply_component(IVssBackupComponents *backup, VSS_ID writer, IVssComponent *c) {
        _cleanup_(free_text) BSTR stamp = NULL, path = NULL, name = NULL;
        VSS_COMPONENT_TYPE type;
        HRESULT hr;

        hr = IVssComponent_GetBackupStamp(c, &stamp);
        if (hr != S_OK)
                return hr;
        hr = IVssComponent_GetLogicalPath(c, &path);
        if (SUCCEEDED(hr))
                hr = IVssComponent_GetComponentName(c, &name);
        if (SUCCEEDED(hr))
                hr = IVssComponent_GetComponentType(c, &type);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_SetPreviousBackupStamp(backup, writer, type, path, name,
                                                                 stamp);
        return hr == VSS_E_OBJECT_NOT_FOUND ? S_OK : hr;
}

static HRESULT apply_writer(IVssBackupComponents *backup, IVssBackupComponents *previous, UINT i) {
        _cleanup_(release_components) IVssWriterComponents *components = NULL;
        VSS_ID instance, writer;
        UINT n = 0;
        HRESULT hr;

        hr = IVssBackupComponents_GetWriterComponents(previous, i, &components);
        if (SUCCEEDED(hr))
                hr = IVssWriterComponents_GetWriterInfo(components, &instance, &writer);
        if (SUCCEEDED(hr))
                hr = IVssWriterComponents_GetComponentCount(components, &n);
        for (UINT k = 0; SUCCEEDED(hr) && k < n; k++) {
                _cleanup_(release_component) IVssComponent *c = NULL;

                hr = IVssWriterComponents_GetComponent(components, k, &c);
                if (SUCCEEDED(hr))
                        hr = apply_component(backup, writer, c);
        }
        return hr;
}

int previous_backup_apply(IVssBackupComponents *backup, const char *path) {
        _cleanup_(saved_documents_done) struct saved_documents documents = { 0 };
        _cleanup_(release_backup) IVssBackupComponents *previous = NULL;
        UINT n = 0;
        HRESULT hr;
        int r;

        r = saved_documents_read(&documents, path);
        if (r != EXIT_DONE)
                return r;
        hr = CreateVssBackupComponents(&previous);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_InitializeForRestore(previous, documents.components);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_GetWriterComponentsCount(previous, &n);
        for (UINT i = 0; SUCCEEDED(hr) && i < n; i++)
                hr = apply_writer(backup, previous, i);
        return FAILED(hr) ? message_hresult(hr, "%s", path) : EXIT_DONE;
}
