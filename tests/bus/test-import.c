/* Transportable sets between two hosts, which are two daemons over the same fake storage: made on
 * one, imported on the other by the document alone; what all see of it, and what the death of a
 * daemon leaves. */

#include "tests/bus/harness.h"

#include "common/vss-id.h"

#include <vss/vsserror.h>
#include <vss/vsslinux.h>

#define PERSISTENT (VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_TRANSPORTABLE)
#define TIED (VSS_CTX_FILE_SHARE_BACKUP | VSS_VOLSNAP_ATTR_TRANSPORTABLE)

static struct harness a, b;
static struct client here, there;
static char *xml; /* the document of the set */

static void setup(void) {
        harness_start(&a, NULL);
        harness_start(&b, NULL);
        client_open(&here, &a);
        client_open(&there, &b);
}

static void teardown(void) {
        free(TAKE_PTR(xml));
        client_close(&there);
        client_close(&here);
        harness_stop(&b);
        harness_stop(&a);
}

/* Of /srv/data and a raw device. */
static void make_set(int context) {
        const char *session = client_session(&here), *text;

        client_do(&here, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&here, session, SESSION, "SetContext", "i", context);
        client_do(&here, session, SESSION, "StartSnapshotSet", "");
        client_do(&here, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        client_do(&here, session, SESSION, "AddToSnapshotSet", "ss", "/dev/fake/raw", "");
        ck_assert_int_eq(client_run(&here, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&here, session, SESSION, "SaveAsXML", ""), "v", &text);
        free(xml);
        xml = strdup(text);
        ck_assert_ptr_nonnull(strstr(xml, "<SNAPSHOT_SET_DESCRIPTION"));
}

static const char *load(struct client *c) {
        const char *session = client_session(c);

        client_do(c, session, SESSION, "InitializeForBackup", "v", xml);
        return session;
}

static size_t count_copies(struct client *c) {
        DBusMessage *reply = client_call(c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

/* What is told of the i-th. */
static const char *told(struct client *c, size_t i, const char *key) {
        DBusMessage *reply = client_call(c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        static char text[2][256];
        static unsigned turn;
        char *at = text[turn++ % 2];

        (void)snprintf(at, 256, "%s", str_or_empty(reply_row(reply, i, key)));
        dbus_message_unref(reply);
        return at;
}

START_TEST(from_one_host_to_another) {
        const char *session, *message;
        long attributes;

        make_set(PERSISTENT);
        /* There is no device for it here. */
        ck_assert_str_eq(told(&here, 0, "SnapshotDeviceObject"), "");
        ck_assert_uint_eq(harness_count(&a, "unmount"), 1);
        ck_assert_ptr_nonnull(strstr(harness_journal(&a), "hand-over 2\n"));
        ck_assert_uint_eq(count_copies(&there), 0);

        session = load(&there);
        ck_assert_int_eq(client_run(&there, session, "ImportSnapshots", &message),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_str_eq(message, "");
        ck_assert_uint_eq(count_copies(&there), 2);
        ck_assert_str_eq(told(&there, 0, "SnapshotId"), told(&here, 0, "SnapshotId"));
        ck_assert_str_eq(told(&there, 0, "SnapshotSetId"), told(&here, 0, "SnapshotSetId"));
        ck_assert_str_eq(told(&there, 0, "CreationTimestamp"), told(&here, 0, "CreationTimestamp"));
        ck_assert_str_eq(told(&there, 0, "OriginalVolumeName"), "/srv/data/");
        ck_assert_str_eq(told(&there, 0, "SnapshotDeviceObject"), "/run/vss/ShadowCopy1");
        ck_assert_str_eq(told(&there, 1, "OriginalVolumeName"), "/dev/fake/raw");
        ck_assert_str_eq(told(&there, 1, "SnapshotDeviceObject"), "/dev/vss/ShadowCopy2");
        attributes = strtol(told(&there, 0, "SnapshotAttributes"), NULL, 10);
        ck_assert(attributes & VSS_VOLSNAP_ATTR_IMPORTED);
        ck_assert(attributes & VSS_VOLSNAP_ATTR_TRANSPORTABLE);
        ck_assert_uint_eq(harness_count(&b, "mount"), 1); /* a raw device is not */

        /* Once. */
        session = load(&there);
        ck_assert_int_eq(client_run(&there, session, "ImportSnapshots", &message),
                         VSS_E_NO_SNAPSHOTS_IMPORTED);
        ck_assert_ptr_nonnull(strstr(message, "already"));
        /* Over restarts it is as any other there; and here as it was. */
        harness_stop_daemon(&b);
        harness_start_daemon(&b, NULL);
        ck_assert_uint_eq(harness_count(&b, "mount"), 2);
        harness_stop_daemon(&a);
        harness_start_daemon(&a, NULL);
        ck_assert_uint_eq(harness_count(&a, "activate"), 0);
        ck_assert_uint_eq(count_copies(&here), 2);
}
END_TEST

/* The library reads the same document, and asks nobody. */
START_TEST(which_set_a_document_has) {
        static const char other[] = "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" "
                                    "version=\"1.2\" bootableSystemStateBackup=\"no\" "
                                    "selectComponents=\"yes\" backupType=\"full\"/>";
        HRESULT hr;
        VSS_ID set;

        make_set(PERSISTENT);
        ck_assert_int_eq(VssGetTransportableSet(xml, &set), S_OK);
        ck_assert_str_eq(VSS_ID_TEXT(set), told(&here, 0, "SnapshotSetId"));
        hr = VssGetTransportableSet(other, &set);
        ck_assert_msg(hr == VSS_E_NONTRANSPORTABLE_BCD, "%s", VssLastErrorMessage());
        ck_assert(vss_id_is_null(set));
        ck_assert_int_eq(VssGetTransportableSet("<x", &set), VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(VssGetTransportableSet(NULL, &set), E_INVALIDARG);
        ck_assert_int_eq(VssGetTransportableSet(xml, NULL), E_INVALIDARG);
        *strstr(xml, "storage=\"") = 'x';
        ck_assert_int_eq(VssGetTransportableSet(xml, &set), VSS_E_NO_SNAPSHOTS_IMPORTED);
}
END_TEST

START_TEST(on_the_host_that_made_it) {
        const char *session;

        make_set(PERSISTENT);
        session = load(&here);
        ck_assert_int_eq(client_run(&here, session, "ImportSnapshots", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count_copies(&here), 2);
        ck_assert_str_eq(told(&here, 0, "SnapshotDeviceObject"), "/run/vss/ShadowCopy1");
        harness_stop_daemon(&a);
        harness_start_daemon(&a, NULL);
        ck_assert_uint_eq(harness_count(&a, "activate"), 2);
}
END_TEST

START_TEST(it_goes_with_who_imported_it) {
        struct client guest;
        const char *session;

        make_set(TIED);
        client_open(&guest, &b);
        session = load(&guest);
        ck_assert_int_eq(client_run(&guest, session, "ImportSnapshots", NULL),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count_copies(&there), 2);
        client_close(&guest);
        harness_await(&b, "remove", 2);
        ck_assert_uint_eq(count_copies(&there), 0);
        /* Nor with the one that made it, or with its service. */
        client_close(&here);
        client_open(&here, &a);
        ck_assert_uint_eq(count_copies(&here), 2);
        harness_stop_daemon(&a);
        harness_start_daemon(&a, NULL);
        ck_assert_uint_eq(count_copies(&here), 2);
        ck_assert_uint_eq(harness_count(&a, "remove"), 0);
}
END_TEST

START_TEST(what_is_missing) {
        const char *session, *message;

        make_set(PERSISTENT);
        harness_knob(&b, "fail", "import");
        session = load(&there);
        ck_assert_int_eq(client_run(&there, session, "ImportSnapshots", &message),
                         VSS_E_MISSING_DISK);
        ck_assert_ptr_nonnull(strstr(message, "None of 2"));
        harness_knob(&b, "fail", NULL);
        ck_assert_int_eq(client_run(&there, session, "ImportSnapshots", NULL),
                         VSS_S_ASYNC_FINISHED);
}
END_TEST

START_TEST(after_a_daemon_that_dies_importing_it_can_be_imported) {
        const char *session, *async;

        make_set(PERSISTENT);
        session = load(&there);
        harness_knob(&b, "slow", "import 5000");
        reply_read(client_call(&there, session, SESSION, "ImportSnapshots", ""), "o", &async);
        harness_await(&b, "import", 1);
        harness_kill_daemon(&b);
        harness_knob(&b, "slow", NULL);
        harness_start_daemon(&b, NULL);
        ck_assert_uint_eq(harness_count(&b, "recover"), 1);
        ck_assert_uint_eq(count_copies(&there), 0);
        session = load(&there);
        ck_assert_int_eq(client_run(&there, session, "ImportSnapshots", NULL),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count_copies(&there), 2);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-import");
        TCase *t = tcase_create("bus-import");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, from_one_host_to_another);
        tcase_add_test(t, which_set_a_document_has);
        tcase_add_test(t, on_the_host_that_made_it);
        tcase_add_test(t, it_goes_with_who_imported_it);
        tcase_add_test(t, what_is_missing);
        tcase_add_test(t, after_a_daemon_that_dies_importing_it_can_be_imported);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
