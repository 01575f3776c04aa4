/* The ini reader: strict about the shape, exact about the line, unmoved by hostile bytes. */

#include "writers/hook/ini.h"

#include <check.h>
#include <stdio.h>

struct seen {
        char text[4096];
        size_t length;
        unsigned entries;
};

static int see(void *userdata, const struct ini_entry *e, struct ini_error *reterr) {
        struct seen *s = userdata;

        if (e->key && streq(e->key, "Bad"))
                return ini_error_set(reterr, e->line, "no %s", e->value);
        s->entries++;
        s->length += (size_t)snprintf(s->text + s->length, sizeof(s->text) - s->length,
                                      "%u %s %s|%s|\n", e->line, e->section, e->key ? e->key : "",
                                      e->value ? e->value : "");
        return 0;
}

static void expect_n(const char *ini, size_t length, const char *want) {
        _cleanup_(ini_error_done) struct ini_error error = { 0 };
        struct seen s = { 0 };
        int r = ini_parse(ini, length, see, &s, &error);

        ck_assert_msg(r == 0, "line %u: %s", error.line, str_or_empty(error.message));
        ck_assert_str_eq(s.text, want);
}

static void refuse_n(const char *ini, size_t length, unsigned line, const char *want) {
        _cleanup_(ini_error_done) struct ini_error error = { 0 };
        struct seen s = { 0 };

        ck_assert_int_eq(ini_parse(ini, length, see, &s, &error), -EINVAL);
        ck_assert_ptr_nonnull(error.message);
        ck_assert_msg(strstr(error.message, want) != NULL, "'%s' is not in '%s'", want,
                      error.message);
        ck_assert_uint_eq(error.line, line);
}

#define EXPECT(ini, want) expect_n((ini), strlen(ini), (want))
#define REFUSE(ini, line, want) refuse_n((ini), strlen(ini), (line), (want))

START_TEST(sections_keys_and_comments) {
        EXPECT("", "");
        EXPECT("\n\n# a\n  ; b\n", "");
        EXPECT("[A]\n  Key = a b  \nKey=\n[B1]\nk2==;#x", "1 A ||\n"
                                                          "2 A Key|a b|\n"
                                                          "3 A Key||\n"
                                                          "4 B1 ||\n"
                                                          "5 B1 k2|=;#x|\n");
        EXPECT("\t[A]\t\n", "1 A ||\n");
        EXPECT("[A]\nK=\xC3\xA9\tx", "1 A ||\n2 A K|\xC3\xA9\tx|\n");
}
END_TEST

START_TEST(shapes_that_are_none) {
        REFUSE("Key=1\n", 1, "before the first [Section]");
        REFUSE("[A]\nkey\n", 2, "neither a comment");
        REFUSE("[A]\n\n=x\n", 3, "no name of a key");
        REFUSE("[A\n", 1, "']' is missing");
        REFUSE("[\n", 1, "']' is missing");
        REFUSE("[]\n", 1, "no section name");
        REFUSE("[A B]\n", 1, "no section name");
        REFUSE("[1]\n", 1, "no section name");
        REFUSE("[A]x\n", 1, "']' is missing");
        REFUSE("[A]\nä=1\n", 2, "no name of a key");
        REFUSE("[A]\na b=1\n", 2, "no name of a key");
        REFUSE("[A]\n9a=1\n", 2, "no name of a key");
}
END_TEST

START_TEST(bytes_that_do_not_belong) {
        refuse_n("[A]\nk=\0x\n", 9, 2, "NUL byte");
        refuse_n("\0", 1, 1, "NUL byte");
        REFUSE("[A]\r\nk=1\r\n", 1, "control character (U+000D)");
        REFUSE("[A]\nk=\033[2J\n", 2, "control character (U+001B)");
        REFUSE("[A]\nk=\xFF\n", 2, "not UTF-8");
        REFUSE("# \xC3(\n", 1, "not UTF-8");
        REFUSE("[A]\nk=\xE2\x80\xAE\n", 2, "control character (U+202E)");
        EXPECT("[A]\nk=\xEF\xBF\xBD\n", "1 A ||\n2 A k|\xEF\xBF\xBD|\n");
}
END_TEST

START_TEST(sizes_that_are_too_much) {
        static char text[INI_SIZE_MAX + 2];

        memset(text, 'a', sizeof(text));
        text[0] = '#';
        refuse_n(text, INI_LINE_MAX + 1, 1, "longer than");
        expect_n(text, INI_LINE_MAX, "");
        refuse_n(text, INI_SIZE_MAX + 1, 0, "larger than");
        memset(text, '\n', sizeof(text));
        expect_n(text, INI_SIZE_MAX, "");
}
END_TEST

START_TEST(the_taker_has_the_last_word) {
        REFUSE("[A]\nGood=1\nBad=2\nworse\n", 3, "no 2");
}
END_TEST

START_TEST(an_error_is_filled_once) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };

        ck_assert_int_eq(ini_error_set(&e, 3, "first"), -EINVAL);
        ck_assert_int_eq(ini_error_set(&e, 4, "second"), -EINVAL);
        ck_assert_str_eq(e.message, "first");
        ck_assert_uint_eq(e.line, 3);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ini");
        TCase *c = tcase_create("ini");
        SRunner *runner;
        int failed;

        tcase_add_test(c, sections_keys_and_comments);
        tcase_add_test(c, shapes_that_are_none);
        tcase_add_test(c, bytes_that_do_not_belong);
        tcase_add_test(c, sizes_that_are_too_much);
        tcase_add_test(c, the_taker_has_the_last_word);
        tcase_add_test(c, an_error_is_filled_once);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
