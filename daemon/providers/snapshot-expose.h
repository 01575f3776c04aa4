#pragma once

/* A finished copy where others find it: mounted on a directory, or shared with other machines. How
 * is in its record: attributes (one of VSS_VOLSNAP_ATTR_EXPOSED_...), exposed_name and exposed_path
 * (NULL: all of it). The copy itself is mounted on its device object meanwhile. */

#include "daemon/store/store.h"

#define SNAPSHOT_EXPOSED_ATTRIBUTES \
        (VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY | VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY)

/* Whether it can be done, and the name by which it will be known: attributes, exposed_path and, as
 * the requester wrote it, exposed_name of *r are what is wanted. owner: as of
 * exposed_mount_check(). Changes nothing. */
int snapshot_expose_check(const struct snapshot_record *r, uid_t owner, char **ret_name,
                          struct vss_error *reterr);
/* On failure something may be left: snapshot_unexpose(). */
int snapshot_expose(const struct snapshot_record *r, uid_t owner, struct vss_error *reterr);
/* After a start of the service or the machine: what is missing of it. */
int snapshot_expose_again(const struct snapshot_record *r, struct vss_error *reterr);
/* Not exposed is success. force: also when it is in use, and unmounted in any case, though the
 * service that shares it could not be told (which is a failure all the same). A share is ended in
 * any case, and who is still in it keeps what he has open. */
int snapshot_unexpose(const struct snapshot_record *r, bool force, struct vss_error *reterr);
