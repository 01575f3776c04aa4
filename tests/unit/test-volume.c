/* Volumes and what they are made of: names of LVM, the kernel's tree of devices (a made-up one),
 * the mount table (a made-up one), and the spellings that volume_open() takes and refuses. */

#include "daemon/providers/block.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/volume-image.h"
#include "daemon/providers/volume.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static char top[] = "/tmp/test-volume.XXXXXX";

static void make_top(void) {
        ck_assert_ptr_nonnull(mkdtemp(top));
        block_sysfs = top;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *walk) {
        (void)st;
        (void)flag;
        (void)walk;
        return remove(path);
}

static void remove_top(void) {
        ck_assert_int_eq(nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
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

static void put_device(const char *number, const char *kernel_name) {
        char path[256], text[128];

        (void)snprintf(path, sizeof(path), "dev/block/%s/size", number);
        put(path, "2048\n");
        (void)snprintf(path, sizeof(path), "dev/block/%s/ro", number);
        put(path, "0\n");
        (void)snprintf(path, sizeof(path), "dev/block/%s/uevent", number);
        (void)snprintf(text, sizeof(text), "MAJOR=1\nDEVNAME=%s\nDEVTYPE=disk\n", kernel_name);
        put(path, text);
}

static void put_slave(const char *number, const char *name, const char *slave) {
        char path[256];

        (void)snprintf(path, sizeof(path), "dev/block/%s/slaves/%s/dev", number, name);
        put(path, slave);
}

START_TEST(lvm_names_double_their_hyphens) {
        static const struct {
                const char *vg, *lv, *layer, *joined;
        } cases[] = {
                { "vg", "root", NULL, "vg-root" },
                { "my-vg", "a-b", NULL, "my--vg-a--b" },
                { "my-vg", "a-b", "real", "my--vg-a--b-real" },
                { "v--g", "-x-", "cow", "v----g---x---cow" },
                { "vg", "vss_ShadowCopy3", "cow", "vg-vss_ShadowCopy3-cow" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *joined = NULL, *vg = NULL, *lv = NULL, *layer = NULL;

                ck_assert_int_eq(lvm_name_join(&joined, cases[i].vg, cases[i].lv, cases[i].layer),
                                 0);
                ck_assert_str_eq(joined, cases[i].joined);
                if (cases[i].lv[0] == '-') /* no name that LVM would take */
                        continue;
                ck_assert_int_eq(lvm_name_split(joined, &vg, &lv, &layer), 0);
                ck_assert_str_eq(vg, cases[i].vg);
                ck_assert_str_eq(lv, cases[i].lv);
                ck_assert_pstr_eq(layer, cases[i].layer);
        }
}
END_TEST

START_TEST(what_is_no_lvm_name_is_not_split) {
        static const char *const names[] = {
                "", "luks", "a--b", "-lv", "vg-", "vg-lv/x", "vg-l v"
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *vg = NULL, *lv = NULL, *layer = NULL;

                ck_assert_msg(lvm_name_split(names[i], &vg, &lv, &layer) == -EINVAL, "%s",
                              names[i]);
                ck_assert_ptr_null(vg);
        }
}
END_TEST

START_TEST(what_lvm_makes_of_volumes_is_told_from_them_by_name) {
        static const char *const internal[] = { "pvmove0",          "a_rimage_0",    "a_rmeta_11",
                                                "a_mimage_1",       "a_mlog",        "fast_cvol",
                                                "a_rimage_0_imeta", "lvol0_pmspare", "slow_corig",
                                                "pool_tdata",       "wslow_wcorig" };
        static const char *const volumes[] = { "root", "my_image", "moved", "data_0", "r_imag" };

        for (size_t i = 0; i < ARRAY_SIZE(internal); i++)
                ck_assert_msg(lvm_name_is_internal(internal[i]), "%s", internal[i]);
        for (size_t i = 0; i < ARRAY_SIZE(volumes); i++)
                ck_assert_msg(!lvm_name_is_internal(volumes[i]), "%s", volumes[i]);
}
END_TEST

START_TEST(lvm_uuids_lose_their_hyphens) {
        const char *vg = "L1e6mu-jFuK-Nip8-rM0v-iGRr-Fn9G-y5isPI";
        const char *lv = "TIYC0Q-gPeB-UO90-GMc7-y6zm-A0Y1-bIu15O";
        _cleanup_(freep) char *visible = NULL, *hidden = NULL, *none = NULL;

        ck_assert_int_eq(lvm_uuid_join(&visible, vg, lv, NULL), 0);
        ck_assert_str_eq(visible,
                         "LVM-L1e6mujFuKNip8rM0viGRrFn9Gy5isPITIYC0QgPeBUO90GMc7y6zmA0Y1bIu15O");
        ck_assert(lvm_uuid_is_visible(visible));
        ck_assert_int_eq(lvm_uuid_join(&hidden, vg, lv, "real"), 0);
        ck_assert_str_eq(hidden + strlen(visible), "-real");
        ck_assert(!lvm_uuid_is_visible(hidden));
        ck_assert(!lvm_uuid_is_visible("CRYPT-LUKS2-0123-x"));
        ck_assert(!lvm_uuid_is_visible(""));
        ck_assert_int_eq(lvm_uuid_join(&none, vg, "short", NULL), -EINVAL);
        ck_assert_int_eq(lvm_uuid_join(&none, vg, "TIYC0Q gPeB-UO90-GMc7-y6zm-A0Y1-bIu15O", NULL),
                         -EINVAL);
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(a_mapped_device_is_read) {
        _cleanup_(block_done) struct block b = { 0 };

        make_top();
        put_device("253:4", "dm-4");
        put("dev/block/253:4/dm/name", "my--vg-a\n");
        put("dev/block/253:4/dm/uuid", "LVM-x\n");
        ck_assert_int_eq(block_read(&b, makedev(253, 4)), 0);
        ck_assert_str_eq(b.path, "/dev/mapper/my--vg-a");
        ck_assert_str_eq(b.dm_name, "my--vg-a");
        ck_assert_str_eq(b.dm_uuid, "LVM-x");
        ck_assert_uint_eq(b.size, 1024 * 1024);
        ck_assert(!b.read_only);
        ck_assert_ptr_null(b.backing_file);
        remove_top();
}
END_TEST

START_TEST(a_plain_device_has_its_kernel_name) {
        _cleanup_(block_done) struct block b = { 0 };

        make_top();
        put_device("104:0", "cciss/c0d0");
        put("dev/block/104:0/ro", "1\n");
        ck_assert_int_eq(block_read(&b, makedev(104, 0)), 0);
        ck_assert_str_eq(b.path, "/dev/cciss/c0d0");
        ck_assert_ptr_null(b.dm_name);
        ck_assert(b.read_only);
        ck_assert_int_eq(block_read(&b, makedev(104, 1)), -ENODEV);
        remove_top();
}
END_TEST

START_TEST(a_path_of_another_device_is_not_opened) {
        int fd = -1;

        ck_assert_int_eq(block_open("/dev/null", makedev(1, 3), O_RDONLY, &fd), -ESTALE);
        ck_assert_int_eq(block_open("/nonexistent", makedev(1, 3), O_RDONLY, &fd), -ENOENT);
        ck_assert_int_eq(fd, -1);
        ck_assert(block_of_path("/dev/null") == 0); /* no block device */
        ck_assert(block_of_path("/nonexistent") == 0);
}
END_TEST

static void assert_nested(struct volume *upper, struct volume *lower, bool nested) {
        const struct volume *set[] = { lower, upper };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (!nested) {
                ck_assert_msg(volumes_check_nesting(set, 2, &error) == 0, "%s", error.message);
                return;
        }
        ck_assert_int_lt(volumes_check_nesting(set, 2, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_NESTED_VOLUME_LIMIT);
        ck_assert_ptr_nonnull(strstr(error.message, "/upper/ lies on /lower/"));
}

START_TEST(a_volume_group_on_a_volume_is_nested) {
        struct volume upper = { .name = (char[]){ "/upper/" }, .devno = makedev(253, 7) };
        struct volume lower = { .name = (char[]){ "/lower/" }, .devno = makedev(253, 1) };
        struct volume other = { .name = (char[]){ "/other/" }, .devno = makedev(253, 2) };

        make_top();
        put_slave("253:7", "dm-5", "253:5\n");
        put_slave("253:5", "dm-1", "253:1\n");
        put_slave("253:1", "sda", "8:0\n");
        put_slave("253:2", "sda", "8:0\n");
        assert_nested(&upper, &lower, true);
        assert_nested(&upper, &other, false);
        assert_nested(&lower, &other, false);
        remove_top();
}
END_TEST

START_TEST(a_loop_device_over_a_file_in_a_volume_is_nested) {
        struct volume upper = { .name = (char[]){ "/upper/" }, .devno = makedev(253, 7) };
        struct volume lower = { .name = (char[]){ "/lower/" } };
        const struct volume *set[] = { &upper, &lower };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        char line[256];
        struct stat st;

        make_top();
        /* The volume is whatever the test's own files lie in. */
        put("image", "");
        (void)snprintf(line, sizeof(line), "%s/image\n", top);
        ck_assert_int_eq(stat(top, &st), 0);
        lower.devno = st.st_dev;
        put_slave("253:7", "loop0p1", "259:1\n");
        put("dev/block/259:1/partition", "1\n");
        put("dev/block/dev", "7:0\n"); /* 259:1/../dev */
        put("dev/block/7:0/loop/backing_file", line);
        assert_nested(&upper, &lower, true);
        put("dev/block/7:0/loop/backing_file", "/nowhere/gone (deleted)\n");
        ck_assert_int_lt(volumes_check_nesting(set, 2, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_NESTED_VOLUME_LIMIT);
        ck_assert_ptr_nonnull(strstr(error.message, "/upper/ lies on the file /nowhere/gone"));
        /* Alone it can be held. */
        ck_assert_int_eq(volumes_check_nesting(set, 1, NULL), 0);
        remove_top();
}
END_TEST

START_TEST(an_image_in_an_image_is_too_deep) {
        struct volume v = { .name = (char[]){ "/deep/" }, .devno = makedev(253, 7) };
        const struct volume *set[] = { &v };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        make_top();
        put_slave("253:7", "loop1", "7:1\n");
        put("dev/block/7:1/loop/backing_file", "/gone/outer\n");
        ck_assert_int_eq(volumes_check_nesting(set, 1, &error), 0);
        put_slave("7:1", "loop0", "7:0\n");
        put("dev/block/7:0/loop/backing_file", "/gone/inner\n");
        ck_assert_int_lt(volumes_check_nesting(set, 1, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_NESTED_VOLUME_LIMIT);
        ck_assert_ptr_nonnull(strstr(error.message, "/deep/ lies in a disk image inside"));
        remove_top();
}
END_TEST

START_TEST(what_a_device_lies_on_is_found) {
        struct volume lower = { .name = (char[]){ "/lower/" }, .devno = makedev(253, 1) };
        struct volume other = { .name = (char[]){ "/other/" }, .devno = makedev(253, 2) };
        const struct volume *set[] = { &other, &lower };
        const struct volume *found = NULL;

        make_top();
        put_slave("253:7", "dm-1", "253:1\n");
        ck_assert_int_eq(volumes_find_below(set, 2, makedev(253, 7), &found), 0);
        ck_assert_ptr_eq(found, &lower);
        ck_assert_int_eq(volumes_find_below(set, 2, makedev(253, 2), &found), 0);
        ck_assert_ptr_eq(found, &other);
        ck_assert_int_eq(volumes_find_below(set, 1, makedev(253, 7), &found), 0);
        ck_assert_ptr_null(found);
        remove_top();
}
END_TEST

START_TEST(the_store_of_a_copy_is_nested) {
        struct volume upper = { .name = (char[]){ "/upper/" }, .devno = makedev(253, 7) };
        struct volume lower = { .name = (char[]){ "/lower/" }, .devno = makedev(253, 1) };
        const struct volume *set[] = { &lower, &upper };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        make_top();
        put_slave("253:7", "dm-8", "253:8\n"); /* its own blocks */
        put("dev/block/253:8/holders/dm-7/dev", "253:7\n");
        put("dev/block/253:8/holders/dm-9/dev", "253:9\n"); /* a copy of it */
        put_slave("253:9", "dm-10", "253:10\n");            /* and the copy's store */
        put_slave("253:10", "dm-1", "253:1\n");
        put("dev/block/253:8/dm/uuid", "VSS-COPY-upper-other\n");
        ck_assert_int_eq(volumes_check_nesting(set, 2, &error), 0);
        put("dev/block/253:8/dm/uuid", "VSS-COPY-upper-real\n");
        ck_assert_int_lt(volumes_check_nesting(set, 2, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_NESTED_VOLUME_LIMIT);
        ck_assert_ptr_nonnull(strstr(error.message, "a copy of /upper/ has its store on /lower/"));
        remove_top();
}
END_TEST

START_TEST(a_loop_in_the_tree_ends) {
        struct volume upper = { .name = (char[]){ "/upper/" }, .devno = makedev(253, 7) };
        struct volume lower = { .name = (char[]){ "/lower/" }, .devno = makedev(253, 1) };

        make_top();
        put_slave("253:7", "dm-5", "253:5\n");
        put_slave("253:5", "dm-7", "253:7\n");
        assert_nested(&upper, &lower, false);
        remove_top();
}
END_TEST

static const char mountinfo[] =
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "27 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n"
        "30 27 253:1 /part /bind rw,relatime - xfs /dev/mapper/vg-data rw\n"
        "31 27 253:1 / /srv/my\\040data ro,relatime - xfs /dev/mapper/vg-data rw,noquota\n"
        "32 27 253:1 / /mnt rw,relatime - xfs /dev/mapper/vg-data rw,noquota\n"
        "33 27 253:2 / /log rw - xfs /dev/mapper/vg-log rw,logdev=/dev/sdb1\n"
        "34 27 0:40 / /merged rw - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n"
        "35 27 0:41 / /net rw - nfs4 server:/x rw\n"
        "36 27 0:42 / /ssh rw - fuse.sshfs me@there: rw\n"
        "37 27 0:43 / /sub rw - btrfs /dev/sdc rw\n"
        "38 27 0:44 / /odd rw - oddfs none rw\n";

static struct libmnt_table *made_up_mounts(void) {
        static char path[64];
        struct libmnt_table *t = NULL;

        put("mountinfo", mountinfo);
        (void)snprintf(path, sizeof(path), "%s/mountinfo", top);
        mount_table_path = path;
        ck_assert_int_eq(mount_table_read(&t), 0);
        return t;
}

START_TEST(mounts_are_found_by_id_and_by_device) {
        struct libmnt_table *t;

        make_top();
        t = made_up_mounts();
        ck_assert_str_eq(mnt_fs_get_target(mount_table_find_id(t, 30)), "/bind");
        ck_assert_ptr_null(mount_table_find_id(t, 99));
        /* A bind mount of a part is not the volume. */
        ck_assert_str_eq(mnt_fs_get_target(mount_table_find_device(t, makedev(253, 1), 0)),
                         "/srv/my data");
        ck_assert_str_eq(mnt_fs_get_target(mount_table_find_device(t, makedev(253, 1), 1)), "/mnt");
        ck_assert_ptr_null(mount_table_find_device(t, makedev(253, 1), 2));
        ck_assert_ptr_null(mount_table_find_device(t, makedev(253, 9), 0));
        ck_assert(mount_table_covers(t, "/srv"));
        ck_assert(mount_table_covers(t, "/mnt"));
        ck_assert(!mount_table_covers(t, "/mn"));
        mount_table_freep(&t);
        remove_top();
}
END_TEST

START_TEST(file_systems_that_cannot_be_copied_are_refused_with_the_reason) {
        static const struct {
                uint64_t id;
                const char *word;
        } cases[] = {
                { 22, "no block device" }, { 33, "logdev" }, { 34, "upper directory" },
                { 35, "another machine" }, { 36, "FUSE" },   { 37, "btrfs" },
                { 38, "oddfs" },
        };
        struct libmnt_table *t;

        make_top();
        t = made_up_mounts();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                ck_assert_int_eq(
                        mount_check_supported(mount_table_find_id(t, cases[i].id), "/v/", &error),
                        -EOPNOTSUPP);
                ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
                ck_assert_msg(strstr(error.message, cases[i].word) != NULL, "%s", error.message);
                ck_assert_ptr_nonnull(strstr(error.message, "/v/"));
        }
        ck_assert_int_eq(mount_check_supported(mount_table_find_id(t, 27), "/", NULL), 0);
        ck_assert_int_eq(mount_check_supported(mount_table_find_id(t, 32), "/mnt", NULL), 0);
        mount_table_freep(&t);
        remove_top();
}
END_TEST

static void assert_refused(const char *spec, HRESULT hr, const char *word) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct volume *v = NULL;

        ck_assert_msg(volume_open(&v, spec, &error) < 0, "%s", spec);
        ck_assert_ptr_null(v);
        ck_assert_msg(error.hr == hr, "%s: %#x %s", spec, (unsigned)error.hr, error.message);
        ck_assert_msg(strstr(error.message, word) != NULL, "%s: %s", spec, error.message);
}

START_TEST(what_is_no_volume_is_refused) {
        char long_name[5000];

        memset(long_name, 'x', sizeof(long_name) - 1);
        long_name[0] = '/';
        long_name[sizeof(long_name) - 1] = '\0';
        assert_refused("", E_INVALIDARG, "empty");
        assert_refused(long_name, E_INVALIDARG, "too long");
        long_name[4000] = '\0';
        assert_refused(long_name, E_INVALIDARG, "too long");
        assert_refused("srv", E_INVALIDARG, "absolute");
        assert_refused("./srv", E_INVALIDARG, "absolute");
        assert_refused("../srv", E_INVALIDARG, "absolute");
        assert_refused("a/b/c", E_INVALIDARG, "absolute");
        assert_refused("-vg/lv", E_INVALIDARG, "absolute");
        assert_refused("vg/", E_INVALIDARG, "absolute");
        assert_refused("UUID=", E_INVALIDARG, "absolute");
        assert_refused("no_such_vg/no_such_lv", VSS_E_OBJECT_NOT_FOUND, "no_such_vg/no_such_lv");
        assert_refused("/no/such/place", VSS_E_OBJECT_NOT_FOUND, "/no/such/place");
        assert_refused("/dev/null", VSS_E_VOLUME_NOT_SUPPORTED, "/dev/null");
        assert_refused("/proc", VSS_E_VOLUME_NOT_SUPPORTED, "no block device");
        assert_refused("/proc/", VSS_E_VOLUME_NOT_SUPPORTED, "no block device");
}
END_TEST

START_TEST(a_path_inside_a_file_system_names_its_mount_point) {
        assert_refused("/proc/self", VSS_E_OBJECT_NOT_FOUND, "mount point, /proc");
        assert_refused("/proc/version", VSS_E_OBJECT_NOT_FOUND, "mount point, /proc");
}
END_TEST

/* The kernel's loop devices are not those of the made-up tree. */
static int no_loop_status(dev_t devno _unused_, struct loop_info64 *ret _unused_) {
        return -ENODEV;
}

/* Needs a root on a block device; elsewhere (a container on overlay) only that it is refused. */
START_TEST(the_root_is_a_volume) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct volume *v = NULL, *copy = NULL;
        struct stat st;

        ck_assert_int_eq(stat("/", &st), 0);
        if (volume_open(&v, "/", &error) < 0) {
                ck_assert_msg(error.hr == VSS_E_VOLUME_NOT_SUPPORTED ||
                                      error.hr == VSS_E_OBJECT_NOT_FOUND,
                              "%s", error.message);
                return;
        }
        ck_assert_str_eq(v->name, "/");
        ck_assert_str_eq(v->mount_point, "/");
        ck_assert_uint_eq(v->devno, st.st_dev);
        ck_assert_int_ge(v->mount_fd, 0);
        ck_assert_uint_gt(v->size, 0);
        ck_assert_ptr_nonnull(v->fs_type);
        ck_assert_int_eq(volume_copy(&copy, v), 0);
        ck_assert_str_eq(copy->name, v->name);
        ck_assert_int_ne(copy->mount_fd, v->mount_fd);
        v = volume_free(v);
        ck_assert_int_eq(fstat(copy->mount_fd, &st), 0);
        ck_assert_uint_eq(st.st_dev, copy->devno);
        volume_free(copy);
}
END_TEST

START_TEST(the_list_has_each_volume_once) {
        struct volume **volumes = NULL;
        size_t n = 0;

        ck_assert_int_eq(volume_list(&volumes, &n, NULL), 0);
        for (size_t i = 0; i < n; i++)
                for (size_t k = i + 1; k < n; k++) {
                        ck_assert_uint_ne(volumes[i]->devno, volumes[k]->devno);
                        ck_assert_int_le(strcmp(volumes[i]->name, volumes[k]->name), 0);
                }
        volumes_free(volumes, n);
}
END_TEST

int main(void) {
        Suite *s = suite_create("volume");
        TCase *t = tcase_create("volume");
        SRunner *runner;
        int n_failed;

        image_loop_status = no_loop_status;
        tcase_add_test(t, lvm_names_double_their_hyphens);
        tcase_add_test(t, what_is_no_lvm_name_is_not_split);
        tcase_add_test(t, what_lvm_makes_of_volumes_is_told_from_them_by_name);
        tcase_add_test(t, lvm_uuids_lose_their_hyphens);
        tcase_add_test(t, a_mapped_device_is_read);
        tcase_add_test(t, a_plain_device_has_its_kernel_name);
        tcase_add_test(t, a_path_of_another_device_is_not_opened);
        tcase_add_test(t, a_volume_group_on_a_volume_is_nested);
        tcase_add_test(t, a_loop_device_over_a_file_in_a_volume_is_nested);
        tcase_add_test(t, an_image_in_an_image_is_too_deep);
        tcase_add_test(t, what_a_device_lies_on_is_found);
        tcase_add_test(t, the_store_of_a_copy_is_nested);
        tcase_add_test(t, a_loop_in_the_tree_ends);
        tcase_add_test(t, mounts_are_found_by_id_and_by_device);
        tcase_add_test(t, file_systems_that_cannot_be_copied_are_refused_with_the_reason);
        tcase_add_test(t, what_is_no_volume_is_refused);
        tcase_add_test(t, a_path_inside_a_file_system_names_its_mount_point);
        tcase_add_test(t, the_root_is_a_volume);
        tcase_add_test(t, the_list_has_each_volume_once);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
