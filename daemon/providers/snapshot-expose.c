/* See snapshot-expose.h. */

#include "daemon/providers/snapshot-expose.h"

#include "daemon/providers/exposed-mount.h"
#include "daemon/providers/exposed-share.h"
#include "daemon/providers/snapshot-mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_shared(const struct snapshot_record *r) {
        return r->attributes & VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY;
}

static bool is_node(const struct snapshot_record *r) {
        struct stat st;

        return r->device && stat(r->device, &st) == 0 && S_ISBLK(st.st_mode);
}

/* Of the copy, as its mounts have it. 0: the device is not there, so nothing of it is mounted. A
 * directory may not be reached any more, and is mounted all the same. */
static dev_t copy_device(const struct snapshot_record *r) {
        struct statx stx;
        struct stat st;

        if (r->device && stat(r->device, &st) == 0)
                return S_ISBLK(st.st_mode) ? st.st_rdev : S_ISDIR(st.st_mode) ? st.st_dev : 0;
        if (snapshot_is_directory(r) &&
            statx(AT_FDCWD, str_or_empty(r->device_object), AT_SYMLINK_NOFOLLOW, STATX_TYPE,
                  &stx) == 0 &&
            stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                return makedev(stx.stx_dev_major, stx.stx_dev_minor);
        return 0;
}

/* Where it is mounted: the directory that was named, or the share's. */
static int target_of(const struct snapshot_record *r, char **ret, struct vss_error *reterr) {
        if (is_shared(r))
                return exposed_share_directory(r->exposed_name, ret, reterr);
        return str_replace(ret, r->exposed_name) < 0
                       ? vss_error_from_errno(reterr, -ENOMEM, r->exposed_name)
                       : 0;
}

static int make_share_directory(const char *directory, struct vss_error *reterr) {
        if ((mkdir(exposed_share_root, 0755) < 0 && errno != EEXIST) ||
            (mkdir(directory, 0755) < 0 && errno != EEXIST))
                return vss_error_from_errno(reterr, -errno, directory);
        return 0;
}

static int check_files(const struct snapshot_record *r, struct vss_error *reterr) {
        if (r->fs_type && !streq(str_or_empty(r->device), str_or_empty(r->device_object)))
                return 0;
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EOPNOTSUPP,
                             "The copy %s of %s has no file system whose files could be exposed; "
                             "it is there as a block device alone",
                             str_or_empty(r->device), str_or_empty(r->volume));
}

static const char *own_name(const struct snapshot_record *r) {
        const char *slash = strrchr(r->device_object, '/');

        return slash ? slash + 1 : r->device_object;
}

int snapshot_expose_check(const struct snapshot_record *r, uid_t owner, char **ret_name,
                          struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        int k;

        k = check_files(r, reterr);
        if (k < 0)
                return k;
        if (is_shared(r)) {
                k = exposed_share_choose(str_or_empty(r->exposed_name), own_name(r), &name, reterr);
                if (k >= 0)
                        k = exposed_mount_check_source(r->device_object, r->exposed_path, owner,
                                                       reterr);
        } else {
                k = exposed_target_parse(r->exposed_name, &name, reterr);
                if (k >= 0)
                        k = exposed_mount_check(r->device_object, r->exposed_path, name, owner,
                                                reterr);
        }
        if (k >= 0)
                *ret_name = TAKE_PTR(name);
        return k;
}

int snapshot_expose(const struct snapshot_record *r, uid_t owner, struct vss_error *reterr) {
        _cleanup_(freep) char *target = NULL;
        int k;

        k = target_of(r, &target, reterr);
        if (k >= 0 && is_shared(r))
                k = make_share_directory(target, reterr);
        if (k >= 0) /* the directory of a share is ours */
                k = exposed_mount(r->device_object, r->exposed_path, target,
                                  is_shared(r) ? 0 : owner, reterr);
        if (k >= 0 && is_shared(r))
                k = exposed_share_add(r->exposed_name, r->id, reterr);
        return k;
}

/* What is not in its place and yet mounted was moved; forgotten, it would stay for good, and so
 * would the copy. force: it goes. */
static int check_moved(const struct snapshot_record *r, dev_t device, bool force,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *where = NULL;
        int k;

        /* By the number of a directory other mounts of its file system would be found, which are
         * not ours. */
        if (!is_node(r))
                return 0;
        k = exposed_find_moved(device, r->device_object, &where, reterr);
        if (k <= 0)
                return k;
        if (force)
                return exposed_unmount(where, device, EXPOSED_UNMOUNT_DETACH, reterr);
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "the copy that was exposed at %s is mounted on %s instead; move it "
                             "back, or unmount it there",
                             r->exposed_name, where);
}

int snapshot_expose_again(const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(freep) char *target = NULL;
        dev_t device = copy_device(r);
        int k;

        k = target_of(r, &target, reterr);
        if (k < 0)
                return k;
        if (device == 0 || !exposed_is_mounted(target, device)) {
                if (device != 0 && !is_shared(r))
                        k = check_moved(r, device, false, reterr);
                return k < 0 ? k : snapshot_expose(r, 0, reterr);
        }
        return is_shared(r) ? exposed_share_add(r->exposed_name, r->id, reterr) : 0;
}

int snapshot_unexpose(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        _cleanup_(freep) char *target = NULL;
        dev_t device = copy_device(r);
        int k, ended = 0;

        k = target_of(r, &target, reterr);
        if (k >= 0 && is_shared(r))
                ended = exposed_share_remove(r->exposed_name, reterr);
        if (k < 0 || (ended < 0 && !force))
                return k < 0 ? k : ended;
        /* A share's directory is root's: nobody moves that. */
        if (device != 0 && !is_shared(r) && !exposed_is_mounted(target, device))
                return check_moved(r, device, force, reterr);
        if (device != 0)
                k = exposed_unmount(target, device,
                                    force || is_shared(r) ? EXPOSED_UNMOUNT_DETACH
                                                          : EXPOSED_UNMOUNT_IDLE,
                                    reterr);
        if (k >= 0 && is_shared(r))
                (void)rmdir(target); /* empty, or not there, or not ours after all */
        return k < 0 ? k : ended;
}
