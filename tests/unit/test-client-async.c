/* IVssAsync: completions before and after the answer, in time and not, from strangers, and never; a
 * service or a bus that goes while somebody waits. */

#include "common/time-util.h"
#include "fake-service.h"

#include <malloc.h>

START_TEST(an_operation_finishes) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async;

        script.completes = S_OK;
        async = begin(backup);
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        assert_status(async, VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(IVssAsync_Cancel(async), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(IVssAsync_Release(async), 0);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_completion_may_come_before_the_answer_that_names_it) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async;

        script.completes = VSS_S_ASYNC_FINISHED;
        script.before_reply = true;
        async = begin(backup);
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        assert_status(async, VSS_S_ASYNC_FINISHED);
        ck_assert(!was_called("QueryStatus"));
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

/* Every operation has a name of its own, and has ended when it is named. */
static DBusMessage *number_operations(struct fake_bus *b, DBusMessage *call) {
        static unsigned n;
        char text[64];
        const char *path = text, *message = "";
        dbus_int32_t hr = VSS_S_ASYNC_FINISHED;
        DBusMessage *m;

        if (!dbus_message_has_member(call, "DoSnapshotSet"))
                return serve(b, call);
        (void)snprintf(text, sizeof(text), "/org/vssd/Vss1/async/%u", ++n);
        m = dbus_message_new_signal(path, "org.vssd.Vss1.Async", "Completed");
        ck_assert(dbus_message_append_args(m, DBUS_TYPE_INT32, &hr, DBUS_TYPE_STRING, &message,
                                           DBUS_TYPE_INVALID));
        fake_send(fake_caller(b), m, FAKE_SERVICE);
        return reply_with(call, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
}

static void begin_and_release(IVssBackupComponents *backup, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                IVssAsync_Release(begin(backup));
}

START_TEST(nothing_is_kept_of_operations_that_were_released) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *one, *other;
        size_t before;

        (void)pthread_mutex_lock(&bus.lock);
        bus.on_call = number_operations;
        (void)pthread_mutex_unlock(&bus.lock);
        begin_and_release(backup, 100);
        before = mallinfo2().uordblks;
        begin_and_release(backup, 1100);
        /* A signal that waits takes several hundred bytes. */
        ck_assert_uint_lt(mallinfo2().uordblks, before + 100 * 1024);
        (void)pthread_mutex_lock(&bus.lock);
        bus.calls[0] = '\0'; /* there is no more room */
        (void)pthread_mutex_unlock(&bus.lock);
        one = begin(backup);
        ck_assert_int_eq(IVssAsync_Wait(one, INFINITE), S_OK);
        other = begin(backup);
        assert_status(other, VSS_S_ASYNC_FINISHED);
        assert_status(one, VSS_S_ASYNC_FINISHED);
        ck_assert(!was_called("QueryStatus"));
        IVssAsync_Release(one);
        IVssAsync_Release(other);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(waiting_for_a_failure_succeeds_and_its_status_tells) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async;

        script.completes = VSS_E_INSUFFICIENT_STORAGE;
        async = begin(backup);
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        assert_status(async, VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_str_eq(VssLastErrorMessage(), "The store is full");
        ck_assert_int_eq(IVssAsync_Cancel(async), VSS_E_INSUFFICIENT_STORAGE);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_wait_that_runs_out_succeeds_with_the_operation_pending) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        uint64_t start = now_monotonic_usec();

        ck_assert_int_eq(IVssAsync_Wait(async, 20), S_OK);
        ck_assert_uint_ge(now_monotonic_usec() - start, 20 * USEC_PER_MSEC);
        assert_status(async, VSS_S_ASYNC_PENDING);
        ck_assert_int_eq(IVssAsync_Wait(async, 0), S_OK);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(an_end_that_nobody_was_told_of_is_asked_for) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);

        script.status = VSS_E_PROVIDER_VETO;
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        assert_status(async, VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(VssLastErrorMessage(), "It broke");
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_stranger_completes_nothing) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async;

        script.completes = S_OK;
        script.completes_from = FAKE_STRANGER;
        async = begin(backup);
        ck_assert_int_eq(IVssAsync_Wait(async, 20), S_OK);
        assert_status(async, VSS_S_ASYNC_PENDING);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(cancel_gives_the_services_answer) {
        static const HRESULT answers[] = { S_OK, VSS_S_ASYNC_CANCELLED, VSS_S_ASYNC_FINISHED,
                                           VSS_E_PROVIDER_VETO };
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                script.cancel = answers[i];
                ck_assert_int_eq(IVssAsync_Cancel(async), answers[i]);
        }
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

/* Something happens while another thread waits without end. */
static void *wait_forever(void *async) {
        return (void *)(intptr_t)IVssAsync_Wait(async, INFINITE);
}

static bool status_was_asked(struct fake_bus *b) {
        return strstr(b->calls, "QueryStatus") != NULL;
}

static HRESULT wait_while(IVssAsync *async, void (*happens)(void)) {
        pthread_t thread;
        void *result;

        ck_assert_int_eq(pthread_create(&thread, NULL, wait_forever, async), 0);
        (void)pthread_mutex_lock(&bus.lock);
        fake_wait(&bus, status_was_asked);
        happens();
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(pthread_join(thread, &result), 0);
        return (HRESULT)(intptr_t)result;
}

static void service_ends(void) {
        fake_name_owner_changed(&bus, FAKE_SERVICE, FAKE_SERVICE, "");
}

static void bus_ends(void) {
        dbus_connection_close(fake_peer(&bus));
}

static void operation_ends(void) {
        script.completes = S_OK;
        send_completed(&bus, &script);
}

START_TEST(a_wait_ends_with_the_operation) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);

        ck_assert_int_eq(wait_while(async, operation_ends), S_OK);
        assert_status(async, VSS_S_ASYNC_FINISHED);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

static void assert_lost(IVssBackupComponents *backup, IVssAsync *async) {
        HRESULT status = S_OK;

        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "systemctl status vssd"));
        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, NULL), VSS_E_UNEXPECTED);
        ck_assert_int_eq(status, VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssAsync_Cancel(async), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssAsync_GetProgress(async, NULL, NULL), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssBackupComponents_AbortBackup(backup), VSS_E_UNEXPECTED);
}

/* The waiting thread has its message; this one gets its own from QueryStatus. */
START_TEST(a_wait_ends_with_the_service) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        HRESULT status;

        ck_assert_int_eq(wait_while(async, service_ends), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, NULL), VSS_E_UNEXPECTED);
        assert_lost(backup, async);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_wait_ends_with_the_bus) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        HRESULT status;

        ck_assert_int_eq(wait_while(async, bus_ends), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, NULL), VSS_E_UNEXPECTED);
        assert_lost(backup, async);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(an_operation_outlives_its_object_as_a_handle_only) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *running = begin(backup);
        HRESULT status;

        IVssBackupComponents_Release(backup);
        ck_assert_int_eq(IVssAsync_QueryStatus(running, &status, NULL), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssAsync_Wait(running, INFINITE), VSS_E_UNEXPECTED);
        ck_assert_uint_eq(IVssAsync_AddRef(running), 2);
        ck_assert_uint_eq(IVssAsync_Release(running), 1);
        ck_assert_uint_eq(IVssAsync_Release(running), 0);
}
END_TEST

START_TEST(the_handles_arguments_are_checked) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        int32_t reserved = 0;
        HRESULT status;

        ck_assert_int_eq(IVssAsync_QueryStatus(async, NULL, NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssAsync_QueryStatus(async, &status, &reserved), E_INVALIDARG);
        ck_assert_int_eq(IVssAsync_QueryStatus(NULL, &status, NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssAsync_Wait(NULL, 0), E_INVALIDARG);
        ck_assert_int_eq(IVssAsync_Cancel(NULL), E_INVALIDARG);
        ck_assert_uint_eq(IVssAsync_Release(NULL), 0);
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

struct progress_row {
        char *phase;
        uint32_t percent;
};
static const struct wire_field progress_fields[] = {
        WIRE_FIELD(struct progress_row, phase, "Phase", WIRE_TEXT),
        WIRE_FIELD(struct progress_row, percent, "Progress", WIRE_UINT32),
};
static const struct wire_table progress_table = WIRE_TABLE(progress_fields);

static void send_progress(const char *sender, char *phase, uint32_t percent) {
        const struct progress_row row = { .phase = phase, .percent = percent };
        DBusMessage *m =
                dbus_message_new_signal(ASYNC, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged");
        const char *interface = "org.vssd.Vss1.Async";
        char *nothing[] = { NULL };
        DBusMessageIter iter;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &interface));
        ck_assert_int_eq(wire_append_dict(&iter, &progress_table, &row), 0);
        ck_assert_int_eq(wire_append_strv(&iter, nothing), 0);
        fake_send(fake_peer(&bus), m, sender);
}

START_TEST(progress_is_what_the_service_told) {
        static char freeze[] = "freeze", lies[] = "lies";
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = begin(backup);
        const char *phase = NULL;
        UINT percent = 1;

        ck_assert_int_eq(IVssAsync_GetProgress(async, &phase, &percent), S_OK);
        ck_assert_str_eq(phase, "");
        ck_assert_uint_eq(percent, 0);
        (void)pthread_mutex_lock(&bus.lock);
        send_progress(FAKE_SERVICE, freeze, 40);
        send_progress(FAKE_STRANGER, lies, 99);
        script.completes = S_OK;
        send_completed(&bus, &script);
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        ck_assert_int_eq(IVssAsync_GetProgress(async, &phase, &percent), S_OK);
        ck_assert_str_eq(phase, "freeze");
        ck_assert_uint_eq(percent, 100); /* it has finished */
        IVssAsync_Release(async);
        IVssBackupComponents_Release(backup);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                an_operation_finishes,
                a_completion_may_come_before_the_answer_that_names_it,
                waiting_for_a_failure_succeeds_and_its_status_tells,
                a_wait_that_runs_out_succeeds_with_the_operation_pending,
                an_end_that_nobody_was_told_of_is_asked_for,
                a_stranger_completes_nothing,
                cancel_gives_the_services_answer,
                a_wait_ends_with_the_operation,
                a_wait_ends_with_the_service,
                a_wait_ends_with_the_bus,
                an_operation_outlives_its_object_as_a_handle_only,
                the_handles_arguments_are_checked,
                progress_is_what_the_service_told,
                nothing_is_kept_of_operations_that_were_released,
        };
        Suite *suite = suite_create("client-async");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, FAKE_SECONDS + 10);
        tcase_add_checked_fixture(tcase, setup, teardown);
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
