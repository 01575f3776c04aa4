#pragma once

/* Which copy or set is meant by what somebody typed: an id, with or without braces; the beginning
 * of one, of at least four digits and of one alone; ShadowCopyN, also as a path. */

#include "common/util.h"
#include <vss/vsslinux.h>

#define RESOLVE_PREFIX_MIN 4

enum resolve_result {
        RESOLVE_FOUND,
        RESOLVE_NOT_FOUND,
        RESOLVE_AMBIGUOUS,
        RESOLVE_TOO_SHORT,
};

struct resolved {
        VSS_ID id;
        VSS_OBJECT_TYPE type; /* VSS_OBJECT_SNAPSHOT or VSS_OBJECT_SNAPSHOT_SET */
};

/* snapshots: an array that ends in NULL. A set of one snapshot is not its snapshot: both their ids
 * count. */
enum resolve_result resolve_id(struct resolved *ret, const char *text,
                               VSS_SNAPSHOT_INFO *const *snapshots);

/* As resolve_id(), and tells the user what is wrong. EXIT_DONE or how vssctl ends. */
int resolve_id_or_say(struct resolved *ret, const char *text, VSS_SNAPSHOT_INFO *const *snapshots);
