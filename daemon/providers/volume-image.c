/* See volume-image.h. Stateless. The file is known by the numbers that the loop device keeps: its
 * name may be gone, or be another file's by now, or be of another mount namespace. */

#include "daemon/providers/volume-image.h"
#include "daemon/providers/block.h"
#include "daemon/providers/mount-table.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Overlays on overlays; the kernel has two at most. */
#define LAYERS_MAX 4

static int loop_status(dev_t devno, struct loop_info64 *ret) {
        _cleanup_(block_done) struct block b = { 0 };
        _cleanup_(closep) int fd = -1;
        int r;

        r = block_read(&b, devno);
        if (r < 0)
                return r;
        r = block_open(b.path, devno, O_RDONLY | O_NONBLOCK, &fd);
        if (r < 0)
                return r;
        return ioctl(fd, LOOP_GET_STATUS64, ret) < 0 ? -errno : 0;
}

int (*image_loop_status)(dev_t devno, struct loop_info64 *ret) = loop_status;

void image_base_done(struct image_base *b) {
        free(b->below);
        free(b->unknown);
        *b = (struct image_base){ 0 };
}

static int add_device(struct image_base *b, dev_t devno) {
        dev_t *longer = reallocarray(b->below, b->n + 1, sizeof(*longer));

        if (!longer)
                return -ENOMEM;
        b->below = longer;
        b->below[b->n++] = devno;
        return 0;
}

/* As the kernel's huge_encode_dev(). */
static dev_t decode_device(uint64_t number) {
        return makedev(number >> 8 & 0xfff, (number & 0xff) | (number >> 12 & 0xfff00));
}

static int add_btrfs(struct image_base *b, struct libmnt_fs *fs) {
        const char *source = mnt_fs_get_srcpath(fs);
        _cleanup_(freep) dev_t *devices = NULL;
        struct stat st;
        size_t n = 0;
        int r;

        if (!source || stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
                return str_format(&b->unknown, "a btrfs on %s", source ? source : "?");
        r = block_companions(st.st_rdev, "fs/btrfs", &devices, &n);
        if (r >= 0)
                r = add_device(b, st.st_rdev);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_device(b, devices[i]);
        return r;
}

static int add_directory(struct image_base *b, const char *path, unsigned layer);

static int add_overlay(struct image_base *b, struct libmnt_fs *fs, unsigned layer) {
        _cleanup_(freep) char *upper = NULL;
        size_t length = 0;
        char *option = NULL;

        if (layer < LAYERS_MAX && mnt_fs_get_option(fs, "upperdir", &option, &length) == 0) {
                upper = strndup(option, length);
                if (!upper)
                        return -ENOMEM;
                return add_directory(b, upper, layer + 1);
        }
        return str_format(&b->unknown, "the overlay on %s", mnt_fs_get_target(fs));
}

/* A file system without a block device of its own. */
static int add_mount(struct image_base *b, struct libmnt_fs *fs, unsigned layer) {
        static const char *const elsewhere[] = { "tmpfs", "ramfs", "devtmpfs", "nfs", "nfs4",
                                                 "cifs",  "smb3",  "ceph",     "9p",  "virtiofs" };
        const char *type = str_or_empty(mnt_fs_get_fstype(fs));

        for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
                if (streq(type, elsewhere[i]))
                        return 0;
        if (streq(type, "btrfs"))
                return add_btrfs(b, fs);
        if (streq(type, "overlay"))
                return add_overlay(b, fs, layer);
        return str_format(&b->unknown, "the %s on %s", type, mnt_fs_get_target(fs));
}

static struct libmnt_fs *mount_of(struct libmnt_table *mounts, const char *path) {
        struct statx stx;

        if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0 ||
            !(stx.stx_mask & STATX_MNT_ID))
                return NULL;
        return mount_table_find_id(mounts, stx.stx_mnt_id);
}

/* path: a name of what lies on the device, or NULL if there is none by now. */
static int add_anonymous(struct image_base *b, const char *path, dev_t devno, unsigned layer) {
        _cleanup_(mount_table_freep) struct libmnt_table *mounts = NULL;
        struct libmnt_fs *fs = NULL;
        int r;

        r = mount_table_read(&mounts);
        if (r < 0)
                return r;
        if (path)
                fs = mount_of(mounts, path);
        if (!fs)
                fs = mount_table_find_any(mounts, devno);
        if (!fs)
                return str_format(&b->unknown, "a file system (%u:%u) that is mounted nowhere",
                                  major(devno), minor(devno));
        return add_mount(b, fs, layer);
}

static int add_directory(struct image_base *b, const char *path, unsigned layer) {
        struct stat st;

        if (stat(path, &st) < 0)
                return str_format(&b->unknown, "%s, which is not there", path);
        return major(st.st_dev) != 0 ? add_device(b, st.st_dev)
                                     : add_anonymous(b, path, st.st_dev, layer);
}

static int add_file(struct image_base *b, dev_t loop, const char *path) {
        struct loop_info64 info = { 0 };
        struct stat st = { 0 };
        bool named = stat(path, &st) >= 0;
        dev_t device;

        if (image_loop_status(loop, &info) >= 0) {
                device = decode_device(info.lo_device);
                named = named && st.st_dev == device && st.st_ino == info.lo_inode;
                if (info.lo_rdevice != 0)
                        return add_device(b, decode_device(info.lo_rdevice));
        } else if (named) {
                device = st.st_dev;
                if (S_ISBLK(st.st_mode))
                        return add_device(b, st.st_rdev);
        } else
                return str_format(&b->unknown, "the file %s, which is not there", path);
        return major(device) != 0 ? add_device(b, device)
                                  : add_anonymous(b, named ? path : NULL, device, 0);
}

/* Processes that serve a block device, on this machine often enough: qemu-nbd, ublk. */
static int add_server(struct image_base *b, dev_t devno) {
        static const char *const served[] = { "/dev/nbd", "/dev/ublkb" };
        _cleanup_(block_done) struct block device = { 0 };
        int r;

        r = block_read(&device, devno);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < ARRAY_SIZE(served); i++)
                if (strncmp(device.path, served[i], strlen(served[i])) == 0)
                        return str_format(&b->unknown, "the process that serves %s", device.path);
        return 0;
}

int image_base_read(struct image_base *ret, dev_t devno) {
        _cleanup_(image_base_done) struct image_base b = { 0 };
        _cleanup_(freep) char *file = NULL;
        int r;

        r = block_attribute(devno, "loop/backing_file", &file);
        if (r == -ENOENT || r == -ENXIO)
                r = add_server(&b, devno);
        else if (r >= 0) {
                b.is_image = true;
                r = add_file(&b, devno, file);
        }
        if (r < 0)
                return r;
        *ret = b;
        b = (struct image_base){ 0 };
        return 0;
}
