/* Exposing finished snapshots, and undoing it.
 *
 * An intent is written before anything is mounted or shared, and closed when the record says so:
 *
 *      intent -> mounted (and shared) -> record -> intent closed
 *
 * A start that finds the intent looks at the record. If that has it, it was done; if not, whatever
 * there is of it goes. Undoing needs none: until the record has changed the snapshot is exposed,
 * and what is missing of that comes back with the next start. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/session-private.h"
#include "daemon/session/upkeep.h"

#include <stdio.h>

#define INTENT_KIND "expose"
/* The intent's provider: none has it. */
#define INTENT_OWNER "exposure"

struct exposure {
        struct upkeep upkeep;
        struct store *store;
        VSS_ID id;
        char *path, *expose;
        uint32_t attributes;
        uid_t owner; /* whose directory it has to be; 0: anybody's */
        struct snapshot_record record;
};

static void exposure_free(struct inquiry *q) {
        struct exposure *e = (struct exposure *)q;

        free(e->path);
        free(e->expose);
        snapshot_record_done(&e->record);
}

/* Copies for clients are reached by their clients alone; those that go with their requester have no
 * place of their own on the machine. */
static int check_context(const struct snapshot_record *r, uint32_t attributes,
                         struct vss_error *reterr) {
        if (snapshot_is_away(r))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "Snapshot %s is transportable and was not imported here; "
                                     "import it first",
                                     VSS_ID_TEXT(r->id));
        if (r->context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE)
                return vss_error_set(reterr, VSS_E_UNSUPPORTED_CONTEXT, 0,
                                     "Snapshot %s is of a client-accessible context, which is not "
                                     "exposed",
                                     VSS_ID_TEXT(r->id));
        if (attributes == VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY &&
            !(r->context & VSS_VOLSNAP_ATTR_PERSISTENT))
                return vss_error_set(reterr, VSS_E_UNSUPPORTED_CONTEXT, 0,
                                     "Snapshot %s goes with its requester, and only a persistent "
                                     "one is exposed locally",
                                     VSS_ID_TEXT(r->id));
        return 0;
}

static int check_free(const struct exposure *e, const char *name, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list_all(e->store, GUID_NULL, &records, &n, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!str_empty(records[i].exposed_name) && streq(records[i].exposed_name, name))
                        r = vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                          "Snapshot %s is exposed as %s already",
                                          VSS_ID_TEXT(records[i].id), name);
        snapshot_records_free(records, n);
        return r;
}

/* The record as it is to be; nothing is changed yet. */
static int exposure_prepare(struct exposure *e, struct vss_error *reterr) {
        struct snapshot_record *r = &e->record;
        _cleanup_(freep) char *name = NULL;
        int k;

        k = store_snapshot_get(e->store, e->id, r, reterr);
        if (k >= 0)
                k = check_context(r, e->attributes, reterr);
        if (k >= 0)
                k = volume_hold_check(r->origin_uuid, str_or_empty(r->volume), reterr);
        if (k < 0)
                return k;
        if (r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES)
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                     "Snapshot %s is exposed as %s; unexpose it first",
                                     VSS_ID_TEXT(r->id), str_or_empty(r->exposed_name));
        r->attributes |= (LONG)e->attributes;
        r->attributes &= ~VSS_VOLSNAP_ATTR_NOT_SURFACED;
        if (str_replace(&r->exposed_name, e->expose) < 0 ||
            str_replace(&r->exposed_path, *e->path ? e->path : NULL) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "ExposeSnapshot");
        k = storage_table()->expose_check(r, e->owner, &name, reterr);
        if (k >= 0)
                k = check_free(e, name, reterr);
        if (k < 0)
                return k;
        free(r->exposed_name);
        r->exposed_name = TAKE_PTR(name);
        return 0;
}

/* "ID ATTRIBUTES NAME": a name has no control character, whatever else. */
static int intent_open(struct store *store, const struct snapshot_record *r, int64_t *ret,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        struct intent_record intent = {
                .set_id = r->set_id,
                .provider = (char *)(uintptr_t)INTENT_OWNER,
                .kind = (char *)(uintptr_t)INTENT_KIND,
        };

        if (str_format(&data, "%s %x %s", VSS_ID_TEXT(r->id),
                       (unsigned)(r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES),
                       r->exposed_name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "ExposeSnapshot");
        intent.data = data;
        return store_intent_open(store, &intent, ret, reterr);
}

static void say(const struct snapshot_record *r, int priority, const struct vss_error *error,
                const char *what) {
        log_full(priority,
                 (&(const struct log_fields){ .set_id = &r->set_id,
                                              .snapshot_id = &r->id,
                                              .code = error ? error->hr : S_OK }),
                 "Snapshot %s of %s %s %s%s%s", VSS_ID_TEXT(r->id), str_or_empty(r->volume), what,
                 str_or_empty(r->exposed_name), error ? ": " : "",
                 error ? str_or_empty(error->message) : "");
}

/* What is not undone now the next start undoes: its intent stays. */
static int exposure_undo(const struct snapshot_record *r) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int k = storage_table()->unexpose(r, true, &error);

        if (k < 0)
                say(r, LOG_ERR, &error, "was not exposed, and something of it is left at");
        return k;
}

static int expose_run(struct inquiry *q, struct vss_error *reterr) {
        struct exposure *e = (struct exposure *)q;
        int64_t intent = 0;
        int r;

        r = exposure_prepare(e, reterr);
        if (r >= 0)
                r = intent_open(e->store, &e->record, &intent, reterr);
        if (r < 0)
                return r;
        r = storage_table()->expose(&e->record, e->owner, reterr);
        if (r >= 0)
                r = store_snapshot_update(e->store, &e->record, reterr);
        if (r >= 0 || exposure_undo(&e->record) >= 0) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                /* Open it does no harm: the record says how it ended. */
                if (store_intent_close(e->store, intent, &error) < 0)
                        say(&e->record, LOG_WARNING, &error, "leaves an intent, to be exposed as");
        }
        return r;
}

static const void *expose_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct exposure *e = (struct exposure *)q;

        if (*r >= 0) {
                say(&e->record, LOG_NOTICE, NULL, "is exposed as");
                manager_tell(q->manager, &e->record, SNAPSHOT_CHANGED);
        }
        upkeep_over(&e->upkeep);
        return *r >= 0 ? e->record.exposed_name : NULL;
}

static const struct inquiry_type expose_type = {
        .name = "vss-expose",
        .run = expose_run,
        .answer = expose_answer,
        .free = exposure_free,
};

static int hide(struct store *store, struct snapshot_record *shown, struct vss_error *reterr) {
        struct snapshot_record r = *shown; /* borrows its strings */

        r.exposed_name = r.exposed_path = NULL;
        r.attributes &= ~SNAPSHOT_EXPOSED_ATTRIBUTES;
        r.attributes |= VSS_VOLSNAP_ATTR_NOT_SURFACED;
        return store_snapshot_update(store, &r, reterr);
}

static int unexpose_run(struct inquiry *q, struct vss_error *reterr) {
        struct exposure *e = (struct exposure *)q;
        int r;

        r = store_snapshot_get(e->store, e->id, &e->record, reterr);
        if (r < 0)
                return r;
        if (!(e->record.attributes & SNAPSHOT_EXPOSED_ATTRIBUTES))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "Snapshot %s is not exposed", VSS_ID_TEXT(e->id));
        r = volume_hold_check(e->record.origin_uuid, str_or_empty(e->record.volume), reterr);
        if (r < 0)
                return r;
        r = storage_table()->unexpose(&e->record, false, reterr);
        if (r >= 0)
                r = hide(e->store, &e->record, reterr);
        if (r < 0)
                exposure_again(&e->record);
        return r;
}

static const void *unexpose_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct exposure *e = (struct exposure *)q;

        if (*r >= 0) {
                say(&e->record, LOG_NOTICE, NULL, "is no longer exposed as");
                manager_tell(q->manager, &e->record, SNAPSHOT_CHANGED);
        }
        upkeep_over(&e->upkeep);
        return NULL;
}

static const struct inquiry_type unexpose_type = {
        .name = "vss-unexpose",
        .run = unexpose_run,
        .answer = unexpose_answer,
        .free = exposure_free,
};

static int exposure_new(struct exposure **ret, const struct inquiry_type *type,
                        struct session_manager *m, struct session *session, VSS_ID id,
                        session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct inquiry *q;
        int r;

        r = inquiry_new(&q, sizeof(struct exposure), type, m, session, done, userdata, reterr);
        if (r < 0)
                return r;
        *ret = (struct exposure *)q;
        (*ret)->store = m->store;
        (*ret)->id = id;
        return 0;
}

static int check_arguments(const struct exposure_request *request, struct vss_error *reterr) {
        const bool local = request->attributes == VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY;

        if (!local && request->attributes != VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "ExposeSnapshot takes one of two attributes: 0x%x (locally) or "
                        "0x%x (remotely), not 0x%x",
                        (unsigned)VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                        (unsigned)VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY, (unsigned)request->attributes);
        if (local && (str_empty(request->expose) || request->expose[0] != '/'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' is no full path; name an empty directory to mount the "
                                     "snapshot on",
                                     str_or_empty(request->expose));
        if (strpbrk(str_or_empty(request->path), "*?$%"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The path from the snapshot's root, \"%s\", has a wildcard or "
                                     "a variable in it",
                                     request->path);
        return 0;
}

/* "/a/b/" is "a/b", and "/" is all. */
static int copy_path(char **ret, const char *path) {
        size_t n;

        path += strspn(path, "/");
        n = strlen(path);
        while (n > 0 && path[n - 1] == '/')
                n--;
        *ret = strndup(path, n);
        return *ret ? 0 : -ENOMEM;
}

int manager_expose(struct session_manager *m, struct session *session,
                   const struct exposure_request *request, session_done_fn done, void *userdata,
                   struct vss_error *reterr) {
        struct exposure *e;
        int r;

        r = check_arguments(request, reterr);
        if (r >= 0)
                r = exposure_new(&e, &expose_type, m, session, request->id, done, userdata, reterr);
        if (r < 0)
                return r;
        e->attributes = request->attributes;
        e->owner = request->owner;
        if (copy_path(&e->path, str_or_empty(request->path)) < 0 ||
            str_replace(&e->expose, str_or_empty(request->expose)) < 0) {
                inquiry_free(&e->upkeep.inquiry);
                return vss_error_from_errno(reterr, -ENOMEM, "ExposeSnapshot");
        }
        return upkeep_queue(&e->upkeep, reterr);
}

int manager_unexpose(struct session_manager *m, struct session *session, VSS_ID id,
                     session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct exposure *e;
        int r;

        r = exposure_new(&e, &unexpose_type, m, session, id, done, userdata, reterr);
        return r < 0 ? r : upkeep_queue(&e->upkeep, reterr);
}

int manager_expose_snapshot(struct session_manager *m, const struct exposure_request *request,
                            session_done_fn done, void *userdata, struct vss_error *reterr) {
        return manager_expose(m, NULL, request, done, userdata, reterr);
}

int manager_unexpose_snapshot(struct session_manager *m, VSS_ID id, session_done_fn done,
                              void *userdata, struct vss_error *reterr) {
        return manager_unexpose(m, NULL, id, done, userdata, reterr);
}

/* The arguments come before the context is consumed: what had no legal ones was no call. */
int session_expose_snapshot(struct session *s, const struct exposure_request *request,
                            session_done_fn done, void *userdata, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_EXPOSE_SNAPSHOT, NULL, reterr);
        if (r >= 0)
                r = manager_expose(s->manager, s, request, done, userdata, reterr);
        if (r >= 0)
                session_consume_context(s);
        return r;
}

int session_unexpose_snapshot(struct session *s, VSS_ID id, session_done_fn done, void *userdata,
                              struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_UNEXPOSE_SNAPSHOT, NULL, reterr);
        if (r >= 0)
                r = manager_unexpose(s->manager, s, id, done, userdata, reterr);
        if (r >= 0)
                session_consume_context(s);
        return r;
}

void exposure_again(const struct snapshot_record *r) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES &&
            storage_table()->expose_again(r, &error) < 0)
                say(r, LOG_ERR, &error, "cannot be exposed again as");
}

/* A service that cannot be told does not keep the snapshot from its end: what it would share is
 * not there any more. */
void exposure_end(const struct snapshot_record *r) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES &&
            storage_table()->unexpose(r, true, &error) < 0)
                say(r, LOG_WARNING, &error, "is deleted, and was not tidily ended as");
}

bool exposure_has_intent(const struct intent_record *intent) {
        return streq(str_or_empty(intent->provider), INTENT_OWNER);
}

static bool intent_parse(const char *data, VSS_ID *ret_id, uint32_t *ret_attributes,
                         const char **ret_name) {
        char id[VSS_ID_TEXT_MAX];
        int at = 0;

        if (sscanf(str_or_empty(data), "%36s %x %n", id, ret_attributes, &at) < 2 || at == 0 ||
            vss_id_parse(ret_id, id) < 0 || data[at] == '\0')
                return false;
        *ret_name = data + at;
        return *ret_attributes == VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY ||
               *ret_attributes == VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY;
}

int exposure_origins(struct store *store, const struct intent_record *intent, char ***uuids,
                     char ***names, struct vss_error *reterr) {
        struct snapshot_record r = { 0 };
        uint32_t attributes;
        const char *name;
        VSS_ID id;
        int k = 0;

        /* Of nothing that is there it is about nothing. */
        if (!intent_parse(intent->data, &id, &attributes, &name) ||
            store_snapshot_get(store, id, &r, NULL) < 0)
                return 0;
        k = strv_append(uuids, str_or_empty(r.origin_uuid));
        if (k >= 0)
                k = strv_append(names, str_or_empty(r.volume));
        snapshot_record_done(&r);
        return k < 0 ? vss_error_from_errno(reterr, k, name) : 0;
}

int exposure_recover(struct store *store, const struct intent_record *intent,
                     struct vss_error *reterr) {
        struct snapshot_record r = { 0 };
        uint32_t attributes;
        const char *name;
        VSS_ID id;
        int k;

        if (!intent_parse(intent->data, &id, &attributes, &name))
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG,
                                     "The intent of an exposure makes no sense: \"%s\"",
                                     str_or_empty(intent->data));
        k = store_snapshot_get(store, id, &r, reterr);
        if (k < 0) /* its deletion ended that, too */
                return reterr->hr == VSS_E_OBJECT_NOT_FOUND ? 0 : k;
        if (!(r.attributes & SNAPSHOT_EXPOSED_ATTRIBUTES)) {
                r.attributes |= (LONG)attributes;
                k = str_replace(&r.exposed_name, name) < 0
                            ? vss_error_from_errno(reterr, -ENOMEM, name)
                            : storage_table()->unexpose(&r, true, reterr);
        }
        snapshot_record_done(&r);
        return k;
}
