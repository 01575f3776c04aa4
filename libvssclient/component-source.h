#pragma once

/* Where the files of a selection are read. */

#include "libvssclient/component-selection.h"

/* Reads the mounts of the machine if VssSelection_SetSource has not. */
int selection_need_mounts(VssSelection *s, struct vss_error *reterr);
