/* Copies mounted where somebody chose: with real mounts, in a mount namespace of the test's own.
 * Needs the rights for that. */

#include "daemon/providers/exposed-mount.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/snapshot-expose.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static char top[64], copy[80];
static dev_t device;

/* One at a time of up to four. */
static const char *below(const char *name) {
        static char paths[4][256];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
        return path;
}

static void put_file(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "text", 4), 4);
        ck_assert_int_eq(close(fd), 0);
}

static void make_directory(const char *path) {
        ck_assert_msg(mkdir(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

/* The copy is a file system in memory, and writable: what is exposed is not because we made it so.
 */
static void setup(void) {
        struct stat st;

        ck_assert_msg(unshare(CLONE_NEWNS) == 0, "no mount namespace: %s", strerror(errno));
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        (void)snprintf(top, sizeof(top), "/tmp/vssd-exposed-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
        ck_assert_int_eq(mount("top", top, "tmpfs", 0, NULL), 0);
        (void)snprintf(copy, sizeof(copy), "%s/copy", top);
        make_directory(copy);
        ck_assert_int_eq(mount("copy", copy, "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(stat(copy, &st), 0);
        device = st.st_dev;
        put_file(below("copy/file"));
        make_directory(below("copy/sub"));
        make_directory(below("copy/sub/deep"));
        put_file(below("copy/sub/deep/inner"));
        ck_assert_int_eq(symlink("sub", below("copy/link")), 0);
        ck_assert_int_eq(symlink("/", below("copy/out")), 0);
        make_directory(below("target"));
}

/* All its mounts go with the namespace, when the test's process ends. */
static void teardown(void) {
        char path[sizeof(top)];

        memcpy(path, top, sizeof(path));
        ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
        ck_assert_int_eq(rmdir(path), 0);
}

static HRESULT try_mount(const char *path, const char *target, uid_t owner) {
        struct vss_error error = { 0 };
        HRESULT hr;
        int checked, r;

        checked = exposed_mount_check(copy, path, target, owner, NULL);
        r = exposed_mount(copy, path, target, owner, &error);
        ck_assert_int_eq(checked, r); /* who asks beforehand gets the same answer */
        ck_assert_int_eq(r < 0, error.hr != S_OK);
        ck_assert(r >= 0 || !str_empty(error.message));
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

START_TEST(it_is_read_only_from_its_first_moment) {
        struct statvfs flags;
        char target[256];
        struct stat st;

        (void)snprintf(target, sizeof(target), "%s", below("target"));
        ck_assert_int_eq(try_mount("", target, 0), S_OK);
        ck_assert_int_eq(stat(below("target/file"), &st), 0);
        ck_assert_int_eq(stat(below("target/sub/deep/inner"), &st), 0);
        ck_assert_int_lt(open(below("target/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), 0);
        ck_assert_int_eq(errno, EROFS);
        ck_assert_int_eq(statvfs(target, &flags), 0);
        ck_assert_uint_eq(flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV),
                          ST_RDONLY | ST_NOSUID | ST_NODEV);
        put_file(below("copy/new")); /* the copy itself is as it was */
        ck_assert(exposed_is_mounted(target, device));
        ck_assert(!exposed_is_mounted(target, device + 1));
        ck_assert_int_eq(try_mount("", target, 0), VSS_E_OBJECT_ALREADY_EXISTS);
        for (int i = 0; i < 2; i++) { /* not mounted is success */
                ck_assert_int_eq(exposed_unmount(target, device, EXPOSED_UNMOUNT_IDLE, NULL), 0);
                ck_assert(!exposed_is_mounted(target, device));
        }
        ck_assert_int_eq(rmdir(target), 0);
}
END_TEST

static const struct {
        const char *path;
        HRESULT hr;
        const char *shows;
} parts[] = {
        { "sub", S_OK, "deep/inner" },       { "sub/deep", S_OK, "inner" },
        { "link", E_INVALIDARG, NULL },      { "link/deep", E_INVALIDARG, NULL },
        { "out", E_INVALIDARG, NULL },       { "out/etc", E_INVALIDARG, NULL },
        { "..", E_INVALIDARG, NULL },        { "sub/../..", E_INVALIDARG, NULL },
        { "/sub", E_INVALIDARG, NULL }, /* from the root: the caller takes the '/' away */
        { "file", E_INVALIDARG, NULL },      { "no/such", E_INVALIDARG, NULL },
        { "elsewhere", E_INVALIDARG, NULL },
};

START_TEST(a_part_of_it) {
        struct stat st;
        char shown[64];

        make_directory(below("copy/elsewhere"));
        ck_assert_int_eq(mount("else", below("copy/elsewhere"), "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(try_mount(parts[_i].path, below("target"), 0), parts[_i].hr);
        ck_assert_int_eq(exposed_is_mounted(below("target"), device), parts[_i].hr == S_OK);
        if (parts[_i].shows) {
                (void)snprintf(shown, sizeof(shown), "target/%s", parts[_i].shows);
                ck_assert_int_eq(stat(below(shown), &st), 0);
                ck_assert_int_lt(stat(below("target/file"), &st), 0);
        }
}
END_TEST

static const struct {
        const char *target; /* below the top */
        HRESULT hr;
        const char *why;
} targets[] = {
        { "target", S_OK, NULL },
        { "link", E_INVALIDARG, "symbolic link" },
        { "there/target", E_INVALIDARG, "symbolic link" },
        { "file", E_INVALIDARG, "no directory" },
        { "missing", E_INVALIDARG, "no such" },
        { "missing/target", E_INVALIDARG, "no such" },
        { "full", E_INVALIDARG, "not empty" },
        { "mounted", VSS_E_OBJECT_ALREADY_EXISTS, "mounted" },
};

START_TEST(where_it_may_go) {
        struct vss_error error = { 0 };

        ck_assert_int_eq(symlink("target", below("link")), 0);
        ck_assert_int_eq(symlink(".", below("there")), 0);
        put_file(below("file"));
        make_directory(below("full"));
        put_file(below("full/.hidden"));
        make_directory(below("mounted"));
        ck_assert_int_eq(mount("other", below("mounted"), "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(try_mount("", below(targets[_i].target), 0), targets[_i].hr);
        if (targets[_i].why) {
                (void)exposed_mount(copy, "", below(targets[_i].target), 0, &error);
                ck_assert_msg(strstr(error.message, targets[_i].why), "%s", error.message);
        }
        ck_assert_int_eq(exposed_is_mounted(below("target"), device), targets[_i].hr == S_OK);
        vss_error_done(&error);
}
END_TEST

static const struct {
        const char *target;
        const char *on; /* NULL: it is not refused for that */
} places[] = {
        { "/home/ann/x", "/home" },
        { "/home/local/x", "/home" }, /* what is below is only reached through it */
        { "/home2/x", NULL },
        { "/media/a b", "/media/a b" },
        { "/media/ntfs/x/y", "/media/ntfs" },
        { "/auto", "/auto" },
        { "/tmp/vss-there-is-none", NULL },
};

START_TEST(it_waits_for_nobody) {
        static const char table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                    "2 1 0:40 / /home rw - nfs4 server:/home rw\n"
                                    "3 2 8:2 / /home/local rw - ext4 /dev/sda2 rw\n"
                                    "4 1 0:41 / /media/a\\040b rw - fuse.sshfs me@there:/ rw\n"
                                    "5 1 8:3 / /media/ntfs rw - fuseblk /dev/sda3 rw\n"
                                    "6 1 0:42 / /auto rw - autofs systemd-1 rw\n"
                                    "7 1 0:43 / /tmp rw - tmpfs tmpfs rw\n";
        struct vss_error error = { 0 };
        char path[256], where[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s", below("table"));
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(table, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        mount_table_path = path;
        ck_assert_int_lt(exposed_mount_check(copy, "", places[_i].target, 0, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        (void)snprintf(where, sizeof(where), "it lies on %s,", places[_i].on ? places[_i].on : "");
        if (places[_i].on)
                ck_assert_msg(strstr(error.message, where), "%s", error.message);
        else
                ck_assert_msg(strstr(error.message, "no such"), "%s", error.message);
        vss_error_done(&error);
}
END_TEST

static const struct {
        const char *target, *parsed; /* parsed NULL: E_INVALIDARG */
} names[] = {
        { "/mnt", "/mnt" },
        { "/mnt//", "/mnt" },
        { "/mnt/a b/..c/d.", "/mnt/a b/..c/d." },
        { "/", "/" }, /* which is a mount point */
        { "/run/vss-elsewhere", "/run/vss-elsewhere" },
        { "mnt", NULL },
        { "./mnt", NULL },
        { "", NULL },
        { "/mnt/..", NULL },
        { "/mnt/../etc", NULL },
        { "/../mnt", NULL },
        { "/./mnt", NULL },
        { "/mnt/.", NULL },
        { "/mnt//a", NULL },
        { "/mnt/a\nb", NULL },
        { "/mnt/\x7f", NULL },
        { "/run/vss", NULL },
        { "/run/vss/ShadowCopy1/sub", NULL },
        { "/run/vss-shares/x", NULL },
        { "/dev/vss", NULL },
};

START_TEST(names_of_directories) {
        struct vss_error error = { 0 };
        char *parsed = NULL;
        int r;

        r = exposed_target_parse(names[_i].target, &parsed, &error);
        ck_assert_int_eq(error.hr, names[_i].parsed ? S_OK : E_INVALIDARG);
        ck_assert_int_eq(r < 0, !names[_i].parsed);
        if (names[_i].parsed)
                ck_assert_str_eq(parsed, names[_i].parsed);
        free(parsed);
        vss_error_done(&error);
}
END_TEST

START_TEST(a_name_that_is_too_long) {
        struct vss_error error = { 0 };
        char name[8192], *parsed = NULL;

        memset(name, 'a', sizeof(name));
        name[0] = '/';
        name[sizeof(name) - 1] = '\0';
        ck_assert_int_lt(exposed_target_parse(name, &parsed, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        ck_assert_ptr_null(parsed);
        vss_error_done(&error);
}
END_TEST

START_TEST(a_user_has_directories_of_their_own_alone) {
        make_directory(below("own"));
        ck_assert_int_eq(chown(below("own"), 1000, 1000), 0);
        ck_assert_int_eq(try_mount("", below("target"), 1000), E_ACCESSDENIED);
        ck_assert_int_eq(try_mount("", below("own"), 1001), E_ACCESSDENIED);
        ck_assert_int_eq(try_mount("", below("own"), 1000), S_OK);
        ck_assert(exposed_is_mounted(below("own"), device));
        ck_assert(!exposed_is_mounted(below("target"), device));
}
END_TEST

/* Where it is exposed, those above that keep others out are missing. */
START_TEST(a_user_has_parts_of_their_own_alone) {
        make_directory(below("own"));
        ck_assert_int_eq(chown(below("own"), 1000, 1000), 0);
        ck_assert_int_eq(try_mount("sub/deep", below("own"), 1000), E_ACCESSDENIED);
        ck_assert_int_lt(exposed_mount_check_source(copy, "sub/deep", 1000, NULL), 0);
        ck_assert(!exposed_is_mounted(below("own"), device));
        ck_assert_int_eq(chown(below("copy/sub/deep"), 1000, 1000), 0);
        ck_assert_int_eq(exposed_mount_check_source(copy, "sub/deep", 1000, NULL), 0);
        ck_assert_int_eq(try_mount("sub/deep", below("own"), 1000), S_OK);
}
END_TEST

START_TEST(who_uses_it_is_named) {
        struct vss_error error = { 0 };
        char self[32];
        int fd;

        (void)snprintf(self, sizeof(self), "(%d)", (int)getpid());
        ck_assert_int_eq(try_mount("", below("target"), 0), S_OK);
        fd = open(below("target/file"), O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_lt(exposed_unmount(below("target"), device, EXPOSED_UNMOUNT_IDLE, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_msg(strstr(error.message, self), "%s", error.message);
        vss_error_done(&error);
        ck_assert(exposed_is_mounted(below("target"), device));
        ck_assert_int_eq(exposed_unmount(below("target"), device, EXPOSED_UNMOUNT_DETACH, NULL), 0);
        ck_assert(!exposed_is_mounted(below("target"), device));
        ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(what_is_not_the_copy_s_stays) {
        struct stat st;

        ck_assert_int_eq(mount("other", below("target"), "tmpfs", 0, NULL), 0);
        put_file(below("target/other"));
        ck_assert_int_eq(exposed_unmount(below("target"), device, EXPOSED_UNMOUNT_DETACH, NULL), 0);
        ck_assert_int_eq(stat(below("target/other"), &st), 0);
        /* A link on the way leads nowhere, whatever it would lead to. */
        ck_assert_int_eq(symlink(".", below("there")), 0);
        make_directory(below("second"));
        ck_assert_int_eq(try_mount("", below("second"), 0), S_OK);
        ck_assert(!exposed_is_mounted(below("there/second"), device));
        ck_assert_int_eq(
                exposed_unmount(below("there/second"), device, EXPOSED_UNMOUNT_DETACH, NULL), 0);
        ck_assert(exposed_is_mounted(below("second"), device));
}
END_TEST

/* Nothing of the directory below may be shown in the copy's place. */
START_TEST(a_copy_that_is_not_mounted_is_not_exposed) {
        struct vss_error error = { 0 };

        make_directory(below("bare"));
        ck_assert_int_lt(exposed_mount(below("bare"), "", below("target"), 0, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        vss_error_done(&error);
        ck_assert_int_lt(exposed_mount(below("none"), "", below("target"), 0, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        vss_error_done(&error);
}
END_TEST

static unsigned count_mounts(const char *target) {
        char line[1024];
        unsigned n = 0;
        FILE *f;

        f = fopen("/proc/self/mountinfo", "re");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f)) {
                char at[512];

                if (sscanf(line, "%*s %*s %*s %*s %511s", at) == 1 && streq(at, target))
                        n++;
        }
        (void)fclose(f); /* it was only read */
        return n;
}

START_TEST(a_snapshot_and_its_record) {
        char node[256], target[256];
        struct snapshot_record r = {
                .volume = (char *)(uintptr_t) "/srv/",
                .device = node,
                .device_object = copy,
                .fs_type = (char *)(uintptr_t) "tmpfs",
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                .exposed_path = (char *)(uintptr_t) "sub",
        };
        char *name = NULL;

        (void)snprintf(node, sizeof(node), "%s", below("node"));
        (void)snprintf(target, sizeof(target), "%s/", below("target"));
        ck_assert_int_eq(mknod(node, S_IFBLK | 0600, device), 0);
        r.exposed_name = target;
        ck_assert_int_eq(snapshot_expose_check(&r, 0, &name, NULL), 0);
        ck_assert_str_eq(name, below("target"));
        ck_assert_uint_eq(count_mounts(name), 0); /* it was only looked at */
        r.exposed_name = name;
        ck_assert_int_eq(snapshot_expose(&r, 0, NULL), 0);
        ck_assert(exposed_is_mounted(name, device));
        ck_assert_int_eq(snapshot_expose_again(&r, NULL), 0); /* it is there */
        ck_assert_uint_eq(count_mounts(name), 1);
        ck_assert_int_eq(umount2(name, 0), 0);
        ck_assert_int_eq(snapshot_expose_again(&r, NULL), 0); /* as after a boot */
        ck_assert_uint_eq(count_mounts(name), 1);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(snapshot_unexpose(&r, false, NULL), 0);
                ck_assert_uint_eq(count_mounts(name), 0);
        }
        free(name);
}
END_TEST

/* One that is a part of a file system that goes on, whose number other mounts have, too. */
START_TEST(a_copy_that_is_a_directory_leaves_its_file_system_alone) {
        char part[256], object[256], target[256];
        struct snapshot_record r = {
                .volume = (char *)(uintptr_t) "/srv/",
                .device = part,
                .device_object = object,
                .fs_type = (char *)(uintptr_t) "tmpfs",
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                .exposed_name = target,
        };

        (void)snprintf(part, sizeof(part), "%s", below("copy/sub"));
        (void)snprintf(object, sizeof(object), "%s", below("object"));
        (void)snprintf(target, sizeof(target), "%s", below("target"));
        make_directory(object);
        ck_assert_int_eq(exposed_mount(copy, "sub", object, 0, NULL), 0); /* as it is mounted */
        ck_assert_int_eq(snapshot_expose(&r, 0, NULL), 0);
        ck_assert_uint_eq(count_mounts(target), 1);
        ck_assert_int_eq(snapshot_unexpose(&r, false, NULL), 0);
        ck_assert_uint_eq(count_mounts(target), 0);
        /* It is not there, and nothing else is taken for it. */
        ck_assert_int_eq(snapshot_unexpose(&r, false, NULL), 0);
        ck_assert_int_eq(snapshot_unexpose(&r, true, NULL), 0);
        ck_assert_uint_eq(count_mounts(copy), 1);
        ck_assert_uint_eq(count_mounts(object), 1);
        ck_assert_int_eq(snapshot_expose_again(&r, NULL), 0);
        ck_assert_uint_eq(count_mounts(target), 1);
        /* Though its own place cannot be reached any more. */
        (void)snprintf(part, sizeof(part), "%s", below("copy/gone"));
        ck_assert_int_eq(snapshot_unexpose(&r, false, NULL), 0);
        ck_assert_uint_eq(count_mounts(target), 0);
}
END_TEST

/* Who renames a directory above takes the mount along. */
START_TEST(it_is_not_forgotten_when_it_was_moved) {
        char node[256], target[256];
        struct snapshot_record r = {
                .volume = (char *)(uintptr_t) "/srv/",
                .device = node,
                .device_object = copy,
                .fs_type = (char *)(uintptr_t) "tmpfs",
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                .exposed_name = target,
        };
        struct vss_error error = { 0 };

        (void)snprintf(node, sizeof(node), "%s", below("node"));
        (void)snprintf(target, sizeof(target), "%s", below("above/target"));
        ck_assert_int_eq(mknod(node, S_IFBLK | 0600, device), 0);
        make_directory(below("above"));
        make_directory(target);
        ck_assert_int_eq(snapshot_expose(&r, 0, NULL), 0);
        ck_assert_int_eq(rename(below("above"), below("moved")), 0);
        ck_assert_uint_eq(count_mounts(below("moved/target")), 1);
        ck_assert_int_lt(snapshot_unexpose(&r, false, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_msg(strstr(error.message, below("moved/target")), "%s", error.message);
        vss_error_done(&error);
        ck_assert_uint_eq(count_mounts(below("moved/target")), 1);
        /* Nor is it mounted a second time in its old place. */
        make_directory(below("above"));
        make_directory(target);
        ck_assert_int_lt(snapshot_expose_again(&r, NULL), 0);
        ck_assert_uint_eq(count_mounts(target), 0);
        ck_assert_int_eq(snapshot_unexpose(&r, true, NULL), 0);
        ck_assert_uint_eq(count_mounts(below("moved/target")), 0);
        ck_assert_uint_eq(count_mounts(copy), 1);
}
END_TEST

START_TEST(a_block_device_has_no_files) {
        struct snapshot_record r = {
                .device = copy,
                .device_object = copy,
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                .exposed_name = (char *)(uintptr_t) "/mnt",
        };
        struct vss_error error = { 0 };
        char *name = NULL;

        ck_assert_int_lt(snapshot_expose_check(&r, 0, &name, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_ptr_null(name);
        vss_error_done(&error);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("exposed-mount");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, it_is_read_only_from_its_first_moment);
        tcase_add_loop_test(tc, a_part_of_it, 0, ARRAY_SIZE(parts));
        tcase_add_loop_test(tc, where_it_may_go, 0, ARRAY_SIZE(targets));
        tcase_add_loop_test(tc, it_waits_for_nobody, 0, ARRAY_SIZE(places));
        tcase_add_loop_test(tc, names_of_directories, 0, ARRAY_SIZE(names));
        tcase_add_test(tc, a_name_that_is_too_long);
        tcase_add_test(tc, a_user_has_directories_of_their_own_alone);
        tcase_add_test(tc, a_user_has_parts_of_their_own_alone);
        tcase_add_test(tc, who_uses_it_is_named);
        tcase_add_test(tc, what_is_not_the_copy_s_stays);
        tcase_add_test(tc, a_copy_that_is_not_mounted_is_not_exposed);
        tcase_add_test(tc, a_snapshot_and_its_record);
        tcase_add_test(tc, a_copy_that_is_a_directory_leaves_its_file_system_alone);
        tcase_add_test(tc, it_is_not_forgotten_when_it_was_moved);
        tcase_add_test(tc, a_block_device_has_no_files);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
