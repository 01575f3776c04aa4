/* Breaking sets off: their copies become ordinary volumes, and nobody here knows of them any more.
 *
 * A set is looked at as a whole first: if one of its copies cannot be broken off nothing happens.
 * Then nobody reads the copies any more, exposures end, and the providers make volumes of those
 * that are theirs: all of them or none (lvm-thin-break.c says what a crash leaves). What was not
 * broken off is mounted and exposed again, now or by the next start. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/reverts.h"
#include "daemon/session/session-private.h"
#include "daemon/session/upkeep.h"

struct break_off {
        struct upkeep upkeep;
        struct store *store;
        VSS_ID id;
        uint32_t flags;

        /* Of the set, in the order of their numbers; those that are volumes now have a name. */
        struct snapshot_record *records;
        char **names; /* n, and a NULL behind them */
        size_t n;
};

static int say_bound(const struct snapshot_record *r, const char *reason,
                     struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EOPNOTSUPP,
                             "Snapshot %s of %s, made by the provider %s, cannot be broken off: %s",
                             VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(r->provider),
                             reason);
}

static int check_breakable(const struct snapshot_record *r, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));

        if (!p)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, 0,
                                     "Snapshot %s was made by the provider %s, which this service "
                                     "does not have; install it again to break the snapshot off",
                                     VSS_ID_TEXT(r->id), str_or_empty(r->provider));
        if (snapshot_is_away(r))
                return say_bound(r,
                                 "it is transportable and was not imported here; import it "
                                 "first, or have the host that imports it break it off",
                                 reterr);
        if (!p->break_off)
                return say_bound(r, p->bound ? p->bound : "its provider does not offer that",
                                 reterr);
        return volume_hold_check(r->origin_uuid, str_or_empty(r->volume), reterr);
}

/* From here on nobody reads it. */
static int put_away(const struct snapshot_record *r, struct vss_error *reterr) {
        int k = 0;

        if (r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES)
                k = storage_table()->unexpose(r, false, reterr);
        if (k >= 0)
                k = storage_table()->unmount(r, false, reterr);
        if (k < 0)
                exposure_again(r);
        return k;
}

/* How many from the first on, which is none's, are of its provider. They may lie apart. */
static size_t collect(const struct break_off *b, struct snapshot_record *part, size_t *places) {
        const char *provider = NULL;
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                const char *own = str_or_empty(b->records[i].provider);

                if (b->names[i] || (provider && !streq(own, provider)))
                        continue;
                provider = own;
                part[n] = b->records[i]; /* borrows its strings */
                places[n++] = i;
        }
        return n;
}

static int break_part(struct break_off *b, const struct snapshot_record *part, const size_t *places,
                      size_t n, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(part->provider));
        char **names = calloc(n, sizeof(*names));
        int r;

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "BreakSnapshotSet");
        r = p->break_off(b->store, part, n, b->flags, names, reterr);
        if (r < 0)
                (void)provider_error_check(p, "break", r, reterr); /* r is as good */
        for (size_t i = 0; i < n; i++)
                if (r >= 0)
                        b->names[places[i]] = names[i];
                else
                        free(names[i]);
        free(names);
        return r;
}

static int break_all(struct break_off *b, struct vss_error *reterr) {
        _cleanup_(freep) struct snapshot_record *part = calloc(b->n, sizeof(*part));
        _cleanup_(freep) size_t *places = calloc(b->n, sizeof(*places));
        size_t n;
        int r = 0;

        if (!part || !places)
                return vss_error_from_errno(reterr, -ENOMEM, "BreakSnapshotSet");
        while (r >= 0 && (n = collect(b, part, places)) > 0)
                r = break_part(b, part, places, n, reterr);
        return r;
}

static int find_set(struct break_off *b, struct vss_error *reterr) {
        int r;

        r = store_snapshot_list(b->store, b->id, &b->records, &b->n, reterr);
        if (r >= 0 && b->n == 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no snapshot set %s", VSS_ID_TEXT(b->id));
        for (size_t i = 0; r >= 0 && i < b->n; i++)
                r = check_breakable(&b->records[i], reterr);
        if (r < 0)
                return r;
        b->names = calloc(b->n + 1, sizeof(*b->names));
        return b->names ? 0 : vss_error_from_errno(reterr, -ENOMEM, "BreakSnapshotSet");
}

static int break_off_run(struct inquiry *q, struct vss_error *reterr) {
        struct break_off *b = (struct break_off *)q;
        size_t n_away = 0;
        int r;

        r = find_set(b, reterr);
        while (r >= 0 && n_away < b->n) {
                r = put_away(&b->records[n_away], reterr);
                if (r >= 0)
                        n_away++;
        }
        if (r >= 0)
                r = break_all(b, reterr);
        for (size_t i = 0; i < n_away; i++)
                if (!b->names[i])
                        snapshot_put_back(&b->records[i]);
        return r;
}

/* What the pages of BreakSnapshotSet and BreakSnapshotSetEx know; a provider may answer more. */
static void make_documented(struct vss_error *error) {
        static const HRESULT documented[] = {
                E_ACCESSDENIED,         E_INVALIDARG,        E_OUTOFMEMORY,
                VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO, VSS_E_BREAK_REVERT_ID_FAILED,
        };

        for (size_t i = 0; i < ARRAY_SIZE(documented); i++)
                if (error->hr == documented[i])
                        return;
        error->hr = VSS_E_UNEXPECTED;
}

static const void *break_off_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct break_off *b = (struct break_off *)q;
        unsigned n_broken = 0;

        for (size_t i = 0; b->names && i < b->n; i++) {
                const struct snapshot_record *record = &b->records[i];

                if (!b->names[i])
                        continue;
                n_broken++;
                log_full(LOG_NOTICE,
                         (&(const struct log_fields){ .set_id = &record->set_id,
                                                      .snapshot_id = &record->id }),
                         "Snapshot %s of %s was broken off: it is the volume %s",
                         VSS_ID_TEXT(record->id), str_or_empty(record->volume), b->names[i]);
                manager_tell(q->manager, record, SNAPSHOT_REMOVED);
        }
        if (n_broken > 0)
                manager_arm_expiry(q->manager);
        if (*r < 0)
                make_documented(error);
        if (*r < 0 && n_broken > 0)
                (void)vss_error_prefix(error, "%u of %zu copies are volumes of their own already",
                                       n_broken, b->n);
        upkeep_over(&b->upkeep);
        return *r >= 0 ? b->names : NULL;
}

static void break_off_free(struct inquiry *q) {
        struct break_off *b = (struct break_off *)q;

        for (size_t i = 0; b->names && i < b->n; i++)
                free(b->names[i]);
        free(b->names);
        snapshot_records_free(b->records, b->n);
}

static const struct inquiry_type break_off_type = {
        .name = "vss-break",
        .run = break_off_run,
        .answer = break_off_answer,
        .free = break_off_free,
};

static int check_flags(uint32_t flags, struct vss_error *reterr) {
        const uint32_t identity =
                VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL | VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE;
        const uint32_t others = VSS_BREAKEX_FLAG_MAKE_READ_WRITE | identity;

        if (flags & ~(others | VSS_BREAKEX_FLAG_MASK_LUNS))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "BreakSnapshotSetEx has no flag in 0x%x",
                                     (unsigned)(flags & ~(others | VSS_BREAKEX_FLAG_MASK_LUNS)));
        if ((flags & VSS_BREAKEX_FLAG_MASK_LUNS && flags & others) ||
            (flags & identity) == identity)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The flags 0x%x of BreakSnapshotSetEx exclude each other",
                                     (unsigned)flags);
        return 0;
}

static int manager_break(struct session_manager *m, struct session *session, VSS_ID set_id,
                         uint32_t flags, session_done_fn done, void *userdata,
                         struct vss_error *reterr) {
        struct break_off *b;
        struct inquiry *q;
        int r;

        r = check_flags(flags, reterr);
        if (r < 0)
                return r;
        if (vss_id_is_null(set_id)) /* which would mean all sets */
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no snapshot set with the null id");
        if (reverts_take_state_back(m->reverts)) /* it would have them as its copies again */
                return manager_refuse_before_boot(reterr, VSS_E_PROVIDER_VETO);
        r = inquiry_new(&q, sizeof(*b), &break_off_type, m, session, done, userdata, reterr);
        if (r < 0)
                return r;
        b = (struct break_off *)q;
        b->store = m->store;
        b->id = set_id;
        b->flags = flags;
        return upkeep_queue(&b->upkeep, reterr);
}

int manager_break_set(struct session_manager *m, VSS_ID set_id, uint32_t flags,
                      session_done_fn done, void *userdata, struct vss_error *reterr) {
        return manager_break(m, NULL, set_id, flags, done, userdata, reterr);
}

int session_break_snapshot_set(struct session *s, VSS_ID set_id, session_done_fn done,
                               void *userdata, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_BREAK_SNAPSHOT_SET, NULL, reterr);
        if (r >= 0)
                r = manager_break(s->manager, s, set_id, 0, done, userdata, reterr);
        if (r >= 0)
                session_consume_context(s);
        return r;
}

static void async_is_done(void *userdata, int r, const void *result _unused_,
                          struct vss_error *error) {
        struct async *a = userdata;

        if (r < 0 && error->hr == S_OK)
                (void)vss_error_from_errno(error, r, "BreakSnapshotSetEx");
        async_complete(a, error);
        async_unref(a);
}

/* A set that is not there is said at once; what the break itself meets, by the async. */
static int check_there(struct session *s, VSS_ID set_id, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list(s->manager->store, set_id, &records, &n, reterr);
        if (r >= 0 && (n == 0 || vss_id_is_null(set_id)))
                r = vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0, "There is no snapshot set %s",
                                  VSS_ID_TEXT(set_id));
        snapshot_records_free(records, n);
        return r;
}

int session_break_snapshot_set_ex(struct session *s, VSS_ID set_id, uint32_t flags,
                                  struct async **ret, struct vss_error *reterr) {
        _cleanup_(async_unrefp) struct async *a = NULL;
        int r;

        r = session_enter(s, METHOD_BREAK_SNAPSHOT_SET_EX, NULL, reterr);
        if (r >= 0)
                r = check_flags(flags, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        r = check_there(s, set_id, reterr);
        if (r < 0)
                return r;
        r = async_new(&a, "BreakSnapshotSetEx", NULL, NULL);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "BreakSnapshotSetEx");
        r = manager_break(s->manager, s, set_id, flags, async_is_done, async_ref(a), reterr);
        if (r < 0) {
                async_unref(a); /* the operation's */
                return r;
        }
        *ret = TAKE_PTR(a);
        return 0;
}
