#pragma once

/* What systemd is told of adopted volumes at each start and reload, by the generator
 * vss-adopted-generator: before a volume is checked or mounted, vss-adopted@NAME.service has had
 * its turn; and that is started when the partition appears, too. No more: the mount stays fstab's
 * own, and what decides whether it gets the partition or the mapping is where udev's links lead. So
 * a mapping that could not be made, or a generator that is no longer installed, leaves a mount of
 * the plain partition. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/fstab.h"

/* The order of a unit, in UNIT.d. */
#define ADOPTION_DROP_IN "50-vss-adopted.conf"

/* directory: the first that systemd hands to a generator. */
int adoption_units_write(const char *directory, const struct adopted_list *list,
                         const struct fstab *fstab, struct vss_error *reterr);
