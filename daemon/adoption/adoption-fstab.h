#pragma once

/* What adoption has to do with /etc/fstab. Lines that name the partition by an id, a label or a
 * link of udev's stay as they are: they lead to the mapping while it is there. Only one that names
 * it as the kernel does ("/dev/sda1"), or a multipath map as device-mapper does, could not be
 * mounted while the mapping is there, and gets UUID= instead, which is right with and without a
 * mapping, until release writes back what was there, to the byte. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/fstab.h"
#include <sys/types.h>

/* Where fstab mounts the partition; *ret_respell: a line has to be changed. a->sources and
 * a->respelled are completed by what is found. */
int adoption_fstab_find(const struct fstab *f, dev_t partition, struct adopted *a,
                        char ***ret_targets, bool *ret_respell, struct vss_error *reterr);
/* Changes the lines of a->respelled. */
int adoption_fstab_respell(const struct fstab *f, const struct adopted *a,
                           struct vss_error *reterr);
/* Does a line name the mapping itself? Without that it could not be mounted. */
bool adoption_fstab_names_mapping(const struct fstab *f, const struct adopted *a);
/* Changes them back, and those that name the mapping to UUID=. partition: 0 if it is not there. A
 * line that has been changed since stays, and so does one whose old name does not mean the
 * partition by now, or may come to mean another, as it is not there: 1 then. */
int adoption_fstab_restore(const struct fstab *f, dev_t partition, const struct adopted *a,
                           struct vss_error *reterr);
