/* What a saved document has for other hosts. */

#include "common/backup-snapshots.h"
#include "libvssclient/last-error.h"
#include <vss/vsslinux.h>

HRESULT VssGetTransportableSet(LPCWSTR document, VSS_ID *set) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        struct backup_snapshots found;
        struct vss_error error = { 0 };

        if (!set)
                return last_error_argument(__func__, "set is NULL");
        *set = GUID_NULL;
        if (!document)
                return last_error_argument(__func__, "document is NULL");
        if (backup_document_parse(&d, document, strlen(document), &error) < 0 ||
            backup_document_snapshots(d, &found, &error) < 0)
                return last_error_raise(&error);
        *set = found.set_id;
        return S_OK;
}
