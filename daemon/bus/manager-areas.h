#pragma once

/* The diff areas: what becomes of the stores of copies. */

#include "daemon/bus/bus-call.h"
#include "daemon/session/session.h"

extern const struct bus_signal manager_area_signal;
/* The session manager's observer; userdata is the bus. */
void manager_on_list_diff_areas(struct bus_call *call, const struct bus_value *args);
void manager_on_list_diff_area_stores(struct bus_call *call, const struct bus_value *args);
void manager_on_add_diff_area(struct bus_call *call, const struct bus_value *args);
void manager_on_change_diff_area(struct bus_call *call, const struct bus_value *args);
void manager_on_get_min_diff_area_size(struct bus_call *call, const struct bus_value *args);
/* The options of ListDiffAreas. */
struct diff_area_filter {
        char *volume, *store, *snapshot;
};
extern const struct wire_table diff_area_filter_table;

void manager_on_area_event(void *userdata, const struct area_event *event);
