/* Exclude lists: of a writer, and of the machine. */

#include "libvssclient/files/file-rules.h"

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct {
        const char *directory, *name;
        bool excluded;
} cases[] = {
        { "/srv", "a.tmp", true },                                   /* by the list of /srv */
        { "/srv", "a.dat", false },    { "/srv/x", "a.tmp", false }, /* which is not recursive */
        { "/var/cache", "x", true },   { "/var/cache/deep/er", "x", true },
        { "/var/cached", "x", false },                                 /* whole names */
        { "/var", "cache", false },    { "/home/anna", ".bak", true }, /* by one at the root */
        { "", "x.bak", true },         { "/var-2", "x", false },
        { "/a/b", "exact", true },     { "/a/b/c", "exact", true },
        { "/a", "exact", false },
};

static struct file_rules *make(void) {
        struct file_rules *r;

        ck_assert_int_eq(file_rules_new(&r, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/var/cache", "*", true, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/srv", "*.tmp", false, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "", "*.bak", true, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/a/b", "exact", true, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/a/b", "other", false, NULL), 0);
        file_rules_seal(r);
        return r;
}

START_TEST(each_file_is_excluded_or_not) {
        struct file_rules *r = make();

        ck_assert_msg(file_rules_match(r, cases[_i].directory, cases[_i].name) ==
                              cases[_i].excluded,
                      "%s/%s", cases[_i].directory, cases[_i].name);
        file_rules_free(r);
}
END_TEST

START_TEST(rules_are_counted) {
        struct file_rules *r = make();

        ck_assert_int_eq(file_rules_add(r, "/a", "*", true, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/a/b", "ex?ct", false, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, "/a/b", "exact", false, NULL), 0);
        file_rules_seal(r);
        ck_assert_uint_eq(file_rules_count(r, "/a/b", "exact", 9), 4);
        ck_assert_uint_eq(file_rules_count(r, "/a/b", "exact", 2), 2);
        ck_assert_uint_eq(file_rules_count(r, "/a/b/c", "exact", 9), 2);
        ck_assert_uint_eq(file_rules_count(r, "/a/b", "exbct", 9), 2);
        ck_assert_uint_eq(file_rules_count(r, "/a/b", "other", 9), 2);
        ck_assert_uint_eq(file_rules_count(r, "/a-", "x", 9), 0);
        ck_assert_uint_eq(file_rules_count_entering(r, "/a/b", 9), 3);
        ck_assert_uint_eq(file_rules_count_entering(r, "/a", 9), 2);
        ck_assert_uint_eq(file_rules_count_entering(r, "/a/b/c", 2), 2);
        ck_assert_uint_eq(file_rules_count_entering(NULL, "/a", 2), 0);
        file_rules_free(r);
}
END_TEST

START_TEST(whole_trees_are_known) {
        struct file_rules *r = make();

        ck_assert(file_rules_match_tree(r, "/var/cache"));
        ck_assert(file_rules_match_tree(r, "/var/cache/deep"));
        ck_assert(!file_rules_match_tree(r, "/var"));
        ck_assert(!file_rules_match_tree(r, "/a/b"));
        ck_assert(!file_rules_match_tree(NULL, "/var/cache"));
        ck_assert(!file_rules_match(NULL, "/var/cache", "x"));
        file_rules_free(r);
}
END_TEST

static void write_file(const char *directory, const char *name, const char *text) {
        char path[256];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void remove_file(const char *directory, const char *name) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        ck_assert_int_eq(unlink(path), 0);
}

static void note(void *userdata, const char *sentence) {
        char *notes = userdata;

        ck_assert_uint_lt(strlen(notes) + strlen(sentence), 2000);
        strcat(notes, sentence);
}

START_TEST(the_machines_list_is_read) {
        char directory[] = "/tmp/vss-rules-XXXXXX", notes[2048] = "", link[64];
        char *const writers[] = { (char[]){ "Mail store" }, NULL };
        char *const volumes[] = { (char[]){ "" }, (char[]){ "/srv/data" }, NULL };
        char *const profiles[] = { (char[]){ "/home/anna" }, (char[]){ "/home/bert" }, NULL };
        const struct file_rules_places places = { volumes, profiles, writers };
        struct file_rules *r;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        write_file(directory, "local.conf",
                   "# a comment\n"
                   "\n"
                   "/var/tmp/*   /s\n"
                   "  /srv/one file.dat\r\n"
                   "/*.core\n"
                   "${statedir}/x/*.tmp\t/s\n"
                   "relative/*\n"
                   "/srv/\n"
                   "/srv/${NOT_DEFINED}/*\n"
                   "$AllVolumes$/lost+found/* /s\n"
                   "$userprofile$/.cache/*.part\n"
                   "$AllVolumes$/../*\n"
                   "/srv/last");
        write_file(directory, "Mail store.conf", "/srv/mail/* /s\n");
        write_file(directory, ".hidden", "/srv/hidden/*\n");
        write_file(directory, "old~", "/srv/old/*\n");
        (void)snprintf(link, sizeof(link), "%s/link", directory);
        ck_assert_int_eq(symlink("/etc/passwd", link), 0);

        ck_assert_int_eq(file_rules_new(&r, NULL), 0);
        ck_assert_int_eq(file_rules_read(r, directory, &places, note, notes, NULL), 0);
        file_rules_seal(r);
        ck_assert(file_rules_match(r, "/var/tmp/a/b", "x"));
        ck_assert(file_rules_match(r, "/srv", "one file.dat"));
        ck_assert(file_rules_match(r, "", "a.core"));
        ck_assert(!file_rules_match(r, "/srv", "a.core"));
        ck_assert(file_rules_match(r, "/var/lib/x/y", "a.tmp"));
        ck_assert(file_rules_match(r, "/srv", "last"));
        ck_assert(file_rules_match(r, "/lost+found/a", "x"));
        ck_assert(file_rules_match(r, "/srv/data/lost+found", "x"));
        ck_assert(!file_rules_match(r, "/srv/lost+found", "x"));
        ck_assert(file_rules_match(r, "/home/bert/.cache", "x.part"));
        ck_assert(!file_rules_match(r, "/home/bert/.cache/deep", "x.part"));
        ck_assert(!file_rules_match(r, "/home/carl/.cache", "x.part"));
        ck_assert(!file_rules_match(r, "/srv/mail", "x"));
        ck_assert(!file_rules_match(r, "/srv/hidden", "x"));
        ck_assert(!file_rules_match(r, "/srv/old", "x"));
        /* What is wrong is told, with its line. */
        ck_assert_ptr_nonnull(strstr(notes, "local.conf:7: "));
        ck_assert_ptr_nonnull(strstr(notes, "local.conf:8: "));
        ck_assert_ptr_nonnull(strstr(notes, "local.conf:9: "));
        ck_assert_ptr_nonnull(strstr(notes, "local.conf:12: "));
        ck_assert_ptr_nonnull(strstr(notes, "/link:0: "));
        file_rules_free(r);

        /* The writer does not run: the machine's list of it counts. */
        ck_assert_int_eq(file_rules_new(&r, NULL), 0);
        ck_assert_int_eq(file_rules_read(r, directory,
                                         &(const struct file_rules_places){ NULL, NULL, NULL },
                                         NULL, NULL, NULL),
                         0);
        file_rules_seal(r);
        ck_assert(file_rules_match(r, "/srv/mail", "x"));
        file_rules_free(r);

        remove_file(directory, "local.conf");
        remove_file(directory, "Mail store.conf");
        remove_file(directory, ".hidden");
        remove_file(directory, "old~");
        remove_file(directory, "link");
        ck_assert_int_eq(rmdir(directory), 0);

        ck_assert_int_eq(file_rules_new(&r, NULL), 0);
        ck_assert_int_eq(file_rules_read(r, directory,
                                         &(const struct file_rules_places){ NULL, NULL, NULL },
                                         NULL, NULL, NULL),
                         0); /* no list */
        file_rules_free(r);
}
END_TEST

int main(void) {
        Suite *s = suite_create("file-rules");
        TCase *c = tcase_create("file-rules");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, each_file_is_excluded_or_not, 0, (int)ARRAY_SIZE(cases));
        tcase_add_test(c, rules_are_counted);
        tcase_add_test(c, whole_trees_are_known);
        tcase_add_test(c, the_machines_list_is_read);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
