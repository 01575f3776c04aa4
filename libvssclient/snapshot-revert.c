/* Reverting to a copy by its own object. */

#include "common/vss-id.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"
#include <vss/vsslinux.h>

#define SNAPSHOT_INTERFACE VSS_BUS_NAME ".Snapshot"

/* Ids stand in object paths with '_' for '-'. */
static int object_path(char **ret, VSS_ID snapshot) {
        int r;

        r = str_format(ret, "%s/snapshot/%s", VSS_BUS_PATH, VSS_ID_TEXT(snapshot));
        if (r < 0)
                return r;
        for (char *c = *ret + strlen(VSS_BUS_PATH); *c != '\0'; c++)
                if (*c == '-')
                        *c = '_';
        return 0;
}

/* A copy that is not there has no object. */
static int call_object(DBusMessage *call, VSS_ID snapshot, struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        int r;

        r = connection_open(&c, reterr);
        if (r >= 0)
                r = connection_call(c, call, CALL_TIMEOUT_SLOW_MSEC, &reply, reterr);
        if (r < 0 && reply && dbus_message_is_error(reply, DBUS_ERROR_UNKNOWN_OBJECT)) {
                vss_error_done(reterr);
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0, "There is no snapshot %s",
                                     VSS_ID_TEXT(snapshot));
        }
        return r;
}

HRESULT VssRevertSnapshot(VSS_ID snapshot, DWORD flags) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        _cleanup_(freep) char *path = NULL;
        struct vss_error error = { 0 };
        const dbus_uint32_t wanted = flags;
        int r;

        if (object_path(&path, snapshot) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        r = call_new(&call, path, SNAPSHOT_INTERFACE, "Revert", &error, DBUS_TYPE_UINT32, &wanted,
                     DBUS_TYPE_INVALID);
        if (r >= 0)
                r = call_object(call, snapshot, &error);
        return r < 0 ? last_error_raise(&error) : S_OK;
}
