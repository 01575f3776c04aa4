/* Breaking sets off: what is refused, the order of the steps, what a failure after each leaves, and
 * what becomes of whoever made the set. */

#include "tests/unit/fake-host.h"

#define MASK VSS_BREAKEX_FLAG_MASK_LUNS
#define WRITABLE VSS_BREAKEX_FLAG_MAKE_READ_WRITE
#define ALL VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL
#define NONE VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE

/* One that cannot. */
static const struct provider provider_gamma = {
        .name = "gamma",
        .id = { .Data1 = 0xc },
        .type = VSS_PROV_SYSTEM,
        .bound = "the reason and the way out",
};
static const struct provider *const providers[] = { &provider_alpha, &provider_beta,
                                                    &provider_gamma, NULL };

static VSS_ID set_id, ids[2];
static struct session *maker;

/* One set with the snapshots of /alpha/one/ and /beta/two/. */
static void setup(void) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        host_setup();
        providers_init(providers);
        fake.breakable = true;
        maker = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &set_id);
        ck_assert_int_eq(store_snapshot_list(host.store, set_id, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        for (size_t i = 0; i < n; i++)
                ids[i] = records[i].id;
        snapshot_records_free(records, n);
        fake.journal[0] = '\0';
        host.removed = 0;
}

static void teardown(void) {
        session_free(maker);
        host_teardown();
}

static HRESULT break_ex(uint32_t flags) {
        struct async *a = NULL;

        ck_ok(session_break_snapshot_set_ex(maker, set_id, flags, &a, &error));
        return wait_for(a);
}

static void assert_nothing_happened(void) {
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(host.removed, 0);
}

START_TEST(a_set_becomes_volumes) {
        ck_assert_int_eq(break_of(maker, set_id), S_OK);
        ck_assert_str_eq(broken_to, "/dev/alpha/one/ /dev/beta/two/ ");
        ck_assert_str_eq(fake.journal, "host:unmount(/alpha/one/) host:unmount(/beta/two/) "
                                       "alpha:break(1 with 0) beta:break(1 with 0) ");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.removed, 2);
        ck_assert_int_eq(break_of(maker, set_id), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(delete_of(maker, set_id, VSS_OBJECT_SNAPSHOT_SET, true),
                         VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

/* As it is without a session, by the set's object. */
START_TEST(without_a_session) {
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_break_set(host.manager, set_id, WRITABLE, on_broken, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert_str_eq(broken_to, "/dev/alpha/one/ /dev/beta/two/ ");
        ck_assert_uint_eq(fake_storage_count("alpha:break(1 with 2)"), 1);
        ck_call(E_INVALIDARG,
                manager_break_set(host.manager, set_id, 0x10, on_broken, NULL, &error));
        ck_call(VSS_E_OBJECT_NOT_FOUND,
                manager_break_set(host.manager, GUID_NULL, 0, on_broken, NULL, &error));
}
END_TEST

static const struct {
        uint32_t flags;
        bool legal;
} all_flags[] = {
        { 0, true },
        { MASK, true },
        { WRITABLE, true },
        { ALL, true },
        { NONE, true },
        { WRITABLE | ALL, true },
        { WRITABLE | NONE, true },
        { ALL | NONE, false },
        { MASK | WRITABLE, false },
        { MASK | ALL, false },
        { MASK | NONE, false },
        { 0x10, false },
        { WRITABLE | ALL | NONE, false },
        { 0x80000000, false },
        { UINT32_MAX, false },
};

START_TEST(flags_that_exclude_each_other) {
        char step[64];

        if (all_flags[_i].legal) {
                ck_assert_int_eq(break_ex(all_flags[_i].flags), VSS_S_ASYNC_FINISHED);
                (void)snprintf(step, sizeof(step), "alpha:break(1 with %u)",
                               (unsigned)all_flags[_i].flags);
                ck_assert_uint_eq(fake_storage_count(step), 1);
        } else {
                struct async *a = NULL;

                ck_call(E_INVALIDARG, session_break_snapshot_set_ex(
                                              maker, set_id, all_flags[_i].flags, &a, &error));
                ck_assert_ptr_null(a);
                assert_nothing_happened();
        }
}
END_TEST

/* Of a set of which one copy is nothing without its volume nothing is touched. */
START_TEST(one_that_is_bound_binds_the_set) {
        struct snapshot_record r = { 0 };

        ck_assert_int_eq(store_snapshot_get(host.store, ids[1], &r, NULL), 0);
        ck_assert_int_eq(str_replace(&r.provider, _i == 0 ? "gamma" : "nobody"), 0);
        ck_assert_int_eq(store_snapshot_update(host.store, &r, NULL), 0);
        snapshot_record_done(&r);
        ck_assert_int_eq(break_of(maker, set_id), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(
                strstr(answer.message, _i == 0 ? "the reason and the way out" : "nobody"));
        assert_nothing_happened();
        ck_assert_int_eq(break_ex(NONE), VSS_E_PROVIDER_VETO);
        ck_assert_str_ne(async_text, "");
        assert_nothing_happened();
}
END_TEST

static const struct {
        const char *fail;
        unsigned after;
        HRESULT hr;
        const char *journal;
        size_t left;
} failures[] = {
        { "unmount", 0, VSS_E_PROVIDER_VETO, "host:unmount(/alpha/one/) ", 2 },
        { "unmount", 1, VSS_E_PROVIDER_VETO,
          "host:unmount(/alpha/one/) host:unmount(/beta/two/) host:mount(/alpha/one/) ", 2 },
        { "alpha:break", 0, VSS_E_PROVIDER_VETO,
          "host:unmount(/alpha/one/) host:unmount(/beta/two/) alpha:break(1 with 0) "
          "host:mount(/alpha/one/) host:mount(/beta/two/) ",
          2 },
        { "alpha:break", 0, VSS_E_BREAK_REVERT_ID_FAILED,
          "host:unmount(/alpha/one/) host:unmount(/beta/two/) alpha:break(1 with 0) "
          "host:mount(/alpha/one/) host:mount(/beta/two/) ",
          2 },
        { "beta:break", 0, VSS_E_PROVIDER_VETO,
          "host:unmount(/alpha/one/) host:unmount(/beta/two/) alpha:break(1 with 0) "
          "beta:break(1 with 0) host:mount(/beta/two/) ",
          1 },
        { "alpha:break", 0, E_FAIL,
          "host:unmount(/alpha/one/) host:unmount(/beta/two/) alpha:break(1 with 0) "
          "host:mount(/alpha/one/) host:mount(/beta/two/) ",
          2 },
};

START_TEST(what_fails_is_readable_again) {
        fake.fail = failures[_i].fail;
        fake.fail_after = failures[_i].after;
        fake.fail_hr = failures[_i].hr;
        /* What is none of a provider's answers is its bug. */
        ck_assert_int_eq(break_of(maker, set_id),
                         failures[_i].hr == E_FAIL ? VSS_E_UNEXPECTED : failures[_i].hr);
        ck_assert_str_eq(fake.journal, failures[_i].journal);
        ck_assert_uint_eq(fake_count_snapshots(host.store), failures[_i].left);
        ck_assert_uint_eq(host.removed, 2 - failures[_i].left);
        ck_assert_int_eq(strstr(answer.message, "1 of 2 copies are volumes") != NULL,
                         failures[_i].left == 1);
        /* And can be tried again. */
        fake.fail = NULL;
        ck_assert_int_eq(break_of(maker, set_id), S_OK);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_str_eq(broken_to, failures[_i].left == 1 ? "/dev/beta/two/ "
                                                           : "/dev/alpha/one/ /dev/beta/two/ ");
}
END_TEST

static void expose_first(void) {
        const struct exposure_request request = { .id = ids[0],
                                                  .path = "",
                                                  .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                                                  .expose = "/mnt" };

        ck_assert_int_eq(expose_of(maker, &request), S_OK);
        fake.journal[0] = '\0';
}

START_TEST(its_exposures_end_first) {
        expose_first();
        ck_assert_int_eq(break_of(maker, set_id), S_OK);
        ck_assert_str_eq(fake.journal,
                         "host:unexpose(/mnt) host:unmount(/alpha/one/) host:unmount(/beta/two/) "
                         "alpha:break(1 with 0) beta:break(1 with 0) ");
}
END_TEST

static const struct {
        const char *fail, *journal;
} exposed_failures[] = {
        { "unexpose", "host:unexpose(/mnt) host:expose-again(/mnt) " },
        { "unmount", "host:unexpose(/mnt) host:unmount(/alpha/one/) host:expose-again(/mnt) " },
        { "break", "host:unexpose(/mnt) host:unmount(/alpha/one/) host:unmount(/beta/two/) "
                   "alpha:break(1 with 0) host:mount(/alpha/one/) host:expose-again(/mnt) "
                   "host:mount(/beta/two/) " },
};

START_TEST(what_fails_is_exposed_again) {
        struct snapshot_record r = { 0 };

        expose_first();
        fake.fail = exposed_failures[_i].fail;
        ck_assert_int_eq(break_of(maker, set_id), VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(fake.journal, exposed_failures[_i].journal);
        ck_assert_int_eq(store_snapshot_get(host.store, ids[0], &r, NULL), 0);
        ck_assert_str_eq(r.exposed_name, "/mnt");
        snapshot_record_done(&r);
}
END_TEST

START_TEST(others_wait_for_its_end) {
        fake.hold = "alpha:break";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_break_snapshot_set(maker, set_id, on_broken, NULL, &error));
        ck_ok(session_delete_snapshots(maker, set_id, VSS_OBJECT_SNAPSHOT_SET, true, on_deleted,
                                       NULL, &error));
        host_turn_until_holding();
        ck_assert_uint_eq(fake_storage_count("remove"), 0);
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(answer.n, 2);
        ck_assert_int_eq(answer.hr, VSS_E_OBJECT_NOT_FOUND); /* the deletion's */
        ck_assert_uint_eq(fake_storage_count("remove"), 0);
        ck_assert_uint_eq(host.removed, 2);
}
END_TEST

/* What would have gone with its requester stays: it is nobody's copy any more. */
START_TEST(its_requester_takes_no_volume_along) {
        struct session *s;
        VSS_ID set;

        s = session_up_to("BD", VSS_CTX_BACKUP, &set);
        fake.journal[0] = '\0';
        ck_assert_int_eq(break_of(s, set), S_OK);
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("remove"), 0);
        ck_assert_uint_eq(fake_storage_count("break("), 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2); /* the maker's */
}
END_TEST

START_TEST(it_outlives_its_session) {
        struct session *s = session_up_to("B0", VSS_CTX_ALL, NULL);
        struct async *a = NULL;

        fake.hold = "alpha:break";
        ck_ok(session_break_snapshot_set_ex(s, set_id, WRITABLE, &a, &error));
        host_turn_until_holding();
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert_int_eq(async_cancel(a), VSS_E_UNEXPECTED); /* it cannot be */
        session_free(s);
        ck_assert_int_eq(async_status(a), VSS_E_BAD_STATE); /* who asked is told */
        async_unref(a);
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.removed, 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("break-off");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, a_set_becomes_volumes);
        tcase_add_test(tc, without_a_session);
        tcase_add_loop_test(tc, flags_that_exclude_each_other, 0, ARRAY_SIZE(all_flags));
        tcase_add_loop_test(tc, one_that_is_bound_binds_the_set, 0, 2);
        tcase_add_loop_test(tc, what_fails_is_readable_again, 0, ARRAY_SIZE(failures));
        tcase_add_test(tc, its_exposures_end_first);
        tcase_add_loop_test(tc, what_fails_is_exposed_again, 0, ARRAY_SIZE(exposed_failures));
        tcase_add_test(tc, others_wait_for_its_end);
        tcase_add_test(tc, its_requester_takes_no_volume_along);
        tcase_add_test(tc, it_outlives_its_session);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
