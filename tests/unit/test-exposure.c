/* Exposing and unexposing: the order of the steps, what a failure or a crash after each leaves, and
 * what becomes of an exposed snapshot that is deleted. */

#include "tests/unit/fake-host.h"

#define LOCALLY VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY
#define REMOTELY VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY

static VSS_ID set_id, id;
static struct session *maker;

/* One set with the snapshots of /alpha/one/ and /beta/two/; id is the first of them. */
static void setup(void) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        host_setup();
        maker = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &set_id);
        ck_assert_int_eq(store_snapshot_list(host.store, set_id, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(records[0].volume, "/alpha/one/");
        id = records[0].id;
        snapshot_records_free(records, n);
        fake.journal[0] = '\0';
}

static void teardown(void) {
        session_free(maker);
        host_teardown();
}

static HRESULT expose(const char *path, uint32_t attributes, const char *name) {
        const struct exposure_request request = {
                .id = id, .path = path, .attributes = attributes, .expose = name, .owner = 7
        };

        return expose_of(maker, &request);
}

static HRESULT expose_there(void) {
        HRESULT hr = expose("", LOCALLY, "/mnt");

        fake.journal[0] = '\0';
        return hr;
}

/* What the record says; attributes: of those that have to do with it. */
static void assert_record(LONG attributes, const char *name, const char *path) {
        const LONG all = LOCALLY | REMOTELY | VSS_VOLSNAP_ATTR_NOT_SURFACED;
        struct snapshot_record r = { 0 };

        ck_assert_int_eq(store_snapshot_get(host.store, id, &r, NULL), 0);
        ck_assert_int_eq(r.attributes & all, attributes);
        ck_assert_str_eq(str_or_empty(r.exposed_name), name);
        ck_assert_str_eq(str_or_empty(r.exposed_path), path);
        ck_assert_int_eq(r.context, VSS_CTX_NAS_ROLLBACK);
        snapshot_record_done(&r);
}

static void assert_hidden(void) {
        assert_record(VSS_VOLSNAP_ATTR_NOT_SURFACED, "", "");
}

START_TEST(there_and_back) {
        ck_assert_int_eq(expose("/a/b//", LOCALLY, "/mnt"), S_OK);
        ck_assert_str_eq(exposed_as, "/mnt");
        ck_assert_str_eq(fake.journal,
                         "host:expose-check(/mnt) host:expose(/alpha/one/:/mnt/a/b for 7) ");
        assert_record(LOCALLY, "/mnt", "a/b");
        ck_assert_uint_eq(host.changed, 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);

        fake.journal[0] = '\0';
        ck_assert_int_eq(unexpose_of(maker, id), S_OK);
        ck_assert_str_eq(fake.journal, "host:unexpose(/mnt) ");
        assert_hidden();
        ck_assert_uint_eq(host.changed, 2);
        ck_assert_int_eq(unexpose_of(maker, id), VSS_E_OBJECT_NOT_FOUND);

        ck_assert_int_eq(expose("/", REMOTELY, ""), S_OK);
        ck_assert_str_eq(exposed_as, "share");
        assert_record(REMOTELY, "share", "");
}
END_TEST

START_TEST(the_intent_comes_first_and_the_record_last) {
        const struct exposure_request request = {
                .id = id, .path = "", .attributes = LOCALLY, .expose = "/mnt"
        };

        fake.hold = "expose";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_expose_snapshot(maker, &request, on_exposed, NULL, &error));
        ck_ok(session_unexpose_snapshot(maker, id, on_exposed, NULL, &error));
        ck_ok(session_delete_snapshots(maker, set_id, VSS_OBJECT_SNAPSHOT_SET, false, on_deleted,
                                       NULL, &error));
        host_turn_until_holding();
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        assert_hidden();
        /* What else would change the snapshot waits. */
        ck_assert_uint_eq(fake_storage_count("unexpose"), 0);
        ck_assert_uint_eq(fake_storage_count("unmount"), 0);
        fake_storage_go();
        host_settle();
        ck_assert_uint_eq(answer.n, 3);
        ck_assert_int_eq(answer.hr, S_OK);
        ck_assert_uint_eq(fake_storage_count("host:unexpose(/mnt) "), 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(once_at_a_time) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_eq(expose_there(), S_OK);
        ck_assert_int_eq(expose("", LOCALLY, "/elsewhere"), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_int_eq(expose("", REMOTELY, "x"), VSS_E_OBJECT_ALREADY_EXISTS);
        assert_record(LOCALLY, "/mnt", "");
        /* Nor is another one there. */
        ck_assert_int_eq(store_snapshot_list(host.store, set_id, &records, &n, NULL), 0);
        id = records[1].id;
        snapshot_records_free(records, n);
        ck_assert_int_eq(expose("", LOCALLY, "/mnt"), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_int_eq(expose("", REMOTELY, "taken"), VSS_E_OBJECT_ALREADY_EXISTS);
        assert_hidden();
        ck_assert_uint_eq(fake_storage_count("host:expose("), 0);
        ck_assert_uint_eq(fake_storage_count("unexpose"), 0); /* what is there is not ours */
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(host.changed, 1);
}
END_TEST

START_TEST(what_fails_is_undone) {
        fake.fail = "expose";
        ck_assert_int_eq(expose("", LOCALLY, "/mnt"), VSS_E_PROVIDER_VETO);
        ck_assert_uint_eq(fake_storage_count("host:unexpose-force(/mnt) "), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        assert_hidden();
        ck_assert_uint_eq(host.changed, 0);
}
END_TEST

/* As after a crash: the intent is there, and the record knows nothing. */
static void put_intent(const char *data) {
        struct intent_record intent = { .set_id = set_id,
                                        .provider = (char *)(uintptr_t) "exposure",
                                        .kind = (char *)(uintptr_t) "expose",
                                        .data = (char *)(uintptr_t)data };
        int64_t number;

        ck_assert_int_eq(store_intent_open(host.store, &intent, &number, NULL), 0);
}

static void recover(void) {
        fake.journal[0] = '\0';
        host_recover();
}

START_TEST(what_a_crash_left_is_undone) {
        char data[128];

        (void)snprintf(data, sizeof(data), "%s 100000 /mnt/a b", VSS_ID_TEXT(id));
        put_intent(data);
        fake.fail = "unexpose-force"; /* which may fail, too: then the next start does it */
        recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        fake.fail = NULL;
        recover();
        ck_assert_uint_eq(fake_storage_count("host:unexpose-force(/mnt/a b) "), 1);
        ck_assert_uint_eq(fake_storage_count("expose-again"), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        assert_hidden();
}
END_TEST

/* Its record cannot be written: undone is what was mounted, or the next start does it. */
START_TEST(a_state_that_cannot_be_written) {
        const struct exposure_request request = {
                .id = id, .path = "", .attributes = REMOTELY, .expose = "x"
        };

        fake.hold = "expose";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_expose_snapshot(maker, &request, on_exposed, NULL, &error));
        host_turn_until_holding();
        /* It has gone from the state meanwhile, which nothing but a test does. */
        ck_assert_int_eq(store_snapshot_delete(host.store, id, 0, NULL), 0);
        fake.fail = _i == 0 ? NULL : "unexpose-force";
        fake_storage_go();
        ck_assert_int_eq(wait_for_answer(), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_uint_eq(fake_storage_count("host:unexpose-force(x) "), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), _i == 0 ? 0 : 1);
        ck_assert_uint_eq(host.changed, 0);
}
END_TEST

/* The record is right, whatever became of the intent. */
START_TEST(what_was_done_before_the_crash_is_kept) {
        char data[128];

        ck_assert_int_eq(expose_there(), S_OK);
        (void)snprintf(data, sizeof(data), "%s 100000 /mnt", VSS_ID_TEXT(id));
        put_intent(data);
        recover();
        ck_assert_uint_eq(fake_storage_count("unexpose"), 0);
        ck_assert_uint_eq(fake_storage_count("host:expose-again(/mnt) "), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        assert_record(LOCALLY, "/mnt", "");
        ck_assert_ptr_nonnull(strstr(fake.journal, "host:mount(/alpha/one/) host:expose-again"));
}
END_TEST

static const char *const nonsense[] = {
        "",
        "x",
        "100000 /mnt",
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000001 100000",
        "00000000-0000-0000-0000-000000000001 100000 ",
        "00000000-0000-0000-0000-000000000001 300000 /mnt",
        "00000000-0000-0000-0000-000000000001 zz /mnt",
        "00000000-0000-0000-0000-0000000000012222222222222222222222222222222222222222 100000 /mnt",
};

START_TEST(an_intent_that_makes_no_sense_touches_nothing) {
        put_intent(nonsense[_i]);
        recover();
        ck_assert_uint_eq(fake_storage_count("unexpose"), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        ck_assert_uint_eq(fake_storage_count("host:mount("), 2); /* the rest goes on */
}
END_TEST

START_TEST(an_intent_of_a_snapshot_that_is_gone) {
        put_intent("00000000-0000-0000-0000-000000000001 200000 x");
        recover();
        ck_assert_uint_eq(fake_storage_count("unexpose"), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

START_TEST(what_cannot_be_exposed_again_stays_exposed) {
        ck_assert_int_eq(expose_there(), S_OK);
        fake.fail = "expose-again";
        recover();
        assert_record(LOCALLY, "/mnt", "");
        ck_assert_int_eq(unexpose_of(maker, id), S_OK);
        assert_hidden();
}
END_TEST

START_TEST(who_uses_it_keeps_it_exposed) {
        ck_assert_int_eq(expose_there(), S_OK);
        fake.fail = "unexpose";
        ck_assert_int_eq(unexpose_of(maker, id), VSS_E_PROVIDER_VETO);
        assert_record(LOCALLY, "/mnt", "");
        ck_assert_uint_eq(host.changed, 1);
        /* A share may have been ended before it failed. */
        ck_assert_str_eq(fake.journal, "host:unexpose(/mnt) host:expose-again(/mnt) ");
}
END_TEST

START_TEST(deleting_an_exposed_snapshot_takes_force) {
        ck_assert_int_eq(expose_there(), S_OK);
        ck_assert_int_eq(delete_of(maker, id, VSS_OBJECT_SNAPSHOT, false), VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(fake.journal, "");
        assert_record(LOCALLY, "/mnt", "");
        ck_assert_int_eq(delete_of(maker, id, VSS_OBJECT_SNAPSHOT, true), S_OK);
        ck_assert_str_eq(fake.journal, "host:unexpose-force(/mnt) host:unmount-force(/alpha/one/) "
                                       "alpha:remove-force(/alpha/one/) ");
}
END_TEST

static const struct {
        const char *fail, *journal;
} undeletable[] = {
        { "unmount-force", "host:unexpose-force(/mnt) host:unmount-force(/alpha/one/) "
                           "host:expose-again(/mnt) " },
        { "remove-force", "host:unexpose-force(/mnt) host:unmount-force(/alpha/one/) "
                          "alpha:remove-force(/alpha/one/) host:mount(/alpha/one/) "
                          "host:expose-again(/mnt) " },
};

START_TEST(what_cannot_be_deleted_is_exposed_again) {
        ck_assert_int_eq(expose_there(), S_OK);
        fake.fail = undeletable[_i].fail;
        ck_assert_int_eq(delete_of(maker, id, VSS_OBJECT_SNAPSHOT, true), VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(fake.journal, undeletable[_i].journal);
        assert_record(LOCALLY, "/mnt", "");
}
END_TEST

/* It is made an end of by every means. */
START_TEST(a_service_that_cannot_be_told_keeps_no_snapshot) {
        ck_assert_int_eq(expose("", REMOTELY, "x"), S_OK);
        fake.fail = "unexpose-force";
        ck_assert_int_eq(delete_of(maker, id, VSS_OBJECT_SNAPSHOT, true), S_OK);
        ck_assert_uint_eq(fake_storage_count("alpha:remove-force(/alpha/one/) "), 1);
}
END_TEST

/* The share goes with its requester. */
START_TEST(a_copy_that_is_released_is_not_shared_any_more) {
        struct session *s;
        VSS_ID set;
        struct snapshot_record *records = NULL;
        struct exposure_request request = { .path = "", .attributes = REMOTELY, .expose = "x" };
        size_t n = 0;

        s = session_up_to("BD", VSS_CTX_BACKUP, &set);
        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        request.id = records[0].id;
        snapshot_records_free(records, n);
        ck_assert_int_eq(expose_of(s, &request), S_OK);
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("host:unexpose-force(x) "), 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2); /* the maker's */
}
END_TEST

START_TEST(it_outlives_its_session) {
        const struct exposure_request request = {
                .id = id, .path = "", .attributes = LOCALLY, .expose = "/mnt"
        };
        struct session *s = session_up_to("B0", VSS_CTX_ALL, NULL);

        fake.hold = "expose";
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_expose_snapshot(s, &request, on_exposed, NULL, &error));
        host_turn_until_holding();
        session_free(s);
        ck_assert_int_eq(answer.hr, VSS_E_BAD_STATE); /* who asked is told, and it goes on */
        fake_storage_go();
        host_settle();
        assert_record(LOCALLY, "/mnt", "");
        ck_assert_uint_eq(host.changed, 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("exposure");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, there_and_back);
        tcase_add_test(tc, the_intent_comes_first_and_the_record_last);
        tcase_add_test(tc, once_at_a_time);
        tcase_add_test(tc, what_fails_is_undone);
        tcase_add_test(tc, what_a_crash_left_is_undone);
        tcase_add_loop_test(tc, a_state_that_cannot_be_written, 0, 2);
        tcase_add_test(tc, what_was_done_before_the_crash_is_kept);
        tcase_add_loop_test(tc, an_intent_that_makes_no_sense_touches_nothing, 0,
                            ARRAY_SIZE(nonsense));
        tcase_add_test(tc, an_intent_of_a_snapshot_that_is_gone);
        tcase_add_test(tc, what_cannot_be_exposed_again_stays_exposed);
        tcase_add_test(tc, who_uses_it_keeps_it_exposed);
        tcase_add_test(tc, deleting_an_exposed_snapshot_takes_force);
        tcase_add_loop_test(tc, what_cannot_be_deleted_is_exposed_again, 0,
                            ARRAY_SIZE(undeletable));
        tcase_add_test(tc, a_service_that_cannot_be_told_keeps_no_snapshot);
        tcase_add_test(tc, a_copy_that_is_released_is_not_shared_any_more);
        tcase_add_test(tc, it_outlives_its_session);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
