/* Variables in paths: which there are, what begins one, and what a file may say of them. */

#include "common/path-variables.h"

#include <check.h>
#include <stdio.h>

static char directory[] = "/tmp/vss-test-variables-XXXXXX";
static char file[64];

static struct path_variables *load(const char *text) {
        struct path_variables *v = NULL;
        struct vss_error error = { 0 };

        if (text) {
                FILE *f = fopen(file, "w");

                ck_assert_ptr_nonnull(f);
                ck_assert_int_ge(fputs(text, f), 0);
                ck_assert_int_eq(fclose(f), 0);
        }
        if (path_variables_load(&v, file, &error) < 0)
                ck_assert_ptr_nonnull(strstr(error.message, file));
        vss_error_done(&error);
        return v;
}

static const struct {
        const char *path, *expanded; /* NULL: refused */
} paths[] = {
        { "/srv", "/srv" },
        { "${statedir}/pg", "/var/lib/pg" },
        { "%statedir%/pg", "/var/lib/pg" },
        { "%ProgramData%", "/var/lib" },
        { "%PROGRAMDATA%", "/var/lib" },
        { "${LogDir}", "/var/log" },
        { "${sysconfdir}${datadir}", "/etc/usr/share" },
        { "${site}/a", "/srv/site/a" },
        { "%Program(x86)%", "/opt/32" },
        /* What a variable holds is not looked at again. */
        { "${loop}", "${loop}" },
        { "${homedir}", "/users" },
        /* What is none stays. */
        { "/srv/100%", "/srv/100%" },
        { "/srv/$HOME/${/$", "/srv/$HOME/${/$" },
        { "/srv/% %/%%/${}/%1a%", "/srv/% %/%%/${}/%1a%" },
        { "/srv/${a b}", "/srv/${a b}" },
        { "/srv/${percent}statedir%", "/srv/%statedir%" },
        { "/srv/${dollar}{x}", "/srv/${x}" },
        { "", "" },
        /* Not defined. */
        { "${nothing}/x", NULL },
        { "/srv/%HOME%", NULL },
        { "%SystemRoot%\\System32", NULL },
        { "/a%b%c", NULL },
};

START_TEST(variables_are_replaced_and_nothing_else_is) {
        _cleanup_(path_variables_freep) struct path_variables *v =
                load("# comment\n\nsite = /srv/site \nhomedir=\"/users\"\nloop=${loop}\n"
                     "; comment\npercent=x\nProgram(x86)='/opt/32'\n");

        ck_assert_ptr_nonnull(v);
        ck_assert_str_eq(path_variables_get(v, "SITE"), "/srv/site");
        ck_assert_ptr_null(path_variables_get(v, "sit"));
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                _cleanup_(freep) char *expanded = NULL;
                struct vss_error error = { 0 };
                int r = path_variables_replace(v, paths[i].path, &expanded, &error);

                if (paths[i].expanded) {
                        ck_assert_msg(r == 0, "'%s' is refused", paths[i].path);
                        ck_assert_str_eq(expanded, paths[i].expanded);
                } else {
                        ck_assert_msg(r < 0, "'%s' is not refused", paths[i].path);
                        ck_assert_int_eq(error.hr, E_INVALIDARG);
                        ck_assert_ptr_nonnull(strstr(error.message, PATH_VARIABLES_FILE));
                        ck_assert_ptr_null(expanded);
                }
                vss_error_done(&error);
        }
}
END_TEST

START_TEST(a_path_has_variables_or_not) {
        ck_assert(path_has_variables("/a/${b}"));
        ck_assert(path_has_variables("%b%"));
        ck_assert(!path_has_variables("/a/$b/100%/{c}"));
        ck_assert(!path_has_variables(""));
}
END_TEST

START_TEST(without_a_file_there_is_the_fixed_table) {
        _cleanup_(path_variables_freep) struct path_variables *v = NULL;

        (void)unlink(file);
        v = load(NULL);
        ck_assert_ptr_nonnull(v);
        ck_assert_str_eq(path_variables_get(v, "homedir"), "/home");
}
END_TEST

START_TEST(a_file_that_is_not_understood_is_refused) {
        static const char *const texts[] = {
                "nonsense\n", "=x\n", "a b=x\n", "1a=x\n", "a=\xff\n", "a=\x1b[2J\n", "ok=1\n[a]\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                ck_assert_msg(!load(texts[i]), "accepted: %s", texts[i]);
        /* The control: the reader is not one that refuses everything. */
        ck_assert_ptr_null(path_variables_free(load("ok=1\n")));
        (void)unlink(file);
        ck_assert_int_eq(symlink("/proc", file), 0);
        ck_assert_ptr_null(load(NULL));
        (void)unlink(file);
}
END_TEST

/* The file of this host may be there or not: the fixed names hold unless it replaces them. */
START_TEST(the_hosts_own_table_is_kept_for_the_process) {
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(freep) char *expanded = NULL;
                struct vss_error error = { 0 };

                ck_assert_int_eq(path_variables_expand(&expanded, "${dollar}x", &error), 0);
                ck_assert_str_eq(expanded, "$x");
                free(TAKE_PTR(expanded));
                ck_assert_int_eq(path_variables_expand(&expanded, "/plain", &error), 0);
                ck_assert_str_eq(expanded, "/plain");
                free(TAKE_PTR(expanded));
                ck_assert_int_lt(path_variables_expand(&expanded, "${no_such_name_}", &error), 0);
                ck_assert_int_eq(error.hr, E_INVALIDARG);
                vss_error_done(&error);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("path-variables");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        if (!mkdtemp(directory))
                return EXIT_FAILURE;
        (void)snprintf(file, sizeof(file), "%s/environment", directory);
        tcase_add_test(tcase, variables_are_replaced_and_nothing_else_is);
        tcase_add_test(tcase, a_path_has_variables_or_not);
        tcase_add_test(tcase, without_a_file_there_is_the_fixed_table);
        tcase_add_test(tcase, a_file_that_is_not_understood_is_refused);
        tcase_add_test(tcase, the_hosts_own_table_is_kept_for_the_process);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        (void)unlink(file);
        (void)rmdir(directory);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
