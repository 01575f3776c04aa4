#pragma once

/* A requester's own connection to the service: calls that block up to a deadline, and what the
 * service tells unasked of operations under way. Counted: an IVssBackupComponents and the IVssAsync
 * made through it are its owners, on different threads if they like.
 *
 * Threads take turns: whoever has the turn is the one who uses the bus and looks at operations. A
 * call has it until it is answered; a wait for the end of an operation gives it up while nothing
 * arrives. Once closed (the last Release, the service lost) it stays closed, and everything answers
 * with that. */

#include "common/vss-error.h"
#include "libvssclient/operation.h"
#include <dbus/dbus.h>

#define VSS_BUS_NAME "org.vssd.Vss1"
#define VSS_BUS_PATH "/org/vssd/Vss1"

/* Milliseconds for a call's answer. The bus tells at once when the service dies; these are for one
 * that hangs. SLOW is for calls that answer when storage or writers are done. */
#define CALL_TIMEOUT_MSEC 30000
#define CALL_TIMEOUT_STORAGE_MSEC 120000
#define CALL_TIMEOUT_SLOW_MSEC 900000

struct connection;

int connection_open(struct connection **ret, struct vss_error *reterr);
struct connection *connection_ref(struct connection *c);
struct connection *connection_unref(struct connection *c);
DEFINE_CLEANUP(struct connection, connection_unref);
/* Waits for its turn. */
void connection_close(struct connection *c);

/* Takes the turn, .. */
void connection_enter(struct connection *c);
/* .. unless the (monotonic) time comes first: false, .. */
bool connection_enter_until(struct connection *c, uint64_t deadline_usec);
/* .. gives it up. */
void connection_leave(struct connection *c);

/* The whole of a call, turn and all: sends it and waits for its answer. 0 and the reply (NULL
 * allowed for ret); or a failure, then with the error reply in *ret if there is one: it may carry
 * more than its sentence. */
int connection_call(struct connection *c, DBusMessage *call, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr);
/* With the turn: */

bool connection_is_lost(const struct connection *c);
/* As connection_call. */
int connection_exchange(struct connection *c, DBusMessage *call, int timeout_msec,
                        DBusMessage **ret, struct vss_error *reterr);
/* Sends call, wants no answer, and does not wait until it is out. */
void connection_send(struct connection *c, DBusMessage *call);
/* Takes in what has arrived, without waiting. */
void connection_drain(struct connection *c);
struct operations *connection_operations(struct connection *c);
/* Until the operation has completed or the connection is lost: 1. The turn is another's meanwhile.
 * 0: the time has come first, and the turn is gone. -errno: it cannot wait. */
int connection_wait(struct connection *c, const struct operation *o, uint64_t deadline_usec,
                    struct vss_error *reterr);

static inline void message_unrefp(DBusMessage **m) {
        if (*m)
                dbus_message_unref(*m);
        *m = NULL;
}
