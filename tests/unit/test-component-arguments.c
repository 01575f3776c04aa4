/* What the methods of IVssWriterComponents and IVssComponent refuse. */

#include "fake-component.h"
#include "libvssclient/range-list.h"

START_TEST(texts_that_are_missing_or_unfit_are_refused) {
        for (unsigned phase = 0; phase < _BACKUP_PHASE_MAX; phase++)
                for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
                        IVssWriterComponents *components;
                        _cleanup_(freep) char *text = NULL;
                        IVssComponent *c;
                        size_t size;

                        if (!writers[i].set || !(writers[i].phases & 1u << phase))
                                continue;
                        components = for_writer((enum backup_phase)phase);
                        c = first(components);
                        ck_assert_int_eq(writers[i].set(c, NULL), E_INVALIDARG);
                        ck_assert_int_eq(writers[i].set(c, ""), E_INVALIDARG);
                        ck_assert_int_eq(writers[i].set(c, "\x01"), E_INVALIDARG);
                        ck_assert_int_eq(writers[i].set(c, "\xff"), E_INVALIDARG);
                        ck_assert_int_eq(writers[i].set(NULL, "text"), E_INVALIDARG);
                        ck_assert_int_eq(writer_components_finish(components, &text, &size, NULL),
                                         0);
                        ck_assert_ptr_null(text);
                        IVssComponent_Release(c);
                        IVssWriterComponentsExt_Release(components);
                }
}
END_TEST

START_TEST(missing_objects_and_outputs_are_refused) {
        IVssWriterComponents *components = for_requester(true);
        IVssComponent *c = first(components), *none = NULL;
        VSS_FILE_RESTORE_STATUS status;
        VSS_COMPONENT_TYPE type;
        VSS_RESTORE_TARGET target;
        VSS_ROLLFORWARD_TYPE roll;
        HRESULT hr, application;
        IVssWMFiledesc *files;
        DWORD reserved;
        FILETIME time;
        BSTR text[6];
        BOOL wide;
        bool flag;
        VSS_ID id;
        UINT n;

        for (size_t i = 0; i < ARRAY_SIZE(text_getters); i++) {
                ck_assert_int_eq(text_getters[i].get(NULL, text), E_INVALIDARG);
                ck_assert_int_eq(text_getters[i].get(c, NULL), E_INVALIDARG);
        }
        for (size_t i = 0; i < ARRAY_SIZE(flag_getters); i++) {
                ck_assert_int_eq(flag_getters[i].get(NULL, &flag), E_INVALIDARG);
                ck_assert_int_eq(flag_getters[i].get(c, NULL), E_INVALIDARG);
        }
        for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
                ck_assert_int_eq(counters[i].count(NULL, &n), E_INVALIDARG);
                ck_assert_int_eq(counters[i].count(c, NULL), E_INVALIDARG);
        }
        for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
                ck_assert_int_eq(write_by(i, NULL), E_INVALIDARG);
        /* The rest, each output left out once, and the object. */
        for (int out = -1; out < 6; out++) {
#define OR_NULL(i, p) (out == (i) ? NULL : (p))
                IVssComponent *object = out < 0 ? NULL : c;

                if (out < 1) {
                        ck_assert_int_eq(IVssComponent_GetComponentType(object, OR_NULL(0, &type)),
                                         E_INVALIDARG);
                        ck_assert_int_eq(
                                IVssComponent_GetRestoreTarget(object, OR_NULL(0, &target)),
                                E_INVALIDARG);
                        ck_assert_int_eq(
                                IVssComponent_GetFileRestoreStatus(object, OR_NULL(0, &status)),
                                E_INVALIDARG);
                        ck_assert_int_eq(IVssComponent_GetNewTarget(object, 0, OR_NULL(0, &files)),
                                         E_INVALIDARG);
                        ck_assert_int_eq(IVssComponent_GetAlternateLocationMapping(
                                                 object, 0, OR_NULL(0, &files)),
                                         E_INVALIDARG);
                        ck_assert_int_eq(IVssWriterComponents_GetComponent(
                                                 out < 0 ? NULL : components, 0, OR_NULL(0, &none)),
                                         E_INVALIDARG);
                        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(
                                                 out < 0 ? NULL : components, OR_NULL(0, &n)),
                                         E_INVALIDARG);
                }
                if (out < 2) {
                        ck_assert_int_eq(IVssComponentEx_GetRollForward(object, OR_NULL(0, &roll),
                                                                        OR_NULL(1, text)),
                                         E_INVALIDARG);
                        ck_assert_int_eq(IVssWriterComponents_GetWriterInfo(
                                                 out < 0 ? NULL : components, OR_NULL(0, &id),
                                                 OR_NULL(1, &id)),
                                         E_INVALIDARG);
                }
                if (out < 3)
                        ck_assert_int_eq(IVssComponent_GetRestoreSubcomponent(
                                                 object, 0, OR_NULL(0, &text[0]),
                                                 OR_NULL(1, &text[1]), OR_NULL(2, &flag)),
                                         E_INVALIDARG);
                if (out < 4) {
                        ck_assert_int_eq(IVssComponent_GetPartialFile(
                                                 object, 0, OR_NULL(0, &text[0]),
                                                 OR_NULL(1, &text[1]), OR_NULL(2, &text[2]),
                                                 OR_NULL(3, &text[3])),
                                         E_INVALIDARG);
                        ck_assert_int_eq(IVssComponentEx2_GetFailure(
                                                 object, OR_NULL(0, &hr), OR_NULL(1, &application),
                                                 OR_NULL(2, text), OR_NULL(3, &reserved)),
                                         E_INVALIDARG);
                }
                if (out < 5)
                        ck_assert_int_eq(IVssComponent_GetDifferencedFile(
                                                 object, 0, OR_NULL(0, &text[0]),
                                                 OR_NULL(1, &text[1]), OR_NULL(2, &wide),
                                                 OR_NULL(3, &text[2]), OR_NULL(4, &time)),
                                         E_INVALIDARG);
                ck_assert_int_eq(IVssComponent_GetDirectedTarget(
                                         object, 0, OR_NULL(0, &text[0]), OR_NULL(1, &text[1]),
                                         OR_NULL(2, &text[2]), OR_NULL(3, &text[3]),
                                         OR_NULL(4, &text[4]), OR_NULL(5, &text[5])),
                                 E_INVALIDARG);
#undef OR_NULL
        }
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(an_index_beyond_the_end_is_not_found) {
        IVssWriterComponents *components = for_requester(true);
        static const UINT indexes[] = { 0, 1, UINT32_MAX };
        IVssComponent *c = first(components), *none;
        IVssWMFiledesc *files;
        FILETIME time;
        BSTR text[6];
        BOOL wide;
        bool flag;

        for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
                const UINT at = indexes[i];

                ck_assert_int_eq(
                        IVssComponent_GetPartialFile(c, at, &text[0], &text[1], &text[2], &text[3]),
                        VSS_E_OBJECT_NOT_FOUND);
                ck_assert_ptr_null(text[0]);
                ck_assert_int_eq(IVssComponent_GetDifferencedFile(c, at, &text[0], &text[1], &wide,
                                                                  &text[2], &time),
                                 VSS_E_OBJECT_NOT_FOUND);
                ck_assert_int_eq(IVssComponent_GetDirectedTarget(c, at, &text[0], &text[1],
                                                                 &text[2], &text[3], &text[4],
                                                                 &text[5]),
                                 VSS_E_OBJECT_NOT_FOUND);
                ck_assert_int_eq(
                        IVssComponent_GetRestoreSubcomponent(c, at, &text[0], &text[1], &flag),
                        VSS_E_OBJECT_NOT_FOUND);
                ck_assert_int_eq(IVssComponent_GetNewTarget(c, at, &files), VSS_E_OBJECT_NOT_FOUND);
                ck_assert_ptr_null(files);
                ck_assert_int_eq(IVssComponent_GetAlternateLocationMapping(c, at, &files),
                                 VSS_E_OBJECT_NOT_FOUND);
                if (at > 0) {
                        none = c;
                        ck_assert_int_eq(IVssWriterComponents_GetComponent(components, at, &none),
                                         VSS_E_OBJECT_NOT_FOUND);
                        ck_assert_ptr_null(none);
                }
        }
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(partial_files_have_a_path_a_name_and_ranges) {
        static const struct {
                const char *path, *name, *ranges, *metadata;
                HRESULT hr;
        } rows[] = {
                { "/srv", "f", "0:1", NULL, S_OK },
                { "/srv/", "f", "0x10:0x20, 5:6", "m", S_OK },
                { "%logdir%", "f", "/run/ranges", "", S_OK },
                { NULL, "f", "0:1", NULL, E_INVALIDARG },
                { "/srv", NULL, "0:1", NULL, E_INVALIDARG },
                { "/srv", "f", NULL, NULL, E_INVALIDARG },
                { "/srv", "f", "", NULL, E_INVALIDARG },
                { "/srv", "*", "0:1", NULL, E_INVALIDARG },
                { "/srv", "a/b", "0:1", NULL, E_INVALIDARG },
                { "srv", "f", "0:1", NULL, E_INVALIDARG },
                { "/srv/../etc", "f", "0:1", NULL, E_INVALIDARG },
                { "/s*", "f", "0:1", NULL, E_INVALIDARG },
                { "/${nothing}", "f", "0:1", NULL, E_INVALIDARG },
                { "/srv", "f", "0:", NULL, E_INVALIDARG },
                { "/srv", "f", "0:1,", NULL, E_INVALIDARG },
                { "/srv", "f", "ranges", NULL, E_INVALIDARG },
                { "/srv", "f", "0:1", "\x02", E_INVALIDARG },
        };
        IVssWriterComponents *components = for_writer(BACKUP_PHASE_POST_SNAPSHOT);
        IVssComponent *c = first(components);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssComponent_AddPartialFile(c, rows[i].path, rows[i].name,
                                                          rows[i].ranges, rows[i].metadata);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(partial_files_need_a_requester_that_supports_them) {
        const struct backup_document_state state = { .select_components = true };
        IVssWriterComponents *components;
        IVssComponent *c;

        ck_assert_int_eq(backup_document_set_state(document, &state, NULL), 0);
        components = for_writer(BACKUP_PHASE_POST_SNAPSHOT);
        c = first(components);
        ck_assert_int_eq(add_partial(c), VSS_E_BAD_STATE);
        ck_assert_int_eq(add_differenced(c), S_OK);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(differenced_files_need_the_schema) {
        struct backup_writer_info other = writer_info;
        struct backup_component_key other_key = key;
        IVssWriterComponents *components;
        IVssComponent *c;

        other.schema = VSS_BS_INCREMENTAL;
        other.instance_id.Data1 = other_key.instance_id.Data1 = 0xc;
        document = backup_document_free(document);
        ck_assert_int_eq(backup_document_new(&document, NULL), 0);
        ck_assert_int_eq(backup_document_add(document, &other, &other_key, &component, NULL), 0);
        components = for_writer(BACKUP_PHASE_PREPARE_BACKUP);
        c = first(components);
        ck_assert_int_eq(add_differenced(c), VSS_E_BAD_STATE);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "VSS_BS_LAST_MODIFY"));
}
END_TEST

START_TEST(reserved_methods_say_so) {
        IVssWriterComponents *components = for_writer(BACKUP_PHASE_POST_SNAPSHOT);
        IVssComponent *c = first(components);

        ck_assert_int_eq(
                IVssComponent_AddDifferencedFilesByLastModifyLSN(c, "/srv", "*", FALSE, "7"),
                E_NOTIMPL);
        ck_assert_int_eq(
                IVssComponent_AddDifferencedFilesByLastModifyLSN(c, "/srv", NULL, FALSE, "7"),
                E_INVALIDARG);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(directed_targets_match_on_both_sides) {
        static const struct {
                const char *from, *to;
                HRESULT hr;
        } rows[] = {
                { "0:1", "7:1", S_OK },
                { "0:0x10,32:8", "64:16, 0:8", S_OK },
                { "/run/a", "/run/b", S_OK },
                { "0:1", "/run/b", S_OK },
                { "0:1", "7:2", E_INVALIDARG },
                { "0:1", "0:1,2:1", E_INVALIDARG },
                { "0:1,2:1", "0:1", E_INVALIDARG },
                { "0:1", "1", E_INVALIDARG },
                { "0:1", "", E_INVALIDARG },
                { NULL, "0:1", E_INVALIDARG },
        };
        IVssWriterComponents *components = for_writer(BACKUP_PHASE_PRE_RESTORE);
        IVssComponent *c = first(components);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssComponent_AddDirectedTarget(c, "/a", "f", rows[i].from, "/b", "g",
                                                             rows[i].to);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
        ck_assert_int_eq(IVssComponent_AddDirectedTarget(c, "a", "f", "0:1", "/b", "g", "0:1"),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssComponent_AddDirectedTarget(c, "/a", "f", "0:1", "/b", "*", "0:1"),
                         E_INVALIDARG);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(values_outside_their_enumeration_are_refused) {
        static const int targets[] = { -1, VSS_RT_UNDEFINED, VSS_RT_ORIGINAL_LOCATION + 1, 99 };
        static const HRESULT failures[] = { E_FAIL, S_FALSE, VSS_E_BAD_STATE,
                                            VSS_E_WRITERERROR_PARTIAL_FAILURE,
                                            VSS_E_WRITER_NOT_RESPONDING };
        IVssWriterComponents *components = for_writer(BACKUP_PHASE_PRE_RESTORE);
        IVssComponent *c = first(components);

        for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
                ck_assert_int_eq(IVssComponent_SetRestoreTarget(c, (VSS_RESTORE_TARGET)targets[i]),
                                 E_INVALIDARG);
        for (int target = VSS_RT_ORIGINAL; target <= VSS_RT_ORIGINAL_LOCATION; target++)
                ck_assert_int_eq(IVssComponent_SetRestoreTarget(c, (VSS_RESTORE_TARGET)target),
                                 S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
                ck_assert_int_eq(IVssComponentEx2_SetFailure(c, failures[i], 0, NULL, 0),
                                 E_INVALIDARG);
        ck_assert_int_eq(IVssComponentEx2_SetFailure(c, S_OK, 0, NULL, 1), E_INVALIDARG);
        ck_assert_int_eq(IVssComponentEx2_SetFailure(c, VSS_E_WRITERERROR_TIMEOUT, 0, "\x01", 0),
                         E_INVALIDARG);
        ck_assert(!writer_components_any_failed(components));
        ck_assert_int_eq(IVssComponentEx2_SetFailure(c, VSS_E_WRITERERROR_TIMEOUT, 0, NULL, 0),
                         S_OK);
        ck_assert(writer_components_any_failed(components));
        ck_assert_int_eq(IVssComponentEx2_SetFailure(c, S_OK, 0, NULL, 0), S_OK);
        ck_assert(!writer_components_any_failed(components));
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}
END_TEST

START_TEST(a_document_that_is_none_makes_no_components) {
        IVssWriterComponents *components = NULL;
        struct vss_error error = { 0 };

        ck_assert_int_lt(writer_components_new_for_writer(&components, BACKUP_PHASE_PRE_RESTORE,
                                                          "<a/>", 4, &error),
                         0);
        ck_assert_int_eq(error.hr, VSS_E_INVALID_XML_DOCUMENT);
        vss_error_done(&error);
        ck_assert_int_lt(writer_components_new_for_requester(&components, generation, false,
                                                             instance_id, class_id, "x", 1, &error),
                         0);
        vss_error_done(&error);
        ck_assert_ptr_null(components);
}
END_TEST

START_TEST(range_lists_are_told_from_paths) {
        static const struct {
                const char *text;
                bool list;
        } rows[] = {
                { "0:1", true },
                { "0x0:0X1f,  12:13", true },
                { "9223372036854775806:1", true },
                { "9223372036854775807:1", false }, /* ends beyond 63 bits */
                { "18446744073709551616:1", false },
                { "-1:1", false },
                { "+1:1", false },
                { " 1:1", false },
                { "1:1 ", false },
                { "1:1;2:2", false },
                { "0x:1", false },
                { "1", false },
                { "", false },
                { "/run/1:1", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                ck_assert_msg(range_list_is(rows[i].text) == rows[i].list, "'%s'", rows[i].text);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                texts_that_are_missing_or_unfit_are_refused,
                missing_objects_and_outputs_are_refused,
                an_index_beyond_the_end_is_not_found,
                partial_files_have_a_path_a_name_and_ranges,
                partial_files_need_a_requester_that_supports_them,
                differenced_files_need_the_schema,
                reserved_methods_say_so,
                directed_targets_match_on_both_sides,
                values_outside_their_enumeration_are_refused,
                a_document_that_is_none_makes_no_components,
                range_lists_are_told_from_paths,
        };
        Suite *suite = suite_create("component-arguments");
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
