#pragma once

/* What all copies' stores may take together ([Areas] MaximumInAll), where it is first met: by a set
 * whose stores are about to begin. From then on whoever makes stores larger minds it. */

#include "daemon/coordinator/coordinator.h"

/* What a copy's store takes. Blocking; one that cannot be asked (its disk is gone, it is being
 * deleted), or is not to be touched, takes nothing. */
uint64_t store_room_taken(const struct snapshot_record *r);
/* Blocking. 0, or VSS_E_INSUFFICIENT_STORAGE. */
int store_room_check(const struct coordinator_request *q, struct vss_error *reterr);
