/* .../async/N: see async-object.h. */

#include "daemon/bus/async-object.h"

#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"

#include <stdio.h>

struct bus_async {
        struct bus_session *session;
        struct bus_async *next, **pprev; /* of the session's; not while it has no operation */
        struct async *async;             /* NULL: only reserved */
        char name[24];
        char *path;
};

int bus_async_new(struct bus_async **ret, struct bus_session *session) {
        struct bus_async *a;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        (void)snprintf(a->name, sizeof(a->name), "%llu",
                       (unsigned long long)++session->bus->last_async);
        if (bus_object_path(&a->path, &bus_kind_async, a->name) < 0) {
                free(a);
                return -ENOMEM;
        }
        a->session = session;
        *ret = a;
        return 0;
}

static void async_unlink(struct bus_async *a) {
        async_set_observer(a->async, NULL, NULL);
        async_unref(a->async);
        *a->pprev = a->next;
        if (a->next)
                a->next->pprev = a->pprev;
        a->session->n_asyncs--;
        bus_signal_removed(a->session->bus, &bus_kind_async, a->name, a->session->client);
}

struct bus_async *bus_async_free(struct bus_async *a) {
        if (!a)
                return NULL;
        if (a->async)
                async_unlink(a);
        free(a->path);
        free(a);
        return NULL;
}

void bus_async_take(struct bus_async *a, struct async *async) {
        struct bus_session *session = a->session;

        a->async = async;
        a->pprev = &session->asyncs;
        a->next = session->asyncs;
        if (a->next)
                a->next->pprev = &a->next;
        session->asyncs = a;
        session->n_asyncs++;
}

const char *bus_async_path(const struct bus_async *a) {
        return a->path;
}

static void async_send_completed(struct bus_async *a) {
        struct bus *bus = a->session->bus;
        struct bus_out out;
        DBusMessage *m;

        m = bus_signal_new(&bus_kind_async, a->name, a->session->client,
                           bus_kind_async.interface->name, "Completed", &out);
        if (!m)
                return;
        bus_out_int32(&out, async_status(a->async));
        bus_out_string(&out, async_message(a->async));
        bus_signal_send(bus, m, &out);
}

static void async_on_change(void *userdata, struct async *async _unused_,
                            enum async_change change) {
        static const char *const progress[] = { "Phase", "Progress", NULL };
        static const char *const completed[] = { "Phase", "Progress", "Status", NULL };
        struct bus_async *a = userdata;

        switch (change) {
        case ASYNC_PROGRESS:
                bus_signal_changed(a->session->bus, &bus_kind_async, a->name, progress);
                return;
        case ASYNC_COMPLETED:
                bus_signal_changed(a->session->bus, &bus_kind_async, a->name, completed);
                async_send_completed(a);
                return;
        }
}

void bus_async_watch(struct bus_async *a) {
        bus_signal_added(a->session->bus, &bus_kind_async, a->name);
        async_set_observer(a->async, async_on_change, a);
        if (async_status(a->async) != VSS_S_ASYNC_PENDING)
                async_on_change(a, a->async, ASYNC_COMPLETED);
}

/* The properties, borrowed from the async but for the struct itself; the strings that could change
 * or go are copied. */
struct async_source {
        char *operation, *phase;
        uint32_t progress;
        int32_t status;
};

static const struct wire_field async_fields[] = {
        WIRE_FIELD(struct async_source, operation, "Operation", WIRE_TEXT),
        WIRE_FIELD(struct async_source, phase, "Phase", WIRE_TEXT),
        WIRE_FIELD(struct async_source, progress, "Progress", WIRE_UINT32),
        WIRE_FIELD(struct async_source, status, "Status", WIRE_INT32),
};
static const struct wire_table async_table = WIRE_TABLE(async_fields);

static void async_release(void *source) {
        wire_clear(&async_table, source);
        free(source);
}

static int async_source_new(struct async_source **ret, const struct async *async) {
        struct async_source *s;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        if (str_replace(&s->operation, async_name(async)) < 0 ||
            str_replace(&s->phase, async_phase(async)) < 0) {
                async_release(s);
                return -ENOMEM;
        }
        s->progress = async_progress(async);
        s->status = async_status(async);
        *ret = s;
        return 0;
}

static int async_find(struct bus *bus, const char *name, struct bus_object *ret) {
        for (struct bus_client *c = bus->clients; c; c = c->next)
                for (struct bus_session *s = c->sessions; s; s = s->next)
                        for (struct bus_async *a = s->asyncs; a; a = a->next) {
                                struct async_source *source;

                                if (!streq(a->name, name))
                                        continue;
                                if (async_source_new(&source, a->async) < 0)
                                        return -ENOMEM;
                                ret->source = source;
                                ret->owner = c;
                                ret->data = a;
                                return 0;
                        }
        return -ENOENT;
}

static int async_list(struct bus *bus, char ***names) {
        for (struct bus_client *c = bus->clients; c; c = c->next)
                for (struct bus_session *s = c->sessions; s; s = s->next)
                        for (struct bus_async *a = s->asyncs; a; a = a->next)
                                if (strv_append(names, a->name) < 0)
                                        return -ENOMEM;
        return 0;
}

static void on_cancel(struct bus_call *call, const struct bus_value *args _unused_) {
        struct bus_async *a = call->object.data;
        struct async *async = async_ref(a->async);

        /* Cancelling may complete it, and whoever hears of that may release it. */
        bus_out_int32(bus_call_answer(call), async_cancel(async));
        bus_call_reply(call);
        async_unref(async);
}

static void on_query_status(struct bus_call *call, const struct bus_value *args _unused_) {
        struct bus_async *a = call->object.data;
        struct bus_out *out = bus_call_answer(call);

        bus_out_int32(out, async_status(a->async));
        bus_out_string(out, async_message(a->async));
        bus_call_reply(call);
}

static void on_release(struct bus_call *call, const struct bus_value *args _unused_) {
        struct bus_async *a = call->object.data;

        bus_call_reply(call);
        bus_async_free(a);
}

static const struct bus_method async_methods[] = {
        { .name = "Cancel", BUS_OUT("i hresult"), .class = BUS_CLASS_CREATE, .handler = on_cancel },
        { .name = "QueryStatus",
          BUS_OUT("i hresult", "s message"),
          .class = BUS_CLASS_CREATE,
          .handler = on_query_status },
        { .name = "Release", .class = BUS_CLASS_CREATE, .handler = on_release },
};
static const struct bus_signal async_signals[] = {
        { .name = "Completed", .args = (const char *const[]){ "i hresult", "s message", NULL } },
};
static const struct bus_emits_row async_emits[] = {
        { .property = "Operation", .emits = BUS_EMITS_CONST },
};
static const struct bus_interface async_interface = {
        .name = BUS_NAME ".Async",
        BUS_METHODS(async_methods),
        BUS_SIGNALS(async_signals),
        .properties = &async_table,
        BUS_EMITS(async_emits),
};

const struct bus_kind bus_kind_async = {
        .directory = "async",
        .interface = &async_interface,
        .find = async_find,
        .list = async_list,
        .release = async_release,
};
