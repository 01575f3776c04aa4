#pragma once

/* The daemon, wired together. A test daemon is the same with another table of providers. */

#include "daemon/providers/provider.h"

/* providers: NULL-terminated. Returns the exit status. */
int vssd_main(int argc, char **argv, const struct provider *const *providers);
