/* The link of a copy, in a directory of the test's own: what is left of it when the copy is gone.
 */

#include "daemon/providers/copy-link.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test-copy-link-XXXXXX";
static char link_path[64], fresh_path[80];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(directory));
        (void)snprintf(link_path, sizeof(link_path), "%s/ShadowCopy7", directory);
        (void)snprintf(fresh_path, sizeof(fresh_path), "%s.new", link_path);
}

static bool is_there(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

/* The daemon was killed between the making of the link and its renaming. */
START_TEST(what_a_kill_has_left_goes_with_the_copy) {
        ck_assert_int_eq(symlink("../dm-nonexistent", fresh_path), 0);
        copy_link_remove(link_path);
        ck_assert(!is_there(fresh_path));
        ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_goes) {
        ck_assert_int_eq(symlink("../dm-nonexistent", link_path), 0);
        copy_link_remove(link_path);
        ck_assert(!is_there(link_path));
        ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(what_is_there_still_stays) {
        ck_assert_int_eq(symlink("/dev/null", link_path), 0);
        copy_link_remove(link_path);
        ck_assert(is_there(link_path));
        ck_assert_int_eq(unlink(link_path), 0);
        ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("copy-link");
        TCase *t = tcase_create("copy-link");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, NULL);
        tcase_add_test(t, what_a_kill_has_left_goes_with_the_copy);
        tcase_add_test(t, a_link_that_leads_nowhere_goes);
        tcase_add_test(t, what_is_there_still_stays);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
