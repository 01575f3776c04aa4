#pragma once

/* A provider of somebody else's as a struct provider: the copies of a set in creation
 * (foreign-set.c), and what becomes of them afterwards (foreign-life.c).
 *
 * Its process is one from stage() to the end of the set: if it goes, the set has failed, and what
 * it has made is taken back by the process that is started in its place. It may have to do that
 * with no memory of its own: AbortSnapshots of a set that it does not know is no failure, and each
 * copy is deleted by its id and its volume besides. */

#include "daemon/providers/foreign-call.h"
#include "daemon/providers/provider.h"

/* Without what tells one from another: foreign.c fills that in. */
extern const struct provider foreign_copies;

int foreign_probe(const struct provider *p, const struct volume *v, LONG context,
                  struct vss_error *reterr);
int foreign_stage(const struct provider *p, struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, struct snapshot_record *records, size_t n,
                  struct vss_error *reterr);
int foreign_remove(struct store *store, const struct snapshot_record *r, bool force,
                   struct vss_error *reterr);
int foreign_activate(const struct snapshot_record *r, struct vss_error *reterr);
int foreign_recover(struct store *store, const struct intent_record *intent,
                    struct vss_error *reterr);

/* Nothing of the set is left, or the reason. Through the set's own link, and if that does not
 * answer through another, perhaps to another process than the set's. Idempotent. */
struct foreign_copy {
        VSS_ID id;
        const char *volume;
        uint64_t number; /* of ShadowCopyN; not looked at here */
};
int foreign_take_back(struct foreign *f, struct foreign_link *set_link, VSS_ID set_id,
                      const struct foreign_copy *copies, size_t n, struct vss_error *reterr);

/* What earlier sets have left, as nobody answered by then, is taken back: while no set is being
 * made with it. The log says what cannot be. */
void foreign_clear_up(struct foreign *f, struct store *store);

/* What a provider says that its copy is, and can be used as one: a directory that is not below
 * /dev/, reached without a symbolic link, or a block device in /dev/. -ENOENT: it is not there. */
int foreign_check_device(const struct foreign *f, const char *device, struct vss_error *reterr);
