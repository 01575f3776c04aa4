#pragma once

/* Each one's part in the making of a set, phase by phase, as lines and as objects. */

#include "cli/output-json.h"
#include <vss/vsslinux.h>

/* 0, -ENOMEM */
int timeline_steps_print(const VSS_SET_TIMELINE *t, FILE *stream);
/* "steps", a member of the open object. */
void timeline_steps_json(struct json *j, const VSS_SET_TIMELINE *t);
