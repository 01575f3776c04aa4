#pragma once

/* What a writer said of one backup of a component: ranges of files, and file sets of which only
 * what was modified is to be kept. It is held against the file sets of the
 * component, and where it contradicts them, or itself, that is told and more is listed, not less.
 */

#include "libvssclient/differenced-files.h"
#include "libvssclient/files/partial-files.h"
#include <vss/vscomponent.h>

struct component_changes {
        struct partial_files *partials;
        struct differenced_files differenced;
};

/* Told of what cannot be used: drops e; 0, or a negative result that ends it all. */
typedef int (*component_changes_tell)(void *userdata, const char *path, struct vss_error *e);

void component_changes_done(struct component_changes *c);
/* state: NULL is allowed. ECANCELED: *ret_hr is what the component answered. */
int component_changes_read(struct component_changes *c, IVssComponent *state,
                           component_changes_tell tell, void *userdata, HRESULT *ret_hr,
                           struct vss_error *reterr);
bool component_changes_any(const struct component_changes *c);
/* A file set of the component, in this backup or not. -ENOMEM. */
int component_changes_see_set(struct component_changes *c, const struct file_set *set);
/* After the last set: what contradicts. */
int component_changes_check(struct component_changes *c, component_changes_tell tell,
                            void *userdata);
