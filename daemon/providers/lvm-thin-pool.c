/* See lvm-thin-pool.h. Stateless. */

#include "daemon/providers/lvm-thin-pool.h"
#include "daemon/providers/block.h"
#include "daemon/providers/lvm-name.h"
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512
#define POOL_LAYER "tpool"

/* A copy that has no room for this much of change is not worth its making: as for thick ones. */
#define LEAST_BYTES (32 * MIB)

/* The kernel's own mark (dm-thin.c, calc_metadata_threshold()), at which it warns; below a quarter
 * LVM makes no new volumes. */
#define METADATA_RESERVE_MAX 1024
#define METADATA_RESERVE_PART 4

void thin_pool_done(struct thin_pool *p) {
        free(p->name);
        *p = (struct thin_pool){ 0 };
}

int thin_pool_parse(struct thin_pool *p, const char *status) {
        char mode[32] = "", check[32] = "";
        int n;

        if (streq(status, "Fail") || streq(status, "Error")) {
                p->failed = true;
                return 0;
        }
        /* "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space - 256" */
        n = sscanf(status,
                   "%" SCNu64 " %" SCNu64 "/%" SCNu64 " %" SCNu64 "/%" SCNu64
                   " %*s %31s %*s %*s %31s",
                   &p->transaction_id, &p->metadata_used, &p->metadata_total, &p->data_used,
                   &p->data_total, mode, check);
        if (n < 6 || p->metadata_used > p->metadata_total || p->data_used > p->data_total)
                return -EBADMSG;
        p->read_only = streq(mode, "ro");
        p->out_of_space = streq(mode, "out_of_data_space");
        p->needs_check = streq(check, "needs_check");
        return 0;
}

static int say_garbled(const struct thin_pool *p, const struct mapper_table *what,
                       struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBADMSG,
                             "what the kernel says of the thin pool %s cannot be understood: '%s'",
                             p->name, what->n > 0 ? what->targets[0].params : "");
}

static int read_table(struct thin_pool *p, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        unsigned major_number, minor_number;
        uint64_t block_sectors = 0;
        int r;

        r = mapper_read_table(p->device.name, &table, reterr);
        if (r < 0)
                return r;
        /* "254:1 254:2 128 0 0": metadata, data, block size */
        if (table.n != 1 || !streq(table.targets[0].type, "thin-pool") ||
            sscanf(table.targets[0].params, "%u:%u %*s %" SCNu64, &major_number, &minor_number,
                   &block_sectors) != 3 ||
            block_sectors == 0 || block_sectors > UINT32_MAX)
                return say_garbled(p, &table, reterr);
        p->metadata = makedev(major_number, minor_number);
        p->block_bytes = block_sectors * SECTOR_SIZE;
        return 0;
}

static int read_status(struct thin_pool *p, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        int r;

        r = mapper_read_status(p->device.name, &status, reterr);
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "thin-pool") ||
            thin_pool_parse(p, status.targets[0].params) < 0)
                return say_garbled(p, &status, reterr);
        return 0;
}

int thin_pool_find(struct thin_pool *ret, dev_t devno, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL;
        _cleanup_(thin_pool_done) struct thin_pool p = { 0 };
        _cleanup_(block_done) struct block b = { 0 };
        int r;

        r = block_read(&b, devno);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the thin pool");
        if (b.dm_name)
                r = lvm_name_split(b.dm_name, &vg, &lv, &layer);
        if (r == -ENOMEM)
                return vss_error_from_errno(reterr, r, "the thin pool");
        if (!layer || !streq(layer, POOL_LAYER) ||
            strncmp(str_or_empty(b.dm_uuid), LVM_UUID_PREFIX, strlen(LVM_UUID_PREFIX)) != 0)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "the thin pool on %s is not LVM's",
                                     b.dm_name ? b.dm_name : str_or_empty(b.path));
        if (str_format(&p.name, "%s/%s", vg, lv) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "the thin pool");
        r = mapper_find_name(b.dm_name, &p.device, reterr);
        if (r >= 0)
                r = read_table(&p, reterr);
        if (r < 0)
                return r;
        *ret = p;
        p = (struct thin_pool){ 0 };
        return 0;
}

int thin_pool_read(struct thin_pool *ret, dev_t devno, struct vss_error *reterr) {
        _cleanup_(thin_pool_done) struct thin_pool p = { 0 };
        int r;

        r = thin_pool_find(&p, devno, reterr);
        if (r >= 0)
                r = read_status(&p, reterr);
        if (r < 0)
                return r;
        *ret = p;
        p = (struct thin_pool){ 0 };
        return 0;
}

const char *thin_pool_unfit(const struct thin_pool *p) {
        if (p->failed)
                return "has failed; see the kernel's log and repair it (lvconvert --repair)";
        if (p->needs_check)
                return "needs a check; deactivate it, and LVM checks it when it is activated again "
                       "(or lvconvert --repair)";
        if (p->read_only)
                return "is read-only, because its metadata is full or damaged; extend that "
                       "(lvextend --poolmetadatasize) or repair it (lvconvert --repair)";
        return NULL;
}

static int say_full(const struct thin_pool *p, const char *what, uint64_t left, uint64_t needed,
                    const char *option, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                             "thin pool %s has %" PRIu64
                             " KiB of %s left, and the copies need at least %" PRIu64
                             " KiB; extend it (lvextend %s) or delete old copies (vssctl list)",
                             p->name, left / 1024, what, needed / 1024, option);
}

int thin_pool_check_room(const struct thin_pool *p, const uint64_t *mapped, size_t n,
                         struct vss_error *reterr) {
        uint64_t left = (p->data_total - p->data_used) * p->block_bytes;
        uint64_t reserve = p->metadata_total / METADATA_RESERVE_PART, needed = 0;

        for (size_t i = 0; i < n; i++)
                needed += mapped[i] < LEAST_BYTES ? mapped[i] : LEAST_BYTES;
        if (p->out_of_space || left < needed)
                return say_full(p, "data", left, needed, "-L", reterr);
        if (reserve > METADATA_RESERVE_MAX)
                reserve = METADATA_RESERVE_MAX;
        if (p->metadata_total - p->metadata_used < reserve)
                return say_full(p, "metadata", (p->metadata_total - p->metadata_used) * 4096,
                                reserve * 4096, "--poolmetadatasize", reterr);
        return 0;
}

int thin_volume_parse(struct thin_volume *ret, const char *params) {
        unsigned major_number, minor_number;
        struct thin_volume v = { 0 };
        int end = -1, n;

        n = sscanf(params, "%u:%u %" SCNu32 "%n %31s", &major_number, &minor_number, &v.id, &end,
                   v.external);
        if (n < 3 || end < 0)
                return -EBADMSG;
        v.pool = makedev(major_number, minor_number);
        *ret = v;
        return 0;
}
