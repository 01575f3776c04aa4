/* Copies that are exposed: by a session and by the object of the copy, what all see of it, and what
 * a restart or the death of the daemon leaves. */

#include "tests/bus/harness.h"

#include <vss/vss.h>
#include <vss/vsserror.h>

#define LOCALLY VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY
#define REMOTELY VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY

static struct harness h;
static struct client c;
static char snapshot[128], id[64];

/* One copy that stays, of /srv/data. */
static void make_copy(void) {
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *options[] = { (char *)"context", (char *)"nas-rollback", NULL };
        DBusMessage *reply;

        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        (void)snprintf(id, sizeof(id), "%s", reply_row(reply, 0, "SnapshotId"));
        dbus_message_unref(reply);
        (void)snprintf(snapshot, sizeof(snapshot), ROOT "/snapshot/%s", id);
        for (char *at = snapshot + strlen(ROOT "/snapshot/"); *at; at++)
                if (*at == '-')
                        *at = '_';
}

static void setup(void) {
        harness_start(&h, NULL);
        client_open(&c, &h);
        make_copy();
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

static const char *exposed_name(void) {
        return client_property(&c, snapshot, SNAPSHOT, "ExposedName");
}

static LONG exposed_bits(void) {
        return atoi(client_property(&c, snapshot, SNAPSHOT, "SnapshotAttributes")) &
               (LOCALLY | REMOTELY | VSS_VOLSNAP_ATTR_NOT_SURFACED);
}

static void expect_changed(void) {
        DBusMessage *m = client_signal(&c, snapshot, PROPERTIES, "PropertiesChanged");
        DBusMessageIter iter;
        const char *interface;

        ck_assert_ptr_nonnull(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        dbus_message_iter_get_basic(&iter, &interface);
        ck_assert_str_eq(interface, SNAPSHOT);
        ck_assert(dbus_message_iter_next(&iter));
        ck_assert_int_eq(dbus_message_iter_get_element_count(&iter), 4);
        dbus_message_unref(m);
}

START_TEST(by_the_object_of_the_copy) {
        const char *exposed;

        dbus_bus_add_match(c.connection, "type='signal',sender='" SERVICE "'", NULL);
        dbus_connection_flush(c.connection);
        client_drain(&c);
        reply_read(client_call(&c, snapshot, SNAPSHOT, "Expose", "sis", "a/b", LOCALLY, "/mnt"),
                   "s", &exposed);
        ck_assert_str_eq(exposed, "/mnt");
        expect_changed();
        ck_assert_str_eq(exposed_name(), "/mnt");
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "ExposedPath"), "a/b");
        ck_assert_int_eq(exposed_bits(), LOCALLY);
        client_fails(&c, ERROR("ObjectAlreadyExists"), snapshot, SNAPSHOT, "Expose", "sis", "",
                     LOCALLY, "/elsewhere");
        client_fails(&c, ERROR("ProviderVeto"), snapshot, SNAPSHOT, "Delete", "b", FALSE);
        client_do(&c, snapshot, SNAPSHOT, "Unexpose", "");
        expect_changed();
        ck_assert_str_eq(exposed_name(), "");
        ck_assert_int_eq(exposed_bits(), VSS_VOLSNAP_ATTR_NOT_SURFACED);
        client_fails(&c, ERROR("ObjectNotFound"), snapshot, SNAPSHOT, "Unexpose", "");
        client_fails(&c, ERROR("InvalidArg"), snapshot, SNAPSHOT, "Expose", "sis", "", 0, "/mnt");
        client_fails(&c, ERROR("InvalidArg"), snapshot, SNAPSHOT, "Expose", "sis", "", LOCALLY, "");
        client_fails(&c, ERROR("ObjectAlreadyExists"), snapshot, SNAPSHOT, "Expose", "sis", "",
                     LOCALLY, "/taken");
        client_fails(&c, ERROR("ProviderVeto"), snapshot, SNAPSHOT, "Expose", "sis", "", REMOTELY,
                     "nfs:x");
}
END_TEST

START_TEST(by_a_session) {
        const char *session = client_session(&c), *exposed;

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetContext", "i", (int)VSS_CTX_ALL);
        reply_read(client_call(&c, session, SESSION, "ExposeSnapshot", "ssis", id, "", REMOTELY,
                               "yesterday"),
                   "s", &exposed);
        ck_assert_str_eq(exposed, "yesterday");
        ck_assert_int_eq(exposed_bits(), REMOTELY);
        harness_knob(&h, "busy", "");
        client_fails(&c, ERROR("ProviderVeto"), session, SESSION, "UnexposeSnapshot", "s", id);
        ck_assert_str_eq(exposed_name(), "yesterday");
        harness_knob(&h, "busy", NULL);
        client_do(&c, session, SESSION, "UnexposeSnapshot", "s", id);
        ck_assert_str_eq(exposed_name(), "");
        harness_knob(&h, "fail", "expose");
        client_fails(&c, ERROR("UnexpectedProviderError"), session, SESSION, "ExposeSnapshot",
                     "ssis", id, "", LOCALLY, "/mnt");
        harness_knob(&h, "fail", NULL);
        ck_assert_uint_eq(harness_count(&h, "unexpose"), 2); /* also what failed was undone */
        ck_assert_str_eq(exposed_name(), "");
}
END_TEST

START_TEST(a_restart_brings_it_back) {
        client_do(&c, snapshot, SNAPSHOT, "Expose", "sis", "", LOCALLY, "/mnt");
        if (_i == 0)
                harness_stop_daemon(&h);
        else
                harness_kill_daemon(&h);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "expose-again"), 1);
        ck_assert_uint_eq(harness_count(&h, "unexpose"), 0);
        ck_assert_str_eq(exposed_name(), "/mnt");
}
END_TEST

START_TEST(a_daemon_that_dies_exposing_undoes_it_at_its_next_start) {
        DBusMessage *m = dbus_message_new_method_call(SERVICE, snapshot, SNAPSHOT, "Expose");
        const char *path = "", *target = "/mnt";
        dbus_int32_t attributes = LOCALLY;

        harness_knob(&h, "slow", "expose 5000");
        ck_assert_ptr_nonnull(m);
        ck_assert(dbus_message_append_args(m, DBUS_TYPE_STRING, &path, DBUS_TYPE_INT32, &attributes,
                                           DBUS_TYPE_STRING, &target, DBUS_TYPE_INVALID));
        ck_assert(dbus_connection_send(c.connection, m, NULL));
        dbus_connection_flush(c.connection);
        dbus_message_unref(m);
        harness_await(&h, "expose", 1);
        harness_kill_daemon(&h);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "unexpose"), 1);
        ck_assert_uint_eq(harness_count(&h, "expose-again"), 0);
        ck_assert_str_eq(exposed_name(), "");
        /* And is ready for another. */
        client_do(&c, snapshot, SNAPSHOT, "Expose", "sis", "", LOCALLY, "/mnt");
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-exposure");
        TCase *t = tcase_create("bus-exposure");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, by_the_object_of_the_copy);
        tcase_add_test(t, by_a_session);
        tcase_add_loop_test(t, a_restart_brings_it_back, 0, 2);
        tcase_add_test(t, a_daemon_that_dies_exposing_undoes_it_at_its_next_start);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
