#pragma once

/* Where the service is looked for: VssSetBusAddress, else VSSD_BUS_ADDRESS, else the system bus. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

/* A private connection, registered with the bus, that does not end the process when it is lost.
 * The caller closes it and drops its reference. */
int bus_open(DBusConnection **ret, struct vss_error *reterr);
/* Closes and drops. NULL is allowed; returns NULL. */
DBusConnection *bus_close(DBusConnection *bus);
DEFINE_CLEANUP(DBusConnection, bus_close);
