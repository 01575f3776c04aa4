#pragma once

/* The name of what a network file system is mounted from, "host:/export" or "//host/share", with
 * the host by its full name or by its first part alone. Asks the resolver: blocking, for workers.
 */

#include "common/util.h"

/* 1; 0: it is no file system of the network, and *ret stays; -ENOMEM. A host that nobody knows
 * keeps the name that it has. */
int share_name(char **ret, const char *file_system, const char *source, bool full);

/* The full name of a host that is given by name or address; NULL: nobody knows it. 0, -ENOMEM. A
 * test puts its own there. */
extern int (*share_resolve)(char **ret, const char *host);
