/* org.vssd.Vss1.BackupComponents: see session-methods.h. What is legal when, and every documented
 * code, is daemon/session's affair. */

#include "daemon/bus/session-methods.h"

#include "daemon/bus/async-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/provider-object.h"
#include "daemon/bus/session-handlers.h"
#include "daemon/bus/snapshot-object.h"

struct session *bus_call_session(const struct bus_call *call) {
        const struct bus_session *s = call->object.data;

        return s->session;
}

enum session_method bus_call_session_method(const struct bus_call *call) {
        int m = session_method_from_string(call->method->name);

        assert(m > 0);

        return (enum session_method)m;
}

int bus_call_check_state(const struct bus_call *call, struct vss_error *reterr) {
        return session_check(bus_call_session(call), bus_call_session_method(call), reterr);
}

int bus_call_parse_id(VSS_ID *ret, const struct bus_call *call, const char *text, const char *name,
                      struct vss_error *reterr) {
        int r;

        r = bus_call_check_state(call, reterr);
        return r < 0 ? r : wire_parse_id(ret, text, name, reterr);
}

/* The end of calls that answer later and have nothing to say but how it went. */
static void done_plain(void *userdata, int r, const void *result _unused_,
                       struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0)
                bus_call_fail(call, error);
        else
                bus_call_reply(call);
}

static void initialize_from(struct bus_call *call, struct document *saved) {
        struct vss_error error = { 0 };
        int r;

        r = session_initialize_from(bus_call_session(call), bus_call_session_method(call), saved,
                                    done_plain, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_initialize_for_backup(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };

        if (args[0].document)
                initialize_from(call, args[0].document);
        else
                bus_call_finish(call, session_initialize_for_backup(bus_call_session(call), &error),
                                &error);
}

static void on_initialize_for_restore(struct bus_call *call, const struct bus_value *args) {
        initialize_from(call, args[0].document);
}

static void on_set_context(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };

        bus_call_finish(call, session_set_context(bus_call_session(call), args[0].i, &error),
                        &error);
}

static void on_set_backup_state(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        int r;

        r = bus_call_check_state(call, &error);
        /* An enum cannot hold every number that can be sent. */
        if (r >= 0 && args[2].u > VSS_BT_OTHER)
                r = vss_error_set(&error, E_INVALIDARG, 0, "There is no backup type %u", args[2].u);
        if (r >= 0)
                r = session_set_backup_state(bus_call_session(call), args[0].b, args[1].b,
                                             (VSS_BACKUP_TYPE)args[2].u, args[3].b, &error);
        bus_call_finish(call, r, &error);
}

typedef int (*writer_filter_method)(struct session *s, const VSS_ID *ids, size_t n,
                                    struct vss_error *reterr);

static void call_with_ids(struct bus_call *call, char *const *texts, const char *what,
                          writer_filter_method method) {
        _cleanup_(freep) VSS_ID *ids = NULL;
        size_t n = strv_length(texts);
        struct vss_error error = { 0 };
        int r;

        ids = calloc(n > 0 ? n : 1, sizeof(*ids));
        r = ids ? bus_call_check_state(call, &error) : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = wire_parse_id(&ids[i], texts[i], what, &error);
        if (r >= 0)
                r = method(bus_call_session(call), ids, n, &error);
        bus_call_finish(call, r, &error);
}

static void on_enable_writer_classes(struct bus_call *call, const struct bus_value *args) {
        call_with_ids(call, args[0].strv, "writer_ids", session_enable_writer_classes);
}

static void on_disable_writer_classes(struct bus_call *call, const struct bus_value *args) {
        call_with_ids(call, args[0].strv, "writer_ids", session_disable_writer_classes);
}

static void on_disable_writer_instances(struct bus_call *call, const struct bus_value *args) {
        call_with_ids(call, args[0].strv, "instance_ids", session_disable_writer_instances);
}

typedef int (*async_method)(struct session *s, struct async **ret, struct vss_error *reterr);

static void call_async(struct bus_call *call, async_method method) {
        _cleanup_(bus_async_freep) struct bus_async *a = NULL;
        struct bus_session *s = call->object.data;
        struct vss_error error = { 0 };
        struct async *async = NULL;
        int r;

        r = bus_call_check_state(call, &error);
        if (r >= 0)
                r = bus_session_reserve_async(s, call, &a, &error);
        if (r >= 0)
                r = method(s->session, &async, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                bus_session_reply_async(call, TAKE_PTR(a), async);
}

static void on_gather_writer_metadata(struct bus_call *call,
                                      const struct bus_value *args _unused_) {
        call_async(call, session_gather_writer_metadata);
}

static void on_prepare_for_backup(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_prepare_for_backup);
}

static void on_do_snapshot_set(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_do_snapshot_set);
}

static void on_gather_writer_status(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_gather_writer_status);
}

static void on_backup_complete(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_backup_complete);
}

static void on_pre_restore(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_pre_restore);
}

static void on_post_restore(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_post_restore);
}

static void on_import_snapshots(struct bus_call *call, const struct bus_value *args _unused_) {
        call_async(call, session_import_snapshots);
}

static void on_set_restore_state(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };

        bus_call_finish(call, session_set_restore_state(bus_call_session(call), args[0].u, &error),
                        &error);
}

/* A large one comes later, perhaps behind something that the answer has already. */
static void printed(void *userdata, int r, const void *result, struct vss_error *error) {
        struct document *document = document_ref((struct document *)(uintptr_t)result);
        struct bus_call *call = userdata;

        if (r >= 0 && !call->reply && call->out.failed)
                r = vss_error_from_errno(error, -ENOMEM, call->method->name);
        if (r < 0)
                bus_call_fail(call, error);
        else {
                bus_out_document(call->reply ? &call->out : bus_call_answer(call), document);
                bus_call_reply(call);
        }
        document_unref(document);
}

static void on_save_as_xml(struct bus_call *call, const struct bus_value *args _unused_) {
        _cleanup_(document_unrefp) struct document *xml = NULL;
        struct vss_error error = { 0 };
        int r;

        r = session_save_as_xml(bus_call_session(call), &xml, printed, call, &error);
        if (r == 0)
                return;
        if (r > 0)
                bus_out_document(bus_call_answer(call), xml);
        bus_call_finish(call, r, &error);
}

static void on_get_writer_components(struct bus_call *call, const struct bus_value *args) {
        _cleanup_(document_unrefp) struct document *components = NULL;
        VSS_ID instance = GUID_NULL, writer = GUID_NULL;
        struct vss_error error = { 0 };
        int r;

        r = session_get_writer_components(bus_call_session(call), args[0].u, &instance, &writer,
                                          &components, printed, call, &error);
        if (r >= 0) {
                struct bus_out *out = bus_call_answer(call);

                bus_out_id(out, instance);
                bus_out_id(out, writer);
                if (r == 0)
                        return;
                bus_out_document(out, components);
        }
        bus_call_finish(call, r, &error);
}

typedef int (*count_method)(struct session *s, uint32_t *ret, struct vss_error *reterr);

static void call_count(struct bus_call *call, count_method method) {
        struct vss_error error = { 0 };
        uint32_t count = 0;
        int r;

        r = method(bus_call_session(call), &count, &error);
        if (r >= 0)
                bus_out_uint32(bus_call_answer(call), count);
        bus_call_finish(call, r, &error);
}

static void on_get_writer_metadata_count(struct bus_call *call,
                                         const struct bus_value *args _unused_) {
        call_count(call, session_get_writer_metadata_count);
}

static void on_get_writer_status_count(struct bus_call *call,
                                       const struct bus_value *args _unused_) {
        call_count(call, session_get_writer_status_count);
}

static void on_get_writer_components_count(struct bus_call *call,
                                           const struct bus_value *args _unused_) {
        call_count(call, session_get_writer_components_count);
}

static void on_get_writer_metadata(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID instance = GUID_NULL;
        struct document *xml = NULL;
        int r;

        r = session_get_writer_metadata(bus_call_session(call), args[0].u, &instance, &xml, &error);
        if (r >= 0) {
                struct bus_out *out = bus_call_answer(call);

                bus_out_id(out, instance);
                bus_out_document(out, xml);
        }
        bus_call_finish(call, r, &error);
}

static void on_free_writer_metadata(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };

        bus_call_finish(call, session_free_writer_metadata(bus_call_session(call), &error), &error);
}

static void on_start_snapshot_set(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };
        VSS_ID id = GUID_NULL;
        int r;

        r = session_start_snapshot_set(bus_call_session(call), &id, &error);
        if (r >= 0)
                bus_out_id(bus_call_answer(call), id);
        bus_call_finish(call, r, &error);
}

static void added_to_set(void *userdata, int r, const void *result, struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_id(bus_call_answer(call), *(const VSS_ID *)result);
        bus_call_reply(call);
}

static void on_add_to_snapshot_set(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID provider;
        int r;

        r = bus_call_parse_id(&provider, call, args[1].s, "provider", &error);
        if (r >= 0)
                r = session_add_to_snapshot_set(bus_call_session(call), args[0].s, provider,
                                                added_to_set, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void volume_is_supported(void *userdata, int r, const void *result,
                                struct vss_error *error) {
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_boolean(bus_call_answer(call), *(const bool *)result);
        bus_call_reply(call);
}

static void on_is_volume_supported(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID provider;
        int r;

        r = bus_call_parse_id(&provider, call, args[0].s, "provider", &error);
        if (r >= 0)
                r = session_is_volume_supported(bus_call_session(call), provider, args[1].s,
                                                volume_is_supported, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_get_writer_status(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        struct writer_status status;
        int r;

        r = session_get_writer_status(bus_call_session(call), args[0].u, &status, &error);
        if (r >= 0) {
                struct bus_out *out = bus_call_answer(call);

                bus_out_id(out, status.instance_id);
                bus_out_id(out, status.class_id);
                bus_out_string(out, status.name);
                bus_out_uint32(out, (uint32_t)status.state);
                bus_out_int32(out, status.failure);
                bus_out_int32(out, status.application);
                bus_out_string(out, status.message);
        }
        bus_call_finish(call, r, &error);
}

static void on_free_writer_status(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };

        bus_call_finish(call, session_free_writer_status(bus_call_session(call), &error), &error);
}

static void on_get_snapshot_properties(struct bus_call *call, const struct bus_value *args) {
        struct snapshot_record record = { 0 };
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "snapshot_id", &error);
        if (r >= 0)
                r = session_get_snapshot_properties(bus_call_session(call), id, &record, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                snapshot_object_reply(call, &record, 1, SNAPSHOT_REPLY_ONE);
        snapshot_record_done(&record);
}

/* The documented arguments of Query: nothing to look in, and one of two kinds to look for. */
static void on_query(struct bus_call *call, const struct bus_value *args) {
        struct snapshot_record *records = NULL;
        struct vss_error error = { 0 };
        size_t n = 0;
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "queried_id", &error);
        if (r >= 0 && (args[1].u >= VSS_OBJECT_TYPE_COUNT || args[2].u >= VSS_OBJECT_TYPE_COUNT))
                r = vss_error_set(&error, E_INVALIDARG, 0, "There is no object type %u",
                                  args[1].u >= VSS_OBJECT_TYPE_COUNT ? args[1].u : args[2].u);
        /* Also for providers: state and arguments are checked by the same rules. */
        if (r >= 0)
                r = session_query_snapshots(bus_call_session(call), id, (VSS_OBJECT_TYPE)args[1].u,
                                            (VSS_OBJECT_TYPE)args[2].u, &records, &n, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else if (args[2].u == VSS_OBJECT_PROVIDER)
                provider_object_reply(call);
        else
                snapshot_object_reply(call, records, n, SNAPSHOT_REPLY_ROWS);
        snapshot_records_free(records, n);
}

static void snapshots_deleted(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct delete_result *deleted = result;
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail_at(call, error, deleted ? deleted->deleted : 0,
                                 VSS_ID_TEXT(deleted ? deleted->not_deleted : GUID_NULL));
                return;
        }
        bus_out_int32(bus_call_answer(call), deleted->deleted);
        bus_out_id(&call->out, deleted->not_deleted);
        bus_call_reply(call);
}

static void on_delete_snapshots(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = bus_call_parse_id(&id, call, args[0].s, "source_id", &error);
        if (r >= 0 && args[1].u >= VSS_OBJECT_TYPE_COUNT)
                r = vss_error_set(&error, E_INVALIDARG, 0, "There is no object type %u", args[1].u);
        if (r >= 0)
                r = session_delete_snapshots(bus_call_session(call), id, (VSS_OBJECT_TYPE)args[1].u,
                                             args[2].b, snapshots_deleted, call, &error);
        if (r < 0) {
                bus_call_fail_at(call, &error, 0, VSS_ID_TEXT(GUID_NULL));
                vss_error_done(&error);
        }
}

static void on_abort_backup(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };
        int r;

        r = session_abort_backup(bus_call_session(call), done_plain, call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

static void on_get_session_id(struct bus_call *call, const struct bus_value *args _unused_) {
        bus_out_id(bus_call_answer(call), session_id(bus_call_session(call)));
        bus_call_reply(call);
}

static void on_release(struct bus_call *call, const struct bus_value *args _unused_) {
        bus_session_free(call->object.data);
        bus_call_reply(call);
}

/* clang-format off */
#define METHOD(method_name, method_class, function) \
        .name = (method_name), .class = BUS_CLASS_##method_class, .handler = (function)
#define COMPONENT "s writer_id", "u type", "s logical_path", "s name"
static const struct bus_method methods[] = {
        { METHOD("InitializeForBackup", CREATE, on_initialize_for_backup), BUS_IN("v xml") },
        { METHOD("InitializeForRestore", CREATE, on_initialize_for_restore), BUS_IN("v xml") },
        { METHOD("SetContext", CREATE, on_set_context), BUS_IN("i context") },
        { METHOD("SetBackupState", CREATE, on_set_backup_state),
          BUS_IN("b select_components", "b bootable_system_state", "u backup_type",
                 "b partial_file_support") },
        { METHOD("SetRestoreState", CREATE, on_set_restore_state), BUS_IN("u restore_type") },
        { METHOD("EnableWriterClasses", CREATE, on_enable_writer_classes),
          BUS_IN("as writer_ids") },
        { METHOD("DisableWriterClasses", CREATE, on_disable_writer_classes),
          BUS_IN("as writer_ids") },
        { METHOD("DisableWriterInstances", CREATE, on_disable_writer_instances),
          BUS_IN("as instance_ids") },
        { METHOD("GatherWriterMetadata", CREATE, on_gather_writer_metadata), BUS_OUT("o async") },
        { METHOD("GetWriterMetadataCount", CREATE, on_get_writer_metadata_count),
          BUS_OUT("u count") },
        { METHOD("GetWriterMetadata", CREATE, on_get_writer_metadata),
          BUS_IN("u index"), BUS_OUT("s instance_id", "v xml") },
        { METHOD("GetWriterMetadataEx", CREATE, on_get_writer_metadata),
          BUS_IN("u index"), BUS_OUT("s instance_id", "v xml") },
        { METHOD("FreeWriterMetadata", CREATE, on_free_writer_metadata) },
        { METHOD("AddComponent", CREATE, session_on_component),
          BUS_IN("s instance_id", COMPONENT) },
        { METHOD("SetBackupOptions", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s backup_options") },
        { METHOD("SetPreviousBackupStamp", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s previous_backup_stamp") },
        { METHOD("SetBackupSucceeded", CREATE, session_on_component),
          BUS_IN("s instance_id", COMPONENT, "b succeeded") },
        { METHOD("GetWriterComponentsCount", CREATE, on_get_writer_components_count),
          BUS_OUT("u count") },
        { METHOD("GetWriterComponents", CREATE, on_get_writer_components),
          BUS_IN("u index"), BUS_OUT("s instance_id", "s writer_id", "v components") },
        { METHOD("SaveAsXML", CREATE, on_save_as_xml), BUS_OUT("v xml") },
        { METHOD("StartSnapshotSet", CREATE, on_start_snapshot_set), BUS_OUT("s set_id") },
        { METHOD("AddToSnapshotSet", CREATE, on_add_to_snapshot_set),
          BUS_IN("s volume", "s provider"), BUS_OUT("s snapshot_id") },
        { METHOD("IsVolumeSupported", QUERY, on_is_volume_supported),
          BUS_IN("s provider", "s volume"), BUS_OUT("b supported") },
        { METHOD("PrepareForBackup", CREATE, on_prepare_for_backup), BUS_OUT("o async") },
        { METHOD("DoSnapshotSet", CREATE, on_do_snapshot_set), BUS_OUT("o async") },
        { METHOD("GatherWriterStatus", CREATE, on_gather_writer_status), BUS_OUT("o async") },
        { METHOD("GetWriterStatusCount", CREATE, on_get_writer_status_count), BUS_OUT("u count") },
        { METHOD("GetWriterStatus", CREATE, on_get_writer_status),
          BUS_IN("u index"),
          BUS_OUT("s instance_id", "s writer_id", "s name", "u state", "i failure",
                  "i application", "s message") },
        { METHOD("GetWriterStatusEx", CREATE, on_get_writer_status),
          BUS_IN("u index"),
          BUS_OUT("s instance_id", "s writer_id", "s name", "u state", "i failure",
                  "i application", "s message") },
        { METHOD("FreeWriterStatus", CREATE, on_free_writer_status) },
        { METHOD("GetSnapshotProperties", QUERY, on_get_snapshot_properties),
          BUS_IN("s snapshot_id"), BUS_OUT("a{sv} properties") },
        { METHOD("Query", QUERY, on_query),
          BUS_IN("s queried_id", "u queried_type", "u returned_type"),
          BUS_OUT("aa{sv} objects") },
        { METHOD("DeleteSnapshots", MANAGE, on_delete_snapshots),
          BUS_IN("s source_id", "u source_type", "b force"),
          BUS_OUT("i deleted", "s not_deleted") },
        { METHOD("BackupComplete", CREATE, on_backup_complete), BUS_OUT("o async") },
        { METHOD("AbortBackup", CREATE, on_abort_backup) },
        { METHOD("SetSelectedForRestore", CREATE, session_on_component),
          BUS_IN(COMPONENT, "b selected_for_restore") },
        { METHOD("SetSelectedForRestoreEx", CREATE, session_on_component),
          BUS_IN(COMPONENT, "b selected_for_restore", "s instance_id") },
        { METHOD("AddRestoreSubcomponent", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s subcomponent_logical_path", "s subcomponent_name", "b repair") },
        { METHOD("SetRestoreOptions", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s restore_options") },
        { METHOD("SetAdditionalRestores", CREATE, session_on_component),
          BUS_IN(COMPONENT, "b additional_restores") },
        { METHOD("SetAuthoritativeRestore", CREATE, session_on_component),
          BUS_IN(COMPONENT, "b authoritative") },
        { METHOD("SetRollForward", CREATE, session_on_component),
          BUS_IN(COMPONENT, "u roll_type", "s roll_forward_point") },
        { METHOD("SetRestoreName", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s restore_name") },
        { METHOD("AddNewTarget", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s path", "s file_name", "b recursive", "s alternate_path") },
        { METHOD("SetRangesFilePath", CREATE, session_on_component),
          BUS_IN(COMPONENT, "u partial_file", "s ranges_file") },
        { METHOD("PreRestore", CREATE, on_pre_restore), BUS_OUT("o async") },
        { METHOD("AddAlternativeLocationMapping", CREATE, session_on_component),
          BUS_IN(COMPONENT, "s path", "s filespec", "b recursive", "s destination") },
        { METHOD("SetFileRestoreStatus", CREATE, session_on_component),
          BUS_IN(COMPONENT, "u status") },
        { METHOD("PostRestore", CREATE, on_post_restore), BUS_OUT("o async") },
        { METHOD("ExposeSnapshot", MANAGE, session_on_expose_snapshot),
          BUS_IN("s snapshot_id", "s path_from_root", "i attributes", "s expose"),
          BUS_OUT("s exposed") },
        { METHOD("UnexposeSnapshot", MANAGE, session_on_unexpose_snapshot),
          BUS_IN("s snapshot_id") },
        { METHOD("BreakSnapshotSet", MANAGE, session_on_break_snapshot_set), BUS_IN("s set_id") },
        { METHOD("BreakSnapshotSetEx", MANAGE, session_on_break_snapshot_set_ex),
          BUS_IN("s set_id", "u flags"), BUS_OUT("o async") },
        { METHOD("RevertToSnapshot", MANAGE, session_on_revert_to_snapshot),
          BUS_IN("s snapshot_id", "b force_dismount") },
        { METHOD("QueryRevertStatus", QUERY, session_on_query_revert_status),
          BUS_IN("s volume"), BUS_OUT("o async") },
        { METHOD("ImportSnapshots", MANAGE, on_import_snapshots), BUS_OUT("o async") },
        { METHOD("PreFastRecovery", MANAGE, session_on_reserved),
          BUS_IN("s set_id", "u flags"), BUS_OUT("o async") },
        { METHOD("FastRecovery", MANAGE, session_on_reserved),
          BUS_IN("s set_id", "u flags"), BUS_OUT("o async") },
        { METHOD("AddSnapshotToRecoverySet", MANAGE, session_on_add_snapshot_to_recovery_set),
          BUS_IN("s snapshot_id", "u flags", "s destination_volume") },
        { METHOD("RecoverSet", MANAGE, session_on_recover_set),
          BUS_IN("u flags"), BUS_OUT("o async") },
        { METHOD("GetRootAndLogicalPrefixPaths", QUERY,
                 session_on_get_root_and_logical_prefix_paths),
          BUS_IN("s file_path", "b normalize_fqdn"), BUS_OUT("s root_path", "s logical_prefix") },
        { METHOD("GetSessionId", CREATE, on_get_session_id), BUS_OUT("s session_id") },
        { METHOD("Release", CREATE, on_release) },
};
/* clang-format on */

const struct bus_interface bus_interface_backup_components = {
        .name = BUS_NAME ".BackupComponents",
        BUS_METHODS(methods),
};
