/* The choice of a place for each store of a set: see dm-place.h. Owned by the set in creation. */

#include "daemon/providers/dm-place.h"
#include "daemon/providers/block.h"
#include "daemon/providers/lvm-facts.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-size.h"
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)
#define SECTOR_SIZE 512
#define XFS_MAGIC 0x58465342 /* not in linux/magic.h */

#define WAY_OUT                                                                               \
        "In [Stores] of /etc/vss/vssd.conf name a directory on another file system, a spare " \
        "block device or a volume group with room (vssd(8))"

/* What has been promised of a place to earlier volumes of the set. */
struct dm_planned {
        char *key;
        uint64_t bytes;
};

/* One place as it was found. */
struct room {
        enum dm_store_kind kind;
        char key[160];
        uint64_t free_bytes, unit_bytes, total_bytes;
};

void dm_places_done(struct dm_places *p) {
        lvm_close(p->lvm);
        for (size_t i = 0; i < p->n_planned; i++)
                free(p->planned[i].key);
        free(p->planned);
        *p = (struct dm_places){ 0 };
}

static int refuse(struct vss_error *reterr, const char *place, const char *reason) {
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EOPNOTSUPP, "%s %s", place,
                             reason);
}

int dm_places_check_below(const struct volume *const *set, size_t n, dev_t devno, const char *name,
                          struct vss_error *reterr) {
        const struct volume *lower = NULL;
        int r;

        r = volumes_find_below(set, n, devno, &lower);
        if (r == -ELOOP)
                return refuse(reterr, name, "lies in a disk image inside a disk image");
        if (r == -EOPNOTSUPP)
                return refuse(reterr, name,
                              "lies on what does not say whose bytes it writes (FUSE, a network "
                              "block device)");
        if (r < 0)
                return vss_error_from_errno(reterr, r, name);
        if (lower)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EOPNOTSUPP,
                                     "%s lies on %s, of which a copy is made, too", name,
                                     lower->name);
        return 0;
}

/* Those in which room that was reserved is there when it is needed. */
static bool reserves_room(const struct statfs *fs) {
        return fs->f_type == EXT4_SUPER_MAGIC || fs->f_type == XFS_MAGIC;
}

/* Nobody but root may put something else in the way of what is made there. */
static int check_directory(const char *path, const struct stat *st, struct vss_error *reterr) {
        if (st->st_uid != 0 || st->st_mode & (S_IWGRP | S_IWOTH))
                return refuse(reterr, path, "can be written by others than root");
        return 0;
}

static int look_at_directory(const struct dm_places *p, const char *path, const struct stat *st,
                             struct room *ret, struct vss_error *reterr) {
        struct statfs fs;
        int r;

        r = check_directory(path, st, reterr);
        if (r >= 0)
                r = dm_places_check_below(p->set, p->n, st->st_dev, path, reterr);
        if (r < 0)
                return r;
        if (statfs(path, &fs) < 0)
                return vss_error_from_errno(reterr, -errno, path);
        if (!reserves_room(&fs))
                return refuse(reterr, path,
                              "is on a file system that cannot keep room reserved; only ext4 and "
                              "XFS are known to");
        *ret = (struct room){
                .kind = DM_STORE_FILE,
                /* The other half is for whom the file system is. */
                .free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 2,
                .unit_bytes = MIB,
                .total_bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize,
        };
        (void)snprintf(ret->key, sizeof(ret->key), "directory %u:%u", major(st->st_dev),
                       minor(st->st_dev));
        return 0;
}

static uint64_t block_bytes(dev_t devno) {
        struct block b;
        uint64_t size;

        if (block_read(&b, devno) < 0)
                return 0; /* for people only */
        size = b.size;
        block_done(&b);
        return size;
}

static int look_at_device(const struct dm_places *p, const char *path, struct room *ret,
                          struct vss_error *reterr) {
        _cleanup_(freep) struct dm_gap *gaps = NULL;
        dev_t devno;
        size_t n;
        int r;

        r = dm_place_find_gaps(path, &devno, &gaps, &n, reterr);
        if (r >= 0)
                r = dm_places_check_below(p->set, p->n, devno, path, reterr);
        if (r < 0)
                return r;
        *ret = (struct room){ .kind = DM_STORE_DEVICE, .unit_bytes = MIB };
        ret->total_bytes = block_bytes(devno);
        for (size_t i = 0; i < n; i++)
                ret->free_bytes += gaps[i].length * SECTOR_SIZE / MIB * MIB;
        (void)snprintf(ret->key, sizeof(ret->key), "device %u:%u", major(devno), minor(devno));
        return 0;
}

static int look_at_group(struct dm_places *p, const char *name, struct room *ret,
                         struct vss_error *reterr) {
        enum { EXTENT, FREE, COUNT, LOCK_TYPE, MISSING, EXPORTED, FIELDS };
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        uint64_t extent, n_free, count, missing;
        char *const *f;
        int r = 0;

        if (!p->lvm)
                r = lvm_open(&p->lvm, reterr);
        if (r >= 0)
                r = lvm_report_ask(&found, p->lvm, FIELDS, reterr,
                                   "vgs " LVM_REPORT_OPTIONS " --nolocking -o vg_extent_size,"
                                   "vg_free_count,vg_extent_count,vg_lock_type,vg_missing_pv_count,"
                                   "vg_exported %s",
                                   name);
        if (r >= 0)
                r = lvm_facts_check_foreign(p->lvm, name, reterr);
        if (r < 0)
                return r;
        if (found.n != 1)
                return refuse(reterr, name, "is no volume group that LVM finds");
        f = found.rows[0].fields;
        if (lvm_number(f[EXTENT], &extent) < 0 || lvm_number(f[FREE], &n_free) < 0 ||
            lvm_number(f[COUNT], &count) < 0 || lvm_number(f[MISSING], &missing) < 0 || extent == 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        if (*f[LOCK_TYPE] && !streq(f[LOCK_TYPE], "none"))
                return refuse(reterr, name, "is a volume group shared with other hosts");
        if (*f[EXPORTED] || missing > 0)
                return refuse(reterr, name, "is a volume group that is exported or not complete");
        *ret = (struct room){
                .kind = DM_STORE_GROUP,
                .free_bytes = n_free * extent * SECTOR_SIZE,
                .unit_bytes = extent * SECTOR_SIZE,
                .total_bytes = count * extent * SECTOR_SIZE,
        };
        (void)snprintf(ret->key, sizeof(ret->key), "group %s", name);
        return 0;
}

static int look_at(struct dm_places *p, const char *place, struct room *ret,
                   struct vss_error *reterr) {
        struct stat st;

        if (place[0] != '/')
                return look_at_group(p, place, ret, reterr);
        /* The default has never been asked for before; what is configured is there, or is not. */
        if (dm_place_is_default(place) && mkdir(place, 0700) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, place);
        if (stat(place, &st) < 0)
                return refuse(reterr, place, "is not there");
        if (S_ISDIR(st.st_mode))
                return look_at_directory(p, place, &st, ret, reterr);
        if (S_ISBLK(st.st_mode))
                return look_at_device(p, place, ret, reterr);
        return refuse(reterr, place, "is neither a directory nor a block device");
}

static struct dm_planned *planned_of(struct dm_places *p, const char *key) {
        struct dm_planned *longer;

        for (size_t i = 0; i < p->n_planned; i++)
                if (streq(p->planned[i].key, key))
                        return &p->planned[i];
        longer = reallocarray(p->planned, p->n_planned + 1, sizeof(*longer));
        if (!longer)
                return NULL;
        p->planned = longer;
        longer[p->n_planned] = (struct dm_planned){ .key = strdup(key) };
        return longer[p->n_planned].key ? &longer[p->n_planned++] : NULL;
}

/* What the store gets: all that one wants if it is there; else half of what is there, so that the
 * next volume of the set gets something, too, but never less than makes sense. 0: too little. */
static uint64_t size_for(const struct room *room, uint64_t volume_bytes, uint64_t planned) {
        uint64_t left = room->free_bytes > planned ? room->free_bytes - planned : 0;
        uint64_t units = left / room->unit_bytes;
        uint64_t wanted = snapshot_size_wanted(volume_bytes, room->unit_bytes);
        uint64_t least = snapshot_size_least(volume_bytes, room->unit_bytes);

        if (units >= wanted)
                return wanted * room->unit_bytes;
        if (units < least)
                return 0;
        return (units / 2 > least ? units / 2 : least) * room->unit_bytes;
}

static int try_place(struct dm_places *p, const char *place, const struct volume *v,
                     struct dm_place *ret, struct vss_error *reterr) {
        struct dm_planned *planned;
        struct room room;
        uint64_t bytes;
        int r;

        r = look_at(p, place, &room, reterr);
        if (r < 0)
                return r;
        planned = planned_of(p, room.key);
        if (!planned)
                return vss_error_from_errno(reterr, -ENOMEM, place);
        bytes = size_for(&room, v->size, planned->bytes);
        if (bytes == 0)
                return vss_error_set(
                        reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                        "%s has %" PRIu64 " MiB to spare for it, and %" PRIu64 " MiB are the least",
                        place,
                        (room.free_bytes > planned->bytes ? room.free_bytes - planned->bytes : 0) /
                                MIB,
                        snapshot_size_least(v->size, room.unit_bytes) * room.unit_bytes / MIB);
        if (str_replace(&ret->place, place) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, place);
        planned->bytes += bytes;
        ret->kind = room.kind;
        ret->bytes = bytes;
        return 0;
}

static int add_reason(char **reasons, const struct vss_error *error) {
        char *longer;

        if (str_format(&longer, "%s%s%s", str_or_empty(*reasons), *reasons ? "; " : "",
                       str_or_empty(error->message)) < 0)
                return -ENOMEM;
        free(*reasons);
        *reasons = longer;
        return 0;
}

/* The first that will do, of those that are `first`, or of all others. 1: none. */
static int try_places(struct dm_places *p, const struct volume *v, const char *first, bool others,
                      char **reasons, struct dm_place *ret) {
        _cleanup_(freep) char *places = strdup(dm_places_of(v));
        char *place, *rest = places;

        if (!places)
                return -ENOMEM;
        while ((place = strsep(&rest, " \t"))) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int r;

                if (!*place || streq(place, str_or_empty(first)) == others)
                        continue;
                r = try_place(p, place, v, ret, &error);
                if (r >= 0)
                        return 0;
                if (r == -ENOMEM || add_reason(reasons, &error) < 0)
                        return -ENOMEM;
        }
        return 1;
}

int dm_places_choose(struct dm_places *p, const struct volume *v, const char *first,
                     struct dm_place *ret, struct vss_error *reterr) {
        _cleanup_(freep) char *reasons = NULL;
        int r;

        r = try_places(p, v, first, false, &reasons, ret);
        if (r > 0)
                r = try_places(p, v, first, true, &reasons, ret);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        if (r == 0)
                return 0;
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                             "no place for the copy-on-write store of %s: %s. " WAY_OUT, v->name,
                             reasons ? reasons : "none is configured");
}

int dm_places_list(struct dm_places *p, const struct volume *v, struct provider_places *ret,
                   struct vss_error *reterr) {
        _cleanup_(freep) char *places = strdup(dm_places_of(v));
        char *place, *rest = places;
        int r = places ? 0 : -ENOMEM;

        while (r >= 0 && (place = strsep(&rest, " \t"))) {
                struct room room;

                if (*place && look_at(p, place, &room, NULL) >= 0)
                        r = provider_places_add(ret, place, room.free_bytes, room.total_bytes);
        }
        return r < 0 ? vss_error_from_errno(reterr, r, v->name) : 0;
}
