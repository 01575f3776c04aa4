/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSCOMPONENT_H
#define VSS_VSCOMPONENT_H

/*
 * The components that a requester included in a backup explicitly: its Backup Components Document,
 * writer by writer. A requester reads what the writers wrote (IVssBackupComponents_
 * GetWriterComponents); a writer reads what the requester wrote, and writes, in its handlers.
 * Programs include <vss/vswriter.h> or <vss/vsbackup.h>, which include this.
 *
 * Any function may return E_INVALIDARG for a NULL object, a NULL output, a NULL or empty string
 * where one is required, a value outside its enumeration, and text that an XML document cannot
 * hold; E_OUTOFMEMORY; and VSS_E_BAD_STATE when the object no longer holds (IVssWriterComponents).
 * A function that writes is VSS_E_BAD_STATE for a requester, and in other handlers than those that
 * it names. The lists below name what comes on top. On failure an output pointer is NULL, an output
 * number 0; and VssLastErrorMessage (vsslinux.h) has a sentence. Strings that are handed out belong
 * to the caller: SysFreeString. "If there is none" means that the function returns S_FALSE, with
 * NULL, or false.
 */

#include <vss/vsmetadata.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef enum VSS_RESTORE_TARGET {
        VSS_RT_UNDEFINED = 0,
        VSS_RT_ORIGINAL = 1, /* as the restore method says */
        VSS_RT_ALTERNATE = 2,
        VSS_RT_DIRECTED = 3,
        VSS_RT_ORIGINAL_LOCATION = 4,
} VSS_RESTORE_TARGET;

typedef enum VSS_FILE_RESTORE_STATUS {
        VSS_RS_UNDEFINED = 0,
        VSS_RS_NONE = 1,   /* nothing was changed */
        VSS_RS_ALL = 2,    /* everything was restored */
        VSS_RS_FAILED = 3, /* some files were: the component is damaged */
} VSS_FILE_RESTORE_STATUS;

/* A time in 100 ns ticks since 1601-01-01T00:00:00Z, in two halves. */
typedef struct FILETIME {
        DWORD dwLowDateTime;
        DWORD dwHighDateTime;
} FILETIME;

/*
 * A writer's components. For a requester it holds until the next PrepareForBackup, DoSnapshotSet,
 * BackupComplete, PreRestore or PostRestore: then it is fetched again. For a writer it is the
 * library's, never to be released, and holds until the handler returns. One object, with the
 * components that came from it, for one thread at a time.
 */
typedef struct IVssWriterComponents IVssWriterComponents;
typedef IVssWriterComponents IVssWriterComponentsExt;

/* One component; in it, all that is said of those below it that it stands for. */
typedef struct IVssComponent IVssComponent;
typedef IVssComponent IVssComponentEx;
typedef IVssComponent IVssComponentEx2;

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssWriterComponentsExt_AddRef(IVssWriterComponents *components);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssWriterComponentsExt_Release(IVssWriterComponents *components);

/* IVssWriterComponents::GetComponentCount: components that were included explicitly. Since 0.2. */
HRESULT IVssWriterComponents_GetComponentCount(IVssWriterComponents *components,
                                               UINT *pcComponents);

/* IVssWriterComponents::GetWriterInfo: whose they are. pidInstance: the instance in the run of the
 * backup. pidWriter: the class. Errors: VSS_E_INVALID_XML_DOCUMENT. Since 0.2. */
HRESULT IVssWriterComponents_GetWriterInfo(IVssWriterComponents *components, VSS_ID *pidInstance,
                                           VSS_ID *pidWriter);

/*
 * IVssWriterComponents::GetComponent: a component.
 *
 * iComponent: 0 to the count less one. ppComponent: receives it; the caller releases it.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such index), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssWriterComponents_GetComponent(IVssWriterComponents *components, UINT iComponent,
                                          IVssComponent **ppComponent);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssComponent_AddRef(IVssComponent *component);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssComponent_Release(IVssComponent *component);

/* IVssComponent::GetLogicalPath: NULL if there is none. Since 0.2. */
HRESULT IVssComponent_GetLogicalPath(IVssComponent *component, BSTR *pbstrPath);

/* IVssComponent::GetComponentType: VSS_CT_... Since 0.2. */
HRESULT IVssComponent_GetComponentType(IVssComponent *component, VSS_COMPONENT_TYPE *pct);

/* IVssComponent::GetComponentName. Since 0.2. */
HRESULT IVssComponent_GetComponentName(IVssComponent *component, BSTR *pbstrName);

/* What is written in a backup. */

/* IVssComponent::GetBackupSucceeded: did the requester save the files? False if there is none: it
 * has not called SetBackupSucceeded. Since 0.2. */
HRESULT IVssComponent_GetBackupSucceeded(IVssComponent *component, bool *pbSucceeded);

/* IVssComponent::GetBackupOptions: text from the requester's SetBackupOptions, NULL if there is
 * none. Since 0.2. */
HRESULT IVssComponent_GetBackupOptions(IVssComponent *component, BSTR *pbstrBackupOptions);

/*
 * IVssComponent::SetBackupStamp: text that the writer knows this backup by. The requester hands it
 * back as the previous stamp of an incremental or differential one. It may be overwritten.
 *
 * In OnPrepareBackup and OnPostSnapshot.
 * Since 0.2.
 */
HRESULT IVssComponent_SetBackupStamp(IVssComponent *component, LPCWSTR wszBackupStamp);

/* IVssComponent::GetBackupStamp: NULL if there is none. Since 0.2. */
HRESULT IVssComponent_GetBackupStamp(IVssComponent *component, BSTR *pbstrBackupStamp);

/* IVssComponent::GetPreviousBackupStamp: from the requester's SetPreviousBackupStamp, NULL if there
 * is none. Since 0.2. */
HRESULT IVssComponent_GetPreviousBackupStamp(IVssComponent *component, BSTR *pbstrBackupStamp);

/*
 * IVssComponent::SetBackupMetadata: text that the writer gets back at the restore. Once.
 *
 * In OnPrepareBackup and OnPostSnapshot.
 * Errors: VSS_E_OBJECT_ALREADY_EXISTS (second call).
 * Since 0.2.
 */
HRESULT IVssComponent_SetBackupMetadata(IVssComponent *component, LPCWSTR wszData);

/* IVssComponent::GetBackupMetadata: NULL if there is none. Since 0.2. */
HRESULT IVssComponent_GetBackupMetadata(IVssComponent *component, BSTR *pbstrData);

/*
 * IVssComponent::AddPartialFile: only ranges of this file need be backed up.
 *
 * wszPath: its directory. wszFilename: its name, without wildcards. wszRanges: "offset:length",
 * separated by commas, decimal or 0x...; or the path of a file with them. wszMetadata: text for the
 * writer itself, or NULL.
 * The file lies in or below the path of a file set of the component, or of one that comes with it;
 * if none of them names it, on a volume of the snapshot set. It is not a differenced one as well.
 * Otherwise, as far as the metadata of the session's OnIdentify are kept, E_INVALIDARG.
 * In OnPrepareBackup and OnPostSnapshot, if the requester supports partial files
 * (CVssWriter_IsPartialFileSupportEnabled).
 * Since 0.2.
 */
HRESULT IVssComponent_AddPartialFile(IVssComponent *component, LPCWSTR wszPath, LPCWSTR wszFilename,
                                     LPCWSTR wszRanges, LPCWSTR wszMetadata);

/* IVssComponent::GetPartialFileCount. Since 0.2. */
HRESULT IVssComponent_GetPartialFileCount(IVssComponent *component, UINT *pcPartialFiles);

/*
 * IVssComponent::GetPartialFile: one of them; outputs as the inputs of AddPartialFile.
 *
 * pbstrRange: the list, or the path of the file with the ranges. pbstrMetadata: NULL if none.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.2.
 */
HRESULT IVssComponent_GetPartialFile(IVssComponent *component, UINT iPartialFile, BSTR *pbstrPath,
                                     BSTR *pbstrFilename, BSTR *pbstrRange, BSTR *pbstrMetadata);

/*
 * IVssComponent::AddDifferencedFilesByLastModifyTime: of these files only those that were modified
 * at or after a time need be backed up.
 *
 * wszPath, wszFilespec, bRecursive: a set of files of the component, exactly; or one that shares no
 * file with any, and is on a volume of the snapshot set. It names no partial file. Otherwise
 * E_INVALIDARG, as for AddPartialFile. ftLastModifyTime: UTC; 0: the requester is to find out.
 * In OnPrepareBackup and OnPostSnapshot, if the writer's schema has VSS_BS_LAST_MODIFY.
 * Since 0.2.
 */
HRESULT IVssComponent_AddDifferencedFilesByLastModifyTime(IVssComponent *component, LPCWSTR wszPath,
                                                          LPCWSTR wszFilespec, BOOL bRecursive,
                                                          FILETIME ftLastModifyTime);

/* IVssComponent::AddDifferencedFilesByLastModifyLSN: reserved. Errors: E_NOTIMPL, always.
 * Since 0.2. */
HRESULT IVssComponent_AddDifferencedFilesByLastModifyLSN(IVssComponent *component, LPCWSTR wszPath,
                                                         LPCWSTR wszFilespec, BOOL bRecursive,
                                                         LPCWSTR bstrLsnString);

/* IVssComponent::GetDifferencedFilesCount. Since 0.2. */
HRESULT IVssComponent_GetDifferencedFilesCount(IVssComponent *component, UINT *pcDifferencedFiles);

/*
 * IVssComponent::GetDifferencedFile: one of them; outputs as the inputs of
 * AddDifferencedFilesByLastModifyTime.
 *
 * pbstrLsnString: reserved, NULL.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.2.
 */
HRESULT IVssComponent_GetDifferencedFile(IVssComponent *component, UINT iDifferencedFile,
                                         BSTR *pbstrPath, BSTR *pbstrFilespec, BOOL *pbRecursive,
                                         BSTR *pbstrLsnString, FILETIME *pftLastModifyTime);

/* IVssComponentEx::SetPrepareForBackupFailureMsg: a sentence for people on what went wrong. In
 * OnPrepareBackup. It changes neither state nor result. Since 0.2. */
HRESULT IVssComponentEx_SetPrepareForBackupFailureMsg(IVssComponent *component,
                                                      LPCWSTR wszFailureMsg);

/* IVssComponentEx::GetPrepareForBackupFailureMsg: NULL if there is none. Since 0.2. */
HRESULT IVssComponentEx_GetPrepareForBackupFailureMsg(IVssComponent *component,
                                                      BSTR *pbstrFailureMsg);

/* IVssComponentEx::SetPostSnapshotFailureMsg: the same, in OnPostSnapshot. Since 0.2. */
HRESULT IVssComponentEx_SetPostSnapshotFailureMsg(IVssComponent *component, LPCWSTR wszFailureMsg);

/* IVssComponentEx::GetPostSnapshotFailureMsg: NULL if there is none. Since 0.2. */
HRESULT IVssComponentEx_GetPostSnapshotFailureMsg(IVssComponent *component, BSTR *pbstrFailureMsg);

/* What is written in a restore. */

/* IVssComponent::IsSelectedForRestore: did the requester choose it? Errors: VSS_E_BAD_STATE (in a
 * backup). Since 0.2. */
HRESULT IVssComponent_IsSelectedForRestore(IVssComponent *component, bool *pbSelectedForRestore);

/* IVssComponent::GetAdditionalRestores: will more restores of this component follow? Then the
 * writer keeps its data off line. False if there is none. Since 0.2. */
HRESULT IVssComponent_GetAdditionalRestores(IVssComponent *component, bool *pbAdditionalRestores);

/* IVssComponent::GetRestoreOptions: text from the requester's SetRestoreOptions, NULL if there is
 * none. Since 0.2. */
HRESULT IVssComponent_GetRestoreOptions(IVssComponent *component, BSTR *pbstrRestoreOptions);

/* IVssComponent::GetNewTargetCount: sets of files that the requester restores elsewhere.
 * Since 0.2. */
HRESULT IVssComponent_GetNewTargetCount(IVssComponent *component, UINT *pcNewTarget);

/*
 * IVssComponent::GetNewTarget: one of them.
 *
 * ppFiledesc: receives it; its GetAlternateLocation says where to. The caller releases it.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.2.
 */
HRESULT IVssComponent_GetNewTarget(IVssComponent *component, UINT iNewTarget,
                                   IVssWMFiledesc **ppFiledesc);

/* IVssComponent::GetAlternateLocationMappingCount: sets of files that were restored to their
 * alternate place. Since 0.2. */
HRESULT IVssComponent_GetAlternateLocationMappingCount(IVssComponent *component, UINT *pcMappings);

/* IVssComponent::GetAlternateLocationMapping: one of them, not of those that the writer offered. As
 * GetNewTarget. Since 0.2. */
HRESULT IVssComponent_GetAlternateLocationMapping(IVssComponent *component, UINT iMapping,
                                                  IVssWMFiledesc **ppFiledesc);

/* IVssComponent::GetRestoreSubcomponentCount: components below this one that were chosen; if there
 * are any, they alone are restored. Since 0.2. */
HRESULT IVssComponent_GetRestoreSubcomponentCount(IVssComponent *component,
                                                  UINT *pcRestoreSubcomponent);

/*
 * IVssComponent::GetRestoreSubcomponent: one of them.
 *
 * pbstrLogicalPath, pbstrComponentName: which; the path is NULL if there is none. pbRepair:
 * reserved. Errors: VSS_E_OBJECT_NOT_FOUND (no such index). Since 0.2.
 */
HRESULT IVssComponent_GetRestoreSubcomponent(IVssComponent *component, UINT iComponent,
                                             BSTR *pbstrLogicalPath, BSTR *pbstrComponentName,
                                             bool *pbRepair);

/* IVssComponent::GetFileRestoreStatus: VSS_RS_..., from the requester's SetFileRestoreStatus.
 * Errors: VSS_E_BAD_STATE (in a backup). Since 0.2. */
HRESULT IVssComponent_GetFileRestoreStatus(IVssComponent *component,
                                           VSS_FILE_RESTORE_STATUS *pStatus);

/* IVssComponent::SetRestoreTarget: where the component and all that it stands for is to be
 * restored: VSS_RT_..., not undefined. In OnPreRestore. Since 0.2. */
HRESULT IVssComponent_SetRestoreTarget(IVssComponent *component, VSS_RESTORE_TARGET target);

/* IVssComponent::GetRestoreTarget: VSS_RT_ORIGINAL unless the writer said otherwise. Errors:
 * VSS_E_BAD_STATE (in a backup). Since 0.2. */
HRESULT IVssComponent_GetRestoreTarget(IVssComponent *component, VSS_RESTORE_TARGET *pTarget);

/*
 * IVssComponent::AddDirectedTarget: where a file, or ranges of it, are to be restored, under
 * VSS_RT_DIRECTED.
 *
 * wszSourcePath, wszSourceFilename, wszSourceRangeList: what was backed up: directory, name without
 * wildcards, ranges as for AddPartialFile; in or below the path of a file set of the component,
 * otherwise E_INVALIDARG, as there. wszDestinationPath, wszDestinationFilename,
 * wszDestinationRangeList: where it goes, likewise; as many ranges, and as long.
 * In OnPreRestore.
 * Since 0.2.
 */
HRESULT IVssComponent_AddDirectedTarget(IVssComponent *component, LPCWSTR wszSourcePath,
                                        LPCWSTR wszSourceFilename, LPCWSTR wszSourceRangeList,
                                        LPCWSTR wszDestinationPath, LPCWSTR wszDestinationFilename,
                                        LPCWSTR wszDestinationRangeList);

/* IVssComponent::GetDirectedTargetCount. Since 0.2. */
HRESULT IVssComponent_GetDirectedTargetCount(IVssComponent *component, UINT *pcDirectedTarget);

/*
 * IVssComponent::GetDirectedTarget: one of them; outputs as the inputs of AddDirectedTarget.
 *
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.2.
 */
HRESULT IVssComponent_GetDirectedTarget(IVssComponent *component, UINT iDirectedTarget,
                                        BSTR *pbstrSourcePath, BSTR *pbstrSourceFileName,
                                        BSTR *pbstrSourceRangeList, BSTR *pbstrDestinationPath,
                                        BSTR *pbstrDestinationFilename,
                                        BSTR *pbstrDestinationRangeList);

/*
 * IVssComponent::SetRestoreMetadata: text that the writer itself gets back in OnPostRestore. Once.
 *
 * In OnPreRestore.
 * Errors: VSS_E_OBJECT_ALREADY_EXISTS (second call).
 * Since 0.2.
 */
HRESULT IVssComponent_SetRestoreMetadata(IVssComponent *component, LPCWSTR wszRestoreMetadata);

/* IVssComponent::GetRestoreMetadata: NULL if there is none. Since 0.2. */
HRESULT IVssComponent_GetRestoreMetadata(IVssComponent *component, BSTR *pbstrRestoreMetadata);

/* IVssComponent::SetPreRestoreFailureMsg: a sentence for people on what went wrong. In
 * OnPreRestore. It changes neither state nor result. Since 0.2. */
HRESULT IVssComponent_SetPreRestoreFailureMsg(IVssComponent *component,
                                              LPCWSTR wszPreRestoreFailureMsg);

/* IVssComponent::GetPreRestoreFailureMsg: NULL if there is none. Errors: VSS_E_BAD_STATE (in a
 * backup). Since 0.2. */
HRESULT IVssComponent_GetPreRestoreFailureMsg(IVssComponent *component,
                                              BSTR *pbstrPreRestoreFailureMsg);

/* IVssComponent::SetPostRestoreFailureMsg: the same, in OnPostRestore. Since 0.2. */
HRESULT IVssComponent_SetPostRestoreFailureMsg(IVssComponent *component,
                                               LPCWSTR wszPostRestoreFailureMsg);

/* IVssComponent::GetPostRestoreFailureMsg: NULL if there is none. Errors: VSS_E_BAD_STATE (in a
 * backup). Since 0.2. */
HRESULT IVssComponent_GetPostRestoreFailureMsg(IVssComponent *component,
                                               BSTR *pbstrPostRestoreFailureMsg);

/* IVssComponentEx::GetAuthoritativeRestore: from the requester's SetAuthoritativeRestore; false
 * unless it was called. Since 0.2. */
HRESULT IVssComponentEx_GetAuthoritativeRestore(IVssComponent *component, bool *pbAuth);

/*
 * IVssComponentEx::GetRollForward: from the requester's SetRollForward: how far logs are to be
 * replayed.
 *
 * pRollType: VSS_RF_..., undefined unless it was called. pbstrPoint: the point of VSS_RF_PARTIAL,
 * else NULL.
 * Since 0.2.
 */
HRESULT IVssComponentEx_GetRollForward(IVssComponent *component, VSS_ROLLFORWARD_TYPE *pRollType,
                                       BSTR *pbstrPoint);

/* IVssComponentEx::GetRestoreName: from the requester's SetRestoreName: logical path and name under
 * which the component is restored, NULL if there is none. Since 0.2. */
HRESULT IVssComponentEx_GetRestoreName(IVssComponent *component, BSTR *pbstrName);

/* What went wrong with one component. */

/*
 * IVssComponentEx2::SetFailure: this component failed. The requester looks for it if the handler
 * also called CVssWriterEx2_SetWriterFailureEx with VSS_E_WRITERERROR_PARTIAL_FAILURE.
 *
 * hr: S_OK or VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT, _OUTOFRESOURCES, _TIMEOUT, _RETRYABLE or
 * _NONRETRYABLE. hrApplication: the application's own code. wszApplicationMessage: its sentence, or
 * NULL. dwReserved: 0.
 * In any handler that has components.
 * Since 0.2.
 */
HRESULT IVssComponentEx2_SetFailure(IVssComponent *component, HRESULT hr, HRESULT hrApplication,
                                    LPCWSTR wszApplicationMessage, DWORD dwReserved);

/*
 * IVssComponentEx2::GetFailure: what SetFailure said; S_OK if it was not called.
 *
 * All outputs are required. phr, phrApplication: the codes. pbstrApplicationMessage: NULL if none.
 * pdwReserved: 0.
 * Since 0.2.
 */
HRESULT IVssComponentEx2_GetFailure(IVssComponent *component, HRESULT *phr, HRESULT *phrApplication,
                                    BSTR *pbstrApplicationMessage, DWORD *pdwReserved);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
