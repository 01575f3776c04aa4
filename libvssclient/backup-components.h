#pragma once

/* IVssBackupComponents: a session of the service, through a connection of its own. The order of
 * calls and everything that a call means are the service's; here arguments are checked, marshalled,
 * and answers handed out. */

#include "libvssclient/argument.h"
#include "libvssclient/generation.h"
#include <stdatomic.h>
#include <vss/vsbackup.h>

#define VSS_SESSION_INTERFACE VSS_BUS_NAME ".BackupComponents"

struct IVssBackupComponents {
        atomic_uint refs;
        struct connection *connection;
        char *path;                    /* of the session's object */
        struct generation *generation; /* of its document */
        bool restore;                  /* InitializeForRestore succeeded */
};

/* Calls a method of the session: `arguments` are those of its interface, in its order. On failure
 * *ret (NULL allowed) is the error reply, if there was one. function: for the sentences. */
int session_call(IVssBackupComponents *backup, const char *function, const char *method,
                 int timeout_msec, const struct argument *arguments, size_t n, DBusMessage **ret,
                 struct vss_error *reterr);
/* The whole of an exported method. */
HRESULT session_method(IVssBackupComponents *backup, const char *function, const char *method,
                       int timeout_msec, const struct argument *arguments, size_t n);
/* One that changes the document, or makes the writers change it: what was handed out of it before
 * holds no longer. */
HRESULT session_change(IVssBackupComponents *backup, const char *function, const char *method,
                       IVssAsync **ppAsync);

/* The whole of an exported method, by its rows; there is at least one. */
#define SESSION_CALL_WITHIN(backup, timeout_msec, method, ...)       \
        session_method((backup), __func__, (method), (timeout_msec), \
                       (const struct argument[]){ __VA_ARGS__ },     \
                       sizeof((const struct argument[]){ __VA_ARGS__ }) / sizeof(struct argument))
#define SESSION_CALL(backup, method, ...) \
        SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_MSEC, method, __VA_ARGS__)
#define SESSION_CALL_STORAGE(backup, method, ...) \
        SESSION_CALL_WITHIN(backup, CALL_TIMEOUT_STORAGE_MSEC, method, __VA_ARGS__)
/* That takes and gives nothing. */
#define SESSION_CALL_PLAIN(backup, timeout_msec, method) \
        session_method((backup), __func__, (method), (timeout_msec), NULL, 0)

/* The component of a method: four arguments of the function, and of the interface. */
#define IN_COMPONENT(writer, type, logical_path, name) \
        IN_ID(writer), IN_NUMBER(type), IN_OPTIONAL(logical_path), IN_TEXT(name)
