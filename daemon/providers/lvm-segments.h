#pragma once

/* Where the blocks of linear logical volumes are: rows of `pvs --segments`, as a table of
 * device-mapper's. */

#include "daemon/providers/mapper.h"

enum lvm_segment_field {
        LVM_SEGMENT_VG,
        LVM_SEGMENT_LV,
        LVM_SEGMENT_LV_UUID,
        LVM_SEGMENT_MAJOR,
        LVM_SEGMENT_MINOR,
        LVM_SEGMENT_PE_START,
        LVM_SEGMENT_FIRST,
        LVM_SEGMENT_COUNT,
        LVM_SEGMENT_START,
        LVM_SEGMENT_EXTENT, /* sectors */
        LVM_SEGMENT_FREE,   /* extents of the group */
        LVM_SEGMENT_FIELDS
};
#define LVM_SEGMENT_COLUMNS                                                          \
        "vg_name,lv_name,lv_uuid,pv_major,pv_minor,pe_start,pvseg_start,pvseg_size," \
        "seg_start,vg_extent_size,vg_free_count"

/* The row as a target of its volume's table. -EBADMSG, -ENOMEM. */
int lvm_segments_add(struct mapper_table *table, char *const *fields);
/* In their order, which LVM's report need not have. True: they are the whole of a volume of that
 * many sectors, without a gap. */
bool lvm_segments_sort(struct mapper_table *table, uint64_t sectors);
