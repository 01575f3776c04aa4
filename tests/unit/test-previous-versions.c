/* Client-accessible copies among the previous versions of their volumes: with real mounts, in a
 * mount namespace of the test's own whose /run is empty. Needs the rights for that. */

#include "common/time-util.h"
#include "daemon/providers/block.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/exposed-mount.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/previous-versions.h"
#include "daemon/providers/snapshot-mount.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define DATA "/run/t/data"
#define UUID "LVM-data"
#define FIRST "@GMT-2026.11.23-23.59.59"
#define SECOND "@GMT-2026.11.24-00.00.00"
#define THIRD "@GMT-2026.11.24-00.00.01"
#define MADE (INT64_C(1795478399) * 1000000000 + 999999999) /* FIRST, in nanoseconds */

/* One at a time of up to eight. */
static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *format, ...) {
        static char texts[8][512];
        static unsigned next;
        char *t = texts[next++ % ARRAY_SIZE(texts)];
        va_list arguments;

        va_start(arguments, format);
        ck_assert_int_lt(vsnprintf(t, sizeof(texts[0]), format, arguments), sizeof(texts[0]));
        va_end(arguments);
        return t;
}

static char *previous(const char *mount_point, const char *name) {
        return text(PREVIOUS_VERSIONS_ROOT "%s/%s", mount_point, name);
}

static void put_file(const char *path, const char *content) {
        FILE *f = fopen(path, "we");

        ck_assert_msg(f, "%s: %s", path, strerror(errno));
        ck_assert_int_ge(fputs(content, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static bool is_there(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

static void make_directory(const char *path) {
        ck_assert_msg(mkdir(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

/* What the kernel would say of the device below the file system that is mounted there. */
static void identify(const char *mount_point, const char *uuid) {
        struct stat st;
        char *device;

        ck_assert_int_eq(stat(mount_point, &st), 0);
        device = text("/run/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
        (void)mkdir(device, 0755);
        (void)mkdir(text("%s/dm", device), 0755);
        put_file(text("%s/dm/uuid", device), uuid);
}

static void mount_volume(const char *mount_point, const char *uuid) {
        ck_assert_int_eq(mount("volume", mount_point, "tmpfs", 0, "mode=755"), 0);
        identify(mount_point, uuid);
}

static void setup(void) {
        ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0);
        ck_assert_msg(unshare(CLONE_NEWNS) == 0, "no mount namespace: %s", strerror(errno));
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("run", "/run", "tmpfs", 0, "mode=755"), 0);
        make_directory("/run/t");
        make_directory(DATA);
        make_directory("/run/sys");
        make_directory("/run/sys/dev");
        make_directory("/run/sys/dev/block");
        block_sysfs = "/run/sys";
        mount_volume(DATA, UUID);
}

/* Of DATA. */
static struct snapshot_record record(unsigned number) {
        static char devices[100][32], objects[100][32];

        (void)snprintf(devices[number], 32, "/dev/vss/ShadowCopy%u", number);
        (void)snprintf(objects[number], 32, SNAPSHOT_MOUNT_ROOT "/ShadowCopy%u", number);
        return (struct snapshot_record){
                .number = number,
                .volume = (char *)(uintptr_t)(DATA "/"),
                .origin_uuid = (char *)(uintptr_t)UUID,
                .device = devices[number],
                .device_object = objects[number],
                .fs_type = (char *)(uintptr_t) "tmpfs",
                .context = VSS_CTX_CLIENT_ACCESSIBLE,
                .created = vss_timestamp_from_unix_nsec(MADE),
        };
}

/* As a set does it; "number" is in its file. */
static void make(const struct snapshot_record *r) {
        ck_assert_int_eq(snapshot_mount(r, true, NULL), 0);
        put_file(text("%s/file", r->device_object), text("%u", (unsigned)r->number));
        ck_assert_int_eq(chmod(r->device_object, 0755), 0);
        ck_assert_int_eq(snapshot_mount_seal(r, NULL), 0);
}

static void assert_shows(const char *entry, unsigned number) {
        char content[16] = "";
        struct statvfs flags;
        FILE *f = fopen(text("%s/file", entry), "re");

        ck_assert_msg(f, "%s: %s", entry, strerror(errno));
        ck_assert_ptr_nonnull(fgets(content, sizeof(content), f));
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_str_eq(content, text("%u", number));
        ck_assert_int_eq(statvfs(entry, &flags), 0);
        ck_assert_uint_eq(flags.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV),
                          ST_RDONLY | ST_NOSUID | ST_NODEV);
}

static unsigned count_entries(void) {
        _cleanup_(mount_table_freep) struct libmnt_table *table = NULL;
        struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        unsigned n = 0;

        ck_assert_int_eq(mount_table_read(&table), 0);
        while (mnt_table_next_fs(table, i, &fs) == 0)
                n += strncmp(mnt_fs_get_target(fs), PREVIOUS_VERSIONS_ROOT "/",
                             strlen(PREVIOUS_VERSIONS_ROOT "/")) == 0;
        mnt_free_iter(i);
        return n;
}

/* Nothing is left, no directory either. */
static void assert_empty(void) {
        ck_assert_uint_eq(count_entries(), 0);
        ck_assert(!is_there(PREVIOUS_VERSIONS_ROOT) || rmdir(PREVIOUS_VERSIONS_ROOT) == 0);
}

START_TEST(a_copy_has_the_name_of_its_second) {
        struct snapshot_record r = record(7);

        make(&r);
        assert_shows(previous(DATA, FIRST), 7);
        ck_assert_int_lt(open(text("%s/new", previous(DATA, FIRST)), O_CREAT | O_CLOEXEC, 0644), 0);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(snapshot_mount(&r, false, NULL), 0); /* as at the next start */
                ck_assert_int_eq(snapshot_mount_seal(&r, NULL), 0);
                ck_assert_uint_eq(count_entries(), 1);
        }
        ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
        assert_empty();
        ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
}
END_TEST

static const struct {
        LONG context;
        bool shown;
} contexts[] = {
        { VSS_CTX_CLIENT_ACCESSIBLE, true }, { VSS_CTX_CLIENT_ACCESSIBLE_WRITERS, true },
        { VSS_CTX_BACKUP, false },           { VSS_CTX_NAS_ROLLBACK, false },
        { VSS_CTX_APP_ROLLBACK, false },     { VSS_CTX_FILE_SHARE_BACKUP, false },
};

START_TEST(others_are_nobodys_business) {
        struct snapshot_record r = record(7);

        r.context = contexts[_i].context;
        ck_assert_int_eq(snapshot_mount(&r, true, NULL), 0);
        ck_assert_uint_eq(count_entries(), 0); /* a writer may still change it */
        put_file(text("%s/file", r.device_object), "7");
        ck_assert_int_eq(snapshot_mount_seal(&r, NULL), 0);
        ck_assert_uint_eq(count_entries(), contexts[_i].shown);
        ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
        assert_empty();
}
END_TEST

START_TEST(two_of_one_second) {
        struct snapshot_record r = record(7), s = record(8), t = record(9);

        make(&r);
        make(&s);
        make(&t);
        assert_shows(previous(DATA, FIRST), 7);
        assert_shows(previous(DATA, SECOND), 8); /* and another day */
        assert_shows(previous(DATA, THIRD), 9);
        ck_assert_int_eq(snapshot_unmount(&s, false, NULL), 0);
        ck_assert(!is_there(previous(DATA, SECOND)));
        ck_assert_int_eq(snapshot_mount(&t, false, NULL), 0); /* a name is kept */
        assert_shows(previous(DATA, THIRD), 9);
        ck_assert(!is_there(previous(DATA, SECOND)));
        assert_shows(previous(DATA, FIRST), 7);
}
END_TEST

/* As a boot leaves them: nothing is mounted, and the first to come is the first. */
START_TEST(after_a_boot) {
        struct snapshot_record r = record(7);

        make(&r);
        ck_assert_int_eq(umount2(previous(DATA, FIRST), 0), 0);
        ck_assert_int_eq(umount2(r.device_object, 0), 0);
        ck_assert_int_eq(snapshot_mount(&r, false, NULL), 0);
        ck_assert(is_there(previous(DATA, FIRST)));
        ck_assert(!is_there(previous(DATA, SECOND)));
        ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

/* What a daemon leaves that dies between the directory and the mount. */
START_TEST(an_empty_directory_is_no_copy) {
        struct snapshot_record r = record(7), s = record(8);

        make(&r);
        make_directory(previous(DATA, SECOND));
        make_directory(previous("", "else"));
        make_directory(previous("/else", "where"));
        make_directory(previous("/else/where", FIRST));
        make(&s);
        assert_shows(previous(DATA, SECOND), 8);
        ck_assert(!is_there(previous("/else", "")));
        assert_shows(previous(DATA, FIRST), 7);
}
END_TEST

START_TEST(in_use) {
        struct snapshot_record r = record(7);
        struct vss_error error = { 0 };
        int fd;

        make(&r);
        fd = open(text("%s/file", _i == 0 ? previous(DATA, FIRST) : r.device_object),
                  O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_lt(snapshot_unmount(&r, false, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_msg(strstr(error.message, text("(%d)", (int)getpid())), "%s", error.message);
        vss_error_done(&error);
        assert_shows(previous(DATA, FIRST), 7); /* it is as it was */
        assert_shows(r.device_object, 7);
        ck_assert_uint_eq(count_entries(), 1);
        ck_assert_int_eq(snapshot_unmount(&r, true, NULL), 0);
        assert_empty();
        ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* What undoes the work of a daemon that died has no more than its name. */
START_TEST(by_the_name_alone) {
        struct snapshot_record r = record(7), s = record(77);

        make(&r);
        make(&s);
        copy_link_release("ShadowCopy7", false);
        ck_assert(!is_there(previous(DATA, FIRST)));
        ck_assert(!is_there(r.device_object));
        assert_shows(previous(DATA, SECOND), 77);
}
END_TEST

START_TEST(the_volume_moves) {
        struct snapshot_record r = record(7);
        struct vss_error error = { 0 };

        make(&r);
        make_directory("/run/t/other");
        /* Nobody has the place: the volume may come back. */
        ck_assert_int_eq(umount2(DATA, 0), 0);
        ck_assert_int_eq(previous_versions_show(&r, NULL), 0);
        assert_shows(previous(DATA, FIRST), 7);
        /* It is mounted elsewhere, and there are its copies. */
        mount_volume("/run/t/other", UUID);
        ck_assert_int_eq(previous_versions_show(&r, NULL), 0);
        assert_shows(previous("/run/t/other", FIRST), 7);
        ck_assert(!is_there(previous(DATA, "")));
        /* Of two places it has the one that it had. */
        mount_volume(DATA, UUID);
        ck_assert_int_eq(previous_versions_show(&r, NULL), 0);
        assert_shows(previous(DATA, FIRST), 7);
        ck_assert(!is_there(previous("/run/t/other", "")));
        /* Another volume's they are not. */
        ck_assert_int_eq(umount2("/run/t/other", 0), 0);
        mount_volume(DATA, "LVM-another");
        ck_assert_int_lt(previous_versions_show(&r, &error), 0);
        ck_assert_msg(strstr(error.message, "another volume is mounted on " DATA), "%s",
                      error.message);
        vss_error_done(&error);
        assert_empty();
        /* A part of it that is mounted is not the volume. */
        ck_assert_int_eq(umount2(DATA, 0), 0);
        mount_volume(DATA, UUID);
        make_directory(DATA "/part");
        ck_assert_int_eq(mount(DATA "/part", "/run/t/other", NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(umount2(DATA, 0), 0);
        ck_assert_int_eq(previous_versions_show(&r, NULL), 0);
        assert_shows(previous(DATA, FIRST), 7);
        ck_assert_uint_eq(count_entries(), 1);
        mount_volume(DATA, "LVM-another");
        ck_assert_int_lt(previous_versions_show(&r, NULL), 0);
        assert_empty();
        /* The copy itself can be read all the while. */
        assert_shows(r.device_object, 7);
        ck_assert_int_eq(snapshot_mount(&r, false, NULL), 0);
        ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
}
END_TEST

START_TEST(the_root_and_what_is_below) {
        struct snapshot_record r = record(7), s = record(8);

        r.volume = (char *)(uintptr_t) "/";
        r.origin_uuid = NULL;
        make(&s);
        make(&r);
        assert_shows(previous("", FIRST), 7);
        assert_shows(previous(DATA, FIRST), 8);
        ck_assert_int_eq(snapshot_unmount(&s, false, NULL), 0);
        ck_assert(!is_there(previous("/run", "")));
        assert_shows(previous("", FIRST), 7);
        make(&s);
        ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
        assert_shows(previous(DATA, FIRST), 8);
}
END_TEST

static const char *const bad_volumes[] = { "",          "data/",      "/run/../etc/", "/run//t/",
                                           "/run/t/./", "/run/a\nb/", "/run/vss/x/",  NULL };

START_TEST(names_that_no_volume_has) {
        struct snapshot_record r = record(7);
        struct vss_error error = { 0 };

        r.volume = (char *)(uintptr_t)bad_volumes[_i];
        r.origin_uuid = NULL;
        make(&r); /* it is no worse for that */
        ck_assert_int_lt(previous_versions_show(&r, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        vss_error_done(&error);
        assert_empty();
}
END_TEST

START_TEST(nobody_exposes_there) {
        char *name = NULL;

        ck_assert_int_lt(exposed_target_parse(PREVIOUS_VERSIONS_ROOT "/x", &name, NULL), 0);
        ck_assert_ptr_null(name);
        ck_assert_int_eq(exposed_target_parse(PREVIOUS_VERSIONS_ROOT "es/x", &name, NULL), 0);
        free(name);
}
END_TEST

/* --- who may come in --- */

#define OWNER 1001
#define MEMBER 1002
#define STRANGER 1003
#define NAMED 1004
#define TEAM 2001
#define OTHER_TEAM 2002

static const struct user {
        const char *name;
        uid_t uid;
        gid_t gid;
} users[] = {
        { "the owner", OWNER, 1 },
        { "a member", MEMBER, TEAM },
        { "a stranger", STRANGER, 1 },
        { "a named user", NAMED, 1 },
        { "the owner, a member", OWNER, TEAM },
        { "a named group's member", STRANGER, OTHER_TEAM },
};

/* Whether that user can list the directory. */
static bool can_list(const struct user *u, const char *path) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                int fd;

                if (setgroups(0, NULL) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
                    setresuid(u->uid, u->uid, u->uid) < 0)
                        _exit(2);
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0 && faccessat(fd, ".", W_OK, 0) == 0)
                        _exit(3); /* nor is it theirs to change */
                _exit(fd < 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) < 2, "%s: status %x", u->name,
                      (unsigned)status);
        return WEXITSTATUS(status) == 0;
}

#define ENTRY(tag, perm, id) \
        { .e_tag = (tag), .e_perm = (perm), .e_id = (id) }
#define NOBODY UINT32_MAX

static const struct {
        mode_t mode;
        struct posix_acl_xattr_entry entries[8]; /* e_tag 0: the end; none: the mode alone */
        bool may[ARRAY_SIZE(users)];             /* as users */
} accesses[] = {
        { .mode = 0755, .may = { true, true, true, true, true, true } },
        { .mode = 0700, .may = { true, false, false, false, true, false } },
        { .mode = 0750, .may = { true, true, false, false, true, false } },
        { .mode = 0070, .may = { false, true, false, false, false, false } },
        { .mode = 0705, .may = { true, false, true, true, true, true } },
        { .mode = 0000, .may = { false } },
        { .mode = 0711, .may = { true, true, true, true, true, true } },
        { .mode = 0722, .may = { true, false, false, false, true, false } },
        /* With a list, the mode's bits of the group are its mask. */
        { .mode = 0700,
          .entries = { ENTRY(ACL_USER_OBJ, 7, NOBODY), ENTRY(ACL_USER, 5, NAMED),
                       ENTRY(ACL_GROUP_OBJ, 0, NOBODY), ENTRY(ACL_GROUP, 7, OTHER_TEAM),
                       ENTRY(ACL_MASK, 7, NOBODY), ENTRY(ACL_OTHER, 0, NOBODY) },
          .may = { true, false, false, true, true, true } },
        { .mode = 0700,
          .entries = { ENTRY(ACL_USER_OBJ, 0, NOBODY), ENTRY(ACL_USER, 0, NAMED),
                       ENTRY(ACL_GROUP_OBJ, 7, NOBODY), ENTRY(ACL_GROUP, 0, OTHER_TEAM),
                       ENTRY(ACL_MASK, 5, NOBODY), ENTRY(ACL_OTHER, 5, NOBODY) },
          .may = { false, true, true, false, false, false } },
        { .mode = 0700,
          .entries = { ENTRY(ACL_USER_OBJ, 7, NOBODY), ENTRY(ACL_USER, 7, OWNER),
                       ENTRY(ACL_USER, 7, NAMED), ENTRY(ACL_GROUP_OBJ, 7, NOBODY),
                       ENTRY(ACL_MASK, 4, NOBODY), ENTRY(ACL_OTHER, 0, NOBODY) },
          .may = { true, false, false, false, true, false } },
};

static void set_access(const char *path, int i) {
        struct {
                struct posix_acl_xattr_header header;
                struct posix_acl_xattr_entry entries[8];
        } acl = { .header = { .a_version = POSIX_ACL_XATTR_VERSION } };
        size_t n = 0;

        ck_assert_int_eq(chown(path, OWNER, TEAM), 0);
        ck_assert_int_eq(chmod(path, accesses[i].mode), 0);
        memcpy(acl.entries, accesses[i].entries, sizeof(acl.entries));
        while (n < ARRAY_SIZE(acl.entries) && acl.entries[n].e_tag != 0)
                n++;
        if (n > 0)
                ck_assert_int_eq(setxattr(path, "system.posix_acl_access", &acl,
                                          sizeof(acl.header) + n * sizeof(acl.entries[0]), 0),
                                 0);
}

/* Above the volume, or its own root: whom they keep out is not let in to the copies. */
START_TEST(who_may_come_in) {
        static const char *const restricted[] = { "/run/t/above", "/run/t/above/data" };
        struct snapshot_record r = record(7);

        r.volume = (char *)(uintptr_t) "/run/t/above/data/";
        make_directory("/run/t/above");
        make_directory("/run/t/above/data");
        ck_assert_int_eq(umount2(DATA, 0), 0);
        mount_volume("/run/t/above/data", UUID);
        for (size_t where = 0; where < ARRAY_SIZE(restricted); where++) {
                set_access(restricted[where], _i);
                make(&r);
                for (size_t u = 0; u < ARRAY_SIZE(users); u++) {
                        ck_assert_msg(can_list(&users[u], previous("/run/t/above/data", FIRST)) ==
                                              accesses[_i].may[u],
                                      "%s, with %zu", users[u].name, where);
                        ck_assert_msg(can_list(&users[u], previous("/run/t/above/data", "")) ==
                                              accesses[_i].may[u],
                                      "%s, with %zu", users[u].name, where);
                }
                /* Who is let in later, or not any more, with the next that is shown. */
                ck_assert_int_eq(removexattr(restricted[where], "system.posix_acl_access") < 0 &&
                                         errno != ENODATA,
                                 0);
                ck_assert_int_eq(chown(restricted[where], 0, 0), 0);
                ck_assert_int_eq(chmod(restricted[where], 0755), 0);
                ck_assert(can_list(&users[2], previous("/run/t/above/data", FIRST)) ==
                          accesses[_i].may[2]);
                ck_assert_int_eq(snapshot_mount(&r, false, NULL), 0); /* as at a start */
                ck_assert(can_list(&users[2], previous("/run/t/above/data", FIRST)));
                ck_assert_int_eq(snapshot_unmount(&r, false, NULL), 0);
        }
}
END_TEST

/* The copy's own root says it of the copy, whatever is let in to the volume now. */
START_TEST(the_copy_keeps_its_own_permissions) {
        struct snapshot_record r = record(7);

        ck_assert_int_eq(snapshot_mount(&r, true, NULL), 0);
        put_file(text("%s/file", r.device_object), "7");
        ck_assert_int_eq(chmod(r.device_object, 0700), 0);
        ck_assert_int_eq(snapshot_mount_seal(&r, NULL), 0);
        ck_assert(can_list(&users[2], previous(DATA, "")));
        ck_assert(!can_list(&users[2], previous(DATA, FIRST)));
        assert_shows(previous(DATA, FIRST), 7);
}
END_TEST

/* Where nothing can be learned about who may come in nobody may: the directory is not there, is
 * none, or belongs to somebody who may not answer. */
START_TEST(else_root_alone) {
        struct snapshot_record r = record(7);
        char line[1024];
        FILE *from, *to;

        ck_assert_int_eq(umount2(DATA, 0), 0);
        ck_assert_int_eq(rmdir(DATA), 0);
        if (_i == 1)
                ck_assert_int_eq(symlink("/tmp", DATA), 0);
        if (_i == 2) {
                make_directory(DATA);
                from = fopen("/proc/self/mountinfo", "re");
                to = fopen("/run/mountinfo", "we");
                ck_assert(from && to);
                while (fgets(line, sizeof(line), from))
                        ck_assert_int_ge(fputs(line, to), 0);
                ck_assert_int_ge(fputs("9999 1 0:999 / /run/t rw shared:1 - fuse.x x rw\n", to), 0);
                ck_assert_int_eq(fclose(from) | fclose(to), 0);
                mount_table_path = "/run/mountinfo";
        }
        make(&r);
        assert_shows(previous(DATA, FIRST), 7);
        ck_assert(!can_list(&users[2], previous(DATA, "")));
        ck_assert(!can_list(&users[2], previous(DATA, FIRST)));
        ck_assert_int_eq(can_list(&users[2], previous("/run/t", "")), _i < 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("previous-versions");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, NULL);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, a_copy_has_the_name_of_its_second);
        tcase_add_loop_test(tc, others_are_nobodys_business, 0, ARRAY_SIZE(contexts));
        tcase_add_test(tc, two_of_one_second);
        tcase_add_test(tc, after_a_boot);
        tcase_add_test(tc, an_empty_directory_is_no_copy);
        tcase_add_loop_test(tc, in_use, 0, 2);
        tcase_add_test(tc, by_the_name_alone);
        tcase_add_test(tc, the_volume_moves);
        tcase_add_test(tc, the_root_and_what_is_below);
        tcase_add_loop_test(tc, names_that_no_volume_has, 0, ARRAY_SIZE(bad_volumes));
        tcase_add_test(tc, nobody_exposes_there);
        tcase_add_loop_test(tc, who_may_come_in, 0, ARRAY_SIZE(accesses));
        tcase_add_test(tc, the_copy_keeps_its_own_permissions);
        tcase_add_loop_test(tc, else_root_alone, 0, 3);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
