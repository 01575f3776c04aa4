/* A thick copy after its set was committed: see lvm-life.h; and how full its store is. */

#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thick.h"
#include <inttypes.h>
#include <stdio.h>

#define SECTOR_SIZE 512

int thick_remove(struct store *store, const struct snapshot_record *r, bool force,
                 struct vss_error *reterr) {
        return lvm_life_remove(&thick_kind, store, r, force, reterr);
}

int thick_rescue(const struct intent_record *intent, struct vss_error *reterr) {
        return lvm_life_rescue(&thick_kind, intent, reterr);
}

int thick_recover(struct store *store, const struct intent_record *intent,
                  struct vss_error *reterr) {
        return lvm_life_recover(&thick_kind, store, intent, reterr);
}

int thick_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        return lvm_life_activate(&thick_kind, r, reterr);
}

int thick_usage(const struct snapshot_record *record, uint64_t *ret_used, uint64_t *ret_max,
                bool *ret_overflowed, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        uint64_t used = 0, total = 0;
        struct mapper_info info;
        int r;

        r = lvm_life_find(record, &info, reterr);
        if (r >= 0)
                r = mapper_read_status(info.name, &status, reterr);
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "snapshot"))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the device %s is no snapshot", info.name);
        if (sscanf(status.targets[0].params, "%" SCNu64 "/%" SCNu64, &used, &total) == 2) {
                *ret_used = used * SECTOR_SIZE;
                *ret_max = total * SECTOR_SIZE;
                *ret_overflowed = false;
                return 0;
        }
        /* "Invalid" or "Overflow": the kernel has given it up. */
        *ret_used = *ret_max = 0;
        *ret_overflowed = true;
        return 0;
}
