/* The way back from any step of a thick copy's life, by what is there and not by what should be:
 * the same for a stage that failed, an abort, a deletion, and what a crash left. In this order:
 *
 *      1. origins that are suspended are resumed, inactive tables dropped;
 *      2. the copies' devices go: from here on nothing is copied out;
 *      3. origins without any copy get their own table back (one step inside the kernel, so that
 *         the root can be among them), and the devices below them go;
 *      4. the stores' devices go;
 *      5. LVM's metadata forgets the copies, its driver told to be absent.
 *
 * What is gone already is as good as undone. */

#include "daemon/providers/block.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/vg-lock.h"
#include <stdio.h>

static int rescue_one(const struct thick_copy *c, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(c->origin_dm_uuid, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        if (info.inactive_table)
                r = mapper_clear(info.name, reterr);
        if (info.suspended) {
                int k = mapper_resume(&info, reterr);

                if (k < 0)
                        r = k;
        }
        return r;
}

int thick_rescue(struct thick_copy *const *copies, size_t n, struct vss_error *reterr) {
        int r = 0;

        /* All of them, whatever becomes of one. */
        for (size_t i = 0; i < n; i++) {
                int k = rescue_one(copies[i], reterr);

                if (k < 0)
                        r = k;
        }
        return r;
}

/* The device of that name, if it is this volume group's. */
static int find_ours(const struct thick_copy *c, const char *name, struct mapper_info *ret,
                     struct vss_error *reterr) {
        int r = mapper_find_name(name, ret, reterr);

        /* "LVM-" and the group's UUID begin the origin's and the copy's. */
        if (r >= 0 && ret->exists &&
            strncmp(ret->uuid, c->origin_dm_uuid, strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH) != 0)
                ret->exists = false;
        return r;
}

/* What is read through the copy fails from now on; what lies below it is free. */
static int cut_off(const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, error = { 0 };
        int r;

        r = mapper_read_table(device->name, &live, reterr);
        if (r < 0)
                return r;
        r = mapper_table_add(&error, 0, mapper_table_length(&live), "error", "");
        if (r < 0)
                return vss_error_from_errno(reterr, r, device->name);
        r = mapper_load(device->name, &error, false, reterr);
        if (r >= 0)
                r = mapper_resume(device, reterr);
        return r < 0 ? r : mapper_remove(device->name, true, reterr);
}

static int remove_copy(const struct thick_copy *c, bool force, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info info;
        int r;

        r = find_ours(c, c->copy_device, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        r = mapper_remove(c->copy_device, false, &error);
        if (r == -EBUSY && force)
                return cut_off(&info, reterr);
        if (r == -EBUSY)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy %s/%s is in use; end the programs that read it "
                                     "(lsof /dev/mapper/%s), or delete it by force",
                                     c->vg, c->cow, c->copy_device);
        vss_error_move(reterr, &error);
        return r;
}

/* True if nothing but the origin itself lies on its blocks. */
static int is_last(const struct mapper_info *real, const struct mapper_info *origin, bool *ret) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(real->devno, "holders", &holders, &n);
        if (r < 0)
                return r;
        *ret = true;
        for (size_t i = 0; i < n; i++)
                if (!origin->exists || holders[i] != origin->devno)
                        *ret = false;
        return 0;
}

static int restore_origin(const struct thick_copy *c, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, own = { 0 };
        struct mapper_info real, origin;
        bool last;
        int r;

        r = find_ours(c, c->real_device, &real, reterr);
        if (r < 0 || !real.exists)
                return r;
        r = mapper_find_uuid(c->origin_dm_uuid, &origin, reterr);
        if (r < 0)
                return r;
        r = is_last(&real, &origin, &last);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->real_device);
        if (!last)
                return 0;
        if (origin.exists && origin.live_table) {
                r = mapper_read_table(origin.name, &live, reterr);
                if (r < 0)
                        return r;
        }
        if (live.n == 1 && streq(live.targets[0].type, "snapshot-origin")) {
                r = mapper_read_table(c->real_device, &own, reterr);
                if (r >= 0)
                        r = mapper_load(origin.name, &own, origin.read_only, reterr);
                if (r >= 0)
                        r = mapper_resume(&origin, reterr);
                if (r < 0)
                        return r;
        }
        return mapper_remove(c->real_device, false, reterr);
}

static int remove_store(const struct thick_copy *c, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = find_ours(c, c->store_device, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        return mapper_remove(c->store_device, false, reterr);
}

static int undo_devices(struct thick_copy *const *copies, size_t n, bool force,
                        struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = remove_copy(copies[i], force, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = restore_origin(copies[i], reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = remove_store(copies[i], reterr);
        return r;
}

/* Exactly these copies, by UUID where it is known: names can have been changed. */
static int selection(struct thick_copy *const *copies, size_t n, char **ret) {
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < n; i++) {
                const struct thick_copy *c = copies[i];
                const char *so_far = str_or_empty(text), * or = i > 0 ? "||" : "";
                char *longer;
                int r;

                if (c->cow_uuid)
                        r = str_format(&longer, "%s%slv_uuid=%s", so_far, or, c->cow_uuid);
                else
                        r = str_format(&longer, "%s%s(vg_name=%s&&lv_name=%s)", so_far, or, c->vg,
                                       c->cow);
                if (r < 0)
                        return r;
                free(text);
                text = longer;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

/* What LVM still knows of them. */
static int check_gone(struct lvm *l, const char *which, struct vss_error *reterr) {
        _cleanup_(freep) char *words = strdup(lvm_complaint(l)), *question = NULL, *left = NULL;
        _cleanup_(strv_freep) char **commands = NULL;
        int r;

        r = str_format(&question, "lvs --noheadings --nolocking -o vg_name,lv_name -S %s", which);
        if (r >= 0)
                r = strv_append(&commands, question);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(l, commands, &left, reterr);
        if (r < 0)
                return r;
        if (strspn(left, " \n") == strlen(left))
                return 0;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not remove the copies%.*s: %s", (int)strcspn(left, "\n"),
                             left, str_empty(words) ? "it gave no reason" : words);
}

static int undo_metadata(struct lvm *l, struct thick_copy *const *copies, size_t n,
                         struct vss_error *reterr) {
        _cleanup_(freep) char *which = NULL, *removal = NULL;
        _cleanup_(strv_freep) char **commands = NULL;
        int r;

        r = selection(copies, n, &which);
        if (r >= 0)
                r = str_format(&removal, "lvremove --nolocking --driverloaded n -f -y -S %s",
                               which);
        if (r >= 0)
                r = strv_append(&commands, removal);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(l, commands, NULL, reterr);
        if (r < 0)
                return r;
        return lvm_said(l, "successfully removed") == n ? 0 : check_gone(l, which, reterr);
}

/* The names that the devices have now, if somebody has renamed group or volume. */
static int refresh_names(struct thick_copy *c, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL, *cow_vg = NULL, *cow = NULL;
        _cleanup_(thick_copy_done) struct thick_copy fresh = { 0 };
        struct mapper_info info;
        int r;

        r = mapper_find_uuid(c->origin_dm_uuid, &info, reterr);
        if (r < 0 || !info.exists || lvm_name_split(info.name, &vg, &lv, &layer) < 0)
                return r;
        if (c->copy_dm_uuid) {
                r = mapper_find_uuid(c->copy_dm_uuid, &info, reterr);
                if (r < 0)
                        return r;
                if (info.exists) {
                        free(layer);
                        layer = NULL;
                        (void)lvm_name_split(info.name, &cow_vg, &cow, &layer); /* or as noted */
                }
        }
        r = thick_copy_init(&fresh, vg, c->vg_uuid, lv, c->origin_uuid, cow ? cow : c->cow,
                            c->cow_uuid);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->cow);
        thick_copy_done(c);
        *c = fresh;
        fresh = (struct thick_copy){ 0 };
        return 0;
}

/* The locks of all groups of the copies, in the order of their names. */
struct locks {
        int *fds;
        size_t n;
};

static void locks_done(struct locks *l) {
        for (size_t i = 0; i < l->n; i++)
                l->fds[i] = vg_unlock(l->fds[i]);
        free(l->fds);
}

static int compare_names(const void *a, const void *b) {
        const char *const *left = a, *const *right = b;

        return strcmp(*left, *right);
}

static int locks_take(struct locks *l, struct thick_copy *const *copies, size_t n,
                      struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(n > 0 ? n : 1, sizeof(*names));
        int r = 0;

        l->fds = calloc(n > 0 ? n : 1, sizeof(*l->fds));
        if (!names || !l->fds)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot lock the volume groups");
        for (size_t i = 0; i < n; i++)
                names[i] = copies[i]->vg;
        if (n > 0)
                qsort(names, n, sizeof(*names), compare_names);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (i > 0 && streq(names[i], names[i - 1]))
                        continue;
                r = vg_lock(names[i], &l->fds[l->n], reterr);
                if (r >= 0)
                        l->n++;
        }
        return r;
}

int thick_undo(struct thick_copy *const *copies, size_t n, const struct thick_undo *options,
               struct vss_error *reterr) {
        _cleanup_(locks_done) struct locks locks = { 0 };
        _cleanup_(lvm_closep) struct lvm *own = NULL;
        struct lvm *l = options->lvm;
        int r;

        if (n == 0)
                return 0;
        r = thick_rescue(copies, n, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = refresh_names(copies[i], reterr);
        if (r >= 0 && !l) {
                r = lvm_open(&own, reterr); /* it starts while we go on */
                l = own;
        }
        if (r >= 0 && !options->locked)
                r = locks_take(&locks, copies, n, reterr);
        if (r >= 0)
                r = undo_devices(copies, n, options->force, reterr);
        if (r >= 0)
                r = undo_metadata(l, copies, n, reterr);
        return r;
}
