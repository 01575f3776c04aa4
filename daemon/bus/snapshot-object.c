/* .../snapshot/ID: see snapshot-object.h. */

#include "daemon/bus/snapshot-object.h"

#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"
#include "daemon/bus/manager-reverts.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/providers/volume-hold.h"

/* The row that the wire table describes, first, and the record whose strings it borrows. */
struct snapshot_source {
        VSS_SNAPSHOT_INFO info;
        struct snapshot_record record;
};

static void snapshot_release(void *source) {
        struct snapshot_source *s = source;

        strv_free(s->info.writers);
        snapshot_record_done(&s->record);
        free(s);
}

/* The record has them as lines. */
static int snapshot_split_writers(struct snapshot_source *s) {
        _cleanup_(freep) char *lines = NULL;
        char *rest, *line;

        if (!s->record.writers)
                return 0;
        lines = strdup(s->record.writers);
        if (!lines)
                return -ENOMEM;
        for (line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                if (strv_append(&s->info.writers, line) < 0)
                        return -ENOMEM;
        return 0;
}

/* Takes the record over, also when it fails. */
static int snapshot_source_new(struct snapshot_source **ret, struct snapshot_record *record) {
        struct snapshot_source *s;
        const struct snapshot_record *r;
        bool away;

        s = calloc(1, sizeof(*s));
        if (!s) {
                snapshot_record_done(record);
                return -ENOMEM;
        }
        s->record = *record;
        *record = (struct snapshot_record){ 0 };

        r = &s->record;
        /* What is for another host is no device of this one. */
        away = snapshot_is_away(r);
        s->info = (VSS_SNAPSHOT_INFO){
                .properties = {
                        .m_SnapshotId = r->id,
                        .m_SnapshotSetId = r->set_id,
                        .m_lSnapshotsCount = r->count,
                        .m_pwszSnapshotDeviceObject = away ? NULL : r->device_object,
                        .m_pwszOriginalVolumeName = r->volume,
                        .m_pwszOriginatingMachine = r->originating_machine,
                        .m_pwszServiceMachine = r->service_machine,
                        .m_pwszExposedName = r->exposed_name,
                        .m_pwszExposedPath = r->exposed_path,
                        .m_ProviderId = r->provider_id,
                        .m_lSnapshotAttributes = r->attributes,
                        .m_tsCreationTimestamp = r->created,
                        .m_eStatus = r->state,
                },
                .context = r->context,
                .provider = r->provider,
                .block_device = snapshot_is_directory(r) ? NULL : r->device,
                .file_system = r->fs_type,
                .volume_display_name = r->display,
                .consistency = r->consistency,
                .consistency_reason = r->consistency_reason,
                .expires = r->expire_unix,
        };
        if (snapshot_split_writers(s) < 0) {
                snapshot_release(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

static int snapshot_find(struct bus *bus, const char *name, struct bus_object *ret) {
        struct snapshot_record record = { 0 };
        struct snapshot_source *source;
        VSS_ID id;
        int r;

        if (bus_id_from_name(&id, name) < 0)
                return -ENOENT;
        r = store_snapshot_get(bus->options.store, id, &record, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -ENOENT;
        r = snapshot_source_new(&source, &record);
        if (r < 0)
                return r;
        ret->source = source;
        return 0;
}

static int snapshot_list(struct bus *bus, char ***names) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        if (store_snapshot_list(bus->options.store, GUID_NULL, &records, &n, NULL) < 0)
                return -ENOMEM;
        r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = strv_append(names, BUS_ID_NAME(records[i].id));
        snapshot_records_free(records, n);
        return r;
}

static void snapshot_load(void *source) {
        struct snapshot_source *s = source;
        const struct provider *provider;

        /* A copy whose storage cannot be asked shows no figures; that it is there is known. */
        provider = s->record.provider ? provider_by_name(s->record.provider) : NULL;
        if (volume_is_held(s->record.origin_uuid))
                provider = NULL; /* the question would wait for the storage, too */
        if (provider && provider->usage &&
            provider->usage(&s->record, &s->info.used_bytes, &s->info.maximum_bytes,
                            &s->info.overflowed, NULL) < 0)
                s->info.used_bytes = s->info.maximum_bytes = 0;
}

static bool snapshot_needs_load(const char *property) {
        return streq(property, "UsedBytes") || streq(property, "MaximumBytes") ||
               streq(property, "Overflowed");
}

static void rows_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct bus_call *call = userdata;
        struct vss_error error = { 0 };
        struct bus_out *out;

        if (r < 0) {
                bus_call_finish(call, r, &error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_open_array(out, "a{sv}");
        for (size_t i = 0; i < objects->n; i++)
                bus_out_dict(out, &wire_snapshot_table, objects->items[i].source);
        bus_out_close(out);
        bus_call_reply(call);
}

static void one_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct bus_call *call = userdata;
        struct vss_error error = { 0 };

        if (r >= 0)
                bus_out_dict(bus_call_answer(call), &wire_snapshot_table, objects->items[0].source);
        bus_call_finish(call, r, &error);
}

static int objects_add_record(struct bus_objects *objects, const struct snapshot_record *record) {
        struct bus_object object = { .kind = &bus_kind_snapshot };
        struct snapshot_source *source;
        struct snapshot_record copy;
        int r;

        r = snapshot_record_copy(&copy, record);
        if (r >= 0)
                r = snapshot_source_new(&source, &copy);
        if (r < 0)
                return r;
        object.source = source;
        return bus_objects_add(objects, &object);
}

void snapshot_object_reply(struct bus_call *call, const struct snapshot_record *records, size_t n,
                           enum snapshot_reply form) {
        _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
        struct vss_error error = { 0 };
        int r = 0;

        assert(form == SNAPSHOT_REPLY_ROWS || n == 1);

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = objects_add_record(&objects, &records[i]);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                bus_objects_load(call->bus, &objects,
                                 form == SNAPSHOT_REPLY_ROWS ? rows_on_loaded : one_on_loaded,
                                 call);
}

/* The set is there with its first copy and gone with its last. */
void snapshot_object_on_change(void *userdata, const struct snapshot_record *record,
                               enum snapshot_change change) {
        static const char *const snapshots[] = { "Snapshots", NULL };
        static const char *const stored[] = { "MaximumBytes", "Overflowed", NULL };
        static const char *const changed[] = { "ExposedName", "ExposedPath", "SnapshotAttributes",
                                               "SnapshotDeviceObject", NULL };
        struct snapshot_record *records = NULL;
        struct bus *bus = userdata;
        size_t n = 0;
        int r;

        r = store_snapshot_list(bus->options.store, record->set_id, &records, &n, NULL);
        switch (change) {
        case SNAPSHOT_ADDED:
                if (r >= 0 && n > 0 && vss_id_equal(records[0].id, record->id))
                        bus_signal_added(bus, &bus_kind_set, BUS_ID_NAME(record->set_id));
                bus_signal_added(bus, &bus_kind_snapshot, BUS_ID_NAME(record->id));
                break;
        case SNAPSHOT_CHANGED:
                bus_signal_changed(bus, &bus_kind_snapshot, BUS_ID_NAME(record->id), changed);
                break;
        case SNAPSHOT_STORE_CHANGED:
                bus_signal_changed(bus, &bus_kind_snapshot, BUS_ID_NAME(record->id), stored);
                break;
        case SNAPSHOT_REMOVED:
                bus_signal_removed(bus, &bus_kind_snapshot, BUS_ID_NAME(record->id), NULL);
                if (r >= 0 && n == 0)
                        bus_signal_removed(bus, &bus_kind_set, BUS_ID_NAME(record->set_id), NULL);
                else
                        bus_signal_changed(bus, &bus_kind_set, BUS_ID_NAME(record->set_id),
                                           snapshots);
                break;
        }
        snapshot_records_free(records, n);
}

static void snapshot_deleted(void *userdata, int r, const void *result _unused_,
                             struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0)
                bus_call_fail(call, error);
        else
                bus_call_reply(call);
}

static void on_delete(struct bus_call *call, const struct bus_value *args) {
        const struct snapshot_source *source = call->object.source;
        struct vss_error error = { 0 };
        int r;

        r = manager_delete_snapshots(call->bus->options.sessions, source->record.id,
                                     VSS_OBJECT_SNAPSHOT, args[0].b, snapshot_deleted, call,
                                     &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void snapshot_object_on_exposed(void *userdata, int r, const void *result,
                                struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_string(bus_call_answer(call), result);
        bus_call_reply(call);
}

void snapshot_object_on_unexposed(void *userdata, int r, const void *result _unused_,
                                  struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0)
                bus_call_fail(call, error);
        else
                bus_call_reply(call);
}

static void on_expose(struct bus_call *call, const struct bus_value *args) {
        const struct snapshot_source *source = call->object.source;
        const struct exposure_request request = {
                .id = source->record.id,
                .path = args[0].s,
                .attributes = (uint32_t)args[1].i,
                .expose = args[2].s,
                .owner = call->client->uid,
        };
        struct vss_error error = { 0 };
        int r;

        r = manager_expose_snapshot(call->bus->options.sessions, &request,
                                    snapshot_object_on_exposed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_unexpose(struct bus_call *call, const struct bus_value *args _unused_) {
        const struct snapshot_source *source = call->object.source;
        struct vss_error error = { 0 };
        int r;

        r = manager_unexpose_snapshot(call->bus->options.sessions, source->record.id,
                                      snapshot_object_on_unexposed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

const struct snapshot_record *snapshot_object_record(const struct bus_call *call) {
        const struct snapshot_source *source = call->object.source;

        return &source->record;
}

static const struct bus_method snapshot_methods[] = {
        { .name = "Delete", BUS_IN("b force"), .class = BUS_CLASS_MANAGE, .handler = on_delete },
        { .name = "Expose",
          BUS_IN("s path_from_root", "i attributes", "s expose"),
          BUS_OUT("s exposed"),
          .class = BUS_CLASS_MANAGE,
          .handler = on_expose },
        { .name = "Revert",
          BUS_IN("u flags"),
          .class = BUS_CLASS_MANAGE,
          .handler = snapshot_on_revert },
        { .name = "Unexpose", .class = BUS_CLASS_MANAGE, .handler = on_unexpose },
};
static const struct bus_emits_row snapshot_emits[] = {
        { .property = "ExposedName", .emits = BUS_EMITS_TRUE },
        { .property = "ExposedPath", .emits = BUS_EMITS_TRUE },
        { .property = "SnapshotAttributes", .emits = BUS_EMITS_TRUE },
        { .property = "SnapshotDeviceObject", .emits = BUS_EMITS_TRUE },
        { .property = "UsedBytes", .emits = BUS_EMITS_FALSE },
        { .property = "MaximumBytes", .emits = BUS_EMITS_TRUE },
        { .property = "Overflowed", .emits = BUS_EMITS_TRUE },
};
static const struct bus_interface snapshot_interface = {
        .name = BUS_NAME ".Snapshot",
        BUS_METHODS(snapshot_methods),
        .properties = &wire_snapshot_table,
        .emits = BUS_EMITS_CONST,
        BUS_EMITS(snapshot_emits),
};

const struct bus_kind bus_kind_snapshot = {
        .directory = "snapshot",
        .interface = &snapshot_interface,
        .find = snapshot_find,
        .list = snapshot_list,
        .load = snapshot_load,
        .needs_load = snapshot_needs_load,
        .release = snapshot_release,
};
