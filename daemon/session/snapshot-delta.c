/* Which blocks differ between a copy and its volume, or between two copies of it: what may be asked
 * of which copies; what differs, their provider knows. */

#include "common/vss-id.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/volume-facts.h"

#include <pthread.h>

struct comparison {
        struct inquiry inquiry;
        struct store *store;
        VSS_ID older, younger;
        struct delta_result result;
};

/* One at a time: each needs memory for its map, and others make the answer of none come sooner. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool is_same_volume(const struct snapshot_record *a, const struct snapshot_record *b) {
        return streq(str_or_empty(a->provider), str_or_empty(b->provider)) &&
               snapshots_have_one_origin(a, b);
}

static int check_pair(const struct snapshot_record *older, const struct snapshot_record *younger,
                      struct vss_error *reterr) {
        if (!is_same_volume(older, younger))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The copies %s of %s and %s of %s are not of one volume and "
                                     "one provider",
                                     VSS_ID_TEXT(older->id), str_or_empty(older->volume),
                                     VSS_ID_TEXT(younger->id), str_or_empty(younger->volume));
        if (!snapshot_is_newer(younger, older))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The copy %s is not older than %s; the older one comes first",
                                     VSS_ID_TEXT(older->id), VSS_ID_TEXT(younger->id));
        return 0;
}

static int compare(struct comparison *c, const struct snapshot_record *older,
                   const struct snapshot_record *younger, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(older->provider));
        _cleanup_(delta_map_done) struct delta_map map = { 0 };
        int r;

        if (!p)
                return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                                     "Snapshot %s was made by the provider %s, which this service "
                                     "does not have",
                                     VSS_ID_TEXT(older->id), str_or_empty(older->provider));
        if (!p->delta)
                return vss_error_set(reterr, E_NOTIMPL, EOPNOTSUPP,
                                     "The provider %s keeps no account of what changes", p->name);
        (void)pthread_mutex_lock(&turn); /* a plain mutex of ours */
        r = p->delta(&map, c->store, older, younger, reterr);
        (void)pthread_mutex_unlock(&turn); /* as above */
        if (r < 0)
                return provider_error_check(p, "delta", r, reterr);
        c->result.block_bytes = map.block_bytes;
        c->result.volume_bytes = map.volume_bytes;
        c->result.exact = map.exact;
        r = document_new(&c->result.bitmap, (char *)map.bits, delta_map_size(&map), reterr);
        map.bits = NULL; /* the document's, on failure too */
        if (r < 0)
                return r;
        r = document_prepare(c->result.bitmap);
        return r < 0 ? vss_error_from_errno(reterr, r, "The map of changed blocks") : 0;
}

static int comparison_run(struct inquiry *q, struct vss_error *reterr) {
        _cleanup_(snapshot_record_done) struct snapshot_record older = { 0 }, younger = { 0 };
        struct comparison *c = (struct comparison *)q;
        bool live = vss_id_is_null(c->younger);
        int r;

        r = store_snapshot_get(c->store, c->older, &older, reterr);
        if (r >= 0 && !live)
                r = store_snapshot_get(c->store, c->younger, &younger, reterr);
        if (r >= 0 && !live)
                r = check_pair(&older, &younger, reterr);
        if (r >= 0 && (snapshot_is_away(&older) || (!live && snapshot_is_away(&younger))))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "The copy %s is transportable and was not imported here; "
                                     "import it first",
                                     VSS_ID_TEXT(snapshot_is_away(&older) ? older.id : younger.id));
        if (r >= 0)
                r = volume_hold_check(older.origin_uuid, str_or_empty(older.volume), reterr);
        return r < 0 ? r : compare(c, &older, live ? NULL : &younger, reterr);
}

static const void *comparison_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct comparison *c = (struct comparison *)q;

        return *r >= 0 ? &c->result : NULL;
}

static void comparison_free(struct inquiry *q) {
        struct comparison *c = (struct comparison *)q;

        document_unref(c->result.bitmap);
}

static const struct inquiry_type comparison_type = {
        .name = "vss-delta",
        .run = comparison_run,
        .answer = comparison_answer,
        .free = comparison_free,
};

int manager_query_delta(struct session_manager *m, VSS_ID older, VSS_ID younger,
                        session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct inquiry *q;
        struct comparison *c;
        int r;

        r = inquiry_new(&q, sizeof(*c), &comparison_type, m, NULL, done, userdata, reterr);
        if (r < 0)
                return r;
        c = (struct comparison *)q;
        c->store = m->store;
        c->older = older;
        c->younger = younger;
        r = inquiry_start(q, reterr);
        if (r < 0)
                inquiry_free(q);
        return r;
}
