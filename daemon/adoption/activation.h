#pragma once

/* Making the mapping of one adopted volume at boot, if it is safe to: from the service, and from
 * the initramfs for the root. Whatever is in the way leaves the plain partition, and is said. */

#include "daemon/adoption/adopted.h"
#include "daemon/providers/mapper.h"

/* "/proc/cmdline"; a test has its own. Its word "vss.adopt=no" keeps all mappings from being made.
 */
extern const char *activation_cmdline;

/* 1: made, or there already. 0: it is not wanted. */
int activation_run(const char *name, struct vss_error *reterr);
/* device: what the initramfs is about to mount as the root. 1: *ret is to be mounted instead. 0: it
 * is not adopted. */
int activation_run_root(const char *device, char **ret, struct vss_error *reterr);
