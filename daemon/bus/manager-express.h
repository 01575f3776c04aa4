#pragma once

/* Manager.RegisterExpressWriter and Manager.UnregisterExpressWriter. */

#include "daemon/bus/bus-call.h"

void manager_on_register_express_writer(struct bus_call *call, const struct bus_value *args);
void manager_on_unregister_express_writer(struct bus_call *call, const struct bus_value *args);
