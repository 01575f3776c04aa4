#pragma once

/* A directory as a share for other machines, through the tools of the service that serves it: a
 * usershare of Samba's (net) or an export of NFS (exportfs). The tools are asked what there is, so
 * nothing is kept here. What is shared is a mount of its own, EXPOSED_SHARE_ROOT/NAME: the copies'
 * own place is for root and those who make backups alone. */

#include "common/vss-error.h"

#define EXPOSED_SHARE_ROOT "/run/vss-shares"

/* Before anything else runs. Whom NFS may serve, in the form that exports(5) has for clients; NULL
 * or none: nobody. Borrowed. */
void exposed_share_set_clients(char *const *clients);
/* E_INVALIDARG for what could not be a client, or be taken for an option of the tool. */
int exposed_share_check_client(const char *client, struct vss_error *reterr);

/* What a requester asked for: "NAME", "smb:NAME", "nfs:NAME", or "" for a name of the copy's own.
 * *ret is how the share is known from then on: the name of a usershare, or the directory that NFS
 * exports. E_INVALIDARG; VSS_E_PROVIDER_VETO: there is no such service here; with
 * VSS_E_OBJECT_ALREADY_EXISTS somebody else has it. */
int exposed_share_choose(const char *wanted, const char *own_name, char **ret,
                         struct vss_error *reterr);
/* The directory of a share that was chosen: EXPOSED_SHARE_ROOT/NAME. */
int exposed_share_directory(const char *share, char **ret, struct vss_error *reterr);
/* Again is success. id: what NFS tells the file system by, which has its origin's own UUID. */
int exposed_share_add(const char *share, VSS_ID id, struct vss_error *reterr);
/* Not shared is success. */
int exposed_share_remove(const char *share, struct vss_error *reterr);

/* Where the tools are looked for, and the shares' directories are; a test has others. */
extern const char *const *exposed_share_tools;
extern const char *exposed_share_root;
