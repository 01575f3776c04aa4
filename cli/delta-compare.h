#pragma once

/* Which blocks of a delta really differ: what the service gives may be equal after all, and whoever
 * wants to know reads both. */

#include <vss/vsslinux.h>

/* Clears the bits of blocks that are equal in the two block devices. Past the page cache, so that
 * of a volume in use it is what is on its disks. 0, or a negative errno with *ret_device naming
 * where it came from (one of the two, or NULL). */
int delta_compare(VSS_SNAPSHOT_DELTA *delta, const char *older, const char *younger,
                  const char **ret_device);
