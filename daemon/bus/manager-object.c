/* The root object: org.vssd.Vss1.Manager, the door of the service. The verbs for scripts that are
 * more than one call into daemon/session are in manager-script.c. */

#include "daemon/bus/manager-script.h"

#include "common/vss-context.h"
#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/manager-adoption.h"
#include "daemon/bus/manager-areas.h"
#include "daemon/bus/manager-delta.h"
#include "daemon/bus/manager-providers.h"
#include "daemon/bus/manager-reverts.h"
#include "daemon/bus/manager-writers.h"
#include "daemon/bus/provider-object.h"
#include "daemon/bus/session-object.h"
#include "daemon/bus/snapshot-object.h"
#include "daemon/bus/writer-object.h"
#include "daemon/bus/writer-transport.h"
#include "daemon/providers/provider.h"
#include "daemon/session/volume-facts.h"

static void on_create_backup_components(struct bus_call *call,
                                        const struct bus_value *args _unused_) {
        _cleanup_(freep) char *path = NULL;
        struct vss_error error = { 0 };
        struct bus_session *s = NULL;
        int r;

        r = bus_session_new(&s, call->client, &error);
        if (r >= 0)
                r = bus_session_path(&path, s);
        if (r >= 0)
                bus_out_path(bus_call_answer(call), path);
        else if (s)
                s = bus_session_free(s);
        bus_call_finish(call, r, &error);
        if (s)
                bus_session_announce(s);
}

static void on_register_writer(struct bus_call *call, const struct bus_value *args) {
        const struct wire_writer_options *options = args[3].dict;
        struct writer_identity identity = {
                .instance_id = options->instance_id,
                .name = args[1].s,
                .instance_name = options->instance_name,
                .level = options->level,
                .freeze_timeout_ms = options->freeze_timeout_ms,
                .major_version = options->major_version,
                .minor_version = options->minor_version,
                .subscribe = options->subscribe,
        };
        _cleanup_(freep) char *path = NULL;
        struct vss_error error = { 0 };
        struct writer_peer *peer = NULL;
        int r;

        /* Numbers that no enumerator has are refused here: an enum need not be able to hold them.
         */
        if (options->usage > VSS_UT_OTHER || options->source > VSS_ST_OTHER)
                r = vss_error_set(
                        &error, E_INVALIDARG, 0,
                        "The writer %s names a usage %u or a source %u that does not exist",
                        args[1].s, options->usage, options->source);
        else {
                identity.usage = (VSS_USAGE_TYPE)options->usage;
                identity.source = (VSS_SOURCE_TYPE)options->source;
                r = wire_parse_id(&identity.class_id, args[0].s, "writer_id", &error);
        }
        if (r >= 0)
                r = writer_peer_new(&peer, call->client, &identity, args[2].s, &error);
        if (r >= 0)
                r = bus_object_path(&path, &bus_kind_writer,
                                    BUS_ID_NAME(writer_identity(peer->writer)->instance_id));
        if (r >= 0) {
                struct bus_out *out = bus_call_answer(call);

                bus_out_id(out, writer_identity(peer->writer)->instance_id);
                bus_out_path(out, path);
        } else if (peer)
                writer_peer_free(peer);
        bus_call_finish(call, r, &error);
}

static void on_unregister_writer(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        struct writer_peer *peer = NULL;
        VSS_ID id;
        int r;

        r = wire_parse_id(&id, args[0].s, "instance_id", &error);
        if (r >= 0) {
                for (peer = call->client->writers; peer; peer = peer->next)
                        if (vss_id_equal(writer_identity(peer->writer)->instance_id, id))
                                break;
                if (peer)
                        writer_peer_free(peer);
                else if (writer_registry_find(call->bus->options.writers, id))
                        r = vss_error_set(&error, E_ACCESSDENIED, EACCES,
                                          "The writer with the instance id %s was registered by "
                                          "another connection",
                                          args[0].s);
                else
                        r = vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                          "There is no writer with the instance id %s", args[0].s);
        }
        bus_call_finish(call, r, &error);
}

static bool volume_matches(const struct snapshot_record *r, const char *volume) {
        size_t n = strlen(volume);

        if (streq(str_or_empty(r->volume), volume) || streq(str_or_empty(r->display), volume))
                return true;
        /* "/srv" is "/srv/" */
        return r->volume && strncmp(r->volume, volume, n) == 0 && streq(r->volume + n, "/");
}

struct filter {
        const struct wire_snapshot_filter *text;
        const struct volume *volume; /* the one meant; NULL: by its name in the copies */
        VSS_ID set, provider;
        bool provider_by_id;
        LONG context;
};

static int filter_parse(struct filter *f, const struct wire_snapshot_filter *text,
                        struct vss_error *reterr) {
        int r = 0;

        *f = (struct filter){ .text = text };
        if (text->set)
                r = wire_parse_id(&f->set, text->set, "filter: set", reterr);
        /* A provider is named by its id or its short name. */
        if (r >= 0 && text->provider)
                f->provider_by_id = vss_id_parse(&f->provider, text->provider) >= 0;
        if (r >= 0 && text->context && vss_context_from_string(&f->context, text->context) < 0)
                r = vss_error_set(reterr, E_INVALIDARG, 0,
                                  "There is no context \"%s\"; there are backup, file-share, "
                                  "nas-rollback, app-rollback, client, client-writers and all",
                                  text->context);
        return r;
}

static bool filter_takes(const struct filter *f, const struct snapshot_record *r) {
        const struct wire_snapshot_filter *text = f->text;

        if (text->set && !vss_id_equal(r->set_id, f->set))
                return false;
        if (f->volume ? !volume_is_origin(f->volume, r)
                      : text->volume && !volume_matches(r, text->volume))
                return false;
        if (text->provider &&
            (f->provider_by_id ? !vss_id_equal(r->provider_id, f->provider)
                               : !streq(str_or_empty(r->provider), text->provider)))
                return false;
        return !text->context || f->context == VSS_CTX_ALL ||
               vss_context_base(r->context) == f->context;
}

static void list_snapshots(struct bus_call *call, const struct filter *filter,
                           struct snapshot_record *records, size_t n) {
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (!filter_takes(filter, &records[i])) {
                        snapshot_record_done(&records[i]);
                        continue;
                }
                records[kept] = records[i];
                if (kept++ != i)
                        records[i] = (struct snapshot_record){ 0 };
        }
        snapshot_object_reply(call, records, kept, SNAPSHOT_REPLY_ROWS);
        snapshot_records_free(records, kept);
}

static void volume_found(void *userdata, int r, const void *result, struct vss_error *error) {
        struct bus_call *call = userdata;
        struct snapshot_record *records = NULL;
        struct filter filter;
        size_t n = 0;

        if (r >= 0)
                r = filter_parse(&filter, call->args[0].dict, error);
        if (r >= 0)
                r = store_snapshot_list(call->bus->options.store, GUID_NULL, &records, &n, error);
        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        filter.volume = result;
        list_snapshots(call, &filter, records, n);
}

/* Is it one of which the copies do not have the name, but perhaps another one? */
static bool names_another(const char *volume, const struct snapshot_record *records, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (volume_matches(&records[i], volume))
                        return false;
        return n > 0 && *volume != '\0';
}

static void on_list_snapshots(struct bus_call *call, const struct bus_value *args) {
        const struct wire_snapshot_filter *text = args[0].dict;
        struct snapshot_record *records = NULL;
        struct vss_error error = { 0 };
        struct filter filter;
        bool ask = false;
        size_t n = 0;
        int r;

        r = filter_parse(&filter, text, &error);
        if (r >= 0)
                r = store_snapshot_list(call->bus->options.store, GUID_NULL, &records, &n, &error);
        if (r >= 0)
                ask = text->volume && names_another(text->volume, records, n);
        if (ask)
                r = manager_find_volume(call->bus->options.sessions, text->volume, volume_found,
                                        call, &error);
        if (r >= 0 && !ask) {
                list_snapshots(call, &filter, records, n);
                return;
        }
        snapshot_records_free(records, n);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void volumes_listed(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct volume_list_result *list = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_open_array(out, "a{sv}");
        for (size_t i = 0; i < list->n; i++) {
                const struct volume_row *row = &list->rows[i];
                VSS_VOLUME_INFO info = {
                        .name = row->volume->name,
                        .device = row->volume->device,
                        .mount_point = row->volume->mount_point,
                        .file_system = row->volume->fs_type,
                        .size = row->volume->size,
                        .supported = row->supported,
                        .provider = row->provider ? (char *)row->provider->name : NULL,
                        .reason = row->reason,
                        .snapshots = row->snapshots,
                        .adopted = (char *)adoption_state_to_string(row->adoption),
                };

                bus_out_dict(out, &wire_volume_table, &info);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

static void on_list_volumes(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };
        int r;

        r = manager_list_volumes(call->bus->options.sessions, volumes_listed, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_list_writers(struct bus_call *call, const struct bus_value *args _unused_) {
        writer_object_reply(call);
}

static void on_list_providers(struct bus_call *call, const struct bus_value *args _unused_) {
        provider_object_reply(call);
}

static void volume_supported(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct supported_result *supported = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_boolean(out, supported->supported);
        bus_out_string(out, supported->provider);
        bus_out_string(out, supported->reason);
        bus_call_reply(call);
}

static void on_is_volume_supported(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = manager_is_volume_supported(call->bus->options.sessions, args[0].s, volume_supported,
                                        call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void volume_snapshotted(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct snapshotted_result *snapshotted = result;
        struct bus_call *call = userdata;
        struct bus_out *out;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_boolean(out, snapshotted->present);
        bus_out_int32(out, snapshotted->capability);
        bus_call_reply(call);
}

static void on_is_volume_snapshotted(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = manager_is_volume_snapshotted(call->bus->options.sessions, args[0].s,
                                          volume_snapshotted, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

struct manager_source {
        char *version;
        uint32_t sessions;
        bool in_progress;
};

static const struct wire_field manager_fields[] = {
        WIRE_FIELD(struct manager_source, version, "Version", WIRE_TEXT),
        WIRE_FIELD(struct manager_source, sessions, "Sessions", WIRE_UINT32),
        WIRE_FIELD(struct manager_source, in_progress, "SnapshotSetInProgress", WIRE_BOOL),
};
static const struct wire_table manager_table = WIRE_TABLE(manager_fields);

static int manager_find(struct bus *bus, const char *name _unused_, struct bus_object *ret) {
        struct manager_source *s;

        s = malloc(sizeof(*s));
        if (!s)
                return -ENOMEM;
        *s = (struct manager_source){
                .version = (char *)VSSD_VERSION,
                .sessions = bus->n_sessions,
                .in_progress = session_manager_set_in_progress(bus->options.sessions),
        };
        ret->source = s;
        return 0;
}

static int manager_list(struct bus *bus _unused_, char ***names) {
        return strv_append(names, "");
}

/* No option is known yet; the codec refuses every key of a table without rows. */
static const struct wire_table no_options = { .fields = NULL, .n = 0 };

static const struct wire_writer_options writer_defaults = {
        .usage = VSS_UT_USERDATA,
        .source = VSS_ST_OTHER,
        .level = VSS_APP_FRONT_END,
        .freeze_timeout_ms = 60000,
};

/* clang-format off */
#define METHOD(method_name, method_class, function) \
        .name = (method_name), .class = BUS_CLASS_##method_class, .handler = (function)
static const struct bus_method manager_methods[] = {
        { METHOD("CreateBackupComponents", CREATE, on_create_backup_components),
          BUS_IN("a{sv} options"), BUS_OUT("o session"),
          .options = { .table = &no_options } },
        { METHOD("RegisterWriter", REGISTER_WRITER, on_register_writer),
          BUS_IN("s writer_id", "s name", "o events", "a{sv} options"),
          BUS_OUT("s instance_id", "o writer"),
          BUS_OPTIONS(wire_writer_options_table, struct wire_writer_options, &writer_defaults) },
        { METHOD("UnregisterWriter", REGISTER_WRITER, on_unregister_writer),
          BUS_IN("s instance_id") },
        { METHOD("RegisterExpressWriter", REGISTER_WRITER, manager_on_register_express_writer),
          BUS_IN("v metadata") },
        { METHOD("UnregisterExpressWriter", REGISTER_WRITER, manager_on_unregister_express_writer),
          BUS_IN("s writer_id") },
        { METHOD("RegisterProvider", PROVIDERS, manager_on_register_provider),
          BUS_IN("s provider_id", "s name", "u type", "s version", "s version_id", "s bus_name",
                 "o path", "a{sv} options"),
          BUS_OPTIONS(provider_options_table, struct provider_options, NULL) },
        { METHOD("UnregisterProvider", PROVIDERS, manager_on_unregister_provider),
          BUS_IN("s provider_id") },
        { METHOD("CreateSnapshotSet", CREATE, manager_on_create_snapshot_set),
          BUS_IN("as volumes", "a{ss} options"),
          BUS_OUT("s set_id", "as snapshot_ids", "as device_objects"),
          BUS_OPTIONS(wire_create_options_table, struct wire_create_options, NULL) },
        { METHOD("DeleteSnapshots", MANAGE, manager_on_delete_snapshots),
          BUS_IN("as ids", "a{ss} options"), BUS_OUT("u deleted"),
          BUS_OPTIONS(wire_delete_options_table, struct wire_delete_options, NULL) },
        { METHOD("ListSnapshots", QUERY, on_list_snapshots),
          BUS_IN("a{ss} filter"), BUS_OUT("aa{sv} snapshots"),
          BUS_OPTIONS(wire_snapshot_filter_table, struct wire_snapshot_filter, NULL) },
        { METHOD("ListVolumes", QUERY, on_list_volumes), BUS_OUT("aa{sv} volumes") },
        { METHOD("ListWriters", QUERY, on_list_writers), BUS_OUT("aa{sv} writers") },
        { METHOD("ListProviders", QUERY, on_list_providers), BUS_OUT("aa{sv} providers") },
        { METHOD("IsVolumeSupported", QUERY, on_is_volume_supported),
          BUS_IN("s volume"), BUS_OUT("b supported", "s provider", "s reason") },
        { METHOD("IsVolumeSnapshotted", QUERY, on_is_volume_snapshotted),
          BUS_IN("s volume"), BUS_OUT("b present", "i capability") },
        { METHOD("ShouldBlockRevert", QUERY, manager_on_should_block_revert),
          BUS_IN("s volume"), BUS_OUT("b block") },
        { METHOD("ListReverts", QUERY, manager_on_list_reverts), BUS_OUT("aa{sv} reverts") },
        { METHOD("QuerySnapshotDeltaBitmap", QUERY, manager_on_query_snapshot_delta_bitmap),
          BUS_IN("s older", "s younger"),
          BUS_OUT("u block_size", "t volume_size", "b exact", "v bitmap") },
        { METHOD("ListDiffAreas", QUERY, manager_on_list_diff_areas),
          BUS_IN("a{ss} filter"), BUS_OUT("aa{sv} areas"),
          BUS_OPTIONS(diff_area_filter_table, struct diff_area_filter, NULL) },
        { METHOD("ListDiffAreaStores", QUERY, manager_on_list_diff_area_stores),
          BUS_IN("s volume"), BUS_OUT("aa{sv} stores") },
        { METHOD("AddDiffArea", MANAGE, manager_on_add_diff_area),
          BUS_IN("s volume", "s store", "x maximum") },
        { METHOD("ChangeDiffAreaMaximumSize", MANAGE, manager_on_change_diff_area),
          BUS_IN("s volume", "s store", "x maximum", "b until_boot") },
        { METHOD("GetMinDiffAreaSize", QUERY, manager_on_get_min_diff_area_size),
          BUS_OUT("t bytes") },
        { METHOD("AdoptVolume", ADOPT, manager_on_adopt_volume),
          BUS_IN("s volume", "a{ss} options"), BUS_OUT("as notes"),
          BUS_OPTIONS(wire_adoption_options_table, struct wire_adoption_options, NULL) },
        { METHOD("ReleaseVolume", ADOPT, manager_on_release_volume),
          BUS_IN("s volume", "a{ss} options"), BUS_OUT("as notes"),
          BUS_OPTIONS(wire_adoption_options_table, struct wire_adoption_options, NULL) },
};
/* clang-format on */

static const struct bus_emits_row manager_emits[] = {
        { .property = "Version", .emits = BUS_EMITS_CONST },
        { .property = "SnapshotSetInProgress", .emits = BUS_EMITS_FALSE },
};
static const struct bus_interface manager_interface = {
        .name = BUS_NAME ".Manager",
        BUS_METHODS(manager_methods),
        .signals = &manager_area_signal,
        .n_signals = 1,
        .properties = &manager_table,
        BUS_EMITS(manager_emits),
};

const struct bus_kind bus_kind_manager = {
        .directory = NULL,
        .interface = &manager_interface,
        .find = manager_find,
        .list = manager_list,
        .release = free,
};
