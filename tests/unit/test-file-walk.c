/* File sets on real directory trees. Expected lists are relative to the tree's root; in a list "|"
 * stands between two files, in the order of their bytes. */

#include "libvssclient/files/file-walk.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define FOUND_MAX 64

static char root[64];

struct found {
        char *files[FOUND_MAX];
        size_t n;
        char problems[4096];
        size_t n_problems;
        DWORD flags; /* of all files */
};

static void make_directory(const char *path) {
        char whole[512];

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        ck_assert_msg(mkdir(whole, 0755) == 0, "%s", whole);
}

static void make_file(const char *path, time_t modified) {
        char whole[512];
        int fd;

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        fd = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        ck_assert_msg(fd >= 0, "%s", whole);
        ck_assert_int_eq(write(fd, path, strlen(path)), (ssize_t)strlen(path));
        ck_assert_int_eq(
                futimens(fd, (const struct timespec[]){ { modified, 0 }, { modified, 0 } }), 0);
        safe_close(fd);
}

static void make_link(const char *path, const char *target) {
        char whole[512];

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        ck_assert_int_eq(symlink(target, whole), 0);
}

static void make_tree(void) {
        char whole[512];

        (void)snprintf(root, sizeof(root), "/tmp/vss-walk-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        make_directory("data");
        make_file("data/a.dat", 1000);
        make_file("data/b.txt", 2000);
        make_file("data/.hidden", 3000);
        make_file("data/new\nline", 1000);
        make_file("data/bad\xff", 1000);
        make_file("data/[x]", 1000);
        make_link("data/link", "../secret");
        make_link("data/loop", ".");
        (void)snprintf(whole, sizeof(whole), "%s/data/fifo", root);
        ck_assert_int_eq(mkfifo(whole, 0600), 0);
        make_directory("data/sub");
        make_file("data/sub/c.dat", 1000);
        make_file("data/sub/d.txt", 1000);
        make_directory("data/sub/empty");
        make_directory("data/cache");
        make_file("data/cache/x", 1000);
        make_directory("data/cache/y");
        make_file("data/cache/y/z.dat", 1000);
        make_directory("data/volume"); /* where another volume is mounted */
        make_file("data/volume/covered", 1000);
        make_directory("secret");
        make_file("secret/s.dat", 1000);
        make_link("linked", "data");
        make_directory("spit");
        make_file("spit/a.dat", 1000);
        make_file("spit/e.dat", 1000);
        /* Copies of two volumes. */
        make_directory("copy1");
        make_file("copy1/a.dat", 1000);
        make_directory("copy1/sub");
        make_file("copy1/sub/then.dat", 1000);
        make_directory("copy1/volume");
        make_file("copy1/volume/covered", 1000);
        make_link("copy1/escape", "/etc");
        make_directory("copy2");
        make_file("copy2/v.dat", 1000);
        make_directory("copy2/inside");
        make_file("copy2/inside/w.dat", 1000);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f) {
        (void)st;
        (void)type;
        (void)f;
        return remove(path);
}

static void remove_tree(void) {
        ck_assert_int_eq(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int note_file(void *userdata, const VSS_FILE *file) {
        struct found *found = userdata;
        size_t n = strlen(root);
        struct stat by_path, by_directory;

        ck_assert_uint_lt(found->n, FOUND_MAX);
        ck_assert_int_eq(strncmp(file->path, root, n), 0);
        /* Both ways to the file lead to it. */
        ck_assert_int_eq(lstat(file->source, &by_path), 0);
        ck_assert_int_eq(fstatat(file->directory, file->name, &by_directory, AT_SYMLINK_NOFOLLOW),
                         0);
        ck_assert_uint_eq(by_path.st_ino, by_directory.st_ino);
        ck_assert_uint_eq(by_path.st_ino, file->status->st_ino);
        found->files[found->n] = strdup(file->path + n + (file->path[n] == '/'));
        ck_assert_ptr_nonnull(found->files[found->n++]);
        found->flags |= file->flags;
        return 0;
}

static int note_problem(void *userdata, const VSS_FILE_PROBLEM *problem) {
        struct found *found = userdata;
        size_t n = strlen(found->problems);

        (void)snprintf(found->problems + n, sizeof(found->problems) - n, "0x%08x %s\n",
                       (unsigned)problem->code, problem->message);
        found->n_problems++;
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void expect(struct found *found, const char *want) {
        char have[4096] = "";

        qsort(found->files, found->n, sizeof(char *), compare);
        for (size_t i = 0; i < found->n; i++) {
                ck_assert_uint_lt(strlen(have) + strlen(found->files[i]) + 2, sizeof(have));
                strcat(strcat(have, i > 0 ? "|" : ""), found->files[i]);
                free(found->files[i]);
        }
        found->n = 0;
        ck_assert_str_eq(have, want);
}

static struct mount_table *mounts_of(const char *const *copies) {
        char volume[512], copy[512];
        struct mount_table *t;
        FILE *f = fmemopen((char[]){ "22 1 254:0 / / rw - ext4 /dev/root rw\n" }, 38, "r");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(mount_table_new(&t, f, NULL), 0);
        ck_assert_int_eq(fclose(f), 0);
        for (; *copies; copies += 2) {
                (void)snprintf(volume, sizeof(volume), "%s/%s", root, copies[0]);
                (void)snprintf(copy, sizeof(copy), "%s/%s", root, copies[1]);
                ck_assert_int_eq(mount_table_add_copy(t, volume, copy, NULL), 0);
        }
        return t;
}

static void set_of(struct file_set *set, const char *path, const char *alternate, const char *spec,
                   bool recursive) {
        char whole[512], elsewhere[512] = "";

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        if (alternate)
                (void)snprintf(elsewhere, sizeof(elsewhere), "%s/%s", root, alternate);
        ck_assert_int_eq(file_set_init(set,
                                       &(const struct writer_metadata_files){
                                               .path = whole,
                                               .filespec = spec,
                                               .recursive = recursive,
                                               .alternate_path = elsewhere,
                                               .backup_type_mask = 0xf0f,
                                       },
                                       VSS_BT_FULL, NULL),
                         0);
}

static struct file_rules *rules_of(const char *path, const char *spec, bool recursive) {
        char whole[512];
        struct file_rules *r;

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        ck_assert_int_eq(file_rules_new(&r, NULL), 0);
        ck_assert_int_eq(file_rules_add(r, whole, spec, recursive, NULL), 0);
        file_rules_seal(r);
        return r;
}

#define ALL_OF_DATA                                                                              \
        "data|data/.hidden|data/[x]|data/a.dat|data/b.txt|data/bad\xff|data/cache|data/cache/x|" \
        "data/cache/y|data/cache/y/z.dat|data/fifo|data/link|data/loop|data/new\nline|data/sub|" \
        "data/sub/c.dat|data/sub/d.txt|data/sub/empty|data/volume|data/volume/covered"

static const struct {
        const char *path, *spec;
        bool recursive;
        const char *exclude_path, *exclude_spec;
        bool exclude_recursive;
        const char *alternate;
        const char *want;
        const char *problem; /* in its sentence; NULL: none */
} cases[] = {
        { .path = "data", .spec = "*.dat", .want = "data/a.dat" },
        { .path = "data/", .spec = "*.dat", .want = "data/a.dat" },
        { .path = "data/./", .spec = "a.dat", .want = "data/a.dat" },
        { .path = "data",
          .spec = "*",
          .want = "data/.hidden|data/[x]|data/a.dat|data/b.txt|data/bad\xff|data/fifo|data/link|"
                  "data/loop|data/new\nline" },
        { .path = "data", .spec = "*.*", .recursive = true, .want = ALL_OF_DATA },
        { .path = "data", .spec = "*", .recursive = true, .want = ALL_OF_DATA },
        /* A recursive set brings its directories, empty ones too. */
        { .path = "data",
          .spec = "*.dat",
          .recursive = true,
          .want = "data|data/a.dat|data/cache|data/cache/y|data/cache/y/z.dat|data/sub|"
                  "data/sub/c.dat|data/sub/empty|data/volume" },
        { .path = "data", .spec = "[x]", .want = "data/[x]" },
        { .path = "data", .spec = "new\nline", .want = "data/new\nline" },
        { .path = "data", .spec = "bad?", .want = "data/bad\xff" },
        /* A link is a file. */
        { .path = "data", .spec = "link", .want = "data/link" },
        { .path = "data/link",
          .spec = "*",
          .want = "",
          .problem = "link has a symbolic link in it" },
        { .path = "linked/sub", .spec = "*", .want = "", .problem = "symbolic link" },
        { .path = "linked",
          .spec = "*",
          .recursive = true,
          .want = "",
          .problem = "symbolic link" },
        /* An explicit name must be there, a wildcard need not match. */
        { .path = "data", .spec = "none.dat", .want = "", .problem = "no file 'none.dat' in" },
        { .path = "data", .spec = "none*", .want = "" },
        { .path = "none", .spec = "x", .want = "", .problem = "no file 'x' in" },
        { .path = "none", .spec = "*", .recursive = true, .want = "" },
        { .path = "data", .spec = "sub", .want = "", .problem = "no file 'sub' in" },
        { .path = "data/a.dat", .spec = "*", .want = "", .problem = "is no directory" },
        { .path = "data/sub",
          .spec = "c.dat",
          .recursive = true,
          .want = "data/sub|data/sub/c.dat|data/sub/empty" },
        { .path = "data/sub",
          .spec = "e.dat",
          .recursive = true,
          .want = "data/sub|data/sub/empty",
          .problem = "or below it" },
        /* Exclude lists. */
        { .path = "data",
          .spec = "*.dat",
          .recursive = true,
          .exclude_path = "data/cache",
          .exclude_spec = "*",
          .exclude_recursive = true,
          .want = "data|data/a.dat|data/cache|data/sub|data/sub/c.dat|data/sub/empty|data/volume" },
        { .path = "data",
          .spec = "*.dat",
          .recursive = true,
          .exclude_path = "data",
          .exclude_spec = "*.dat",
          .want = "data|data/cache|data/cache/y|data/cache/y/z.dat|data/sub|data/sub/c.dat|"
                  "data/sub/empty|data/volume" },
        { .path = "data",
          .spec = "a.dat",
          .exclude_path = "data",
          .exclude_spec = "a*",
          .want = "" },
        { .path = "data",
          .spec = "none.dat",
          .exclude_path = "data",
          .exclude_spec = "none.dat",
          .want = "" },
        { .path = "data/sub",
          .spec = "*",
          .recursive = true,
          .exclude_path = "data",
          .exclude_spec = "*.*",
          .exclude_recursive = true,
          .want = "" },
        /* Read elsewhere, restored here; excluded by where it belongs. */
        { .path = "data", .spec = "*.dat", .alternate = "spit", .want = "data/a.dat|data/e.dat" },
        { .path = "data",
          .spec = "*.dat",
          .alternate = "spit",
          .exclude_path = "data",
          .exclude_spec = "e.dat",
          .want = "data/a.dat" },
        { .path = "data",
          .spec = "*.dat",
          .alternate = "spit",
          .exclude_path = "spit",
          .exclude_spec = "*",
          .want = "data/a.dat|data/e.dat" },
        { .path = "gone", .spec = "e.dat", .alternate = "spit", .want = "gone/e.dat" },
};

START_TEST(each_set_is_its_files) {
        static const char *const none[] = { NULL };
        struct found found = { .n = 0 };
        struct file_walk walk = { .on_file = note_file,
                                  .on_problem = note_problem,
                                  .userdata = &found };
        struct file_rules *rules = NULL;
        struct mount_table *mounts;
        struct file_set set;

        make_tree();
        walk.mounts = mounts = mounts_of(none);
        if (cases[_i].exclude_path)
                walk.excludes = rules = rules_of(cases[_i].exclude_path, cases[_i].exclude_spec,
                                                 cases[_i].exclude_recursive);
        set_of(&set, cases[_i].path, cases[_i].alternate, cases[_i].spec, cases[_i].recursive);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        expect(&found, cases[_i].want);
        ck_assert_msg(found.n_problems == (cases[_i].problem ? 1 : 0), "%s", found.problems);
        if (cases[_i].problem)
                ck_assert_msg(strstr(found.problems, cases[_i].problem), "%s", found.problems);
        file_set_done(&set);
        file_rules_free(rules);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

static void walk_copies(struct found *found, const char *const *copies, const char *path,
                        const char *spec, bool copy_required) {
        struct mount_table *mounts = mounts_of(copies);
        struct file_walk walk = { .mounts = mounts,
                                  .on_file = note_file,
                                  .on_problem = note_problem,
                                  .userdata = found };
        struct file_set set;

        *found = (struct found){ .n = 0 };
        set_of(&set, path, NULL, spec, true);
        set.copy_required = copy_required;
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        file_set_done(&set);
        mount_table_free(mounts);
}

START_TEST(files_are_those_of_the_copy) {
        struct found found;

        make_tree();
        walk_copies(&found, (const char *const[]){ "data", "copy1", NULL }, "data", "*", true);
        expect(&found, "data|data/a.dat|data/escape|data/sub|data/sub/then.dat|data/volume|"
                       "data/volume/covered");
        ck_assert_uint_eq(found.flags, VSS_FILE_FROM_COPY);
        ck_assert_uint_eq(found.n_problems, 0);

        /* A directory below the volume's root. */
        walk_copies(&found, (const char *const[]){ "data", "copy1", NULL }, "data/sub", "*.dat",
                    true);
        expect(&found, "data/sub|data/sub/then.dat");
        /* Links in the copy lead nowhere, least of all to the machine's own files. */
        walk_copies(&found, (const char *const[]){ "data", "copy1", NULL }, "data/escape", "*",
                    true);
        expect(&found, "");
        ck_assert_ptr_nonnull(strstr(found.problems, "symbolic link"));
        remove_tree();
}
END_TEST

START_TEST(a_mount_point_is_crossed_if_its_volume_is_in_the_set) {
        struct found found;

        make_tree();
        walk_copies(&found, (const char *const[]){ "data", "copy1", "data/volume", "copy2", NULL },
                    "data", "*.dat", true);
        expect(&found, "data|data/a.dat|data/sub|data/sub/then.dat|data/volume|data/volume/inside|"
                       "data/volume/inside/w.dat|data/volume/v.dat");
        ck_assert_uint_eq(found.flags, VSS_FILE_FROM_COPY);
        ck_assert_uint_eq(found.n_problems, 0);
        remove_tree();
}
END_TEST

START_TEST(a_mount_point_of_another_volume_is_not_entered) {
        struct mount_table *mounts;
        struct found found = { .n = 0 };
        struct file_walk walk = { .on_file = note_file,
                                  .on_problem = note_problem,
                                  .userdata = &found };
        struct file_set set;
        char text[512], volume[256], copy[256];
        FILE *f;

        make_tree();
        (void)snprintf(text, sizeof(text),
                       "22 1 254:0 / / rw - ext4 /dev/root rw\n"
                       "23 22 254:1 / %s/data rw - ext4 /dev/a rw\n"
                       "24 23 254:2 / %s/data/volume rw - ext4 /dev/b rw\n",
                       root, root);
        f = fmemopen(text, strlen(text), "r");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(mount_table_new(&mounts, f, NULL), 0);
        ck_assert_int_eq(fclose(f), 0);
        (void)snprintf(volume, sizeof(volume), "%s/data/", root);
        (void)snprintf(copy, sizeof(copy), "%s/copy1", root);
        ck_assert_int_eq(mount_table_add_copy(mounts, volume, copy, NULL), 0);
        walk.mounts = mounts;
        set_of(&set, "data", NULL, "*", true);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        file_set_done(&set);
        expect(&found, "data|data/a.dat|data/escape|data/sub|data/sub/then.dat|data/volume");
        ck_assert_uint_eq(found.flags, VSS_FILE_FROM_COPY | VSS_FILE_NOT_ENTERED);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

START_TEST(what_must_be_read_from_a_copy_is_not_read_from_the_original) {
        struct found found;

        make_tree();
        walk_copies(&found, (const char *const[]){ "data", "copy1", NULL }, "secret", "*", true);
        expect(&found, "");
        ck_assert_uint_eq(found.n_problems, 1);
        ck_assert_ptr_nonnull(strstr(found.problems, "which is not in the set"));
        walk_copies(&found, (const char *const[]){ "data", "copy1", NULL }, "secret", "*", false);
        expect(&found, "secret|secret/s.dat");
        ck_assert_uint_eq(found.flags, 0);
        remove_tree();
}
END_TEST

START_TEST(files_on_a_network_are_not_supported) {
        struct found found = { .n = 0 };
        struct file_walk walk = { .on_file = note_file,
                                  .on_problem = note_problem,
                                  .userdata = &found };
        struct mount_table *mounts;
        struct file_set set;
        char text[] = "22 1 0:30 / / rw - nfs4 server:/ rw\n";
        FILE *f = fmemopen(text, strlen(text), "r");

        make_tree();
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(mount_table_new(&mounts, f, NULL), 0);
        ck_assert_int_eq(fclose(f), 0);
        walk.mounts = mounts;
        set_of(&set, "data", NULL, "*", true);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        file_set_done(&set);
        expect(&found, "");
        ck_assert_ptr_nonnull(strstr(found.problems, "nfs4"));
        ck_assert_ptr_nonnull(strstr(found.problems, "0x8004232f"));
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

START_TEST(only_what_was_modified_since) {
        static const char *const none[] = { NULL };
        struct found found = { .n = 0 };
        struct mount_table *mounts;
        struct file_walk walk = { .on_file = note_file,
                                  .on_problem = note_problem,
                                  .userdata = &found };
        struct file_set set;

        make_tree();
        walk.mounts = mounts = mounts_of(none);
        set_of(&set, "data", NULL, "*.txt", false);
        /* Equal counts as modified. */
        file_set_limit(&set, UINT64_C(116444736000000000) + 2000 * UINT64_C(10000000));
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        expect(&found, "data/b.txt");
        file_set_limit(&set, UINT64_C(116444736000000000) + 2000 * UINT64_C(10000000) + 1);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        expect(&found, "");
        file_set_limit(&set, 0); /* the requester is to find out */
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        expect(&found, "data/b.txt");
        file_set_done(&set);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

static int note_ranges(void *userdata, const VSS_FILE *file) {
        char *notes = userdata;
        const char *path = file->path + strlen(root) + 1;

        strcat(strcat(strcat(notes, path), "="), file->ranges ? file->ranges : "-");
        strcat(strcat(notes, ":"), file->metadata ? file->metadata : "-");
        strcat(notes, file->flags & VSS_FILE_RANGES_FILE ? " ranges file|" : "|");
        return 0;
}

START_TEST(of_a_partial_file_there_are_ranges) {
        static const char *const none[] = { NULL };
        char notes[1024] = "", directory[128], ranges[160];
        struct partial_files *partials;
        struct mount_table *mounts;
        struct file_walk walk = { .on_file = note_ranges,
                                  .on_problem = note_problem,
                                  .userdata = notes };
        struct file_set set;

        make_tree();
        (void)snprintf(directory, sizeof(directory), "%s/data", root);
        (void)snprintf(ranges, sizeof(ranges), "File=%s/spit/e.dat", root);
        ck_assert_int_eq(partial_files_new(&partials, NULL), 0);
        ck_assert_int_eq(
                partial_files_add(partials, directory, "a.dat", "0:5, 0x10:20", "why", NULL), 0);
        ck_assert_int_eq(partial_files_add(partials, directory, "b.txt", ranges, NULL, NULL), 0);
        ck_assert_int_lt(partial_files_add(partials, directory, "*", "0:5", NULL, NULL), 0);
        ck_assert_int_lt(partial_files_add(partials, directory, "x", "", NULL, NULL), 0);
        partial_files_seal(partials);
        walk.mounts = mounts = mounts_of(none);
        walk.partials = partials;

        /* The set leaves them out. */
        set_of(&set, "data", NULL, "?.*", false);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        file_set_done(&set);
        ck_assert_str_eq(notes, "");
        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(file_walk_partial(&walk, partial_files_get(partials, i)), 0);
                ck_assert_int_eq(file_walk_ranges_file(&walk, partial_files_get(partials, i)), 0);
        }
        ck_assert_ptr_null(partial_files_get(partials, 2));
        ck_assert_ptr_nonnull(strstr(notes, "data/a.dat=0:5, 0x10:20:why|data/b.txt=File="));
        ck_assert_ptr_nonnull(strstr(notes, "|spit/e.dat=-:- ranges file|"));
        partial_files_free(partials);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

/* A file set that names a partial file says where, and whence, it is read. */
START_TEST(a_partial_file_is_read_as_its_set_says) {
        const struct file_set sets[] = {
                { .path = (char[]){ "/srv/db" },
                  .source = (char[]){ "/srv/db" },
                  .spec = (char[]){ "*.log" } },
                { .path = (char[]){ "/srv/db" },
                  .source = (char[]){ "/spit" },
                  .spec = (char[]){ "*.dat" },
                  .recursive = true,
                  .copy_required = true },
        };
        static const struct {
                const char *directory, *name, *source;
                bool is_below, copy_required;
        } files[] = {
                { "/srv/db", "main.log", "/srv/db", true, false },
                { "/srv/db/", "main.dat", "/spit", true, true },
                { "/srv/db/a/b", "x.dat", "/spit/a/b", true, true },
                { "/srv/db/a/b", "x.log", NULL, true, true }, /* the set of logs is not recursive */
                { "/srv/db", "new", NULL, true, true },
                { "/srv/db2", "x.dat", NULL, false, true },
                { "/srv", "x.dat", NULL, false, true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct partial_files *partials;
                const struct partial_file *f;

                ck_assert_int_eq(partial_files_new(&partials, NULL), 0);
                ck_assert_int_eq(partial_files_add(partials, files[i].directory, files[i].name,
                                                   "0:1", NULL, NULL),
                                 0);
                partial_files_seal(partials);
                for (size_t k = 0; k < ARRAY_SIZE(sets); k++)
                        ck_assert_int_ge(partial_files_see_set(partials, &sets[k]), 0);
                f = partial_files_get(partials, 0);
                ck_assert_msg(f->has_set == (files[i].source != NULL), "%zu", i);
                if (files[i].source)
                        ck_assert_str_eq(f->source, files[i].source);
                ck_assert_msg(f->is_below == files[i].is_below, "%zu", i);
                ck_assert_msg(f->copy_required == files[i].copy_required, "%zu", i);
                partial_files_free(partials);
        }
        ck_assert_int_eq(partial_files_see_set(NULL, &sets[0]), 0);
}
END_TEST

/* The writer writes it when the copy exists, so what the copy has there is old or nothing. And
 * nothing may keep it out of the backup. */
START_TEST(a_ranges_file_is_the_original) {
        char notes[1024] = "", directory[128], ranges[160], list[128];
        struct partial_files *partials;
        struct file_rules *excludes;
        struct mount_table *mounts;
        struct file_walk walk = { .on_file = note_ranges,
                                  .on_problem = note_problem,
                                  .userdata = notes };

        make_tree();
        (void)snprintf(directory, sizeof(directory), "%s/data", root);
        (void)snprintf(ranges, sizeof(ranges), "%s/data/b.txt", root);
        (void)snprintf(list, sizeof(list), "%s/data", root);
        ck_assert_int_eq(partial_files_new(&partials, NULL), 0);
        ck_assert_int_eq(partial_files_add(partials, directory, "a.dat", ranges, NULL, NULL), 0);
        partial_files_seal(partials);
        ck_assert_int_eq(file_rules_new(&excludes, NULL), 0);
        ck_assert_int_eq(file_rules_add(excludes, list, "*", true, NULL), 0);
        file_rules_seal(excludes);
        walk.machine_excludes = excludes;
        walk.mounts = mounts = mounts_of((const char *const[]){ "data", "copy1", NULL });
        /* There is no b.txt in the copy. */
        ck_assert_int_eq(file_walk_ranges_file(&walk, partial_files_get(partials, 0)), 0);
        ck_assert_str_eq(notes, "data/b.txt=-:- ranges file|");
        file_rules_free(excludes);
        partial_files_free(partials);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

START_TEST(ranges_are_a_list_or_a_file) {
        static const struct {
                const char *text, *path;
        } texts[] = {
                { "0:5", NULL },    { "0x0:0x1F, 7:1", NULL },   { "/a/b", "/a/b" },
                { "0:5,", "0:5," }, { "File=/a/b c", "/a/b c" }, { "-1:5", "-1:5" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                const struct partial_file f = { .ranges = (char *)texts[i].text };
                const char *path = partial_file_ranges_path(&f);

                ck_assert_msg(texts[i].path ? path && streq(path, texts[i].path) : !path, "%s",
                              texts[i].text);
        }
}
END_TEST

static int end_it(void *userdata, const VSS_FILE *file) {
        (void)userdata;
        (void)file;
        return -EINTR;
}

START_TEST(a_handler_ends_the_walk) {
        static const char *const none[] = { NULL };
        struct mount_table *mounts;
        struct file_walk walk = { .on_file = end_it };
        struct file_set set;

        make_tree();
        walk.mounts = mounts = mounts_of(none);
        set_of(&set, "data", NULL, "*", true);
        ck_assert_int_eq(file_walk_set(&walk, &set), -EINTR);
        file_set_done(&set);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

struct depths {
        size_t directories, problems;
};

static int count_directory(void *userdata, const VSS_FILE *file) {
        struct depths *d = userdata;

        ck_assert(S_ISDIR(file->status->st_mode));
        d->directories++;
        return 0;
}

static int count_problem(void *userdata, const VSS_FILE_PROBLEM *problem) {
        struct depths *d = userdata;

        ck_assert_ptr_nonnull(strstr(problem->message, "nested deeper"));
        d->problems++;
        return 0;
}

/* Told, not skipped in silence. */
START_TEST(depth_has_a_limit_and_that_is_told) {
        static const char *const none[] = { NULL };
        struct depths depths = { 0 };
        struct mount_table *mounts;
        struct file_walk walk = { .on_file = count_directory,
                                  .on_problem = count_problem,
                                  .userdata = &depths };
        struct file_set set;
        int fd, next;

        make_tree();
        make_directory("deep");
        fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 700; i++) {
                next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(next, 0);
                ck_assert_int_eq(mkdirat(next, "deep", 0755), 0);
                safe_close(fd);
                fd = next;
        }
        safe_close(fd);
        walk.mounts = mounts = mounts_of(none);
        set_of(&set, "deep", NULL, "*", true);
        ck_assert_int_eq(file_walk_set(&walk, &set), 0);
        ck_assert_uint_eq(depths.problems, 1);
        ck_assert_uint_ge(depths.directories, 300);
        ck_assert_uint_le(depths.directories, 600);
        file_set_done(&set);
        mount_table_free(mounts);
        remove_tree();
}
END_TEST

int main(void) {
        Suite *s = suite_create("file-walk");
        TCase *c = tcase_create("file-walk");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, each_set_is_its_files, 0, (int)ARRAY_SIZE(cases));
        tcase_add_test(c, files_are_those_of_the_copy);
        tcase_add_test(c, a_mount_point_is_crossed_if_its_volume_is_in_the_set);
        tcase_add_test(c, a_mount_point_of_another_volume_is_not_entered);
        tcase_add_test(c, what_must_be_read_from_a_copy_is_not_read_from_the_original);
        tcase_add_test(c, files_on_a_network_are_not_supported);
        tcase_add_test(c, only_what_was_modified_since);
        tcase_add_test(c, of_a_partial_file_there_are_ranges);
        tcase_add_test(c, a_partial_file_is_read_as_its_set_says);
        tcase_add_test(c, a_ranges_file_is_the_original);
        tcase_add_test(c, ranges_are_a_list_or_a_file);
        tcase_add_test(c, a_handler_ends_the_walk);
        tcase_add_test(c, depth_has_a_limit_and_that_is_told);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
