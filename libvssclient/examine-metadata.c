/* IVssExamineWriterMetadata. */

#include "libvssclient/examine-metadata.h"
#include "common/xml-input.h"
#include "libvssclient/last-error.h"
#include "libvssclient/wm-component.h"
#include "libvssclient/wm-filedesc.h"
#include <stdatomic.h>

struct IVssExamineWriterMetadata {
        atomic_uint refs;
        struct wm_document *document;
};

#define NO_OBJECT "the IVssExamineWriterMetadata is NULL"

int examine_metadata_new(IVssExamineWriterMetadata **ret, struct writer_metadata *document,
                         struct vss_error *reterr) {
        IVssExamineWriterMetadata *e;
        struct wm_document *d;
        int r;

        r = wm_document_new(&d, document, reterr);
        if (r < 0)
                return r;
        e = malloc(sizeof(*e));
        if (!e) {
                wm_document_unref(d);
                return vss_error_from_errno(reterr, -ENOMEM, "A writer's metadata");
        }
        atomic_init(&e->refs, 1);
        e->document = d;
        *ret = e;
        return 0;
}

int examine_metadata_parse(IVssExamineWriterMetadata **ret, const char *text, size_t size,
                           struct vss_error *reterr) {
        struct writer_metadata *document;
        int r;

        r = writer_metadata_parse(&document, text, size, reterr);
        return r < 0 ? r : examine_metadata_new(ret, document, reterr);
}

struct wm_document *examine_metadata_ref(IVssExamineWriterMetadata *metadata) {
        return wm_document_ref(metadata->document);
}

HRESULT CreateVssExamineWriterMetadata(LPCWSTR bstrXML, IVssExamineWriterMetadata **ppMetadata) {
        struct vss_error error = { 0 };

        if (!ppMetadata)
                return last_error_argument(__func__, "ppMetadata is NULL");
        *ppMetadata = NULL;
        if (str_empty(bstrXML))
                return last_error_argument(__func__, "bstrXML is NULL or empty");
        if (examine_metadata_parse(ppMetadata, bstrXML, strlen(bstrXML), &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT CreateVssExamineWriterMetadataInternal(LPCWSTR bstrXML,
                                               IVssExamineWriterMetadata **ppMetadata) {
        return CreateVssExamineWriterMetadata(bstrXML, ppMetadata);
}

ULONG IVssExamineWriterMetadata_AddRef(IVssExamineWriterMetadata *metadata) {
        return metadata ? atomic_fetch_add(&metadata->refs, 1) + 1 : 0;
}

ULONG IVssExamineWriterMetadata_Release(IVssExamineWriterMetadata *metadata) {
        unsigned left;

        if (!metadata)
                return 0;
        left = atomic_fetch_sub(&metadata->refs, 1) - 1;
        if (left == 0) {
                wm_document_unref(metadata->document);
                free(metadata);
        }
        return left;
}

static HRESULT out_of_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

/* pbstrInstanceName: NULL if it is not asked for. */
static HRESULT get_identity(IVssExamineWriterMetadata *metadata, const char *function,
                            VSS_ID *pidInstance, VSS_ID *pidWriter, BSTR *pbstrWriterName,
                            BSTR *pbstrInstanceName, VSS_USAGE_TYPE *pUsage,
                            VSS_SOURCE_TYPE *pSource) {
        const struct writer_metadata_identity *identity;
        _cleanup_(freep) char *name = NULL;

        if (pidInstance)
                *pidInstance = GUID_NULL;
        if (pidWriter)
                *pidWriter = GUID_NULL;
        if (pbstrWriterName)
                *pbstrWriterName = NULL;
        if (pUsage)
                *pUsage = VSS_UT_UNDEFINED;
        if (pSource)
                *pSource = VSS_ST_UNDEFINED;
        if (!pidInstance || !pidWriter || !pbstrWriterName || !pUsage || !pSource)
                return last_error_argument(function, "an output is NULL");
        if (!metadata)
                return last_error_argument(function, NO_OBJECT);
        identity = writer_metadata_identity(wm_document_get(metadata->document));
        name = strdup(str_or_empty(identity->name));
        if (!name ||
            (pbstrInstanceName && !wm_copy_text(identity->instance_name, pbstrInstanceName)))
                return out_of_memory(function);
        *pidInstance = identity->instance_id;
        *pidWriter = identity->writer_id;
        *pbstrWriterName = TAKE_PTR(name);
        *pUsage = identity->usage;
        *pSource = identity->source;
        return S_OK;
}

HRESULT IVssExamineWriterMetadata_GetIdentity(IVssExamineWriterMetadata *metadata,
                                              VSS_ID *pidInstance, VSS_ID *pidWriter,
                                              BSTR *pbstrWriterName, VSS_USAGE_TYPE *pUsage,
                                              VSS_SOURCE_TYPE *pSource) {
        return get_identity(metadata, __func__, pidInstance, pidWriter, pbstrWriterName, NULL,
                            pUsage, pSource);
}

HRESULT IVssExamineWriterMetadataEx_GetIdentityEx(IVssExamineWriterMetadata *metadata,
                                                  VSS_ID *pidInstance, VSS_ID *pidWriter,
                                                  BSTR *pbstrWriterName, BSTR *pbstrInstanceName,
                                                  VSS_USAGE_TYPE *pUsage,
                                                  VSS_SOURCE_TYPE *pSource) {
        BSTR missing = NULL;
        HRESULT hr;

        if (pbstrInstanceName)
                *pbstrInstanceName = NULL;
        hr = get_identity(pbstrInstanceName ? metadata : NULL, __func__, pidInstance, pidWriter,
                          pbstrWriterName, pbstrInstanceName ? pbstrInstanceName : &missing, pUsage,
                          pSource);
        return pbstrInstanceName ? hr : last_error_argument(__func__, "pbstrInstanceName is NULL");
}

HRESULT IVssExamineWriterMetadataEx2_GetVersion(IVssExamineWriterMetadata *metadata,
                                                DWORD *pdwMajorVersion, DWORD *pdwMinorVersion) {
        const struct writer_metadata_identity *identity;

        if (pdwMajorVersion)
                *pdwMajorVersion = 0;
        if (pdwMinorVersion)
                *pdwMinorVersion = 0;
        if (!pdwMajorVersion || !pdwMinorVersion)
                return last_error_argument(__func__, "an output is NULL");
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        identity = writer_metadata_identity(wm_document_get(metadata->document));
        *pdwMajorVersion = identity->major_version;
        *pdwMinorVersion = identity->minor_version;
        return S_OK;
}

static UINT count_files(const IVssExamineWriterMetadata *metadata, enum writer_metadata_list list) {
        return (UINT)writer_metadata_n_files(wm_document_get(metadata->document), list, 0);
}

HRESULT IVssExamineWriterMetadata_GetFileCounts(IVssExamineWriterMetadata *metadata,
                                                UINT *pcIncludeFiles, UINT *pcExcludeFiles,
                                                UINT *pcComponents) {
        if (pcIncludeFiles)
                *pcIncludeFiles = 0;
        if (pcExcludeFiles)
                *pcExcludeFiles = 0;
        if (pcComponents)
                *pcComponents = 0;
        if (!pcIncludeFiles || !pcExcludeFiles || !pcComponents)
                return last_error_argument(__func__, "an output is NULL");
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        *pcExcludeFiles = count_files(metadata, WRITER_METADATA_EXCLUDES);
        *pcComponents = (UINT)writer_metadata_n_components(wm_document_get(metadata->document));
        return S_OK;
}

HRESULT IVssExamineWriterMetadata_GetIncludeFile(IVssExamineWriterMetadata *metadata, UINT iFile,
                                                 IVssWMFiledesc **ppFiledesc) {
        struct vss_error error = { 0 };

        if (!ppFiledesc)
                return last_error_argument(__func__, "ppFiledesc is NULL");
        *ppFiledesc = NULL;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                            "%s: there is no %u: files belong to components", __func__, iFile);
        return last_error_raise(&error);
}

static HRESULT get_files(IVssExamineWriterMetadata *metadata, const char *function,
                         enum writer_metadata_list list, UINT i, IVssWMFiledesc **ret) {
        if (!ret)
                return last_error_argument(function, "ppFiledesc is NULL");
        *ret = NULL;
        if (!metadata)
                return last_error_argument(function, NO_OBJECT);
        return wm_document_files(metadata->document, function, list, 0, i, ret);
}

HRESULT IVssExamineWriterMetadata_GetExcludeFile(IVssExamineWriterMetadata *metadata, UINT iFile,
                                                 IVssWMFiledesc **ppFiledesc) {
        return get_files(metadata, __func__, WRITER_METADATA_EXCLUDES, iFile, ppFiledesc);
}

HRESULT IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotCount(
        IVssExamineWriterMetadata *metadata, UINT *pcExcludedFromSnapshot) {
        if (!pcExcludedFromSnapshot)
                return last_error_argument(__func__, "pcExcludedFromSnapshot is NULL");
        *pcExcludedFromSnapshot = 0;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        *pcExcludedFromSnapshot = count_files(metadata, WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT);
        return S_OK;
}

HRESULT IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotFile(IVssExamineWriterMetadata *metadata,
                                                                UINT iFile,
                                                                IVssWMFiledesc **ppFiledesc) {
        const enum writer_metadata_list list = WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT;

        /* Unlike its sisters it has no VSS_E_OBJECT_NOT_FOUND in its documentation. */
        if (ppFiledesc && metadata && iFile >= count_files(metadata, list)) {
                *ppFiledesc = NULL;
                return last_error_argument(__func__, "there is no set of files with this index");
        }
        return get_files(metadata, __func__, list, iFile, ppFiledesc);
}

HRESULT IVssExamineWriterMetadata_GetAlternateLocationMapping(IVssExamineWriterMetadata *metadata,
                                                              UINT iMapping,
                                                              IVssWMFiledesc **ppFiledesc) {
        return get_files(metadata, __func__, WRITER_METADATA_MAPPINGS, iMapping, ppFiledesc);
}

HRESULT IVssExamineWriterMetadata_GetComponent(IVssExamineWriterMetadata *metadata, UINT iComponent,
                                               IVssWMComponent **ppComponent) {
        struct vss_error error = { 0 };
        size_t n;

        if (!ppComponent)
                return last_error_argument(__func__, "ppComponent is NULL");
        *ppComponent = NULL;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        n = writer_metadata_n_components(wm_document_get(metadata->document));
        if (iComponent >= n)
                (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                    "There is no component %u: the writer has %zu", iComponent, n);
        else if (wm_component_new(ppComponent, metadata->document, iComponent, &error) >= 0)
                return S_OK;
        return last_error_raise(&error);
}

/* A service to stop and start is told where one is stopped and started; what stands in the document
 * besides is only kept for whoever saves it. */
static const char *service_of(const struct writer_metadata_restore *restore) {
        return restore->method == VSS_RME_STOP_RESTORE_START ||
                               restore->method == VSS_RME_RESTORE_STOP_START
                       ? restore->service
                       : NULL;
}

HRESULT IVssExamineWriterMetadata_GetRestoreMethod(IVssExamineWriterMetadata *metadata,
                                                   VSS_RESTOREMETHOD_ENUM *pMethod,
                                                   BSTR *pbstrService, BSTR *pbstrUserProcedure,
                                                   VSS_WRITERRESTORE_ENUM *pwriterRestore,
                                                   bool *pbRebootRequired, UINT *pcMappings) {
        const struct writer_metadata_restore *restore;
        _cleanup_(freep) char *service = NULL;

        if (pMethod)
                *pMethod = VSS_RME_UNDEFINED;
        if (pbstrService)
                *pbstrService = NULL;
        if (pbstrUserProcedure)
                *pbstrUserProcedure = NULL;
        if (pwriterRestore)
                *pwriterRestore = VSS_WRE_UNDEFINED;
        if (pbRebootRequired)
                *pbRebootRequired = false;
        if (pcMappings)
                *pcMappings = 0;
        if (!pMethod || !pbstrService || !pbstrUserProcedure || !pwriterRestore ||
            !pbRebootRequired || !pcMappings)
                return last_error_argument(__func__, "an output is NULL");
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        restore = writer_metadata_restore(wm_document_get(metadata->document));
        if (!restore)
                return S_FALSE;
        if (!wm_copy_text(service_of(restore), &service) ||
            !wm_copy_text(restore->user_procedure, pbstrUserProcedure))
                return out_of_memory(__func__);
        *pMethod = restore->method;
        *pbstrService = TAKE_PTR(service);
        *pwriterRestore = restore->writer_restore;
        *pbRebootRequired = restore->reboot_required;
        *pcMappings = count_files(metadata, WRITER_METADATA_MAPPINGS);
        return S_OK;
}

HRESULT IVssExamineWriterMetadata_GetBackupSchema(IVssExamineWriterMetadata *metadata,
                                                  DWORD *pdwSchemaMask) {
        if (!pdwSchemaMask)
                return last_error_argument(__func__, "pdwSchemaMask is NULL");
        *pdwSchemaMask = 0;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        *pdwSchemaMask = writer_metadata_schema(wm_document_get(metadata->document));
        return S_OK;
}

HRESULT IVssExamineWriterMetadata_SaveAsXML(IVssExamineWriterMetadata *metadata, BSTR *pbstrXML) {
        struct vss_error error = { 0 };

        if (!pbstrXML)
                return last_error_argument(__func__, "pbstrXML is NULL");
        *pbstrXML = NULL;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        if (writer_metadata_to_xml(wm_document_get(metadata->document), pbstrXML, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

/* Is it XML at all, of whatever kind? */
static bool is_well_formed(const char *text) {
        static const xmlSAXHandler nothing = { .initialized = XML_SAX2_MAGIC };
        const size_t size = strlen(text);
        struct xml_input input = { 0 };
        bool ok;

        ok = xml_input_init(&input, "The text", text, size, size, SIZE_MAX, NULL) >= 0 &&
             xml_input_parse(&input, &nothing, NULL, NULL, NULL) >= 0;
        xml_input_done(&input);
        return ok;
}

HRESULT IVssExamineWriterMetadata_LoadFromXML(IVssExamineWriterMetadata *metadata,
                                              LPCWSTR bstrXML) {
        struct writer_metadata *parsed;
        struct vss_error error = { 0 };
        struct wm_document *d;

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        if (str_empty(bstrXML))
                return last_error_argument(__func__, "bstrXML is NULL or empty");
        if (writer_metadata_parse(&parsed, bstrXML, strlen(bstrXML), &error) < 0) {
                HRESULT hr = last_error_raise(&error);

                return hr == VSS_E_INVALID_XML_DOCUMENT && !is_well_formed(bstrXML) ? S_FALSE : hr;
        }
        if (wm_document_new(&d, parsed, &error) < 0)
                return last_error_raise(&error);
        wm_document_unref(metadata->document);
        metadata->document = d;
        return S_OK;
}
