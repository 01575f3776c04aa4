#pragma once

/* Inside IVssComponent only: what a writer says of files in an event, held against the file sets
 * that it named in the session's Identify, and against what it said before.
 * What is not known (an Identify that is not kept, a component that is not in it, volumes
 * before the copy is made) is not held against it: who lists the files looks again
 * (component-changes.h). What is known is read once for a view, and what was said is added to it as
 * it is said: a question costs no walk over either. */

#include "libvssclient/component.h"

/* E_INVALIDARG says why; -ENOMEM. */
int component_check_partial_file(const IVssComponent *c, const struct backup_entry *e,
                                 struct vss_error *reterr);
int component_check_differenced_files(const IVssComponent *c, const struct backup_entry *e,
                                      struct vss_error *reterr);
int component_check_directed_source(const IVssComponent *c, const struct backup_entry *e,
                                    struct vss_error *reterr);

/* For the view that has it. NULL is allowed. */
struct component_claims *component_claims_free(struct component_claims *claims);
