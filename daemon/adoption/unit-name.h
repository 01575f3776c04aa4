#pragma once

/* systemd's names for paths and devices: what systemd-escape(1) and systemd-fstab-generator(8)
 * make of them. */

#include "common/util.h"

/* "/srv/a b", ".mount" -> "srv-a\x20b.mount". 0, -ENOMEM. */
int unit_name_of_path(char **ret, const char *path, const char *suffix);
/* Where fstab's second field is mounted: systemd names the unit for the directory that links lead
 * to, as far as it is there. 0, negative errno. */
int unit_mount_point(char **ret, const char *target);
/* The device that a first field of fstab names: "UUID=..." -> "/dev/disk/by-uuid/...", a path is
 * itself. 0, -ENOMEM. */
int unit_device_of_spec(char **ret, const char *spec);
