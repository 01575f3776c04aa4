/* See previous-versions.h.
 *
 * A daemon that dies between making an entry's directory and mounting on it leaves an empty one,
 * which clients would take for an empty copy: whoever comes next removes what nothing is mounted
 * on. Everything else is one step of the kernel's. */

#include "daemon/providers/previous-versions.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/block.h"
#include "daemon/providers/directory-access.h"
#include "daemon/providers/exposed-mount.h"
#include "daemon/providers/mount-table.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_FORMAT "@GMT-%Y.%m.%d-%H.%M.%S" /* always UTC */
#define NAME_SIZE sizeof("@GMT-YYYY.MM.DD-HH.MM.SS")
#define DEPTH_MAX 128

/* Of the tree below the root: who makes a directory is not to have it removed before it mounts.
 * Nobody who has it waits for storage. */
static pthread_mutex_t tree = PTHREAD_MUTEX_INITIALIZER;

static void iter_freep(struct libmnt_iter **i) {
        mnt_free_iter(*i);
}

static const char *below_root(const char *path) {
        const size_t n = strlen(PREVIOUS_VERSIONS_ROOT);

        return strncmp(path, PREVIOUS_VERSIONS_ROOT, n) == 0 && path[n] == '/' ? path + n : NULL;
}

static int open_directory(int at, const char *name) {
        int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* --- where --- */

static bool is_whole_origin(struct libmnt_fs *fs, const char *uuid) {
        _cleanup_(freep) char *found = NULL;

        return streq(str_or_empty(mnt_fs_get_root(fs)), "/") &&
               block_attribute(mnt_fs_get_devno(fs), "dm/uuid", &found) >= 0 && streq(found, uuid);
}

/* *ret: "" for the root. The mount point that the volume had is as good as any that it has; and
 * with nothing mounted there, as good as none. But another volume's copies these are not. */
static int find_place(struct libmnt_table *table, const struct snapshot_record *r, char **ret,
                      struct vss_error *reterr) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        _cleanup_(freep) char *had = NULL, *has = NULL;
        bool there = false, taken = false;
        struct libmnt_fs *fs;
        int k;

        if (!i)
                return vss_error_from_errno(reterr, -ENOMEM, PREVIOUS_VERSIONS_ROOT);
        k = exposed_target_parse(str_or_empty(r->volume), &had, reterr);
        if (k < 0)
                return k;
        while (!str_empty(r->origin_uuid) && mnt_table_next_fs(table, i, &fs) == 0) {
                const char *target = str_or_empty(mnt_fs_get_target(fs));

                if (streq(target, had)) { /* of several the last is what is seen */
                        there = is_whole_origin(fs, r->origin_uuid);
                        taken = !there;
                } else if (!has && is_whole_origin(fs, r->origin_uuid) &&
                           exposed_target_parse(target, &has, NULL) == -ENOMEM)
                        return vss_error_from_errno(reterr, -ENOMEM, target);
        }
        if (taken && !has)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "another volume is mounted on %s now, and its own nowhere",
                                     had);
        *ret = there || !has ? TAKE_PTR(had) : TAKE_PTR(has);
        if (streq(*ret, "/"))
                **ret = '\0';
        return 0;
}

/* For each directory on the way to a place who may come in: the first is for "/srv" of "/srv/data".
 * Of what does not say so, or belongs to somebody who may not answer, it is root. */
struct way {
        struct directory_access *parts[DEPTH_MAX];
        size_t n;
};

static void way_done(struct way *w) {
        for (size_t i = 0; i < w->n; i++)
                directory_access_free(w->parts[i]);
}

static int way_read(struct way *w, const char *place, struct vss_error *reterr) {
        const bool answers = exposed_check_place(place, NULL) >= 0;
        _cleanup_(freep) char *path = strdup(place);

        if (!path)
                return vss_error_from_errno(reterr, -ENOMEM, place);
        for (char *end = path; *end != '\0';) {
                char after;

                if (w->n >= ARRAY_SIZE(w->parts))
                        return vss_error_from_errno(reterr, -ENAMETOOLONG, place);
                end += 1 + strcspn(end + 1, "/");
                after = *end;
                *end = '\0';
                w->parts[w->n] = NULL;
                if (answers)
                        (void)directory_access_read(&w->parts[w->n], path);
                w->n++;
                *end = after;
        }
        return 0;
}

/* The directory of a mount point, as a descriptor; made with all that lead there. */
static int make_place(const char *place, const struct way *w, struct vss_error *reterr) {
        _cleanup_(freep) char *names = strdup(place);
        _cleanup_(closep) int fd = -1;
        char *rest = names, *name;
        int r = 0;

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, place);
        if (mkdir(PREVIOUS_VERSIONS_ROOT, 0755) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, PREVIOUS_VERSIONS_ROOT);
        fd = open_directory(AT_FDCWD, PREVIOUS_VERSIONS_ROOT);
        for (size_t i = 0; fd >= 0 && r >= 0 && (name = strtok_r(rest, "/", &rest)); i++) {
                int below;

                /* Until it says who may come in nobody may. */
                if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
                        return vss_error_from_errno(reterr, -errno, place);
                below = open_directory(fd, name);
                (void)safe_close(fd);
                fd = below;
                if (fd >= 0)
                        r = directory_access_give(w->parts[i], fd);
        }
        if (fd < 0 || r < 0)
                return vss_error_from_errno(reterr, fd < 0 ? fd : r, place);
        return TAKE_FD(fd);
}

/* --- what is there --- */

static struct libmnt_fs *next_entry(struct libmnt_table *table, struct libmnt_iter *i,
                                    const struct snapshot_record *r) {
        struct libmnt_fs *fs;

        while (mnt_table_next_fs(table, i, &fs) == 0)
                if (below_root(str_or_empty(mnt_fs_get_target(fs))) &&
                    streq(str_or_empty(mnt_fs_get_source(fs)), r->device))
                        return fs;
        return NULL;
}

/* Whether an entry is one of that place. */
static bool is_at(const char *entry, const char *place) {
        const char *rest = below_root(entry);
        const size_t n = strlen(place);

        return rest && strncmp(rest, place, n) == 0 && rest[n] == '/' && !strchr(rest + n + 1, '/');
}

static void prune(int fd, unsigned depth) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;

        d = fdopendir(fd);
        if (!d) {
                (void)safe_close(fd);
                return;
        }
        while ((entry = readdir(d))) {
                int below;

                /* What something is mounted on stays (EBUSY), and what it is in. */
                if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
                    unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR) == 0 || errno != ENOTEMPTY ||
                    depth == 0)
                        continue;
                below = open_directory(dirfd(d), entry->d_name);
                if (below < 0)
                        continue;
                prune(below, depth - 1);
                (void)unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR); /* if that was all */
        }
}

static void prune_tree(void) {
        int fd = open_directory(AT_FDCWD, PREVIOUS_VERSIONS_ROOT);

        if (fd >= 0)
                prune(fd, DEPTH_MAX);
}

static int hide(struct libmnt_table *table, const struct snapshot_record *r, const char *but_at,
                bool force, struct vss_error *reterr) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_BACKWARD);
        struct libmnt_fs *fs;
        int k = 0, kept = 0;

        if (!i)
                return vss_error_from_errno(reterr, -ENOMEM, PREVIOUS_VERSIONS_ROOT);
        while (k >= 0 && (fs = next_entry(table, i, r)))
                if (but_at && kept == 0 && is_at(mnt_fs_get_target(fs), but_at))
                        kept = 1;
                else
                        k = exposed_unmount(mnt_fs_get_target(fs), mnt_fs_get_devno(fs),
                                            force ? EXPOSED_UNMOUNT_DETACH : EXPOSED_UNMOUNT_IDLE,
                                            reterr);
        prune_tree();
        return k < 0 ? k : kept;
}

/* --- showing --- */

/* 1: the name is taken. */
static int try_name(int place_fd, const char *place, const char *name,
                    const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int k;

        if (str_format(&path, PREVIOUS_VERSIONS_ROOT "%s/%s", place, name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        if (mkdirat(place_fd, name, 0755) < 0)
                return errno == EEXIST ? 1 : vss_error_from_errno(reterr, -errno, path);
        k = exposed_mount(r->device_object, NULL, path, 0, reterr);
        if (k < 0)
                (void)unlinkat(place_fd, name, AT_REMOVEDIR); /* else the next one does */
        return k;
}

/* Names have seconds. Of two copies of one volume in the same one the second gets the next. */
static int show_in(int place_fd, const char *place, const struct snapshot_record *r,
                   struct vss_error *reterr) {
        time_t created = (time_t)(vss_timestamp_to_unix_nsec(r->created) / 1000 / 1000 / 1000);
        int k = 1;

        for (int later = 0; k == 1; later++) {
                char name[NAME_SIZE];
                time_t t = created + later;
                struct tm tm;

                if (!gmtime_r(&t, &tm) || strftime(name, sizeof(name), NAME_FORMAT, &tm) == 0)
                        return vss_error_set(reterr, VSS_E_UNEXPECTED, ERANGE,
                                             "the time of snapshot %s cannot be written as a name",
                                             VSS_ID_TEXT(r->id));
                k = try_name(place_fd, place, name, r, reterr);
        }
        return k;
}

/* place NULL: nowhere. Where it is otherwise it would be another volume's. */
static int show_only_at(struct libmnt_table *table, const char *place, const struct way *w,
                        const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int kept;

        kept = hide(table, r, place, false, reterr);
        if (kept < 0 || !place)
                return kept;
        fd = make_place(place, w, reterr); /* if it is there, for those who may come in now */
        if (fd < 0)
                return fd;
        return kept == 1 ? 0 : show_in(fd, place, r, reterr);
}

int previous_versions_show(const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *table = NULL;
        _cleanup_(way_done) struct way w = { .n = 0 };
        _cleanup_(freep) char *place = NULL;
        int k, shown;

        if (!(r->context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE))
                return 0;
        k = mount_table_read(&table);
        if (k < 0)
                return vss_error_from_errno(reterr, k, "reading the mount table");
        k = find_place(table, r, &place, reterr);
        if (k >= 0)
                k = way_read(&w, place, reterr);
        (void)pthread_mutex_lock(&tree);
        shown = show_only_at(table, k < 0 ? NULL : place, &w, r, k < 0 ? NULL : reterr);
        (void)pthread_mutex_unlock(&tree);
        return k < 0 ? k : shown;
}

int previous_versions_hide(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *table = NULL;
        int k;

        if (!r->device || access(PREVIOUS_VERSIONS_ROOT, F_OK) < 0)
                return 0;
        (void)pthread_mutex_lock(&tree);
        k = mount_table_read(&table);
        k = k < 0 ? vss_error_from_errno(reterr, k, "reading the mount table")
                  : hide(table, r, NULL, force, reterr);
        (void)pthread_mutex_unlock(&tree);
        return k < 0 ? k : 0;
}
