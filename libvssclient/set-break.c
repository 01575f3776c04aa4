/* Breaking a set off by its own object, which says what became of it. */

#include "libvssclient/last-error.h"
#include "libvssclient/set-object.h"
#include <vss/vsslinux.h>

#define SET_INTERFACE VSS_BUS_NAME ".SnapshotSet"

static int copy_volumes(DBusMessage *reply, char ***ret, struct vss_error *reterr) {
        char **borrowed;
        int n, r;

        r = reply_get(reply, reterr, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &borrowed, &n,
                      DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        r = strv_copy(ret, borrowed);
        dbus_free_string_array(borrowed);
        return r < 0 ? vss_error_from_errno(reterr, r, "the volumes") : 0;
}

HRESULT VssBreakSnapshotSet(VSS_ID set, DWORD flags, char ***volumes) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL, *reply = NULL;
        _cleanup_(freep) char *path = NULL;
        struct vss_error error = { 0 };
        const dbus_uint32_t wanted = flags;
        int r;

        if (volumes)
                *volumes = NULL;
        if (set_object_path(&path, set) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        r = call_new(&call, path, SET_INTERFACE, "Break", &error, DBUS_TYPE_UINT32, &wanted,
                     DBUS_TYPE_INVALID);
        if (r >= 0)
                r = set_object_call(call, set, CALL_TIMEOUT_SLOW_MSEC, &reply, &error);
        if (r >= 0 && volumes)
                r = copy_volumes(reply, volumes, &error);
        return r < 0 ? last_error_raise(&error) : S_OK;
}
