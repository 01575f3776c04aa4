/* fstab, as adoption reads it, and its one change. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/adoption-fstab.h"
#include "daemon/adoption/mount-word.h"
#include "daemon/providers/block.h"
#include "tests/unit/adoption-files.h"

static const char sample[] = "# comment\n"
                             "UUID=" UUID " /srv/a ext4 defaults 0 2\n"
                             "  \t/dev/vda2\t/srv/b\txfs\n"
                             "LABEL=\"my disk\" /srv/c\\040d ext4 ro,nofail 0 0 # end\n"
                             "/dev/vda3 none swap sw 0 0\n"
                             "/dev/vda4 swap swap sw\n"
                             "tmpfs /tmp tmpfs\n"
                             "broken\n"
                             "proc /proc\n"
                             "\n"
                             "/dev/vda2 /srv/b2 xfs noauto"; /* no line's end */

START_TEST(fstab_is_read_as_mount_reads_it) {
        static const char *const rows[][3] = {
                { "UUID=" UUID, "/srv/a", "defaults" },
                { "/dev/vda2", "/srv/b", "" },
                { "LABEL=\"my", "", "" },
                { "tmpfs", "/tmp", "" },
                { "/dev/vda2", "/srv/b2", "noauto" },
        };
        _cleanup_(fstab_done) struct fstab f = { 0 };
        size_t k = 0;

        put(fstab_file, sample);
        read_fstab(&f);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (!*rows[i][1]) /* quotes do not hold words together in fstab: no row */
                        continue;
                ck_assert_uint_lt(k, f.n);
                ck_assert_str_eq(f.rows[k].spec, rows[i][0]);
                ck_assert_str_eq(f.rows[k].target, rows[i][1]);
                ck_assert_str_eq(f.rows[k].options, rows[i][2]);
                k++;
        }
        ck_assert_uint_eq(k, f.n);
}
END_TEST

START_TEST(a_respelled_line_comes_back_to_the_byte) {
        _cleanup_(fstab_done) struct fstab f = { 0 }, g = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        _cleanup_(strv_freep) char **targets = NULL;
        _cleanup_(freep) char *text = NULL, *respelled = NULL;
        bool respell = false;

        make_node(below("node"), 250, 1);
        ck_assert_int_eq(str_format(&text,
                                    "# x\n%s/node\t/srv/b  xfs\nUUID=%s /srv/z ext4\n"
                                    "%s/node /srv/c xfs ro",
                                    top, UUID, top),
                         0);
        put(fstab_file, text);
        ck_assert_int_eq(chmod(fstab_file, 0640), 0);
        make(&a, "b");
        read_fstab(&f);
        ck_assert_int_eq(adoption_fstab_find(&f, makedev(250, 1), &a, &targets, &respell, NULL), 0);
        ck_assert(respell);
        ck_assert_uint_eq(strv_length(targets), 3);
        ck_assert_uint_eq(strv_length(a.respelled), 2);
        ck_assert_int_eq(adoption_fstab_respell(&f, &a, NULL), 0);
        ck_assert_int_eq(str_format(&respelled,
                                    "# x\nUUID=%s\t/srv/b  xfs\nUUID=%s /srv/z ext4\n"
                                    "UUID=%s /srv/c xfs ro",
                                    UUID, UUID, UUID),
                         0);
        ck_assert_str_eq(get(fstab_file), respelled);
        /* A second time changes nothing, and forgets nothing. */
        read_fstab(&g);
        targets = strv_free(targets);
        ck_assert_int_eq(adoption_fstab_find(&g, makedev(250, 1), &a, &targets, &respell, NULL), 0);
        ck_assert(!respell);
        ck_assert_uint_eq(strv_length(a.respelled), 2);
        ck_assert_int_eq(adoption_fstab_restore(&g, makedev(250, 1), &a, NULL), 0);
        ck_assert_str_eq(get(fstab_file), text);
        {
                struct stat st;

                ck_assert_int_eq(stat(fstab_file, &st), 0);
                ck_assert_uint_eq(st.st_mode & 0777, 0640);
        }
}
END_TEST

START_TEST(a_name_that_means_another_device_is_not_written_back) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 };

        put(fstab_file, "UUID=" UUID " /srv/b xfs\n");
        make(&a, "b");
        ck_assert_int_eq(strv_append(&a.respelled, "/dev/gone /srv/b"), 0);
        read_fstab(&f);
        ck_assert_int_eq(adoption_fstab_restore(&f, 1, &a, NULL), 1);
        ck_assert_str_eq(get(fstab_file), "UUID=" UUID " /srv/b xfs\n");
        /* The partition is not there: nobody knows what will have that name when it is. */
        ck_assert_int_eq(adoption_fstab_restore(&f, 0, &a, NULL), 1);
        ck_assert_str_eq(get(fstab_file), "UUID=" UUID " /srv/b xfs\n");
}
END_TEST

START_TEST(a_link_counts_while_it_leads_to_the_mapping) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        _cleanup_(freep) char *text = NULL, *node = NULL;
        char link[128];

        block_sysfs = top;
        put_below("dev/block/250:17/dm/uuid", "VSSADOPT-b\n");
        put_below("dev/block/250:17/slaves/vda1/dev", "250:1\n");
        ck_assert_int_eq(str_format(&node, "%s/mapping", top), 0);
        (void)snprintf(link, sizeof(link), "%s/by-id-x", top);
        make_node(node, 250, 17);
        ck_assert_int_eq(symlink("mapping", link), 0);
        ck_assert_int_eq(str_format(&text, "%s /srv/b xfs\n", link), 0);
        put(fstab_file, text);
        read_fstab(&f);
        for (unsigned partition = 1; partition <= 2; partition++) {
                _cleanup_(adopted_done) struct adopted a = { 0 };
                _cleanup_(strv_freep) char **targets = NULL;
                bool respell = false;

                make(&a, "b");
                ck_assert_int_eq(adoption_fstab_find(&f, makedev(250, partition), &a, &targets,
                                                     &respell, NULL),
                                 0);
                ck_assert(!respell);
                ck_assert_uint_eq(strv_length(targets), partition == 1 ? 1 : 0);
                ck_assert(strv_contains(a.sources, link) == (partition == 1));
        }
}
END_TEST

START_TEST(a_line_that_names_the_mapping_outlives_it) {
        _cleanup_(fstab_done) struct fstab f = { 0 }, g = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 };

        put(fstab_file, "/dev/mapper/vss-b\t/srv/b  xfs\nUUID=" UUID " /srv/z xfs\n"
                        "/dev/mapper/vss-bb /srv/bb xfs\n"
                        "/dev/disk/by-id/dm-name-vss-b /srv/c xfs # end\n");
        make(&a, "b");
        ck_assert_int_eq(strv_append(&a.respelled, "/dev/gone /srv/z"), 0);
        read_fstab(&f);
        ck_assert(adoption_fstab_names_mapping(&f, &a));
        ck_assert_int_eq(adoption_fstab_restore(&f, 0, &a, NULL), 1);
        ck_assert_str_eq(get(fstab_file), "UUID=" UUID "\t/srv/b  xfs\nUUID=" UUID " /srv/z xfs\n"
                                          "/dev/mapper/vss-bb /srv/bb xfs\n"
                                          "UUID=" UUID " /srv/c xfs # end\n");
        read_fstab(&g);
        ck_assert(!adoption_fstab_names_mapping(&g, &a));
}
END_TEST

START_TEST(a_link_to_fstab_stays_a_link) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        char other[128];
        struct stat st;

        (void)snprintf(other, sizeof(other), "%s/real", top);
        put(other, "/dev/gone /srv/b xfs\n");
        ck_assert_int_eq(symlink("real", fstab_file), 0);
        make(&a, "b");
        ck_assert_int_eq(strv_append(&a.respelled, "/dev/gone /srv/b"), 0);
        read_fstab(&f);
        ck_assert_int_eq(adoption_fstab_respell(&f, &a, NULL), 0);
        ck_assert_int_eq(lstat(fstab_file, &st), 0);
        ck_assert(S_ISLNK(st.st_mode));
        ck_assert_str_eq(get(other), "UUID=" UUID " /srv/b xfs\n");
}
END_TEST

START_TEST(words_of_fstab_come_back) {
        static const char *const words[] = { "",          "plain",       "a b",
                                             "tab\there", "back\\slash", "#",
                                             "\\040",     "new\nline",   "\xc3\xa4\x7f" };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                _cleanup_(freep) char *encoded = NULL;

                ck_assert_int_eq(mount_word_encode(&encoded, words[i]), 0);
                ck_assert_uint_eq(strcspn(encoded, " \t\n#"), strlen(encoded));
                ck_assert_int_eq(mount_word_decode(encoded), 0);
                ck_assert_str_eq(encoded, words[i]);
        }
        ck_assert_int_eq(mount_word_decode((char[]){ "a\\000b" }), -EINVAL);
        ck_assert_int_eq(mount_word_decode((char[]){ "a\\04" }), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("adoption-fstab");
        TCase *t = tcase_create("adoption-fstab");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, fstab_is_read_as_mount_reads_it);
        tcase_add_test(t, a_respelled_line_comes_back_to_the_byte);
        tcase_add_test(t, a_name_that_means_another_device_is_not_written_back);
        tcase_add_test(t, a_link_counts_while_it_leads_to_the_mapping);
        tcase_add_test(t, a_line_that_names_the_mapping_outlives_it);
        tcase_add_test(t, a_link_to_fstab_stays_a_link);
        tcase_add_test(t, words_of_fstab_come_back);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
