/* The writer filter of one session, part of it. Ids nobody has are kept all the same: a writer may
 * register between the filter and the gathering. */

#include "daemon/session/writer-filter.h"

#include "common/vss-id.h"

/* What a requester can make us keep. */
#define IDS_MAX 4096

static bool id_set_has(const struct id_set *s, VSS_ID id) {
        for (size_t i = 0; i < s->n; i++)
                if (vss_id_equal(s->ids[i], id))
                        return true;
        return false;
}

static void id_set_remove(struct id_set *s, VSS_ID id) {
        for (size_t i = 0; i < s->n; i++)
                if (vss_id_equal(s->ids[i], id)) {
                        s->ids[i] = s->ids[--s->n];
                        return;
                }
}

/* All or none. */
static int id_set_add(struct id_set *s, const VSS_ID *ids, size_t n, struct vss_error *reterr) {
        VSS_ID *grown;

        if (n > IDS_MAX || s->n + n > IDS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "A writer filter holds %d ids at most; disable writer classes "
                                     "rather than instances",
                                     IDS_MAX);
        if (n == 0)
                return 0;
        grown = reallocarray(s->ids, s->n + n, sizeof(*grown));
        if (!grown)
                return vss_error_from_errno(reterr, -ENOMEM, "Filtering writers");
        s->ids = grown;
        for (size_t i = 0; i < n; i++)
                if (!id_set_has(s, ids[i]))
                        s->ids[s->n++] = ids[i];
        return 0;
}

static void id_set_done(struct id_set *s) {
        free(s->ids);
        *s = (struct id_set){ 0 };
}

void writer_filter_done(struct writer_filter *f) {
        id_set_done(&f->classes);
        id_set_done(&f->instances);
}

int writer_filter_enable_classes(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                 struct vss_error *reterr) {
        struct id_set listed = { 0 };
        int r;

        if (f->only_listed)
                return id_set_add(&f->classes, ids, n, reterr);
        r = id_set_add(&listed, ids, n, reterr);
        if (r < 0)
                return r;
        id_set_done(&f->classes);
        f->classes = listed;
        f->only_listed = true;
        return 0;
}

int writer_filter_disable_classes(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                  struct vss_error *reterr) {
        if (!f->only_listed)
                return id_set_add(&f->classes, ids, n, reterr);
        for (size_t i = 0; i < n; i++)
                id_set_remove(&f->classes, ids[i]);
        return 0;
}

int writer_filter_disable_instances(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                    struct vss_error *reterr) {
        return id_set_add(&f->instances, ids, n, reterr);
}

bool writer_filter_passes(const struct writer_filter *f, const struct writer_identity *id) {
        if (id_set_has(&f->classes, id->class_id) != f->only_listed)
                return false;
        return !id_set_has(&f->instances, id->instance_id);
}
