/* Staging: everything that can be done while writes still flow. Facts and sizes first, then the
 * intent, then LVM's metadata and the devices; if any of it fails, all of it is undone. */

#include "daemon/providers/lvm-thick.h"

static int make_devices(struct provider_set *set, const struct mapper_table *stores,
                        struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                struct thick_member *m = &set->members[i];

                m->devices = lvm_copy_devices(&m->copy);
                r = snapshot_making_stage(&m->making, &stores[i], reterr);
        }
        return r;
}

static int make_all(struct provider_set *set, struct vss_error *reterr) {
        struct mapper_table *stores = calloc(set->base.n, sizeof(*stores));
        int r;

        if (!stores)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot stage the set");
        r = thick_make_stores(set, stores, reterr);
        if (r >= 0)
                r = make_devices(set, stores, reterr);
        if (r >= 0)
                r = thick_make_snapshots(set, reterr);
        if (r >= 0)
                mapper_let_udev_finish();
        for (size_t i = 0; i < set->base.n; i++)
                mapper_table_done(&stores[i]);
        free(stores);
        return r;
}

int thick_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
                struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        static const struct lvm_set_steps steps = {
                .read_facts = thick_set_read_facts,
                .make = make_all,
        };
        _cleanup_(thick_set_freep) struct provider_set *set = NULL;
        int r;

        r = volumes_check_nesting(volumes, n, reterr);
        if (r >= 0)
                r = thick_set_new(&set, store, volumes, records, n, reterr);
        if (r >= 0)
                r = lvm_set_stage(&set->base, set, &steps, volumes, records, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}
