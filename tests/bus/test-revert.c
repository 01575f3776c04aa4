/* Volumes that are reverted to their copies: by a session, by the copy's own object and by the
 * library, what all see of it, and what the death of the daemon leaves at each point. */

#include "tests/bus/harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <vss/vsserror.h>
#include <vss/vsslinux.h>

static struct harness h;
static struct client c;
static char paths[2][128], ids[2][64]; /* of the older copy and the newer */

static size_t count_copies(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

static size_t count_reverts(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListReverts", "");
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

static void expect_revert(const char *key, const char *value) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListReverts", "");

        ck_assert_uint_eq(reply_rows(reply), 1);
        ck_assert_str_eq(reply_row(reply, 0, key), value);
        dbus_message_unref(reply);
}

static void await_end(void) {
        while (count_reverts() > 0)
                (void)usleep(20000);
}

/* Two copies of /srv/data that stay. */
static void setup(void) {
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *options[] = { (char *)"context", (char *)"nas-rollback", NULL };
        DBusMessage *reply;

        harness_start(&h, NULL);
        client_open(&c, &h);
        harness_knob(&h, "revertable", "");
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                (void)snprintf(ids[i], sizeof(ids[i]), "%s", reply_row(reply, i, "SnapshotId"));
                (void)snprintf(paths[i], sizeof(paths[i]), ROOT "/snapshot/%s", ids[i]);
                for (char *at = paths[i] + strlen(ROOT "/snapshot/"); *at; at++)
                        if (*at == '-')
                                *at = '_';
        }
        dbus_message_unref(reply);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

START_TEST(by_its_object) {
        DBusMessage *m;

        dbus_bus_add_match(c.connection, "type='signal',sender='" SERVICE "'", NULL);
        dbus_connection_flush(c.connection);
        client_drain(&c);
        client_fails(&c, ERROR("InvalidArg"), paths[0], SNAPSHOT, "Revert", "u", 0x4);
        harness_knob(&h, "mounted-elsewhere", "");
        client_fails(&c, ERROR("VolumeInUse"), paths[0], SNAPSHOT, "Revert", "u", 0);
        ck_assert_uint_eq(count_copies(), 2);
        ck_assert_uint_eq(count_reverts(), 0);
        client_do(&c, paths[0], SNAPSHOT, "Revert", "u", VSS_REVERT_FORCE_DISMOUNT);
        ck_assert_uint_eq(count_copies(), 1); /* the newer one is gone */
        expect_revert("State", "merging");
        expect_revert("Volume", "/srv/data/");
        expect_revert("SnapshotId", ids[0]);
        client_fails(&c, ERROR("RevertInProgress"), paths[0], SNAPSHOT, "Revert", "u", 1);
        client_fails(&c, ERROR("ProviderVeto"), paths[0], SNAPSHOT, "Delete", "b", 1);
        client_drain(&c);
        harness_knob(&h, "reverted", "");
        await_end();
        ck_assert_uint_eq(count_copies(), 0);
        m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
        ck_assert_ptr_nonnull(m);
        dbus_message_unref(m);
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, paths[0], SNAPSHOT, "Revert", "u", 0);
        ck_assert_uint_eq(harness_count(&h, "origin-mount\n"), 0);
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "origin-mount FAKE-0\n"));
}
END_TEST

START_TEST(by_a_session) {
        const char *session = client_session(&c), *async, *message;
        static const struct {
                const char *knob;
                int hr;
        } ends[] = {
                { "reverted", VSS_S_ASYNC_FINISHED },
                { "lost-volume", VSS_E_REVERT_VOLUME_LOST },
                { "bad-blocks", E_FAIL },
        };

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "QueryRevertStatus", "s",
                     "/srv/data");
        harness_knob(&h, "fail", "revert -2147212529"); /* 0x8004230f */
        client_fails(&c, ERROR("Fail"), session, SESSION, "RevertToSnapshot", "sb", ids[1], 0);
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "revert-back /srv/data/\n"));
        harness_knob(&h, "fail", NULL);
        client_do(&c, session, SESSION, "RevertToSnapshot", "sb", ids[1], 0);
        client_fails(&c, ERROR("RevertInProgress"), session, SESSION, "RevertToSnapshot", "sb",
                     ids[0], 1);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "QueryRevertStatus", "s",
                     "/srv/mail");
        reply_read(client_call(&c, session, SESSION, "QueryRevertStatus", "s",
                               _i == 0 ? "/srv/data/" : "/called/this/too"),
                   "o", &async);
        harness_knob(&h, ends[_i].knob, "");
        ck_assert_int_eq(client_await(&c, async, &message), ends[_i].hr);
        ck_assert_uint_eq(count_copies(), _i == 0 ? 1 : 2);
        ck_assert_uint_eq(count_reverts(), _i == 0 ? 0 : 1);
        if (_i > 0)
                expect_revert("State", "failed");
}
END_TEST

START_TEST(by_the_library) {
        const VSS_ID unknown = { .Data1 = 1 };
        VSS_REVERT_INFO **reverts = NULL;
        UINT n = 1;
        VSS_ID id;

        ck_assert_int_eq(VssSetBusAddress(h.address), S_OK);
        ck_assert_int_eq(VssIdFromString(ids[0], &id), S_OK);
        ck_assert_int_eq(VssListReverts(NULL, &n), E_INVALIDARG);
        ck_assert_int_eq(VssListReverts(&reverts, &n), S_OK);
        ck_assert_uint_eq(n, 0);
        ck_assert_ptr_null(reverts[0]);
        VssFreeReverts(reverts);
        ck_assert_int_eq(VssRevertSnapshot(GUID_NULL, 0), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(VssRevertSnapshot(unknown, 0), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_str_ne(VssLastErrorMessage(), "");
        ck_assert_int_eq(VssRevertSnapshot(id, 0x4), E_INVALIDARG);
        ck_assert_int_eq(VssRevertSnapshot(id, 0), S_OK);
        ck_assert_int_eq(VssListReverts(&reverts, NULL), S_OK);
        ck_assert_ptr_nonnull(reverts[0]);
        ck_assert_ptr_null(reverts[1]);
        ck_assert_int_eq(memcmp(&reverts[0]->snapshot, &id, sizeof(id)), 0);
        ck_assert_str_eq(reverts[0]->volume, "/srv/data/");
        ck_assert_str_eq(reverts[0]->names[0], "/called/this/too");
        ck_assert_str_eq(reverts[0]->provider, "fake-cow");
        ck_assert_str_eq(reverts[0]->state, "merging");
        ck_assert_ptr_null(reverts[0]->message);
        ck_assert_uint_le(reverts[0]->left_bytes, 512);
        VssFreeReverts(reverts);
        VssFreeReverts(NULL);
        harness_knob(&h, "reverted", "");
        await_end();
        ck_assert_int_eq(VssRevertSnapshot(id, 0), VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

START_TEST(of_the_root_it_waits_for_the_next_boot) {
        harness_knob(&h, "root", "");
        client_do(&c, paths[1], SNAPSHOT, "Revert", "u", 0);
        expect_revert("State", "waiting");
        ck_assert_uint_eq(harness_count(&h, "origin-unmount"), 0);
        ck_assert_uint_eq(harness_count(&h, "revert-at-boot"), 1);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        expect_revert("State", "waiting");
        ck_assert_uint_eq(harness_count(&h, "revert-back"), 0);
        /* The boot: it is merging by now. */
        harness_stop_daemon(&h);
        harness_knob(&h, "root", NULL);
        harness_knob(&h, "reverted", "");
        harness_knob(&h, "boot", "11111111-2222-4333-8444-555555555555");
        harness_start_daemon(&h, NULL);
        await_end();
        ck_assert_uint_eq(count_copies(), 1);
}
END_TEST

/* Dies in a step. Whether it was begun is the storage's matter. */
static const struct {
        const char *step;
        bool begun;
} deaths[] = {
        { "origin-unmount", false },
        { "remove", false },
        { "revert", false },
        { "origin-mount", true },
};

START_TEST(after_a_daemon_that_dies) {
        DBusMessage *m = message_new(paths[0], SNAPSHOT, "Revert", "u", 0);
        char slow[64];

        (void)snprintf(slow, sizeof(slow), "%s 5000", deaths[_i].step);
        harness_knob(&h, "slow", slow);
        ck_assert(dbus_connection_send(c.connection, m, NULL));
        dbus_connection_flush(c.connection);
        dbus_message_unref(m);
        harness_await(&h, deaths[_i].step, 1);
        harness_kill_daemon(&h);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(count_reverts(), deaths[_i].begun);
        ck_assert_uint_eq(harness_count(&h, "revert-back"), !deaths[_i].begun);
        ck_assert_uint_ge(harness_count(&h, "origin-mount"), 1); /* it is in use again */
        if (!deaths[_i].begun)
                client_do(&c, paths[0], SNAPSHOT, "Revert", "u", 0);
        harness_knob(&h, "reverted", "");
        await_end();
        ck_assert_uint_eq(count_copies(), 0);
        /* And nothing is left of it for another start. */
        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(count_reverts(), 0);
}
END_TEST

START_TEST(after_a_daemon_that_dies_while_it_goes_on) {
        client_do(&c, paths[0], SNAPSHOT, "Revert", "u", 0);
        harness_kill_daemon(&h);
        harness_start_daemon(&h, NULL);
        expect_revert("State", "merging");
        client_fails(&c, ERROR("ProviderVeto"), paths[0], SNAPSHOT, "Delete", "b", 1);
        harness_kill_daemon(&h);
        harness_knob(&h, "reverted", "");
        harness_start_daemon(&h, NULL);
        await_end();
        ck_assert_uint_eq(count_copies(), 0);
        ck_assert_uint_eq(harness_count(&h, "revert-end"), 1);
}
END_TEST

#define BLOCKER "eeeeeeee-0000-4000-8000-000000000003"
#define METADATA                                                                      \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">" \
        "<IDENTIFICATION writerId=\"" BLOCKER "\" instanceId=\"" BLOCKER "\" "        \
        "friendlyName=\"Blocker\" usage=\"USER_DATA\" dataSource=\"OTHER\"/>"         \
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"c\" selectable=\"yes\">"       \
        "<FILE_LIST path=\"/srv/data\" filespec=\"*\" recursive=\"yes\" "             \
        "filespecBackupType=\"3841\"/></FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>"

static void register_blocker(void) {
        DBusMessage *m =
                dbus_message_new_method_call(SERVICE, ROOT, MANAGER, "RegisterExpressWriter");
        const char *text = METADATA;
        DBusMessageIter iter, variant;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "s", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text));
        ck_assert(dbus_message_iter_close_container(&iter, &variant));
        dbus_message_unref(reply_good(client_send(&c, m), "RegisterExpressWriter"));
}

/* Beside the configuration file. */
static void list_blocker(void) {
        char path[160];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/revert-block.d", h.directory);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/revert-block.d/test.conf", h.directory);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(fprintf(f, "%s\n", BLOCKER), 0);
        ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_writer_that_blocks_it) {
        const char *session;

        register_blocker();
        if (_i == 0) /* not listed: it blocks nothing */
                client_do(&c, paths[0], SNAPSHOT, "Revert", "u", 0);
        else {
                list_blocker();
                client_fails(&c, ERROR("ProviderVeto"), paths[0], SNAPSHOT, "Revert", "u",
                             VSS_REVERT_FORCE_DISMOUNT);
                ck_assert_uint_eq(count_reverts(), 0);
                ck_assert_uint_eq(harness_count(&h, "origin-unmount"), 0);
        }
        if (_i == 1)
                client_do(&c, paths[0], SNAPSHOT, "Revert", "u", VSS_REVERT_IGNORE_WRITERS);
        if (_i == 2) { /* to this one it is advice */
                session = client_session(&c);
                client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
                client_do(&c, session, SESSION, "RevertToSnapshot", "sb", ids[0], 0);
        }
        ck_assert_uint_eq(count_reverts(), 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-revert");
        TCase *t = tcase_create("bus-revert");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, by_its_object);
        tcase_add_loop_test(t, by_a_session, 0, 3);
        tcase_add_test(t, by_the_library);
        tcase_add_test(t, of_the_root_it_waits_for_the_next_boot);
        tcase_add_loop_test(t, after_a_daemon_that_dies, 0, ARRAY_SIZE(deaths));
        tcase_add_test(t, after_a_daemon_that_dies_while_it_goes_on);
        tcase_add_loop_test(t, a_writer_that_blocks_it, 0, 3);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
