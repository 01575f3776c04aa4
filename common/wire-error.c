/* vss_error <-> D-Bus error replies. */

#include "common/wire-error.h"
#include "common/wire.h"

/* What the bus, libdbus or a foreign implementation answers. Whatever is not here says that
 * nobody answered, or that who answered is not what we expected: VSS_E_UNEXPECTED. */
static const struct foreign_error {
        const char *name;
        HRESULT hr;
} foreign_errors[] = {
        { .name = DBUS_ERROR_ACCESS_DENIED, .hr = E_ACCESSDENIED },
        { .name = DBUS_ERROR_AUTH_FAILED, .hr = E_ACCESSDENIED },
        { .name = DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, .hr = E_ACCESSDENIED },
        { .name = DBUS_ERROR_NO_MEMORY, .hr = E_OUTOFMEMORY },
        { .name = DBUS_ERROR_LIMITS_EXCEEDED, .hr = E_OUTOFMEMORY },
        { .name = DBUS_ERROR_INVALID_ARGS, .hr = E_INVALIDARG },
};

/* The bus or the service is there, but knows no such method or object: two versions that do not
 * fit, or an object that is gone. Looking at the service's state would not help. */
static const char *const mismatches[] = {
        DBUS_ERROR_UNKNOWN_METHOD,   DBUS_ERROR_UNKNOWN_OBJECT,    DBUS_ERROR_UNKNOWN_INTERFACE,
        DBUS_ERROR_UNKNOWN_PROPERTY, DBUS_ERROR_INVALID_SIGNATURE,
};

/* The bus is there, and neither has the service on it nor could start one. */
static const char *const absences[] = { DBUS_ERROR_SERVICE_UNKNOWN, DBUS_ERROR_NAME_HAS_NO_OWNER };

DBusMessage *wire_error_reply(DBusMessage *call, const struct vss_error *e) {
        const struct vss_hresult_info *info = vss_hresult_find(e->hr);
        const struct vss_hresult_info *unexpected = vss_hresult_find(VSS_E_UNEXPECTED);
        _cleanup_(freep) char *text = NULL, *numbered = NULL;
        const char *message;

        if (info && !info->bus_name) /* a success is no error: a bug of ours, but not the peer's */
                info = NULL;
        message = e->message ? e->message : info ? info->text : unexpected->text;
        if (!info) {
                if (str_format(&numbered, "%s (0x%08x)", message, (unsigned)e->hr) < 0)
                        return NULL;
                message = numbered;
        }
        if (!wire_is_utf8(message)) {
                if (wire_utf8(&text, message) < 0)
                        return NULL;
                message = text;
        }
        return dbus_message_new_error(call, info ? info->bus_name : unexpected->bus_name, message);
}

int wire_error_from_name(const char *name, const char *message, struct vss_error *reterr) {
        const struct vss_hresult_info *info = vss_hresult_find_bus_name(name);

        if (info)
                return vss_error_set(reterr, info->hr, 0, "%s",
                                     str_empty(message) ? info->text : message);
        for (size_t i = 0; i < ARRAY_SIZE(foreign_errors); i++)
                if (streq(foreign_errors[i].name, name))
                        return vss_error_set(reterr, foreign_errors[i].hr, 0, "%s",
                                             str_empty(message)
                                                     ? vss_hresult_find(foreign_errors[i].hr)->text
                                                     : message);
        for (size_t i = 0; i < ARRAY_SIZE(mismatches); i++)
                if (streq(mismatches[i], name))
                        return vss_error_set(
                                reterr, VSS_E_UNEXPECTED, 0,
                                "The service does not know what it was asked for (%s); are the "
                                "library and vssd of the same version?",
                                str_empty(message) ? name : message);
        for (size_t i = 0; i < ARRAY_SIZE(absences); i++)
                if (streq(absences[i], name))
                        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                                             "There is no shadow copy service on this bus: %s; is "
                                             "vssd installed?",
                                             str_empty(message) ? name : message);
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                             "The shadow copy service cannot be reached: %s (%s); see "
                             "'systemctl status vssd'",
                             str_empty(message) ? "no reason given" : message, name);
}

int wire_error_read(DBusMessage *reply, struct vss_error *reterr) {
        const char *message = NULL;
        DBusMessageIter iter;

        if (dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_ERROR)
                return 0;
        if (dbus_message_iter_init(reply, &iter) &&
            dbus_message_iter_get_arg_type(&iter) == DBUS_TYPE_STRING)
                dbus_message_iter_get_basic(&iter, &message);
        return wire_error_from_name(dbus_message_get_error_name(reply), message, reterr);
}

int wire_error_from_dbus(const DBusError *error, struct vss_error *reterr) {
        assert(dbus_error_is_set(error));

        return wire_error_from_name(error->name, error->message, reterr);
}
