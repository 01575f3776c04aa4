#pragma once

/* The volume that somebody wants to adopt or release: what is known of it before anything is
 * changed. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/fstab.h"
#include "daemon/adoption/identity.h"
#include "daemon/adoption/mapping.h"
#include "daemon/providers/volume.h"

struct adoption_target {
        struct volume *volume;     /* NULL: it is not there; the line says all that is known */
        struct identity partition; /* devno 0: it is not there */
        struct adopted_list list;
        struct fstab fstab;
        const struct adopted *line; /* the one that it has; NULL: none */
        struct mapper_info mapping; /* exists: on the partition */
        bool root;                  /* the system's root lies on it */
};
void adoption_target_done(struct adoption_target *t);

/* spec: as volume_open() takes it, or where fstab mounts it. absent: it may be missing, if there is
 * a line that is meant. */
int adoption_target_find(struct adoption_target *ret, const char *spec, bool absent,
                         struct vss_error *reterr);
/* Is it mounted through the mapping, or as it is? */
bool adoption_target_is_mounted(const struct adoption_target *t);
bool adoption_target_is_mapped(const struct adoption_target *t);
