/* A writer in its application's own loop: handlers run there and nowhere else, but for the Abort of
 * an application that is frozen while its loop is stuck. And, in both ways of running them: what
 * began is ended, whenever the service goes away, and a frozen application waits for no other
 * session. */

#include "common/time-util.h"
#include "fake-events.h"
#include "libvssclient/writer.h"

static CVssWriter *writer;
static int loop_fd;
static pthread_t loop_thread;

static struct {
        bool veto;
        bool own_loop;
        pthread_t aborted_on;
        unsigned n_aborts;
        VSS_ID shutdown_set;
        void (*in_freeze)(void);
        void (*in_prepare_backup)(void);
} app;

static void handler(const char *name) {
        if (app.own_loop)
                ck_assert_msg(pthread_equal(pthread_self(), loop_thread), "%s", name);
        note(name);
}

static bool on_identify(CVssWriter *w, void *user, IVssCreateWriterMetadata *metadata) {
        (void)w;
        (void)user;
        (void)metadata;
        handler("Identify");
        return true;
}

static bool on_prepare_backup(CVssWriter *w, void *user, IVssWriterComponents *components) {
        (void)w;
        (void)user;
        (void)components;
        handler("PrepareBackup");
        if (app.in_prepare_backup)
                app.in_prepare_backup();
        return true;
}

static bool on_prepare_snapshot(CVssWriter *w, void *user) {
        (void)user;
        handler("PrepareSnapshot");
        if (w != writer) /* within a handler of it */
                ck_assert_int_eq(CVssWriter_Unsubscribe(writer), VSS_E_BAD_STATE);
        return !app.veto;
}

static bool on_freeze(CVssWriter *w, void *user) {
        (void)user;
        handler("Freeze");
        ck_assert_int_eq(VssDispatchWriter(w), VSS_E_BAD_STATE);
        if (app.in_freeze)
                app.in_freeze();
        return true;
}

static bool on_thaw(CVssWriter *w, void *user) {
        (void)w;
        (void)user;
        handler("Thaw");
        return true;
}

static bool on_post_snapshot(CVssWriter *w, void *user, IVssWriterComponents *components) {
        (void)w;
        (void)user;
        (void)components;
        handler("PostSnapshot");
        return true;
}

static bool on_abort(CVssWriter *w, void *user) {
        (void)w;
        (void)user;
        app.aborted_on = pthread_self();
        app.n_aborts++;
        note("Abort");
        return true;
}

static bool on_backup_shutdown(CVssWriter *w, void *user, VSS_ID set_id) {
        (void)w;
        (void)user;
        app.shutdown_set = set_id;
        note("BackupShutdown");
        return true;
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(VSS_WRITER_CALLBACKS),
        .OnIdentify = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupShutdown = on_backup_shutdown,
};

static void new_writer(DWORD freeze_timeout_ms) {
        const VSS_ID id = { .Data1 = 0xa, .Data4 = { 1 } };

        ck_assert_int_eq(CVssWriter_Create(&callbacks, NULL, &writer), S_OK);
        ck_assert_int_eq(CVssWriter_Initialize(writer, id, "Loop Writer", VSS_UT_USERDATA,
                                               VSS_ST_OTHER, VSS_APP_FRONT_END, freeze_timeout_ms,
                                               VSS_AWS_NO_ALTERNATE_WRITER, false, NULL),
                         S_OK);
}

static void start_loop(DWORD freeze_timeout_ms) {
        new_writer(freeze_timeout_ms);
        app.own_loop = true;
        loop_thread = pthread_self();
        ck_assert_msg(VssSubscribeWriter(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG, &loop_fd) == S_OK,
                      "%s", VssLastErrorMessage());
        ck_assert_int_ge(loop_fd, 0);
}

static void start_thread_for(DWORD freeze_timeout_ms) {
        new_writer(freeze_timeout_ms);
        ck_assert_msg(CVssWriter_Subscribe(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG) == S_OK, "%s",
                      VssLastErrorMessage());
}

static void start_thread(void) {
        start_thread_for(0);
}

static void setup(void) {
        events_start();
}

static void teardown(void) {
        CVssWriter_Release(writer);
        events_stop();
        writer = NULL;
        memset(&app, 0, sizeof(app));
}

/* The application's loop, until something was done in it: the descriptor may be readable for what
 * the library has done by itself meanwhile. */
static void turn(void) {
        struct pollfd fd = { .fd = loop_fd, .events = POLLIN };
        HRESULT hr;

        do {
                ck_assert_int_eq(poll(&fd, 1, FAKE_SECONDS * 1000), 1);
                hr = VssDispatchWriter(writer);
                ck_assert(SUCCEEDED(hr));
        } while (hr == S_FALSE);
}

static void tell_in_loop(const char *event, bool ok, HRESULT failure) {
        tell_only(event, &(struct told){ 0 });
        turn();
        assert_answer(await_answer(), ok, failure, NULL);
}

START_TEST(handlers_run_in_the_loop) {
        struct pollfd fd;

        start_loop(0);
        fd = (struct pollfd){ .fd = loop_fd, .events = POLLIN };
        ck_assert_int_eq(poll(&fd, 1, 0), 0);
        ck_assert_int_eq(VssDispatchWriter(writer), S_FALSE);
        tell_in_loop("PrepareBackup", true, S_OK);
        tell_in_loop("PrepareSnapshot", true, S_OK);
        tell_in_loop("Freeze", true, S_OK);
        tell_in_loop("Thaw", true, S_OK);
        tell_in_loop("PostSnapshot", true, S_OK);
        tell_in_loop("BackupComplete", true, S_OK);
        tell_in_loop("BackupShutdown", true, S_OK);
        assert_journal(" PrepareBackup PrepareSnapshot Freeze Thaw PostSnapshot BackupShutdown");
        ck_assert(vss_id_equal(app.shutdown_set, events_set_id));
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), S_OK);
        ck_assert_int_eq(VssDispatchWriter(writer), VSS_E_BAD_STATE);
        ck_assert_int_eq(VssDispatchWriter(NULL), E_INVALIDARG);
}
END_TEST

START_TEST(a_writer_with_a_thread_has_nothing_to_dispatch) {
        start_thread();
        ck_assert_int_eq(VssDispatchWriter(writer), VSS_E_BAD_STATE);
        ck_assert_int_eq(VssSubscribeWriter(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG, &loop_fd),
                         VSS_E_WRITER_ALREADY_SUBSCRIBED);
        ck_assert_int_eq(loop_fd, -1);
        ck_assert_int_eq(VssSubscribeWriter(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG, NULL),
                         E_INVALIDARG);
}
END_TEST

/* The loop does not come back after Freeze: the library's thread ends it. */
START_TEST(a_stuck_loop_is_thawed_by_the_librarys_thread) {
        start_loop(500);
        tell_in_loop("PrepareSnapshot", true, S_OK);
        tell_in_loop("Freeze", true, S_OK);
        wait_for(has_aborted);
        ck_assert(!pthread_equal(app.aborted_on, loop_thread));
        tell_in_loop("Thaw", false, VSS_E_WRITERERROR_TIMEOUT);
        tell_in_loop("PostSnapshot", false, VSS_E_WRITERERROR_TIMEOUT);
        assert_journal(" PrepareSnapshot Freeze Abort");
}
END_TEST

/* Thaw came in time, but the loop does not take it up. */
START_TEST(a_thaw_that_waits_for_a_stuck_loop_is_too_late) {
        start_loop(500);
        tell_in_loop("Freeze", true, S_OK);
        tell_only("Thaw", &(struct told){ 0 });
        wait_for(has_aborted);
        ck_assert(!pthread_equal(app.aborted_on, loop_thread));
        turn();
        assert_answer(await_answer(), false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" Freeze Abort");
}
END_TEST

/* A loop that is quick enough does it itself. */
START_TEST(a_loop_that_is_awake_aborts_by_itself) {
        start_loop(500);
        tell_in_loop("Freeze", true, S_OK);
        turn();
        assert_journal(" Freeze Abort");
        ck_assert(pthread_equal(app.aborted_on, loop_thread));
        ck_assert_uint_eq(app.n_aborts, 1);
}
END_TEST

/* Nobody was frozen when the Freeze was taken up: it is not any more. */
START_TEST(a_freeze_that_waits_too_long_is_not_begun) {
        start_loop(100);
        tell_in_loop("PrepareSnapshot", true, S_OK);
        tell_only("Freeze", &(struct told){ 0 });
        wait_for(has_aborted);
        turn();
        assert_answer(await_answer(), false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" PrepareSnapshot Abort");
}
END_TEST

static void sleep_a_little(void) {
        (void)poll(NULL, 0, 1000); /* beyond the freeze timeout, and the patience after it */
}

/* A handler is not overtaken: the Abort comes after it, on its own thread. */
START_TEST(a_handler_that_runs_is_not_overtaken) {
        start_loop(500);
        app.in_freeze = sleep_a_little;
        tell_in_loop("Freeze", false, VSS_E_WRITERERROR_TIMEOUT);
        assert_journal(" Freeze Abort");
        ck_assert(pthread_equal(app.aborted_on, loop_thread));
        ck_assert_uint_eq(app.n_aborts, 1);
}
END_TEST

START_TEST(a_lost_service_thaws_a_stuck_loop) {
        start_loop(0); /* the deadline is a minute away */
        tell_in_loop("PrepareBackup", true, S_OK);
        tell_in_loop("Freeze", true, S_OK);
        lose_service(false);
        wait_for(has_aborted);
        ck_assert(!pthread_equal(app.aborted_on, loop_thread));
        turn(); /* what can wait for the loop does */
        assert_journal(" PrepareBackup Freeze Abort BackupShutdown");
        ck_assert(vss_id_is_null(app.shutdown_set));
}
END_TEST

/* An application that is not frozen is left alone until its loop comes. */
START_TEST(a_lost_service_ends_a_preparation_in_the_loop) {
        start_loop(0);
        tell_in_loop("PrepareSnapshot", true, S_OK);
        lose_service(true);
        wait_for(has_registered_again);
        turn();
        assert_journal(" PrepareSnapshot Abort BackupShutdown");
        ck_assert(pthread_equal(app.aborted_on, loop_thread));
        tell_in_loop("PrepareSnapshot", true, S_OK);
}
END_TEST

/* Events of a service that is gone are not handled any more. */
START_TEST(what_waits_from_a_lost_service_is_dropped) {
        start_loop(0);
        tell_in_loop("PrepareSnapshot", true, S_OK);
        tell_only("Freeze", &(struct told){ 0 });
        lose_service(true);
        wait_for(has_registered_again);
        while (VssDispatchWriter(writer) == S_OK)
                ;
        (void)pthread_mutex_lock(&bus.lock);
        ck_assert_ptr_null(strstr(events.journal, "BackupShutdown Freeze"));
        ck_assert_ptr_nonnull(strstr(events.journal, " Abort BackupShutdown"));
        (void)pthread_mutex_unlock(&bus.lock);
}
END_TEST

START_TEST(leaving_thaws_a_frozen_loop) {
        start_loop(0);
        tell_in_loop("Freeze", true, S_OK);
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), S_OK);
        assert_journal(" Freeze Abort BackupShutdown");
}
END_TEST

/* When the service dies after an event, what the application is told. */
static const struct lost_case {
        const char *told[6];
        bool veto;
        const char *journal;
} lost_cases[] = {
        { { "Identify" }, false, " Identify" },
        { { "PrepareBackup" }, false, " PrepareBackup BackupShutdown" },
        { { "PrepareBackup", "PrepareSnapshot" },
          false,
          " PrepareBackup PrepareSnapshot Abort BackupShutdown" },
        { { "PrepareSnapshot" }, true, " PrepareSnapshot BackupShutdown" },
        { { "PrepareSnapshot", "Freeze" }, false, " PrepareSnapshot Freeze Abort BackupShutdown" },
        { { "PrepareSnapshot", "Freeze", "Thaw" },
          false,
          " PrepareSnapshot Freeze Thaw Abort BackupShutdown" },
        { { "PrepareSnapshot", "Freeze", "Thaw", "PostSnapshot" },
          false,
          " PrepareSnapshot Freeze Thaw PostSnapshot BackupShutdown" },
        { { "PrepareSnapshot", "Freeze", "Abort" },
          false,
          " PrepareSnapshot Freeze Abort BackupShutdown" },
        { { "PrepareSnapshot", "Freeze", "Thaw", "PostSnapshot", "BackupShutdown" },
          false,
          " PrepareSnapshot Freeze Thaw PostSnapshot BackupShutdown" },
        { { "PreRestore" }, false, "" },
};

/* A writer is told: nothing comes before the events that it has handled already. */
START_TEST(a_lost_service_ends_what_began) {
        const struct lost_case *c = &lost_cases[_i];

        start_thread();
        app.veto = c->veto;
        for (size_t i = 0; i < ARRAY_SIZE(c->told) && c->told[i]; i++)
                dbus_message_unref(tell_as(FAKE_SERVICE, c->told[i], &(struct told){ 0 }));
        lose_service(true);
        wait_for(has_registered_again);
        app.veto = false;
        tell("BackupComplete", true, S_OK, NULL); /* whatever had to come has come */
        assert_journal(c->journal);
}
END_TEST

START_TEST(a_new_set_ends_one_that_was_forgotten) {
        const struct told other = { .session = OTHER_SESSION_TEXT };

        start_thread();
        tell("Freeze", true, S_OK, NULL);
        assert_answer(tell_as(FAKE_SERVICE, "PrepareSnapshot", &other), true, S_OK, NULL);
        assert_journal(" Freeze Abort PrepareSnapshot");
        tell("Thaw", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_answer(tell_as(FAKE_SERVICE, "Freeze", &other), true, S_OK, NULL);
        assert_answer(tell_as(FAKE_SERVICE, "Thaw", &other), true, S_OK, NULL);
        assert_journal(" Freeze Abort PrepareSnapshot Freeze Thaw");
}
END_TEST

/* More sessions than are remembered: the one that is frozen is. */
START_TEST(many_sessions_do_not_hide_a_frozen_one) {
        start_thread();
        tell("Freeze", true, S_OK, NULL);
        for (unsigned i = 0; i < 200; i++) {
                char id[VSS_ID_TEXT_MAX];

                (void)snprintf(id, sizeof(id), "00000000-0000-0000-0000-00000000%04x", i);
                tell_only("PrepareBackup", &(struct told){ .session = id });
        }
        tell("Thaw", true, S_OK, NULL);
}
END_TEST

START_TEST(events_of_the_other_kind_pass) {
        start_thread(); /* for backups */
        ck_assert_uint_eq(events.options.subscribe, VSS_SM_BACKUP_EVENTS_FLAG);
        tell("PreRestore", true, S_OK, "");
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), S_OK);
        ck_assert_int_eq(CVssWriter_Subscribe(writer, 0, VSS_SM_RESTORE_EVENTS_FLAG), S_OK);
        tell("PrepareBackup", true, S_OK, "");
        dbus_message_unref(tell_as(FAKE_SERVICE, "Identify", &(struct told){ 0 }));
        assert_journal(" Identify");
}
END_TEST

static pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;

static void wait_for_release(void) {
        ck_assert_int_eq(pthread_mutex_lock(&hold), 0);
        ck_assert_int_eq(pthread_mutex_unlock(&hold), 0);
}

static bool has_frozen(struct fake_bus *b) {
        (void)b;
        return strstr(events.journal, " Freeze") != NULL;
}

START_TEST(unsubscribing_waits_no_longer_than_asked) {
        new_writer(0);
        ck_assert_int_eq(CVssWriterEx_SubscribeEx(writer, 100, VSS_SM_BACKUP_EVENTS_FLAG), S_OK);
        ck_assert_int_eq(pthread_mutex_lock(&hold), 0);
        app.in_freeze = wait_for_release;
        tell_only("Freeze", &(struct told){ 0 });
        wait_for(has_frozen);
        ck_assert_int_eq(CVssWriter_Unsubscribe(writer), VSS_E_UNEXPECTED);
        ck_assert(CVssWriterEx2_IsWriterShuttingDown(writer));
        ck_assert_int_eq(CVssWriter_Subscribe(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG),
                         VSS_E_WRITER_ALREADY_SUBSCRIBED);
        ck_assert_int_eq(pthread_mutex_unlock(&hold), 0);
        CVssWriter_Release(writer); /* waits for as long as it takes */
        writer = NULL;
        assert_journal(" Freeze Abort BackupShutdown");
}
END_TEST

static const struct told other_session = { .session = OTHER_SESSION_TEXT };

/* Waits until the library has seen something, whatever its handlers do. */
static void wait_until(bool (*seen)(struct writer_turns *)) {
        bool yes = false;

        for (unsigned i = 0; i < FAKE_SECONDS * 200 && !yes; i++) {
                (void)poll(NULL, 0, i == 0 ? 0 : 5);
                (void)pthread_mutex_lock(&writer->turns.lock);
                yes = seen(&writer->turns);
                (void)pthread_mutex_unlock(&writer->turns.lock);
        }
        ck_assert(yes);
}

static bool one_waits(struct writer_turns *t) {
        return t->n_waiting == 1;
}

static bool two_wait(struct writer_turns *t) {
        return t->n_waiting == 2;
}

static bool as_many_listings_wait_as_may(struct writer_turns *t) {
        return t->n_waiting == LISTINGS_MAX;
}

static bool one_is_expired(struct writer_turns *t) {
        for (size_t i = 0; i < t->sessions.n; i++)
                if (t->sessions.items[i].expired)
                        return true;
        return false;
}

/* Neither what anybody may ask for, nor another backup, comes between Freeze and Thaw. */
START_TEST(a_frozen_application_is_told_of_its_own_session_alone) {
        start_thread();
        tell("Freeze", true, S_OK, NULL);
        tell_only("Identify", &other_session);
        tell_only("PrepareBackup", &other_session);
        wait_until(two_wait);
        tell("Thaw", true, S_OK, NULL);
        assert_answer(tell_as(FAKE_SERVICE, "BackupShutdown", &other_session), true, S_OK, NULL);
        assert_journal(" Freeze Thaw Identify PrepareBackup BackupShutdown");
}
END_TEST

START_TEST(a_frozen_loop_is_told_of_its_own_session_alone) {
        struct pollfd fd;

        start_loop(0);
        tell_in_loop("Freeze", true, S_OK);
        while (VssDispatchWriter(writer) == S_OK)
                ;
        tell_only("Identify", &other_session);
        tell_only("PrepareBackup", &other_session);
        wait_until(two_wait);
        ck_assert_int_eq(VssDispatchWriter(writer), S_FALSE);
        fd = (struct pollfd){ .fd = loop_fd, .events = POLLIN };
        ck_assert_int_eq(poll(&fd, 1, 0), 0); /* or the loop would spin */
        tell_in_loop("Thaw", true, S_OK);
        assert_journal(" Freeze Thaw Identify PrepareBackup");
}
END_TEST

/* The Thaw does not come, and what waits would have to wait with it for ever. */
START_TEST(another_session_does_not_delay_the_end_of_a_freeze) {
        start_thread_for(500);
        tell("Freeze", true, S_OK, NULL);
        tell_only("PrepareBackup", &other_session);
        assert_answer(await_answer(), true, S_OK, NULL);
        assert_journal(" Freeze Abort PrepareBackup");
}
END_TEST

START_TEST(another_session_does_not_delay_the_end_of_a_lost_freeze) {
        start_thread();
        tell("Freeze", true, S_OK, NULL);
        tell_only("PrepareBackup", &other_session);
        wait_until(one_waits);
        lose_service(true);
        wait_for(has_registered_again);
        tell("Thaw", false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" Freeze Abort BackupShutdown BackupShutdown");
}
END_TEST

/* However many ask for metadata meanwhile. */
START_TEST(listings_do_not_keep_a_thaw_out) {
        start_thread();
        tell("Freeze", true, S_OK, NULL);
        for (unsigned i = 0; i < LISTINGS_MAX; i++)
                tell_only("Identify", &other_session);
        wait_until(as_many_listings_wait_as_may);
        tell("Thaw", true, S_OK, NULL);
}
END_TEST

static bool has_prepared_backup(struct fake_bus *b) {
        (void)b;
        return strstr(events.journal, " PrepareBackup") != NULL;
}

/* A handler of the other session runs until it is released. */
static void start_held(DWORD freeze_timeout_ms) {
        ck_assert_int_eq(pthread_mutex_lock(&hold), 0);
        app.in_prepare_backup = wait_for_release;
        start_thread_for(freeze_timeout_ms);
        tell_only("PrepareBackup", &other_session);
        wait_for(has_prepared_backup);
}

/* The clock runs while a handler of another session does. */
START_TEST(a_freeze_that_waits_too_long_for_a_handler_is_not_begun) {
        start_held(100);
        tell_only("Freeze", &(struct told){ 0 });
        wait_until(one_is_expired);
        ck_assert_int_eq(pthread_mutex_unlock(&hold), 0);
        assert_answer(await_answer(), false, VSS_E_WRITERERROR_TIMEOUT, NULL);
        assert_journal(" PrepareBackup Abort");
}
END_TEST

/* By whoever asked for it, before the handler came to it. */
START_TEST(a_freeze_that_was_given_up_is_not_begun) {
        static const char *const ends[] = { "Abort", "BackupShutdown" };
        static const char *const journals[] = { " PrepareBackup Abort",
                                                " PrepareBackup Abort BackupShutdown" };

        start_held(0);
        tell_only("Freeze", &(struct told){ 0 });
        tell_only(ends[_i], &(struct told){ 0 });
        wait_until(two_wait);
        ck_assert_int_eq(pthread_mutex_unlock(&hold), 0);
        assert_answer(await_answer(), true, S_OK, NULL);
        assert_journal(journals[_i]);
}
END_TEST

/* By a set that began, whose end nobody would tell it otherwise. */
START_TEST(a_freeze_that_was_forgotten_is_not_begun) {
        start_held(0);
        tell_only("Freeze", &(struct told){ 0 });
        tell_only("PrepareSnapshot", &other_session);
        wait_until(two_wait);
        ck_assert_int_eq(pthread_mutex_unlock(&hold), 0);
        assert_answer(await_answer(), true, S_OK, NULL);
        assert_journal(" PrepareBackup Abort PrepareSnapshot");
}
END_TEST

static CVssWriter *other_writer;
static int other_fd;

static void dispatch_the_other(void) {
        struct pollfd fd = { .fd = other_fd, .events = POLLIN };

        ck_assert_int_eq(CVssWriter_SetWriterFailure(writer, VSS_E_WRITERERROR_RETRYABLE), S_OK);
        ck_assert_int_eq(poll(&fd, 1, FAKE_SECONDS * 1000), 1);
        ck_assert_int_eq(VssDispatchWriter(other_writer), S_OK);
        ck_assert_int_eq(CVssWriter_SetWriterFailure(writer, VSS_E_WRITERERROR_TIMEOUT), S_OK);
}

/* A handler that waits for the other writers of its loop stays a handler. */
START_TEST(a_loop_inside_a_handler_of_another_writer) {
        DBusMessage *m;

        start_loop(0);
        other_writer = writer;
        other_fd = loop_fd;
        start_loop(0);
        m = event_new("PrepareSnapshot", &(struct told){ 0 });
        (void)pthread_mutex_lock(&bus.lock);
        fake_send(bus.peers[0], m, FAKE_SERVICE);
        (void)pthread_mutex_unlock(&bus.lock);
        app.in_prepare_backup = dispatch_the_other;
        tell_in_loop("PrepareBackup", true, VSS_E_WRITERERROR_TIMEOUT);
        assert_journal(" PrepareBackup PrepareSnapshot");
        CVssWriter_Release(other_writer);
}
END_TEST

START_TEST(alternate_writers_are_reserved) {
        new_writer(0);
        ck_assert_int_eq(CVssWriter_InstallAlternateWriter(writer, GUID_NULL, GUID_NULL),
                         E_NOTIMPL);
        ck_assert_int_eq(CVssWriter_InstallAlternateWriter(NULL, GUID_NULL, GUID_NULL),
                         E_INVALIDARG);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                handlers_run_in_the_loop,
                a_writer_with_a_thread_has_nothing_to_dispatch,
                a_stuck_loop_is_thawed_by_the_librarys_thread,
                a_thaw_that_waits_for_a_stuck_loop_is_too_late,
                a_loop_that_is_awake_aborts_by_itself,
                a_freeze_that_waits_too_long_is_not_begun,
                a_handler_that_runs_is_not_overtaken,
                a_lost_service_thaws_a_stuck_loop,
                a_lost_service_ends_a_preparation_in_the_loop,
                what_waits_from_a_lost_service_is_dropped,
                leaving_thaws_a_frozen_loop,
                a_new_set_ends_one_that_was_forgotten,
                many_sessions_do_not_hide_a_frozen_one,
                events_of_the_other_kind_pass,
                unsubscribing_waits_no_longer_than_asked,
                a_frozen_application_is_told_of_its_own_session_alone,
                a_frozen_loop_is_told_of_its_own_session_alone,
                another_session_does_not_delay_the_end_of_a_freeze,
                another_session_does_not_delay_the_end_of_a_lost_freeze,
                listings_do_not_keep_a_thaw_out,
                a_freeze_that_waits_too_long_for_a_handler_is_not_begun,
                a_freeze_that_was_forgotten_is_not_begun,
                a_loop_inside_a_handler_of_another_writer,
                alternate_writers_are_reserved,
        };
        Suite *suite;
        TCase *tcase =
                events_case(&suite, "writer-loop", tests, ARRAY_SIZE(tests), setup, teardown);

        tcase_add_loop_test(tcase, a_lost_service_ends_what_began, 0, ARRAY_SIZE(lost_cases));
        tcase_add_loop_test(tcase, a_freeze_that_was_given_up_is_not_begun, 0, 2);
        return events_run(suite);
}
