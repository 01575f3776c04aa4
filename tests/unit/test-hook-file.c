/* Which files are read: the owner's own, in the owner's own directory, and no links. */

#include "writers/hook/hook-file.h"
#include "writers/hook/hook-record.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static char directory[64];

static void write_file(const char *name, const char *text) {
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0644), 0);
}

static void change_mode(const char *name, mode_t mode) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        ck_assert_int_eq(chmod(path, mode), 0);
}

static void set_up(void) {
        snprintf(directory, sizeof(directory), "/tmp/test-hook-file-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void tear_down(void) {
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int open_directory(void) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        int fd = -1;

        ck_assert_msg(hook_directory_open(&fd, directory, &e) == 0, "%s", e.message);
        return fd;
}

static void refuse_file(const char *name, const char *want) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        struct hook_config *c = NULL;
        int fd = open_directory();

        ck_assert_int_eq(hook_file_load(&c, fd, name, &e), -EINVAL);
        ck_assert_ptr_nonnull(e.message);
        ck_assert_msg(strstr(e.message, want) != NULL, "'%s' is not in '%s'", want, e.message);
        safe_close(fd);
}

START_TEST(good_files_are_listed_in_order_and_read) {
        _cleanup_(hook_config_freep) struct hook_config *c = NULL;
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        _cleanup_(strv_freep) char **names = NULL;
        int fd;

        set_up();
        write_file("b.conf", "[Writer]\nAlways=yes\n");
        write_file("a.conf", "[Writer]\nAlways=yes\n");
        write_file(".hidden.conf", "");
        write_file("a.conf.orig", "");
        write_file(".conf", "");
        fd = open_directory();
        ck_assert_int_eq(hook_directory_list(&names, fd), 0);
        ck_assert_uint_eq(strv_length(names), 2);
        ck_assert_str_eq(names[0], "a.conf");
        ck_assert_str_eq(names[1], "b.conf");
        ck_assert_int_eq(hook_file_load(&c, fd, "b.conf", &e), 0);
        ck_assert_str_eq(c->file, "b.conf");
        ck_assert_str_eq(c->name, "b");
        safe_close(fd);
        tear_down();
}
END_TEST

START_TEST(files_that_others_can_write_are_refused) {
        set_up();
        write_file("a.conf", "[Writer]\nAlways=yes\n");
        change_mode("a.conf", 0664);
        refuse_file("a.conf", "chmod go-w");
        change_mode("a.conf", 0646);
        refuse_file("a.conf", "chmod go-w");
        tear_down();
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused) {
        char path[128];

        set_up();
        write_file("real", "[Writer]\nAlways=yes\n");
        snprintf(path, sizeof(path), "%s/link.conf", directory);
        ck_assert_int_eq(symlink("real", path), 0);
        refuse_file("link.conf", "links are not followed");
        snprintf(path, sizeof(path), "%s/fifo.conf", directory);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        refuse_file("fifo.conf", "no regular file"); /* and does not hang */
        snprintf(path, sizeof(path), "%s/dir.conf", directory);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        refuse_file("dir.conf", "no regular file");
        refuse_file("absent.conf", "cannot open");
        tear_down();
}
END_TEST

START_TEST(a_large_file_is_refused) {
        char text[INI_SIZE_MAX + 100];

        set_up();
        memset(text, '\n', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        write_file("a.conf", text);
        refuse_file("a.conf", "larger than");
        tear_down();
}
END_TEST

START_TEST(other_peoples_things_are_refused) {
        char path[128];

        ck_assert_msg(geteuid() == 0, "only root can give files away; run this test as root");
        set_up();
        write_file("a.conf", "[Writer]\nAlways=yes\n");
        snprintf(path, sizeof(path), "%s/a.conf", directory);
        ck_assert_int_eq(chown(path, 1234, 0), 0);
        refuse_file("a.conf", "belongs to user 1234");
        tear_down();
}
END_TEST

START_TEST(directories_that_others_can_write_are_refused) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 }, e2 = { 0 };
        char path[128];
        int fd = -1;

        set_up();
        ck_assert_int_eq(chmod(directory, 0777), 0);
        ck_assert_int_eq(hook_directory_open(&fd, directory, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(e.message, "chmod go-w"));
        ck_assert_int_eq(chmod(directory, 0700), 0);
        snprintf(path, sizeof(path), "%s/link", directory);
        ck_assert_int_eq(symlink(".", path), 0);
        ck_assert_int_eq(hook_directory_open(&fd, path, &e2), -EINVAL);
        ck_assert_int_eq(fd, -1);
        tear_down();
}
END_TEST

START_TEST(records_come_and_go) {
        _cleanup_(strv_freep) char **files = NULL, **none = NULL;
        char path[128];

        set_up();
        snprintf(path, sizeof(path), "%s/records", directory);
        ck_assert_int_eq(hook_record_open(path), 0);
        ck_assert_int_eq(hook_record_set("b.conf"), 0);
        ck_assert_int_eq(hook_record_set("a.conf"), 0);
        ck_assert_int_eq(hook_record_set("a.conf"), 0);
        ck_assert_int_eq(hook_record_open(path), 0); /* the next start */
        ck_assert_int_eq(hook_record_list(&files), 0);
        ck_assert_uint_eq(strv_length(files), 2);
        ck_assert_str_eq(files[0], "a.conf");
        ck_assert_int_eq(hook_record_clear("a.conf"), 0);
        ck_assert_int_eq(hook_record_clear("a.conf"), 0);
        ck_assert_int_eq(hook_record_clear("b.conf"), 0);
        ck_assert_int_eq(hook_record_list(&none), 0);
        ck_assert_ptr_null(none);
        tear_down();
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-file");
        TCase *c = tcase_create("hook-file");
        SRunner *runner;
        int failed;

        tcase_add_test(c, good_files_are_listed_in_order_and_read);
        tcase_add_test(c, files_that_others_can_write_are_refused);
        tcase_add_test(c, what_is_no_regular_file_is_refused);
        tcase_add_test(c, a_large_file_is_refused);
        tcase_add_test(c, other_peoples_things_are_refused);
        tcase_add_test(c, directories_that_others_can_write_are_refused);
        tcase_add_test(c, records_come_and_go);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
