/* See exposed-mount.h. */

#include "daemon/providers/exposed-mount.h"

#include "daemon/providers/exposed-share.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/mount-users.h"
#include "daemon/providers/previous-versions.h"
#include "daemon/providers/snapshot-mount.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define NO_LINKS (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* Where copies and their nodes are: a mount in there would be in the way of their own end. */
static const char *const own_places[] = { SNAPSHOT_MOUNT_ROOT, EXPOSED_SHARE_ROOT,
                                          PREVIOUS_VERSIONS_ROOT, SNAPSHOT_DEVICE_ROOT };

static int open_directory(int at, const char *path, uint64_t resolve) {
        struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = resolve };
        long fd;

        do
                fd = syscall(SYS_openat2, at, path, &how, sizeof(how));
        while (fd < 0 && errno == EAGAIN); /* something was renamed on the way */
        return fd < 0 ? -errno : (int)fd;
}

static int look(int fd, const char *name, struct statx *ret) {
        int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

        return statx(fd, name, flags, STATX_TYPE | STATX_UID, ret) < 0 ? -errno : 0;
}

static bool is_mount_root(const struct statx *stx) {
        return stx->stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static dev_t device_of(const struct statx *stx) {
        return makedev(stx->stx_dev_major, stx->stx_dev_minor);
}

static bool is_below(const char *path, const char *directory) {
        size_t n = strlen(directory);

        return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static int refuse(const char *target, int cause, const char *why, struct vss_error *reterr) {
        return vss_error_set(reterr, E_INVALIDARG, cause, "cannot expose a copy at %s: %s", target,
                             why);
}

static bool has_part(const char *path, const char *part) {
        size_t n = strlen(part);

        for (const char *at = path; (at = strchr(at, '/')); at++)
                if (strncmp(at + 1, part, n) == 0 && (at[n + 1] == '/' || at[n + 1] == '\0'))
                        return true;
        return false;
}

int exposed_target_parse(const char *target, char **ret, struct vss_error *reterr) {
        char path[PATH_MAX];
        size_t n = strlen(target);

        if (target[0] != '/')
                return refuse(target, 0, "give the full path of an empty directory", reterr);
        if (n >= sizeof(path))
                return refuse("that directory", ENAMETOOLONG, strerror(ENAMETOOLONG), reterr);
        memcpy(path, target, n + 1);
        while (n > 1 && path[n - 1] == '/')
                path[--n] = '\0';
        for (const char *c = path; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        return refuse("that directory", 0, "its name has a control character",
                                      reterr);
        if (n > 1 && (has_part(path, "") || has_part(path, ".") || has_part(path, "..")))
                return refuse(target, 0, "its path has a part that is empty, \".\" or \"..\"",
                              reterr);
        for (size_t i = 0; i < ARRAY_SIZE(own_places); i++)
                if (is_below(path, own_places[i]))
                        return refuse(target, 0, "that is where the service has its copies",
                                      reterr);
        return str_replace(ret, path) < 0 ? vss_error_from_errno(reterr, -ENOMEM, target) : 0;
}

/* 1: it is empty. */
static int is_empty(int fd) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;
        int readable;

        readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (readable < 0)
                return -errno;
        d = fdopendir(readable);
        if (!d) {
                int saved = errno;

                (void)safe_close(readable);
                return -saved;
        }
        errno = 0;
        while ((entry = readdir(d)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        return 0;
        return errno != 0 ? -errno : 1;
}

static int check_target(int fd, const char *target, uid_t owner, struct vss_error *reterr) {
        struct statx stx;
        int r;

        r = look(fd, "", &stx);
        if (r < 0)
                return refuse(target, -r, strerror(-r), reterr);
        if (is_mount_root(&stx))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EBUSY,
                                     "cannot expose a copy at %s: something is mounted there",
                                     target);
        if (owner != 0 && stx.stx_uid != owner)
                return vss_error_set(reterr, E_ACCESSDENIED, EACCES,
                                     "cannot expose a copy at %s: the user with uid %lu may do so "
                                     "on directories of their own, and root on any",
                                     target, (unsigned long)owner);
        r = is_empty(fd);
        if (r < 0)
                return refuse(target, -r, strerror(-r), reterr);
        if (r == 0)
                return refuse(target, ENOTEMPTY, "the directory is not empty", reterr);
        return 0;
}

/* File systems that wait for somebody else: a server, or a program, which may be gone. What would
 * wait for one holds up every other deletion and exposure. */
static const char *const of_others[] = { "9p",   "afs",     "autofs", "ceph", "cifs",
                                         "fuse", "fuseblk", "nfs",    "nfs4", "smb3" };

static bool is_of_others(const char *type) {
        if (strncmp(type, "fuse.", strlen("fuse.")) == 0)
                return true;
        for (size_t i = 0; i < ARRAY_SIZE(of_others); i++)
                if (streq(type, of_others[i]))
                        return true;
        return false;
}

static void iter_freep(struct libmnt_iter **i) {
        mnt_free_iter(*i);
}

/* By the mount table alone: the path is not touched before. */
int exposed_check_place(const char *target, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *table = NULL;
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r;

        r = i ? mount_table_read(&table) : -ENOMEM;
        if (r < 0)
                return vss_error_from_errno(reterr, r, "reading the mount table");
        while (mnt_table_next_fs(table, i, &fs) == 0) {
                const char *at = str_or_empty(mnt_fs_get_target(fs));
                const char *type = str_or_empty(mnt_fs_get_fstype(fs));

                if (*at != '\0' && !streq(at, "/") && is_below(target, at) && is_of_others(type))
                        return vss_error_set(reterr, E_INVALIDARG, EOPNOTSUPP,
                                             "cannot expose a copy at %s: it lies on %s, a file "
                                             "system of the kind %s, which may not answer",
                                             target, at, type);
        }
        return 0;
}

static int open_target(const char *target, uid_t owner, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int r;

        r = exposed_check_place(target, reterr);
        if (r < 0)
                return r;
        fd = open_directory(AT_FDCWD, target, NO_LINKS);
        if (fd < 0)
                return refuse(target, -fd,
                              fd == -ELOOP     ? "there is a symbolic link in its path"
                              : fd == -ENOENT  ? "there is no such directory"
                              : fd == -ENOTDIR ? "that is no directory"
                                               : strerror(-fd),
                              reterr);
        r = check_target(fd, target, owner, reterr);
        return r < 0 ? r : TAKE_FD(fd);
}

/* Who cannot get to a directory is kept from it by those above, which are not there where it is
 * exposed: of a copy's parts a user has those alone that are their own. */
static int check_part(int fd, const char *path, uid_t owner, struct vss_error *reterr) {
        struct statx stx;

        if (owner == 0 || (look(fd, "", &stx) >= 0 && stx.stx_uid == owner))
                return 0;
        return vss_error_set(reterr, E_ACCESSDENIED, EACCES,
                             "cannot expose %s of the copy: the user with uid %lu may do so with "
                             "directories of their own or with all of it, and root with any",
                             path, (unsigned long)owner);
}

static int open_source(const char *root, const char *path, uid_t owner, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1, below = -1;
        struct statx stx;
        int r;

        fd = open_directory(AT_FDCWD, root, NO_LINKS);
        if (fd < 0 || look(fd, "", &stx) < 0 || !is_mount_root(&stx))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, ENOENT,
                                     "the copy %s is not mounted; the log of vssd says why", root);
        if (str_empty(path))
                return TAKE_FD(fd);
        below = open_directory(fd, path, NO_LINKS | RESOLVE_BENEATH | RESOLVE_NO_XDEV);
        if (below < 0)
                return vss_error_set(reterr, E_INVALIDARG, -below,
                                     "cannot expose %s of the copy %s: %s", path, root,
                                     below == -ELOOP   ? "there is a symbolic link in its path"
                                     : below == -EXDEV ? "it leads out of the copy"
                                                       : strerror(-below));
        r = check_part(below, path, owner, reterr);
        return r < 0 ? r : TAKE_FD(below);
}

int exposed_mount_check_source(const char *root, const char *path, uid_t owner,
                               struct vss_error *reterr) {
        int fd = open_source(root, path, owner, reterr);

        if (fd < 0)
                return fd;
        (void)safe_close(fd);
        return 0;
}

int exposed_mount_check(const char *root, const char *path, const char *target, uid_t owner,
                        struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int r;

        r = exposed_mount_check_source(root, path, owner, reterr);
        if (r < 0)
                return r;
        fd = open_target(target, owner, reterr);
        return fd < 0 ? fd : 0;
}

/* In one step and read-only from the first moment on, which mount(2) cannot do. */
static int attach(int source, int target) {
        struct mount_attr attr = {
                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                /* What somebody mounts inside it is not to appear in the copy as well, and hold it.
                 */
                .propagation = MS_PRIVATE,
        };
        _cleanup_(closep) int tree = -1;

        tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
            move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

int exposed_mount(const char *root, const char *path, const char *target, uid_t owner,
                  struct vss_error *reterr) {
        _cleanup_(closep) int source = -1, fd = -1;
        int r;

        source = open_source(root, path, owner, reterr);
        if (source < 0)
                return source;
        fd = open_target(target, owner, reterr);
        if (fd < 0)
                return fd;
        r = attach(source, fd);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                     "cannot mount the copy %s on %s: %s", root, target,
                                     strerror(-r));
        return 0;
}

/* The directory in which target is. Its own last part is no link, and a mount on it cannot be
 * renamed. *ret_name points into target. What has been mounted on the way since may wait for
 * somebody else: then it is not opened. */
static int open_parent(const char *target, const char **ret_name) {
        const char *slash = strrchr(target, '/');
        char parent[PATH_MAX];

        if (!slash || slash[1] == '\0' || (size_t)(slash - target) >= sizeof(parent))
                return -ENOENT;
        if (exposed_check_place(target, NULL) < 0)
                return -EOPNOTSUPP;
        (void)snprintf(parent, sizeof(parent), "%.*s", slash == target ? 1 : (int)(slash - target),
                       target);
        *ret_name = slash + 1;
        return open_directory(AT_FDCWD, parent, NO_LINKS);
}

static bool is_mounted_in(int parent, const char *name, dev_t device) {
        struct statx stx;

        return look(parent, name, &stx) >= 0 && is_mount_root(&stx) && device_of(&stx) == device;
}

bool exposed_is_mounted(const char *target, dev_t device) {
        _cleanup_(closep) int parent = -1;
        const char *name;

        parent = open_parent(target, &name);
        return parent >= 0 && is_mounted_in(parent, name, device);
}

int exposed_find_moved(dev_t device, const char *root, char **ret, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *table = NULL;
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r;

        r = i ? mount_table_read(&table) : -ENOMEM;
        while (r >= 0 && mnt_table_next_fs(table, i, &fs) == 0) {
                const char *at = str_or_empty(mnt_fs_get_target(fs));

                if (mnt_fs_get_devno(fs) != device || streq(at, root))
                        continue;
                r = str_replace(ret, at);
                if (r >= 0)
                        return 1;
        }
        return r < 0 ? vss_error_from_errno(reterr, r, "reading the mount table") : 0;
}

int exposed_unmount(const char *target, dev_t device, enum exposed_unmount how,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int parent = -1;
        const char *name;

        parent = open_parent(target, &name);
        if (parent < 0)
                return 0; /* what is not there has nothing mounted on it */
        if (str_format(&path, "/proc/self/fd/%d/%s", parent, name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, target);
        while (is_mounted_in(parent, name, device)) {
                if (umount2(path, UMOUNT_NOFOLLOW) == 0)
                        continue;
                if (errno == EBUSY && how == EXPOSED_UNMOUNT_DETACH &&
                    umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
                        continue;
                if (errno == EBUSY) {
                        _cleanup_(freep) char *users = mount_users(target);

                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                             "the copy exposed at %s is in use by %s; end that "
                                             "first",
                                             target, users ? users : "something not to be found");
                }
                if (errno == EINVAL || errno == ENOENT)
                        break; /* somebody else was faster */
                return vss_error_from_errno(reterr, -errno, target);
        }
        return 0;
}
