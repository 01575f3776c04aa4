#pragma once

/* .../writer/ID: the registered writers, as the registry has them. */

#include "daemon/bus/bus-object.h"
#include "daemon/writers/writer.h"

/* Answers the call with a row (aa{sv}) of each. */
void writer_object_reply(struct bus_call *call);
/* The registry's observer; userdata is the bus. */
void writer_object_on_change(void *userdata, struct writer *w, enum writer_change change);
