#pragma once

/* One of the system's own tools, run to its end by a worker. */

#include "common/vss-error.h"

/* argv[0] is a path. Fails if the program does, with the last line that it printed. */
int run_program(char *const argv[], uint64_t timeout_usec, struct vss_error *reterr);
