#pragma once

/* The one set in creation, through the phases of provider-mgmt.md, section 7. Knows no D-Bus. */

#include "common/vss-error.h"
#include <sys/types.h>

/* What is told of a volume. */
struct btrfs_volume {
        const char *mount_point, *file_system;
        uint64_t device_number;
        bool read_only;
};
/* 0; or VSS_E_VOLUME_NOT_SUPPORTED with the reason. */
int btrfs_check_volume(const struct btrfs_volume *v, int32_t context, struct vss_error *reterr);

/* Another set than the one before: that is over, and what there is of it goes. */
int btrfs_set_begin(const char *set_id, const char *snapshot_id, const struct btrfs_volume *v,
                    int32_t context, struct vss_error *reterr);

enum btrfs_phase {
        BTRFS_END_PREPARE,
        BTRFS_PRE_COMMIT,
        BTRFS_COMMIT,
        BTRFS_POST_COMMIT,
        BTRFS_PRE_FINAL_COMMIT,
        BTRFS_POST_FINAL_COMMIT,
        _BTRFS_PHASE_MAX,
};
/* VSS_E_BAD_STATE: not its turn; VSS_E_OBJECT_NOT_FOUND: not this set. */
int btrfs_set_advance(const char *set_id, enum btrfs_phase phase, struct vss_error *reterr);
int btrfs_set_abort(const char *set_id, struct vss_error *reterr);
bool btrfs_set_is_open(void);
/* Of a set that is not through, at the end of the process. */
void btrfs_set_drop(void);
