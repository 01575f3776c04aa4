#pragma once

/* What a thick copy is made of, by LVM's names and UUIDs, and the device-mapper names that follow
 * from them. This is what a snapshot's provider_data and an intent's data hold, one line for each:
 *
 *      vg=NAME vg_uuid=UUID origin=NAME origin_uuid=UUID cow=NAME cow_uuid=UUID
 *
 * cow_uuid is "-" before LVM has made the LV. */

#include "common/util.h"

struct thick_copy {
        char *vg, *vg_uuid;
        char *origin, *origin_uuid;
        char *cow, *cow_uuid; /* the LV that holds the copied-out blocks; its UUID may be NULL */

        /* device-mapper's names, derived. */
        char *origin_device; /* what is mounted */
        char *real_device;   /* the origin's own blocks, below all its copies */
        char *copy_device;   /* what the reader of the copy sees */
        char *store_device;  /* the cow LV's own blocks */
        char *origin_dm_uuid, *real_dm_uuid;
        char *copy_dm_uuid, *store_dm_uuid; /* NULL with cow_uuid */
};

void thick_copy_done(struct thick_copy *c);
/* UUIDs in LVM's spelling. -EINVAL for names or UUIDs that are none. */
int thick_copy_init(struct thick_copy *c, const char *vg, const char *vg_uuid, const char *origin,
                    const char *origin_uuid, const char *cow, const char *cow_uuid);
/* Once LVM has made the cow LV. */
int thick_copy_set_cow_uuid(struct thick_copy *c, const char *cow_uuid);
int thick_copy_format(const struct thick_copy *c, char **ret);
/* -EBADMSG: not such a line. */
int thick_copy_parse(struct thick_copy *c, const char *line);
