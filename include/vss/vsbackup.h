/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSBACKUP_H
#define VSS_VSBACKUP_H

/*
 * The requester's half: IVssBackupComponents and what belongs to it.
 *
 * One object performs one backup, one restore or one administrative session and is then released.
 * It is made with CreateVssBackupComponents, counted with _AddRef and _Release, and used from one
 * thread at a time; different objects may be used from different threads, an IVssAsync and the
 * IVssBackupComponents that it came from among them: their calls take turns, and a Wait lets others
 * in. A method is called with its interface's name: IVssBackupComponents_DoSnapshotSet(backup,
 * &async).
 *
 * The order of calls is checked by the service: a call out of order is VSS_E_BAD_STATE. A backup is
 *
 *      InitializeForBackup, [SetContext], SetBackupState, GatherWriterMetadata, [AddComponent...],
 *      StartSnapshotSet, AddToSnapshotSet..., PrepareForBackup, DoSnapshotSet, (copy files),
 *      [SetBackupSucceeded...], BackupComplete, [SaveAsXML], Release
 *
 * and a restore is
 *
 *      InitializeForRestore, GatherWriterMetadata, SetSelectedForRestore..., PreRestore,
 *      (copy files), SetFileRestoreStatus..., PostRestore, Release
 *
 * "The component" of a method is named by four arguments: writerId, the class of its writer; ct,
 * its type; wszLogicalPath, NULL or empty for none; wszComponentName. It must be in the Backup
 * Components Document, where AddComponent or InitializeForRestore put it; else it is
 * VSS_E_OBJECT_NOT_FOUND.
 *
 * Any call may return E_INVALIDARG for a NULL object, a NULL output, a NULL string where none is
 * allowed, a string that is not UTF-8 or longer than 65,536 bytes, and a value outside its
 * enumeration; E_OUTOFMEMORY; E_ACCESSDENIED when the caller may not use the service; and
 * VSS_E_UNEXPECTED when the service failed or cannot be reached. The lists below name what comes on
 * top. On failure an output pointer is NULL, an output id GUID_NULL, an output number 0, unless
 * said otherwise; and VssLastErrorMessage (vsslinux.h) has a sentence that says what, why, and the
 * way out. Strings that are handed out are freed by the caller, with SysFreeString.
 */

#include <vss/vscomponent.h>
#include <vss/vsmetadata.h>
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
 * Errors: none.
 * Since 0.1.
 */
void VssFreeSnapshotProperties(VSS_SNAPSHOT_PROP *pProp);

/* The name under which the DLL exports VssFreeSnapshotProperties; the same function. Since 0.1. */
void VssFreeSnapshotPropertiesInternal(VSS_SNAPSHOT_PROP *pProp);

/*
 * ShouldBlockRevert: does a volume hold files of a writer that the administrator listed as one
 * whose data must not be rolled back? Advice: RevertToSnapshot does not ask. Needs no object.
 *
 * wszVolumeName: mount point or block device. pbBlock: receives the answer.
 * Errors: E_INVALIDARG (also of a volume that is not there, or that cannot have snapshots),
 * VSS_E_PROVIDER_VETO (as AddToSnapshotSet).
 * Since 0.2.
 */
HRESULT ShouldBlockRevert(LPCWSTR wszVolumeName, bool *pbBlock);

/* The name under which the DLL exports ShouldBlockRevert; the same function. Since 0.2. */
HRESULT ShouldBlockRevertInternal(LPCWSTR wszVolumeName, bool *pbBlock);

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
 * IVssBackupComponents::InitializeForBackup: the first call of every object that does not restore.
 *
 * bstrXML: a saved Backup Components Document, whose copies are to be imported; or NULL for a new
 * backup.
 * Errors: VSS_E_BAD_STATE (initialised already), VSS_E_INVALID_XML_DOCUMENT,
 * VSS_E_CORRUPT_XML_DOCUMENT.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_InitializeForBackup(IVssBackupComponents *backup, LPCWSTR bstrXML);

/*
 * IVssBackupComponents::InitializeForRestore: the first call of an object that restores.
 *
 * bstrXML: what SaveAsXML gave when the backup was made; required.
 * Errors: VSS_E_BAD_STATE (initialised already), VSS_E_INVALID_XML_DOCUMENT (also NULL),
 * VSS_E_CORRUPT_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_InitializeForRestore(IVssBackupComponents *backup, LPCWSTR bstrXML);

/*
 * IVssBackupComponents::SetContext: the kind of the copies, VSS_CTX_... with modifiers from
 * VSS_VOLSNAP_ATTR_...; VSS_CTX_BACKUP if it is not called. At most once, and before
 * StartSnapshotSet, Query, GetSnapshotProperties and all else that concerns finished copies.
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
 * IVssBackupComponents::SetRestoreState: what kind of restore this is; writers take
 * VSS_RTYPE_UNDEFINED, the default, for VSS_RTYPE_BY_COPY. Before PreRestore.
 *
 * restoreType: VSS_RTYPE_...
 * Errors: E_INVALIDARG (restoreType), VSS_E_BAD_STATE.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetRestoreState(IVssBackupComponents *backup,
                                             VSS_RESTORE_TYPE restoreType);

/*
 * IVssBackupComponents::EnableWriterClasses: only the listed writer classes take part. Further
 * calls add to the list. Without effect, and no error, once the metadata was gathered.
 *
 * rgWriterClassId, cClassId: that many class ids; NULL is allowed for 0 of them.
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
 * EnableWriterClasses. rgWriterInstanceId, cInstanceId: that many instance ids. Since 0.1. */
HRESULT IVssBackupComponents_DisableWriterInstances(IVssBackupComponents *backup,
                                                    const VSS_ID *rgWriterInstanceId,
                                                    UINT cInstanceId);

/*
 * IVssBackupComponents::GatherWriterMetadata: asks every enabled writer what it has. Once.
 *
 * ppAsync: receives the running operation; the caller releases it. S_OK means that it began.
 * A writer that does not answer well, or whose document is not valid, is left out.
 * Errors: VSS_E_BAD_STATE, VSS_E_WRITER_INFRASTRUCTURE (the service is gone).
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

/*
 * IVssBackupComponents::GetWriterMetadata: what one writer said of itself, its components and their
 * files.
 *
 * iWriter: 0 to the count less one. pidInstance: its instance in this run. ppMetadata: receives the
 * document, which the caller releases; it holds beyond FreeWriterMetadata and this object.
 * Errors: VSS_E_BAD_STATE (not gathered, not finished, or freed), VSS_E_OBJECT_NOT_FOUND (no such
 * index). Not VSS_E_INVALID_XML_DOCUMENT: a writer whose document is not valid is not there.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_GetWriterMetadata(IVssBackupComponents *backup, UINT iWriter,
                                               VSS_ID *pidInstance,
                                               IVssExamineWriterMetadata **ppMetadata);

/* IVssBackupComponentsEx::GetWriterMetadataEx: the same as GetWriterMetadata; one object implements
 * all interfaces. iWriter, pidInstance, ppMetadata: as there. Errors: VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND. Since 0.2. */
HRESULT IVssBackupComponentsEx_GetWriterMetadataEx(IVssBackupComponents *backup, UINT iWriter,
                                                   VSS_ID *pidInstance,
                                                   IVssExamineWriterMetadataEx **ppMetadata);

/* IVssBackupComponents::FreeWriterMetadata: drops what was gathered: it cannot be read any more
 * (GetWriterMetadata, its count), and the object cannot gather again. Everything else is as before;
 * the service keeps what AddComponent, SetSelectedForRestore and the like go by until
 * PrepareForBackup or PostRestore. Errors: VSS_E_BAD_STATE. Since 0.1. */
HRESULT IVssBackupComponents_FreeWriterMetadata(IVssBackupComponents *backup);

/*
 * IVssBackupComponents::AddComponent: includes a component in the backup explicitly, in component
 * mode. Those below it that are not selectable come with it. Before PrepareForBackup.
 *
 * instanceId, writerId: the writer's instance, and its class. ct, wszLogicalPath, wszComponentName:
 * as its metadata has them; wszLogicalPath may be NULL.
 * Errors: E_INVALIDARG (no such type; not selectable, below one that is: it comes with that one and
 * is never added by itself), VSS_E_BAD_STATE (also in a context without writers),
 * VSS_E_OBJECT_ALREADY_EXISTS (this path and name were added before, of this or another instance of
 * the class), VSS_E_OBJECT_NOT_FOUND (the writer has no such component). Since 0.2.
 */
HRESULT IVssBackupComponents_AddComponent(IVssBackupComponents *backup, VSS_ID instanceId,
                                          VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                          LPCWSTR wszLogicalPath, LPCWSTR wszComponentName);

/*
 * IVssBackupComponents::SetBackupOptions: the options of the component's writer, which reads them
 * in PrepareForBackup. Before that.
 *
 * wszBackupOptions: text that the writer defines.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetBackupOptions(IVssBackupComponents *backup, VSS_ID writerId,
                                              VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                              LPCWSTR wszComponentName, LPCWSTR wszBackupOptions);

/*
 * IVssBackupComponents::SetPreviousBackupStamp: on which backup of the component an incremental or
 * differential one is based. Before PrepareForBackup.
 *
 * wszPreviousBackupStamp: what IVssComponent_GetBackupStamp gave in the document of that backup.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetPreviousBackupStamp(IVssBackupComponents *backup, VSS_ID writerId,
                                                    VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                    LPCWSTR wszComponentName,
                                                    LPCWSTR wszPreviousBackupStamp);

/*
 * IVssBackupComponents::GetWriterComponentsCount: writers of which at least one component is in the
 * Backup Components Document.
 *
 * pcComponents: receives the number: of writers, whatever its name says.
 * Errors: VSS_E_BAD_STATE.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_GetWriterComponentsCount(IVssBackupComponents *backup,
                                                      UINT *pcComponents);

/*
 * IVssBackupComponents::GetWriterComponents: the components of one writer of the document, as it
 * stands. After PrepareForBackup, DoSnapshotSet, BackupComplete, PreRestore and PostRestore it is
 * to be fetched again: what was handed out before then answers VSS_E_BAD_STATE.
 *
 * iWriter: 0 to the count less one. ppWriter: receives them; the caller releases it.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (no such index).
 * Since 0.2.
 */
HRESULT IVssBackupComponents_GetWriterComponents(IVssBackupComponents *backup, UINT iWriter,
                                                 IVssWriterComponentsExt **ppWriter);

/*
 * IVssBackupComponents::SaveAsXML: the Backup Components Document as text, the only way to keep it
 * beyond this object.
 *
 * pbstrXML: receives the text; the caller frees it.
 * Errors: VSS_E_BAD_STATE (not initialised, or while the set is being made).
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SaveAsXML(IVssBackupComponents *backup, BSTR *pbstrXML);

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
 * pwszVolumeName: mount point, block device, vg/lv, UUID=, LABEL=, PARTUUID= or PARTLABEL=.
 * ProviderId: GUID_NULL for the service's choice. pidSnapshot: receives the id of the copy to come;
 * there is no getter for it. Errors: E_INVALIDARG (relative path), VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_ALREADY_EXISTS (the same volume twice),
 * VSS_E_VOLUME_NOT_SUPPORTED, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
 * VSS_E_PROVIDER_NOT_REGISTERED, VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED (64),
 * VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED (512 of the volume, by configuration fewer; of 64 that
 * are client-accessible one more makes the oldest go), VSS_E_NESTED_VOLUME_LIMIT,
 * VSS_E_PROVIDER_VETO (what an earlier run of the service left there is still being put right).
 * Since 0.1.
 */
HRESULT IVssBackupComponents_AddToSnapshotSet(IVssBackupComponents *backup, LPCWSTR pwszVolumeName,
                                              VSS_ID ProviderId, VSS_ID *pidSnapshot);

/*
 * IVssBackupComponents::IsVolumeSupported: can the provider copy this volume?
 *
 * ProviderId: GUID_NULL for any. pwszVolumeName: as AddToSnapshotSet.
 * pbSupportedByThisProvider: TRUE or FALSE; VssIsVolumeSupported (vsslinux.h) says why not.
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_NOT_REGISTERED,
 * VSS_E_NESTED_VOLUME_LIMIT, VSS_E_PROVIDER_VETO (as AddToSnapshotSet).
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
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE, VSS_E_WRITER_INFRASTRUCTURE (the service is
 * gone). Since 0.1. */
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
 * SnapshotId: the copy. pProp: filled; its strings are freed with VssFreeSnapshotProperties.
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
 * forced), VSS_E_PROVIDER_NOT_REGISTERED (it was made by a provider that is not there),
 * VSS_E_UNEXPECTED_PROVIDER_ERROR.
 * Since 0.1.
 */
HRESULT IVssBackupComponents_DeleteSnapshots(IVssBackupComponents *backup, VSS_ID SourceObjectId,
                                             VSS_OBJECT_TYPE eSourceObjectType, BOOL bForceDelete,
                                             LONG *plDeletedSnapshots,
                                             VSS_ID *pNondeletedSnapshotID);

/*
 * IVssBackupComponents::SetBackupSucceeded: whether the files of a component, and of those that
 * came with it, were saved; without it they count as not saved. After the copying, before
 * BackupComplete.
 *
 * instanceId: the writer's instance. writerId, ct, wszLogicalPath, wszComponentName: the component.
 * bSucceded: true: all of them.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetBackupSucceeded(IVssBackupComponents *backup, VSS_ID instanceId,
                                                VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                LPCWSTR wszLogicalPath, LPCWSTR wszComponentName,
                                                bool bSucceded);

/* IVssBackupComponents::BackupComplete: tells the writers that the files are safe. ppAsync: as
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE, VSS_E_UNEXPECTED_WRITER_ERROR. Since 0.1. */
HRESULT IVssBackupComponents_BackupComplete(IVssBackupComponents *backup, IVssAsync **ppAsync);

/* IVssBackupComponents::AbortBackup: gives up; returns when the writers have been told. S_OK also
 * if nothing was under way. Errors: VSS_E_BAD_STATE (not initialised). Since 0.1. */
HRESULT IVssBackupComponents_AbortBackup(IVssBackupComponents *backup);

/* IVssBackupComponentsEx3::GetSessionId: the id of this object's session, as writers and the log
 * have it. idSession: receives it. Errors: none of its own. Since 0.1. */
HRESULT IVssBackupComponentsEx3_GetSessionId(IVssBackupComponents *backup, VSS_ID *idSession);

/*
 * IVssBackupComponentsEx4::GetRootAndLogicalPrefixPaths: splits a path into what AddToSnapshotSet
 * takes, and that with which the paths of components begin.
 *
 * pwszFilePath: absolute; need not exist. ppwszRootPath: receives the mount point of the volume,
 * with a trailing '/'. ppwszLogicalPrefix: receives the volume's lasting name, by the UUID of its
 * file system where it has one. Of a file on a share (NFS, SMB) both are what is mounted,
 * "host:/export" or "//host/share". Both are freed by the caller. bNormalizeFQDNforRootPath: a
 * share's host by its full name, as the resolver of the service's machine has it, else by the first
 * part of its name alone; one value for all paths of a set.
 * Errors: E_INVALIDARG (a relative path; one below a file).
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx4_GetRootAndLogicalPrefixPaths(IVssBackupComponents *backup,
                                                             LPCWSTR pwszFilePath,
                                                             VSS_PWSZ *ppwszRootPath,
                                                             VSS_PWSZ *ppwszLogicalPrefix,
                                                             BOOL bNormalizeFQDNforRootPath);

/*
 * What follows is for finished copies, in an object that was initialised for backup.
 */

/*
 * IVssBackupComponents::ImportSnapshots: brings in the transportable copies that the loaded
 * document describes, made by another host whose disks this one sees, or by this one: of one set,
 * up to 64, of logical volumes. Those whose context does not keep them go with this object.
 *
 * ppAsync: as GatherWriterMetadata; the outcome is QueryStatus's: VSS_E_NONTRANSPORTABLE_BCD (the
 * document is not one of a transportable set), VSS_E_MISSING_DISK (of its volume groups this host
 * sees no disks, or not all, or may not use them), VSS_E_NO_SNAPSHOTS_IMPORTED;
 * VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED is a success, of which VssLastErrorMessage() says what is
 * missing.
 * Errors: VSS_E_BAD_STATE (no document was loaded, or another call came before).
 * Since 0.2.
 */
HRESULT IVssBackupComponents_ImportSnapshots(IVssBackupComponents *backup, IVssAsync **ppAsync);

/*
 * IVssBackupComponents::BreakSnapshotSet: lets go of a set: its copies become ordinary volumes, all
 * of them or none, that the service does not know any more. Not to be undone. Exposures end; the
 * device objects are no more, the block devices /dev/vss/ShadowCopyN are.
 *
 * SnapshotSetId: the set.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (the copies depend on their
 * volumes, or somebody uses them), VSS_E_UNEXPECTED. Since 0.2.
 */
HRESULT IVssBackupComponents_BreakSnapshotSet(IVssBackupComponents *backup, VSS_ID SnapshotSetId);

/*
 * IVssBackupComponentsEx2::BreakSnapshotSetEx: as BreakSnapshotSet, while the caller goes on, and
 * with what becomes of the volumes.
 *
 * SnapshotSetID: the set. dwBreakFlags: VSS_BREAKEX_FLAG_...: MAKE_READ_WRITE, else the volumes are
 * read-only; REVERT_IDENTITY_ALL, they keep the UUIDs of their originals, of which none may be
 * there; REVERT_IDENTITY_NONE, their file systems get UUIDs of their own; with neither these stay
 * as they are; MASK_LUNS, the volumes stay inactive. MASK_LUNS excludes the others,
 * REVERT_IDENTITY_ALL and _NONE each other. ppAsync: as GatherWriterMetadata; not to be cancelled.
 * Errors: E_INVALIDARG (dwBreakFlags), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND. QueryStatus's:
 * VSS_E_PROVIDER_VETO, VSS_E_BREAK_REVERT_ID_FAILED (an original is there; the UUID cannot be
 * changed), VSS_E_UNEXPECTED. Since 0.2.
 */
HRESULT IVssBackupComponentsEx2_BreakSnapshotSetEx(IVssBackupComponents *backup,
                                                   VSS_ID SnapshotSetID, DWORD dwBreakFlags,
                                                   IVssAsync **ppAsync);

/*
 * IVssBackupComponents::ExposeSnapshot: mounts a copy of a persistent context on an empty
 * directory, read-only, or shares it with other machines through Samba or NFS. It stays so until
 * UnexposeSnapshot, over restarts of the service and, of a persistent context, of the machine.
 *
 * SnapshotId: the copy. wszPathFromRoot: a directory in the copy, or NULL for all of it; Windows
 * has it for shares alone. lAttributes: VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY or
 * VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY. wszExpose: the directory, which no link may lead to and which
 * has to be the caller's own unless that is root; or the share's name, with "smb:" or "nfs:" before
 * it where it has to be one of them; NULL, only of a share: the service's choice. pwszExposed:
 * receives where it is (the directory; the name of a usershare of Samba's; the directory that NFS
 * exports); the caller frees it. Errors: E_INVALIDARG (lAttributes, wszPathFromRoot, wszExpose),
 * E_ACCESSDENIED, VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_ALREADY_EXISTS (the copy is
 * exposed, or something else is there), VSS_E_PROVIDER_VETO (no files, or no service to share
 * them), VSS_E_UNEXPECTED_PROVIDER_ERROR, VSS_E_UNSUPPORTED_CONTEXT. Since 0.2.
 */
HRESULT IVssBackupComponents_ExposeSnapshot(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                            LPCWSTR wszPathFromRoot, LONG lAttributes,
                                            LPCWSTR wszExpose, VSS_PWSZ *pwszExposed);

/*
 * IVssBackupComponentsEx2::UnexposeSnapshot: undoes ExposeSnapshot; the copy stays.
 *
 * snapshotId: the copy.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (no such copy, or not exposed),
 * VSS_E_PROVIDER_VETO (somebody uses it there), VSS_E_UNEXPECTED_PROVIDER_ERROR.
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx2_UnexposeSnapshot(IVssBackupComponents *backup, VSS_ID snapshotId);

/*
 * IVssBackupComponents::RevertToSnapshot: begins to roll a whole volume back to a copy of a
 * persistent context; QueryRevertStatus tells when it has ended. Not to be cancelled or undone, nor
 * by a restart of service or machine. ShouldBlockRevert is not asked.
 *
 * A file system on the volume is unmounted, and mounted again with what it was. Copies that are
 * newer are deleted before it begins, and the copy itself is gone in the end. Of the volume that
 * the system runs from it begins with the next boot.
 *
 * SnapshotId: the copy. bForceDismount: also when the volume is in use: programs that have files of
 * it open are ended (SIGTERM, then SIGKILL); when the copy is exposed, or newer ones are in use;
 * and when there is no room for the stores of older copies, which may be lost then (else: E_FAIL).
 * Errors: E_FAIL, E_NOTIMPL (the provider cannot), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_PROVIDER_NOT_REGISTERED, VSS_E_REVERT_IN_PROGRESS, VSS_E_UNSUPPORTED_CONTEXT,
 * VSS_E_VOLUME_IN_USE (also the copy, or a newer one), VSS_E_VOLUME_NOT_SUPPORTED (a copy of it is
 * transportable and was not imported here; it overflowed; the system runs from it and the provider
 * cannot wait for the next boot; the state of the service lies on it; a copy would be deleted that
 * is newer by the clock of another host alone, and bForceDismount is not set). Since 0.2.
 */
HRESULT IVssBackupComponents_RevertToSnapshot(IVssBackupComponents *backup, VSS_ID SnapshotId,
                                              BOOL bForceDismount);

/*
 * IVssBackupComponents::QueryRevertStatus: the revert of a volume that is under way, whoever began
 * it.
 *
 * pwszVolume: mount point or block device. ppAsync: as GatherWriterMetadata; not to be cancelled.
 * It ends with the revert; QueryStatus's: VSS_E_REVERT_VOLUME_LOST (the volume has gone), E_FAIL
 * (its blocks cannot be copied back, or somebody has called it off). Errors: E_INVALIDARG (no name
 * of a volume; a relative path), E_POINTER (ppAsync is NULL), VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND (no such volume, or no revert of it is under way; one that cannot be
 * reverted at all is RevertToSnapshot's to refuse). Since 0.2.
 */
HRESULT IVssBackupComponents_QueryRevertStatus(IVssBackupComponents *backup, LPCWSTR pwszVolume,
                                               IVssAsync **ppAsync);

/* IVssBackupComponentsEx2::PreFastRecovery: reserved. SnapshotSetID, dwPreFastRecoveryFlags:
 * ignored. ppAsync: receives NULL; may be NULL. Errors: E_NOTIMPL, in any state. Since 0.2. */
HRESULT IVssBackupComponentsEx2_PreFastRecovery(IVssBackupComponents *backup, VSS_ID SnapshotSetID,
                                                DWORD dwPreFastRecoveryFlags, IVssAsync **ppAsync);

/* IVssBackupComponentsEx2::FastRecovery: reserved. SnapshotSetID, dwFastRecoveryFlags: ignored.
 * ppAsync: receives NULL; may be NULL. Errors: E_NOTIMPL, in any state. Since 0.2. */
HRESULT IVssBackupComponentsEx2_FastRecovery(IVssBackupComponents *backup, VSS_ID SnapshotSetID,
                                             DWORD dwFastRecoveryFlags, IVssAsync **ppAsync);

/*
 * What follows is for a restore: after InitializeForRestore and GatherWriterMetadata.
 */

/*
 * IVssBackupComponents::SetSelectedForRestore: chooses a component that was included in the backup
 * explicitly, or not any more. A writer without one takes no part. It goes to the gathered instance
 * of its writer's class with the same instance name, or to the only one. What an earlier restore
 * selected in the loaded document does not count. Before PreRestore.
 *
 * bSelectedForRestore: true: chosen; false: not, with what AddRestoreSubcomponent chose of it.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (also if no such instance of the writer runs),
 * VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetSelectedForRestore(IVssBackupComponents *backup, VSS_ID writerId,
                                                   VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                   LPCWSTR wszComponentName,
                                                   bool bSelectedForRestore);

/*
 * IVssBackupComponentsEx::SetSelectedForRestoreEx: as SetSelectedForRestore, and hands the
 * component to another instance of its writer's class (a restore with move).
 *
 * bSelectedForRestore: true: chosen. instanceId: the running instance, or GUID_NULL: as
 * SetSelectedForRestore.
 * Errors: E_INVALIDARG (the writer knows no restore with move), VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND (also the instance), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx_SetSelectedForRestoreEx(IVssBackupComponents *backup,
                                                       VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                       LPCWSTR wszLogicalPath,
                                                       LPCWSTR wszComponentName,
                                                       bool bSelectedForRestore, VSS_ID instanceId);

/*
 * IVssBackupComponents::AddRestoreSubcomponent: chooses one that came with the component, which is
 * itself chosen; from then on only those so named are restored. Before PreRestore.
 *
 * wszSubComponentLogicalPath, wszSubComponentName: of the one below, selectable for restore;
 * neither may be NULL. bRepair: reserved, false. Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_INVALID_XML_DOCUMENT. Since 0.2.
 */
HRESULT IVssBackupComponents_AddRestoreSubcomponent(IVssBackupComponents *backup, VSS_ID writerId,
                                                    VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                    LPCWSTR wszComponentName,
                                                    LPCWSTR wszSubComponentLogicalPath,
                                                    LPCWSTR wszSubComponentName, bool bRepair);

/*
 * IVssBackupComponents::SetRestoreOptions: the options of the component's writer for the restore,
 * in place of those that an earlier restore left in the loaded document. Once for each component,
 * before PreRestore.
 *
 * wszRestoreOptions: pairs "Option"="Value", separated by commas, as the writer defines them.
 * Errors: VSS_E_BAD_STATE (also a second call), VSS_E_OBJECT_NOT_FOUND, VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetRestoreOptions(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName, LPCWSTR wszRestoreOptions);

/*
 * IVssBackupComponents::SetAdditionalRestores: more restores of the component follow, of
 * incrementals for one: its writer is not to go on yet. Before PostRestore.
 *
 * bAdditionalRestores: true: more follow; the default is false.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetAdditionalRestores(IVssBackupComponents *backup, VSS_ID writerId,
                                                   VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                   LPCWSTR wszComponentName,
                                                   bool bAdditionalRestores);

/*
 * IVssBackupComponentsEx2::SetAuthoritativeRestore: what is restored of the component wins over its
 * replicas. Before PreRestore.
 *
 * bAuth: true: it wins; the default is false.
 * Errors: E_INVALIDARG (the writer knows no authoritative restore), VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND.
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx2_SetAuthoritativeRestore(IVssBackupComponents *backup,
                                                        VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                        LPCWSTR wszLogicalPath,
                                                        LPCWSTR wszComponentName, bool bAuth);

/*
 * IVssBackupComponentsEx2::SetRollForward: how far the component's logs are replayed. Before
 * PreRestore.
 *
 * rollType: VSS_RF_NONE, VSS_RF_ALL or VSS_RF_PARTIAL. wszRollForwardPoint: up to where, as the
 * writer defines it, for VSS_RF_PARTIAL; else NULL.
 * Errors: E_INVALIDARG (rollType; the writer cannot roll forward), VSS_E_BAD_STATE,
 * VSS_E_OBJECT_NOT_FOUND.
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx2_SetRollForward(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName,
                                               VSS_ROLLFORWARD_TYPE rollType,
                                               LPCWSTR wszRollForwardPoint);

/*
 * IVssBackupComponentsEx2::SetRestoreName: gives the component another name when it is restored.
 * Before PreRestore.
 *
 * wszRestoreName: the name, as the writer defines it.
 * Errors: E_INVALIDARG (the writer cannot rename), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND.
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx2_SetRestoreName(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName, LPCWSTR wszRestoreName);

/*
 * IVssBackupComponents::AddNewTarget: the requester will restore a set of the component's files to
 * another place. Before PreRestore.
 *
 * wszPath, wszFileName, bRecursive: the set, as the component has it. wszAlternatePath: the place.
 * Errors: E_INVALIDARG (the writer knows no new targets), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND
 * (also the set), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_AddNewTarget(IVssBackupComponents *backup, VSS_ID writerId,
                                          VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                          LPCWSTR wszComponentName, LPCWSTR wszPath,
                                          LPCWSTR wszFileName, bool bRecursive,
                                          LPCWSTR wszAlternatePath);

/*
 * IVssBackupComponents::PreRestore: tells the writers with chosen components that a restore is
 * coming. A writer is in one restore at a time, or in 8 if its backup schema has
 * VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES: one that is in so many is not told, now and in
 * PostRestore, and GetWriterStatus says VSS_E_WRITER_STATUS_NOT_AVAILABLE of it.
 *
 * ppAsync: as GatherWriterMetadata. Errors: VSS_E_BAD_STATE. Since 0.2.
 */
HRESULT IVssBackupComponents_PreRestore(IVssBackupComponents *backup, IVssAsync **ppAsync);

/*
 * IVssBackupComponents::AddAlternativeLocationMapping: tells the writer that a set of the
 * component's files was restored to the alternate place that the writer named. Before PostRestore.
 *
 * wszPath, wszFilespec, bRecursive: the set, as the component has it. wszDestination: where it is.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (also the set), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_AddAlternativeLocationMapping(IVssBackupComponents *backup,
                                                           VSS_ID writerId, VSS_COMPONENT_TYPE ct,
                                                           LPCWSTR wszLogicalPath,
                                                           LPCWSTR wszComponentName,
                                                           LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                           bool bRecursive, LPCWSTR wszDestination);

/*
 * IVssBackupComponents::SetRangesFilePath: where the file that lists the ranges of a partial file
 * lies now, if it was restored to another place. Before PostRestore.
 *
 * iPartialFile: 0 to IVssComponent_GetPartialFileCount less one. wszRangesFile: its path.
 * Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND (also no such index), VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetRangesFilePath(IVssBackupComponents *backup, VSS_ID writerId,
                                               VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                               LPCWSTR wszComponentName, UINT iPartialFile,
                                               LPCWSTR wszRangesFile);

/*
 * IVssBackupComponents::SetFileRestoreStatus: how the copying of a chosen component's files went.
 * Between PreRestore and PostRestore.
 *
 * status: VSS_RS_ALL, VSS_RS_NONE (nothing was touched) or VSS_RS_FAILED (some files were
 * restored). Errors: E_INVALIDARG (status), VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssBackupComponents_SetFileRestoreStatus(IVssBackupComponents *backup, VSS_ID writerId,
                                                  VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                                  LPCWSTR wszComponentName,
                                                  VSS_FILE_RESTORE_STATUS status);

/* IVssBackupComponents::PostRestore: tells these writers that the files are in place. ppAsync: as
 * GatherWriterMetadata. Errors: VSS_E_BAD_STATE, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO. Since
 * 0.2. */
HRESULT IVssBackupComponents_PostRestore(IVssBackupComponents *backup, IVssAsync **ppAsync);

/*
 * IVssBackupComponentsEx3::AddSnapshotToRecoverySet: queues a copy for RecoverSet. For storage
 * arrays alone, which copy a disk back by themselves; as none of this service's providers is one's,
 * it ends in VSS_E_BAD_STATE when nothing else is wrong. Any copy's files can be restored from it;
 * where its provider can, RevertToSnapshot rolls the whole volume back.
 *
 * snapshotId: the copy, of the set of the loaded document. dwFlags: reserved, 0.
 * pwszDestinationVolume: the volume to write; NULL or empty: the original one.
 * Errors: E_INVALIDARG (GUID_NULL, dwFlags, no name of a volume), VSS_E_BAD_STATE (no
 * InitializeForRestore, PostRestore was called, or there is no hardware provider),
 * VSS_E_OBJECT_NOT_FOUND (no such copy or volume), VSS_E_SNAPSHOT_NOT_IN_SET (the document is of
 * another set), VSS_E_VOLUME_NOT_SUPPORTED (the destination is no volume).
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx3_AddSnapshotToRecoverySet(IVssBackupComponents *backup,
                                                         VSS_ID snapshotId, DWORD dwFlags,
                                                         LPCWSTR pwszDestinationVolume);

/*
 * IVssBackupComponentsEx3::RecoverSet: writes the queued copies back. As AddSnapshotToRecoverySet
 * takes none here, it always fails; no writer hears of it.
 *
 * dwFlags: VSS_RECOVERY_... ppAsync: as GatherWriterMetadata; receives NULL.
 * Errors: VSS_E_BAD_STATE (nothing is queued).
 * Since 0.2.
 */
HRESULT IVssBackupComponentsEx3_RecoverSet(IVssBackupComponents *backup, DWORD dwFlags,
                                           IVssAsync **ppAsync);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
