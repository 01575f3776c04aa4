/* The provider for mapped devices that are not LVM's: an opened LUKS volume, a linear mapping.
 * Copies on write by dm-snapshot, as the thick provider makes them, but device-mapper alone has
 * them, and forgets them when the machine stops. What the provider does in each phase is in the
 * files dm-*.c; here are the steps around the window. */

#include "daemon/providers/dm.h"
#include "daemon/providers/copy-link.h"

static int dm_stage_alone(struct provider_set **ret, struct store *store,
                          const struct volume *const *volumes, struct snapshot_record *records,
                          size_t n, struct vss_error *reterr) {
        return dm_stage(ret, store, volumes, records, n, volumes, n, reterr);
}

static int dm_add_window_rows(struct provider_set *set, struct window *window,
                              struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = snapshot_making_add_row(&set->members[i].making, window, reterr);
        return r;
}

static int dm_finish(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = snapshot_making_finish(&set->members[i].making, set->members[i].link,
                                           "Give its place more room, or name another in [Stores] "
                                           "of /etc/vss/vssd.conf",
                                           reterr);
        /* Its copies hold what they lie on from now on, and PostSnapshot can take long. */
        if (r >= 0)
                dm_set_give_turn(set);
        return r;
}

static int dm_seal(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = copy_link_seal(set->members[i].link, set->members[i].volume, reterr);
        return r;
}

static size_t dm_intents(struct provider_set *set, const int64_t **ret_ids) {
        *ret_ids = &set->intent;
        return set->has_intent ? 1 : 0;
}

static void dm_release(struct provider_set *set) {
        dm_set_free(set);
}

const struct provider provider_dm = {
        .name = DM_NAME,
        .display_name = "Device-mapper copy-on-write shadow copies",
        .version = VSSD_VERSION,
        .id = { 0x7e1b5c02, 0x4f3d, 0x4a86, { 0xb0, 0x67, 0x1d, 0x95, 0xc8, 0x3e, 0x2a, 0xf4 } },
        .version_id = { 0x2c9f4e11,
                        0x07d8,
                        0x4b53,
                        { 0x8a, 0x3e, 0x6f, 0x10, 0xd4, 0x7b, 0x95, 0xc6 } },
        .type = VSS_PROV_SYSTEM,
        .priority = 0,
        .probe = dm_probe,
        .stage = dm_stage_alone,
        .stage_in_set = dm_stage,
        .other_groups = dm_places_add_groups,
        .add_window_rows = dm_add_window_rows,
        .finish = dm_finish,
        .seal = dm_seal,
        .abort = dm_set_abort,
        .intents = dm_intents,
        .release = dm_release,
        .no_revert =
                "only this service puts the copies of such a volume together, and a merge that a "
                "reboot interrupts would leave it mounted with a part of its blocks of then and "
                "the rest of now; copy what is wanted back from the copy's directory, or end "
                "its mount and copy the whole block device (dd)",
        .bound = "copies of mapped devices are what differs from these, and are nothing without "
                 "them; copy what is on the block device to a volume of its own (dd)",
        .remove = dm_remove,
        .remove_all = dm_remove_all,
        .origins = dm_origins,
        .rescue = dm_rescue,
        .recover = dm_recover,
        .activate = dm_activate,
        .usage = dm_usage,
        .grow = dm_grow,
        .places = dm_list_places,
        .place_of = dm_place_of,
        .delta = dm_delta,
};
