/* See lvm-undo.h. Stateless. */

#include "daemon/providers/lvm-undo.h"
#include "common/vss-id.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/vg-lock.h"

/* All of them, whatever becomes of one. able: room for those that go on, or NULL. */
static int rescue_each(struct lvm_copy *const *copies, size_t n, struct lvm_copy **able,
                       size_t *ret_n_able, struct vss_error *reterr) {
        size_t n_able = 0;
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                const struct snapshot_devices d = lvm_copy_devices(copies[i]);
                int k = snapshot_devices_rescue(&d, reterr);

                if (k < 0)
                        r = k;
                else if (able)
                        able[n_able++] = copies[i];
        }
        if (able)
                *ret_n_able = n_able;
        return r;
}

int lvm_rescue(struct lvm_copy *const *copies, size_t n, struct vss_error *reterr) {
        return rescue_each(copies, n, NULL, NULL, reterr);
}

int lvm_copy_ask(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                 const char *columns, size_t n_columns, struct vss_error *reterr) {
        int r;

        r = lvm_report_ask(ret, l, n_columns, reterr,
                           "lvs " LVM_REPORT_OPTIONS " -o %s -S vg_uuid=%s&&lv_uuid=%s", columns,
                           c->vg_uuid, c->lv_uuid);
        if (r < 0 || ret->n <= 1)
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EEXIST,
                             "LVM shows %zu logical volumes of the UUID %s in the group %s; which "
                             "of them is the copy is not known",
                             ret->n, c->lv_uuid, c->vg);
}

static int append_text(char **text, const char *more) {
        char *longer;

        if (str_format(&longer, "%s%s", str_or_empty(*text), more) < 0)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

static bool is_first_of_group(struct lvm_copy *const *copies, size_t i) {
        for (size_t before = 0; before < i; before++)
                if (streq(copies[before]->vg_uuid, copies[i]->vg_uuid))
                        return false;
        return true;
}

/* Those of the group of the first one: by UUID where it is known, as names can have been changed.
 */
static int select_of_group(struct lvm_copy *const *copies, size_t n, char **text) {
        _cleanup_(freep) char *head = NULL;
        int r;

        r = str_format(&head, "(vg_uuid=%s&&(", copies[0]->vg_uuid);
        if (r >= 0)
                r = append_text(text, head);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const struct lvm_copy *c = copies[i];
                _cleanup_(freep) char *one = NULL;

                if (!streq(c->vg_uuid, copies[0]->vg_uuid))
                        continue;
                r = str_format(&one, "%s%s=%s", i > 0 ? "||" : "",
                               c->lv_uuid ? "lv_uuid" : "lv_name", c->lv_uuid ? c->lv_uuid : c->lv);
                if (r >= 0)
                        r = append_text(text, one);
        }
        return r < 0 ? r : append_text(text, "))");
}

/* A group that was cloned (vgimportclone(8)) has volumes of the same UUIDs, and others have volumes
 * of the same names. */
int lvm_undo_select(struct lvm_copy *const *copies, size_t n, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!is_first_of_group(copies, i))
                        continue;
                if (text)
                        r = append_text(&text, "||");
                if (r >= 0)
                        r = select_of_group(copies + i, n - i, &text);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

/* What LVM still knows of them. */
static int check_gone(struct lvm *l, const char *which, struct vss_error *reterr) {
        _cleanup_(freep) char *words = strdup(lvm_complaint(l));
        _cleanup_(lvm_report_done) struct lvm_report left = { 0 };
        int r;

        r = lvm_report_ask(&left, l, 2, reterr,
                           "lvs " LVM_REPORT_OPTIONS " --nolocking -o vg_name,lv_name -S %s",
                           which);
        if (r < 0 || left.n == 0)
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not remove the copy %s/%s: %s", left.rows[0].fields[0],
                             left.rows[0].fields[1],
                             str_empty(words) ? "it gave no reason" : words);
}

int lvm_undo_forget(struct lvm *l, const char *options, struct lvm_copy *const *copies, size_t n,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *which = NULL;
        int r;

        if (n == 0)
                return 0;
        r = lvm_undo_select(copies, n, &which);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_tell(l, reterr, "lvremove --nolocking %s -f -y -S %s", options, which);
        if (r < 0)
                return r;
        return lvm_said(l, "successfully removed") == n ? 0 : check_gone(l, which, reterr);
}

/* What an LV is called by now, if it is active; as noted otherwise. */
static int current_names(const char *dm_uuid, char **vg, char **lv, struct vss_error *reterr) {
        _cleanup_(freep) char *layer = NULL;
        struct mapper_info info;
        int r;

        if (!dm_uuid)
                return 0;
        r = mapper_find_uuid(dm_uuid, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        r = lvm_name_split(info.name, vg, lv, &layer);
        return r == -ENOMEM ? vss_error_from_errno(reterr, r, info.name) : 0;
}

int lvm_refresh_names(struct lvm_copy *c, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL, *origin = NULL, *copy_vg = NULL, *lv = NULL;
        _cleanup_(lvm_copy_done) struct lvm_copy fresh = { 0 };
        int r;

        r = current_names(c->origin_dm_uuid, &vg, &origin, reterr);
        if (r >= 0)
                r = current_names(c->copy_dm_uuid, &copy_vg, &lv, reterr);
        if (r < 0 || (!vg && !copy_vg))
                return r;
        r = lvm_copy_init(&fresh, vg ? vg : copy_vg, c->vg_uuid, origin ? origin : c->origin,
                          c->origin_uuid, lv ? lv : c->lv, c->lv_uuid);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->lv);
        lvm_copy_done(c);
        *c = fresh;
        fresh = (struct lvm_copy){ 0 };
        return 0;
}

static int lock_groups(struct vg_locks *locks, struct lvm_copy *const *copies, size_t n,
                       VSS_ID set_id, struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(n, sizeof(*names));

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot lock the volume groups");
        for (size_t i = 0; i < n; i++)
                names[i] = copies[i]->vg;
        return vg_locks_take(locks, names, n, set_id, reterr);
}

/* Of origins that go on. */
static int undo(const struct lvm_kind *kind, struct lvm_copy *const *copies, size_t n,
                const struct lvm_undo *options, struct vss_error *reterr) {
        _cleanup_(vg_locks_drop) struct vg_locks locks = { 0 };
        _cleanup_(lvm_closep) struct lvm *own = NULL;
        struct lvm *l = options->lvm;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = lvm_refresh_names(copies[i], reterr);
        if (r >= 0 && !l) {
                r = lvm_open(&own, reterr); /* it starts while we go on */
                l = own;
        }
        if (r >= 0)
                r = lock_groups(&locks, copies, n, options->set_id, reterr);
        /* Of no set in creation: what is suspended now may be in the window of one, which has the
         * groups locked until it is over; or another LVM command's, which has them, too. */
        if (r >= 0 && vss_id_is_null(options->set_id))
                r = lvm_rescue(copies, n, reterr);
        if (r >= 0)
                r = kind->undo_devices(l, copies, n, options, reterr);
        if (r >= 0)
                r = kind->forget(l, copies, n, reterr);
        return r;
}

/* A set in creation whose storage has died under one volume: what is left of the others would keep
 * the next set from them for as long as the service runs. */
static int undo_what_goes_on(const struct lvm_kind *kind, struct lvm_copy *const *copies, size_t n,
                             const struct lvm_undo *options, struct vss_error *reterr) {
        _cleanup_(freep) struct lvm_copy **able = calloc(n, sizeof(*able));
        size_t n_able;
        int r, k = 0;

        if (!able)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot remove the copies");
        r = rescue_each(copies, n, able, &n_able, reterr);
        if (n_able > 0)
                k = undo(kind, able, n_able, options, r < 0 ? NULL : reterr);
        return r < 0 ? r : k;
}

int lvm_undo(const struct lvm_kind *kind, struct lvm_copy *const *copies, size_t n,
             const struct lvm_undo *options, struct vss_error *reterr) {
        if (n == 0)
                return 0;
        return vss_id_is_null(options->set_id)
                       ? undo(kind, copies, n, options, reterr)
                       : undo_what_goes_on(kind, copies, n, options, reterr);
}
