/* GetRootAndLogicalPrefixPaths: where on the machine's mounts a path lies. The root is the mount
 * point, which AddToSnapshotSet takes; the prefix says what is mounted there, in a form that does
 * not change with the mount point. On a network file system both are the share. Links are followed;
 * of a path that is not there the nearest directory that is decides. */

#include "daemon/providers/mount-table.h"
#include "daemon/session/session-private.h"
#include "daemon/session/share-name.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BY_UUID "/dev/disk/by-uuid"

struct splitting {
        struct inquiry inquiry;
        char *path;
        bool full_names;
        struct path_split split;
};

static void splitting_free(struct inquiry *q) {
        struct splitting *a = (struct splitting *)q;

        free(a->path);
        free(a->split.root);
        free(a->split.prefix);
}

/* The nearest that is there, with links followed. */
static int resolve(char **ret, const char *path) {
        _cleanup_(freep) char *rest = strdup(path);

        while (rest) {
                char *slash, *found = realpath(rest, NULL);

                if (found) {
                        *ret = found;
                        return 0;
                }
                /* Below a file (ENOTDIR) nothing can ever be. */
                if (errno != ENOENT || streq(rest, "/"))
                        return -errno;
                slash = strrchr(rest, '/');
                slash[slash == rest ? 1 : 0] = '\0';
        }
        return -ENOMEM;
}

/* The file system's own id, if udev knows it. */
static int find_uuid(char **ret, dev_t devno) {
        _cleanup_(closedirp) DIR *d = opendir(BY_UUID);
        struct dirent *entry;
        int r = 0;

        while (d && r == 0 && (entry = readdir(d))) {
                struct stat st;

                if (entry->d_name[0] != '.' && fstatat(dirfd(d), entry->d_name, &st, 0) == 0 &&
                    S_ISBLK(st.st_mode) && st.st_rdev == devno)
                        r = str_format(ret, "UUID=%s", entry->d_name) < 0 ? -ENOMEM : 1;
        }
        return r;
}

static int splitting_find(struct splitting *a, const char *path) {
        _cleanup_(mount_table_freep) struct libmnt_table *mounts = NULL;
        const char *target, *source;
        struct libmnt_fs *fs;
        struct statx stx;
        int r;

        if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &stx) < 0)
                return -errno;
        r = mount_table_read(&mounts);
        if (r < 0)
                return r;
        fs = stx.stx_mask & STATX_MNT_ID ? mount_table_find_id(mounts, stx.stx_mnt_id) : NULL;
        target = fs ? mnt_fs_get_target(fs) : NULL;
        if (!target)
                return -ENODEV;
        source = str_or_empty(mnt_fs_get_source(fs));
        r = share_name(&a->split.prefix, str_or_empty(mnt_fs_get_fstype(fs)), source,
                       a->full_names);
        if (r != 0)
                return r < 0 ? r : str_replace(&a->split.root, a->split.prefix);
        if (str_format(&a->split.root, "%s%s", target, streq(target, "/") ? "" : "/") < 0)
                return -ENOMEM;
        r = find_uuid(&a->split.prefix, makedev(stx.stx_dev_major, stx.stx_dev_minor));
        if (r == 0)
                r = str_replace(&a->split.prefix, source);
        return r < 0 ? r : 0;
}

static int splitting_run(struct inquiry *q, struct vss_error *reterr) {
        struct splitting *a = (struct splitting *)q;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = resolve(&path, a->path);
        if (r >= 0)
                r = splitting_find(a, path);
        if (r == -ENOMEM)
                return vss_error_from_errno(reterr, r, "Splitting a path");
        if (r < 0)
                return vss_error_set(reterr, r == -ENOTDIR ? E_INVALIDARG : VSS_E_UNEXPECTED, -r,
                                     "The file system of %s cannot be found: %s", a->path,
                                     strerror(-r));
        return 0;
}

static const void *splitting_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct splitting *a = (struct splitting *)q;

        return *r >= 0 ? &a->split : NULL;
}

static const struct inquiry_type splitting_type = {
        .name = "vss-path",
        .run = splitting_run,
        .answer = splitting_answer,
        .free = splitting_free,
};

int session_get_root_and_logical_prefix_paths(struct session *s, const char *path, bool full_names,
                                              session_done_fn done, void *userdata,
                                              struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct splitting *a;
        int r;

        r = session_enter(s, METHOD_GET_ROOT_AND_LOGICAL_PREFIX_PATHS, NULL, reterr);
        if (r < 0)
                return r;
        if (str_empty(path) || path[0] != '/')
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "GetRootAndLogicalPrefixPaths needs an absolute path, not "
                                     "\"%s\"",
                                     str_or_empty(path));
        r = inquiry_new(&q, sizeof(*a), &splitting_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct splitting *)q;
        a->full_names = full_names;
        if (str_replace(&a->path, path) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "GetRootAndLogicalPrefixPaths");
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(q);
        return 0;
}
