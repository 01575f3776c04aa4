/* libdbus on sd-event, peer to peer in one process: one event source per descriptor although
 * libdbus has two watches on it, large messages in both directions, timeouts, a peer that hangs
 * up. */

#include "daemon/bus/bus-loop.h"

#include <check.h>
#include <stdio.h>

/* Far more than a socket's buffers hold: the write watch has to come and go. */
#define LARGE ((size_t)8 * 1024 * 1024)

struct fixture {
        sd_event *event;
        DBusServer *server;
        struct bus_loop *server_loop, *loops[2];
        DBusConnection *sides[2]; /* 0: who called, 1: who was called */
        unsigned n_received, n_answered, n_disconnected;
        size_t descriptors_seen;
        bool answered_with_error;
        unsigned expected;
        bool expect_disconnect;
};

static void exit_when_all_came(struct fixture *f) {
        if (f->n_answered >= f->expected && (!f->expect_disconnect || f->n_disconnected > 0))
                ck_assert_int_ge(sd_event_exit(f->event, 0), 0);
}

static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *m, void *userdata) {
        struct fixture *f = userdata;
        DBusMessage *reply;
        const char *text;

        if (dbus_message_is_signal(m, DBUS_INTERFACE_LOCAL, "Disconnected")) {
                /* The side that hangs up hears it, too. */
                if (connection == f->sides[0]) {
                        f->n_disconnected++;
                        exit_when_all_came(f);
                }
                return DBUS_HANDLER_RESULT_HANDLED;
        }
        if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;

        f->n_received++;
        if (dbus_message_has_member(m, "Silence"))
                return DBUS_HANDLER_RESULT_HANDLED;

        /* Echo: now this side's queue is full while it reads. */
        ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
        reply = dbus_message_new_method_return(m);
        ck_assert_ptr_nonnull(reply);
        ck_assert(dbus_message_append_args(reply, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
        ck_assert(dbus_connection_send(connection, reply, NULL));
        dbus_message_unref(reply);
        return DBUS_HANDLER_RESULT_HANDLED;
}

static void adopt(struct fixture *f, size_t side, DBusConnection *connection) {
        dbus_connection_set_max_message_size(connection, DBUS_MAXIMUM_MESSAGE_LENGTH);
        ck_assert_int_ge(bus_loop_new(&f->loops[side], f->event, connection), 0);
        ck_assert(dbus_connection_add_filter(connection, on_message, f, NULL));
        f->sides[side] = connection;
}

static void on_new_connection(DBusServer *server _unused_, DBusConnection *connection,
                              void *userdata) {
        struct fixture *f = userdata;

        adopt(f, 1, dbus_connection_ref(connection));
}

static void fixture_init(struct fixture *f) {
        char *address;

        *f = (struct fixture){ 0 };
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->server = dbus_server_listen("unix:tmpdir=/tmp", NULL);
        ck_assert_ptr_nonnull(f->server);
        ck_assert_int_ge(bus_loop_new_server(&f->server_loop, f->event, f->server), 0);
        dbus_server_set_new_connection_function(f->server, on_new_connection, f, NULL);

        address = dbus_server_get_address(f->server);
        adopt(f, 0, dbus_connection_open_private(address, NULL));
        dbus_free(address);
}

static void fixture_done(struct fixture *f) {
        for (size_t i = 0; i < 2; i++) {
                if (!f->sides[i])
                        continue;
                f->loops[i] = bus_loop_free(f->loops[i]);
                dbus_connection_remove_filter(f->sides[i], on_message, f);
                dbus_connection_close(f->sides[i]);
                dbus_connection_unref(f->sides[i]);
        }
        bus_loop_free(f->server_loop);
        dbus_server_disconnect(f->server);
        dbus_server_unref(f->server);
        sd_event_unref(f->event);
        dbus_shutdown();
}

static DBusMessage *message_with(const char *member, size_t size) {
        DBusMessage *m = dbus_message_new_method_call(NULL, "/a", "a.b", member);
        char *text = malloc(size + 1);

        ck_assert_ptr_nonnull(m);
        ck_assert_ptr_nonnull(text);
        memset(text, 'x', size);
        text[size] = '\0';
        ck_assert(dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
        free(text);
        return m;
}

static void on_answer(DBusPendingCall *pending, void *userdata) {
        struct fixture *f = userdata;
        DBusMessage *reply = dbus_pending_call_steal_reply(pending);

        f->answered_with_error = dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR;
        dbus_message_unref(reply);
        dbus_pending_call_unref(pending);
        f->n_answered++;
        exit_when_all_came(f);
}

static void call(struct fixture *f, const char *member, size_t size, int timeout_ms) {
        DBusMessage *m = message_with(member, size);
        DBusPendingCall *pending = NULL;

        ck_assert(dbus_connection_send_with_reply(f->sides[0], m, &pending, timeout_ms));
        ck_assert_ptr_nonnull(pending);
        ck_assert(dbus_pending_call_set_notify(pending, on_answer, f, NULL));
        dbus_message_unref(m);
}

START_TEST(small_calls_are_answered) {
        struct fixture f;

        fixture_init(&f);
        f.expected = 20;
        for (unsigned i = 0; i < f.expected; i++)
                call(&f, "Echo", 10, 60000);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_answered, 20);
        ck_assert(!f.answered_with_error);
        fixture_done(&f);
}
END_TEST

/* With its send queue full a connection has both watches enabled. */
static int on_turn(sd_event_source *source _unused_, void *userdata) {
        struct fixture *f = userdata;

        for (size_t i = 0; i < 2; i++)
                if (f->loops[i] && bus_loop_count_descriptors(f->loops[i]) > f->descriptors_seen)
                        f->descriptors_seen = bus_loop_count_descriptors(f->loops[i]);
        return 0;
}

START_TEST(two_watches_on_one_descriptor_share_a_source) {
        sd_event_source *turn = NULL;
        struct fixture f;

        fixture_init(&f);
        ck_assert_int_ge(sd_event_add_post(f.event, &turn, on_turn, &f), 0);
        f.expected = 6;
        for (unsigned i = 0; i < f.expected; i++)
                call(&f, "Echo", LARGE, 60000);
        ck_assert(dbus_connection_has_messages_to_send(f.sides[0]));
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_received, 6);
        ck_assert_uint_eq(f.n_answered, 6);
        ck_assert(!f.answered_with_error);
        ck_assert_uint_eq(f.descriptors_seen, 1);
        sd_event_source_disable_unref(turn);
        fixture_done(&f);
}
END_TEST

START_TEST(a_call_without_answer_times_out) {
        struct fixture f;

        fixture_init(&f);
        f.expected = 1;
        call(&f, "Silence", 1, 20);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_answered, 1);
        ck_assert(f.answered_with_error);
        fixture_done(&f);
}
END_TEST

START_TEST(a_timer_runs_for_each_call) {
        struct fixture f;

        fixture_init(&f);
        f.expected = 3;
        call(&f, "Silence", 1, 30);
        call(&f, "Silence", 1, 10);
        call(&f, "Silence", 1, 20);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_answered, 3);
        fixture_done(&f);
}
END_TEST

/* libdbus tells those who wait for an answer nothing then: whoever uses the loop must. */
START_TEST(a_peer_that_hangs_up_is_noticed_and_nothing_exits) {
        struct fixture f;

        fixture_init(&f);
        f.expected = 1;
        f.expect_disconnect = true;
        call(&f, "Echo", 10, 60000);
        while (f.n_answered == 0)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        dbus_connection_close(f.sides[1]);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_disconnected, 1);
        fixture_done(&f);
}
END_TEST

static DBusHandlerResult on_message_that_frees(DBusConnection *connection _unused_,
                                               DBusMessage *m _unused_, void *userdata) {
        struct fixture *f = userdata;

        /* Messages come from the deferred source: no watch is on the stack, so ours may go. */
        f->n_received++;
        ck_assert_int_ge(sd_event_exit(f->event, 0), 0);
        dbus_connection_close(f->sides[0]);
        return DBUS_HANDLER_RESULT_HANDLED;
}

START_TEST(a_handler_may_close_the_connection) {
        struct fixture f;
        DBusMessage *m;

        fixture_init(&f);
        while (!f.sides[1])
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        ck_assert(dbus_connection_add_filter(f.sides[1], on_message_that_frees, &f, NULL));
        dbus_connection_remove_filter(f.sides[1], on_message, &f);
        m = message_with("Echo", LARGE);
        dbus_message_set_no_reply(m, TRUE);
        ck_assert(dbus_connection_send(f.sides[0], m, NULL));
        dbus_message_unref(m);
        ck_assert_int_ge(sd_event_loop(f.event), 0);
        ck_assert_uint_eq(f.n_received, 1);
        dbus_connection_remove_filter(f.sides[1], on_message_that_frees, &f);
        ck_assert(dbus_connection_add_filter(f.sides[1], on_message, &f, NULL));
        fixture_done(&f);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-loop");
        TCase *c = tcase_create("bus-loop");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, small_calls_are_answered);
        tcase_add_test(c, two_watches_on_one_descriptor_share_a_source);
        tcase_add_test(c, a_call_without_answer_times_out);
        tcase_add_test(c, a_timer_runs_for_each_call);
        tcase_add_test(c, a_peer_that_hangs_up_is_noticed_and_nothing_exits);
        tcase_add_test(c, a_handler_may_close_the_connection);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
