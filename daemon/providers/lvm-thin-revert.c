/* Reverting a volume to a thin copy: LVM lets the copy take the volume's place, with its name and
 * its UUID, and removes what was the volume. That is one change of its metadata, of two volumes
 * that are not active: before it nothing has happened, after it everything has. In this order:
 *
 *      1. the devices of copy and volume go, unless somebody uses them;
 *      2. LVM exchanges the two, and has the pool forget the volume's blocks;
 *      3. the volume is activated again.
 *
 * Should one of the two be active again by then, LVM notes that the copy is merged back, and does
 * it with the next activation, which we see to. Other copies of the volume are thin volumes of
 * their own and stay what they are, but for one thing: LVM removes what was the volume, and with it
 * what it knows of whose copies they are. Without that it merges none of them, and nothing puts it
 * back: so they are refused. */

#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-revert.h"
#include "daemon/providers/lvm-thin.h"
#include "daemon/providers/vg-lock.h"

struct thin_revert {
        struct lvm_copy copy;
        struct lvm_merge_state state;
        struct vg_locks locks;
        struct lvm *lvm;
};

static void thin_revert_done(struct thin_revert *t) {
        lvm_close(t->lvm);
        vg_locks_drop(&t->locks);
        lvm_merge_state_done(&t->state);
        lvm_copy_done(&t->copy);
}

static int ask(struct thin_revert *t, struct vss_error *reterr) {
        lvm_merge_state_done(&t->state);
        return lvm_merge_ask(&t->state, t->lvm, &t->copy, reterr);
}

static int begin(struct thin_revert *t, const struct snapshot_record *record,
                 struct vss_error *reterr) {
        const char *group;
        int r;

        r = lvm_revert_parse(&t->copy, record, reterr);
        if (r < 0)
                return r;
        group = t->copy.vg;
        r = vg_locks_take(&t->locks, &group, 1, GUID_NULL, reterr);
        if (r >= 0)
                r = lvm_revert_open(&t->lvm, reterr);
        if (r >= 0)
                r = ask(t, reterr);
        if (r >= 0 && t->state.state == LVM_MERGE_LOST)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "LVM does not find the volume %s/%s", t->copy.vg,
                                     t->copy.origin);
        return r;
}

static int say_in_use(const char *name, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "the copy %s is in use; end the programs that use it (lsof "
                             "/dev/mapper/%s)",
                             name, name);
}

static int let_copy_go(const struct thin_revert *t, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(t->copy.copy_dm_uuid, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        r = mapper_remove(info.name, false, &error);
        if (r == -EBUSY)
                return say_in_use(info.name, reterr);
        vss_error_move(reterr, &error);
        return r;
}

static int is_active(const struct thin_revert *t, bool *ret, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(t->copy.origin_dm_uuid, &info, reterr);
        if (r >= 0)
                *ret = info.exists && info.live_table;
        return r;
}

static int check_idle(const struct thin_revert *t, struct vss_error *reterr) {
        bool active;
        int r, fd;

        r = is_active(t, &active, reterr);
        if (r >= 0 && active) {
                r = lvm_revert_claim(&t->copy, &fd, reterr);
                if (r >= 0)
                        (void)safe_close(fd); /* it was only to know */
        }
        return r;
}

static int deactivate(struct thin_revert *t, struct vss_error *reterr) {
        bool active;
        int r;

        r = is_active(t, &active, reterr);
        if (r < 0 || !active)
                return r;
        r = lvm_tell(t->lvm, reterr, "lvchange --nolocking -y -an %s/%s", t->state.vg,
                     t->state.origin);
        if (r >= 0)
                r = is_active(t, &active, reterr);
        if (r < 0 || !active)
                return r;
        return vss_error_set(
                reterr, VSS_E_VOLUME_IN_USE, EBUSY, "LVM did not deactivate the volume %s/%s: %s",
                t->state.vg, t->state.origin,
                str_empty(lvm_complaint(t->lvm)) ? "it gave no reason" : lvm_complaint(t->lvm));
}

static int activate(struct thin_revert *t, struct vss_error *reterr) {
        bool active;
        int r;

        r = is_active(t, &active, reterr);
        if (r < 0 || active)
                return r;
        r = lvm_tell(t->lvm, reterr, "lvchange --nolocking -y -K -ay %s/%s", t->state.vg,
                     t->state.origin);
        if (r >= 0)
                r = is_active(t, &active, reterr);
        if (r < 0 || active)
                return r;
        return vss_error_set(
                reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                "LVM did not activate the volume %s/%s: %s", t->state.vg, t->state.origin,
                str_empty(lvm_complaint(t->lvm)) ? "it gave no reason" : lvm_complaint(t->lvm));
}

static int say_refused(struct thin_revert *t, const char *words, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not put the copy %s/%s in the place of %s: %s", t->copy.vg,
                             t->copy.lv, t->copy.origin,
                             str_empty(words) ? "it gave no reason" : words);
}

/* It was noted, and the activation did it; LVM's metadata say so once somebody looks. That command
 * takes the group's lock itself. */
static int conclude(struct thin_revert *t, struct vss_error *reterr) {
        _cleanup_(freep) char *words = NULL;
        int r;

        vg_locks_drop(&t->locks);
        t->locks = (struct vg_locks){ 0 };
        r = lvm_tell(t->lvm, reterr, "lvpoll --polloperation merge_thin %s/%s", t->state.vg,
                     t->state.origin);
        if (r < 0)
                return r;
        words = strdup(lvm_complaint(t->lvm)); /* without memory it is not said */
        r = ask(t, reterr);
        if (r < 0 || t->state.state == LVM_MERGE_GONE)
                return r;
        return say_refused(t, words, reterr);
}

/* Asked before copies are deleted for it, and again before the volume is deactivated. */
static int check_link(const struct thin_revert *t, struct vss_error *reterr) {
        if (t->state.state != LVM_MERGE_COPY || t->state.linked)
                return 0;
        return vss_error_set(
                reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                "LVM does not know any more that %s/%s is a copy of %s, as that has been reverted "
                "to another one since, and cannot put it in its place; copy what is wanted back "
                "from the copy, or break it off (vssctl break)",
                t->state.vg, t->state.lv, t->state.origin);
}

static int exchange(struct thin_revert *t, struct vss_error *reterr) {
        _cleanup_(freep) char *words = NULL;
        int r;

        r = check_link(t, reterr);
        if (r >= 0)
                r = check_idle(t, reterr);
        if (r >= 0)
                r = let_copy_go(t, reterr);
        if (r >= 0)
                r = deactivate(t, reterr);
        if (r >= 0 && t->state.state == LVM_MERGE_COPY) {
                r = lvm_tell(t->lvm, reterr, "lvconvert --nolocking -y --mergethin %s/%s",
                             t->state.vg, t->state.lv);
                words = strdup(lvm_complaint(t->lvm)); /* without memory it is not said */
                if (r >= 0)
                        r = ask(t, reterr);
        }
        if (r < 0)
                return r;
        if (t->state.state == LVM_MERGE_COPY)
                return say_refused(t, words, reterr);
        r = activate(t, reterr);
        return r >= 0 && t->state.state == LVM_MERGE_MARKED ? conclude(t, reterr) : r;
}

int thin_revert(const struct snapshot_record *record, bool at_boot _unused_,
                struct vss_error *reterr) {
        _cleanup_(thin_revert_done) struct thin_revert t = { 0 };
        int r;

        assert(!at_boot);

        r = begin(&t, record, reterr);
        if (r < 0)
                return r;
        if (t.state.state == LVM_MERGE_GONE)
                return activate(&t, reterr);
        r = exchange(&t, reterr);
        if (r >= 0 && record->device)
                copy_link_remove(record->device);
        return r;
}

int thin_revert_check(const struct snapshot_record *record, bool at_boot _unused_,
                      struct vss_error *reterr) {
        _cleanup_(thin_revert_done) struct thin_revert t = { 0 };
        struct mapper_info info;
        int r;

        r = lvm_revert_parse(&t.copy, record, reterr);
        if (r >= 0)
                r = lvm_revert_open(&t.lvm, reterr);
        if (r >= 0)
                r = ask(&t, reterr);
        if (r >= 0)
                r = check_link(&t, reterr);
        if (r >= 0)
                r = check_idle(&t, reterr);
        if (r >= 0)
                r = mapper_find_uuid(t.copy.copy_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        return info.exists && info.open_count > 0 ? say_in_use(info.name, reterr) : 0;
}

int thin_revert_look(const struct snapshot_record *record, struct revert_progress *ret,
                     struct vss_error *reterr) {
        _cleanup_(thin_revert_done) struct thin_revert t = { 0 };
        int r;

        r = lvm_revert_parse(&t.copy, record, reterr);
        if (r >= 0)
                r = lvm_revert_open(&t.lvm, reterr);
        if (r >= 0)
                r = ask(&t, reterr);
        if (r >= 0)
                lvm_revert_state(t.state.state, ret);
        return r;
}

/* The copy's device is there again, too. */
int thin_revert_back(const struct snapshot_record *record, struct vss_error *reterr) {
        int r;

        r = thin_revert_end(record, reterr);
        return r < 0 ? r : lvm_life_activate(&thin_kind, record, reterr);
}

/* Nothing is left to be copied: whoever died had the volume inactive. */
int thin_revert_end(const struct snapshot_record *record, struct vss_error *reterr) {
        _cleanup_(thin_revert_done) struct thin_revert t = { 0 };
        int r;

        r = begin(&t, record, reterr);
        return r < 0 ? r : activate(&t, reterr);
}
