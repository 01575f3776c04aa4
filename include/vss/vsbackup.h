/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSBACKUP_H
#define VSS_VSBACKUP_H

/*
 * The requester's half: IVssBackupComponents and what belongs to it.
 *
 * One object performs one backup or one administrative session and is then released. It is made
 * with CreateVssBackupComponents, counted with _AddRef and _Release, and used from one thread at a
 * time; different objects may be used from different threads. An IVssAsync counts as one object
 * with the IVssBackupComponents that it came from. A method is called with its interface's name:
 * IVssBackupComponents_DoSnapshotSet(backup, &async).
 *
 * The order of calls is checked by the service: a call out of order is VSS_E_BAD_STATE. A backup is
 *
 *      InitializeForBackup, [SetContext], SetBackupState, GatherWriterMetadata, StartSnapshotSet,
 *      AddToSnapshotSet..., PrepareForBackup, DoSnapshotSet, (copy files), BackupComplete, Release
 *
 * Any call may return E_INVALIDARG for a NULL object or a string that is not UTF-8, E_OUTOFMEMORY,
 * E_ACCESSDENIED when the caller may not use the service, and VSS_E_UNEXPECTED when the service
 * failed or cannot be reached; the lists below name what comes on top. On failure an output pointer
 * is NULL, an output id GUID_NULL, an output number 0, unless said otherwise; and
 * VssLastErrorMessage (vsslinux.h) has a sentence that says what, why, and the way out.
 */

#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* One object implements all of them, so no QueryInterface is needed. */
typedef struct IVssBackupComponents IVssBackupComponents;
typedef IVssBackupComponents IVssBackupComponentsEx;
typedef IVssBackupComponents IVssBackupComponentsEx2;
typedef IVssBackupComponents IVssBackupComponentsEx3;
typedef IVssBackupComponents IVssBackupComponentsEx4;

/* What a writer says of one component. */
typedef struct VSS_COMPONENTINFO {
        VSS_COMPONENT_TYPE type;
        BSTR bstrLogicalPath; /* NULL or empty: none */
        BSTR bstrComponentName;
        BSTR bstrCaption;
        BYTE *pbIcon;
        UINT cbIcon;
        bool bRestoreMetadata;
        bool bNotifyOnBackupComplete;
        bool bSelectable;
        bool bSelectableForRestore;
        DWORD dwComponentFlags; /* VSS_CF_... */
        UINT cFileCount;
        UINT cDatabases;
        UINT cLogFiles;
        UINT cDependencies;
} VSS_COMPONENTINFO, *PVSSCOMPONENTINFO;

/*
 * CreateVssBackupComponents: makes a requester's object, a session of the service.
 *
 * ppBackup: receives the object with one reference, the caller's.
 * Errors: E_ACCESSDENIED (the caller has no backup privilege), E_INVALIDARG, E_OUTOFMEMORY,
 * VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT CreateVssBackupComponents(IVssBackupComponents **ppBackup);

/* The name under which the DLL exports CreateVssBackupComponents; the same function. Since 0.1. */
HRESULT CreateVssBackupComponentsInternal(IVssBackupComponents **ppBackup);

/*
 * IsVolumeSnapshotted: does a volume have at least one copy, and what is inhibited by it?
 *
 * pwszVolumeName: mount point or block device.
 * pbSnapshotsPresent: TRUE or FALSE. plSnapshotCapability: VSS_SC_... bits, 0 if none.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such volume), VSS_E_PROVIDER_VETO,
 * VSS_E_UNEXPECTED_PROVIDER_ERROR.
 * Since 0.1.
 */
HRESULT IsVolumeSnapshotted(LPCWSTR pwszVolumeName, BOOL *pbSnapshotsPresent,
                            LONG *plSnapshotCapability);

/* The name under which the DLL exports IsVolumeSnapshotted; the same function. Since 0.1. */
HRESULT IsVolumeSnapshottedInternal(LPCWSTR pwszVolumeName, BOOL *pbSnapshotsPresent,
                                    LONG *plSnapshotCapability);

/*
 * VssFreeSnapshotProperties: frees the strings in a VSS_SNAPSHOT_PROP, from GetSnapshotProperties
 * or from an enumeration (Obj.Snap), and sets them to NULL; not the structure itself.
 *
 * pProp: NULL is allowed; so is a second call.
 * Since 0.1.
 */
void VssFreeSnapshotProperties(VSS_SNAPSHOT_PROP *pProp);

/* The name under which the DLL exports VssFreeSnapshotProperties; the same function. Since 0.1. */
void VssFreeSnapshotPropertiesInternal(VSS_SNAPSHOT_PROP *pProp);

/*
 * IUnknown::AddRef. Returns the new number of references. Since 0.1.
 */
ULONG IVssBackupComponents_AddRef(IVssBackupComponents *backup);

/*
 * IUnknown::Release. The last one ends the session: an unfinished set is aborted, copies of an
 * auto-release context are deleted, writers get BackupShutdown. The same happens when the process
 * dies. Returns the number of references left. NULL is allowed. Since 0.1.
 */
ULONG IVssBackupComponents_Release(IVssBackupComponents *backup);

/*
 * IVssBackupComponents::InitializeForBackup: the first call of every object.
 *
 * bstrXML: a saved Backup Components Document, or NULL for a new backup.
 * Errors: VSS_E_BAD_STATE (initialised already), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_InitializeForBackup(IVssBackupComponents *backup, LPCWSTR bstrXML);

/*
 * IVssBackupComponents::SetContext: the kind of the copies, VSS_CTX_... with modifiers from
 * VSS_VOLSNAP_ATTR_...; VSS_CTX_BACKUP if it is not called. At most once.
 *
 * Errors: E_INVALIDARG (no legal combination), VSS_E_BAD_STATE (second call, or too late).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_SetContext(IVssBackupComponents *backup, LONG lContext);

/*
 * IVssBackupComponents::SetBackupState: what kind of backup this is, for the writers to know.
 *
 * bSelectComponents: component mode; false: whole volumes, all writers take part.
 * bBackupBootableSystemState: the system state is included. backupType: VSS_BT_FULL, ...
 * bPartialFileSupport: the requester understands partial files.
 * Errors: E_INVALIDARG (backupType), VSS_E_BAD_STATE.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_SetBackupState(IVssBackupComponents *backup, bool bSelectComponents,
                                            bool bBackupBootableSystemState,
                                            VSS_BACKUP_TYPE backupType, bool bPartialFileSupport);

/*
 * IVssBackupComponents::EnableWriterClasses: only the listed writer classes take part. Further
 * calls add to the list. Without effect, and no error, once the metadata was gathered.
 *
 * rgWriterClassId: cClassId class ids; NULL is allowed if cClassId is 0.
 * Errors: VSS_E_BAD_STATE.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_EnableWriterClasses(IVssBackupComponents *backup,
                                                 const VSS_ID *rgWriterClassId, UINT cClassId);

/* IVssBackupComponents::DisableWriterClasses: all but the listed classes. As
 * EnableWriterClasses. Since 0.1. */
HRESULT IVssBackupComponents_DisableWriterClasses(IVssBackupComponents *backup,
                                                  const VSS_ID *rgWriterClassId, UINT cClassId);

/* IVssBackupComponents::DisableWriterInstances: leaves out single instances of writers. As
 * EnableWriterClasses. Since 0.1. */
HRESULT IVssBackupComponents_DisableWriterInstances(IVssBackupComponents *backup,
                                                    const VSS_ID *rgWriterInstanceId,
                                                    UINT cInstanceId);

/*
 * IVssBackupComponents::GatherWriterMetadata: asks every enabled writer what it has. Once.
 *
 * ppAsync: receives the running operation; the caller releases it. S_OK means that it began.
 * Errors: VSS_E_BAD_STATE, VSS_E_WRITER_INFRASTRUCTURE.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_GatherWriterMetadata(IVssBackupComponents *backup,
                                                  IVssAsync **ppAsync);

/*
 * IVssBackupComponents::GetWriterMetadataCount: writers that answered GatherWriterMetadata.
 *
 * Errors: VSS_E_BAD_STATE (not gathered, not finished, or freed).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_GetWriterMetadataCount(IVssBackupComponents *backup, UINT *pcWriters);

/* IVssBackupComponents::FreeWriterMetadata: drops what was gathered; the object cannot gather
 * again. Errors: VSS_E_BAD_STATE. Since 0.1. */
HRESULT IVssBackupComponents_FreeWriterMetadata(IVssBackupComponents *backup);

/*
 * IVssBackupComponents::StartSnapshotSet: opens an empty set. One at a time on a machine, until
 * its DoSnapshotSet has ended.
 *
 * pSnapshotSetId: receives the id of the set.
 * Errors: VSS_E_BAD_STATE, VSS_E_SNAPSHOT_SET_IN_PROGRESS, VSS_E_UNSUPPORTED_CONTEXT (VSS_CTX_ALL).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_StartSnapshotSet(IVssBackupComponents *backup, VSS_ID *pSnapshotSetId);

/*
 * IVssBackupComponents::AddToSnapshotSet: adds one volume. Volumes mounted below it are not
 * covered.
 *
 * pwszVolumeName: mount point, block device, vg/lv, UUID= or LABEL=. ProviderId: GUID_NULL for the
 * service's choice. pidSnapshot: receives the id of the copy to come; there is no getter for it.
 * Errors: E_INVALIDARG (relative path), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_OBJECT_ALREADY_EXISTS (the same volume twice), VSS_E_VOLUME_NOT_SUPPORTED,
 * VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, VSS_E_PROVIDER_NOT_REGISTERED,
 * VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED (64), VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED,
 * VSS_E_NESTED_VOLUME_LIMIT, VSS_E_PROVIDER_VETO.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_AddToSnapshotSet(IVssBackupComponents *backup, LPCWSTR pwszVolumeName,
                                              VSS_ID ProviderId, VSS_ID *pidSnapshot);

/*
 * IVssBackupComponents::IsVolumeSupported: can the provider (GUID_NULL: any) copy this volume?
 *
 * pbSupportedByThisProvider: TRUE or FALSE; VssIsVolumeSupported (vsslinux.h) says why not.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_NOT_REGISTERED,
 * VSS_E_NESTED_VOLUME_LIMIT.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_IsVolumeSupported(IVssBackupComponents *backup, VSS_ID ProviderId,
                                               LPCWSTR pwszVolumeName,
                                               BOOL *pbSupportedByThisProvider);

/* IVssBackupComponents::PrepareForBackup: tells the writers that a backup is coming. ppAsync: as
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE. Since 0.1. */
HRESULT IVssBackupComponents_PrepareForBackup(IVssBackupComponents *backup, IVssAsync **ppAsync);

/*
 * IVssBackupComponents::DoSnapshotSet: makes all copies of the set, of one instant.
 *
 * ppAsync: as GatherWriterMetadata. S_OK means that it began; the operation's outcome is
 * QueryStatus's: VSS_E_INSUFFICIENT_STORAGE, VSS_E_FLUSH_WRITES_TIMEOUT, VSS_E_HOLD_WRITES_TIMEOUT,
 * VSS_E_PROVIDER_VETO, VSS_E_UNEXPECTED_PROVIDER_ERROR, VSS_E_NESTED_VOLUME_LIMIT,
 * VSS_E_WRITERERROR_... when a writer failed to freeze or thaw.
 * Errors: VSS_E_BAD_STATE.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_DoSnapshotSet(IVssBackupComponents *backup, IVssAsync **ppAsync);

/* IVssBackupComponents::GatherWriterStatus: collects each writer's state. ppAsync: as
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE, VSS_E_WRITER_INFRASTRUCTURE. Since 0.1. */
HRESULT IVssBackupComponents_GatherWriterStatus(IVssBackupComponents *backup, IVssAsync **ppAsync);

/* IVssBackupComponents::GetWriterStatusCount: entries of the last GatherWriterStatus. Errors:
 * VSS_E_BAD_STATE. Since 0.1. */
HRESULT IVssBackupComponents_GetWriterStatusCount(IVssBackupComponents *backup, UINT *pcWriters);

/*
 * IVssBackupComponents::GetWriterStatus: state and failure of one writer. S_OK also when the
 * writer failed: look at *phrFailureWriter.
 *
 * iWriter: 0 to the count less one. pidInstance, pidWriter: its instance and its class.
 * pbstrWriter: its name, freed by the caller with SysFreeString. pnStatus: VSS_WS_...
 * phrFailureWriter: S_OK or VSS_E_WRITERERROR_..., VSS_E_WRITER_NOT_RESPONDING,
 * VSS_E_WRITER_STATUS_NOT_AVAILABLE. All outputs are required.
 * Errors: VSS_E_BAD_STATE (not gathered), VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_GetWriterStatus(IVssBackupComponents *backup, UINT iWriter,
                                             VSS_ID *pidInstance, VSS_ID *pidWriter,
                                             BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                             HRESULT *phrFailureWriter);

/*
 * IVssBackupComponentsEx3::GetWriterStatusEx: as GetWriterStatus, and what the application said.
 *
 * phrApplication, pbstrApplicationMessage: the application's own code and sentence; each may be
 * NULL. The sentence is NULL if there is none, else freed with SysFreeString.
 * Since 0.1.
 */
HRESULT IVssBackupComponentsEx3_GetWriterStatusEx(IVssBackupComponents *backup, UINT iWriter,
                                                  VSS_ID *pidInstance, VSS_ID *pidWriter,
                                                  BSTR *pbstrWriter, VSS_WRITER_STATE *pnStatus,
                                                  HRESULT *phrFailureWriter,
                                                  HRESULT *phrApplication,
                                                  BSTR *pbstrApplicationMessage);

/* IVssBackupComponents::FreeWriterStatus: drops the entries; gathering again is allowed. Errors:
 * VSS_E_BAD_STATE. Since 0.1. */
HRESULT IVssBackupComponents_FreeWriterStatus(IVssBackupComponents *backup);

/*
 * IVssBackupComponents::GetSnapshotProperties: what is known of a finished copy, one's own or not.
 *
 * pProp: filled; its strings are freed with VssFreeSnapshotProperties.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (also while the copy is being made).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_GetSnapshotProperties(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                                   VSS_SNAPSHOT_PROP *pProp);

/*
 * IVssBackupComponents::Query: lists the finished copies of the object's context (VSS_CTX_ALL: of
 * all), or the providers.
 *
 * QueriedObjectId: GUID_NULL. eQueriedObjectType: VSS_OBJECT_NONE. eReturnedObjectsType:
 * VSS_OBJECT_SNAPSHOT or VSS_OBJECT_PROVIDER. ppEnum: the list as it was at this moment; the caller
 * releases it.
 * Returns S_FALSE, with an empty list, if there are none.
 * Errors: E_INVALIDARG (other types), VSS_E_BAD_STATE.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_Query(IVssBackupComponents *backup, VSS_ID QueriedObjectId,
                                   VSS_OBJECT_TYPE eQueriedObjectType,
                                   VSS_OBJECT_TYPE eReturnedObjectsType, IVssEnumObject **ppEnum);

/*
 * IVssBackupComponents::DeleteSnapshots: deletes a copy or all copies of a set, one by one, up to
 * the first error.
 *
 * SourceObjectId, eSourceObjectType: VSS_OBJECT_SNAPSHOT or VSS_OBJECT_SNAPSHOT_SET.
 * bForceDelete: also when the copy is in use. plDeletedSnapshots: the number deleted;
 * pNondeletedSnapshotID: the one that could not be, else GUID_NULL; both are filled on failure,
 * too.
 * Errors: E_INVALIDARG (other types), VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (in use, and not
 * forced), VSS_E_UNEXPECTED_PROVIDER_ERROR.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_DeleteSnapshots(IVssBackupComponents *backup, VSS_ID SourceObjectId,
                                             VSS_OBJECT_TYPE eSourceObjectType, BOOL bForceDelete,
                                             LONG *plDeletedSnapshots,
                                             VSS_ID *pNondeletedSnapshotID);

/* IVssBackupComponents::BackupComplete: tells the writers that the files are safe. ppAsync: as
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE, VSS_E_UNEXPECTED_WRITER_ERROR. Since 0.1. */
HRESULT IVssBackupComponents_BackupComplete(IVssBackupComponents *backup, IVssAsync **ppAsync);

/* IVssBackupComponents::AbortBackup: gives up; returns when the writers have been told. S_OK also
 * if nothing was under way. Errors: VSS_E_BAD_STATE (not initialised). Since 0.1. */
HRESULT IVssBackupComponents_AbortBackup(IVssBackupComponents *backup);

/* IVssBackupComponentsEx3::GetSessionId: the id of this object's session, as writers and the log
 * have it. Since 0.1. */
HRESULT IVssBackupComponentsEx3_GetSessionId(IVssBackupComponents *backup, VSS_ID *idSession);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
