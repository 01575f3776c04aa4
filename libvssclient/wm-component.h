#pragma once

/* IVssWMComponent and IVssWMDependency: an index into a writer's document, which they hold on to.
 */

#include "libvssclient/wm-document.h"

/* i: of a component that is there. */
int wm_component_new(IVssWMComponent **ret, struct wm_document *document, size_t i,
                     struct vss_error *reterr);
