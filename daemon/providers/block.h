#pragma once

/* What the kernel says of a block device under /sys/dev/block. Stateless; each answer is as fresh
 * as the call. A device is named by its number: names change hands. */

#include "common/util.h"
#include <sys/types.h>

/* "/sys"; a test puts a tree of its own there. */
extern const char *block_sysfs;

struct block {
        dev_t devno;
        char *path;    /* "/dev/mapper/vg-lv", "/dev/vda1" */
        uint64_t size; /* bytes */
        bool read_only;
        char *dm_name;      /* NULL: not device-mapper's */
        char *dm_uuid;      /* "" is possible */
        char *backing_file; /* of a loop device; NULL: none */
};

/* -ENODEV: there is no such device. */
int block_read(struct block *ret, dev_t devno);
void block_done(struct block *b);

/* The block device that a path leads to; 0: none. */
dev_t block_of_path(const char *path);
/* Opens the device by a path that may be another's by now: -ESTALE. */
int block_open(const char *path, dev_t devno, int flags, int *ret_fd);

/* One attribute's text without the line's end, e.g. "dm/name". -ENOENT. */
int block_attribute(dev_t devno, const char *name, char **ret);

/* The devices in one of its folders: "slaves" (what it lies on) or "holders" (what lies on it). */
int block_relatives(dev_t devno, const char *folder, dev_t **ret, size_t *ret_n);
/* The disk of a partition; devno itself if it is no partition. */
dev_t block_disk(dev_t devno);
/* The other devices of the group that devno is in, of those below /sys/FOLDER ("fs/btrfs"); in
 * none: no devices. */
int block_companions(dev_t devno, const char *folder, dev_t **ret, size_t *ret_n);
/* All device-mapper devices. */
int block_list_mapped(dev_t **ret, size_t *ret_n);
