#pragma once

/* Copies of btrfs subvolumes: snapshots of their own kind, in a directory of the subvolume's root
 * that is root's alone. Where a copy is follows from its id and its volume, so that it is found
 * without any memory of it. Knows no D-Bus. */

#include "common/vss-error.h"
#include <sys/types.h>

#define COPIES_DIRECTORY ".vss-btrfs"
#define COPY_DATA_MAX 33 /* 32 digits and the NUL */

/* A volume, held open by its root. */
struct copy_volume {
        char *mount_point;
        int fd, copies_fd; /* copies_fd: of COPIES_DIRECTORY; -1: not yet */
};
void copy_volume_done(struct copy_volume *v);

/* device_number 0: any. VSS_E_OBJECT_NOT_FOUND: another file system is there by now;
 * VSS_E_VOLUME_NOT_SUPPORTED: it is no btrfs subvolume. */
int copy_volume_open(struct copy_volume *ret, const char *mount_point, dev_t device_number,
                     struct vss_error *reterr);
/* Makes the directory, if it is not there. */
int copy_volume_prepare(struct copy_volume *v, struct vss_error *reterr);

/* The directory goes, if it is empty. Not while a set has it open: its copies would have no place.
 */
void copy_volume_tidy(const struct copy_volume *v);

/* id: canonical text. The copy can be written to. */
int copy_make(const struct copy_volume *v, const char *id, struct vss_error *reterr);
int copy_seal(const struct copy_volume *v, const char *id, struct vss_error *reterr);
/* VSS_E_OBJECT_NOT_FOUND: there is none. */
int copy_delete(const struct copy_volume *v, const char *id, struct vss_error *reterr);

/* Of a copy that is there, or was; data is what copy_find() has given, or "". VSS_E_BAD_STATE: its
 * volume is not mounted there, or has lost the directory. VSS_E_OBJECT_NOT_FOUND: the volume is,
 * and has no such copy. */
int copy_find(const char *mount_point, const char *id, const char *data, char **ret_path,
              char ret_data[static COPY_DATA_MAX], struct vss_error *reterr);
int copy_find_and_delete(const char *mount_point, const char *id, const char *data, bool tidy,
                         struct vss_error *reterr);
bool copy_id_is_valid(const char *id);
