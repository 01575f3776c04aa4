/* The way back of copies of mapped devices: device-mapper's part as snapshot-devices.h has it, then
 * the places of the stores. */

#include "common/vss-id.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/dm-turn.h"
#include "daemon/providers/dm.h"

/* All origins, whatever becomes of one. */
static int rescue(const struct snapshot_devices *d, size_t n, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                int k = snapshot_devices_rescue(&d[i], reterr);

                if (k < 0)
                        r = k;
        }
        return r;
}

static int remove_devices(const struct snapshot_devices *d, size_t n, bool force,
                          struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_remove_copy(&d[i], force, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_restore_origin(&d[i], reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_remove_store(&d[i], reterr);
        return r;
}

static int undo_devices(const struct snapshot_devices *d, size_t n, const struct dm_undo *options,
                        struct vss_error *reterr) {
        int r;

        if (!vss_id_is_null(options->set_id)) { /* the turn is the set's */
                r = rescue(d, n, reterr);
                return r < 0 ? r : remove_devices(d, n, options->force, reterr);
        }
        /* Without a rescue: what is suspended now may be in the window of a set, whose copies would
         * not be of one instant. (What a crash left is resumed by dm_rescue().) And no longer than
         * for the devices: a set that has the turn waits for volume groups, as we do next. */
        r = dm_turn_take(reterr);
        if (r < 0)
                return r;
        r = remove_devices(d, n, options->force, reterr);
        dm_turn_give();
        return r;
}

int dm_undo(struct dm_copy *const *copies, size_t n, const struct dm_undo *options,
            struct vss_error *reterr) {
        _cleanup_(freep) struct snapshot_devices *devices = calloc(n, sizeof(*devices));
        int r;

        if (n == 0)
                return 0;
        if (!devices)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot remove the copies");
        for (size_t i = 0; i < n; i++)
                devices[i] = dm_copy_devices(copies[i]);
        r = undo_devices(devices, n, options, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = dm_store_remove(copies[i], options->set_id, reterr);
        return r < 0 ? r : 0;
}

int dm_set_abort(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) struct dm_copy **copies = NULL;
        int r;

        if (!set->changed)
                return 0;
        copies = calloc(set->n, sizeof(*copies));
        if (!copies)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot undo the set");
        if (!set->has_turn) { /* it was finished */
                r = dm_turn_take(reterr);
                if (r < 0)
                        return r;
                set->has_turn = true;
        }
        for (size_t i = 0; i < set->n; i++)
                copies[i] = &set->members[i].copy;
        r = dm_undo(copies, set->n, &(struct dm_undo){ .set_id = set->id }, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n; i++)
                copy_link_remove(set->members[i].link);
        set->changed = false;
        return 0;
}
