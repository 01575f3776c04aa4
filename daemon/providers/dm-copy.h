#pragma once

/* A copy of a mapped device that is not LVM's: whose it is, where its store lies, and the names
 * that follow from that. This is what a snapshot's provider_data and an intent's data hold, one
 * line for each:
 *
 *      id=ID number=N boot=ID origin=NAME origin_uuid=UUID store=KIND:PLACE
 *
 * The boot is that in which the copy was made: device-mapper forgets it with the next one, and the
 * origin is then written without anything being copied out. */

#include "daemon/providers/snapshot-devices.h"
#include <vss/vss.h>

/* The device-mapper UUIDs of all that is ours begin so: COPY is this and the snapshot's id, STORE
 * the same and "-cow", and REAL this, the origin's name and "-real". */
#define DM_COPY_UUID_PREFIX "VSS-COPY-"
#define DM_COPY_NAME_PREFIX "vss_ShadowCopy"

/* Where a store lies. */
enum dm_store_kind {
        DM_STORE_FILE,   /* in a file of the directory PLACE, behind a loop device */
        DM_STORE_GROUP,  /* a logical volume of the volume group PLACE */
        DM_STORE_DEVICE, /* a part of the block device PLACE */
};
const char *dm_store_kind_to_string(enum dm_store_kind kind);
/* -EINVAL */
int dm_store_kind_from_string(enum dm_store_kind *ret, const char *text);

struct dm_copy {
        VSS_ID id;
        uint64_t number;
        char *boot;
        char *origin, *origin_uuid; /* device-mapper's; the UUID is NULL if it has none */
        enum dm_store_kind store_kind;
        char *place;

        /* Derived. */
        char *real, *copy, *store;
        char *real_uuid, *copy_uuid, *store_uuid;
};

void dm_copy_done(struct dm_copy *c);
/* Whether names and UUIDs can be made of a device's own; -EINVAL. */
int dm_copy_check_origin(const char *name, const char *uuid);
/* The fields that are given are copied out of `from`. -EINVAL: not such names. */
int dm_copy_init(struct dm_copy *ret, const struct dm_copy *from);
int dm_copy_format(const struct dm_copy *c, char **ret);
/* -EBADMSG: not such a line. */
int dm_copy_parse(struct dm_copy *ret, const char *line);
/* By what device-mapper knows it. Borrowed. */
struct snapshot_devices dm_copy_devices(const struct dm_copy *c);

/* The kernel's id of this boot; a test sets the file. */
extern const char *dm_copy_boot_file;
int dm_copy_read_boot(char **ret);
