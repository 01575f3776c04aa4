#pragma once

/* A copy at a second place: all of it or a directory in it, read-only, on a directory that somebody
 * chose. Nothing on the way there is followed that could be a link; what was looked at is what is
 * mounted on, whatever is renamed meanwhile. Stateless: the mount table is the state. */

#include "common/vss-error.h"
#include <sys/types.h>

/* Whether the name of a directory may be kept: a full path, with no ".", ".." or empty part, no
 * control character, not among the copies' own places. *ret: without a '/' at the end.
 * E_INVALIDARG. */
int exposed_target_parse(const char *target, char **ret, struct vss_error *reterr);

/* Whether it lies on a file system that waits for a server or a program, by the mount table alone:
 * nothing there is touched. E_INVALIDARG. */
int exposed_check_place(const char *target, struct vss_error *reterr);

/* Whether path ("" or NULL: all) is a directory in the copy that is mounted on root and, unless
 * owner is 0 or it is all, of that user. No link leads to it. E_INVALIDARG, E_ACCESSDENIED. */
int exposed_mount_check_source(const char *root, const char *path, uid_t owner,
                               struct vss_error *reterr);
/* The same, and whether it could be mounted on target now: a directory that is there, that no link
 * leads to, not on a file system that waits for a server or a program, empty, no mount point and,
 * unless owner is 0, of that user. E_INVALIDARG, E_ACCESSDENIED, VSS_E_OBJECT_ALREADY_EXISTS. */
int exposed_mount_check(const char *root, const char *path, const char *target, uid_t owner,
                        struct vss_error *reterr);
/* Looks at all of that anew, and does it. */
int exposed_mount(const char *root, const char *path, const char *target, uid_t owner,
                  struct vss_error *reterr);
/* Whether the device's file system is what is mounted on target. */
bool exposed_is_mounted(const char *target, dev_t device);
/* 1: the device's file system, which is mounted on root, is mounted on *ret, too: who renames a
 * directory above an exposed copy takes its mount along. 0: it is not. */
int exposed_find_moved(dev_t device, const char *root, char **ret, struct vss_error *reterr);

enum exposed_unmount {
        EXPOSED_UNMOUNT_IDLE,   /* busy: VSS_E_PROVIDER_VETO naming who holds it */
        EXPOSED_UNMOUNT_DETACH, /* busy: it is out of everybody's sight, and gone with its last user
                                 */
};
/* Of that device alone: what else may be mounted there stays. Not mounted is success. */
int exposed_unmount(const char *target, dev_t device, enum exposed_unmount how,
                    struct vss_error *reterr);
