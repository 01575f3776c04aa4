#pragma once

/* org.vssd.Vss1.BackupComponents: one method per IVssBackupComponents method, each a call into
 * daemon/session. */

#include "daemon/bus/bus-table.h"

extern const struct bus_interface bus_interface_backup_components;
