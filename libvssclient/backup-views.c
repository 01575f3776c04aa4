/* IVssBackupComponents and the objects that it hands out of documents: what a writer said of
 * itself, and its components. The service sends text; it is parsed here, and each object then lives
 * by itself. */

#include "libvssclient/backup-components.h"
#include "libvssclient/examine-metadata.h"
#include "libvssclient/last-error.h"
#include "libvssclient/writer-components.h"

HRESULT IVssBackupComponentsEx_GetWriterMetadataEx(IVssBackupComponents *backup, UINT iWriter,
                                                   VSS_ID *pidInstance,
                                                   IVssExamineWriterMetadataEx **ppMetadata) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        const struct argument arguments[] = {
                IN_NUMBER(iWriter),
                OUT_ID(pidInstance),
                OUT_DOCUMENT(&document),
        };
        struct vss_error error = { 0 };

        if (ppMetadata)
                *ppMetadata = NULL;
        if (!ppMetadata) {
                if (pidInstance)
                        *pidInstance = GUID_NULL;
                return last_error_argument(__func__, "ppMetadata is NULL");
        }
        if (session_call(backup, __func__, "GetWriterMetadata", CALL_TIMEOUT_MSEC, arguments,
                         ARRAY_SIZE(arguments), NULL, &error) < 0)
                return last_error_raise(&error);
        if (examine_metadata_parse(ppMetadata, document ? document_text(document) : "",
                                   document ? document_size(document) : 0, &error) < 0) {
                *pidInstance = GUID_NULL;
                return last_error_raise(&error);
        }
        return S_OK;
}

HRESULT IVssBackupComponents_GetWriterMetadata(IVssBackupComponents *backup, UINT iWriter,
                                               VSS_ID *pidInstance,
                                               IVssExamineWriterMetadata **ppMetadata) {
        return IVssBackupComponentsEx_GetWriterMetadataEx(backup, iWriter, pidInstance, ppMetadata);
}

HRESULT IVssBackupComponents_GetWriterComponents(IVssBackupComponents *backup, UINT iWriter,
                                                 IVssWriterComponentsExt **ppWriter) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        struct vss_error error = { 0 };
        VSS_ID instance, class;
        const struct argument arguments[] = {
                IN_NUMBER(iWriter),
                OUT_ID(&instance),
                OUT_ID(&class),
                OUT_DOCUMENT(&document),
        };

        if (!ppWriter)
                return last_error_argument(__func__, "ppWriter is NULL");
        *ppWriter = NULL;
        if (session_call(backup, __func__, "GetWriterComponents", CALL_TIMEOUT_MSEC, arguments,
                         ARRAY_SIZE(arguments), NULL, &error) < 0 ||
            writer_components_new_for_requester(ppWriter, backup->generation, backup->restore,
                                                instance, class,
                                                document ? document_text(document) : "",
                                                document ? document_size(document) : 0, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}
