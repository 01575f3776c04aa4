/* See lvm-facts.h. Stateless. */

#include "daemon/providers/lvm-facts.h"

/* lvm's shell takes 64 words a line. */
#define NAMES_PER_COMMAND 32

/* LVM's reports have such a group, its lvcreate makes volumes in it, and its lvremove does not
 * remove them. */
int lvm_facts_check_foreign(const struct lvm *l, const char *group, struct vss_error *reterr) {
        _cleanup_(freep) char *words = NULL;
        int r;

        r = str_format(&words, "VG %s with foreign system ID", group);
        if (r < 0)
                return vss_error_from_errno(reterr, r, group);
        if (lvm_said(l, words) == 0)
                return 0;
        return lvm_facts_refuse(reterr, group,
                                "is a volume group of another host by its system ID; 'vgchange "
                                "--systemid' makes it this one's");
}

int lvm_facts_ask(struct lvm_report *ret, struct lvm *l, const char *columns, size_t n_fields,
                  const char *const *groups, size_t n_groups, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *line = NULL, *report = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_groups; i++) {
                char *longer;

                if (line)
                        r = str_format(&longer, "%s %s", line, groups[i]);
                else
                        r = str_format(&longer, "lvs " LVM_REPORT_OPTIONS " --nolocking -o %s %s",
                                       columns, groups[i]);
                if (r < 0)
                        break;
                free(line);
                line = longer;
                if ((i + 1) % NAMES_PER_COMMAND == 0 || i + 1 == n_groups) {
                        r = strv_append(&commands, line);
                        free(line);
                        line = NULL;
                }
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(l, commands, &report, reterr);
        for (size_t i = 0; r >= 0 && i < n_groups; i++)
                r = lvm_facts_check_foreign(l, groups[i], reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, n_fields, &ret->rows, &ret->n);
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

int lvm_facts_refuse(struct vss_error *reterr, const char *name, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s %s", name, reason);
}

int lvm_facts_find_group(const struct lvm_report *facts, const struct lvm *l, const char *name,
                         char *const **ret_fields, struct vss_error *reterr) {
        char *const *f = NULL;
        uint64_t missing;

        for (size_t i = 0; !f && i < facts->n; i++)
                if (streq(facts->rows[i].fields[FACT_VG_NAME], name))
                        f = facts->rows[i].fields;
        if (!f)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "LVM does not find volume group %s%s%s", name,
                                     *lvm_complaint(l) ? ": " : "", lvm_complaint(l));
        if (lvm_number(f[FACT_VG_MISSING], &missing) < 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        if (*f[FACT_VG_LOCK_TYPE] && !streq(f[FACT_VG_LOCK_TYPE], "none"))
                return lvm_facts_refuse(
                        reterr, name,
                        "is a shared volume group (lvmlockd): another host may use it at the "
                        "same time, and copies cannot be made safely");
        if (*f[FACT_VG_EXPORTED])
                return lvm_facts_refuse(reterr, name, "is an exported volume group");
        if (missing > 0)
                return lvm_facts_refuse(
                        reterr, name,
                        "lacks physical volumes; 'vgs' and 'pvs' show which, and LVM changes "
                        "nothing in the group until they are back");
        *ret_fields = f;
        return 0;
}

int lvm_facts_find_origin(const struct lvm_report *facts, const struct lvm_copy *c,
                          const char *volume, char *const **ret_fields, struct vss_error *reterr) {
        char *const *origin = NULL;

        for (size_t i = 0; i < facts->n; i++) {
                char *const *f = facts->rows[i].fields;

                if (!streq(f[FACT_VG_NAME], c->vg))
                        continue;
                if (streq(f[FACT_LV_NAME], c->origin))
                        origin = f;
                /* Whatever it is, it is not ours to touch. */
                if (streq(f[FACT_LV_NAME], c->lv))
                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EEXIST,
                                             "there is a logical volume %s/%s already, which this "
                                             "service does not know; remove or rename it if nobody "
                                             "needs it, or try again: the next copy gets the next "
                                             "number",
                                             c->vg, c->lv);
        }
        if (!origin)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "LVM does not know %s (%s/%s) any more", volume, c->vg,
                                     c->origin);
        if (!streq(origin[FACT_LV_UUID], c->origin_uuid))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s was renamed or replaced meanwhile; try again", volume);
        /* A capital letter for the allocation policy: locked by pvmove. */
        if (strlen(origin[FACT_LV_ATTR]) > 2 && origin[FACT_LV_ATTR][2] >= 'A' &&
            origin[FACT_LV_ATTR][2] <= 'Z')
                return lvm_facts_refuse(reterr, volume,
                                        "is being moved (pvmove); wait for the end of it");
        *ret_fields = origin;
        return 0;
}
