/* Reverts beside copies of other hosts, whose numbers are those of their imports: which is newer,
 * and what is compared with what. */

#include "tests/unit/fake-revert.h"

#include "daemon/session/manager-private.h"

static VSS_TIMESTAMP is_made; /* what the next two set */

static void set_made(struct snapshot_record *r) {
        r->created = is_made;
}

static void set_imported(struct snapshot_record *r) {
        r->context |= VSS_VOLSNAP_ATTR_TRANSPORTABLE;
        r->attributes |= VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_IMPORTED;
        r->created = is_made;
}

static void import_as_of(VSS_ID id, VSS_TIMESTAMP created) {
        is_made = created;
        change_record(id, set_imported);
}

/* A second each, the first at 1000; they are made within one by the fakes. */
static void setup_hours(void) {
        setup();
        for (size_t i = 0; i < N_COPIES; i++) {
                is_made = (VSS_TIMESTAMP)(1000 + 1000 * i);
                change_record(ids[i], set_made);
        }
}

static HRESULT compare(VSS_ID older, VSS_ID younger) {
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_query_delta(host.manager, older, younger, on_nothing, NULL, &error));
        return wait_for_answer();
}

/* Its number is the highest; it was made before the others, and is what one would go back to. */
START_TEST(an_older_one_that_was_imported_last_stays) {
        import_as_of(ids[NEWEST], 500);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert(is_there(ids[NEWEST]) && is_there(ids[OLDER]));
        ck_assert(!is_there(ids[NEWER]));
        ck_assert_uint_eq(host.removed, 1);
}
END_TEST

/* The control: one that is newer, as its number has it. */
START_TEST(a_newer_one_that_was_imported_goes) {
        import_as_of(ids[NEWEST], 9000);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert(!is_there(ids[NEWEST]) && !is_there(ids[NEWER]));
        ck_assert(is_there(ids[OLDER]));
}
END_TEST

/* By a document, or another host's clock, alone nothing is deleted: neither an imported copy nor
 * those that were made here, when it is the imported one that is reverted to. */
START_TEST(what_is_newer_by_a_document_alone_takes_force) {
        unsigned to = _i == 0 ? COPY : NEWEST;

        import_as_of(ids[_i == 0 ? OLDER : NEWEST], _i == 0 ? 9000 : 1500);
        ck_assert_int_eq(revert_of(s, ids[to], false), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "by the clock of another host"));
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!volume_is_reverting(UUID, NULL));
        ck_assert_int_eq(revert_of(s, ids[to], true), S_OK);
        ck_assert(is_there(ids[to]) && !is_there(ids[NEWER]));
        ck_assert_int_eq(is_there(ids[OLDER]), _i == 1); /* made at 1000 there */
        ck_assert_uint_eq(fake_count_snapshots(host.store), _i == 0 ? 1 : 2);
}
END_TEST

/* A clock that was set back has made none of our copies older. */
START_TEST(of_our_own_the_numbers_count) {
        is_made = 10;
        change_record(ids[NEWEST], set_made);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert(is_there(ids[OLDER]) && !is_there(ids[NEWER]) && !is_there(ids[NEWEST]));
}
END_TEST

/* It stays, and the state would have no row of it. */
START_TEST(the_state_would_not_know_an_import) {
        import_as_of(ids[NEWEST], 500);
        fake.at_boot = fake.has_state = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, VSS_ID_TEXT(ids[NEWEST])));
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        fake.has_state = false;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), S_OK);
}
END_TEST

static size_t n_known;

static int one_more_is_there(const struct snapshot_record *r _unused_,
                             const struct snapshot_record *known _unused_, size_t n,
                             struct vss_error *reterr) {
        n_known = n;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY, "somebody else's");
}

/* Nor by force, and before anybody is sent away. */
START_TEST(of_a_copy_of_others_only_the_provider_knows) {
        provider_alpha_here.revert_check_known = one_more_is_there;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "somebody else's"));
        ck_assert_uint_eq(n_known, N_COPIES);
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

/* No provider here compares; who gets so far was asked rightly. */
START_TEST(what_is_compared_comes_by_age) {
        import_as_of(ids[NEWEST], 500);
        ck_assert_int_eq(compare(ids[NEWEST], ids[COPY]), E_NOTIMPL);
        ck_assert_int_eq(compare(ids[COPY], ids[NEWEST]), E_INVALIDARG);
        ck_assert_int_eq(compare(ids[OLDER], ids[NEWER]), E_NOTIMPL);
        ck_assert_int_eq(compare(ids[NEWER], ids[OLDER]), E_INVALIDARG);
        ck_assert_int_eq(compare(ids[OLDER], ids[OLDER]), E_INVALIDARG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("revert-import");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup_hours, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, an_older_one_that_was_imported_last_stays);
        tcase_add_test(tc, a_newer_one_that_was_imported_goes);
        tcase_add_loop_test(tc, what_is_newer_by_a_document_alone_takes_force, 0, 2);
        tcase_add_test(tc, of_our_own_the_numbers_count);
        tcase_add_test(tc, the_state_would_not_know_an_import);
        tcase_add_test(tc, of_a_copy_of_others_only_the_provider_knows);
        tcase_add_test(tc, what_is_compared_comes_by_age);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
