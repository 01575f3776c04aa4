/* See mount-table.h. */

#include "daemon/providers/mount-table.h"
#include "daemon/providers/file-system.h"
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

struct libmnt_fs *mount_table_find_any(struct libmnt_table *t, dev_t devno) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;

        while (i && mnt_table_next_fs(t, i, &fs) == 0)
                if (mnt_fs_get_devno(fs) == devno)
                        return fs;
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

/* Options that say that a part of the file system is on another device, which the copy lacks. */
static const char *const elsewhere[] = { "logdev", "rtdev", "journal_dev", "journal_path" };

int mount_check_supported(struct libmnt_fs *fs, const char *name, struct vss_error *reterr) {
        const char *type = str_or_empty(mnt_fs_get_fstype(fs));
        _cleanup_(freep) char *detail = NULL;
        dev_t devno = mnt_fs_get_devno(fs);
        char *upper = NULL;
        size_t length = 0;
        int r;

        r = mnt_fs_get_option(fs, "upperdir", &upper, &length);
        if (r == 0 && str_format(&detail, "upper directory %.*s", (int)length, upper) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        r = file_system_check_type(type, name, detail, reterr);
        if (r < 0)
                return r;
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
