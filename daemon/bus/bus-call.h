#pragma once

/* One method call, from its arrival to its answer. Exactly one of bus_call_reply(),
 * bus_call_fail() and bus_call_refuse() answers it, at once or later, and frees it. When the
 * caller leaves the bus meanwhile the call lives on without a client, and its answer goes nowhere.
 *
 * It keeps no message: the arguments are parsed at arrival and charged to the caller, and of the
 * message an empty one with the same sender and serial is left to be answered, so that callers who
 * are kept waiting cannot fill the connection's receive buffer. */

#include "daemon/bus/bus-client.h"

/* An object as a call finds it, for one turn of the loop. */
struct bus_object {
        const struct bus_kind *kind;
        char *path;
        struct bus_client *owner; /* who alone may use it; NULL: everybody who may call */
        void *source;             /* for the property table; kind->release() frees it */
        void *data;               /* what is behind it, borrowed */
};
void bus_object_done(struct bus_object *o);

struct bus_call {
        struct bus *bus;
        struct bus_client *client; /* NULL: it has left the bus, or needed not be known */
        struct bus_call *next, **pprev;

        DBusMessage *message;        /* what to answer, without arguments */
        const struct bus_kind *kind; /* NULL: no kind's directory */
        const struct bus_interface *interface;
        const struct bus_method *method;
        struct bus_value args[BUS_ARGS_MAX];
        size_t n_args, bytes;
        struct vss_error bad_args; /* what is wrong with them, said once the caller may know */
        bool waiting;              /* for the caller's identity */
        bool orphan;               /* the caller has left the bus: nobody reads the answer */

        struct bus_object object; /* owner and data are good for the handler's turn only */
        /* Set by a handler whose work is to end when the caller goes or the daemon stops: ends it
         * and answers the call. */
        void (*cancel)(struct bus_call *call, void *userdata);
        void *userdata;
        bool outlives_caller; /* the work goes on without it, and is cancelled by a stop alone */

        DBusMessage *reply;
        struct bus_out out;
};

/* Takes in what arrived. 0, or -ENOMEM. */
int bus_call_new(struct bus_call **ret, struct bus *bus, DBusMessage *m,
                 const struct bus_kind *kind, const struct bus_interface *interface,
                 const struct bus_method *method);
/* Charges it to the client. E_OUTOFMEMORY when that is over its limits. */
int bus_call_attach(struct bus_call *call, struct bus_client *client, struct vss_error *reterr);
/* The caller has gone: cancels, or lets the work go on for nobody. */
void bus_call_orphan(struct bus_call *call);
/* Only if it has a cancel(). */
void bus_call_cancel(struct bus_call *call);

const char *bus_call_path(const struct bus_call *call);
/* The interface in whose name a call of Properties was made, or its own. */
enum bus_class bus_call_class(const struct bus_call *call);

/* The answer: write what the row's `out` says, then send it. */
struct bus_out *bus_call_answer(struct bus_call *call);
void bus_call_reply(struct bus_call *call);
/* An error with its HRESULT's name. error is left as it is. */
void bus_call_fail(struct bus_call *call, const struct vss_error *error);
/* The same with two arguments after the sentence: `i` and `s`. */
void bus_call_fail_at(struct bus_call *call, const struct vss_error *error, int32_t count,
                      const char *id);
/* An error of D-Bus itself: DBUS_ERROR_INVALID_ARGS. */
void bus_call_refuse(struct bus_call *call, const char *name, const char *format, ...)
        _printf_(3, 4);
/* What most handlers end with: r >= 0 answers without arguments, r < 0 with the error, which is
 * released. */
void bus_call_finish(struct bus_call *call, int r, struct vss_error *error);
