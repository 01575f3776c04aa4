/* Writers, participants and rounds over a scripted transport: who is asked, in which order, what
 * each answer, late answer and vanished writer does to it and to the set. */

#include "tests/unit/fake-participants.h"

START_TEST(an_ordinary_backup) {
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_uint_eq(participants_count(participants), 3);
        ck_assert_str_eq(document_text(info_of("front").metadata), FAKE_METADATA(""));
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(ended.asked, 3);
        run(WRITER_EVENT_FREEZE);
        ck_assert_str_eq(journal.text, "front:Freeze back:Freeze sys:Freeze ");
        ck_assert(participants_any_frozen(participants));
        ck_state(sys, VSS_WS_WAITING_FOR_THAW, S_OK);
        ck_assert_int_eq(writer_state(sys.writer), VSS_WS_WAITING_FOR_THAW);
        run(WRITER_EVENT_THAW);
        ck_assert_str_eq(journal.text, "sys:Thaw back:Thaw front:Thaw ");
        ck_assert(!participants_any_frozen(participants));
        run(WRITER_EVENT_POST_SNAPSHOT);
        ck_state(front, VSS_WS_WAITING_FOR_BACKUP_COMPLETE, S_OK);
        run(WRITER_EVENT_ABORT); /* nobody whose PostSnapshot was delivered */
        ck_assert_uint_eq(ended.asked, 0);
        run(WRITER_EVENT_BACKUP_COMPLETE);
        ck_state(front, VSS_WS_STABLE, S_OK);
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        ck_assert_uint_eq(ended.failed, 0);
}
END_TEST

START_TEST(levels_wait_for_each_other) {
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        back.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        (void)begin(WRITER_EVENT_FREEZE);
        fake_turn(event);
        ck_assert_str_eq(journal.text, "front:Freeze back:Freeze ");
        fake_writer_answer(&back, FAKE_OK);
        fake_turn(event);
        ck_assert_str_eq(journal.text, "front:Freeze back:Freeze sys:Freeze ");
        ck_assert_uint_eq(ended.failed, 0);
}
END_TEST

START_TEST(inside_a_level_writers_are_asked_in_parallel) {
        struct fake_writer second = { 0 };

        fake_writer_register(&second, registry, event, &journal, "second", VSS_APP_FRONT_END);
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        front.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        second.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        (void)begin(WRITER_EVENT_FREEZE);
        fake_turn(event);
        ck_assert_str_eq(journal.text, "front:Freeze second:Freeze ");
        fake_writer_answer(&second, FAKE_OK);
        fake_turn(event);
        ck_assert_str_eq(journal.text, "front:Freeze second:Freeze ");
        fake_writer_answer(&front, FAKE_OK);
        fake_turn(event);
        ck_assert_uint_eq(ended.asked, 4);
        fake_writer_gone(&second);
}
END_TEST

START_TEST(a_freeze_veto_ends_the_round_at_its_level) {
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        back.answers[WRITER_EVENT_FREEZE] = FAKE_VETO;
        run(WRITER_EVENT_FREEZE);
        ck_assert_str_eq(journal.text, "front:Freeze back:Freeze ");
        ck_assert(ended.fatal);
        ck_assert_int_eq(ended.hr, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_str_eq(ended.message, "writer back failed to freeze: the application is busy");
        ck_assert_int_eq(info_of("back").application, 77);

        /* Everybody is told, also those that were not asked to freeze, and the culprit. */
        ck_assert(participants_any_frozen(participants));
        run(WRITER_EVENT_ABORT);
        ck_assert_str_eq(journal.text, "sys:Abort front:Abort back:Abort ");
        ck_assert(!participants_any_frozen(participants));
        ck_state(front, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
        ck_state(sys, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
        ck_state(back, VSS_WS_FAILED_AT_FREEZE, VSS_E_WRITERERROR_RETRYABLE);
}
END_TEST

START_TEST(a_freeze_that_is_late_lost_or_unsendable_is_fatal) {
        static const struct {
                enum fake_answer answer;
                HRESULT hr;
                VSS_WRITER_STATE state;
                const char *says;
        } cases[] = {
                { FAKE_VETO_BARE, VSS_E_WRITERERROR_NONRETRYABLE, VSS_WS_FAILED_AT_FREEZE,
                  "writer front failed to freeze: VSS_E_WRITERERROR_NONRETRYABLE" },
                { FAKE_LATE, VSS_E_WRITERERROR_TIMEOUT, VSS_WS_FAILED_AT_FREEZE,
                  "writer front did not freeze within" },
                { FAKE_LOST, VSS_E_WRITER_NOT_RESPONDING, VSS_WS_FAILED_AT_FREEZE,
                  "writer front gave no answer when asked to freeze" },
                { FAKE_UNSENDABLE, VSS_E_WRITER_NOT_RESPONDING, VSS_WS_FAILED_AT_FREEZE,
                  "writer front gave no answer when asked to freeze" },
                { FAKE_VANISH, VSS_E_WRITER_NOT_RESPONDING, VSS_WS_UNKNOWN,
                  "writer front gave no answer when asked to freeze" },
        };

        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        front.answers[WRITER_EVENT_FREEZE] = cases[_i].answer;
        run(WRITER_EVENT_FREEZE);
        ck_assert(ended.fatal);
        ck_assert_int_eq(ended.hr, cases[_i].hr);
        ck_assert_ptr_nonnull(strstr(ended.message, cases[_i].says));
        ck_state(front, cases[_i].state, cases[_i].hr);
        ck_assert_str_eq(journal.text, "front:Freeze ");
        run(WRITER_EVENT_ABORT);
        ck_assert_ptr_nonnull(strstr(journal.text, "back:Abort "));
        ck_assert_ptr_nonnull(strstr(journal.text, "sys:Abort "));
        ck_assert_int_eq(strstr(journal.text, "front:Abort ") != NULL,
                         cases[_i].answer != FAKE_VANISH);
}
END_TEST

START_TEST(a_thaw_reaches_every_level_whatever_fails) {
        run_to(WRITER_EVENT_FREEZE);
        sys.answers[WRITER_EVENT_THAW] = FAKE_VETO;
        run(WRITER_EVENT_THAW);
        ck_assert_str_eq(journal.text, "sys:Thaw back:Thaw front:Thaw ");
        ck_assert(ended.fatal);
        ck_assert_str_eq(ended.message, "writer sys failed to thaw: the application is busy");
        ck_state(sys, VSS_WS_FAILED_AT_THAW, VSS_E_WRITERERROR_RETRYABLE);
        run(WRITER_EVENT_ABORT);
        ck_state(front, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
}
END_TEST

START_TEST(failures_outside_freeze_and_thaw_are_recorded_only) {
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        front.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_VETO;
        back.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_TRUE_CODE;
        sys.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_LATE;
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(ended.failed, 2);
        ck_assert(!ended.fatal);
        run(WRITER_EVENT_FREEZE); /* front is out, back goes on */
        ck_assert_str_eq(journal.text, "back:Freeze sys:Freeze ");
        run(WRITER_EVENT_THAW);
        run(WRITER_EVENT_POST_SNAPSHOT);
        ck_assert(!ended.fatal);
        ck_state(front, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT, VSS_E_WRITERERROR_RETRYABLE);
        ck_state(back, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT, VSS_E_WRITERERROR_OUTOFRESOURCES);
        ck_state(sys, VSS_WS_FAILED_AT_POST_SNAPSHOT, VSS_E_WRITER_NOT_RESPONDING);
        run(WRITER_EVENT_BACKUP_COMPLETE); /* less those that failed fatally */
        ck_assert_str_eq(journal.text, "back:BackupComplete ");
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        ck_assert_uint_eq(ended.asked, 3);
}
END_TEST

START_TEST(who_fails_identify_is_in_no_list) {
        front.answers[WRITER_EVENT_IDENTIFY] = FAKE_VETO_BARE;
        back.answers[WRITER_EVENT_IDENTIFY] = FAKE_VANISH;
        run(WRITER_EVENT_IDENTIFY);
        ck_assert_uint_eq(ended.asked, 3);
        ck_assert_uint_eq(ended.failed, 2);
        ck_assert_uint_eq(participants_count(participants), 1);
        ck_assert_str_eq(info_of("sys").name, "sys");
        run(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_str_eq(journal.text, "sys:PrepareBackup ");
}
END_TEST

START_TEST(a_writer_that_goes_between_freeze_and_thaw_takes_the_set) {
        participants_set_lost(participants, on_lost, NULL);
        run_to(WRITER_EVENT_FREEZE);
        fake_writer_gone(&back);
        ck_assert_uint_eq(lost.n, 1);
        ck_assert_str_eq(lost.message, "writer back went away in the middle of the backup");
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_NOT_RESPONDING);
        ck_assert(info_of("back").gone);
        run(WRITER_EVENT_ABORT);
        ck_assert_str_eq(journal.text, "sys:Abort front:Abort ");
}
END_TEST

static void abort_on_lost(void *userdata, const struct vss_error *error) {
        on_lost(userdata, error);
        (void)begin(WRITER_EVENT_ABORT); /* ends by itself */
}

START_TEST(a_round_that_a_loss_begins_leaves_out_the_lost_one) {
        participants_set_lost(participants, abort_on_lost, NULL);
        run_to(WRITER_EVENT_FREEZE);
        fake_writer_gone(&back);
        fake_turn(event);
        ck_assert_uint_eq(lost.n, 1);
        ck_assert_str_eq(journal.text, "sys:Abort front:Abort ");
        ck_assert_uint_eq(journal.n_open, 0);
}
END_TEST

START_TEST(a_writer_that_goes_after_post_snapshot_does_not) {
        participants_set_lost(participants, on_lost, NULL);
        run_to(WRITER_EVENT_POST_SNAPSHOT);
        fake_writer_gone(&back);
        ck_assert_uint_eq(lost.n, 0);
        run(WRITER_EVENT_BACKUP_COMPLETE);
        ck_assert_str_eq(journal.text, "sys:BackupComplete front:BackupComplete ");
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_NOT_RESPONDING);
}
END_TEST

START_TEST(a_writer_that_goes_while_its_level_waits_takes_the_set) {
        struct round *round;

        participants_set_lost(participants, on_lost, NULL);
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        front.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        round = begin(WRITER_EVENT_FREEZE);
        fake_turn(event);
        fake_writer_gone(&sys);
        ck_assert_uint_eq(lost.n, 1);
        round_cancel(round);
        ck_assert_uint_eq(journal.n_open, 0);
        run(WRITER_EVENT_ABORT);
        ck_assert_str_eq(journal.text, "front:Abort back:Abort ");
}
END_TEST

START_TEST(a_cancelled_round_never_ends_and_abort_follows) {
        unsigned before;
        struct round *round;

        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        front.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        before = ended.n;
        round = begin(WRITER_EVENT_FREEZE);
        fake_turn(event);
        round_cancel(round);
        fake_turn(event);
        ck_assert_uint_eq(ended.n, before);
        ck_assert(participants_any_frozen(participants)); /* it was asked */
        run(WRITER_EVENT_ABORT);
        ck_assert_str_eq(journal.text, "sys:Abort front:Abort back:Abort ");
        ck_state(front, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
}
END_TEST

START_TEST(an_expired_round_names_who_was_late) {
        struct round *round;

        run_to(WRITER_EVENT_FREEZE);
        back.answers[WRITER_EVENT_THAW] = FAKE_HOLD;
        round = begin(WRITER_EVENT_THAW);
        fake_turn(event);
        round_expire(round);
        fake_turn(event);
        ck_assert(ended.fatal);
        ck_assert_int_eq(ended.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(ended.message, "writer back did not thaw within"));
        ck_assert_str_eq(journal.text, "sys:Thaw back:Thaw ");
        /* Front was not thawed in time: Abort does it. */
        run(WRITER_EVENT_ABORT);
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort "));
        ck_assert(!participants_any_frozen(participants));
        ck_state(back, VSS_WS_FAILED_AT_THAW, VSS_E_WRITERERROR_TIMEOUT);
        ck_state(front, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
}
END_TEST

START_TEST(the_freeze_deadline_finds_whose_limit_is_over) {
        struct vss_error error = { 0 };
        struct writer_identity id = { .class_id = { .Data1 = 9 },
                                      .name = (char *)(uintptr_t) "hasty",
                                      .usage = VSS_UT_USERDATA,
                                      .level = VSS_APP_FRONT_END,
                                      .freeze_timeout_ms = 20000 };
        struct fake_writer hasty = { .name = "hasty", .event = event, .journal = &journal };
        uint64_t begun, all, deadline;

        ck_assert_int_eq(
                writer_registry_add(registry, &hasty.writer, &id, &fake_transport, &hasty, NULL),
                0);
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(participants_freeze_usec(participants, 60 * USEC_PER_SEC),
                          20 * USEC_PER_SEC);
        ck_assert_uint_eq(participants_freeze_usec(participants, 5 * USEC_PER_SEC),
                          5 * USEC_PER_SEC);
        begun = now_monotonic_usec();
        all = begun + 60 * USEC_PER_SEC;
        ck_assert_uint_eq(participants_freeze_deadline(participants, all), all);
        run(WRITER_EVENT_FREEZE);
        deadline = participants_freeze_deadline(participants, all);
        ck_assert_uint_ge(deadline, begun + 20 * USEC_PER_SEC);
        ck_assert_uint_le(deadline, now_monotonic_usec() + 20 * USEC_PER_SEC);
        ck_assert_uint_eq(participants_freeze_deadline(participants, begun + 1), begun + 1);
        ck_assert(!participants_expire(participants, deadline - 1, all, NULL));
        ck_assert(participants_expire(participants, deadline, all, &error));
        ck_assert_int_eq(error.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_ptr_nonnull(
                strstr(error.message, "writer hasty was frozen for its limit of 20.0"));
        ck_state(hasty, VSS_WS_FAILED_AT_FREEZE, VSS_E_WRITERERROR_TIMEOUT);
        ck_state(front, VSS_WS_WAITING_FOR_THAW, S_OK);
        run(WRITER_EVENT_ABORT);
        ck_state(hasty, VSS_WS_FAILED_AT_FREEZE, VSS_E_WRITERERROR_TIMEOUT);
        ck_state(front, VSS_WS_STABLE, VSS_E_WRITERERROR_RETRYABLE);
        vss_error_done(&error);
        fake_writer_gone(&hasty);
}
END_TEST

START_TEST(who_was_late_is_told_the_end_and_not_waited_for) {
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        back.answers[WRITER_EVENT_FREEZE] = FAKE_LATE;
        run(WRITER_EVENT_FREEZE);
        ck_assert(ended.fatal);
        back.answers[WRITER_EVENT_ABORT] = back.answers[WRITER_EVENT_BACKUP_SHUTDOWN] = FAKE_LATE;
        run(WRITER_EVENT_ABORT);
        ck_assert_ptr_nonnull(strstr(journal.text, "back:Abort "));
        ck_assert_uint_eq(back.timeout_usec, 1);
        ck_assert_uint_gt(front.timeout_usec, USEC_PER_SEC);
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        ck_assert_uint_eq(back.timeout_usec, 1);
        /* That it is still silent hides nothing of what it failed at. */
        ck_state(back, VSS_WS_FAILED_AT_FREEZE, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_uint_eq(ended.failed, 0);
}
END_TEST

START_TEST(each_writer_has_its_own_freeze_deadline) {
        struct writer_identity id = { .class_id = { .Data1 = 9 },
                                      .name = (char *)(uintptr_t) "hasty",
                                      .usage = VSS_UT_USERDATA,
                                      .level = VSS_APP_SYSTEM_RM, /* asked last */
                                      .freeze_timeout_ms = 20000 };
        struct fake_writer hasty = { .name = "hasty", .event = event, .journal = &journal };

        ck_assert_int_eq(
                writer_registry_add(registry, &hasty.writer, &id, &fake_transport, &hasty, NULL),
                0);
        run_to(WRITER_EVENT_FREEZE);
        ck_assert_str_eq(journal.text, "front:Freeze back:Freeze sys:Freeze hasty:Freeze ");
        ck_assert_uint_eq(journal.last_timeout_usec, 20 * USEC_PER_SEC);
        run(WRITER_EVENT_THAW);
        ck_assert_str_eq(journal.text, "hasty:Thaw sys:Thaw back:Thaw front:Thaw ");
        fake_writer_gone(&hasty);
}
END_TEST

static bool only_back(void *userdata _unused_, const struct participant_info *info) {
        return streq(info->name, "back");
}

START_TEST(component_mode_leaves_the_others_alone) {
        run(WRITER_EVENT_IDENTIFY);
        participants_involve(participants, only_back, NULL);
        ck_assert_uint_eq(participants_involved(participants), 1);
        run(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_str_eq(journal.text, "back:PrepareBackup ");
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        ck_assert_str_eq(journal.text, "back:BackupShutdown ");
        ck_assert_uint_eq(participants_count(participants), 3);
}
END_TEST

START_TEST(shutdown_in_the_middle_of_a_set_aborts_first) {
        run_to(WRITER_EVENT_FREEZE);
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        for (size_t i = 0; i < 3; i++) {
                static const char *const names[] = { "front", "back", "sys" };
                char abort[32], shutdown[32];
                const char *a, *s;

                (void)snprintf(abort, sizeof(abort), "%s:Abort ", names[i]);
                (void)snprintf(shutdown, sizeof(shutdown), "%s:BackupShutdown ", names[i]);
                a = strstr(journal.text, abort);
                s = strstr(journal.text, shutdown);
                ck_assert(a && s && a < s);
        }
        ck_assert(!participants_any_frozen(participants));
}
END_TEST

START_TEST(an_event_out_of_order_is_refused) {
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        run(WRITER_EVENT_THAW);
        ck_assert_str_eq(journal.text, "");
        ck_assert_uint_eq(ended.asked, 0);
        ck_assert_uint_eq(ended.failed, 3);
        ck_assert_int_eq(ended.hr, VSS_E_BAD_STATE);
        ck_assert(!ended.fatal);
}
END_TEST

START_TEST(sets_are_told_by_a_copy) {
        _cleanup_(strv_freep) char **volumes = NULL;
        struct writer_event e = { .type = WRITER_EVENT_FREEZE };
        struct round *round;

        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        front.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        ck_assert_int_eq(strv_append(&volumes, "/srv/"), 0);
        e.volumes = volumes;
        ck_assert_int_eq(participants_send(participants, &e, USEC_PER_SEC, on_done, NULL, &round),
                         0);
        volumes = strv_free(volumes); /* the later levels still hear of it */
        fake_turn(event);
        fake_writer_answer(&front, FAKE_OK);
        fake_turn(event);
        ck_assert_str_eq(sys.volumes, "/srv/ ");
}
END_TEST

START_TEST(freeing_the_participants_ends_their_round) {
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        front.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_HOLD;
        (void)begin(WRITER_EVENT_PREPARE_SNAPSHOT);
        participants = participants_free(participants);
        ck_assert_uint_eq(journal.n_open, 0);
        fake_turn(event);
}
END_TEST

START_TEST(a_later_session_sees_the_latest_state) {
        struct participants *second;

        run_to(WRITER_EVENT_PREPARE_BACKUP);
        front.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_VETO;
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        participants = participants_free(participants);
        /* Others still see what failed... */
        ck_assert_int_eq(writer_state(front.writer), VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
        ck_assert_int_eq(writer_failure(front.writer), VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_str_eq(writer_failure_message(front.writer), "the application is busy");
        ck_assert_int_eq(writer_state(back.writer), VSS_WS_STABLE);
        /* ... until the next session begins. */
        ck_assert_int_eq(participants_new(&second, registry), 0);
        participants = second;
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_int_eq(writer_state(front.writer), VSS_WS_STABLE);
        ck_assert_int_eq(writer_failure(front.writer), S_OK);
}
END_TEST

static struct { unsigned added, removed, state; } changes;

static void on_change(void *userdata _unused_, struct writer *w, enum writer_change change) {
        ck_assert_ptr_nonnull(writer_identity(w)->name);
        switch (change) {
        case WRITER_ADDED: changes.added++; break;
        case WRITER_REMOVED: changes.removed++; break;
        case WRITER_STATE_CHANGED: changes.state++; break;
        }
}

START_TEST(changes_of_state_are_told_together) {
        writer_registry_set_observer(registry, on_change, NULL);
        run_to(WRITER_EVENT_POST_SNAPSHOT); /* five changes of each of the three */
        while (changes.state < 3)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_lt(changes.state, 9);
        ck_assert_int_eq(writer_state(front.writer), VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
        writer_registry_set_observer(registry, NULL, NULL);
}
END_TEST

START_TEST(registration_is_checked) {
        static const struct {
                const char *name;
                VSS_APPLICATION_LEVEL level;
                int usage, source;
                uint32_t class_id;
                HRESULT hr;
                uint32_t subscribe;
        } cases[] = {
                { "", VSS_APP_SYSTEM, 3, 3, 1, E_INVALIDARG, 0 },
                { NULL, VSS_APP_SYSTEM, 3, 3, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_UNKNOWN, 3, 3, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_AUTO, 3, 3, 1, E_INVALIDARG, 0 },
                { "w", (VSS_APPLICATION_LEVEL)5, 3, 3, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_SYSTEM, 0, 3, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_SYSTEM, 5, 3, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_SYSTEM, 3, 4, 1, E_INVALIDARG, 0 },
                { "w", VSS_APP_SYSTEM, 3, 3, 0, E_INVALIDARG, 0 },
                { "w", VSS_APP_SYSTEM, 3, 3, 1, E_INVALIDARG, 0x10 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct writer_identity id = { .class_id = { .Data1 = cases[i].class_id },
                                              .name = (char *)(uintptr_t)cases[i].name,
                                              .level = cases[i].level,
                                              .subscribe = cases[i].subscribe,
                                              .usage = (VSS_USAGE_TYPE)cases[i].usage,
                                              .source = (VSS_SOURCE_TYPE)cases[i].source };
                struct vss_error error = { 0 };
                struct writer *w = NULL;

                ck_assert_int_lt(
                        writer_registry_add(registry, &w, &id, &fake_transport, NULL, &error), 0);
                ck_assert_int_eq(error.hr, cases[i].hr);
                ck_assert_ptr_nonnull(error.message);
                ck_assert_ptr_null(w);
                vss_error_done(&error);
        }
        ck_assert_uint_eq(writer_registry_count(registry), 3);
}
END_TEST

START_TEST(an_instance_subscribes_once) {
        struct writer_identity id = { .class_id = { .Data1 = 9 },
                                      .name = (char *)(uintptr_t) "db",
                                      .instance_name = (char *)(uintptr_t) "main",
                                      .usage = VSS_UT_USERDATA,
                                      .level = VSS_APP_FRONT_END,
                                      .freeze_timeout_ms = 90000 };
        struct vss_error error = { 0 };
        struct writer *first, *other, *refused = NULL;

        writer_registry_set_observer(registry, on_change, NULL);
        ck_assert_int_eq(writer_registry_add(registry, &first, &id, &fake_transport, NULL, NULL),
                         0);
        ck_assert_uint_eq(writer_identity(first)->freeze_timeout_ms, 60000);
        ck_assert(!vss_id_is_null(writer_identity(first)->instance_id));
        ck_assert_ptr_eq(writer_registry_find(registry, writer_identity(first)->instance_id),
                         first);
        ck_assert_int_lt(
                writer_registry_add(registry, &refused, &id, &fake_transport, NULL, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_WRITER_ALREADY_SUBSCRIBED);
        vss_error_done(&error);
        id.instance_name = (char *)(uintptr_t) "replica";
        ck_assert_int_eq(writer_registry_add(registry, &other, &id, &fake_transport, NULL, NULL),
                         0);
        ck_assert(!vss_id_equal(writer_identity(first)->instance_id,
                                writer_identity(other)->instance_id));
        writer_remove(first);
        id.instance_name = (char *)(uintptr_t) "main";
        ck_assert_int_eq(writer_registry_add(registry, &first, &id, &fake_transport, NULL, NULL),
                         0);
        writer_remove(first);
        writer_remove(other);
        ck_assert_uint_eq(changes.added, 3);
        ck_assert_uint_eq(changes.removed, 3);
        writer_registry_set_observer(registry, NULL, NULL);
}
END_TEST

/* A writer that registers again is the one that it was, but two are never one. */
START_TEST(an_instance_id_is_kept_unless_somebody_has_it) {
        const struct writer_identity id = { .class_id = { .Data1 = 9 },
                                            .instance_id = { .Data1 = 99 },
                                            .name = (char *)(uintptr_t) "db",
                                            .usage = VSS_UT_USERDATA,
                                            .level = VSS_APP_FRONT_END };
        struct writer *first, *other;

        ck_assert_int_eq(writer_registry_add(registry, &first, &id, &fake_transport, NULL, NULL),
                         0);
        ck_assert(vss_id_equal(writer_identity(first)->instance_id, id.instance_id));
        ck_assert_int_eq(writer_registry_add(registry, &other, &id, &fake_transport, NULL, NULL),
                         0);
        ck_assert(!vss_id_equal(writer_identity(other)->instance_id, id.instance_id));
        writer_remove(first);
        ck_assert_int_eq(writer_registry_add(registry, &first, &id, &fake_transport, NULL, NULL),
                         0);
        ck_assert(vss_id_equal(writer_identity(first)->instance_id, id.instance_id));
        writer_remove(first);
        writer_remove(other);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("participant");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, an_ordinary_backup);
        tcase_add_test(tc, levels_wait_for_each_other);
        tcase_add_test(tc, inside_a_level_writers_are_asked_in_parallel);
        tcase_add_test(tc, a_freeze_veto_ends_the_round_at_its_level);
        tcase_add_loop_test(tc, a_freeze_that_is_late_lost_or_unsendable_is_fatal, 0, 5);
        tcase_add_test(tc, a_thaw_reaches_every_level_whatever_fails);
        tcase_add_test(tc, failures_outside_freeze_and_thaw_are_recorded_only);
        tcase_add_test(tc, who_fails_identify_is_in_no_list);
        tcase_add_test(tc, a_writer_that_goes_between_freeze_and_thaw_takes_the_set);
        tcase_add_test(tc, a_round_that_a_loss_begins_leaves_out_the_lost_one);
        tcase_add_test(tc, a_writer_that_goes_after_post_snapshot_does_not);
        tcase_add_test(tc, a_writer_that_goes_while_its_level_waits_takes_the_set);
        tcase_add_test(tc, a_cancelled_round_never_ends_and_abort_follows);
        tcase_add_test(tc, an_expired_round_names_who_was_late);
        tcase_add_test(tc, the_freeze_deadline_finds_whose_limit_is_over);
        tcase_add_test(tc, who_was_late_is_told_the_end_and_not_waited_for);
        tcase_add_test(tc, each_writer_has_its_own_freeze_deadline);
        tcase_add_test(tc, component_mode_leaves_the_others_alone);
        tcase_add_test(tc, shutdown_in_the_middle_of_a_set_aborts_first);
        tcase_add_test(tc, an_event_out_of_order_is_refused);
        tcase_add_test(tc, sets_are_told_by_a_copy);
        tcase_add_test(tc, freeing_the_participants_ends_their_round);
        tcase_add_test(tc, a_later_session_sees_the_latest_state);
        tcase_add_test(tc, changes_of_state_are_told_together);
        tcase_add_test(tc, registration_is_checked);
        tcase_add_test(tc, an_instance_subscribes_once);
        tcase_add_test(tc, an_instance_id_is_kept_unless_somebody_has_it);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
