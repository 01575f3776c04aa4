/* See dm-store.h. Stateless: the names follow from the copy. */

#include "daemon/providers/dm-store.h"
#include "common/vss-id.h"
#include "daemon/providers/loop-device.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/vg-lock.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512

void dm_store_done(struct dm_store *s) {
        mapper_table_done(&s->table);
        s->loop_fd = safe_close(s->loop_fd);
}

static int add_linear(struct mapper_table *t, uint64_t sectors, dev_t devno, uint64_t from) {
        char params[64];

        (void)snprintf(params, sizeof(params), "%u:%u %" PRIu64, major(devno), minor(devno), from);
        return mapper_table_add(t, mapper_table_length(t), sectors, "linear", params);
}

int dm_store_file_path(const struct dm_copy *c, char **ret) {
        return str_format(ret, "%s/%s-%s.cow", c->place, c->copy, VSS_ID_TEXT(c->id));
}

static int make_file(struct dm_store *s, const struct dm_copy *c, uint64_t bytes,
                     struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;
        dev_t devno;
        int r;

        if (dm_store_file_path(c, &path) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->place);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, errno,
                                     "cannot make the store %s: %s", path, strerror(errno));
        if (fallocate(fd, 0, 0, (off_t)bytes) < 0)
                return vss_error_set(reterr,
                                     errno == ENOSPC ? VSS_E_INSUFFICIENT_STORAGE
                                                     : VSS_E_UNEXPECTED_PROVIDER_ERROR,
                                     errno, "cannot reserve %" PRIu64 " MiB for the store %s: %s",
                                     bytes / MIB, path, strerror(errno));
        r = loop_device_attach(fd, path, &s->loop_fd, &devno, reterr);
        if (r < 0)
                return r;
        r = add_linear(&s->table, bytes / SECTOR_SIZE, devno, 0);
        return r < 0 ? vss_error_from_errno(reterr, r, path) : 0;
}

static int remove_file(const struct dm_copy *c, struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;

        if (dm_store_file_path(c, &path) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->place);
        if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, errno,
                                     "cannot remove the store %s: %s", path, strerror(errno));
        return 0;
}

/* LVM finds it by its tag, whatever the group is called by then. */
static int make_volume(struct dm_store *s, const struct dm_copy *c, uint64_t bytes, struct lvm *lvm,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *lv = NULL, *device = NULL;
        struct mapper_info info = { 0 };
        int r;

        if (str_format(&lv, LVM_STORE_PREFIX "%" PRIu64, c->number) < 0 ||
            lvm_name_join(&device, c->place, lv, NULL) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->place);
        r = mapper_find_name(device, &info, reterr);
        if (r >= 0 && info.exists)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EEXIST,
                                     "there is a logical volume %s/%s already, which this service "
                                     "does not know; remove it if nobody needs it, or try again: "
                                     "the next copy gets the next number",
                                     c->place, lv);
        if (r >= 0)
                r = lvm_tell(lvm, reterr,
                             "lvcreate --nolocking --config global/notify_dbus=0 -y --type linear "
                             "-Zn -Wn --addtag vss_%s -L %" PRIu64 "b -n %s %s",
                             VSS_ID_TEXT(c->id), bytes, lv, c->place);
        if (r >= 0)
                r = mapper_find_name(device, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists || !info.live_table)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EIO,
                                     "LVM did not make the store %s/%s: %s", c->place, lv,
                                     *lvm_complaint(lvm) ? lvm_complaint(lvm)
                                                         : "it gave no reason");
        s->below = info.devno;
        r = add_linear(&s->table, bytes / SECTOR_SIZE, info.devno, 0);
        return r < 0 ? vss_error_from_errno(reterr, r, lv) : 0;
}

static int remove_found(struct lvm *l, const struct dm_copy *c, char *const *f, VSS_ID set_id,
                        struct vss_error *reterr) {
        _cleanup_(vg_locks_drop) struct vg_locks locks = { 0 };
        const char *group = f[0];
        int r;

        r = vg_locks_take(&locks, &group, 1, set_id, reterr);
        if (r >= 0)
                r = lvm_tell(l, reterr, "lvremove --nolocking -f -y %s/%s", f[0], f[1]);
        if (r < 0 || lvm_said(l, "successfully removed") == 1)
                return r;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not remove the store %s/%s of the copy %s: %s", f[0], f[1],
                             c->copy, *lvm_complaint(l) ? lvm_complaint(l) : "it gave no reason");
}

static int remove_volume(const struct dm_copy *c, VSS_ID set_id, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_report_ask(&found, l, 2, reterr,
                                   "lvs " LVM_REPORT_OPTIONS
                                   " --nolocking -o vg_name,lv_name -S lv_tags=vss_%s",
                                   VSS_ID_TEXT(c->id));
        for (size_t i = 0; r >= 0 && i < found.n; i++)
                r = remove_found(l, c, found.rows[i].fields, set_id, reterr);
        return r;
}

static int take_gaps(struct dm_store *s, const struct dm_copy *c, uint64_t bytes,
                     struct vss_error *reterr) {
        _cleanup_(freep) struct dm_gap *gaps = NULL;
        uint64_t left = bytes / SECTOR_SIZE;
        dev_t devno;
        size_t n = 0;
        int r;

        r = dm_place_find_gaps(c->place, &devno, &gaps, &n, reterr);
        if (r >= 0)
                r = dm_place_mark(c->place, reterr);
        for (size_t i = 0; r >= 0 && left > 0 && i < n; i++) {
                /* In whole MiB, as everybody here. */
                uint64_t length = gaps[i].length / (MIB / SECTOR_SIZE) * (MIB / SECTOR_SIZE);

                if (length > left)
                        length = left;
                if (length == 0)
                        continue;
                r = add_linear(&s->table, length, devno, gaps[i].start);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, c->place);
                left -= length;
        }
        if (r >= 0 && left > 0)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                                     "%s has become too full for the store of %s", c->place,
                                     c->copy);
        return r;
}

int dm_store_make(struct dm_store *ret, const struct dm_copy *c, uint64_t bytes, struct lvm *lvm,
                  struct vss_error *reterr) {
        _cleanup_(dm_store_done) struct dm_store s = { .loop_fd = -1 };
        int r = -EINVAL;

        switch (c->store_kind) {
        case DM_STORE_FILE: r = make_file(&s, c, bytes, reterr); break;
        case DM_STORE_GROUP: r = make_volume(&s, c, bytes, lvm, reterr); break;
        case DM_STORE_DEVICE: r = take_gaps(&s, c, bytes, reterr); break;
        }
        if (r < 0)
                return r;
        *ret = s;
        s = (struct dm_store){ .loop_fd = -1 };
        return 0;
}

int dm_store_remove(const struct dm_copy *c, VSS_ID set_id, struct vss_error *reterr) {
        switch (c->store_kind) {
        case DM_STORE_FILE: return remove_file(c, reterr);
        case DM_STORE_GROUP: return remove_volume(c, set_id, reterr);
        case DM_STORE_DEVICE: return 0; /* its part is free when nothing is mapped there */
        }
        return -EINVAL;
}
