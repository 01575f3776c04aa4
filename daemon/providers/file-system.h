#pragma once

/* Of which file systems a block-level copy can be made: by their type, and by what the superblock
 * says of parts that are on other devices. Stateless. */

#include "common/vss-error.h"

/* Both: 0, or -EOPNOTSUPP with VSS_E_VOLUME_NOT_SUPPORTED, the reason and the way out. name: of the
 * volume, for messages; detail: what the reason speaks of (an overlay's upper directory), or NULL.
 */
int file_system_check_type(const char *type, const char *name, const char *detail,
                           struct vss_error *reterr);
/* fd: the device's. What cannot be read, or is of another type, has no parts elsewhere. */
int file_system_check_parts(int fd, const char *type, const char *name, struct vss_error *reterr);

/* Those that file_system_check_type() refuses, and that make snapshots of their own. */
bool file_system_has_own_snapshots(const char *type);
/* Its own disks, or somebody else's: a network's, a process's, memory. */
bool file_system_is_local(const char *type);
