/* See set-object.h. Stateless. */

#include "libvssclient/set-object.h"
#include "common/vss-id.h"

/* Ids stand in object paths with '_' for '-'. */
int set_object_path(char **ret, VSS_ID set) {
        char *path;
        int r;

        r = str_format(&path, "%s/set/%s", VSS_BUS_PATH, VSS_ID_TEXT(set));
        if (r < 0)
                return r;
        for (char *c = path; *c != '\0'; c++)
                if (*c == '-')
                        *c = '_';
        *ret = path;
        return 0;
}

int set_object_call(DBusMessage *call, VSS_ID set, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        int r;

        r = connection_open(&c, reterr);
        if (r >= 0)
                r = connection_call(c, call, timeout_msec, ret, reterr);
        if (r < 0 && *ret && dbus_message_is_error(*ret, DBUS_ERROR_UNKNOWN_OBJECT)) {
                vss_error_done(reterr);
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no snapshot set %s", VSS_ID_TEXT(set));
        }
        return r;
}
