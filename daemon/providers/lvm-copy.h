#pragma once

/* What a copy that is itself a logical volume is made of, by LVM's names and UUIDs, and the
 * device-mapper names that follow from them. This is what a snapshot's provider_data and an
 * intent's data hold, one line for each:
 *
 *      vg=NAME vg_uuid=UUID origin=NAME origin_uuid=UUID cow=NAME cow_uuid=UUID
 *
 * "cow" is the copy's LV, thick or thin; its UUID is "-" before LVM has made the LV. */

#include "daemon/providers/snapshot-devices.h"

struct volume;
struct snapshot_record;

struct lvm_copy {
        char *vg, *vg_uuid;
        char *origin, *origin_uuid;
        char *lv,
                *lv_uuid; /* of a thick copy it holds the copied-out blocks; the UUID may be NULL */

        /* device-mapper's names, derived. */
        char *origin_device; /* what is mounted */
        char *copy_device;   /* what the reader of the copy sees */
        char *origin_dm_uuid;
        char *copy_dm_uuid; /* NULL with lv_uuid */

        bool cut_off; /* by force, while it was in use: its device stays, empty, until it is closed
                       */

        /* Of thick copies only. */
        char *real_device;  /* the origin's own blocks, below all its copies */
        char *store_device; /* the LV's own blocks */
        char *real_dm_uuid;
        char *store_dm_uuid; /* NULL with lv_uuid */
};

void lvm_copy_done(struct lvm_copy *c);
/* UUIDs in LVM's spelling. -EINVAL for names or UUIDs that are none. */
int lvm_copy_init(struct lvm_copy *c, const char *vg, const char *vg_uuid, const char *origin,
                  const char *origin_uuid, const char *lv, const char *lv_uuid);
/* The copy of a logical volume that is to be this snapshot. */
int lvm_copy_of_volume(struct lvm_copy *c, const struct volume *v, const struct snapshot_record *r);
/* Once LVM has made the LV. */
int lvm_copy_set_lv_uuid(struct lvm_copy *c, const char *lv_uuid);
/* By what device-mapper knows it. Borrowed. */
struct snapshot_devices lvm_copy_devices(const struct lvm_copy *c);
int lvm_copy_format(const struct lvm_copy *c, char **ret);
/* -EBADMSG: not such a line. */
int lvm_copy_parse(struct lvm_copy *c, const char *line);
/* What a provider says of a snapshot: this copy of this volume, copied on write. 0 or -ENOMEM. */
int lvm_copy_fill_record(const struct lvm_copy *c, const struct volume *v,
                         struct snapshot_record *record);
