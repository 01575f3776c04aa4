/* See wire-reverts.h. */

#include "common/wire-reverts.h"

static const struct wire_field fields[] = {
        WIRE_FIELD(VSS_REVERT_INFO, snapshot, "SnapshotId", WIRE_ID),
        WIRE_FIELD(VSS_REVERT_INFO, snapshot_set, "SnapshotSetId", WIRE_ID),
        WIRE_FIELD(VSS_REVERT_INFO, volume, "Volume", WIRE_STRING),
        WIRE_FIELD(VSS_REVERT_INFO, names, "Names", WIRE_STRV),
        WIRE_FIELD(VSS_REVERT_INFO, provider, "Provider", WIRE_STRING),
        WIRE_FIELD(VSS_REVERT_INFO, state, "State", WIRE_STRING),
        WIRE_FIELD(VSS_REVERT_INFO, message, "Message", WIRE_STRING),
        WIRE_FIELD(VSS_REVERT_INFO, per_cent, "Progress", WIRE_UINT32),
        WIRE_FIELD(VSS_REVERT_INFO, total_bytes, "TotalBytes", WIRE_UINT64),
        WIRE_FIELD(VSS_REVERT_INFO, left_bytes, "LeftBytes", WIRE_UINT64),
};
const struct wire_table wire_revert_table = WIRE_TABLE(fields);
