/* Names of directories, with and without slashes at their ends. */

#include "common/path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
        const char *path;
        size_t length;
} lengths[] = {
        { "", 0 },       { "/", 1 },  { "//", 1 },    { "/srv", 4 },
        { "/srv//", 4 }, { "a/", 1 }, { "a//b/", 4 },
};

START_TEST(slashes_at_the_end_do_not_count) {
        ck_assert_uint_eq(path_length(lengths[_i].path, strlen(lengths[_i].path)),
                          lengths[_i].length);
        ck_assert_uint_eq(path_length("/srv//x", 5), 4); /* it may end before the string does */
}
END_TEST

static const struct {
        const char *a, *b;
        bool same;
} pairs[] = {
        { "/srv/", "/srv", true },  { "/srv//", "/srv/", true }, { "/", "//", true },
        { "", "", true },           { "", "/", false },          { "/srv", "/srv2", false },
        { "/srv/", "/sr", false },  { "/srv", "/SRV", false },   { "/srv/a", "/srv", false },
        { "/a//b", "/a/b", false }, /* nobody writes it so, and no link is followed either */
};

START_TEST(two_names_of_one_directory) {
        ck_assert_int_eq(path_is_same(pairs[_i].a, pairs[_i].b), pairs[_i].same);
        ck_assert_int_eq(path_is_same(pairs[_i].b, pairs[_i].a), pairs[_i].same);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("path");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tcase, slashes_at_the_end_do_not_count, 0,
                            sizeof(lengths) / sizeof(lengths[0]));
        tcase_add_loop_test(tcase, two_names_of_one_directory, 0, sizeof(pairs) / sizeof(pairs[0]));
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
