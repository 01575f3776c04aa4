/* ImportSnapshots: the copies of a set that a loaded document describes become snapshots of this
 * host. One import at a time, among all that changes finished snapshots.
 *
 * The document is a file from anywhere. What is taken of it is a record to be; that there is such a
 * copy, and that it is this one, its provider finds out. Of a set some can be there and others not:
 * each is taken by itself, those that were commit together, and the others are left as they are. A
 * set that is to go with its requester goes with the one that imported it. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider-error.h"
#include "daemon/session/area-watch.h"
#include "daemon/session/set-description.h"
#include "daemon/session/upkeep.h"

#include <limits.h>

#define REASONS_MAX 3 /* that are told */

struct arrival {
        struct snapshot_record record;
        int64_t intent;
        bool own;   /* it was handed over by this host, which has a row of it */
        bool taken; /* it is readable; after the commit: it is there */
};

struct import {
        struct upkeep upkeep;
        struct store *store;
        VSS_ID set_id;
        LONG context;
        struct arrival *items;
        size_t n, n_taken;
        size_t count; /* of the set; the document may describe fewer */
        VSS_ID *ids;  /* of what was taken, for the session */

        char *reasons;
        unsigned n_reasons;
        HRESULT failure; /* of all that failed, if it is one for all */
};

static void say_why(struct import *im, const struct arrival *a, const struct vss_error *error) {
        _cleanup_(freep) char *longer = NULL;

        log_full(LOG_WARNING,
                 (&(const struct log_fields){
                         .set_id = &im->set_id, .snapshot_id = &a->record.id, .code = error->hr }),
                 "Snapshot %s of %s is not imported: %s", VSS_ID_TEXT(a->record.id),
                 str_or_empty(a->record.volume), str_or_empty(error->message));
        im->failure = im->n_reasons == 0 || im->failure == error->hr ? error->hr : E_FAIL;
        if (im->n_reasons++ >= REASONS_MAX ||
            str_format(&longer, "%s%s%s", str_or_empty(im->reasons), im->reasons ? "; " : "",
                       str_or_empty(error->message)) < 0)
                return;
        free(im->reasons);
        im->reasons = TAKE_PTR(longer);
}

/* --- one copy --- */

static int find_provider(const struct arrival *a, const struct provider **ret,
                         struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(a->record.provider));

        if (p && p->import && vss_id_equal(p->id, a->record.provider_id)) {
                *ret = p;
                return 0;
        }
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                             "The copy of %s was made by the provider %s, which this service %s",
                             str_or_empty(a->record.volume), str_or_empty(a->record.provider),
                             p ? "cannot import from" : "does not have");
}

/* What this host has handed over it knows better than a document. */
static int look_for_own(struct import *im, struct arrival *a, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct snapshot_record own = { 0 };
        int r;

        r = store_snapshot_get(im->store, a->record.id, &own, &error);
        if (r < 0 && error.hr == VSS_E_OBJECT_NOT_FOUND)
                return 0;
        if (r < 0) {
                vss_error_move(reterr, &error);
                return r;
        }
        r = 0;
        if (!snapshot_is_away(&own))
                r = vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                  "Snapshot %s is on this host already", VSS_ID_TEXT(own.id));
        else if (!vss_id_equal(own.set_id, im->set_id) || own.context != im->context)
                r = vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                  "Snapshot %s was made by this host in another set or context",
                                  VSS_ID_TEXT(own.id));
        if (r < 0) {
                snapshot_record_done(&own);
                return r;
        }
        snapshot_record_done(&a->record);
        a->record = own;
        a->own = true;
        return 0;
}

static bool is_mounted(const struct snapshot_record *r) {
        return !streq(str_or_empty(r->device), str_or_empty(r->device_object));
}

/* What the next start would do with its intent. */
static void take_back(struct import *im, struct arrival *a, const struct provider *p) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct intent_record *intents = NULL;
        size_t n = 0;
        int r;

        a->taken = false;
        if (is_mounted(&a->record))
                (void)storage_table()->unmount(&a->record, true, NULL); /* recover() tries again */
        r = store_intent_list(im->store, &intents, &n, &error);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (intents[i].id == a->intent)
                        r = p->recover(im->store, &intents[i], &error);
        intent_records_free(intents, n);
        /* A provider may have closed it. */
        if (r >= 0 && store_intent_close(im->store, a->intent, &error) < 0 &&
            error.hr != VSS_E_OBJECT_NOT_FOUND)
                r = -EIO;
        if (r < 0)
                log_set_failure(LOG_ERR, im->set_id, &error,
                                "The import of snapshot %s could not be undone, the next start of "
                                "the service tries again: %s",
                                VSS_ID_TEXT(a->record.id), str_or_empty(error.message));
}

static int take(struct import *im, struct arrival *a, struct vss_error *reterr) {
        const struct provider *p;
        int r;

        r = look_for_own(im, a, reterr);
        if (r >= 0)
                r = find_provider(a, &p, reterr);
        if (r < 0)
                return r;
        r = p->import(im->store, &a->record, &a->intent, reterr);
        if (r < 0)
                return provider_error_check(p, "import", r, reterr);
        a->taken = true;
        a->record.attributes |= VSS_VOLSNAP_ATTR_IMPORTED;
        if (is_mounted(&a->record))
                r = storage_table()->mount(&a->record, false, reterr);
        if (r < 0)
                take_back(im, a, p);
        return r;
}

/* --- all of them --- */

static int commit_new(struct import *im, struct vss_error *reterr) {
        _cleanup_(freep) struct snapshot_record *records = calloc(im->n, sizeof(*records));
        _cleanup_(freep) int64_t *intents = calloc(im->n, sizeof(*intents));
        size_t n = 0;

        if (!records || !intents)
                return vss_error_from_errno(reterr, -ENOMEM, "ImportSnapshots");
        for (size_t i = 0; i < im->n; i++) {
                if (!im->items[i].taken || im->items[i].own)
                        continue;
                records[n] = im->items[i].record; /* borrows its strings */
                intents[n++] = im->items[i].intent;
        }
        return n == 0 ? 0 : store_set_commit(im->store, NULL, records, n, intents, n, reterr);
}

/* The row first: an intent of what the row has as imported is only closed. */
static int commit_own(struct import *im, const struct arrival *a, struct vss_error *reterr) {
        int r;

        r = store_snapshot_update(im->store, &a->record, reterr);
        if (r >= 0)
                (void)store_intent_close(im->store, a->intent, NULL); /* the next start does */
        return r;
}

static void not_committed(struct import *im, struct arrival *a, const struct vss_error *error) {
        const struct provider *p = NULL;

        say_why(im, a, error);
        if (find_provider(a, &p, NULL) >= 0)
                take_back(im, a, p);
}

static void commit(struct import *im) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r = commit_new(im, &error);

        for (size_t i = 0; i < im->n; i++) {
                _cleanup_(vss_error_done) struct vss_error own = { 0 };
                struct arrival *a = &im->items[i];

                if (!a->taken)
                        continue;
                if (!a->own && r < 0)
                        not_committed(im, a, &error);
                else if (a->own && commit_own(im, a, &own) < 0)
                        not_committed(im, a, &own);
        }
}

/* Which of the documented outcomes it is. */
static int conclude(const struct import *im, struct vss_error *reterr) {
        HRESULT hr = VSS_E_NO_SNAPSHOTS_IMPORTED;

        if (im->n_taken == im->count)
                return 0;
        if (im->n_taken > 0) {
                /* A success with news; without memory it is without its sentence. */
                reterr->hr = VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED;
                (void)str_format(&reterr->message, "%zu of %zu snapshots were imported. %s",
                                 im->n_taken, im->count,
                                 im->reasons ? im->reasons : "The document has no more of the set");
                return 0;
        }
        if (im->failure == VSS_E_MISSING_DISK || im->failure == E_OUTOFMEMORY)
                hr = im->failure;
        return vss_error_set(reterr, hr, EIO, "None of %zu snapshots was imported. %s", im->count,
                             str_or_empty(im->reasons));
}

static int import_run(struct inquiry *q, struct vss_error *reterr) {
        struct import *im = (struct import *)q;
        int r;

        r = revert_check_before_boot(im->store, VSS_E_NO_SNAPSHOTS_IMPORTED, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < im->n; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                if (take(im, &im->items[i], &error) < 0)
                        say_why(im, &im->items[i], &error);
        }
        commit(im);
        for (size_t i = 0; i < im->n; i++)
                im->n_taken += im->items[i].taken;
        return conclude(im, reterr);
}

static void tell(struct session_manager *m, const struct arrival *a) {
        const struct snapshot_record *record = &a->record;

        log_full(LOG_NOTICE,
                 (&(const struct log_fields){ .set_id = &record->set_id,
                                              .snapshot_id = &record->id }),
                 "Snapshot %s of %s (%s) was imported as %s", VSS_ID_TEXT(record->id),
                 str_or_empty(record->volume), str_or_empty(record->originating_machine),
                 str_or_empty(record->device_object));
        manager_tell(m, record, a->own ? SNAPSHOT_CHANGED : SNAPSHOT_ADDED);
        area_watch_begin(m->areas, record, 1);
}

static const void *import_answer(struct inquiry *q, int *r _unused_,
                                 struct vss_error *error _unused_) {
        struct import *im = (struct import *)q;
        struct session *s = q->session;

        for (size_t i = 0, n = 0; i < im->n; i++)
                if (im->items[i].taken) {
                        im->ids[n++] = im->items[i].record.id;
                        tell(q->manager, &im->items[i]);
                }
        if (s && im->n_taken > 0) {
                s->set_created = true;
                s->imported = TAKE_PTR(im->ids);
                s->n_imported = im->n_taken;
                s->imported_context = im->context;
                session_set_state(s, s->operation.next);
        } else if (s)
                s->set_id = GUID_NULL;
        /* What has lost its requester meanwhile goes now; and what was thought to have this one. */
        manager_arm_expiry(q->manager);
        upkeep_over(&im->upkeep);
        return NULL;
}

static void import_free(struct inquiry *q) {
        struct import *im = (struct import *)q;

        for (size_t i = 0; im->items && i < im->n; i++)
                snapshot_record_done(&im->items[i].record);
        free(im->items);
        free(im->ids);
        free(im->reasons);
}

static const struct inquiry_type import_type = {
        .name = "vss-import",
        .run = import_run,
        .answer = import_answer,
        .free = import_free,
};

/* --- the call --- */

static int fill(struct import *im, const struct backup_snapshots *set) {
        char machine[HOST_NAME_MAX + 1] = { 0 };

        (void)gethostname(machine, sizeof(machine) - 1); /* without a name it is "" */
        im->set_id = set->set_id;
        im->context = set->context;
        im->count = (size_t)set->count; /* as many as it has at least: it was read so */
        im->items = calloc(set->n, sizeof(*im->items));
        im->ids = calloc(set->n, sizeof(*im->ids));
        if (!im->items || !im->ids)
                return -ENOMEM;
        for (; im->n < set->n; im->n++)
                if (set_description_record(set, im->n, machine, &im->items[im->n].record) < 0)
                        return -ENOMEM;
        return 0;
}

static void on_imported(void *userdata, int r _unused_, const void *result _unused_,
                        struct vss_error *error) {
        struct session *s = userdata;

        if (s->released || !s->operation.async) /* its end has told */
                return;
        session_end_operation(s, error);
}

static int begin(struct session *s, const struct backup_snapshots *set, enum session_state next,
                 struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct import *im;
        int r;

        r = inquiry_new(&q, sizeof(*im), &import_type, s->manager, s, on_imported, s, reterr);
        if (r < 0)
                return r;
        im = (struct import *)q;
        im->store = s->manager->store;
        r = fill(im, set);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "ImportSnapshots");
        r = session_begin_operation(s, METHOD_IMPORT_SNAPSHOTS, next, NULL, reterr);
        if (r < 0)
                return r;
        s->set_id = set->set_id; /* they have a requester from the first moment on */
        TAKE_PTR(q);
        r = upkeep_queue(&im->upkeep, reterr);
        if (r < 0) {
                s->set_id = GUID_NULL;
                s->operation.async = async_unref(s->operation.async);
        }
        return r;
}

/* An operation that has failed when its object comes into being. */
static int answer_failed(const struct vss_error *error, struct async **ret,
                         struct vss_error *reterr) {
        int r;

        r = async_new(ret, "ImportSnapshots", NULL, NULL);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "ImportSnapshots");
        async_complete(*ret, error);
        return 0;
}

int session_import_snapshots(struct session *s, struct async **ret, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct backup_snapshots set;
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_IMPORT_SNAPSHOTS, &next, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        r = backup_document_snapshots(s->document, &set, &error);
        if (r >= 0)
                r = set_description_check(&set, &error);
        if (r < 0)
                return answer_failed(&error, ret, reterr);
        r = begin(s, &set, next, reterr);
        if (r < 0)
                return r;
        *ret = async_ref(s->operation.async);
        return 0;
}
