/* What differs between a thin copy and its origin, or between two of its copies: which volumes of
 * which pool that is; the rest is thin-delta.h's. */

#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thin.h"
#include "daemon/providers/thin-delta.h"

#define SECTOR_SIZE 512

static int read_side(const char *device, struct thin_delta_side *ret, dev_t *ret_pool,
                     struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        struct thin_volume v;
        int r;

        r = mapper_read_table(device, &table, reterr);
        if (r < 0)
                return r;
        if (table.n != 1 || !streq(table.targets[0].type, "thin") ||
            thin_volume_parse(&v, table.targets[0].params) < 0)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBADMSG,
                                     "the device %s is no thin volume (any more)", device);
        *ret = (struct thin_delta_side){ .id = v.id,
                                         .bytes = mapper_table_length(&table) * SECTOR_SIZE };
        *ret_pool = v.pool;
        return 0;
}

static int find_origin(const struct snapshot_record *copy, struct mapper_info *ret,
                       struct vss_error *reterr) {
        int r;

        r = mapper_find_uuid(str_or_empty(copy->origin_uuid), ret, reterr);
        if (r < 0)
                return r;
        return ret->exists
                       ? 0
                       : vss_error_set(reterr, VSS_E_BAD_STATE, ENODEV,
                                       "the volume %s is not active", str_or_empty(copy->volume));
}

int thin_delta(struct delta_map *ret, struct store *store, const struct snapshot_record *older,
               const struct snapshot_record *younger, struct vss_error *reterr) {
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        struct thin_delta_side left, right;
        struct mapper_info copy, other;
        dev_t devno, other_devno;
        int r;

        r = lvm_life_find(older, &copy, reterr);
        if (r >= 0)
                r = younger ? lvm_life_find(younger, &other, reterr)
                            : find_origin(older, &other, reterr);
        if (r >= 0)
                r = read_side(copy.name, &left, &devno, reterr);
        if (r >= 0)
                r = read_side(other.name, &right, &other_devno, reterr);
        if (r < 0)
                return r;
        if (devno != other_devno)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EINVAL,
                                     "%s and %s lie in different thin pools", copy.name,
                                     other.name);
        r = thin_pool_find(&pool, devno, reterr);
        return r < 0 ? r
                     : thin_delta_read(ret, store, THIN_NAME, &thin_reserve_system, &pool, &left,
                                       &right, reterr);
}
