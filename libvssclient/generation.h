#pragma once

/* Which edition of its document a session is at: a number that only grows. Counted: the session's
 * object and the views made from it are its owners, and may be on different threads. */

#include "common/util.h"

struct generation;

int generation_new(struct generation **ret);
struct generation *generation_ref(struct generation *g);
struct generation *generation_unref(struct generation *g); /* NULL is allowed; returns NULL */
DEFINE_CLEANUP(struct generation, generation_unref);
/* Views that exist answer VSS_E_BAD_STATE from now on. */
void generation_advance(struct generation *g);
unsigned generation_current(const struct generation *g);
