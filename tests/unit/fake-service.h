#pragma once

/* The service that requesters talk to in tests: each test fills in the script of what it does, and
 * everything else it does as a good service would. */

#include "common/vss-id.h"
#include "common/wire-error.h"
#include "common/wire-rows.h"
#include "fake-bus.h"

#define SESSION "/org/vssd/Vss1/session/1"
#define ASYNC "/org/vssd/Vss1/async/1"

static const VSS_ID some_id = { .Data1 = 0xa, .Data4 = { 1 } };
#define SOME_ID_TEXT "0000000a-0000-0000-0100-000000000000"

/* What the service of a test does; the rest of its behaviour is the same for all. */
struct script {
        HRESULT refuse_session;     /* CreateBackupComponents fails so */
        HRESULT refuse;             /* every method of the session fails so */
        const char *foreign;        /* ... or with this bus error */
        HRESULT completes;          /* the operation completes with it; VSS_S_ASYNC_PENDING: not */
        bool before_reply;          /* ... before the answer that names it */
        const char *completes_from; /* sender of Completed; NULL: the service */
        HRESULT status;             /* what QueryStatus answers */
        HRESULT cancel;             /* what Cancel answers */
        unsigned n_rows;            /* of Query and lists */
        bool nonsense;              /* answers have other types than they should */
};

static inline void send_completed(struct fake_bus *bus, const struct script *s) {
        DBusMessage *m = dbus_message_new_signal(ASYNC, "org.vssd.Vss1.Async", "Completed");
        const char *message = FAILED(s->completes) ? "The store is full" : "";
        dbus_int32_t hr = s->completes;

        ck_assert(dbus_message_append_args(m, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING, &message,
                                           DBUS_TYPE_INVALID));
        fake_send(fake_caller(bus), m, s->completes_from ? s->completes_from : FAKE_SERVICE);
}

static inline DBusMessage *reply_with(DBusMessage *call, int first_type, ...) {
        DBusMessage *reply = dbus_message_new_method_return(call);
        va_list args;

        va_start(args, first_type);
        ck_assert(dbus_message_append_args_valist(reply, first_type, args));
        va_end(args);
        return reply;
}

static inline DBusMessage *refusal(DBusMessage *call, HRESULT hr) {
        struct vss_error e = { 0 };
        DBusMessage *reply;

        (void)vss_error_set(&e, hr, 0, "The reason of %s", dbus_message_get_member(call));
        reply = wire_error_reply(call, &e);
        vss_error_done(&e);
        return reply;
}

static inline DBusMessage *reply_operation(struct fake_bus *bus, DBusMessage *call) {
        const struct script *s = bus->data;
        const char *path = ASYNC;
        DBusMessage *reply;

        if (s->completes != VSS_S_ASYNC_PENDING && s->before_reply)
                send_completed(bus, s);
        reply = reply_with(call, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
        fake_send(fake_caller(bus), reply, FAKE_SERVICE);
        if (s->completes != VSS_S_ASYNC_PENDING && !s->before_reply)
                send_completed(bus, s);
        return NULL;
}

static inline DBusMessage *reply_rows(DBusMessage *call, const struct script *s) {
        static char name[] = "/srv/", provider[] = "lvm-thick";
        DBusMessage *reply = dbus_message_new_method_return(call);
        const struct wire_table *table;
        VSS_SNAPSHOT_INFO rows[4] = { 0 };
        DBusMessageIter iter;
        size_t stride = sizeof(rows[0]);
        VSS_PROVIDER_INFO providers[4] = { 0 };
        const void *source = rows;

        table = &wire_snapshot_table;
        if (dbus_message_has_member(call, "ListProviders"))
                table = &wire_provider_table;
        else if (dbus_message_has_member(call, "Query")) {
                DBusMessageIter args;
                dbus_uint32_t type;

                ck_assert(dbus_message_iter_init(call, &args));
                ck_assert(dbus_message_iter_next(&args) && dbus_message_iter_next(&args));
                dbus_message_iter_get_basic(&args, &type);
                if (type == VSS_OBJECT_PROVIDER)
                        table = &wire_provider_table;
        }
        for (unsigned i = 0; i < 4; i++) {
                rows[i].properties.m_SnapshotId.Data1 = i + 1;
                rows[i].properties.m_pwszOriginalVolumeName = name;
                rows[i].properties.m_eStatus = VSS_SS_CREATED;
                providers[i].name = provider;
                providers[i].properties.m_ProviderId.Data1 = i + 1;
                providers[i].properties.m_pwszProviderName = provider;
        }
        if (table == &wire_provider_table) {
                source = providers;
                stride = sizeof(providers[0]);
        }
        dbus_message_iter_init_append(reply, &iter);
        ck_assert_int_eq(wire_append_rows(&iter, table, source, s->n_rows, stride), 0);
        return reply;
}

static inline DBusMessage *reply_properties(DBusMessage *call) {
        static char device[] = "/run/vss/ShadowCopy7";
        const VSS_SNAPSHOT_PROP p = { .m_SnapshotId = some_id,
                                      .m_pwszSnapshotDeviceObject = device,
                                      .m_lSnapshotsCount = 3,
                                      .m_tsCreationTimestamp = VSS_TIMESTAMP_UNIX_EPOCH,
                                      .m_eStatus = VSS_SS_CREATED };
        DBusMessage *reply = dbus_message_new_method_return(call);
        DBusMessageIter iter;

        dbus_message_iter_init_append(reply, &iter);
        ck_assert_int_eq(wire_append_dict(&iter, &wire_snapshot_prop_table, &p), 0);
        return reply;
}

static inline DBusMessage *reply_deletion(DBusMessage *call, const struct script *s) {
        const char *id = SOME_ID_TEXT, *none = "";
        dbus_int32_t deleted = 2;
        DBusMessage *reply;

        if (s->refuse == S_OK)
                return reply_with(call, DBUS_TYPE_INT32, &deleted, DBUS_TYPE_STRING, &none,
                                  DBUS_TYPE_INVALID);
        reply = refusal(call, s->refuse);
        ck_assert(dbus_message_append_args(reply, DBUS_TYPE_INT32, &deleted, DBUS_TYPE_STRING, &id,
                                           DBUS_TYPE_INVALID));
        return reply;
}

static inline DBusMessage *reply_status(DBusMessage *call) {
        const char *id = SOME_ID_TEXT, *name = "Writer", *message = "";
        dbus_uint32_t state = VSS_WS_FAILED_AT_FREEZE;
        dbus_int32_t failure = VSS_E_WRITERERROR_TIMEOUT, application = 42;

        return reply_with(call, DBUS_TYPE_STRING, &id, DBUS_TYPE_STRING, &id, DBUS_TYPE_STRING,
                          &name, DBUS_TYPE_UINT32, &state, DBUS_TYPE_INT32, &failure,
                          DBUS_TYPE_INT32, &application, DBUS_TYPE_STRING, &message,
                          DBUS_TYPE_INVALID);
}

static const char *const operations[] = { "GatherWriterMetadata", "PrepareForBackup",
                                          "DoSnapshotSet", "GatherWriterStatus", "BackupComplete" };
static const char *const id_methods[] = { "StartSnapshotSet", "AddToSnapshotSet", "GetSessionId" };
static const char *const count_methods[] = { "GetWriterMetadataCount", "GetWriterStatusCount" };
static const char *const row_methods[] = { "Query", "ListSnapshots", "ListProviders" };

static inline bool is_one_of(DBusMessage *call, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (dbus_message_has_member(call, names[i]))
                        return true;
        return false;
}
#define IS_ONE_OF(call, names) is_one_of(call, names, ARRAY_SIZE(names))

static inline DBusMessage *serve_session(struct fake_bus *bus, DBusMessage *call) {
        const struct script *s = bus->data;
        const char *id = SOME_ID_TEXT, *provider = "lvm-thick", *reason = "", *odd = "odd";
        dbus_uint32_t count = 3;
        dbus_bool_t truth = TRUE;
        dbus_int32_t bits = VSS_SC_DISABLE_DEFRAG;

        if (dbus_message_has_member(call, "DeleteSnapshots"))
                return reply_deletion(call, s);
        if (s->refuse != S_OK)
                return refusal(call, s->refuse);
        if (s->foreign)
                return dbus_message_new_error(call, s->foreign, "the bus says so");
        if (s->nonsense)
                return reply_with(call, DBUS_TYPE_STRING, &odd, DBUS_TYPE_INVALID);
        if (IS_ONE_OF(call, operations))
                return reply_operation(bus, call);
        if (IS_ONE_OF(call, id_methods))
                return reply_with(call, DBUS_TYPE_STRING, &id, DBUS_TYPE_INVALID);
        if (IS_ONE_OF(call, count_methods))
                return reply_with(call, DBUS_TYPE_UINT32, &count, DBUS_TYPE_INVALID);
        if (IS_ONE_OF(call, row_methods))
                return reply_rows(call, s);
        if (dbus_message_has_member(call, "GetSnapshotProperties"))
                return reply_properties(call);
        if (dbus_message_has_member(call, "GetWriterStatus"))
                return reply_status(call);
        if (dbus_message_has_member(call, "IsVolumeSnapshotted"))
                return reply_with(call, DBUS_TYPE_BOOLEAN, &truth, DBUS_TYPE_INT32, &bits,
                                  DBUS_TYPE_INVALID);
        if (dbus_message_has_member(call, "ShouldBlockRevert"))
                return reply_with(call, DBUS_TYPE_BOOLEAN, &truth, DBUS_TYPE_INVALID);
        if (dbus_message_has_member(call, "IsVolumeSupported"))
                return dbus_message_has_path(call, SESSION)
                               ? reply_with(call, DBUS_TYPE_BOOLEAN, &truth, DBUS_TYPE_INVALID)
                               : reply_with(call, DBUS_TYPE_BOOLEAN, &truth, DBUS_TYPE_STRING,
                                            &provider, DBUS_TYPE_STRING, &reason,
                                            DBUS_TYPE_INVALID);
        return dbus_message_new_method_return(call);
}

static inline DBusMessage *serve(struct fake_bus *bus, DBusMessage *call) {
        const struct script *s = bus->data;
        const char *path = SESSION, *message = FAILED(s->status) ? "It broke" : "";
        dbus_int32_t hr;

        if (dbus_message_has_member(call, "CreateBackupComponents"))
                return s->refuse_session != S_OK
                               ? refusal(call, s->refuse_session)
                               : reply_with(call, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
        if (dbus_message_has_member(call, "QueryStatus")) {
                hr = s->status;
                return reply_with(call, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING, &message,
                                  DBUS_TYPE_INVALID);
        }
        if (dbus_message_has_member(call, "Cancel")) {
                hr = s->cancel;
                return reply_with(call, DBUS_TYPE_INT32, &hr, DBUS_TYPE_INVALID);
        }
        if (dbus_message_has_member(call, "Release"))
                return dbus_message_new_method_return(call);
        return serve_session(bus, call);
}

static struct fake_bus bus;
static struct script script;

static inline void setup(void) {
        script = (struct script){ .completes = VSS_S_ASYNC_PENDING, .status = VSS_S_ASYNC_PENDING };
        fake_start(&bus, serve, &script);
}

static inline void teardown(void) {
        fake_stop(&bus);
}

static inline IVssBackupComponents *new_backup(void) {
        IVssBackupComponents *backup = NULL;
        HRESULT hr = CreateVssBackupComponents(&backup);

        ck_assert_msg(hr == S_OK, "%s", VssLastErrorMessage());
        return backup;
}

static inline IVssAsync *begin(IVssBackupComponents *backup) {
        IVssAsync *async = NULL;
        HRESULT hr = IVssBackupComponents_DoSnapshotSet(backup, &async);

        ck_assert_msg(hr == S_OK, "%s", VssLastErrorMessage());
        return async;
}

static inline bool was_called(const char *member) {
        bool called;

        (void)pthread_mutex_lock(&bus.lock);
        called = strstr(bus.calls, member) != NULL;
        (void)pthread_mutex_unlock(&bus.lock);
        return called;
}

static inline void assert_status(IVssAsync *async, HRESULT expected) {
        HRESULT status = S_OK;

        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, NULL), S_OK);
        ck_assert_msg(status == expected, "0x%08x", (unsigned)status);
}
