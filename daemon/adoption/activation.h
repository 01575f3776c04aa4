#pragma once

/* Making the mapping of one adopted volume at boot, if it is safe to: from the service, and from
 * the initramfs for the root. Whatever is in the way leaves the plain partition, and is said. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/identity.h"
#include "daemon/providers/mapper.h"

/* "/proc/cmdline"; a test has its own. Its word "vss.adopt=no" keeps all mappings from being made.
 */
extern const char *activation_cmdline;

/* What the command line says of the root's device. 1, or 0: nothing. */
int activation_find_root(char **ret, struct vss_error *reterr);
/* "/boot/grub/grub.cfg"; a test has its own. */
extern const char *activation_boot_loader;
/* 1: the boot loader will tell the kernel that the mapping is the root. 0: it does not, or there is
 * no such file. */
int activation_boot_loader_names(const struct adopted *a, struct vss_error *reterr);
/* What fstab has of the partition can be mounted with the mapping: no line has the kernel's name of
 * it, and none a link that the generator does not know to be meant, so that it ordered nothing and
 * the mount runs beside the service. VSS_E_VOLUME_IN_USE. */
int activation_check_fstab(const struct adopted *a, const struct identity *i,
                           struct vss_error *reterr);
/* Where systemd has units, that of generators first; a test has its own. */
extern const char *activation_units[];
/* No other unit mounts the partition: of the administrator's own, or of
 * systemd-gpt-auto-generator(8). Such a mount would run beside the service, too.
 * VSS_E_VOLUME_IN_USE. */
int activation_check_units(const struct identity *i, struct vss_error *reterr);
/* 1: made, or there already. 0: it is not wanted. */
int activation_run(const char *name, struct vss_error *reterr);
/* device: what the initramfs is about to mount as the root. 1: *ret is to be mounted instead. 0: it
 * is not adopted. */
int activation_run_root(const char *device, char **ret, struct vss_error *reterr);
