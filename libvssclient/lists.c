/* What tools ask of the service without an object: lists, questions about one volume, and to adopt
 * or release one. Each opens a connection of its own and closes it. */

#include "libvssclient/lists.h"
#include "common/wire-areas.h"
#include "common/wire-reverts.h"
#include "common/wire-rows.h"
#include "libvssclient/argument.h"
#include "libvssclient/call.h"
#include "libvssclient/enum-object.h"
#include "libvssclient/last-error.h"

#define MANAGER_INTERFACE VSS_BUS_NAME ".Manager"

int manager_send(DBusMessage *call, int timeout_msec, DBusMessage **ret, struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        int r;

        r = connection_open(&c, reterr);
        if (r >= 0)
                r = connection_call(c, call, timeout_msec, ret, reterr);
        dbus_message_unref(call);
        return r;
}

void list_free(const struct wire_table *table, void **list) {
        for (void **row = list; row && *row; row++) {
                wire_clear(table, *row);
                free(*row);
        }
        free(list);
}

int list_split(const struct wire_table *table, void *rows, size_t n, size_t size, void ***ret) {
        void **list = calloc(n + 1, sizeof(void *));

        for (size_t i = 0; list && i < n; i++) {
                list[i] = malloc(size);
                if (!list[i]) {
                        /* The rows before are copies: theirs are freed with the rows. */
                        for (size_t j = 0; j < i; j++)
                                free(list[j]);
                        free(list);
                        list = NULL;
                } else
                        memcpy(list[i], (char *)rows + i * size, size);
        }
        if (!list) {
                wire_rows_free(table, rows, n, size);
                return -ENOMEM;
        }
        free(rows); /* what it pointed to is the list's now */
        *ret = list;
        return 0;
}

/* call: dropped. */
static HRESULT list_get(DBusMessage *call, const struct wire_table *table, size_t size,
                        const char *what, void ***ret, UINT *ret_n) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        DBusMessageIter iter;
        void *rows;
        size_t n;

        if (manager_send(call, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error) < 0 ||
            reply_iter(reply, &iter, &error) < 0)
                return last_error_raise(&error);
        if (wire_read_rows(&iter, table, what, size, &rows, &n, &error) < 0) {
                (void)reply_refuse(&error);
                return last_error_raise(&error);
        }
        if (list_split(table, rows, n, size, ret) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, what);
                return last_error_raise(&error);
        }
        if (ret_n)
                *ret_n = (UINT)n;
        return S_OK;
}

/* The whole of a list that takes no arguments. */
static HRESULT list_plain(const char *method, const struct wire_table *table, size_t size,
                          void ***ret, UINT *ret_n) {
        struct vss_error error = { 0 };
        DBusMessage *call;

        if (ret_n)
                *ret_n = 0;
        if (!ret)
                return last_error_argument(method, "the output pointer is NULL");
        *ret = NULL;
        if (call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, method, &error, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return list_get(call, table, size, method, ret, ret_n);
}

HRESULT VssListVolumes(VSS_VOLUME_INFO ***volumes, UINT *count) {
        return list_plain("ListVolumes", &wire_volume_table, sizeof(VSS_VOLUME_INFO),
                          (void ***)(void *)volumes, count);
}

void VssFreeVolumes(VSS_VOLUME_INFO **volumes) {
        list_free(&wire_volume_table, (void **)(void *)volumes);
}

HRESULT VssListWriters(VSS_WRITER_INFO ***writers, UINT *count) {
        return list_plain("ListWriters", &wire_writer_table, sizeof(VSS_WRITER_INFO),
                          (void ***)(void *)writers, count);
}

void VssFreeWriters(VSS_WRITER_INFO **writers) {
        list_free(&wire_writer_table, (void **)(void *)writers);
}

HRESULT VssListProviders(VSS_PROVIDER_INFO ***providers, UINT *count) {
        return list_plain("ListProviders", &wire_provider_table, sizeof(VSS_PROVIDER_INFO),
                          (void ***)(void *)providers, count);
}

void VssFreeProviders(VSS_PROVIDER_INFO **providers) {
        list_free(&wire_provider_table, (void **)(void *)providers);
}

/* "key=value". The service knows which keys there are; a key twice is refused by it, too. what:
 * "The filter". */
static int append_pair(DBusMessageIter *dict, const char *what, const char *condition,
                       struct vss_error *reterr) {
        DBusMessageIter entry = DBUS_MESSAGE_ITER_INIT_CLOSED;
        _cleanup_(freep) char *key = NULL;
        const char *value = strchr(condition, '=');
        int r;

        r = check_string(condition, what, reterr);
        if (r < 0)
                return r;
        if (!value)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s '%s' is not of the form key=value", what, condition);
        key = strndup(condition, (size_t)(value - condition));
        value++;
        if (!key || !dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
            !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) ||
            !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &value) ||
            !dbus_message_iter_close_container(dict, &entry)) {
                dbus_message_iter_abandon_container_if_open(dict, &entry);
                return vss_error_from_errno(reterr, -ENOMEM, what);
        }
        return 0;
}

static int append_pairs(DBusMessage *call, const char *what, const LPCWSTR *pairs,
                        struct vss_error *reterr) {
        DBusMessageIter iter, dict = DBUS_MESSAGE_ITER_INIT_CLOSED;

        dbus_message_iter_init_append(call, &iter);
        if (!dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{ss}", &dict))
                return vss_error_from_errno(reterr, -ENOMEM, what);
        for (const LPCWSTR *pair = pairs; pair && *pair; pair++) {
                int r = append_pair(&dict, what, *pair, reterr);

                if (r < 0) {
                        dbus_message_iter_abandon_container(&iter, &dict);
                        return r;
                }
        }
        if (!dbus_message_iter_close_container(&iter, &dict))
                return vss_error_from_errno(reterr, -ENOMEM, what);
        return 0;
}

HRESULT VssListSnapshots(const LPCWSTR *filter, VSS_SNAPSHOT_INFO ***snapshots, UINT *count) {
        struct vss_error error = { 0 };
        DBusMessage *call;

        if (count)
                *count = 0;
        if (!snapshots)
                return last_error_argument(__func__, "the output pointer is NULL");
        *snapshots = NULL;
        if (call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "ListSnapshots", &error,
                     DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        if (append_pairs(call, "The filter", filter, &error) < 0) {
                dbus_message_unref(call);
                return last_error_raise(&error);
        }
        return list_get(call, &wire_snapshot_table, sizeof(VSS_SNAPSHOT_INFO), "ListSnapshots",
                        (void ***)(void *)snapshots, count);
}

HRESULT list_snapshots_enum(const LPCWSTR *filter, IVssEnumObject **ret) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        DBusMessageIter iter;
        DBusMessage *call;
        size_t n;

        if (call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "ListSnapshots", &error,
                     DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        if (append_pairs(call, "The filter", filter, &error) < 0) {
                dbus_message_unref(call);
                return last_error_raise(&error);
        }
        if (manager_send(call, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error) < 0 ||
            reply_iter(reply, &iter, &error) < 0)
                return last_error_raise(&error);
        if (enum_object_read(ret, &iter, VSS_OBJECT_SNAPSHOT, &n, &error) < 0) {
                (void)reply_refuse(&error);
                return last_error_raise(&error);
        }
        return S_OK;
}

HRESULT VssListDiffAreas(const LPCWSTR *filter, VSS_DIFF_AREA_INFO ***areas, UINT *count) {
        struct vss_error error = { 0 };
        DBusMessage *call;

        if (count)
                *count = 0;
        if (!areas)
                return last_error_argument(__func__, "the output pointer is NULL");
        *areas = NULL;
        if (call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "ListDiffAreas", &error,
                     DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        if (append_pairs(call, "The filter", filter, &error) < 0) {
                dbus_message_unref(call);
                return last_error_raise(&error);
        }
        return list_get(call, &wire_diff_area_table, sizeof(VSS_DIFF_AREA_INFO), "ListDiffAreas",
                        (void ***)(void *)areas, count);
}

HRESULT VssListReverts(VSS_REVERT_INFO ***reverts, UINT *count) {
        return list_plain("ListReverts", &wire_revert_table, sizeof(VSS_REVERT_INFO),
                          (void ***)(void *)reverts, count);
}

void VssFreeReverts(VSS_REVERT_INFO **reverts) {
        list_free(&wire_revert_table, (void **)(void *)reverts);
}

void VssFreeDiffAreas(VSS_DIFF_AREA_INFO **areas) {
        list_free(&wire_diff_area_table, (void **)(void *)areas);
}

HRESULT list_diff_area_stores(LPCWSTR volume, VSS_DIFF_VOLUME_PROP ***stores, UINT *count) {
        struct vss_error error = { 0 };
        DBusMessage *call;

        if (check_string(volume, "The volume", &error) < 0 ||
            call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "ListDiffAreaStores", &error,
                     DBUS_TYPE_STRING, &volume, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return list_get(call, &wire_diff_volume_table, sizeof(VSS_DIFF_VOLUME_PROP),
                        "ListDiffAreaStores", (void ***)(void *)stores, count);
}

void VssFreeSnapshots(VSS_SNAPSHOT_INFO **snapshots) {
        list_free(&wire_snapshot_table, (void **)(void *)snapshots);
}

/* Asks the Manager something with rows. */
static HRESULT manager_ask(const char *function, const char *method,
                           const struct argument *arguments, size_t n) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        _cleanup_(message_unrefp) DBusMessage *call = NULL, *reply = NULL;
        struct vss_error error = { 0 };

        if (arguments_reset(arguments, n, &error) < 0 ||
            arguments_call(arguments, n, VSS_BUS_PATH, MANAGER_INTERFACE, method, &call, &error) <
                    0) {
                (void)vss_error_prefix(&error, "%s", function);
                return last_error_raise(&error);
        }
        if (connection_open(&c, &error) < 0 ||
            connection_call(c, call, CALL_TIMEOUT_STORAGE_MSEC, &reply, &error) < 0 ||
            arguments_read(arguments, n, c, reply, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT VssIsVolumeSupported(LPCWSTR volume, bool *supported, char **provider, char **reason) {
        const struct argument arguments[] = {
                IN_TEXT(volume),
                OUT_FLAG(supported),
                OUT_OPTIONAL_IF(provider),
                OUT_OPTIONAL_IF(reason),
        };

        return manager_ask(__func__, "IsVolumeSupported", arguments, ARRAY_SIZE(arguments));
}

HRESULT IsVolumeSnapshotted(LPCWSTR pwszVolumeName, BOOL *pbSnapshotsPresent,
                            LONG *plSnapshotCapability) {
        const struct argument arguments[] = {
                IN_TEXT(pwszVolumeName),
                OUT_BOOL(pbSnapshotsPresent),
                OUT_SIGNED(plSnapshotCapability),
        };
        HRESULT hr = manager_ask(__func__, "IsVolumeSnapshotted", arguments, ARRAY_SIZE(arguments));

        if (SUCCEEDED(hr) && !*pbSnapshotsPresent)
                *plSnapshotCapability = 0; /* nothing is inhibited by copies that are not there */
        return hr;
}

HRESULT IsVolumeSnapshottedInternal(LPCWSTR pwszVolumeName, BOOL *pbSnapshotsPresent,
                                    LONG *plSnapshotCapability) {
        return IsVolumeSnapshotted(pwszVolumeName, pbSnapshotsPresent, plSnapshotCapability);
}

HRESULT ShouldBlockRevert(LPCWSTR wszVolumeName, bool *pbBlock) {
        const struct argument arguments[] = { IN_TEXT(wszVolumeName), OUT_FLAG(pbBlock) };

        return manager_ask(__func__, "ShouldBlockRevert", arguments, ARRAY_SIZE(arguments));
}

HRESULT ShouldBlockRevertInternal(LPCWSTR wszVolumeName, bool *pbBlock) {
        return ShouldBlockRevert(wszVolumeName, pbBlock);
}

static int copy_notes(DBusMessage *reply, char ***ret, struct vss_error *reterr) {
        char **notes = NULL, **borrowed;
        int n, r;

        r = reply_get(reply, reterr, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &borrowed, &n,
                      DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        r = strv_copy(&notes, borrowed);
        dbus_free_string_array(borrowed);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the notes");
        *ret = notes;
        return 0;
}

static HRESULT change_adoption(const char *function, const char *method, LPCWSTR volume,
                               const LPCWSTR *options, char ***notes) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        DBusMessage *call;

        if (notes)
                *notes = NULL;
        if (!volume)
                return last_error_argument(function, "the volume is NULL");
        if (check_string(volume, "The volume", &error) < 0 ||
            call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, method, &error, DBUS_TYPE_STRING,
                     &volume, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        if (append_pairs(call, "The option", options, &error) < 0) {
                dbus_message_unref(call);
                return last_error_raise(&error);
        }
        if (manager_send(call, CALL_TIMEOUT_SLOW_MSEC, &reply, &error) < 0 ||
            (notes && copy_notes(reply, notes, &error) < 0))
                return last_error_raise(&error);
        return S_OK;
}

HRESULT VssAdoptVolume(LPCWSTR volume, const LPCWSTR *options, char ***notes) {
        return change_adoption(__func__, "AdoptVolume", volume, options, notes);
}

HRESULT VssReleaseVolume(LPCWSTR volume, const LPCWSTR *options, char ***notes) {
        return change_adoption(__func__, "ReleaseVolume", volume, options, notes);
}
