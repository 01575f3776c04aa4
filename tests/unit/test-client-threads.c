/* Objects of the library on several threads: an IVssAsync and the IVssBackupComponents that it came
 * from share a connection, and take turns on it. Run under ThreadSanitizer, too. */

#include "common/time-util.h"
#include "fake-service.h"

#include <stdatomic.h>

/* A wait on a thread of its own. */
struct wait {
        pthread_t thread;
        IVssAsync *async;
        atomic_bool ended;
};

static void *wait_for_ever(void *data) {
        struct wait *w = data;

        ck_assert_int_eq(IVssAsync_Wait(w->async, INFINITE), S_OK);
        atomic_store(&w->ended, true);
        return NULL;
}

static void wait_begin(struct wait *w, IVssAsync *async) {
        w->async = async;
        atomic_init(&w->ended, false);
        ck_assert_int_eq(pthread_create(&w->thread, NULL, wait_for_ever, w), 0);
}

static void wait_join(struct wait *w) {
        ck_assert_int_eq(pthread_join(w->thread, NULL), 0);
        ck_assert(atomic_load(&w->ended));
}

static void complete(void) {
        (void)pthread_mutex_lock(&bus.lock);
        script.completes = S_OK;
        send_completed(&bus, &script);
        (void)pthread_mutex_unlock(&bus.lock);
}

static void ask(IVssBackupComponents *backup) {
        VSS_ID id;

        ck_assert_int_eq(IVssBackupComponentsEx3_GetSessionId(backup, &id), S_OK);
        ck_assert(vss_id_equal(id, some_id));
}

START_TEST(a_wait_lets_the_calls_of_its_parent_in) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        struct wait wait;

        wait_begin(&wait, async);
        for (unsigned i = 0; i < 100; i++)
                ask(backup);
        ck_assert(!atomic_load(&wait.ended));
        complete();
        wait_join(&wait);
        assert_status(async, VSS_S_ASYNC_FINISHED);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

/* Completed arrives before the answer of a call, so that the call's thread reads it, and nothing is
 * left to be seen at the descriptor that the sleeper watches. */
static DBusMessage *complete_and_serve(struct fake_bus *b, DBusMessage *call) {
        if (dbus_message_has_member(call, "GetSessionId"))
                send_completed(b, b->data);
        return serve(b, call);
}

START_TEST(a_completion_that_another_thread_reads_ends_the_wait) {
        teardown();
        fake_start(&bus, complete_and_serve, &script);
        script.completes = S_OK;
        for (unsigned i = 0; i < 12; i++) {
                IVssBackupComponents *backup = new_backup();
                const struct timespec moment = { .tv_nsec = i * 200000 };
                IVssAsync *async;
                struct wait wait;

                (void)pthread_mutex_lock(&bus.lock);
                script.completes = VSS_S_ASYNC_PENDING;
                (void)pthread_mutex_unlock(&bus.lock);
                async = begin(backup);
                (void)pthread_mutex_lock(&bus.lock);
                script.completes = S_OK;
                (void)pthread_mutex_unlock(&bus.lock);
                wait_begin(&wait, async);
                (void)nanosleep(&moment, NULL); /* to meet the wait at various places */
                ask(backup);
                wait_join(&wait);
                IVssAsync_Release(async);
                IVssBackupComponents_Release(backup);
        }
}
END_TEST

static DBusMessage *abort_call; /* AbortBackup, unanswered */

static DBusMessage *keep_abort(struct fake_bus *b, DBusMessage *call) {
        if (!dbus_message_has_member(call, "AbortBackup"))
                return serve(b, call);
        abort_call = dbus_message_ref(call);
        return NULL;
}

static bool has_abort_call(struct fake_bus *b) {
        (void)b;
        return abort_call;
}

static void *abort_backup(void *data) {
        ck_assert_int_eq(IVssBackupComponents_AbortBackup(data), S_OK);
        return NULL;
}

START_TEST(a_wait_ends_in_time_while_its_parent_is_in_a_call) {
        IVssBackupComponents *backup;
        pthread_t thread;
        IVssAsync *async;

        teardown();
        fake_start(&bus, keep_abort, &script);
        backup = new_backup();
        async = begin(backup);
        ck_assert_int_eq(pthread_create(&thread, NULL, abort_backup, backup), 0);
        (void)pthread_mutex_lock(&bus.lock);
        fake_wait(&bus, has_abort_call);
        (void)pthread_mutex_unlock(&bus.lock);
        /* Without an end of its own it would last as long as the call: for ever. */
        ck_assert_int_eq(IVssAsync_Wait(async, 20), S_OK);
        (void)pthread_mutex_lock(&bus.lock);
        fake_answer(fake_peer(&bus), abort_call, dbus_message_new_method_return(abort_call),
                    FAKE_SERVICE);
        dbus_message_unref(abort_call);
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        assert_status(async, VSS_S_ASYNC_PENDING);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(the_last_release_ends_a_wait_on_another_thread) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        struct wait wait = { .async = async };
        HRESULT status;

        complete();
        wait_begin(&wait, async);
        IVssBackupComponents_Release(backup);
        wait_join(&wait);
        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, NULL), S_OK);
        IVssAsync_Release(async);
}
END_TEST

static void *wait_for_what_is_lost(void *data) {
        struct wait *w = data;

        ck_assert_int_eq(IVssAsync_Wait(w->async, INFINITE), VSS_E_UNEXPECTED);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "was released"));
        return NULL;
}

START_TEST(a_wait_for_what_its_parent_left_unfinished_ends_too) {
        IVssBackupComponents *backup = new_backup();
        struct wait wait = { .async = begin(backup) };

        ck_assert_int_eq(pthread_create(&wait.thread, NULL, wait_for_what_is_lost, &wait), 0);
        ask(backup);
        IVssBackupComponents_Release(backup);
        ck_assert_int_eq(pthread_join(wait.thread, NULL), 0);
        IVssAsync_Release(wait.async);
}
END_TEST

static void *make_backups(void *data) {
        (void)data;
        for (unsigned i = 0; i < 3; i++) {
                IVssBackupComponents *backup = new_backup();
                const char *phase;
                IVssAsync *async;
                UINT percent;

                ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, NULL), S_OK);
                async = begin(backup);
                ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
                assert_status(async, VSS_S_ASYNC_FINISHED);
                ck_assert_int_eq(IVssAsync_GetProgress(async, &phase, &percent), S_OK);
                ck_assert_uint_eq(percent, 100);
                IVssAsync_Release(async);
                IVssBackupComponents_Release(backup);
        }
        return NULL;
}

START_TEST(backups_on_several_threads_do_not_meet) {
        pthread_t threads[4];

        script.completes = S_OK;
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, make_backups, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

static void *ask_progress(void *data) {
        const char *phase;
        UINT percent;

        for (unsigned i = 0; i < 50; i++) {
                ck_assert_int_eq(IVssAsync_GetProgress(data, &phase, &percent), S_OK);
                ck_assert_uint_le(strlen(phase), 16);
        }
        return NULL;
}

static void send_phase(const char *phase) {
        DBusMessage *m =
                dbus_message_new_signal(ASYNC, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged");
        const char *interface = "org.vssd.Vss1.Async", *key = "Phase";
        DBusMessageIter iter, dict, entry, value;

        dbus_message_iter_init_append(m, &iter);
        dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &interface);
        dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &dict);
        dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
        dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
        dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &value);
        dbus_message_iter_append_basic(&value, DBUS_TYPE_STRING, &phase);
        dbus_message_iter_close_container(&entry, &value);
        dbus_message_iter_close_container(&dict, &entry);
        dbus_message_iter_close_container(&iter, &dict);
        (void)pthread_mutex_lock(&bus.lock);
        fake_send(fake_peer(&bus), m, FAKE_SERVICE);
        (void)pthread_mutex_unlock(&bus.lock);
}

/* What GetProgress handed out is not replaced by the news that another thread takes in. */
START_TEST(a_phase_holds_while_other_threads_read_the_next) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *first = begin(backup), *second = begin(backup);
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, ask_progress, first), 0);
        for (unsigned i = 0; i < 50; i++) {
                const char *phase;

                send_phase(i % 2 ? "freeze" : "window");
                ck_assert_int_eq(IVssAsync_GetProgress(second, &phase, NULL), S_OK);
        }
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        /* Both are of one operation: the first to go leaves it to the second. */
        IVssAsync_Release(first);
        assert_status(second, VSS_S_ASYNC_PENDING);
        IVssAsync_Release(second);
        IVssBackupComponents_Release(backup);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("client-threads");
        TCase *t = tcase_create("client-threads");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 30);
        tcase_add_test(t, a_wait_lets_the_calls_of_its_parent_in);
        tcase_add_test(t, a_completion_that_another_thread_reads_ends_the_wait);
        tcase_add_test(t, a_wait_ends_in_time_while_its_parent_is_in_a_call);
        tcase_add_test(t, the_last_release_ends_a_wait_on_another_thread);
        tcase_add_test(t, a_wait_for_what_its_parent_left_unfinished_ends_too);
        tcase_add_test(t, backups_on_several_threads_do_not_meet);
        tcase_add_test(t, a_phase_holds_while_other_threads_read_the_next);
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        SRunner *runner = srunner_create(suite());
        int failed;

        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? 1 : 0;
}
