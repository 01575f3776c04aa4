/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSWRITER_H
#define VSS_VSWRITER_H

/*
 * The writer's half: an application that is told when a copy of its volumes is made.
 *
 *      CVssWriter_Create, CVssWriter_Initialize, CVssWriter_Subscribe, events ...,
 *      CVssWriter_Unsubscribe, CVssWriter_Release
 *
 * Handlers stand in a table of functions. They run on a thread of the library's, one at a time for
 * a writer, under the signal mask of the thread that subscribed, and return true for success, false
 * for a veto. Everything that a handler is given, or
 * asks for, belongs to the library and holds until the handler returns. The application stops
 * writing in OnFreeze and goes on in OnThaw; should Thaw not come within the freeze timeout, or the
 * service or the bus go away in between, the library calls OnAbort by itself: an application never
 * stays frozen. When the service comes back, the library registers the writer again.
 */

#include <vss/vss.h>
#include <vss/vsserror.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef enum VSS_USAGE_TYPE {
        VSS_UT_UNDEFINED = 0,
        VSS_UT_BOOTABLESYSTEMSTATE = 1,
        VSS_UT_SYSTEMSERVICE = 2,
        VSS_UT_USERDATA = 3,
        VSS_UT_OTHER = 4,
} VSS_USAGE_TYPE;

typedef enum VSS_SOURCE_TYPE {
        VSS_ST_UNDEFINED = 0,
        VSS_ST_TRANSACTEDDB = 1,
        VSS_ST_NONTRANSACTEDDB = 2,
        VSS_ST_OTHER = 3,
} VSS_SOURCE_TYPE;

typedef enum VSS_COMPONENT_TYPE {
        VSS_CT_UNDEFINED = 0,
        VSS_CT_DATABASE = 1,
        VSS_CT_FILEGROUP = 2,
} VSS_COMPONENT_TYPE;

typedef enum VSS_RESTOREMETHOD_ENUM {
        VSS_RME_UNDEFINED = 0,
        VSS_RME_RESTORE_IF_NOT_THERE = 1,
        VSS_RME_RESTORE_IF_CAN_REPLACE = 2,
        VSS_RME_STOP_RESTORE_START = 3,
        VSS_RME_RESTORE_TO_ALTERNATE_LOCATION = 4,
        VSS_RME_RESTORE_AT_REBOOT = 5,
        VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE = 6,
        VSS_RME_CUSTOM = 7,
        VSS_RME_RESTORE_STOP_START = 8,
} VSS_RESTOREMETHOD_ENUM;

typedef enum VSS_WRITERRESTORE_ENUM {
        VSS_WRE_UNDEFINED = 0,
        VSS_WRE_NEVER = 1,
        VSS_WRE_IF_REPLACE_FAILS = 2,
        VSS_WRE_ALWAYS = 3,
} VSS_WRITERRESTORE_ENUM;

typedef enum VSS_RESTORE_TARGET {
        VSS_RT_UNDEFINED = 0,
        VSS_RT_ORIGINAL = 1,
        VSS_RT_ALTERNATE = 2,
        VSS_RT_DIRECTED = 3,
        VSS_RT_ORIGINAL_LOCATION = 4,
} VSS_RESTORE_TARGET;

typedef enum VSS_FILE_RESTORE_STATUS {
        VSS_RS_UNDEFINED = 0,
        VSS_RS_NONE = 1,
        VSS_RS_ALL = 2,
        VSS_RS_FAILED = 3,
} VSS_FILE_RESTORE_STATUS;

typedef enum VSS_ALTERNATE_WRITER_STATE {
        VSS_AWS_UNDEFINED = 0,
        VSS_AWS_NO_ALTERNATE_WRITER = 1, /* the only legal value */
        VSS_AWS_ALTERNATE_WRITER_EXISTS = 2,
        VSS_AWS_THIS_IS_ALTERNATE_WRITER = 3,
} VSS_ALTERNATE_WRITER_STATE;

/* A mask; DWORD in calls. VSS_SM_ALL_FLAGS is 0xFFFFFFFF as a DWORD. */
typedef enum VSS_SUBSCRIBE_MASK {
        VSS_SM_ALL_FLAGS = -1,           /* reserved */
        VSS_SM_POST_SNAPSHOT_FLAG = 0x1, /* reserved */
        VSS_SM_BACKUP_EVENTS_FLAG = 0x2,
        VSS_SM_RESTORE_EVENTS_FLAG = 0x4,
        VSS_SM_IO_THROTTLING_FLAG = 0x8, /* reserved */
} VSS_SUBSCRIBE_MASK;

/* A mask; DWORD in calls. */
typedef enum VSS_COMPONENT_FLAGS {
        VSS_CF_BACKUP_RECOVERY = 0x1,
        VSS_CF_APP_ROLLBACK_RECOVERY = 0x2,
        VSS_CF_NOT_SYSTEM_STATE = 0x4,
} VSS_COMPONENT_FLAGS;

/* Defaults of CVssWriter_Initialize and CVssWriter_Subscribe, in milliseconds. */
#define VSS_WRITER_DEFAULT_FREEZE_TIMEOUT ((DWORD)60000)
#define VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT ((DWORD)300000)

/* One object is all of them. */
typedef struct CVssWriter CVssWriter;
typedef CVssWriter CVssWriterEx;
typedef CVssWriter CVssWriterEx2;

/* The document that OnIdentify fills; holds until the handler returns. */
typedef struct IVssCreateWriterMetadata IVssCreateWriterMetadata;

/* The components that the requester selected of this writer. This version hands out none: handlers
 * get NULL. */
typedef struct IVssWriterComponents IVssWriterComponents;

/*
 * The handlers of a writer. Those for PrepareSnapshot, Freeze, Thaw and Abort are required; any
 * other may be NULL, which means success, and for OnIdentify an empty document. Set size to
 * sizeof(VSS_WRITER_CALLBACKS): handlers that a later version adds are then NULL.
 *
 * Order of a backup: Identify, PrepareBackup, PrepareSnapshot, Freeze, Thaw, PostSnapshot,
 * BackupComplete, BackupShutdown. Identify may come at any time, from any requester, and must touch
 * no state. Abort may come at any time from PrepareSnapshot to PostSnapshot, more than once, also
 * without a Freeze before it: it must undo whatever there is to undo. BackupShutdown is the only
 * one that always comes; its set id is GUID_NULL if no copy was made.
 */
typedef struct VSS_WRITER_CALLBACKS {
        size_t size;
        bool (*OnIdentify)(CVssWriter *writer, void *user, IVssCreateWriterMetadata *metadata);
        bool (*OnPrepareBackup)(CVssWriter *writer, void *user, IVssWriterComponents *components);
        bool (*OnPrepareSnapshot)(CVssWriter *writer, void *user);
        bool (*OnFreeze)(CVssWriter *writer, void *user);
        bool (*OnThaw)(CVssWriter *writer, void *user);
        bool (*OnPostSnapshot)(CVssWriter *writer, void *user, IVssWriterComponents *components);
        bool (*OnAbort)(CVssWriter *writer, void *user);
        bool (*OnBackupComplete)(CVssWriter *writer, void *user, IVssWriterComponents *components);
        bool (*OnBackupShutdown)(CVssWriter *writer, void *user, VSS_ID SnapshotSetId);
        bool (*OnPreRestore)(CVssWriter *writer, void *user, IVssWriterComponents *components);
        bool (*OnPostRestore)(CVssWriter *writer, void *user, IVssWriterComponents *components);
} VSS_WRITER_CALLBACKS;

/*
 * CVssWriter_Create: the constructor of CVssWriter.
 *
 * callbacks: copied. user: handed to each handler. writer: receives the object.
 * Errors: E_INVALIDARG (a required handler is NULL), E_OUTOFMEMORY, VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT CVssWriter_Create(const VSS_WRITER_CALLBACKS *callbacks, void *user, CVssWriter **writer);

/*
 * CVssWriter_Release: the destructor of CVssWriter. Unsubscribes if that was not done. Not to be
 * called from a handler. NULL is allowed. Since 0.1.
 */
void CVssWriter_Release(CVssWriter *writer);

/*
 * CVssWriter::Initialize: who the writer is. Once.
 *
 * WriterId: the class, a constant of the product. wszWriterName: its name, not translated.
 * UsageType: VSS_UT_... SourceType: VSS_ST_... AppLevel: when it freezes. dwTimeoutFreeze:
 * milliseconds from Freeze to Thaw after which the library calls OnAbort, at most
 * VSS_WRITER_DEFAULT_FREEZE_TIMEOUT; 0, or more, means that. aws: VSS_AWS_NO_ALTERNATE_WRITER.
 * bIOThrottlingOnly: false. wszWriterInstanceName: what tells several instances of the class
 * apart, or NULL.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY, VSS_E_BAD_STATE (second call).
 * Since 0.1.
 */
HRESULT CVssWriter_Initialize(CVssWriter *writer, VSS_ID WriterId, LPCWSTR wszWriterName,
                              VSS_USAGE_TYPE UsageType, VSS_SOURCE_TYPE SourceType,
                              VSS_APPLICATION_LEVEL AppLevel, DWORD dwTimeoutFreeze,
                              VSS_ALTERNATE_WRITER_STATE aws, bool bIOThrottlingOnly,
                              LPCWSTR wszWriterInstanceName);

/* CVssWriterEx::InitializeEx: as Initialize, with a version of the writer's metadata. Since 0.1. */
HRESULT CVssWriterEx_InitializeEx(CVssWriter *writer, VSS_ID WriterId, LPCWSTR wszWriterName,
                                  DWORD dwMajorVersion, DWORD dwMinorVersion,
                                  VSS_USAGE_TYPE UsageType, VSS_SOURCE_TYPE SourceType,
                                  VSS_APPLICATION_LEVEL AppLevel, DWORD dwTimeoutFreeze,
                                  VSS_ALTERNATE_WRITER_STATE aws, bool bIOThrottlingOnly,
                                  LPCWSTR wszWriterInstanceName);

/*
 * CVssWriter::Subscribe: registers the writer with the service and starts the thread on which its
 * handlers run. Events may come before this returns.
 *
 * dwSubscribeTimeout: milliseconds to wait for the service; 0 for
 * VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT.
 * dwEventFlags: VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG.
 * Errors: E_ACCESSDENIED, E_INVALIDARG, E_OUTOFMEMORY, VSS_E_BAD_STATE (not initialised),
 * VSS_E_WRITER_ALREADY_SUBSCRIBED (this object, or another with the class and instance name),
 * VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT CVssWriter_Subscribe(CVssWriter *writer, DWORD dwSubscribeTimeout, DWORD dwEventFlags);

/*
 * CVssWriter::Unsubscribe: leaves the service; returns when no handler runs any more. A frozen
 * application gets OnAbort first. Not to be called from a handler.
 *
 * Errors: VSS_E_BAD_STATE (not subscribed, or called from a handler).
 * Since 0.1.
 */
HRESULT CVssWriter_Unsubscribe(CVssWriter *writer);

/*
 * What follows is for handlers, on the handler's own thread, in the phases named; elsewhere it
 * gives the failure or the value named.
 */

/*
 * CVssWriter::SetWriterFailure: records why this phase failed, for the requester to read. Not in
 * OnIdentify.
 *
 * hr: VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT, _OUTOFRESOURCES, _TIMEOUT, _RETRYABLE or
 * _NONRETRYABLE.
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE.
 * Since 0.1.
 */
HRESULT CVssWriter_SetWriterFailure(CVssWriter *writer, HRESULT hr);

/*
 * CVssWriterEx2::SetWriterFailureEx: as SetWriterFailure, with the application's own words.
 *
 * hr: also S_OK and VSS_E_WRITERERROR_PARTIAL_FAILURE. hrApplication: the application's own code.
 * wszApplicationMessage: its sentence, copied, or NULL.
 * Since 0.1.
 */
HRESULT CVssWriterEx2_SetWriterFailureEx(CVssWriter *writer, HRESULT hr, HRESULT hrApplication,
                                         LPCWSTR wszApplicationMessage);

/* CVssWriter::GetCurrentVolumeCount: volumes of the set; 0 outside PrepareSnapshot to
 * PostSnapshot. Since 0.1. */
UINT CVssWriter_GetCurrentVolumeCount(CVssWriter *writer);

/* CVssWriter::GetCurrentVolumeArray: their names, a mount point with a trailing '/' or a block
 * device; NULL outside PrepareSnapshot to PostSnapshot. Since 0.1. */
const LPCWSTR *CVssWriter_GetCurrentVolumeArray(CVssWriter *writer);

/* CVssWriter::GetCurrentSnapshotSetId: GUID_NULL outside PrepareSnapshot to PostSnapshot, and
 * Abort. Since 0.1. */
VSS_ID CVssWriter_GetCurrentSnapshotSetId(CVssWriter *writer);

/* CVssWriter::GetContext: VSS_CTX_... and its modifiers, from PrepareSnapshot on; VSS_CTX_BACKUP
 * outside a handler. Since 0.1. */
LONG CVssWriter_GetContext(CVssWriter *writer);

/* CVssWriter::GetCurrentLevel: the level given to Initialize. Since 0.1. */
VSS_APPLICATION_LEVEL CVssWriter_GetCurrentLevel(CVssWriter *writer);

/* CVssWriter::GetBackupType: from PrepareBackup on; VSS_BT_UNDEFINED outside a handler. Treat one
 * that the writer does not know as VSS_BT_FULL. Since 0.1. */
VSS_BACKUP_TYPE CVssWriter_GetBackupType(CVssWriter *writer);

/* CVssWriter::AreComponentsSelected: the requester works in component mode. Since 0.1. */
bool CVssWriter_AreComponentsSelected(CVssWriter *writer);

/* CVssWriter::IsBootableSystemStateBackedUp. Since 0.1. */
bool CVssWriter_IsBootableSystemStateBackedUp(CVssWriter *writer);

/* CVssWriter::IsPartialFileSupportEnabled. Since 0.1. */
bool CVssWriter_IsPartialFileSupportEnabled(CVssWriter *writer);

/*
 * CVssWriter::GetSnapshotDeviceName: where the copy of a volume is. Only in OnPostSnapshot.
 *
 * wszOriginalVolume: as GetCurrentVolumeArray has it, with or without the trailing '/'.
 * ppwszSnapshotDevice: receives the copy's root, without a trailing '/'; the library's.
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE (another phase), VSS_E_OBJECT_NOT_FOUND (not in the set).
 * Since 0.1.
 */
HRESULT CVssWriter_GetSnapshotDeviceName(CVssWriter *writer, LPCWSTR wszOriginalVolume,
                                         LPCWSTR *ppwszSnapshotDevice);

/*
 * CVssWriter::IsPathAffected: does the path lie on a volume of the set? PrepareSnapshot to
 * PostSnapshot; false elsewhere.
 *
 * wszPath: absolute; need not exist; links are followed. Environment variables as ${NAME}.
 * Since 0.1.
 */
bool CVssWriter_IsPathAffected(CVssWriter *writer, LPCWSTR wszPath);

/*
 * CVssWriterEx2::GetSessionId: the requester's session, the same for all its events.
 *
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE (outside a handler).
 * Since 0.1.
 */
HRESULT CVssWriterEx2_GetSessionId(CVssWriter *writer, VSS_ID *idSession);

/* CVssWriterEx2::IsWriterShuttingDown: Unsubscribe waits for this handler: return soon. May be
 * called from any thread. Since 0.1. */
bool CVssWriterEx2_IsWriterShuttingDown(CVssWriter *writer);

/*
 * What follows fills the document in OnIdentify. A failing call leaves the document as it was. All
 * return E_INVALIDARG for a NULL or empty required string, a value outside its enumeration, or a
 * string that an XML document cannot hold; and E_OUTOFMEMORY.
 */

/*
 * IVssCreateWriterMetadata::AddComponent: defines a component.
 *
 * ct: database or file group. wszLogicalPath: NULL or empty: none; parts are separated by '\'.
 * wszComponentName: required, without '\'. wszCaption: for display, or NULL. pbIcon, cbIcon: a
 * picture (.ico) of cbIcon bytes, or NULL and 0. bRestoreMetadata: reserved, false.
 * bNotifyOnBackupComplete: reserved, false. bSelectable, bSelectableForRestore: may be chosen
 * alone. dwComponentFlags: VSS_CF_...
 * Errors: VSS_E_OBJECT_ALREADY_EXISTS.
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_AddComponent(IVssCreateWriterMetadata *metadata,
                                              VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                              LPCWSTR wszComponentName, LPCWSTR wszCaption,
                                              const BYTE *pbIcon, UINT cbIcon,
                                              bool bRestoreMetadata, bool bNotifyOnBackupComplete,
                                              bool bSelectable, bool bSelectableForRestore,
                                              DWORD dwComponentFlags);

/*
 * IVssCreateWriterMetadata::AddFilesToFileGroup: adds a set of files to a file group.
 *
 * wszLogicalPath, wszGroupName: of a component added before. wszPath: a directory.
 * wszFilespec: file names with '*' and '?'. bRecursive: also below the directory.
 * wszAlternateLocation: where the files lie now, or NULL. dwBackupTypeMask: VSS_FSBT_...; the
 * usual value is VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED.
 * Errors: E_INVALIDARG (not a file group), VSS_E_OBJECT_NOT_FOUND (no such component).
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_AddFilesToFileGroup(IVssCreateWriterMetadata *metadata,
                                                     LPCWSTR wszLogicalPath, LPCWSTR wszGroupName,
                                                     LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                     bool bRecursive, LPCWSTR wszAlternateLocation,
                                                     DWORD dwBackupTypeMask);

/* IVssCreateWriterMetadata::AddExcludeFiles: files that are never to be backed up, even if a
 * component names them. Parameters as AddFilesToFileGroup. Since 0.1. */
HRESULT IVssCreateWriterMetadata_AddExcludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive);

/*
 * IVssCreateWriterMetadata::SetRestoreMethod: how this writer's files are restored. A second call
 * replaces the first.
 *
 * method: VSS_RME_... wszService: the systemd unit, for VSS_RME_STOP_RESTORE_START and
 * VSS_RME_RESTORE_STOP_START only, else NULL. wszUserProcedure: reserved, or NULL. writerRestore:
 * VSS_WRE_... bRebootRequired: a restart of the machine is needed afterwards.
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_SetRestoreMethod(IVssCreateWriterMetadata *metadata,
                                                  VSS_RESTOREMETHOD_ENUM method, LPCWSTR wszService,
                                                  LPCWSTR wszUserProcedure,
                                                  VSS_WRITERRESTORE_ENUM writerRestore,
                                                  bool bRebootRequired);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
