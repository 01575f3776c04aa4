/* Reverting the root, or what has the state of the service: when, and what it would not know. */

#include "tests/unit/fake-revert.h"

#include "daemon/session/manager-private.h"

START_TEST(the_root_waits_for_the_next_boot) {
        struct revert_row *rows;
        struct async *a;

        fake.at_boot = fake.has_state = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert_str_eq(fake.journal,
                         ALL_AWAY CHECKS DELETES_NEWER "alpha:revert-at-boot(" ONE ") ");
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert_str_eq(rows[0].state, "waiting");
        fake.fail = "revert-look"; /* nobody looks */
        a = ask_status(ONE);
        run_some_looks();
        ck_assert_str_eq(async_phase(a), "Wait");
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert(!session_manager_has_areas(host.manager)); /* the service may end */
        async_unref(a);
}
END_TEST

START_TEST(the_root_of_a_provider_that_cannot_wait) {
        provider_alpha_here.no_revert_at_boot = "why it cannot";
        fake.at_boot = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "why it cannot"));
        fake.at_boot = false;
        fake.has_state = true; /* neither what cannot be unmounted while the service runs */
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_str_eq(fake.journal, LOOKS LOOKS);
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
}
END_TEST

/* The state would forget it, and the next start delete or lose it. */
START_TEST(a_state_that_would_know_too_little) {
        VSS_ID set;
        struct session *maker = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &set);

        fake.journal[0] = '\0';
        fake.at_boot = fake.has_state = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_str_eq(fake.journal, LOOKS);
        fake.has_state = false; /* it lies elsewhere */
        ck_assert_int_eq(revert_of(s, ids[COPY], true), S_OK);
        session_free(maker);
}
END_TEST

/* It would be in the middle of making a set of two: the next start would undo the other, whatever
 * has become of it since, and not know the revert. */
START_TEST(a_state_that_makes_a_set_of_two) {
        struct snapshot_record *records = NULL;
        VSS_ID set, one, two;
        struct session *maker = start_set(&set);
        size_t n = 0;

        ck_assert_int_eq(add_volume(maker, "alpha/one"), S_OK);
        one = answer.id;
        ck_assert_int_eq(add_volume(maker, "alpha/two"), S_OK);
        two = answer.id;
        ck_finished(session_do_snapshot_set, maker);
        session_free(maker);
        host_settle();
        ck_assert_int_eq(delete_of(s, two, VSS_OBJECT_SNAPSHOT, false), S_OK);
        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        snapshot_records_free(records, n);
        fake.at_boot = fake.has_state = true;
        ck_assert_int_eq(revert_of(s, one, true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "made alone"));
        fake.has_state = false;
        ck_assert_int_eq(revert_of(s, one, true), S_OK);
}
END_TEST

/* A volume that is about to be unmounted gets into no set. */
START_TEST(a_set_that_is_there_already) {
        VSS_ID set;
        struct session *maker = start_set(&set);

        if (_i == 0) { /* the volume is being added */
                fake.hold = "open";
                memset(&answer, 0, sizeof(answer));
                ck_ok(session_add_to_snapshot_set(maker, "alpha/one", GUID_NULL, on_id, NULL,
                                                  &error));
                host_turn_until_holding();
                ck_call(VSS_E_VOLUME_IN_USE,
                        manager_revert(host.manager, ids[COPY], true, on_nothing, NULL, &error));
                fake_storage_go();
                ck_assert_int_eq(wait_for_answer(), S_OK);
        } else {
                fake.hold = "host:origin-look";
                memset(&answer, 0, sizeof(answer));
                ck_ok(manager_revert(host.manager, ids[COPY], false, on_nothing, NULL, &error));
                host_turn_until_holding();
                ck_call(VSS_E_PROVIDER_VETO,
                        session_add_to_snapshot_set(maker, "alpha/two", GUID_NULL, on_id, NULL,
                                                    &error));
                fake_storage_go();
                ck_assert_int_eq(wait_for_answer(), S_OK);
                ck_assert_int_eq(add_volume(maker, "alpha/two"), S_OK);
        }
        session_free(maker);
        host_settle();
}
END_TEST

/* What is begun before the boot the state does not know afterwards. */
START_TEST(with_the_state_nothing_else_is_begun) {
        VSS_ID two;
        struct session *maker = start_set(&two);

        /* Of another volume, and older. */
        fake.breakable = true;
        ck_assert_int_eq(add_volume(maker, "alpha/two"), S_OK);
        ck_finished(session_do_snapshot_set, maker);
        session_free(maker);
        host_settle();
        ids[COPY] = make_copy(&sets[COPY]);

        for (unsigned round = 0; round < 2; round++) {
                if (round > 0)
                        host_recover(); /* a restart changes nothing of it */
                else {
                        fake.at_boot = fake.has_state = true;
                        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
                }
                ck_call(VSS_E_VOLUME_NOT_SUPPORTED,
                        manager_revert(host.manager, ids[OLDER], true, on_nothing, NULL, &error));
                ck_assert_int_eq(break_of(s, two), VSS_E_PROVIDER_VETO);
                maker = start_set(&(VSS_ID){ 0 });
                ck_assert_int_eq(add_volume(maker, "alpha/two"), VSS_E_PROVIDER_VETO);
                session_free(maker);
                host_settle();
        }
}
END_TEST

/* Without it, anything. */
START_TEST(of_a_root_without_the_state) {
        struct session *maker;

        fake.at_boot = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        maker = start_set(&(VSS_ID){ 0 });
        ck_assert_int_eq(add_volume(maker, "alpha/two"), S_OK);
        session_free(maker);
}
END_TEST

/* Neither is a set that is being made known to it. */
START_TEST(a_set_in_creation_and_the_state) {
        VSS_ID set;
        struct session *maker = start_set(&set);

        fake.at_boot = fake.has_state = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "being made"));
        ck_assert_str_eq(fake.journal, LOOKS);
        session_free(maker);
        host_settle();
        /* And none is begun while it is not known what is reverted. */
        fake.hold = "host:origin-look";
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_revert(host.manager, ids[COPY], false, on_nothing, NULL, &error));
        host_turn_until_holding();
        maker = session_up_to("B0", VSS_CTX_NAS_ROLLBACK, NULL);
        ck_call(VSS_E_SNAPSHOT_SET_IN_PROGRESS, session_start_snapshot_set(maker, &set, &error));
        fake_storage_go();
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_ok(session_start_snapshot_set(maker, &set, &error));
        session_free(maker);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("revert-state");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, the_root_waits_for_the_next_boot);
        tcase_add_test(tc, the_root_of_a_provider_that_cannot_wait);
        tcase_add_test(tc, a_state_that_would_know_too_little);
        tcase_add_test(tc, a_state_that_makes_a_set_of_two);
        tcase_add_loop_test(tc, a_set_that_is_there_already, 0, 2);
        tcase_add_test(tc, with_the_state_nothing_else_is_begun);
        tcase_add_test(tc, of_a_root_without_the_state);
        tcase_add_test(tc, a_set_in_creation_and_the_state);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
