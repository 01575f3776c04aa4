/* The writer's state machine, every event in every state, against the specification's matrix
 * transcribed here as text. */

#include "daemon/writers/writer-state.h"
#include <check.h>
#include <stdio.h>

static const char *const states[] = {
        [VSS_WS_STABLE] = "STABLE",
        [VSS_WS_WAITING_FOR_FREEZE] = "W_FREEZE",
        [VSS_WS_WAITING_FOR_THAW] = "W_THAW",
        [VSS_WS_WAITING_FOR_POST_SNAPSHOT] = "W_POST",
        [VSS_WS_WAITING_FOR_BACKUP_COMPLETE] = "W_COMPLETE",
        [VSS_WS_FAILED_AT_IDENTIFY] = "F6",
        [VSS_WS_FAILED_AT_PREPARE_BACKUP] = "F7",
        [VSS_WS_FAILED_AT_PREPARE_SNAPSHOT] = "F8",
        [VSS_WS_FAILED_AT_FREEZE] = "F9",
        [VSS_WS_FAILED_AT_THAW] = "F10",
        [VSS_WS_FAILED_AT_POST_SNAPSHOT] = "F11",
        [VSS_WS_FAILED_AT_BACKUP_COMPLETE] = "F12",
        [VSS_WS_FAILED_AT_PRE_RESTORE] = "F13",
        [VSS_WS_FAILED_AT_POST_RESTORE] = "F14",
        [VSS_WS_FAILED_AT_BACKUPSHUTDOWN] = "F15",
};

/* The matrix. "-": cannot happen; "skip": not delivered; "=": delivered, state as it was;
 * "A/Fn": A after success, FAILED number n after failure; "!": a failure aborts the set; "+R":
 * RETRYABLE is left; "abort": Abort goes first; "lost": UNKNOWN and NOT_RESPONDING; "late": F9 with
 * TIMEOUT. In the FAILED column "n:" limits the cell to FAILED number n, others are "-". */
static const struct {
        const char *event;
        const char *cells[6]; /* STABLE W_FREEZE W_THAW W_POST W_COMPLETE FAILED */
} matrix[_WRITER_INPUT_MAX] = {
        { "Identify", { "=", "=", "=", "=", "=", "=" } },
        { "PrepareBackup", { "STABLE/F7", "-", "-", "-", "-", "-" } },
        { "PrepareSnapshot", { "W_FREEZE/F8", "-", "-", "-", "-", "skip" } },
        { "Freeze", { "-", "W_THAW/F9!", "-", "-", "-", "skip" } },
        { "Thaw", { "-", "-", "W_POST/F10!", "-", "-", "skip" } },
        { "PostSnapshot", { "-", "-", "-", "W_COMPLETE/F11", "-", "skip" } },
        { "Abort", { "=", "STABLE+R", "STABLE+R", "STABLE+R", "skip", "abort-failed" } },
        { "BackupComplete", { "STABLE/F12", "-", "-", "-", "STABLE/F12", "skip" } },
        { "BackupShutdown",
          { "STABLE/F15", "abort STABLE/F15", "abort STABLE/F15", "abort STABLE/F15", "STABLE/F15",
            "STABLE/F15" } },
        { "PreRestore", { "STABLE/F13", "-", "-", "-", "-", "-" } },
        { "PostRestore", { "STABLE/F14", "-", "-", "-", "-", "13:STABLE/F14" } },
        { "freeze timer", { "-", "-", "late!", "-", "-", "-" } },
        { "connection lost", { "lost", "lost!", "lost!", "lost", "lost", "=" } },
};

static const char *state_name(VSS_WRITER_STATE s) {
        return s == VSS_WS_COUNT ? "=" : s == VSS_WS_UNKNOWN ? "UNKNOWN" : states[s];
}

/* The machine's cell in the matrix's language. */
static void describe(char *buf, size_t size, const struct writer_transition *t) {
        const char *bang = t->fatal ? "!" : "";

        switch (t->delivery) {
        case WRITER_REFUSE: (void)snprintf(buf, size, "-"); return;
        case WRITER_SKIP: (void)snprintf(buf, size, "skip"); return;
        case WRITER_DELIVER:
        case WRITER_DELIVER_AFTER_ABORT: break;
        }
        if (t->leaves == VSS_E_WRITER_NOT_RESPONDING)
                (void)snprintf(buf, size, "lost%s", bang);
        else if (t->leaves == VSS_E_WRITERERROR_TIMEOUT && t->failed == VSS_WS_FAILED_AT_FREEZE)
                (void)snprintf(buf, size, "late%s", bang);
        else if (t->leaves == VSS_E_WRITERERROR_RETRYABLE)
                (void)snprintf(buf, size, "%s+R%s", state_name(t->next), bang);
        else if (t->next == VSS_WS_COUNT && t->failed == VSS_WS_COUNT)
                (void)snprintf(buf, size, "=%s", bang);
        else
                (void)snprintf(buf, size, "%s%s/%s%s",
                               t->delivery == WRITER_DELIVER_AFTER_ABORT ? "abort " : "",
                               state_name(t->next), state_name(t->failed), bang);
}

static const char *expected_cell(size_t input, VSS_WRITER_STATE s) {
        const char *cell;

        if (s <= VSS_WS_WAITING_FOR_BACKUP_COMPLETE)
                return matrix[input].cells[s - VSS_WS_STABLE];
        cell = matrix[input].cells[5];
        /* No Abort for a writer whose PostSnapshot was delivered. */
        if (streq(cell, "abort-failed"))
                return s == VSS_WS_FAILED_AT_POST_SNAPSHOT ||
                                       s == VSS_WS_FAILED_AT_BACKUP_COMPLETE ||
                                       s == VSS_WS_FAILED_AT_BACKUPSHUTDOWN
                               ? "skip"
                               : "=";
        if (strncmp(cell, "13:", 3) == 0)
                return s == VSS_WS_FAILED_AT_PRE_RESTORE ? cell + 3 : "-";
        return cell;
}

START_TEST(every_event_in_every_state) {
        char actual[64];

        for (unsigned input = 0; input < _WRITER_INPUT_MAX; input++)
                for (VSS_WRITER_STATE s = VSS_WS_STABLE; s < VSS_WS_COUNT; s++) {
                        describe(actual, sizeof(actual), writer_transition(input, s));
                        ck_assert_msg(streq(actual, expected_cell(input, s)),
                                      "%s in %s: %s, expected %s", matrix[input].event, states[s],
                                      actual, expected_cell(input, s));
                }
}
END_TEST

START_TEST(the_rows_are_in_the_order_of_the_events) {
        for (unsigned t = 0; t < _WRITER_EVENT_MAX; t++) {
                ck_assert_str_eq(writer_event_type_to_string((enum writer_event_type)t),
                                 matrix[t].event);
                ck_assert_int_eq(writer_event_type_from_string(matrix[t].event), (int)t);
        }
        ck_assert_int_eq(writer_event_type_from_string("Melt"), -EINVAL);
}
END_TEST

START_TEST(a_writer_that_is_gone_gets_nothing) {
        for (unsigned t = 0; t < _WRITER_EVENT_MAX; t++)
                ck_assert_int_eq(writer_transition(t, VSS_WS_UNKNOWN)->delivery, WRITER_SKIP);
}
END_TEST

static const struct writer_reply ok = { .delivered = true, .ok = true };
static const struct writer_reply veto = { .delivered = true,
                                          .failure = VSS_E_WRITERERROR_OUTOFRESOURCES,
                                          .application = 5,
                                          .message = "no space" };
static const struct writer_reply bare_veto = { .delivered = true };
static const struct writer_reply true_with_code = { .delivered = true,
                                                    .ok = true,
                                                    .failure = VSS_E_WRITERERROR_RETRYABLE };
static const struct writer_reply late = { .timed_out = true };
static const struct writer_reply mute = { 0 };

static enum writer_outcome answer(struct writer_session_state *s, enum writer_event_type type,
                                  const struct writer_reply *reply) {
        return writer_session_state_answer(s, type, reply);
}

START_TEST(a_whole_backup_ends_stable) {
        static const struct {
                enum writer_event_type type;
                VSS_WRITER_STATE after;
        } steps[] = {
                { WRITER_EVENT_PREPARE_BACKUP, VSS_WS_STABLE },
                { WRITER_EVENT_PREPARE_SNAPSHOT, VSS_WS_WAITING_FOR_FREEZE },
                { WRITER_EVENT_FREEZE, VSS_WS_WAITING_FOR_THAW },
                { WRITER_EVENT_THAW, VSS_WS_WAITING_FOR_POST_SNAPSHOT },
                { WRITER_EVENT_POST_SNAPSHOT, VSS_WS_WAITING_FOR_BACKUP_COMPLETE },
                { WRITER_EVENT_BACKUP_COMPLETE, VSS_WS_STABLE },
                { WRITER_EVENT_BACKUP_SHUTDOWN, VSS_WS_STABLE },
        };
        struct writer_session_state s;

        writer_session_state_init(&s);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                ck_assert_int_eq(writer_session_state_ask(&s, steps[i].type), WRITER_DELIVER);
                ck_assert_int_eq(answer(&s, steps[i].type, &ok), WRITER_OUTCOME_OK);
                ck_assert_int_eq(writer_session_state_shown(&s), steps[i].after);
                ck_assert_int_eq(s.failure, S_OK);
        }
        writer_session_state_done(&s);
}
END_TEST

START_TEST(a_recorded_failure_with_true_goes_on_and_stays_failed) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_PREPARE_SNAPSHOT, &true_with_code),
                         WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_FREEZE), WRITER_DELIVER);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_FREEZE, &ok), WRITER_OUTCOME_OK);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_THAW, &ok), WRITER_OUTCOME_OK);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_POST_SNAPSHOT, &ok), WRITER_OUTCOME_OK);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_BACKUP_COMPLETE),
                         WRITER_DELIVER);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(a_freeze_with_a_recorded_failure_and_true_does_not_abort_the_set) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        (void)answer(&s, WRITER_EVENT_PREPARE_SNAPSHOT, &ok);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_FREEZE, &true_with_code), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_FREEZE);
        /* It is frozen: Thaw reaches it, and losing it then is fatal. */
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_THAW), WRITER_DELIVER);
        ck_assert_int_eq(writer_session_state_lose(&s), WRITER_OUTCOME_FATAL);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(a_veto_ends_the_writers_part) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_PREPARE_SNAPSHOT, &veto), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_OUTOFRESOURCES);
        ck_assert_int_eq(s.application, 5);
        ck_assert_str_eq(s.message, "no space");
        for (unsigned t = WRITER_EVENT_FREEZE; t <= WRITER_EVENT_POST_SNAPSHOT; t++)
                ck_assert_int_eq(writer_session_state_ask(&s, (enum writer_event_type)t),
                                 WRITER_SKIP);
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_BACKUP_COMPLETE), WRITER_SKIP);
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_ABORT), WRITER_DELIVER);
        ck_assert_int_eq(writer_session_state_ask(&s, WRITER_EVENT_BACKUP_SHUTDOWN),
                         WRITER_DELIVER);
        /* The culprit keeps its state and code through the Abort. */
        (void)answer(&s, WRITER_EVENT_ABORT, &ok);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_OUTOFRESOURCES);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(abort_leaves_innocents_stable_and_retryable) {
        static const enum writer_event_type way[] = { WRITER_EVENT_PREPARE_SNAPSHOT,
                                                      WRITER_EVENT_FREEZE, WRITER_EVENT_THAW };

        for (size_t n = 0; n <= ARRAY_SIZE(way); n++) {
                struct writer_session_state s;

                writer_session_state_init(&s);
                for (size_t i = 0; i < n; i++)
                        (void)answer(&s, way[i], &ok);
                ck_assert_int_eq(answer(&s, WRITER_EVENT_ABORT, &ok), WRITER_OUTCOME_OK);
                ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_STABLE);
                ck_assert_int_eq(s.failure, n == 0 ? S_OK : VSS_E_WRITERERROR_RETRYABLE);
                /* A second Abort changes nothing. */
                ck_assert_int_eq(answer(&s, WRITER_EVENT_ABORT, &ok), WRITER_OUTCOME_OK);
                ck_assert_int_eq(s.failure, n == 0 ? S_OK : VSS_E_WRITERERROR_RETRYABLE);
                writer_session_state_done(&s);
        }
}
END_TEST

START_TEST(missing_answers_have_their_codes) {
        static const struct {
                enum writer_event_type type;
                const struct writer_reply *reply;
                HRESULT failure;
                enum writer_outcome outcome;
        } cases[] = {
                { WRITER_EVENT_PREPARE_BACKUP, &late, VSS_E_WRITER_NOT_RESPONDING,
                  WRITER_OUTCOME_FAILED },
                { WRITER_EVENT_PREPARE_SNAPSHOT, &late, VSS_E_WRITER_NOT_RESPONDING,
                  WRITER_OUTCOME_FAILED },
                { WRITER_EVENT_FREEZE, &late, VSS_E_WRITERERROR_TIMEOUT, WRITER_OUTCOME_FATAL },
                { WRITER_EVENT_FREEZE, &mute, VSS_E_WRITER_NOT_RESPONDING, WRITER_OUTCOME_FATAL },
                { WRITER_EVENT_FREEZE, &bare_veto, VSS_E_WRITERERROR_NONRETRYABLE,
                  WRITER_OUTCOME_FATAL },
                { WRITER_EVENT_THAW, &late, VSS_E_WRITERERROR_TIMEOUT, WRITER_OUTCOME_FATAL },
                { WRITER_EVENT_THAW, &veto, VSS_E_WRITERERROR_OUTOFRESOURCES,
                  WRITER_OUTCOME_FATAL },
                { WRITER_EVENT_POST_SNAPSHOT, &late, VSS_E_WRITER_NOT_RESPONDING,
                  WRITER_OUTCOME_FAILED },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct writer_session_state s;

                writer_session_state_init(&s);
                for (unsigned t = WRITER_EVENT_PREPARE_BACKUP; t < cases[i].type; t++)
                        (void)answer(&s, (enum writer_event_type)t, &ok);
                ck_assert_int_eq(answer(&s, cases[i].type, cases[i].reply), cases[i].outcome);
                ck_assert_int_eq(s.failure, cases[i].failure);
                ck_assert_int_eq(writer_session_state_shown(&s),
                                 writer_transition(cases[i].type,
                                                   cases[i].type == WRITER_EVENT_FREEZE
                                                           ? VSS_WS_WAITING_FOR_FREEZE
                                                   : cases[i].type == WRITER_EVENT_THAW
                                                           ? VSS_WS_WAITING_FOR_THAW
                                                   : cases[i].type == WRITER_EVENT_POST_SNAPSHOT
                                                           ? VSS_WS_WAITING_FOR_POST_SNAPSHOT
                                                           : VSS_WS_STABLE)
                                         ->failed);
                writer_session_state_done(&s);
        }
}
END_TEST

START_TEST(a_code_no_writer_may_record_is_nonretryable) {
        struct writer_session_state s;
        const struct writer_reply odd = { .delivered = true,
                                          .ok = true,
                                          .failure = E_ACCESSDENIED };
        const struct writer_reply news = { .delivered = true, .ok = true, .failure = S_FALSE };

        writer_session_state_init(&s);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_PREPARE_BACKUP, &news), WRITER_OUTCOME_OK);
        ck_assert_int_eq(s.failure, S_OK);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_PREPARE_BACKUP, &odd), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_NONRETRYABLE);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(a_long_message_is_cut_between_characters) {
        struct writer_session_state s;
        char message[8192];
        struct writer_reply reply = { .delivered = true, .message = message };

        for (size_t i = 0; i + 2 < sizeof(message); i += 2)
                memcpy(message + i, "\xc3\xa4", 3);
        message[0] = 'x'; /* two-byte characters no longer end at an even place */
        memmove(message + 1, message + 2, sizeof(message) - 2);

        writer_session_state_init(&s);
        (void)answer(&s, WRITER_EVENT_PREPARE_BACKUP, &reply);
        ck_assert_uint_eq(strlen(s.message), 4095);
        ck_assert_int_eq((unsigned char)s.message[4094], 0xa4);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(the_freeze_timer_and_a_lost_connection) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        ck_assert_int_eq(writer_session_state_expire(&s), WRITER_OUTCOME_OK);
        (void)answer(&s, WRITER_EVENT_PREPARE_SNAPSHOT, &ok);
        (void)answer(&s, WRITER_EVENT_FREEZE, &ok);
        ck_assert_int_eq(writer_session_state_expire(&s), WRITER_OUTCOME_FATAL);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_TIMEOUT);
        /* A failed writer that goes keeps its failure. */
        ck_assert_int_eq(writer_session_state_lose(&s), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(s.failure, VSS_E_WRITERERROR_TIMEOUT);
        writer_session_state_done(&s);

        writer_session_state_init(&s);
        ck_assert_int_eq(writer_session_state_lose(&s), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_UNKNOWN);
        ck_assert_int_eq(s.failure, VSS_E_WRITER_NOT_RESPONDING);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(post_restore_mends_a_failed_pre_restore) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_PRE_RESTORE, &veto), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_FAILED_AT_PRE_RESTORE);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_POST_RESTORE, &ok), WRITER_OUTCOME_OK);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_STABLE);
        ck_assert_int_eq(s.failure, S_OK);
        writer_session_state_done(&s);
}
END_TEST

START_TEST(a_mute_abort_is_shown_as_unknown) {
        struct writer_session_state s;

        writer_session_state_init(&s);
        (void)answer(&s, WRITER_EVENT_PREPARE_SNAPSHOT, &ok);
        ck_assert_int_eq(answer(&s, WRITER_EVENT_ABORT, &late), WRITER_OUTCOME_FAILED);
        ck_assert_int_eq(writer_session_state_shown(&s), VSS_WS_UNKNOWN);
        ck_assert_int_eq(s.failure, VSS_E_WRITER_NOT_RESPONDING);
        writer_session_state_done(&s);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("writer-state");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, every_event_in_every_state);
        tcase_add_test(tc, the_rows_are_in_the_order_of_the_events);
        tcase_add_test(tc, a_writer_that_is_gone_gets_nothing);
        tcase_add_test(tc, a_whole_backup_ends_stable);
        tcase_add_test(tc, a_recorded_failure_with_true_goes_on_and_stays_failed);
        tcase_add_test(tc, a_freeze_with_a_recorded_failure_and_true_does_not_abort_the_set);
        tcase_add_test(tc, a_veto_ends_the_writers_part);
        tcase_add_test(tc, abort_leaves_innocents_stable_and_retryable);
        tcase_add_test(tc, missing_answers_have_their_codes);
        tcase_add_test(tc, a_code_no_writer_may_record_is_nonretryable);
        tcase_add_test(tc, a_long_message_is_cut_between_characters);
        tcase_add_test(tc, the_freeze_timer_and_a_lost_connection);
        tcase_add_test(tc, post_restore_mends_a_failed_pre_restore);
        tcase_add_test(tc, a_mute_abort_is_shown_as_unknown);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
