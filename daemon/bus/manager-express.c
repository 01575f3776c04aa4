/* See manager-express.h. */

#include "daemon/bus/manager-express.h"

#include "daemon/bus/bus-private.h"
#include "daemon/writers/express.h"

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
