#pragma once

/* IVssAsync: an operation of the service, seen through the connection that began it. */

#include "libvssclient/connection.h"
#include <vss/vss.h>

struct generation;

/* path: of the operation's object. */
int async_new(IVssAsync **ret, struct connection *c, const char *path, struct vss_error *reterr);
/* The operation changes a document: g advances now, and when it has ended. */
void async_advances(IVssAsync *async, struct generation *g);
