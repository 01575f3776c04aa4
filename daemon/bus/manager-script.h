#pragma once

/* The verbs for scripts that take more than one step: CreateSnapshotSet, DeleteSnapshots. */

#include "daemon/bus/bus-call.h"

void manager_on_create_snapshot_set(struct bus_call *call, const struct bus_value *args);
void manager_on_delete_snapshots(struct bus_call *call, const struct bus_value *args);
