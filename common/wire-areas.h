#pragma once

/* The rows of diff areas on the bus. */

#include "common/wire.h"
#include <vss/vsmgmt.h>
#include <vss/vsslinux.h>

extern const struct wire_table wire_diff_area_table;   /* VSS_DIFF_AREA_INFO */
extern const struct wire_table wire_diff_volume_table; /* VSS_DIFF_VOLUME_PROP */
