#pragma once

/* The diff areas: what becomes of the stores of copies. */

#include "daemon/bus/bus-table.h"
#include "daemon/session/session.h"

extern const struct bus_signal manager_area_signal;
/* The session manager's observer; userdata is the bus. */
void manager_on_area_event(void *userdata, const struct area_event *event);
