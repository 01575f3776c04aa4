/* The writer's half of the library against a service that asks, forgets, dies and comes back: an
 * application that was frozen always goes on, and is there again afterwards. */

#include "common/time-util.h"
#include "fake-events.h"

static const VSS_ID class_id = { .Data1 = 0xa, .Data4 = { 1 } };

static CVssWriter *writer;

/* What the application does and did; handlers run on the library's thread. */
static struct {
        bool veto;
        HRESULT failure;
        unsigned freeze_msec; /* OnFreeze takes so long */
        VSS_ID shutdown_set;
} app;

static bool answer(CVssWriter *w) {
        if (app.failure != S_OK)
                ck_assert_int_eq(
                        CVssWriterEx2_SetWriterFailureEx(w, app.failure, 42, "disk \xff full"),
                        S_OK);
        return !app.veto;
}

static bool on_identify(CVssWriter *w, void *user, IVssCreateWriterMetadata *metadata) {
        ck_assert_ptr_eq(user, &app);
        note("Identify");
        /* No failure may be recorded in Identify. */
        ck_assert_int_eq(CVssWriter_SetWriterFailure(w, VSS_E_WRITERERROR_RETRYABLE),
                         VSS_E_BAD_STATE);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP, NULL,
                                                               "files", NULL, NULL, 0, false, false,
                                                               true, false, 0),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                 metadata, NULL, "files", "/srv", "*", true, NULL, 0xf0f),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddExcludeFiles(metadata, "/srv", "*~", true),
                         S_OK);
        ck_assert_int_eq(
                IVssCreateWriterMetadata_SetRestoreMethod(metadata, VSS_RME_RESTORE_IF_CAN_REPLACE,
                                                          NULL, NULL, VSS_WRE_NEVER, false),
                S_OK);
        return !app.veto;
}

static bool on_prepare_backup(CVssWriter *w, void *user, IVssWriterComponents *components) {
        (void)user;
        ck_assert_ptr_null(components);
        ck_assert_int_eq(CVssWriter_GetBackupType(w), VSS_BT_COPY);
        ck_assert(CVssWriter_AreComponentsSelected(w));
        ck_assert(CVssWriter_IsBootableSystemStateBackedUp(w));
        ck_assert(CVssWriter_IsPartialFileSupportEnabled(w));
        ck_assert_uint_eq(CVssWriter_GetCurrentVolumeCount(w), 0);
        note("PrepareBackup");
        return answer(w);
}

static bool on_prepare_snapshot(CVssWriter *w, void *user) {
        LPCWSTR device = "untouched";
        VSS_ID session;

        (void)user;
        ck_assert_uint_eq(CVssWriter_GetCurrentVolumeCount(w), 2);
        ck_assert_str_eq(CVssWriter_GetCurrentVolumeArray(w)[1], "/proc/");
        ck_assert(vss_id_equal(CVssWriter_GetCurrentSnapshotSetId(w), events_set_id));
        ck_assert_int_eq(CVssWriter_GetContext(w), VSS_CTX_APP_ROLLBACK);
        ck_assert_int_eq(CVssWriter_GetCurrentLevel(w), VSS_APP_BACK_END);
        ck_assert_int_eq(CVssWriterEx2_GetSessionId(w, &session), S_OK);
        ck_assert_uint_eq(session.Data1, 0xc);
        ck_assert(CVssWriter_IsPathAffected(w, "/proc/self/../nothing-of-this-name"));
        ck_assert(CVssWriter_IsPathAffected(w, "/proc/${percent}"));
        ck_assert(!CVssWriter_IsPathAffected(w, "${NO_SUCH_VARIABLE}/proc"));
        ck_assert(!CVssWriter_IsPathAffected(w, "proc"));
        ck_assert(!CVssWriter_IsPathAffected(w, "/sys"));
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(w, "/proc/", &device), VSS_E_BAD_STATE);
        ck_assert_ptr_null(device);
        ck_assert_int_eq(CVssWriter_Unsubscribe(w), VSS_E_BAD_STATE);
        note("PrepareSnapshot");
        return answer(w);
}

static bool on_freeze(CVssWriter *w, void *user) {
        (void)user;
        note("Freeze");
        if (app.freeze_msec)
                (void)poll(NULL, 0, (int)app.freeze_msec);
        return answer(w);
}

static bool on_thaw(CVssWriter *w, void *user) {
        (void)user;
        note("Thaw");
        return answer(w);
}

static bool on_post_snapshot(CVssWriter *w, void *user, IVssWriterComponents *components) {
        LPCWSTR device = NULL;

        (void)user;
        (void)components;
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(w, "/proc", &device), S_OK);
        ck_assert_str_eq(device, "/run/vss/ShadowCopy2");
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(w, "/other/", &device),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(w, NULL, &device), E_INVALIDARG);
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(w, "", &device), E_INVALIDARG);
        ck_assert_ptr_null(device);
        note("PostSnapshot");
        return answer(w);
}

static bool on_abort(CVssWriter *w, void *user) {
        (void)user;
        note("Abort");
        return answer(w);
}

static bool on_backup_shutdown(CVssWriter *w, void *user, VSS_ID id) {
        (void)user;
        app.shutdown_set = id;
        note("BackupShutdown");
        return answer(w);
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(VSS_WRITER_CALLBACKS),
        .OnIdentify = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupShutdown = on_backup_shutdown,
};

static void new_writer(DWORD freeze_timeout_ms) {
        ck_assert_int_eq(CVssWriter_Create(&callbacks, &app, &writer), S_OK);
        ck_assert_int_eq(CVssWriterEx_InitializeEx(writer, class_id, "Test Writer", 2, 1,
                                                   VSS_UT_USERDATA, VSS_ST_OTHER, VSS_APP_BACK_END,
                                                   freeze_timeout_ms, VSS_AWS_NO_ALTERNATE_WRITER,
                                                   false, "one"),
                         S_OK);
}

static HRESULT subscribe(void) {
        return CVssWriter_Subscribe(writer, VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT,
                                    VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG);
}

static void setup(void) {
        events_start();
}

static void teardown(void) {
        CVssWriter_Release(writer);
        events_stop();
        /* For a run without fork. */
        writer = NULL;
        memset(&app, 0, sizeof(app));
}

static void start(DWORD freeze_timeout_ms) {
        new_writer(freeze_timeout_ms);
        ck_assert_msg(subscribe() == S_OK, "%s", VssLastErrorMessage());
}

/* Keeps the writer busy with an event that has no handler until some time has passed. */
static void talk_for(unsigned msec) {
        uint64_t end = now_monotonic_usec() + msec * USEC_PER_MSEC;

        do
                tell("BackupComplete", true, S_OK, "");
        while (now_monotonic_usec() < end);
}

START_TEST(a_writer_needs_its_handlers_and_an_identity) {
        VSS_WRITER_CALLBACKS incomplete = callbacks;
        CVssWriter *w = (CVssWriter *)&bus;

        incomplete.OnThaw = NULL;
        ck_assert_int_eq(CVssWriter_Create(&incomplete, NULL, &w), E_INVALIDARG);
        ck_assert_ptr_null(w);
        incomplete = callbacks;
        incomplete.size = 8;
        ck_assert_int_eq(CVssWriter_Create(&incomplete, NULL, &w), E_INVALIDARG);
        ck_assert_int_eq(CVssWriter_Create(&callbacks, NULL, NULL), E_INVALIDARG);
        ck_assert_int_eq(CVssWriter_Create(&callbacks, &app, &writer), S_OK);
        ck_assert_int_eq(subscribe(), VSS_E_BAD_STATE);
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), VSS_E_BAD_STATE);
}
END_TEST

static HRESULT initialize(VSS_ID id, const char *name, VSS_USAGE_TYPE usage,
                          VSS_APPLICATION_LEVEL level, VSS_ALTERNATE_WRITER_STATE aws) {
        return CVssWriter_Initialize(writer, id, name, usage, VSS_ST_OTHER, level, 0, aws, false,
                                     NULL);
}

START_TEST(identities_are_checked_and_set_once) {
        const VSS_ALTERNATE_WRITER_STATE aws = VSS_AWS_NO_ALTERNATE_WRITER;

        ck_assert_int_eq(CVssWriter_Create(&callbacks, &app, &writer), S_OK);
        ck_assert_int_eq(initialize(GUID_NULL, "w", VSS_UT_OTHER, VSS_APP_SYSTEM, aws),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "", VSS_UT_OTHER, VSS_APP_SYSTEM, aws), E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, NULL, VSS_UT_OTHER, VSS_APP_SYSTEM, aws),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "\xff", VSS_UT_OTHER, VSS_APP_SYSTEM, aws),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_UNDEFINED, VSS_APP_SYSTEM, aws),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_OTHER, VSS_APP_UNKNOWN, aws),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_OTHER, VSS_APP_AUTO, aws), E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_OTHER, VSS_APP_SYSTEM,
                                    VSS_AWS_THIS_IS_ALTERNATE_WRITER),
                         E_INVALIDARG);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_OTHER, VSS_APP_SYSTEM, aws), S_OK);
        ck_assert_int_eq(initialize(class_id, "w", VSS_UT_OTHER, VSS_APP_SYSTEM, aws),
                         VSS_E_BAD_STATE);
        ck_assert_int_eq(CVssWriter_Subscribe(writer, 0, VSS_SM_IO_THROTTLING_FLAG), E_INVALIDARG);
}
END_TEST

START_TEST(subscribing_registers_who_the_writer_is) {
        VSS_ID instance;

        start(1234);
        ck_assert_uint_eq(events.n_registrations, 1);
        ck_assert(events.was_auto_start);
        ck_assert_str_eq(events.id, "0000000a-0000-0000-0100-000000000000");
        ck_assert_str_eq(events.name, "Test Writer");
        ck_assert_str_eq(events.options.instance_name, "one");
        ck_assert_uint_eq(events.options.usage, VSS_UT_USERDATA);
        ck_assert_int_eq(events.options.level, VSS_APP_BACK_END);
        ck_assert_uint_eq(events.options.freeze_timeout_ms, 1234);
        ck_assert_uint_eq(events.options.major_version, 2);
        instance = events.options.instance_id;
        ck_assert(!vss_id_is_null(instance));
        ck_assert_int_eq(subscribe(), VSS_E_WRITER_ALREADY_SUBSCRIBED);
        ck_assert(!CVssWriterEx2_IsWriterShuttingDown(writer));
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), S_OK);
        (void)pthread_mutex_lock(&bus.lock);
        while (!strstr(bus.calls, "UnregisterWriter"))
                ck_assert_int_eq(pthread_cond_wait(&bus.changed, &bus.lock), 0);
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(subscribe(), S_OK); /* and again */
        ck_assert_uint_eq(events.n_registrations, 2);
        ck_assert(vss_id_equal(events.options.instance_id, instance)); /* it is the object's */
        CVssWriter_Release(writer);
        start(0);
        ck_assert(!vss_id_equal(events.options.instance_id, instance));
}
END_TEST

START_TEST(a_refused_registration_is_the_answer_of_subscribe) {
        new_writer(0);
        events.refuse = E_ACCESSDENIED;
        ck_assert_int_eq(subscribe(), E_ACCESSDENIED);
        ck_assert_str_eq(VssLastErrorMessage(), "Not now");
        events.refuse = VSS_E_WRITER_ALREADY_SUBSCRIBED;
        ck_assert_int_eq(subscribe(), VSS_E_WRITER_ALREADY_SUBSCRIBED);
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), VSS_E_BAD_STATE);
}
END_TEST

/* Its answer: the document's text, NULL for an empty one; owned by *ret. */
static const char *identify(bool wanted, struct document **ret) {
        DBusMessage *reply = tell_as(FAKE_SERVICE, "Identify", &(struct told){ 0 });
        DBusMessageIter iter;
        dbus_bool_t ok;

        ck_assert(dbus_message_has_signature(reply, "bv"));
        ck_assert(dbus_message_iter_init(reply, &iter));
        dbus_message_iter_get_basic(&iter, &ok);
        ck_assert_int_eq(ok, wanted);
        (void)dbus_message_iter_next(&iter);
        ck_assert_int_eq(document_read(&iter, "metadata", DOCUMENT_MAX, ret, NULL), 0);
        dbus_message_unref(reply);
        return *ret ? document_text(*ret) : NULL;
}

START_TEST(identify_gives_the_document) {
        _cleanup_(document_unrefp) struct document *document = NULL, *none = NULL;
        const char *xml;

        start(0);
        xml = identify(true, &document);
        ck_assert_ptr_nonnull(strstr(xml, "instanceId=\"" INSTANCE_TEXT "\""));
        ck_assert_ptr_nonnull(strstr(xml, "componentName=\"files\""));
        ck_assert_ptr_nonnull(strstr(xml, "<EXCLUDE_FILES"));
        app.veto = true;
        ck_assert_ptr_null(identify(false, &none));
}
END_TEST

START_TEST(a_backup_passes_every_handler) {
        start(0);
        tell("PrepareBackup", true, S_OK, "");
        tell("PrepareSnapshot", true, S_OK, "");
        tell("Freeze", true, S_OK, "");
        tell("Thaw", true, S_OK, "");
        tell("PostSnapshot", true, S_OK, "");
        tell("BackupComplete", true, S_OK, ""); /* no handler: the default */
        tell("BackupShutdown", true, S_OK, "");
        tell("PreRestore", true, S_OK, "");
        tell("PostRestore", true, S_OK, "");
        assert_journal(" PrepareBackup PrepareSnapshot Freeze Thaw PostSnapshot BackupShutdown");
        ck_assert(vss_id_equal(app.shutdown_set, events_set_id));
}
END_TEST

START_TEST(a_veto_and_its_reason_reach_the_service) {
        start(0);
        app.veto = true;
        tell("PrepareSnapshot", false, VSS_E_WRITERERROR_NONRETRYABLE, "");
        app.failure = VSS_E_WRITERERROR_OUTOFRESOURCES;
        tell("PrepareSnapshot", false, VSS_E_WRITERERROR_OUTOFRESOURCES, "disk \xef\xbf\xbd full");
        app.veto = false;
        tell("PrepareSnapshot", true, VSS_E_WRITERERROR_OUTOFRESOURCES, NULL);
        app.failure = S_OK;
        tell("PrepareSnapshot", true, S_OK, "");
}
END_TEST

START_TEST(outside_a_handler_there_is_nothing_to_ask) {
        LPCWSTR device;
        VSS_ID id;

        start(0);
        ck_assert_int_eq(CVssWriter_SetWriterFailure(writer, VSS_E_WRITERERROR_RETRYABLE),
                         VSS_E_BAD_STATE);
        ck_assert_int_eq(CVssWriter_SetWriterFailure(writer, VSS_E_BAD_STATE), E_INVALIDARG);
        ck_assert_int_eq(CVssWriter_SetWriterFailure(writer, S_OK), E_INVALIDARG);
        ck_assert_int_eq(CVssWriterEx2_SetWriterFailureEx(writer, E_FAIL, 0, NULL), E_INVALIDARG);
        ck_assert_int_eq(CVssWriterEx2_GetSessionId(writer, &id), VSS_E_BAD_STATE);
        ck_assert_int_eq(CVssWriter_GetSnapshotDeviceName(writer, "/", &device), VSS_E_BAD_STATE);
        ck_assert_uint_eq(CVssWriter_GetCurrentVolumeCount(writer), 0);
        ck_assert_ptr_null(CVssWriter_GetCurrentVolumeArray(writer));
        ck_assert(vss_id_is_null(CVssWriter_GetCurrentSnapshotSetId(writer)));
        ck_assert_int_eq(CVssWriter_GetContext(writer), VSS_CTX_BACKUP);
        ck_assert_int_eq(CVssWriter_GetBackupType(writer), VSS_BT_UNDEFINED);
        ck_assert(!CVssWriter_IsPathAffected(writer, "/"));
}
END_TEST

START_TEST(only_the_service_is_obeyed) {
        DBusMessage *reply;

        start(0);
        reply = tell_as(FAKE_STRANGER, "Freeze", &(struct told){ 0 });
        ck_assert(dbus_message_is_error(reply, VSS_BUS_ERROR_PREFIX "AccessDenied"));
        dbus_message_unref(reply);
        assert_journal("");
}
END_TEST

START_TEST(malformed_events_are_refused) {
        DBusMessage *m, *reply;
        const char *session = "nonsense";
        DBusMessageIter iter;

        start(0);
        m = dbus_message_new_method_call(NULL, WRITER_EVENTS_PATH, WRITER_EVENTS_INTERFACE,
                                         "Freeze");
        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &session));
        ck_assert_int_eq(wire_append_dict(&iter, &wire_event_details_table,
                                          &(struct wire_event_details){ 0 }),
                         0);
        reply = fake_event(&bus, m, FAKE_SERVICE);
        ck_assert(dbus_message_is_error(reply, VSS_BUS_ERROR_PREFIX "InvalidArg"));
        dbus_message_unref(reply);
        assert_journal("");
}
END_TEST

START_TEST(a_freeze_ends_by_itself_and_the_thaw_then_comes_too_late) {
        start(1000);
        tell("PrepareSnapshot", true, S_OK, "");
        tell("Freeze", true, S_OK, "");
        wait_for(has_aborted);
        tell("Thaw", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        tell("PostSnapshot", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" PrepareSnapshot Freeze Abort");
        tell("Abort", true, S_OK, "");  /* it may come again, and does no harm */
        tell("Freeze", true, S_OK, ""); /* a new set starts afresh */
        tell("Thaw", true, S_OK, "");
        assert_journal(" PrepareSnapshot Freeze Abort Abort Freeze Thaw");
}
END_TEST

START_TEST(the_services_shorter_deadline_counts) {
        start(0);
        dbus_message_unref(
                tell_as(FAKE_SERVICE, "Freeze", &(struct told){ .freeze_timeout_ms = 500 }));
        wait_for(has_aborted);
        assert_journal(" Freeze Abort");
}
END_TEST

START_TEST(a_freeze_in_time_is_not_ended_twice) {
        start(1500);
        tell("Freeze", true, S_OK, "");
        tell("Thaw", true, S_OK, "");
        talk_for(1600); /* past the deadline that was */
        tell("PostSnapshot", true, S_OK, "");
        assert_journal(" Freeze Thaw PostSnapshot");
}
END_TEST

START_TEST(a_freeze_that_takes_too_long_is_undone) {
        start(500);
        app.freeze_msec = 600;
        tell("Freeze", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" Freeze Abort");
}
END_TEST

START_TEST(an_abort_from_the_service_ends_the_freeze) {
        start(400);
        tell("Freeze", true, S_OK, "");
        tell("Abort", true, S_OK, "");
        tell("Thaw", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        talk_for(450);
        assert_journal(" Freeze Abort");
}
END_TEST

START_TEST(the_end_of_the_session_ends_the_freeze) {
        start(0);
        tell("Freeze", true, S_OK, "");
        tell("BackupShutdown", true, S_OK, "");
        assert_journal(" Freeze Abort BackupShutdown");
}
END_TEST

START_TEST(a_service_that_dies_thaws_the_application_and_is_found_again) {
        start(0); /* the deadline is a minute away */
        tell("Freeze", true, S_OK, "");
        (void)pthread_mutex_lock(&bus.lock);
        fake_name_owner_changed(&bus, VSS_BUS_NAME, FAKE_SERVICE, "");
        (void)pthread_mutex_unlock(&bus.lock);
        wait_for(has_aborted);
        (void)pthread_mutex_lock(&bus.lock);
        ck_assert_uint_eq(events.n_registrations, 1);
        fake_name_owner_changed(&bus, VSS_BUS_NAME, "", FAKE_SERVICE);
        fake_wait(&bus, has_registered_again);
        ck_assert(!events.was_auto_start); /* it would bring back what was stopped */
        fake_wait(&bus, has_shut_down);
        (void)pthread_mutex_unlock(&bus.lock);
        tell("Freeze", true, S_OK, "");
        tell("Thaw", true, S_OK, "");
        assert_journal(" Freeze Abort BackupShutdown Freeze Thaw");
}
END_TEST

START_TEST(old_news_of_the_name_changes_nothing) {
        start(0);
        tell("Freeze", true, S_OK, "");
        (void)pthread_mutex_lock(&bus.lock);
        fake_name_owner_changed(&bus, VSS_BUS_NAME, "", ":1.0");
        fake_name_owner_changed(&bus, VSS_BUS_NAME, ":1.0", "");
        fake_name_owner_changed(&bus, VSS_BUS_NAME, "", FAKE_SERVICE);
        (void)pthread_mutex_unlock(&bus.lock);
        tell("Thaw", true, S_OK, "");
        ck_assert_uint_eq(events.n_registrations, 1);
        assert_journal(" Freeze Thaw");
}
END_TEST

START_TEST(a_bus_that_dies_thaws_the_application_and_is_found_again) {
        start(0);
        tell("Freeze", true, S_OK, "");
        (void)pthread_mutex_lock(&bus.lock);
        dbus_connection_close(fake_peer(&bus));
        fake_wait(&bus, has_aborted);
        fake_wait(&bus, has_registered_again);
        fake_wait(&bus, has_shut_down);
        ck_assert_uint_eq(bus.n_hellos, 2);
        (void)pthread_mutex_unlock(&bus.lock);
        tell("PrepareSnapshot", true, S_OK, "");
        assert_journal(" Freeze Abort BackupShutdown PrepareSnapshot");
}
END_TEST

START_TEST(a_registration_that_is_refused_later_is_tried_again) {
        start(0);
        (void)pthread_mutex_lock(&bus.lock);
        events.refuse = VSS_E_WRITER_ALREADY_SUBSCRIBED;
        fake_name_owner_changed(&bus, VSS_BUS_NAME, FAKE_SERVICE, "");
        fake_name_owner_changed(&bus, VSS_BUS_NAME, "", FAKE_SERVICE);
        fake_wait(&bus, has_registered_again);
        events.refuse = S_OK;
        events.n_registrations = 1;
        fake_wait(&bus, has_registered_again);
        (void)pthread_mutex_unlock(&bus.lock);
        tell("PrepareSnapshot", true, S_OK, "");
}
END_TEST

START_TEST(leaving_thaws_the_application) {
        start(0);
        tell("Freeze", true, S_OK, "");
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), S_OK);
        assert_journal(" Freeze Abort BackupShutdown");
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                a_writer_needs_its_handlers_and_an_identity,
                identities_are_checked_and_set_once,
                subscribing_registers_who_the_writer_is,
                a_refused_registration_is_the_answer_of_subscribe,
                identify_gives_the_document,
                a_backup_passes_every_handler,
                a_veto_and_its_reason_reach_the_service,
                outside_a_handler_there_is_nothing_to_ask,
                only_the_service_is_obeyed,
                malformed_events_are_refused,
                a_freeze_ends_by_itself_and_the_thaw_then_comes_too_late,
                the_services_shorter_deadline_counts,
                a_freeze_in_time_is_not_ended_twice,
                a_freeze_that_takes_too_long_is_undone,
                an_abort_from_the_service_ends_the_freeze,
                the_end_of_the_session_ends_the_freeze,
                a_service_that_dies_thaws_the_application_and_is_found_again,
                old_news_of_the_name_changes_nothing,
                a_bus_that_dies_thaws_the_application_and_is_found_again,
                a_registration_that_is_refused_later_is_tried_again,
                leaving_thaws_the_application,
        };
        Suite *suite;

        (void)events_case(&suite, "writer-client", tests, ARRAY_SIZE(tests), setup, teardown);
        return events_run(suite);
}
