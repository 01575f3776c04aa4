/* See snapshot-merge.h. Stateless. */

#include "daemon/providers/snapshot-merge.h"
#include <inttypes.h>
#include <stdio.h>
#include <vss/vss.h>

#define SECTOR_SIZE 512

/* By what udev or a reader may have open. */
static int find_copy(const struct snapshot_devices *d, struct mapper_info *ret,
                     struct vss_error *reterr) {
        int r;

        r = mapper_find_name(d->copy, ret, reterr);
        if (r >= 0 && ret->exists && d->copy_uuid && !streq(ret->uuid, d->copy_uuid))
                ret->exists = false;
        return r;
}

static int find_idle_copy(const struct snapshot_devices *d, struct mapper_info *ret,
                          struct vss_error *reterr) {
        int r;

        mapper_let_udev_finish(); /* it has it open after each event, for a moment */
        r = find_copy(d, ret, reterr);
        if (r < 0)
                return r;
        if (!ret->exists || !ret->live_table)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, ENODEV,
                                     "the copy %s is not active", d->copy);
        if (ret->open_count > 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy %s is in use; end the programs that read it (lsof "
                                     "/dev/mapper/%s)",
                                     d->copy, d->copy);
        return 0;
}

static int find_origin(const struct snapshot_devices *d, struct mapper_info *ret,
                       struct vss_error *reterr) {
        int r;

        r = snapshot_devices_find_origin(d, ret, reterr);
        if (r < 0)
                return r;
        if (!ret->exists || !ret->live_table)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "the volume %s is not active", d->origin);
        if (ret->read_only)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EROFS,
                                     "the volume %s is read-only", d->origin);
        return 0;
}

/* Of one that was lost there is nothing that could be merged. */
static int check(const struct snapshot_devices *d, struct mapper_info *origin,
                 struct mapper_info *copy, struct vss_error *reterr) {
        uint64_t used, size;
        bool lost;
        int r;

        r = find_origin(d, origin, reterr);
        if (r >= 0)
                r = find_idle_copy(d, copy, reterr);
        if (r >= 0)
                r = snapshot_devices_usage(d->copy, &used, &size, &lost, reterr);
        if (r < 0 || !lost)
                return r;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, ENOSPC,
                             "the store of the copy %s has overflowed, the copy is lost", d->copy);
}

int snapshot_merge_check(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info origin, copy;

        return check(d, &origin, &copy, reterr);
}

/* The copy's own line, under the other target's name: the same store, in the same chunks. */
static int load_table(const struct snapshot_devices *d, const struct mapper_info *origin,
                      struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table copy = { 0 }, merge = { 0 };
        int r;

        r = mapper_read_table(d->copy, &copy, reterr);
        if (r < 0)
                return r;
        if (copy.n != 1 || !streq(copy.targets[0].type, "snapshot"))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the device %s is no snapshot", d->copy);
        r = mapper_table_add(&merge, 0, copy.targets[0].length, "snapshot-merge",
                             copy.targets[0].params);
        return r < 0 ? vss_error_from_errno(reterr, r, d->copy)
                     : mapper_load(origin->name, &merge, false, reterr);
}

int snapshot_merge_prepare(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info origin, copy;
        int r;

        r = check(d, &origin, &copy, reterr);
        if (r < 0)
                return r;
        /* Both may be there already, of one who came as far and died. As long as the origin has the
         * table that merges, the kernel neither resumes the copy nor takes such a table again. */
        if (origin.inactive_table || copy.suspended) {
                snapshot_merge_cancel(d);
                r = check(d, &origin, &copy, reterr);
        }
        if (r >= 0)
                r = load_table(d, &origin, reterr);
        /* The kernel hands over what it has of a copy only if nobody can ask the copy meanwhile. */
        if (r >= 0)
                r = mapper_suspend(&copy, reterr);
        if (r < 0)
                snapshot_merge_cancel(d);
        return r;
}

void snapshot_merge_cancel(const struct snapshot_devices *d) {
        struct mapper_info info;

        /* What cannot be undone here the next start finds: an inactive table is dropped there. */
        if (snapshot_devices_find_origin(d, &info, NULL) >= 0 && info.exists && info.inactive_table)
                (void)mapper_clear(info.name, NULL);
        if (find_copy(d, &info, NULL) >= 0 && info.exists && info.suspended)
                (void)mapper_resume(&info, NULL);
}

/* A resume that the kernel has refused, as it does if it cannot hand over what it has of the copy,
 * leaves the origin suspended with the table that merges. It begins, or is what it was. */
static int get_going(const struct snapshot_devices *d, const struct mapper_info *origin,
                     struct vss_error *reterr) {
        if (mapper_resume(origin, NULL) >= 0)
                return 1;
        return snapshot_devices_end_attempt(d, reterr);
}

static int is_merging(const struct mapper_info *origin, bool *ret, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        int r;

        r = mapper_read_table(origin->name, &live, reterr);
        if (r >= 0)
                *ret = live.n == 1 && streq(live.targets[0].type, "snapshot-merge");
        return r;
}

/* Whoever changes the origin's table, LVM for one, has loaded the other before the suspend. */
int snapshot_merge_rescue(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info origin;
        bool merging = false;
        int r;

        r = snapshot_devices_find_origin(d, &origin, reterr);
        if (r < 0 || !origin.exists || !origin.suspended || !origin.live_table ||
            origin.inactive_table)
                return r;
        r = is_merging(&origin, &merging, reterr);
        if (r < 0 || !merging)
                return r;
        r = get_going(d, &origin, reterr);
        return r < 0 ? r : 0;
}

int snapshot_merge_is_ending(const struct snapshot_devices *d, bool *ret,
                             struct vss_error *reterr) {
        struct mapper_info origin;
        int r;

        *ret = false;
        r = snapshot_devices_find_origin(d, &origin, reterr);
        if (r < 0 || !origin.exists || !origin.suspended || !origin.live_table ||
            !origin.inactive_table)
                return r;
        return is_merging(&origin, ret, reterr);
}

/* 1: it has begun after all. */
static int settle(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info origin;
        bool merging = false;
        int r;

        r = snapshot_devices_find_origin(d, &origin, reterr);
        if (r >= 0 && origin.exists && origin.suspended)
                r = is_merging(&origin, &merging, reterr);
        if (r >= 0 && merging)
                r = get_going(d, &origin, reterr);
        if (r != 0)
                return r;
        snapshot_merge_cancel(d);
        return snapshot_devices_rescue(d, reterr);
}

int snapshot_merge_start(const struct snapshot_devices *d, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error first = { 0 }, error = { 0 };
        struct mapper_info origin;
        int r, k;

        r = find_origin(d, &origin, &first);
        if (r >= 0)
                r = mapper_resume(&origin, &first);
        /* The copy stays suspended until it is known that nothing is handed over. */
        k = r < 0 ? settle(d, &error) : 1;
        if (k < 0)
                (void)vss_error_prefix(&first, "%s may be suspended (%s)", d->origin,
                                       str_or_empty(error.message));
        if (k <= 0) {
                vss_error_move(reterr, &first);
                return r;
        }
        /* Nobody had it open a moment ago; who has it now reads no more than errors. */
        r = snapshot_devices_remove_copy(d, true, reterr);
        return r < 0 ? r : 0;
}

void snapshot_merge_parse(const char *status, struct revert_progress *ret) {
        uint64_t allocated, total, metadata;
        int end = 0;

        *ret = (struct revert_progress){ .state = REVERT_FAILED };
        if (sscanf(status, "%" SCNu64 "/%" SCNu64 " %" SCNu64 "%n", &allocated, &total, &metadata,
                   &end) != 3 ||
            status[end] != '\0' || allocated < metadata)
                return;
        ret->left = (allocated - metadata) * SECTOR_SIZE;
        ret->state = ret->left > 0 ? REVERT_RUNNING : REVERT_COPIED;
}

int snapshot_merge_look(const struct snapshot_devices *d, struct revert_progress *ret,
                        struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        struct mapper_info origin;
        int r;

        *ret = (struct revert_progress){ .state = REVERT_LOST };
        r = snapshot_devices_find_origin(d, &origin, reterr);
        if (r < 0 || !origin.exists || !origin.live_table)
                return r;
        r = mapper_read_status(origin.name, &status, reterr);
        if (r < 0)
                return r;
        ret->state = REVERT_NONE;
        if (status.n == 1 && streq(status.targets[0].type, "snapshot-merge"))
                snapshot_merge_parse(status.targets[0].params, ret);
        return 0;
}
