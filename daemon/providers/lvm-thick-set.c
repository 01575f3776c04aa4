/* The lvm-thick provider's state for one set in creation: which copies, in which volume groups.
 * Owned by the coordinator; used by one thread at a time. */

#include "daemon/providers/lvm-thick.h"

static void member_done(struct thick_member *m) {
        free(m->volume);
        free(m->link);
        lvm_copy_done(&m->copy);
        snapshot_making_done(&m->making);
}

static void group_done(struct thick_group *g) {
        free(g->name);
        free(g->uuid);
}

struct provider_set *thick_set_free(struct provider_set *set) {
        if (!set)
                return NULL;
        for (size_t i = 0; set->members && i < set->base.n; i++)
                member_done(&set->members[i]);
        lvm_set_done(&set->base);
        for (size_t i = 0; set->groups && i < set->n_groups; i++)
                group_done(&set->groups[i]);
        free(set->members);
        free(set->groups);
        free(set);
        return NULL;
}

static struct thick_group *find_group(struct provider_set *set, const char *name) {
        for (size_t i = 0; i < set->n_groups; i++)
                if (streq(set->groups[i].name, name))
                        return &set->groups[i];
        return NULL;
}

static int make_groups(struct provider_set *set, const struct volume *const *volumes) {
        set->groups = calloc(set->base.n, sizeof(*set->groups));
        if (!set->groups)
                return -ENOMEM;
        for (size_t i = 0; i < set->base.n; i++) {
                if (find_group(set, volumes[i]->vg))
                        continue;
                set->groups[set->n_groups].name = strdup(volumes[i]->vg);
                if (!set->groups[set->n_groups++].name)
                        return -ENOMEM;
        }
        return 0;
}

static int member_init(struct thick_member *m, struct provider_set *set, const struct volume *v,
                       const struct snapshot_record *record) {
        m->group = find_group(set, v->vg);
        m->origin_bytes = v->size;
        if (str_replace(&m->volume, v->name) < 0 || str_replace(&m->link, record->device) < 0)
                return -ENOMEM;
        m->making = (struct snapshot_making){
                .devices = &m->devices,
                .volume = m->volume,
                .origin = v->devno,
                .unfit_target = thick_unfit_target,
        };
        return lvm_copy_of_volume(&m->copy, v, record);
}

int thick_set_new(struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, const struct snapshot_record *records,
                  size_t n, struct vss_error *reterr) {
        _cleanup_(thick_set_freep) struct provider_set *set = NULL;
        int r;

        set = calloc(1, sizeof(*set));
        if (!set)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        set->members = calloc(n, sizeof(*set->members));
        r = set->members ? lvm_set_init(&set->base, &thick_kind, store, records, n) : -ENOMEM;
        if (r >= 0)
                r = make_groups(set, volumes);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct thick_member *m = &set->members[i];

                r = member_init(m, set, volumes[i], &records[i]);
                set->base.copies[i] = &m->copy;
                set->base.names[i] = (struct lvm_set_names){ m->volume, m->link };
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot prepare the set");
        *ret = TAKE_PTR(set);
        return 0;
}
