#pragma once

/* What the blocks of an origin say of themselves where they keep state of their own: a RAID, a
 * cache. In the window a second device with the same table takes over from the first, and reads
 * anew what the first has in memory; so all of it must be in order on the disks, too. */

#include "daemon/providers/mapper.h"

/* That all are in order. origin: whose live table it is; volume: for messages. */
int origin_health_check(const char *origin, const char *volume, const struct mapper_table *live,
                        struct vss_error *reterr);
/* The same of a RAID, and how it says so: "AA" if it has two legs. */
int origin_health_check_raid(const char *origin, const char *volume, char health[static 256],
                             struct vss_error *reterr);
/* Why a target cannot be had a second time, by its status; NULL: it can, or is no cache. Pure. */
const char *origin_health_unfit_cache(const char *type, const char *status);
