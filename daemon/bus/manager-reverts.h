#pragma once

/* Manager.ListReverts, and Snapshot.Revert: see session/revert.c. */

#include "daemon/bus/bus-call.h"

void manager_on_list_reverts(struct bus_call *call, const struct bus_value *args);
void snapshot_on_revert(struct bus_call *call, const struct bus_value *args);
