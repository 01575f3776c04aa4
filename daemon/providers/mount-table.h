#pragma once

/* Questions to the mount table of this process, read afresh by libmount for each look-up, so that
 * what is answered is what is mounted now. */

#include "common/vss-error.h"
#include <libmount/libmount.h>
#include <sys/types.h>

/* "/proc/self/mountinfo"; a test puts a file of its own there. */
extern const char *mount_table_path;

static inline void mount_table_freep(struct libmnt_table **t) {
        if (*t)
                mnt_unref_table(*t);
        *t = NULL;
}

int mount_table_read(struct libmnt_table **ret);
/* What statx() calls STATX_MNT_ID. NULL: not there. Borrowed from the table. */
struct libmnt_fs *mount_table_find_id(struct libmnt_table *t, uint64_t id);
/* Where the whole file system on a device is mounted; the n-th such place. */
struct libmnt_fs *mount_table_find_device(struct libmnt_table *t, dev_t devno, unsigned n);
/* Any mount of the file system with that number, of the whole or of a part. */
struct libmnt_fs *mount_table_find_any(struct libmnt_table *t, dev_t devno);
/* Whether anything is mounted on the path or below it. */
bool mount_table_covers(struct libmnt_table *t, const char *path);

/* 0, or -EOPNOTSUPP with VSS_E_VOLUME_NOT_SUPPORTED, the reason and the way out for file systems
 * that no block-level copy can be made of. */
int mount_check_supported(struct libmnt_fs *fs, const char *name, struct vss_error *reterr);
