#pragma once

/* A file that says whether a process of an earlier run is still at work: it holds a shared flock(2)
 * on it through a descriptor that it inherited. However it ends, the kernel lets go of it then. */

#include "common/util.h"

/* Makes the file, mode 0600, if it is missing. The lock is let go when the last copy of the
 * descriptor, here and in children, is closed. */
int alive_lock_hold(const char *path, int *ret_fd);
/* 0: nobody holds it (any more), or the file does not exist. -ETIMEDOUT: somebody still does. */
int alive_lock_await(const char *path, uint64_t timeout_usec);
