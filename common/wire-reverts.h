#pragma once

/* The rows of reverts under way on the bus. */

#include "common/wire.h"
#include <vss/vsslinux.h>

extern const struct wire_table wire_revert_table; /* VSS_REVERT_INFO */
