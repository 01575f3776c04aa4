/* What anybody may ask of the host's volumes, without a session: can this one be snapshotted, does
 * it have snapshots, which are there. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/providers/provider.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/volume-facts.h"

struct question {
        struct inquiry inquiry;
        struct store *store;
        char *spec;

        struct snapshotted_result snapshotted;
        struct supported_result supported;
        char *reason;
        struct volume **volumes;
        struct volume_row *rows;
        size_t n;
        struct volume_list_result list;
        struct volume *found;
};

static void question_free(struct inquiry *q) {
        struct question *a = (struct question *)q;

        for (size_t i = 0; a->rows && i < a->n; i++)
                free(a->rows[i].reason);
        free(a->rows);
        if (a->volumes)
                volumes_free(a->volumes, a->n);
        volume_free(a->found);
        free(a->reason);
        free(a->spec);
}

static int question_new(struct question **ret, struct session_manager *m,
                        const struct inquiry_type *type, const char *spec, session_done_fn done,
                        void *userdata, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct question *a;
        int r;

        r = inquiry_new(&q, sizeof(*a), type, m, NULL, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct question *)q;
        a->store = m->store;
        if (str_replace(&a->spec, spec) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, type->name);
        *ret = a;
        TAKE_PTR(q);
        return 0;
}

static int question_ask(struct session_manager *m, const struct inquiry_type *type,
                        const char *spec, session_done_fn done, void *userdata,
                        struct vss_error *reterr) {
        struct question *a = NULL;
        int r;

        r = question_new(&a, m, type, spec, done, userdata, reterr);
        if (r < 0)
                return r;
        r = inquiry_start(&a->inquiry, reterr);
        if (r < 0)
                inquiry_free(&a->inquiry);
        return r;
}

static int check_spec(const char *volume, struct vss_error *reterr) {
        if (!str_empty(volume))
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "The volume is empty; give a mount point or a block device");
}

static int find_run(struct inquiry *q, struct vss_error *reterr) {
        struct question *a = (struct question *)q;
        int r = storage_table()->volume_open(&a->found, a->spec, reterr);

        if (r == -ENOMEM)
                return r;
        vss_error_done(reterr);
        return 0;
}

static const void *find_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        return *r >= 0 ? ((struct question *)q)->found : NULL;
}

static const struct inquiry_type find_type = {
        .name = "vss-question",
        .run = find_run,
        .answer = find_answer,
        .free = question_free,
};

int manager_find_volume(struct session_manager *m, const char *volume, session_done_fn done,
                        void *userdata, struct vss_error *reterr) {
        return question_ask(m, &find_type, volume, done, userdata, reterr);
}

static int snapshotted_run(struct inquiry *q, struct vss_error *reterr) {
        struct question *a = (struct question *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        unsigned n = 0;
        int r;

        r = storage_table()->volume_open(&v, a->spec, reterr);
        /* What is there and can have no snapshots has none. */
        if (r < 0 && reterr->hr == VSS_E_VOLUME_NOT_SUPPORTED) {
                vss_error_done(reterr);
                return 0;
        }
        if (r >= 0)
                r = volume_count_snapshots(a->store, v, &n, reterr);
        if (r < 0)
                return r;
        a->snapshotted.present = n > 0;
        /* Every block that a defragmenter moves is copied for each copy-on-write snapshot. */
        a->snapshotted.capability = n > 0 ? VSS_SC_DISABLE_DEFRAG : 0;
        return 0;
}

static const void *snapshotted_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct question *a = (struct question *)q;

        return *r >= 0 ? &a->snapshotted : NULL;
}

static const struct inquiry_type snapshotted_type = {
        .name = "vss-question",
        .run = snapshotted_run,
        .answer = snapshotted_answer,
        .free = question_free,
};

int manager_is_volume_snapshotted(struct session_manager *m, const char *volume,
                                  session_done_fn done, void *userdata, struct vss_error *reterr) {
        int r = check_spec(volume, reterr);

        return r < 0 ? r : question_ask(m, &snapshotted_type, volume, done, userdata, reterr);
}

/* Which provider would take v, or why none does: also of a failure, which may be that of somebody
 * else's process, and is to keep nobody from what there is to say of the other volumes. */
static int find_provider(const struct volume *v, const struct provider **ret, char **ret_reason,
                         struct vss_error *reterr) {
        const struct provider *p = NULL;
        struct vss_error why = { 0 };
        int r;

        r = provider_select(&p, GUID_NULL, v, VSS_CTX_BACKUP, &why);
        if (r >= 0)
                r = volumes_check_nesting(&v, 1, &why);
        if (r >= 0) {
                *ret = p;
                return 0;
        }
        *ret = NULL;
        if (why.hr == E_OUTOFMEMORY) {
                vss_error_move(reterr, &why);
                return r;
        }
        r = str_replace(ret_reason, str_or_empty(why.message));
        vss_error_done(&why);
        return r < 0 ? vss_error_from_errno(reterr, r, "Looking at a volume") : 0;
}

static int supported_run(struct inquiry *q, struct vss_error *reterr) {
        struct question *a = (struct question *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        const struct provider *p = NULL;
        int r;

        r = storage_table()->volume_open(&v, a->spec, reterr);
        if (r < 0 && reterr->hr == VSS_E_VOLUME_NOT_SUPPORTED) {
                r = str_replace(&a->reason, str_or_empty(reterr->message));
                vss_error_done(reterr);
                return r;
        }
        if (r >= 0)
                r = find_provider(v, &p, &a->reason, reterr);
        if (r < 0)
                return r;
        a->supported.supported = p;
        a->supported.provider = p ? p->name : "";
        return 0;
}

static const void *supported_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct question *a = (struct question *)q;

        a->supported.provider = str_or_empty(a->supported.provider);
        a->supported.reason = str_or_empty(a->reason);
        return *r >= 0 ? &a->supported : NULL;
}

static const struct inquiry_type supported_type = {
        .name = "vss-question",
        .run = supported_run,
        .answer = supported_answer,
        .free = question_free,
};

int manager_is_volume_supported(struct session_manager *m, const char *volume, session_done_fn done,
                                void *userdata, struct vss_error *reterr) {
        int r = check_spec(volume, reterr);

        return r < 0 ? r : question_ask(m, &supported_type, volume, done, userdata, reterr);
}

static int list_row(struct question *a, size_t i, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        struct volume_row *row = &a->rows[i];
        int r;

        row->volume = a->volumes[i];
        if (row->volume->refusal)
                r = str_replace(&row->reason, row->volume->refusal);
        else
                r = find_provider(row->volume, &row->provider, &row->reason, &why);
        /* Of one that cannot even be asked that is the reason: the others are wanted still. */
        if (r < 0 && r != -ENOMEM)
                r = str_replace(&row->reason, str_or_empty(why.message));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Listing the volumes");
        row->supported = row->provider;
        row->adoption = storage_table()->adoption(row->volume);
        return volume_count_snapshots(a->store, row->volume, &row->snapshots, reterr);
}

static int list_run(struct inquiry *q, struct vss_error *reterr) {
        struct question *a = (struct question *)q;
        int r;

        r = storage_table()->volume_list(&a->volumes, &a->n, reterr);
        if (r < 0)
                return r;
        a->rows = calloc(a->n > 0 ? a->n : 1, sizeof(*a->rows));
        if (!a->rows)
                return vss_error_from_errno(reterr, -ENOMEM, "Listing the volumes");
        for (size_t i = 0; i < a->n; i++) {
                r = list_row(a, i, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const void *list_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct question *a = (struct question *)q;

        a->list = (struct volume_list_result){ .rows = a->rows, .n = a->n };
        return *r >= 0 ? &a->list : NULL;
}

static const struct inquiry_type list_type = {
        .name = "vss-volumes",
        .run = list_run,
        .answer = list_answer,
        .free = question_free,
};

int manager_list_volumes(struct session_manager *m, session_done_fn done, void *userdata,
                         struct vss_error *reterr) {
        return question_ask(m, &list_type, NULL, done, userdata, reterr);
}
