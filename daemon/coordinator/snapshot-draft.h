#pragma once

/* What a snapshot is called before it is there. */

#include "daemon/coordinator/coordinator.h"

/* Fills a fresh record, up to what its provider knows. 0, -ENOMEM. */
int snapshot_draft(struct snapshot_record *r, const struct coordinator_request *q,
                   const struct coordinator_volume *v, uint64_t number, const char *machine);
/* Is it read through a directory, and not as a block device alone? */
bool snapshot_has_mount(const struct snapshot_record *r);
