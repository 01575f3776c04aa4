/* Where a volume is mounted: found in a mount table, written down and read again. */

#include "daemon/providers/mount-table.h"
#include "daemon/providers/mount-users.h"
#include "daemon/providers/origin-mounts.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char table[] = "/tmp/vssd-mounts-XXXXXX";

#define OTHER "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
#define WHOLE "30 20 254:5 / /srv rw,nosuid shared:2 - xfs /dev/mapper/t-d rw,attr2\n"
#define AGAIN "31 20 254:5 / /mnt/a\\040b ro - xfs /dev/mapper/t-d rw,attr2\n"
#define PART "32 20 254:5 /sub /home rw - xfs /dev/mapper/t-d rw,attr2\n"
#define ROOT "33 20 254:5 / / rw - xfs /dev/mapper/t-d rw\n"
#define USR "34 20 254:5 / /usr ro - xfs /dev/mapper/t-d rw\n"

static const struct {
        const char *table;
        HRESULT hr;
        const char *text;
        bool at_boot;
} tables[] = {
        { OTHER, S_OK, "", false },
        { OTHER WHOLE, S_OK, "mount /srv xfs / rw,nosuid,rw,attr2\n", false },
        { OTHER WHOLE AGAIN PART, S_OK,
          "mount /srv xfs / rw,nosuid,rw,attr2\nmount /mnt/a\\040b xfs / ro,rw,attr2\n"
          "mount /home xfs /sub rw,rw,attr2\n",
          false },
        { OTHER PART, VSS_E_VOLUME_IN_USE, NULL, false },
        { ROOT WHOLE, S_OK, "mount / xfs / rw,rw\nmount /srv xfs / rw,nosuid,rw,attr2\n", true },
        { OTHER USR, S_OK, "mount /usr xfs / ro,rw\n", true },
};

static void write_table(const char *text) {
        int fd;

        strcpy(table + strlen(table) - 6, "XXXXXX");
        fd = mkstemp(table);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        (void)close(fd); /* it was written */
        mount_table_path = table;
}

START_TEST(what_is_mounted) {
        _cleanup_(origin_mounts_done) struct origin_mounts m = { 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        write_table(tables[_i].table);
        (void)origin_mounts_collect(makedev(254, 5), &m, &error);
        (void)unlink(table); /* it was read */
        ck_assert_int_eq(error.hr, tables[_i].hr);
        if (tables[_i].text)
                ck_assert_str_eq(m.text, tables[_i].text);
        else
                ck_assert_ptr_null(m.text);
        ck_assert_int_eq(m.at_boot, tables[_i].at_boot);
}
END_TEST

#define OVER "35 30 254:6 / /srv rw - ext4 /dev/mapper/t-e rw\n"
static const struct {
        const char *table;
        HRESULT hr;
        bool there;
} tops[] = {
        { OTHER, S_OK, false },           { OTHER WHOLE, S_OK, true },
        { OTHER OVER, S_OK, false },      { OTHER WHOLE OVER, VSS_E_VOLUME_IN_USE, false },
        { OTHER OVER WHOLE, S_OK, true },
};

/* Who unmounted what is not the volume's would be somebody's loss. */
START_TEST(what_is_mounted_over_it) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        bool there = false;

        write_table(tops[_i].table);
        (void)origin_mounts_check_top("/srv", makedev(254, 5), &there, &error);
        (void)unlink(table); /* it was read */
        ck_assert_int_eq(error.hr, tops[_i].hr);
        ck_assert_int_eq(there, tops[_i].there);
}
END_TEST

START_TEST(a_text_is_read) {
        _cleanup_(origin_mount_list_done) struct origin_mount_list l = { 0 };

        ck_assert_int_eq(origin_mounts_parse("mount /srv xfs / rw,nosuid\n"
                                             "mount /mnt/a\\040b xfs /x\\012y ro\n",
                                             &l),
                         0);
        ck_assert_uint_eq(l.n, 2);
        ck_assert_str_eq(l.items[0].target, "/srv");
        ck_assert_str_eq(l.items[0].type, "xfs");
        ck_assert_str_eq(l.items[0].options, "rw,nosuid");
        ck_assert_str_eq(l.items[1].target, "/mnt/a b");
        ck_assert_str_eq(l.items[1].root, "/x\ny");
}
END_TEST

static const char *const wrong[] = {
        "mount",
        "mount /a",
        "mount /a ext4 /",
        "mount /a ext4 / rw more",
        "mount a ext4 / rw",
        "mount /a ext4 x rw",
        "umount /a ext4 / rw",
        "mount  /a ext4 / rw",
        "mount /a ext4 / rw\nnonsense\n",
};

START_TEST(what_is_no_such_text) {
        struct origin_mount_list l = { 0 };

        ck_assert_int_eq(origin_mounts_parse(wrong[_i], &l), -EBADMSG);
        ck_assert_uint_eq(l.n, 0);
}
END_TEST

/* Only who is in that very file system is sent a signal, however the path is called where he is. */
/* Nothing of it is open any more, and it keeps the mount all the same. */
static void map_and_close(const char *directory) {
        char path[64];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/mapped", directory);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, 4096) < 0 ||
            mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
                _exit(1);
        close(fd);
}

START_TEST(whose_programs_are_ended) {
        char directory[] = "/tmp/vssd-users-XXXXXX", path[64];
        struct stat st;
        int status;
        pid_t pid;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(stat(directory, &st), 0);
        ck_assert_uint_eq(mount_users_end(directory, st.st_dev, SIGTERM), 0);
        pid = fork();
        if (pid == 0) {
                (void)signal(SIGTERM, SIG_DFL); /* and not Check's, which ends all of the test */
                if (_i > 0)
                        map_and_close(directory);
                else if (chdir(directory) < 0)
                        _exit(1);
                for (;;)
                        (void)pause();
        }
        ck_assert_int_gt(pid, 0);
        while (mount_users_end(directory, st.st_dev, 0) == 0) /* until it is there */
                (void)usleep(1000);
        ck_assert_uint_eq(mount_users_end(directory, st.st_dev + 1, SIGKILL), 0);
        ck_assert_int_eq(kill(pid, 0), 0);
        ck_assert_uint_eq(mount_users_end(directory, st.st_dev, SIGTERM), 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        (void)snprintf(path, sizeof(path), "%s/mapped", directory);
        ck_assert_int_eq(unlink(path), _i > 0 ? 0 : -1);
        ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("origin-mounts");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tc, what_is_mounted, 0, ARRAY_SIZE(tables));
        tcase_add_loop_test(tc, what_is_mounted_over_it, 0, ARRAY_SIZE(tops));
        tcase_add_test(tc, a_text_is_read);
        tcase_add_loop_test(tc, what_is_no_such_text, 0, ARRAY_SIZE(wrong));
        tcase_add_loop_test(tc, whose_programs_are_ended, 0, 2);
        suite_add_tcase(s, tc);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
