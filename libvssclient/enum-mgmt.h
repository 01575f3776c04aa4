#pragma once

/* IVssEnumMgmtObject: a list of volumes, places of stores or diff areas as it was when it was asked
 * for, and a position in it. Clones share the list, which never changes. */

#include "common/vss-error.h"
#include <vss/vsmgmt.h>

/* items, with the strings in them, are taken over, also on failure. */
int enum_mgmt_new(IVssEnumMgmtObject **ret, VSS_MGMT_OBJECT_PROP *items, size_t n,
                  struct vss_error *reterr);
