/* A thousand writers on one bus: each is asked once and in parallel with the others, and one that
 * is stuck or dead costs its own deadline, not theirs, and so do hundreds of them. Four connections
 * have 250 writers each, at paths of their own. The bus has the limits that we install; what they
 * are for shows on one without them. */

#include "tests/bus/harness.h"

#include "common/time-util.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#define CONNECTIONS 4U
#define WRITERS_EACH 250U
#define WRITERS (CONNECTIONS * WRITERS_EACH)
#define BATCH 100U /* registrations under way at once */
/* Generous: a slow machine, with other tests beside. What grows with the square of the writers
 * takes minutes. */
#define PATIENCE_USEC (90 * USEC_PER_SEC)
#define PREPARE_USEC (15 * USEC_PER_SEC)
#define FREEZE_USEC (15 * USEC_PER_SEC)
/* More than the 128 calls that a bus grants which is told nothing: all of the first connection, and
 * some of the next. */
#define STUCK 300U

static const char config[] = "[Timeouts]\nFreeze=60s\nHold=10s\nPrepareSnapshot=15s\n"
                             "PostSnapshot=60s\nEvent=60s\n";
static const char config_freeze[] = "[Timeouts]\nFreeze=15s\nHold=1s\nEvent=60s\n";
static const char config_short[] = "[Timeouts]\nPrepareSnapshot=3s\nEvent=60s\n";

static const char *const events[] = { "Identify", "PrepareBackup",  "PrepareSnapshot",
                                      "Freeze",   "Thaw",           "PostSnapshot",
                                      "Abort",    "BackupComplete", "BackupShutdown" };
static atomic_uint seen[ARRAY_SIZE(events)];

static struct harness h;
static struct client c;
static struct crowd {
        DBusConnection *connection;
        pthread_t thread;
        atomic_bool stop;
        const char *stuck_event; /* which the first of them do not answer .. */
        unsigned n_stuck;
        atomic_bool released;         /* .. until then */
        DBusMessage *kept[STUCK * 2]; /* what they were told */
        unsigned n_kept;
} crowds[CONNECTIONS];

static unsigned count(const char *event) {
        for (size_t i = 0; i < ARRAY_SIZE(events); i++)
                if (streq(events[i], event))
                        return atomic_load(&seen[i]);
        return 0;
}

static void forget(void) {
        for (size_t i = 0; i < ARRAY_SIZE(events); i++)
                atomic_store(&seen[i], 0);
}

static void append_document(DBusMessageIter *iter, const char *text) {
        DBusMessageIter variant;

        (void)dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, "s", &variant);
        (void)dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text);
        (void)dbus_message_iter_close_container(iter, &variant);
}

static DBusMessage *answer(DBusMessage *call) {
        DBusMessage *reply = dbus_message_new_method_return(call);
        dbus_bool_t ok = TRUE;
        dbus_int32_t none = 0;
        const char *text = "";
        DBusMessageIter iter;

        dbus_message_iter_init_append(reply, &iter);
        (void)dbus_message_iter_append_basic(&iter, DBUS_TYPE_BOOLEAN, &ok);
        if (dbus_message_has_member(call, "Identify")) {
                append_document(&iter, "<WRITER_METADATA><IDENTIFICATION writerId=\""
                                       "aaaaaaaa-0000-4000-8000-000000000001\" "
                                       "friendlyName=\"w\"/></WRITER_METADATA>");
                return reply;
        }
        (void)dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &none);
        (void)dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &none);
        (void)dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &text);
        if (dbus_message_has_signature(call, "sa{sv}v"))
                append_document(&iter, "");
        return reply;
}

static bool is_stuck(const struct crowd *crowd, DBusMessage *call) {
        const char *path = dbus_message_get_path(call);

        return crowd->stuck_event && !crowd->released &&
               dbus_message_has_member(call, crowd->stuck_event) && path &&
               strncmp(path, "/writer/", 8) == 0 && strtoul(path + 8, NULL, 10) < crowd->n_stuck;
}

static void answer_now(DBusConnection *connection, DBusMessage *call) {
        DBusMessage *reply = answer(call);

        (void)dbus_connection_send(connection, reply, NULL);
        dbus_message_unref(reply);
}

/* On the connection's thread, where nothing asserts. */
static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *m, void *userdata) {
        struct crowd *crowd = userdata;
        const char *event = dbus_message_get_member(m);

        if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        for (size_t i = 0; i < ARRAY_SIZE(events); i++)
                if (streq(events[i], event))
                        (void)atomic_fetch_add(&seen[i], 1);
        if (!is_stuck(crowd, m))
                answer_now(connection, m);
        else if (crowd->n_kept < ARRAY_SIZE(crowd->kept))
                crowd->kept[crowd->n_kept++] = dbus_message_ref(m);
        return DBUS_HANDLER_RESULT_HANDLED;
}

static void *crowd_thread(void *userdata) {
        struct crowd *crowd = userdata;

        while (!crowd->stop && dbus_connection_read_write_dispatch(crowd->connection, 20))
                while (crowd->released && crowd->n_kept > 0) {
                        DBusMessage *call = crowd->kept[--crowd->n_kept];

                        answer_now(crowd->connection, call);
                        dbus_message_unref(call);
                }
        return NULL;
}

static DBusMessage *registration(unsigned connection, unsigned writer) {
        const char *id = "cccccccc-0000-4000-8000-000000000001", *path, *name = "Crowd Writer";
        DBusMessage *m = dbus_message_new_method_call(SERVICE, ROOT, MANAGER, "RegisterWriter");
        DBusMessageIter iter, array, entry, variant;
        char path_text[32], instance[32];
        const char *key = "instance_name", *value = instance;

        (void)snprintf(path_text, sizeof(path_text), "/writer/%u", writer);
        (void)snprintf(instance, sizeof(instance), "%u.%u", connection, writer);
        path = path_text;
        ck_assert(dbus_message_append_args(m, DBUS_TYPE_STRING, &id, DBUS_TYPE_STRING, &name,
                                           DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &array));
        ck_assert(dbus_message_iter_open_container(&array, DBUS_TYPE_DICT_ENTRY, NULL, &entry));
        ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key));
        ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &value));
        ck_assert(dbus_message_iter_close_container(&entry, &variant));
        ck_assert(dbus_message_iter_close_container(&array, &entry));
        ck_assert(dbus_message_iter_close_container(&iter, &array));
        return m;
}

static void crowd_start(struct crowd *crowd, unsigned connection) {
        DBusPendingCall *pending[BATCH];
        DBusError error = DBUS_ERROR_INIT;

        crowd->connection = dbus_connection_open_private(h.address, &error);
        ck_assert_msg(crowd->connection, "%s", error.message);
        dbus_connection_set_exit_on_disconnect(crowd->connection, FALSE);
        ck_assert(dbus_bus_register(crowd->connection, NULL));
        for (unsigned i = 0; i < WRITERS_EACH; i += BATCH) {
                unsigned n = WRITERS_EACH - i < BATCH ? WRITERS_EACH - i : BATCH;

                for (unsigned k = 0; k < n; k++) {
                        DBusMessage *m = registration(connection, i + k);

                        ck_assert(dbus_connection_send_with_reply(crowd->connection, m, &pending[k],
                                                                  60000));
                        dbus_message_unref(m);
                }
                for (unsigned k = 0; k < n; k++) {
                        dbus_pending_call_block(pending[k]);
                        dbus_message_unref(reply_good(dbus_pending_call_steal_reply(pending[k]),
                                                      "RegisterWriter"));
                        dbus_pending_call_unref(pending[k]);
                }
        }
        ck_assert(dbus_connection_add_filter(crowd->connection, on_message, crowd, NULL));
        crowd->stop = false;
        ck_assert_int_eq(pthread_create(&crowd->thread, NULL, crowd_thread, crowd), 0);
}

static void crowd_stop(struct crowd *crowd) {
        if (!crowd->connection)
                return;
        crowd->stop = true;
        ck_assert_int_eq(pthread_join(crowd->thread, NULL), 0);
        while (crowd->n_kept > 0)
                dbus_message_unref(crowd->kept[--crowd->n_kept]);
        dbus_connection_close(crowd->connection);
        dbus_connection_unref(crowd->connection);
        *crowd = (struct crowd){ 0 };
}

static void start(const char *daemon_config, const char *limits) {
        forget();
        ck_assert(dbus_threads_init_default());
        harness_start_limited(&h, daemon_config, limits);
        client_open(&c, &h);
        for (unsigned i = 0; i < CONNECTIONS; i++)
                crowd_start(&crowds[i], i);
}

static void teardown(void) {
        for (unsigned i = 0; i < CONNECTIONS; i++)
                crowd_stop(&crowds[i]);
        client_close(&c);
        harness_stop(&h);
}

static void make_stuck(const char *event, unsigned n) {
        for (unsigned i = 0; i < CONNECTIONS; i++) {
                crowds[i].n_stuck = n < WRITERS_EACH ? n : WRITERS_EACH;
                crowds[i].stuck_event = event;
                n -= crowds[i].n_stuck;
        }
}

static const char *prepared(void) {
        static char session[64];
        dbus_uint32_t n;

        (void)snprintf(session, sizeof(session), "%s", client_session(&c));

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, WRITERS);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        client_do(&c, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count("PrepareBackup"), WRITERS);
        return session;
}

/* How many writers show this pair. */
static unsigned count_status(const char *session, VSS_WRITER_STATE state, HRESULT failure) {
        const char *instance, *writer, *name, *message;
        dbus_uint32_t n, shown;
        dbus_int32_t hr, application;
        unsigned found = 0;

        ck_assert_int_eq(client_run(&c, session, "GatherWriterStatus", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterStatusCount", ""), "u", &n);
        for (dbus_uint32_t i = 0; i < n; i++) {
                reply_read(client_call(&c, session, SESSION, "GetWriterStatus", "u", i), "sssuiis",
                           &instance, &writer, &name, &shown, &hr, &application, &message);
                found += shown == (dbus_uint32_t)state && hr == failure;
        }
        return found;
}

static void await(const char *event, unsigned n) {
        uint64_t end = now_monotonic_usec() + PATIENCE_USEC;

        while (count(event) < n) {
                struct timespec t = { .tv_nsec = 5000000 };

                ck_assert_msg(now_monotonic_usec() < end, "%s: %u of %u", event, count(event), n);
                (void)nanosleep(&t, NULL);
        }
}

/* Where the bus grants less it takes longer, and nobody is left out. */
static const char *const limits[] = { "", STOCK_REPLIES };

START_TEST(a_thousand_writers_are_all_asked) {
        uint64_t begin = now_monotonic_usec();
        const char *session;

        start(config, limits[_i]);
        session = prepared();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count("Identify"), WRITERS);
        ck_assert_uint_eq(count("PrepareSnapshot"), WRITERS);
        ck_assert_uint_eq(count("Freeze"), WRITERS);
        ck_assert_uint_eq(count("Thaw"), WRITERS);
        ck_assert_uint_eq(count("PostSnapshot"), WRITERS);
        ck_assert_uint_eq(count("Abort"), 0);
        ck_assert_int_eq(client_run(&c, session, "BackupComplete", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count("BackupComplete"), WRITERS);
        ck_assert_uint_lt(now_monotonic_usec() - begin, PATIENCE_USEC);
        ck_assert_uint_eq(count_status(session, VSS_WS_STABLE, S_OK), WRITERS);
        client_do(&c, session, SESSION, "Release", "");
        await("BackupShutdown", WRITERS);
}
END_TEST

/* One, and hundreds, whose deadlines pass together: none adds to another's. */
START_TEST(stuck_writers_cost_their_own_deadline) {
        const unsigned stuck = (unsigned[]){ 1, STUCK }[_i];
        uint64_t begin;
        const char *session;

        start(config, "");
        make_stuck("PrepareSnapshot", stuck);
        session = prepared();
        begin = now_monotonic_usec();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_ge(now_monotonic_usec() - begin, PREPARE_USEC);
        ck_assert_uint_lt(now_monotonic_usec() - begin, 2 * PREPARE_USEC);
        ck_assert_uint_eq(count("PrepareSnapshot"), WRITERS);
        ck_assert_uint_eq(count("Freeze"), WRITERS - stuck);
        ck_assert_uint_eq(count("PostSnapshot"), WRITERS - stuck);
        ck_assert_uint_eq(count_status(session, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT,
                                       VSS_E_WRITER_NOT_RESPONDING),
                          stuck);
        ck_assert_uint_eq(count_status(session, VSS_WS_WAITING_FOR_BACKUP_COMPLETE, S_OK),
                          WRITERS - stuck);
}
END_TEST

/* They are all asked at once, whoever does not answer. */
START_TEST(stuck_writers_keep_no_other_from_freezing) {
        const char *session, *async, *message;
        uint64_t begin;

        start(config_freeze, "");
        make_stuck("Freeze", STUCK);
        session = prepared();
        begin = now_monotonic_usec();
        reply_read(client_call(&c, session, SESSION, "DoSnapshotSet", ""), "o", &async);
        await("Freeze", WRITERS);
        ck_assert_uint_lt(now_monotonic_usec() - begin, FREEZE_USEC);
        ck_assert_uint_eq(count("Abort"), 0);
        ck_assert_int_eq(client_await(&c, async, &message), VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_uint_ge(now_monotonic_usec() - begin, FREEZE_USEC);
        ck_assert_uint_lt(now_monotonic_usec() - begin, 2 * FREEZE_USEC + PATIENCE_USEC);
        await("Abort", WRITERS);
}
END_TEST

/* Also where the bus carries so few events that the ends of the stuck have to wait. */
START_TEST(the_end_reaches_whoever_was_asked_to_freeze) {
        const char *session, *async;

        start(config_freeze, STOCK_REPLIES);
        make_stuck("Freeze", 90);
        session = prepared();
        reply_read(client_call(&c, session, SESSION, "DoSnapshotSet", ""), "o", &async);
        ck_assert_int_eq(client_await(&c, async, NULL), VSS_E_WRITERERROR_TIMEOUT);
        await("Abort", count("Freeze"));
}
END_TEST

/* What stays unanswered is not what the next session waits for, and an answer that comes late is
 * one: what was held for it goes out. */
START_TEST(a_late_answer_lets_the_next_event_go) {
        const char *first, *second, *async;
        dbus_uint32_t n;

        start("[Timeouts]\nEvent=15s\n", "");
        make_stuck("Identify", STUCK);
        first = client_session(&c);
        client_do(&c, first, SESSION, "InitializeForBackup", "v", "");
        ck_assert_int_eq(client_run(&c, first, "GatherWriterMetadata", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, first, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, WRITERS - STUCK);
        ck_assert_uint_eq(count("Identify"), WRITERS);

        second = client_session(&c);
        client_do(&c, second, SESSION, "InitializeForBackup", "v", "");
        reply_read(client_call(&c, second, SESSION, "GatherWriterMetadata", ""), "o", &async);
        await("Identify", 2 * WRITERS - STUCK);
        for (unsigned i = 0; i < CONNECTIONS; i++)
                crowds[i].released = true;
        ck_assert_int_eq(client_await(&c, async, NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, second, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, WRITERS);
        ck_assert_uint_eq(count("Identify"), 2 * WRITERS);
}
END_TEST

/* The reason for the limits: with dbus-daemon's own the first of the stuck take all that it grants,
 * and the others wait for nobody knows what. It ends all the same, and says who was not told. */
START_TEST(without_our_limits_the_stuck_use_up_the_bus) {
        const char *session;
        uint64_t begin;

        start(config_short, STOCK_REPLIES);
        make_stuck("PrepareSnapshot", STUCK);
        session = prepared();
        begin = now_monotonic_usec();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_lt(now_monotonic_usec() - begin, PATIENCE_USEC);
        ck_assert_uint_le(count("PrepareSnapshot"), 128);
        ck_assert_uint_ge(count_status(session, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT,
                                       VSS_E_WRITER_NOT_RESPONDING),
                          WRITERS - 128);
}
END_TEST

START_TEST(dead_writers_cost_nothing) {
        const char *session;
        uint64_t begin;

        start(config, "");
        session = prepared();
        crowd_stop(&crowds[1]);
        begin = now_monotonic_usec();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_lt(now_monotonic_usec() - begin, PATIENCE_USEC);
        ck_assert_uint_eq(count("Freeze"), WRITERS - WRITERS_EACH);
        ck_assert_uint_eq(count("PostSnapshot"), WRITERS - WRITERS_EACH);
        ck_assert_uint_eq(count_status(session, VSS_WS_UNKNOWN, VSS_E_WRITER_NOT_RESPONDING),
                          WRITERS_EACH);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-crowd");
        TCase *t = tcase_create("bus-crowd");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, NULL, teardown);
        tcase_set_timeout(t, 280);
        tcase_add_loop_test(t, a_thousand_writers_are_all_asked, 0, ARRAY_SIZE(limits));
        tcase_add_loop_test(t, stuck_writers_cost_their_own_deadline, 0, 2);
        tcase_add_test(t, stuck_writers_keep_no_other_from_freezing);
        tcase_add_test(t, the_end_reaches_whoever_was_asked_to_freeze);
        tcase_add_test(t, a_late_answer_lets_the_next_event_go);
        tcase_add_test(t, without_our_limits_the_stuck_use_up_the_bus);
        tcase_add_test(t, dead_writers_cost_nothing);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
