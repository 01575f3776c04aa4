/* Which volumes a session takes, what it says of the others, and what anybody may ask of volumes.
 */

#include "tests/unit/fake-host.h"

START_TEST(volumes_that_cannot_be_added) {
        static const VSS_ID unknown = { .Data1 = 77 };
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);

        ck_assert_int_eq(add_volume(s, ""), E_INVALIDARG);
        ck_assert_int_eq(add_volume(s, "gone"), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(add_volume(s, "none/x"), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_int_eq(add_volume(s, "alpha/one"), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_ptr_nonnull(strstr(answer.message, "alpha/one"));
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_add_to_snapshot_set(s, "alpha/x", unknown, on_id, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), VSS_E_PROVIDER_NOT_REGISTERED);
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_add_to_snapshot_set(s, "alpha/x", provider_beta.id, on_id, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER);
        /* What was added before is still good. */
        ck_finished(session_prepare_for_backup, s);
        ck_finished(session_do_snapshot_set, s);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        session_free(s);
}
END_TEST

START_TEST(limits_of_volumes_and_snapshots) {
        struct session *s, *keeper;
        char spec[32];

        host.config.max_volumes = 4;
        host.config.max_snapshots = 1;
        host_reconfigure();
        s = session_up_to("BS", VSS_CTX_BACKUP, NULL); /* two volumes */
        for (unsigned i = 2; i < 4; i++) {
                (void)snprintf(spec, sizeof(spec), "alpha/v%u", i);
                ck_assert_int_eq(add_volume(s, spec), S_OK);
        }
        ck_assert_int_eq(add_volume(s, "alpha/v4"), VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED);
        ck_finished(session_prepare_for_backup, s);
        ck_finished(session_do_snapshot_set, s);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 4);
        keeper = s;

        s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        ck_ok(session_start_snapshot_set(s, &answer.id, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED);
        /* It is supported all the same. */
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_is_volume_supported(s, GUID_NULL, "alpha/one", on_flag, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert(answer.flag);
        session_free(s);
        session_free(keeper);
}
END_TEST

static VSS_ID copy_of(LONG context, const char *volume) {
        struct session *s = session_up_to("B0", context, NULL);
        VSS_ID id;

        ck_ok(session_start_snapshot_set(s, &id, &error));
        ck_assert_int_eq(add_volume(s, volume), S_OK);
        id = answer.id;
        ck_finished(session_do_snapshot_set, s);
        session_free(s);
        host_settle();
        return id;
}

static bool is_there(VSS_ID id) {
        struct snapshot_record r = { 0 };
        int k = store_snapshot_get(host.store, id, &r, NULL);

        snapshot_record_done(&r);
        return k >= 0;
}

/* Client-accessible copies have a limit of their own, besides that of all: one more takes the place
 * of the oldest of them. */
START_TEST(copies_for_clients_are_fewer) {
        VSS_ID first, second, third, of_other, no_client;
        struct session *s;

        host.config.max_client_snapshots = 2;
        host_reconfigure();
        no_client = copy_of(VSS_CTX_NAS_ROLLBACK, "beta/one");
        of_other = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/two");
        first = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        second = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        ck_assert_uint_eq(host.removed, 0);
        /* One that is not made costs none. */
        fake.fail = "stage";
        s = session_up_to("B0", VSS_CTX_CLIENT_ACCESSIBLE, NULL);
        ck_ok(session_start_snapshot_set(s, &third, &error));
        ck_assert_int_eq(add_volume(s, "beta/one"), S_OK);
        ck_async(VSS_E_PROVIDER_VETO, session_do_snapshot_set, s);
        session_free(s);
        host_settle();
        fake.fail = NULL;
        ck_assert(is_there(first));
        /* Nor does one that is not for clients. */
        (void)copy_of(VSS_CTX_NAS_ROLLBACK, "beta/one");
        ck_assert(is_there(first));
        third = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        ck_assert(!is_there(first) && is_there(second) && is_there(third));
        ck_assert(is_there(no_client) && is_there(of_other));
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(fake_storage_count("beta:remove-force(/beta/one/)"), 1);
}
END_TEST

/* A copy that could not go is tried again with the next set. */
START_TEST(a_copy_for_clients_that_stays_is_tried_again) {
        VSS_ID first, second, third;

        host.config.max_client_snapshots = 1;
        host_reconfigure();
        first = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        fake.fail = "remove-force";
        second = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        fake.fail = NULL;
        ck_assert(is_there(first) && is_there(second));
        third = copy_of(VSS_CTX_CLIENT_ACCESSIBLE, "beta/one");
        ck_assert(!is_there(first) && !is_there(second) && is_there(third));
}
END_TEST

START_TEST(is_volume_supported) {
        static const struct {
                const char *spec;
                HRESULT hr;
                bool supported;
        } cases[] = {
                { "alpha/one", S_OK, true },
                { "none/three", VSS_E_VOLUME_NOT_SUPPORTED, false },
                { "gone", VSS_E_OBJECT_NOT_FOUND, false },
        };
        static const VSS_ID unknown = { .Data1 = 77 };
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                memset(&answer, 0, sizeof(answer));
                answer.flag = true;
                ck_ok(session_is_volume_supported(s, GUID_NULL, cases[i].spec, on_flag, NULL,
                                                  &error));
                ck_assert_int_eq(wait_for_answer(), cases[i].hr);
                /* Not supported is an answer, with its reason; not there is a failure. */
                ck_assert_int_eq(answer.r < 0, cases[i].hr == VSS_E_OBJECT_NOT_FOUND);
                if (answer.r >= 0)
                        ck_assert_int_eq(answer.flag, cases[i].supported);
        }
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_is_volume_supported(s, unknown, "alpha/one", on_flag, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), VSS_E_PROVIDER_NOT_REGISTERED);
        ck_call(E_INVALIDARG,
                session_is_volume_supported(s, GUID_NULL, NULL, on_flag, NULL, &error));
        session_free(s);
}
END_TEST

static struct {
        size_t n;
        char text[512];
        struct snapshotted_result snapshotted;
} listed;

static void on_list(void *userdata _unused_, int r, const void *result,
                    struct vss_error *error _unused_) {
        const struct volume_list_result *list = result;

        ck_assert_int_ge(r, 0);
        answer.n++;
        listed.n = list->n;
        for (size_t i = 0; i < list->n; i++)
                (void)snprintf(listed.text + strlen(listed.text),
                               sizeof(listed.text) - strlen(listed.text), "%s %s %u %s;",
                               list->rows[i].volume->display,
                               list->rows[i].provider ? list->rows[i].provider->name : "-",
                               list->rows[i].snapshots,
                               list->rows[i].supported ? "yes"
                                                       : str_or_empty(list->rows[i].reason));
}

static void on_snapshotted(void *userdata _unused_, int r, const void *result,
                           struct vss_error *error) {
        on_answer(r, error);
        if (r >= 0)
                listed.snapshotted = *(const struct snapshotted_result *)result;
}

static void on_supported(void *userdata _unused_, int r, const void *result,
                         struct vss_error *error) {
        const struct supported_result *s = result;

        on_answer(r, error);
        if (r >= 0)
                (void)snprintf(listed.text, sizeof(listed.text), "%d %s %s", s->supported,
                               s->provider, s->reason);
}

START_TEST(what_anybody_may_ask) {
        struct session *s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, NULL);

        memset(&listed, 0, sizeof(listed));
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_list_volumes(host.manager, on_list, NULL, &error));
        (void)wait_for_answer();
        ck_assert_str_eq(listed.text, "alpha/one alpha 1 yes;beta/two beta 1 yes;"
                                      "none/three - 0 /none/three/ has no copy-on-write below;"
                                      "alpha/swap - 0 alpha/swap is swap space;");

        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_is_volume_snapshotted(host.manager, "alpha/one", on_snapshotted, NULL,
                                            &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert(listed.snapshotted.present);
        ck_assert_int_eq(listed.snapshotted.capability, VSS_SC_DISABLE_DEFRAG);
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_is_volume_snapshotted(host.manager, "alpha/other", on_snapshotted, NULL,
                                            &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert(!listed.snapshotted.present);
        ck_assert_int_eq(listed.snapshotted.capability, 0);
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_is_volume_snapshotted(host.manager, "gone", on_snapshotted, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), VSS_E_OBJECT_NOT_FOUND);

        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_is_volume_supported(host.manager, "beta/x", on_supported, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert_str_eq(listed.text, "1 beta ");
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_is_volume_supported(host.manager, "none/x", on_supported, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_assert_str_eq(listed.text, "0  /none/x/ has no copy-on-write below");
        ck_call(E_INVALIDARG,
                manager_is_volume_supported(host.manager, "", on_supported, NULL, &error));
        session_free(s);
}
END_TEST

static void on_change(void *userdata _unused_, int r, const void *result _unused_,
                      struct vss_error *error) {
        on_answer(r, error);
}

START_TEST(no_set_begins_while_a_volume_changes_its_mapping) {
        static const struct {
                const char *step;
                int (*change)(struct session_manager *m, const char *volume,
                              const struct adoption_options *options, session_done_fn done,
                              void *userdata, struct vss_error *reterr);
        } cases[] = {
                { "adopt", manager_adopt_volume },
                { "release", manager_release_volume },
        };
        const struct adoption_options options = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);

                fake_storage_reset();
                fake.hold = cases[i].step;
                memset(&answer, 0, sizeof(answer));
                ck_ok(cases[i].change(host.manager, "/srv", &options, on_change, NULL, &error));
                host_turn_until_holding();
                ck_call(VSS_E_SNAPSHOT_SET_IN_PROGRESS,
                        session_start_snapshot_set(s, &answer.id, &error));
                fake_storage_go();
                ck_assert_int_eq(wait_for_answer(), S_OK);
                host_settle();
                ck_ok(session_start_snapshot_set(s, &answer.id, &error));
                ck_call(VSS_E_SNAPSHOT_SET_IN_PROGRESS,
                        cases[i].change(host.manager, "/srv", &options, on_change, NULL, &error));
                session_free(s);
                host_settle();
                /* One that failed counts no longer, either. */
                fake_storage_reset();
                fake.fail = cases[i].step;
                memset(&answer, 0, sizeof(answer));
                ck_ok(cases[i].change(host.manager, "/srv", &options, on_change, NULL, &error));
                ck_assert_int_eq(wait_for_answer(), VSS_E_PROVIDER_VETO);
                s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
                ck_ok(session_start_snapshot_set(s, &answer.id, &error));
                session_free(s);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-volumes");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_add_test(tc, volumes_that_cannot_be_added);
        tcase_add_test(tc, limits_of_volumes_and_snapshots);
        tcase_add_test(tc, copies_for_clients_are_fewer);
        tcase_add_test(tc, a_copy_for_clients_that_stays_is_tried_again);
        tcase_add_test(tc, is_volume_supported);
        tcase_add_test(tc, what_anybody_may_ask);
        tcase_add_test(tc, no_set_begins_while_a_volume_changes_its_mapping);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
