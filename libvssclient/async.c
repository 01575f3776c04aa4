/* IVssAsync. What it knows came by the Completed signal, which the connection collects, or, once,
 * by asking: an operation may have ended before anybody could be told. */

#include "libvssclient/async.h"
#include "common/time-util.h"
#include "libvssclient/call.h"
#include "libvssclient/generation.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>
#include <vss/vsslinux.h>

#define ASYNC_INTERFACE VSS_BUS_NAME ".Async"

struct IVssAsync {
        atomic_uint refs;
        struct connection *connection;
        struct operation *operation; /* the connection's; counted */
        char *phase;                 /* that GetProgress handed out */
};

int async_new(IVssAsync **ret, struct connection *c, const char *path, struct vss_error *reterr) {
        IVssAsync *async = calloc(1, sizeof(*async));

        if (async) {
                connection_enter(c);
                async->operation = operations_ref(connection_operations(c), path);
                connection_leave(c);
        }
        if (!async || !async->operation) {
                free(async);
                return vss_error_from_errno(reterr, -ENOMEM, "IVssAsync");
        }
        atomic_init(&async->refs, 1);
        async->connection = connection_ref(c);
        *ret = async;
        return 0;
}

void async_advances(IVssAsync *async, struct generation *g) {
        connection_enter(async->connection);
        if (!async->operation->generation)
                async->operation->generation = generation_ref(g);
        connection_leave(async->connection);
        generation_advance(g);
}

ULONG IVssAsync_AddRef(IVssAsync *async) {
        return async ? atomic_fetch_add(&async->refs, 1) + 1 : 0;
}

ULONG IVssAsync_Release(IVssAsync *async) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        unsigned left;

        if (!async)
                return 0;
        left = atomic_fetch_sub(&async->refs, 1) - 1;
        if (left > 0)
                return left;
        connection_enter(async->connection);
        if (call_new(&call, async->operation->path, ASYNC_INTERFACE, "Release", NULL,
                     DBUS_TYPE_INVALID) >= 0)
                connection_send(async->connection, call);
        operations_unref(connection_operations(async->connection), async->operation);
        connection_leave(async->connection);
        connection_unref(async->connection);
        free(async->phase);
        free(async);
        return 0;
}

static int lost(struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                             "The outcome of the operation is not known: the connection to the "
                             "service is gone, because its IVssBackupComponents was released or "
                             "the service ended; see 'systemctl status vssd'");
}

/* What follows is with the turn, but for the exported functions. */

static int async_call(IVssAsync *async, const char *method, DBusMessage **ret,
                      struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        int r;

        r = call_new(&call, async->operation->path, ASYNC_INTERFACE, method, reterr,
                     DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        return connection_exchange(async->connection, call, CALL_TIMEOUT_MSEC, ret, reterr);
}

static int ask_status(IVssAsync *async, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        const char *message;
        dbus_int32_t hr;
        int r;

        r = async_call(async, "QueryStatus", &reply, reterr);
        if (r < 0)
                return r;
        r = reply_get(reply, reterr, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING, &message,
                      DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        async->operation->asked = true;
        if (hr != VSS_S_ASYNC_PENDING)
                operation_complete(async->operation, hr, message);
        return 0;
}

/* Brings the operation's record up to date without waiting for the operation. */
static int refresh(IVssAsync *async, struct vss_error *reterr) {
        struct operation *o = async->operation;

        if (o->completed)
                return 0;
        connection_drain(async->connection);
        if (o->completed)
                return 0;
        if (connection_is_lost(async->connection))
                return lost(reterr);
        return o->asked ? 0 : ask_status(async, reterr);
}

static int cancel(IVssAsync *async, HRESULT *ret, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct operation *o = async->operation;
        int r;

        connection_drain(async->connection);
        if (o->completed) {
                *ret = o->status;
                if (FAILED(*ret))
                        last_error_note(str_or_empty(o->message));
                return 0;
        }
        if (connection_is_lost(async->connection))
                return lost(reterr);
        r = async_call(async, "Cancel", &reply, reterr);
        if (r < 0)
                return r;
        return reply_get(reply, reterr, DBUS_TYPE_INT32, ret, DBUS_TYPE_INVALID);
}

HRESULT IVssAsync_Cancel(IVssAsync *async) {
        struct vss_error error = { 0 };
        HRESULT hr = S_OK;
        int r;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        connection_enter(async->connection);
        r = cancel(async, &hr, &error);
        connection_leave(async->connection);
        return r < 0 ? last_error_raise(&error) : hr;
}

HRESULT IVssAsync_Wait(IVssAsync *async, DWORD dwMilliseconds) {
        struct vss_error error = { 0 };
        uint64_t deadline = USEC_INFINITY;
        int r;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (dwMilliseconds != INFINITE)
                deadline = now_monotonic_usec() + dwMilliseconds * USEC_PER_MSEC;
        if (!connection_enter_until(async->connection, deadline))
                return S_OK;
        r = refresh(async, &error);
        if (r >= 0)
                r = connection_wait(async->connection, async->operation, deadline, &error);
        if (r == 0)
                return S_OK;
        if (r > 0 && !async->operation->completed)
                r = lost(&error);
        connection_leave(async->connection);
        return r < 0 ? last_error_raise(&error) : S_OK;
}

HRESULT IVssAsync_QueryStatus(IVssAsync *async, HRESULT *pHrResult, int32_t *pReserved) {
        struct vss_error error = { 0 };
        int r;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (!pHrResult)
                return last_error_argument(__func__, "pHrResult is NULL");
        *pHrResult = VSS_E_UNEXPECTED;
        if (pReserved)
                return last_error_argument(__func__, "pReserved is not NULL");
        connection_enter(async->connection);
        r = refresh(async, &error);
        if (r >= 0) {
                *pHrResult = async->operation->status;
                /* Some successes have news. */
                if (FAILED(*pHrResult) || !str_empty(async->operation->message))
                        last_error_note(async->operation->message ? async->operation->message
                                                                  : VssHresultMessage(*pHrResult));
        }
        connection_leave(async->connection);
        return r < 0 ? last_error_raise(&error) : S_OK;
}

HRESULT IVssAsync_GetProgress(IVssAsync *async, const char **phase, UINT *percent) {
        struct vss_error error = { 0 };
        bool finished;
        int r;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (phase)
                *phase = "";
        if (percent)
                *percent = 0;
        connection_enter(async->connection);
        r = refresh(async, &error);
        if (r >= 0) {
                finished = async->operation->status == VSS_S_ASYNC_FINISHED;
                if (percent)
                        *percent = finished ? 100 : async->operation->percent;
                if (phase && str_replace(&async->phase, async->operation->phase) < 0)
                        r = vss_error_from_errno(&error, -ENOMEM, __func__);
        }
        connection_leave(async->connection);
        if (r < 0)
                return last_error_raise(&error);
        if (phase)
                *phase = str_or_empty(async->phase);
        return S_OK;
}
