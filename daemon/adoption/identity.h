#pragma once

/* What is on a block device, by its signatures and by its partition table's entry: what an adopted
 * partition is known by. */

#include "common/vss-error.h"
#include <sys/types.h>

struct identity {
        dev_t devno;
        char *device;  /* "/dev/vda1" */
        uint64_t size; /* bytes */
        bool read_only;
        char *usage; /* libblkid's: "filesystem", "raid", "crypto", "other"; NULL: nothing known */
        char *type;  /* "ext4" */
        char *uuid;  /* of the file system */
        char *label;
        char *partuuid;
        char *partlabel;
        char *parttype;
        char *map; /* device-mapper's UUID of a multipath map or of its partition; NULL: none */
};

void identity_done(struct identity *i);
/* -ENODEV: gone. What is not known is NULL. */
int identity_read(struct identity *ret, dev_t devno, struct vss_error *reterr);
