/* See area-pools.h. */

#include "daemon/session/area-pools.h"

#include "daemon/session/volume-facts.h"

#include <stdio.h>

/* As LVM's own watch of pools does it: from 80 % on, each 5 %. At that, LVM's autoextend, where it
 * is switched on, has long been at work. */
#define TELL_FROM 80
#define TELL_STEP 5
#define NARROW 95

static void pool_done(struct area_pool *p) {
        snapshot_record_done(&p->oldest);
}

void area_pools_done(struct area_pools *p) {
        for (size_t i = 0; i < p->n; i++)
                pool_done(&p->items[i]);
        free(p->items);
        *p = (struct area_pools){ 0 };
}

static const struct provider *sharer(const struct snapshot_record *r) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));

        return p && p->shared_room ? p : NULL;
}

bool area_pools_concern(const struct snapshot_record *r) {
        return sharer(r);
}

static struct area_pool *find(const struct area_pools *p, const char *name) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->items[i].room.name, name))
                        return &p->items[i];
        return NULL;
}

static void swap(struct snapshot_record *a, struct snapshot_record *b) {
        struct snapshot_record other = *a;

        *a = *b;
        *b = other;
}

/* Takes the record over if it is the first or the oldest of its pool. */
static int take(struct area_pools *found, const struct area_pools *before,
                struct snapshot_record *record) {
        struct provider_room room;
        struct area_pool *longer;

        /* One that is not active, or is being deleted, says nothing. */
        if (sharer(record)->shared_room(record, &room, NULL) < 0)
                return 0;
        longer = find(found, room.name);
        if (longer) {
                if (snapshot_is_newer(&longer->oldest, record))
                        swap(&longer->oldest, record);
                return 0;
        }
        longer = reallocarray(found->items, found->n + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        found->items = longer;
        longer = &found->items[found->n++];
        *longer = (struct area_pool){ .room = room, .oldest = *record };
        *record = (struct snapshot_record){ 0 };
        for (size_t i = 0; i < before->n; i++)
                if (streq(before->items[i].room.name, room.name)) {
                        longer->told = before->items[i].told;
                        longer->told_trouble = before->items[i].told_trouble && room.trouble;
                }
        return 0;
}

int area_pools_look(struct area_pools *ret, struct area_pools *before, struct store *store,
                    struct vss_error *reterr) {
        _cleanup_(area_pools_done) struct area_pools found = { 0 };
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (sharer(&records[i])) {
                        r = take(&found, before, &records[i]);
                        if (r < 0)
                                (void)vss_error_from_errno(reterr, r, "looking at the pools");
                }
        snapshot_records_free(records, n);
        if (r < 0) {
                *ret = *before;
                *before = (struct area_pools){ 0 };
                return r;
        }
        area_pools_done(before);
        *ret = found;
        found = (struct area_pools){ 0 };
        return 0;
}

static unsigned per_cent(uint64_t used, uint64_t size) {
        return size > 0 ? (unsigned)((double)used * 100 / (double)size) : 0;
}

unsigned area_pool_per_cent(const struct area_pool *p) {
        unsigned data = per_cent(p->room.used, p->room.size);
        unsigned metadata = per_cent(p->room.metadata_used, p->room.metadata_size);

        return data > metadata ? data : metadata;
}

unsigned area_pool_news(struct area_pool *p) {
        unsigned now = area_pool_per_cent(p);
        unsigned step = now >= TELL_FROM ? now / TELL_STEP * TELL_STEP : 0;

        if (step <= p->told) {
                /* One step back and forth is no news. */
                if (step + TELL_STEP < p->told)
                        p->told = step;
                return 0;
        }
        p->told = step;
        return step;
}

bool area_pool_is_narrow(const struct area_pool *p) {
        return area_pool_per_cent(p) >= NARROW;
}
