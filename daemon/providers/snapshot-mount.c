/* See snapshot-mount.h. Stateless: the mount table is the state. */

#include "daemon/providers/snapshot-mount.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/mount-users.h"
#include "daemon/providers/previous-versions.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FLAGS (MS_NOSUID | MS_NODEV)

/* What a file system needs to be told when it is a copy. */
static const struct {
        const char *fs_type, *options;
} copy_options[] = {
        { .fs_type = "xfs", .options = "nouuid" }, /* its origin has the same one */
};

/* False for a copy that has its block device only. */
static bool has_directory(const struct snapshot_record *r) {
        return r->device_object && strncmp(r->device_object, SNAPSHOT_MOUNT_ROOT "/",
                                           strlen(SNAPSHOT_MOUNT_ROOT "/")) == 0;
}

static bool is_mounted(const char *directory) {
        struct statx stx;

        return statx(AT_FDCWD, directory, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE,
                     &stx) == 0 &&
               stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

bool snapshot_is_directory(const struct snapshot_record *r) {
        return strncmp(str_or_empty(r->device), "/dev/", strlen("/dev/")) != 0;
}

static gid_t reader_group(void) {
        _cleanup_(freep) char *buffer = malloc(65536);
        struct group group, *found = NULL;

        if (!buffer || getgrnam_r(SNAPSHOT_MOUNT_GROUP, &group, buffer, 65536, &found) != 0 ||
            !found)
                return 0;
        return found->gr_gid;
}

/* The root of all copies is what keeps others out; the copies' own permissions hold below it. */
static int make_root(void) {
        gid_t group;

        if (mkdir(SNAPSHOT_MOUNT_ROOT, 0700) < 0)
                return errno == EEXIST ? 0 : -errno;
        group = reader_group();
        if (chown(SNAPSHOT_MOUNT_ROOT, 0, group) < 0 ||
            chmod(SNAPSHOT_MOUNT_ROOT, group != 0 ? 0750 : 0700) < 0)
                return -errno;
        return 0;
}

static const char *options_for(const char *fs_type) {
        for (size_t i = 0; i < ARRAY_SIZE(copy_options); i++)
                if (streq(copy_options[i].fs_type, fs_type))
                        return copy_options[i].options;
        return "";
}

/* A mount of that directory alone, with flags of its own from the first moment on. */
static int mount_directory(const struct snapshot_record *r, bool writable) {
        struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
        struct mount_attr attr = {
                .attr_set =
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY),
                .propagation = MS_PRIVATE,
        };
        _cleanup_(closep) int source = -1, tree = -1;

        source = (int)syscall(SYS_openat2, AT_FDCWD, r->device, &how, sizeof(how));
        if (source < 0)
                return -errno;
        tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
            move_mount(tree, "", AT_FDCWD, r->device_object, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

static int mount_device(const struct snapshot_record *r, bool writable) {
        return mount(r->device, r->device_object, r->fs_type, FLAGS | (writable ? 0 : MS_RDONLY),
                     options_for(r->fs_type)) < 0
                       ? -errno
                       : 0;
}

static int seal_directory(const struct snapshot_record *r) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

        return mount_setattr(AT_FDCWD, r->device_object, AT_SYMLINK_NOFOLLOW, &attr, sizeof(attr)) <
                               0
                       ? -errno
                       : 0;
}

static int seal_device(const struct snapshot_record *r) {
        return mount(NULL, r->device_object, NULL, MS_REMOUNT | MS_RDONLY | FLAGS, NULL) < 0
                       ? -errno
                       : 0;
}

static int mount_copy(const struct snapshot_record *r, bool writable, struct vss_error *reterr) {
        int k;

        k = make_root();
        if (k < 0)
                return vss_error_from_errno(reterr, k, SNAPSHOT_MOUNT_ROOT);
        if (mkdir(r->device_object, 0755) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, r->device_object);
        k = (snapshot_is_directory(r) ? mount_directory : mount_device)(r, writable);
        if (k < 0) {
                (void)rmdir(r->device_object); /* it is empty, or was there before */
                return vss_error_set(
                        reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -k,
                        "cannot mount the copy %s of %s (%s): %s; the kernel's log says "
                        "more",
                        r->device, str_or_empty(r->volume), r->fs_type, strerror(-k));
        }
        return 0;
}

/* The copy is as good without: it can be read, by those who know it. */
static void show_to_clients(const struct snapshot_record *r) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (previous_versions_show(r, &error) < 0)
                log_full(LOG_WARNING,
                         (&(const struct log_fields){
                                 .set_id = &r->set_id, .snapshot_id = &r->id, .code = error.hr }),
                         "Snapshot %s of %s is not among the previous versions: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(error.message));
}

int snapshot_mount(const struct snapshot_record *r, bool writable, struct vss_error *reterr) {
        int k = 0;

        if (!has_directory(r) || !r->fs_type)
                return 0;
        if (!is_mounted(r->device_object))
                k = mount_copy(r, writable, reterr);
        if (k >= 0 && !writable)
                show_to_clients(r);
        return k;
}

int snapshot_mount_seal(const struct snapshot_record *r, struct vss_error *reterr) {
        int k;

        if (!has_directory(r) || !is_mounted(r->device_object))
                return 0;
        k = (snapshot_is_directory(r) ? seal_directory : seal_device)(r);
        if (k < 0)
                return vss_error_set(
                        reterr, k == -EBUSY ? VSS_E_PROVIDER_VETO : VSS_E_UNEXPECTED_PROVIDER_ERROR,
                        -k, "cannot make the copy %s read-only: %s", r->device_object,
                        k == -EBUSY ? "a program still has a file open for writing" : strerror(-k));
        show_to_clients(r);
        return 0;
}

static int say_busy(const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(freep) char *users = mount_users(r->device_object);

        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "the copy %s is in use by %s; end that, or delete it by force",
                             r->device_object, users ? users : "something that cannot be found");
}

static int unmount_copy(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        while (is_mounted(r->device_object)) {
                if (umount2(r->device_object, UMOUNT_NOFOLLOW) == 0)
                        continue;
                if (errno == EBUSY && force &&
                    umount2(r->device_object, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
                        continue;
                if (errno == EBUSY)
                        return say_busy(r, reterr);
                if (errno == EINVAL || errno == ENOENT)
                        break; /* somebody else was faster */
                return vss_error_from_errno(reterr, -errno, r->device_object);
        }
        return 0;
}

int snapshot_unmount(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        int k;

        if (!has_directory(r))
                return 0;
        k = previous_versions_hide(r, force, reterr);
        if (k >= 0)
                k = unmount_copy(r, force, reterr);
        if (k < 0) {
                if (is_mounted(r->device_object))
                        show_to_clients(r);
                return k;
        }
        if (rmdir(r->device_object) < 0 && errno != ENOENT)
                return vss_error_from_errno(reterr, -errno, r->device_object);
        return 0;
}
