/* See btrfs-copies.h. Everything below a volume's root is reached by descriptors, without links:
 * the root may be a directory in which others than root can write. */

#include "providers/btrfs/btrfs-copies.h"

#include <btrfsutil.h>
#include <fcntl.h>
#include <sys/stat.h>

void copy_volume_done(struct copy_volume *v) {
        free(v->mount_point);
        safe_close(v->fd);
        safe_close(v->copies_fd);
        *v = (struct copy_volume){ .fd = -1, .copies_fd = -1 };
}

/* What libbtrfsutil says, with the code that a provider may answer. Its errno is the kernel's. */
static int failed(enum btrfs_util_error e, const char *doing, const char *what,
                  struct vss_error *reterr) {
        const int cause = errno;
        HRESULT hr = VSS_E_PROVIDER_VETO;

        if (e == BTRFS_UTIL_ERROR_NO_MEMORY)
                return vss_error_from_errno(reterr, -ENOMEM, what);
        if (cause == ENOSPC || cause == EDQUOT)
                hr = VSS_E_INSUFFICIENT_STORAGE;
        return vss_error_set(reterr, hr, cause, "cannot %s %s: %s (%s)", doing, what,
                             btrfs_util_strerror(e), strerror(cause));
}

int copy_volume_open(struct copy_volume *ret, const char *mount_point, dev_t device_number,
                     struct vss_error *reterr) {
        _cleanup_(copy_volume_done) struct copy_volume v = { .fd = -1, .copies_fd = -1 };
        struct stat st;

        if (str_replace(&v.mount_point, mount_point) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, mount_point);
        v.fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (v.fd < 0 || fstat(v.fd, &st) < 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, errno, "cannot open %s: %s",
                                     mount_point, strerror(errno));
        if (device_number != 0 && st.st_dev != device_number)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s is another file system by now", mount_point);
        if (btrfs_util_is_subvolume_fd(v.fd) != BTRFS_UTIL_OK)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "it is no subvolume of btrfs");
        *ret = v;
        v = (struct copy_volume){ .fd = -1, .copies_fd = -1 };
        return 0;
}

/* -ENOENT: there is none. */
static int open_copies(struct copy_volume *v, struct vss_error *reterr) {
        struct stat st;

        if (v->copies_fd >= 0)
                return 0;
        v->copies_fd =
                openat(v->fd, COPIES_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (v->copies_fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (v->copies_fd < 0 || fstat(v->copies_fd, &st) < 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, errno, "cannot open %s/%s: %s",
                                     v->mount_point, COPIES_DIRECTORY, strerror(errno));
        if (st.st_uid == geteuid() && !(st.st_mode & 077))
                return 0;
        v->copies_fd = safe_close(v->copies_fd);
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EPERM,
                             "%s/%s is not root's alone; take it away", v->mount_point,
                             COPIES_DIRECTORY);
}

int copy_volume_prepare(struct copy_volume *v, struct vss_error *reterr) {
        int r;

        if (mkdirat(v->fd, COPIES_DIRECTORY, 0700) < 0 && errno != EEXIST)
                return vss_error_set(
                        reterr, errno == ENOSPC ? VSS_E_INSUFFICIENT_STORAGE : VSS_E_PROVIDER_VETO,
                        errno, "cannot make %s/%s: %s", v->mount_point, COPIES_DIRECTORY,
                        strerror(errno));
        r = open_copies(v, reterr);
        return r == -ENOENT ? vss_error_set(reterr, VSS_E_PROVIDER_VETO, ENOENT, "%s/%s went away",
                                            v->mount_point, COPIES_DIRECTORY)
                            : r;
}

int copy_make(const struct copy_volume *v, const char *id, struct vss_error *reterr) {
        enum btrfs_util_error e =
                btrfs_util_create_snapshot_fd2(v->fd, v->copies_fd, id, 0, NULL, NULL);

        return e == BTRFS_UTIL_OK ? 0 : failed(e, "make a snapshot of", v->mount_point, reterr);
}

static int open_copy(const struct copy_volume *v, const char *id) {
        int fd = openat(v->copies_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int copy_seal(const struct copy_volume *v, const char *id, struct vss_error *reterr) {
        _cleanup_(closep) int fd = open_copy(v, id);
        enum btrfs_util_error e;

        if (fd < 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, -fd,
                                     "the snapshot of %s is gone: %s", v->mount_point,
                                     strerror(-fd));
        e = btrfs_util_set_subvolume_read_only_fd(fd, true);
        return e == BTRFS_UTIL_OK ? 0 : failed(e, "seal the snapshot of", v->mount_point, reterr);
}

void copy_volume_tidy(const struct copy_volume *v) {
        /* While there are copies it is not empty; one that is not ours was not opened. */
        if (v->copies_fd >= 0)
                (void)unlinkat(v->fd, COPIES_DIRECTORY, AT_REMOVEDIR);
}

static int say_not_there(const struct copy_volume *v, const char *id, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT, "%s has no snapshot %s",
                             v->mount_point, id);
}

int copy_delete(const struct copy_volume *v, const char *id, struct vss_error *reterr) {
        enum btrfs_util_error e;
        struct stat st;

        if (v->copies_fd < 0 ||
            (fstatat(v->copies_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT))
                return say_not_there(v, id, reterr);
        e = btrfs_util_delete_subvolume_fd(v->copies_fd, id, 0);
        return e == BTRFS_UTIL_OK ? 0 : failed(e, "delete a snapshot of", v->mount_point, reterr);
}

/* The subvolume's own UUID, in digits. */
static int read_uuid(const struct copy_volume *v, char ret[static COPY_DATA_MAX],
                     struct vss_error *reterr) {
        struct btrfs_util_subvolume_info info;
        enum btrfs_util_error e = btrfs_util_subvolume_info_fd(v->fd, 0, &info);

        if (e != BTRFS_UTIL_OK)
                return failed(e, "look at", v->mount_point, reterr);
        for (size_t i = 0; i < sizeof(info.uuid); i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", info.uuid[i]);
        return 0;
}

/* The volume that a copy is of: another one that is mounted there has not lost it. */
static int open_origin(struct copy_volume *ret, const char *mount_point, const char *data,
                       char ret_data[static COPY_DATA_MAX], struct vss_error *reterr) {
        _cleanup_(copy_volume_done) struct copy_volume v = { .fd = -1, .copies_fd = -1 };
        int r;

        r = copy_volume_open(&v, mount_point, 0, NULL);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBUSY,
                                     "there is no subvolume of btrfs at %s; is it not mounted?",
                                     mount_point);
        r = read_uuid(&v, ret_data, reterr);
        if (r < 0)
                return r;
        if (!str_empty(data) && !streq(data, ret_data))
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBUSY,
                                     "another subvolume than that of the copy is mounted at %s",
                                     mount_point);
        r = open_copies(&v, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = v;
        v = (struct copy_volume){ .fd = -1, .copies_fd = -1 };
        return 0;
}

int copy_find(const char *mount_point, const char *id, const char *data, char **ret_path,
              char ret_data[static COPY_DATA_MAX], struct vss_error *reterr) {
        _cleanup_(copy_volume_done) struct copy_volume v = { .fd = -1, .copies_fd = -1 };
        _cleanup_(closep) int fd = -1;
        size_t n = strlen(mount_point);
        int r;

        r = open_origin(&v, mount_point, data, ret_data, reterr);
        if (r < 0)
                return r;
        /* Somebody has moved it, perhaps: the copy is not forgotten for that. */
        if (v.copies_fd < 0 && !str_empty(data))
                return vss_error_set(reterr, VSS_E_BAD_STATE, ENOENT, "%s has no %s any more",
                                     mount_point, COPIES_DIRECTORY);
        fd = v.copies_fd >= 0 ? open_copy(&v, id) : -ENOENT;
        if (fd == -ENOENT)
                return say_not_there(&v, id, reterr);
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, -fd,
                                     "cannot open the snapshot %s of %s: %s", id, mount_point,
                                     strerror(-fd));
        while (n > 0 && mount_point[n - 1] == '/')
                n--;
        r = str_format(ret_path, "%.*s/%s/%s", (int)n, mount_point, COPIES_DIRECTORY, id);
        return r < 0 ? vss_error_from_errno(reterr, r, mount_point) : 0;
}

int copy_find_and_delete(const char *mount_point, const char *id, const char *data, bool tidy,
                         struct vss_error *reterr) {
        _cleanup_(copy_volume_done) struct copy_volume v = { .fd = -1, .copies_fd = -1 };
        char found[COPY_DATA_MAX];
        int r;

        r = open_origin(&v, mount_point, data, found, reterr);
        if (r < 0)
                return r;
        r = copy_delete(&v, id, reterr);
        if (tidy)
                copy_volume_tidy(&v);
        return r;
}

bool copy_id_is_valid(const char *id) {
        return strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36;
}
