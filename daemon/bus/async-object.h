#pragma once

/* .../async/N: an operation under way, as its session's connection sees it. */

#include "daemon/bus/session-object.h"

/* A name and a path, which nobody finds before it has an operation. */
int bus_async_new(struct bus_async **ret, struct bus_session *session);
struct bus_async *bus_async_free(struct bus_async *a);
DEFINE_CLEANUP(struct bus_async, bus_async_free);
/* The operation that it is; takes the reference over. From here on it is the session's. */
void bus_async_take(struct bus_async *a, struct async *async);
const char *bus_async_path(const struct bus_async *a);
/* From here on it sends its signals; at once, if it is done already. */
void bus_async_watch(struct bus_async *a);
