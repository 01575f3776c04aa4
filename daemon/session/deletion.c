/* Deleting snapshots. What one provider has of a set goes together, where it can; then, or
 * should that fail, one by one: a deletion stops at the first snapshot that cannot go and says
 * which it was. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/upkeep.h"

struct deletion {
        struct upkeep upkeep;
        struct store *store;
        VSS_ID id;
        VSS_OBJECT_TYPE type;
        bool force;
        bool hidden; /* of a set that readers are not shown any more: manager_hide_set() */
        VSS_ID *ids; /* those of it alone; NULL: all */
        size_t n_ids;

        /* Those of the set, provider by provider; the first result.deleted are gone. */
        struct snapshot_record *records;
        size_t n;
        struct delete_result result;
};

/* What has become somebody's volume since is none of ours to delete; nor what may have. */
static int check_is_copy(const struct provider *p, const struct snapshot_record *r,
                         struct vss_error *reterr) {
        int k = p->is_broken_off ? p->is_broken_off(r, reterr) : 0;

        if (k <= 0)
                return k;
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "Snapshot %s of %s is a volume by now (somebody broke it off, or "
                             "renamed it): it is not deleted; restart the service, which forgets "
                             "the snapshot then",
                             VSS_ID_TEXT(r->id), str_or_empty(r->volume));
}

int snapshot_put_away(const struct provider *p, const struct snapshot_record *r, bool force,
                      struct vss_error *reterr) {
        int k;

        if (!p)
                return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                                     "Snapshot %s was made by the provider %s, which this service "
                                     "does not have; install it again to delete the snapshot",
                                     VSS_ID_TEXT(r->id), str_or_empty(r->provider));
        if (!force && !str_empty(r->exposed_name))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "Snapshot %s is exposed as %s; unexpose it first, or force",
                                     VSS_ID_TEXT(r->id), r->exposed_name);
        k = check_is_copy(p, r, reterr);
        if (k < 0)
                return k;
        exposure_end(r);
        k = storage_table()->unmount(r, force, reterr);
        if (k < 0)
                exposure_again(r);
        return k;
}

void snapshot_put_back(const struct snapshot_record *r) {
        struct vss_error error = { 0 };

        if (!snapshot_is_away(r) &&
            !streq(str_or_empty(r->device), str_or_empty(r->device_object)) &&
            storage_table()->mount(r, false, &error) < 0)
                log_full(LOG_WARNING, (&(const struct log_fields){ .snapshot_id = &r->id }), "%s",
                         str_or_empty(error.message));
        vss_error_done(&error);
        exposure_again(r);
}

static int remove_one_by_one(const struct provider *p, struct store *store,
                             const struct snapshot_record *records, size_t n, bool force,
                             size_t *ret_removed, struct vss_error *reterr) {
        int r = 0;

        for (*ret_removed = 0; *ret_removed < n; (*ret_removed)++) {
                r = p->remove(store, &records[*ret_removed], force, reterr);
                if (r < 0)
                        return provider_error_check(p, "remove", r, reterr);
        }
        return 0;
}

/* Those of one provider, in the order that they have: the first *ret_deleted are gone, also on
 * failure, and then the next is the one that could not go. Together where the provider can; should
 * that fail, one by one, which says for which it cannot be done. */
static int snapshots_delete(struct store *store, const struct snapshot_record *records, size_t n,
                            bool force, size_t *ret_deleted, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(records->provider));
        _cleanup_(vss_error_done) struct vss_error away_error = { 0 }, error = { 0 };
        size_t n_away = 0;
        int away = 0, r = -ENOTSUP;

        while (away >= 0 && n_away < n) {
                away = snapshot_put_away(p, &records[n_away], force, &away_error);
                if (away >= 0)
                        n_away++;
        }
        *ret_deleted = n_away;
        if (n_away > 1 && p->remove_all)
                r = p->remove_all(store, records, n_away, force, NULL); /* why is asked of each */
        if (r < 0)
                r = remove_one_by_one(p, store, records, n_away, force, ret_deleted, &error);
        for (size_t i = *ret_deleted; i < n_away; i++)
                snapshot_put_back(&records[i]);
        vss_error_move(reterr, r < 0 ? &error : &away_error);
        return r < 0 ? r : away;
}

int snapshot_delete(struct store *store, const struct snapshot_record *r, bool force,
                    struct vss_error *reterr) {
        size_t deleted;

        return snapshots_delete(store, r, 1, force, &deleted, reterr);
}

static bool is_chosen(const struct snapshot_choice *which, VSS_ID id) {
        for (size_t i = 0; i < which->n; i++)
                if (vss_id_equal(which->ids[i], id))
                        return true;
        return !which->ids;
}

static struct snapshot_choice deletion_choice(const struct deletion *d) {
        return (struct snapshot_choice){ .set_id = d->id, .ids = d->ids, .n = d->n_ids };
}

static void deletion_keep_chosen(struct deletion *d) {
        const struct snapshot_choice which = deletion_choice(d);
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++)
                if (is_chosen(&which, d->records[i].id))
                        d->records[n++] = d->records[i];
                else
                        snapshot_record_done(&d->records[i]);
        d->n = n;
}

static int deletion_find(struct deletion *d, struct vss_error *reterr) {
        int r;

        if (d->type == VSS_OBJECT_SNAPSHOT_SET) {
                r = (d->hidden ? store_snapshot_list_all
                               : store_snapshot_list)(d->store, d->id, &d->records, &d->n, reterr);
                deletion_keep_chosen(d);
                if (r >= 0 && d->n == 0)
                        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                             "There is no snapshot set %s", VSS_ID_TEXT(d->id));
                return r;
        }
        d->records = calloc(1, sizeof(*d->records));
        if (!d->records)
                return vss_error_from_errno(reterr, -ENOMEM, "DeleteSnapshots");
        r = store_snapshot_get(d->store, d->id, &d->records[0], reterr);
        if (r >= 0)
                d->n = 1;
        return r;
}

static int compare_providers(const void *a, const void *b) {
        const struct snapshot_record *left = a, *right = b;
        int order = strcmp(str_or_empty(left->provider), str_or_empty(right->provider));

        if (order != 0)
                return order;
        return (left->number > right->number) - (left->number < right->number);
}

/* How many from the first on are deleted in one go. */
static size_t deletion_count_alike(const struct deletion *d, size_t first) {
        const char *name = str_or_empty(d->records[first].provider);
        const struct provider *p = provider_by_name(name);
        size_t n = 1;

        if (p && p->remove_all)
                while (first + n < d->n &&
                       streq(str_or_empty(d->records[first + n].provider), name))
                        n++;
        return n;
}

static int deletion_run(struct inquiry *q, struct vss_error *reterr) {
        struct deletion *d = (struct deletion *)q;
        size_t gone = 0, deleted;
        int r;

        r = deletion_find(d, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < d->n; i++) {
                const struct snapshot_record *record = &d->records[i];

                r = volume_hold_check(record->origin_uuid, str_or_empty(record->volume), reterr);
                if (r < 0) {
                        d->result.not_deleted = record->id;
                        return r;
                }
        }
        qsort(d->records, d->n, sizeof(*d->records), compare_providers);
        while (gone < d->n) {
                r = snapshots_delete(d->store, &d->records[gone], deletion_count_alike(d, gone),
                                     d->force, &deleted, reterr);
                gone += deleted;
                d->result.deleted = (int32_t)gone;
                if (r < 0) {
                        d->result.not_deleted = d->records[gone].id;
                        return r;
                }
        }
        d->result.not_deleted = GUID_NULL;
        return 0;
}

/* What could not be deleted is there again, for somebody to delete it by hand. */
static void manager_show_set(struct session_manager *m, const struct snapshot_choice *which) {
        struct snapshot_record *left = NULL;
        size_t n = 0;

        /* Without memory they stay hidden until the next start, which deletes them. */
        (void)store_snapshot_list_all(m->store, which->set_id, &left, &n, NULL);
        for (size_t i = 0; i < n; i++) {
                if (!is_chosen(which, left[i].id))
                        continue;
                store_snapshot_show(m->store, left[i].id);
                manager_tell(m, &left[i], SNAPSHOT_ADDED);
        }
        snapshot_records_free(left, n);
}

static const void *deletion_answer(struct inquiry *q, int *r _unused_,
                                   struct vss_error *error _unused_) {
        struct deletion *d = (struct deletion *)q;
        const struct snapshot_choice which = deletion_choice(d);
        struct session_manager *m = q->manager;

        for (size_t i = 0; i < (size_t)d->result.deleted; i++) {
                const struct snapshot_record *record = &d->records[i];

                log_full(LOG_NOTICE,
                         (&(const struct log_fields){ .set_id = &record->set_id,
                                                      .snapshot_id = &record->id }),
                         "Snapshot %s of %s was deleted", VSS_ID_TEXT(record->id),
                         str_or_empty(record->volume));
                if (!d->hidden) /* else it was told when it was hidden */
                        manager_tell(m, record, SNAPSHOT_REMOVED);
        }
        if (d->hidden) {
                for (size_t i = 0; i < (size_t)d->result.deleted; i++)
                        store_snapshot_show(d->store, d->records[i].id);
                manager_show_set(m, &which);
        }
        if (d->result.deleted > 0)
                manager_arm_expiry(m);
        upkeep_over(&d->upkeep);
        return &d->result;
}

static void deletion_free(struct inquiry *q) {
        struct deletion *d = (struct deletion *)q;

        snapshot_records_free(d->records, d->n);
        free(d->ids);
}

static const struct inquiry_type deletion_type = {
        .name = "vss-delete",
        .run = deletion_run,
        .answer = deletion_answer,
        .free = deletion_free,
};

static int deletion_new(struct deletion **ret, struct session_manager *m, struct session *session,
                        VSS_ID id, VSS_OBJECT_TYPE type, bool force, session_done_fn done,
                        void *userdata, struct vss_error *reterr) {
        struct inquiry *q;
        struct deletion *d;
        int r;

        r = inquiry_new(&q, sizeof(*d), &deletion_type, m, session, done, userdata, reterr);
        if (r < 0)
                return r;
        d = (struct deletion *)q;
        d->store = m->store;
        d->id = id;
        d->type = type;
        d->force = force;
        d->result.not_deleted = id; /* until it is */
        *ret = d;
        return 0;
}

int manager_delete(struct session_manager *m, struct session *session, VSS_ID id,
                   VSS_OBJECT_TYPE type, bool force, session_done_fn done, void *userdata,
                   struct vss_error *reterr) {
        struct deletion *d = NULL;
        int r;

        if (type != VSS_OBJECT_SNAPSHOT && type != VSS_OBJECT_SNAPSHOT_SET)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "DeleteSnapshots takes the id of a snapshot (type 3) or of a "
                                     "snapshot set (type 2), not of an object of type %d",
                                     (int)type);
        if (vss_id_is_null(id))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no snapshot and no set with the null id");
        r = deletion_new(&d, m, session, id, type, force, done, userdata, reterr);
        return r < 0 ? r : upkeep_queue(&d->upkeep, reterr);
}

void manager_hide_set(struct session_manager *m, const struct snapshot_choice *which) {
        const VSS_ID set_id = which->set_id;
        struct snapshot_record *records = NULL;
        struct vss_error error = { 0 };
        size_t n = 0;

        if (store_snapshot_list(m->store, set_id, &records, &n, &error) < 0)
                log_set_failure(LOG_WARNING, set_id, &error, "%s", str_or_empty(error.message));
        for (size_t i = 0; i < n; i++) {
                if (!is_chosen(which, records[i].id))
                        continue;
                if (store_snapshot_hide(m->store, records[i].id) >= 0)
                        manager_tell(m, &records[i], SNAPSHOT_REMOVED);
                else
                        log_set(LOG_WARNING, set_id,
                                "Out of memory: snapshot %s is shown until it has been deleted",
                                VSS_ID_TEXT(records[i].id));
        }
        snapshot_records_free(records, n);
        vss_error_done(&error);
}

int manager_delete_hidden(struct session_manager *m, const struct snapshot_choice *which,
                          session_done_fn done, void *userdata, struct vss_error *reterr) {
        _cleanup_(freep) VSS_ID *ids = NULL;
        struct deletion *d = NULL;
        int r = 0;

        if (which->ids) {
                ids = calloc(which->n, sizeof(*ids));
                if (!ids)
                        r = vss_error_from_errno(reterr, -ENOMEM, "DeleteSnapshots");
                else
                        memcpy(ids, which->ids, which->n * sizeof(*ids));
        }
        if (r >= 0)
                r = deletion_new(&d, m, NULL, which->set_id, VSS_OBJECT_SNAPSHOT_SET, true, done,
                                 userdata, reterr);
        if (r >= 0) {
                d->hidden = true;
                d->n_ids = which->n;
                d->ids = TAKE_PTR(ids);
                r = upkeep_queue(&d->upkeep, reterr);
        }
        if (r < 0)
                manager_show_set(m, which);
        return r;
}

int manager_delete_snapshots(struct session_manager *m, VSS_ID id, VSS_OBJECT_TYPE type, bool force,
                             session_done_fn done, void *userdata, struct vss_error *reterr) {
        return manager_delete(m, NULL, id, type, force, done, userdata, reterr);
}
