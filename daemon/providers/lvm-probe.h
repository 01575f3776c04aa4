#pragma once

/* What every provider of LVM's volumes asks before it takes one. */

#include "daemon/providers/mapper.h"
#include "daemon/providers/volume.h"
#include <vss/vss.h>

/* "NAME REASON", as VSS_E_VOLUME_NOT_SUPPORTED and -EOPNOTSUPP. */
int lvm_probe_refuse(struct vss_error *reterr, const struct volume *v, const char *reason);
/* The same with PROVIDER_OTHER_KIND. */
int lvm_probe_other_kind(struct vss_error *reterr, const struct volume *v, const char *reason);
/* The table of a logical volume's own blocks, below its thick copies if it has some; without any
 * it is that of the volume. By the kernel, which takes no lvm process and no lock. */
int lvm_probe_read_blocks(const struct volume *v, struct mapper_table *ret,
                          bool *ret_has_thick_copies, struct vss_error *reterr);
/* Nothing that LVM has below the volume for a time, or for good, stands in the way of a thick copy:
 * a pvmove, integrity data, thin volumes of which it is the external origin. */
int lvm_probe_layers(const struct volume *v, bool has_thick_copies, struct vss_error *reterr);
/* A copy on write is what the context asks for. */
int lvm_probe_context(const struct volume *v, LONG context, struct vss_error *reterr);
/* Its group is this host's alone. Shared groups need lvmlockd to be active at all: where that does
 * not run, lvm is not asked. */
int lvm_probe_shared(const struct volume *v, struct vss_error *reterr);
