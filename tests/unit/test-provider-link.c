/* How a vendor's provider is reached, over a bus that takes its time. */

#include "tests/unit/fake-bus.h"

#include "common/time-util.h"
#include "daemon/bus/provider-link.h"

static struct fake_bus bus;
static char asked[256]; /* of the bus, " Name" each */
static long pause_msec; /* before each answer */
static bool is_mute;    /* no answer at all */
static bool is_started;

static DBusMessage *on_call(struct fake_bus *b, DBusMessage *call) {
        (void)b;
        (void)call;
        return NULL;
}

/* Nobody has the name until it is started. */
static DBusMessage *on_bus_call(struct fake_bus *b, DBusMessage *call) {
        const struct timespec pause = { .tv_nsec = pause_msec * 1000 * 1000 };
        const char *owner = ":1.9";
        const dbus_uint32_t started = DBUS_START_REPLY_SUCCESS, uid = geteuid();
        const bool is_owner = dbus_message_has_member(call, "GetNameOwner");
        const size_t length = strlen(asked);
        DBusMessage *reply;

        (void)b;
        (void)nanosleep(&pause, NULL);
        (void)snprintf(asked + length, sizeof(asked) - length, " %s",
                       dbus_message_get_member(call));
        if (is_mute)
                return NULL;
        if (is_owner && !is_started)
                return dbus_message_new_error(call, DBUS_ERROR_NAME_HAS_NO_OWNER, "nobody has it");
        reply = dbus_message_new_method_return(call);
        if (is_owner)
                ck_assert(dbus_message_append_args(reply, DBUS_TYPE_STRING, &owner,
                                                   DBUS_TYPE_INVALID));
        else if (dbus_message_has_member(call, "StartServiceByName")) {
                is_started = true;
                ck_assert(dbus_message_append_args(reply, DBUS_TYPE_UINT32, &started,
                                                   DBUS_TYPE_INVALID));
        } else
                ck_assert(
                        dbus_message_append_args(reply, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID));
        return reply;
}

static void setup(void) {
        asked[0] = '\0';
        pause_msec = 0;
        is_mute = is_started = false;
        fake_start(&bus, on_call, NULL);
        bus.on_bus_call = on_bus_call;
        provider_link_init(bus.address);
}

static void teardown(void) {
        fake_stop(&bus);
}

static bool has_read_all(struct fake_bus *b) {
        return b->n_peers > 0 && !dbus_connection_get_is_connected(b->peers[0]);
}

/* The bus has come to the end of the link, and has told of all that was sent over it before. */
static void await_bus(void) {
        (void)pthread_mutex_lock(&bus.lock);
        fake_wait(&bus, has_read_all);
        (void)pthread_mutex_unlock(&bus.lock);
}

static int open_within(uint64_t usec, struct vss_error *reterr) {
        void *peer = NULL;
        int r = provider_link_transport.open(&peer, "org.example.Vendor", "/org/example", usec,
                                             reterr);

        if (r >= 0)
                provider_link_transport.close(peer);
        return r;
}

START_TEST(one_that_has_to_be_started) {
        ck_assert_int_eq(open_within(FAKE_SECONDS * USEC_PER_SEC, NULL), 0);
        ck_assert_str_eq(asked, " GetNameOwner StartServiceByName GetNameOwner "
                                "GetConnectionUnixUser");
}
END_TEST

/* Each answer is in time, and all of them together are not. */
START_TEST(all_that_is_asked_has_one_limit) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        pause_msec = 300;
        ck_assert_int_eq(open_within(500 * USEC_PER_MSEC, &error), -ETIMEDOUT);
        ck_assert_ptr_nonnull(error.message);
        await_bus();
        ck_assert_ptr_null(strstr(asked, "GetConnectionUnixUser"));
}
END_TEST

/* And is not asked twice for the sake of the message. */
START_TEST(a_bus_that_does_not_answer) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        is_mute = true;
        ck_assert_int_eq(open_within(100 * USEC_PER_MSEC, &error), -ETIMEDOUT);
        ck_assert_ptr_nonnull(error.message);
        await_bus();
        ck_assert_str_eq(asked, " GetNameOwner");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("provider-link");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 3 * FAKE_SECONDS);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, one_that_has_to_be_started);
        tcase_add_test(tcase, all_that_is_asked_has_one_limit);
        tcase_add_test(tcase, a_bus_that_does_not_answer);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
