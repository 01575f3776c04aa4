/* Breaking thin copies off: a thin volume needs nothing of its origin, so that a copy only has to
 * be called otherwise, and to be forgotten here. In this order:
 *
 *      1. what each is to become is found out, and noted in an intent;
 *      2. the copies' devices go, and with them the nodes, unless somebody uses them;
 *      3. those that are to have another identity are made writable, and get it while they still
 *         have a name by which udev keeps them from everybody (57-vss.rules);
 *      4. LVM gives them their names and says who may write to them, and activates them: they are
 *         volumes like others;
 *      5. their rows and the intent go, in one transaction.
 *
 * What fails goes the same way back. What a crash leaves is finished by the next start, or, if that
 * cannot be, goes back. Every step looks at what is there, and can be taken again. */

#include "daemon/providers/lvm-thin-break.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thin.h"
#include "daemon/providers/lvm-transport.h"

/* The device goes, and the node that led to it. */
static int let_go(const struct lvm_copy *c, const struct lvm_becoming *a,
                  struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(c->copy_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (info.exists) {
                mapper_let_udev_finish(); /* it has it open after each event, for a moment */
                r = mapper_remove(info.name, false, &error);
        }
        if (r == -EBUSY)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy %s is in use; end the programs that use it (lsof "
                                     "/dev/mapper/%s)",
                                     info.name, info.name);
        if (r < 0)
                vss_error_move(reterr, &error);
        else
                copy_link_release(a->node, true);
        return r;
}

static int bring_up(struct lvm *l, const struct lvm_copy *c, char *const *f,
                    struct mapper_info *ret, struct vss_error *reterr) {
        int r;

        r = lvm_tell(l, reterr, "lvchange -y -ay -K %s/%s", f[FOUND_VG], f[FOUND_LV]);
        if (r >= 0)
                r = mapper_find_uuid(c->copy_dm_uuid, ret, reterr);
        if (r < 0)
                return r;
        return ret->exists && ret->live_table
                       ? 0
                       : vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                       "LVM did not activate %s/%s: %s", f[FOUND_VG], f[FOUND_LV],
                                       lvm_complaint(l));
}

static int permit(struct lvm *l, char *const *f, bool writable, struct vss_error *reterr) {
        if ((f[FOUND_ATTR][ATTR_PERMISSION] == 'w') == writable)
                return 0;
        return lvm_tell(l, reterr, "lvchange -y -p %s %s/%s", writable ? "rw" : "r", f[FOUND_VG],
                        f[FOUND_LV]);
}

/* From no device to none. */
static int set_identity(struct lvm *l, const struct lvm_copy *c, const struct lvm_becoming *a,
                        const char *uuid, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(freep) char *device = NULL;
        struct mapper_info info;
        int r, k;

        r = thin_break_find(&found, l, c, reterr);
        if (r >= 0)
                r = permit(l, found.rows[0].fields, true, reterr);
        if (r >= 0)
                r = bring_up(l, c, found.rows[0].fields, &info, reterr);
        if (r < 0)
                return r;
        if (str_format(&device, "/dev/mapper/%s", info.name) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, info.name);
        else
                r = volume_identity_write(device, a->was.type, uuid, reterr);
        k = let_go(c, a, r < 0 ? NULL : reterr);
        return r < 0 ? r : k;
}

static int rename_lv(struct lvm *l, char *const *f, const char *name, struct vss_error *reterr) {
        return streq(f[FOUND_LV], name) ? 0
                                        : lvm_tell(l, reterr, "lvrename -y %s %s %s", f[FOUND_VG],
                                                   f[FOUND_LV], name);
}

struct target {
        const char *name;
        bool writable, skips; /* is not activated by itself */
};

/* Whether it is as it is to be. */
static bool is_there(char *const *f, const struct target *t) {
        const char *attr = f[FOUND_ATTR];

        return streq(f[FOUND_LV], t->name) && (attr[ATTR_PERMISSION] == 'w') == t->writable &&
               (attr[ATTR_SKIP] == 'k') == t->skips;
}

/* From no device to none. What LVM says it has done counts less than what it reports. */
static int change(struct lvm *l, const struct lvm_copy *c, const struct target *t,
                  struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report before = { 0 }, after = { 0 };
        _cleanup_(freep) char *words = NULL;
        char *const *f;
        int r;

        r = thin_break_find(&before, l, c, reterr);
        if (r < 0)
                return r;
        f = before.rows[0].fields;
        r = permit(l, f, t->writable, reterr);
        if (r >= 0 && (f[FOUND_ATTR][ATTR_SKIP] == 'k') != t->skips)
                r = lvm_tell(l, reterr, "lvchange -y -k %s %s/%s", t->skips ? "y" : "n",
                             f[FOUND_VG], f[FOUND_LV]);
        if (r >= 0)
                r = rename_lv(l, f, t->name, reterr);
        words = strdup(lvm_complaint(l)); /* without memory it is not said */
        if (r >= 0)
                r = thin_break_find(&after, l, c, reterr);
        if (r < 0 || is_there(after.rows[0].fields, t))
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not make the volume %s/%s of the copy %s: %s", f[FOUND_VG],
                             t->name, f[FOUND_LV], str_empty(words) ? "it gave no reason" : words);
}

static int make_volume(struct lvm *l, const struct lvm_copy *c, const struct lvm_becoming *a,
                       uint32_t flags, struct vss_error *reterr) {
        const bool masked = flags & VSS_BREAKEX_FLAG_MASK_LUNS;
        const struct target target = {
                .name = a->name,
                .writable = flags & VSS_BREAKEX_FLAG_MAKE_READ_WRITE,
                /* As LVM has it of every thin snapshot: what shares its UUID with another
                 * volume does not come up by itself. */
                .skips = masked || a->shared,
        };
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        struct mapper_info info;
        int r;

        r = change(l, c, &target, reterr);
        if (r < 0 || masked)
                return r;
        r = thin_break_find(&found, l, c, reterr);
        return r < 0 ? r : bring_up(l, c, found.rows[0].fields, &info, reterr);
}

static int forward(const struct lvm_breaking *b, struct lvm *l, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < b->n; i++)
                r = let_go(&b->copies[i], &b->as[i], reterr);
        for (size_t i = 0; r >= 0 && i < b->n; i++)
                if (b->as[i].uuid)
                        r = set_identity(l, &b->copies[i], &b->as[i], b->as[i].uuid, reterr);
        for (size_t i = 0; r >= 0 && i < b->n; i++)
                r = make_volume(l, &b->copies[i], &b->as[i], b->flags, reterr);
        /* Last, as nothing puts it back: who handed it over must not take it for a copy. */
        for (size_t i = 0; r >= 0 && i < b->n; i++)
                r = lvm_transport_untag(l, &b->copies[i], reterr);
        return r;
}

static int back_one(struct lvm *l, const struct lvm_copy *c, const struct lvm_becoming *a,
                    struct vss_error *reterr) {
        const struct target copy = { .name = c->lv, .skips = true };
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        int r;

        r = thin_break_find(&found, l, c, reterr);
        /* Nothing was done to it: everything else begins with one of these three. Somebody may
         * have it open, which was the reason. */
        if (r < 0 || is_there(found.rows[0].fields, &copy))
                return r;
        r = let_go(c, a, reterr);
        /* The name first: it is what keeps the device from everybody. */
        if (r >= 0 && a->uuid) {
                r = change(l, c, &copy, reterr);
                if (r >= 0)
                        r = set_identity(l, c, a, a->was.uuid, reterr);
        }
        return r < 0 ? r : change(l, c, &copy, reterr);
}

/* Copies again; those that were touched have no device. All of them, whatever becomes of one. */
static int back(const struct lvm_breaking *b, struct vss_error *reterr) {
        _cleanup_(lvm_closep) struct lvm *l = NULL; /* the other may be what failed */
        int r;

        r = lvm_open(&l, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < b->n; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int k = back_one(l, &b->copies[i], &b->as[i], &error);

                if (k >= 0 || error.hr == VSS_E_OBJECT_NOT_FOUND) /* gone: there is no way back */
                        continue;
                if (r >= 0)
                        vss_error_move(reterr, &error);
                r = k;
        }
        return r;
}

static int open_intent(const struct lvm_breaking *b, struct store *store, VSS_ID set_id,
                       int64_t *ret, struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;

        if (lvm_breaking_format(b, THIN_NAME, &data) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot note the intent");
        return store_intent_open(store,
                                 &(struct intent_record){
                                         .set_id = set_id,
                                         .provider = (char *)(uintptr_t)THIN_NAME,
                                         .kind = (char *)(uintptr_t)LVM_INTENT_BREAK,
                                         .data = data,
                                 },
                                 ret, reterr);
}

/* It failed with what reterr says. */
static void give_up(const struct lvm_breaking *b, struct store *store, int64_t intent,
                    const struct snapshot_record *records, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 }, first = { 0 };

        if (back(b, &error) >= 0) {
                (void)store_intent_close(store, intent, NULL); /* finds nothing to do if it stays */
                for (size_t i = 0; i < b->n; i++)
                        /* Nobody can read it then; its deletion and the next start know how. */
                        (void)lvm_life_activate(&thin_kind, &records[i], NULL);
                return;
        }
        vss_error_move(&first, reterr);
        (void)vss_error_set(reterr, first.hr, first.cause,
                            "%s. Nor could it be undone (%s); the next start of the service "
                            "finishes it",
                            str_or_empty(first.message), str_or_empty(error.message));
}

int thin_break_off(struct store *store, const struct snapshot_record *records, size_t n,
                   uint32_t flags, char **names, struct vss_error *reterr) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int64_t intent;
        int r;

        r = lvm_breaking_init(&b, records, n, flags, reterr);
        if (r >= 0)
                r = lvm_open(&l, reterr);
        if (r >= 0)
                r = thin_break_decide(&b, l, records, names, reterr);
        if (r >= 0)
                r = open_intent(&b, store, records[0].set_id, &intent, reterr);
        if (r < 0)
                return r;
        r = forward(&b, l, reterr);
        if (r >= 0)
                r = store_snapshots_delete(store, b.ids, b.n, intent, reterr);
        if (r < 0)
                give_up(&b, store, intent, records, reterr);
        return r;
}

/* Those that are still known: the others were deleted, which nothing keeps anybody from. */
static int keep_known(struct lvm_breaking *b, struct store *store, struct vss_error *reterr) {
        for (size_t i = b->n; i-- > 0;) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                struct snapshot_record record = { 0 };
                int r = store_snapshot_get(store, b->ids[i], &record, &error);

                snapshot_record_done(&record);
                if (r < 0 && error.hr != VSS_E_OBJECT_NOT_FOUND) {
                        vss_error_move(reterr, &error);
                        return r;
                }
                if (r < 0)
                        lvm_breaking_drop(b, i);
        }
        return 0;
}

int thin_break_origins(const struct intent_record *intent, char ***uuids, char ***names,
                       struct vss_error *reterr) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };
        int r;

        r = lvm_breaking_parse(&b, THIN_NAME, str_or_empty(intent->data));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted operation");
        return lvm_origins(b.copies, b.n, uuids, names, reterr);
}

int thin_break_recover(struct store *store, const struct intent_record *intent,
                       struct vss_error *reterr) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = lvm_breaking_parse(&b, THIN_NAME, str_or_empty(intent->data));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted operation");
        r = keep_known(&b, store, reterr);
        if (r < 0)
                return r;
        if (b.n == 0)
                return store_intent_close(store, intent->id, reterr);
        r = lvm_await_orphans(LVM_ORPHANS_TIMEOUT_USEC, reterr);
        if (r >= 0)
                r = lvm_open(&l, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < b.n; i++)
                copy_link_release(b.as[i].node, false);
        r = forward(&b, l, &why); /* or back, for whatever reason */
        if (r >= 0)
                return store_snapshots_delete(store, b.ids, b.n, intent->id, reterr);
        r = back(&b, reterr);
        return r < 0 ? r : store_intent_close(store, intent->id, reterr);
}
