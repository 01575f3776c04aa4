/* IVssAsync. What it knows came by the Completed signal, which the connection collects, or, once,
 * by asking: an operation may have ended before anybody could be told. */

#include "libvssclient/async.h"
#include "common/time-util.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>
#include <vss/vsslinux.h>

#define ASYNC_INTERFACE VSS_BUS_NAME ".Async"

struct IVssAsync {
        atomic_uint refs;
        struct connection *connection;
        struct operation *operation; /* the connection's; ours to forget */
};

int async_new(IVssAsync **ret, struct connection *c, const char *path, struct vss_error *reterr) {
        struct operation *operation = connection_operation(c, path);
        IVssAsync *async = calloc(1, sizeof(*async));

        if (!operation || !async) {
                free(async);
                return vss_error_from_errno(reterr, -ENOMEM, "IVssAsync");
        }
        atomic_init(&async->refs, 1);
        async->connection = connection_ref(c);
        async->operation = operation;
        *ret = async;
        return 0;
}

ULONG IVssAsync_AddRef(IVssAsync *async) {
        return async ? atomic_fetch_add(&async->refs, 1) + 1 : 0;
}

static int async_call(IVssAsync *async, const char *method, DBusMessage **ret,
                      struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        int r;

        r = call_new(&call, async->operation->path, ASYNC_INTERFACE, method, reterr,
                     DBUS_TYPE_INVALID);
        if (r < 0)
                return r;
        return connection_call(async->connection, call, CALL_TIMEOUT_MSEC, ret, reterr);
}

ULONG IVssAsync_Release(IVssAsync *async) {
        DBusMessage *call;
        unsigned left;

        if (!async)
                return 0;
        left = atomic_fetch_sub(&async->refs, 1) - 1;
        if (left > 0)
                return left;
        if (call_new(&call, async->operation->path, ASYNC_INTERFACE, "Release", NULL,
                     DBUS_TYPE_INVALID) >= 0) {
                connection_send(async->connection, call);
                dbus_message_unref(call);
        }
        connection_forget(async->connection, async->operation);
        connection_unref(async->connection);
        free(async);
        return 0;
}

static int lost(struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                             "The outcome of the operation is not known: the connection to the "
                             "service is gone, because its IVssBackupComponents was released or "
                             "the service ended; see 'systemctl status vssd'");
}

static int ask_status(IVssAsync *async, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct operation *o = async->operation;
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
        o->asked = true;
        if (hr != VSS_S_ASYNC_PENDING) {
                o->completed = true;
                o->status = hr == S_OK ? VSS_S_ASYNC_FINISHED : hr;
                (void)str_replace(&o->message, message); /* without memory: the code alone */
        }
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

HRESULT IVssAsync_Cancel(IVssAsync *async) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        dbus_int32_t hr;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        connection_drain(async->connection);
        if (async->operation->completed) {
                hr = async->operation->status;
                if (FAILED(hr))
                        last_error_note(str_or_empty(async->operation->message));
                return hr;
        }
        if (connection_is_lost(async->connection)) {
                (void)lost(&error);
                return last_error_raise(&error);
        }
        if (async_call(async, "Cancel", &reply, &error) < 0 ||
            reply_get(reply, &error, DBUS_TYPE_INT32, &hr, DBUS_TYPE_INVALID) < 0)
                return last_error_raise(&error);
        return hr;
}

HRESULT IVssAsync_Wait(IVssAsync *async, DWORD dwMilliseconds) {
        struct vss_error error = { 0 };
        uint64_t deadline = USEC_INFINITY;

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (dwMilliseconds != INFINITE)
                deadline = now_monotonic_usec() + dwMilliseconds * USEC_PER_MSEC;
        if (refresh(async, &error) < 0)
                return last_error_raise(&error);
        connection_wait(async->connection, async->operation, deadline);
        if (!async->operation->completed && connection_is_lost(async->connection)) {
                (void)lost(&error);
                return last_error_raise(&error);
        }
        return S_OK;
}

HRESULT IVssAsync_QueryStatus(IVssAsync *async, HRESULT *pHrResult, int32_t *pReserved) {
        struct vss_error error = { 0 };

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (!pHrResult)
                return last_error_argument(__func__, "pHrResult is NULL");
        *pHrResult = VSS_E_UNEXPECTED;
        if (pReserved)
                return last_error_argument(__func__, "pReserved is not NULL");
        if (refresh(async, &error) < 0)
                return last_error_raise(&error);
        *pHrResult = async->operation->status;
        if (FAILED(*pHrResult))
                last_error_note(async->operation->message ? async->operation->message
                                                          : VssHresultMessage(*pHrResult));
        return S_OK;
}

HRESULT IVssAsync_GetProgress(IVssAsync *async, const char **phase, UINT *percent) {
        struct vss_error error = { 0 };

        if (!async)
                return last_error_argument(__func__, "the IVssAsync is NULL");
        if (phase)
                *phase = "";
        if (percent)
                *percent = 0;
        if (refresh(async, &error) < 0)
                return last_error_raise(&error);
        if (phase)
                *phase = str_or_empty(async->operation->phase);
        if (percent)
                *percent = async->operation->status == VSS_S_ASYNC_FINISHED
                                   ? 100
                                   : async->operation->percent;
        return S_OK;
}
