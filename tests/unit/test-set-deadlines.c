/* What a set's creation may take: the flush, and from the first Freeze to the last Thaw; over fake
 * storage and scripted writers. */

#include "daemon/coordinator/flush.h"
#include "tests/unit/fake-creation.h"

#include <fcntl.h>

/* The deadline is real time: one that has passed when it is set. */
static void start_with_freeze(uint64_t freeze_usec) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .set_id = { .Data1 = 2 },
                .context = VSS_CTX_APP_ROLLBACK,
                .volumes = volumes,
                .n_volumes = n_volumes,
                .participants = participants,
                .freeze_usec = freeze_usec,
                .flush_usec = 120 * USEC_PER_SEC,
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
        };

        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, on_progress, on_done, NULL), 0);
}

START_TEST(the_freeze_deadline_in_a_round_names_the_late) {
        static const enum writer_event_type events[] = { WRITER_EVENT_FREEZE, WRITER_EVENT_THAW };

        prepare_writers();
        back.answers[events[_i]] = FAKE_HOLD;
        start_with_freeze(USEC_PER_SEC);
        turn_until(&is_done);
        ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_msg(strstr(done.message, events[_i] == WRITER_EVENT_FREEZE
                                                   ? "writer back did not freeze within"
                                                   : "writer back did not thaw within"),
                      "%s", done.message);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_flush_that_does_not_end_leaves_time_to_thaw) {
        prepare_writers();
        fake.hold = "sync";
        fake.hold_after = 4;
        start_with_freeze(USEC_PER_SEC);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_FLUSH_WRITES_TIMEOUT);
        check_told("front");
        check_told("back");
        check_nothing_left();
        /* In their own time, as far as the deadline goes. */
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort"));
        fake_storage_go();
}
END_TEST

START_TEST(frozen_beyond_the_deadline_is_late_whoever_answered) {
        uint64_t begin;

        prepare_writers();
        back.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        start_with_freeze(300 * USEC_PER_MSEC);
        while (!back.held)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        /* The answer and the deadline lie before the loop together. */
        for (begin = now_monotonic_usec(); now_monotonic_usec() < begin + 301 * USEC_PER_MSEC;)
                ;
        fake_writer_answer(&back, FAKE_OK);
        turn_until(&is_done);
        ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_msg(strstr(done.message, "was frozen for its limit"), "%s", done.message);
        ck_assert_uint_eq(fake_storage_count("finish"), 0);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

/* A limit counts from the writer's own Freeze: others may take longer before it (0), and not while
 * it is frozen (1). */
START_TEST(a_freeze_counts_from_the_writers_own) {
        struct writer_identity id = { .class_id = { .Data1 = 9 },
                                      .name = (char *)(uintptr_t) "hasty",
                                      .usage = VSS_UT_USERDATA,
                                      .level = _i == 0 ? VSS_APP_BACK_END : VSS_APP_FRONT_END,
                                      .freeze_timeout_ms = 1500 };
        struct fake_writer hasty = { .name = "hasty", .event = event, .journal = &journal };
        struct fake_writer *slow = _i == 0 ? &front : &back;
        uint64_t begin = now_monotonic_usec();

        ck_assert_int_eq(
                writer_registry_add(registry, &hasty.writer, &id, &fake_transport, &hasty, NULL),
                0);
        prepare_writers();
        slow->answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        start_with_freeze(60 * USEC_PER_SEC);
        while (_i == 0 && now_monotonic_usec() < begin + 2 * USEC_PER_SEC)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        ck_assert(!is_done);
        if (_i == 0)
                fake_writer_answer(slow, FAKE_OK);
        turn_until(&is_done);
        if (_i == 0)
                ck_assert_int_eq(done.r, 0);
        else {
                ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
                ck_assert_msg(strstr(done.message, "hasty was frozen for its limit of 1.5 s"), "%s",
                              done.message);
                ck_assert_uint_lt(now_monotonic_usec() - begin, 30 * USEC_PER_SEC);
                check_nothing_left();
        }
        participants = participants_free(participants);
        fake_writer_gone(&hasty);
}
END_TEST

static pthread_barrier_t sync_barrier;
static int slow_sync(int fd _unused_) {
        (void)pthread_barrier_wait(&sync_barrier);
        return 0;
}
static unsigned n_synced;
static int counting_sync(int fd _unused_) {
        __atomic_add_fetch(&n_synced, 1, __ATOMIC_SEQ_CST);
        errno = EIO;
        return -1;
}

START_TEST(flushing_is_parallel_bounded_and_forgiving) {
        struct flush_volume v[3] = { { .fd = STDERR_FILENO, .name = "/a/" },
                                     { .fd = -1, .name = "raw" },
                                     { .fd = STDERR_FILENO, .name = "/b/" } };
        struct flush_volume other = { .name = "/other/" };
        struct vss_error error = { 0 };

        /* Both meet at the barrier: one after the other they never would. */
        (void)pthread_barrier_init(&sync_barrier, NULL, 2);
        ck_assert_int_eq(flush_volumes(v, 3, 2, 60 * USEC_PER_SEC, slow_sync, NULL), 0);
        /* A write error is the volume's, and older than the copy. */
        ck_assert_int_eq(flush_volumes(v, 3, 2, 60 * USEC_PER_SEC, counting_sync, NULL), 0);
        ck_assert_uint_eq(n_synced, 4);
        /* One alone waits for ever; the wait does not. */
        ck_assert_int_lt(flush_volumes(v, 1, 1, 10 * USEC_PER_MSEC, slow_sync, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_FLUSH_WRITES_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(error.message, "/a/"));
        vss_error_done(&error);
        /* As long as it hangs there is no second one, of that file system. */
        n_synced = 0;
        ck_assert_int_lt(flush_volumes(v, 1, 1, 10 * USEC_PER_MSEC, counting_sync, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_FLUSH_WRITES_TIMEOUT);
        vss_error_done(&error);
        other.fd = open("/proc", O_PATH | O_CLOEXEC);
        ck_assert_int_ge(other.fd, 0);
        ck_assert_int_eq(flush_volumes(&other, 1, 1, 60 * USEC_PER_SEC, counting_sync, NULL), 0);
        ck_assert_uint_eq(n_synced, 1);
        close(other.fd);
        (void)pthread_barrier_wait(&sync_barrier); /* lets the thread go */
        ck_assert_int_eq(flush_volumes(v, 1, 1, 60 * USEC_PER_SEC, counting_sync, NULL), 0);
        ck_assert_uint_eq(n_synced, 2);
        ck_assert_int_eq(flush_volumes(NULL, 0, 2, USEC_PER_SEC, slow_sync, NULL), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("set-deadlines");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, the_freeze_deadline_in_a_round_names_the_late, 0, 2);
        tcase_add_test(tc, a_flush_that_does_not_end_leaves_time_to_thaw);
        tcase_add_test(tc, frozen_beyond_the_deadline_is_late_whoever_answered);
        tcase_add_loop_test(tc, a_freeze_counts_from_the_writers_own, 0, 2);
        tcase_add_test(tc, flushing_is_parallel_bounded_and_forgiving);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
