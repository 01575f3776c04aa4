#pragma once

/* A requester's own connection to the service: calls that block up to a deadline, and what the
 * service tells unasked of operations under way. Counted: an IVssBackupComponents and the IVssAsync
 * made through it are its owners. Once closed (the last Release, the service lost) it stays closed,
 * and everything answers with that. Used from one thread at a time. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

#define VSS_BUS_NAME "org.vssd.Vss1"
#define VSS_BUS_PATH "/org/vssd/Vss1"

/* Milliseconds for a call's answer. The bus tells at once when the service dies; these are for one
 * that hangs. SLOW is for calls that answer when storage or writers are done. */
#define CALL_TIMEOUT_MSEC 30000
#define CALL_TIMEOUT_STORAGE_MSEC 120000
#define CALL_TIMEOUT_SLOW_MSEC 900000

struct connection;

/* An operation of the service, as far as its signals told. Borrowed from the connection, which
 * keeps it by its path: Completed may come before the answer that names the path. */
struct operation {
        struct operation *next;
        char *path;
        char *phase; /* NULL: none told yet */
        uint32_t percent;
        bool completed;
        bool asked;     /* its status was asked for by call */
        HRESULT status; /* VSS_S_ASYNC_PENDING until completed */
        char *message;
};

int connection_open(struct connection **ret, struct vss_error *reterr);
struct connection *connection_ref(struct connection *c);
struct connection *connection_unref(struct connection *c);
DEFINE_CLEANUP(struct connection, connection_unref);
void connection_close(struct connection *c);
bool connection_is_lost(const struct connection *c);

/* Sends call and waits for its answer. 0 and the reply (NULL allowed for ret); or a failure, then
 * with the error reply in *ret if there is one: it may carry more than its sentence. */
int connection_call(struct connection *c, DBusMessage *call, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr);
/* Sends call, wants no answer, and does not wait until it is out. */
void connection_send(struct connection *c, DBusMessage *call);

/* The record of an operation, made if the signals have not yet. NULL: no memory. */
struct operation *connection_operation(struct connection *c, const char *path);
void connection_forget(struct connection *c, struct operation *o);
/* Takes in what has arrived, without waiting. */
void connection_drain(struct connection *c);
/* Until o has completed, the connection is lost or the (monotonic) time has come. */
void connection_wait(struct connection *c, const struct operation *o, uint64_t deadline_usec);

static inline void message_unrefp(DBusMessage **m) {
        if (*m)
                dbus_message_unref(*m);
        *m = NULL;
}
