/* What a volume is known by, read from images, and another UUID by e2fsprogs' own tools or by some
 * that do not do what they are asked. */

#include "daemon/job/run-program.h"
#include "daemon/providers/volume-identity.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <vss/vsserror.h>

#define MIB (1024L * 1024)
#define NEW_UUID "11111111-2222-4333-8444-555555555555"

static char directory[64], image[128];

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/vss-identity-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        (void)snprintf(image, sizeof(image), "%s/image", directory);
}

static void teardown(void) {
        char *argv[] = { (char *)"/bin/rm", (char *)"-r", directory, NULL };

        volume_identity_tools = NULL;
        ck_assert_int_eq(run_program(argv, 60 * 1000000, NULL), 0);
}

/* A command of the shell's, with the image as $1; what it printed. */
static char *shell(const char *command) {
        char *argv[] = { (char *)"/bin/sh", (char *)"-ec", (char *)(uintptr_t)command,
                         (char *)"sh",      image,         NULL };
        struct vss_error error = { 0 };
        char *output = NULL;

        ck_assert_msg(run_program_output(argv, 120 * 1000000, &output, &error) >= 0, "%s: %s",
                      command, str_or_empty(error.message));
        return output;
}

static void make(const char *command) {
        int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, 64 * MIB), 0);
        (void)close(fd);
        free(shell(command));
}

/* The type, and in uuid what it is known by. */
static const char *read_type(char uuid[static 64]) {
        _cleanup_(volume_identity_done) struct volume_identity i = { 0 };
        static char type[64];

        ck_assert_int_eq(volume_identity_read(&i, image, NULL), 0);
        (void)snprintf(type, sizeof(type), "%s", str_or_empty(i.type));
        (void)snprintf(uuid, 64, "%s", str_or_empty(i.uuid));
        return type;
}

static const struct {
        const char *make, *type;
        bool known, changes;
} volumes[] = {
        { "true", "", false, true }, /* there is nothing to be changed */
        { "/sbin/mke2fs -q -t ext2 $1", "ext2", true, true },
        { "/sbin/mke2fs -q -t ext3 $1", "ext3", true, true },
        { "/sbin/mke2fs -q -t ext4 $1", "ext4", true, true },
        { "/sbin/mkswap -q $1", "swap", true, false },
        { "printf '\\125\\252' | dd of=$1 bs=1 seek=510 conv=notrunc status=none; "
          "printf '\\1\\2\\3\\4' | dd of=$1 bs=1 seek=440 conv=notrunc status=none; "
          "printf '\\0\\0\\0\\0\\203\\0\\0\\0\\0\\10\\0\\0\\0\\10\\0\\0' | "
          "dd of=$1 bs=1 seek=446 conv=notrunc status=none",
          "dos", true, false },
};

START_TEST(what_a_volume_is_known_by) {
        _cleanup_(volume_identity_done) struct volume_identity i = { 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        make(volumes[_i].make);
        ck_assert_int_eq(volume_identity_read(&i, image, &error), 0);
        ck_assert_str_eq(str_or_empty(i.type), volumes[_i].type);
        ck_assert_int_eq(i.uuid != NULL, volumes[_i].known);
        r = volume_identity_check(&i, "/srv/data/", &error);
        ck_assert_int_eq(r == 0, volumes[_i].changes);
        if (volumes[_i].changes)
                return;
        ck_assert_int_eq(error.hr, VSS_E_BREAK_REVERT_ID_FAILED);
        ck_assert_ptr_nonnull(strstr(error.message, "/srv/data/"));
        ck_assert_ptr_nonnull(strstr(error.message, i.uuid));
        vss_error_done(&error);
        ck_assert_int_lt(volume_identity_write(image, i.type, NEW_UUID, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_BREAK_REVERT_ID_FAILED);
}
END_TEST

START_TEST(a_device_that_is_not_there) {
        struct volume_identity i = { 0 };
        struct vss_error error = { 0 };

        ck_assert_int_lt(volume_identity_read(&i, image, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, image));
        vss_error_done(&error);
}
END_TEST

/* Mounted since it was checked, as all copies are: tune2fs wants it checked then, or another way.
 */
#define MOUNTED "; /sbin/debugfs -w -R 'ssv mtime 20990101' $1 2>/dev/null"

static const struct {
        const char *make, *type, *seed;
} changed[] = {
        { "/sbin/mke2fs -q -t ext2 $1" MOUNTED, "ext2", "0" },
        { "/sbin/mke2fs -q -t ext3 $1" MOUNTED, "ext3", "0" },
        { "/sbin/mke2fs -q -t ext4 -O metadata_csum,^metadata_csum_seed $1" MOUNTED, "ext4", "1" },
        { "/sbin/mke2fs -q -t ext4 -O metadata_csum,metadata_csum_seed $1" MOUNTED, "ext4", "1" },
        { "/sbin/mke2fs -q -t ext4 -O ^metadata_csum,uninit_bg $1" MOUNTED, "ext4", "0" },
};

START_TEST(a_file_system_gets_another_uuid) {
        _cleanup_(freep) char *seeds = NULL;
        char before[64], after[64];
        struct vss_error error = { 0 };

        make(changed[_i].make);
        ck_assert_str_eq(read_type(before), changed[_i].type);
        ck_assert_msg(volume_identity_write(image, changed[_i].type, NEW_UUID, &error) == 0, "%s",
                      str_or_empty(error.message));
        ck_assert_str_eq(read_type(after), changed[_i].type);
        ck_assert_str_eq(after, NEW_UUID);
        ck_assert_str_ne(before, NEW_UUID);
        free(shell("/sbin/e2fsck -fn $1"));
        seeds = shell("/sbin/dumpe2fs -h $1 2>/dev/null | grep -c metadata_csum_seed || true");
        ck_assert_int_eq(seeds[0], changed[_i].seed[0]);

        /* It is so already: no tool is needed. */
        volume_identity_tools = directory;
        ck_assert_int_eq(volume_identity_write(image, changed[_i].type, NEW_UUID, &error), 0);
        ck_assert_int_lt(volume_identity_write(image, changed[_i].type, before, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "not installed"));
        vss_error_done(&error);
        volume_identity_tools = NULL;
        /* And back. */
        ck_assert_int_eq(volume_identity_write(image, changed[_i].type, before, &error), 0);
        (void)read_type(after);
        ck_assert_str_eq(after, before);
        free(shell("/sbin/e2fsck -fn $1"));
}
END_TEST

/* The negative control: that all metadata are not written again is not so by itself. */
START_TEST(without_the_seed_tune2fs_wants_a_check) {
        make("/sbin/mke2fs -q -t ext4 -O metadata_csum,^metadata_csum_seed $1" MOUNTED);
        free(shell("! /sbin/tune2fs -U " NEW_UUID " $1 </dev/null"));
}
END_TEST

static const struct {
        const char *script, *words;
} false_tools[] = {
        { "exit 0", "could not be changed" },
        { "echo the disk is full; exit 1", "the disk is full" },
        { "echo something; exit 0", "could not be changed" },
};

START_TEST(what_a_tool_says_does_not_count) {
        char path[128], before[64], after[64];
        struct vss_error error = { 0 };
        FILE *f;

        make("/sbin/mke2fs -q -t ext4 $1");
        (void)read_type(before);
        (void)snprintf(path, sizeof(path), "%s/tune2fs", directory);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        (void)fprintf(f, "#!/bin/sh\n%s\n", false_tools[_i].script);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0700), 0);
        volume_identity_tools = directory;
        ck_assert_int_lt(volume_identity_write(image, "ext4", NEW_UUID, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_BREAK_REVERT_ID_FAILED);
        ck_assert_msg(strstr(error.message, false_tools[_i].words) != NULL, "%s", error.message);
        vss_error_done(&error);
        (void)read_type(after);
        ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(a_tool_that_is_not_there_is_said_before) {
        struct volume_identity i = { .type = (char *)(uintptr_t) "xfs",
                                     .uuid = (char *)(uintptr_t)NEW_UUID };
        struct vss_error error = { 0 };

        volume_identity_tools = directory;
        ck_assert_int_lt(volume_identity_check(&i, "/srv/data/", &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_BREAK_REVERT_ID_FAILED);
        ck_assert_ptr_nonnull(strstr(error.message, "xfs_admin"));
        vss_error_done(&error);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("volume-identity");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 240);
        tcase_add_loop_test(tc, what_a_volume_is_known_by, 0, ARRAY_SIZE(volumes));
        tcase_add_test(tc, a_device_that_is_not_there);
        tcase_add_loop_test(tc, a_file_system_gets_another_uuid, 0, ARRAY_SIZE(changed));
        tcase_add_test(tc, without_the_seed_tune2fs_wants_a_check);
        tcase_add_loop_test(tc, what_a_tool_says_does_not_count, 0, ARRAY_SIZE(false_tools));
        tcase_add_test(tc, a_tool_that_is_not_there_is_said_before);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
