/* Names of writers, turned into the ids that the requester's API takes. */

#include "cli/writer-selection.h"

#include "cli/message.h"

static void free_writers(VSS_WRITER_INFO ***w) {
        VssFreeWriters(*w);
}

static bool same_id(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

static HRESULT exclude_name(IVssBackupComponents *backup, VSS_WRITER_INFO **writers,
                            const char *name) {
        bool found = false;

        for (VSS_WRITER_INFO **w = writers; *w; w++) {
                HRESULT hr;

                if (!streq((*w)->name, name) && !streq(str_or_empty((*w)->instance_name), name))
                        continue;
                found = true;
                hr = IVssBackupComponents_DisableWriterInstances(backup, &(*w)->instance_id, 1);
                if (FAILED(hr))
                        return hr;
        }
        if (!found)
                message(MESSAGE_WARNING,
                        "no writer is called '%s', so there is nothing to exclude; 'vssctl "
                        "writers' lists those that are registered",
                        name);
        return S_OK;
}

static HRESULT exclude_id(IVssBackupComponents *backup, VSS_WRITER_INFO **writers, VSS_ID id) {
        for (VSS_WRITER_INFO **w = writers; *w; w++)
                if (same_id((*w)->instance_id, id))
                        return IVssBackupComponents_DisableWriterInstances(backup, &id, 1);
        return IVssBackupComponents_DisableWriterClasses(backup, &id, 1);
}

HRESULT writer_selection_apply(IVssBackupComponents *backup, char *const *exclude) {
        _cleanup_(free_writers) VSS_WRITER_INFO **writers = NULL;
        HRESULT hr;

        if (strv_length(exclude) == 0)
                return S_OK;
        hr = VssListWriters(&writers, NULL);
        if (FAILED(hr))
                return hr;

        STRV_FOREACH (word, exclude) {
                VSS_ID id;

                if (SUCCEEDED(VssIdFromString(*word, &id)))
                        hr = exclude_id(backup, writers, id);
                else
                        hr = exclude_name(backup, writers, *word);
                if (FAILED(hr))
                        return hr;
        }
        return S_OK;
}
