/* What device-mapper has of thick copies goes, in this order:
 *
 *      1. the copies' devices: from here on nothing is copied out;
 *      2. origins without any copy get their own table back (one step inside the kernel, so that
 *         the root can be among them), and the devices below them go;
 *      3. the stores' devices go.
 *
 * Then LVM's metadata forgets the copies, its driver told to be absent. */

#include "daemon/providers/block.h"
#include "daemon/providers/lvm-thick.h"

/* True if nothing but the origin itself lies on its blocks. */
static int is_last(const struct mapper_info *real, const struct mapper_info *origin, bool *ret) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(real->devno, "holders", &holders, &n);
        if (r < 0)
                return r;
        *ret = true;
        for (size_t i = 0; i < n; i++)
                if (!origin->exists || holders[i] != origin->devno)
                        *ret = false;
        return 0;
}

static int restore_origin(const struct lvm_copy *c, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, own = { 0 };
        struct mapper_info real, origin;
        bool last;
        int r;

        r = lvm_undo_find(c, c->real_device, &real, reterr);
        if (r < 0 || !real.exists)
                return r;
        r = mapper_find_uuid(c->origin_dm_uuid, &origin, reterr);
        if (r < 0)
                return r;
        r = is_last(&real, &origin, &last);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->real_device);
        if (!last)
                return 0;
        if (origin.exists && origin.live_table) {
                r = mapper_read_table(origin.name, &live, reterr);
                if (r < 0)
                        return r;
        }
        if (live.n == 1 && streq(live.targets[0].type, "snapshot-origin")) {
                r = mapper_read_table(c->real_device, &own, reterr);
                if (r >= 0)
                        r = mapper_load(origin.name, &own, origin.read_only, reterr);
                if (r >= 0)
                        r = mapper_resume(&origin, reterr);
                if (r < 0)
                        return r;
        }
        return mapper_remove(c->real_device, false, reterr);
}

static int remove_store(const struct lvm_copy *c, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = lvm_undo_find(c, c->store_device, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        return mapper_remove(c->store_device, false, reterr);
}

static int undo_devices(struct lvm *l _unused_, struct lvm_copy *const *copies, size_t n,
                        const struct lvm_undo *options, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = lvm_undo_remove_copy(copies[i], options->force, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = restore_origin(copies[i], reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = remove_store(copies[i], reterr);
        return r;
}

static int forget(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                  struct vss_error *reterr) {
        return lvm_undo_forget(l, "--driverloaded n", copies, n, reterr);
}

const struct lvm_kind thick_kind = {
        .provider = THICK_NAME,
        .activation = "",
        .undo_devices = undo_devices,
        .forget = forget,
};
