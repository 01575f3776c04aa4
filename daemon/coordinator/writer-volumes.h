#pragma once

/* Which volumes a writer's files lie on, as far as its metadata says. Paths are compared as they
 * are written, against the mounts of the host: links in them are not followed, because a file
 * system on a network may be behind one. Reads and parses: for workers. */

#include "common/util.h"
#include <sys/types.h>

struct document;
struct volume;
struct volume_map;

/* The mounts as they are now. -ENOMEM; without a mount table the volumes alone are known. */
int volume_map_new(struct volume_map **ret, const struct volume *const *volumes, size_t n);
struct volume_map *volume_map_free(struct volume_map *m);
DEFINE_CLEANUP(struct volume_map, volume_map_free);

/* on[i]: does the writer have files on volume i? Without metadata, with one that cannot be read, or
 * that names no files, or files in a place that is no path here, nothing can be ruled out: false is
 * returned and every on[i] is true. *ret_outside (NULL allowed): a directory of the writer's that
 * is on none of the volumes, owned; NULL: there is none. */
bool volume_map_find(const struct volume_map *m, struct document *metadata, bool *on,
                     char **ret_outside);
/* Is a file set in this directory (with what is below it) on volume i? */
bool volume_map_touches(const struct volume_map *m, size_t i, const char *path, bool recursive);
