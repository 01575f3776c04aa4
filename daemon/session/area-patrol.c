/* See area-patrol.h. */

#include "daemon/session/area-patrol.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/job/parallel.h"
#include "daemon/log/log.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/diff-areas.h"
#include "daemon/session/volume-facts.h"

#define MIB (UINT64_C(1024) * 1024)
/* What could not be done for another reason than want of room may be done by then. */
#define RETRY_USEC (10 * USEC_PER_SEC)

static void area_copy_done(struct area_copy *c) {
        snapshot_record_done(&c->record);
        vss_error_done(&c->error);
}

void area_copies_done(struct area_copies *c) {
        for (size_t i = 0; i < c->n; i++)
                area_copy_done(&c->items[i]);
        free(c->items);
        *c = (struct area_copies){ 0 };
}

bool area_copies_are_siblings(const struct area_copy *a, const struct area_copy *b) {
        return snapshots_have_one_origin(&a->record, &b->record);
}

uint64_t area_copies_allocated(const struct area_copies *c, const struct area_copy *of) {
        uint64_t sum = 0;

        for (size_t i = 0; i < c->n; i++)
                if (area_copies_are_siblings(&c->items[i], of))
                        sum += c->items[i].area.size;
        return sum;
}

static const struct provider *grower(const struct snapshot_record *r) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));

        return p && p->grow ? p : NULL;
}

/* Nobody writes to the store of one that is merged back, or can ask it anything. */
static bool is_merged(const struct snapshot_record *r) {
        VSS_ID id;

        return volume_is_reverting(r->origin_uuid, &id) && vss_id_equal(id, r->id);
}

bool area_patrol_concerns(const struct snapshot_record *r) {
        return grower(r);
}

/* Those that have a store, with what was known of them. */
static int list(struct area_copies *ret, const struct area_copies *before, struct store *store,
                struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        ret->items = calloc(n > 0 ? n : 1, sizeof(*ret->items));
        if (!ret->items) {
                snapshot_records_free(records, n);
                return vss_error_from_errno(reterr, -ENOMEM, "looking at the stores");
        }
        for (size_t i = 0; i < n; i++) {
                struct area_copy *c = &ret->items[ret->n];

                if (!grower(&records[i]) || volume_is_held(records[i].origin_uuid) ||
                    is_merged(&records[i]))
                        continue;
                for (size_t k = 0; k < before->n; k++)
                        if (vss_id_equal(before->items[k].record.id, records[i].id)) {
                                *c = before->items[k];
                                before->items[k].error = (struct vss_error){ 0 }; /* it is c's */
                                c->grown_from = 0;
                                c->failed = false;
                        }
                c->record = records[i];
                records[i] = (struct snapshot_record){ 0 };
                ret->n++;
        }
        snapshot_records_free(records, n);
        return 0;
}

/* One that cannot be asked (its disk is gone, it is being deleted) stays as it was known. */
static void look(struct area_copy *c) {
        uint64_t used, size, now = now_monotonic_usec();
        bool overflowed;

        if (grower(&c->record)->usage(&c->record, &used, &size, &overflowed, NULL) < 0)
                return;
        c->overflowed = overflowed;
        if (overflowed)
                return; /* and what it was before is all that is known of its store */
        if (c->looked_usec > 0)
                c->area.rate = area_rate(&c->area, used, now - c->looked_usec);
        c->area.used = used;
        c->area.size = size;
        c->looked_usec = now;
}

static void say_limit(struct area_copy *c, const struct area_limits *limits,
                      const struct area_room *room) {
        bool of_volume =
                area_may_have(&c->area, area_wants(&c->area),
                              &(const struct area_room){ .volume_allocated = room->volume_allocated,
                                                         .volume_maximum = room->volume_maximum,
                                                         .all_maximum = UINT64_MAX }) ==
                c->area.size;

        if (of_volume)
                (void)vss_error_set(&c->error, VSS_E_INSUFFICIENT_STORAGE, EDQUOT,
                                    "the stores of all copies of %s may take %llu MiB",
                                    str_or_empty(c->record.volume),
                                    (unsigned long long)(c->maximum / MIB));
        else
                (void)vss_error_set(&c->error, VSS_E_INSUFFICIENT_STORAGE, EDQUOT,
                                    "the stores of all copies may take %llu MiB",
                                    (unsigned long long)(limits->all_bytes / MIB));
}

/* How far it is to grow at this look: what was granted counts as its size for those after it. 0: it
 * is not to. */
static uint64_t grant(struct area_copies *all, struct area_copy *c,
                      const struct area_limits *limits) {
        struct area_room room = { .volume_maximum = c->maximum, .all_maximum = limits->all_bytes };
        uint64_t wanted = area_wants(&c->area), allowed;

        if (now_monotonic_usec() < c->pause_usec && wanted > c->area.size)
                return 0; /* and why, is still known */
        c->has_no_room = false;
        vss_error_done(&c->error);
        if (c->complete || c->overflowed || c->looked_usec == 0 || wanted <= c->area.size)
                return 0;
        room.volume_allocated = area_copies_allocated(all, c);
        for (size_t i = 0; i < all->n; i++)
                room.all_allocated += all->items[i].area.size;
        allowed = area_may_have(&c->area, wanted, &room);
        if (allowed > c->area.size)
                return allowed;
        c->has_no_room = true;
        say_limit(c, limits, &room);
        return 0;
}

/* One copy that is to grow. */
struct growth {
        struct store *store;
        struct area_copy *copy;
        uint64_t before, wanted;
};

/* Whatever comes of it is noted in the copy; that one cannot is no reason for the others. */
static int grow(size_t i, void *userdata, struct vss_error *reterr _unused_) {
        struct growth *g = (struct growth *)userdata + i;
        struct area_copy *c = g->copy;
        uint64_t got = g->before;
        int r;

        r = grower(&c->record)->grow(g->store, &c->record, g->wanted, &got, &c->error);
        c->area.size = r >= 0 ? got : g->before;
        if (r >= 0 && got <= g->before)
                c->complete = true;
        else if (r >= 0)
                c->grown_from = g->before;
        else {
                c->has_no_room = c->error.hr == VSS_E_INSUFFICIENT_STORAGE;
                c->failed = !c->has_no_room && c->error.hr != VSS_E_OBJECT_NOT_FOUND;
                c->pause_usec = now_monotonic_usec() + RETRY_USEC;
        }
        if (r >= 0)
                vss_error_done(&c->error);
        return 0;
}

/* How long it will last; those that do not fill are last. */
static uint64_t lasts(const struct area_copy *c) {
        uint64_t left = c->area.size > c->area.used ? c->area.size - c->area.used : 0;

        return c->area.rate > 0 ? left / c->area.rate : UINT64_MAX;
}

/* The order of growing alone: the list stays by number. */
static int compare(const void *a, const void *b) {
        struct area_copy *const *left = a, *const *right = b;
        uint64_t l = lasts(*left), r = lasts(*right);

        return (l > r) - (l < r);
}

/* What was set down for their volumes. */
static int read_maxima(struct area_copies *all, struct store *store,
                       const struct area_limits *limits, struct vss_error *reterr) {
        _cleanup_(freep) char *boot = NULL;
        struct area_record *areas = NULL;
        size_t n = 0;
        int r;

        r = store_area_list(store, &areas, &n, reterr);
        if (r < 0)
                return r;
        if (n > 0)
                (void)dm_copy_read_boot(&boot); /* then what is for this boot does not count */
        for (size_t i = 0; i < all->n; i++)
                all->items[i].maximum = area_maximum_of(areas, n, &all->items[i].record, boot,
                                                        limits->volume_bytes);
        area_records_free(areas, n);
        return 0;
}

int area_patrol(struct area_copies *ret, struct area_copies *before, struct store *store,
                const struct area_limits *limits, struct vss_error *reterr) {
        _cleanup_(area_copies_done) struct area_copies now = { 0 };
        _cleanup_(freep) struct area_copy **order = NULL;
        _cleanup_(freep) struct growth *growths = NULL;
        size_t n_growths = 0;
        int r;

        r = list(&now, before, store, reterr);
        if (r >= 0)
                r = read_maxima(&now, store, limits, reterr);
        if (r >= 0) {
                order = calloc(now.n > 0 ? now.n : 1, sizeof(struct area_copy *));
                growths = calloc(now.n > 0 ? now.n : 1, sizeof(*growths));
                if (!order || !growths)
                        r = vss_error_from_errno(reterr, -ENOMEM, "looking at the stores");
        }
        if (r < 0) {
                *ret = *before;
                *before = (struct area_copies){ 0 };
                return r;
        }
        for (size_t i = 0; i < now.n; i++) {
                order[i] = &now.items[i];
                look(order[i]);
        }
        qsort(order, now.n, sizeof(*order), compare);
        for (size_t i = 0; i < now.n; i++) {
                uint64_t wanted = grant(&now, order[i], limits);

                if (wanted == 0)
                        continue;
                growths[n_growths++] = (struct growth){ .store = store,
                                                        .copy = order[i],
                                                        .before = order[i]->area.size,
                                                        .wanted = wanted };
                order[i]->area.size = wanted;
        }
        /* Writers were frozen meanwhile, or a window opens: nothing that starts programs and writes
         * files now. */
        if (log_is_held()) {
                for (size_t i = 0; i < n_growths; i++)
                        growths[i].copy->area.size = growths[i].before;
                n_growths = 0;
        }
        /* Side by side: one group's lock, or one place that is slow, is not waited for by all. */
        (void)parallel_each(n_growths, grow, growths, NULL); /* none of them fails */
        area_copies_done(before);
        *ret = now;
        now = (struct area_copies){ 0 };
        return 0;
}
