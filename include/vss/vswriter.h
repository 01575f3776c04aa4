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
 * for a veto. While the application is frozen they are those of its session alone: what other
 * sessions want waits, for the freeze timeout at most. An application with a loop of its own
 * subscribes by VssSubscribeWriter
 * (<vss/vsslinux.h>) instead, and its handlers run in that loop. Everything that a handler is
 * given, or asks for, belongs to the library and holds until the handler returns.
 *
 * The application stops writing in OnFreeze and goes on in OnThaw; should Thaw not come within the
 * freeze timeout, or the service or the bus go away, the library calls OnAbort by itself: what
 * OnPrepareSnapshot or OnFreeze began always ends, and an application never stays frozen. When the
 * service comes back, the library registers the writer again. docs/writers.md is the guide.
 */

#include <vss/vscomponent.h>
#include <vss/vsmetadata.h>
#include <vss/vss.h>
#include <vss/vsserror.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

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

/* Defaults of CVssWriter_Initialize and CVssWriter_Subscribe, in milliseconds. */
#define VSS_WRITER_DEFAULT_FREEZE_TIMEOUT ((DWORD)60000)
#define VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT ((DWORD)300000)

/* One object is all of them. */
typedef struct CVssWriter CVssWriter;
typedef CVssWriter CVssWriterEx;
typedef CVssWriter CVssWriterEx2;

/*
 * The handlers of a writer. Those for PrepareSnapshot, Freeze, Thaw and Abort are required; any
 * other may be NULL, which means success, and for OnIdentify an empty document. Set size to
 * sizeof(VSS_WRITER_CALLBACKS): handlers that a later version adds are then NULL.
 *
 * Order of a backup: Identify, PrepareBackup, PrepareSnapshot, Freeze, Thaw, PostSnapshot,
 * BackupComplete, BackupShutdown. Order of a restore: Identify, PreRestore, PostRestore. Identify
 * may come at any time, from any requester, and must touch no state. Abort may come at any time
 * from PrepareSnapshot to PostSnapshot, more than once, also without a Freeze before it: it must
 * undo whatever there is to undo. Of a backup that reached PrepareBackup, BackupShutdown is the
 * only one that always comes; its set id is GUID_NULL if no copy was made.
 *
 * OnIdentifyEx: instead of OnIdentify, not beside it. OnBackOffIOOnVolume, OnContinueIOOnVolume,
 * OnVSSApplicationStartup and OnVSSShutdown are reserved, as they are in the original: they are
 * never called.
 */
typedef struct VSS_WRITER_CALLBACKS {
        size_t size;
        bool (*OnIdentify)(CVssWriter *writer, void *user, IVssCreateWriterMetadata *metadata);
        bool (*OnIdentifyEx)(CVssWriter *writer, void *user, IVssCreateWriterMetadataEx *metadata);
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
        /* Reserved. */
        bool (*OnBackOffIOOnVolume)(CVssWriter *writer, void *user, LPCWSTR wszVolumeName,
                                    VSS_ID snapshotId, VSS_ID providerId);
        bool (*OnContinueIOOnVolume)(CVssWriter *writer, void *user, LPCWSTR wszVolumeName,
                                     VSS_ID snapshotId, VSS_ID providerId);
        bool (*OnVSSApplicationStartup)(CVssWriter *writer, void *user);
        bool (*OnVSSShutdown)(CVssWriter *writer, void *user);
} VSS_WRITER_CALLBACKS;

/*
 * CVssWriter_Create: the constructor of CVssWriter.
 *
 * callbacks: copied. user: handed to each handler. writer: receives the object.
 * Errors: E_INVALIDARG (a required handler is NULL; OnIdentify and OnIdentifyEx are both there),
 * E_OUTOFMEMORY, VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT CVssWriter_Create(const VSS_WRITER_CALLBACKS *callbacks, void *user, CVssWriter **writer);

/*
 * CVssWriter_Release: the destructor of CVssWriter. Unsubscribes if that was not done. Not to be
 * called from a handler. NULL is allowed. Since 0.1.
 */
void CVssWriter_Release(CVssWriter *writer);

/*
 * CVssWriter::Initialize: who the writer is. Once. The object gets its instance id here, which it
 * keeps over all its registrations.
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

/* CVssWriterEx::InitializeEx: as Initialize, with more. dwMajorVersion, dwMinorVersion: of the
 * writer's metadata. Since 0.1. */
HRESULT CVssWriterEx_InitializeEx(CVssWriter *writer, VSS_ID WriterId, LPCWSTR wszWriterName,
                                  DWORD dwMajorVersion, DWORD dwMinorVersion,
                                  VSS_USAGE_TYPE UsageType, VSS_SOURCE_TYPE SourceType,
                                  VSS_APPLICATION_LEVEL AppLevel, DWORD dwTimeoutFreeze,
                                  VSS_ALTERNATE_WRITER_STATE aws, bool bIOThrottlingOnly,
                                  LPCWSTR wszWriterInstanceName);

/*
 * CVssWriter::Subscribe: registers the writer with the service and starts a thread for the
 * connection, and the one on which the handlers run. Events may come before this returns.
 *
 * dwSubscribeTimeout: milliseconds to wait for the service; 0 for
 * VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT.
 * dwEventFlags: VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG, or one of them; events of
 * the other kind then succeed without their handlers. Identify belongs to both.
 * Errors: E_ACCESSDENIED, E_INVALIDARG, E_OUTOFMEMORY, VSS_E_BAD_STATE (not initialised),
 * VSS_E_WRITER_ALREADY_SUBSCRIBED (this object, or another with the class and instance name),
 * VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT CVssWriter_Subscribe(CVssWriter *writer, DWORD dwSubscribeTimeout, DWORD dwEventFlags);

/*
 * CVssWriterEx::SubscribeEx: as Subscribe, with a limit for Unsubscribe in place of one for the
 * service (which is VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT).
 *
 * dwUnsubscribeTimeout: milliseconds that Unsubscribe waits for a handler in progress; 0 or
 * INFINITE: as long as it takes.
 * Errors: as Subscribe.
 * Since 0.2.
 */
HRESULT CVssWriterEx_SubscribeEx(CVssWriter *writer, DWORD dwUnsubscribeTimeout,
                                 DWORD dwEventFlags);

/*
 * CVssWriter::Unsubscribe: leaves the service; returns when no handler runs any more. Of a backup
 * that is under way the application gets OnAbort and OnBackupShutdown first. Not to be called from
 * a handler.
 *
 * Errors: VSS_E_BAD_STATE (not subscribed, or called from a handler), VSS_E_UNEXPECTED (a handler
 * still runs after SubscribeEx's dwUnsubscribeTimeout: the writer gets no events any more, but
 * stays subscribed until a later call of this succeeds).
 * Since 0.1.
 */
HRESULT CVssWriter_Unsubscribe(CVssWriter *writer);

/* CVssWriter::InstallAlternateWriter: reserved. Errors: E_NOTIMPL, always. Since 0.2. */
HRESULT CVssWriter_InstallAlternateWriter(CVssWriter *writer, VSS_ID AlternateWriterId,
                                          VSS_ID clsidAlternateWriter);

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
 * hr: also S_OK, which records nothing, nor takes back what was, and
 * VSS_E_WRITERERROR_PARTIAL_FAILURE, for some of the components, each of which is marked by
 * IVssComponentEx2_SetFailure (if none is by the handler's end, the requester reads
 * VSS_E_WRITERERROR_NONRETRYABLE).
 * hrApplication: the application's own code. wszApplicationMessage: its sentence, copied, or NULL.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY, VSS_E_BAD_STATE (also for VSS_E_WRITERERROR_PARTIAL_FAILURE
 * in a handler that was given no components).
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

/* CVssWriter::GetRestoreType: in PreRestore and PostRestore; VSS_RTYPE_UNDEFINED elsewhere, and
 * when the requester set none: treat it as VSS_RTYPE_BY_COPY. Since 0.2. */
VSS_RESTORE_TYPE CVssWriter_GetRestoreType(CVssWriter *writer);

/* CVssWriter::AreComponentsSelected: the requester works in component mode. Since 0.1. */
bool CVssWriter_AreComponentsSelected(CVssWriter *writer);

/* CVssWriter::IsBootableSystemStateBackedUp: the requester saves what the system boots from.
 * Since 0.1. */
bool CVssWriter_IsBootableSystemStateBackedUp(CVssWriter *writer);

/* CVssWriter::IsPartialFileSupportEnabled: the requester can save parts of files; without it
 * IVssComponent_AddPartialFile must not be used. Since 0.1. */
bool CVssWriter_IsPartialFileSupportEnabled(CVssWriter *writer);

/*
 * CVssWriter::GetSnapshotDeviceName: where the copy of a volume is. Only in OnPostSnapshot, during
 * which the copy of an auto-recovery context is writable: recovery changes it there, never the
 * original.
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
 * wszPath: absolute; need not exist; links are followed. Variables as in the paths of a document
 * (<vss/vsmetadata.h>).
 * Since 0.1.
 */
bool CVssWriter_IsPathAffected(CVssWriter *writer, LPCWSTR wszPath);

/*
 * CVssWriterEx::GetIdentifyInformation: what this writer said in the session's Identify. Only in
 * OnPrepareBackup, OnPrepareSnapshot and OnPostSnapshot.
 *
 * ppMetadata: receives the document; the library's, not to be released.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY, E_FAIL (another phase; or the document is not kept any more,
 * since many other sessions identified this writer before this one's PrepareBackup).
 * Since 0.1.
 */
HRESULT CVssWriterEx_GetIdentifyInformation(CVssWriter *writer,
                                            IVssExamineWriterMetadata **ppMetadata);

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

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
