/* What LVM says of the groups and origins of a set, under the groups' locks; whether copies can be
 * made of them; how large their stores become. */

#include "daemon/providers/lvm-facts.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/origin-health.h"
#include "daemon/providers/snapshot-size.h"
#include <inttypes.h>
#include <stdio.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512

enum { VG_UUID = LVM_FACTS, VG_EXTENT_SIZE, VG_FREE, LV_LAYOUT, LV_ROLE, POOL_LV, N_FIELDS };
#define COLUMNS LVM_FACTS_COLUMNS ",vg_uuid,vg_extent_size,vg_free_count,lv_layout,lv_role,pool_lv"

static int take_group(struct provider_set *set, struct thick_group *g,
                      const struct lvm_report *facts, struct vss_error *reterr) {
        uint64_t extent_sectors;
        char *const *f = NULL;
        int r;

        r = lvm_facts_find_group(facts, set->base.lvm, g->name, &f, reterr);
        if (r < 0)
                return r;
        if (lvm_number(f[VG_EXTENT_SIZE], &extent_sectors) < 0 ||
            lvm_number(f[VG_FREE], &g->free_extents) < 0 || extent_sectors == 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        g->extent_bytes = extent_sectors * SECTOR_SIZE;
        return str_replace(&g->uuid, f[VG_UUID]) < 0
                       ? vss_error_from_errno(reterr, -ENOMEM, g->name)
                       : 0;
}

static int check_origin(const struct thick_member *m, char *const *f, struct vss_error *reterr) {
        static const char *const layouts[] = { "linear", "striped", "raid", "cache", "writecache" };
        static const struct {
                char state;
                const char *reason;
        } states[] = {
                { .state = 'O',
                  .reason = "is to be merged with a snapshot of it, now or when it is next "
                            "activated; let that happen first (unmount it, and lvchange -an and "
                            "-ay)" },
                { .state = 'c', .reason = "is being converted; wait for the end of it" },
        };
        bool known = false;

        if (str_has_word(f[LV_ROLE], ",", "snapshot"))
                return lvm_facts_refuse(reterr, m->volume, "is itself a snapshot; name its origin");
        if (!str_has_word(f[LV_ROLE], ",", "public"))
                return lvm_facts_refuse(reterr, m->volume, "is a hidden part of a logical volume");
        for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
                known = known || str_has_word(f[LV_LAYOUT], ",", layouts[i]);
        if (!known)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s is a logical volume of the kind '%s', of which no thick "
                                     "copies are made",
                                     m->volume, f[LV_LAYOUT]);
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (f[FACT_LV_ATTR][0] == states[i].state)
                        return lvm_facts_refuse(reterr, m->volume, states[i].reason);
        return 0;
}

/* Data and metadata of its cache are one LV, "[fast_cvol]". */
static bool has_cachevol(char *const *f) {
        static const char suffix[] = "_cvol";
        size_t length = strcspn(f[POOL_LV], "]"), n = strlen(suffix);

        return str_has_word(f[LV_LAYOUT], ",", "cache") && length >= n &&
               strncmp(f[POOL_LV] + length - n, suffix, n) == 0;
}

/* Until then LVM gave both parts of such a cache their blocks twice over where it activated the
 * volume together with a snapshot: our copy, the next time (its commit a985d5c63). */
#define CACHEVOL_VERSION 2003024

static int check_cachevol(struct lvm *l, const struct thick_member *m, char *const *f,
                          struct vss_error *reterr) {
        unsigned version;
        int r;

        if (!has_cachevol(f))
                return 0;
        r = lvm_version(l, &version, reterr);
        if (r < 0 || version >= CACHEVOL_VERSION)
                return r;
        return lvm_facts_refuse(reterr, m->volume,
                                "is cached by a cachevol, and LVM before 2.03.24, as it is here, "
                                "destroys data when it activates such a volume that has a copy; "
                                "cache it by a pool (lvconvert --uncache, then --cachepool), or "
                                "install a newer LVM");
}

/* The kernel's table of it: where it has copies already, its blocks below them go on, whatever
 * their state is, and nothing is had twice. */
static int check_health(const struct thick_member *m, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        int r;

        r = mapper_read_table(m->copy.origin_device, &live, reterr);
        return r < 0 ? r : origin_health_check(m->copy.origin_device, m->volume, &live, reterr);
}

static int take_member(struct thick_member *m, struct lvm *l, const struct lvm_report *facts,
                       struct vss_error *reterr) {
        char *const *origin = NULL;
        int r;

        r = lvm_facts_find_origin(facts, &m->copy, m->volume, &origin, reterr);
        if (r >= 0)
                r = check_origin(m, origin, reterr);
        if (r >= 0)
                r = check_cachevol(l, m, origin, reterr);
        return r < 0 ? r : check_health(m, reterr);
}

static int share_out(struct provider_set *set, struct thick_group *g, struct vss_error *reterr) {
        _cleanup_(freep) struct snapshot_size *sizes = calloc(set->base.n, sizeof(*sizes));
        uint64_t needed;
        size_t n = 0;
        int r;

        if (!sizes)
                return vss_error_from_errno(reterr, -ENOMEM, g->name);
        for (size_t i = 0; i < set->base.n; i++)
                if (set->members[i].group == g)
                        sizes[n++].origin_bytes = set->members[i].origin_bytes;
        r = snapshot_size_share(sizes, n, g->free_extents, g->extent_bytes, &needed);
        if (r < 0)
                return vss_error_set(
                        reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                        "volume group %s has %" PRIu64
                        " MiB free, and %zu cop%s need at least %" PRIu64
                        " MiB; add a physical volume (vgextend) or delete old copies (vssctl list)",
                        g->name, g->free_extents * g->extent_bytes / MIB, n, n == 1 ? "y" : "ies",
                        needed * g->extent_bytes / MIB);
        n = 0;
        for (size_t i = 0; i < set->base.n; i++)
                if (set->members[i].group == g)
                        set->members[i].cow_extents = sizes[n++].extents;
        return 0;
}

int thick_set_read_facts(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(set->n_groups, sizeof(*names));
        _cleanup_(lvm_report_done) struct lvm_report facts = { 0 };
        int r;

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot ask lvm");
        for (size_t i = 0; i < set->n_groups; i++)
                names[i] = set->groups[i].name;
        r = lvm_facts_ask(&facts, set->base.lvm, COLUMNS, N_FIELDS, names, set->n_groups, reterr);
        for (size_t i = 0; r >= 0 && i < set->n_groups; i++)
                r = take_group(set, &set->groups[i], &facts, reterr);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = take_member(&set->members[i], set->base.lvm, &facts, reterr);
        for (size_t i = 0; r >= 0 && i < set->n_groups; i++)
                r = share_out(set, &set->groups[i], reterr);
        return r;
}
