/* Method calls and their answers. Answers are read with the same suspicion as anything else from
 * the bus; one that does not fit its interface is VSS_E_UNEXPECTED. */

#include "libvssclient/call.h"
#include "common/vss-id.h"
#include "common/wire.h"
#include <stdarg.h>

int check_string(const char *s, const char *what, struct vss_error *reterr) {
        if (!s)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s is NULL", what);
        if (strlen(s) > WIRE_STRING_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s is longer than %u bytes", what,
                                     WIRE_STRING_MAX);
        if (!wire_is_utf8(s))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s is not valid UTF-8", what);
        return 0;
}

int call_new(DBusMessage **ret, const char *path, const char *interface, const char *method,
             struct vss_error *reterr, int first_type, ...) {
        DBusMessage *call;
        dbus_bool_t ok;
        va_list args;

        call = dbus_message_new_method_call(VSS_BUS_NAME, path, interface, method);
        if (!call)
                return vss_error_from_errno(reterr, -ENOMEM, method);
        va_start(args, first_type);
        ok = dbus_message_append_args_valist(call, first_type, args);
        va_end(args);
        if (!ok) {
                dbus_message_unref(call);
                return vss_error_from_errno(reterr, -ENOMEM, method);
        }
        *ret = call;
        return 0;
}

int reply_refuse(struct vss_error *reterr) {
        if (reterr) {
                _cleanup_(freep) char *why = TAKE_PTR(reterr->message);

                if (reterr->hr == E_OUTOFMEMORY) {
                        reterr->message = TAKE_PTR(why);
                        return -ENOMEM;
                }
                vss_error_done(reterr);
                return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                                     "The service's answer is not understood%s%s; are the library "
                                     "and vssd of the same version?",
                                     why ? ": " : "", str_or_empty(why));
        }
        return -EIO;
}

int reply_get(DBusMessage *reply, struct vss_error *reterr, int first_type, ...) {
        DBusError error = DBUS_ERROR_INIT;
        dbus_bool_t ok;
        va_list args;

        va_start(args, first_type);
        ok = dbus_message_get_args_valist(reply, &error, first_type, args);
        va_end(args);
        if (!ok) {
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%s", error.message);
                dbus_error_free(&error);
                return reply_refuse(reterr);
        }
        return 0;
}

int reply_iter(DBusMessage *reply, DBusMessageIter *iter, struct vss_error *reterr) {
        if (!dbus_message_iter_init(reply, iter)) {
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "it is empty");
                return reply_refuse(reterr);
        }
        return 0;
}

int reply_id(VSS_ID *ret, const char *text, struct vss_error *reterr) {
        if (wire_parse_id(ret, text, "an id", reterr) < 0)
                return reply_refuse(reterr);
        return 0;
}
