/* .../session/N: see session-object.h. */

#include "daemon/bus/session-object.h"

#include "daemon/bus/async-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"
#include "daemon/bus/session-methods.h"
#include "daemon/log/log.h"

#include <stdio.h>

static const char *session_name(const struct bus_session *s, char buf[static 24]) {
        (void)snprintf(buf, 24, "%llu", (unsigned long long)session_number(s->session));
        return buf;
}

static void sessions_changed(struct bus *bus) {
        static const char *const properties[] = { "Sessions", NULL };

        bus_signal_changed(bus, &bus_kind_manager, "", properties);
}

int bus_session_new(struct bus_session **ret, struct bus_client *client, struct vss_error *reterr) {
        struct bus *bus = client->bus;
        struct bus_session *s;
        char name[24];
        int r;

        if (client->n_sessions >= BUS_CLIENT_SESSIONS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "This connection already has %u sessions; release one first",
                                     client->n_sessions);
        s = calloc(1, sizeof(*s));
        if (!s)
                return vss_error_from_errno(reterr, -ENOMEM, "make a session");
        r = session_new(&s->session, bus->options.sessions, client->uid, reterr);
        if (r < 0) {
                free(s);
                return r;
        }

        session_set_account(s->session, &client->documents);
        s->bus = bus;
        s->client = client;
        s->pprev = &client->sessions;
        s->next = client->sessions;
        if (s->next)
                s->next->pprev = &s->next;
        client->sessions = s;
        client->n_sessions++;
        bus->n_sessions++;
        log_debug("Session %s of %s (uid %lu) begins", session_name(s, name), client->name,
                  (unsigned long)client->uid);
        *ret = s;
        return 0;
}

void bus_session_announce(struct bus_session *s) {
        char name[24];

        bus_signal_added(s->bus, &bus_kind_session, session_name(s, name));
        sessions_changed(s->bus);
}

struct bus_session *bus_session_free(struct bus_session *s) {
        struct bus *bus;
        char name[24];

        if (!s)
                return NULL;

        bus = s->bus;
        log_debug("Session %s of %s ends", session_name(s, name), s->client->name);
        while (s->asyncs)
                bus_async_free(s->asyncs);
        *s->pprev = s->next;
        if (s->next)
                s->next->pprev = s->pprev;
        s->client->n_sessions--;
        bus->n_sessions--;
        bus_signal_removed(bus, &bus_kind_session, session_name(s, name), s->client);
        /* Answers what is pending; the clean-up goes on in the background. */
        session_free(s->session);
        free(s);
        sessions_changed(bus);
        return NULL;
}

int bus_session_path(char **ret, const struct bus_session *s) {
        char name[24];

        return bus_object_path(ret, &bus_kind_session, session_name(s, name));
}

int bus_session_reserve_async(struct bus_session *s, struct bus_call *call, struct bus_async **ret,
                              struct vss_error *reterr) {
        _cleanup_(bus_async_freep) struct bus_async *a = NULL;
        struct bus_out *out;
        int r;

        if (s->n_asyncs >= BUS_SESSION_ASYNCS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "This session already has %u asynchronous operations; Release "
                                     "those that are done",
                                     s->n_asyncs);
        r = bus_async_new(&a, s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, call->method->name);
        out = bus_call_answer(call);
        bus_out_path(out, bus_async_path(a));
        if (out->failed)
                return vss_error_from_errno(reterr, -ENOMEM, call->method->name);
        *ret = TAKE_PTR(a);
        return 0;
}

void bus_session_reply_async(struct bus_call *call, struct bus_async *a, struct async *async) {
        bus_async_take(a, async);
        /* First its path, then its signals. */
        bus_call_reply(call);
        bus_async_watch(a);
}

static int session_find(struct bus *bus, const char *name, struct bus_object *ret) {
        for (struct bus_client *c = bus->clients; c; c = c->next)
                for (struct bus_session *s = c->sessions; s; s = s->next) {
                        char buf[24];

                        if (!streq(session_name(s, buf), name))
                                continue;
                        ret->owner = c;
                        ret->data = s;
                        return 0;
                }
        return -ENOENT;
}

static int session_list(struct bus *bus, char ***names) {
        for (struct bus_client *c = bus->clients; c; c = c->next)
                for (struct bus_session *s = c->sessions; s; s = s->next) {
                        char buf[24];

                        if (strv_append(names, session_name(s, buf)) < 0)
                                return -ENOMEM;
                }
        return 0;
}

const struct bus_kind bus_kind_session = {
        .directory = "session",
        .interface = &bus_interface_backup_components,
        .find = session_find,
        .list = session_list,
};
