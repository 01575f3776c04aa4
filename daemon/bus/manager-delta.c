/* See manager-delta.h. */

#include "daemon/bus/manager-delta.h"

#include "daemon/bus/bus-private.h"
#include "daemon/session/session.h"

static void compared(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct delta_result *delta = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_uint32(out, delta->block_bytes);
        bus_out_uint64(out, delta->volume_bytes);
        bus_out_boolean(out, delta->exact);
        bus_out_document(out, delta->bitmap);
        bus_call_reply(call);
}

void manager_on_query_snapshot_delta_bitmap(struct bus_call *call, const struct bus_value *args) {
        VSS_ID older = GUID_NULL, younger = GUID_NULL;
        struct vss_error error = { 0 };
        int r;

        r = wire_parse_id(&older, args[0].s, "older", &error);
        if (r >= 0 && *args[1].s)
                r = wire_parse_id(&younger, args[1].s, "younger", &error);
        if (r >= 0)
                r = manager_query_delta(call->bus->options.sessions, older, younger, compared, call,
                                        &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}
