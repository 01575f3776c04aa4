/* What a session asks about volumes and finished snapshots, and their deletion. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/session/session-private.h"

struct support {
        struct inquiry inquiry;
        char *spec;
        VSS_ID provider_id;
        LONG context;
        bool supported;
};

static void support_free(struct inquiry *q) {
        free(((struct support *)q)->spec);
}

static int support_run(struct inquiry *q, struct vss_error *reterr) {
        struct support *a = (struct support *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        const struct provider *provider;
        int r;

        r = storage_table()->volume_open(&v, a->spec, reterr);
        if (r >= 0)
                r = provider_select(&provider, a->provider_id, v, a->context, reterr);
        if (r >= 0) {
                const struct volume *volume = v;

                r = volumes_check_nesting(&volume, 1, reterr);
        }
        a->supported = r >= 0;
        return r;
}

/* "It cannot be snapshotted" is an answer, not a failure; the error stays as its reason. */
static const void *support_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct support *a = (struct support *)q;

        if (*r < 0 && (error->hr == VSS_E_VOLUME_NOT_SUPPORTED ||
                       error->hr == VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER))
                *r = 0;
        return *r >= 0 ? &a->supported : NULL;
}

static const struct inquiry_type support_type = {
        .name = "vss-supported",
        .run = support_run,
        .answer = support_answer,
        .free = support_free,
};

int session_is_volume_supported(struct session *s, VSS_ID provider, const char *volume,
                                session_done_fn done, void *userdata, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct support *a;
        int r;

        r = session_enter(s, METHOD_IS_VOLUME_SUPPORTED, NULL, reterr);
        if (r < 0)
                return r;
        if (str_empty(volume))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "IsVolumeSupported needs a volume: a mount point or a block "
                                     "device");
        r = inquiry_new(&q, sizeof(*a), &support_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct support *)q;
        a->provider_id = provider;
        /* Nothing is created in VSS_CTX_ALL: the question is a general one there. */
        a->context = s->context == VSS_CTX_ALL ? VSS_CTX_BACKUP : s->context;
        a->spec = strdup(volume);
        if (!a->spec)
                return vss_error_from_errno(reterr, -ENOMEM, "IsVolumeSupported");
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(q);
        return 0;
}

int session_get_snapshot_properties(struct session *s, VSS_ID id, struct snapshot_record *ret,
                                    struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_GET_SNAPSHOT_PROPERTIES, NULL, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        return store_snapshot_get(s->manager->store, id, ret, reterr);
}

static int query_check(VSS_ID queried, VSS_OBJECT_TYPE queried_type, VSS_OBJECT_TYPE returned_type,
                       struct vss_error *reterr) {
        if (!vss_id_is_null(queried) || queried_type != VSS_OBJECT_NONE)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Query takes the null id and VSS_OBJECT_NONE (1) alone; to "
                                     "find one set, query all snapshots and compare their set ids");
        if (returned_type != VSS_OBJECT_SNAPSHOT && returned_type != VSS_OBJECT_PROVIDER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Query returns snapshots (3) or providers (4), not objects of "
                                     "type %d",
                                     (int)returned_type);
        return 0;
}

int session_query_snapshots(struct session *s, VSS_ID queried, VSS_OBJECT_TYPE queried_type,
                            VSS_OBJECT_TYPE returned_type, struct snapshot_record **ret,
                            size_t *ret_n, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0, kept = 0;
        int r;

        r = session_enter(s, METHOD_QUERY, NULL, reterr);
        if (r < 0)
                return r;
        r = query_check(queried, queried_type, returned_type, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        if (returned_type == VSS_OBJECT_SNAPSHOT) {
                r = store_snapshot_list(s->manager->store, GUID_NULL, &records, &n, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++)
                if (s->context == VSS_CTX_ALL ||
                    vss_context_base(records[i].context) == vss_context_base(s->context))
                        records[kept++] = records[i];
                else
                        snapshot_record_done(&records[i]);
        *ret = records;
        *ret_n = kept;
        return 0;
}

int session_delete_snapshots(struct session *s, VSS_ID id, VSS_OBJECT_TYPE type, bool force,
                             session_done_fn done, void *userdata, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_DELETE_SNAPSHOTS, NULL, reterr);
        if (r < 0)
                return r;
        r = manager_delete(s->manager, s, id, type, force, done, userdata, reterr);
        if (r >= 0)
                session_consume_context(s);
        return r;
}
