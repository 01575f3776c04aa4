/* The methods of IVssCreateWriterMetadata. Each checks what it is given as a whole before it
 * touches the document, and makes room for what it has to remember: a call that fails leaves
 * nothing behind. */

#include "libvssclient/create-writer-metadata.h"
#include "common/key-index.h"
#include "common/path.h"
#include "common/vss-id.h"
#include "common/xml-text.h"
#include "libvssclient/check-path.h"
#include "libvssclient/last-error.h"

#define NO_OBJECT "the IVssCreateWriterMetadata is NULL"

int create_metadata_new(IVssCreateWriterMetadata **ret,
                        const struct writer_metadata_identity *identity, struct vss_error *reterr) {
        _cleanup_(create_metadata_freep) IVssCreateWriterMetadata *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
        r = writer_metadata_new(&m->document, identity, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

IVssCreateWriterMetadata *create_metadata_free(IVssCreateWriterMetadata *m) {
        if (!m)
                return NULL;
        (void)writer_metadata_free(m->document);
        hash_set_done(&m->names);
        hash_set_done(&m->sets);
        free(m);
        return NULL;
}

int create_metadata_finish(const IVssCreateWriterMetadata *m, char **ret_xml,
                           struct vss_error *reterr) {
        if ((writer_metadata_schema(m->document) & VSS_BS_LOG) && !m->has_log_files)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The writer's backup schema has VSS_BS_LOG, but no component "
                                     "has log files: add them with AddDatabaseLogFiles");
        return writer_metadata_to_xml(m->document, ret_xml, reterr);
}

static HRESULT outcome(int r, struct vss_error *error) {
        return r < 0 ? last_error_raise(error) : S_OK;
}

/* The hash of a text with its letters in one case. */
static uint64_t hash_folded(uint64_t hash, const char *s) {
        char folded[64];
        size_t n = 0;

        for (; *s; s++) {
                folded[n++] = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
                if (n == sizeof(folded)) {
                        hash = key_hash(hash, folded, n);
                        n = 0;
                }
        }
        return key_hash(hash, folded, n);
}

static uint64_t hash_name(const char *logical_path, const char *name) {
        return hash_folded(key_hash(hash_folded(0, str_or_empty(logical_path)), "\\", 1), name);
}

/* A '/' at the end of a path is none. */
static uint64_t hash_set_of_files(const char *path, const char *filespec, bool recursive) {
        uint64_t hash = key_hash(0, path, path_length(path, strlen(path)));

        hash = key_hash(hash, "", 1); /* the NUL ends the path */
        return key_hash(key_hash_text(hash, filespec), recursive ? "r" : "", 1);
}

static int check_files(const struct writer_metadata_files *f, struct vss_error *reterr) {
        int r;

        r = check_path(f->path, "The path of a set of files", reterr);
        if (r >= 0)
                r = check_filespec(f->filespec, "The file specification", reterr);
        if (r >= 0 && !str_empty(f->alternate_path))
                r = check_path(f->alternate_path, "The alternate location of a set of files",
                               reterr);
        return r;
}

HRESULT IVssCreateWriterMetadata_AddIncludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive, LPCWSTR wszAlternateLocation) {
        struct vss_error error = { 0 };

        (void)bRecursive;
        (void)wszAlternateLocation;
        if (!metadata || str_empty(wszPath) || str_empty(wszFilespec))
                return last_error_argument(__func__, "an argument is NULL or empty");
        return outcome(vss_error_set(&error, E_NOTIMPL, 0,
                                     "AddIncludeFiles is reserved: give the files to a component, "
                                     "with AddFilesToFileGroup"),
                       &error);
}

static int add_component(IVssCreateWriterMetadata *m, const struct writer_metadata_component *c,
                         struct vss_error *reterr) {
        uint64_t hash = hash_name(c->logical_path, str_or_empty(c->name));
        int r;

        if (hash_set_reserve(&m->names) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
        if (!str_empty(c->name) && hash_set_has(&m->names, hash))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, 0,
                                     "Component '%s' with logical path '%s' was added before, "
                                     "perhaps with letters of another case",
                                     c->name, str_or_empty(c->logical_path));
        r = writer_metadata_add_component(m->document, c, reterr);
        if (r >= 0)
                hash_set_add(&m->names, hash);
        return r;
}

HRESULT IVssCreateWriterMetadata_AddComponent(IVssCreateWriterMetadata *metadata,
                                              VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                              LPCWSTR wszComponentName, LPCWSTR wszCaption,
                                              const BYTE *pbIcon, UINT cbIcon,
                                              bool bRestoreMetadata, bool bNotifyOnBackupComplete,
                                              bool bSelectable, bool bSelectableForRestore,
                                              DWORD dwComponentFlags) {
        const struct writer_metadata_component component = {
                .type = ct,
                .logical_path = wszLogicalPath,
                .name = wszComponentName,
                .caption = wszCaption,
                .icon = pbIcon,
                .icon_size = cbIcon,
                .restore_metadata = bRestoreMetadata,
                .notify_on_backup_complete = bNotifyOnBackupComplete,
                .selectable = bSelectable,
                .selectable_for_restore = bSelectableForRestore,
                .flags = dwComponentFlags,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        return outcome(add_component(metadata, &component, &error), &error);
}

/* To a list of a component, which has a name, or of the writer. */
static int add_files(IVssCreateWriterMetadata *m, enum writer_metadata_list list,
                     const char *logical_path, const char *name,
                     const struct writer_metadata_files *f, struct vss_error *reterr) {
        int r;

        r = check_files(f, reterr);
        if (r < 0)
                return r;
        if (m->has_sets && hash_set_reserve(&m->sets) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
        r = writer_metadata_add(m->document, list, logical_path, name, f, reterr);
        if (r < 0)
                return r;
        if (name && m->has_sets)
                hash_set_add(&m->sets, hash_set_of_files(f->path, f->filespec, f->recursive));
        return 0;
}

static HRESULT add_component_files(IVssCreateWriterMetadata *m, const char *function,
                                   enum writer_metadata_list list, const char *logical_path,
                                   const char *name, const struct writer_metadata_files *f) {
        struct vss_error error = { 0 };
        int r;

        if (!m)
                return last_error_argument(function, NO_OBJECT);
        if (str_empty(name))
                return last_error_argument(function, "the component's name is NULL or empty");
        r = add_files(m, list, logical_path, name, f, &error);
        if (r >= 0 && list == WRITER_METADATA_DATABASE_LOG_FILES)
                m->has_log_files = true;
        return outcome(r, &error);
}

static HRESULT add_writer_files(IVssCreateWriterMetadata *m, const char *function,
                                enum writer_metadata_list list, const char *path,
                                const char *filespec, bool recursive) {
        const struct writer_metadata_files files = {
                .path = path,
                .filespec = filespec,
                .recursive = recursive,
        };
        struct vss_error error = { 0 };

        if (!m)
                return last_error_argument(function, NO_OBJECT);
        return outcome(add_files(m, list, NULL, NULL, &files, &error), &error);
}

HRESULT IVssCreateWriterMetadata_AddDatabaseFiles(IVssCreateWriterMetadata *metadata,
                                                  LPCWSTR wszLogicalPath, LPCWSTR wszDatabaseName,
                                                  LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                  DWORD dwBackupTypeMask) {
        const struct writer_metadata_files files = {
                .path = wszPath,
                .filespec = wszFilespec,
                .backup_type_mask = dwBackupTypeMask,
        };

        return add_component_files(metadata, __func__, WRITER_METADATA_DATABASE_FILES,
                                   wszLogicalPath, wszDatabaseName, &files);
}

HRESULT IVssCreateWriterMetadata_AddDatabaseLogFiles(IVssCreateWriterMetadata *metadata,
                                                     LPCWSTR wszLogicalPath,
                                                     LPCWSTR wszDatabaseName, LPCWSTR wszPath,
                                                     LPCWSTR wszFilespec, DWORD dwBackupTypeMask) {
        const struct writer_metadata_files files = {
                .path = wszPath,
                .filespec = wszFilespec,
                .backup_type_mask = dwBackupTypeMask,
        };

        return add_component_files(metadata, __func__, WRITER_METADATA_DATABASE_LOG_FILES,
                                   wszLogicalPath, wszDatabaseName, &files);
}

HRESULT IVssCreateWriterMetadata_AddFilesToFileGroup(IVssCreateWriterMetadata *metadata,
                                                     LPCWSTR wszLogicalPath, LPCWSTR wszGroupName,
                                                     LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                     bool bRecursive, LPCWSTR wszAlternateLocation,
                                                     DWORD dwBackupTypeMask) {
        const struct writer_metadata_files files = {
                .path = wszPath,
                .filespec = wszFilespec,
                .recursive = bRecursive,
                .alternate_path = wszAlternateLocation,
                .backup_type_mask = dwBackupTypeMask,
        };

        return add_component_files(metadata, __func__, WRITER_METADATA_FILES, wszLogicalPath,
                                   wszGroupName, &files);
}

HRESULT IVssCreateWriterMetadata_AddExcludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive) {
        return add_writer_files(metadata, __func__, WRITER_METADATA_EXCLUDES, wszPath, wszFilespec,
                                bRecursive);
}

HRESULT IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(IVssCreateWriterMetadata *metadata,
                                                               LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                               bool bRecursive) {
        return add_writer_files(metadata, __func__, WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT, wszPath,
                                wszFilespec, bRecursive);
}

HRESULT IVssCreateWriterMetadata_SetRestoreMethod(IVssCreateWriterMetadata *metadata,
                                                  VSS_RESTOREMETHOD_ENUM method, LPCWSTR wszService,
                                                  LPCWSTR wszUserProcedure,
                                                  VSS_WRITERRESTORE_ENUM writerRestore,
                                                  bool bRebootRequired) {
        const struct writer_metadata_restore restore = {
                .method = method,
                .service = wszService,
                .user_procedure = wszUserProcedure,
                .writer_restore = writerRestore,
                .reboot_required = bRebootRequired,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        return outcome(writer_metadata_set_restore_method(metadata->document, &restore, &error),
                       &error);
}

static int note_sets_of(IVssCreateWriterMetadata *m, size_t component) {
        static const enum writer_metadata_list lists[] = { WRITER_METADATA_FILES,
                                                           WRITER_METADATA_DATABASE_FILES,
                                                           WRITER_METADATA_DATABASE_LOG_FILES };

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                struct writer_metadata_files f;

                for (size_t i = 0;
                     writer_metadata_get_files(m->document, lists[l], component, i, &f); i++) {
                        if (hash_set_reserve(&m->sets) < 0)
                                return -ENOMEM;
                        hash_set_add(&m->sets, hash_set_of_files(f.path, f.filespec, f.recursive));
                }
        }
        return 0;
}

/* Those that are there already; what is added from now on is noted as it comes. */
static int note_sets(IVssCreateWriterMetadata *m) {
        size_t n = writer_metadata_n_components(m->document);

        if (m->has_sets)
                return 0;
        for (size_t i = 0; i < n; i++)
                if (note_sets_of(m, i) < 0)
                        return -ENOMEM;
        m->has_sets = true;
        return 0;
}

static int add_mapping(IVssCreateWriterMetadata *m, const struct writer_metadata_files *f,
                       struct vss_error *reterr) {
        int r;

        r = check_files(f, reterr);
        if (r >= 0)
                r = xml_text_require(f->alternate_path, "The destination", reterr);
        if (r < 0)
                return r;
        if (!writer_metadata_restore(m->document))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "An alternate location needs a restore method: call "
                                     "SetRestoreMethod before");
        if (note_sets(m) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
        if (!hash_set_has(&m->sets, hash_set_of_files(f->path, f->filespec, f->recursive)))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "No component has the files '%s' in '%s', recursive or not as "
                                     "here: an alternate location is for a set of files as it was "
                                     "added",
                                     f->filespec, f->path);
        return writer_metadata_add(m->document, WRITER_METADATA_MAPPINGS, NULL, NULL, f, reterr);
}

HRESULT IVssCreateWriterMetadata_AddAlternateLocationMapping(IVssCreateWriterMetadata *metadata,
                                                             LPCWSTR wszSourcePath,
                                                             LPCWSTR wszSourceFilespec,
                                                             bool bRecursive,
                                                             LPCWSTR wszDestination) {
        const struct writer_metadata_files files = {
                .path = wszSourcePath,
                .filespec = wszSourceFilespec,
                .recursive = bRecursive,
                .alternate_path = wszDestination,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        return outcome(add_mapping(metadata, &files, &error), &error);
}

static int add_dependency(IVssCreateWriterMetadata *m, const char *logical_path, const char *name,
                          const struct writer_metadata_dependency *on, struct vss_error *reterr) {
        int r;

        r = xml_text_require(name, "The component's name", reterr);
        if (r >= 0)
                r = xml_text_require(on->name, "The name of the component that is needed", reterr);
        if (r < 0)
                return r;
        if (vss_id_is_null(on->writer_id) ||
            vss_id_equal(on->writer_id, writer_metadata_identity(m->document)->writer_id))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Component '%s' can only depend on one of another writer: "
                                     "name its class",
                                     name);
        return writer_metadata_add_dependency(m->document, logical_path, name, on, reterr);
}

HRESULT IVssCreateWriterMetadata_AddComponentDependency(IVssCreateWriterMetadata *metadata,
                                                        LPCWSTR wszForLogicalPath,
                                                        LPCWSTR wszForComponentName,
                                                        VSS_ID onWriterId, LPCWSTR wszOnLogicalPath,
                                                        LPCWSTR wszOnComponentName) {
        const struct writer_metadata_dependency on = {
                .writer_id = onWriterId,
                .logical_path = wszOnLogicalPath,
                .name = wszOnComponentName,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        return outcome(
                add_dependency(metadata, wszForLogicalPath, wszForComponentName, &on, &error),
                &error);
}

#define SCHEMA_CHANGES (VSS_BS_DIFFERENTIAL | VSS_BS_INCREMENTAL)
#define SCHEMA_KNOWN                                                                             \
        (SCHEMA_CHANGES | VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL | VSS_BS_LOG | VSS_BS_COPY | \
         VSS_BS_TIMESTAMPED | VSS_BS_LAST_MODIFY | VSS_BS_LSN |                                  \
         VSS_BS_WRITER_SUPPORTS_NEW_TARGET | VSS_BS_WRITER_SUPPORTS_RESTORE_WITH_MOVE |          \
         VSS_BS_INDEPENDENT_SYSTEM_STATE | VSS_BS_ROLLFORWARD_RESTORE | VSS_BS_RESTORE_RENAME |  \
         VSS_BS_AUTHORITATIVE_RESTORE | VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES)

static int check_schema(uint32_t mask, struct vss_error *reterr) {
        uint32_t changes = mask & (uint32_t)SCHEMA_CHANGES;

        if (mask & ~(uint32_t)SCHEMA_KNOWN)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The backup schema 0x%x has bits that are not documented",
                                     mask);
        if (mask & VSS_BS_LSN)
                return vss_error_set(reterr, VSS_E_NOT_SUPPORTED, 0,
                                     "VSS_BS_LSN is reserved: use VSS_BS_LAST_MODIFY");
        if ((mask & VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL) && changes != SCHEMA_CHANGES)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL needs both "
                                     "VSS_BS_INCREMENTAL and VSS_BS_DIFFERENTIAL");
        if ((mask & (VSS_BS_TIMESTAMPED | VSS_BS_LAST_MODIFY)) && changes == 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "VSS_BS_TIMESTAMPED and VSS_BS_LAST_MODIFY need "
                                     "VSS_BS_INCREMENTAL or VSS_BS_DIFFERENTIAL");
        return 0;
}

HRESULT IVssCreateWriterMetadata_SetBackupSchema(IVssCreateWriterMetadata *metadata,
                                                 DWORD dwSchemaMask) {
        struct vss_error error = { 0 };
        int r;

        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        r = check_schema(dwSchemaMask, &error);
        if (r >= 0)
                r = writer_metadata_set_schema(metadata->document, dwSchemaMask, &error);
        return outcome(r, &error);
}

HRESULT IVssCreateWriterMetadata_SaveAsXML(IVssCreateWriterMetadata *metadata, BSTR *pbstrXML) {
        struct vss_error error = { 0 };

        if (!pbstrXML)
                return last_error_argument(__func__, "pbstrXML is NULL");
        *pbstrXML = NULL;
        if (!metadata)
                return last_error_argument(__func__, NO_OBJECT);
        return outcome(writer_metadata_to_xml(metadata->document, pbstrXML, &error), &error);
}
