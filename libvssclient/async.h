#pragma once

/* IVssAsync: an operation of the service, seen through the connection that began it. */

#include "libvssclient/connection.h"
#include <vss/vss.h>

/* path: of the operation's object. */
int async_new(IVssAsync **ret, struct connection *c, const char *path, struct vss_error *reterr);
