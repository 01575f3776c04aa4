/* Paths, mounts and copies, as text. */

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/mount-table.h"

#include <check.h>

static const char mountinfo[] =
        "1 1 0:2 / / rw - rootfs none rw\n" /* hidden by the next */
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n"
        "23 22 0:20 / /proc rw - proc proc rw\n"
        "24 22 254:1 / /srv/data rw master:2 - xfs /dev/mapper/vg-data rw\n"
        "25 22 254:2 / /srv/data-2 rw - ext4 /dev/mapper/vg-data2 rw\n"
        "26 24 254:3 / /srv/data/deep rw - ext4 /dev/mapper/vg-deep rw\n"
        "27 22 254:1 /mail /var/mail rw - xfs /dev/mapper/vg-data rw\n"
        "28 22 0:50 / /mnt/with\\040blank\\134 rw - nfs4 server:/ rw\n"
        "29 22 0:51 / /mnt/sshfs rw - fuse.sshfs me@there rw\n"
        "30 22 254:1 / /srv/again rw - xfs /dev/mapper/vg-data rw\n";

static struct mount_table *make(void) {
        FILE *f = fmemopen((char *)mountinfo, sizeof(mountinfo) - 1, "r");
        struct mount_table *t;

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(mount_table_new(&t, f, NULL), 0);
        ck_assert_int_eq(fclose(f), 0);
        return t;
}

static const struct {
        const char *path, *mount, *copy; /* copy NULL: read from the original */
} cases[] = {
        { "", "", NULL },
        { "/etc", "", NULL },
        { "/srv/data", "/srv/data", "/run/vss/ShadowCopy1" },
        { "/srv/data/x", "/srv/data", "/run/vss/ShadowCopy1/x" },
        { "/srv/data-2/x", "/srv/data-2", NULL },
        { "/srv/database", "", NULL },
        { "/srv/data/deep/x", "/srv/data/deep", NULL },
        { "/srv/data/deeper", "/srv/data", "/run/vss/ShadowCopy1/deeper" },
        { "/var/mail/a/b", "/var/mail", "/run/vss/ShadowCopy1/mail/a/b" },
        { "/srv/again/z", "/srv/again", "/run/vss/ShadowCopy1/z" },
        { "/gone/x", "/gone", "/run/vss/ShadowCopy2/x" },
        { "/mnt/with blank\\/x", "/mnt/with blank\\", NULL },
};

START_TEST(each_path_has_its_place) {
        struct mount_table *t = make();
        const struct mount *m;
        char *real = NULL;

        ck_assert(!mount_table_is_of_copies(t));
        ck_assert_int_eq(mount_table_add_copy(t, "/srv/data/", "/run/vss/ShadowCopy1", NULL), 0);
        /* A volume of the set that is not mounted now. */
        ck_assert_int_eq(mount_table_add_copy(t, "/gone/", "/run/vss/ShadowCopy2", NULL), 0);
        ck_assert(mount_table_is_of_copies(t));

        m = mount_table_find(t, cases[_i].path);
        ck_assert_ptr_nonnull(m);
        ck_assert_str_eq(m->path, cases[_i].mount);
        ck_assert_int_eq(mount_locate(&real, m, cases[_i].path, m->copy), 0);
        ck_assert_str_eq(real, cases[_i].copy ? cases[_i].copy : cases[_i].path);
        free(real);
        mount_table_free(t);
}
END_TEST

START_TEST(kinds_are_told_apart) {
        struct mount_table *t = make();

        ck_assert_int_eq(mount_table_find(t, "/proc/1")->kind, MOUNT_PSEUDO);
        ck_assert_int_eq(mount_table_find(t, "/mnt/sshfs/x")->kind, MOUNT_REMOTE);
        ck_assert_int_eq(mount_table_find(t, "/mnt/with blank\\")->kind, MOUNT_REMOTE);
        ck_assert_int_eq(mount_table_find(t, "/srv/data")->kind, MOUNT_LOCAL);
        ck_assert_str_eq(mount_table_find(t, "/")->fs_type, "ext4");
        for (int kind = 0; kind < _MOUNT_KIND_MAX; kind++)
                ck_assert_ptr_nonnull(mount_kind_to_string((enum mount_kind)kind));
        mount_table_free(t);
}
END_TEST

START_TEST(what_is_mounted_twice_is_listed_once) {
        struct mount_table *t = make();

        /* /var/mail is /srv/data/mail. */
        ck_assert(mount_table_is_reached_otherwise(t, mount_table_at(t, "/var/mail"), ""));
        ck_assert(!mount_table_is_reached_otherwise(t, mount_table_at(t, "/var/mail"), "/var"));
        /* The same tree at two places: one of them is. */
        ck_assert_int_ne(
                mount_table_is_reached_otherwise(t, mount_table_at(t, "/srv/data"), "/srv"),
                mount_table_is_reached_otherwise(t, mount_table_at(t, "/srv/again"), "/srv"));
        ck_assert(!mount_table_is_reached_otherwise(t, mount_table_at(t, "/srv/data-2"), ""));
        mount_table_free(t);
}
END_TEST

START_TEST(below_means_whole_names) {
        const char *rest = NULL;

        ck_assert(file_path_is_below("/a/b", "/a", &rest));
        ck_assert_str_eq(rest, "/b");
        ck_assert(file_path_is_below("/a", "/a", &rest));
        ck_assert_str_eq(rest, "");
        ck_assert(file_path_is_below("/a", "", &rest));
        ck_assert(!file_path_is_below("/ab", "/a", &rest));
        ck_assert(!file_path_is_below("/a", "/a/b", &rest));
}
END_TEST

START_TEST(nonsense_is_refused) {
        static const char *const lines[] = { "", "1 2 3\n", "a b c d e f\n",
                                             "22 1 x:0 / / rw - ext4 d rw\n" };
        char text[64] = "";
        struct mount_table *t = NULL;
        FILE *f;

        (void)snprintf(text, sizeof(text), "%s", lines[_i]);
        f = fmemopen(text, sizeof(text), "r");
        ck_assert_ptr_nonnull(f);
        /* fmemopen gives NULs behind an empty line: no mountinfo either. */
        ck_assert_int_eq(mount_table_new(&t, f, NULL), -EINVAL);
        ck_assert_int_eq(fclose(f), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("mount-table");
        TCase *c = tcase_create("mount-table");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, each_path_has_its_place, 0, (int)ARRAY_SIZE(cases));
        tcase_add_test(c, kinds_are_told_apart);
        tcase_add_test(c, what_is_mounted_twice_is_listed_once);
        tcase_add_test(c, below_means_whole_names);
        tcase_add_loop_test(c, nonsense_is_refused, 0, 4);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
