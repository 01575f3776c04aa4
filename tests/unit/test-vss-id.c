/* Ids: their text is canonical going out, strict but for case and braces coming in. */

#include "common/vss-id.h"

#include <check.h>

static const VSS_ID sample = { .Data1 = 0xb5946137,
                               .Data2 = 0x7b9f,
                               .Data3 = 0x4925,
                               .Data4 = { 0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5 } };
#define SAMPLE_TEXT "b5946137-7b9f-4925-af80-51abd60b20d5"

START_TEST(text_is_lower_case_without_braces) {
        ck_assert_str_eq(VSS_ID_TEXT(sample), SAMPLE_TEXT);
        ck_assert_str_eq(VSS_ID_TEXT(GUID_NULL), "00000000-0000-0000-0000-000000000000");
}
END_TEST

START_TEST(either_case_and_braces_are_read) {
        static const char *const texts[] = {
                SAMPLE_TEXT,
                "{" SAMPLE_TEXT "}",
                "B5946137-7B9F-4925-AF80-51ABD60B20D5",
                "{B5946137-7b9f-4925-AF80-51abd60b20D5}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                VSS_ID id = GUID_NULL;

                ck_assert_int_eq(vss_id_parse(&id, texts[i]), 0);
                ck_assert(vss_id_equal(id, sample));
        }
}
END_TEST

START_TEST(nothing_is_the_null_id) {
        VSS_ID id = sample;

        ck_assert_int_eq(vss_id_parse(&id, ""), 0);
        ck_assert(vss_id_is_null(id));
        id = sample;
        ck_assert_int_eq(vss_id_parse(&id, NULL), 0);
        ck_assert(vss_id_is_null(id));
        ck_assert(!vss_id_is_null(sample));
}
END_TEST

START_TEST(what_is_no_id_is_refused_and_changes_nothing) {
        static const char *const texts[] = {
                " ",
                "{",
                "}",
                "{}",
                "{" SAMPLE_TEXT,
                SAMPLE_TEXT "}",
                "{{" SAMPLE_TEXT "}}",
                SAMPLE_TEXT " ",
                " " SAMPLE_TEXT,
                SAMPLE_TEXT "0",
                "b5946137-7b9f-4925-af80-51abd60b20d",
                "b59461377b9f4925af8051abd60b20d5",
                "b5946137-7b9f-4925-af8-051abd60b20d5",
                "b5946137_7b9f_4925_af80_51abd60b20d5",
                "g5946137-7b9f-4925-af80-51abd60b20d5",
                "b5946137-7b9f-4925-af80-51abd60b20-5",
                "0xb59461-7b9f-4925-af80-51abd60b20d5",
                "b5946137-7b9f-4925-af80-51abd60b20d5\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                VSS_ID id = sample;

                ck_assert_msg(vss_id_parse(&id, texts[i]) == -EINVAL, "'%s'", texts[i]);
                ck_assert(vss_id_equal(id, sample));
        }
}
END_TEST

START_TEST(random_ids_differ_and_say_that_they_are_random) {
        VSS_ID a, b;
        char buf[VSS_ID_TEXT_MAX];
        VSS_ID again;

        for (int i = 0; i < 100; i++) {
                ck_assert_int_eq(vss_id_random(&a), 0);
                ck_assert_int_eq(vss_id_random(&b), 0);
                ck_assert(!vss_id_equal(a, b));
                ck_assert_uint_eq(a.Data3 >> 12, 4);
                ck_assert_uint_eq(a.Data4[0] >> 6, 2);
                ck_assert_int_eq(vss_id_parse(&again, vss_id_format(a, buf)), 0);
                ck_assert(vss_id_equal(a, again));
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("vss-id");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, text_is_lower_case_without_braces);
        tcase_add_test(tcase, either_case_and_braces_are_read);
        tcase_add_test(tcase, nothing_is_the_null_id);
        tcase_add_test(tcase, what_is_no_id_is_refused_and_changes_nothing);
        tcase_add_test(tcase, random_ids_differ_and_say_that_they_are_random);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
