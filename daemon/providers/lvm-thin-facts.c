/* What LVM and the kernel say of the origins of a set and of their pools, under the groups' locks;
 * whether copies can be made of them. */

#include "daemon/providers/lvm-facts.h"
#include "daemon/providers/lvm-thin.h"
#include <stdio.h>

#define SECTOR_SIZE 512

enum { LV_THIN_ID = LVM_FACTS, N_FIELDS };
#define COLUMNS LVM_FACTS_COLUMNS ",thin_id"

/* The kernel's device is what LVM means by the name. */
static int take_member(struct provider_set *set, struct thin_member *m,
                       const struct lvm_report *facts, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        char *const *group = NULL, *const *origin = NULL;
        struct mapper_info info;
        uint64_t id;
        int r;

        r = lvm_facts_find_group(facts, set->base.lvm, m->copy.vg, &group, reterr);
        if (r >= 0)
                r = lvm_facts_find_origin(facts, &m->copy, m->volume, &origin, reterr);
        if (r >= 0)
                r = mapper_find_uuid(m->copy.origin_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists || info.devno != m->origin || !info.live_table)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s was deactivated meanwhile", m->volume);
        r = mapper_read_table(m->copy.origin_device, &live, reterr);
        if (r < 0)
                return r;
        if (live.n != 1 || !streq(live.targets[0].type, "thin") ||
            thin_volume_parse(&m->thin, live.targets[0].params) < 0 ||
            lvm_number(origin[LV_THIN_ID], &id) < 0 || id != m->thin.id)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s is no thin volume any more, or not the one that LVM "
                                     "knows; try again, and look at 'lvs -o+thin_id'",
                                     m->volume);
        m->sectors = mapper_table_length(&live);
        return 0;
}

/* Bytes of the volume that its pool has blocks for. */
static int read_mapped(const struct thin_member *m, uint64_t *ret, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        uint64_t sectors = 0;
        char word[32] = "";
        int r;

        r = mapper_read_status(m->copy.origin_device, &status, reterr);
        if (r < 0)
                return r;
        /* "18560 614399"; without a mapping the second is "-" */
        if (status.n == 1)
                (void)sscanf(status.targets[0].params, "%31s", word);
        if (lvm_number(word, &sectors) < 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO,
                                     "the thin volume %s has failed (%s); see the kernel's log",
                                     m->volume, status.n > 0 ? status.targets[0].params : "");
        *ret = sectors * SECTOR_SIZE;
        return 0;
}

static bool is_first_of_pool(const struct provider_set *set, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (set->members[k].thin.pool == set->members[i].thin.pool)
                        return false;
        return true;
}

/* The pool of the i-th, for all members that have it. */
static int take_pool(struct provider_set *set, size_t i, struct vss_error *reterr) {
        _cleanup_(freep) uint64_t *mapped = calloc(set->base.n, sizeof(*mapped));
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        const char *unfit;
        size_t n = 0;
        int r;

        if (!mapped)
                return vss_error_from_errno(reterr, -ENOMEM, set->members[i].volume);
        r = thin_pool_read(&pool, set->members[i].thin.pool, reterr);
        if (r < 0)
                return r;
        unfit = thin_pool_unfit(&pool);
        if (unfit)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s lies in a thin pool that %s", set->members[i].volume,
                                     unfit);
        for (size_t k = i; r >= 0 && k < set->base.n; k++) {
                struct thin_member *m = &set->members[k];

                if (m->thin.pool != set->members[i].thin.pool)
                        continue;
                r = read_mapped(m, &mapped[n++], reterr);
                if (r >= 0 && str_replace(&m->pool, pool.device.name) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, m->volume);
        }
        return r < 0 ? r : thin_pool_check_room(&pool, mapped, n, reterr);
}

int thin_set_read_facts(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(set->base.n, sizeof(*names));
        _cleanup_(lvm_report_done) struct lvm_report facts = { 0 };
        size_t n = 0;
        int r;

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot ask lvm");
        for (size_t i = 0; i < set->base.n; i++) {
                bool known = false;

                for (size_t k = 0; k < n; k++)
                        known = known || streq(names[k], set->members[i].copy.vg);
                if (!known)
                        names[n++] = set->members[i].copy.vg;
        }
        r = lvm_facts_ask(&facts, set->base.lvm, COLUMNS, N_FIELDS, names, n, reterr);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = take_member(set, &set->members[i], &facts, reterr);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                if (is_first_of_pool(set, i))
                        r = take_pool(set, i, reterr);
        return r;
}
