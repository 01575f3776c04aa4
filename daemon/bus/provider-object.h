#pragma once

/* .../provider/NAME: the providers of this daemon, and those of others. */

#include "daemon/bus/bus-object.h"

/* Answers the call with a row (aa{sv}) of each. */
void provider_object_reply(struct bus_call *call);
/* One of others came, or went: by its name. */
void provider_object_announce(struct bus *bus, const char *name, bool came);
