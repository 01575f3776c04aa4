#pragma once

/* What a session has to know of a volume beyond what the volume itself says. Blocking; for
 * workers. */

#include "daemon/providers/volume.h"
#include "daemon/store/store.h"

/* Is r a copy of v? By the origin's dm uuid where both have one, else by name. */
bool volume_is_origin(const struct volume *v, const struct snapshot_record *r);
/* Likewise, of two copies: are they of one volume? From memory, for any thread. */
bool snapshots_have_one_origin(const struct snapshot_record *a, const struct snapshot_record *b);
/* Was a made after b? Of what this host has made the numbers say so, whatever became of its clock.
 * An imported copy may have its number from the import: there the time counts, which is another
 * clock's, or a document's word. From memory, for any thread. */
bool snapshot_is_newer(const struct snapshot_record *a, const struct snapshot_record *b);
int volume_count_snapshots(struct store *store, const struct volume *v, unsigned *ret,
                           struct vss_error *reterr);
