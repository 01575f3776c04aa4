/* The provider for LVM's thick volumes: copies on write by dm-snapshot, as `lvcreate -s` makes
 * them, but prepared beforehand so that only resuming them is left for the window. Afterwards they
 * are ordinary LVM snapshots. What it does in each phase is in the files lvm-thick-*.c; here are
 * the question whether it can, and the steps around the window. */

#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/lvm-probe.h"
#include "daemon/providers/lvm-transport.h"

const char *thick_unfit_target(const struct mapper_table *table) {
        static const char *const fit[] = {
                "linear", "striped", "raid", "cache", "writecache", NULL
        };

        return mapper_table_find_other(table, fit);
}

static int check_targets(const struct volume *v, struct vss_error *reterr) {
        static const struct {
                const char *type, *reason;
        } known[] = {
                { .type = "snapshot", .reason = "is itself a snapshot; name its origin" },
                { .type = "snapshot-merge",
                  .reason = "is being merged with a snapshot; wait for the end of it" },
                { .type = "error",
                  .reason = "lacks a part of its blocks (a physical volume is missing); 'vgs' and "
                            "'pvs' show which" },
                { .type = "mirror",
                  .reason = "is a mirror of the old kind, of which copies can "
                            "deadlock; convert it (lvconvert --type raid1)" },
        };
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        bool has_copies;
        const char *unfit;
        int r;

        r = lvm_probe_read_blocks(v, &table, &has_copies, reterr);
        if (r < 0)
                return r;
        unfit = thick_unfit_target(&table);
        if (!unfit)
                return lvm_probe_layers(v, has_copies, reterr);
        if (streq(unfit, "thin"))
                return lvm_probe_other_kind(reterr, v,
                                            "is a thin logical volume; the provider for thick ones "
                                            "cannot copy it");
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(unfit, known[i].type))
                        return lvm_probe_refuse(reterr, v, known[i].reason);
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s is a logical volume of the kind '%s', of which no thick copies "
                             "are made",
                             v->name, unfit);
}

static int thick_probe(const struct volume *v, LONG context, struct vss_error *reterr) {
        int r;

        r = lvm_probe_context(v, context, reterr);
        if (r < 0)
                return r;
        if (!v->vg)
                return (v->dm_name ? lvm_probe_other_kind : lvm_probe_refuse)(
                        reterr, v,
                        "is neither a logical volume nor another mapped device; copies of anything "
                        "else are made by other providers alone ('vssctl providers')");
        r = check_targets(v, reterr);
        if (r < 0)
                return r;
        return lvm_probe_shared(v, reterr);
}

static int thick_add_window_rows(struct provider_set *set, struct window *window,
                                 struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = snapshot_making_add_row(&set->members[i].making, window, reterr);
        return r;
}

static int thick_finish(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = snapshot_making_finish(&set->members[i].making, set->members[i].link,
                                           "Make the volume group larger (vgextend)", reterr);
        if (r >= 0)
                lvm_set_unlock(&set->base);
        return r;
}

static int thick_seal(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_seal(&set->base, reterr);
}

static int thick_abort(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_abort(&set->base, reterr);
}

static size_t thick_intents(struct provider_set *set, const int64_t **ret_ids) {
        return lvm_set_intents(&set->base, ret_ids);
}

static void thick_release(struct provider_set *set) {
        thick_set_free(set);
}

const struct provider provider_lvm_thick = {
        .name = THICK_NAME,
        .display_name = "LVM copy-on-write shadow copies",
        .version = VSSD_VERSION,
        .id = { 0x03d94b7f, 0x8c84, 0x448c, { 0x89, 0xef, 0xd8, 0x1f, 0x84, 0x98, 0xad, 0xea } },
        .version_id = { 0x0b9795ea,
                        0x86e8,
                        0x406a,
                        { 0xb2, 0x0f, 0x8d, 0x50, 0xdb, 0xe8, 0x59, 0x90 } },
        .type = VSS_PROV_SYSTEM,
        .priority = 1,
        .probe = thick_probe,
        .stage = thick_stage,
        .add_window_rows = thick_add_window_rows,
        .finish = thick_finish,
        .seal = thick_seal,
        .abort = thick_abort,
        .intents = thick_intents,
        .release = thick_release,
        .remove = thick_remove,
        .remove_all = thick_remove_all,
        .origins = thick_origins,
        .bound = "copies of thick logical volumes are what differs from these, and are nothing "
                 "without them; copy what is on the block device to a volume of its own (dd), or "
                 "have the volume in a thin pool, whose copies can be broken off",
        .revert = thick_revert,
        .revert_check = thick_revert_check,
        .revert_check_known = lvm_transport_check_known,
        .revert_look = thick_revert_look,
        .revert_end = thick_revert_end,
        .revert_back = thick_revert_back,
        .revert_rescue = thick_revert_rescue,
        .find_reverting = thick_find_reverting,
        .rescue = thick_rescue,
        .recover = thick_recover,
        .activate = thick_activate,
        .usage = thick_usage,
        .grow = thick_grow,
        .places = thick_places,
        .place_of = thick_place_of,
        .delta = thick_delta,
        .hand_over = lvm_hand_over,
        .import = thick_import,
};
