/* See bus-address.h. */

#include "daemon/bus/bus-address.h"

#include "common/util.h"

#define DEFAULT_SYSTEM_ADDRESS "unix:path=/run/dbus/system_bus_socket"

const char *bus_address(const char *given) {
        if (!given)
                given = getenv("DBUS_SYSTEM_BUS_ADDRESS");
        return str_empty(given) ? DEFAULT_SYSTEM_ADDRESS : given;
}
