/* A block device that is set aside for stores, and what of it is free. Nothing on it says so, but
 * that it is set aside: the mapped devices of the stores do, which go with the boot as the copies
 * do. */

#include "daemon/providers/block.h"
#include "daemon/providers/dm-place.h"
#include <blkid/blkid.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SECTOR_SIZE 512
#define HEAD_SECTORS 2048

/* At its very beginning, once it has been used. What is behind it was copied out of volumes, and
 * may look like anything. */
static const char mark[SECTOR_SIZE] = "vssd: set aside for the stores of shadow copies\n";

/* The parts that are in use, in no order. */
struct parts {
        struct dm_gap *items;
        size_t n;
};

static void parts_done(struct parts *p) {
        free(p->items);
}

static int parts_add(struct parts *p, uint64_t start, uint64_t length) {
        struct dm_gap *longer = reallocarray(p->items, p->n + 1, sizeof(*longer));

        if (!longer)
                return -ENOMEM;
        p->items = longer;
        p->items[p->n++] = (struct dm_gap){ .start = start, .length = length };
        return 0;
}

static void free_probep(blkid_probe *p) {
        blkid_free_probe(*p);
}

static int refuse(struct vss_error *reterr, const char *device, const char *reason) {
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EBUSY, "%s %s", device, reason);
}

static bool is_marked(int fd) {
        char head[sizeof(mark)];

        return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
               memcmp(head, mark, sizeof(mark)) == 0;
}

/* What was never meant for us has a signature. */
static int check_empty(int fd, const char *device, struct vss_error *reterr) {
        _cleanup_(free_probep) blkid_probe probe = NULL;
        int r;

        if (is_marked(fd))
                return 0;
        probe = blkid_new_probe();
        if (!probe)
                return vss_error_from_errno(reterr, -ENOMEM, device);
        if (blkid_probe_set_device(probe, fd, 0, 0) != 0)
                return refuse(reterr, device, "cannot be read");
        (void)blkid_probe_enable_partitions(probe, 1); /* no way to fail */
        (void)blkid_probe_enable_superblocks(probe, 1);
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
        r = blkid_do_safeprobe(probe);
        if (r == 1)
                return 0;
        return refuse(reterr, device,
                      "is not empty; if it is to be set aside for stores, clear it (wipefs -a)");
}

/* One device on it: a store of ours, whose parts are noted, or somebody's. */
static int take_holder(struct parts *p, dev_t holder, dev_t devno, const char *device,
                       struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        _cleanup_(block_done) struct block b = { 0 };
        int r;

        r = block_read(&b, holder);
        if (r == -ENODEV)
                return 0; /* it went meanwhile */
        if (r < 0)
                return vss_error_from_errno(reterr, r, device);
        if (!b.dm_name ||
            strncmp(str_or_empty(b.dm_uuid), DM_COPY_UUID_PREFIX, strlen(DM_COPY_UUID_PREFIX)) != 0)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, EBUSY,
                                     "%s is in use by %s", device, b.path);
        r = mapper_read_table(b.dm_name, &table, reterr);
        for (size_t i = 0; r >= 0 && i < table.n; i++) {
                unsigned major_number, minor_number;
                uint64_t start;

                if (sscanf(table.targets[i].params, "%u:%u %" SCNu64, &major_number, &minor_number,
                           &start) != 3)
                        return refuse(reterr, device, "is in use by what is no store");
                if (makedev(major_number, minor_number) == devno)
                        r = parts_add(p, start, table.targets[i].length);
        }
        return r;
}

static int compare(const void *a, const void *b) {
        const struct dm_gap *left = a, *right = b;

        return (left->start > right->start) - (left->start < right->start);
}

static int find_gaps(struct parts *used, uint64_t sectors, struct dm_gap **ret, size_t *ret_n) {
        _cleanup_(parts_done) struct parts gaps = { 0 };
        uint64_t at = HEAD_SECTORS;

        if (used->n > 0)
                qsort(used->items, used->n, sizeof(*used->items), compare);
        for (size_t i = 0; i <= used->n; i++) {
                uint64_t end = i < used->n ? used->items[i].start : sectors;

                if (end > at && parts_add(&gaps, at, end - at) < 0)
                        return -ENOMEM;
                if (i < used->n && used->items[i].start + used->items[i].length > at)
                        at = used->items[i].start + used->items[i].length;
        }
        *ret = TAKE_PTR(gaps.items);
        *ret_n = gaps.n;
        return 0;
}

int dm_place_find_gaps(const char *device, dev_t *ret_devno, struct dm_gap **ret, size_t *ret_n,
                       struct vss_error *reterr) {
        _cleanup_(parts_done) struct parts used = { 0 };
        _cleanup_(block_done) struct block b = { 0 };
        _cleanup_(freep) dev_t *holders = NULL;
        _cleanup_(closep) int fd = -1;
        struct stat st;
        size_t n = 0;
        int r;

        fd = open(device, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
                return refuse(reterr, device, "is no block device that can be read");
        r = block_read(&b, st.st_rdev);
        if (r >= 0)
                r = block_relatives(st.st_rdev, "holders", &holders, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, device);
        if (b.read_only)
                return refuse(reterr, device, "is read-only");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = take_holder(&used, holders[i], st.st_rdev, device, reterr);
        if (r < 0)
                return r;
        if (n == 0) {
                _cleanup_(closep) int alone_fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

                if (alone_fd < 0)
                        return refuse(reterr, device, "is in use (mounted, or swap)");
                r = check_empty(fd, device, reterr);
                if (r < 0)
                        return r;
        }
        r = find_gaps(&used, b.size / SECTOR_SIZE, ret, ret_n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, device);
        *ret_devno = st.st_rdev;
        return 0;
}

int dm_place_mark(const char *device, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;

        fd = open(device, O_RDWR | O_SYNC | O_CLOEXEC);
        if (fd < 0)
                return refuse(reterr, device, "cannot be written");
        if (is_marked(fd))
                return 0;
        if (pwrite(fd, mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
                return refuse(reterr, device, "cannot be written");
        return 0;
}
