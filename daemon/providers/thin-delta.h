#pragma once

/* What differs between two thin volumes of one pool: what thin_delta(8) of thin-provisioning-tools
 * finds in the pool's metadata, without reading any data. Each block of a volume is a block of the
 * pool, and two volumes that share one share what is in it. A block that only one of them has, or
 * for which they have different ones, was written (or discarded) in one of them since the one was
 * made of the other. */

#include "daemon/providers/delta-map.h"
#include "daemon/providers/lvm-thin-pool.h"
#include "daemon/providers/thin-reserve.h"

/* The program; a test puts its own in its place. NULL: the system's. */
extern const char *thin_delta_program;

struct thin_delta_side {
        uint32_t id; /* in the pool */
        uint64_t bytes;
};

/* What the program prints, as far as it was understood. */
struct thin_delta_report {
        struct delta_map *map; /* of the larger of the two */
        uint64_t block_bytes;  /* of the pool */
        uint32_t left, right;
        enum {
                THIN_DELTA_BEGIN,
                THIN_DELTA_POOL, /* <superblock> was read */
                THIN_DELTA_DIFF, /* <diff> was read */
                THIN_DELTA_DIFF_END,
                THIN_DELTA_END,
        } state;
        char complaint[256]; /* the last line that is none of the report's */
};
/* A line; a program_line_fn, with the report. -EBADMSG: it cannot be there. Blocks behind the
 * volume's end are passed over: a volume that was made smaller keeps them. */
int thin_delta_take_line(void *report, const char *line);

/* VSS_E_BAD_STATE: the pool's metadata is being read by somebody else. VSS_E_NOT_SUPPORTED: the
 * program is not installed. */
int thin_delta_read(struct delta_map *ret, struct store *store, const char *provider,
                    const struct thin_reserve_pools *pools, const struct thin_pool *pool,
                    const struct thin_delta_side *older, const struct thin_delta_side *younger,
                    struct vss_error *reterr);
