#pragma once

/* The same blocking work for each of several things, side by side, inside a job: what waits for
 * disks one after the other would wait for the sum of them. The caller's thread works too and
 * returns when all have ended, so that nothing outlives the call. */

#include "common/vss-error.h"

/* For the thing with this index; several run at once, each index once. */
typedef int (*parallel_fn)(size_t i, void *userdata, struct vss_error *reterr);

/* After a failure nothing new is begun. Returns the failure of the lowest index, with its error. */
int parallel_each(size_t n, parallel_fn work, void *userdata, struct vss_error *reterr);
