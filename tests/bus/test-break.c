/* Sets that are broken off: by a session, by their own object and by the library, what all see of
 * it, and what the death of the daemon leaves. */

#include "tests/bus/harness.h"

#include <vss/vsslinux.h>

#define WRITABLE_WITH_NEW (VSS_BREAKEX_FLAG_MAKE_READ_WRITE | VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE)

static struct harness h;
static struct client c;
static char set[128], id[64];

/* Two copies that stay, of /srv/data and /srv/mail. */
static void make_set(void) {
        char *volumes[] = { (char *)"/srv/data", (char *)"/srv/mail", NULL };
        char *options[] = { (char *)"context", (char *)"nas-rollback", NULL };
        DBusMessage *reply;

        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        (void)snprintf(id, sizeof(id), "%s", reply_row(reply, 0, "SnapshotSetId"));
        dbus_message_unref(reply);
        (void)snprintf(set, sizeof(set), ROOT "/set/%s", id);
        for (char *at = set + strlen(ROOT "/set/"); *at; at++)
                if (*at == '-')
                        *at = '_';
}

static void setup(void) {
        harness_start(&h, NULL);
        client_open(&c, &h);
        harness_knob(&h, "breakable", "");
        make_set();
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

static size_t count_copies(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

START_TEST(by_its_object) {
        DBusMessage *m;
        char **volumes;

        dbus_bus_add_match(c.connection, "type='signal',sender='" SERVICE "'", NULL);
        dbus_connection_flush(c.connection);
        client_drain(&c);
        client_fails(&c, ERROR("InvalidArg"), set, SNAPSHOT_SET, "Break", "u", 0x10);
        client_fails(&c, ERROR("InvalidArg"), set, SNAPSHOT_SET, "Break", "u", 0x3);
        ck_assert_uint_eq(harness_count(&h, "break"), 0);
        reply_read(client_call(&c, set, SNAPSHOT_SET, "Break", "u", WRITABLE_WITH_NEW), "as",
                   &volumes);
        ck_assert_str_eq(volumes[0], "/dev/fake/volume-1");
        ck_assert_str_eq(volumes[1], "/dev/fake/volume-2");
        ck_assert_ptr_null(volumes[2]);
        strv_free(volumes);
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "break 2 with 10\n"));
        for (size_t i = 0; i < 3; i++) { /* both copies, and with the last of them the set */
                m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager",
                                  "InterfacesRemoved");
                ck_assert_ptr_nonnull(m);
                dbus_message_unref(m);
        }
        ck_assert_uint_eq(count_copies(), 0);
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, set, SNAPSHOT_SET, "Break", "u", 0);
}
END_TEST

START_TEST(by_a_session) {
        const char *session = client_session(&c), *async, *message;

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetContext", "i", (int)VSS_CTX_ALL);
        harness_knob(&h, "busy", "");
        client_fails(&c, ERROR("ProviderVeto"), session, SESSION, "BreakSnapshotSet", "s", id);
        reply_read(client_call(&c, session, SESSION, "BreakSnapshotSetEx", "su", id, 0), "o",
                   &async);
        ck_assert_int_eq(client_await(&c, async, &message), VSS_E_PROVIDER_VETO);
        ck_assert_str_ne(message, "");
        harness_knob(&h, "busy", NULL);

        harness_knob(&h, "fail", "break");
        reply_read(client_call(&c, session, SESSION, "BreakSnapshotSetEx", "su", id,
                               VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL),
                   "o", &async);
        ck_assert_int_eq(client_await(&c, async, &message), VSS_E_BREAK_REVERT_ID_FAILED);
        harness_knob(&h, "fail", NULL);
        ck_assert_uint_eq(count_copies(), 2);

        if (_i == 0)
                client_do(&c, session, SESSION, "BreakSnapshotSet", "s", id);
        else {
                reply_read(client_call(&c, session, SESSION, "BreakSnapshotSetEx", "su", id,
                                       VSS_BREAKEX_FLAG_MASK_LUNS),
                           "o", &async);
                ck_assert_int_eq(client_await(&c, async, &message), VSS_S_ASYNC_FINISHED);
        }
        ck_assert_uint_eq(count_copies(), 0);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "BreakSnapshotSet", "s", id);
}
END_TEST

START_TEST(by_the_library) {
        const VSS_ID unknown = { .Data1 = 1 };
        char **volumes = NULL;
        VSS_ID set_id;

        ck_assert_int_eq(VssSetBusAddress(h.address), S_OK);
        ck_assert_int_eq(VssIdFromString(id, &set_id), S_OK);
        ck_assert_int_eq(VssBreakSnapshotSet(GUID_NULL, 0, &volumes), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(VssBreakSnapshotSet(unknown, 0, &volumes), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_str_ne(VssLastErrorMessage(), "");
        ck_assert_int_eq(VssBreakSnapshotSet(set_id, 0x10, &volumes), E_INVALIDARG);
        harness_knob(&h, "busy", "");
        ck_assert_int_eq(VssBreakSnapshotSet(set_id, 0, &volumes), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_null(volumes);
        harness_knob(&h, "busy", NULL);
        ck_assert_int_eq(VssBreakSnapshotSet(set_id, 0, _i == 0 ? &volumes : NULL), S_OK);
        if (_i == 0) {
                ck_assert_str_eq(volumes[0], "/dev/fake/volume-1");
                ck_assert_str_eq(volumes[1], "/dev/fake/volume-2");
                ck_assert_ptr_null(volumes[2]);
        }
        VssFreeStrings(volumes);
        ck_assert_uint_eq(count_copies(), 0);
        ck_assert_int_eq(VssBreakSnapshotSet(set_id, 0, NULL), VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

START_TEST(a_bound_set_stays_as_it_is) {
        const size_t mounted = harness_count(&h, "mount");

        harness_knob(&h, "breakable", NULL);
        client_fails(&c, ERROR("ProviderVeto"), set, SNAPSHOT_SET, "Break", "u", 0);
        ck_assert_uint_eq(count_copies(), 2);
        /* Its copies can be read again. */
        ck_assert_uint_eq(harness_count(&h, "unmount"), 2);
        ck_assert_uint_eq(harness_count(&h, "mount"), mounted + 2);
}
END_TEST

START_TEST(after_a_daemon_that_dies_breaking_a_set_it_is_looked_after) {
        DBusMessage *m = message_new(set, SNAPSHOT_SET, "Break", "u", 0);
        const size_t mounted = harness_count(&h, "mount");

        harness_knob(&h, "slow", "break 5000");
        ck_assert(dbus_connection_send(c.connection, m, NULL));
        dbus_connection_flush(c.connection);
        dbus_message_unref(m);
        harness_await(&h, "break", 1);
        harness_kill_daemon(&h);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "recover"), 1);
        ck_assert_uint_eq(harness_count(&h, "mount"), mounted + 2);
        ck_assert_uint_eq(count_copies(), 2);
        client_do(&c, set, SNAPSHOT_SET, "Break", "u", 0);
        ck_assert_uint_eq(count_copies(), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-break");
        TCase *t = tcase_create("bus-break");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, by_its_object);
        tcase_add_loop_test(t, by_a_session, 0, 2);
        tcase_add_loop_test(t, by_the_library, 0, 2);
        tcase_add_test(t, a_bound_set_stays_as_it_is);
        tcase_add_test(t, after_a_daemon_that_dies_breaking_a_set_it_is_looked_after);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
