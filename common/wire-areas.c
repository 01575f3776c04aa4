/* See wire-areas.h. */

#include "common/wire-areas.h"

static const struct wire_field area_fields[] = {
        WIRE_FIELD(VSS_DIFF_AREA_INFO, area.m_pwszVolumeName, "Volume", WIRE_STRING),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, area.m_pwszDiffAreaVolumeName, "Store", WIRE_STRING),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, area.m_llMaximumDiffSpace, "MaximumBytes", WIRE_INT64),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, area.m_llAllocatedDiffSpace, "AllocatedBytes", WIRE_INT64),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, area.m_llUsedDiffSpace, "UsedBytes", WIRE_INT64),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, set_down, "SetDown", WIRE_BOOL),
        WIRE_FIELD(VSS_DIFF_AREA_INFO, until_boot, "UntilBoot", WIRE_BOOL),
};
const struct wire_table wire_diff_area_table = WIRE_TABLE(area_fields);

static const struct wire_field volume_fields[] = {
        WIRE_FIELD(VSS_DIFF_VOLUME_PROP, m_pwszVolumeName, "Volume", WIRE_STRING),
        WIRE_FIELD(VSS_DIFF_VOLUME_PROP, m_pwszVolumeDisplayName, "DisplayName", WIRE_STRING),
        WIRE_FIELD(VSS_DIFF_VOLUME_PROP, m_llVolumeFreeSpace, "FreeBytes", WIRE_INT64),
        WIRE_FIELD(VSS_DIFF_VOLUME_PROP, m_llVolumeTotalSpace, "TotalBytes", WIRE_INT64),
};
const struct wire_table wire_diff_volume_table = WIRE_TABLE(volume_fields);
