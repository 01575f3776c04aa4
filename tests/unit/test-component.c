/* IVssWriterComponents and IVssComponent, by both roles: who may write what when, what comes out,
 * until when, and what is refused. */

#include "fake-component.h"

/* What the writer did goes where the service puts it. */
static void merge(IVssWriterComponents *components, enum backup_phase phase) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        ck_assert_int_eq(writer_components_finish(components, &text, &size, NULL), 0);
        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(backup_document_merge(document, &writer_info, phase, text, size, NULL), 0);
}

START_TEST(a_writer_may_write_what_its_phase_allows) {
        for (unsigned phase = 0; phase < _BACKUP_PHASE_MAX; phase++)
                for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
                        IVssWriterComponents *components = for_writer((enum backup_phase)phase);
                        IVssComponent *c = first(components);
                        bool may = writers[i].phases & 1u << phase;
                        _cleanup_(freep) char *text = NULL;
                        HRESULT hr = write_by(i, c);
                        size_t size;

                        ck_assert_msg(hr == (may ? S_OK : VSS_E_BAD_STATE), "%s in phase %u: 0x%x",
                                      writers[i].name, phase, (unsigned)hr);
                        if (may)
                                ck_assert_msg(write_by(i, c) ==
                                                      (writers[i].once ? VSS_E_OBJECT_ALREADY_EXISTS
                                                                       : S_OK),
                                              "%s a second time", writers[i].name);
                        /* The document comes back only if it was changed. */
                        ck_assert_int_eq(writer_components_finish(components, &text, &size, NULL),
                                         0);
                        ck_assert_msg(!text == !may, "%s in phase %u", writers[i].name, phase);
                        /* And then it is over. */
                        ck_assert_int_eq(write_by(i, c), VSS_E_BAD_STATE);
                        IVssComponent_Release(c);
                        ck_assert_uint_eq(IVssWriterComponentsExt_Release(components), 0);
                }
}
END_TEST

START_TEST(a_requester_may_write_nothing) {
        for (unsigned restore = 0; restore < 2; restore++) {
                IVssWriterComponents *components = for_requester(restore);
                IVssComponent *c = first(components);

                for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
                        ck_assert_msg(write_by(i, c) == VSS_E_BAD_STATE, "%s", writers[i].name);
                IVssComponent_Release(c);
                IVssWriterComponentsExt_Release(components);
        }
}
END_TEST

START_TEST(what_is_not_set_is_none) {
        for (unsigned restore = 0; restore < 2; restore++) {
                IVssWriterComponents *components = for_requester(restore);
                IVssComponent *c = first(components);
                VSS_RESTORE_TARGET target = VSS_RT_UNDEFINED;
                VSS_FILE_RESTORE_STATUS status = VSS_RS_ALL;
                VSS_ROLLFORWARD_TYPE roll = VSS_RF_ALL;
                HRESULT hr = E_FAIL, application = E_FAIL;
                BSTR text = (BSTR)&text;
                DWORD reserved = 7;

                for (size_t i = 0; i < ARRAY_SIZE(text_getters); i++) {
                        HRESULT expected = text_getters[i].text < 0 ? S_OK : S_FALSE;

                        if (!restore && text_getters[i].restore_only)
                                expected = VSS_E_BAD_STATE;
                        text = (BSTR)&text;
                        ck_assert_msg(text_getters[i].get(c, &text) == expected, "%s",
                                      text_getters[i].name);
                        ck_assert_msg(!text == (expected != S_OK), "%s", text_getters[i].name);
                        SysFreeString(text);
                }
                for (size_t i = 0; i < ARRAY_SIZE(flag_getters); i++) {
                        HRESULT expected = !restore && flag_getters[i].restore_only
                                                   ? VSS_E_BAD_STATE
                                                   : flag_getters[i].unset;
                        bool value = true;

                        ck_assert_msg(flag_getters[i].get(c, &value) == expected, "%s",
                                      flag_getters[i].name);
                        ck_assert_msg(!value, "%s", flag_getters[i].name);
                }
                for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
                        UINT n = 7;

                        ck_assert_int_eq(counters[i].count(c, &n), S_OK);
                        ck_assert_msg(n == 0, "%s", counters[i].name);
                }
                ck_assert_int_eq(IVssComponent_GetRestoreTarget(c, &target),
                                 restore ? S_OK : VSS_E_BAD_STATE);
                ck_assert_int_eq(target, restore ? VSS_RT_ORIGINAL : VSS_RT_UNDEFINED);
                ck_assert_int_eq(IVssComponent_GetFileRestoreStatus(c, &status),
                                 restore ? S_OK : VSS_E_BAD_STATE);
                ck_assert_int_eq(status, VSS_RS_UNDEFINED);
                ck_assert_int_eq(IVssComponentEx_GetRollForward(c, &roll, &text), S_OK);
                ck_assert_int_eq(roll, VSS_RF_UNDEFINED);
                ck_assert_ptr_null(text);
                ck_assert_int_eq(
                        IVssComponentEx2_GetFailure(c, &hr, &application, &text, &reserved), S_OK);
                ck_assert(hr == S_OK && application == S_OK && !text && reserved == 0);
                IVssComponent_Release(c);
                IVssWriterComponentsExt_Release(components);
        }
}
END_TEST

START_TEST(what_the_requester_wrote_is_read_by_both) {
        static const struct backup_entry files = { .texts = { "/srv", "*.db", "/mnt/new" },
                                                   .flag = true };
        static const struct backup_entry subcomponent = { .texts = { "15\\main", "base" } };
        enum { REQUESTER, WRITER, ROLES };

        for (size_t i = 0; i < ARRAY_SIZE(text_getters); i++)
                if (text_getters[i].text >= 0)
                        ck_assert_int_eq(backup_component_set_text(
                                                 component, (enum backup_text)text_getters[i].text,
                                                 text_getters[i].name, NULL),
                                         0);
        for (size_t i = 0; i < ARRAY_SIZE(flag_getters); i++)
                ck_assert_int_eq(
                        backup_component_set_flag(component, flag_getters[i].flag, true, NULL), 0);
        ck_assert_int_eq(
                backup_component_add_entry(component, BACKUP_LIST_NEW_TARGET, &files, NULL), 0);
        ck_assert_int_eq(backup_component_add_entry(
                                 component, BACKUP_LIST_ALTERNATE_LOCATION_MAPPING, &files, NULL),
                         0);
        ck_assert_int_eq(backup_component_add_entry(component, BACKUP_LIST_RESTORE_SUBCOMPONENT,
                                                    &subcomponent, NULL),
                         0);
        ck_assert_int_eq(backup_component_set_number(component, BACKUP_NUMBER_FILE_RESTORE_STATUS,
                                                     VSS_RS_FAILED, NULL),
                         0);
        ck_assert_int_eq(backup_component_set_number(component, BACKUP_NUMBER_ROLL_FORWARD,
                                                     VSS_RF_PARTIAL, NULL),
                         0);
        ck_assert_int_eq(
                backup_component_set_text(component, BACKUP_TEXT_ROLL_FORWARD_POINT, "noon", NULL),
                0);
        for (unsigned role = 0; role < ROLES; role++) {
                IVssWriterComponents *components = role == WRITER
                                                           ? for_writer(BACKUP_PHASE_POST_RESTORE)
                                                           : for_requester(true);
                IVssComponent *c = first(components);
                VSS_FILE_RESTORE_STATUS status;
                VSS_ROLLFORWARD_TYPE roll;
                VSS_COMPONENT_TYPE type;
                IVssWMFiledesc *moved;
                BSTR text, other;
                DWORD mask;
                bool flag;

                ck_assert_int_eq(IVssComponent_GetComponentType(c, &type), S_OK);
                ck_assert_int_eq(type, VSS_CT_DATABASE);
                for (size_t i = 0; i < ARRAY_SIZE(text_getters); i++) {
                        ck_assert_int_eq(text_getters[i].get(c, &text), S_OK);
                        ck_assert_str_eq(text, text_getters[i].text >= 0 ? text_getters[i].name
                                               : i == 0                  ? "15"
                                                                         : "main");
                        SysFreeString(text);
                }
                for (size_t i = 0; i < ARRAY_SIZE(flag_getters); i++) {
                        flag = false;
                        ck_assert_int_eq(flag_getters[i].get(c, &flag), S_OK);
                        ck_assert_msg(flag, "%s", flag_getters[i].name);
                }
                ck_assert_int_eq(IVssComponent_GetNewTarget(c, 0, &moved), S_OK);
                ck_assert_uint_eq(IVssWMFiledesc_AddRef(moved), 2);
                ck_assert_uint_eq(IVssWMFiledesc_Release(moved), 1);
                ck_assert_int_eq(IVssWMFiledesc_GetPath(moved, &text), S_OK);
                ck_assert_str_eq(text, "/srv");
                SysFreeString(text);
                ck_assert_int_eq(IVssWMFiledesc_GetFilespec(moved, &text), S_OK);
                ck_assert_str_eq(text, "*.db");
                SysFreeString(text);
                ck_assert_int_eq(IVssWMFiledesc_GetAlternateLocation(moved, &text), S_OK);
                ck_assert_str_eq(text, "/mnt/new");
                SysFreeString(text);
                ck_assert_int_eq(IVssWMFiledesc_GetRecursive(moved, &flag), S_OK);
                ck_assert(flag);
                ck_assert_int_eq(IVssWMFiledesc_GetBackupTypeMask(moved, &mask), S_OK);
                ck_assert_uint_eq(mask, 0xf0f);
                ck_assert_uint_eq(IVssWMFiledesc_Release(moved), 0);
                ck_assert_int_eq(IVssComponent_GetAlternateLocationMapping(c, 0, &moved), S_OK);
                IVssWMFiledesc_Release(moved);
                ck_assert_int_eq(IVssComponent_GetRestoreSubcomponent(c, 0, &text, &other, &flag),
                                 S_OK);
                ck_assert_str_eq(text, "15\\main");
                ck_assert_str_eq(other, "base");
                ck_assert(!flag);
                SysFreeString(text);
                SysFreeString(other);
                ck_assert_int_eq(IVssComponent_GetFileRestoreStatus(c, &status), S_OK);
                ck_assert_int_eq(status, VSS_RS_FAILED);
                ck_assert_int_eq(IVssComponentEx_GetRollForward(c, &roll, &text), S_OK);
                ck_assert_int_eq(roll, VSS_RF_PARTIAL);
                ck_assert_str_eq(text, "noon");
                SysFreeString(text);
                IVssComponent_Release(c);
                IVssWriterComponentsExt_Release(components);
        }
}
END_TEST

START_TEST(what_the_writer_wrote_is_read_by_the_requester) {
        static const enum backup_phase phases[] = { BACKUP_PHASE_PREPARE_BACKUP,
                                                    BACKUP_PHASE_PRE_RESTORE };
        IVssWriterComponents *components;
        HRESULT hr, application;
        VSS_RESTORE_TARGET target;
        BSTR texts[6];
        IVssComponent *c;
        FILETIME time;
        DWORD reserved;
        BOOL recursive;

        backup_component_set_recipient(component, instance_id);
        for (size_t p = 0; p < ARRAY_SIZE(phases); p++) {
                components = for_writer(phases[p]);
                c = first(components);
                ck_assert(!writer_components_any_failed(components) || p > 0);
                for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
                        if (writers[i].phases & 1u << phases[p])
                                ck_assert_int_eq(write_by(i, c), S_OK);
                ck_assert(writer_components_any_failed(components));
                if (p == 0)
                        ck_assert_int_eq(IVssComponent_AddPartialFile(c, "${statedir}/x", "g",
                                                                      "File=/run/ranges", "note"),
                                         S_OK);
                IVssComponent_Release(c);
                merge(components, phases[p]);
                IVssWriterComponentsExt_Release(components);
        }
        components = for_requester(true);
        c = first(components);
        ck_assert_int_eq(IVssComponent_GetBackupStamp(c, &texts[0]), S_OK);
        ck_assert_str_eq(texts[0], "text");
        SysFreeString(texts[0]);
        ck_assert_int_eq(
                IVssComponent_GetPartialFile(c, 0, &texts[0], &texts[1], &texts[2], &texts[3]),
                S_OK);
        ck_assert_str_eq(texts[0], "/srv");
        ck_assert_str_eq(texts[1], "f");
        ck_assert_str_eq(texts[2], "0:512");
        ck_assert_ptr_null(texts[3]);
        for (size_t i = 0; i < 4; i++)
                SysFreeString(texts[i]);
        ck_assert_int_eq(
                IVssComponent_GetPartialFile(c, 1, &texts[0], &texts[1], &texts[2], &texts[3]),
                S_OK);
        ck_assert_str_eq(texts[0], "${statedir}/x");
        ck_assert_str_eq(texts[2], "/run/ranges");
        ck_assert_str_eq(texts[3], "note");
        for (size_t i = 0; i < 4; i++)
                SysFreeString(texts[i]);
        ck_assert_int_eq(IVssComponent_GetDifferencedFile(c, 0, &texts[0], &texts[1], &recursive,
                                                          &texts[2], &time),
                         S_OK);
        ck_assert_str_eq(texts[0], "/srv");
        ck_assert_str_eq(texts[1], "*.db");
        ck_assert_int_eq(recursive, TRUE);
        ck_assert_ptr_null(texts[2]);
        ck_assert(time.dwLowDateTime == 2 && time.dwHighDateTime == 1);
        SysFreeString(texts[0]);
        SysFreeString(texts[1]);
        ck_assert_int_eq(IVssComponent_GetDirectedTarget(c, 0, &texts[0], &texts[1], &texts[2],
                                                         &texts[3], &texts[4], &texts[5]),
                         S_OK);
        ck_assert_str_eq(texts[0], "/a");
        ck_assert_str_eq(texts[2], "0:1");
        ck_assert_str_eq(texts[4], "g");
        ck_assert_str_eq(texts[5], "9:1");
        for (size_t i = 0; i < 6; i++)
                SysFreeString(texts[i]);
        ck_assert_int_eq(IVssComponent_GetRestoreTarget(c, &target), S_OK);
        ck_assert_int_eq(target, VSS_RT_DIRECTED);
        ck_assert_int_eq(IVssComponentEx2_GetFailure(c, &hr, &application, &texts[0], &reserved),
                         S_OK);
        ck_assert_int_eq(hr, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(application, 42);
        ck_assert_str_eq(texts[0], "full");
        SysFreeString(texts[0]);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(a_view_ends_with_its_generation) {
        IVssWriterComponents *components = for_requester(true), *fresh;
        IVssComponent *c = first(components);
        BSTR text = NULL;
        VSS_ID a, b;
        UINT n = 7;

        /* The control: it holds until then. */
        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(components, &n), S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(IVssWriterComponents_GetWriterInfo(components, &a, &b), S_OK);
        ck_assert(vss_id_equal(a, instance_id) && vss_id_equal(b, class_id));
        generation_advance(generation);
        fresh = for_requester(true);
        for (size_t i = 0; i < ARRAY_SIZE(text_getters); i++) {
                ck_assert_msg(text_getters[i].get(c, &text) == VSS_E_BAD_STATE, "%s",
                              text_getters[i].name);
                ck_assert_ptr_null(text);
        }
        for (size_t i = 0; i < ARRAY_SIZE(flag_getters); i++) {
                bool value = true;

                ck_assert_int_eq(flag_getters[i].get(c, &value), VSS_E_BAD_STATE);
                ck_assert(!value);
        }
        for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
                ck_assert_int_eq(counters[i].count(c, &n), VSS_E_BAD_STATE);
        IVssComponent_Release(c);
        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(components, &n), VSS_E_BAD_STATE);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(IVssWriterComponents_GetWriterInfo(components, &a, &b), VSS_E_BAD_STATE);
        ck_assert(vss_id_is_null(a) && vss_id_is_null(b));
        c = (IVssComponent *)&n;
        ck_assert_int_eq(IVssWriterComponents_GetComponent(components, 0, &c), VSS_E_BAD_STATE);
        ck_assert_ptr_null(c);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "GetWriterComponents again"));
        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(fresh, &n), S_OK);
        IVssWriterComponentsExt_Release(fresh);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(a_component_outlives_what_it_came_from) {
        IVssWriterComponents *components = for_requester(false);
        IVssComponent *c = first(components);
        BSTR name;

        ck_assert_uint_eq(IVssWriterComponentsExt_AddRef(components), 2);
        ck_assert_uint_eq(IVssWriterComponentsExt_Release(components), 1);
        ck_assert_uint_eq(IVssWriterComponentsExt_Release(components), 0);
        ck_assert_uint_eq(IVssComponent_AddRef(c), 2);
        ck_assert_uint_eq(IVssComponent_Release(c), 1);
        ck_assert_int_eq(IVssComponent_GetComponentName(c, &name), S_OK);
        ck_assert_str_eq(name, "main");
        SysFreeString(name);
        ck_assert_uint_eq(IVssComponent_Release(c), 0);
        ck_assert_uint_eq(IVssComponent_Release(NULL), 0);
        ck_assert_uint_eq(IVssComponent_AddRef(NULL), 0);
        ck_assert_uint_eq(IVssWriterComponentsExt_Release(NULL), 0);
        ck_assert_uint_eq(IVssWriterComponentsExt_AddRef(NULL), 0);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                a_writer_may_write_what_its_phase_allows,
                a_requester_may_write_nothing,
                what_is_not_set_is_none,
                what_the_requester_wrote_is_read_by_both,
                what_the_writer_wrote_is_read_by_the_requester,
                a_view_ends_with_its_generation,
                a_component_outlives_what_it_came_from,
        };
        Suite *suite = suite_create("component");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
