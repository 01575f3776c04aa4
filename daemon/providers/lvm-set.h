#pragma once

/* What every provider of LVM's copies keeps of a set in creation: which copies, the locks of their
 * volume groups, the lvm process, the intent. A part of the provider's own set, which has the
 * members that this points to. */

#include "daemon/providers/lvm-undo.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/providers/volume.h"
#include "daemon/store/store.h"

struct provider_set; /* see provider.h */

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
void lvm_set_unlock(struct lvm_set *s);

/* What a kind of copies does of its own while it is staged. */
struct lvm_set_steps {
        /* What LVM and the kernel say, and whether we can go on with it. */
        int (*read_facts)(struct provider_set *set, struct vss_error *reterr);
        /* LVM's metadata and the devices. */
        int (*make)(struct provider_set *set, struct vss_error *reterr);
};
/* Staging: the groups' locks, the facts, the intent, then the steps that change something; what the
 * records say of the copies. If it fails all is undone. s is the base of the set. */
int lvm_set_stage(struct lvm_set *s, struct provider_set *set, const struct lvm_set_steps *steps,
                  const struct volume *const *volumes, struct snapshot_record *records,
                  struct vss_error *reterr);
/* LVM did not make the i-th copy: its own words, as VSS_E_INSUFFICIENT_STORAGE with the remedy
 * where there was no room. */
int lvm_set_say_refused(const struct lvm_set *s, size_t i, bool full, const char *remedy,
                        struct vss_error *reterr);

/* See struct provider. */
int lvm_set_seal(const struct lvm_set *s, struct vss_error *reterr);
int lvm_set_abort(struct lvm_set *s, struct vss_error *reterr);
size_t lvm_set_intents(const struct lvm_set *s, const int64_t **ret_ids);
