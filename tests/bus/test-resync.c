/* Resynchronisation and "fast recovery" where there is no hardware provider: what a restore is told
 * at each of its steps, that its writers hear nothing of it, and that it can go on. */

#include "tests/bus/bus-writer.h"

#include <stdio.h>
#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#define CLASS "aaaaaaaa-0000-4000-8000-000000000007"
#define COMPONENT CLASS, VSS_CT_FILEGROUP, "", "files"
#define NULL_ID "00000000-0000-0000-0000-000000000000"
#define UNKNOWN "00000000-0000-0000-0000-0000000000aa"
#define DOCUMENT                                                                           \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\" "      \
        "backupSchema=\"0\">"                                                              \
        "<IDENTIFICATION writerId=\"" CLASS "\" instanceId=\"" CLASS                       \
        "\" friendlyName=\"App Writer\" usage=\"USER_DATA\" dataSource=\"OTHER\"/>"        \
        "<RESTORE_METHOD method=\"RESTORE_IF_CAN_BE_REPLACED\" writerRestore=\"always\" "  \
        "rebootRequired=\"no\"/>"                                                          \
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"files\" selectable=\"yes\" "        \
        "selectableForRestore=\"yes\"><FILE_LIST path=\"/srv/data/files\" filespec=\"*\" " \
        "recursive=\"yes\"/></FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>"

static struct harness h;
static struct client c;
static struct bus_writer app = {
        .label = "app",
        .name = "App Writer",
        .class_id = CLASS,
        .level = VSS_APP_BACK_END,
        .metadata = DOCUMENT,
};
static char snapshot[64], other_snapshot[64], document[16384];

/* Leaves the set, which goes with its session, and its document. */
static void back_up(void) {
        const char *session = client_session(&c), *id, *xml;

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetBackupState", "bbub", TRUE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        client_do(&c, session, SESSION, "AddComponent", "ssuss", app.instance_id, COMPONENT);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        reply_read(client_call(&c, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", ""),
                   "s", &id);
        (void)snprintf(snapshot, sizeof(snapshot), "%s", id);
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "SaveAsXML", ""), "v", &xml);
        ck_assert_uint_lt(strlen(xml), sizeof(document));
        (void)snprintf(document, sizeof(document), "%s", xml);
}

/* Another set, which that document does not have. */
static void make_other_set(void) {
        char *volumes[] = { (char *)"/srv/mail", NULL };
        char *options[] = { (char *)"exclude-writers", (char *)"App Writer", NULL };
        char **ids = NULL, **devices = NULL;
        const char *set;

        reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options),
                   "sasas", &set, &ids, &devices);
        ck_assert_ptr_nonnull(ids[0]);
        (void)snprintf(other_snapshot, sizeof(other_snapshot), "%s", ids[0]);
        strv_free(ids);
        strv_free(devices);
}

static void setup(void) {
        bus_writer_forget();
        harness_start(&h, NULL);
        client_open(&c, &h);
        bus_writer_start(&app, &h);
        back_up();
        make_other_set();
}

static void teardown(void) {
        bus_writer_stop(&app);
        client_close(&c);
        harness_stop(&h);
}

/* AddSnapshotToRecoverySet is refused with that error, and says why. */
static const char *not_queued(const char *session, const char *error, const char *id,
                              dbus_uint32_t flags, const char *destination) {
        const char *sentence = client_fails(&c, error, session, SESSION, "AddSnapshotToRecoverySet",
                                            "sus", id, flags, destination);

        ck_assert_str_ne(sentence, "");
        return sentence;
}

static void nothing_recovered(const char *session) {
        static const dbus_uint32_t flags[] = { 0, VSS_RECOVERY_REVERT_IDENTITY_ALL,
                                               VSS_RECOVERY_NO_VOLUME_CHECK, 1 };

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                client_fails(&c, ERROR("BadState"), session, SESSION, "RecoverSet", "u", flags[i]);
}

/* In any state, and whatever is said. */
static void reserved_methods(const char *session) {
        client_fails(&c, ERROR("NotImpl"), session, SESSION, "PreFastRecovery", "su", UNKNOWN, 0U);
        client_fails(&c, ERROR("NotImpl"), session, SESSION, "PreFastRecovery", "su", "x", 7U);
        client_fails(&c, ERROR("NotImpl"), session, SESSION, "FastRecovery", "su", UNKNOWN, 0U);
        client_fails(&c, ERROR("NotImpl"), session, SESSION, "FastRecovery", "su", "", ~0U);
}

/* In a state of a restore in which a resync could be asked for. */
static void ask_for_all(const char *session) {
        size_t opened = harness_count(&h, "open");

        reserved_methods(session);
        ck_assert_ptr_nonnull(strstr(not_queued(session, ERROR("BadState"), snapshot, 0, ""),
                                     "no hardware provider"));
        not_queued(session, ERROR("InvalidArg"), "x", 0, "");
        not_queued(session, ERROR("InvalidArg"), NULL_ID, 0, "");
        not_queued(session, ERROR("InvalidArg"), snapshot, 1, "");
        not_queued(session, ERROR("InvalidArg"), snapshot, 0, "srv");
        not_queued(session, ERROR("ObjectNotFound"), UNKNOWN, 0, "");
        not_queued(session, ERROR("SnapshotNotInSet"), other_snapshot, 0, "/srv/mail");
        ck_assert_uint_eq(harness_count(&h, "open"), opened);
        not_queued(session, ERROR("ObjectNotFound"), snapshot, 0, "/no/such/volume");
        ck_assert_ptr_nonnull(
                strstr(not_queued(session, ERROR("BadState"), snapshot, 0, "/srv/mail"),
                       "no hardware provider"));
        ck_assert_uint_eq(harness_count(&h, "open"), opened + 2);
        nothing_recovered(session);
}

START_TEST(a_restore_goes_on_without_a_resync) {
        const char *session, *xml;

        bus_writer_forget();
        session = client_session(&c);
        reserved_methods(session);
        not_queued(session, ERROR("BadState"), snapshot, 0, "");
        nothing_recovered(session);

        client_do(&c, session, SESSION, "InitializeForRestore", "v", document);
        ask_for_all(session);
        reply_read(client_call(&c, session, SESSION, "SaveAsXML", ""), "v", &xml);
        ck_assert_str_eq(xml, document);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        ask_for_all(session);
        client_do(&c, session, SESSION, "SetSelectedForRestore", "sussb", COMPONENT, TRUE);
        ck_assert_int_eq(client_run(&c, session, "PreRestore", NULL), VSS_S_ASYNC_FINISHED);
        ask_for_all(session);
        client_do(&c, session, SESSION, "SetFileRestoreStatus", "sussu", COMPONENT, VSS_RS_ALL);
        ck_assert_int_eq(client_run(&c, session, "PostRestore", NULL), VSS_S_ASYNC_FINISHED);

        /* Too late. */
        ck_assert_ptr_null(
                strstr(not_queued(session, ERROR("BadState"), snapshot, 0, ""), "hardware"));
        nothing_recovered(session);
        reserved_methods(session);

        /* A writer is told things in their order: what stood between these would be here. */
        session = client_session(&c);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        not_queued(session, ERROR("BadState"), snapshot, 0, "");
        nothing_recovered(session);
        reserved_methods(session);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_str_eq(bus_writer_events(),
                         "app:Identify app:PreRestore app:PostRestore app:Identify ");
}
END_TEST

/* What storage says of a destination is passed on, and a requester that is gone is no harm. */
START_TEST(a_destination_that_is_unfit) {
        const char *session = client_session(&c);
        struct client gone;
        DBusMessage *m;
        char knob[32];

        client_do(&c, session, SESSION, "InitializeForRestore", "v", document);
        (void)snprintf(knob, sizeof(knob), "open %d", (int)VSS_E_VOLUME_NOT_SUPPORTED);
        harness_knob(&h, "fail", knob);
        not_queued(session, ERROR("VolumeNotSupported"), snapshot, 0, "/srv/mail");
        harness_knob(&h, "fail", NULL);
        not_queued(session, ERROR("BadState"), snapshot, 0, "/srv/mail");

        harness_knob(&h, "slow", "open 300");
        client_open(&gone, &h);
        session = client_session(&gone);
        client_do(&gone, session, SESSION, "InitializeForRestore", "v", document);
        m = message_new(session, SESSION, "AddSnapshotToRecoverySet", "sus", snapshot, 0U,
                        "/srv/mail");
        ck_assert(dbus_connection_send(gone.connection, m, NULL));
        dbus_message_unref(m);
        dbus_connection_flush(gone.connection);
        client_close(&gone);
        harness_knob(&h, "slow", NULL);
        session = client_session(&c);
        client_do(&c, session, SESSION, "InitializeForRestore", "v", document);
        not_queued(session, ERROR("BadState"), snapshot, 0, "/srv/mail");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("resync");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 120);
        tcase_add_test(tc, a_restore_goes_on_without_a_resync);
        tcase_add_test(tc, a_destination_that_is_unfit);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
