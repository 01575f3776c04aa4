/* Copies of a volume, counted in the store. */

#include "daemon/session/volume-facts.h"

bool volume_is_origin(const struct volume *v, const struct snapshot_record *r) {
        if (!str_empty(v->dm_uuid) && !str_empty(r->origin_uuid))
                return streq(v->dm_uuid, r->origin_uuid);
        return streq(v->name, str_or_empty(r->volume));
}

int volume_count_snapshots(struct store *store, const struct volume *v, unsigned *ret,
                           unsigned *ret_client, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        unsigned count = 0, clients = 0;
        int r;

        r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (!volume_is_origin(v, &records[i]))
                        continue;
                count++;
                clients += (records[i].context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE) != 0;
        }
        snapshot_records_free(records, n);
        *ret = count;
        if (ret_client)
                *ret_client = clients;
        return 0;
}
