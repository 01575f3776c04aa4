/* See dm-store-grow.h. Stateless. */

#include "daemon/providers/dm-store-grow.h"
#include "common/vss-id.h"
#include "daemon/providers/block.h"
#include "daemon/providers/loop-device.h"
#include "daemon/providers/lvm-extend.h"
#include "daemon/providers/lvm-name.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512

static uint64_t round_up(uint64_t bytes, uint64_t unit) {
        return bytes / unit * unit + (bytes % unit != 0 ? unit : 0);
}

static int add_linear(struct mapper_table *t, uint64_t sectors, dev_t devno, uint64_t from) {
        char params[64];

        (void)snprintf(params, sizeof(params), "%u:%u %" PRIu64, major(devno), minor(devno), from);
        return mapper_table_add(t, mapper_table_length(t), sectors, "linear", params);
}

/* The one device that all of a store lies on, from its beginning on. */
static int only_device(const struct mapper_table *live, const char *store, dev_t *ret,
                       struct vss_error *reterr) {
        unsigned major, minor;
        uint64_t from;

        if (live->n != 1 || !streq(live->targets[0].type, "linear") ||
            sscanf(live->targets[0].params, "%u:%u %" SCNu64, &major, &minor, &from) != 3 ||
            from != 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the store %s is not where it was made", store);
        *ret = makedev(major, minor);
        return 0;
}

static int say_full(struct vss_error *reterr, const struct dm_copy *c) {
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                             "%s has no room left for the store of %s; make room there, or delete "
                             "old copies (vssctl list)",
                             c->place, c->copy);
}

/* Of what is free the other half is for whom the file system is. */
static int reserve(int fd, const struct dm_copy *c, uint64_t now, uint64_t *bytes,
                   struct vss_error *reterr) {
        struct statvfs fs;
        uint64_t spare;

        if (fstatvfs(fd, &fs) < 0)
                return vss_error_from_errno(reterr, -errno, c->place);
        spare = (uint64_t)fs.f_bavail * fs.f_frsize / 2 / MIB * MIB;
        if (*bytes - now > spare)
                *bytes = now + spare;
        if (*bytes <= now)
                return say_full(reterr, c);
        if (fallocate(fd, 0, 0, (off_t)*bytes) < 0)
                return errno == ENOSPC ? say_full(reterr, c)
                                       : vss_error_from_errno(reterr, -errno, c->place);
        return 0;
}

static int grow_file(struct mapper_table *t, const struct dm_copy *c,
                     const struct mapper_table *live, uint64_t bytes, struct vss_error *reterr) {
        uint64_t now = mapper_table_length(live) * SECTOR_SIZE;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;
        dev_t devno;
        int r;

        r = only_device(live, c->store, &devno, reterr);
        if (r < 0)
                return r;
        if (dm_store_file_path(c, &path) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->place);
        fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, errno,
                                     "cannot open the store %s: %s", path, strerror(errno));
        bytes = round_up(bytes, MIB);
        r = loop_device_check(devno, fd, path, reterr);
        if (r >= 0)
                r = reserve(fd, c, now, &bytes, reterr);
        if (r >= 0)
                r = loop_device_refresh(devno, path, reterr);
        if (r < 0)
                return r;
        r = add_linear(t, bytes / SECTOR_SIZE, devno, 0);
        return r < 0 ? vss_error_from_errno(reterr, r, path) : 0;
}

static int grow_gaps(struct mapper_table *t, const struct dm_copy *c,
                     const struct mapper_table *live, uint64_t bytes, struct vss_error *reterr) {
        uint64_t left = round_up(bytes, MIB) / SECTOR_SIZE - mapper_table_length(live);
        _cleanup_(freep) struct dm_gap *gaps = NULL;
        dev_t devno;
        size_t n = 0;
        int r;

        r = dm_place_find_gaps(c->place, &devno, &gaps, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < live->n; i++)
                r = mapper_table_add(t, live->targets[i].start, live->targets[i].length,
                                     live->targets[i].type, live->targets[i].params);
        for (size_t i = 0; r >= 0 && left > 0 && i < n; i++) {
                uint64_t length = gaps[i].length / (MIB / SECTOR_SIZE) * (MIB / SECTOR_SIZE);

                if (length > left)
                        length = left;
                if (length == 0)
                        continue;
                r = add_linear(t, length, devno, gaps[i].start);
                left -= length;
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->place);
        return mapper_table_length(t) > mapper_table_length(live) ? 0 : say_full(reterr, c);
}

/* The volume has been extended by now. */
static int grow_over_volume(struct mapper_table *t, const struct dm_copy *c,
                            const struct mapper_table *live, struct vss_error *reterr) {
        struct block below;
        dev_t devno;
        int r;

        r = only_device(live, c->store, &devno, reterr);
        if (r < 0)
                return r;
        r = block_read(&below, devno);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->store);
        r = add_linear(t, below.size / SECTOR_SIZE, devno, 0);
        block_done(&below);
        return r < 0 ? vss_error_from_errno(reterr, r, c->store) : 0;
}

int dm_store_grow(struct mapper_table *ret, const struct dm_copy *c,
                  const struct mapper_table *live, uint64_t bytes, struct vss_error *reterr) {
        if (bytes <= mapper_table_length(live) * SECTOR_SIZE)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "the store %s has that already",
                                     c->store);
        switch (c->store_kind) {
        case DM_STORE_FILE: return grow_file(ret, c, live, bytes, reterr);
        case DM_STORE_GROUP: return grow_over_volume(ret, c, live, reterr);
        case DM_STORE_DEVICE: return grow_gaps(ret, c, live, bytes, reterr);
        }
        return -EINVAL;
}

int dm_store_grow_volume(const struct dm_copy *c, uint64_t bytes, struct vss_error *reterr) {
        _cleanup_(freep) char *select = NULL, *vg = NULL, *lv = NULL, *layer = NULL;
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        _cleanup_(freep) char *device = NULL;
        uint64_t got;
        dev_t devno;
        int r;

        r = mapper_read_table(c->store, &live, reterr);
        if (r >= 0)
                r = only_device(&live, c->store, &devno, reterr);
        if (r < 0)
                return r;
        /* By what it is called now. */
        r = block_attribute(devno, "dm/name", &device);
        if (r >= 0)
                r = lvm_name_split(device, &vg, &lv, &layer);
        if (r >= 0)
                r = str_format(&select, "lv_tags=vss_%s", VSS_ID_TEXT(c->id));
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->store);
        return lvm_extend(
                &(const struct lvm_extend){
                        .vg = vg, .lv = lv, .select = select, .device = device },
                bytes, &got, reterr);
}
