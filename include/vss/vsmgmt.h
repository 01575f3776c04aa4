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

/* A diff area with what is beyond VSS. It may grow at its end in later versions. */
typedef struct VSS_DIFF_AREA_INFO {
        VSS_DIFF_AREA_PROP area;
        bool set_down;   /* by an administrator; else it goes with the last copy in it */
        bool until_boot; /* its maximum ends with the boot */
} VSS_DIFF_AREA_INFO;

/* One object each; later interfaces of a family are the same type. */
typedef struct IVssSnapshotMgmt IVssSnapshotMgmt;
typedef struct IVssSnapshotMgmt IVssSnapshotMgmt2;
typedef struct IVssDifferentialSoftwareSnapshotMgmt IVssDifferentialSoftwareSnapshotMgmt;
typedef struct IVssDifferentialSoftwareSnapshotMgmt IVssDifferentialSoftwareSnapshotMgmt2;
typedef struct IVssDifferentialSoftwareSnapshotMgmt IVssDifferentialSoftwareSnapshotMgmt3;
typedef struct IVssEnumMgmtObject IVssEnumMgmtObject;

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

/*
 * CreateVssSnapshotMgmt: the object of the management family; on Windows the class VssSnapshotMgmt.
 *
 * ppMgmt: receives it; the caller drops it with IVssSnapshotMgmt_Release(). Errors: E_OUTOFMEMORY.
 * Since 0.2.
 */
HRESULT CreateVssSnapshotMgmt(IVssSnapshotMgmt **ppMgmt);

/* IVssSnapshotMgmt::AddRef: another reference; returns their number. Since 0.2. */
ULONG IVssSnapshotMgmt_AddRef(IVssSnapshotMgmt *mgmt);

/* IVssSnapshotMgmt::Release: drops a reference; returns how many are left. Since 0.2. */
ULONG IVssSnapshotMgmt_Release(IVssSnapshotMgmt *mgmt);

/*
 * IVssSnapshotMgmt::GetProviderMgmtInterface: the object of the diff areas. It serves all
 * interfaces of its family, so that there is no interface id to give.
 *
 * ProviderId: a provider, or the id of Windows' system provider; it must not be GUID_NULL. ppItf:
 * receives the object; the caller drops it with IVssDifferentialSoftwareSnapshotMgmt_Release().
 * Errors: VSS_E_PROVIDER_NOT_REGISTERED. Since 0.2.
 */
HRESULT IVssSnapshotMgmt_GetProviderMgmtInterface(IVssSnapshotMgmt *mgmt, VSS_ID ProviderId,
                                                  IVssDifferentialSoftwareSnapshotMgmt **ppItf);

/*
 * IVssSnapshotMgmt::QueryVolumesSupportedForSnapshots: the volumes of which a provider makes
 * copies.
 *
 * ProviderId: as GetProviderMgmtInterface. lContext: bits of VSS_VOLSNAP_ATTR_PERSISTENT,
 * _CLIENT_ACCESSIBLE, _NO_AUTO_RELEASE and _NO_WRITERS; all providers take all of them. ppEnum:
 * receives the list, of VSS_MGMT_OBJECT_VOLUME. Errors: E_INVALIDARG (also GUID_NULL, and another
 * bit), VSS_E_PROVIDER_NOT_REGISTERED. Since 0.2.
 */
HRESULT IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(IVssSnapshotMgmt *mgmt,
                                                           VSS_ID ProviderId, LONG lContext,
                                                           IVssEnumMgmtObject **ppEnum);

/*
 * IVssSnapshotMgmt::QuerySnapshotsByVolume: a volume's copies by a provider.
 *
 * pwszVolumeName: as it is in the copies' properties, or as AddDiffArea. ProviderId:
 * as GetProviderMgmtInterface. ppEnum: receives the list, of VSS_OBJECT_SNAPSHOT; the caller drops
 * it with IVssEnumObject_Release(). Errors: VSS_E_PROVIDER_NOT_REGISTERED, VSS_E_OBJECT_NOT_FOUND
 * (there is no such volume, and no copy of one), VSS_E_PROVIDER_VETO (as AddDiffArea). Since 0.2.
 */
HRESULT IVssSnapshotMgmt_QuerySnapshotsByVolume(IVssSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
                                                VSS_ID ProviderId, IVssEnumObject **ppEnum);

/*
 * IVssSnapshotMgmt2::GetMinDiffAreaSize: the least that any store begins with.
 *
 * pllMinDiffAreaSize: receives the bytes. Errors: those of any call. Since 0.2.
 */
HRESULT IVssSnapshotMgmt2_GetMinDiffAreaSize(IVssSnapshotMgmt2 *mgmt, LONGLONG *pllMinDiffAreaSize);

/* IVssDifferentialSoftwareSnapshotMgmt::AddRef: another reference; returns their number. Since 0.2.
 */
ULONG IVssDifferentialSoftwareSnapshotMgmt_AddRef(IVssDifferentialSoftwareSnapshotMgmt *mgmt);

/* IVssDifferentialSoftwareSnapshotMgmt::Release: drops a reference; returns how many are left.
 * Since 0.2. */
ULONG IVssDifferentialSoftwareSnapshotMgmt_Release(IVssDifferentialSoftwareSnapshotMgmt *mgmt);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::AddDiffArea: sets down the diff area of a volume that has
 * neither one nor copies.
 *
 * pwszVolumeName: a mount point or a block device. pwszDiffAreaVolumeName: where the stores of its
 * copies go: a volume group, a directory or a block device, one of
 * QueryVolumesSupportedForDiffAreas; of several it is tried first from now on.
 * llMaximumDiffSpace: of all of them, in bytes, or VSS_ASSOC_NO_MAX_SPACE. Errors: E_INVALIDARG
 * (also 0), VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_ALREADY_EXISTS,
 * VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED, VSS_E_VOLUME_NOT_SUPPORTED,
 * VSS_E_INSUFFICIENT_STORAGE (too small for one copy), E_NOTIMPL (thin volumes),
 * VSS_E_PROVIDER_VETO (what an earlier run of the service left in the volume's storage is still
 * being put right). Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_AddDiffArea(IVssDifferentialSoftwareSnapshotMgmt *mgmt,
                                                         LPCWSTR pwszVolumeName,
                                                         LPCWSTR pwszDiffAreaVolumeName,
                                                         LONGLONG llMaximumDiffSpace);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::ChangeDiffAreaMaximumSize: another maximum; what was not
 * set down is set down by it. If the stores take more by now, the oldest copies are deleted a
 * moment later.
 *
 * pwszVolumeName, pwszDiffAreaVolumeName, llMaximumDiffSpace: as AddDiffArea; VSS_ASSOC_REMOVE: it
 * is not set down any more. Errors: as AddDiffArea; VSS_E_VOLUME_IN_USE (VSS_ASSOC_REMOVE, and
 * there are copies). Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, LONGLONG llMaximumDiffSpace);

/*
 * IVssDifferentialSoftwareSnapshotMgmt2::ChangeDiffAreaMaximumSizeEx: likewise.
 *
 * pwszVolumeName, pwszDiffAreaVolumeName, llMaximumDiffSpace: as ChangeDiffAreaMaximumSize.
 * bVolatile: TRUE: the maximum ends with the boot; not with VSS_ASSOC_REMOVE. Errors: as
 * ChangeDiffAreaMaximumSize. Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, LONGLONG llMaximumDiffSpace, BOOL bVolatile);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::QueryVolumesSupportedForDiffAreas: where the stores of a
 * volume's copies could be, in the order in which they are tried.
 *
 * pwszOriginalVolumeName: as AddDiffArea. ppEnum: receives the list, of
 * VSS_MGMT_OBJECT_DIFF_VOLUME; of a thin volume its pool. Errors: VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_VOLUME_NOT_SUPPORTED, E_NOTIMPL (copies without one), VSS_E_PROVIDER_VETO (as AddDiffArea).
 * Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryVolumesSupportedForDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszOriginalVolumeName,
        IVssEnumMgmtObject **ppEnum);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::QueryDiffAreasForVolume: the diff areas of a volume. Of
 * one with thin copies it is the pool, with what all of its volumes use.
 *
 * pwszVolumeName: as AddDiffArea. ppEnum: receives the list, of VSS_MGMT_OBJECT_DIFF_AREA. Errors:
 * VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (as AddDiffArea). Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForVolume(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        IVssEnumMgmtObject **ppEnum);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::QueryDiffAreasOnVolume: the diff areas in one place.
 *
 * pwszVolumeName: the volume group, directory or block device, as the lists have it. ppEnum: as
 * QueryDiffAreasForVolume. Errors: those of any call. Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasOnVolume(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        IVssEnumMgmtObject **ppEnum);

/*
 * IVssDifferentialSoftwareSnapshotMgmt::QueryDiffAreasForSnapshot: the diff areas of the volume
 * that a copy is of.
 *
 * SnapshotId: the copy. ppEnum: as QueryDiffAreasForVolume. Errors: VSS_E_OBJECT_NOT_FOUND,
 * VSS_E_PROVIDER_VETO (as AddDiffArea). Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForSnapshot(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, VSS_ID SnapshotId, IVssEnumMgmtObject **ppEnum);

/* IVssDifferentialSoftwareSnapshotMgmt2::MigrateDiffAreas: documented as not supported. Errors:
 * E_NOTIMPL, always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt2_MigrateDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, LPCWSTR pwszNewDiffAreaVolumeName);

/* IVssDifferentialSoftwareSnapshotMgmt2::QueryMigrationStatus: documented as not supported;
 * *ppAsync is NULL. Errors: E_NOTIMPL, always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt2_QueryMigrationStatus(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, IVssAsync **ppAsync);

/* IVssDifferentialSoftwareSnapshotMgmt2::SetSnapshotPriority: documented as not supported: the
 * oldest copy goes first. Errors: E_NOTIMPL, always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt2_SetSnapshotPriority(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, VSS_ID idSnapshot, BYTE priority);

/* IVssDifferentialSoftwareSnapshotMgmt3::SetVolumeProtectLevel: no provider has a protection: a
 * volume's writes always go before its copies. Errors: E_NOTIMPL, always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt3_SetVolumeProtectLevel(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName,
        VSS_PROTECTION_LEVEL protectionLevel);

/* IVssDifferentialSoftwareSnapshotMgmt3::GetVolumeProtectLevel: likewise; *protectionLevel is all
 * zeroes. Errors: E_NOTIMPL, always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt3_GetVolumeProtectLevel(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName,
        VSS_VOLUME_PROTECTION_INFO *protectionLevel);

/* IVssDifferentialSoftwareSnapshotMgmt3::ClearVolumeProtectFault: likewise. Errors: E_NOTIMPL,
 * always. Since 0.2. */
HRESULT IVssDifferentialSoftwareSnapshotMgmt3_ClearVolumeProtectFault(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName);

/* IVssDifferentialSoftwareSnapshotMgmt3::DeleteUnusedDiffAreas: there are none: a store goes with
 * its copy, and what a crash left of one at the next start. Errors: E_NOTIMPL, always. Since 0.2.
 */
HRESULT IVssDifferentialSoftwareSnapshotMgmt3_DeleteUnusedDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszDiffAreaVolumeName);

/* IVssEnumMgmtObject::AddRef: another reference; returns their number. Since 0.2. */
ULONG IVssEnumMgmtObject_AddRef(IVssEnumMgmtObject *objects);

/* IVssEnumMgmtObject::Release: drops a reference; returns how many are left. Since 0.2. */
ULONG IVssEnumMgmtObject_Release(IVssEnumMgmtObject *objects);

/*
 * IVssEnumMgmtObject::Next: the next elements of a list, which is as it was when it was asked for.
 *
 * celt: how many. rgelt: receives them; their strings are freed with VssFreeString(). pceltFetched:
 * receives how many there were; with fewer than celt S_FALSE is returned. Errors: E_POINTER. Since
 * 0.2.
 */
HRESULT IVssEnumMgmtObject_Next(IVssEnumMgmtObject *objects, ULONG celt,
                                VSS_MGMT_OBJECT_PROP *rgelt, ULONG *pceltFetched);

/*
 * IVssEnumMgmtObject::Skip: passes over elements.
 *
 * celt: how many; S_FALSE if there were fewer. Errors: those of any call. Since 0.2.
 */
HRESULT IVssEnumMgmtObject_Skip(IVssEnumMgmtObject *objects, ULONG celt);

/* IVssEnumMgmtObject::Reset: back to the first element. Errors: those of any call. Since 0.2. */
HRESULT IVssEnumMgmtObject_Reset(IVssEnumMgmtObject *objects);

/*
 * IVssEnumMgmtObject::Clone: the same list at the same element.
 *
 * ppEnum: receives it. Errors: E_POINTER. Since 0.2.
 */
HRESULT IVssEnumMgmtObject_Clone(IVssEnumMgmtObject *objects, IVssEnumMgmtObject **ppEnum);

/*
 * VssListDiffAreas: the diff areas, with what is beyond VSS.
 *
 * filter: NULL for all, or an array that ends with NULL of conditions which must all hold:
 * "volume=NAME", "store=NAME", "snapshot=ID", each at most once. areas, count: as VssListVolumes.
 * Errors: E_INVALIDARG (the filter), VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (as AddDiffArea).
 * Since 0.2.
 */
HRESULT VssListDiffAreas(const LPCWSTR *filter, VSS_DIFF_AREA_INFO ***areas, UINT *count);

/* VssFreeDiffAreas: frees the list of VssListDiffAreas. NULL is allowed. Since 0.2. */
void VssFreeDiffAreas(VSS_DIFF_AREA_INFO **areas);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
