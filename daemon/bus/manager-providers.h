#pragma once

/* The Manager's methods for the providers of others. */

#include "daemon/bus/bus-call.h"

/* RegisterProvider, options. */
struct provider_options {
        char *display_name; /* NULL: the name */
        int32_t priority;
};
extern const struct wire_table provider_options_table;

void manager_on_register_provider(struct bus_call *call, const struct bus_value *args);
void manager_on_unregister_provider(struct bus_call *call, const struct bus_value *args);
