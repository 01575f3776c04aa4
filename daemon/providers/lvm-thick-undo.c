/* What device-mapper has of thick copies goes, in this order:
 *
 *      1. the copies' devices: from here on nothing is copied out;
 *      2. origins without any copy get their own table back (one step inside the kernel, so that
 *         the root can be among them), and the devices below them go;
 *      3. the stores' devices go.
 *
 * Then LVM's metadata forgets the copies, its driver told to be absent. */

#include "daemon/providers/lvm-thick.h"

static int undo_devices(struct lvm *l _unused_, struct lvm_copy *const *copies, size_t n,
                        const struct lvm_undo *options, struct vss_error *reterr) {
        _cleanup_(freep) struct snapshot_devices *devices = calloc(n, sizeof(*devices));
        int r = 0;

        if (!devices)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot remove the copies");
        for (size_t i = 0; i < n; i++)
                devices[i] = lvm_copy_devices(copies[i]);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_remove_copy(&devices[i], options->force, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_restore_origin(&devices[i], reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_devices_remove_store(&devices[i], reterr);
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
