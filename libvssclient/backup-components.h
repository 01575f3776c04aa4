#pragma once

/* IVssBackupComponents: a session of the service, through a connection of its own. The order of
 * calls and everything that a call means are the service's; here arguments are checked, marshalled,
 * and answers handed out. */

#include "libvssclient/call.h"
#include <stdatomic.h>
#include <vss/vsbackup.h>

#define VSS_SESSION_INTERFACE VSS_BUS_NAME ".BackupComponents"

struct IVssBackupComponents {
        atomic_uint refs;
        struct connection *connection;
        char *path; /* of the session's object */
};

/* Calls a method of the session with basic arguments; *ret (NULL allowed) as connection_call. */
int session_call(IVssBackupComponents *backup, const char *method, int timeout_msec,
                 DBusMessage **ret, struct vss_error *reterr, int first_type, ...);
/* Sends a call that is already built; drops it. */
int session_send(IVssBackupComponents *backup, DBusMessage *call, int timeout_msec,
                 DBusMessage **ret, struct vss_error *reterr);
/* The whole of an exported method that takes nothing and gives nothing, or an IVssAsync. */
HRESULT session_plain(IVssBackupComponents *backup, const char *method, int timeout_msec);
HRESULT session_async(IVssBackupComponents *backup, const char *method, IVssAsync **ppAsync);
/* Of one that gives a number. */
HRESULT session_count(IVssBackupComponents *backup, const char *method, UINT *ret);
