/* See volume.h. A volume is owned by whoever opened it and constant once it is open. The order in
 * which it is resolved matters: first a descriptor, then all questions to that descriptor or to
 * the device number that it gave, so that a mount point that changes meanwhile cannot make one
 * file system be frozen and another be copied. */

#include "daemon/providers/volume.h"
#include "daemon/providers/block.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/file-system.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/providers/volume-hold.h"
#include <blkid/blkid.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

struct volume *volume_free(struct volume *v) {
        if (!v)
                return NULL;
        free(v->display);
        free(v->name);
        free(v->mount_point);
        free(v->device);
        free(v->fs_type);
        free(v->dm_name);
        free(v->dm_uuid);
        free(v->vg);
        free(v->lv);
        free(v->refusal);
        safe_close(v->mount_fd);
        free(v);
        return NULL;
}

static int volume_new(struct volume **ret, const char *display) {
        _cleanup_(volume_freep) struct volume *v = NULL;

        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->mount_fd = -1;
        v->display = strdup(display);
        if (!v->display)
                return -ENOMEM;
        *ret = TAKE_PTR(v);
        return 0;
}

int volume_copy(struct volume **ret, const struct volume *v) {
        _cleanup_(volume_freep) struct volume *c = NULL;
        int r;

        r = volume_new(&c, v->display);
        if (r < 0)
                return r;
        c->devno = v->devno;
        c->read_only = v->read_only;
        c->has_no_block_copy = v->has_no_block_copy;
        c->size = v->size;
        if (str_replace(&c->name, v->name) < 0 ||
            str_replace(&c->mount_point, v->mount_point) < 0 ||
            str_replace(&c->device, v->device) < 0 || str_replace(&c->fs_type, v->fs_type) < 0 ||
            str_replace(&c->dm_name, v->dm_name) < 0 || str_replace(&c->dm_uuid, v->dm_uuid) < 0 ||
            str_replace(&c->vg, v->vg) < 0 || str_replace(&c->lv, v->lv) < 0)
                return -ENOMEM;
        if (v->mount_fd >= 0) {
                c->mount_fd = fcntl(v->mount_fd, F_DUPFD_CLOEXEC, 3);
                if (c->mount_fd < 0)
                        return -errno;
        }
        *ret = TAKE_PTR(c);
        return 0;
}

static int refuse(struct vss_error *reterr, const struct volume *v, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s %s", v->display,
                             reason);
}

/* Of what is no volume at all, so that nobody would look for it among the volumes. */
static int refuse_part(struct vss_error *reterr, const struct volume *v, const char *reason) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, ENOTBLK, "%s %s", v->display,
                             reason);
}

/* A mapped device that the provider dm has made. */
static int refuse_own(const struct volume *v, struct vss_error *reterr) {
        static const char *const hidden[] = { "-real", "-cow" };
        size_t length = strlen(v->dm_uuid);

        for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
                if (length > strlen(hidden[i]) &&
                    streq(v->dm_uuid + length - strlen(hidden[i]), hidden[i]))
                        return refuse_part(reterr, v,
                                           "is a hidden device below a volume and its shadow "
                                           "copies; name the volume");
        return refuse_part(reterr, v, "is itself a shadow copy; name the volume it was made of");
}

/* The device's own facts, for which nothing is read from it. */
static int fill_facts(struct volume *v, dev_t devno, struct vss_error *reterr) {
        _cleanup_(block_done) struct block b = { 0 };
        _cleanup_(freep) char *layer = NULL;
        int r;

        r = block_read(&b, devno);
        if (r == -ENODEV)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "the block device of %s is gone", v->display);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->display);
        v->devno = devno;
        v->size = b.size;
        v->read_only = b.read_only;
        v->device = TAKE_PTR(b.path);
        v->dm_name = TAKE_PTR(b.dm_name);
        v->dm_uuid = TAKE_PTR(b.dm_uuid);
        if (v->dm_uuid &&
            strncmp(v->dm_uuid, DM_COPY_UUID_PREFIX, strlen(DM_COPY_UUID_PREFIX)) == 0)
                return refuse_own(v, reterr);
        if (!v->dm_uuid || strncmp(v->dm_uuid, LVM_UUID_PREFIX, strlen(LVM_UUID_PREFIX)) != 0)
                return 0;

        r = lvm_name_split(v->dm_name, &v->vg, &v->lv, &layer);
        if (r == -ENOMEM)
                return vss_error_from_errno(reterr, r, v->display);
        if (r < 0 || layer || !lvm_uuid_is_visible(v->dm_uuid) || lvm_name_is_internal(v->lv))
                return refuse_part(reterr, v, "is a hidden device of LVM; name the logical volume");
        if (strncmp(v->lv, LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) == 0)
                return refuse_part(reterr, v,
                                   "is itself a shadow copy; name the volume it was made of");
        if (strncmp(v->lv, LVM_STORE_PREFIX, strlen(LVM_STORE_PREFIX)) == 0)
                return refuse_part(reterr, v, "is the store of a shadow copy");
        return 0;
}

/* Before it is read, which would wait for what its storage waits for. */
static int fill_device(struct volume *v, dev_t devno, struct vss_error *reterr) {
        int r = fill_facts(v, devno, reterr);

        return r < 0 || !v->dm_name ? r : volume_hold_check(v->dm_uuid, v->display, reterr);
}

static bool is_swap(dev_t devno) {
        _cleanup_(fclosep) FILE *f = fopen("/proc/swaps", "re");
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        bool found = false;

        while (f && !found && getline(&line, &size, f) > 0) {
                if (line[0] != '/')
                        continue; /* the head */
                line[strcspn(line, " \t")] = '\0';
                found = block_of_path(line) == devno;
        }
        return found;
}

static void free_probep(blkid_probe *p) {
        blkid_free_probe(*p);
}

/* "is encrypted; ..." if its bytes are seen through a mapping: then that is the volume. */
static int check_encrypted(const struct volume *v, struct vss_error *reterr) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(v->devno, "holders", &holders, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->display);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(block_done) struct block b = { 0 };

                if (block_read(&b, holders[i]) >= 0 && b.dm_uuid &&
                    strncmp(b.dm_uuid, "CRYPT-", 6) == 0)
                        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                             "%s is encrypted; name the opened mapping on it, %s",
                                             v->display, b.path);
        }
        return 0; /* nobody sees what is in it; a copy is as closed as it is */
}

static int check_signature(const struct volume *v, const char *usage, const char *type,
                           struct vss_error *reterr) {
        if (streq(usage, "raid"))
                return refuse_part(reterr, v,
                                   "is a part of something (an LVM physical volume or a RAID "
                                   "member); name the volume that is made of it");
        if (streq(usage, "crypto"))
                return check_encrypted(v, reterr);
        if (streq(type, "swap"))
                return refuse(reterr, v, "is swap space");
        return file_system_check_type(type, v->display, NULL, reterr);
}

/* For the device's node to be what it was. */
static int open_node(const struct volume *v, int *ret, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        fd = open(v->device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, errno,
                                     "%s cannot be read: %s", v->display, strerror(errno));
        if (st.st_rdev != v->devno)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s is another device by now; try again", v->display);
        *ret = TAKE_FD(fd);
        return 0;
}

/* What an unmounted device holds, by its signatures. */
static int fill_signature(struct volume *v, struct vss_error *reterr) {
        _cleanup_(free_probep) blkid_probe probe = NULL;
        _cleanup_(closep) int fd = -1;
        const char *usage, *type;
        int r;

        if (is_swap(v->devno))
                return refuse(reterr, v, "is swap space");
        r = open_node(v, &fd, reterr);
        if (r < 0)
                return r;
        probe = blkid_new_probe();
        if (!probe)
                return vss_error_from_errno(reterr, -ENOMEM, v->display);
        (void)blkid_probe_enable_superblocks(probe, 1); /* no way to fail */
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
        if (blkid_probe_set_device(probe, fd, 0, 0) != 0)
                return 0; /* too small for any signature: raw */
        r = blkid_do_safeprobe(probe);
        /* 1: nothing known; negative: unreadable or ambiguous. Raw, all of them. */
        if (r != 0 || blkid_probe_lookup_value(probe, "TYPE", &type, NULL) != 0)
                return 0;
        if (blkid_probe_lookup_value(probe, "USAGE", &usage, NULL) != 0)
                usage = "";
        r = check_signature(v, usage, type, reterr);
        if (r < 0 || !streq(usage, "filesystem"))
                return r;
        r = file_system_check_parts(fd, type, v->display, reterr);
        if (r < 0)
                return r;
        r = str_replace(&v->fs_type, type);
        return r < 0 ? vss_error_from_errno(reterr, r, v->display) : 0;
}

/* What the mount table does not tell: ext4 names no journal there that its superblock knows. */
static int check_mounted_parts(const struct volume *v, const char *type, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;

        /* A node may be missing in a container; the mount is there all the same. */
        if (open_node(v, &fd, NULL) < 0)
                return 0;
        return file_system_check_parts(fd, type, v->display, reterr);
}

/* The descriptor for syncfs, which also holds the mount. -ESTALE: another file system is mounted
 * there, over the one in the table or instead of it. */
static int open_mount(const char *target, dev_t devno, int *ret) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != devno)
                return -ESTALE;
        *ret = TAKE_FD(fd);
        return 0;
}

static int fill_mount(struct volume *v, struct libmnt_fs *fs, int fd, struct vss_error *reterr) {
        const char *target = mnt_fs_get_target(fs);
        size_t root = strlen(SNAPSHOT_MOUNT_ROOT);

        if (strncmp(target, SNAPSHOT_MOUNT_ROOT, root) == 0 && target[root] == '/') {
                safe_close(fd);
                return refuse_part(reterr, v,
                                   "is itself a shadow copy; name the volume it was made of");
        }
        v->mount_fd = fd;
        if (str_replace(&v->mount_point, target) < 0 ||
            str_replace(&v->fs_type, mnt_fs_get_fstype(fs)) < 0 ||
            str_format(&v->name, "%s%s", target, streq(target, "/") ? "" : "/") < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->display);
        if (mnt_fs_get_option(fs, "ro", NULL, NULL) == 0)
                v->read_only = true;
        return check_mounted_parts(v, v->fs_type, reterr);
}

/* Where the device is mounted as a whole, if it is. 1: mounted. */
static int fill_first_mount(struct volume *v, struct libmnt_table *mounts,
                            struct vss_error *reterr) {
        struct libmnt_fs *fs;

        for (unsigned i = 0; (fs = mount_table_find_device(mounts, v->devno, i)); i++) {
                int fd = -1;
                int r;

                r = mount_check_supported(fs, v->display, reterr);
                if (r < 0)
                        return r;
                /* Another mount may hide this one: then the next. */
                if (open_mount(mnt_fs_get_target(fs), v->devno, &fd) < 0)
                        continue;
                r = fill_mount(v, fs, fd, reterr);
                return r < 0 ? r : 1;
        }
        return 0;
}

static int read_mounts(struct libmnt_table **ret, const char *display, struct vss_error *reterr) {
        int r = mount_table_read(ret);

        return r < 0 ? vss_error_from_errno(reterr, r, display) : 0;
}

/* The name of what is not mounted. */
static int fill_device_name(struct volume *v) {
        if (v->vg)
                return str_format(&v->name, "/dev/%s/%s", v->vg, v->lv);
        return str_replace(&v->name, v->device);
}

static int open_device(struct volume *v, dev_t devno, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *mounts = NULL;
        int r;

        r = fill_device(v, devno, reterr);
        if (r < 0)
                return r;
        r = read_mounts(&mounts, v->display, reterr);
        if (r < 0)
                return r;
        r = fill_first_mount(v, mounts, reterr);
        if (r != 0)
                return r;
        r = fill_device_name(v);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->display);
        return fill_signature(v, reterr);
}

/* Without a block device of its own: as large as it says itself, and known by the number that its
 * files have. */
static int open_own_kind(struct volume *v, int fd, struct libmnt_fs *fs, struct vss_error *reterr) {
        _cleanup_(closep) int mount_fd = -1;
        struct statvfs vfs;
        struct stat st;
        char path[64];
        int r;

        r = volume_hold_check("", v->display, reterr);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        mount_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (mount_fd < 0 || fstat(mount_fd, &st) < 0 || fstatvfs(mount_fd, &vfs) < 0)
                return vss_error_from_errno(reterr, -errno, v->display);
        v->has_no_block_copy = true;
        v->devno = st.st_dev;
        v->size = (uint64_t)vfs.f_blocks * vfs.f_frsize;
        if (str_replace(&v->device, str_or_empty(mnt_fs_get_srcpath(fs))) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->display);
        return fill_mount(v, fs, TAKE_FD(mount_fd), reterr);
}

/* fd: O_PATH, of the directory. It is a mount's root. */
static int open_mount_root(struct volume *v, int fd, struct libmnt_table *mounts,
                           struct libmnt_fs *fs, struct vss_error *reterr) {
        dev_t devno = mnt_fs_get_devno(fs);
        char path[64];
        int mount_fd = -1;
        int r;

        if (file_system_has_own_snapshots(str_or_empty(mnt_fs_get_fstype(fs))))
                return open_own_kind(v, fd, fs, reterr);
        r = mount_check_supported(fs, v->display, reterr);
        if (r < 0)
                return r;
        r = fill_device(v, devno, reterr);
        if (r < 0)
                return r;
        if (!streq(str_or_empty(mnt_fs_get_root(fs)), "/")) {
                /* A bind mount of a part: the volume is the whole. */
                r = fill_first_mount(v, mounts, reterr);
                if (r < 0)
                        return r;
                if (r > 0)
                        return 0;
        }
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = open_mount(path, devno, &mount_fd);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->display);
        return fill_mount(v, fs, mount_fd, reterr);
}

static int open_directory(struct volume *v, int fd, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *mounts = NULL;
        struct libmnt_fs *fs;
        struct statx stx;
        int r;

        if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
                return vss_error_from_errno(reterr, -errno, v->display);
        r = read_mounts(&mounts, v->display, reterr);
        if (r < 0)
                return r;
        fs = stx.stx_mask & STATX_MNT_ID ? mount_table_find_id(mounts, stx.stx_mnt_id) : NULL;
        if (!fs)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "%s is not in the mount table; it was unmounted meanwhile, or "
                                     "belongs to another mount namespace",
                                     v->display);
        if (!S_ISDIR(stx.stx_mode) || !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
                return vss_error_set(
                        reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                        "%s is no volume but lies inside one; name its mount point, %s", v->display,
                        mnt_fs_get_target(fs));
        return open_mount_root(v, fd, mounts, fs, reterr);
}

static int open_path(struct volume *v, const char *path, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0 && (errno == ELOOP || errno == ENAMETOOLONG))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "%s: %s", v->display,
                                     strerror(errno));
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "there is no volume %s: %s", v->display, strerror(errno));
        if (fstat(fd, &st) < 0)
                return vss_error_from_errno(reterr, -errno, v->display);
        if (S_ISBLK(st.st_mode))
                return open_device(v, st.st_rdev, reterr);
        if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
                return open_directory(v, fd, reterr);
        return refuse(reterr, v, "is neither a mount point nor a block device");
}

/* "UUID=..." and its like. NULL: not of this form. */
static int open_tag(struct volume *v, struct vss_error *reterr) {
        const char *equals = strchr(v->display, '=');
        _cleanup_(freep) char *tag = strndup(v->display, (size_t)(equals - v->display));
        _cleanup_(freep) char *path = NULL;

        if (!tag)
                return vss_error_from_errno(reterr, -ENOMEM, v->display);
        path = blkid_evaluate_tag(tag, equals + 1, NULL);
        if (!path)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "there is no volume with %s", v->display);
        return open_path(v, path, reterr);
}

static bool is_tag(const char *spec) {
        static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=" };

        for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
                if (strncmp(spec, tags[i], strlen(tags[i])) == 0 && spec[strlen(tags[i])])
                        return true;
        return false;
}

/* "vg/lv", and nothing else that has a slash: a relative path is no volume. 0, -EINVAL, -ENOMEM. */
static int split_lv(char **ret_vg, const char **ret_lv, const char *spec) {
        const char *slash = strchr(spec, '/');
        _cleanup_(freep) char *vg = NULL;

        if (!slash)
                return -EINVAL;
        vg = strndup(spec, (size_t)(slash - spec));
        if (!vg)
                return -ENOMEM;
        if (!lvm_name_is_valid(vg) || !lvm_name_is_valid(slash + 1))
                return -EINVAL;
        *ret_vg = TAKE_PTR(vg);
        *ret_lv = slash + 1;
        return 0;
}

int volume_check_name(const char *spec, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL;
        const char *lv;
        int r = 0;

        if (str_empty(spec) || strlen(spec) >= PATH_MAX)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "the name of a volume is %s",
                                     str_empty(spec) ? "empty" : "too long");
        if (spec[0] != '/' && !is_tag(spec))
                r = split_lv(&vg, &lv, spec);
        if (r == -EINVAL)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "'%s' is no volume: give an absolute mount point, a block "
                                     "device, VG/LV, UUID=, LABEL=, PARTUUID= or PARTLABEL=",
                                     spec);
        return r < 0 ? vss_error_from_errno(reterr, r, spec) : 0;
}

static int open_lv(struct volume *v, struct vss_error *reterr) {
        _cleanup_(freep) char *vg = NULL, *dm_name = NULL, *path = NULL;
        const char *lv;
        struct stat st;

        if (split_lv(&vg, &lv, v->display) < 0 || lvm_name_join(&dm_name, vg, lv, NULL) < 0 ||
            str_format(&path, "/dev/mapper/%s", dm_name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->display);
        if (stat(path, &st) < 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "there is no active logical volume %s (a path must begin with "
                                     "'/')",
                                     v->display);
        return open_path(v, path, reterr);
}

int volume_open(struct volume **ret, const char *spec, struct vss_error *reterr) {
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        r = volume_check_name(spec, reterr);
        if (r < 0)
                return r;
        r = volume_new(&v, spec);
        if (r < 0)
                return vss_error_from_errno(reterr, r, spec);
        if (spec[0] == '/')
                r = open_path(v, spec, reterr);
        else if (is_tag(spec))
                r = open_tag(v, reterr);
        else
                r = open_lv(v, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
