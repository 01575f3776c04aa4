#pragma once

/* Directories as file sets name them, in one form: absolute, without a separator at the end or two
 * in a row, without "."; the root is "". So a file in one is always directory + "/" + name, and
 * "is below" is a question about prefixes. */

#include "common/vss-error.h"

/* E_INVALIDARG: not absolute, or with "..", or with a wildcard. */
int file_path_normalise(char **ret, const char *path, struct vss_error *reterr);
/* The same after the variables in it were replaced. */
int file_path_expand(char **ret, const char *path, struct vss_error *reterr);
/* Is path directory itself, or below it? *ret_rest (NULL allowed) is then what follows: "" or
 * "/...". */
bool file_path_is_below(const char *path, const char *directory, const char **ret_rest);
int file_path_join(char **ret, const char *directory, const char *name);

/* Of n items, each of size bytes and sorted by its first member, a normalised directory (char *):
 * those at exactly this directory; or those below it. */
void file_path_range(const void *items, size_t n, size_t size, const char *directory, bool below,
                     size_t *ret_begin, size_t *ret_end);
