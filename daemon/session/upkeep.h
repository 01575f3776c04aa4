#pragma once

/* An inquiry that changes what finished snapshots are, deletes them for instance. Of these one runs
 * after the other on the whole machine, so that a set is never taken apart from two sides and a
 * record that was read is as it was when it is written. */

#include "daemon/session/inquiry.h"

/* First member of whatever is derived from it; made by inquiry_new(). */
struct upkeep {
        struct inquiry inquiry;
        struct upkeep *next; /* in the queue */
};

/* Starts it, or lets it wait for its turn; on failure it is freed. */
int upkeep_queue(struct upkeep *u, struct vss_error *reterr);
/* From answer(): its turn is over, the next begins. */
void upkeep_over(struct upkeep *u);
