/* What the pools have of thin copies goes with LVM's own lvremove: a message to the pool, and both
 * sides count it. Two things are ours:
 *
 *      - the pool forgets a copy before LVM does. An lvm that is killed leaves a note of what it
 *        had begun in LVM's metadata, and the next one may do that again, or take what it has to
 *        do itself for done: so the pool would refuse to make a snapshot that is there already, and
 *        every command after it; or keep one that LVM has no name for, and give its number to the
 *        next. What is not there can be made, and be deleted, too: LVM takes that for done;
 *      - a copy that is in use and deleted by force still has a device, which LVM would refuse to
 *        forget. It is cut off from the pool already; so LVM is told to keep its hands off devices,
 *        and notes the pool's message instead of sending it. We send what it would have sent. LVM
 *        finds that with its next command for the pool, as after a crash of its own; and sends it
 *        then, should we not come to it. */

#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thin.h"
#include <stdio.h>

enum { FOUND_VG_UUID, FOUND_POOL_UUID, FOUND_THIN_ID, FOUND_FIELDS };
#define FOUND_COLUMNS "vg_uuid,pool_lv_uuid,thin_id"

static int ask(struct lvm *l, struct lvm_copy *const *copies, size_t n, struct lvm_report *ret,
               struct vss_error *reterr) {
        _cleanup_(freep) char *which = NULL;
        int r;

        r = lvm_undo_select(copies, n, &which);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        return lvm_report_ask(ret, l, FOUND_FIELDS, reterr,
                              "lvs " LVM_REPORT_OPTIONS " --nolocking -o " FOUND_COLUMNS " -S %s",
                              which);
}

/* The copy's pool forgets it; or later, when LVM activates a pool that is not active. */
static int clear_place(char *const *f, struct mapper_info *ret_pool, struct vss_error *reterr) {
        _cleanup_(freep) char *pool_uuid = NULL, *message = NULL;
        uint64_t id;
        int r;

        r = lvm_number(f[FOUND_THIN_ID], &id);
        if (r >= 0)
                r = lvm_uuid_join(&pool_uuid, f[FOUND_VG_UUID], f[FOUND_POOL_UUID], "tpool");
        if (r >= 0)
                r = str_format(&message, "delete %llu", (unsigned long long)id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        r = mapper_find_uuid(pool_uuid, ret_pool, reterr);
        /* -ENODATA: it is not there; and what else may be wrong with the pool, lvremove says. */
        if (r >= 0 && ret_pool->exists)
                (void)mapper_message(ret_pool->name, message, NULL);
        return r;
}

static int clear_places(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                        struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        struct mapper_info pool;
        int r;

        r = ask(l, copies, n, &found, reterr);
        for (size_t i = 0; r >= 0 && i < found.n; i++)
                r = clear_place(found.rows[i].fields, &pool, reterr);
        return r;
}

static int undo_devices(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                        const struct lvm_undo *options, struct vss_error *reterr) {
        for (size_t i = 0; i < n; i++) {
                const struct snapshot_devices d = lvm_copy_devices(copies[i]);
                int r = snapshot_devices_remove_copy(&d, options->force, reterr);

                if (r < 0)
                        return r;
                copies[i]->cut_off = r > 0;
        }
        return clear_places(l, copies, n, reterr);
}

/* LVM's own count for the pool of a copy. */
static int ask_transaction(struct lvm *l, char *const *f, uint64_t *ret, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        int r;

        r = lvm_report_ask(&report, l, 1, reterr,
                           "lvs " LVM_REPORT_OPTIONS " --nolocking -o transaction_id -S lv_uuid=%s",
                           f[FOUND_POOL_UUID]);
        if (r < 0)
                return r;
        r = report.n == 1 ? lvm_number(report.rows[0].fields[0], ret) : -EBADMSG;
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

/* The copy's own message, and the one that ends a transaction: for the first copy of a pool, the
 * others find it ended. */
static int deliver(struct lvm *l, char *const *f, struct vss_error *reterr) {
        _cleanup_(freep) char *end = NULL;
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        struct mapper_info device;
        uint64_t wanted;
        int r;

        r = clear_place(f, &device, reterr);
        if (r < 0 || !device.exists)
                return r;
        r = thin_pool_read(&pool, device.devno, reterr);
        if (r >= 0)
                r = ask_transaction(l, f, &wanted, reterr);
        if (r < 0 || wanted != pool.transaction_id + 1)
                return r;
        r = str_format(&end, "set_transaction_id %llu %llu",
                       (unsigned long long)pool.transaction_id, (unsigned long long)wanted);
        return r < 0 ? vss_error_from_errno(reterr, r, pool.name)
                     : mapper_message(device.name, end, reterr);
}

static int forget_cut_off(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                          struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        int r;

        if (n == 0)
                return 0;
        r = ask(l, copies, n, &found, reterr);
        if (r >= 0)
                r = lvm_undo_forget(l, "--driverloaded n", copies, n, reterr);
        for (size_t i = 0; r >= 0 && i < found.n; i++)
                r = deliver(l, found.rows[i].fields, reterr);
        return r;
}

static int forget(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                  struct vss_error *reterr) {
        _cleanup_(freep) struct lvm_copy **idle = calloc(n, sizeof(*idle));
        _cleanup_(freep) struct lvm_copy **cut_off = calloc(n, sizeof(*cut_off));
        size_t n_idle = 0, n_cut_off = 0;
        int r;

        if (!idle || !cut_off)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot remove the copies");
        for (size_t i = 0; i < n; i++)
                if (copies[i]->cut_off)
                        cut_off[n_cut_off++] = copies[i];
                else
                        idle[n_idle++] = copies[i];
        r = lvm_undo_forget(l, "--noudevsync", idle, n_idle, reterr);
        return r < 0 ? r : forget_cut_off(l, cut_off, n_cut_off, reterr);
}

const struct lvm_kind thin_kind = {
        .provider = THIN_NAME,
        .activation = "-K",
        .thin = true,
        .undo_devices = undo_devices,
        .forget = forget,
};
