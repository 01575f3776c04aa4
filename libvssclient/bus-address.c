/* The process-wide bus address, under a lock, and connections to it. Connections are private ones:
 * a program's own use of libdbus and ours never meet. */

#include "libvssclient/bus-address.h"
#include "common/wire-error.h"
#include "libvssclient/last-error.h"
#include <pthread.h>
#include <vss/vsslinux.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *chosen; /* by VssSetBusAddress; guarded by lock */

HRESULT VssSetBusAddress(LPCWSTR address) {
        struct vss_error error = { 0 };
        DBusAddressEntry **entries;
        int n, r;

        if (address) {
                if (!dbus_parse_address(address, &entries, &n, NULL))
                        return last_error_argument("VssSetBusAddress",
                                                   "not a D-Bus address; one looks like "
                                                   "unix:path=/run/dbus/system_bus_socket");
                dbus_address_entries_free(entries);
        }
        (void)pthread_mutex_lock(&lock); /* a plain mutex: fails only if misused */
        r = str_replace(&chosen, address);
        (void)pthread_mutex_unlock(&lock);
        if (r < 0) {
                (void)vss_error_from_errno(&error, r, "VssSetBusAddress");
                return last_error_raise(&error);
        }
        return S_OK;
}

/* *ret stays NULL for the system bus. */
static int address_get(char **ret) {
        const char *address;
        int r;

        (void)pthread_mutex_lock(&lock);
        /* secure_getenv: a program with raised privileges is not led astray by its caller. */
        address = chosen ? chosen : secure_getenv("VSSD_BUS_ADDRESS");
        r = str_empty(address) ? 0 : str_replace(ret, address);
        (void)pthread_mutex_unlock(&lock);
        return r;
}

/* Each writer and each requester is a connection: with many of them the bus may have enough. */
static int refuse(const DBusError *error, const char *address, struct vss_error *reterr) {
        static const char *const refusals[] = {
                DBUS_ERROR_ACCESS_DENIED, DBUS_ERROR_AUTH_FAILED,  DBUS_ERROR_NO_MEMORY,
                DBUS_ERROR_NO_REPLY,      DBUS_ERROR_DISCONNECTED,
        };
        const char *where = address ? address : "the system bus";
        const char *limit = strstr(str_or_empty(error->message), "UID")
                                    ? "max_connections_per_user"
                                    : "max_completed_connections";

        if (dbus_error_has_name(error, DBUS_ERROR_LIMITS_EXCEEDED))
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "D-Bus at %s: %s; raise its limit %s in "
                                     "/etc/dbus-1/system-local.conf, or see why the configuration "
                                     "that comes with vssd does not (\"LIMITS OF THE BUS\" in "
                                     "vssd(8))",
                                     where, str_or_empty(error->message), limit);
        /* Who is refused has found one; else it is no matter of the service's. */
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
                if (dbus_error_has_name(error, refusals[i])) {
                        (void)wire_error_from_dbus(error, reterr);
                        return vss_error_prefix(reterr, "D-Bus at %s", where);
                }
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "There is no D-Bus at %s: %s; %s", where,
                             str_or_empty(error->message),
                             address ? "is the address right, and does a bus listen there?"
                                     : "see 'systemctl status dbus.socket'");
}

int bus_open(DBusConnection **ret, struct vss_error *reterr) {
        _cleanup_(bus_closep) DBusConnection *bus = NULL;
        _cleanup_(freep) char *address = NULL;
        DBusError error = DBUS_ERROR_INIT;
        int r;

        if (!dbus_threads_init_default())
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the bus");
        r = address_get(&address);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Connecting to the bus");
        bus = address ? dbus_connection_open_private(address, &error)
                      : dbus_bus_get_private(DBUS_BUS_SYSTEM, &error);
        if (bus) {
                /* dbus_bus_get_private() sets it; nobody wants a library that calls exit(). */
                dbus_connection_set_exit_on_disconnect(bus, FALSE);
                if (address)
                        (void)dbus_bus_register(bus, &error);
        }
        if (dbus_error_is_set(&error)) {
                r = refuse(&error, address, reterr);
                dbus_error_free(&error);
                return r;
        }
        *ret = TAKE_PTR(bus);
        return 0;
}

DBusConnection *bus_close(DBusConnection *bus) {
        if (bus) {
                dbus_connection_close(bus);
                dbus_connection_unref(bus);
        }
        return NULL;
}
