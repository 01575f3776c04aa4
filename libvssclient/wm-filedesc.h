#pragma once

/* IVssWMFiledesc: a set of files, from a writer's document, which it then holds on to, or with
 * texts of its own. */

#include "libvssclient/wm-document.h"

/* files' texts belong to document. */
int filedesc_new(IVssWMFiledesc **ret, const struct writer_metadata_files *files,
                 struct wm_document *document, struct vss_error *reterr);
/* files' texts are copied. */
int filedesc_new_copy(IVssWMFiledesc **ret, const struct writer_metadata_files *files,
                      struct vss_error *reterr);
