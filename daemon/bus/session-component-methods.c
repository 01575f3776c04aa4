/* AddComponent and every other method that names a component: one handler, which takes the
 * arguments apart by the names and types of the method's row. */

#include "daemon/bus/bus-private.h"
#include "daemon/bus/session-handlers.h"

struct component_call {
        struct bus_call *call;
        struct component_args args; /* the strings are the call's */
};

static int take_type(struct component_args *a, uint32_t type, struct vss_error *reterr) {
        /* An enum cannot hold every number that can be sent. */
        if (type > VSS_CT_FILEGROUP)
                return vss_error_set(reterr, E_INVALIDARG, 0, "There is no type of component %u",
                                     (unsigned)type);
        a->key.type = (VSS_COMPONENT_TYPE)type;
        return 0;
}

static int take_id(VSS_ID *ret, const struct bus_value *value, const char *name,
                   struct vss_error *reterr) {
        return wire_parse_id(ret, value->s, name, reterr);
}

/* instance_id: before the key it is the writer's, behind it where the component goes to. */
static int take(struct component_args *a, const char *name, const struct bus_value *value, bool key,
                size_t *n_texts, struct vss_error *reterr) {
        if (streq(name, "instance_id"))
                return take_id(key ? &a->key.instance_id : &a->instance_id, value, name, reterr);
        if (streq(name, "writer_id"))
                return take_id(&a->key.writer_id, value, name, reterr);
        if (streq(name, "type"))
                return take_type(a, value->u, reterr);
        if (streq(name, "logical_path"))
                a->key.logical_path = value->s;
        else if (streq(name, "name"))
                a->key.name = value->s;
        else if (streq(value->signature, "b"))
                a->flag = value->b;
        else if (streq(value->signature, "u"))
                a->number = value->u;
        else {
                assert(*n_texts < COMPONENT_TEXTS);
                a->texts[(*n_texts)++] = value->s;
        }
        return 0;
}

static int take_all(struct component_args *a, const struct bus_call *call,
                    const struct bus_value *args, struct vss_error *reterr) {
        size_t n_texts = 0;
        int r;

        r = bus_call_check_state(call, reterr);
        for (size_t i = 0; r >= 0 && call->method->in[i]; i++)
                r = take(a, bus_arg_name(call->method->in[i]), &args[i], !a->key.name, &n_texts,
                         reterr);
        return r;
}

static void component_done(void *userdata, int r, const void *result _unused_,
                           struct vss_error *error) {
        struct component_call *c = userdata;

        if (r < 0)
                bus_call_fail(c->call, error);
        else
                bus_call_reply(c->call);
        free(c);
}

void session_on_component(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        struct component_call *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                bus_call_finish(call, -ENOMEM, &error);
                return;
        }
        c->call = call;
        r = take_all(&c->args, call, args, &error);
        if (r >= 0)
                r = session_call_component(bus_call_session(call), bus_call_session_method(call),
                                           &c->args, component_done, c, &error);
        if (r == 0)
                return; /* it answers later */
        free(c);
        bus_call_finish(call, r, &error);
}
