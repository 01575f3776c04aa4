/* IVssExpressWriter, which hands a document to the service, and
 * IVssCreateExpressWriterMetadata, which makes one: IVssCreateWriterMetadata with the rules of
 * common/express-rules.h before it. */

#include "common/document.h"
#include "common/express-rules.h"
#include "common/vss-id.h"
#include "libvssclient/call.h"
#include "libvssclient/create-writer-metadata.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>

struct IVssCreateExpressWriterMetadata {
        atomic_uint refs;
        IVssCreateWriterMetadata *inner;
};

/* Has one of both documents, or none yet. */
struct IVssExpressWriter {
        atomic_uint refs;
        IVssCreateExpressWriterMetadata *made;
        struct writer_metadata *loaded;
};

#define MANAGER_INTERFACE VSS_BUS_NAME ".Manager"
#define NO_OBJECT "the IVssExpressWriter is NULL"
#define NO_METADATA "the IVssCreateExpressWriterMetadata is NULL"

static HRESULT out_of_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

static void forget_documents(IVssExpressWriter *e) {
        IVssCreateExpressWriterMetadata_Release(TAKE_PTR(e->made));
        (void)writer_metadata_free(TAKE_PTR(e->loaded));
}

/* A method of the service with one argument, a text or (text being NULL) a document. */
static int call_manager(const char *method, const char *text, struct document *document,
                        struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *connection = NULL;
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        DBusMessageIter iter;
        int r;

        r = connection_open(&connection, reterr);
        if (r < 0)
                return r;
        r = call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, method, reterr, DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        dbus_message_iter_init_append(call, &iter);
        if (text)
                r = dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &text) ? 0 : -ENOMEM;
        else
                r = document_append(&iter, document);
        if (r < 0)
                return vss_error_from_errno(reterr, r, method);
        r = connection_call(connection, call, CALL_TIMEOUT_MSEC, NULL, reterr);
        connection_close(connection);
        return r;
}

static int unregister(VSS_ID writer_id, struct vss_error *reterr) {
        return call_manager("UnregisterExpressWriter", VSS_ID_TEXT(writer_id), NULL, reterr);
}

/* Who may not unregister may not register, either; and nobody can have registered GUID_NULL. */
static int check_access(struct vss_error *reterr) {
        struct vss_error error = { 0 };
        int r;

        r = unregister(GUID_NULL, &error);
        if (r < 0 && error.hr != VSS_E_OBJECT_NOT_FOUND && error.hr != E_INVALIDARG)
                vss_error_move(reterr, &error);
        else
                r = 0;
        vss_error_done(&error);
        return r;
}

HRESULT CreateVssExpressWriter(IVssExpressWriter **ppWriter) {
        struct vss_error error = { 0 };
        IVssExpressWriter *e;

        if (!ppWriter)
                return last_error_argument(__func__, "ppWriter is NULL");
        *ppWriter = NULL;
        if (check_access(&error) < 0)
                return last_error_raise(&error);
        e = calloc(1, sizeof(*e));
        if (!e)
                return out_of_memory(__func__);
        atomic_init(&e->refs, 1);
        *ppWriter = e;
        return S_OK;
}

HRESULT CreateVssExpressWriterInternal(IVssExpressWriter **ppWriter) {
        return CreateVssExpressWriter(ppWriter);
}

ULONG IVssExpressWriter_AddRef(IVssExpressWriter *express) {
        return express ? atomic_fetch_add(&express->refs, 1) + 1 : 0;
}

ULONG IVssExpressWriter_Release(IVssExpressWriter *express) {
        unsigned left;

        if (!express)
                return 0;
        left = atomic_fetch_sub(&express->refs, 1) - 1;
        if (left == 0) {
                forget_documents(express);
                free(express);
        }
        return left;
}

static int new_metadata(IVssCreateExpressWriterMetadata **ret,
                        struct writer_metadata_identity *identity, struct vss_error *reterr) {
        _cleanup_(create_metadata_freep) IVssCreateWriterMetadata *inner = NULL;
        IVssCreateExpressWriterMetadata *m;
        int r;

        r = express_rules_check(EXPRESS_USAGE, (uint32_t)identity->usage, reterr);
        if (r < 0)
                return r;
        r = vss_id_random(&identity->instance_id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "An id for the express writer");
        r = create_metadata_new(&inner, identity, reterr);
        if (r < 0)
                return r;
        m = malloc(sizeof(*m));
        if (!m)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
        atomic_init(&m->refs, 1);
        m->inner = TAKE_PTR(inner);
        *ret = m;
        return 0;
}

HRESULT IVssExpressWriter_CreateMetadata(IVssExpressWriter *express, VSS_ID writerId,
                                         LPCWSTR writerName, VSS_USAGE_TYPE usageType,
                                         DWORD versionMajor, DWORD versionMinor, DWORD reserved,
                                         IVssCreateExpressWriterMetadata **ppMetadata) {
        struct writer_metadata_identity identity = {
                .writer_id = writerId,
                .name = writerName,
                .usage = usageType,
                .source = VSS_ST_OTHER,
                .major_version = versionMajor,
                .minor_version = versionMinor,
        };
        IVssCreateExpressWriterMetadata *metadata = NULL;
        struct vss_error error = { 0 };

        if (!ppMetadata)
                return last_error_argument(__func__, "ppMetadata is NULL");
        *ppMetadata = NULL;
        if (!express)
                return last_error_argument(__func__, NO_OBJECT);
        if (vss_id_is_null(writerId) || reserved != 0)
                return last_error_argument(__func__, "writerId is GUID_NULL, or reserved is not 0");
        if (new_metadata(&metadata, &identity, &error) < 0)
                return last_error_raise(&error);
        forget_documents(express);
        express->made = metadata;
        IVssCreateExpressWriterMetadata_AddRef(metadata);
        *ppMetadata = metadata;
        return S_OK;
}

HRESULT IVssExpressWriter_LoadMetadata(IVssExpressWriter *express, LPCWSTR metadata,
                                       DWORD reserved) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        struct vss_error error = { 0 };

        if (!express)
                return last_error_argument(__func__, NO_OBJECT);
        if (str_empty(metadata) || reserved != 0)
                return last_error_argument(__func__,
                                           "metadata is NULL or empty, or reserved is not 0");
        if (writer_metadata_parse(&m, metadata, strlen(metadata), &error) < 0)
                return last_error_raise(&error);
        if (express_rules_check_document(m, &error) < 0) {
                (void)last_error_argument(__func__, str_or_empty(error.message));
                vss_error_done(&error);
                return E_INVALIDARG;
        }
        forget_documents(express);
        express->loaded = TAKE_PTR(m);
        return S_OK;
}

static int make_text(const IVssExpressWriter *e, struct document **ret, struct vss_error *reterr) {
        char *text;
        int r;

        if (!e->made && !e->loaded)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "There is nothing to register: call CreateMetadata or "
                                     "LoadMetadata before");
        if (e->made)
                r = create_metadata_finish(e->made->inner, &text, reterr);
        else
                r = writer_metadata_to_xml(e->loaded, &text, reterr);
        return r < 0 ? r : document_new(ret, text, strlen(text), reterr);
}

HRESULT IVssExpressWriter_Register(IVssExpressWriter *express) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        struct vss_error error = { 0 };

        if (!express)
                return last_error_argument(__func__, NO_OBJECT);
        if (make_text(express, &document, &error) < 0 ||
            call_manager("RegisterExpressWriter", NULL, document, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssExpressWriter_Unregister(IVssExpressWriter *express, VSS_ID writerId) {
        struct vss_error error = { 0 };

        if (!express)
                return last_error_argument(__func__, NO_OBJECT);
        if (vss_id_is_null(writerId))
                return last_error_argument(__func__, "writerId is GUID_NULL");
        if (unregister(writerId, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

ULONG IVssCreateExpressWriterMetadata_AddRef(IVssCreateExpressWriterMetadata *metadata) {
        return metadata ? atomic_fetch_add(&metadata->refs, 1) + 1 : 0;
}

ULONG IVssCreateExpressWriterMetadata_Release(IVssCreateExpressWriterMetadata *metadata) {
        unsigned left;

        if (!metadata)
                return 0;
        left = atomic_fetch_sub(&metadata->refs, 1) - 1;
        if (left == 0) {
                (void)create_metadata_free(metadata->inner);
                free(metadata);
        }
        return left;
}

HRESULT IVssCreateExpressWriterMetadata_AddExcludeFiles(IVssCreateExpressWriterMetadata *metadata,
                                                        LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                        bool bRecursive) {
        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        return IVssCreateWriterMetadata_AddExcludeFiles(metadata->inner, wszPath, wszFilespec,
                                                        bRecursive);
}

HRESULT IVssCreateExpressWriterMetadata_AddComponent(
        IVssCreateExpressWriterMetadata *metadata, VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
        LPCWSTR wszComponentName, LPCWSTR wszCaption, const BYTE *pbIcon, UINT cbIcon,
        bool bRestoreMetadata, bool bNotifyOnBackupComplete, bool bSelectable,
        bool bSelectableForRestore, DWORD dwComponentFlags) {
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        if (express_rules_check(EXPRESS_COMPONENT_TYPE, (uint32_t)ct, &error) < 0 ||
            express_rules_check(EXPRESS_COMPONENT_FLAGS, dwComponentFlags, &error) < 0)
                return last_error_raise(&error);
        return IVssCreateWriterMetadata_AddComponent(
                metadata->inner, ct, wszLogicalPath, wszComponentName, wszCaption, pbIcon, cbIcon,
                bRestoreMetadata, bNotifyOnBackupComplete, bSelectable, bSelectableForRestore,
                dwComponentFlags);
}

HRESULT IVssCreateExpressWriterMetadata_AddFilesToFileGroup(
        IVssCreateExpressWriterMetadata *metadata, LPCWSTR wszLogicalPath, LPCWSTR wszGroupName,
        LPCWSTR wszPath, LPCWSTR wszFilespec, bool bRecursive, LPCWSTR wszAlternateLocation,
        DWORD dwBackupTypeMask) {
        const struct writer_metadata_files files = {
                .alternate_path = wszAlternateLocation,
                .backup_type_mask = dwBackupTypeMask,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        if (express_rules_check_files(&files, &error) < 0)
                return last_error_raise(&error);
        return IVssCreateWriterMetadata_AddFilesToFileGroup(metadata->inner, wszLogicalPath,
                                                            wszGroupName, wszPath, wszFilespec,
                                                            bRecursive, NULL, dwBackupTypeMask);
}

HRESULT IVssCreateExpressWriterMetadata_SetRestoreMethod(IVssCreateExpressWriterMetadata *metadata,
                                                         VSS_RESTOREMETHOD_ENUM method,
                                                         LPCWSTR wszService,
                                                         LPCWSTR wszUserProcedure,
                                                         VSS_WRITERRESTORE_ENUM writerRestore,
                                                         bool bRebootRequired) {
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        if (express_rules_check(EXPRESS_RESTORE_METHOD, (uint32_t)method, &error) < 0 ||
            express_rules_check(EXPRESS_WRITER_RESTORE, (uint32_t)writerRestore, &error) < 0)
                return last_error_raise(&error);
        return IVssCreateWriterMetadata_SetRestoreMethod(metadata->inner, method, wszService,
                                                         wszUserProcedure, writerRestore,
                                                         bRebootRequired);
}

HRESULT IVssCreateExpressWriterMetadata_AddComponentDependency(
        IVssCreateExpressWriterMetadata *metadata, LPCWSTR wszForLogicalPath,
        LPCWSTR wszForComponentName, VSS_ID onWriterId, LPCWSTR wszOnLogicalPath,
        LPCWSTR wszOnComponentName) {
        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        return IVssCreateWriterMetadata_AddComponentDependency(
                metadata->inner, wszForLogicalPath, wszForComponentName, onWriterId,
                wszOnLogicalPath, wszOnComponentName);
}

HRESULT IVssCreateExpressWriterMetadata_SetBackupSchema(IVssCreateExpressWriterMetadata *metadata,
                                                        DWORD dwSchemaMask) {
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        if (express_rules_check(EXPRESS_SCHEMA, dwSchemaMask, &error) < 0)
                return last_error_raise(&error);
        return IVssCreateWriterMetadata_SetBackupSchema(metadata->inner, dwSchemaMask);
}

HRESULT IVssCreateExpressWriterMetadata_SaveAsXML(IVssCreateExpressWriterMetadata *metadata,
                                                  BSTR *pbstrXML) {
        if (pbstrXML)
                *pbstrXML = NULL;
        if (!metadata)
                return last_error_argument(__func__, NO_METADATA);
        return IVssCreateWriterMetadata_SaveAsXML(metadata->inner, pbstrXML);
}
