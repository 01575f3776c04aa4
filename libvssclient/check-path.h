#pragma once

/* What a path in a document has to be. */

#include "common/vss-error.h"

/* Absolute once its variables are replaced, without wildcards and "..", and text that XML can hold.
 * what names it in the message. E_INVALIDARG. */
int check_path(const char *path, const char *what, struct vss_error *reterr);
/* A file's own name: one part, without wildcards. */
int check_file_name(const char *name, const char *what, struct vss_error *reterr);
/* A file's name that may have wildcards. */
int check_filespec(const char *filespec, const char *what, struct vss_error *reterr);
