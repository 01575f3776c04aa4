/* Reverting a volume to a thick copy: dm-snapshot merges it back. In this order:
 *
 *      1. the table that merges is loaded, and the copy answers nobody any more: all that can fail;
 *      2. LVM's metadata say that the copy is merged back. From here on there is only forward: LVM
 *         itself would begin with the next activation, in the initramfs if need be;
 *      3. one step inside the kernel: the volume reads what the copy had, and can be used; in the
 *         background its blocks are copied back;
 *      4. when all are, the volume gets its own table again, the store's device goes, and at last
 *         LVM's metadata forget the copy: what they have not forgotten nobody else can be given.
 *
 * LVM does 2 and 3 in one command, and finishes by a program of its own that waits in the
 * background. It suspends the origin for it, and if it is killed meanwhile that stays so; and it
 * begins nothing with a volume that is open, which we make use of for 2. What it does at the next
 * boot is the same merge, and is finished here as well: whoever comes first. */

#include "daemon/log/log.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-revert.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-merge.h"
#include "daemon/providers/vg-lock.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

/* All that a step needs. */
struct thick_revert {
        struct lvm_copy copy;
        struct snapshot_devices devices; /* borrows from copy */
        struct lvm_merge_state state;
        struct vg_locks locks;
        struct lvm *lvm;
        int claim; /* on the volume; -1: none */
};

static void thick_revert_done(struct thick_revert *t) {
        t->claim = safe_close(t->claim);
        lvm_close(t->lvm);
        vg_locks_drop(&t->locks);
        lvm_merge_state_done(&t->state);
        lvm_copy_done(&t->copy);
}

static int ask(struct thick_revert *t, struct vss_error *reterr) {
        lvm_merge_state_done(&t->state);
        return lvm_merge_ask(&t->state, t->lvm, &t->copy, reterr);
}

/* With the group locked, no other LVM command meets what is half done, nor do we what is its. */
static int lock(struct thick_revert *t, const struct snapshot_record *record,
                struct vss_error *reterr) {
        const char *group;
        int r;

        r = lvm_revert_parse(&t->copy, record, reterr);
        if (r < 0)
                return r;
        t->devices = lvm_copy_devices(&t->copy);
        group = t->copy.vg;
        return vg_locks_take(&t->locks, &group, 1, GUID_NULL, reterr);
}

static int begin(struct thick_revert *t, const struct snapshot_record *record,
                 struct vss_error *reterr) {
        int r;

        r = lock(t, record, reterr);
        if (r >= 0)
                r = lvm_revert_open(&t->lvm, reterr);
        return r < 0 ? r : ask(t, reterr);
}

/* LVM finds the volume open, by us or as it is mounted, and writes its metadata only. */
static int mark(struct thick_revert *t, struct vss_error *reterr) {
        _cleanup_(freep) char *words = NULL;
        int r;

        r = lvm_tell(t->lvm, reterr,
                     "lvconvert --nolocking --config activation/retry_deactivation=0 -y -b "
                     "--mergesnapshot %s/%s",
                     t->state.vg, t->state.lv);
        if (r < 0)
                return r;
        words = strdup(lvm_complaint(t->lvm)); /* without memory it is not said */
        r = ask(t, reterr);
        if (r < 0 || t->state.state == LVM_MERGE_MARKED)
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM does not merge the copy %s/%s into %s: %s", t->copy.vg,
                             t->copy.lv, t->copy.origin,
                             str_empty(words) ? "it gave no reason" : words);
}

/* The page cache is the device's as long as anybody has it open, us for one. */
static void drop_cache(const struct thick_revert *t) {
        if (ioctl(t->claim, BLKFLSBUF, 0) < 0)
                log_warning("The cache of %s could not be emptied: %s", t->copy.origin_device,
                            strerror(errno));
}

static int merge(struct thick_revert *t, struct vss_error *reterr) {
        int r;

        r = lvm_revert_claim(&t->copy, &t->claim, reterr);
        if (r < 0)
                return r;
        drop_cache(t); /* nobody writes now: what was written late must not follow the merge */
        r = snapshot_merge_prepare(&t->devices, reterr);
        if (r < 0)
                return r;
        if (t->state.state == LVM_MERGE_COPY)
                r = mark(t, reterr);
        if (r < 0) {
                snapshot_merge_cancel(&t->devices);
                return r;
        }
        r = snapshot_merge_start(&t->devices, reterr);
        if (r >= 0)
                drop_cache(t); /* what was read until now is of the volume before */
        return r;
}

/* Of a cache two devices know what is in it, and which of them counts changes with the merge: what
 * a reboot in the middle of that would find has not been tried. */
static int check_kind(const struct thick_revert *t, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table real = { 0 };
        int r;

        r = mapper_read_table(t->copy.real_device, &real, reterr);
        if (r < 0 || !snapshot_devices_is_cache(&real))
                return r;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s/%s is cached, and is not reverted as long as it is (lvconvert "
                             "--splitcache or --uncache, once its copies are gone; or copy what is "
                             "wanted back from the copy)",
                             t->copy.vg, t->copy.origin);
}

/* LVM has the copy still, device-mapper does not, and the volume has its own table: who was at step
 * 4 died, before or after the store's device was gone. (Before step 3, and wherever LVM waits for
 * the next activation, the copy's device is there.) */
static int check_put_back(const struct thick_revert *t, struct revert_progress *now,
                          struct vss_error *reterr) {
        struct mapper_info copy;
        int r;

        if (t->state.state != LVM_MERGE_MARKED || now->state != REVERT_NONE)
                return 0;
        r = mapper_find_uuid(t->copy.copy_dm_uuid, &copy, reterr);
        if (r >= 0 && !copy.exists)
                now->state = REVERT_COPIED;
        return r;
}

int thick_revert(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr) {
        _cleanup_(thick_revert_done) struct thick_revert t = { .claim = -1 };
        struct revert_progress now;
        int r;

        r = begin(&t, record, reterr);
        if (r >= 0 && t.state.state != LVM_MERGE_GONE)
                r = snapshot_merge_look(&t.devices, &now, reterr);
        if (r < 0)
                return r;
        switch (t.state.state) {
        case LVM_MERGE_GONE: return 0;
        case LVM_MERGE_LOST:
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "LVM does not find the volume %s/%s", t.copy.vg,
                                     t.copy.origin);
        case LVM_MERGE_COPY:
                r = check_kind(&t, reterr);
                if (r < 0 || at_boot)
                        return r < 0 ? r : mark(&t, reterr);
                break;
        case LVM_MERGE_MARKED:
                r = check_put_back(&t, &now, reterr);
                /* Who came as far may have died before the copy's device was gone. */
                if (r >= 0 && (now.state == REVERT_RUNNING || now.state == REVERT_COPIED))
                        r = snapshot_devices_remove_copy(&t.devices, true, reterr);
                /* One that is not active LVM begins with when somebody activates it. */
                if (r < 0 || at_boot || now.state != REVERT_NONE)
                        return r < 0 ? r : 0;
                break;
        }
        r = merge(&t, reterr);
        if (r >= 0 && record->device)
                copy_link_remove(record->device);
        return r;
}

int thick_revert_check(const struct snapshot_record *record, bool at_boot,
                       struct vss_error *reterr) {
        _cleanup_(thick_revert_done) struct thick_revert t = { .claim = -1 };
        int r;

        r = lvm_revert_parse(&t.copy, record, reterr);
        if (r < 0)
                return r;
        t.devices = lvm_copy_devices(&t.copy);
        r = check_kind(&t, reterr);
        if (r >= 0)
                r = snapshot_merge_check(&t.devices, reterr);
        return r < 0 || at_boot ? r : lvm_revert_claim(&t.copy, &t.claim, reterr);
}

/* Where the kernel has nothing to say of it. */
static int look_at_metadata(struct thick_revert *t, struct revert_progress *now,
                            struct vss_error *reterr) {
        int r;

        r = snapshot_merge_look(&t->devices, now, reterr);
        if (r >= 0)
                r = ask(t, reterr);
        if (r >= 0)
                r = check_put_back(t, now, reterr);
        return r;
}

/* LVM, when it ends a merge, takes the copy from its volume in one change of its metadata and
 * removes it in the next. What is asked for in between is a copy that nothing has happened to, but
 * of no volume. With the group locked it has come to its end. */
static int await_end(struct thick_revert *t, struct revert_progress *now,
                     struct vss_error *reterr) {
        const char *group = t->copy.vg;
        int r;

        r = vg_locks_take(&t->locks, &group, 1, GUID_NULL, reterr);
        return r < 0 ? r : look_at_metadata(t, now, reterr);
}

int thick_revert_look(const struct snapshot_record *record, struct revert_progress *ret,
                      struct vss_error *reterr) {
        _cleanup_(thick_revert_done) struct thick_revert t = { .claim = -1 };
        struct revert_progress now;
        int r;

        r = lvm_revert_parse(&t.copy, record, reterr);
        if (r < 0)
                return r;
        t.devices = lvm_copy_devices(&t.copy);
        r = snapshot_merge_look(&t.devices, &now, reterr);
        if (r >= 0 && (now.state == REVERT_NONE || now.state == REVERT_LOST)) {
                r = lvm_revert_open(&t.lvm, reterr); /* which may take a while */
                if (r >= 0)
                        r = look_at_metadata(&t, &now, reterr);
                if (r >= 0 && t.state.state == LVM_MERGE_COPY && !t.state.linked)
                        r = await_end(&t, &now, reterr);
                if (r >= 0 && (now.state == REVERT_NONE || now.state == REVERT_LOST))
                        lvm_revert_state(t.state.state, &now);
        }
        if (r >= 0)
                *ret = now;
        return r;
}

/* LVM's driver is told to be absent, as the devices are gone already; should it want to do it
 * itself, it may. */
static int forget(struct thick_revert *t, struct vss_error *reterr) {
        static const char *const options[] = { "--driverloaded n ", "" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(options); i++) {
                if (t->state.state == LVM_MERGE_GONE)
                        return 0;
                r = lvm_tell(t->lvm, reterr, "lvremove --nolocking %s-f -y %s/%s", options[i],
                             t->state.vg, t->state.lv);
                if (r >= 0)
                        r = ask(t, reterr);
        }
        if (r < 0 || t->state.state == LVM_MERGE_GONE)
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not remove the copy %s/%s, which is merged back: %s",
                             t->copy.vg, t->copy.lv,
                             str_empty(lvm_complaint(t->lvm)) ? "it gave no reason"
                                                              : lvm_complaint(t->lvm));
}

int thick_revert_end(const struct snapshot_record *record, struct vss_error *reterr) {
        _cleanup_(thick_revert_done) struct thick_revert t = { .claim = -1 };
        struct revert_progress now;
        int r;

        r = begin(&t, record, reterr);
        if (r < 0 || t.state.state == LVM_MERGE_GONE)
                return r;
        /* With the group locked: LVM's own program may have done it meanwhile. */
        r = snapshot_merge_look(&t.devices, &now, reterr);
        if (r < 0)
                return r;
        r = check_put_back(&t, &now, reterr);
        if (r < 0)
                return r;
        if (t.state.state != LVM_MERGE_MARKED || now.state != REVERT_COPIED)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy %s/%s is not merged back yet", t.copy.vg, t.copy.lv);
        r = snapshot_devices_end_merge(&t.devices, reterr);
        if (r >= 0)
                r = snapshot_devices_remove_store(&t.devices, reterr);
        return r < 0 ? r : forget(&t, reterr);
}

int thick_revert_back(const struct snapshot_record *record, struct vss_error *reterr) {
        _cleanup_(thick_revert_done) struct thick_revert t = { .claim = -1 };
        int r;

        r = lock(&t, record, reterr);
        if (r < 0)
                return r;
        snapshot_merge_cancel(&t.devices);
        return snapshot_devices_rescue(&t.devices, reterr);
}

/* Without the lock, which an LVM command may have that waits for this volume. */
int thick_revert_rescue(const struct snapshot_record *record, struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct snapshot_devices devices;
        int r;

        r = lvm_revert_parse(&c, record, reterr);
        if (r < 0)
                return r;
        devices = lvm_copy_devices(&c);
        return snapshot_merge_rescue(&devices, reterr);
}

int thick_find_reverting(const struct intent_record *intent, struct snapshot_record *ret,
                         struct vss_error *reterr) {
        return lvm_revert_find(THICK_NAME, intent, ret, reterr);
}
