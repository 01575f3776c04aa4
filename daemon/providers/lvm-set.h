#pragma once

/* What every provider of LVM's copies keeps of a set in creation: which copies, the locks of their
 * volume groups, the lvm process, the intent. A part of the provider's own set, which has the
 * members that this points to. */

#include "daemon/providers/lvm-undo.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/providers/volume.h"
#include "daemon/store/store.h"

/* Names for messages, and of the node. */
struct lvm_set_names {
        const char *volume, *link;
};

struct lvm_set {
        const struct lvm_kind *kind;
        struct store *store;
        VSS_ID id;
        struct lvm_copy **copies;
        struct lvm_set_names *names;
        size_t n;
        struct vg_locks locks;
        struct lvm *lvm;
        int64_t intent;
        bool has_intent, changed; /* changed: there is something to undo */
};

int lvm_set_init(struct lvm_set *s, const struct lvm_kind *kind, struct store *store,
                 const struct snapshot_record *records, size_t n);
void lvm_set_done(struct lvm_set *s);
/* Starts lvm and locks the groups. */
int lvm_set_begin(struct lvm_set *s, struct vss_error *reterr);
void lvm_set_unlock(struct lvm_set *s);
/* From here on it has something to undo. */
int lvm_set_open_intent(struct lvm_set *s, struct vss_error *reterr);
/* What the records say of the copies. */
int lvm_set_describe(const struct lvm_set *s, const struct volume *const *volumes,
                     struct snapshot_record *records, struct vss_error *reterr);

/* See struct provider. */
int lvm_set_seal(const struct lvm_set *s, struct vss_error *reterr);
int lvm_set_abort(struct lvm_set *s, struct vss_error *reterr);
size_t lvm_set_intents(const struct lvm_set *s, const int64_t **ret_ids);
/* Staging failed with r: undoes what there is, and closes the intent if that succeeded. Returns r.
 */
int lvm_set_give_up(struct lvm_set *s, int r);
