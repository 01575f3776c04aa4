/* See lvm-segments.h. Pure. */

#include "daemon/providers/lvm-segments.h"
#include "daemon/providers/lvm.h"
#include <inttypes.h>
#include <stdio.h>

int lvm_segments_add(struct mapper_table *table, char *const *fields) {
        uint64_t number[LVM_SEGMENT_FIELDS] = { 0 };
        uint64_t extent;
        char params[64];
        int r = 0;

        for (size_t i = LVM_SEGMENT_MAJOR; r >= 0 && i < LVM_SEGMENT_FIELDS; i++)
                r = lvm_number(fields[i], &number[i]);
        if (r < 0)
                return r;
        extent = number[LVM_SEGMENT_EXTENT];
        (void)snprintf(params, sizeof(params), "%" PRIu64 ":%" PRIu64 " %" PRIu64,
                       number[LVM_SEGMENT_MAJOR], number[LVM_SEGMENT_MINOR],
                       number[LVM_SEGMENT_PE_START] + number[LVM_SEGMENT_FIRST] * extent);
        return mapper_table_add(table, number[LVM_SEGMENT_START],
                                number[LVM_SEGMENT_COUNT] * extent, "linear", params);
}

static int compare_targets(const void *a, const void *b) {
        const struct mapper_target *left = a, *right = b;

        return (left->start > right->start) - (left->start < right->start);
}

bool lvm_segments_sort(struct mapper_table *table, uint64_t sectors) {
        uint64_t end = 0;

        if (table->n > 0)
                qsort(table->targets, table->n, sizeof(*table->targets), compare_targets);
        for (size_t i = 0; i < table->n; i++) {
                if (table->targets[i].start != end)
                        return false;
                end += table->targets[i].length;
        }
        return end == sectors;
}
