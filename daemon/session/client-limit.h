#pragma once

/* Of each volume there are only so many client-accessible copies ([Limits] ClientSnapshots): as on
 * Windows, one more takes the place of the oldest, so that copies made by the clock go on being
 * made. The oldest goes when the new one is there: a set that could not be made costs nobody a
 * copy. Should it not go, the next set tries it again. */

#include "daemon/session/manager-private.h"

/* These were made. */
void client_limit_apply(struct session_manager *m, const struct snapshot_record *records, size_t n);
