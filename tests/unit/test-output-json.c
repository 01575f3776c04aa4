/* JSON: commas, keys, escapes; whatever the text is, the document stays one. */

#include "cli/output-json.h"

#include <check.h>

struct fixture {
        struct json json;
        char *text;
        size_t size;
        FILE *stream;
};

static void begin(struct fixture *f) {
        *f = (struct fixture){ 0 };
        f->stream = open_memstream(&f->text, &f->size);
        ck_assert_ptr_nonnull(f->stream);
        json_init(&f->json, f->stream);
}

static void expect(struct fixture *f, const char *text) {
        json_done(&f->json);
        ck_assert_int_eq(fclose(f->stream), 0);
        ck_assert_str_eq(f->text, text);
        free(f->text);
}

START_TEST(members_are_separated_and_indented) {
        struct fixture f;

        begin(&f);
        json_object_begin(&f.json, NULL);
        json_string(&f.json, "name", "a");
        json_int(&f.json, "low", INT64_MIN);
        json_uint(&f.json, "high", UINT64_MAX);
        json_array_begin(&f.json, "list");
        json_bool(&f.json, NULL, true);
        json_object_begin(&f.json, NULL);
        json_null(&f.json, "nothing");
        json_object_end(&f.json);
        json_array_end(&f.json);
        json_bool(&f.json, "no", false);
        json_object_end(&f.json);
        expect(&f, "{\n"
                   "  \"name\": \"a\",\n"
                   "  \"low\": -9223372036854775808,\n"
                   "  \"high\": 18446744073709551615,\n"
                   "  \"list\": [\n"
                   "    true,\n"
                   "    {\n"
                   "      \"nothing\": null\n"
                   "    }\n"
                   "  ],\n"
                   "  \"no\": false\n"
                   "}\n");
}
END_TEST

START_TEST(empty_lists_and_absent_strings) {
        struct fixture f;

        begin(&f);
        json_object_begin(&f.json, NULL);
        json_array_begin(&f.json, "list");
        json_array_end(&f.json);
        json_object_begin(&f.json, "object");
        json_object_end(&f.json);
        json_string(&f.json, "null", NULL);
        json_string(&f.json, "empty", "");
        json_string_or_null(&f.json, "either", "");
        json_object_end(&f.json);
        expect(&f, "{\n"
                   "  \"list\": [],\n"
                   "  \"object\": {},\n"
                   "  \"null\": null,\n"
                   "  \"empty\": \"\",\n"
                   "  \"either\": null\n"
                   "}\n");
}
END_TEST

START_TEST(text_is_escaped) {
        struct fixture f;

        begin(&f);
        json_array_begin(&f.json, NULL);
        json_string(&f.json, NULL, "\"\\/\n\t\r\001\033\x7F");
        json_string(&f.json, NULL, "\xC3\xA9\xF0\x9F\x92\xBE");
        json_string(&f.json, NULL, "\xE2\x80\xAE");
        json_array_end(&f.json);
        expect(&f, "[\n"
                   "  \"\\\"\\\\/\\n\\t\\u000d\\u0001\\u001b\\u007f\",\n"
                   "  \"\xC3\xA9\xF0\x9F\x92\xBE\",\n"
                   "  \"\\u202e\"\n"
                   "]\n");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_replaced) {
        struct fixture f;

        begin(&f);
        json_string(&f.json, NULL, "a\xFF\xC3");
        expect(&f, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"\n");
}
END_TEST

START_TEST(keys_are_escaped_too) {
        struct fixture f;

        begin(&f);
        json_object_begin(&f.json, NULL);
        json_int(&f.json, "a\"b", 1);
        json_object_end(&f.json);
        expect(&f, "{\n  \"a\\\"b\": 1\n}\n");
}
END_TEST

int main(void) {
        Suite *s = suite_create("output-json");
        TCase *c = tcase_create("output-json");
        SRunner *runner;
        int failed;

        tcase_add_test(c, members_are_separated_and_indented);
        tcase_add_test(c, empty_lists_and_absent_strings);
        tcase_add_test(c, text_is_escaped);
        tcase_add_test(c, bytes_that_are_no_utf8_are_replaced);
        tcase_add_test(c, keys_are_escaped_too);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
