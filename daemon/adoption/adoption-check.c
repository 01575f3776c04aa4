/* See adoption-check.h. Stateless. */

#include "daemon/adoption/adoption-check.h"
#include "daemon/adoption/mapping.h"
#include "daemon/providers/block.h"
#include <stdio.h>
#include <sys/stat.h>

static int refuse(struct vss_error *reterr, const char *name, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s cannot be adopted: %s", name, reason);
}

int adoption_check_mapped(const struct volume *v, struct vss_error *reterr) {
        if (v->vg)
                return refuse(reterr, v->name,
                              "it is a logical volume, and needs no mapping to be copied");
        return refuse(reterr, v->name,
                      "it is device-mapper's already, and needs no other mapping to be copied");
}

static const struct {
        const char *type, *reason;
} unfit_types[] = {
        { .type = "btrfs",
          .reason = "btrfs keeps track of its devices itself and must not see two that are one; "
                    "its copies need no mapping (vss-btrfs-provider --register)" },
        { .type = "zfs_member", .reason = "it belongs to a ZFS pool" },
        { .type = "bcachefs", .reason = "its file system can span several devices" },
        { .type = "bcache", .reason = "it belongs to bcache; name the device that is made of it" },
        { .type = "swap", .reason = "it is swap space" },
        { .type = "iso9660", .reason = "its file system is never written to" },
        { .type = "udf", .reason = "its file system is that of a removable disc" },
        { .type = "squashfs", .reason = "its file system is never written to" },
        { .type = "erofs", .reason = "its file system is never written to" },
        { .type = "ocfs2", .reason = "its file system is shared with other machines" },
        { .type = "gfs2", .reason = "its file system is shared with other machines" },
};

static const struct {
        const char *type, *reason;
} unfit_partitions[] = {
        { .type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
          .reason = "it is the EFI system partition, which boot loaders look for on the disk "
                    "itself" },
        { .type = "0xef",
          .reason = "it is the EFI system partition, which boot loaders look for on the disk "
                    "itself" },
};

int adoption_check_identity(const struct identity *i, const char *name, struct vss_error *reterr) {
        for (size_t k = 0; i->type && k < ARRAY_SIZE(unfit_types); k++)
                if (streq(i->type, unfit_types[k].type))
                        return refuse(reterr, name, unfit_types[k].reason);
        for (size_t k = 0; i->parttype && k < ARRAY_SIZE(unfit_partitions); k++)
                if (streq(i->parttype, unfit_partitions[k].type))
                        return refuse(reterr, name, unfit_partitions[k].reason);
        if (!i->type || !streq(str_or_empty(i->usage), "filesystem"))
                return refuse(reterr, name, "there is no file system on it that is known");
        if (!i->uuid)
                return refuse(reterr, name,
                              "its file system has no UUID, by which it could be known again");
        if (i->read_only)
                return refuse(reterr, name, "the device is read-only");
        return 0;
}

/* Devices that are made anew at each boot, or by something that would not find the mapping. */
static int check_device(const struct identity *i, const char *name, struct vss_error *reterr) {
        static const struct {
                const char *prefix, *reason;
        } unfit[] = {
                { .prefix = "/dev/loop",
                  .reason = "it is a disk image; name the volume that its file lies on" },
                { .prefix = "/dev/ram", .reason = "it is in memory only" },
                { .prefix = "/dev/zram", .reason = "it is in memory only" },
                { .prefix = "/dev/sr", .reason = "it is a removable disc" },
                { .prefix = "/dev/fd", .reason = "it is a removable disc" },
        };

        for (size_t k = 0; k < ARRAY_SIZE(unfit); k++)
                if (strncmp(i->device, unfit[k].prefix, strlen(unfit[k].prefix)) == 0)
                        return refuse(reterr, name, unfit[k].reason);
        return 0;
}

/* What else lies on it would lose it. */
static int check_holders(const struct identity *i, const char *name, struct vss_error *reterr) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(i->devno, "holders", &holders, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, name);
        for (size_t k = 0; k < n; k++) {
                _cleanup_(block_done) struct block b = { 0 };

                if (block_read(&b, holders[k]) < 0)
                        continue; /* it went meanwhile */
                if (b.dm_uuid &&
                    strncmp(b.dm_uuid, ADOPTED_UUID_PREFIX, strlen(ADOPTED_UUID_PREFIX)) == 0)
                        continue;
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "%s cannot be adopted: %s lies on it; name that", name,
                                     b.path);
        }
        return 0;
}

/* The name by which it is mounted must mean it alone. */
static int check_link(const struct identity *i, const char *name, struct vss_error *reterr) {
        _cleanup_(freep) char *link = NULL;
        const struct adopted a = { .uuid = i->uuid };
        struct stat st;
        dev_t devno;

        if (mapping_link(&link, &a) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        if (stat(link, &st) < 0)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, errno,
                                     "%s cannot be adopted: udev has no link %s", name, link);
        if (mapping_partition(st.st_rdev, &devno) >= 0 && devno == i->devno)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EEXIST,
                             "%s cannot be adopted: another device has a file system with the UUID "
                             "%s; give one of them a new one",
                             name, i->uuid);
}

int adoption_check(const struct identity *i, const char *name, bool mapped,
                   struct vss_error *reterr) {
        int r;

        r = check_device(i, name, reterr);
        if (r >= 0)
                r = adoption_check_identity(i, name, reterr);
        if (r >= 0 && !mapped)
                r = check_holders(i, name, reterr);
        if (r >= 0)
                r = check_link(i, name, reterr);
        return r;
}
