/* Express writers on the bus: registered once, reported with the others, never asked for anything,
 * kept over a restart, and saved with the rest by the writer that has their files. */

#include "tests/bus/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#define WRITER_ID "eeeeeeee-0000-4000-8000-000000000001"
#define OTHER_ID "eeeeeeee-0000-4000-8000-000000000002"
#define STORE_ID "75dfb225-e2e4-4d39-9ac9-ffaff65ddf06"
#define DOCUMENT(id, name, component)                                                         \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">"         \
        "<IDENTIFICATION writerId=\"" id "\" instanceId=\"" id "\" friendlyName=\"" name "\"" \
        " usage=\"USER_DATA\" dataSource=\"OTHER\"/>"                                         \
        "<BACKUP_LOCATIONS>" component "</BACKUP_LOCATIONS></WRITER_METADATA>"
#define FILES(mask)                                                                    \
        "<FILE_GROUP componentName=\"c\" selectable=\"yes\"><FILE_LIST path=\"/etc\" " \
        "filespec=\"*\" recursive=\"yes\" filespecBackupType=\"" mask "\"/></FILE_GROUP>"
#define GOOD DOCUMENT(WRITER_ID, "Express", FILES("3841"))

static struct harness h;
static struct client c;

static void setup(void) {
        harness_start(&h, NULL);
        client_open(&c, &h);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

static DBusMessage *registration(const char *text) {
        DBusMessage *m =
                dbus_message_new_method_call(SERVICE, ROOT, MANAGER, "RegisterExpressWriter");
        DBusMessageIter iter, variant;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "s", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text));
        ck_assert(dbus_message_iter_close_container(&iter, &variant));
        return client_send(&c, m);
}

static void registers(const char *text) {
        dbus_message_unref(reply_good(registration(text), "RegisterExpressWriter"));
}

/* How many there are of a class; its instance id in *ret. */
static unsigned listed(const char *class_id, char ret[64]) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListWriters", "");
        unsigned found = 0;

        for (size_t i = 0; i < reply_rows(reply); i++)
                if (streq(reply_row(reply, i, "WriterId"), class_id)) {
                        found++;
                        (void)snprintf(ret, 64, "%s", reply_row(reply, i, "InstanceId"));
                }
        dbus_message_unref(reply);
        return found;
}

static const char *session_with(unsigned wanted) {
        static char session[64];
        dbus_uint32_t n;

        (void)snprintf(session, sizeof(session), "%s", client_session(&c));
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, wanted);
        return session;
}

START_TEST(an_express_writer_is_reported_and_never_asked) {
        const char *instance, *writer, *name, *message, *session;
        dbus_uint32_t n, state;
        dbus_int32_t failure, application;
        char id[64];

        registers(GOOD);
        ck_assert_uint_eq(listed(WRITER_ID, id), 1);
        ck_assert_str_eq(id, WRITER_ID); /* the document's own */
        ck_assert_uint_eq(listed(STORE_ID, id), 1);
        session = session_with(2);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        client_do(&c, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "BackupComplete", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterStatus", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterStatusCount", ""), "u", &n);
        ck_assert_uint_eq(n, 2);
        for (dbus_uint32_t i = 0; i < n; i++) {
                reply_read(client_call(&c, session, SESSION, "GetWriterStatus", "u", i), "sssuiis",
                           &instance, &writer, &name, &state, &failure, &application, &message);
                ck_assert_uint_eq(state, VSS_WS_STABLE);
                ck_assert_int_eq(failure, S_OK);
        }
}
END_TEST

START_TEST(what_is_registered_outlives_the_daemon) {
        char id[64], directory[160], path[320];
        struct stat st;
        FILE *f;

        registers(GOOD);
        registers(DOCUMENT(OTHER_ID, "Other", ""));
        (void)snprintf(directory, sizeof(directory), "%s/state/express-writers", h.directory);
        (void)snprintf(path, sizeof(path), "%s/%s.xml", directory, WRITER_ID);
        ck_assert_int_eq(stat(path, &st), 0);
        client_close(&c);
        harness_kill_daemon(&h);
        /* What is found there is not believed. */
        (void)snprintf(path, sizeof(path), "%s/%s.xml", directory,
                       "eeeeeeee-0000-4000-8000-000000000009");
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(GOOD, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        (void)snprintf(path, sizeof(path), "%s/nonsense.xml", directory);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs("<a><b></a>", f), 0);
        ck_assert_int_eq(fclose(f), 0);
        (void)snprintf(path, sizeof(path), "%s/%s.xml", directory, OTHER_ID);
        ck_assert_int_eq(chmod(path, 0666), 0); /* anybody may have written it */
        (void)snprintf(path, sizeof(path), "%s/.new-left", directory);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fclose(f), 0);
        harness_start_daemon(&h, NULL);
        client_open(&c, &h);
        ck_assert_uint_eq(listed(WRITER_ID, id), 1);
        ck_assert_uint_eq(listed(OTHER_ID, id), 0);
        ck_assert_uint_eq(listed(STORE_ID, id), 1);
        (void)session_with(2);
        ck_assert_int_lt(stat(path, &st), 0);
}
END_TEST

START_TEST(registrations_come_once_and_go_once) {
        char id[64];

        registers(GOOD);
        reply_bad(registration(GOOD), "RegisterExpressWriter", ERROR("ObjectAlreadyExists"));
        client_do(&c, ROOT, MANAGER, "UnregisterExpressWriter", "s", WRITER_ID);
        ck_assert_uint_eq(listed(WRITER_ID, id), 0);
        ck_assert_uint_eq(listed(STORE_ID, id), 0);
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "UnregisterExpressWriter", "s",
                     WRITER_ID);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "UnregisterExpressWriter", "s", "x");
        registers(GOOD);
}
END_TEST

START_TEST(what_an_express_writer_cannot_have_is_refused) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "", ERROR("InvalidArg") },
                { "<WRITER_METADATA", ERROR("InvalidXmlDocument") },
                { "<OTHER/>", ERROR("InvalidXmlDocument") },
                { DOCUMENT("00000000-0000-0000-0000-000000000000", "Express", ""),
                  ERROR("InvalidArg") },
                { DOCUMENT(WRITER_ID, "Express", "<DATABASE componentName=\"d\"/>"),
                  ERROR("NotSupported") },
                { DOCUMENT(WRITER_ID, "Express", FILES("3855")), ERROR("NotSupported") },
                { DOCUMENT(WRITER_ID, "Express",
                           "<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"/etc\" "
                           "filespec=\"*\" alternatePath=\"/srv\" filespecBackupType=\"3841\"/>"
                           "</FILE_GROUP>"),
                  ERROR("NotSupported") },
                { DOCUMENT(WRITER_ID, "Express",
                           "<FILE_GROUP componentName=\"c\" componentFlags=\"1\"/>"),
                  ERROR("NotSupported") },
        };
        char id[64];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                reply_bad(registration(rows[i].text), rows[i].text, rows[i].error);
        ck_assert_uint_eq(listed(WRITER_ID, id), 0);
        ck_assert_uint_eq(listed(STORE_ID, id), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-express");
        TCase *t = tcase_create("bus-express");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, an_express_writer_is_reported_and_never_asked);
        tcase_add_test(t, what_is_registered_outlives_the_daemon);
        tcase_add_test(t, registrations_come_once_and_go_once);
        tcase_add_test(t, what_an_express_writer_cannot_have_is_refused);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
