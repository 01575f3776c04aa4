/* See lvm-life.h. Everything follows from a copy's line of provider_data. Stateless. */

#include "daemon/providers/lvm-life.h"
#include "common/vss-id.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/snapshot-merge.h"

enum { FOUND_VG, FOUND_LV, FOUND_UUID, FOUND_FIELDS };
#define FOUND_COLUMNS "vg_name,lv_name,lv_uuid"

#define NODE "ShadowCopy"
#define DIGITS "0123456789"

static int parse_data(struct lvm_copy *c, const struct snapshot_record *r,
                      struct vss_error *reterr) {
        int k = lvm_copy_parse(c, str_or_empty(r->provider_data));

        if (k == -EBADMSG)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG,
                                     "what is noted of the copy %s cannot be understood: '%s'",
                                     str_or_empty(r->device), str_or_empty(r->provider_data));
        return k < 0 ? vss_error_from_errno(reterr, k, str_or_empty(r->device)) : 0;
}

/* Copies to be deleted together. */
struct removal {
        VSS_ID *ids;
        struct lvm_copy *copies;
        struct lvm_copy **all, **part; /* part: of one volume group */
        size_t n;
};

static void removal_done(struct removal *r) {
        for (size_t i = 0; r->copies && i < r->n; i++)
                lvm_copy_done(&r->copies[i]);
        free(r->ids);
        free(r->copies);
        free(r->all);
        free(r->part);
}

static int removal_init(struct removal *ret, const struct snapshot_record *records, size_t n,
                        struct vss_error *reterr) {
        ret->n = n;
        ret->ids = calloc(n, sizeof(*ret->ids));
        ret->copies = calloc(n, sizeof(*ret->copies));
        ret->all = calloc(n, sizeof(*ret->all));
        ret->part = calloc(n, sizeof(*ret->part));
        if (!ret->ids || !ret->copies || !ret->all || !ret->part)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot delete the copies");
        for (size_t i = 0; i < n; i++) {
                int r = parse_data(&ret->copies[i], &records[i], reterr);

                if (r < 0)
                        return r;
                ret->ids[i] = records[i].id;
                ret->all[i] = &ret->copies[i];
        }
        return 0;
}

/* Group by group: who holds the lock of one waits for no other, so that nobody who takes several
 * of them, in whatever order, can wait for us for ever. */
static int removal_undo(struct removal *r, const struct lvm_kind *kind, bool force,
                        struct vss_error *reterr) {
        for (size_t i = 0; i < r->n; i++) {
                size_t n_part = 0;
                bool done = false;
                int k;

                for (size_t before = 0; before < i; before++)
                        done = done || streq(r->all[before]->vg_uuid, r->all[i]->vg_uuid);
                if (done)
                        continue;
                for (size_t other = i; other < r->n; other++)
                        if (streq(r->all[other]->vg_uuid, r->all[i]->vg_uuid))
                                r->part[n_part++] = r->all[other];
                k = lvm_undo(kind, r->part, n_part, &(struct lvm_undo){ .force = force }, reterr);
                if (k < 0)
                        return k;
        }
        return 0;
}

int lvm_life_remove(const struct lvm_kind *kind, struct store *store,
                    const struct snapshot_record *records, size_t n, bool force,
                    struct vss_error *reterr) {
        _cleanup_(removal_done) struct removal removal = { 0 };
        int64_t intent;
        int r;

        r = removal_init(&removal, records, n, reterr);
        if (r >= 0)
                r = lvm_intent_open(store, kind->provider, LVM_INTENT_DELETE,
                                    &(struct lvm_intent_subject){
                                            .set_id = records[0].set_id,
                                            .snapshots = removal.ids,
                                            .copies = removal.all,
                                            .n = n,
                                    },
                                    &intent, reterr);
        if (r < 0)
                return r;
        r = removal_undo(&removal, kind, force, reterr);
        if (r < 0) {
                /* The rows stay, and with them the way to try again: the intent is for crashes. */
                (void)store_intent_close(store, intent, NULL);
                return r;
        }
        for (size_t i = 0; i < n; i++)
                if (records[i].device)
                        copy_link_remove(records[i].device);
        return store_snapshots_delete(store, removal.ids, n, intent, reterr);
}

/* Of a set in creation: without what tells it from copies of other hosts. */
static int node_by_name(const struct lvm_copy *c, char **ret) {
        const size_t skip = strlen(LVM_COPY_PREFIX) - strlen(NODE);

        if (strncmp(c->lv, LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) != 0)
                return 0;
        *ret = strndup(c->lv + skip, strlen(NODE) + strspn(c->lv + skip + strlen(NODE), DIGITS));
        return *ret ? 0 : -ENOMEM;
}

/* Of snapshots: one that was imported has its number here, and its LV one of another host's. What
 * has no row went the last time, when its node had gone. */
static int nodes_by_records(struct store *store, const struct lvm_intent *i, char ***nodes,
                            struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list_all(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; r >= 0 && k < n; k++) {
                const char *slash = strrchr(str_or_empty(records[k].device), '/');
                bool ours = false;

                for (size_t other = 0; other < i->n_snapshots; other++)
                        ours = ours || vss_id_equal(i->snapshots[other], records[k].id);
                if (ours && slash && slash[1] != '\0')
                        r = strv_append(nodes, slash + 1);
        }
        snapshot_records_free(records, n);
        return r < 0 ? vss_error_from_errno(reterr, r, "the nodes of copies") : 0;
}

int lvm_life_nodes(struct store *store, const struct lvm_intent *i, char ***ret,
                   struct vss_error *reterr) {
        _cleanup_(strv_freep) char **nodes = NULL;
        int r = 0;

        if (i->n_snapshots > 0)
                r = nodes_by_records(store, i, &nodes, reterr);
        else
                for (size_t k = 0; r >= 0 && k < i->n; k++) {
                        _cleanup_(freep) char *node = NULL;

                        r = node_by_name(&i->copies[k], &node);
                        if (r >= 0 && node)
                                r = strv_append(&nodes, node);
                        if (r < 0)
                                (void)vss_error_from_errno(reterr, r, "the nodes of copies");
                }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(nodes);
        return 0;
}

/* Whether LVM sees the groups of all copies: a disk may have been pulled. */
static int check_groups(const struct lvm_intent *i, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *report = NULL;
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = strv_append(&commands, "vgs --noheadings --nolocking -o vg_uuid");
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_run(l, commands, &report, reterr);
        for (size_t k = 0; r >= 0 && k < i->n; k++)
                if (!strstr(report, i->copies[k].vg_uuid))
                        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                             "volume group %s is not there; what is left in it of "
                                             "%s is removed when it is back",
                                             i->copies[k].vg, i->copies[k].lv);
        return r;
}

/* An intent, and its copies as the functions of lvm-undo.h take them. */
struct recovery {
        struct lvm_intent intent;
        struct lvm_copy **copies;
};

static void recovery_done(struct recovery *r) {
        lvm_intent_done(&r->intent);
        free(r->copies);
}

static int recovery_init(struct recovery *ret, const struct lvm_kind *kind,
                         const struct intent_record *record, struct vss_error *reterr) {
        _cleanup_(recovery_done) struct recovery i = { 0 };
        int r;

        r = lvm_intent_parse(&i.intent, kind->provider, record->data);
        if (r >= 0) {
                i.copies = calloc(i.intent.n > 0 ? i.intent.n : 1, sizeof(*i.copies));
                if (!i.copies)
                        r = -ENOMEM;
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted operation");
        for (size_t k = 0; k < i.intent.n; k++)
                i.copies[k] = &i.intent.copies[k];
        *ret = i;
        i = (struct recovery){ 0 };
        return 0;
}

int lvm_origins(const struct lvm_copy *copies, size_t n, char ***uuids, char ***names,
                struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *name = NULL;

                r = str_format(&name, "%s/%s", copies[i].vg, copies[i].origin);
                if (r >= 0)
                        r = strv_append(uuids, copies[i].origin_dm_uuid);
                if (r >= 0)
                        r = strv_append(names, name);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, copies[i].origin);
        }
        return r;
}

int lvm_life_origins(const struct lvm_kind *kind, const struct intent_record *record, char ***uuids,
                     char ***names, struct vss_error *reterr) {
        _cleanup_(recovery_done) struct recovery i = { 0 };
        int r;

        r = recovery_init(&i, kind, record, reterr);
        return r < 0 ? r : lvm_origins(i.intent.copies, i.intent.n, uuids, names, reterr);
}

int lvm_life_rescue(const struct lvm_kind *kind, const struct intent_record *record,
                    const char *uuid, struct vss_error *reterr) {
        _cleanup_(recovery_done) struct recovery i = { 0 };
        size_t n = 0;
        int r;

        r = recovery_init(&i, kind, record, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < i.intent.n; k++) {
                const struct snapshot_devices d = lvm_copy_devices(i.copies[k]);
                bool ending = false;

                /* A state that was reverted with its volume has the making of the copy still, and
                 * LVM may be at the end of the merge by now. */
                if (streq(i.copies[k]->origin_dm_uuid, uuid) &&
                    (snapshot_merge_is_ending(&d, &ending, NULL) < 0 || !ending))
                        i.copies[n++] = i.copies[k];
        }
        return lvm_rescue(i.copies, n, reterr);
}

int lvm_life_recover(const struct lvm_kind *kind, struct store *store,
                     const struct intent_record *intent, struct vss_error *reterr) {
        _cleanup_(recovery_done) struct recovery i = { 0 };
        bool deletion = streq(intent->kind, LVM_INTENT_DELETE);
        _cleanup_(strv_freep) char **nodes = NULL;
        size_t n;
        int r;

        r = recovery_init(&i, kind, intent, reterr);
        if (r >= 0)
                r = lvm_life_nodes(store, &i.intent, &nodes, reterr);
        if (r < 0)
                return r;
        n = i.intent.n;

        /* The start has resumed what was left suspended. Here that is for who has the groups locked
         * only, as lvm_undo() does it: this is tried again when another LVM command has kept us
         * waiting for one, and what is suspended then is that command's, with its table. */
        STRV_FOREACH (node, nodes)
                copy_link_release(*node, false);
        r = lvm_await_orphans(LVM_ORPHANS_TIMEOUT_USEC, reterr);
        if (r >= 0)
                r = lvm_undo(kind, i.copies, n, &(struct lvm_undo){ .force = true }, reterr);
        STRV_FOREACH (node, nodes)
                copy_link_release(*node, true);
        if (r >= 0 && !deletion)
                r = check_groups(&i.intent, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < i.intent.n_snapshots; k++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                r = store_snapshot_delete(store, i.intent.snapshots[k], 0, &error);
                if (r < 0 && error.hr != VSS_E_OBJECT_NOT_FOUND) {
                        vss_error_move(reterr, &error);
                        return r;
                }
        }
        return store_intent_close(store, intent->id, reterr);
}

/* Has LVM activate it. -ENOENT: LVM knows nothing of it. */
static int activate_lv(const struct lvm_kind *kind, const struct lvm_copy *c,
                       struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        char *const *f;
        int r;

        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_copy_ask(&found, l, c, FOUND_COLUMNS, FOUND_FIELDS, reterr);
        if (r < 0)
                return r;
        if (found.n == 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the logical volume %s/%s of a copy is gone", c->vg, c->lv);
        f = found.rows[0].fields;
        return lvm_tell(l, reterr, "lvchange -y -ay %s %s/%s", kind->activation, f[FOUND_VG],
                        f[FOUND_LV]);
}

bool lvm_life_has_udev_link(const struct lvm_copy *c, const char *link) {
        const size_t skip = strlen(LVM_COPY_PREFIX) - strlen(NODE);
        const char *slash = strrchr(link, '/');

        return slash && strncmp(c->lv, LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) == 0 &&
               streq(c->lv + skip, slash + 1);
}

int lvm_life_activate(const struct lvm_kind *kind, const struct snapshot_record *record,
                      struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct mapper_info info;
        int r;

        r = parse_data(&c, record, reterr);
        if (r < 0)
                return r;
        if (!c.copy_dm_uuid)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the copy %s was never finished",
                                     str_or_empty(record->device));
        r = mapper_find_uuid(c.copy_dm_uuid, &info, reterr);
        if (r >= 0 && (!info.exists || !info.live_table)) {
                r = activate_lv(kind, &c, reterr);
                if (r >= 0)
                        r = mapper_find_uuid(c.copy_dm_uuid, &info, reterr);
        }
        if (r < 0)
                return r;
        if (!info.exists || !info.live_table)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "LVM did not activate the copy %s/%s", c.vg, c.lv);
        return lvm_life_has_udev_link(&c, str_or_empty(record->device))
                       ? copy_link_make(record->device, &info, reterr)
                       : copy_link_make_by_name(record->device, &info, reterr);
}

int lvm_life_find(const struct snapshot_record *record, struct mapper_info *ret,
                  struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct mapper_info info = { 0 };
        int r;

        r = parse_data(&c, record, reterr);
        if (r >= 0 && c.copy_dm_uuid)
                r = mapper_find_uuid(c.copy_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the copy %s is not active", str_or_empty(record->device));
        *ret = info;
        return 0;
}

static bool is_of_copy(const char *lv) {
        return strncmp(lv, LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) == 0;
}

/* The kernel's name, where it has one: it follows a renaming. */
static int is_volume(const struct lvm_copy *c, bool *ret_known, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL;
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(c->copy_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        *ret_known = info.exists && lvm_name_split(info.name, &vg, &lv, &layer) >= 0;
        return *ret_known && !is_of_copy(lv);
}

int lvm_life_is_broken_off(const struct snapshot_record *record, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        bool known = false;
        int r;

        r = parse_data(&c, record, reterr);
        if (r < 0 || !c.copy_dm_uuid || !c.lv_uuid)
                return r;
        r = is_volume(&c, &known, reterr);
        if (r < 0 || known)
                return r;
        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_copy_ask(&found, l, &c, FOUND_COLUMNS, FOUND_FIELDS, reterr);
        if (r < 0 || found.n == 0)
                return r;
        return !is_of_copy(found.rows[0].fields[FOUND_LV]);
}
