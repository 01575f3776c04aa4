/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSMGMT_H
#define VSS_VSMGMT_H

/*
 * The management half: types of volumes and of the storage that copies take, and which blocks
 * change.
 */

#include <vss/vss.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A maximum size of a diff area, in bytes: none; and: remove the association. */
#define VSS_ASSOC_NO_MAX_SPACE ((LONGLONG)-1)
#define VSS_ASSOC_REMOVE ((LONGLONG)0)

typedef enum VSS_MGMT_OBJECT_TYPE {
        VSS_MGMT_OBJECT_UNKNOWN = 0,
        VSS_MGMT_OBJECT_VOLUME = 1,
        VSS_MGMT_OBJECT_DIFF_VOLUME = 2,
        VSS_MGMT_OBJECT_DIFF_AREA = 3,
} VSS_MGMT_OBJECT_TYPE;

typedef enum VSS_PROTECTION_LEVEL {
        VSS_PROTECTION_LEVEL_ORIGINAL_VOLUME = 0, /* the volume's I/O wins, copies may be lost */
        VSS_PROTECTION_LEVEL_SNAPSHOT = 1,        /* the copies win, the volume's I/O fails */
} VSS_PROTECTION_LEVEL;

typedef enum VSS_PROTECTION_FAULT {
        VSS_PROTECTION_FAULT_NONE = 0,
        VSS_PROTECTION_FAULT_DIFF_AREA_MISSING = 1,
        VSS_PROTECTION_FAULT_IO_FAILURE_DURING_ONLINE = 2,
        VSS_PROTECTION_FAULT_META_DATA_CORRUPTION = 3,
        VSS_PROTECTION_FAULT_MEMORY_ALLOCATION_FAILURE = 4,
        VSS_PROTECTION_FAULT_MAPPED_MEMORY_FAILURE = 5,
        VSS_PROTECTION_FAULT_COW_READ_FAILURE = 6,
        VSS_PROTECTION_FAULT_COW_WRITE_FAILURE = 7,
        VSS_PROTECTION_FAULT_DIFF_AREA_FULL = 8,
        VSS_PROTECTION_FAULT_GROW_TOO_SLOW = 9,
        VSS_PROTECTION_FAULT_GROW_FAILED = 10,
        VSS_PROTECTION_FAULT_DESTROY_ALL_SNAPSHOTS = 11,
        VSS_PROTECTION_FAULT_FILE_SYSTEM_FAILURE = 12,
        VSS_PROTECTION_FAULT_IO_FAILURE = 13,
        VSS_PROTECTION_FAULT_DIFF_AREA_REMOVED = 14,
        VSS_PROTECTION_FAULT_EXTERNAL_WRITER_TO_DIFF_AREA = 15,
        VSS_PROTECTION_FAULT_MOUNT_DURING_CLUSTER_OFFLINE = 16,
} VSS_PROTECTION_FAULT;

typedef struct VSS_VOLUME_PROP {
        VSS_PWSZ m_pwszVolumeName;        /* canonical */
        VSS_PWSZ m_pwszVolumeDisplayName; /* the shortest that a user would write */
} VSS_VOLUME_PROP, *PVSS_VOLUME_PROP;

typedef struct VSS_DIFF_VOLUME_PROP {
        VSS_PWSZ m_pwszVolumeName;
        VSS_PWSZ m_pwszVolumeDisplayName;
        LONGLONG m_llVolumeFreeSpace;  /* bytes */
        LONGLONG m_llVolumeTotalSpace; /* bytes */
} VSS_DIFF_VOLUME_PROP, *PVSS_DIFF_VOLUME_PROP;

/* Used <= allocated <= maximum, unless the maximum is VSS_ASSOC_NO_MAX_SPACE. */
typedef struct VSS_DIFF_AREA_PROP {
        VSS_PWSZ m_pwszVolumeName;
        VSS_PWSZ m_pwszDiffAreaVolumeName;
        LONGLONG m_llMaximumDiffSpace;   /* bytes */
        LONGLONG m_llAllocatedDiffSpace; /* bytes */
        LONGLONG m_llUsedDiffSpace;      /* bytes */
} VSS_DIFF_AREA_PROP, *PVSS_DIFF_AREA_PROP;

typedef union VSS_MGMT_OBJECT_UNION {
        VSS_VOLUME_PROP Vol;
        VSS_DIFF_VOLUME_PROP DiffVol;
        VSS_DIFF_AREA_PROP DiffArea;
} VSS_MGMT_OBJECT_UNION;

typedef struct VSS_MGMT_OBJECT_PROP {
        VSS_MGMT_OBJECT_TYPE Type; /* says which member of Obj holds */
        VSS_MGMT_OBJECT_UNION Obj;
} VSS_MGMT_OBJECT_PROP, *PVSS_MGMT_OBJECT_PROP;

typedef struct VSS_VOLUME_PROTECTION_INFO {
        VSS_PROTECTION_LEVEL m_protectionLevel;
        BOOL m_volumeIsOfflineForProtection;
        VSS_PROTECTION_FAULT m_protectionFault;
        LONG m_failureStatus; /* internal */
        BOOL m_volumeHasUnusedDiffArea;
        DWORD m_reserved;
} VSS_VOLUME_PROTECTION_INFO, *PVSS_VOLUME_PROTECTION_INFO;

/* Obtained by nobody yet: where a function takes one, NULL is allowed. */
typedef struct IVssDifferentialSoftwareSnapshotMgmt3 IVssDifferentialSoftwareSnapshotMgmt3;

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/*
 * IVssDifferentialSoftwareSnapshotMgmt3::QuerySnapshotDeltaBitmap: which blocks of a volume differ
 * between two copies of it; what a bit says: VssQuerySnapshotDelta.
 *
 * mgmt: NULL is allowed. idSnapshotOlder: a copy. idSnapshotYounger: a copy of the same volume that
 * was made later, or GUID_NULL: the volume as it is now. pcBlockSizePerBit: receives the bytes that
 * a bit stands for. pcBitmapLength: receives the number of bits; the bitmap has as many bytes as
 * they need, and what is left of the last one is 0. ppbBitmap: receives the bitmap, the first block
 * the lowest bit of the first byte; freed with VssFreeString((char *)bitmap). Errors: as
 * VssQuerySnapshotDelta. Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, VSS_ID idSnapshotOlder,
        VSS_ID idSnapshotYounger, ULONG *pcBlockSizePerBit, ULONG *pcBitmapLength,
        BYTE **ppbBitmap);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
