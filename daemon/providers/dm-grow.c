/* The store of a copy of a mapped device becomes larger: its place gives more first, then its
 * device gets the longer table, which is one step inside the kernel. The kernel asks the device for
 * its size whenever it copies something out, so that the copy's own needs no new table. What a
 * crash leaves in between is more of the place than the device has, for the next growth, or for
 * dm_store_remove(). */

#include "daemon/providers/dm-store-grow.h"
#include "daemon/providers/dm-turn.h"
#include "daemon/providers/dm.h"
#include "daemon/providers/snapshot-size.h"

#define SECTOR_SIZE 512

/* Whose it is, and how long. VSS_E_OBJECT_NOT_FOUND: it is gone. */
static int find_store(const struct dm_copy *c, struct mapper_info *ret, struct mapper_table *live,
                      struct vss_error *reterr) {
        int r;

        r = mapper_find_uuid(c->store_uuid, ret, reterr);
        if (r >= 0 && (!ret->exists || !ret->live_table))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the store %s of a copy is gone", c->store);
        return r < 0 ? r : mapper_read_table(ret->name, live, reterr);
}

/* In its turn, so that nobody deletes the copy or takes the same part of a device. */
static int lengthen(const struct dm_copy *c, uint64_t bytes, uint64_t *ret_bytes,
                    struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, longer = { 0 };
        struct mapper_info info;
        int r;

        r = find_store(c, &info, &live, reterr);
        if (r >= 0)
                r = dm_store_grow(&longer, c, &live, bytes, reterr);
        if (r >= 0 && mapper_table_length(&longer) > mapper_table_length(&live)) {
                r = mapper_load(info.name, &longer, info.read_only, reterr);
                if (r >= 0)
                        r = mapper_resume(&info, reterr);
                if (r < 0)
                        (void)mapper_clear(info.name, NULL); /* the first failure is the one */
        }
        if (r >= 0)
                *ret_bytes = mapper_table_length(&longer) * SECTOR_SIZE;
        return r;
}

static int grow(const struct dm_copy *c, uint64_t bytes, uint64_t *ret_bytes,
                struct vss_error *reterr) {
        int r = 0;

        /* A set has its groups before it takes the turn: so not both at once, in the other order.
         */
        if (c->store_kind == DM_STORE_GROUP)
                r = dm_store_grow_volume(c, bytes, reterr);
        if (r >= 0)
                r = dm_turn_take(reterr);
        if (r < 0)
                return r;
        r = lengthen(c, bytes, ret_bytes, reterr);
        dm_turn_give();
        return r;
}

int dm_grow(struct store *store, const struct snapshot_record *record, uint64_t bytes,
            uint64_t *ret_bytes, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table origin = { 0 }, live = { 0 };
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
        struct dm_copy *only = &c;
        struct mapper_info info;
        uint64_t enough;
        int64_t intent;
        int r;

        r = dm_find(record, &c, &info, reterr);
        if (r >= 0)
                r = mapper_read_table(info.name, &origin, reterr);
        if (r >= 0)
                r = find_store(&c, &info, &live, reterr);
        if (r < 0)
                return r;
        enough = snapshot_size_enough(mapper_table_length(&origin) * SECTOR_SIZE, 1);
        *ret_bytes = mapper_table_length(&live) * SECTOR_SIZE;
        if (bytes > enough)
                bytes = enough;
        if (*ret_bytes >= bytes)
                return 0;
        r = dm_intent_open(store, DM_INTENT_GROW, record->set_id, &only, 1, &intent, reterr);
        if (r < 0)
                return r;
        r = grow(&c, bytes, ret_bytes, reterr);
        (void)store_intent_close(store, intent, NULL); /* as of any step: it is for crashes */
        return r;
}

int dm_grow_rescue(const struct dm_copy *copy, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(copy->store_uuid, &info, reterr);
        if (r >= 0 && info.exists && info.inactive_table)
                r = mapper_clear(info.name, reterr);
        if (r >= 0 && info.exists && info.suspended)
                r = mapper_resume(&info, reterr);
        return r;
}

int dm_list_places(const struct volume *v, struct provider_places *ret, struct vss_error *reterr) {
        _cleanup_(dm_places_done) struct dm_places places = { .set = &v, .n = 1 };

        return dm_places_list(&places, v, ret, reterr);
}

int dm_place_of(const struct snapshot_record *record, char **ret, struct vss_error *reterr) {
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
        int r;

        r = dm_copy_parse(&c, str_or_empty(record->provider_data));
        if (r >= 0)
                r = str_replace(ret, c.place);
        return r < 0 ? vss_error_from_errno(reterr, r, str_or_empty(record->device)) : 0;
}
