/* IVssCreateWriterMetadata: the document that OnIdentify fills, by its public name. */

#include "common/writer-metadata.h"
#include "libvssclient/last-error.h"
#include "libvssclient/writer.h"

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
                return last_error_argument(__func__, "the IVssCreateWriterMetadata is NULL");
        if (writer_metadata_add_component(metadata->document, &component, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
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
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, "the IVssCreateWriterMetadata is NULL");
        if (writer_metadata_add_files(metadata->document, wszLogicalPath, wszGroupName, &files,
                                      &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssCreateWriterMetadata_AddExcludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive) {
        const struct writer_metadata_files files = {
                .path = wszPath,
                .filespec = wszFilespec,
                .recursive = bRecursive,
        };
        struct vss_error error = { 0 };

        if (!metadata)
                return last_error_argument(__func__, "the IVssCreateWriterMetadata is NULL");
        if (writer_metadata_add_exclude(metadata->document, &files, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
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
                return last_error_argument(__func__, "the IVssCreateWriterMetadata is NULL");
        if (writer_metadata_set_restore_method(metadata->document, &restore, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}
