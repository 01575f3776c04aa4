#pragma once

/* .../session/N and .../async/N: a session and the asynchronous operations it handed out, bound to
 * the caller that made them. */

#include "daemon/bus/bus-object.h"
#include "daemon/session/session.h"

/* IVssAsyncs of one session that were not released. */
#define BUS_SESSION_ASYNCS_MAX 64U

struct bus_async;

struct bus_session {
        struct bus *bus;
        struct bus_client *client;
        struct bus_session *next, **pprev;
        struct session *session;
        struct bus_async *asyncs;
        unsigned n_asyncs;
};

/* E_OUTOFMEMORY beyond the caller's limit, or what session_new() says. */
int bus_session_new(struct bus_session **ret, struct bus_client *client, struct vss_error *reterr);
/* The last Release. */
struct bus_session *bus_session_free(struct bus_session *s);
int bus_session_path(char **ret, const struct bus_session *s);
/* Tells its caller, by signal, that the object is there: after the answer that names it. */
void bus_session_announce(struct bus_session *s);

/* The next .../async/N, and the answer that names it. They are made after the state was looked at
 * and before the operation is begun: what was begun is always handed out. E_OUTOFMEMORY: also if
 * the session has as many as it may. */
int bus_session_reserve_async(struct bus_session *s, struct bus_call *call, struct bus_async **ret,
                              struct vss_error *reterr);
/* Answers the call, then lets the object speak. Takes both over. */
void bus_session_reply_async(struct bus_call *call, struct bus_async *a, struct async *async);
