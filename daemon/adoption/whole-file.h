#pragma once

/* Small files of configuration, read as a whole and replaced as a whole: a crash leaves the old one
 * or the new one. */

#include "common/vss-error.h"

/* The text ends with a NUL that *ret_size does not count; it may have others. A file that is not
 * there is empty. */
int whole_file_read(const char *path, size_t max, char **ret, size_t *ret_size,
                    struct vss_error *reterr);
/* Keeps owner and mode of what is there, and a link's target is replaced, not the link. Returns
 * when it is on disk. The directory is made if need be. */
int whole_file_write(const char *path, const char *text, size_t size, struct vss_error *reterr);
/* Not there is success. */
int whole_file_remove(const char *path, struct vss_error *reterr);
