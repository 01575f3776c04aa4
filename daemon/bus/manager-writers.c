/* See manager-writers.h. */

#include "daemon/bus/manager-writers.h"

#include "common/time-util.h"
#include "daemon/bus/bus-private.h"
#include "daemon/coordinator/revert-block.h"
#include "daemon/writers/express.h"

/* The answer is advice: it waits for no writer longer than that. */
#define IDENTIFY_USEC (30 * USEC_PER_SEC)

static void on_done(void *userdata, int r, struct vss_error *error) {
        bus_call_finish(userdata, r, error);
}

void manager_on_register_express_writer(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = express_writers_register(call->bus->options.express, args[0].document, on_done, call,
                                     &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void manager_on_unregister_express_writer(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = wire_parse_id(&id, args[0].s, "writer_id", &error);
        if (r >= 0)
                r = express_writers_unregister(call->bus->options.express, id, on_done, call,
                                               &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_block_known(void *userdata, int r, bool blocked, struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r >= 0)
                bus_out_boolean(bus_call_answer(call), blocked);
        bus_call_finish(call, r, error);
}

void manager_on_should_block_revert(struct bus_call *call, const struct bus_value *args) {
        const struct revert_block_request request = {
                .event = call->bus->event,
                .writers = call->bus->options.writers,
                .volume = args[0].s,
                .directory = call->bus->options.revert_block_directory,
                .timeout_usec = IDENTIFY_USEC,
        };
        struct vss_error error = { 0 };
        int r;

        r = revert_block_ask(&request, on_block_known, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}
