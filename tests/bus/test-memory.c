/* The daemon without memory, one allocation at a time: each call is answered, with what it wants or
 * with an error that says so, and nothing is left behind. */

#include "tests/bus/fake-memory.h"
#include "tests/bus/harness.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

/* More than any of the calls below needs, on an empty store; past its last allocation a call just
 * succeeds. */
#define ALLOCATIONS 60
#define FILE_SHARE_BACKUP 0x10 /* no writers, and copies that end with their requester */

static struct harness h;

static void setup(void) {
        harness_start(&h, NULL);
}

static void teardown(void) {
        harness_stop(&h);
}

/* The n-th allocation from now on fails; 0: none. */
static void arm(int n) {
        ck_assert_int_eq(fake_memory_arm(h.vssd, n), 0);
}

/* true: it went well. The reply is released. */
static bool survived(DBusMessage *reply, const char *member, int n) {
        const char *name = dbus_message_get_error_name(reply);
        bool good = !name;

        ck_assert_msg(good || streq(name, ERROR("OutOfMemory")) ||
                              streq(name, DBUS_ERROR_NO_MEMORY) ||
                              streq(name, ERROR("AccessDenied")),
                      "%s, allocation %d: %s", member, n, str_or_empty(name));
        dbus_message_unref(reply);
        return good;
}

static const struct {
        const char *interface, *member, *signature, *first, *second;
} plain_calls[] = {
        { "org.freedesktop.DBus.Introspectable", "Introspect", "", NULL, NULL },
        { "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", NULL, NULL },
        { PROPERTIES, "GetAll", "s", MANAGER, NULL },
        { PROPERTIES, "Get", "ss", MANAGER, "Version" },
        { MANAGER, "CreateBackupComponents", "a{sv}", NULL, NULL },
        { MANAGER, "ListSnapshots", "a{ss}", NULL, NULL },
        { MANAGER, "ListWriters", "", NULL, NULL },
        { MANAGER, "ListProviders", "", NULL, NULL },
        { MANAGER, "ListVolumes", "", NULL, NULL },
        { MANAGER, "IsVolumeSupported", "s", "/srv/data", NULL },
        { MANAGER, "IsVolumeSnapshotted", "s", "/srv/data", NULL },
};

START_TEST(every_call_survives_every_lost_allocation) {
        struct client c;
        unsigned lost = 0;

        client_open(&c, &h);
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                  ((char *[]){ (char *)"/srv/data", NULL }), NULL);
        client_close(&c);
        for (int n = 1; n <= ALLOCATIONS; n++) {
                DBusMessage *reply;

                /* A new connection: its identity is asked for and kept, too. */
                client_open(&c, &h);
                arm(n);
                reply = client_send(&c,
                                    message_new(ROOT, plain_calls[_i].interface,
                                                plain_calls[_i].member, plain_calls[_i].signature,
                                                plain_calls[_i].first, plain_calls[_i].second));
                arm(0);
                if (!survived(reply, plain_calls[_i].member, n))
                        lost++;
                client_close(&c);
        }
        ck_assert_msg(lost > 0, "%s allocates nothing", plain_calls[_i].member);
        client_open(&c, &h);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Version"), VSSD_VERSION);
        client_close(&c);
}
END_TEST

/* What was begun is handed out: a call that failed can be made again. */
START_TEST(an_operation_is_begun_and_named_or_neither) {
        struct client c;
        unsigned lost = 0;

        for (int n = 1; n <= ALLOCATIONS; n++) {
                const char *session;
                DBusMessage *reply;

                client_open(&c, &h);
                session = client_session(&c);
                client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
                arm(n);
                reply = client_send(&c, message_new(session, SESSION, "GatherWriterMetadata", ""));
                arm(0);
                if (!survived(reply, "GatherWriterMetadata", n)) {
                        lost++;
                        client_do(&c, session, SESSION, "GatherWriterMetadata", "");
                }
                client_close(&c);
        }
        ck_assert_uint_gt(lost, 0);
}
END_TEST

static DBusMessage *register_writer(struct client *c) {
        return client_send(c, message_new(ROOT, MANAGER, "RegisterWriter", "ssoa{sv}",
                                          "aaaaaaaa-0000-4000-8000-000000000001", "A writer", "/w",
                                          NULL));
}

START_TEST(a_writer_is_registered_or_not) {
        struct client c, other;
        unsigned lost = 0;

        client_open(&other, &h);
        for (int n = 1; n <= ALLOCATIONS; n++) {
                DBusMessage *reply;
                bool there;

                client_open(&c, &h);
                arm(n);
                reply = register_writer(&c);
                arm(0);
                there = survived(reply, "RegisterWriter", n);
                lost += !there;
                reply = client_call(&other, ROOT, MANAGER, "ListWriters", "");
                ck_assert_uint_eq(reply_rows(reply), there ? 1 : 0);
                dbus_message_unref(reply);
                client_close(&c);
                do {
                        reply = client_call(&other, ROOT, MANAGER, "ListWriters", "");
                        there = reply_rows(reply) > 0;
                        dbus_message_unref(reply);
                } while (there);
        }
        ck_assert_uint_gt(lost, 0);
        client_close(&other);
}
END_TEST

/* The session before may still be putting things back; that must end, and nothing be left of it. */
static void await_nothing_left(struct client *c, const char *session) {
        for (unsigned i = 0;; i++) {
                DBusMessage *reply = client_call(c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
                size_t left = reply_rows(reply);

                dbus_message_unref(reply);
                if (left == 0 &&
                    streq(client_property(c, ROOT, MANAGER, "SnapshotSetInProgress"), "false")) {
                        /* What is not shown any more may still be on its way; deletions queue. */
                        client_fails(c, ERROR("ObjectNotFound"), session, SESSION,
                                     "DeleteSnapshots", "sub",
                                     "11111111-2222-4333-8444-555555555555", 2U, TRUE); /* a set */
                        return;
                }
                ck_assert_msg(i < 30000, "%zu snapshots, or a creation, were never given up", left);
                (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        }
}

/* Waits a while for the end of an operation to be told. Asking allocates, and would take the loss
 * from what is asked about. */
static void await_end(struct client *c, const char *async) {
        for (unsigned i = 0; i < 50; i++) {
                while (dbus_connection_dispatch(c->connection) == DBUS_DISPATCH_DATA_REMAINS)
                        ;
                for (size_t k = 0; k < c->n_signals; k++)
                        if (dbus_message_is_signal(c->signals[k], ASYNC, "Completed") &&
                            dbus_message_has_path(c->signals[k], async))
                                return;
                ck_assert(dbus_connection_read_write(c->connection, 10));
        }
}

/* A step of a session, with its answer awaited where it is an async. */
static bool step(struct client *c, int n, const char *session, const char *member,
                 const char *signature, const char *first, const char *second) {
        DBusMessage *reply;
        char path[64] = "";
        bool good;

        arm(n);
        reply = client_send(c, message_new(session, SESSION, member, signature, first, second));
        if (!dbus_message_get_error_name(reply) && dbus_message_has_signature(reply, "o")) {
                const char *async;

                dbus_message_ref(reply);
                reply_read(reply, "o", &async);
                (void)snprintf(path, sizeof(path), "%s", async); /* it is asked often */
        }
        good = survived(reply, member, n);
        if (path[0]) {
                /* Its end may have been lost with a signal; it can be asked. */
                for (unsigned i = 0;; i++) {
                        dbus_int32_t hr = 0;
                        const char *message;

                        await_end(c, path);
                        reply = client_send(c, message_new(path, ASYNC, "QueryStatus", ""));
                        if (dbus_message_get_error_name(reply)) {
                                good = survived(reply, "QueryStatus", n);
                                continue;
                        }
                        reply_read(reply, "is", &hr, &message);
                        if (hr != 0x42309) {
                                good = hr == 0x4230A;
                                break;
                        }
                        ck_assert_msg(i < 60, "%s, allocation %d never ended", member, n);
                }
        }
        arm(0);
        return good;
}

static const struct {
        const char *member, *signature, *first, *second;
} sequence[] = {
        { "InitializeForBackup", "v", "", NULL }, { "SetContext", "i", NULL, NULL },
        { "StartSnapshotSet", "", NULL, NULL },   { "AddToSnapshotSet", "ss", "/srv/data", "" },
        { "DoSnapshotSet", "", NULL, NULL },
};

/* The session's code below the bus is met, too: whichever allocation is lost, the set is there or
 * not, it goes with its requester, the next requester can work, and no intent is left to be undone
 * at the next start. */
START_TEST(a_creation_succeeds_or_leaves_nothing) {
        struct client watcher;
        bool good = true;
        char deleter[64];

        client_open(&watcher, &h);
        (void)snprintf(deleter, sizeof(deleter), "%s", client_session(&watcher));
        client_do(&watcher, deleter, SESSION, "InitializeForBackup", "v", "");
        /* On a busy machine the end is asked for more often, and each question allocates. */
        for (int n = 1; n <= 2 * ALLOCATIONS || (!good && n <= 10 * ALLOCATIONS); n++) {
                struct client c;
                char session[64];

                client_open(&c, &h);
                (void)snprintf(session, sizeof(session), "%s", client_session(&c));
                good = true;
                for (size_t i = 0; good && i < ARRAY_SIZE(sequence); i++) {
                        if (streq(sequence[i].signature, "i")) {
                                client_do(&c, session, SESSION, "SetContext", "i",
                                          FILE_SHARE_BACKUP);
                                continue;
                        }
                        good = step(&c, (int)i == _i ? n : 0, session, sequence[i].member,
                                    sequence[i].signature, sequence[i].first, sequence[i].second);
                }
                /* Whatever else may do without, the first allocation of a call is the call's. */
                ck_assert(n > 1 || !good);
                client_close(&c);
                await_nothing_left(&watcher, deleter);
        }
        ck_assert(good); /* the last allocation was passed */
        client_close(&watcher);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "recover"), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-memory");
        TCase *t = tcase_create("bus-memory");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 240);
        tcase_add_loop_test(t, every_call_survives_every_lost_allocation, 0,
                            (int)ARRAY_SIZE(plain_calls));
        tcase_add_test(t, an_operation_is_begun_and_named_or_neither);
        tcase_add_test(t, a_writer_is_registered_or_not);
        tcase_add_loop_test(t, a_creation_succeeds_or_leaves_nothing, 2, 5);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
