/* Staging: everything that can be done while writes still flow. Facts and sizes first, then the
 * intent, then LVM's metadata and the devices; if any of it fails, all of it is undone. */

#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-thick.h"

static int open_intent(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) struct lvm_copy **copies = calloc(set->n, sizeof(*copies));
        int r;

        if (!copies)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot note the intent");
        for (size_t i = 0; i < set->n; i++)
                copies[i] = &set->members[i].copy;
        r = lvm_intent_open(set->store, THICK_NAME, LVM_INTENT_CREATE,
                            &(struct lvm_intent_subject){
                                    .set_id = set->id,
                                    .copies = copies,
                                    .n = set->n,
                            },
                            &set->intent, reterr);
        if (r >= 0)
                set->has_intent = true;
        return r;
}

static int make_all(struct provider_set *set, struct vss_error *reterr) {
        struct mapper_table *stores = calloc(set->n, sizeof(*stores));
        int r;

        if (!stores)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot stage the set");
        set->changed = true;
        r = thick_make_stores(set, stores, reterr);
        if (r >= 0)
                r = thick_make_devices(set, stores, reterr);
        if (r >= 0)
                r = thick_make_snapshots(set, reterr);
        if (r >= 0)
                mapper_let_udev_finish();
        for (size_t i = 0; i < set->n; i++)
                mapper_table_done(&stores[i]);
        free(stores);
        return r;
}

/* Says the first error, undoes what there is, closes the intent if that succeeded. */
static int give_up(struct provider_set *set, int r) {
        set->lvm = lvm_close(set->lvm); /* it may be what failed */
        if (set->changed && provider_lvm_thick.abort(set, NULL) < 0)
                return r; /* the intent stays: the next start tries again */
        if (set->has_intent)
                (void)store_intent_close(set->store, set->intent, NULL); /* harmless if it stays */
        return r;
}

int thick_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
                struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        _cleanup_(thick_set_freep) struct provider_set *set = NULL;
        int r;

        r = volumes_check_nesting(volumes, n, reterr);
        if (r >= 0)
                r = thick_set_new(&set, store, volumes, records, n, reterr);
        if (r >= 0)
                r = lvm_open(&set->lvm, reterr);
        if (r >= 0)
                r = thick_set_lock(set, reterr);
        if (r >= 0)
                r = thick_set_read_facts(set, reterr);
        if (r >= 0)
                r = open_intent(set, reterr);
        if (r < 0)
                return r;

        r = make_all(set, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = lvm_copy_fill_record(&set->members[i].copy, volumes[i], &records[i]);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, volumes[i]->name);
        }
        if (r < 0)
                return give_up(set, r);
        *ret = TAKE_PTR(set);
        return 0;
}
