/* The management family: what volumes and diff areas there are, and how large these may become. The
 * objects hold nothing but a provider; each call asks the service anew. */

#include "common/vss-id.h"
#include "common/wire-areas.h"
#include "common/wire-rows.h"
#include "libvssclient/call.h"
#include "libvssclient/enum-mgmt.h"
#include "libvssclient/enum-object.h"
#include "libvssclient/last-error.h"
#include "libvssclient/lists.h"

#include <stdatomic.h>

#define MANAGER_INTERFACE VSS_BUS_NAME ".Manager"
/* Windows' system provider, which here is whichever of ours takes a volume. */
static const VSS_ID windows_provider = {
        0xb5946137, 0x7b9f, 0x4925, { 0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5 }
};

struct IVssSnapshotMgmt {
        atomic_uint refs;
};

struct IVssDifferentialSoftwareSnapshotMgmt {
        atomic_uint refs;
};

HRESULT CreateVssSnapshotMgmt(IVssSnapshotMgmt **ppMgmt) {
        struct vss_error error = { 0 };

        if (!ppMgmt)
                return last_error_argument(__func__, "ppMgmt is NULL");
        *ppMgmt = calloc(1, sizeof(**ppMgmt));
        if (!*ppMgmt) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        atomic_init(&(*ppMgmt)->refs, 1);
        return S_OK;
}

static ULONG add_ref(atomic_uint *refs) {
        return atomic_fetch_add(refs, 1) + 1;
}

/* The object begins with its references. */
static ULONG release(atomic_uint *refs) {
        unsigned left = atomic_fetch_sub(refs, 1) - 1;

        if (left == 0)
                free(refs);
        return left;
}

ULONG IVssSnapshotMgmt_AddRef(IVssSnapshotMgmt *mgmt) {
        return mgmt ? add_ref(&mgmt->refs) : 0;
}

ULONG IVssSnapshotMgmt_Release(IVssSnapshotMgmt *mgmt) {
        return mgmt ? release(&mgmt->refs) : 0;
}

ULONG IVssDifferentialSoftwareSnapshotMgmt_AddRef(IVssDifferentialSoftwareSnapshotMgmt *m) {
        return m ? add_ref(&m->refs) : 0;
}

ULONG IVssDifferentialSoftwareSnapshotMgmt_Release(IVssDifferentialSoftwareSnapshotMgmt *m) {
        return m ? release(&m->refs) : 0;
}

static void free_providers(VSS_PROVIDER_INFO ***p) {
        VssFreeProviders(*p);
}

/* Its short name; NULL: whichever of the system's. */
static HRESULT find_provider(const char *function, VSS_ID id, char **ret) {
        _cleanup_(free_providers) VSS_PROVIDER_INFO **providers = NULL;
        struct vss_error error = { 0 };
        HRESULT hr;

        *ret = NULL;
        if (vss_id_is_null(id))
                return last_error_argument(function, "ProviderId is GUID_NULL");
        if (vss_id_equal(id, windows_provider))
                return S_OK;
        hr = VssListProviders(&providers, NULL);
        if (FAILED(hr))
                return hr;
        for (VSS_PROVIDER_INFO **p = providers; *p; p++) {
                if (!vss_id_equal((*p)->properties.m_ProviderId, id))
                        continue;
                *ret = strdup((*p)->name);
                if (*ret)
                        return S_OK;
                (void)vss_error_from_errno(&error, -ENOMEM, function);
                return last_error_raise(&error);
        }
        (void)vss_error_set(&error, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                            "%s: there is no provider with the id %s", function, VSS_ID_TEXT(id));
        return last_error_raise(&error);
}

HRESULT IVssSnapshotMgmt_GetProviderMgmtInterface(IVssSnapshotMgmt *mgmt, VSS_ID ProviderId,
                                                  IVssDifferentialSoftwareSnapshotMgmt **ppItf) {
        _cleanup_(freep) char *name = NULL;
        struct vss_error error = { 0 };
        HRESULT hr;

        if (ppItf)
                *ppItf = NULL;
        if (!mgmt || !ppItf)
                return last_error_argument(__func__, "a pointer is NULL");
        hr = find_provider(__func__, ProviderId, &name);
        if (FAILED(hr))
                return hr;
        *ppItf = calloc(1, sizeof(**ppItf));
        if (!*ppItf) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        atomic_init(&(*ppItf)->refs, 1);
        return S_OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

static HRESULT make_enum(VSS_MGMT_OBJECT_PROP *items, size_t n, IVssEnumMgmtObject **ppEnum) {
        struct vss_error error = { 0 };

        return enum_mgmt_new(ppEnum, items, n, &error) < 0 ? last_error_raise(&error) : S_OK;
}

static HRESULT no_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

static void free_volumes(VSS_VOLUME_INFO ***p) {
        VssFreeVolumes(*p);
}

HRESULT IVssSnapshotMgmt_QueryVolumesSupportedForSnapshots(IVssSnapshotMgmt *mgmt,
                                                           VSS_ID ProviderId, LONG lContext,
                                                           IVssEnumMgmtObject **ppEnum) {
        static const LONG known = VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE |
                                  VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE | VSS_VOLSNAP_ATTR_NO_WRITERS;
        _cleanup_(free_volumes) VSS_VOLUME_INFO **volumes = NULL;
        _cleanup_(freep) char *name = NULL;
        VSS_MGMT_OBJECT_PROP *items;
        size_t n = 0;
        UINT count;
        HRESULT hr;

        if (ppEnum)
                *ppEnum = NULL;
        if (!mgmt || !ppEnum)
                return last_error_argument(__func__, "a pointer is NULL");
        if (lContext & ~known)
                return last_error_argument(__func__, "lContext has a bit that is none of these");
        hr = find_provider(__func__, ProviderId, &name);
        if (SUCCEEDED(hr))
                hr = VssListVolumes(&volumes, &count);
        if (FAILED(hr))
                return hr;
        items = calloc((size_t)count + 1, sizeof(*items));
        if (!items)
                return no_memory(__func__);
        for (VSS_VOLUME_INFO **v = volumes; *v; v++) {
                VSS_VOLUME_PROP *prop = &items[n].Obj.Vol;
                const char *display = (*v)->mount_point ? (*v)->mount_point : (*v)->name;

                if (!(*v)->supported || (name && !streq(str_or_empty((*v)->provider), name)))
                        continue;
                items[n++].Type = VSS_MGMT_OBJECT_VOLUME;
                prop->m_pwszVolumeName = strdup((*v)->name);
                prop->m_pwszVolumeDisplayName = strdup(display);
                if (!prop->m_pwszVolumeName || !prop->m_pwszVolumeDisplayName) {
                        (void)make_enum(items, n, ppEnum); /* which frees them in the end */
                        IVssEnumMgmtObject_Release(*ppEnum);
                        *ppEnum = NULL;
                        return no_memory(__func__);
                }
        }
        return make_enum(items, n, ppEnum);
}

/* That there are no copies is no answer about a volume that is not there; of one that is gone, and
 * has some, these are. */
static HRESULT check_volume_of(LPCWSTR volume, IVssEnumObject **list) {
        BOOL present;
        LONG compatibility;
        HRESULT hr;

        if (IVssEnumObject_Skip(*list, 1) == S_OK)
                return IVssEnumObject_Reset(*list);
        hr = IsVolumeSnapshotted(volume, &present, &compatibility);
        if (SUCCEEDED(hr))
                return IVssEnumObject_Reset(*list);
        IVssEnumObject_Release(*list);
        *list = NULL;
        return hr;
}

HRESULT IVssSnapshotMgmt_QuerySnapshotsByVolume(IVssSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
                                                VSS_ID ProviderId, IVssEnumObject **ppEnum) {
        _cleanup_(freep) char *name = NULL, *of_volume = NULL, *by_provider = NULL;
        LPCWSTR filter[3] = { NULL };
        HRESULT hr;

        if (ppEnum)
                *ppEnum = NULL;
        if (!mgmt || !ppEnum || !pwszVolumeName)
                return last_error_argument(__func__, "a pointer is NULL");
        hr = find_provider(__func__, ProviderId, &name);
        if (FAILED(hr))
                return hr;
        if (str_format(&of_volume, "volume=%s", pwszVolumeName) < 0 ||
            (name && str_format(&by_provider, "provider=%s", name) < 0))
                return no_memory(__func__);
        filter[0] = of_volume;
        filter[1] = by_provider;
        hr = list_snapshots_enum(filter, ppEnum);
        return FAILED(hr) ? hr : check_volume_of(pwszVolumeName, ppEnum);
}

HRESULT IVssSnapshotMgmt2_GetMinDiffAreaSize(IVssSnapshotMgmt2 *mgmt,
                                             LONGLONG *pllMinDiffAreaSize) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        dbus_uint64_t bytes;
        DBusMessage *call;

        if (pllMinDiffAreaSize)
                *pllMinDiffAreaSize = 0;
        if (!mgmt || !pllMinDiffAreaSize)
                return last_error_argument(__func__, "a pointer is NULL");
        if (call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "GetMinDiffAreaSize", &error,
                     DBUS_TYPE_INVALID) < 0 ||
            manager_send(call, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_UINT64, &bytes, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        *pllMinDiffAreaSize = (LONGLONG)bytes;
        return S_OK;
}

static HRESULT query_areas(const char *function, IVssDifferentialSoftwareSnapshotMgmt *mgmt,
                           const char *key, LPCWSTR value, IVssEnumMgmtObject **ppEnum) {
        _cleanup_(freep) char *condition = NULL;
        VSS_DIFF_AREA_INFO **areas = NULL;
        LPCWSTR filter[2] = { NULL };
        VSS_MGMT_OBJECT_PROP *items;
        UINT n;
        HRESULT hr;

        if (ppEnum)
                *ppEnum = NULL;
        if (!mgmt || !ppEnum || !value)
                return last_error_argument(function, "a pointer is NULL");
        if (!*value)
                return last_error_argument(function, "the volume is empty");
        if (str_format(&condition, "%s=%s", key, value) < 0)
                return no_memory(function);
        filter[0] = condition;
        hr = VssListDiffAreas(filter, &areas, &n);
        if (FAILED(hr))
                return hr;
        items = calloc((size_t)n + 1, sizeof(*items));
        for (UINT i = 0; items && i < n; i++) {
                items[i].Type = VSS_MGMT_OBJECT_DIFF_AREA;
                items[i].Obj.DiffArea = areas[i]->area;
                areas[i]->area = (VSS_DIFF_AREA_PROP){ 0 }; /* the strings are the item's */
        }
        VssFreeDiffAreas(areas);
        return items ? make_enum(items, n, ppEnum) : no_memory(function);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForVolume(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        IVssEnumMgmtObject **ppEnum) {
        return query_areas(__func__, mgmt, "volume", pwszVolumeName, ppEnum);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasOnVolume(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        IVssEnumMgmtObject **ppEnum) {
        return query_areas(__func__, mgmt, "store", pwszVolumeName, ppEnum);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryDiffAreasForSnapshot(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, VSS_ID SnapshotId,
        IVssEnumMgmtObject **ppEnum) {
        return query_areas(__func__, mgmt, "snapshot", VSS_ID_TEXT(SnapshotId), ppEnum);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_QueryVolumesSupportedForDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszOriginalVolumeName,
        IVssEnumMgmtObject **ppEnum) {
        VSS_DIFF_VOLUME_PROP **stores = NULL;
        VSS_MGMT_OBJECT_PROP *items;
        UINT n;
        HRESULT hr;

        if (ppEnum)
                *ppEnum = NULL;
        if (!mgmt || !ppEnum || !pwszOriginalVolumeName)
                return last_error_argument(__func__, "a pointer is NULL");
        hr = list_diff_area_stores(pwszOriginalVolumeName, &stores, &n);
        if (FAILED(hr))
                return hr;
        items = calloc((size_t)n + 1, sizeof(*items));
        for (UINT i = 0; items && i < n; i++) {
                items[i].Type = VSS_MGMT_OBJECT_DIFF_VOLUME;
                items[i].Obj.DiffVol = *stores[i];
                *stores[i] = (VSS_DIFF_VOLUME_PROP){ 0 }; /* the strings are the item's */
        }
        list_free(&wire_diff_volume_table, (void **)(void *)stores);
        return items ? make_enum(items, n, ppEnum) : no_memory(__func__);
}

/* --- changes ---------------------------------------------------------------------------------- */

static HRESULT change(const char *function, const void *mgmt, const char *method, LPCWSTR volume,
                      LPCWSTR store, LONGLONG maximum, const dbus_bool_t *until_boot) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        dbus_int64_t bytes = maximum;
        DBusMessage *call;

        if (!mgmt || !volume || !store)
                return last_error_argument(function, "a pointer is NULL");
        if (check_string(volume, "The volume", &error) < 0 ||
            check_string(store, "The store", &error) < 0 ||
            call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, method, &error, DBUS_TYPE_STRING,
                     &volume, DBUS_TYPE_STRING, &store, DBUS_TYPE_INT64, &bytes,
                     until_boot ? DBUS_TYPE_BOOLEAN : DBUS_TYPE_INVALID, until_boot,
                     DBUS_TYPE_INVALID) < 0 ||
            manager_send(call, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_AddDiffArea(IVssDifferentialSoftwareSnapshotMgmt *mgmt,
                                                         LPCWSTR pwszVolumeName,
                                                         LPCWSTR pwszDiffAreaVolumeName,
                                                         LONGLONG llMaximumDiffSpace) {
        return change(__func__, mgmt, "AddDiffArea", pwszVolumeName, pwszDiffAreaVolumeName,
                      llMaximumDiffSpace, NULL);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, LONGLONG llMaximumDiffSpace, BOOL bVolatile) {
        const dbus_bool_t until_boot = bVolatile ? TRUE : FALSE;

        return change(__func__, mgmt, "ChangeDiffAreaMaximumSize", pwszVolumeName,
                      pwszDiffAreaVolumeName, llMaximumDiffSpace, &until_boot);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
        IVssDifferentialSoftwareSnapshotMgmt *mgmt, LPCWSTR pwszVolumeName,
        LPCWSTR pwszDiffAreaVolumeName, LONGLONG llMaximumDiffSpace) {
        return IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
                mgmt, pwszVolumeName, pwszDiffAreaVolumeName, llMaximumDiffSpace, FALSE);
}

/* --- what there is not ------------------------------------------------------------------------ */

static HRESULT not_there(const char *function, const void *mgmt, const char *why) {
        struct vss_error error = { 0 };

        if (!mgmt)
                return last_error_argument(function, "the object is NULL");
        (void)vss_error_set(&error, E_NOTIMPL, 0, "%s: %s", function, why);
        return last_error_raise(&error);
}

#define NO_MIGRATION "stores are not moved"
#define NO_PROTECTION "a volume's writes always go before its copies"

HRESULT IVssDifferentialSoftwareSnapshotMgmt2_MigrateDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName _unused_,
        LPCWSTR pwszDiffAreaVolumeName _unused_, LPCWSTR pwszNewDiffAreaVolumeName _unused_) {
        return not_there(__func__, mgmt, NO_MIGRATION);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt2_QueryMigrationStatus(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, LPCWSTR pwszVolumeName _unused_,
        LPCWSTR pwszDiffAreaVolumeName _unused_, IVssAsync **ppAsync) {
        if (ppAsync)
                *ppAsync = NULL;
        return not_there(__func__, mgmt, NO_MIGRATION);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt2_SetSnapshotPriority(
        IVssDifferentialSoftwareSnapshotMgmt2 *mgmt, VSS_ID idSnapshot _unused_,
        BYTE priority _unused_) {
        return not_there(__func__, mgmt, "the oldest copy goes first");
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt3_SetVolumeProtectLevel(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName _unused_,
        VSS_PROTECTION_LEVEL protectionLevel _unused_) {
        return not_there(__func__, mgmt, NO_PROTECTION);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt3_GetVolumeProtectLevel(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName _unused_,
        VSS_VOLUME_PROTECTION_INFO *protectionLevel) {
        if (protectionLevel)
                *protectionLevel = (VSS_VOLUME_PROTECTION_INFO){ 0 };
        return not_there(__func__, mgmt, NO_PROTECTION);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt3_ClearVolumeProtectFault(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszVolumeName _unused_) {
        return not_there(__func__, mgmt, NO_PROTECTION);
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt3_DeleteUnusedDiffAreas(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, LPCWSTR pwszDiffAreaVolumeName _unused_) {
        return not_there(__func__, mgmt, "a store goes with its copy");
}
