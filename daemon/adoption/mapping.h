#pragma once

/* The mapping of an adopted partition: /dev/mapper/vss-NAME, one to one over all of it. It is made
 * of what the partition is now, if that is what was adopted; nothing is ever written to it. While
 * it is there the kernel gives the partition itself to nobody else. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/identity.h"
#include "daemon/providers/mapper.h"

/* Where udev's links are; a test has a directory of its own. */
extern const char *mapping_dev;

/* Is this the partition that was adopted, by its ids and its file system? If not: why. */
int mapping_check_identity(const struct adopted *a, const struct identity *i,
                           struct vss_error *reterr);
/* By udev's links, a multipath map by its UUID. The partition below the mapping, if that is there.
 * VSS_E_OBJECT_NOT_FOUND. */
int mapping_find_partition(const struct adopted *a, struct identity *ret, struct vss_error *reterr);
/* Makes it, or brings one that is there up to the partition's size. With `links` it returns when
 * what is mounted by UUID is the mapping, or takes the mapping away again. Idempotent.
 * VSS_E_VOLUME_IN_USE: the partition itself is in use. */
int mapping_make(const struct adopted *a, const struct identity *i, bool links,
                 struct mapper_info *ret, struct vss_error *reterr);
/* 1: it is gone. 0: it is in use, and goes with the end of that. */
int mapping_remove(const char *name, struct vss_error *reterr);
/* It is to stay, whatever mapping_remove() said. */
int mapping_keep(const char *name, struct vss_error *reterr);
/* The partition below a mapping of ours, and below what snapshots put between them; what is not
 * device-mapper's is itself, and a multipath map is. -EMEDIUMTYPE: another's mapping. */
int mapping_partition(dev_t devno, dev_t *ret);
/* "/dev/disk/by-uuid/UUID", the name that the partition and the mapping share. 0, -ENOMEM. */
int mapping_link(char **ret, const struct adopted *a);
/* Sleeps until the path leads to the device, but not for long. */
bool mapping_await(const char *path, dev_t devno);
