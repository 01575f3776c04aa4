#pragma once

/* org.vssd.Vss1.SnapshotProvider on the bus: each call becomes one of btrfs-set.h or
 * btrfs-copies.h, and its result the answer. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

#define BTRFS_BUS_NAME "org.vssd.Provider.Btrfs1"
#define BTRFS_BUS_PATH "/org/vssd/Provider/Btrfs1"

/* Answers calls until the connection is closed. */
int btrfs_service_run(DBusConnection *connection, struct vss_error *reterr);
