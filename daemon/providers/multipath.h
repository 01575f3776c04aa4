#pragma once

/* Maps of multipathd and the partitions that kpartx makes of them, known by the UUIDs that
 * device-mapper has of them. Stateless. */

enum multipath_kind {
        MULTIPATH_NONE,
        MULTIPATH_MAP,       /* "mpath-WWID" */
        MULTIPATH_PARTITION, /* "part1-mpath-WWID" */
};

/* NULL and "" are no UUIDs. */
enum multipath_kind multipath_look(const char *dm_uuid);
