#pragma once

/* .../async/N: an operation under way, as its session's connection sees it. */

#include "daemon/bus/session-object.h"

/* Takes the reference over, also when it fails. */
int bus_async_new(struct bus_async **ret, struct bus_session *session, struct async *async);
struct bus_async *bus_async_free(struct bus_async *a);
const char *bus_async_path(const struct bus_async *a);
/* From here on it sends its signals; at once, if it is done already. */
void bus_async_watch(struct bus_async *a);
