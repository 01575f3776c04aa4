/* The management family, for everybody who asks: by the library's functions and by vssctl. Volumes
 * have 1 GiB, stores 256 MiB, and they are in "tank". */

#include "tests/bus/harness.h"

#include <sys/wait.h>
#include <vss/vsmgmt.h>
#include <vss/vsslinux.h>

#define MIB ((LONGLONG)1 << 20)
#define GIB ((LONGLONG)1 << 30)

static struct harness h;
static struct client c;
static IVssSnapshotMgmt *mgmt;
static IVssDifferentialSoftwareSnapshotMgmt *areas;
static char snapshot[64];
static const VSS_ID fake = { 0xfa4e0001, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };
static const VSS_ID nobody = { 0xfa4e0001, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 2 } };
static const VSS_ID of_windows = {
        0xb5946137, 0x7b9f, 0x4925, { 0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5 }
};

static void make_copy(void) {
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *options[] = { (char *)"context", (char *)"nas-rollback", NULL };
        char **ids = NULL, **devices = NULL;
        const char *made;

        reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options),
                   "sasas", &made, &ids, &devices);
        (void)snprintf(snapshot, sizeof(snapshot), "%s", ids[0]);
        strv_free(ids);
        strv_free(devices);
}

static void setup(void) {
        harness_start(&h, NULL);
        harness_stop_daemon(&h);
        harness_knob(&h, "areas", "");
        harness_start_daemon(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        client_open(&c, &h);
        ck_assert_int_eq(CreateVssSnapshotMgmt(&mgmt), S_OK);
        ck_assert_int_eq(IVssSnapshotMgmt_GetProviderMgmtInterface(mgmt, fake, &areas), S_OK);
}

static void teardown(void) {
        ck_assert_uint_eq(IVssDifferentialSoftwareSnapshotMgmt_Release(areas), 0);
        ck_assert_uint_eq(IVssSnapshotMgmt_Release(mgmt), 0);
        client_close(&c);
        harness_stop(&h);
}

/* The only area there is; released. False: there is none. */
static bool only_area(IVssEnumMgmtObject *list, VSS_DIFF_AREA_PROP *ret) {
        VSS_MGMT_OBJECT_PROP found[2];
        ULONG n = 9;

        ck_assert_int_eq(IVssEnumMgmtObject_Next(list, 2, found, &n), S_FALSE);
        ck_assert_uint_le(n, 1);
        ck_assert_uint_eq(IVssEnumMgmtObject_Release(list), 0);
        if (n == 0)
                return false;
        ck_assert_int_eq(found[0].Type, VSS_MGMT_OBJECT_DIFF_AREA);
        *ret = found[0].Obj.DiffArea;
        ck_assert_str_eq(ret->m_pwszVolumeName, "/srv/data/");
        ck_assert_str_eq(ret->m_pwszDiffAreaVolumeName, "tank");
        VssFreeString(ret->m_pwszVolumeName);
        VssFreeString(ret->m_pwszDiffAreaVolumeName);
        return true;
}

static bool area_of_data(VSS_DIFF_AREA_PROP *ret) {
        IVssEnumMgmtObject *list = NULL;

        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForVolume(
                                 areas, "/srv/data", &list),
                         S_OK);
        return only_area(list, ret);
}

static HRESULT add(const char *volume, const char *store, LONGLONG maximum) {
        return IVssDifferentialSoftwareSnapshotMgmt_AddDiffArea(areas, volume, store, maximum);
}

static HRESULT resize(LONGLONG maximum) {
        return IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(areas, "/srv/data",
                                                                              "tank", maximum);
}

START_TEST(an_area_comes_with_the_first_copy) {
        IVssEnumMgmtObject *list = NULL;
        VSS_DIFF_AREA_PROP area;
        VSS_ID id;

        ck_assert(!area_of_data(&area));
        make_copy();
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, VSS_ASSOC_NO_MAX_SPACE);
        ck_assert_int_eq(area.m_llAllocatedDiffSpace, 256 * MIB);
        ck_assert_int_eq(area.m_llUsedDiffSpace, 1 * MIB);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasOnVolume(areas, "tank", &list),
                S_OK);
        ck_assert(only_area(list, &area));
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasOnVolume(areas, "other", &list),
                S_OK);
        ck_assert(!only_area(list, &area));
        ck_assert_int_eq(VssIdFromString(snapshot, &id), S_OK);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForSnapshot(areas, id, &list),
                S_OK);
        ck_assert(only_area(list, &area));
        id.Data1 ^= 1;
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForSnapshot(areas, id, &list),
                VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_null(list);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForVolume(areas, "/no", &list),
                VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

START_TEST(an_area_is_set_down) {
        VSS_DIFF_AREA_PROP area;

        ck_assert_int_eq(add("/srv/data", "tank", 0), E_INVALIDARG);
        ck_assert_int_eq(add("/srv/data", "tank", -2), E_INVALIDARG);
        ck_assert_int_eq(add("/srv/data", "", GIB), E_INVALIDARG);
        ck_assert_int_eq(add("", "tank", GIB), E_INVALIDARG);
        ck_assert_int_eq(add(NULL, "tank", GIB), E_INVALIDARG);
        ck_assert_int_eq(add("/srv/data", "tank", 319 * MIB), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_int_eq(add("/srv/data", "other", GIB), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_int_eq(add("/no", "tank", GIB), VSS_E_OBJECT_NOT_FOUND);
        ck_assert(!area_of_data(&area));
        ck_assert_int_eq(add("/srv/data", "tank", 320 * MIB), S_OK);
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, 320 * MIB);
        ck_assert_int_eq(area.m_llAllocatedDiffSpace, 0);
        ck_assert_int_eq(add("/srv/data", "tank", GIB), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_int_eq(add("/srv/data", "other", GIB),
                         VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED);
        /* It stays. */
        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, 320 * MIB);
        ck_assert_int_eq(resize(VSS_ASSOC_REMOVE), S_OK);
        ck_assert(!area_of_data(&area));
        ck_assert_int_eq(resize(VSS_ASSOC_REMOVE), VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

/* Any of the places that are listed can be set down, and then it is the one. */
START_TEST(an_area_goes_where_it_is_wanted) {
        VSS_DIFF_AREA_INFO **rows = NULL;
        UINT n = 9;

        ck_assert_int_eq(add("/srv/data", "/stores", GIB), S_OK);
        ck_assert_int_eq(VssListDiffAreas(NULL, &rows, &n), S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(rows[0]->area.m_pwszDiffAreaVolumeName, "/stores");
        VssFreeDiffAreas(rows);
        ck_assert_int_eq(resize(2 * GIB), VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED);
        ck_assert_int_eq(resize(VSS_ASSOC_REMOVE), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
                                 areas, "/srv/data", "/stores", VSS_ASSOC_REMOVE),
                         S_OK);
        /* With copies it is where they have their stores. */
        make_copy();
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
                                 areas, "/srv/data", "/stores", GIB),
                         VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED);
        ck_assert_int_eq(resize(GIB), S_OK);
}
END_TEST

START_TEST(a_maximum_is_changed) {
        VSS_DIFF_AREA_PROP area;

        make_copy();
        ck_assert_int_eq(add("/srv/data", "tank", GIB), VSS_E_OBJECT_ALREADY_EXISTS);
        /* It is there, though nobody has set it down. */
        ck_assert_int_eq(resize(VSS_ASSOC_REMOVE), VSS_E_VOLUME_IN_USE);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
                                 areas, "/srv/data", "other", VSS_ASSOC_REMOVE),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(resize(GIB), S_OK);
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, GIB);
        ck_assert_int_eq(area.m_llAllocatedDiffSpace, 256 * MIB);
        ck_assert_int_eq(resize(VSS_ASSOC_REMOVE), VSS_E_VOLUME_IN_USE);
        ck_assert_int_eq(resize(319 * MIB), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
                                 areas, "/srv/data", "tank", VSS_ASSOC_REMOVE, TRUE),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
                                 areas, "/srv/data", "tank", 2 * GIB, TRUE),
                         S_OK);
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, 2 * GIB);
        ck_assert_int_eq(resize(VSS_ASSOC_NO_MAX_SPACE), S_OK);
        ck_assert(area_of_data(&area));
        ck_assert_int_eq(area.m_llMaximumDiffSpace, VSS_ASSOC_NO_MAX_SPACE);
}
END_TEST

/* Shrinking may cost the oldest copies. */
START_TEST(a_smaller_maximum_costs_the_oldest_copy) {
        VSS_DIFF_AREA_PROP area;

        make_copy();
        make_copy();
        ck_assert_int_eq(resize(400 * MIB), S_OK);
        do
                ck_assert(area_of_data(&area));
        while (area.m_llAllocatedDiffSpace > 256 * MIB);
        ck_assert_int_eq(area.m_llAllocatedDiffSpace, 256 * MIB);
        ck_assert_int_eq(area.m_llUsedDiffSpace, 2 * MIB); /* the second is there */
}
END_TEST

START_TEST(places_and_volumes_are_listed) {
        IVssEnumMgmtObject *list = NULL, *clone = NULL;
        VSS_MGMT_OBJECT_PROP found;
        LONGLONG least = 0;
        bool has_data = false;
        ULONG n;

        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_QueryVolumesSupportedForDiffAreas(
                                 areas, "/srv/data", &list),
                         S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Next(list, 1, &found, &n), S_OK);
        ck_assert_int_eq(found.Type, VSS_MGMT_OBJECT_DIFF_VOLUME);
        ck_assert_str_eq(found.Obj.DiffVol.m_pwszVolumeName, "tank");
        ck_assert_int_eq(found.Obj.DiffVol.m_llVolumeFreeSpace, GIB);
        ck_assert_int_eq(found.Obj.DiffVol.m_llVolumeTotalSpace, 4 * GIB);
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeName);
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeDisplayName);
        ck_assert_int_eq(IVssEnumMgmtObject_Next(list, 2, &found, &n), S_FALSE);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(found.Obj.DiffVol.m_pwszVolumeName, "/stores");
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeName);
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeDisplayName);
        ck_assert_uint_eq(IVssEnumMgmtObject_AddRef(list), 2);
        ck_assert_uint_eq(IVssEnumMgmtObject_Release(list), 1);
        ck_assert_uint_eq(IVssEnumMgmtObject_Release(list), 0);

        ck_assert_int_eq(IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(
                                 mgmt, of_windows, VSS_VOLSNAP_ATTR_PERSISTENT, &list),
                         S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Clone(list, &clone), S_OK);
        while (IVssEnumMgmtObject_Next(list, 1, &found, &n) == S_OK) {
                ck_assert_int_eq(found.Type, VSS_MGMT_OBJECT_VOLUME);
                ck_assert_str_ne(found.Obj.Vol.m_pwszVolumeName, "/srv/plain/");
                has_data = has_data || streq(found.Obj.Vol.m_pwszVolumeName, "/srv/data/");
                VssFreeString(found.Obj.Vol.m_pwszVolumeName);
                VssFreeString(found.Obj.Vol.m_pwszVolumeDisplayName);
        }
        ck_assert(has_data);
        ck_assert_int_eq(IVssEnumMgmtObject_Skip(clone, 1), S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Skip(clone, 1000), S_FALSE);
        ck_assert_int_eq(IVssEnumMgmtObject_Reset(clone), S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Skip(clone, 1), S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Next(clone, 1, NULL, &n), E_POINTER);
        ck_assert_int_eq(IVssEnumMgmtObject_Next(clone, 1, &found, NULL), E_POINTER);
        ck_assert_int_eq(IVssEnumMgmtObject_Clone(clone, NULL), E_POINTER);
        ck_assert_uint_eq(IVssEnumMgmtObject_Release(clone), 0);
        ck_assert_uint_eq(IVssEnumMgmtObject_Release(list), 0);

        ck_assert_int_eq(IVssSnapshotMgmt2_GetMinDiffAreaSize(mgmt, &least), S_OK);
        ck_assert_int_eq(least, 32 * MIB);
}
END_TEST

START_TEST(copies_of_a_volume_are_listed) {
        IVssEnumObject *list = NULL;
        VSS_OBJECT_PROP found;
        ULONG n;

        make_copy();
        ck_assert_int_eq(IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "/srv/data/", fake, &list),
                         S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(list, 1, &found, &n), S_OK);
        ck_assert_str_eq(found.Obj.Snap.m_pwszOriginalVolumeName, "/srv/data/");
        VssFreeSnapshotProperties(&found.Obj.Snap);
        ck_assert_int_eq(IVssEnumObject_Next(list, 1, &found, &n), S_FALSE);
        IVssEnumObject_Release(list);
        ck_assert_int_eq(
                IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "/srv/mail/", of_windows, &list),
                S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(list, 1, &found, &n), S_FALSE);
        IVssEnumObject_Release(list);
        /* By another of its names. */
        ck_assert_int_eq(
                IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "/dev/mapper/fake-0", fake, &list),
                S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(list, 1, &found, &n), S_OK);
        ck_assert_str_eq(found.Obj.Snap.m_pwszOriginalVolumeName, "/srv/data/");
        VssFreeSnapshotProperties(&found.Obj.Snap);
        IVssEnumObject_Release(list);
        ck_assert_int_eq(
                IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "/dev/mapper/fake-1", fake, &list),
                S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(list, 1, &found, &n), S_FALSE);
        IVssEnumObject_Release(list);
        ck_assert_int_eq(IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "/no", of_windows, &list),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_null(list);
        ck_assert_int_eq(IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, "", of_windows, &list),
                         E_INVALIDARG);
}
END_TEST

/* Of copies in a thin pool the pool is listed, once for each of their volumes; it has no maximum of
 * ours. */
START_TEST(a_shared_pool_is_shown_and_not_changed) {
        IVssEnumMgmtObject *list = NULL;
        VSS_DIFF_AREA_INFO **rows = NULL;
        VSS_MGMT_OBJECT_PROP found;
        UINT n = 9;
        ULONG k;

        harness_stop_daemon(&h);
        harness_knob(&h, "pool", "");
        harness_start_daemon(&h, NULL);
        make_copy();
        make_copy();
        ck_assert_int_eq(VssListDiffAreas((const LPCWSTR[]){ "volume=/srv/data", NULL }, &rows, &n),
                         S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(rows[0]->area.m_pwszVolumeName, "/srv/data/");
        ck_assert_str_eq(rows[0]->area.m_pwszDiffAreaVolumeName, "tank/pool");
        ck_assert_int_eq(rows[0]->area.m_llUsedDiffSpace, 3 * GIB);
        ck_assert_int_eq(rows[0]->area.m_llAllocatedDiffSpace, 4 * GIB);
        ck_assert_int_eq(rows[0]->area.m_llMaximumDiffSpace, VSS_ASSOC_NO_MAX_SPACE);
        ck_assert(!rows[0]->set_down);
        VssFreeDiffAreas(rows);
        ck_assert_int_eq(VssListDiffAreas((const LPCWSTR[]){ "store=tank", NULL }, &rows, &n),
                         S_OK);
        ck_assert_uint_eq(n, 0);
        VssFreeDiffAreas(rows);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_QueryVolumesSupportedForDiffAreas(
                                 areas, "/srv/data", &list),
                         S_OK);
        ck_assert_int_eq(IVssEnumMgmtObject_Next(list, 1, &found, &k), S_OK);
        ck_assert_str_eq(found.Obj.DiffVol.m_pwszVolumeName, "tank/pool");
        ck_assert_int_eq(found.Obj.DiffVol.m_llVolumeFreeSpace, GIB);
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeName);
        VssFreeString(found.Obj.DiffVol.m_pwszVolumeDisplayName);
        IVssEnumMgmtObject_Release(list);
        ck_assert_int_eq(add("/srv/data", "tank/pool", GIB), E_NOTIMPL);
        ck_assert_int_eq(add("/srv/mail", "tank/pool", GIB), E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
                                 areas, "/srv/data", "tank/pool", VSS_ASSOC_REMOVE),
                         E_NOTIMPL);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused) {
        IVssDifferentialSoftwareSnapshotMgmt *other = areas;
        IVssEnumMgmtObject *list = NULL;
        IVssEnumObject *objects = NULL;

        ck_assert_int_eq(CreateVssSnapshotMgmt(NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssSnapshotMgmt_GetProviderMgmtInterface(mgmt, GUID_NULL, &other),
                         E_INVALIDARG);
        ck_assert_ptr_null(other);
        ck_assert_int_eq(IVssSnapshotMgmt_GetProviderMgmtInterface(mgmt, nobody, &other),
                         VSS_E_PROVIDER_NOT_REGISTERED);
        ck_assert_int_eq(IVssSnapshotMgmt_GetProviderMgmtInterface(mgmt, fake, NULL), E_INVALIDARG);
        ck_assert_int_eq(
                IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(mgmt, GUID_NULL, 0, &list),
                E_INVALIDARG);
        ck_assert_int_eq(IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(mgmt, nobody, 0, &list),
                         VSS_E_PROVIDER_NOT_REGISTERED);
        ck_assert_int_eq(IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(
                                 mgmt, fake, VSS_VOLSNAP_ATTR_PLEX, &list),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(mgmt, fake, 0, NULL),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssSnapshotMgmt_QuerySnapshotsByVolume(mgmt, NULL, fake, &objects),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssSnapshotMgmt2_GetMinDiffAreaSize(mgmt, NULL), E_INVALIDARG);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForVolume(areas, "", &list),
                E_INVALIDARG);
        ck_assert_uint_eq(IVssSnapshotMgmt_AddRef(mgmt), 2);
        ck_assert_uint_eq(IVssSnapshotMgmt_Release(mgmt), 1);
        ck_assert_uint_eq(IVssDifferentialSoftwareSnapshotMgmt_AddRef(areas), 2);
        ck_assert_uint_eq(IVssDifferentialSoftwareSnapshotMgmt_Release(areas), 1);
}
END_TEST

START_TEST(what_there_is_not_says_so) {
        VSS_VOLUME_PROTECTION_INFO info = { .m_reserved = 1 };
        IVssAsync *async = (IVssAsync *)mgmt;

        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt2_MigrateDiffAreas(areas, "/srv/data",
                                                                                "tank", "other"),
                         E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt2_QueryMigrationStatus(
                                 areas, "/srv/data", "tank", &async),
                         E_NOTIMPL);
        ck_assert_ptr_null(async);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt2_SetSnapshotPriority(areas, nobody, 1),
                E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_SetVolumeProtectLevel(
                                 areas, "/srv/data", VSS_PROTECTION_LEVEL_SNAPSHOT),
                         E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_GetVolumeProtectLevel(
                                 areas, "/srv/data", &info),
                         E_NOTIMPL);
        ck_assert_uint_eq(info.m_reserved, 0);
        ck_assert_int_eq(
                IVssDifferentialSoftwareSnapshotMgmt3_ClearVolumeProtectFault(areas, "/srv/data"),
                E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_DeleteUnusedDiffAreas(areas, "tank"),
                         E_NOTIMPL);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_DeleteUnusedDiffAreas(NULL, "tank"),
                         E_INVALIDARG);
}
END_TEST

/* What vssctl prints, and how it ends. */
static void vssctl(const char *arguments, int wanted, const char *words) {
        char command[512], text[8192];
        int status;
        size_t n;
        FILE *f;

        (void)snprintf(command, sizeof(command), "'%s' storage %s 2>&1", VSSCTL, arguments);
        f = popen(command, "re");
        ck_assert_ptr_nonnull(f);
        n = fread(text, 1, sizeof(text) - 1, f);
        text[n] = '\0';
        status = pclose(f);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == wanted && strstr(text, words),
                      "storage %s: %d %s", arguments, status, text);
}

START_TEST(vssctl_shows_and_limits) {
        VSS_DIFF_AREA_INFO **rows = NULL;
        UINT n = 9;

        vssctl("", 0, "there are no diff areas");
        vssctl("add --for /srv/data --on tank --max 40GB", 0, "");
        vssctl("", 0, "40.0 GiB");
        vssctl("add --for /srv/data --on tank", 2, "'vssctl storage resize'");
        vssctl("list --on tank", 0, "set down");
        vssctl("list --for /srv/mail --json", 0, "\"diff_areas\": []");
        vssctl("resize --for /srv/data --on tank --max 25%", 0, "");
        vssctl("list --json", 0, "\"maximum_bytes\": 1073741800,");
        vssctl("resize --for /srv/data --on tank --max unbounded --until-boot", 0, "");
        vssctl("list --json", 0, "\"maximum_bytes\": null,");
        vssctl("list", 0, "until boot");
        ck_assert_int_eq(VssListDiffAreas(NULL, &rows, &n), S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert(rows[0]->set_down && rows[0]->until_boot);
        VssFreeDiffAreas(rows);
        vssctl("delete --for /srv/data --on tank", 0, "");
        vssctl("delete --for /srv/data --on tank", 2, "VSS_E_OBJECT_NOT_FOUND");
        vssctl("add --for /srv/data --on tank --max 40G --json", 0,
               "{\n  \"volume\": \"/srv/data\",\n  \"store\": \"tank\",\n"
               "  \"maximum_bytes\": 42949672960,\n  \"set_down\": true,\n"
               "  \"until_boot\": false\n}\n");
        vssctl("resize --for /srv/data --on tank --json --until-boot", 0,
               "\"maximum_bytes\": null,\n  \"set_down\": true,\n  \"until_boot\": true\n}");
        vssctl("delete --for /srv/data --on tank --json", 0, "\"set_down\": false,");
        vssctl("add --for /srv/data --on tank --max 10MB", 3, "VSS_E_INSUFFICIENT_STORAGE");
        /* Each unit that Windows' tools have. */
        vssctl("add --for /srv/data --on tank --max 1EB", 0, "");
        vssctl("list --json", 0, "\"maximum_bytes\": 1152921504606846976,");
        vssctl("resize --for /srv/data --on tank --max 7E", 0, "");
        vssctl("resize --for /srv/data --on tank --max 8E", 1, "no size");
        vssctl("resize --for /srv/data --on tank --max 2PiB", 0, "");
        vssctl("resize --for /srv/data --on tank --max 536870912B", 0, "");
        vssctl("list --json", 0, "\"maximum_bytes\": 536870912,");
        vssctl("resize --for /srv/data --on tank --max 512BB", 1, "no size");
        vssctl("resize --for /srv/data --on tank --max 512iB", 1, "no size");
        vssctl("delete --for /srv/data --on tank", 0, "");
        /* Names of this directory; here it is no volume. */
        vssctl("list --for ./no-such", 1, "./no-such: No such file or directory");
        vssctl("list --for .", 2, "VSS_E_OBJECT_NOT_FOUND");
        vssctl("add --for /srv/data --on ./no-such", 1, "./no-such: No such file or directory");
        vssctl("add --for /srv/data", 1, "needs --for VOLUME and --on STORE");
        vssctl("add --for /srv/data --on tank --max much", 1, "no size");
        vssctl("resize --for /srv/data --on tank --max 101%", 1, "no part of a store");
        vssctl("shrink", 1, "has no 'shrink'");
}
END_TEST

/* Of a store that the volume's copies cannot go to any more no part is known; that is no reason to
 * forget what was set down there. */
START_TEST(no_part_of_an_unknown_store_is_set_down) {
        vssctl("add --for /srv/data --on other --max 10%", 2, "no part of other");
        vssctl("resize --for /srv/data --on other --max 10%", 2, "they go to tank or /stores");
        vssctl("add --for /srv/data --on tank --max 1G", 0, "");
        harness_stop_daemon(&h);
        harness_knob(&h, "pool", "");
        harness_start_daemon(&h, NULL);
        vssctl("resize --for /srv/data --on tank --max 10%", 2, "they go to tank/pool");
        vssctl("list --json", 0, "\"maximum_bytes\": 1073741824,\n      \"set_down\": true,");
        vssctl("delete --for /srv/data --on tank", 0, "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-mgmt");
        TCase *t = tcase_create("bus-mgmt");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, an_area_comes_with_the_first_copy);
        tcase_add_test(t, an_area_is_set_down);
        tcase_add_test(t, an_area_goes_where_it_is_wanted);
        tcase_add_test(t, a_maximum_is_changed);
        tcase_add_test(t, a_smaller_maximum_costs_the_oldest_copy);
        tcase_add_test(t, places_and_volumes_are_listed);
        tcase_add_test(t, copies_of_a_volume_are_listed);
        tcase_add_test(t, a_shared_pool_is_shown_and_not_changed);
        tcase_add_test(t, what_makes_no_sense_is_refused);
        tcase_add_test(t, what_there_is_not_says_so);
        tcase_add_test(t, vssctl_shows_and_limits);
        tcase_add_test(t, no_part_of_an_unknown_store_is_set_down);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
