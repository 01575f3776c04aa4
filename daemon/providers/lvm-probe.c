/* See lvm-probe.h. Stateless. */

#include "daemon/providers/lvm-probe.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/provider.h"

#define LVMLOCKD_SOCKET "/run/lvm/lvmlockd.socket"

int lvm_probe_refuse(struct vss_error *reterr, const struct volume *v, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s %s", v->name,
                             reason);
}

int lvm_probe_other_kind(struct vss_error *reterr, const struct volume *v, const char *reason) {
        (void)lvm_probe_refuse(reterr, v, reason); /* it fills in the error */
        return PROVIDER_OTHER_KIND;
}

int lvm_probe_read_blocks(const struct volume *v, struct mapper_table *ret,
                          bool *ret_has_thick_copies, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        _cleanup_(freep) char *real = NULL;
        bool has_thick_copies;
        int r;

        r = mapper_read_table(v->dm_name, &table, reterr);
        if (r < 0)
                return r;
        if (table.n == 0)
                return lvm_probe_refuse(reterr, v, "is not active");
        has_thick_copies = table.n == 1 && streq(table.targets[0].type, "snapshot-origin");
        if (has_thick_copies) {
                mapper_table_done(&table);
                if (lvm_name_join(&real, v->vg, v->lv, "real") < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, v->name);
                r = mapper_read_table(real, &table, reterr);
                if (r < 0)
                        return r;
        }
        *ret_has_thick_copies = has_thick_copies;
        *ret = table;
        table = (struct mapper_table){ 0 };
        return 0;
}

int lvm_probe_context(const struct volume *v, LONG context, struct vss_error *reterr) {
        static const struct {
                LONG bit;
                const char *reason;
        } unfit[] = {
                { .bit = VSS_VOLSNAP_ATTR_PLEX,
                  .reason =
                          "would be copied on write, not as a whole (the context asks for PLEX)" },
                { .bit = VSS_VOLSNAP_ATTR_TRANSPORTABLE,
                  .reason = "would have a copy that needs its origin and cannot be transported" },
                { .bit = VSS_VOLSNAP_ATTR_FILE_SHARE, .reason = "is no file share" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
                if (context & unfit[i].bit)
                        return lvm_probe_refuse(reterr, v, unfit[i].reason);
        return 0;
}

int lvm_probe_shared(const struct volume *v, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *line = NULL, *report = NULL;
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        if (access(LVMLOCKD_SOCKET, F_OK) < 0)
                return 0;
        r = str_format(&line, "vgs --noheadings --nolocking -o vg_shared %s", v->vg);
        if (r >= 0)
                r = strv_append(&commands, line);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_run(l, commands, &report, reterr);
        if (r < 0)
                return r;
        if (strstr(report, "shared"))
                return lvm_probe_refuse(
                        reterr, v,
                        "is in a shared volume group (lvmlockd): another host may use it at "
                        "the same time, and copies cannot be made safely");
        return 0;
}
