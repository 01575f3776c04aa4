/* Which provider serves a volume. */

#include "common/vss-id.h"
#include "daemon/providers/lvm-transport.h"
#include "daemon/providers/provider.h"

#include <check.h>

static const struct volume volume = { .name = (char[]){ "/srv/" } };
static const char *takes;   /* names of the providers that take the volume */
static const char *foreign; /* of those whose kind it is not */

static int answer(const char *name, struct vss_error *reterr) {
        if (takes && strstr(takes, name))
                return 0;
        (void)vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s does not like it",
                            name);
        return foreign && strstr(foreign, name) ? PROVIDER_OTHER_KIND : -EOPNOTSUPP;
}

#define PROBE(name)                                                                               \
        static int name##_probe(const struct volume *v, LONG context, struct vss_error *reterr) { \
                ck_assert_ptr_eq(v, &volume);                                                     \
                (void)context;                                                                    \
                return answer(#name, reterr);                                                     \
        }

PROBE(system)
PROBE(thin)
PROBE(native)
PROBE(array)

#define ID(n)                                  \
        {                                      \
                n, 1, 1, {                     \
                        1, 1, 1, 1, 1, 1, 1, 1 \
                }                              \
        }

static const struct provider system_provider = {
        .name = "system", .id = ID(1), .type = VSS_PROV_SYSTEM, .probe = system_probe
};
static const struct provider thin_provider = {
        .name = "thin", .id = ID(2), .type = VSS_PROV_SOFTWARE, .priority = 5, .probe = thin_probe
};
static const struct provider native_provider = { .name = "native",
                                                 .id = ID(3),
                                                 .type = VSS_PROV_SOFTWARE,
                                                 .priority = 9,
                                                 .probe = native_probe };
static const struct provider array_provider = {
        .name = "array", .id = ID(4), .type = VSS_PROV_HARDWARE, .probe = array_probe
};
static const struct provider *const table[] = { &system_provider, &thin_provider, &native_provider,
                                                &array_provider, NULL };

static const VSS_ID any = { 0 };

static void set_up(void) {
        providers_init(table);
}

static const struct provider *selected(VSS_ID id, LONG context) {
        struct vss_error error = { 0 };
        const struct provider *p = NULL;

        ck_assert_msg(provider_select(&p, id, &volume, context, &error) == 0, "%s", error.message);
        return p;
}

static void assert_refused(VSS_ID id, LONG context, HRESULT hr, const char *word) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        const struct provider *p = NULL;

        ck_assert_int_lt(provider_select(&p, id, &volume, context, &error), 0);
        ck_assert_ptr_null(p);
        ck_assert_msg(error.hr == hr, "%#x %s", (unsigned)error.hr, error.message);
        ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
}

START_TEST(kinds_are_asked_in_order_and_inside_by_priority) {
        takes = "system thin native array";
        ck_assert_ptr_eq(selected(any, VSS_CTX_BACKUP), &array_provider);
        takes = "system thin native";
        ck_assert_ptr_eq(selected(any, VSS_CTX_BACKUP), &native_provider);
        takes = "system thin";
        ck_assert_ptr_eq(selected(any, VSS_CTX_BACKUP), &thin_provider);
        takes = "system";
        ck_assert_ptr_eq(selected(any, VSS_CTX_BACKUP), &system_provider);
}
END_TEST

START_TEST(when_nobody_takes_it_the_system_provider_says_why) {
        takes = "";
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "system does not like it");
        providers_init((const struct provider *const[]){ NULL });
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "/srv/");
}
END_TEST

START_TEST(the_reason_is_of_the_provider_whose_kind_it_is) {
        takes = "";
        foreign = "system native";
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "thin does not like it");
        foreign = "system thin native";
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "array does not like it");
        foreign = "array thin native";
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "system does not like it");
        foreign = "system thin native array";
        assert_refused(any, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED, "system does not like it");
        assert_refused(thin_provider.id, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
                       "thin does not like it");
}
END_TEST

START_TEST(client_accessible_copies_are_the_system_providers) {
        takes = "system thin native array";
        ck_assert_ptr_eq(selected(any, VSS_CTX_CLIENT_ACCESSIBLE), &system_provider);
        assert_refused(thin_provider.id, VSS_CTX_CLIENT_ACCESSIBLE,
                       VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, "system provider");
}
END_TEST

START_TEST(a_named_provider_is_asked_alone) {
        takes = "thin array";
        ck_assert_ptr_eq(selected(thin_provider.id, VSS_CTX_BACKUP), &thin_provider);
        assert_refused(native_provider.id, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
                       "native does not like it");
        assert_refused((VSS_ID)ID(99), VSS_CTX_BACKUP, VSS_E_PROVIDER_NOT_REGISTERED, "00000063");
}
END_TEST

START_TEST(windows_own_id_means_the_system_provider) {
        VSS_ID windows;

        ck_assert_int_eq(vss_id_parse(&windows, "b5946137-7b9f-4925-af80-51abd60b20d5"), 0);
        takes = "system array";
        ck_assert_ptr_eq(selected(windows, VSS_CTX_BACKUP), &system_provider);
        ck_assert_ptr_eq(provider_by_id(windows), &system_provider);
        takes = "array";
        assert_refused(windows, VSS_CTX_BACKUP, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
                       "system does not like it");
        providers_init((const struct provider *const[]){ &thin_provider, NULL });
        assert_refused(windows, VSS_CTX_BACKUP, VSS_E_PROVIDER_NOT_REGISTERED, "b5946137");
}
END_TEST

START_TEST(providers_are_found_by_name_and_id) {
        ck_assert_ptr_eq(provider_by_name("thin"), &thin_provider);
        ck_assert_ptr_null(provider_by_name("thick"));
        ck_assert_ptr_eq(provider_by_id(array_provider.id), &array_provider);
        ck_assert_ptr_null(provider_by_id(any));
        ck_assert_ptr_eq(providers_all(), table);
}
END_TEST

static const struct provider second_provider = {
        .name = "second", .id = ID(5), .type = VSS_PROV_SYSTEM, .priority = 1, .probe = thin_probe
};

START_TEST(windows_own_id_means_whichever_system_provider_takes_it) {
        VSS_ID windows;

        ck_assert_int_eq(vss_id_parse(&windows, "b5946137-7b9f-4925-af80-51abd60b20d5"), 0);
        providers_init((const struct provider *const[]){ &system_provider, &second_provider,
                                                         &array_provider, NULL });
        takes = "system array";
        ck_assert_ptr_eq(selected(windows, VSS_CTX_BACKUP), &system_provider);
        takes = "thin array";
        ck_assert_ptr_eq(selected(windows, VSS_CTX_BACKUP), &second_provider);
        ck_assert_ptr_eq(selected(windows, VSS_CTX_CLIENT_ACCESSIBLE), &second_provider);
}
END_TEST

/* Names and ids are kept in the store: they never change. */
static const struct {
        const struct provider *provider;
        const char *name, *id;
} real_providers[] = {
        { &provider_dm, "dm", "7e1b5c02-4f3d-4a86-b067-1d95c83e2af4" },
        { &provider_lvm_thick, "lvm-thick", "03d94b7f-8c84-448c-89ef-d81f8498adea" },
        { &provider_lvm_thin, "lvm-thin", "5c7f0d34-2a91-4e6b-9d18-63b2e470af52" },
};

START_TEST(the_real_providers_are_complete) {
        const struct provider *p = real_providers[_i].provider;
        VSS_ID id;

        ck_assert_str_eq(p->name, real_providers[_i].name);
        ck_assert_int_eq(vss_id_parse(&id, real_providers[_i].id), 0);
        ck_assert(vss_id_equal(p->id, id));
        ck_assert_int_eq(p->type, VSS_PROV_SYSTEM);
        ck_assert(!vss_id_is_null(p->version_id));
        ck_assert(p->display_name && p->version);
        ck_assert(p->probe && p->stage && p->add_window_rows && p->finish && p->seal && p->abort &&
                  p->intents && p->release && p->remove && p->recover && p->activate && p->usage);
}
END_TEST

/* A provider that knows nothing of such contexts need not. */
START_TEST(transportable_copies_are_for_those_who_can_hand_them_over) {
        static struct provider able;
        const struct provider *one[] = { &system_provider, NULL }, *found = NULL;
        struct vss_error error = { 0 };

        takes = "system";
        able = system_provider;
        able.hand_over = lvm_hand_over;
        providers_init(one);
        ck_assert_int_eq(provider_select(&found, GUID_NULL, &volume, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_int_lt(provider_select(&found, GUID_NULL, &volume,
                                         VSS_CTX_BACKUP | VSS_VOLSNAP_ATTR_TRANSPORTABLE, &error),
                         0);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.message, "transportable"));
        vss_error_done(&error);
        one[0] = &able;
        ck_assert_int_eq(provider_select(&found, GUID_NULL, &volume,
                                         VSS_CTX_BACKUP | VSS_VOLSNAP_ATTR_TRANSPORTABLE, NULL),
                         0);
        ck_assert_ptr_eq(found, &able);
}
END_TEST

START_TEST(the_lvm_thick_provider_declines_what_it_cannot_do) {
        const struct volume partition = { .name = (char[]){ "/dev/sda1" } };
        static const LONG unfit[] = { VSS_VOLSNAP_ATTR_PLEX, VSS_VOLSNAP_ATTR_FILE_SHARE };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        ck_assert_int_eq(provider_lvm_thick.probe(&partition, VSS_CTX_BACKUP, &error), -EOPNOTSUPP);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.message, "/dev/sda1"));
        for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
                _cleanup_(vss_error_done) struct vss_error reason = { 0 };

                ck_assert_int_eq(provider_lvm_thick.probe(&partition, unfit[i], &reason),
                                 -EOPNOTSUPP);
                ck_assert_int_eq(reason.hr, VSS_E_VOLUME_NOT_SUPPORTED);
                ck_assert_str_ne(reason.message, error.message);
        }
}
END_TEST

START_TEST(what_is_no_lv_is_of_another_kind_than_thin_ones) {
        const struct volume partition = { .name = (char[]){ "/dev/sda1" } };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        ck_assert_int_eq(provider_lvm_thin.probe(&partition, VSS_CTX_BACKUP, &error),
                         PROVIDER_OTHER_KIND);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.message, "/dev/sda1"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("provider");
        TCase *t = tcase_create("provider");
        SRunner *runner;
        int n_failed;

        tcase_add_checked_fixture(t, set_up, NULL);
        tcase_add_test(t, transportable_copies_are_for_those_who_can_hand_them_over);
        tcase_add_test(t, kinds_are_asked_in_order_and_inside_by_priority);
        tcase_add_test(t, when_nobody_takes_it_the_system_provider_says_why);
        tcase_add_test(t, the_reason_is_of_the_provider_whose_kind_it_is);
        tcase_add_test(t, client_accessible_copies_are_the_system_providers);
        tcase_add_test(t, a_named_provider_is_asked_alone);
        tcase_add_test(t, windows_own_id_means_the_system_provider);
        tcase_add_test(t, providers_are_found_by_name_and_id);
        tcase_add_test(t, windows_own_id_means_whichever_system_provider_takes_it);
        tcase_add_loop_test(t, the_real_providers_are_complete, 0, (int)ARRAY_SIZE(real_providers));
        tcase_add_test(t, the_lvm_thick_provider_declines_what_it_cannot_do);
        tcase_add_test(t, what_is_no_lv_is_of_another_kind_than_thin_ones);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
