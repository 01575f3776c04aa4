#pragma once

/* A volume as the caller named it, resolved once to what cannot change under us: an open
 * descriptor and a device number. Accepts a mount point (with or without trailing '/'), a block
 * device or a link to one (/dev/disk/by-*), "vg/lv", UUID= and LABEL=. A path that merely lies
 * inside a file system is refused with the mount point to use instead. */

#include "common/vss-error.h"
#include <sys/types.h>

struct volume {
        char *display;     /* the caller's spelling */
        char *name;        /* canonical: "/srv/data/" if mounted, else "/dev/vg/lv" */
        char *mount_point; /* NULL: not mounted. The one named, or the first. No trailing '/' but
                              "/" */
        char *device;      /* "/dev/mapper/vg-lv", "/dev/vda1" */
        char *fs_type;     /* libblkid's or the mount table's; NULL: raw */
        dev_t devno;       /* of the block device */
        bool read_only;
        int mount_fd;  /* O_PATH|O_DIRECTORY... opened for syncfs: O_RDONLY|O_DIRECTORY; -1 */
        uint64_t size; /* bytes */
        char *dm_name; /* NULL: not device-mapper's */
        char *dm_uuid;
        char *vg; /* LVM: names of VG and LV; NULL otherwise */
        char *lv;
        /* Its file system is one of which no copy of blocks can be made (btrfs); a provider of
         * somebody else's may make copies of its own kind. It is mounted, devno is of the mounted
         * part, and device the name of one of its devices, or of something else. */
        bool has_no_block_copy;
        char *refusal; /* volume_list() only: why volume_open() does not open it; NULL: it does */
};

/* Could it be a volume's name? E_INVALIDARG: relative or malformed. Nothing is looked at. */
int volume_check_name(const char *spec, struct vss_error *reterr);
/* VSS_E_OBJECT_NOT_FOUND: nothing there; E_INVALIDARG: relative or malformed;
 * VSS_E_VOLUME_NOT_SUPPORTED: exists, but no copies can be made of it whoever makes them (tmpfs,
 * nfs, overlay, swap, ...), with -ENOTBLK for what is a part of something or itself a copy;
 * VSS_E_PROVIDER_VETO: it is held (volume-hold.h). */
int volume_open(struct volume **ret, const char *spec, struct vss_error *reterr);
struct volume *volume_free(struct volume *v);
DEFINE_CLEANUP(struct volume, volume_free);
int volume_copy(struct volume **ret, const struct volume *v);

/* 0; or -EOPNOTSUPP with VSS_E_NESTED_VOLUME_LIMIT if one of them lies on another: on a loop
 * device over a file in it, or in a volume group on top of it; or may do so, as its bytes go to a
 * process (FUSE, a network block device). Suspending both would have the one wait for the other.
 * Likewise, if one lies in a disk image inside a disk image. */
int volumes_check_nesting(const struct volume *const *volumes, size_t n, struct vss_error *reterr);

/* Which of them the device is, or lies on; NULL: none. -ELOOP: it lies in a disk image inside a
 * disk image; -EOPNOTSUPP: on what does not say what it lies on itself. */
int volumes_find_below(const struct volume *const *volumes, size_t n, dev_t devno,
                       const struct volume **ret);

/* Every volume of the host worth a row in `vssctl volumes`: file systems on its own disks that are
 * mounted, and LVM's volumes and other mapped devices that are not. Of what cannot be opened there
 * is what is known, with the reason; what is a part of something, or a copy of ours, is left out.
 */
int volume_list(struct volume ***ret, size_t *ret_n, struct vss_error *reterr);
void volumes_free(struct volume **v, size_t n);
