/* Command lines without a shell. */

#include "writers/hook/words.h"

#include <check.h>
#include <stdarg.h>

static void expect(const char *line, enum words_kind kind, ...) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *error = NULL, *want;
        va_list args;
        size_t i = 0;

        ck_assert_msg(words_split(&words, line, kind, &error) == 0, "%s: %s", line, error);
        va_start(args, kind);
        while ((want = va_arg(args, const char *))) {
                ck_assert_ptr_nonnull(words);
                ck_assert_ptr_nonnull(words[i]);
                ck_assert_str_eq(words[i++], want);
        }
        va_end(args);
        ck_assert_uint_eq(strv_length(words), i);
}

static void refuse(const char *line, enum words_kind kind, const char *want) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *error = NULL;

        ck_assert_int_eq(words_split(&words, line, kind, &error), -EINVAL);
        ck_assert_ptr_null(words);
        ck_assert_ptr_nonnull(error);
        ck_assert_msg(strstr(error, want) != NULL, "'%s' is not in '%s'", want, error);
}

START_TEST(words_and_quotes) {
        expect("", WORDS_COMMAND, NULL);
        expect("  \t ", WORDS_COMMAND, NULL);
        expect("a  b\tc ", WORDS_COMMAND, "a", "b", "c", NULL);
        expect("'a b' \"c d\"", WORDS_COMMAND, "a b", "c d", NULL);
        expect("a'b'\"c\"d", WORDS_COMMAND, "abcd", NULL);
        expect("'' \"\"", WORDS_COMMAND, "", "", NULL);
        expect("'a\\' b", WORDS_COMMAND, "a\\", "b", NULL);
        expect("\"a\\\"b\\\\c\\d\"", WORDS_COMMAND, "a\"b\\c\\d", NULL);
        expect("a\\ b \\'", WORDS_COMMAND, "a b", "'", NULL);
}
END_TEST

START_TEST(nothing_is_expanded) {
        expect("echo '$HOME' \"`id`\" \\$x", WORDS_COMMAND, "echo", "$HOME", "`id`", "$x", NULL);
        expect("/srv/app *.db recursive", WORDS_PATHS, "/srv/app", "*.db", "recursive", NULL);
        expect("/srv/a&b", WORDS_PATHS, "/srv/a&b", NULL);
}
END_TEST

START_TEST(what_needs_a_shell_is_refused) {
        static const char *const lines[] = { "a | b", "a; b",  "a && b", "a > b", "a < b",
                                             "a $x",  "a `b`", "a (b)",  "a *",   "a b?" };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                refuse(lines[i], WORDS_COMMAND, "without a shell");
}
END_TEST

START_TEST(open_ends_are_refused) {
        refuse("a 'b", WORDS_COMMAND, "not closed");
        refuse("a \"b\\\"", WORDS_COMMAND, "not closed");
        refuse("a\\", WORDS_COMMAND, "backslash");
        refuse("'", WORDS_PATHS, "not closed");
}
END_TEST

int main(void) {
        Suite *s = suite_create("words");
        TCase *c = tcase_create("words");
        SRunner *runner;
        int failed;

        tcase_add_test(c, words_and_quotes);
        tcase_add_test(c, nothing_is_expanded);
        tcase_add_test(c, what_needs_a_shell_is_refused);
        tcase_add_test(c, open_ends_are_refused);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
