/* See lvm-probe.h. Stateless. */

#include "daemon/providers/lvm-probe.h"
#include "daemon/providers/block.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/provider.h"

/* Of the device-mapper UUID, which begins with the group's. */
#define GROUP_LENGTH (strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH)

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

/* RAID, its legs, what the legs lie on, and once more for what pvmove puts below that. */
#define LAYERS_MAX 4

struct layers {
        const struct volume *volume;
        bool has_thick_copies;
        const char *reason; /* what is in the way */
};

/* By the names that LVM gives to what it makes of volumes. */
static const char *layer_reason(const struct layers *l, const char *lv, const char *layer) {
        if (strncmp(lv, "pvmove", 6) == 0)
                return "is being moved (pvmove); wait for the end of it, or stop it (pvmove "
                       "--abort)";
        if (strstr(lv, "_imeta"))
                return "is a RAID with integrity data, of which LVM permits no snapshots; take "
                       "that away first (lvconvert --raidintegrity n)";
        if (layer && streq(layer, "real") && streq(lv, l->volume->lv) && !l->has_thick_copies)
                return "is the external origin of thin volumes and never changes; read it as it "
                       "is, or copy the thin volumes";
        return NULL;
}

static int look_below(struct layers *l, dev_t devno, unsigned depth) {
        _cleanup_(freep) dev_t *below = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(devno, "slaves", &below, &n);
        for (size_t i = 0; r >= 0 && !l->reason && i < n; i++) {
                _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL;
                _cleanup_(block_done) struct block b = { 0 };

                r = block_read(&b, below[i]);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || !b.dm_uuid ||
                    strncmp(b.dm_uuid, l->volume->dm_uuid, GROUP_LENGTH) != 0) {
                        r = 0; /* gone by now, or not of its group */
                        continue;
                }
                r = lvm_name_split(b.dm_name, &vg, &lv, &layer);
                if (r < 0)
                        return r;
                l->reason = layer_reason(l, lv, layer);
                if (!l->reason && depth < LAYERS_MAX)
                        r = look_below(l, below[i], depth + 1);
        }
        return r;
}

int lvm_probe_layers(const struct volume *v, bool has_thick_copies, struct vss_error *reterr) {
        struct layers l = { .volume = v, .has_thick_copies = has_thick_copies };
        int r;

        r = look_below(&l, v->devno, 0);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        return l.reason ? lvm_probe_refuse(reterr, v, l.reason) : 0;
}

int lvm_probe_context(const struct volume *v, LONG context, struct vss_error *reterr) {
        static const struct {
                LONG bit;
                const char *reason;
        } unfit[] = {
                { .bit = VSS_VOLSNAP_ATTR_PLEX,
                  .reason =
                          "would be copied on write, not as a whole (the context asks for PLEX)" },
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
