/* IVssBackupComponents before anything happens: mode, context, state, which writers; and what may
 * be asked at any time. */

#include "common/wire.h"
#include "libvssclient/backup-components.h"
#include "libvssclient/last-error.h"

/* A document that libdbus would not take is refused as the service refuses others. */
static int read_document(struct document **ret, const char *xml, struct vss_error *reterr) {
        size_t size = strlen(xml);
        char *copy;

        if (size > DOCUMENT_MAX || !wire_is_utf8(xml))
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     "The document is not UTF-8 text of at most %u bytes",
                                     DOCUMENT_MAX);
        copy = strdup(xml);
        if (!copy)
                return vss_error_from_errno(reterr, -ENOMEM, "The document");
        return document_new(ret, copy, size, reterr);
}

static HRESULT initialize(IVssBackupComponents *backup, const char *function, const char *method,
                          const char *xml) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        struct vss_error error = { 0 };

        if (!str_empty(xml) && read_document(&document, xml, &error) < 0)
                return last_error_raise(&error);
        return session_method(backup, function, method, CALL_TIMEOUT_MSEC,
                              &(const struct argument)IN_DOCUMENT(document), 1);
}

HRESULT IVssBackupComponents_InitializeForBackup(IVssBackupComponents *backup, LPCWSTR bstrXML) {
        return initialize(backup, __func__, "InitializeForBackup", bstrXML);
}

HRESULT IVssBackupComponents_InitializeForRestore(IVssBackupComponents *backup, LPCWSTR bstrXML) {
        HRESULT hr = initialize(backup, __func__, "InitializeForRestore", bstrXML);

        if (SUCCEEDED(hr))
                backup->restore = true;
        return hr;
}

HRESULT IVssBackupComponents_SetContext(IVssBackupComponents *backup, LONG lContext) {
        return SESSION_CALL(backup, "SetContext", IN_SIGNED(lContext));
}

HRESULT IVssBackupComponents_SetBackupState(IVssBackupComponents *backup, bool bSelectComponents,
                                            bool bBackupBootableSystemState,
                                            VSS_BACKUP_TYPE backupType, bool bPartialFileSupport) {
        return SESSION_CALL(backup, "SetBackupState", IN_FLAG(bSelectComponents),
                            IN_FLAG(bBackupBootableSystemState), IN_NUMBER(backupType),
                            IN_FLAG(bPartialFileSupport));
}

HRESULT IVssBackupComponents_SetRestoreState(IVssBackupComponents *backup,
                                             VSS_RESTORE_TYPE restoreType) {
        return SESSION_CALL(backup, "SetRestoreState", IN_NUMBER(restoreType));
}

HRESULT IVssBackupComponents_EnableWriterClasses(IVssBackupComponents *backup,
                                                 const VSS_ID *rgWriterClassId, UINT cClassId) {
        return SESSION_CALL(backup, "EnableWriterClasses", IN_IDS(rgWriterClassId, cClassId));
}

HRESULT IVssBackupComponents_DisableWriterClasses(IVssBackupComponents *backup,
                                                  const VSS_ID *rgWriterClassId, UINT cClassId) {
        return SESSION_CALL(backup, "DisableWriterClasses", IN_IDS(rgWriterClassId, cClassId));
}

HRESULT IVssBackupComponents_DisableWriterInstances(IVssBackupComponents *backup,
                                                    const VSS_ID *rgWriterInstanceId,
                                                    UINT cInstanceId) {
        return SESSION_CALL(backup, "DisableWriterInstances",
                            IN_IDS(rgWriterInstanceId, cInstanceId));
}

HRESULT IVssBackupComponentsEx3_GetSessionId(IVssBackupComponents *backup, VSS_ID *idSession) {
        return SESSION_CALL(backup, "GetSessionId", OUT_ID(idSession));
}

HRESULT IVssBackupComponentsEx4_GetRootAndLogicalPrefixPaths(IVssBackupComponents *backup,
                                                             LPCWSTR pwszFilePath,
                                                             VSS_PWSZ *ppwszRootPath,
                                                             VSS_PWSZ *ppwszLogicalPrefix,
                                                             BOOL bNormalizeFQDNforRootPath) {
        return SESSION_CALL_STORAGE(backup, "GetRootAndLogicalPrefixPaths", IN_TEXT(pwszFilePath),
                                    IN_FLAG(bNormalizeFQDNforRootPath != FALSE),
                                    OUT_TEXT(ppwszRootPath), OUT_TEXT(ppwszLogicalPrefix));
}
