#pragma once

/* One of the system's own tools, run to its end by a worker. */

#include "common/vss-error.h"

/* argv[0] is a path; there is no shell, and an environment of our own. Fails if the program does,
 * with the last line that it printed. */
int run_program(char *const argv[], uint64_t timeout_usec, struct vss_error *reterr);
/* The same, and all that it printed, on standard output and standard error. What is longer than
 * RUN_PROGRAM_OUTPUT_MAX is a failure. */
#define RUN_PROGRAM_OUTPUT_MAX ((size_t)256 * 1024)
int run_program_output(char *const argv[], uint64_t timeout_usec, char **ret_output,
                       struct vss_error *reterr);
