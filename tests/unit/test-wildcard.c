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

static const struct {
        const char *a, *b;
        bool shared;
} pairs[] = {
        { "*", "exact", true },
        { "*.dat", "*.log", false },
        { "*.dat", "main.*", true },
        { "*.*", "a", true },
        { "a*", "*b", true },
        { "a*", "b*", false },
        { "?", "??", false },
        { "?*", "??", true },
        { "a?c", "abc", true },
        { "a?c", "a?d", false },
        { "*a*b*", "*b*a*", true },
        { "exact", "exact", true },
        { "exact", "other", false },
        { "?", "\xc3\xa4", true },
        { "?x", "\xc3\xa4x", true },
        { "?x", "\xc3\xa4*", true },
        { "\xc3\xa4*", "\xc3\xb6*", false },
        { "[a]*", "a*", false },
};

START_TEST(specs_share_names_or_not) {
        ck_assert_msg(wildcard_share(pairs[_i].a, pairs[_i].b) == pairs[_i].shared, "'%s' and '%s'",
                      pairs[_i].a, pairs[_i].b);
        ck_assert(wildcard_share(pairs[_i].b, pairs[_i].a) == pairs[_i].shared);
}
END_TEST

/* The text of this number, of up to length characters of an alphabet. */
static void spell(char *ret, size_t number, size_t length, const char *alphabet) {
        size_t n = strlen(alphabet) + 1;

        for (; length > 0; length--, number /= n)
                if (number % n > 0)
                        *ret++ = alphabet[number % n - 1];
        *ret = '\0';
}

/* Against the matcher: every short spec with every other, over every short name. What two specs of
 * three characters share they share in a name of at most six. */
START_TEST(specs_share_what_both_match) {
        enum { SPECS = 5 * 5 * 5, NAMES = 729 };
        static bool matches[SPECS][NAMES];
        size_t shared = 0;

        for (size_t i = 0; i < SPECS; i++) {
                char spec[8], name[8];

                spell(spec, i, 3, "ab*?");
                for (size_t k = 0; k < NAMES; k++) {
                        spell(name, k, 6, "ab");
                        matches[i][k] = wildcard_match(spec, name);
                }
        }
        for (size_t i = 0; i < SPECS; i++)
                for (size_t j = 0; j < SPECS; j++) {
                        bool both = false;
                        char a[8], b[8];

                        spell(a, i, 3, "ab*?");
                        spell(b, j, 3, "ab*?");
                        for (size_t k = 0; k < NAMES && !both; k++)
                                both = matches[i][k] && matches[j][k];
                        ck_assert_msg(wildcard_share(a, b) == both, "'%s' and '%s'", a, b);
                        shared += both;
                }
        ck_assert_uint_gt(shared, 1000);
        ck_assert_uint_lt(shared, (size_t)SPECS * SPECS - 1000);
}
END_TEST

START_TEST(specs_that_are_too_long_are_not_told_apart) {
        char a[1024], b[1024];

        memset(a, 'a', sizeof(a) - 1);
        memset(b, 'b', sizeof(b) - 1);
        a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
        ck_assert(!wildcard_share(a, b));
        a[0] = b[0] = '*';
        ck_assert(wildcard_share(a, b));
        a[500] = b[500] = '\0';
        ck_assert(!wildcard_share(a, b));
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
        tcase_add_loop_test(c, specs_share_names_or_not, 0,
                            (int)(sizeof(pairs) / sizeof(pairs[0])));
        tcase_add_test(c, specs_share_what_both_match);
        tcase_add_test(c, specs_that_are_too_long_are_not_told_apart);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
