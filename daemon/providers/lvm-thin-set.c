/* The lvm-thin provider's state for one set in creation: which copies, in which pools. Owned by the
 * coordinator; used by one thread at a time. */

#include "daemon/providers/lvm-thin.h"

static void member_done(struct thin_member *m) {
        free(m->volume);
        free(m->link);
        free(m->pool);
        lvm_copy_done(&m->copy);
}

struct provider_set *thin_set_free(struct provider_set *set) {
        if (!set)
                return NULL;
        for (size_t i = 0; set->members && i < set->base.n; i++)
                member_done(&set->members[i]);
        lvm_set_done(&set->base);
        free(set->members);
        free(set);
        return NULL;
}

static int member_init(struct thin_member *m, const struct volume *v,
                       const struct snapshot_record *record) {
        m->origin = v->devno;
        if (str_replace(&m->volume, v->name) < 0 || str_replace(&m->link, record->device) < 0)
                return -ENOMEM;
        return lvm_copy_of_volume(&m->copy, v, record);
}

int thin_set_new(struct provider_set **ret, struct store *store,
                 const struct volume *const *volumes, const struct snapshot_record *records,
                 size_t n, struct vss_error *reterr) {
        _cleanup_(thin_set_freep) struct provider_set *set = calloc(1, sizeof(*set));
        int r;

        if (!set)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        set->members = calloc(n, sizeof(*set->members));
        r = set->members ? lvm_set_init(&set->base, &thin_kind, store, records, n) : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct thin_member *m = &set->members[i];

                r = member_init(m, volumes[i], &records[i]);
                set->base.copies[i] = &m->copy;
                set->base.names[i] = (struct lvm_set_names){ m->volume, m->link };
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot prepare the set");
        *ret = TAKE_PTR(set);
        return 0;
}
