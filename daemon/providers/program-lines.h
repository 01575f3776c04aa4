#pragma once

/* One of the system's tools, run to its end by a worker, its output taken line by line as it comes:
 * of any length, without being kept. */

#include "common/vss-error.h"

/* A line without its end; negative: no more are wanted, and the program is ended. */
typedef int (*program_line_fn)(void *userdata, const char *line);

/* argv[0] is a path. Output and errors come as they were printed. A line of more than 1 KiB, and a
 * program that does not end in time, is a failure. An exit status that is not 0 is -ECHILD without
 * a message, as the lines have said why. Returns what line() did if that was negative, without one,
 * too. */
int program_lines(char *const argv[], uint64_t timeout_usec, program_line_fn line, void *userdata,
                  struct vss_error *reterr);
