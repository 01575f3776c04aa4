/* See copy-link.h. Stateless. */

#include "daemon/providers/copy-link.h"
#include "daemon/providers/block.h"
#include "daemon/providers/snapshot-mount.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The link as it is made, before it takes its name. NULL: out of memory. */
static char *fresh_name(const char *link) {
        char *fresh = NULL;

        return str_format(&fresh, "%s.new", link) < 0 ? NULL : fresh;
}

static int link_to(const char *link, const char *target, const struct mapper_info *device,
                   struct vss_error *reterr) {
        _cleanup_(freep) char *fresh = fresh_name(link);

        if (!fresh)
                return vss_error_from_errno(reterr, -ENOMEM, link);
        (void)unlink(fresh); /* of an attempt that was killed, if there was one */
        if (mkdir(SNAPSHOT_DEVICE_ROOT, 0755) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, SNAPSHOT_DEVICE_ROOT);
        if (symlink(target, fresh) < 0 || rename(fresh, link) < 0)
                return vss_error_from_errno(reterr, -errno, link);
        if (block_of_path(link) != device->devno)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, ENODEV,
                                     "%s does not lead to the copy: /dev is not the kernel's own "
                                     "(devtmpfs)",
                                     link);
        return 0;
}

static int make_node(const struct mapper_info *device, struct vss_error *reterr) {
        return mapper_has_udev() ? 0 : mapper_make_node(device->name, reterr);
}

int copy_link_make(const char *link, const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(freep) char *fresh = fresh_name(link);
        char target[64];
        int r;

        if (!fresh)
                return vss_error_from_errno(reterr, -ENOMEM, link);
        (void)unlink(fresh); /* as in link_to() */
        if (block_of_path(link) == device->devno)
                return 0;
        r = make_node(device, reterr);
        if (r < 0)
                return r;
        (void)snprintf(target, sizeof(target), "../dm-%u", minor(device->devno));
        return link_to(link, target, device, reterr);
}

int copy_link_make_by_name(const char *link, const struct mapper_info *device,
                           struct vss_error *reterr) {
        char node[160];
        int r;

        r = make_node(device, reterr);
        if (r < 0)
                return r;
        (void)snprintf(node, sizeof(node), "/dev/mapper/%s", device->name);
        if (block_of_path(node) != device->devno)
                return copy_link_make(link, device, reterr);
        (void)snprintf(node, sizeof(node), "../mapper/%s", device->name);
        return link_to(link, node, device, reterr);
}

void copy_link_remove(const char *link) {
        _cleanup_(freep) char *fresh = fresh_name(link);
        struct stat st;

        if (fresh)
                (void)unlink(fresh); /* as above; it would lie about, no more than that */
        /* udev has done it if it could; the copy is gone either way. */
        if (lstat(link, &st) == 0 && S_ISLNK(st.st_mode) && stat(link, &st) < 0)
                (void)unlink(link);
}

void copy_link_drop(const char *link, const struct mapper_info *device) {
        if (block_of_path(link) == device->devno)
                (void)unlink(link); /* it would lie about, no more than that */
}

void copy_link_release(const char *name, bool gone) {
        _cleanup_(freep) char *directory = NULL, *link = NULL;

        if (str_format(&directory, SNAPSHOT_MOUNT_ROOT "/%s", name) < 0 ||
            str_format(&link, SNAPSHOT_DEVICE_ROOT "/%s", name) < 0)
                return;
        if (gone)
                copy_link_remove(link);
        else
                /* What stays busy is cut off by force afterwards. */
                (void)snapshot_unmount(
                        &(struct snapshot_record){ .device = link, .device_object = directory },
                        true, NULL);
}

int copy_link_seal(const char *link, const char *volume, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int read_only = 1;

        fd = open(link, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ioctl(fd, BLKROSET, &read_only) < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, errno,
                                     "cannot make the copy of %s read-only: %s", volume,
                                     strerror(errno));
        return 0;
}
