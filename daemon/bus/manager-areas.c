/* See manager-areas.h. */

#include "daemon/bus/manager-areas.h"

#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"

const struct bus_signal manager_area_signal = {
        .name = "DiffAreaChanged",
        .args = (const char *const[]){ "s event", "s snapshot_id", "s volume", "t used_bytes",
                                       "t allocated_bytes", "s message", NULL },
};

void manager_on_area_event(void *userdata, const struct area_event *event) {
        struct bus *bus = userdata;
        struct bus_out out;
        DBusMessage *m;

        m = bus_signal_new(&bus_kind_manager, "", NULL, BUS_NAME ".Manager",
                           manager_area_signal.name, &out);
        if (!m)
                return;
        bus_out_string(&out, area_event_kind_to_string(event->kind));
        bus_out_id(&out, event->record->id);
        bus_out_string(&out, str_or_empty(event->record->volume));
        bus_out_uint64(&out, event->used_bytes);
        bus_out_uint64(&out, event->allocated_bytes);
        bus_out_string(&out, event->message);
        bus_signal_send(bus, m, &out);
}
