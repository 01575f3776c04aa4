/* See mount-table.h. */

#include "daemon/providers/mount-table.h"
#include <sys/sysmacros.h>

const char *mount_table_path = "/proc/self/mountinfo";

int mount_table_read(struct libmnt_table **ret) {
        _cleanup_(mount_table_freep) struct libmnt_table *t = NULL;
        int r;

        t = mnt_new_table();
        if (!t)
                return -ENOMEM;
        r = mnt_table_parse_file(t, mount_table_path);
        if (r != 0)
                return r < 0 ? r : -EIO;
        *ret = TAKE_PTR(t);
        return 0;
}

static void iter_freep(struct libmnt_iter **i) {
        mnt_free_iter(*i);
}

struct libmnt_fs *mount_table_find_id(struct libmnt_table *t, uint64_t id) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;

        while (i && mnt_table_next_fs(t, i, &fs) == 0)
                if ((uint64_t)mnt_fs_get_id(fs) == id)
                        return fs;
        return NULL;
}

struct libmnt_fs *mount_table_find_device(struct libmnt_table *t, dev_t devno, unsigned n) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;

        while (i && mnt_table_next_fs(t, i, &fs) == 0) {
                const char *root = mnt_fs_get_root(fs);

                if (mnt_fs_get_devno(fs) == devno && root && streq(root, "/") && n-- == 0)
                        return fs;
        }
        return NULL;
}

bool mount_table_covers(struct libmnt_table *t, const char *path) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        size_t length = strlen(path);
        struct libmnt_fs *fs;

        while (i && mnt_table_next_fs(t, i, &fs) == 0) {
                const char *target = mnt_fs_get_target(fs);

                if (target && strncmp(target, path, length) == 0 &&
                    (target[length] == '\0' || target[length] == '/'))
                        return true;
        }
        return false;
}

/* Why a file system is refused. A name with a dot at its end stands for all that begin so. */
static const struct {
        const char *type;
        const char *reason;
} refused[] = {
        { .type = "overlay",
          .reason = "it is an overlay; name the volume that its upper directory lies on" },
        { .type = "btrfs",
          .reason = "a block-level copy of btrfs has the identity of its origin and must not be "
                    "seen beside it" },
        { .type = "zfs", .reason = "ZFS keeps its own snapshots and has no block device to copy" },
        { .type = "bcachefs",
          .reason = "it can span several devices, and a copy of one is not a copy of it" },
        { .type = "tmpfs", .reason = "its contents are in memory only" },
        { .type = "ramfs", .reason = "its contents are in memory only" },
        { .type = "devtmpfs", .reason = "its contents are in memory only" },
        { .type = "nfs", .reason = "it is on another machine; make the snapshot there" },
        { .type = "nfs4", .reason = "it is on another machine; make the snapshot there" },
        { .type = "cifs", .reason = "it is on another machine; make the snapshot there" },
        { .type = "smb3", .reason = "it is on another machine; make the snapshot there" },
        { .type = "ceph", .reason = "it is on other machines; make the snapshot there" },
        { .type = "9p", .reason = "it is on another machine; make the snapshot there" },
        { .type = "virtiofs", .reason = "it is on the host; make the snapshot there" },
        { .type = "fuse",
          .reason = "a FUSE file system cannot be frozen; name the volume below it" },
        { .type = "fuse.",
          .reason = "a FUSE file system cannot be frozen; name the volume below it" },
        { .type = "fuseblk",
          .reason = "a FUSE file system cannot be frozen: what its process keeps in memory would "
                    "be missing" },
        { .type = "autofs", .reason = "nothing is mounted there until somebody looks into it" },
};

static bool type_matches(const char *pattern, const char *type) {
        size_t length = strlen(pattern);

        if (pattern[length - 1] == '.')
                return strncmp(pattern, type, length) == 0;
        return streq(pattern, type);
}

/* Options that say that a part of the file system is on another device, which the copy lacks. */
static const char *const elsewhere[] = { "logdev", "rtdev", "journal_dev", "journal_path" };

int mount_check_supported(struct libmnt_fs *fs, const char *name, struct vss_error *reterr) {
        const char *type = str_or_empty(mnt_fs_get_fstype(fs));
        dev_t devno = mnt_fs_get_devno(fs);

        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                if (type_matches(refused[i].type, type))
                        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                             "%s cannot be copied: %s (file system %s)", name,
                                             refused[i].reason, type);
        if (major(devno) == 0)
                return vss_error_set(
                        reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                        "%s cannot be copied: its file system, %s, has no block device", name,
                        *type ? type : "of an unknown kind");
        for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
                if (mnt_fs_get_option(fs, elsewhere[i], NULL, NULL) == 0)
                        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                             "%s cannot be copied: a part of its file system is on "
                                             "another device (mount option %s)",
                                             name, elsewhere[i]);
        return 0;
}
