#pragma once

/* A thin pool, by what the kernel says of it: whether copies can be made in it, and whether there
 * is room for them. Pure, but for reading. */

#include "common/vss-error.h"
#include "daemon/providers/mapper.h"

struct thin_pool {
        struct mapper_info device; /* the target's own: "VG-POOL-tpool" */
        char *name;                /* "VG/POOL", for messages */
        dev_t metadata;
        uint64_t block_bytes;
        /* As it was: */
        uint64_t transaction_id;                /* LVM counts them, too */
        uint64_t metadata_used, metadata_total; /* blocks of 4 KiB */
        uint64_t data_used, data_total;         /* blocks */
        bool failed, read_only, out_of_space, needs_check;
};

void thin_pool_done(struct thin_pool *p);
/* The pool below a thin volume, but not its state. -EOPNOTSUPP: it is not LVM's. */
int thin_pool_find(struct thin_pool *ret, dev_t devno, struct vss_error *reterr);
/* The same and its state, for which the kernel writes the pool's metadata to the disk. */
int thin_pool_read(struct thin_pool *ret, dev_t devno, struct vss_error *reterr);
/* Its state out of the target's status. -EBADMSG. */
int thin_pool_parse(struct thin_pool *p, const char *status);
/* Why no copies can be made in it, for "NAME lies in a thin pool that ..."; NULL: they can. */
const char *thin_pool_unfit(const struct thin_pool *p);
/* Whether there is room for copies, each with so many bytes mapped in its origin: a copy costs
 * nothing at first, but then what is overwritten in the origin, all of it at most. */
int thin_pool_check_room(const struct thin_pool *p, const uint64_t *mapped, size_t n,
                         struct vss_error *reterr);

/* What the kernel's table says of a thin volume: "254:3 1", or "254:3 1 254:9" for one whose blocks
 * come from another device until they are written. */
struct thin_volume {
        dev_t pool;
        uint32_t id;
        char external[32]; /* "254:9"; "": none */
};
/* -EBADMSG: not such parameters. */
int thin_volume_parse(struct thin_volume *ret, const char *params);
