#pragma once

/* Which volume a path lies on, by device number: what is mounted where decides, not how the path
 * is spelled. */

#include "common/util.h"

/* path: absolute, with variables (common/path-variables.h); it need not exist, then its nearest
 * parent that does counts. volumes: mount points and block devices. False also when it cannot be
 * found out. */
bool volume_path_is_on(const char *path, char *const *volumes);
