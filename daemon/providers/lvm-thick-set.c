/* The lvm-thick provider's state for one set in creation: which copies, in which volume groups,
 * and the locks of these. Owned by the coordinator; used by one thread at a time. */

#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/vg-lock.h"

static void member_done(struct thick_member *m) {
        free(m->volume);
        free(m->link);
        lvm_copy_done(&m->copy);
        mapper_table_done(&m->real_table);
}

static void group_done(struct thick_group *g) {
        free(g->name);
        free(g->uuid);
        g->lock_fd = vg_unlock(g->lock_fd);
}

struct provider_set *thick_set_free(struct provider_set *set) {
        if (!set)
                return NULL;
        lvm_close(set->lvm);
        for (size_t i = 0; set->members && i < set->n; i++)
                member_done(&set->members[i]);
        for (size_t i = 0; set->groups && i < set->n_groups; i++)
                group_done(&set->groups[i]);
        free(set->members);
        free(set->groups);
        free(set);
        return NULL;
}

static int compare_groups(const void *a, const void *b) {
        const struct thick_group *left = a, *right = b;

        return strcmp(left->name, right->name);
}

static struct thick_group *find_group(struct provider_set *set, const char *name) {
        for (size_t i = 0; i < set->n_groups; i++)
                if (streq(set->groups[i].name, name))
                        return &set->groups[i];
        return NULL;
}

static int make_groups(struct provider_set *set, const struct volume *const *volumes) {
        set->groups = calloc(set->n, sizeof(*set->groups));
        if (!set->groups)
                return -ENOMEM;
        for (size_t i = 0; i < set->n; i++) {
                if (find_group(set, volumes[i]->vg))
                        continue;
                set->groups[set->n_groups].lock_fd = -1;
                set->groups[set->n_groups].name = strdup(volumes[i]->vg);
                if (!set->groups[set->n_groups++].name)
                        return -ENOMEM;
        }
        qsort(set->groups, set->n_groups, sizeof(*set->groups), compare_groups);
        return 0;
}

static int member_init(struct thick_member *m, struct provider_set *set, const struct volume *v,
                       const struct snapshot_record *record) {
        m->group = find_group(set, v->vg);
        m->origin = v->devno;
        m->origin_bytes = v->size;
        if (str_replace(&m->volume, v->name) < 0 || str_replace(&m->link, record->device) < 0)
                return -ENOMEM;
        return lvm_copy_of_volume(&m->copy, v, record->number);
}

int thick_set_new(struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, const struct snapshot_record *records,
                  size_t n, struct vss_error *reterr) {
        _cleanup_(thick_set_freep) struct provider_set *set = NULL;
        int r;

        set = calloc(1, sizeof(*set));
        if (!set)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        set->store = store;
        set->id = records[0].set_id;
        set->n = n;
        set->members = calloc(n, sizeof(*set->members));
        r = set->members ? make_groups(set, volumes) : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = member_init(&set->members[i], set, volumes[i], &records[i]);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot prepare the set");
        *ret = TAKE_PTR(set);
        return 0;
}

int thick_set_lock(struct provider_set *set, struct vss_error *reterr) {
        for (size_t i = 0; i < set->n_groups; i++) {
                struct thick_group *g = &set->groups[i];
                int r;

                if (g->lock_fd >= 0)
                        continue;
                r = vg_lock(g->name, set->id, &g->lock_fd, reterr);
                if (r < 0) {
                        thick_set_unlock(set);
                        return r;
                }
        }
        return 0;
}

void thick_set_unlock(struct provider_set *set) {
        for (size_t i = 0; i < set->n_groups; i++)
                set->groups[i].lock_fd = vg_unlock(set->groups[i].lock_fd);
}
