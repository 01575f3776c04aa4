/* A set's creation over fake storage and scripted writers: the order of the steps, a failure and a
 * cancel in each of them, and what is left afterwards: nothing. */

#include "tests/unit/fake-creation.h"

#include <fcntl.h>

START_TEST(a_set_goes_through_its_phases) {
        create(true);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "PrepareSnapshot Stage Freeze Flush Window Thaw Finish "
                                      "PostSnapshot Seal Commit ");
        ck_assert_str_eq(
                journal.text,
                "front:PrepareSnapshot back:PrepareSnapshot front:Freeze back:Freeze back:Thaw "
                "front:Thaw front:PostSnapshot back:PostSnapshot ");
        ck_assert_str_eq(fake.journal,
                         /* each provider has its volumes in one piece */
                         "host:sync() host:sync() "
                         "alpha:stage(/alpha/one/,/dev/alpha/raw) beta:stage(/beta/two/) "
                         "alpha:rows() beta:rows() "
                         /* once more with nobody frozen, twice before the window */
                         "host:sync() host:sync() host:sync() host:sync() host:sync() host:sync() "
                         "alpha:finish() beta:finish() "
                         /* raw volumes are not mounted; the others writable until PostSnapshot */
                         "host:mount-rw(/alpha/one/) host:mount-rw(/beta/two/) "
                         "host:mount-seal(/alpha/one/) host:mount-seal(/beta/two/) "
                         "alpha:seal() beta:seal() alpha:release() beta:release() ");
        ck_assert_uint_eq(fake_count_snapshots(store), 3);
        ck_assert_uint_eq(fake_count_intents(store), 0);
        /* In the order of the request, though alpha had two of them. */
        ck_assert_str_eq(done.devices,
                         "/run/vss/ShadowCopy1 /run/vss/ShadowCopy2 /dev/vss/ShadowCopy3 ");
        ck_assert_str_eq(front.volumes, "/alpha/one/ /beta/two/ /dev/alpha/raw ");
        ck_assert_str_eq(front.devices, done.devices);
        ck_assert_uint_eq(front.set_id.Data1, 2);
}
END_TEST

START_TEST(the_record_says_what_the_copy_is) {
        struct snapshot_record *records;
        struct set_record set;
        size_t n;

        create(true);
        ck_assert_str_eq(done.first.volume, "/alpha/one/");
        ck_assert_str_eq(done.first.display, "alpha/one");
        ck_assert_str_eq(done.first.device, "/dev/vss/ShadowCopy1");
        ck_assert_str_eq(done.first.device_object, "/run/vss/ShadowCopy1");
        ck_assert_str_eq(done.first.provider, "alpha");
        ck_assert_str_eq(done.first.origin_uuid, "uuid-alpha/one");
        ck_assert_str_eq(done.first.consistency, "application");
        ck_assert_int_eq(store_set_get(store, done.first.set_id, &set, NULL), 0);
        ck_assert_ptr_eq(strstr(set.timeline, "PrepareSnapshot "), set.timeline);
        ck_assert_ptr_nonnull(strstr(set.timeline, ";Window "));
        ck_assert_ptr_nonnull(strstr(set.timeline, ";PostSnapshot "));
        set_record_done(&set);
        ck_assert_int_eq(done.first.state, VSS_SS_CREATED);
        ck_assert_int_eq(done.first.count, 3);
        ck_assert_int_eq(done.first.context, VSS_CTX_APP_ROLLBACK);
        ck_assert_int_eq(done.first.attributes, VSS_CTX_APP_ROLLBACK |
                                                        VSS_VOLSNAP_ATTR_NOT_SURFACED |
                                                        VSS_VOLSNAP_ATTR_DIFFERENTIAL);
        ck_assert_int_gt(done.first.created, VSS_TIMESTAMP_UNIX_EPOCH);
        ck_assert(!str_empty(done.first.service_machine));
        ck_assert_int_eq(store_snapshot_list(store, done.first.set_id, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(records[i].created, done.first.created); /* one instant */
                ck_assert_uint_eq(records[i].number, i + 1);
        }
        ck_assert_ptr_null(records[2].fs_type);
        snapshot_records_free(records, n);
}
END_TEST

/* Each volume is as consistent as those are whose files it has. */
START_TEST(consistency_follows_whose_files_are_where) {
        struct snapshot_record *records;
        size_t n;

        front.metadata = FAKE_METADATA("<FILE_LIST path=\"/alpha/one\" filespec=\"*\"/>");
        back.metadata = FAKE_METADATA("<FILE_LIST path=\"/beta/two\" filespec=\"*\"/>");
        prepare_writers();
        back.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
                const char *writers = str_or_empty(records[i].writers);

                if (streq(records[i].volume, "/alpha/one/")) {
                        ck_assert_str_eq(records[i].consistency, "application");
                        ck_assert_ptr_nonnull(strstr(writers, " 0x00000000 front"));
                        ck_assert_ptr_null(strstr(writers, "back"));
                } else if (streq(records[i].volume, "/beta/two/")) {
                        ck_assert_str_eq(records[i].consistency, "file-system");
                        ck_assert_ptr_nonnull(strstr(writers, " 0x800423f3 back"));
                        ck_assert_ptr_null(strstr(writers, "front"));
                } else {
                        ck_assert_str_eq(records[i].consistency, "crash");
                        ck_assert_str_eq(writers, "");
                }
        }
        snapshot_records_free(records, n);
}
END_TEST

START_TEST(without_writers_there_are_no_events) {
        struct snapshot_record *records;
        size_t n;

        create(false);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "Stage Flush Window Finish Seal Commit ");
        ck_assert_str_eq(journal.text, "");
        ck_assert_ptr_null(strstr(fake.journal, "mount-rw"));
        ck_assert_str_eq(done.first.consistency, "file-system");
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_str_eq(records[2].consistency, "crash"); /* raw */
        snapshot_records_free(records, n);
}
END_TEST

START_TEST(an_empty_set_with_writers_is_legal) {
        for (size_t i = 0; i < n_volumes; i++)
                volumes[i].volume = volume_free(volumes[i].volume);
        n_volumes = 0;
        create(true);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "PrepareSnapshot Freeze Thaw PostSnapshot ");
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(done.n_snapshots, 0);
}
END_TEST

START_TEST(no_autorecovery_means_read_only_at_once) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .context = VSS_CTX_APP_ROLLBACK | VSS_VOLSNAP_ATTR_NO_AUTORECOVERY,
                .volumes = volumes,
                .n_volumes = 1,
                .freeze_usec = 60 * USEC_PER_SEC,
                .flush_usec = 120 * USEC_PER_SEC,
                .hold_usec = USEC_PER_SEC,
                .prepare_snapshot_usec = USEC_PER_SEC,
                .post_snapshot_usec = USEC_PER_SEC,
                .event_usec = USEC_PER_SEC,
        };

        prepare_writers();
        request.participants = participants;
        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, NULL, on_done, NULL), 0);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_ptr_nonnull(strstr(fake.journal, "host:mount(/alpha/one/)"));
}
END_TEST

START_TEST(a_writers_veto_outside_freeze_is_recorded_only) {
        prepare_writers();
        front.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_VETO;
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.first.consistency, "file-system");
        ck_assert(participants_any_failed(participants, NULL));
}
END_TEST

/* Every storage step once: it fails, and nothing is left. */
static const struct {
        const char *step;
        const char *staged; /* the providers that have to put back */
        bool told;          /* writers get Abort (not after PostSnapshot) */
} storage_failures[] = {
        { "alpha:stage", "", true },          { "beta:stage", "alpha", true },
        { "alpha:rows", "alpha beta", true }, { "beta:rows", "alpha beta", true },
        { "finish", "alpha beta", true },     { "beta:finish", "alpha beta", true },
        { "mount-rw", "alpha beta", true },   { "mount-seal", "alpha beta", false },
        { "seal", "alpha beta", false },      { "beta:seal", "alpha beta", false },
};

START_TEST(a_storage_failure_takes_everything_back) {
        const char *staged = storage_failures[_i].staged;

        prepare_writers();
        fake.fail = storage_failures[_i].step;
        fake.fail_hr = VSS_E_INSUFFICIENT_STORAGE;
        start(true);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_uint_eq(fake_storage_count("alpha:abort"), strstr(staged, "alpha") != NULL);
        ck_assert_uint_eq(fake_storage_count("beta:abort"), strstr(staged, "beta") != NULL);
        ck_assert_int_eq(strstr(journal.text, "front:Abort") != NULL, storage_failures[_i].told);
        ck_assert_int_eq(strstr(journal.text, "back:Abort") != NULL, storage_failures[_i].told);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_storage_failure_without_writers) {
        fake.fail = storage_failures[_i].step;
        if (streq(fake.fail, "mount-rw"))
                fake.fail = "mount";
        create(false);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_PROVIDER_VETO);
        check_nothing_left();
}
END_TEST

START_TEST(a_mounted_copy_is_unmounted_on_the_way_back) {
        prepare_writers();
        fake.fail = "beta:seal";
        start(true);
        turn_until(&is_done);
        ck_assert_uint_eq(fake_storage_count("host:unmount-force(/alpha/one/)"), 1);
        ck_assert_uint_eq(fake_storage_count("host:unmount-force(/beta/two/)"), 1);
        check_nothing_left();
}
END_TEST

START_TEST(a_provider_that_breaks_its_contract_is_unexpected) {
        fake.fail = "alpha:finish";
        fake.fail_hr = VSS_E_HOLD_WRITES_TIMEOUT; /* not a provider's to answer */
        create(false);
        ck_assert_int_eq(done.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_ptr_nonnull(strstr(done.message, "provider alpha: alpha:finish fails"));
        check_nothing_left();
}
END_TEST

START_TEST(an_intent_stays_where_a_provider_cannot_put_back) {
        struct intent_record *intents;
        size_t n;

        /* Stage succeeds everywhere; finish fails, and then alpha's abort. */
        fake.fail = "alpha:rows";
        prepare_writers();
        start(true);
        turn_until(&is_done);
        check_nothing_left();

        done.n = 0;
        fake.fail = "alpha:abort";
        cancel_at = "Finish";
        fake.journal[0] = '\0';
        participants = participants_free(participants);
        prepare_writers();
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(intents[0].provider, "alpha");
        intent_records_free(intents, n);
        ck_assert_uint_eq(fake.n_sets, 0);
}
END_TEST

static const struct {
        enum writer_event_type event;
        enum fake_answer answer;
        HRESULT hr;
        const char *says;
} writer_failures[] = {
        { WRITER_EVENT_FREEZE, FAKE_VETO, VSS_E_WRITERERROR_RETRYABLE,
          "writer front failed to freeze: the application is busy" },
        { WRITER_EVENT_FREEZE, FAKE_VETO_BARE, VSS_E_WRITERERROR_NONRETRYABLE,
          "writer front failed to freeze" },
        { WRITER_EVENT_FREEZE, FAKE_LATE, VSS_E_WRITERERROR_TIMEOUT,
          "writer front did not freeze within" },
        { WRITER_EVENT_FREEZE, FAKE_LOST, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
        { WRITER_EVENT_FREEZE, FAKE_VANISH, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
        { WRITER_EVENT_THAW, FAKE_VETO, VSS_E_WRITERERROR_RETRYABLE,
          "writer front failed to thaw: the application is busy" },
        { WRITER_EVENT_THAW, FAKE_LATE, VSS_E_WRITERERROR_TIMEOUT,
          "writer front did not thaw within" },
        { WRITER_EVENT_THAW, FAKE_VANISH, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
};

START_TEST(a_failed_freeze_or_thaw_takes_the_set) {
        prepare_writers();
        front.answers[writer_failures[_i].event] = writer_failures[_i].answer;
        start(true);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, writer_failures[_i].hr);
        ck_assert_msg(strstr(done.message, writer_failures[_i].says), "%s", done.message);
        ck_assert_ptr_nonnull(strstr(journal.text, "back:Abort"));
        if (writer_failures[_i].answer != FAKE_VANISH)
                check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

/* The first sync with frozen writers: before it, staging has synced both mounted volumes twice. */
static void start_and_hold_frozen(void) {
        prepare_writers();
        fake.hold = "sync";
        fake.hold_after = 4;
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        ck_assert(participants_any_frozen(participants));
}

START_TEST(a_frozen_writer_that_vanishes_takes_the_set) {
        start_and_hold_frozen();
        fake_writer_gone(&back);
        /* The others are told at once, whatever storage is doing. */
        fake_turn(event);
        ck_assert(!participants_any_frozen(participants));
        ck_assert(!is_done);
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_WRITER_NOT_RESPONDING);
        ck_assert_str_eq(done.message, "writer back went away in the middle of the backup");
        check_told("front");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_with_frozen_writers_thaws_at_once) {
        start_and_hold_frozen();
        coordinator_cancel(coordinator);
        fake_turn(event);
        ck_assert(!participants_any_frozen(participants));
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        check_nothing_left();
}
END_TEST

/* stderr is a pipe that is full, until `told` has been sent to the writers. */
static struct {
        const char *told;
        int read_end, real_stderr;
        pthread_t reader;
} stuck;

static void *read_when_told(void *userdata _unused_) {
        const struct timespec pause = { .tv_nsec = 1000 * 1000 };
        char text[4096];

        while (!strstr(journal.text, stuck.told))
                (void)nanosleep(&pause, NULL);
        while (read(stuck.read_end, text, sizeof(text)) > 0)
                ;
        return NULL;
}

static void log_gets_stuck(const char *told) {
        static const char noise[4096];
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        while (write(fds[1], noise, sizeof(noise)) > 0)
                ;
        ck_assert_int_eq(errno, EAGAIN);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) /* from here on they block */
                ck_assert_int_eq(fcntl(fds[i], F_SETFL, 0), 0);
        stuck.told = told;
        stuck.read_end = fds[0];
        stuck.real_stderr = dup(STDERR_FILENO);
        ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
        ck_assert_int_eq(close(fds[1]), 0);
        ck_assert_int_eq(pthread_create(&stuck.reader, NULL, read_when_told, NULL), 0);
}

static void log_goes_on(void) {
        ck_assert_int_ge(dup2(stuck.real_stderr, STDERR_FILENO), 0);
        ck_assert_int_eq(close(stuck.real_stderr), 0);
        ck_assert_int_eq(pthread_join(stuck.reader, NULL), 0);
        ck_assert_int_eq(close(stuck.read_end), 0);
}

/* Whoever reads the log may wait for a volume of the set: there is something to be said in each of
 * these, and it is said when the writers have been told. */
START_TEST(a_stuck_log_keeps_nobody_frozen) {
        bool fails = _i == 1;

        start_and_hold_frozen();
        log_gets_stuck(fails ? "front:Abort" : "front:Thaw");
        fake.fail = "sync"; /* a warning, from a thread of the flush */
        if (fails)
                fake_writer_gone(&back); /* an error, from the loop */
        fake_storage_go();
        turn_until(&is_done);
        log_goes_on();
        ck_assert_int_eq(done.r < 0, fails);
        check_told("front");
        if (fails)
                check_nothing_left();
}
END_TEST

static const char *const phases[] = { "PrepareSnapshot", "Stage",        "Freeze", "Window", "Thaw",
                                      "Finish",          "PostSnapshot", "Seal" };

START_TEST(a_cancel_in_any_phase_takes_everything_back) {
        cancel_at = phases[_i];
        create(true);
        /* The progress comes before the phase begins: the cancel is in time in all of them. */
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_int_eq(done.hr, S_OK);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_without_writers) {
        cancel_at = phases[_i];
        create(false);
        if (strstr("Stage Window Finish Seal", phases[_i])) {
                ck_assert_int_eq(done.r, -ECANCELED);
                check_nothing_left();
        } else
                ck_assert_int_eq(done.r, 0); /* no such phase */
}
END_TEST

START_TEST(a_cancel_before_the_first_turn) {
        prepare_writers();
        start(true);
        coordinator_cancel(coordinator);
        ck_assert_uint_eq(done.n, 0); /* never from inside the call */
        coordinator_cancel(coordinator);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_str_eq(fake.journal, "");
        check_nothing_left();
}
END_TEST

static const char *const held_steps[] = {
        "alpha:stage",  "beta:stage", "alpha:rows", "sync",
        "alpha:finish", "mount-rw",   "mount-seal", "alpha:seal"
};

START_TEST(a_cancel_inside_a_storage_step_waits_for_it) {
        prepare_writers();
        fake.hold = held_steps[_i];
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        fake_turn(event);
        ck_assert(!is_done); /* the step is not to be pulled away from under the worker */
        ck_assert(!participants_any_frozen(participants)); /* but nobody waits for it frozen */
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_after_the_commit_is_too_late) {
        prepare_writers();
        fake.hold = "alpha:release"; /* the first thing after the commit */
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_uint_eq(fake_count_snapshots(store), 3);
        ck_assert_uint_eq(fake_storage_count("abort"), 0);
}
END_TEST

START_TEST(a_cancel_while_a_writer_thinks) {
        static const enum writer_event_type events[] = { WRITER_EVENT_PREPARE_SNAPSHOT,
                                                         WRITER_EVENT_FREEZE, WRITER_EVENT_THAW,
                                                         WRITER_EVENT_POST_SNAPSHOT };

        prepare_writers();
        front.answers[events[_i]] = FAKE_HOLD;
        start(true);
        while (!front.held)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        ck_assert_ptr_null(front.held); /* nobody listens any more */
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort"));
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("coordinator");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_set_goes_through_its_phases);
        tcase_add_test(tc, the_record_says_what_the_copy_is);
        tcase_add_test(tc, consistency_follows_whose_files_are_where);
        tcase_add_test(tc, without_writers_there_are_no_events);
        tcase_add_test(tc, an_empty_set_with_writers_is_legal);
        tcase_add_test(tc, no_autorecovery_means_read_only_at_once);
        tcase_add_test(tc, a_writers_veto_outside_freeze_is_recorded_only);
        tcase_add_loop_test(tc, a_storage_failure_takes_everything_back, 0,
                            ARRAY_SIZE(storage_failures));
        tcase_add_loop_test(tc, a_storage_failure_without_writers, 0, ARRAY_SIZE(storage_failures));
        tcase_add_test(tc, a_mounted_copy_is_unmounted_on_the_way_back);
        tcase_add_test(tc, a_provider_that_breaks_its_contract_is_unexpected);
        tcase_add_test(tc, an_intent_stays_where_a_provider_cannot_put_back);
        tcase_add_loop_test(tc, a_failed_freeze_or_thaw_takes_the_set, 0,
                            ARRAY_SIZE(writer_failures));
        tcase_add_test(tc, a_frozen_writer_that_vanishes_takes_the_set);
        tcase_add_loop_test(tc, a_stuck_log_keeps_nobody_frozen, 0, 2);
        tcase_add_loop_test(tc, a_cancel_in_any_phase_takes_everything_back, 0, ARRAY_SIZE(phases));
        tcase_add_loop_test(tc, a_cancel_without_writers, 0, ARRAY_SIZE(phases));
        tcase_add_test(tc, a_cancel_before_the_first_turn);
        tcase_add_loop_test(tc, a_cancel_inside_a_storage_step_waits_for_it, 0,
                            ARRAY_SIZE(held_steps));
        tcase_add_test(tc, a_cancel_after_the_commit_is_too_late);
        tcase_add_loop_test(tc, a_cancel_while_a_writer_thinks, 0, 4);
        tcase_add_test(tc, a_cancel_with_frozen_writers_thaws_at_once);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
