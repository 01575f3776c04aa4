#pragma once

/* Whose turn it is to change which blocks an origin has: a set's in creation, from its staging
 * until its copies are live, or a deletion's. A last copy that goes takes the device with the
 * origin's own blocks along, which a set in staging has found there and built upon.
 *
 * Not the thread's that took it: a set is staged in one and ends in another. */

#include "common/vss-error.h"

/* How long one waits for it. */
extern uint64_t dm_turn_timeout_usec;

/* VSS_E_PROVIDER_VETO: it has not come in time. */
int dm_turn_take(struct vss_error *reterr);
void dm_turn_give(void);
