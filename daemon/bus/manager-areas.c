/* See manager-areas.h. */

#include "daemon/bus/manager-areas.h"

#include "common/wire-areas.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"
#include "daemon/session/diff-areas.h"

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

static const struct wire_field filter_fields[] = {
        WIRE_OPTIONAL(struct diff_area_filter, volume, "volume", WIRE_TEXT),
        WIRE_OPTIONAL(struct diff_area_filter, store, "store", WIRE_TEXT),
        WIRE_OPTIONAL(struct diff_area_filter, snapshot, "snapshot", WIRE_TEXT),
};
const struct wire_table diff_area_filter_table = WIRE_TABLE(filter_fields);

static void areas_listed(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct area_list_result *list = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_open_array(out, "a{sv}");
        for (size_t i = 0; i < list->n; i++) {
                const struct area_row *row = &list->rows[i];
                const VSS_DIFF_AREA_INFO info = {
                        .area = {
                                .m_pwszVolumeName = row->volume,
                                .m_pwszDiffAreaVolumeName = row->store,
                                .m_llMaximumDiffSpace = row->maximum,
                                .m_llAllocatedDiffSpace = row->allocated,
                                .m_llUsedDiffSpace = row->used,
                        },
                        .set_down = row->set_down,
                        .until_boot = row->for_this_boot,
                };

                bus_out_dict(out, &wire_diff_area_table, &info);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

void manager_on_list_diff_areas(struct bus_call *call, const struct bus_value *args) {
        const struct diff_area_filter *text = args[0].dict;
        struct area_filter filter = { .volume = text->volume, .store = text->store };
        struct vss_error error = { 0 };
        int r = 0;

        if (!str_empty(text->snapshot))
                r = wire_parse_id(&filter.snapshot, text->snapshot, "filter: snapshot", &error);
        if (r >= 0)
                r = manager_list_areas(call->bus->options.sessions, &filter, areas_listed, call,
                                       &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void stores_listed(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct provider_places *places = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_open_array(out, "a{sv}");
        for (size_t i = 0; i < places->n; i++) {
                const VSS_DIFF_VOLUME_PROP row = {
                        .m_pwszVolumeName = places->items[i].name,
                        .m_pwszVolumeDisplayName = places->items[i].name,
                        .m_llVolumeFreeSpace = (LONGLONG)places->items[i].free_bytes,
                        .m_llVolumeTotalSpace = (LONGLONG)places->items[i].total_bytes,
                };

                bus_out_dict(out, &wire_diff_volume_table, &row);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

void manager_on_list_diff_area_stores(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = manager_list_area_stores(call->bus->options.sessions, args[0].s, stores_listed, call,
                                     &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void changed(void *userdata, int r, const void *result _unused_, struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0)
                bus_call_fail(call, error);
        else
                bus_call_reply(call);
}

static void change(struct bus_call *call, const struct area_change *wanted) {
        struct vss_error error = { 0 };
        int r;

        r = manager_change_area(call->bus->options.sessions, wanted, changed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void manager_on_add_diff_area(struct bus_call *call, const struct bus_value *args) {
        change(call, &(const struct area_change){ .volume = args[0].s,
                                                  .store = args[1].s,
                                                  .maximum = args[2].x,
                                                  .add = true });
}

void manager_on_change_diff_area(struct bus_call *call, const struct bus_value *args) {
        change(call, &(const struct area_change){ .volume = args[0].s,
                                                  .store = args[1].s,
                                                  .maximum = args[2].x,
                                                  .for_this_boot = args[3].b });
}

void manager_on_get_min_diff_area_size(struct bus_call *call,
                                       const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };

        bus_out_uint64(bus_call_answer(call), area_minimum());
        bus_call_finish(call, 0, &error);
}
