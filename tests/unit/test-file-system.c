/* Of which file systems copies can be made, by type and by what a superblock says of parts that are
 * on other devices; of what stands below a loop device, by a made-up tree and mount table. */

#include "daemon/providers/block.h"
#include "daemon/providers/file-system.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/volume-image.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct patch {
        off_t offset;
        const char *bytes;
        size_t n;
};
#define PATCH(o, b) \
        { .offset = (o), .bytes = (b), .n = sizeof(b) - 1 }

static void assert_parts(const char *type, const struct patch *patches, size_t n,
                         const char *reason) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        _cleanup_(closep) int fd = memfd_create("device", MFD_CLOEXEC);
        int r;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, 8192), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(pwrite(fd, patches[i].bytes, patches[i].n, patches[i].offset),
                                 (ssize_t)patches[i].n);
        r = file_system_check_parts(fd, type, "/v", &error);
        if (!reason) {
                ck_assert_msg(r == 0, "%s", error.message);
                return;
        }
        ck_assert_int_eq(r, -EOPNOTSUPP);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_msg(strstr(error.message, reason) != NULL, "%s", error.message);
        ck_assert_ptr_nonnull(strstr(error.message, "/v"));
}

START_TEST(a_journal_on_another_device_is_seen) {
        static const struct patch inside[] = { PATCH(1024 + 0x38, "\x53\xEF"),
                                               PATCH(1024 + 0x5C, "\x3c\0\0\0"),
                                               PATCH(1024 + 0xE0, "\x08\0\0\0") };
        static const struct patch outside[] = { PATCH(1024 + 0x38, "\x53\xEF"),
                                                PATCH(1024 + 0x5C, "\x3c\0\0\0") };
        static const struct patch without[] = { PATCH(1024 + 0x38, "\x53\xEF"),
                                                PATCH(1024 + 0x5C, "\x38\0\0\0") };

        assert_parts("ext4", inside, ARRAY_SIZE(inside), NULL);
        assert_parts("ext4", without, ARRAY_SIZE(without), NULL);
        assert_parts("ext4", outside, ARRAY_SIZE(outside), "journal is on another device");
        assert_parts("ext3", outside, ARRAY_SIZE(outside), "journal is on another device");
        /* Not what it is called. */
        assert_parts("xfs", outside, ARRAY_SIZE(outside), NULL);
        assert_parts("ext4", NULL, 0, NULL);
}
END_TEST

START_TEST(an_xfs_log_or_realtime_device_is_seen) {
        static const struct patch inside[] = { PATCH(0, "XFSB"), PATCH(48, "\0\0\0\0\0\2\0\4") };
        static const struct patch log[] = { PATCH(0, "XFSB") };
        static const struct patch realtime[] = { PATCH(0, "XFSB"), PATCH(16, "\0\0\0\0\0\0\1\0"),
                                                 PATCH(48, "\0\0\0\0\0\2\0\4") };

        assert_parts("xfs", inside, ARRAY_SIZE(inside), NULL);
        assert_parts("xfs", log, ARRAY_SIZE(log), "log is on another device");
        assert_parts("xfs", realtime, ARRAY_SIZE(realtime), "realtime device");
        assert_parts("xfs", NULL, 0, NULL);
}
END_TEST

START_TEST(a_device_that_cannot_be_read_has_no_parts_elsewhere) {
        ck_assert_int_eq(file_system_check_parts(-1, "ext4", "/v", NULL), 0);
        ck_assert_int_eq(file_system_check_parts(-1, "xfs", "/v", NULL), 0);
}
END_TEST

START_TEST(each_refused_type_has_its_reason) {
        static const struct {
                const char *type, *word;
                bool local;
        } cases[] = {
                { "btrfs", "btrfs subvolume snapshot", true },
                { "btrfs", "vss-btrfs-provider --register", true },
                { "zfs_member", "zfs snapshot", true },
                { "bcachefs", "several devices", true },
                { "jbd", "journal", true },
                { "xfs_external_log", "log of an XFS", true },
                { "fuseblk", "cannot be frozen", true },
                { "gfs2", "other hosts", false },
                { "fuse.sshfs", "cannot be frozen", false },
                { "nfs4", "another machine", false },
                { "tmpfs", "memory", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                ck_assert_int_eq(file_system_check_type(cases[i].type, "/v", "some detail", &error),
                                 -EOPNOTSUPP);
                ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
                ck_assert_msg(strstr(error.message, cases[i].word) != NULL, "%s", error.message);
                ck_assert_ptr_nonnull(strstr(error.message, "some detail"));
                ck_assert_int_eq(file_system_is_local(cases[i].type), cases[i].local);
        }
        ck_assert_int_eq(file_system_check_type("ext4", "/v", NULL, NULL), 0);
        ck_assert_int_eq(file_system_check_type("fusextra", "/v", NULL, NULL), 0);
}
END_TEST

static char top[] = "/tmp/test-file-system.XXXXXX";

static int remove_entry(const char *path, const struct stat *st _unused_, int flag _unused_,
                        struct FTW *walk _unused_) {
        return remove(path);
}

/* Writes top/path, making its directories. */
static void put(const char *path, const char *text) {
        _cleanup_(freep) char *full = NULL;
        FILE *f;

        ck_assert_int_eq(str_format(&full, "%s/%s", top, path), 0);
        for (char *p = full + strlen(top) + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                ck_assert(mkdir(full, 0700) == 0 || errno == EEXIST);
                *p = '/';
        }
        f = fopen(full, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

/* Of the loop device 7:0. */
static struct loop_info64 status;

static int made_up_status(dev_t devno _unused_, struct loop_info64 *ret) {
        *ret = status;
        return 0;
}

static const char mountinfo[] =
        "30 27 0:40 / /merged rw - overlay overlay rw,lowerdir=/a,upperdir=%s/upper,workdir=/c\n"
        "31 27 0:41 / /net rw - nfs4 server:/x rw\n"
        "32 27 0:42 / /ssh rw - fuse.sshfs me@there: rw\n"
        "33 27 0:43 / /view rw - overlay overlay rw,lowerdir=/a:/b\n"
        "34 27 0:44 / /memory rw - tmpfs none rw\n"
        "35 27 0:45 / /tree rw - btrfs /dev/no/such/device rw\n";

static void setup(void) {
        static char path[64];
        char text[2048];

        ck_assert_ptr_nonnull(mkdtemp(top));
        block_sysfs = top;
        put("dev/block/7:0/loop/backing_file", "/gone/image (deleted)\n");
        put("upper/file", "");
        (void)snprintf(text, sizeof(text), mountinfo, top);
        put("mountinfo", text);
        (void)snprintf(path, sizeof(path), "%s/mountinfo", top);
        mount_table_path = path;
        image_loop_status = made_up_status;
        status = (struct loop_info64){ 0 };
}

static void teardown(void) {
        ck_assert_int_eq(nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
        memcpy(strrchr(top, '.') + 1, "XXXXXX", 6);
}

static void read_base(struct image_base *ret) {
        ck_assert_int_eq(image_base_read(ret, makedev(7, 0)), 0);
        ck_assert(ret->is_image);
}

START_TEST(an_image_is_known_by_its_numbers_when_its_name_is_gone) {
        _cleanup_(image_base_done) struct image_base b = { 0 };

        status.lo_device = 0xfd01; /* 253:1 */
        status.lo_inode = 12;
        read_base(&b);
        ck_assert_uint_eq(b.n, 1);
        ck_assert_uint_eq(b.below[0], makedev(253, 1));
        ck_assert_ptr_null(b.unknown);
}
END_TEST

START_TEST(a_loop_device_over_a_block_device_lies_on_that) {
        _cleanup_(image_base_done) struct image_base b = { 0 };

        status.lo_device = 5;
        status.lo_rdevice = 0x1000fd02; /* 253:65538 */
        read_base(&b);
        ck_assert_uint_eq(b.n, 1);
        ck_assert_uint_eq(b.below[0], makedev(253, 65538));
}
END_TEST

START_TEST(an_image_in_memory_or_on_another_machine_lies_on_nothing_here) {
        for (unsigned minor_number = 41; minor_number <= 44; minor_number += 3) {
                _cleanup_(image_base_done) struct image_base b = { 0 };

                status.lo_device = minor_number;
                read_base(&b);
                ck_assert_uint_eq(b.n, 0);
                ck_assert_ptr_null(b.unknown);
        }
}
END_TEST

START_TEST(an_image_on_an_overlay_lies_where_its_upper_directory_does) {
        _cleanup_(image_base_done) struct image_base b = { 0 };
        struct stat st;

        ck_assert_int_eq(stat(top, &st), 0);
        status.lo_device = 40;
        read_base(&b);
        /* The test's own folder may be on an overlay itself, whose mount is not in the table. */
        if (major(st.st_dev) == 0)
                return;
        ck_assert_uint_eq(b.n, 1);
        ck_assert_uint_eq(b.below[0], st.st_dev);
        ck_assert_ptr_null(b.unknown);
}
END_TEST

START_TEST(who_does_not_tell_what_an_image_lies_on_is_named) {
        static const struct {
                unsigned minor_number;
                const char *word;
        } cases[] = {
                { 42, "the fuse.sshfs on /ssh" },
                { 43, "the overlay on /view" },
                { 45, "a btrfs on /dev/no/such/device" },
                { 46, "(0:46) that is mounted nowhere" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(image_base_done) struct image_base b = { 0 };

                status.lo_device = cases[i].minor_number;
                read_base(&b);
                ck_assert_uint_eq(b.n, 0);
                ck_assert_msg(b.unknown && strstr(b.unknown, cases[i].word), "%s", b.unknown);
        }
}
END_TEST

START_TEST(a_network_block_device_has_a_process_behind_it) {
        _cleanup_(image_base_done) struct image_base b = { 0 };

        put("dev/block/43:0/size", "2048\n");
        put("dev/block/43:0/uevent", "DEVNAME=nbd0\n");
        ck_assert_int_eq(image_base_read(&b, makedev(43, 0)), 0);
        ck_assert(!b.is_image);
        ck_assert_str_eq(b.unknown, "the process that serves /dev/nbd0");
}
END_TEST

START_TEST(a_file_system_on_several_devices_lies_on_all_of_them) {
        _cleanup_(freep) dev_t *devices = NULL;
        size_t n = 9;

        put("fs/btrfs/features/x", "");
        put("fs/btrfs/1/devices/sda/dev", "8:0\n");
        put("fs/btrfs/2/devices/dm-1/dev", "253:1\n");
        put("fs/btrfs/2/devices/dm-2/dev", "253:2\n");
        put("fs/btrfs/2/devices/dm-3/dev", "253:3\n");
        ck_assert_int_eq(block_companions(makedev(253, 2), "fs/btrfs", &devices, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_ne(devices[0], makedev(253, 2));
        ck_assert_uint_ne(devices[1], makedev(253, 2));
        free(TAKE_PTR(devices));
        ck_assert_int_eq(block_companions(makedev(253, 9), "fs/btrfs", &devices, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(block_companions(makedev(253, 9), "fs/none", &devices, &n), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("file-system");
        TCase *t = tcase_create("file-system"), *images = tcase_create("images");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, a_journal_on_another_device_is_seen);
        tcase_add_test(t, an_xfs_log_or_realtime_device_is_seen);
        tcase_add_test(t, a_device_that_cannot_be_read_has_no_parts_elsewhere);
        tcase_add_test(t, each_refused_type_has_its_reason);
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(images, setup, teardown);
        tcase_add_test(images, an_image_is_known_by_its_numbers_when_its_name_is_gone);
        tcase_add_test(images, a_loop_device_over_a_block_device_lies_on_that);
        tcase_add_test(images, an_image_in_memory_or_on_another_machine_lies_on_nothing_here);
        tcase_add_test(images, an_image_on_an_overlay_lies_where_its_upper_directory_does);
        tcase_add_test(images, who_does_not_tell_what_an_image_lies_on_is_named);
        tcase_add_test(images, a_network_block_device_has_a_process_behind_it);
        tcase_add_test(images, a_file_system_on_several_devices_lies_on_all_of_them);
        suite_add_tcase(s, images);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
