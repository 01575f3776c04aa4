/* CreateSnapshotSet for scripts: the whole sequence in one call, and nothing left of it when it
 * fails or its caller goes. */

#include "tests/unit/fake-host.h"

static struct {
        VSS_ID set;
        size_t n;
        char volumes[256];
        uint64_t expire;
        unsigned progress;
} made;

static void on_made(void *userdata _unused_, int r, const void *result, struct vss_error *error) {
        const struct script_result *set = result;

        on_answer(r, error);
        if (r < 0) {
                ck_assert_ptr_null(result);
                return;
        }
        made.set = set->set_id;
        made.n = set->n;
        for (size_t i = 0; i < set->n; i++) {
                (void)snprintf(made.volumes + strlen(made.volumes),
                               sizeof(made.volumes) - strlen(made.volumes), "%s ",
                               set->snapshots[i].volume);
                made.expire = set->snapshots[i].expire_unix;
        }
}

static void on_progress(void *userdata _unused_, struct async *a,
                        enum async_change change _unused_) {
        ck_assert(!str_empty(async_name(a)));
        made.progress++;
}

static char *volumes[] = { (char *)(uintptr_t) "beta/two", (char *)(uintptr_t) "alpha/one", NULL };
static struct script_options options;

static void setup(void) {
        host_setup();
        memset(&made, 0, sizeof(made));
        memset(&answer, 0, sizeof(answer));
        options =
                (struct script_options){ .context = VSS_CTX_APP_ROLLBACK, .require_writers = true };
}

static struct script_run *begin(void) {
        struct script_run *run = NULL;

        ck_ok(script_create_snapshot_set(&run, host.manager, 0, volumes, &options, on_progress,
                                         on_made, NULL, &error));
        ck_assert_uint_eq(answer.n, 0);
        return run;
}

static HRESULT run_script(void) {
        HRESULT hr;

        (void)begin();
        hr = wait_for_answer();
        host_settle();
        ck_assert_uint_eq(answer.n, 1);
        ck_assert(!session_manager_set_in_progress(host.manager));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        return hr;
}

START_TEST(the_whole_sequence) {
        options.expire_unix = UINT64_C(4000000000);
        ck_assert_int_eq(run_script(), S_OK);
        ck_assert_uint_eq(made.n, 2);
        ck_assert_str_eq(made.volumes, "/beta/two/ /alpha/one/ "); /* in the caller's order */
        ck_assert_uint_eq(made.expire, UINT64_C(4000000000));
        ck_assert_uint_gt(made.progress, 5);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2); /* they outlive the call */
        ck_assert_str_eq(host.journal.text,
                         "front:Identify back:Identify front:PrepareBackup back:PrepareBackup "
                         "front:PrepareSnapshot back:PrepareSnapshot front:Freeze back:Freeze "
                         "back:Thaw front:Thaw front:PostSnapshot back:PostSnapshot "
                         "front:BackupComplete back:BackupComplete front:BackupShutdown "
                         "back:BackupShutdown ");
        ck_assert(vss_id_equal(host.front.set_id, made.set));
}
END_TEST

START_TEST(without_writers) {
        options.context = VSS_CTX_NAS_ROLLBACK;
        ck_assert_int_eq(run_script(), S_OK);
        ck_assert_uint_eq(made.n, 2);
        ck_assert_str_eq(host.journal.text, "");
}
END_TEST

START_TEST(what_is_refused_at_once) {
        static const LONG contexts[] = { VSS_CTX_BACKUP, VSS_CTX_FILE_SHARE_BACKUP, VSS_CTX_ALL,
                                         VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE };
        char *none[] = { NULL };
        struct script_run *run = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
                options.context = contexts[i];
                ck_call(E_INVALIDARG,
                        script_create_snapshot_set(&run, host.manager, 0, volumes, &options, NULL,
                                                   on_made, NULL, &error));
        }
        options.context = VSS_CTX_APP_ROLLBACK;
        ck_call(E_INVALIDARG, script_create_snapshot_set(&run, host.manager, 0, none, &options,
                                                         NULL, on_made, NULL, &error));
        ck_assert_ptr_null(run);
}
END_TEST

START_TEST(excluded_writers_hear_nothing) {
        char id[VSS_ID_TEXT_MAX];
        char *excluded[] = { (char *)(uintptr_t) "front", id, (char *)(uintptr_t) "nobody", NULL };

        vss_id_format(_i == 0 ? writer_identity(host.back.writer)->class_id
                              : writer_identity(host.back.writer)->instance_id,
                      id);
        options.exclude_writers = excluded;
        ck_assert_int_eq(run_script(), S_OK);
        ck_assert_str_eq(host.journal.text, "");
}
END_TEST

static const enum writer_event_type vetoed[] = {
        WRITER_EVENT_PREPARE_BACKUP, WRITER_EVENT_PREPARE_SNAPSHOT, WRITER_EVENT_FREEZE,
        WRITER_EVENT_THAW,           WRITER_EVENT_POST_SNAPSHOT,
};

START_TEST(a_required_writers_veto_fails_the_set) {
        host.back.answers[vetoed[_i]] = FAKE_VETO;
        ck_assert_int_eq(run_script(), VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_ptr_nonnull(strstr(answer.message, "writer back failed"));
        ck_assert_ptr_nonnull(strstr(answer.message, "the application is busy"));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(a_veto_that_is_not_required) {
        options.require_writers = false;
        host.back.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_VETO;
        host.front.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        ck_assert_int_eq(run_script(), S_OK);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
}
END_TEST

START_TEST(a_volume_that_cannot_be_copied) {
        volumes[1] = (char *)(uintptr_t) "none/x";
        ck_assert_int_eq(run_script(), VSS_E_VOLUME_NOT_SUPPORTED);
        volumes[1] = volumes[0];
        memset(&answer, 0, sizeof(answer));
        ck_assert_int_eq(run_script(), VSS_E_OBJECT_ALREADY_EXISTS);
        volumes[1] = (char *)(uintptr_t) "alpha/one";
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        /* And the creation is free at once. */
        memset(&answer, 0, sizeof(answer));
        ck_assert_int_eq(run_script(), S_OK);
}
END_TEST

START_TEST(another_creation_is_under_way) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);

        memset(&answer, 0, sizeof(answer));
        (void)begin();
        ck_assert_int_eq(wait_for_answer(), VSS_E_SNAPSHOT_SET_IN_PROGRESS);
        session_free(s);
}
END_TEST

START_TEST(storage_that_fails) {
        fake.fail = "beta:finish";
        fake.fail_hr = VSS_E_INSUFFICIENT_STORAGE;
        ck_assert_int_eq(run_script(), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_str_eq(answer.message, "beta:finish fails for ");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

static const char *const held[] = { "open", "alpha:stage", "sync", "finish", "mount-seal" };

START_TEST(a_caller_that_goes_is_not_answered) {
        struct script_run *run = begin();

        fake.hold = held[_i];
        host_turn_until_holding();
        script_cancel(run);
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(answer.n, 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!session_manager_set_in_progress(host.manager));
}
END_TEST

START_TEST(a_caller_that_goes_at_once) {
        script_cancel(begin());
        host_settle();
        ck_assert_uint_eq(answer.n, 0);
        ck_assert_str_eq(host.journal.text, "");
}
END_TEST

START_TEST(a_caller_that_goes_while_a_writer_thinks) {
        struct script_run *run;

        host.front.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        run = begin();
        while (!host.front.held)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        script_cancel(run);
        host_settle();
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:Abort"));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(an_expired_set_goes_by_itself) {
        /* Also one whose time has passed before it was there: it is shown before it goes. */
        options.expire_unix = (uint64_t)(now_realtime_nsec() / 1000000000) + 2 * (uint64_t)_i;
        ck_assert_int_eq(run_script(), S_OK);
        while (fake_count_snapshots(host.store) > 0) /* a second or two */
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(fake_storage_count("host:unmount("), 2);
        host_settle();
        ck_assert_uint_eq(host.removed, 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("script");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, setup, host_teardown);
        tcase_add_test(tc, the_whole_sequence);
        tcase_add_test(tc, without_writers);
        tcase_add_test(tc, what_is_refused_at_once);
        tcase_add_loop_test(tc, excluded_writers_hear_nothing, 0, 2);
        tcase_add_loop_test(tc, a_required_writers_veto_fails_the_set, 0, ARRAY_SIZE(vetoed));
        tcase_add_test(tc, a_veto_that_is_not_required);
        tcase_add_test(tc, a_volume_that_cannot_be_copied);
        tcase_add_test(tc, another_creation_is_under_way);
        tcase_add_test(tc, storage_that_fails);
        tcase_add_loop_test(tc, a_caller_that_goes_is_not_answered, 0, ARRAY_SIZE(held));
        tcase_add_test(tc, a_caller_that_goes_at_once);
        tcase_add_test(tc, a_caller_that_goes_while_a_writer_thinks);
        tcase_add_loop_test(tc, an_expired_set_goes_by_itself, 0, 2);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
