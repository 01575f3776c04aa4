#pragma once

/* .../provider/NAME: the providers of this daemon. */

#include "daemon/bus/bus-object.h"

/* Answers the call with a row (aa{sv}) of each. */
void provider_object_reply(struct bus_call *call);
