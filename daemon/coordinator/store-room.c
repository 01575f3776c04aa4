/* See store-room.h. Stateless: one set is made at a time, and what there is the kernel knows. */

#include "daemon/coordinator/store-room.h"

#include "daemon/providers/snapshot-size.h"
#include "daemon/providers/volume-hold.h"

#define MIB (UINT64_C(1024) * 1024)

/* Who has stores has some that can grow. */
static uint64_t begins_with(const struct coordinator_request *q) {
        uint64_t sum = 0;

        for (size_t i = 0; i < q->n_volumes; i++)
                if (q->volumes[i].provider->grow)
                        sum += snapshot_size_wanted(q->volumes[i].volume->size, 1);
        return sum;
}

uint64_t store_room_taken(const struct snapshot_record *r) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        uint64_t used, size;
        bool overflowed;

        if (!p || !p->grow || volume_is_held(r->origin_uuid) ||
            p->usage(r, &used, &size, &overflowed, NULL) < 0)
                return 0;
        return size;
}

int store_room_check(const struct coordinator_request *q, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        uint64_t taken = 0, wanted;
        size_t n = 0;
        int r;

        if (q->store_bytes == 0 || q->store_bytes == UINT64_MAX)
                return 0;
        wanted = begins_with(q);
        if (wanted == 0)
                return 0;
        r = store_snapshot_list(q->store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                taken += store_room_taken(&records[i]);
        snapshot_records_free(records, n);
        if (taken <= q->store_bytes && wanted <= q->store_bytes - taken)
                return 0;
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EDQUOT,
                             "the stores of all copies may take %llu MiB, and have %llu MiB; those "
                             "of this set would begin with %llu MiB. Delete copies, or set "
                             "MaximumInAll (see vssd(8))",
                             (unsigned long long)(q->store_bytes / MIB),
                             (unsigned long long)(taken / MIB),
                             (unsigned long long)(wanted / MIB + (wanted % MIB != 0)));
}
