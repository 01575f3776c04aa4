/* The one table of results is consistent in each direction, and errors keep what was said first. */

#include "common/vss-error.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>

START_TEST(every_row_is_found_by_code_and_by_bus_name) {
        size_t n;
        const struct vss_hresult_info *table = vss_hresult_table(&n);

        ck_assert_uint_gt(n, 80);
        for (size_t i = 0; i < n; i++) {
                ck_assert_ptr_eq(vss_hresult_find(table[i].hr), &table[i]);
                if (table[i].bus_name)
                        ck_assert_ptr_eq(vss_hresult_find_bus_name(table[i].bus_name), &table[i]);
        }
}
END_TEST

START_TEST(no_code_symbol_or_bus_name_stands_twice) {
        size_t n;
        const struct vss_hresult_info *table = vss_hresult_table(&n);

        for (size_t i = 0; i < n; i++)
                for (size_t j = i + 1; j < n; j++) {
                        ck_assert_int_ne(table[i].hr, table[j].hr);
                        ck_assert_str_ne(table[i].symbol, table[j].symbol);
                        if (table[i].bus_name && table[j].bus_name)
                                ck_assert_str_ne(table[i].bus_name, table[j].bus_name);
                }
}
END_TEST

START_TEST(failures_have_a_bus_name_and_an_errno_and_successes_have_none) {
        size_t n;
        const struct vss_hresult_info *table = vss_hresult_table(&n);

        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(table[i].bus_name != NULL, FAILED(table[i].hr));
                ck_assert_int_eq(table[i].error_number != 0, FAILED(table[i].hr));
                ck_assert_int_ge(table[i].error_number, 0);
                ck_assert_uint_gt(strlen(table[i].text), 0);
        }
}
END_TEST

/* VSS_E_VOLUME_NOT_SUPPORTED -> VolumeNotSupported: letters agree, parts begin in upper case. */
START_TEST(a_bus_name_is_its_symbol_in_camel_case) {
        size_t n;
        const struct vss_hresult_info *table = vss_hresult_table(&n);

        for (size_t i = 0; i < n; i++) {
                const char *name, *symbol = table[i].symbol;

                if (!table[i].bus_name)
                        continue;
                ck_assert_int_eq(strncmp(table[i].bus_name, VSS_BUS_ERROR_PREFIX,
                                         strlen(VSS_BUS_ERROR_PREFIX)),
                                 0);
                name = table[i].bus_name + strlen(VSS_BUS_ERROR_PREFIX);
                if (table[i].hr == E_UNEXPECTED) { /* the one whose rule gives another's name */
                        ck_assert_str_eq(name, "EUnexpected");
                        continue;
                }
                symbol += strncmp(symbol, "VSS_E_", 6) == 0 ? 6 : 2;
                ck_assert_int_ne(isupper((unsigned char)*name), 0);
                for (; *symbol; symbol++) {
                        if (*symbol == '_') {
                                ck_assert_msg(isupper((unsigned char)*name) ||
                                                      isdigit((unsigned char)*name),
                                              "%s", table[i].bus_name);
                                continue;
                        }
                        ck_assert_msg(toupper((unsigned char)*name) == *symbol, "%s",
                                      table[i].bus_name);
                        name++;
                }
                ck_assert_int_eq(*name, '\0');
        }
}
END_TEST

START_TEST(documented_values) {
        ck_assert_uint_eq((uint32_t)VSS_E_BAD_STATE, 0x80042301u);
        ck_assert_uint_eq((uint32_t)VSS_E_VOLUME_NOT_SUPPORTED, 0x8004230Cu);
        ck_assert_uint_eq((uint32_t)VSS_S_ASYNC_FINISHED, 0x0004230Au);
        ck_assert_uint_eq((uint32_t)E_ACCESSDENIED, 0x80070005u);
        ck_assert_uint_eq((uint32_t)VSS_E_ASRERROR_SYSTEM_PARTITION_HIDDEN, 0x80042416u);
        ck_assert(SUCCEEDED(VSS_S_ASYNC_CANCELLED) && FAILED(VSS_E_BAD_STATE));
}
END_TEST

/* The documented list of errnos, and EIO for everything that is not in it. */
START_TEST(every_failure_has_its_documented_errno) {
        static const struct {
                HRESULT hr;
                int error_number;
        } documented[] = {
                { E_ACCESSDENIED, EACCES },
                { E_INVALIDARG, EINVAL },
                { E_OUTOFMEMORY, ENOMEM },
                { VSS_E_OBJECT_NOT_FOUND, ENOENT },
                { VSS_E_OBJECT_ALREADY_EXISTS, EEXIST },
                { VSS_E_SNAPSHOT_SET_IN_PROGRESS, EALREADY },
                { VSS_E_REVERT_IN_PROGRESS, EALREADY },
                { VSS_E_RESYNC_IN_PROGRESS, EALREADY },
                { VSS_E_VOLUME_IN_USE, EBUSY },
                { VSS_E_PROVIDER_IN_USE, EBUSY },
                { VSS_E_INSUFFICIENT_STORAGE, ENOSPC },
                { VSS_E_NOT_SUPPORTED, EOPNOTSUPP },
                { VSS_E_UNSUPPORTED_CONTEXT, EOPNOTSUPP },
                { VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP },
                { VSS_E_CORRUPT_XML_DOCUMENT, EBADMSG },
                { VSS_E_BAD_STATE, EPROTO },
        };
        static const char timeout[] = "_TIMEOUT";
        size_t n;
        const struct vss_hresult_info *table = vss_hresult_table(&n);

        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(table[i].symbol);
                int expected = EIO;

                if (SUCCEEDED(table[i].hr))
                        continue;
                if (length > strlen(timeout) &&
                    streq(table[i].symbol + length - strlen(timeout), timeout))
                        expected = ETIMEDOUT;
                for (size_t j = 0; j < ARRAY_SIZE(documented); j++)
                        if (documented[j].hr == table[i].hr)
                                expected = documented[j].error_number;
                ck_assert_msg(table[i].error_number == expected, "%s: %d, not %d", table[i].symbol,
                              table[i].error_number, expected);
        }
}
END_TEST

START_TEST(unknown_codes_and_names_are_not_found) {
        ck_assert_ptr_null(vss_hresult_find((HRESULT)0x80042305L));
        ck_assert_ptr_null(vss_hresult_find_bus_name("org.vssd.Vss1.Error.Nonsense"));
        ck_assert_ptr_null(vss_hresult_find_bus_name(""));
}
END_TEST

START_TEST(the_first_error_stays) {
        struct vss_error e = { 0 };

        ck_assert_int_eq(vss_error_set(&e, VSS_E_OBJECT_NOT_FOUND, 0, "no '%s'", "volume"),
                         -ENOENT);
        ck_assert_int_eq(vss_error_set(&e, VSS_E_BAD_STATE, EBUSY, "later"), -EBUSY);
        ck_assert_int_eq(e.hr, VSS_E_OBJECT_NOT_FOUND);
        ck_assert_str_eq(e.message, "no 'volume'");
        ck_assert_int_eq(vss_error_prefix(&e, "writer '%s'", "w"), -ENOENT);
        ck_assert_str_eq(e.message, "writer 'w': no 'volume'");
        vss_error_done(&e);
        ck_assert_int_eq(e.hr, S_OK);
        ck_assert_ptr_null(e.message);
}
END_TEST

START_TEST(an_error_nobody_wants_still_gives_its_errno) {
        ck_assert_int_eq(vss_error_set(NULL, E_INVALIDARG, 0, "x"), -EINVAL);
        ck_assert_int_eq(vss_error_set(NULL, (HRESULT)0x80049999L, 0, "x"), -EIO);
        ck_assert_int_lt(vss_error_prefix(NULL, "x"), 0);
}
END_TEST

START_TEST(an_unexplained_errno_is_unexpected_and_says_which) {
        struct vss_error e = { 0 };

        ck_assert_int_eq(vss_error_from_errno(&e, -ENOSPC, "Writing"), -ENOSPC);
        ck_assert_int_eq(e.hr, VSS_E_UNEXPECTED);
        ck_assert_int_eq(e.cause, ENOSPC);
        ck_assert_str_eq(e.message, "Writing: No space left on device");
        vss_error_done(&e);

        ck_assert_int_eq(vss_error_from_errno(&e, -ENOMEM, "Writing"), -ENOMEM);
        ck_assert_int_eq(e.hr, E_OUTOFMEMORY);
        vss_error_done(&e);
}
END_TEST

START_TEST(moving_an_error_empties_its_source) {
        struct vss_error a = { 0 }, b = { 0 };

        (void)vss_error_set(&a, VSS_E_BAD_STATE, 0, "a");
        vss_error_move(&b, &a);
        ck_assert_int_eq(b.hr, VSS_E_BAD_STATE);
        ck_assert_int_eq(a.hr, S_OK);
        (void)vss_error_set(&a, VSS_E_PROVIDER_VETO, 0, "later");
        vss_error_move(&b, &a);
        ck_assert_str_eq(b.message, "a");
        ck_assert_ptr_null(a.message);
        vss_error_done(&b);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("vss-error");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, every_row_is_found_by_code_and_by_bus_name);
        tcase_add_test(tcase, no_code_symbol_or_bus_name_stands_twice);
        tcase_add_test(tcase, failures_have_a_bus_name_and_an_errno_and_successes_have_none);
        tcase_add_test(tcase, a_bus_name_is_its_symbol_in_camel_case);
        tcase_add_test(tcase, documented_values);
        tcase_add_test(tcase, every_failure_has_its_documented_errno);
        tcase_add_test(tcase, unknown_codes_and_names_are_not_found);
        tcase_add_test(tcase, the_first_error_stays);
        tcase_add_test(tcase, an_error_nobody_wants_still_gives_its_errno);
        tcase_add_test(tcase, an_unexplained_errno_is_unexpected_and_says_which);
        tcase_add_test(tcase, moving_an_error_empties_its_source);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
