/* The node of a copy, /dev/vss/ShadowCopyN: a link to the one under /dev/mapper. The udev rule
 * makes it too; this is for hosts where that is missing or late. Stateless. */

#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-mount.h"
#include <stdio.h>
#include <sys/stat.h>

static bool leads_to(const char *path, dev_t devno) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == devno;
}

static int make_node(const char *node, const struct mapper_info *info, const char *device,
                     struct vss_error *reterr) {
        int r;

        if (leads_to(node, info->devno))
                return 0;
        r = mapper_make_node(device, reterr);
        if (r < 0)
                return r;
        if (!leads_to(node, info->devno))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, ENOENT,
                                     "the node %s was not made; does udev run?", node);
        return 0;
}

int thick_link_make(const char *link, const char *device, struct vss_error *reterr) {
        _cleanup_(freep) char *node = NULL, *target = NULL, *fresh = NULL;
        struct mapper_info info;
        int r;

        r = mapper_find_name(device, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the device %s of a copy is gone", device);
        if (str_format(&node, "/dev/mapper/%s", device) < 0 ||
            str_format(&target, "../mapper/%s", device) < 0 ||
            str_format(&fresh, "%s.new", link) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, link);
        r = make_node(node, &info, device, reterr);
        if (r < 0)
                return r;
        if (leads_to(link, info.devno))
                return 0;
        if (mkdir(SNAPSHOT_DEVICE_ROOT, 0755) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, SNAPSHOT_DEVICE_ROOT);
        (void)unlink(fresh); /* of an earlier attempt, if there is one */
        if (symlink(target, fresh) < 0 || rename(fresh, link) < 0)
                return vss_error_from_errno(reterr, -errno, link);
        return 0;
}

void thick_link_remove(const char *link) {
        struct stat st;

        /* udev has done it if it could; the copy is gone either way. */
        if (lstat(link, &st) == 0 && S_ISLNK(st.st_mode) && stat(link, &st) < 0)
                (void)unlink(link);
}
