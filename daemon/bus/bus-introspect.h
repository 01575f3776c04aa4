#pragma once

/* What Introspect answers, made from the tables. */

#include "daemon/bus/bus-table.h"
#include <stdio.h>

/* One interface as XML, with its annotations. */
void bus_introspect_interface(FILE *f, const struct bus_interface *i);
/* The whole answer: interfaces is NULL-terminated, children may be NULL. */
int bus_introspect_node(char **ret, const struct bus_interface *const *interfaces,
                        char *const *children);
