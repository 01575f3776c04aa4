/* See lvm-set.h. Owned by a provider's set; used by one thread at a time. */

#include "daemon/providers/lvm-set.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-intent.h"

int lvm_set_init(struct lvm_set *s, const struct lvm_kind *kind, struct store *store,
                 const struct snapshot_record *records, size_t n) {
        s->kind = kind;
        s->store = store;
        s->id = records[0].set_id;
        s->copies = calloc(n, sizeof(*s->copies));
        s->names = calloc(n, sizeof(*s->names));
        if (!s->copies || !s->names)
                return -ENOMEM;
        s->n = n;
        return 0;
}

void lvm_set_done(struct lvm_set *s) {
        lvm_close(s->lvm);
        vg_locks_drop(&s->locks);
        free(s->copies);
        free(s->names);
        *s = (struct lvm_set){ 0 };
}

/* Starts lvm and locks the groups. */
static int begin(struct lvm_set *s, struct vss_error *reterr) {
        _cleanup_(freep) const char **groups = calloc(s->n, sizeof(*groups));
        int r;

        if (!groups)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        for (size_t i = 0; i < s->n; i++)
                groups[i] = s->copies[i]->vg;
        r = lvm_open(&s->lvm, reterr); /* it starts while we go on */
        return r < 0 ? r : vg_locks_take(&s->locks, groups, s->n, s->id, reterr);
}

void lvm_set_unlock(struct lvm_set *s) {
        vg_locks_drop(&s->locks);
}

/* From here on it has something to undo. */
static int open_intent(struct lvm_set *s, struct vss_error *reterr) {
        int r;

        r = lvm_intent_open(s->store, s->kind->provider, LVM_INTENT_CREATE,
                            &(struct lvm_intent_subject){
                                    .set_id = s->id,
                                    .copies = s->copies,
                                    .n = s->n,
                            },
                            &s->intent, reterr);
        if (r >= 0)
                s->has_intent = s->changed = true;
        return r;
}

static int describe(const struct lvm_set *s, const struct volume *const *volumes,
                    struct snapshot_record *records, struct vss_error *reterr) {
        for (size_t i = 0; i < s->n; i++) {
                int r = lvm_copy_fill_record(s->copies[i], volumes[i], &records[i]);

                if (r < 0)
                        return vss_error_from_errno(reterr, r, volumes[i]->name);
        }
        return 0;
}

/* Read-only to LVM from its birth; from now on to the kernel too. */
int lvm_set_seal(const struct lvm_set *s, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n; i++)
                r = copy_link_seal(s->names[i].link, s->names[i].volume, reterr);
        return r;
}

int lvm_set_abort(struct lvm_set *s, struct vss_error *reterr) {
        int r;

        if (!s->changed)
                return 0;
        r = lvm_undo(s->kind, s->copies, s->n,
                     &(struct lvm_undo){
                             .lvm = s->lvm,
                             .set_id = s->id,
                     },
                     reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n; i++)
                copy_link_remove(s->names[i].link);
        lvm_set_unlock(s);
        s->changed = false;
        return 0;
}

size_t lvm_set_intents(const struct lvm_set *s, const int64_t **ret_ids) {
        *ret_ids = &s->intent;
        return s->has_intent ? 1 : 0;
}

/* Staging failed with r: undoes what there is, and closes the intent if that succeeded. */
static int give_up(struct lvm_set *s, int r) {
        s->lvm = lvm_close(s->lvm); /* it may be what failed */
        if (lvm_set_abort(s, NULL) < 0)
                return r; /* the intent stays: the next start tries again */
        if (s->has_intent)
                (void)store_intent_close(s->store, s->intent, NULL); /* harmless if it stays */
        return r;
}

int lvm_set_stage(struct lvm_set *s, struct provider_set *set, const struct lvm_set_steps *steps,
                  const struct volume *const *volumes, struct snapshot_record *records,
                  struct vss_error *reterr) {
        int r;

        r = begin(s, reterr);
        if (r >= 0)
                r = steps->read_facts(set, reterr);
        if (r >= 0)
                r = open_intent(s, reterr);
        if (r < 0)
                return r;
        r = steps->make(set, reterr);
        if (r >= 0)
                r = describe(s, volumes, records, reterr);
        return r < 0 ? give_up(s, r) : 0;
}

int lvm_set_say_refused(const struct lvm_set *s, size_t i, bool full, const char *remedy,
                        struct vss_error *reterr) {
        const char *words = lvm_complaint(s->lvm);

        return vss_error_set(
                reterr, full ? VSS_E_INSUFFICIENT_STORAGE : VSS_E_UNEXPECTED_PROVIDER_ERROR,
                full ? ENOSPC : EIO, "LVM did not make a copy of %s (%s/%s): %s%s%s",
                s->names[i].volume, s->copies[i]->vg, s->copies[i]->lv,
                *words ? words : "it gave no reason", full ? "; " : "", full ? remedy : "");
}
