/* The stores of copies, as everybody on the bus hears of them: that they grow, that one cannot,
 * that the oldest copy goes, that a copy is lost. */

#include "tests/bus/harness.h"

static struct harness h;
static struct client c;
static char ids[2][64], snapshots[2][128]; /* of /srv/data, the older first */

static void make_copy(unsigned i) {
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *options[] = { (char *)"context", (char *)"nas-rollback", NULL };
        DBusMessage *reply;

        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        (void)snprintf(ids[i], sizeof(ids[i]), "%s", reply_row(reply, i, "SnapshotId"));
        dbus_message_unref(reply);
        (void)snprintf(snapshots[i], sizeof(snapshots[i]), ROOT "/snapshot/%s", ids[i]);
        for (char *at = snapshots[i] + strlen(ROOT "/snapshot/"); *at; at++)
                if (*at == '-')
                        *at = '_';
}

static void setup(void) {
        harness_start(&h, NULL);
        harness_stop_daemon(&h);
        harness_knob(&h, "areas", "");
        harness_start_daemon(&h, NULL);
        client_open(&c, &h);
        make_copy(0);
        make_copy(1);
        dbus_bus_add_match(c.connection, "type='signal',sender='" SERVICE "'", NULL);
        dbus_connection_flush(c.connection);
        client_drain(&c);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

/* Other copies' events may come before it. */
static void expect_event(const char *wanted, const char *id, const char *words) {
        for (;;) {
                DBusMessage *m = client_signal(&c, ROOT, MANAGER, "DiffAreaChanged");
                const char *event, *about, *volume, *message;
                dbus_uint64_t used, allocated;
                bool found;

                ck_assert_ptr_nonnull(m);
                ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &event, DBUS_TYPE_STRING,
                                                &about, DBUS_TYPE_STRING, &volume, DBUS_TYPE_UINT64,
                                                &used, DBUS_TYPE_UINT64, &allocated,
                                                DBUS_TYPE_STRING, &message, DBUS_TYPE_INVALID));
                ck_assert_str_eq(volume, "/srv/data/");
                ck_assert_uint_le(used, allocated);
                found = streq(event, wanted) && (!id || streq(about, id));
                if (found)
                        ck_assert_msg(strstr(message, words), "%s", message);
                dbus_message_unref(m);
                if (found)
                        return;
        }
}

static void expect_changed(unsigned i) {
        DBusMessage *m = client_signal(&c, snapshots[i], PROPERTIES, "PropertiesChanged");

        ck_assert_ptr_nonnull(m);
        dbus_message_unref(m);
}

START_TEST(a_growing_store_is_told) {
        harness_knob(&h, "filling", "");
        expect_event("grown", NULL, "has grown from 256 to");
        harness_knob(&h, "filling", NULL);
        ck_assert_uint_gt(
                strtoull(client_property(&c, snapshots[0], SNAPSHOT, "MaximumBytes"), NULL, 10),
                1U << 28);
}
END_TEST

START_TEST(without_room_the_oldest_copy_goes) {
        harness_knob(&h, "narrow", "");
        harness_knob(&h, "filling", "");
        expect_event("deleted", ids[0], "is deleted to make room: it is narrow");
        expect_event("full", ids[1], "cannot grow: it is narrow");
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "QuerySnapshotDeltaBitmap", "ss",
                     ids[0], "");
        ck_assert_str_eq(client_property(&c, snapshots[1], SNAPSHOT, "Overflowed"), "false");
}
END_TEST

START_TEST(a_lost_copy_is_marked) {
        harness_knob(&h, "full", "");
        expect_changed(0);
        expect_event("overflowed", ids[1], "vssctl delete");
        ck_assert_str_eq(client_property(&c, snapshots[0], SNAPSHOT, "Overflowed"), "true");
        /* And can be deleted as any other. */
        client_do(&c, snapshots[0], SNAPSHOT, "Delete", "b", FALSE);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-areas");
        TCase *t = tcase_create("bus-areas");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, a_growing_store_is_told);
        tcase_add_test(t, without_room_the_oldest_copy_goes);
        tcase_add_test(t, a_lost_copy_is_marked);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
