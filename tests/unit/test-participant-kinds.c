/* What goes to whom, and with what: components out and back, events of backups and of restores, and
 * the number of sessions that a writer is in. */

#include "tests/unit/fake-participants.h"

static bool only_back(void *userdata _unused_, const struct participant_info *info) {
        return streq(info->name, "back");
}

/* What went to the session: "back:PreRestore:<new/> ". */
static char taken[256];
static int given;

static int give(void *userdata _unused_, const struct participant_info *info,
                enum writer_event_type type, struct document **ret) {
        char text[64];

        if (given < 0)
                return given;
        (void)snprintf(text, sizeof(text), "<%s event='%s'/>", info->name,
                       writer_event_type_to_string(type));
        *ret = fake_document(text);
        return 0;
}

static void take(void *userdata _unused_, const struct participant_info *info,
                 enum writer_event_type type, struct document *components) {
        size_t n = strlen(taken);

        (void)snprintf(taken + n, sizeof(taken) - n, "%s:%s:%s ", info->name,
                       writer_event_type_to_string(type), document_text(components));
}

static const struct participants_components components = { .give = give, .take = take };

static void with_components(void) {
        taken[0] = '\0';
        given = 0;
        participants_set_components(participants, &components, NULL);
}

START_TEST(components_travel_with_the_events_that_have_them) {
        static const struct {
                enum writer_event_type type;
                bool travel;
        } way[] = {
                { WRITER_EVENT_IDENTIFY, false },
                { WRITER_EVENT_PREPARE_BACKUP, true },
                { WRITER_EVENT_PREPARE_SNAPSHOT, false },
                { WRITER_EVENT_FREEZE, false },
                { WRITER_EVENT_THAW, false },
                { WRITER_EVENT_POST_SNAPSHOT, true },
                { WRITER_EVENT_BACKUP_COMPLETE, true },
                { WRITER_EVENT_BACKUP_SHUTDOWN, false },
        };
        char expected[64];

        with_components();
        back.changed = "<new/>";
        for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
                taken[0] = '\0';
                run(way[i].type);
                (void)snprintf(expected, sizeof(expected), "<back event='%s'/>",
                               writer_event_type_to_string(way[i].type));
                ck_assert_str_eq(back.components, way[i].travel ? expected : "");
                (void)snprintf(expected, sizeof(expected), "back:%s:<new/> ",
                               writer_event_type_to_string(way[i].type));
                ck_assert_str_eq(taken, way[i].travel ? expected : "");
        }
}
END_TEST

START_TEST(a_veto_brings_its_components_and_silence_none) {
        with_components();
        back.changed = sys.changed = "<new/>";
        back.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_VETO;
        sys.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_LATE;
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_str_eq(taken, "back:PrepareBackup:<new/> ");
}
END_TEST

START_TEST(components_that_cannot_be_made_fail_their_writer_alone) {
        with_components();
        run(WRITER_EVENT_IDENTIFY);
        given = -ENOMEM;
        run(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_str_eq(journal.text, "");
        ck_assert_uint_eq(ended.failed, 3);
        ck_assert(!ended.fatal);
        ck_state(back, VSS_WS_FAILED_AT_PREPARE_BACKUP, VSS_E_WRITER_NOT_RESPONDING);
}
END_TEST

START_TEST(a_restore_concerns_those_that_are_chosen_and_is_owed_no_end) {
        run(WRITER_EVENT_IDENTIFY);
        participants_involve(participants, only_back, NULL);
        back.answers[WRITER_EVENT_PRE_RESTORE] = FAKE_VETO;
        run(WRITER_EVENT_PRE_RESTORE);
        ck_assert_str_eq(journal.text, "back:PreRestore ");
        ck_assert(!ended.fatal);
        ck_state(back, VSS_WS_FAILED_AT_PRE_RESTORE, VSS_E_WRITERERROR_RETRYABLE);
        ck_state(sys, VSS_WS_STABLE, S_OK);
        /* It is asked all the same: the files may have been restored. */
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_str_eq(journal.text, "back:PostRestore ");
        ck_state(back, VSS_WS_STABLE, S_OK);
        run(WRITER_EVENT_ABORT);
        run(WRITER_EVENT_BACKUP_SHUTDOWN);
        ck_assert_str_eq(journal.text, "");
}
END_TEST

START_TEST(a_writer_that_went_since_pre_restore_gets_no_post_restore) {
        participants_set_lost(participants, on_lost, NULL);
        run(WRITER_EVENT_IDENTIFY);
        run(WRITER_EVENT_PRE_RESTORE);
        fake_writer_gone(&back);
        ck_assert_uint_eq(lost.n, 0);
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_str_eq(journal.text, "sys:PostRestore front:PostRestore ");
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_NOT_RESPONDING);
}
END_TEST

static void register_with(struct fake_writer *w, const char *name, uint32_t subscribe,
                          uint32_t freeze_timeout_ms) {
        const struct writer_identity id = { .class_id = { .Data1 = 9, .Data2 = (uint16_t)name[0] },
                                            .name = (char *)(uintptr_t)name,
                                            .usage = VSS_UT_USERDATA,
                                            .level = VSS_APP_FRONT_END,
                                            .subscribe = subscribe,
                                            .freeze_timeout_ms = freeze_timeout_ms };

        *w = (struct fake_writer){ .name = name, .event = event, .journal = &journal };
        ck_assert_int_eq(writer_registry_add(registry, &w->writer, &id, &fake_transport, w, NULL),
                         0);
}

START_TEST(events_go_to_those_that_subscribed_to_their_kind) {
        struct fake_writer backup, restore, neither;

        fake_writer_gone(&front);
        fake_writer_gone(&back);
        fake_writer_gone(&sys);
        register_with(&backup, "backup", VSS_SM_BACKUP_EVENTS_FLAG, 0);
        register_with(&restore, "restore", VSS_SM_RESTORE_EVENTS_FLAG, 1000);
        register_with(&neither, "neither", VSS_SM_POST_SNAPSHOT_FLAG, 0);
        run(WRITER_EVENT_IDENTIFY);
        ck_assert_uint_eq(participants_count(participants), 3);
        ck_assert_uint_eq(participants_involved(participants), 1);
        run(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_str_eq(journal.text, "backup:PrepareBackup ");
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(participants_freeze_usec(participants, 60 * USEC_PER_SEC),
                          60 * USEC_PER_SEC);
        run(WRITER_EVENT_FREEZE);
        ck_assert_str_eq(journal.text, "backup:Freeze ");
        run(WRITER_EVENT_ABORT);
        ck_assert_str_eq(journal.text, "backup:Abort ");
        run(WRITER_EVENT_PRE_RESTORE);
        ck_assert_str_eq(journal.text, "restore:PreRestore ");
        ck_state(neither, VSS_WS_STABLE, S_OK);
        fake_writer_gone(&backup);
        fake_writer_gone(&restore);
        fake_writer_gone(&neither);
}
END_TEST

START_TEST(who_is_not_frozen_shortens_no_freeze) {
        struct fake_writer hasty;

        register_with(&hasty, "hasty", 0, 5000);
        hasty.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_VETO;
        run_to(WRITER_EVENT_PREPARE_BACKUP);
        /* Nobody is prepared yet: what will be asked is not known. */
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(participants_freeze_usec(participants, 60 * USEC_PER_SEC),
                          60 * USEC_PER_SEC);
        hasty.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_OK;
        participants = participants_free(participants);
        ck_assert_int_eq(participants_new(&participants, registry), 0);
        run_to(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(participants_freeze_usec(participants, 60 * USEC_PER_SEC),
                          5 * USEC_PER_SEC);
        run(WRITER_EVENT_FREEZE);
        ck_assert_uint_eq(participants_freeze_usec(participants, 60 * USEC_PER_SEC),
                          5 * USEC_PER_SEC);
        run(WRITER_EVENT_ABORT);
        fake_writer_gone(&hasty);
}
END_TEST

START_TEST(a_shutdown_that_expires_still_tells_everybody) {
        struct round *round;

        run_to(WRITER_EVENT_FREEZE);
        back.answers[WRITER_EVENT_ABORT] = FAKE_HOLD;
        front.answers[WRITER_EVENT_BACKUP_SHUTDOWN] = FAKE_HOLD;
        round = begin(WRITER_EVENT_BACKUP_SHUTDOWN);
        fake_turn(event);
        round_expire(round);
        ck_assert_uint_eq(journal.n_open, 0);
        fake_turn(event);
        ck_assert_uint_eq(ended.n, 5);
        ck_assert_ptr_nonnull(strstr(journal.text, "back:BackupShutdown "));
        ck_assert_ptr_nonnull(strstr(journal.text, "front:BackupShutdown "));
        ck_assert(!participants_any_frozen(participants));
}
END_TEST

START_TEST(a_part_can_fail_only_where_there_are_components) {
        struct writer_event e = { .type = WRITER_EVENT_PREPARE_BACKUP, .component_mode = _i == 1 };
        struct round *round;

        run(WRITER_EVENT_IDENTIFY);
        back.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_PARTIAL;
        ck_assert_int_eq(participants_send(participants, &e, USEC_PER_SEC, on_done, NULL, &round),
                         0);
        fake_turn(event);
        ck_state(back, VSS_WS_FAILED_AT_PREPARE_BACKUP,
                 _i == 1 ? VSS_E_WRITERERROR_PARTIAL_FAILURE : VSS_E_WRITERERROR_NONRETRYABLE);
}
END_TEST

START_TEST(a_writer_is_in_a_bounded_number_of_backups) {
        struct participants *others[WRITER_BACKUPS_MAX];
        struct participants *own = participants;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                ck_assert_int_eq(participants_new(&others[i], registry), 0);
                participants = others[i];
                run_to(WRITER_EVENT_PREPARE_BACKUP);
                ck_assert_uint_eq(ended.failed, 0);
        }
        participants = own;
        run(WRITER_EVENT_IDENTIFY); /* that is no session yet */
        ck_assert_uint_eq(participants_count(participants), 3);
        run(WRITER_EVENT_PREPARE_BACKUP);
        ck_assert_uint_eq(ended.asked, 0);
        ck_assert_int_eq(ended.hr, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        ck_assert_uint_eq(ended.asked, 0);

        /* A restore goes on beside them. */
        participants_free(own);
        ck_assert_int_eq(participants_new(&own, registry), 0);
        participants = own;
        run(WRITER_EVENT_IDENTIFY);
        run(WRITER_EVENT_PRE_RESTORE);
        ck_assert_uint_eq(ended.failed, 0);
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_uint_eq(ended.asked, 3);

        /* A session that ends makes room, by its last event or without. */
        participants = others[0];
        run(WRITER_EVENT_BACKUP_COMPLETE);
        others[1] = participants_free(others[1]);
        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(participants_new(&others[1], registry), 0);
                participants_free(participants);
                participants = others[1];
                run_to(WRITER_EVENT_PREPARE_BACKUP);
                ck_assert_uint_eq(ended.failed, 0);
        }
        others[0] = NULL;
        for (size_t i = 2; i < ARRAY_SIZE(others); i++)
                others[i] = participants_free(others[i]);
        participants_free(participants);
        participants = own;
}
END_TEST

static struct participants *begin_restore(void) {
        ck_assert_int_eq(participants_new(&participants, registry), 0);
        run(WRITER_EVENT_IDENTIFY);
        participants_allow_parallel_restores(participants, only_back, NULL);
        run(WRITER_EVENT_PRE_RESTORE);
        return participants;
}

START_TEST(a_writer_is_in_one_restore_or_in_a_few_if_it_says_so) {
        struct participants *others[WRITER_RESTORES_MAX], *one_too_many;

        participants_free(participants);
        others[0] = begin_restore();
        ck_assert_uint_eq(ended.asked, 3);
        ck_assert_uint_eq(ended.failed, 0);
        for (size_t i = 1; i < ARRAY_SIZE(others); i++) {
                others[i] = begin_restore();
                ck_assert_str_eq(journal.text, "back:PreRestore ");
                ck_assert_uint_eq(ended.failed, 2);
                ck_assert_int_eq(ended.hr, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
                ck_state(back, VSS_WS_STABLE, S_OK);
                ck_state(front, VSS_WS_UNKNOWN, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        }
        one_too_many = begin_restore();
        ck_assert_str_eq(journal.text, "");
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_STATUS_NOT_AVAILABLE);

        /* Who was not asked before is not told afterwards, and stays what it was. */
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_str_eq(journal.text, "");
        ck_assert_uint_eq(ended.failed, 0);
        ck_state(back, VSS_WS_UNKNOWN, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        participants_free(one_too_many);
        participants = others[1];
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_str_eq(journal.text, "back:PostRestore ");
        ck_state(sys, VSS_WS_UNKNOWN, VSS_E_WRITER_STATUS_NOT_AVAILABLE);

        /* That made room in one; the end of a session, without PostRestore, makes it in all. */
        participants_free(others[1]);
        others[1] = begin_restore();
        ck_assert_str_eq(journal.text, "back:PreRestore ");
        participants_free(others[1]);
        participants_free(others[0]);
        others[0] = begin_restore();
        ck_assert_uint_eq(ended.asked, 3);
        for (size_t i = 2; i < ARRAY_SIZE(others); i++)
                participants_free(others[i]);
        participants = others[0];
}
END_TEST

int main(void) {
        Suite *suite = suite_create("participant-kinds");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, components_travel_with_the_events_that_have_them);
        tcase_add_test(tc, a_veto_brings_its_components_and_silence_none);
        tcase_add_test(tc, components_that_cannot_be_made_fail_their_writer_alone);
        tcase_add_test(tc, a_restore_concerns_those_that_are_chosen_and_is_owed_no_end);
        tcase_add_test(tc, a_writer_that_went_since_pre_restore_gets_no_post_restore);
        tcase_add_test(tc, events_go_to_those_that_subscribed_to_their_kind);
        tcase_add_test(tc, who_is_not_frozen_shortens_no_freeze);
        tcase_add_test(tc, a_shutdown_that_expires_still_tells_everybody);
        tcase_add_loop_test(tc, a_part_can_fail_only_where_there_are_components, 0, 2);
        tcase_add_test(tc, a_writer_is_in_a_bounded_number_of_backups);
        tcase_add_test(tc, a_writer_is_in_one_restore_or_in_a_few_if_it_says_so);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
