#pragma once

/* From a message to a handler, in this order: find the row, check the signature, take the arguments
 * in, identify the caller, authorize, find the object, check its owner, call. */

#include "daemon/bus/bus-client.h"

void bus_dispatch(struct bus *bus, DBusMessage *m);
/* The client's identity is known: its waiting calls go on, in their order. */
void bus_dispatch_waiting(struct bus_client *client);
