/* Requesters on the bus: the whole creation, what is refused when, and what becomes of things when
 * a requester or the daemon goes. */

#include "tests/bus/harness.h"

#include <stdio.h>
#include <time.h>
#include <vss/vss.h>
#include <vss/vsserror.h>

#define NO_PROVIDER ""

static struct harness h;
static struct client c;

static void setup(void) {
        harness_start(&h, NULL);
        client_open(&c, &h);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

static void good(const char *session, const char *member) {
        client_do(&c, session, SESSION, member, "");
}

static const char *initialized(struct client *client, LONG context) {
        const char *session = client_session(client);

        client_do(client, session, SESSION, "InitializeForBackup", "v", "");
        if (context != VSS_CTX_BACKUP)
                client_do(client, session, SESSION, "SetContext", "i", context);
        return session;
}

static const char *started(struct client *client, const char *session) {
        const char *set;

        reply_read(client_call(client, session, SESSION, "StartSnapshotSet", ""), "s", &set);
        ck_assert_uint_eq(strlen(set), 36);
        return set;
}

static const char *added(struct client *client, const char *session, const char *volume) {
        const char *snapshot;

        reply_read(client_call(client, session, SESSION, "AddToSnapshotSet", "ss", volume,
                               NO_PROVIDER),
                   "s", &snapshot);
        return snapshot;
}

/* A no-writers session with one volume added, ready for DoSnapshotSet. */
static const char *ready(struct client *client, LONG context, const char *volume) {
        const char *session = initialized(client, context);

        (void)started(client, session);
        (void)added(client, session, volume);
        return session;
}

static size_t count_snapshots(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

START_TEST(a_backup_from_beginning_to_end) {
        const char *session = initialized(&c, VSS_CTX_BACKUP), *set, *data, *mail, *message;
        DBusMessage *reply, *m;

        client_do(&c, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        set = started(&c, session);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "SnapshotSetInProgress"), "true");
        data = added(&c, session, "/srv/data");
        mail = added(&c, session, "/srv/mail/");
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        client_drain(&c);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", &message), VSS_S_ASYNC_FINISHED);
        ck_assert_str_eq(message, "");
        m = client_signal(&c, NULL, PROPERTIES, "PropertiesChanged");
        ck_assert_msg(m, "no progress was told");
        dbus_message_unref(m);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "SnapshotSetInProgress"), "false");

        reply = client_call(&c, session, SESSION, "GetSnapshotProperties", "s", data);
        ck_assert_str_eq(reply_dict(reply, "SnapshotSetId"), set);
        ck_assert_str_eq(reply_dict(reply, "OriginalVolumeName"), "/srv/data/");
        ck_assert_str_eq(reply_dict(reply, "SnapshotDeviceObject"), "/run/vss/ShadowCopy1");
        ck_assert_str_eq(reply_dict(reply, "SnapshotsCount"), "2");
        ck_assert_str_eq(reply_dict(reply, "UsedBytes"), "1048576");
        dbus_message_unref(reply);
        reply = client_call(&c, session, SESSION, "Query", "suu", "", VSS_OBJECT_NONE,
                            VSS_OBJECT_SNAPSHOT);
        ck_assert_uint_eq(reply_rows(reply), 2);
        ck_assert_str_eq(reply_row(reply, 1, "SnapshotId"), mail);
        dbus_message_unref(reply);
        reply = client_call(&c, session, SESSION, "Query", "suu", "", VSS_OBJECT_NONE,
                            VSS_OBJECT_PROVIDER);
        ck_assert_uint_eq(reply_rows(reply), 1);
        ck_assert_str_eq(reply_row(reply, 0, "Name"), "fake-cow");
        dbus_message_unref(reply);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "Query", "suu", set,
                     VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "Query", "suu", "", VSS_OBJECT_NONE,
                     77U);

        ck_assert_int_eq(client_run(&c, session, "BackupComplete", NULL), VSS_S_ASYNC_FINISHED);
        good(session, "Release");
        harness_await(&h, "remove", 2); /* auto-release */
        ck_assert_uint_eq(harness_count(&h, "abort"), 0);
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, session, SESSION, "GetSessionId", "");
}
END_TEST

START_TEST(methods_out_of_order_are_bad_state) {
        static const char *const too_early[] = {
                "GatherWriterMetadata", "StartSnapshotSet",     "PrepareForBackup",
                "DoSnapshotSet",        "BackupComplete",       "GatherWriterStatus",
                "AbortBackup",          "GetWriterStatusCount", "GetWriterMetadataCount",
                "FreeWriterMetadata",
        };
        const char *session = client_session(&c), *text;

        for (size_t i = 0; i < ARRAY_SIZE(too_early); i++) {
                text = client_fails(&c, ERROR("BadState"), session, SESSION, too_early[i], "");
                ck_assert_msg(strstr(text, "InitializeForBackup"), "%s: %s", too_early[i], text);
        }
        client_fails(&c, ERROR("BadState"), session, SESSION, "SetContext", "i", 0);
        client_fails(&c, ERROR("BadState"), session, SESSION, "AddToSnapshotSet", "ss", "/srv/data",
                     NO_PROVIDER);
        client_fails(&c, ERROR("BadState"), session, SESSION, "Query", "suu", "", VSS_OBJECT_NONE,
                     VSS_OBJECT_SNAPSHOT);

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_fails(&c, ERROR("BadState"), session, SESSION, "InitializeForBackup", "v", "");
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetContext", "i", 1);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetBackupState", "bbub", FALSE,
                     FALSE, 99U, FALSE);
        client_fails(&c, ERROR("BadState"), session, SESSION, "AddToSnapshotSet", "ss", "/srv/data",
                     NO_PROVIDER);
        client_fails(&c, ERROR("BadState"), session, SESSION, "DoSnapshotSet", "");
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "EnableWriterClasses", "as",
                     ((char *[]){ (char *)"nonsense", NULL }));
        (void)started(&c, session);
        client_fails(&c, ERROR("BadState"), session, SESSION, "SetContext", "i", 0x19);
        /* PrepareForBackup wants SetBackupState first. */
        client_fails(&c, ERROR("BadState"), session, SESSION, "PrepareForBackup", "");
        ck_assert_uint_eq(harness_count(&h, "stage"), 0);
}
END_TEST

START_TEST(a_damaged_document_is_refused) {
        const char *session = client_session(&c);

        client_fails(&c, ERROR("InvalidXmlDocument"), session, SESSION, "InitializeForBackup", "v",
                     "<BACKUP_COMPONENTS");
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
}
END_TEST

START_TEST(bad_volumes_get_their_codes_and_leave_nothing) {
        const char *session = initialized(&c, VSS_CTX_NAS_ROLLBACK), *text;
        static const char other_provider[] = "11111111-1111-1111-1111-111111111111";

        (void)started(&c, session);
        text = client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "AddToSnapshotSet", "ss",
                            "/nowhere", NO_PROVIDER);
        ck_assert_ptr_nonnull(strstr(text, "/nowhere"));
        text = client_fails(&c, ERROR("VolumeNotSupported"), session, SESSION, "AddToSnapshotSet",
                            "ss", "/srv/plain", NO_PROVIDER);
        ck_assert_ptr_nonnull(strstr(text, "/srv/plain"));
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "AddToSnapshotSet", "ss",
                     "srv/data", NO_PROVIDER);
        text = client_fails(&c, ERROR("InvalidArg"), session, SESSION, "AddToSnapshotSet", "ss",
                            "/srv/data/inside", NO_PROVIDER);
        ck_assert_ptr_nonnull(strstr(text, "/srv/data"));
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "AddToSnapshotSet", "ss",
                     "/srv/data", "nonsense");
        client_fails(&c, ERROR("ProviderNotRegistered"), session, SESSION, "AddToSnapshotSet", "ss",
                     "/srv/data", other_provider);
        client_fails(&c, ERROR("VolumeNotSupportedByProvider"), session, SESSION,
                     "AddToSnapshotSet", "ss", "/srv/plain",
                     "fa4e0001-0000-4000-8000-000000000001");
        (void)added(&c, session, "/srv/data");
        text = client_fails(&c, ERROR("ObjectAlreadyExists"), session, SESSION, "AddToSnapshotSet",
                            "ss", "/srv/data/", NO_PROVIDER);
        ck_assert_ptr_nonnull(strstr(text, "/srv/data"));
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "GetSnapshotProperties", "s",
                     other_provider);
        ck_assert_uint_eq(harness_count(&h, "stage"), 0);
}
END_TEST

START_TEST(the_sixty_fifth_volume_does_not_fit) {
        const char *session = initialized(&c, VSS_CTX_NAS_ROLLBACK);
        char volume[32];

        (void)started(&c, session);
        for (unsigned i = 1; i <= 64; i++) {
                (void)snprintf(volume, sizeof(volume), "/srv/v%u", i);
                (void)added(&c, session, volume);
        }
        client_fails(&c, ERROR("MaximumNumberOfVolumesReached"), session, SESSION,
                     "AddToSnapshotSet", "ss", "/srv/v65", NO_PROVIDER);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count_snapshots(), 64);
}
END_TEST

START_TEST(one_creation_at_a_time) {
        const char *session = initialized(&c, VSS_CTX_NAS_ROLLBACK), *others, *text;
        struct client other;

        client_open(&other, &h);
        others = ready(&other, VSS_CTX_NAS_ROLLBACK, "/srv/mail");
        text = client_fails(&c, ERROR("SnapshotSetInProgress"), session, SESSION,
                            "StartSnapshotSet", "");
        ck_assert_ptr_nonnull(strstr(text, "wait"));
        client_fails(&c, ERROR("SnapshotSetInProgress"), ROOT, MANAGER, "CreateSnapshotSet",
                     "asa{ss}", ((char *[]){ (char *)"/srv/data", NULL }), NULL);
        ck_assert_str_ne(others, session);
        /* The other one goes without a word. */
        client_close(&other);
        for (;;) {
                DBusMessage *reply =
                        client_send(&c, message_new(session, SESSION, "StartSnapshotSet", ""));
                bool done = dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN;

                dbus_message_unref(reply);
                if (done)
                        break;
        }
}
END_TEST

START_TEST(a_session_is_its_owners_alone) {
        const char *session = initialized(&c, VSS_CTX_BACKUP), *async;
        struct client other;

        reply_read(client_call(&c, session, SESSION, "GatherWriterMetadata", ""), "o", &async);
        client_open(&other, &h);
        client_fails(&other, ERROR("AccessDenied"), session, SESSION, "StartSnapshotSet", "");
        client_fails(&other, ERROR("AccessDenied"), session, SESSION, "Release", "");
        client_fails(&other, ERROR("AccessDenied"), async, ASYNC, "Cancel", "");
        client_fails(&other, ERROR("AccessDenied"), async, PROPERTIES, "GetAll", "s", ASYNC);
        client_close(&other);
        (void)client_await(&c, async, NULL);
        (void)started(&c, session);
}
END_TEST

static void let_it_stage_slowly(unsigned milliseconds) {
        char text[64];

        (void)snprintf(text, sizeof(text), "stage %u", milliseconds);
        harness_knob(&h, "slow", text);
}

START_TEST(a_requester_that_vanishes_takes_its_set_along) {
        struct client other;
        const char *session;

        client_open(&other, &h);
        session = ready(&other, VSS_CTX_NAS_ROLLBACK, "/srv/data");
        let_it_stage_slowly(300);
        client_do(&other, session, SESSION, "DoSnapshotSet", "");
        harness_await(&h, "stage", 1);
        client_close(&other);
        harness_await(&h, "abort", 1);
        harness_knob(&h, "slow", NULL);
        ck_assert_uint_eq(count_snapshots(), 0);
        ck_assert_uint_eq(harness_count(&h, "mount"), 0);
}
END_TEST

START_TEST(auto_release_snapshots_go_with_their_requester) {
        struct client other;
        const char *session;

        client_open(&other, &h);
        session = ready(&other, VSS_CTX_FILE_SHARE_BACKUP, "/srv/data");
        ck_assert_int_eq(client_run(&other, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(count_snapshots(), 1);
        client_close(&other);
        harness_await(&h, "remove", 1);

        client_open(&other, &h);
        session = ready(&other, VSS_CTX_NAS_ROLLBACK, "/srv/data");
        ck_assert_int_eq(client_run(&other, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        client_close(&other);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        client_close(&c);
        client_open(&c, &h);
        ck_assert_uint_eq(count_snapshots(), 1);
        ck_assert_uint_eq(harness_count(&h, "remove"), 1);
        ck_assert_uint_ge(harness_count(&h, "activate"), 1);
}
END_TEST

START_TEST(released_snapshots_are_not_listed_any_more) {
        const char *session = ready(&c, VSS_CTX_FILE_SHARE_BACKUP, "/srv/data"), *id;
        DBusMessage *reply;

        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        id = reply_row(reply, 0, "SnapshotId");
        dbus_message_unref(reply);
        harness_knob(&h, "slow", "remove 300");
        good(session, "Release");
        ck_assert_uint_eq(count_snapshots(), 0);
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}",
                     ((char *[]){ (char *)(uintptr_t)id, NULL }), NULL);
        harness_await(&h, "remove", 1);
}
END_TEST

START_TEST(storage_that_fails_is_put_back_at_every_step) {
        static const struct row {
                const char *step;
                HRESULT hr;
                size_t aborts;
        } rows[] = {
                { "stage", VSS_E_INSUFFICIENT_STORAGE, 0 }, /* undoes itself */
                { "window-rows", VSS_E_UNEXPECTED_PROVIDER_ERROR, 1 },
                { "finish", VSS_E_PROVIDER_VETO, 1 },
                { "mount", VSS_E_PROVIDER_VETO, 1 },
                { "mount-seal", VSS_E_PROVIDER_VETO, 1 },
                { "seal", VSS_E_PROVIDER_VETO, 1 },
        };
        const struct row *row = &rows[_i];
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data"), *message;

        harness_knob(&h, "fail", row->step);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", &message), row->hr);
        ck_assert_msg(strstr(message, row->step), "%s: %s", row->step, message);
        ck_assert_uint_eq(harness_count(&h, "abort"), row->aborts);
        ck_assert_uint_eq(count_snapshots(), 0);
        harness_knob(&h, "fail", NULL);
        /* The object is spent; a new one succeeds. */
        client_fails(&c, ERROR("BadState"), session, SESSION, "DoSnapshotSet", "");
        session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data");
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
}
END_TEST

START_TEST(an_operation_can_be_cancelled_and_asked) {
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data"), *async, *message;
        dbus_int32_t hr;

        let_it_stage_slowly(300);
        reply_read(client_call(&c, session, SESSION, "DoSnapshotSet", ""), "o", &async);
        ck_assert_str_eq(client_property(&c, async, ASYNC, "Operation"), "DoSnapshotSet");
        reply_read(client_call(&c, async, ASYNC, "QueryStatus", ""), "is", &hr, &message);
        ck_assert_int_eq(hr, VSS_S_ASYNC_PENDING);
        client_fails(&c, ERROR("BadState"), session, SESSION, "DoSnapshotSet", "");
        harness_await(&h, "stage", 1);
        reply_read(client_call(&c, async, ASYNC, "Cancel", ""), "i", &hr);
        ck_assert_int_eq(hr, S_OK);
        ck_assert_int_eq(client_await(&c, async, NULL), VSS_S_ASYNC_CANCELLED);
        reply_read(client_call(&c, async, ASYNC, "Cancel", ""), "i", &hr);
        ck_assert_int_eq(hr, VSS_S_ASYNC_CANCELLED);
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        client_do(&c, async, ASYNC, "Release", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, async, ASYNC, "Cancel", "");
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

START_TEST(releasing_an_async_lets_its_operation_run_on) {
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data"), *async;

        let_it_stage_slowly(100);
        reply_read(client_call(&c, session, SESSION, "DoSnapshotSet", ""), "o", &async);
        client_do(&c, async, ASYNC, "Release", "");
        harness_await(&h, "seal", 1);
        for (unsigned i = 0; count_snapshots() == 0; i++)
                ck_assert_uint_lt(i, 100000);
}
END_TEST

START_TEST(deleting_tells_how_far_it_came) {
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data"), *set, *not_deleted;
        DBusMessage *reply;
        dbus_int32_t n;
        const char *text;

        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        set = reply_row(reply, 0, "SnapshotSetId");
        dbus_message_unref(reply);

        harness_knob(&h, "busy", "");
        reply = client_send(&c, message_new(session, SESSION, "DeleteSnapshots", "sub", set,
                                            VSS_OBJECT_SNAPSHOT_SET, FALSE));
        ck_assert_str_eq(dbus_message_get_error_name(reply), ERROR("ProviderVeto"));
        reply_read(reply, "sis", &text, &n, &not_deleted);
        ck_assert_ptr_nonnull(strstr(text, "busy"));
        ck_assert_int_eq(n, 0);
        ck_assert_str_ne(not_deleted, "00000000-0000-0000-0000-000000000000");
        client_fails(&c, ERROR("ProviderVeto"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}",
                     ((char *[]){ (char *)set, NULL }), NULL);

        reply = client_send(
                &c, message_new(session, SESSION, "DeleteSnapshots", "sub", set, 77U, FALSE));
        ck_assert_str_eq(dbus_message_get_error_name(reply), ERROR("InvalidArg"));
        dbus_message_unref(reply);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "DeleteSnapshots", "sub", set,
                     VSS_OBJECT_PROVIDER, FALSE);

        reply_read(client_call(&c, session, SESSION, "DeleteSnapshots", "sub", set,
                               VSS_OBJECT_SNAPSHOT_SET, TRUE),
                   "is", &n, &not_deleted);
        ck_assert_int_eq(n, 1);
        ck_assert_str_eq(not_deleted, "00000000-0000-0000-0000-000000000000");
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "DeleteSnapshots", "sub", set,
                     VSS_OBJECT_SNAPSHOT_SET, TRUE);
}
END_TEST

START_TEST(scripts_delete_several_and_stop_at_the_first_error) {
        char *ids[] = { NULL, (char *)"11111111-1111-1111-1111-111111111111", NULL, NULL };
        const char *text;

        for (size_t i = 0; i < 3; i += 2) {
                char **snapshots = NULL, **devices = NULL;
                const char *set;

                reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                                       ((char *[]){ (char *)"/srv/data", NULL }), NULL),
                           "sasas", &set, &snapshots, &devices);
                ids[i] = (char *)set;
                strv_free(snapshots);
                strv_free(devices);
        }
        text = client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "DeleteSnapshots",
                            "asa{ss}", ids, NULL);
        ck_assert_ptr_nonnull(strstr(text, ids[1]));
        ck_assert_ptr_nonnull(strstr(text, "After 1"));
        ck_assert_uint_eq(count_snapshots(), 1);
}
END_TEST

START_TEST(sessions_are_limited_and_come_back) {
        struct client other;
        char sessions[64][64];
        const char *text;

        for (size_t i = 0; i < 200; i++) {
                DBusMessage *reply = client_send(
                        &c, message_new(ROOT, MANAGER, "CreateBackupComponents", "a{sv}", NULL));
                const char *path;

                if (i < ARRAY_SIZE(sessions)) {
                        reply_read(reply_good(reply, "CreateBackupComponents"), "o", &path);
                        (void)snprintf(sessions[i], sizeof(sessions[i]), "%s", path);
                } else {
                        text = reply_bad(reply, "CreateBackupComponents", ERROR("OutOfMemory"));
                        ck_assert_ptr_nonnull(strstr(text, "64"));
                }
        }
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Sessions"), "64");
        client_do(&c, sessions[17], SESSION, "Release", "");
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Sessions"), "63");
        (void)client_session(&c);
        /* Of this connection: another has its own. */
        client_open(&other, &h);
        (void)client_session(&other);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Sessions"), "65");
        client_close(&other);
}
END_TEST

START_TEST(asyncs_are_limited) {
        const char *session = initialized(&c, VSS_CTX_BACKUP);
        unsigned n = 1;

        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        for (; n < 64; n++)
                ck_assert_int_eq(client_run(&c, session, "GatherWriterStatus", NULL),
                                 VSS_S_ASYNC_FINISHED);
        client_fails(&c, ERROR("OutOfMemory"), session, SESSION, "GatherWriterStatus", "");
        /* The state comes first, and then the arguments. */
        client_fails(&c, ERROR("BadState"), session, SESSION, "GatherWriterMetadata", "");
        client_fails(&c, ERROR("BadState"), session, SESSION, "PreRestore", "");
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "BreakSnapshotSetEx", "su", "no id",
                     0U);
        client_drain(&c);
}
END_TEST

START_TEST(stopping_in_the_middle_takes_the_set_back) {
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data");

        let_it_stage_slowly(300);
        client_do(&c, session, SESSION, "DoSnapshotSet", "");
        harness_await(&h, "stage", 1);
        harness_stop_daemon(&h);
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        client_close(&c);
        client_open(&c, &h);
        ck_assert_uint_eq(count_snapshots(), 0);
        ck_assert_uint_eq(harness_count(&h, "recover"), 0);
}
END_TEST

START_TEST(stopping_answers_a_script_that_waits) {
        DBusPendingCall *pending = NULL;
        DBusMessage *m, *reply;

        let_it_stage_slowly(300);
        m = message_new(ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                        ((char *[]){ (char *)"/srv/data", NULL }), NULL);
        ck_assert(dbus_connection_send_with_reply(c.connection, m, &pending, 30000));
        dbus_message_unref(m);
        dbus_connection_flush(c.connection);
        harness_await(&h, "stage", 1);
        harness_stop_daemon(&h);
        dbus_pending_call_block(pending);
        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(pending);
        reply_bad(reply, "CreateSnapshotSet", ERROR("Unexpected"));
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

/* A caller of the script verb that leaves as soon as its set is being staged. */
static void script_and_go(void) {
        struct client other;
        DBusMessage *m;

        let_it_stage_slowly(300);
        client_open(&other, &h);
        m = message_new(ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                        ((char *[]){ (char *)"/srv/data", NULL }), NULL);
        ck_assert(dbus_connection_send(other.connection, m, NULL));
        dbus_message_unref(m);
        dbus_connection_flush(other.connection);
        harness_await(&h, "stage", 1);
        client_close(&other);
}

START_TEST(a_script_need_not_wait_for_its_set) {
        script_and_go();
        harness_await(&h, "seal", 1);
        while (streq(client_property(&c, ROOT, MANAGER, "SnapshotSetInProgress"), "true"))
                ;
        ck_assert_uint_eq(harness_count(&h, "abort"), 0);
        ck_assert_uint_eq(count_snapshots(), 1);
}
END_TEST

START_TEST(stopping_ends_what_a_script_left) {
        script_and_go();
        harness_stop_daemon(&h);
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

START_TEST(a_daemon_that_was_killed_undoes_it_at_its_next_start) {
        const char *session = ready(&c, VSS_CTX_NAS_ROLLBACK, "/srv/data");

        let_it_stage_slowly(5000);
        client_do(&c, session, SESSION, "DoSnapshotSet", "");
        harness_await(&h, "stage", 1);
        harness_kill_daemon(&h);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "recover"), 1);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

START_TEST(what_belongs_to_a_session_does_not_outlive_a_crash) {
        const char *session = ready(&c, VSS_CTX_FILE_SHARE_BACKUP, "/srv/data");

        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        harness_kill_daemon(&h);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(harness_count(&h, "remove"), 1);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

START_TEST(a_second_daemon_is_turned_away) {
        char command[512];

        (void)snprintf(command, sizeof(command),
                       VSSD_FAKE " --address %s --state-dir %s/state2 2>%s/log2", h.address,
                       h.directory, h.directory);
        ck_assert_int_eq(system(command), 256);
        (void)snprintf(command, sizeof(command), "grep -q 'another vssd' %s/log2", h.directory);
        ck_assert_int_eq(system(command), 0);
        (void)snprintf(command, sizeof(command),
                       VSSD_FAKE " --address %s --state-dir %s/state 2>%s/log2", h.address,
                       h.directory, h.directory);
        ck_assert_int_eq(system(command), 256);
        (void)snprintf(command, sizeof(command), "grep -q 'another vssd' %s/log2", h.directory);
        ck_assert_int_eq(system(command), 0);
        (void)client_session(&c);
}
END_TEST

static void await_idle_end(void) {
        struct timespec t = { .tv_nsec = 10000000 };

        for (unsigned i = 0; dbus_bus_name_has_owner(c.connection, SERVICE, NULL); i++) {
                ck_assert_uint_lt(i, 3000);
                (void)nanosleep(&t, NULL);
        }
}

START_TEST(an_idle_daemon_may_end_itself) {
        client_close(&c);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, "[Daemon]\nExitIdle=1s\n");
        client_open(&c, &h);
        await_idle_end();
        harness_start_daemon(&h, NULL);
}
END_TEST

/* A copy that expires keeps the daemon until then; else nobody would delete it. */
START_TEST(an_idle_daemon_waits_for_what_expires) {
        client_close(&c);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, "[Daemon]\nExitIdle=1s\n");
        client_open(&c, &h);
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                  ((char *[]){ (char *)"/srv/data", NULL }),
                  ((char *[]){ (char *)"expire", (char *)"3", NULL }));
        await_idle_end();
        ck_assert_uint_eq(harness_count(&h, "remove"), 1);
        harness_start_daemon(&h, NULL);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-session");
        TCase *t = tcase_create("bus-session");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, a_backup_from_beginning_to_end);
        tcase_add_test(t, methods_out_of_order_are_bad_state);
        tcase_add_test(t, a_damaged_document_is_refused);
        tcase_add_test(t, released_snapshots_are_not_listed_any_more);
        tcase_add_test(t, bad_volumes_get_their_codes_and_leave_nothing);
        tcase_add_test(t, the_sixty_fifth_volume_does_not_fit);
        tcase_add_test(t, one_creation_at_a_time);
        tcase_add_test(t, a_session_is_its_owners_alone);
        tcase_add_test(t, a_requester_that_vanishes_takes_its_set_along);
        tcase_add_test(t, auto_release_snapshots_go_with_their_requester);
        tcase_add_loop_test(t, storage_that_fails_is_put_back_at_every_step, 0, 6);
        tcase_add_test(t, an_operation_can_be_cancelled_and_asked);
        tcase_add_test(t, releasing_an_async_lets_its_operation_run_on);
        tcase_add_test(t, deleting_tells_how_far_it_came);
        tcase_add_test(t, scripts_delete_several_and_stop_at_the_first_error);
        tcase_add_test(t, sessions_are_limited_and_come_back);
        tcase_add_test(t, asyncs_are_limited);
        tcase_add_test(t, stopping_in_the_middle_takes_the_set_back);
        tcase_add_test(t, stopping_answers_a_script_that_waits);
        tcase_add_test(t, a_script_need_not_wait_for_its_set);
        tcase_add_test(t, stopping_ends_what_a_script_left);
        tcase_add_test(t, a_daemon_that_was_killed_undoes_it_at_its_next_start);
        tcase_add_test(t, what_belongs_to_a_session_does_not_outlive_a_crash);
        tcase_add_test(t, a_second_daemon_is_turned_away);
        tcase_add_test(t, an_idle_daemon_may_end_itself);
        tcase_add_test(t, an_idle_daemon_waits_for_what_expires);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
