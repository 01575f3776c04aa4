/* The lvm-thin provider's state for one set in creation: which copies, in which pools, and the
 * locks of their volume groups. Owned by the coordinator; used by one thread at a time. */

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
        lvm_close(set->lvm);
        thin_set_unlock(set);
        for (size_t i = 0; set->members && i < set->n; i++)
                member_done(&set->members[i]);
        free(set->members);
        free(set->copies);
        free(set);
        return NULL;
}

static int member_init(struct thin_member *m, const struct volume *v,
                       const struct snapshot_record *record) {
        m->origin = v->devno;
        if (str_replace(&m->volume, v->name) < 0 || str_replace(&m->link, record->device) < 0)
                return -ENOMEM;
        return lvm_copy_of_volume(&m->copy, v, record->number);
}

int thin_set_new(struct provider_set **ret, struct store *store,
                 const struct volume *const *volumes, const struct snapshot_record *records,
                 size_t n, struct vss_error *reterr) {
        _cleanup_(thin_set_freep) struct provider_set *set = calloc(1, sizeof(*set));
        int r = 0;

        if (!set)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        set->store = store;
        set->id = records[0].set_id;
        set->n = n;
        set->members = calloc(n, sizeof(*set->members));
        set->copies = calloc(n, sizeof(*set->copies));
        if (!set->members || !set->copies)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                set->copies[i] = &set->members[i].copy;
                r = member_init(&set->members[i], volumes[i], &records[i]);
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot prepare the set");
        *ret = TAKE_PTR(set);
        return 0;
}

int thin_set_lock(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(set->n, sizeof(*names));

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        for (size_t i = 0; i < set->n; i++)
                names[i] = set->members[i].copy.vg;
        return vg_locks_take(&set->locks, names, set->n, set->id, reterr);
}

void thin_set_unlock(struct provider_set *set) {
        vg_locks_drop(&set->locks);
}
