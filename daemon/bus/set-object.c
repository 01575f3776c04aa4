/* .../set/ID: the copies of one instant. A set is the snapshots that share its id. */

#include "common/wire-rows.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/store/set-steps.h"
#include "daemon/store/store.h"
#include "daemon/store/writer-reached.h"

#include <stdio.h>

struct set_source {
        VSS_ID id;
        LONG count;
        VSS_TIMESTAMP created;
        LONG context;
        uint64_t held_usec;
        struct set_record made; /* empty: how it was made is not known */
        char **snapshots;       /* paths */
};

static const struct wire_field set_fields[] = {
        WIRE_FIELD(struct set_source, id, "SnapshotSetId", WIRE_ID),
        WIRE_FIELD(struct set_source, count, "SnapshotsCount", WIRE_INT32),
        WIRE_FIELD(struct set_source, created, "CreationTimestamp", WIRE_INT64),
        WIRE_FIELD(struct set_source, context, "Context", WIRE_INT32),
        WIRE_FIELD(struct set_source, held_usec, "WritesHeldUsec", WIRE_UINT64),
};
static const struct wire_table set_table = WIRE_TABLE(set_fields);

static void set_release(void *source) {
        struct set_source *s = source;

        strv_free(s->snapshots);
        set_record_done(&s->made);
        free(s);
}

static int set_source_new(struct set_source **ret, struct store *store,
                          const struct snapshot_record *records, size_t n) {
        struct set_source *s;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->id = records[0].set_id;
        s->count = records[0].count;
        s->created = records[0].created;
        s->context = records[0].context;
        r = store_set_get(store, s->id, &s->made, NULL);
        if (r == -ENOMEM) {
                set_release(s);
                return r;
        }
        s->held_usec = s->made.window_usec;
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *path = NULL;

                if (bus_object_path(&path, &bus_kind_snapshot, BUS_ID_NAME(records[i].id)) < 0 ||
                    strv_append(&s->snapshots, path) < 0) {
                        set_release(s);
                        return -ENOMEM;
                }
        }
        *ret = s;
        return 0;
}

static int set_find(struct bus *bus, const char *name, struct bus_object *ret) {
        struct snapshot_record *records = NULL;
        struct set_source *source = NULL;
        size_t n = 0;
        VSS_ID id;
        int r;

        /* The null id would mean all sets. */
        if (bus_id_from_name(&id, name) < 0 || vss_id_is_null(id))
                return -ENOENT;
        if (store_snapshot_list(bus->options.store, id, &records, &n, NULL) < 0)
                return -ENOMEM;
        r = n > 0 ? set_source_new(&source, bus->options.store, records, n) : -ENOENT;
        snapshot_records_free(records, n);
        ret->source = source;
        return r;
}

static int set_list(struct bus *bus, char ***names) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r = 0;

        if (store_snapshot_list(bus->options.store, GUID_NULL, &records, &n, NULL) < 0)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!*names || !strv_contains(*names, BUS_ID_NAME(records[i].set_id)))
                        r = strv_append(names, BUS_ID_NAME(records[i].set_id));
        snapshot_records_free(records, n);
        return r;
}

static void append_snapshots(struct bus_out *o, const void *source) {
        const struct set_source *s = source;

        bus_out_open_array(o, "o");
        STRV_FOREACH (path, s->snapshots)
                bus_out_path(o, *path);
        bus_out_close(o);
}

/* From the store's text, "Stage 120 91500;Freeze 91510 91800": what is not so is left out. */
static void append_timeline(struct bus_out *o, const void *source) {
        const struct set_source *s = source;
        const char *at = str_or_empty(s->made.timeline);
        unsigned long long begin, end;
        char name[64];

        bus_out_open_array(o, "(stt)");
        for (;; at++) {
                if (sscanf(at, "%63[^ ;] %llu %llu", name, &begin, &end) == 3) {
                        bus_out_open_struct(o);
                        bus_out_string(o, name);
                        bus_out_uint64(o, begin);
                        bus_out_uint64(o, end);
                        bus_out_close(o);
                }
                at = strchr(at, ';');
                if (!at)
                        break;
        }
        bus_out_close(o);
}

static void append_step(void *userdata, const struct set_step *step) {
        struct bus_out *o = userdata;
        const VSS_SET_STEP row = {
                .kind = (char *)(uintptr_t)set_step_kind_to_string(step->kind),
                .id = (char *)(uintptr_t)step->id,
                .name = (char *)(uintptr_t)step->name,
                .step = (char *)(uintptr_t)step->step,
                .begin_usec = step->begin_usec,
                .end_usec = step->end_usec,
                .failure = step->failure,
        };

        bus_out_dict(o, &wire_set_step_table, &row);
}

static void append_steps(struct bus_out *o, const void *source) {
        const struct set_source *s = source;

        bus_out_open_array(o, "a{sv}");
        if (set_steps_parse(s->made.steps, append_step, o) < 0)
                o->failed = true;
        bus_out_close(o);
}

static int append_writer(void *userdata, const struct writer_reached *writer) {
        struct bus_out *o = userdata;
        const VSS_SET_WRITER_INFO row = {
                .instance_id = writer->instance_id,
                .writer_id = writer->class_id,
                .name = (char *)(uintptr_t)writer->name,
                .consistency = (char *)(uintptr_t)writer->consistency,
                .reason = (char *)(uintptr_t)writer->reason,
                .state = writer->state,
                .failure = writer->failure,
                .volumes = writer->volumes,
        };

        bus_out_dict(o, &wire_set_writer_table, &row);
        return 0;
}

static void append_writers(struct bus_out *o, const void *source) {
        const struct set_source *s = source;

        bus_out_open_array(o, "a{sv}");
        if (writers_reached_parse(s->made.writers, append_writer, o) < 0)
                o->failed = true;
        bus_out_close(o);
}

static void set_deleted(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct delete_result *deleted = result;
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_int32(bus_call_answer(call), deleted->deleted);
        bus_call_reply(call);
}

static void on_delete(struct bus_call *call, const struct bus_value *args) {
        const struct set_source *source = call->object.source;
        struct vss_error error = { 0 };
        int r;

        r = manager_delete_snapshots(call->bus->options.sessions, source->id,
                                     VSS_OBJECT_SNAPSHOT_SET, args[0].b, set_deleted, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void set_broken(void *userdata, int r, const void *result, struct vss_error *error) {
        char *const *volumes = result;
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_strv(bus_call_answer(call), volumes);
        bus_call_reply(call);
}

static void on_break(struct bus_call *call, const struct bus_value *args) {
        const struct set_source *source = call->object.source;
        struct vss_error error = { 0 };
        int r;

        r = manager_break_set(call->bus->options.sessions, source->id, args[0].u, set_broken, call,
                              &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static const struct bus_method set_methods[] = {
        { .name = "Break",
          BUS_IN("u flags"),
          BUS_OUT("as volumes"),
          .class = BUS_CLASS_MANAGE,
          .handler = on_break },
        { .name = "Delete",
          BUS_IN("b force"),
          BUS_OUT("i deleted"),
          .class = BUS_CLASS_MANAGE,
          .handler = on_delete },
};
static const struct bus_property set_properties[] = {
        { .name = "Snapshots", .signature = "ao", .append = append_snapshots },
        { .name = "Timeline", .signature = "a(stt)", .append = append_timeline },
        { .name = "Steps", .signature = "aa{sv}", .append = append_steps },
        { .name = "Writers", .signature = "aa{sv}", .append = append_writers },
};
static const struct bus_emits_row set_emits[] = {
        { .property = "Snapshots", .emits = BUS_EMITS_TRUE },
};
static const struct bus_interface set_interface = {
        .name = BUS_NAME ".SnapshotSet",
        BUS_METHODS(set_methods),
        .properties = &set_table,
        .more_properties = set_properties,
        .n_more_properties = ARRAY_SIZE(set_properties),
        .emits = BUS_EMITS_CONST,
        BUS_EMITS(set_emits),
};

const struct bus_kind bus_kind_set = {
        .directory = "set",
        .interface = &set_interface,
        .find = set_find,
        .list = set_list,
        .release = set_release,
};
