#pragma once

/* The node of a copy, /dev/vss/ShadowCopyN: a link to the kernel's own node, as the udev rule makes
 * it too. It is made here so that nobody has to wait for udev. */

#include "daemon/providers/mapper.h"

int copy_link_make(const char *link, const struct mapper_info *device, struct vss_error *reterr);
/* Of one that udev makes no link of and takes none away with: by the device's name, if that has its
 * node, so that it does not lead to whatever gets the device's number when it is gone. */
int copy_link_make_by_name(const char *link, const struct mapper_info *device,
                           struct vss_error *reterr);
/* When the copy's device has gone. */
void copy_link_remove(const char *link);
/* Of a device that stays. What leads elsewhere is left. */
void copy_link_drop(const char *link, const struct mapper_info *device);
/* Of a copy that a daemon that died has left, by its name, "ShadowCopy7": unmounts it, by force;
 * or, once its device is gone, takes its link. */
void copy_link_release(const char *name, bool gone);
/* What the link leads to is read-only from now on, to the kernel too; volume: for the message. */
int copy_link_seal(const char *link, const char *volume, struct vss_error *reterr);
