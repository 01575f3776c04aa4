#pragma once

/* Names of files as the user writes them, for a service that has another working directory. */

#include "common/util.h"

/* "." and "./data" are what they are here. Everything else goes as it stands: an absolute path,
 * vg/lv, UUID=, LABEL=. 0, -ENOENT, -ENOMEM or what else is wrong with the path. */
int local_path(char **ret, const char *word);
/* The same, for a verb: an exit status, and what is wrong is said. */
int local_path_or_say(char **ret, const char *word);
/* Is it meant of this directory, though it does not say so? */
bool local_path_is_meant(const char *word);
