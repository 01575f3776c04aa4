/* What LVM says of the groups and origins of a set, under the groups' locks; whether copies can be
 * made of them; how large their stores become. */

#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thick-size.h"
#include "daemon/providers/lvm-thick.h"
#include <inttypes.h>
#include <stdio.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512

/* lvm's shell takes 64 words a line. */
#define NAMES_PER_COMMAND 32

enum {
        VG_NAME,
        VG_UUID,
        VG_EXTENT_SIZE,
        VG_FREE,
        VG_LOCK_TYPE,
        VG_MISSING,
        VG_EXPORTED,
        LV_NAME,
        LV_UUID,
        LV_LAYOUT,
        LV_ROLE,
        LV_ATTR,
        N_FIELDS
};
#define COLUMNS                                                                          \
        "vg_name,vg_uuid,vg_extent_size,vg_free_count,vg_lock_type,vg_missing_pv_count," \
        "vg_exported,lv_name,lv_uuid,lv_layout,lv_role,lv_attr"

struct rows {
        struct lvm_row *rows;
        size_t n;
};

static void rows_done(struct rows *r) {
        lvm_rows_free(r->rows, r->n);
}

/* All volumes of all groups, the group's own facts in each row. */
static int ask(struct provider_set *set, struct rows *ret, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *line = NULL, *report = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n_groups; i++) {
                char *longer;

                r = str_format(&longer, "%s %s",
                               line ? line : "lvs " LVM_REPORT_OPTIONS " --nolocking -o " COLUMNS,
                               set->groups[i].name);
                if (r < 0)
                        break;
                free(line);
                line = longer;
                if ((i + 1) % NAMES_PER_COMMAND == 0 || i + 1 == set->n_groups) {
                        r = strv_append(&commands, line);
                        free(line);
                        line = NULL;
                }
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->lvm, commands, &report, reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, N_FIELDS, &ret->rows, &ret->n);
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

static int refuse(struct vss_error *reterr, const char *name, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s %s", name, reason);
}

static int take_group(struct provider_set *set, struct thick_group *g, const struct rows *rows,
                      struct vss_error *reterr) {
        uint64_t extent_sectors, missing;
        char *const *f = NULL;

        for (size_t i = 0; !f && i < rows->n; i++)
                if (streq(rows->rows[i].fields[VG_NAME], g->name))
                        f = rows->rows[i].fields;
        if (!f)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "LVM does not find volume group %s%s%s", g->name,
                                     *lvm_complaint(set->lvm) ? ": " : "", lvm_complaint(set->lvm));
        if (lvm_number(f[VG_EXTENT_SIZE], &extent_sectors) < 0 ||
            lvm_number(f[VG_FREE], &g->free_extents) < 0 ||
            lvm_number(f[VG_MISSING], &missing) < 0 || extent_sectors == 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        g->extent_bytes = extent_sectors * SECTOR_SIZE;
        if (*f[VG_LOCK_TYPE] && !streq(f[VG_LOCK_TYPE], "none"))
                return refuse(reterr, g->name,
                              "is a shared volume group (lvmlockd): another host may use it at the "
                              "same time, and copies cannot be made safely");
        if (*f[VG_EXPORTED])
                return refuse(reterr, g->name, "is an exported volume group");
        if (missing > 0)
                return refuse(reterr, g->name,
                              "lacks physical volumes; 'vgs' and 'pvs' show which, and LVM changes "
                              "nothing in the group until they are back");
        return str_replace(&g->uuid, f[VG_UUID]) < 0
                       ? vss_error_from_errno(reterr, -ENOMEM, g->name)
                       : 0;
}

static bool has_word(const char *list, const char *word) {
        size_t length = strlen(word);

        for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
                if (strcspn(p, ",") == length && strncmp(p, word, length) == 0)
                        return true;
        return false;
}

static int check_origin(const struct thick_member *m, char *const *f, struct vss_error *reterr) {
        static const char *const layouts[] = { "linear", "striped", "raid" };
        static const struct {
                char state;
                const char *reason;
        } states[] = {
                { .state = 'O',
                  .reason = "is being merged with a snapshot; wait for the end of it" },
                { .state = 'c', .reason = "is being converted; wait for the end of it" },
        };
        bool known = false;

        if (!streq(f[LV_UUID], m->copy.origin_uuid))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s was renamed or replaced meanwhile; try again", m->volume);
        if (has_word(f[LV_ROLE], "snapshot"))
                return refuse(reterr, m->volume, "is itself a snapshot; name its origin");
        if (!has_word(f[LV_ROLE], "public"))
                return refuse(reterr, m->volume, "is a hidden part of a logical volume");
        for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
                known = known || has_word(f[LV_LAYOUT], layouts[i]);
        if (!known)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s is a logical volume of the kind '%s', of which no thick "
                                     "copies are made",
                                     m->volume, f[LV_LAYOUT]);
        /* A capital letter for the allocation policy: locked by pvmove. */
        if (strlen(f[LV_ATTR]) > 2 && f[LV_ATTR][2] >= 'A' && f[LV_ATTR][2] <= 'Z')
                return refuse(reterr, m->volume, "is being moved (pvmove); wait for the end of it");
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (f[LV_ATTR][0] == states[i].state)
                        return refuse(reterr, m->volume, states[i].reason);
        return 0;
}

static int take_member(struct thick_member *m, const struct rows *rows, struct vss_error *reterr) {
        char *const *origin = NULL;

        for (size_t i = 0; i < rows->n; i++) {
                char *const *f = rows->rows[i].fields;

                if (!streq(f[VG_NAME], m->copy.vg))
                        continue;
                if (streq(f[LV_NAME], m->copy.origin))
                        origin = f;
                /* Whatever it is, it is not ours to touch. */
                if (streq(f[LV_NAME], m->copy.cow))
                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EEXIST,
                                             "there is a logical volume %s/%s already, which this "
                                             "service does not know; remove or rename it if nobody "
                                             "needs it, or try again: the next copy gets the next "
                                             "number",
                                             m->copy.vg, m->copy.cow);
        }
        if (!origin)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "LVM does not know %s (%s/%s) any more", m->volume, m->copy.vg,
                                     m->copy.origin);
        return check_origin(m, origin, reterr);
}

static int share_out(struct provider_set *set, struct thick_group *g, struct vss_error *reterr) {
        _cleanup_(freep) struct thick_size *sizes = calloc(set->n, sizeof(*sizes));
        uint64_t needed;
        size_t n = 0;
        int r;

        if (!sizes)
                return vss_error_from_errno(reterr, -ENOMEM, g->name);
        for (size_t i = 0; i < set->n; i++)
                if (set->members[i].group == g)
                        sizes[n++].origin_bytes = set->members[i].origin_bytes;
        r = thick_size_share(sizes, n, g->free_extents, g->extent_bytes, &needed);
        if (r < 0)
                return vss_error_set(
                        reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                        "volume group %s has %" PRIu64
                        " MiB free, and %zu cop%s need at least %" PRIu64
                        " MiB; add a physical volume (vgextend) or delete old copies (vssctl list)",
                        g->name, g->free_extents * g->extent_bytes / MIB, n, n == 1 ? "y" : "ies",
                        needed * g->extent_bytes / MIB);
        n = 0;
        for (size_t i = 0; i < set->n; i++)
                if (set->members[i].group == g)
                        set->members[i].cow_extents = sizes[n++].extents;
        return 0;
}

int thick_set_read_facts(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(rows_done) struct rows rows = { 0 };
        int r;

        r = ask(set, &rows, reterr);
        for (size_t i = 0; r >= 0 && i < set->n_groups; i++)
                r = take_group(set, &set->groups[i], &rows, reterr);
        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = take_member(&set->members[i], &rows, reterr);
        for (size_t i = 0; r >= 0 && i < set->n_groups; i++)
                r = share_out(set, &set->groups[i], reterr);
        return r;
}
