#pragma once

/* The service as a writer sees it, over fake-bus.h: takes its registration and tells it events, one
 * of which can be under way. Handlers, on whichever thread, note their names in the journal. */

#include "common/document.h"
#include "common/vss-id.h"
#include "common/wire-error.h"
#include "common/wire-rows.h"
#include "fake-bus.h"
#include "libvssclient/writer-link.h"

#define SESSION_TEXT "0000000c-0000-0000-0300-000000000000"
#define OTHER_SESSION_TEXT "0000001c-0000-0000-0300-000000000000"
#define INSTANCE_TEXT "0000000b-0000-0000-0200-000000000000"
#define WRITER_OBJECT "/org/vssd/Vss1/writer/1"

static const VSS_ID events_set_id = { .Data1 = 0xd, .Data4 = { 4 } };

static struct fake_bus bus;

/* Under the bus's lock. */
static struct {
        HRESULT refuse;                     /* the next registrations */
        struct wire_writer_options options; /* of the last one */
        char id[VSS_ID_TEXT_MAX], name[64];
        unsigned n_registrations;
        bool was_auto_start;
        char journal[1024]; /* " Freeze", ... */
} events;

static inline void note(const char *name) {
        size_t length;

        (void)pthread_mutex_lock(&bus.lock);
        length = strlen(events.journal);
        (void)snprintf(events.journal + length, sizeof(events.journal) - length, " %s", name);
        (void)pthread_cond_broadcast(&bus.changed);
        (void)pthread_mutex_unlock(&bus.lock);
}

static inline void assert_journal(const char *expected) {
        (void)pthread_mutex_lock(&bus.lock);
        ck_assert_str_eq(events.journal, expected);
        (void)pthread_mutex_unlock(&bus.lock);
}

static inline const char *next_string(DBusMessageIter *iter) {
        const char *text;

        ck_assert_int_eq(dbus_message_iter_get_arg_type(iter), DBUS_TYPE_STRING);
        dbus_message_iter_get_basic(iter, &text);
        (void)dbus_message_iter_next(iter);
        return text;
}

static inline DBusMessage *events_register(DBusMessage *call) {
        const char *instance = INSTANCE_TEXT, *object = WRITER_OBJECT, *path;
        DBusMessageIter iter;
        DBusMessage *reply;

        ck_assert(dbus_message_iter_init(call, &iter));
        (void)snprintf(events.id, sizeof(events.id), "%s", next_string(&iter));
        (void)snprintf(events.name, sizeof(events.name), "%s", next_string(&iter));
        dbus_message_iter_get_basic(&iter, &path);
        ck_assert_str_eq(path, WRITER_EVENTS_PATH);
        ck_assert(dbus_message_iter_next(&iter));
        wire_clear(&wire_writer_options_table, &events.options);
        ck_assert_int_eq(wire_read_dict(&iter, &wire_writer_options_table, WIRE_UNKNOWN_REFUSED,
                                        "options", &events.options, NULL, NULL),
                         0);
        events.n_registrations++;
        events.was_auto_start = dbus_message_get_auto_start(call);
        if (events.refuse != S_OK) {
                struct vss_error e = { 0 };

                (void)vss_error_set(&e, events.refuse, 0, "Not now");
                reply = wire_error_reply(call, &e);
                vss_error_done(&e);
                return reply;
        }
        reply = dbus_message_new_method_return(call);
        ck_assert(dbus_message_append_args(reply, DBUS_TYPE_STRING, &instance,
                                           DBUS_TYPE_OBJECT_PATH, &object, DBUS_TYPE_INVALID));
        return reply;
}

static inline DBusMessage *events_serve(struct fake_bus *b, DBusMessage *call) {
        (void)b;
        if (dbus_message_has_member(call, "RegisterWriter"))
                return events_register(call);
        return dbus_message_new_method_return(call);
}

static inline void events_start(void) {
        fake_start(&bus, events_serve, NULL);
}

/* After the writer's end. */
static inline void events_stop(void) {
        fake_stop(&bus);
        wire_clear(&wire_writer_options_table, &events.options);
        memset(&events, 0, sizeof(events)); /* for a run without fork */
}

static inline bool event_has_components(const char *event) {
        static const char *const names[] = { "PrepareBackup", "PostSnapshot", "BackupComplete",
                                             "PreRestore", "PostRestore" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], event))
                        return true;
        return false;
}

/* What is not usual about an event. */
struct told {
        uint32_t freeze_timeout_ms;
        const char *session;    /* NULL: SESSION_TEXT */
        const char *components; /* NULL: none */
};

static inline DBusMessage *event_new(const char *event, const struct told *t) {
        static char root[] = "/dev/", proc[] = "/proc/", instance_name[] = "one";
        static char one[] = "/run/vss/ShadowCopy1", two[] = "/run/vss/ShadowCopy2";
        char *volumes[] = { root, proc, NULL }, *devices[] = { one, two, NULL };
        bool early = streq(event, "PrepareBackup") || streq(event, "Identify");
        const struct wire_event_details details = {
                .set_id = early ? GUID_NULL : events_set_id,
                .context = VSS_CTX_APP_ROLLBACK,
                .backup_type = VSS_BT_COPY,
                .restore_type = VSS_RTYPE_IMPORT,
                .instance_name = instance_name,
                .component_mode = true,
                .bootable_system_state = true,
                .partial_files = true,
                .volumes = early ? NULL : volumes,
                .devices = streq(event, "PostSnapshot") ? devices : NULL,
                .freeze_timeout_ms = t->freeze_timeout_ms,
        };
        DBusMessage *m = dbus_message_new_method_call(NULL, WRITER_EVENTS_PATH,
                                                      WRITER_EVENTS_INTERFACE, event);
        const char *session = t->session ? t->session : SESSION_TEXT;
        struct document *components = NULL;
        DBusMessageIter iter;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &session));
        ck_assert_int_eq(wire_append_dict(&iter, &wire_event_details_table, &details), 0);
        if (t->components)
                ck_assert_int_eq(document_new(&components, strdup(t->components),
                                              strlen(t->components), NULL),
                                 0);
        if (event_has_components(event))
                ck_assert_int_eq(document_append(&iter, components), 0);
        document_unref(components);
        return m;
}

/* Tells the writer an event and gives its answer. */
static inline DBusMessage *tell_as(const char *sender, const char *event, const struct told *t) {
        return fake_event(&bus, event_new(event, t), sender);
}

/* Tells it and does not wait ... */
static inline void tell_only(const char *event, const struct told *t) {
        DBusMessage *m = event_new(event, t);

        (void)pthread_mutex_lock(&bus.lock);
        ck_assert(dbus_message_set_sender(m, FAKE_SERVICE));
        ck_assert(dbus_connection_send(fake_peer(&bus), m, &bus.reply_serial));
        (void)pthread_mutex_unlock(&bus.lock);
        dbus_message_unref(m);
}

/* ... for its answer. */
static inline DBusMessage *await_answer(void) {
        DBusMessage *reply;

        (void)pthread_mutex_lock(&bus.lock);
        fake_wait(&bus, fake_has_reply);
        reply = TAKE_PTR(bus.reply);
        (void)pthread_mutex_unlock(&bus.lock);
        return reply;
}

/* message NULL: any. Drops the answer. */
static inline void assert_answer(DBusMessage *reply, bool ok, HRESULT failure,
                                 const char *message) {
        dbus_int32_t got_failure, application;
        const char *got_message;
        dbus_bool_t got_ok;

        ck_assert_msg(dbus_message_get_args(reply, NULL, DBUS_TYPE_BOOLEAN, &got_ok,
                                            DBUS_TYPE_INT32, &got_failure, DBUS_TYPE_INT32,
                                            &application, DBUS_TYPE_STRING, &got_message,
                                            DBUS_TYPE_INVALID),
                      "%s %s", dbus_message_get_signature(reply),
                      str_or_empty(dbus_message_get_error_name(reply)));
        ck_assert_msg(got_failure == failure, "0x%08x: %s", (unsigned)got_failure, got_message);
        ck_assert_int_eq(got_ok, ok);
        if (message)
                ck_assert_str_eq(got_message, message);
        dbus_message_unref(reply);
}

static inline void tell(const char *event, bool ok, HRESULT failure, const char *message) {
        assert_answer(tell_as(FAKE_SERVICE, event, &(struct told){ 0 }), ok, failure, message);
}

/* Tells it in a backup with components and gives what came back of them: "" if unchanged. Owned. */
static inline char *tell_components(const char *event, const char *components, bool ok,
                                    HRESULT failure) {
        const struct told t = { .components = components };
        DBusMessage *reply = tell_as(FAKE_SERVICE, event, &t);
        struct document *d = NULL;
        DBusMessageIter iter;
        char *text;

        ck_assert_str_eq(dbus_message_get_signature(reply), "biisv");
        ck_assert(dbus_message_iter_init(reply, &iter));
        for (unsigned i = 0; i < 4; i++)
                (void)dbus_message_iter_next(&iter);
        ck_assert_int_eq(document_read(&iter, "components", DOCUMENT_MAX, &d, NULL), 0);
        text = strdup(d ? document_text(d) : "");
        document_unref(d);
        assert_answer(reply, ok, failure, NULL);
        return text;
}

static inline void wait_for(bool (*condition)(struct fake_bus *)) {
        (void)pthread_mutex_lock(&bus.lock);
        fake_wait(&bus, condition);
        (void)pthread_mutex_unlock(&bus.lock);
}

static inline bool has_aborted(struct fake_bus *b) {
        (void)b;
        return strstr(events.journal, " Abort") != NULL;
}

static inline bool has_shut_down(struct fake_bus *b) {
        (void)b;
        return strstr(events.journal, " BackupShutdown") != NULL;
}

static inline bool has_registered_again(struct fake_bus *b) {
        (void)b;
        return events.n_registrations == 2;
}

/* The service dies, and comes back if asked to. */
static inline void lose_service(bool comes_back) {
        (void)pthread_mutex_lock(&bus.lock);
        fake_name_owner_changed(&bus, VSS_BUS_NAME, FAKE_SERVICE, "");
        if (comes_back)
                fake_name_owner_changed(&bus, VSS_BUS_NAME, "", FAKE_SERVICE);
        (void)pthread_mutex_unlock(&bus.lock);
}

/* A suite of one case: these tests, to which more may be added. */
static inline TCase *events_case(Suite **ret_suite, const char *name, const TTest *const *tests,
                                 size_t n, SFun setup, SFun teardown) {
        TCase *tcase = tcase_create("all");

        *ret_suite = suite_create(name);
        tcase_set_timeout(tcase, FAKE_SECONDS + 10);
        tcase_add_checked_fixture(tcase, setup, teardown);
        for (size_t i = 0; i < n; i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(*ret_suite, tcase);
        return tcase;
}

/* How main() ends. */
static inline int events_run(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int failed;

        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
