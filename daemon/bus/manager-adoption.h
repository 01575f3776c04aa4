#pragma once

/* The Manager's verbs about plain partitions: AdoptVolume, ReleaseVolume. */

#include "daemon/bus/bus-call.h"

void manager_on_adopt_volume(struct bus_call *call, const struct bus_value *args);
void manager_on_release_volume(struct bus_call *call, const struct bus_value *args);
