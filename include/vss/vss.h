/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSS_H
#define VSS_VSS_H

/*
 * Types, enumerations and structures that every part of the API shares.
 *
 * Names and numeric values are those of the Volume Shadow Copy Service, so that its documentation
 * applies. What differs on Linux: strings are UTF-8, a volume is a mount point or a block device,
 * and the integer types have the widths that they have on Windows, whatever the machine.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* Scalars. Windows' LONG and ULONG have 32 bits on every machine; C's long does not. */
typedef int32_t HRESULT;
typedef int32_t LONG;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef uint32_t UINT;
typedef int32_t BOOL; /* four bytes; the API's other truth values are C's bool */
typedef uint8_t BYTE;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

/* Strings are UTF-8 and end in NUL. Those that a function returns belong to the caller, who frees
 * them with VssFreeString or SysFreeString (they are the same). Where a BSTR is an input, NULL and
 * the empty string mean the same. */
typedef char *VSS_PWSZ;
typedef char *BSTR;
typedef const char *LPCWSTR;

/* 100 ns ticks since 1601-01-01T00:00:00Z. The Unix epoch is VSS_TIMESTAMP_UNIX_EPOCH. */
typedef int64_t VSS_TIMESTAMP;
#define VSS_TIMESTAMP_UNIX_EPOCH INT64_C(116444736000000000)

/* A GUID. Its text form is {8-4-4-4-12}; on every wire and in every file it is that text. */
typedef struct VSS_ID {
        uint32_t Data1;
        uint16_t Data2;
        uint16_t Data3;
        uint8_t Data4[8];
} VSS_ID;
typedef VSS_ID GUID;
typedef VSS_ID CLSID;
typedef VSS_ID IID;

/* "None", "any" or "default", depending on the call. */
static const VSS_ID GUID_NULL = { 0, 0, 0, { 0, 0, 0, 0, 0, 0, 0, 0 } };

/* Result codes: negative is failure. Some successes carry news: test the sign. The VSS_E_... are
 * in vsserror.h. */
#define SUCCEEDED(hr) ((HRESULT)(hr) >= 0)
#define FAILED(hr) ((HRESULT)(hr) < 0)
#define S_OK ((HRESULT)0L)
#define S_FALSE ((HRESULT)1L)
#define E_NOTIMPL ((HRESULT)0x80004001L)
#define E_NOINTERFACE ((HRESULT)0x80004002L)
#define E_POINTER ((HRESULT)0x80004003L)
#define E_ABORT ((HRESULT)0x80004004L)
#define E_FAIL ((HRESULT)0x80004005L)
#define E_UNEXPECTED ((HRESULT)0x8000FFFFL)
#define E_ACCESSDENIED ((HRESULT)0x80070005L)
#define E_HANDLE ((HRESULT)0x80070006L)
#define E_OUTOFMEMORY ((HRESULT)0x8007000EL)
#define E_INVALIDARG ((HRESULT)0x80070057L)

/* A timeout of IVssAsync_Wait that never passes. */
#ifndef INFINITE
#define INFINITE ((DWORD)0xFFFFFFFFUL)
#endif

typedef enum VSS_OBJECT_TYPE {
        VSS_OBJECT_UNKNOWN = 0,
        VSS_OBJECT_NONE = 1, /* Query: no filter */
        VSS_OBJECT_SNAPSHOT_SET = 2,
        VSS_OBJECT_SNAPSHOT = 3,
        VSS_OBJECT_PROVIDER = 4,
        VSS_OBJECT_TYPE_COUNT = 5,
} VSS_OBJECT_TYPE;

typedef enum VSS_PROVIDER_TYPE {
        VSS_PROV_UNKNOWN = 0,
        VSS_PROV_SYSTEM = 1,
        VSS_PROV_SOFTWARE = 2,
        VSS_PROV_HARDWARE = 3,
        VSS_PROV_FILESHARE = 4,
} VSS_PROVIDER_TYPE;

/* Reserved, a mask. */
typedef enum VSS_PROVIDER_CAPABILITIES {
        VSS_PRV_CAPABILITY_LEGACY = 0x1,
        VSS_PRV_CAPABILITY_COMPLIANT = 0x2,
        VSS_PRV_CAPABILITY_LUN_REPOINT = 0x4,
        VSS_PRV_CAPABILITY_LUN_RESYNC = 0x8,
        VSS_PRV_CAPABILITY_OFFLINE_CREATION = 0x10,
        VSS_PRV_CAPABILITY_MULTIPLE_IMPORT = 0x20,
        VSS_PRV_CAPABILITY_RECYCLING = 0x40,
        VSS_PRV_CAPABILITY_PLEX = 0x80,
        VSS_PRV_CAPABILITY_DIFFERENTIAL = 0x100,
        VSS_PRV_CAPABILITY_CLUSTERED = 0x200,
} VSS_PROVIDER_CAPABILITIES;

/* Front-end applications store their data through back-end ones: they freeze first. */
typedef enum VSS_APPLICATION_LEVEL {
        VSS_APP_AUTO = -1, /* reserved */
        VSS_APP_UNKNOWN = 0,
        VSS_APP_SYSTEM = 1,    /* freezes third */
        VSS_APP_BACK_END = 2,  /* freezes second */
        VSS_APP_FRONT_END = 3, /* freezes first */
        VSS_APP_SYSTEM_RM = 4, /* reserved */
} VSS_APPLICATION_LEVEL;

/* IsVolumeSnapshotted: what is better left alone while copies exist. */
typedef enum VSS_SNAPSHOT_COMPATIBILITY {
        VSS_SC_DISABLE_DEFRAG = 0x1,
        VSS_SC_DISABLE_CONTENTINDEX = 0x2,
} VSS_SNAPSHOT_COMPATIBILITY;

/* A mask; LONG in calls and structures. */
typedef enum VSS_VOLUME_SNAPSHOT_ATTRIBUTES {
        VSS_VOLSNAP_ATTR_PERSISTENT = 0x00000001,
        VSS_VOLSNAP_ATTR_NO_AUTORECOVERY = 0x00000002,
        VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE = 0x00000004,
        VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE = 0x00000008,
        VSS_VOLSNAP_ATTR_NO_WRITERS = 0x00000010,
        VSS_VOLSNAP_ATTR_TRANSPORTABLE = 0x00000020,
        VSS_VOLSNAP_ATTR_NOT_SURFACED = 0x00000040,
        VSS_VOLSNAP_ATTR_NOT_TRANSACTED = 0x00000080,
        VSS_VOLSNAP_ATTR_HARDWARE_ASSISTED = 0x00010000,
        VSS_VOLSNAP_ATTR_DIFFERENTIAL = 0x00020000,
        VSS_VOLSNAP_ATTR_PLEX = 0x00040000,
        VSS_VOLSNAP_ATTR_IMPORTED = 0x00080000,
        VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY = 0x00100000,
        VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY = 0x00200000,
        VSS_VOLSNAP_ATTR_AUTORECOVER = 0x00400000,
        VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY = 0x00800000,
        VSS_VOLSNAP_ATTR_DELAYED_POSTSNAPSHOT = 0x01000000,
        VSS_VOLSNAP_ATTR_TXF_RECOVERY = 0x02000000,
        VSS_VOLSNAP_ATTR_FILE_SHARE = 0x04000000,
} VSS_VOLUME_SNAPSHOT_ATTRIBUTES;

/* LONG in calls. VSS_CTX_ALL is all bits set: 0xFFFFFFFF as a LONG. */
typedef enum VSS_SNAPSHOT_CONTEXT {
        VSS_CTX_ALL = -1, /* administration only; creating with it is an error */
        VSS_CTX_BACKUP = 0,
        VSS_CTX_FILE_SHARE_BACKUP = VSS_VOLSNAP_ATTR_NO_WRITERS,
        VSS_CTX_NAS_ROLLBACK = VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE |
                               VSS_VOLSNAP_ATTR_NO_WRITERS,
        VSS_CTX_APP_ROLLBACK = VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE,
        VSS_CTX_CLIENT_ACCESSIBLE = VSS_VOLSNAP_ATTR_PERSISTENT |
                                    VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE |
                                    VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE | VSS_VOLSNAP_ATTR_NO_WRITERS,
        VSS_CTX_CLIENT_ACCESSIBLE_WRITERS = VSS_VOLSNAP_ATTR_PERSISTENT |
                                            VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE |
                                            VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE,
} VSS_SNAPSHOT_CONTEXT;

/* Not in order of time: 15 lies between 8 and 9. Never compare with '<'. */
typedef enum VSS_SNAPSHOT_STATE {
        VSS_SS_UNKNOWN = 0,
        VSS_SS_PREPARING = 1,
        VSS_SS_PROCESSING_PREPARE = 2,
        VSS_SS_PREPARED = 3,
        VSS_SS_PROCESSING_PRECOMMIT = 4,
        VSS_SS_PRECOMMITTED = 5,
        VSS_SS_PROCESSING_COMMIT = 6,
        VSS_SS_COMMITTED = 7,
        VSS_SS_PROCESSING_POSTCOMMIT = 8,
        VSS_SS_PROCESSING_PREFINALCOMMIT = 9,
        VSS_SS_PREFINALCOMMITTED = 10,
        VSS_SS_PROCESSING_POSTFINALCOMMIT = 11,
        VSS_SS_CREATED = 12, /* the only state that a requester sees */
        VSS_SS_ABORTED = 13,
        VSS_SS_DELETED = 14,
        VSS_SS_POSTCOMMITTED = 15,
        VSS_SS_COUNT = 16,
} VSS_SNAPSHOT_STATE;

typedef enum VSS_WRITER_STATE {
        VSS_WS_UNKNOWN = 0,
        VSS_WS_STABLE = 1,
        VSS_WS_WAITING_FOR_FREEZE = 2,
        VSS_WS_WAITING_FOR_THAW = 3,
        VSS_WS_WAITING_FOR_POST_SNAPSHOT = 4,
        VSS_WS_WAITING_FOR_BACKUP_COMPLETE = 5,
        VSS_WS_FAILED_AT_IDENTIFY = 6,
        VSS_WS_FAILED_AT_PREPARE_BACKUP = 7,
        VSS_WS_FAILED_AT_PREPARE_SNAPSHOT = 8,
        VSS_WS_FAILED_AT_FREEZE = 9,
        VSS_WS_FAILED_AT_THAW = 10,
        VSS_WS_FAILED_AT_POST_SNAPSHOT = 11,
        VSS_WS_FAILED_AT_BACKUP_COMPLETE = 12,
        VSS_WS_FAILED_AT_PRE_RESTORE = 13,
        VSS_WS_FAILED_AT_POST_RESTORE = 14,
        VSS_WS_FAILED_AT_BACKUPSHUTDOWN = 15,
        VSS_WS_COUNT = 16,
} VSS_WRITER_STATE;

typedef enum VSS_BACKUP_TYPE {
        VSS_BT_UNDEFINED = 0,
        VSS_BT_FULL = 1,
        VSS_BT_INCREMENTAL = 2,
        VSS_BT_DIFFERENTIAL = 3,
        VSS_BT_LOG = 4,
        VSS_BT_COPY = 5,
        VSS_BT_OTHER = 6,
} VSS_BACKUP_TYPE;

/* A mask; DWORD in calls. */
typedef enum VSS_BACKUP_SCHEMA {
        VSS_BS_UNDEFINED = 0x0,
        VSS_BS_DIFFERENTIAL = 0x1,
        VSS_BS_INCREMENTAL = 0x2,
        VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL = 0x4,
        VSS_BS_LOG = 0x8,
        VSS_BS_COPY = 0x10,
        VSS_BS_TIMESTAMPED = 0x20,
        VSS_BS_LAST_MODIFY = 0x40,
        VSS_BS_LSN = 0x80, /* reserved */
        VSS_BS_WRITER_SUPPORTS_NEW_TARGET = 0x100,
        VSS_BS_WRITER_SUPPORTS_RESTORE_WITH_MOVE = 0x200,
        VSS_BS_INDEPENDENT_SYSTEM_STATE = 0x400,
        VSS_BS_ROLLFORWARD_RESTORE = 0x1000,
        VSS_BS_RESTORE_RENAME = 0x2000,
        VSS_BS_AUTHORITATIVE_RESTORE = 0x4000,
        VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES = 0x8000, /* up to 8; without it one at a time */
} VSS_BACKUP_SCHEMA;

typedef enum VSS_RESTORE_TYPE {
        VSS_RTYPE_UNDEFINED = 0, /* writers treat it as BY_COPY */
        VSS_RTYPE_BY_COPY = 1,
        VSS_RTYPE_IMPORT = 2,
        VSS_RTYPE_OTHER = 3,
} VSS_RESTORE_TYPE;

typedef enum VSS_ROLLFORWARD_TYPE {
        VSS_RF_UNDEFINED = 0,
        VSS_RF_NONE = 1,
        VSS_RF_ALL = 2,
        VSS_RF_PARTIAL = 3,
} VSS_ROLLFORWARD_TYPE;

/* A mask; DWORD in calls. Omitted means VSS_FSBT_ALL_BACKUP_REQUIRED |
 * VSS_FSBT_ALL_SNAPSHOT_REQUIRED. */
typedef enum VSS_FILE_SPEC_BACKUP_TYPE {
        VSS_FSBT_FULL_BACKUP_REQUIRED = 0x1,
        VSS_FSBT_DIFFERENTIAL_BACKUP_REQUIRED = 0x2,
        VSS_FSBT_INCREMENTAL_BACKUP_REQUIRED = 0x4,
        VSS_FSBT_LOG_BACKUP_REQUIRED = 0x8,
        VSS_FSBT_FULL_SNAPSHOT_REQUIRED = 0x100,
        VSS_FSBT_DIFFERENTIAL_SNAPSHOT_REQUIRED = 0x200,
        VSS_FSBT_INCREMENTAL_SNAPSHOT_REQUIRED = 0x400,
        VSS_FSBT_LOG_SNAPSHOT_REQUIRED = 0x800,
        VSS_FSBT_CREATED_DURING_BACKUP = 0x10000,
        VSS_FSBT_ALL_BACKUP_REQUIRED = 0xF,
        VSS_FSBT_ALL_SNAPSHOT_REQUIRED = 0xF00,
} VSS_FILE_SPEC_BACKUP_TYPE;

/* A mask; DWORD in calls. */
typedef enum VSS_HARDWARE_OPTIONS {
        VSS_BREAKEX_FLAG_MASK_LUNS = 0x1,
        VSS_BREAKEX_FLAG_MAKE_READ_WRITE = 0x2,
        VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL = 0x4,
        VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE = 0x8,
        VSS_ONLUNSTATECHANGE_NOTIFY_READ_WRITE = 0x100,
        VSS_ONLUNSTATECHANGE_NOTIFY_LUN_PRE_RECOVERY = 0x200,
        VSS_ONLUNSTATECHANGE_NOTIFY_LUN_POST_RECOVERY = 0x400,
        VSS_ONLUNSTATECHANGE_DO_MASK_LUNS = 0x800,
} VSS_HARDWARE_OPTIONS;

/* A mask; DWORD in calls. */
typedef enum VSS_RECOVERY_OPTIONS {
        VSS_RECOVERY_REVERT_IDENTITY_ALL = 0x100,
        VSS_RECOVERY_NO_VOLUME_CHECK = 0x200,
} VSS_RECOVERY_OPTIONS;

typedef enum VSS_SNAPSHOT_PROPERTY_ID {
        VSS_SPROPID_UNKNOWN = 0x0,
        VSS_SPROPID_SNAPSHOT_ID = 0x1,
        VSS_SPROPID_SNAPSHOT_SET_ID = 0x2,
        VSS_SPROPID_SNAPSHOTS_COUNT = 0x3,
        VSS_SPROPID_SNAPSHOT_DEVICE = 0x4,
        VSS_SPROPID_ORIGINAL_VOLUME = 0x5,
        VSS_SPROPID_ORIGINATING_MACHINE = 0x6,
        VSS_SPROPID_SERVICE_MACHINE = 0x7,
        VSS_SPROPID_EXPOSED_NAME = 0x8,
        VSS_SPROPID_EXPOSED_PATH = 0x9,
        VSS_SPROPID_PROVIDER_ID = 0xA,
        VSS_SPROPID_SNAPSHOT_ATTRIBUTES = 0xB,
        VSS_SPROPID_CREATION_TIMESTAMP = 0xC,
        VSS_SPROPID_STATUS = 0xD,
} VSS_SNAPSHOT_PROPERTY_ID;

/* A finished copy of one volume. Every string belongs to the struct's holder:
 * VssFreeSnapshotProperties frees them. */
typedef struct VSS_SNAPSHOT_PROP {
        VSS_ID m_SnapshotId;
        VSS_ID m_SnapshotSetId;
        LONG m_lSnapshotsCount; /* volumes in the set at its creation; does not shrink */
        /* The root of the copy, without a trailing '/': a directory where it is mounted, or the
         * block device of a volume without a file system. */
        VSS_PWSZ m_pwszSnapshotDeviceObject;
        VSS_PWSZ m_pwszOriginalVolumeName;
        VSS_PWSZ m_pwszOriginatingMachine;
        VSS_PWSZ m_pwszServiceMachine;
        VSS_PWSZ m_pwszExposedName; /* NULL: not exposed */
        VSS_PWSZ m_pwszExposedPath; /* a directory in the copy; NULL: all of it, or not exposed */
        VSS_ID m_ProviderId;
        LONG m_lSnapshotAttributes; /* VSS_VOLSNAP_ATTR_... */
        VSS_TIMESTAMP m_tsCreationTimestamp;
        VSS_SNAPSHOT_STATE m_eStatus;
} VSS_SNAPSHOT_PROP, *PVSS_SNAPSHOT_PROP;

typedef struct VSS_PROVIDER_PROP {
        VSS_ID m_ProviderId;
        VSS_PWSZ m_pwszProviderName; /* for display */
        VSS_PROVIDER_TYPE m_eProviderType;
        VSS_PWSZ m_pwszProviderVersion;
        VSS_ID m_ProviderVersionId;
        CLSID m_ClassId; /* GUID_NULL: built in */
} VSS_PROVIDER_PROP, *PVSS_PROVIDER_PROP;

typedef union VSS_OBJECT_UNION {
        VSS_SNAPSHOT_PROP Snap; /* VSS_OBJECT_SNAPSHOT */
        VSS_PROVIDER_PROP Prov; /* VSS_OBJECT_PROVIDER */
} VSS_OBJECT_UNION;

typedef struct VSS_OBJECT_PROP {
        VSS_OBJECT_TYPE Type; /* says which member of Obj holds */
        VSS_OBJECT_UNION Obj;
} VSS_OBJECT_PROP, *PVSS_OBJECT_PROP;

/*
 * SysFreeString: frees a string that the library returned; the same as VssFreeString.
 *
 * string: NULL is allowed.
 * Since 0.1.
 */
void SysFreeString(BSTR string);

/*
 * An operation under way, from a method that returned it. It runs on if it is released early. Its
 * object must outlive it: once that is released, a running operation can no longer be asked.
 */
typedef struct IVssAsync IVssAsync;

/* IUnknown::AddRef. Returns the new number of references. Since 0.1. */
ULONG IVssAsync_AddRef(IVssAsync *async);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.1. */
ULONG IVssAsync_Release(IVssAsync *async);

/*
 * IVssAsync::Cancel: asks the operation to stop.
 *
 * Returns S_OK (accepted), VSS_S_ASYNC_CANCELLED (was cancelled before), VSS_S_ASYNC_FINISHED (was
 * complete), or the error with which the operation had failed. All but the last are successes:
 * compare.
 * Errors: VSS_E_UNEXPECTED.
 * Since 0.1.
 */
HRESULT IVssAsync_Cancel(IVssAsync *async);

/*
 * IVssAsync::Wait: blocks until the operation has ended or the time is up.
 *
 * dwMilliseconds: at most so long; INFINITE.
 * Returns S_OK in each of these cases, also if the operation failed: ask QueryStatus.
 * Errors: VSS_E_UNEXPECTED (the service was lost).
 * Since 0.1.
 */
HRESULT IVssAsync_Wait(IVssAsync *async, DWORD dwMilliseconds);

/*
 * IVssAsync::QueryStatus: how the operation stands, without waiting.
 *
 * pHrResult: VSS_S_ASYNC_PENDING, VSS_S_ASYNC_FINISHED (not S_OK), VSS_S_ASYNC_CANCELLED or the
 * error with which it failed; VssLastErrorMessage then has its sentence. pReserved: NULL.
 * Errors: E_INVALIDARG, VSS_E_UNEXPECTED (the service was lost; *pHrResult says the same).
 * Since 0.1.
 */
HRESULT IVssAsync_QueryStatus(IVssAsync *async, HRESULT *pHrResult, int32_t *pReserved);

/* A list, as it was when it was asked for. */
typedef struct IVssEnumObject IVssEnumObject;

/* IUnknown::AddRef. Returns the new number of references. Since 0.1. */
ULONG IVssEnumObject_AddRef(IVssEnumObject *objects);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.1. */
ULONG IVssEnumObject_Release(IVssEnumObject *objects);

/*
 * IVssEnumObject::Next: the next celt elements, or as many as there are.
 *
 * rgelt: room for celt elements. Those filled belong to the caller: VssFreeSnapshotProperties on
 * Obj.Snap (VSS_OBJECT_SNAPSHOT), SysFreeString on the two strings of Obj.Prov.
 * pceltFetched: receives their number.
 * Returns S_FALSE if there were fewer than celt.
 * Errors: E_POINTER, E_OUTOFMEMORY (then none was delivered and the position is as it was).
 * Since 0.1.
 */
HRESULT IVssEnumObject_Next(IVssEnumObject *objects, ULONG celt, VSS_OBJECT_PROP *rgelt,
                            ULONG *pceltFetched);

/* IVssEnumObject::Skip: leaves out celt elements; S_FALSE if that went past the end. Errors:
 * E_INVALIDARG (objects is NULL). Since 0.1. */
HRESULT IVssEnumObject_Skip(IVssEnumObject *objects, ULONG celt);

/* IVssEnumObject::Reset: back to the first element; the list itself is not refreshed. Errors:
 * E_INVALIDARG (objects is NULL). Since 0.1. */
HRESULT IVssEnumObject_Reset(IVssEnumObject *objects);

/* IVssEnumObject::Clone: the same list at the same position, with a position of its own from then
 * on. The caller releases *ppEnum. Errors: E_POINTER, E_OUTOFMEMORY. Since 0.1. */
HRESULT IVssEnumObject_Clone(IVssEnumObject *objects, IVssEnumObject **ppEnum);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
