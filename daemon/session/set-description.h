#pragma once

/* A transportable set and its description in a document: written when the set is made, and read,
 * as what somebody says, when it is imported. */

#include "common/backup-snapshots.h"
#include "daemon/session/session-private.h"

/* Into the session's document, of the set that it has made, if that is transportable. One that is
 * not described nobody can import. */
int set_description_write(struct session *s, struct vss_error *reterr);
/* Whether such a set can be imported at all: VSS_E_NONTRANSPORTABLE_BCD,
 * VSS_E_NO_SNAPSHOTS_IMPORTED. */
int set_description_check(const struct backup_snapshots *set, struct vss_error *reterr);
/* What is said of the i-th, as the record that it is to be; machine: this host. -ENOMEM, with what
 * there is in *ret. */
int set_description_record(const struct backup_snapshots *set, size_t i, const char *machine,
                           struct snapshot_record *ret);
