/* Writers on the bus: who is asked what and when, what their failures do to the set, and what
 * becomes of one that does not answer, answers nonsense or goes. */

#include "tests/bus/bus-writer.h"

#include <stdio.h>
#include <vss/vss.h>
#include <vss/vsserror.h>

static struct harness h;
static struct client c;

/* Short deadlines: nobody waits long for those that never answer. */
static const char config[] = "[Timeouts]\nFreeze=2s\nHold=1s\nPrepareSnapshot=1s\n"
                             "PostSnapshot=1s\nEvent=1s\n";

static struct bus_writer front = {
        .label = "front",
        .name = "Front Writer",
        .class_id = "aaaaaaaa-0000-4000-8000-000000000001",
        .level = VSS_APP_FRONT_END,
};
static struct bus_writer back = {
        .label = "back",
        .name = "Back Writer",
        .class_id = "aaaaaaaa-0000-4000-8000-000000000002",
        .level = VSS_APP_BACK_END,
};

static void setup(void) {
        bus_writer_forget();
        harness_start(&h, config);
        client_open(&c, &h);
}

static void teardown(void) {
        bus_writer_stop(&front);
        bus_writer_stop(&back);
        client_close(&c);
        harness_stop(&h);
}

/* Up to the end of PrepareForBackup. */
static const char *prepared(void) {
        const char *session = client_session(&c);

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        client_do(&c, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        return session;
}

struct status {
        const char *instance_id, *writer_id, *name, *message;
        dbus_uint32_t state;
        dbus_int32_t failure, application;
};

static struct status status_of(const char *session, const char *class_id) {
        dbus_uint32_t n = 0;
        struct status s;

        ck_assert_int_eq(client_run(&c, session, "GatherWriterStatus", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterStatusCount", ""), "u", &n);
        for (dbus_uint32_t i = 0; i < n; i++) {
                reply_read(client_call(&c, session, SESSION, "GetWriterStatus", "u", i), "sssuiis",
                           &s.instance_id, &s.writer_id, &s.name, &s.state, &s.failure,
                           &s.application, &s.message);
                if (streq(s.writer_id, class_id))
                        return s;
        }
        ck_abort_msg("there is no writer %s among %u", class_id, n);
        return s;
}

START_TEST(a_registered_writer_is_an_object) {
        DBusMessage *reply;

        bus_writer_start(&front, &h);
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "Name"), "Front Writer");
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "InstanceId"), front.instance_id);
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "Level"), "3");
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "State"), "1");
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "FreezeTimeoutMs"), "60000");
        ck_assert_int_eq(atoi(client_property(&c, front.path, WRITER, "Pid")), getpid());
        reply = client_call(&c, ROOT, MANAGER, "ListWriters", "");
        ck_assert_uint_eq(reply_rows(reply), 1);
        ck_assert_str_eq(reply_row(reply, 0, "WriterId"), front.class_id);
        dbus_message_unref(reply);

        client_fails(&c, ERROR("AccessDenied"), ROOT, MANAGER, "UnregisterWriter", "s",
                     front.instance_id);
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "UnregisterWriter", "s",
                     "11111111-1111-1111-1111-111111111111");
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "UnregisterWriter", "s", "x");
        bus_writer_stop(&front);
        for (;;) {
                reply = client_call(&c, ROOT, MANAGER, "ListWriters", "");
                if (reply_rows(reply) == 0)
                        break;
                dbus_message_unref(reply);
        }
        dbus_message_unref(reply);
}
END_TEST

START_TEST(bad_registrations_are_refused) {
        struct bus_writer w = { .label = "bad", .name = "", .class_id = "nonsense" };
        struct bus_writer twin;

        reply_bad(bus_writer_register(&w, &h), "RegisterWriter", ERROR("InvalidArg"));
        (void)snprintf(w.class_id, sizeof(w.class_id), "%s", front.class_id);
        reply_bad(bus_writer_register(&w, &h), "RegisterWriter", ERROR("InvalidArg"));
        (void)snprintf(w.name, sizeof(w.name), "Twin");
        w.level = 77;
        reply_bad(bus_writer_register(&w, &h), "RegisterWriter", ERROR("InvalidArg"));
        w.level = VSS_APP_BACK_END;
        (void)snprintf(w.instance_name, sizeof(w.instance_name), "one");
        dbus_message_unref(reply_good(bus_writer_register(&w, &h), "RegisterWriter"));
        twin = w;
        twin.connection = NULL;
        reply_bad(bus_writer_register(&twin, &h), "RegisterWriter",
                  ERROR("WriterAlreadySubscribed"));
        bus_writer_stop(&twin);

        w.instance_name[0] = '\0';
        for (unsigned i = 1; i < 512; i++)
                dbus_message_unref(reply_good(bus_writer_register(&w, &h), "RegisterWriter"));
        reply_bad(bus_writer_register(&w, &h), "RegisterWriter", ERROR("OutOfMemory"));
        bus_writer_stop(&w);
}
END_TEST

START_TEST(events_come_in_their_order_and_say_what_they_are_about) {
        const char *session, *xml, *instance, *set;
        DBusMessage *reply;
        dbus_uint32_t n;

        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        session = prepared();
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, 2);
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadata", "u", 0U), "sv", &instance,
                   &xml);
        ck_assert_ptr_nonnull(strstr(xml, "WRITER_METADATA"));
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "GetWriterMetadata", "u", 2U);

        bus_writer_forget();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        /* PrepareSnapshot is for both at once, in any order. */
        ck_assert_ptr_nonnull(strstr(bus_writer_events(), "front:Freeze back:Freeze back:Thaw "
                                                          "front:Thaw "));
        ck_assert_uint_eq(bus_writer_count("front", "PrepareSnapshot"), 1);
        ck_assert_uint_eq(bus_writer_count("back", "PostSnapshot"), 1);
        ck_assert_uint_eq(bus_writer_count("front", "Abort"), 0);
        ck_assert_int_eq(status_of(session, front.class_id).state,
                         VSS_WS_WAITING_FOR_BACKUP_COMPLETE);

        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        set = reply_row(reply, 0, "SnapshotSetId");
        ck_assert_str_eq(reply_row(reply, 0, "Consistency"), "application");
        dbus_message_unref(reply);
        ck_assert_ptr_nonnull(strstr(bus_writer_details("Freeze"), set));
        ck_assert_ptr_nonnull(strstr(bus_writer_details("Freeze"), "Volumes=/srv/data/,"));
        ck_assert_ptr_nonnull(strstr(bus_writer_details("Freeze"), "BackupType=1 "));
        ck_assert_ptr_nonnull(strstr(bus_writer_details("Freeze"), "FreezeTimeoutMs="));
        ck_assert_ptr_null(strstr(bus_writer_details("Freeze"), "Devices="));
        ck_assert_ptr_nonnull(
                strstr(bus_writer_details("PostSnapshot"), "Devices=/run/vss/ShadowCopy1,"));

        ck_assert_int_eq(client_run(&c, session, "BackupComplete", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(bus_writer_count("back", "BackupComplete"), 1);
        ck_assert_int_eq(status_of(session, back.class_id).state, VSS_WS_STABLE);
        client_do(&c, session, SESSION, "Release", "");
        bus_writer_await("front", "BackupShutdown", 1);
        bus_writer_await("back", "BackupShutdown", 1);
}
END_TEST

START_TEST(filters_keep_writers_out) {
        const char *session = client_session(&c);

        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "DisableWriterClasses", "as",
                  ((char *[]){ front.class_id, NULL }));
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(bus_writer_count("front", "Identify"), 0);
        ck_assert_uint_eq(bus_writer_count("back", "Identify"), 1);

        session = client_session(&c);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "DisableWriterInstances", "as",
                  ((char *[]){ back.instance_id, NULL }));
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(bus_writer_count("front", "Identify"), 1);
        ck_assert_uint_eq(bus_writer_count("back", "Identify"), 1);
}
END_TEST

START_TEST(a_veto_before_the_freeze_is_for_the_requester_to_judge) {
        struct status status;
        const char *session;

        front.special_event = "PrepareSnapshot";
        front.special = ANSWER_VETO;
        bus_writer_start(&front, &h);
        session = prepared();
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        status = status_of(session, front.class_id);
        ck_assert_int_eq(status.state, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
        ck_assert_int_eq(status.failure, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(status.application, 42);
        ck_assert_ptr_nonnull(strstr(status.message, "the fake is not ready"));
        ck_assert_uint_eq(bus_writer_count("front", "Freeze"), 0);
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "State"), "8");
}
END_TEST

/* Whatever keeps a writer from freezing, the set is taken back and every writer told. */
START_TEST(a_failed_freeze_aborts_the_set) {
        static const struct {
                enum bus_writer_answer answer;
                HRESULT failure;
        } rows[] = {
                { ANSWER_VETO, VSS_E_WRITERERROR_RETRYABLE },
                { ANSWER_NEVER, VSS_E_WRITERERROR_TIMEOUT },
                { ANSWER_NONSENSE, VSS_E_WRITER_NOT_RESPONDING },
                { ANSWER_ERROR, VSS_E_WRITER_NOT_RESPONDING },
                { ANSWER_DISCONNECT, VSS_E_WRITER_NOT_RESPONDING },
        };
        const char *session, *message;
        HRESULT hr;

        back.special_event = "Freeze";
        back.special = rows[_i].answer;
        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        session = prepared();
        hr = client_run(&c, session, "DoSnapshotSet", &message);
        ck_assert_msg(FAILED(hr), "row %d: %#x", _i, (unsigned)hr);
        ck_assert_msg(strstr(message, "Back Writer"), "row %d: %s", _i, message);
        ck_assert_int_eq(status_of(session, back.class_id).failure, rows[_i].failure);
        bus_writer_await("front", "Abort", 1);
        ck_assert_uint_eq(bus_writer_count("front", "PostSnapshot"), 0);
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        ck_assert_int_eq(status_of(session, front.class_id).failure, VSS_E_WRITERERROR_RETRYABLE);
}
END_TEST

START_TEST(one_that_does_not_identify_itself_is_left_out) {
        static const enum bus_writer_answer answers[] = { ANSWER_VETO, ANSWER_NEVER,
                                                          ANSWER_NONSENSE, ANSWER_ERROR,
                                                          ANSWER_DISCONNECT };
        const char *session;
        dbus_uint32_t n;

        front.special_event = "Identify";
        front.special = answers[_i];
        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        session = prepared();
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(bus_writer_count("front", "PrepareBackup"), 0);
        ck_assert_uint_eq(bus_writer_count("back", "Thaw"), 1);
}
END_TEST

/* The bus counts unanswered calls for ever: one mute writer must not use them up. */
START_TEST(a_mute_writer_does_not_silence_the_others) {
        front.special_event = "Identify";
        front.special = ANSWER_NEVER;
        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        for (unsigned round = 0; round < 3; round++) {
                const char *asyncs[50];
                char sessions[50][64];

                for (size_t i = 0; i < ARRAY_SIZE(asyncs); i++) {
                        (void)snprintf(sessions[i], sizeof(sessions[i]), "%s", client_session(&c));
                        client_do(&c, sessions[i], SESSION, "InitializeForBackup", "v", "");
                        reply_read(
                                client_call(&c, sessions[i], SESSION, "GatherWriterMetadata", ""),
                                "o", &asyncs[i]);
                }
                for (size_t i = 0; i < ARRAY_SIZE(asyncs); i++) {
                        dbus_uint32_t n;

                        ck_assert_int_eq(client_await(&c, asyncs[i], NULL), VSS_S_ASYNC_FINISHED);
                        reply_read(
                                client_call(&c, sessions[i], SESSION, "GetWriterMetadataCount", ""),
                                "u", &n);
                        ck_assert_uint_eq(n, 1);
                        client_do(&c, sessions[i], SESSION, "Release", "");
                }
                client_drain(&c);
        }
        ck_assert_uint_eq(bus_writer_count("back", "Identify"), 150);
        ck_assert_uint_le(bus_writer_count("front", "Identify"), 8);
}
END_TEST

START_TEST(a_requester_that_vanishes_leaves_nobody_frozen) {
        struct client other;
        const char *session;

        bus_writer_start(&front, &h);
        client_open(&other, &h);
        session = client_session(&other);
        client_do(&other, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&other, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL,
                  FALSE);
        ck_assert_int_eq(client_run(&other, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        client_do(&other, session, SESSION, "StartSnapshotSet", "");
        client_do(&other, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        ck_assert_int_eq(client_run(&other, session, "PrepareForBackup", NULL),
                         VSS_S_ASYNC_FINISHED);
        harness_knob(&h, "slow", "sync 300");
        client_do(&other, session, SESSION, "DoSnapshotSet", "");
        bus_writer_await("front", "Freeze", 1);
        client_close(&other);
        bus_writer_await("front", "Abort", 1);
        bus_writer_await("front", "BackupShutdown", 1);
        harness_await(&h, "abort", 1);
        ck_assert_str_eq(client_property(&c, front.path, WRITER, "State"), "1");
}
END_TEST

START_TEST(stopping_the_daemon_thaws_who_is_frozen) {
        const char *session;

        bus_writer_start(&front, &h);
        session = prepared();
        harness_knob(&h, "slow", "sync 300");
        client_do(&c, session, SESSION, "DoSnapshotSet", "");
        bus_writer_await("front", "Freeze", 1);
        harness_stop_daemon(&h);
        ck_assert_uint_eq(bus_writer_count("front", "Abort") + bus_writer_count("front", "Thaw"),
                          1);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, config);
}
END_TEST

START_TEST(scripts_ask_writers_unless_told_otherwise) {
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *exclude[] = { (char *)"exclude-writers", (char *)"Front Writer", NULL };
        char *tolerant[] = { (char *)"require-writers", (char *)"no", NULL };
        const char *text;

        front.special_event = "PrepareSnapshot";
        front.special = ANSWER_VETO;
        bus_writer_start(&front, &h);
        text = client_fails(&c, ERROR("WriterErrorRetryable"), ROOT, MANAGER, "CreateSnapshotSet",
                            "asa{ss}", volumes, NULL);
        ck_assert_ptr_nonnull(strstr(text, "Front Writer"));
        ck_assert_ptr_nonnull(strstr(text, "the fake is not ready"));
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, tolerant);
        bus_writer_await("front", "BackupShutdown", 2);
        bus_writer_forget();
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, exclude);
        ck_assert_str_eq(bus_writer_events(), "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-writers");
        TCase *t = tcase_create("bus-writers");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, a_registered_writer_is_an_object);
        tcase_add_test(t, bad_registrations_are_refused);
        tcase_add_test(t, events_come_in_their_order_and_say_what_they_are_about);
        tcase_add_test(t, filters_keep_writers_out);
        tcase_add_test(t, a_veto_before_the_freeze_is_for_the_requester_to_judge);
        tcase_add_loop_test(t, a_failed_freeze_aborts_the_set, 0, 5);
        tcase_add_loop_test(t, one_that_does_not_identify_itself_is_left_out, 0, 5);
        tcase_add_test(t, a_mute_writer_does_not_silence_the_others);
        tcase_add_test(t, a_requester_that_vanishes_leaves_nobody_frozen);
        tcase_add_test(t, stopping_the_daemon_thaws_who_is_frozen);
        tcase_add_test(t, scripts_ask_writers_unless_told_otherwise);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
