/* IVssBackupComponents and the objects that it hands out of documents: what a writer said of
 * itself, and its components. The service sends text; it is parsed here, and each object then lives
 * by itself. */

#include "libvssclient/backup-components.h"
#include "libvssclient/examine-metadata.h"
#include "libvssclient/last-error.h"
#include "libvssclient/writer-components.h"

/* NULL: no memory to map a document with that came as a descriptor. None at all is an empty one. */
static const char *text_of(struct document *d, struct vss_error *reterr) {
        const char *text = d ? document_text(d) : "";

        if (!text)
                (void)vss_error_from_errno(reterr, -ENOMEM, "Reading a document of the service");
        return text;
}

static size_t size_of(const struct document *d) {
        return d ? document_size(d) : 0;
}

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
        const char *text;

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
        text = text_of(document, &error);
        if (!text || examine_metadata_parse(ppMetadata, text, size_of(document), &error) < 0) {
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
        const char *text;
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
                         ARRAY_SIZE(arguments), NULL, &error) < 0)
                return last_error_raise(&error);
        text = text_of(document, &error);
        if (!text || writer_components_new_for_requester(ppWriter, backup->generation,
                                                         backup->restore, instance, class, text,
                                                         size_of(document), &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}
