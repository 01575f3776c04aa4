/* How a session ends: abort, release, the death of its requester in any state, deletion. Nothing
 * is left but what was to stay. */

#include "tests/unit/fake-host.h"

static struct writer_status status_of(struct session *s, const char *name) {
        struct writer_status status = { 0 };
        uint32_t n;

        ck_finished(session_gather_writer_status, s);
        ck_ok(session_get_writer_status_count(s, &n, &error));
        for (uint32_t i = 0; i < n; i++) {
                ck_ok(session_get_writer_status(s, i, &status, &error));
                if (streq(status.name, name))
                        return status;
        }
        ck_abort_msg("no status of %s", name);
        return status;
}

START_TEST(abort_where_nothing_is_under_way) {
        static const char *const states[] = { "B0", "BM", "BE" };
        struct session *s = session_make();

        ck_assert_int_eq(abort_backup(s), VSS_E_BAD_STATE);
        session_free(s);
        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                s = session_up_to(states[i], VSS_CTX_BACKUP, NULL);
                host.journal.text[0] = '\0';
                ck_assert_int_eq(abort_backup(s), S_OK);
                ck_assert_str_eq(host.journal.text, "");
                session_free(s);
                host_settle();
        }
}
END_TEST

START_TEST(abort_tells_the_writers) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);

        host.journal.text[0] = '\0';
        host.front.answers[WRITER_EVENT_ABORT] = FAKE_HOLD;
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_abort_backup(s, on_nothing, NULL, &error));
        fake_turn(host.event);
        ck_assert_uint_eq(answer.n, 0); /* not before they have answered */
        fake_writer_answer(&host.front, FAKE_OK);
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert_str_eq(host.journal.text, "front:Abort back:Abort ");
        session_free(s);
        host_settle();
        ck_assert(vss_id_is_null(host.front.set_id)); /* no copy was made */
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:BackupShutdown"));
}
END_TEST

START_TEST(abort_during_prepare) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);
        struct async *a;

        host.front.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_HOLD;
        ck_ok(session_prepare_for_backup(s, &a, &error));
        fake_turn(host.event);
        ck_assert_int_eq(abort_backup(s), S_OK);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:Abort"));
        session_free(s);
}
END_TEST

START_TEST(abort_during_creation) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct async *a;

        fake.hold = "finish";
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_abort_backup(s, on_nothing, NULL, &error));
        ck_ok(session_abort_backup(s, on_nothing, NULL, &error)); /* a second one waits, too */
        fake_turn(host.event);
        ck_assert_uint_eq(answer.n, 0);
        fake_storage_go();
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        fake_turn(host.event);
        ck_assert_uint_eq(answer.n, 2);
        ck_assert_int_eq(answer.hr, S_OK);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_int_eq(status_of(s, "front").state, VSS_WS_STABLE);
        ck_assert_int_eq(status_of(s, "front").failure, VSS_E_WRITERERROR_RETRYABLE);
        session_free(s);
}
END_TEST

START_TEST(abort_that_comes_after_the_commit) {
        struct session *s = session_up_to("BP", VSS_CTX_APP_ROLLBACK, NULL);
        struct async *a;

        fake.hold = "alpha:release";
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_abort_backup(s, on_nothing, NULL, &error));
        fake_storage_go();
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(wait_for_answer(), S_OK);
        /* Copies of a finished set keep the lifetime of their context. */
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        session_free(s);
}
END_TEST

START_TEST(abort_after_creation_keeps_the_copies_until_release) {
        struct session *s = session_up_to("BD", VSS_CTX_BACKUP, NULL);
        struct async *a = NULL;

        host.journal.text[0] = '\0';
        ck_assert_int_eq(abort_backup(s), S_OK);
        /* PostSnapshot was delivered: no Abort. */
        ck_assert_str_eq(host.journal.text, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_call(VSS_E_BAD_STATE, session_backup_complete(s, &a, &error));
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(release_answers_what_is_pending) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);

        fake.hold = "open";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_add_to_snapshot_set(s, "alpha/late", GUID_NULL, on_id, NULL, &error));
        host_turn_until_holding();
        session_free(s);
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_int_eq(answer.hr, VSS_E_BAD_STATE);
        ck_assert(!session_manager_is_idle(host.manager)); /* the worker is still at it */
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(answer.n, 1);
}
END_TEST

START_TEST(an_addition_that_comes_too_late) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);

        fake.hold = "open";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_add_to_snapshot_set(s, "alpha/late", GUID_NULL, on_id, NULL, &error));
        host_turn_until_holding();
        ck_ok(session_abort_backup(s, on_nothing, NULL, &error));
        while (answer.n == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        memset(&answer, 0, sizeof(answer));
        fake_storage_go();
        ck_assert_int_eq(wait_for_answer(), VSS_E_BAD_STATE);
        session_free(s);
}
END_TEST

static const char *const released_states[] = { "N", "B0", "BM", "BS", "BP", "BD", "BE" };

START_TEST(release_in_every_state) {
        struct session *s = session_up_to(released_states[_i], VSS_CTX_BACKUP, NULL);
        const bool took_part = _i >= 4;
        const bool unfinished = streq(released_states[_i], "BP");

        host.journal.text[0] = '\0';
        session_free(s);
        host_settle();
        ck_assert(!session_manager_set_in_progress(host.manager));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_int_eq(strstr(host.journal.text, "front:Abort") != NULL, unfinished);
        ck_assert_int_eq(strstr(host.journal.text, "front:BackupShutdown") != NULL, took_part);
}
END_TEST

static const char *const released_steps[] = { "alpha:stage", "sync",       "finish",
                                              "mount-rw",    "mount-seal", "alpha:seal" };

START_TEST(release_while_creating) {
        struct session *s = session_up_to("BP", VSS_CTX_APP_ROLLBACK, NULL), *next;
        struct async *a;
        VSS_ID set;

        fake.hold = released_steps[_i];
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        session_free(s);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_CANCELLED);
        async_unref(a);
        /* The creation is still winding back: nobody else may begin. */
        next = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        ck_call(VSS_E_SNAPSHOT_SET_IN_PROGRESS, session_start_snapshot_set(next, &set, &error));
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:BackupShutdown"));
        ck_ok(session_start_snapshot_set(next, &set, &error));
        session_free(next);
}
END_TEST

START_TEST(release_after_the_commit_keeps_to_the_context) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct async *a;

        fake.hold = "alpha:release";
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        session_free(s);
        fake_storage_go();
        host_settle();
        /* It was created, and its requester is gone. */
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.added, 2);
        ck_assert_uint_eq(host.removed, 2);
        async_unref(a);
}
END_TEST

START_TEST(release_while_a_writer_is_frozen) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct async *a;

        host.back.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        ck_ok(session_do_snapshot_set(s, &a, &error));
        while (!host.back.held)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        async_unref(a);
        session_free(s);
        host_settle();
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:Abort"));
        ck_assert_ptr_nonnull(strstr(host.journal.text, "back:Abort"));
        ck_assert_ptr_nonnull(strstr(host.journal.text, "back:BackupShutdown"));
}
END_TEST

START_TEST(deleting) {
        VSS_ID set, other_set, ids[2];
        struct session *app = session_up_to("BE", VSS_CTX_APP_ROLLBACK, &set);
        struct session *nas = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &other_set);
        struct snapshot_record *records;
        size_t n;

        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ids[0] = records[0].id;
        ids[1] = records[1].id;
        snapshot_records_free(records, n);

        ck_assert_int_eq(delete_of(app, set, VSS_OBJECT_PROVIDER, false), E_INVALIDARG);
        ck_assert_int_eq(delete_of(app, GUID_NULL, VSS_OBJECT_SNAPSHOT, false),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(delete_of(app, set, VSS_OBJECT_SNAPSHOT, false), VSS_E_OBJECT_NOT_FOUND);
        ck_assert(vss_id_equal(answer.deleted.not_deleted, set));
        ck_assert_int_eq(delete_of(app, ids[0], VSS_OBJECT_SNAPSHOT_SET, false),
                         VSS_E_OBJECT_NOT_FOUND);

        /* The second of the set is busy: the first goes, and the second is named. */
        fake.fail = "unmount";
        fake.fail_after = 1;
        ck_assert_int_eq(delete_of(app, set, VSS_OBJECT_SNAPSHOT_SET, false), VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(answer.deleted.deleted, 1);
        ck_assert(vss_id_equal(answer.deleted.not_deleted, ids[1]));
        fake.fail = NULL;
        ck_assert_uint_eq(fake_count_snapshots(host.store), 3);

        /* What is left of the set keeps its count. Any context deletes any copy. */
        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(records[0].count, 2);
        snapshot_records_free(records, n);
        ck_assert_int_eq(delete_of(nas, ids[1], VSS_OBJECT_SNAPSHOT, true), S_OK);
        ck_assert_int_eq(answer.deleted.deleted, 1);
        ck_assert(vss_id_is_null(answer.deleted.not_deleted));
        ck_assert_uint_eq(fake_storage_count("unmount-force"), 1);
        ck_assert_int_eq(delete_of(nas, other_set, VSS_OBJECT_SNAPSHOT_SET, false), S_OK);
        ck_assert_int_eq(answer.deleted.deleted, 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.removed, 4);
        session_free(app);
        session_free(nas);
}
END_TEST

/* Of one provider three, of the other one. */
static struct session *session_with_four(VSS_ID *set) {
        struct session *s = session_up_to("BS", VSS_CTX_APP_ROLLBACK, set);

        ck_assert_int_eq(add_volume(s, "alpha/three"), S_OK);
        ck_assert_int_eq(add_volume(s, "alpha/four"), S_OK);
        ck_finished(session_prepare_for_backup, s);
        ck_finished(session_do_snapshot_set, s);
        ck_finished(session_backup_complete, s);
        fake.journal[0] = '\0';
        return s;
}

START_TEST(what_a_provider_has_of_a_set_is_deleted_together) {
        VSS_ID set;
        struct session *s = session_with_four(&set);

        ck_assert_int_eq(delete_of(s, set, VSS_OBJECT_SNAPSHOT_SET, false), S_OK);
        ck_assert_int_eq(answer.deleted.deleted, 4);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_storage_count("remove("), 2);
        ck_assert_ptr_nonnull(strstr(fake.journal, "alpha:remove(3 together)"));
        ck_assert_ptr_nonnull(strstr(fake.journal, "beta:remove(/beta/two/)"));
        ck_assert_uint_eq(host.removed, 4);
        session_free(s);
}
END_TEST

/* For whatever reason: the requester hears which of them it was, and the others stay readable. */
START_TEST(what_does_not_go_together_is_tried_one_by_one) {
        static const struct {
                const char *step;
                unsigned good;       /* times that the step succeeds before */
                const char *journal; /* is in it */
                int32_t deleted;     /* of alpha's three */
                unsigned n_put_back; /* mounted again */
        } cases[] = {
                { "remove", 0, "alpha:remove(3 together) alpha:remove(/alpha/one/) ", 0, 3 },
                { "unmount", 1, "alpha:remove(/alpha/one/)", 1, 0 },
                { "unmount", 2, "alpha:remove(2 together)", 2, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct snapshot_record *records;
                VSS_ID set;
                struct session *s = session_with_four(&set);
                size_t n, k = 0;

                ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
                ck_assert_uint_eq(n, 4);
                fake.fail = cases[i].step;
                fake.fail_after = cases[i].good;
                ck_assert_int_eq(delete_of(s, set, VSS_OBJECT_SNAPSHOT_SET, false),
                                 VSS_E_PROVIDER_VETO);
                fake.fail = NULL;
                ck_assert_msg(strstr(fake.journal, cases[i].journal) != NULL, "%s", fake.journal);
                ck_assert_int_eq(answer.deleted.deleted, cases[i].deleted);
                ck_assert_uint_eq(fake_storage_count(":mount("), cases[i].n_put_back);
                ck_assert_uint_eq(fake_count_snapshots(host.store), 4 - (size_t)cases[i].deleted);
                /* Alpha's come first, in the order of their numbers. */
                for (int32_t left = cases[i].deleted; k < n; k++)
                        if (streq(records[k].provider, "alpha") && left-- == 0)
                                break;
                ck_assert_uint_lt(k, n);
                ck_assert(vss_id_equal(answer.deleted.not_deleted, records[k].id));
                snapshot_records_free(records, n);

                ck_assert_int_eq(delete_of(s, set, VSS_OBJECT_SNAPSHOT_SET, true), S_OK);
                ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
                session_free(s);
        }
}
END_TEST

START_TEST(together_that_fails_is_no_failure_if_each_goes) {
        VSS_ID set;
        struct session *s = session_with_four(&set);

        fake.fail_once = true;
        fake.fail = "remove";
        ck_assert_int_eq(delete_of(s, set, VSS_OBJECT_SNAPSHOT_SET, false), S_OK);
        ck_assert_int_eq(answer.deleted.deleted, 4);
        ck_assert_uint_eq(fake_storage_count("remove("), 5);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        session_free(s);
}
END_TEST

START_TEST(released_copies_are_gone_at_once) {
        struct session *s = session_up_to("BE", VSS_CTX_BACKUP, NULL);

        host.back.answers[WRITER_EVENT_BACKUP_SHUTDOWN] = FAKE_HOLD;
        session_free(s);
        /* Nothing was deleted yet; a writer even keeps the deletion waiting. */
        ck_assert_uint_eq(fake_storage_count("remove-force"), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.removed, 2);
        fake_turn(host.event);
        fake_writer_answer(&host.back, FAKE_OK);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("remove-force"), 2);
        ck_assert_uint_eq(host.removed, 2);
}
END_TEST

START_TEST(released_copies_that_cannot_go_come_back) {
        struct session *s = session_up_to("BE", VSS_CTX_BACKUP, NULL);

        fake.fail = "remove-force";
        fake.fail_after = 1;
        session_free(s);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        ck_assert_uint_eq(host.added, 3);
        /* They are tried again, and not at once. */
        ck_assert(session_manager_has_expiry(host.manager));
        ck_assert_uint_eq(fake_storage_count("remove-force"), 2);
}
END_TEST

START_TEST(a_snapshot_that_cannot_be_removed_is_mounted_again) {
        VSS_ID set;
        struct session *s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &set);

        fake.fail = "remove";
        fake.fail_hr = VSS_E_HOLD_WRITES_TIMEOUT; /* not a provider's to answer */
        fake.journal[0] = '\0';
        ck_assert_int_eq(delete_of(s, set, VSS_OBJECT_SNAPSHOT_SET, false),
                         VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_str_eq(fake.journal, "host:unmount(/alpha/one/) alpha:remove(/alpha/one/) "
                                       "host:mount(/alpha/one/) ");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        session_free(s);
}
END_TEST

START_TEST(deletions_wait_for_each_other) {
        VSS_ID one, two;
        struct session *a = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &one);
        struct session *b = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &two);

        fake.hold = "unmount";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_delete_snapshots(a, one, VSS_OBJECT_SNAPSHOT_SET, false, on_deleted, NULL,
                                       &error));
        ck_ok(session_delete_snapshots(b, two, VSS_OBJECT_SNAPSHOT_SET, false, on_deleted, NULL,
                                       &error));
        ck_ok(manager_delete_snapshots(host.manager, two, VSS_OBJECT_SNAPSHOT_SET, false,
                                       on_deleted, NULL, &error));
        host_turn_until_holding();
        ck_assert_uint_eq(fake_storage_count("unmount"), 1);
        session_free(b); /* its deletion goes on, its asker is answered now */
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_int_eq(answer.hr, VSS_E_BAD_STATE);
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(answer.n, 3);
        ck_assert_int_eq(answer.hr, VSS_E_OBJECT_NOT_FOUND); /* somebody was faster */
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        session_free(a);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-end");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_add_test(tc, abort_where_nothing_is_under_way);
        tcase_add_test(tc, abort_tells_the_writers);
        tcase_add_test(tc, abort_during_prepare);
        tcase_add_test(tc, abort_during_creation);
        tcase_add_test(tc, abort_that_comes_after_the_commit);
        tcase_add_test(tc, abort_after_creation_keeps_the_copies_until_release);
        tcase_add_test(tc, release_answers_what_is_pending);
        tcase_add_test(tc, an_addition_that_comes_too_late);
        tcase_add_loop_test(tc, release_in_every_state, 0, ARRAY_SIZE(released_states));
        tcase_add_loop_test(tc, release_while_creating, 0, ARRAY_SIZE(released_steps));
        tcase_add_test(tc, release_after_the_commit_keeps_to_the_context);
        tcase_add_test(tc, release_while_a_writer_is_frozen);
        tcase_add_test(tc, deleting);
        tcase_add_test(tc, released_copies_are_gone_at_once);
        tcase_add_test(tc, released_copies_that_cannot_go_come_back);
        tcase_add_test(tc, a_snapshot_that_cannot_be_removed_is_mounted_again);
        tcase_add_test(tc, what_a_provider_has_of_a_set_is_deleted_together);
        tcase_add_test(tc, what_does_not_go_together_is_tried_one_by_one);
        tcase_add_test(tc, together_that_fails_is_no_failure_if_each_goes);
        tcase_add_test(tc, deletions_wait_for_each_other);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
