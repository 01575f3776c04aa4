/* The host's storage as the daemon sees it, unless a test said otherwise. */

#include "daemon/coordinator/storage.h"

static const struct storage host = {
        .volume_open = volume_open,
        .volume_list = volume_list,
        .mount = snapshot_mount,
        .mount_seal = snapshot_mount_seal,
        .unmount = snapshot_unmount,
        .expose_check = snapshot_expose_check,
        .expose = snapshot_expose,
        .expose_again = snapshot_expose_again,
        .unexpose = snapshot_unexpose,
        .origin_mounts = origin_mounts_read,
        .origin_unmount = origin_mounts_end,
        .origin_mount = origin_mounts_again,
        .has_state = origin_has_state,
        .sync = syncfs,
        .adopt = adoption_adopt,
        .release = adoption_release,
        .adoption = adoption_look,
        .lock_groups = vg_locks_take,
};

static const struct storage *current = &host;

void storage_init(const struct storage *table) {
        current = table;
}

const struct storage *storage_table(void) {
        return current;
}
