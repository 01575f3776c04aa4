#pragma once

/* QuerySnapshotDeltaBitmap. */

#include "daemon/bus/bus-call.h"

void manager_on_query_snapshot_delta_bitmap(struct bus_call *call, const struct bus_value *args);
