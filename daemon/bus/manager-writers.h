#pragma once

/* The Manager's verbs about writers that nobody has to be connected for: RegisterExpressWriter,
 * UnregisterExpressWriter, ShouldBlockRevert. */

#include "daemon/bus/bus-call.h"

void manager_on_register_express_writer(struct bus_call *call, const struct bus_value *args);
void manager_on_unregister_express_writer(struct bus_call *call, const struct bus_value *args);
void manager_on_should_block_revert(struct bus_call *call, const struct bus_value *args);
