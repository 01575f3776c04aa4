#pragma once

/* Names of files and directories, as people write them. Nothing here looks at a file system. */

#include <stdbool.h>
#include <stddef.h>

/* Without the slashes at its end, but for the root's. */
size_t path_length(const char *path, size_t n);
/* "/srv/" and "/srv" are one. */
bool path_is_same(const char *a, const char *b);
