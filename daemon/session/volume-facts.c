/* Copies of a volume: which are, which was first, and how many there are in the store. */

#include "daemon/session/volume-facts.h"

bool volume_is_origin(const struct volume *v, const struct snapshot_record *r) {
        if (!str_empty(v->dm_uuid) && !str_empty(r->origin_uuid))
                return streq(v->dm_uuid, r->origin_uuid);
        return streq(v->name, str_or_empty(r->volume));
}

bool snapshots_have_one_origin(const struct snapshot_record *a, const struct snapshot_record *b) {
        if (!str_empty(a->origin_uuid) && !str_empty(b->origin_uuid))
                return streq(a->origin_uuid, b->origin_uuid);
        return streq(str_or_empty(a->volume), str_or_empty(b->volume));
}

bool snapshot_is_newer(const struct snapshot_record *a, const struct snapshot_record *b) {
        bool imported = (a->attributes | b->attributes) & VSS_VOLSNAP_ATTR_IMPORTED;

        if (!imported || a->created == b->created)
                return a->number > b->number;
        return a->created > b->created;
}

int volume_count_snapshots(struct store *store, const struct volume *v, unsigned *ret,
                           struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        unsigned count = 0;
        int r;

        r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                count += volume_is_origin(v, &records[i]);
        snapshot_records_free(records, n);
        *ret = count;
        return 0;
}
