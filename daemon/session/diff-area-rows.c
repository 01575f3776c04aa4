/* See diff-area-rows.h. Blocking, for workers. */

#include "daemon/session/diff-area-rows.h"

#include "common/vss-id.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/session/volume-facts.h"

void area_rows_done(struct area_rows *a) {
        for (size_t i = 0; i < a->n; i++) {
                free(a->items[i].volume);
                free(a->items[i].store);
        }
        free(a->items);
        *a = (struct area_rows){ 0 };
}

static uint64_t maximum_now(const struct area_record *a, const char *boot) {
        int64_t maximum = a->boot && boot && streq(a->boot, boot) ? a->boot_maximum : a->maximum;

        return maximum < 0 ? UINT64_MAX : (uint64_t)maximum;
}

uint64_t area_maximum_of(const struct area_record *areas, size_t n, const struct snapshot_record *r,
                         const char *boot, uint64_t fallback) {
        const struct area_record *a = area_record_find(areas, n, r->volume, r->origin_uuid);

        return a ? maximum_now(a, boot) : fallback;
}

/* The maximum on the wire. */
static int64_t to_signed(uint64_t bytes) {
        return bytes > INT64_MAX ? AREA_NO_MAXIMUM : (int64_t)bytes;
}

static struct area_row *add_row(struct area_rows *a, const char *volume, const char *store) {
        struct area_row *longer = reallocarray(a->items, a->n + 1, sizeof(*longer));

        if (!longer)
                return NULL;
        a->items = longer;
        longer = &a->items[a->n];
        *longer = (struct area_row){ .volume = strdup(volume), .store = strdup(store) };
        a->n++;
        return longer->volume && longer->store ? longer : NULL;
}

static struct area_row *find_row(struct area_rows *a, const char *volume, const char *store) {
        for (size_t i = 0; i < a->n; i++)
                if (streq(a->items[i].volume, volume) && streq(a->items[i].store, store))
                        return &a->items[i];
        return NULL;
}

struct reading {
        struct area_rows *rows;
        struct area_record *areas;
        size_t n_areas;
        char *boot;
        uint64_t fallback;
        const struct area_filter *filter;
        const struct volume *volume;
};

static bool is_store_wanted(const struct reading *g, const char *store) {
        return str_empty(g->filter->store) || streq(g->filter->store, store);
}

static int take_set_down(struct reading *g) {
        for (size_t i = 0; i < g->n_areas; i++) {
                const struct area_record *a = &g->areas[i];
                struct area_row *row;

                if (!is_store_wanted(g, a->store) ||
                    (g->volume && !area_record_find(a, 1, g->volume->name, g->volume->dm_uuid)))
                        continue;
                row = add_row(g->rows, a->volume, a->store);
                if (!row)
                        return -ENOMEM;
                row->set_down = true;
                row->for_this_boot = a->boot && g->boot && streq(a->boot, g->boot);
                row->maximum = to_signed(maximum_now(a, g->boot));
        }
        return 0;
}

/* A row for what the copies of a volume share: it is no sum. One that is not active says nothing.
 */
static int take_shared(struct reading *g, const struct provider *p,
                       const struct snapshot_record *r) {
        const char *name = str_or_empty(r->volume);
        struct provider_room room;
        struct area_row *row;

        if (p->shared_room(r, &room, NULL) < 0 || !is_store_wanted(g, room.name) ||
            find_row(g->rows, name, room.name))
                return 0;
        row = add_row(g->rows, name, room.name);
        if (!row)
                return -ENOMEM;
        row->maximum = AREA_NO_MAXIMUM;
        row->used = (int64_t)room.used;
        row->allocated = (int64_t)room.size;
        return 0;
}

/* One that cannot be asked takes part without figures. */
static int take_copy(struct reading *g, const struct snapshot_record *r) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        uint64_t used = 0, size = 0;
        _cleanup_(freep) char *store = NULL;
        const struct area_record *known;
        const char *name = str_or_empty(r->volume);
        struct area_row *row;
        bool overflowed;

        if (!p || (g->volume && !volume_is_origin(g->volume, r)))
                return 0;
        if (p->shared_room)
                return take_shared(g, p, r);
        if (!p->place_of)
                return 0;
        if (p->place_of(r, &store, NULL) < 0 || !store || !is_store_wanted(g, store))
                return 0;
        (void)p->usage(r, &used, &size, &overflowed, NULL);
        known = area_record_find(g->areas, g->n_areas, name, r->origin_uuid);
        if (known)
                name = known->volume; /* it may be mounted elsewhere by now */
        row = find_row(g->rows, name, store);
        if (!row) {
                row = add_row(g->rows, name, store);
                if (!row)
                        return -ENOMEM;
                row->maximum =
                        to_signed(area_maximum_of(g->areas, g->n_areas, r, g->boot, g->fallback));
        }
        row->used += (int64_t)used;
        row->allocated += (int64_t)size;
        return 0;
}

int area_rows_read(struct area_rows *ret, struct store *store, const struct area_filter *filter,
                   const struct volume *v, uint64_t fallback, struct vss_error *reterr) {
        _cleanup_(area_rows_done) struct area_rows rows = { 0 };
        struct reading g = { .rows = &rows, .fallback = fallback, .filter = filter, .volume = v };
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_area_list(store, &g.areas, &g.n_areas, reterr);
        if (r >= 0)
                r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        if (r >= 0) {
                (void)dm_copy_read_boot(&g.boot); /* then what is for this boot does not count */
                r = take_set_down(&g);
                for (size_t i = 0; r >= 0 && i < n; i++)
                        r = take_copy(&g, &records[i]);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, "listing the diff areas");
        }
        snapshot_records_free(records, n);
        area_records_free(g.areas, g.n_areas);
        free(g.boot);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (struct area_rows){ 0 };
        return 0;
}
