/* What a session does with snapshots that are there besides reading and deleting them, and where a
 * path lies. */

#include "daemon/bus/async-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/session-handlers.h"
#include "daemon/bus/snapshot-object.h"

void session_on_expose_snapshot(struct bus_call *call, const struct bus_value *args) {
        struct exposure_request request = {
                .path = args[1].s,
                .attributes = (uint32_t)args[2].i,
                .expose = args[3].s,
                .owner = session_owner(bus_call_session(call)),
        };
        struct vss_error error = { 0 };
        int r;

        r = bus_call_parse_id(&request.id, call, args[0].s, "snapshot_id", &error);
        if (r >= 0)
                r = session_expose_snapshot(bus_call_session(call), &request,
                                            snapshot_object_on_exposed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void session_on_unexpose_snapshot(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "snapshot_id", &error);
        if (r >= 0)
                r = session_unexpose_snapshot(bus_call_session(call), id,
                                              snapshot_object_on_unexposed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void set_is_broken(void *userdata, int r, const void *result _unused_,
                          struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0)
                bus_call_fail(call, error);
        else
                bus_call_reply(call);
}

void session_on_break_snapshot_set(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "set_id", &error);
        if (r >= 0)
                r = session_break_snapshot_set(bus_call_session(call), id, set_is_broken, call,
                                               &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void session_on_break_snapshot_set_ex(struct bus_call *call, const struct bus_value *args) {
        _cleanup_(bus_async_freep) struct bus_async *a = NULL;
        struct bus_session *s = call->object.data;
        struct vss_error error = { 0 };
        struct async *async = NULL;
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "set_id", &error);
        if (r >= 0)
                r = bus_session_reserve_async(s, call, &a, &error);
        if (r >= 0)
                r = session_break_snapshot_set_ex(s->session, id, args[1].u, &async, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                bus_session_reply_async(call, TAKE_PTR(a), async);
}

static void revert_is_begun(void *userdata, int r, const void *result _unused_,
                            struct vss_error *error) {
        bus_call_finish(userdata, r, error);
}

void session_on_revert_to_snapshot(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "snapshot_id", &error);
        if (r >= 0)
                r = session_revert_to_snapshot(bus_call_session(call), id, args[1].b,
                                               revert_is_begun, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void session_on_query_revert_status(struct bus_call *call, const struct bus_value *args) {
        _cleanup_(bus_async_freep) struct bus_async *a = NULL;
        struct bus_session *s = call->object.data;
        struct vss_error error = { 0 };
        struct async *async = NULL;
        int r;

        r = bus_session_reserve_async(s, call, &a, &error);
        if (r >= 0)
                r = session_query_revert_status(s->session, args[0].s, &async, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                bus_session_reply_async(call, TAKE_PTR(a), async);
}

static void snapshot_is_queued(void *userdata, int r, const void *result _unused_,
                               struct vss_error *error) {
        bus_call_finish(userdata, r, error);
}

void session_on_add_snapshot_to_recovery_set(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "snapshot_id", &error);
        if (r >= 0)
                r = session_add_snapshot_to_recovery_set(bus_call_session(call), id, args[1].u,
                                                         args[2].s, snapshot_is_queued, call,
                                                         &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void session_on_recover_set(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };

        bus_call_finish(call, session_recover_set(bus_call_session(call), args[0].u, &error),
                        &error);
}

/* The table says of them that they do nothing, in any state. */
void session_on_reserved(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };

        bus_call_finish(call, bus_call_check_state(call, &error), &error);
}

static void path_is_split(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct path_split *split = result;
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_string(bus_call_answer(call), split->root);
        bus_out_string(&call->out, split->prefix);
        bus_call_reply(call);
}

void session_on_get_root_and_logical_prefix_paths(struct bus_call *call,
                                                  const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = session_get_root_and_logical_prefix_paths(bus_call_session(call), args[0].s, args[1].b,
                                                      path_is_split, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}
