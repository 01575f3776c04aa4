#pragma once

/* What a set is to each writer: consistent, or why not. */

#include "cli/output-json.h"
#include <vss/vsslinux.h>

void set_writers_release(VSS_SET_WRITER_INFO ***writers); /* for _cleanup_ */
/* A line for each; nothing without any. writers: an array that ends in NULL, or NULL. */
void set_writers_print(VSS_SET_WRITER_INFO *const *writers, FILE *stream);
/* "writers", a member of the open object. */
void set_writers_json(struct json *j, VSS_SET_WRITER_INFO *const *writers);
