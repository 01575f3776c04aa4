/* See diff-areas.h: the questions and the changes, on workers. */

#include "daemon/session/diff-areas.h"

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/snapshot-size.h"
#include "daemon/session/diff-area-rows.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/volume-facts.h"

#include <pthread.h>

#define MIB (UINT64_C(1024) * 1024)

struct query {
        struct inquiry inquiry;
        struct store *store;
        uint64_t fallback;
        char *volume, *place;
        VSS_ID snapshot;
        struct area_change change; /* without its strings */

        struct area_rows rows;
        struct area_list_result list;
        struct provider_places places;
};

/* Looking and writing are one step. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

static void query_free(struct inquiry *q) {
        struct query *a = (struct query *)q;

        free(a->volume);
        free(a->place);
        area_rows_done(&a->rows);
        provider_places_done(&a->places);
}

static int query_new(struct query **ret, struct session_manager *m, const struct inquiry_type *type,
                     const char *volume, const char *place, session_done_fn done, void *userdata,
                     struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct query *a;
        int r;

        r = inquiry_new(&q, sizeof(*a), type, m, NULL, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct query *)q;
        a->store = m->store;
        a->fallback = m->config.area_volume_bytes;
        if ((!str_empty(volume) && str_replace(&a->volume, volume) < 0) ||
            (!str_empty(place) && str_replace(&a->place, place) < 0))
                return vss_error_from_errno(reterr, -ENOMEM, type->name);
        *ret = a;
        TAKE_PTR(q);
        return 0;
}

static int query_start(struct query *a, struct vss_error *reterr) {
        int r = inquiry_start(&a->inquiry, reterr);

        if (r < 0)
                inquiry_free(&a->inquiry);
        return r;
}

/* --- what there is ---------------------------------------------------------------------------- */

static int list_run(struct inquiry *q, struct vss_error *reterr) {
        struct query *a = (struct query *)q;
        const struct area_filter filter = { .store = a->place };
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r = 0;

        if (!vss_id_is_null(a->snapshot)) {
                _cleanup_(snapshot_record_done) struct snapshot_record record = { 0 };

                r = store_snapshot_get(a->store, a->snapshot, &record, reterr);
                if (r >= 0 && str_replace(&a->volume, str_or_empty(record.volume)) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, "listing the diff areas");
        }
        if (r >= 0 && a->volume)
                r = storage_table()->volume_open(&v, a->volume, reterr);
        if (r >= 0)
                r = area_rows_read(&a->rows, a->store, &filter, v, a->fallback, reterr);
        return r;
}

static const void *list_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct query *a = (struct query *)q;

        a->list = (struct area_list_result){ .rows = a->rows.items, .n = a->rows.n };
        return *r >= 0 ? &a->list : NULL;
}

static const struct inquiry_type list_type = {
        .name = "vss-areas",
        .run = list_run,
        .answer = list_answer,
        .free = query_free,
};

int manager_list_areas(struct session_manager *m, const struct area_filter *filter,
                       session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct query *a = NULL;
        int r;

        r = query_new(&a, m, &list_type, filter->volume, filter->store, done, userdata, reterr);
        if (r < 0)
                return r;
        a->snapshot = filter->snapshot;
        return query_start(a, reterr);
}

/* --- where they could be ---------------------------------------------------------------------- */

/* Diff areas are the system's providers', also of a volume that a vendor's takes by default: these
 * alone make client-accessible copies. */
static int select_system(const struct provider **ret, const struct volume *v,
                         struct vss_error *reterr) {
        return provider_select(ret, GUID_NULL, v, VSS_CTX_CLIENT_ACCESSIBLE, reterr);
}

static int find_places(const struct volume *v, struct provider_places *ret,
                       struct vss_error *reterr) {
        const struct provider *p = NULL;
        int r;

        r = select_system(&p, v, reterr);
        if (r < 0)
                return r;
        if (!p->places)
                return vss_error_set(reterr, E_NOTIMPL, EOPNOTSUPP,
                                     "copies of %s are made by %s, and have no diff area", v->name,
                                     p->name);
        return p->places(v, ret, reterr);
}

/* What copies share with others is not this service's to limit. */
static int check_kind(const struct volume *v, struct vss_error *reterr) {
        const struct provider *p = NULL;
        int r;

        r = select_system(&p, v, reterr);
        if (r < 0 || p->grow)
                return r;
        return vss_error_set(reterr, E_NOTIMPL, EOPNOTSUPP,
                             "copies of %s are made by %s, and have no stores of their own: the "
                             "room that they share with others has no maximum here",
                             v->name, p->name);
}

static int stores_run(struct inquiry *q, struct vss_error *reterr) {
        struct query *a = (struct query *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        r = storage_table()->volume_open(&v, str_or_empty(a->volume), reterr);
        return r < 0 ? r : find_places(v, &a->places, reterr);
}

static const void *stores_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        return *r >= 0 ? &((struct query *)q)->places : NULL;
}

static const struct inquiry_type stores_type = {
        .name = "vss-areas",
        .run = stores_run,
        .answer = stores_answer,
        .free = query_free,
};

static int check_volume(const char *volume, struct vss_error *reterr) {
        if (!str_empty(volume))
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                             "The volume is empty; give a mount point or a block device");
}

int manager_list_area_stores(struct session_manager *m, const char *volume, session_done_fn done,
                             void *userdata, struct vss_error *reterr) {
        struct query *a = NULL;
        int r;

        r = check_volume(volume, reterr);
        if (r >= 0)
                r = query_new(&a, m, &stores_type, volume, NULL, done, userdata, reterr);
        return r < 0 ? r : query_start(a, reterr);
}

/* --- setting it down -------------------------------------------------------------------------- */

uint64_t area_minimum(void) {
        return snapshot_size_minimum();
}

/* Large enough for one copy. */
static int check_maximum(const struct volume *v, int64_t maximum, struct vss_error *reterr) {
        uint64_t least = snapshot_size_wanted(v->size, 1);

        if (maximum == AREA_NO_MAXIMUM || (uint64_t)maximum >= least)
                return 0;
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ERANGE,
                             "a maximum of %llu MiB is too small for one copy of %s, whose store "
                             "begins with %llu MiB",
                             (unsigned long long)((uint64_t)maximum / MIB), v->name,
                             (unsigned long long)(least / MIB));
}

/* "/a or tank"; "": none. */
static int list_names(const struct provider_places *places, char **ret) {
        _cleanup_(freep) char *text = strdup("");

        for (size_t i = 0; text && i < places->n; i++) {
                char *longer;

                if (str_format(&longer, "%s%s%s", text, i > 0 ? " or " : "",
                               places->items[i].name) < 0)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        *ret = TAKE_PTR(text);
        return *ret ? 0 : -ENOMEM;
}

/* The stores of LVM's volumes are in their own group; the others' go where [Stores] has it. */
static int check_store(const struct volume *v, const char *store, struct vss_error *reterr) {
        _cleanup_(provider_places_done) struct provider_places places = { 0 };
        _cleanup_(freep) char *names = NULL;
        int r;

        r = find_places(v, &places, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < places.n; i++)
                if (streq(places.items[i].name, store))
                        return 0;
        if (list_names(&places, &names) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->name);
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "the stores of copies of %s cannot go to %s; they go to %s%s", v->name,
                             store, places.n > 0 ? names : "no place at all",
                             v->vg ? ", its volume group"
                                   : "; [Stores] in /etc/vss/vssd.conf says where (vssd(8))");
}

/* One that came with its copies, and was not set down, is there as well. */
static int forget(struct query *a, const struct volume *v, const struct area_record *known,
                  struct vss_error *reterr) {
        const struct area_filter here = { .store = a->place };
        unsigned n = 0;
        int r;

        r = area_rows_read(&a->rows, a->store, &here, v, a->fallback, reterr);
        if (r >= 0 && a->rows.n > 0)
                r = volume_count_snapshots(a->store, v, &n, reterr);
        if (r < 0)
                return r;
        if (n == 0 && (!known || !streq(known->store, a->place)))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "there is no diff area of %s on %s", v->name, a->place);
        if (n > 0)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s has %u copies, which use the diff area; delete them first",
                                     v->name, n);
        return store_area_delete(a->store, known->volume, reterr);
}

static int check_add(struct query *a, const struct volume *v, const struct area_record *known,
                     struct vss_error *reterr) {
        unsigned n = 0;
        int r;

        if (known)
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                     "the diff area of %s on %s has been set down already; its "
                                     "maximum can be changed ('vssctl storage resize')",
                                     v->name, known->store);
        r = volume_count_snapshots(a->store, v, &n, reterr);
        if (r < 0 || n == 0)
                return r;
        return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                             "%s has copies, and with them a diff area; its maximum can be changed "
                             "('vssctl storage resize')",
                             v->name);
}

/* A volume has one area: where it was set down, or where its copies have their stores. */
static int check_only_one(struct query *a, const struct volume *v, const struct area_record *known,
                          struct vss_error *reterr) {
        const struct area_filter anywhere = { .store = NULL };
        const char *elsewhere = known ? known->store : NULL;
        int r = 0;

        if (!known)
                r = area_rows_read(&a->rows, a->store, &anywhere, v, a->fallback, reterr);
        for (size_t i = 0; i < a->rows.n; i++) {
                elsewhere = a->rows.items[i].store;
                if (streq(elsewhere, a->place))
                        break;
        }
        if (r < 0 || !elsewhere || streq(elsewhere, a->place))
                return r;
        return vss_error_set(reterr, VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED, EEXIST,
                             "the diff area of %s is on %s, and it has one", v->name, elsewhere);
}

static int write_area(struct query *a, const struct volume *v, const struct area_record *known,
                      struct vss_error *reterr) {
        _cleanup_(freep) char *boot = NULL;
        struct area_record record = {
                .volume = known ? known->volume : v->name,
                .origin_uuid = str_empty(v->dm_uuid) ? NULL : v->dm_uuid,
                .store = a->place,
                .maximum = a->change.maximum,
        };

        if (a->change.for_this_boot) {
                int r = dm_copy_read_boot(&boot);

                if (r < 0)
                        return vss_error_from_errno(reterr, r, dm_copy_boot_file);
                record.maximum = known                     ? known->maximum
                                 : a->fallback > INT64_MAX ? AREA_NO_MAXIMUM
                                                           : (int64_t)a->fallback;
                record.boot = boot;
                record.boot_maximum = a->change.maximum;
        }
        return store_area_put(a->store, &record, reterr);
}

static int change(struct query *a, const struct volume *v, struct vss_error *reterr) {
        const struct area_record *known;
        struct area_record *areas = NULL;
        size_t n = 0;
        int r;

        r = store_area_list(a->store, &areas, &n, reterr);
        if (r < 0)
                return r;
        known = area_record_find(areas, n, v->name, v->dm_uuid);
        if (!known)
                r = check_kind(v, reterr);
        if (r >= 0 && a->change.maximum == 0)
                r = forget(a, v, known, reterr);
        else if (r >= 0) {
                r = check_only_one(a, v, known, reterr);
                if (r >= 0 && a->change.add)
                        r = check_add(a, v, known, reterr);
                if (r >= 0)
                        r = check_maximum(v, a->change.maximum, reterr);
                if (r >= 0)
                        r = check_store(v, a->place, reterr);
                if (r >= 0)
                        r = write_area(a, v, known, reterr);
        }
        area_records_free(areas, n);
        return r;
}

static int change_run(struct inquiry *q, struct vss_error *reterr) {
        struct query *a = (struct query *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        r = storage_table()->volume_open(&v, str_or_empty(a->volume), reterr);
        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&changing); /* a plain mutex of ours */
        r = change(a, v, reterr);
        (void)pthread_mutex_unlock(&changing); /* as above */
        return r;
}

static const void *change_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        const struct query *a = (const struct query *)q;

        if (*r >= 0)
                log_notice(
                        "The diff area of %s on %s may take %lld bytes%s (-1: no limit; 0: it is "
                        "not set down any more)",
                        a->volume, a->place, (long long)a->change.maximum,
                        a->change.for_this_boot ? ", until the machine stops" : "");
        return NULL;
}

static const struct inquiry_type change_type = {
        .name = "vss-areas",
        .run = change_run,
        .answer = change_answer,
        .free = query_free,
};

static int check_change(const struct area_change *c, struct vss_error *reterr) {
        int r = check_volume(c->volume, reterr);

        if (r < 0)
                return r;
        if (str_empty(c->store))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The store is empty; give a volume group, a directory or a "
                                     "block device");
        if (c->maximum < AREA_NO_MAXIMUM)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "%lld is no maximum; -1 is none",
                                     (long long)c->maximum);
        if (c->maximum == 0 && (c->add || c->for_this_boot))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "0 is no maximum of a diff area that is to be there");
        return 0;
}

int manager_change_area(struct session_manager *m, const struct area_change *wanted,
                        session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct query *a = NULL;
        int r;

        r = check_change(wanted, reterr);
        if (r >= 0)
                r = query_new(&a, m, &change_type, wanted->volume, wanted->store, done, userdata,
                              reterr);
        if (r < 0)
                return r;
        a->change = *wanted;
        a->change.volume = a->change.store = NULL; /* the caller's, who goes on */
        return query_start(a, reterr);
}
