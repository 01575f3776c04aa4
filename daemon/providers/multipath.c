/* See multipath.h. */

#include "daemon/providers/multipath.h"
#include "common/util.h"
#include <stdio.h>

#define MAP_PREFIX "mpath-"

static bool is_map(const char *uuid) {
        return strncmp(uuid, MAP_PREFIX, strlen(MAP_PREFIX)) == 0 && uuid[strlen(MAP_PREFIX)];
}

enum multipath_kind multipath_look(const char *dm_uuid) {
        const char *uuid = str_or_empty(dm_uuid);
        unsigned partition;
        int length = 0;

        if (is_map(uuid))
                return MULTIPATH_MAP;
        if (sscanf(uuid, "part%u-%n", &partition, &length) == 1 && length > 0 &&
            is_map(uuid + length))
                return MULTIPATH_PARTITION;
        return MULTIPATH_NONE;
}
