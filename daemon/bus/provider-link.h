#pragma once

/* How providers of others are reached: by a connection of its own to the same bus for each link,
 * used by one worker at a time, which may block. (The daemon's connection is the loop's, which
 * never does; and a worker that waits here is not in the way of a writer's Thaw.) */

#include "daemon/providers/foreign-call.h"

extern const struct foreign_transport provider_link_transport;

/* Of the bus; NULL: the system's. It stays the caller's. Before anything else runs. */
void provider_link_init(const char *address);
