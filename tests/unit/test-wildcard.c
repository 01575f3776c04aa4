/* File specs against names. */

#include "libvssclient/files/wildcard.h"

#include <check.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
        const char *spec, *name;
        bool matches;
} cases[] = {
        { "*", "a", true },
        { "*", ".hidden", true },
        { "*", "no-dot", true },
        { "*.*", "no-dot", true },
        { "*.*", ".hidden", true },
        { "*.dat", "a.dat", true },
        { "*.dat", ".dat", true },
        { "*.dat", "a.data", false },
        { "*.dat", "A.DAT", false },
        { "a*", "a", true },
        { "a*b*c", "abc", true },
        { "a*b*c", "a-b-b-c", true },
        { "a*b*c", "acb", false },
        { "**", "", true },
        { "*a", "ba\nca", true },
        { "Perfc???.dat", "Perfc009.dat", true },
        { "Perfc???.dat", "Perfc09.dat", false },
        { "?", "\xc3\xa4", true }, /* one character of two bytes */
        { "??", "\xc3\xa4", false },
        { "?", "\xff", true }, /* no UTF-8: a byte */
        { "*\xff*", "a\xff\xfe", true },
        { "?", "", false },
        { "exact", "exact", true },
        { "exact", "exactly", false },
        { "exactly", "exact", false },
        { "[ab]", "a", false },
        { "[ab]", "[ab]", true },
        { "[*]", "[x]", true },
        { "a\\*", "a*", false },
        { "a\\*", "a\\b", true },
        { "{a,b}", "a", false },
        { "", "", true },
        { "", "a", false },
};

START_TEST(each_spec_matches_what_it_should) {
        ck_assert_msg(wildcard_match(cases[_i].spec, cases[_i].name) == cases[_i].matches,
                      "'%s' and '%s'", cases[_i].spec, cases[_i].name);
}
END_TEST

/* The reason why it is not the C library's: where the two differ, and that this test notices. */
START_TEST(fnmatch_would_fail_these) {
        size_t different = 0;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                different += (fnmatch(cases[i].spec, cases[i].name, FNM_PERIOD) == 0) !=
                             cases[i].matches;
        ck_assert_uint_ge(different, 8);
}
END_TEST

START_TEST(what_is_a_pattern) {
        ck_assert(wildcard_is_pattern("a*"));
        ck_assert(wildcard_is_pattern("?"));
        ck_assert(!wildcard_is_pattern("[a]"));
        ck_assert(wildcard_is_everything("*.*"));
        ck_assert(!wildcard_is_everything("*.?"));
}
END_TEST

START_TEST(a_hostile_spec_takes_no_time) {
        char name[256], spec[256];

        memset(name, 'a', 255);
        name[255] = '\0';
        for (size_t i = 0; i < 254; i += 2)
                memcpy(spec + i, "*a", 2);
        memcpy(spec + 252, "*b", 3);
        ck_assert(!wildcard_match(spec, name));
}
END_TEST

int main(void) {
        Suite *s = suite_create("wildcard");
        TCase *c = tcase_create("wildcard");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, each_spec_matches_what_it_should, 0,
                            (int)(sizeof(cases) / sizeof(cases[0])));
        tcase_add_test(c, fnmatch_would_fail_these);
        tcase_add_test(c, what_is_a_pattern);
        tcase_add_test(c, a_hostile_spec_takes_no_time);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
