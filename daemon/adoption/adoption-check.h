#pragma once

/* Which volumes can be adopted, and why the others cannot: VSS_E_VOLUME_NOT_SUPPORTED with the
 * reason. name: as the reason calls it. */

#include "daemon/adoption/identity.h"
#include "daemon/providers/volume.h"

/* What lies on a disk, a partition or an array. mapped: there is a mapping of ours on it. */
int adoption_check(const struct identity *i, const char *name, bool mapped,
                   struct vss_error *reterr);
/* Of these questions those that the device's signatures answer. */
int adoption_check_identity(const struct identity *i, const char *name, struct vss_error *reterr);
/* A mapped device that is not ours: always refused. */
int adoption_check_mapped(const struct volume *v, struct vss_error *reterr);
