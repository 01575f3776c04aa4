/* The command line: what is an option of whom, and what is handed on. */

#include "cli/options.h"

#include <check.h>
#include <stddef.h>

static const struct option_spec globals[] = {
        { .name = "json", .kind = OPTION_FLAG, .offset = offsetof(struct option_values, json) },
        { .name = "quiet",
          .letter = 'q',
          .kind = OPTION_FLAG,
          .offset = offsetof(struct option_values, quiet) },
        { .name = "host",
          .letter = 'H',
          .kind = OPTION_TEXT,
          .local = true,
          .offset = offsetof(struct option_values, host) },
        OPTION_END,
};

static const struct option_spec create[] = {
        { .name = "keep", .kind = OPTION_FLAG, .offset = offsetof(struct option_values, keep) },
        { .name = "context",
          .letter = 'c',
          .kind = OPTION_TEXT,
          .offset = offsetof(struct option_values, context) },
        { .name = "exclude-writer",
          .kind = OPTION_LIST,
          .offset = offsetof(struct option_values, exclude_writers) },
        OPTION_END,
};

static const struct option_spec list[] = { OPTION_END };

static const struct option_spec *verb_options(const char *verb) {
        return streq(verb, "create") ? create : streq(verb, "list") ? list : NULL;
}

static int parse(struct command_line *c, char **error, char *const *words) {
        return command_line_parse(c, (int)strv_length(words), words, globals, verb_options, error);
}
#define PARSE(c, error, ...) parse((c), (error), (char *const[]){ W("vssctl"), __VA_ARGS__, NULL })
#define W(text) ((char *)(uintptr_t)(text)) /* read only, and outlives the assertion */

static void refuse(const char *want, char *const *words) {
        _cleanup_(command_line_done) struct command_line c = { 0 };
        _cleanup_(freep) char *error = NULL;

        ck_assert_int_eq(parse(&c, &error, words), -EINVAL);
        ck_assert_ptr_nonnull(error);
        ck_assert_msg(strstr(error, want) != NULL, "'%s' is not in '%s'", want, error);
}
#define REFUSE(want, ...) refuse((want), (char *const[]){ W("vssctl"), __VA_ARGS__, NULL })

START_TEST(options_of_both_kinds_and_arguments) {
        _cleanup_(command_line_done) struct command_line c = { 0 };
        _cleanup_(freep) char *error = NULL;

        ck_assert_int_eq(PARSE(&c, &error, W("--json"), W("create"), W("/a"), W("--keep"), W("-q"),
                               W("--context=x=y"), W("/b"), W("--exclude-writer"), W("-w1"),
                               W("--exclude-writer=w2")),
                         0);
        ck_assert_str_eq(c.verb, "create");
        ck_assert(c.options.json && c.options.keep && c.options.quiet);
        ck_assert_str_eq(c.options.context, "x=y");
        ck_assert_uint_eq(strv_length(c.arguments), 2);
        ck_assert_str_eq(c.arguments[0], "/a");
        ck_assert_str_eq(c.arguments[1], "/b");
        ck_assert_uint_eq(strv_length(c.options.exclude_writers), 2);
        ck_assert_str_eq(c.options.exclude_writers[0], "-w1");
        ck_assert_str_eq(c.options.exclude_writers[1], "w2");
        ck_assert_ptr_null(c.command);
}
END_TEST

START_TEST(what_follows_two_dashes_is_not_read) {
        _cleanup_(command_line_done) struct command_line c = { 0 };
        _cleanup_(freep) char *error = NULL;

        ck_assert_int_eq(
                PARSE(&c, &error, W("create"), W("/a"), W("--"), W("tar"), W("--json"), W("--")),
                0);
        ck_assert(!c.options.json);
        ck_assert_uint_eq(strv_length(c.arguments), 1);
        ck_assert_uint_eq(strv_length(c.command), 3);
        ck_assert_str_eq(c.command[0], "tar");
        ck_assert_str_eq(c.command[2], "--");
}
END_TEST

START_TEST(short_options_stand_together) {
        _cleanup_(command_line_done) struct command_line c = { 0 };
        _cleanup_(freep) char *error = NULL;

        ck_assert_int_eq(
                PARSE(&c, &error, W("-qHroot@a"), W("create"), W("-c"), W("backup"), W("-")), 0);
        ck_assert(c.options.quiet);
        ck_assert_str_eq(c.options.host, "root@a");
        ck_assert_str_eq(c.options.context, "backup");
        ck_assert_str_eq(c.arguments[0], "-");
}
END_TEST

START_TEST(the_host_is_not_handed_on) {
        static const char *const want[] = { "--quiet", "create", "--context=-H", "-H1" };
        _cleanup_(command_line_done) struct command_line c = { 0 };
        _cleanup_(freep) char *error = NULL;

        ck_assert_int_eq(PARSE(&c, &error, W("-qH"), W("x"), W("create"), W("--context"), W("-H"),
                               W("--host=y")),
                         0);
        ck_assert_str_eq(c.options.host, "y");
        ck_assert_uint_eq(strv_length(c.forward), 3);
        for (size_t i = 0; i < 3; i++)
                ck_assert_str_eq(c.forward[i], want[i]);
}
END_TEST

START_TEST(mistakes_are_named) {
        REFUSE("unknown verb 'crate'", W("crate"));
        REFUSE("'list' has no option '--keep'", W("list"), W("--keep"));
        REFUSE("before the verb", W("--keep"), W("create"));
        REFUSE("'create' has no option '-x'", W("create"), W("-x"));
        REFUSE("'--context' needs a value", W("create"), W("--context"));
        REFUSE("'--host' needs a value", W("-H"));
        REFUSE("'--json' takes no value", W("--json=1"), W("create"));
        REFUSE("'create' has no option '--con'", W("create"), W("--con=x"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("options");
        TCase *c = tcase_create("options");
        SRunner *runner;
        int failed;

        tcase_add_test(c, options_of_both_kinds_and_arguments);
        tcase_add_test(c, what_follows_two_dashes_is_not_read);
        tcase_add_test(c, short_options_stand_together);
        tcase_add_test(c, the_host_is_not_handed_on);
        tcase_add_test(c, mistakes_are_named);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
