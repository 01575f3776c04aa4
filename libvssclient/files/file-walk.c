/* The walk: a stack of open directories.
 *
 * Three paths lead to a file: the original, where it belongs (rules are about it); the source in
 * the machine's own name space, which differs if the set has an alternate path (mounts are about
 * it); and where that is read, which differs if it is read from a copy. */

#include "libvssclient/files/file-walk.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/open-beneath.h"
#include "libvssclient/files/wildcard.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEPTH_MAX 500 /* each level has a descriptor; programs may open 1024 */

struct level {
        DIR *directory;
        char *original, *source, *real;
        bool in_copy;
};

struct state {
        const struct file_walk *walk;
        const struct file_set *set;
        struct level *levels;
        size_t n_levels;
        bool matched; /* the spec named something, excluded or not */
};

/* What there is to say of a file besides where it is. */
struct particulars {
        DWORD flags;
        const char *ranges, *metadata;
};

static int tell(const struct file_walk *w, const char *path, HRESULT code, const char *format, ...)
        _printf_(4, 5);
static int tell(const struct file_walk *w, const char *path, HRESULT code, const char *format,
                ...) {
        char *message;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&message, format, args);
        va_end(args);
        if (r < 0)
                return -ENOMEM;
        r = w->on_problem(w->userdata, &(const VSS_FILE_PROBLEM){
                                               .path = *path == '\0' ? "/" : path,
                                               .code = code,
                                               .message = message,
                                       });
        free(message);
        return r < 0 ? r : 0;
}

/* errno as what the user can do about it. */
static int tell_errno(const struct file_walk *w, const char *path, const char *real, int error) {
        static const struct {
                int error;
                HRESULT code;
                const char *text;
        } problems[] = {
                { ENOENT, VSS_E_OBJECT_NOT_FOUND, "is not there" },
                { ENOTDIR, VSS_E_OBJECT_NOT_FOUND, "is no directory" },
                { ELOOP, E_INVALIDARG,
                  "has a symbolic link in it; links are not followed: the writer must name the "
                  "directory itself" },
                { EACCES, E_ACCESSDENIED, "may not be read by this user" },
                { EPERM, E_ACCESSDENIED, "may not be read by this user" },
                { EMFILE, E_OUTOFMEMORY,
                  "cannot be opened: directories are nested deeper than this process may have "
                  "open files" },
        };

        if (error == ENOMEM)
                return -ENOMEM;
        if (*real == '\0')
                real = "/";
        for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
                if (problems[i].error == error)
                        return tell(w, path, problems[i].code, "%s %s", real, problems[i].text);
        return tell(w, path, VSS_E_UNEXPECTED, "%s cannot be read: %s", real, strerror(error));
}

static int emit(const struct state *s, const struct level *l, const char *name,
                const struct stat *st, const struct particulars *p) {
        _cleanup_(freep) char *path = NULL, *source = NULL;
        bool is_start = streq(name, ".");

        if (is_start ? (str_replace(&path, *l->original == '\0' ? "/" : l->original) < 0 ||
                        str_replace(&source, *l->real == '\0' ? "/" : l->real) < 0)
                     : (file_path_join(&path, l->original, name) < 0 ||
                        file_path_join(&source, l->real, name) < 0))
                return -ENOMEM;
        return s->walk->on_file(s->walk->userdata,
                                &(const VSS_FILE){
                                        .path = path,
                                        .source = source,
                                        .directory = dirfd(l->directory),
                                        .name = name,
                                        .status = st,
                                        .flags = p->flags | (l->in_copy ? VSS_FILE_FROM_COPY : 0u),
                                        .ranges = p->ranges,
                                        .metadata = p->metadata,
                                });
}

static bool may_be_blank(const struct file_walk *w, const char *directory, const char *name) {
        return file_rules_match(w->blanks, directory, name) ||
               file_rules_match(w->machine_blanks, directory, name);
}

static bool is_excluded(const struct file_walk *w, const char *directory, const char *name) {
        return file_rules_match(w->excludes, directory, name) ||
               file_rules_match(w->machine_excludes, directory, name);
}

static bool is_excluded_tree(const struct file_walk *w, const char *directory) {
        return file_rules_match_tree(w->excludes, directory) ||
               file_rules_match_tree(w->machine_excludes, directory);
}

static bool is_older(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void level_done(struct level *l) {
        if (l->directory)
                (void)closedir(l->directory); /* it was only read */
        free(l->original);
        free(l->source);
        free(l->real);
        *l = (struct level){ 0 };
}

/* Takes fd over, on failure too. */
static int level_init(struct level *ret, int fd, const char *original, const char *source,
                      const char *real, bool in_copy) {
        struct level l = { .directory = fdopendir(fd), .in_copy = in_copy };

        if (!l.directory)
                (void)safe_close(fd);
        if (!l.directory || str_replace(&l.original, original) < 0 ||
            str_replace(&l.source, source) < 0 || str_replace(&l.real, real) < 0) {
                level_done(&l);
                return -ENOMEM;
        }
        *ret = l;
        return 0;
}

/* Takes l over, on failure too. */
static int push(struct state *s, struct level *l) {
        struct level *grown = reallocarray(s->levels, s->n_levels + 1, sizeof(*grown));

        if (!grown) {
                level_done(l);
                return -ENOMEM;
        }
        s->levels = grown;
        s->levels[s->n_levels++] = *l;
        return 0;
}

static int visit_file(struct state *s, const struct level *l, const char *name,
                      const struct stat *st) {
        struct particulars p = { 0 };
        int r;

        s->matched = true;
        if (is_excluded(s->walk, l->original, name) ||
            partial_files_find(s->walk->partials, l->original, name) ||
            (s->set->has_since && is_older(&st->st_mtim, &s->set->since)))
                return 0;
        r = listed_files_note(s->walk->listed, l->original, name);
        if (r <= 0)
                return r;
        if (may_be_blank(s->walk, l->original, name))
                p.flags = VSS_FILE_MAY_BE_BLANK;
        return emit(s, l, name, st, &p);
}

/* A directory that is entered, or would be. l: the one that it is in; or itself, and name is ".".
 */
static int visit_directory(struct state *s, const struct level *l, const char *name,
                           const char *original, const struct stat *st, DWORD flags) {
        int r = listed_files_note_directory(s->walk->listed, original);

        return r <= 0 ? r : emit(s, l, name, st, &(const struct particulars){ .flags = flags });
}

/* The way into a directory: by its name, or, where a volume of the set is mounted, into the copy
 * of that. -EXDEV: it is not entered. */
static int open_child(const struct state *s, const struct level *l, const char *name,
                      const char *source, char **ret_real, bool *ret_in_copy) {
        const struct mount_table *mounts = s->walk->mounts;
        const struct mount *m = mount_table_at(mounts, source);

        *ret_in_copy = l->in_copy;
        if (m) {
                if (mount_table_is_of_copies(mounts) ? !m->copy : m->kind != MOUNT_LOCAL)
                        return -EXDEV;
                if (mount_table_is_reached_otherwise(mounts, m, s->set->source))
                        return -EXDEV;
        }
        if (m && m->copy) {
                *ret_in_copy = true;
                if (mount_locate(ret_real, m, source, true) < 0)
                        return -ENOMEM;
                return open_beneath(m->copy, *ret_real + strlen(m->copy));
        }
        if (file_path_join(ret_real, l->real, name) < 0)
                return -ENOMEM;
        return open_directory_at(dirfd(l->directory), name);
}

static int enter(struct state *s, struct level *l, const char *name) {
        _cleanup_(freep) char *original = NULL, *source = NULL, *real = NULL;
        struct level child = { 0 };
        struct stat st;
        bool in_copy;
        int fd, r;

        if (file_path_join(&original, l->original, name) < 0 ||
            file_path_join(&source, l->source, name) < 0)
                return -ENOMEM;
        fd = s->n_levels >= DEPTH_MAX ? -EMFILE : open_child(s, l, name, source, &real, &in_copy);
        if (fd == -ENOENT && !l->in_copy)
                return 0; /* it was there a moment ago */
        if (fd == -EXDEV) {
                if (fstatat(dirfd(l->directory), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return tell_errno(s->walk, original, source, errno);
                return visit_directory(s, l, name, original, &st, VSS_FILE_NOT_ENTERED);
        }
        if (fd < 0)
                return tell_errno(s->walk, original, real ? real : source, -fd);

        /* The directory that is entered: of a mount point the root of what is mounted. */
        if (fstat(fd, &st) < 0) {
                r = errno;
                (void)safe_close(fd);
                return tell_errno(s->walk, original, real, r);
        }
        r = level_init(&child, fd, original, source, real, in_copy);
        if (r < 0)
                return r;
        if (mount_table_at(s->walk->mounts, source))
                r = visit_directory(s, &child, ".", original, &st, 0);
        else
                r = visit_directory(s, l, name, original, &st, 0);
        if (r < 0 || is_excluded_tree(s->walk, original)) {
                level_done(&child);
                return r;
        }
        return push(s, &child);
}

/* May grow the stack: l is not to be used afterwards. */
static int visit(struct state *s, struct level *l, const char *name, unsigned char type) {
        bool matches = wildcard_match(s->set->spec, name);
        bool may_be_directory = type == DT_DIR || type == DT_UNKNOWN;
        struct stat st;

        if (!matches && !(s->set->recursive && may_be_directory))
                return 0;
        if (fstatat(dirfd(l->directory), name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                _cleanup_(freep) char *original = NULL, *real = NULL;

                if (errno == ENOENT)
                        return 0; /* it was there a moment ago */
                if (file_path_join(&original, l->original, name) < 0 ||
                    file_path_join(&real, l->real, name) < 0)
                        return -ENOMEM;
                return tell_errno(s->walk, original, real, errno);
        }
        if (S_ISDIR(st.st_mode))
                return s->set->recursive ? enter(s, l, name) : 0;
        return matches ? visit_file(s, l, name, &st) : 0;
}

static int walk_levels(struct state *s) {
        while (s->n_levels > 0) {
                struct level *l = &s->levels[s->n_levels - 1];
                struct dirent *e;
                int r = 0;

                errno = 0;
                e = readdir(l->directory);
                if (!e) {
                        if (errno != 0)
                                r = tell_errno(s->walk, l->original, l->real, errno);
                        level_done(l);
                        s->n_levels--;
                } else if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = visit(s, l, e->d_name, e->d_type);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The one file of a set whose spec has no wildcard. Without reading the directory, which may be a
 * large one. */
static int visit_named(struct state *s, const struct particulars *p) {
        struct level *l = &s->levels[0];
        struct stat st;

        if (fstatat(dirfd(l->directory), s->set->spec, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                _cleanup_(freep) char *real = NULL;

                if (errno == ENOENT)
                        return 0;
                if (file_path_join(&real, l->real, s->set->spec) < 0)
                        return -ENOMEM;
                s->matched = true; /* it is there, so it is not told of twice */
                return tell_errno(s->walk, l->original, real, errno);
        }
        if (S_ISDIR(st.st_mode))
                return 0;
        if (!p)
                return visit_file(s, l, s->set->spec, &st);
        s->matched = true;
        return is_excluded(s->walk, l->original, s->set->spec) ? 0
                                                               : emit(s, l, s->set->spec, &st, p);
}

static int tell_missing(const struct state *s, const char *real) {
        _cleanup_(freep) char *path = NULL;

        if (s->set->may_be_absent || wildcard_is_pattern(s->set->spec) ||
            is_excluded(s->walk, s->set->path, s->set->spec) ||
            may_be_blank(s->walk, s->set->path, s->set->spec))
                return 0;
        if (file_path_join(&path, s->set->path, s->set->spec) < 0)
                return -ENOMEM;
        return tell(s->walk, path, VSS_E_OBJECT_NOT_FOUND,
                    "There is no file '%s' in %s%s, which the writer names without a wildcard, so "
                    "it must be there",
                    s->set->spec, *real == '\0' ? "/" : real,
                    s->set->recursive ? " or below it" : "");
}

/* Which way to the directory of the set. 1: in *ret_real; 0: there is none, and that was told. */
static int find_start(const struct state *s, char **ret_real, bool *ret_in_copy,
                      const char **ret_root) {
        const struct file_set *set = s->set;
        const struct mount_table *mounts = s->walk->mounts;
        const struct mount *m = mount_table_find(mounts, set->source);
        int r;

        if (m && m->kind != MOUNT_LOCAL) {
                r = tell(s->walk, set->path, VSS_E_NOT_SUPPORTED,
                         "%s is on %s (%s), whose files no copy of a volume has%s", set->source,
                         *m->path == '\0' ? "/" : m->path, m->fs_type,
                         m->kind == MOUNT_REMOTE ? "; back it up on the machine that serves it"
                                                 : "");
                return r;
        }
        *ret_in_copy = m && m->copy && !set->from_original;
        if (!*ret_in_copy && mount_table_is_of_copies(mounts) && set->copy_required) {
                r = tell(s->walk, set->path, VSS_E_OBJECT_NOT_FOUND,
                         "%s is on the volume %s, which is not in the set, and the writer wants it "
                         "read from a copy; add that volume to the set",
                         set->source, !m || *m->path == '\0' ? "/" : m->path);
                return r;
        }
        if (*ret_in_copy) {
                *ret_root = m->copy;
                r = mount_locate(ret_real, m, set->source, true);
        } else {
                *ret_root = "";
                r = str_replace(ret_real, set->source);
        }
        return r < 0 ? r : 1;
}

/* 1: the directory of the set is open, as the first level; 0: there is nothing to do. */
static int open_start(struct state *s) {
        _cleanup_(freep) char *real = NULL;
        struct level l = { 0 };
        const char *root = "";
        bool in_copy;
        int fd, r;

        if (is_excluded_tree(s->walk, s->set->path))
                return 0;
        r = find_start(s, &real, &in_copy, &root);
        if (r <= 0)
                return r;
        fd = open_beneath(root, real + strlen(root));
        /* A wildcard may match nothing; a directory that is not there has nothing to match. */
        if (fd == -ENOENT)
                return tell_missing(s, real);
        if (fd < 0)
                return tell_errno(s->walk, s->set->path, real, -fd);
        r = level_init(&l, fd, s->set->path, s->set->source, real, in_copy);
        if (r >= 0)
                r = push(s, &l);
        return r < 0 ? r : 1;
}

static void state_done(struct state *s) {
        while (s->n_levels > 0)
                level_done(&s->levels[--s->n_levels]);
        free(s->levels);
}

static int walk_tree(struct state *s) {
        const struct level *l = &s->levels[0];
        struct stat st;
        int r = 0;

        if (s->set->recursive) {
                if (fstat(dirfd(l->directory), &st) < 0)
                        return tell_errno(s->walk, l->original, l->real, errno);
                r = visit_directory(s, l, ".", l->original, &st, 0);
        }
        return r < 0 ? r : walk_levels(s);
}

static int walk(const struct file_walk *w, const struct file_set *set,
                const struct particulars *named) {
        _cleanup_(state_done) struct state s = { .walk = w, .set = set };
        _cleanup_(freep) char *real = NULL;
        int r;

        r = open_start(&s);
        if (r <= 0)
                return r;
        if (str_replace(&real, s.levels[0].real) < 0)
                return -ENOMEM;
        if (named || (!set->recursive && !wildcard_is_pattern(set->spec)))
                r = visit_named(&s, named);
        else
                r = walk_tree(&s);
        if (r >= 0 && !s.matched)
                r = tell_missing(&s, real);
        return r;
}

int file_walk_set(const struct file_walk *w, const struct file_set *set) {
        return walk(w, set, NULL);
}

int file_walk_partial(const struct file_walk *w, const struct partial_file *file) {
        const struct file_set set = {
                .path = file->directory,
                .source = file->source ? file->source : file->directory,
                .spec = file->name,
                .copy_required = file->copy_required,
        };
        bool blank = may_be_blank(w, file->directory, file->name);

        return walk(w, &set,
                    &(const struct particulars){
                            .flags = blank ? VSS_FILE_MAY_BE_BLANK : 0,
                            .ranges = file->ranges,
                            .metadata = file->metadata,
                    });
}

int file_walk_ranges_file(const struct file_walk *w, const struct partial_file *file) {
        _cleanup_(freep) char *path = NULL;
        struct file_set set = { .from_original = true };
        struct file_walk plain = *w;
        struct vss_error error = { 0 };
        const char *ranges;
        char *slash;
        int r;

        ranges = partial_file_ranges_path(file);
        if (!ranges)
                return 0;
        r = file_path_expand(&path, ranges, &error);
        if (r < 0 || *path == '\0') {
                if (r != -ENOMEM)
                        r = tell(w, ranges, E_INVALIDARG,
                                 "'%s' of the partial file %s/%s is neither a list of ranges nor "
                                 "the path of a file with them",
                                 ranges, file->directory, file->name);
                vss_error_done(&error);
                return r;
        }
        slash = strrchr(path, '/');
        *slash = '\0';
        set.path = set.source = path;
        set.spec = slash + 1;
        /* Without it the file cannot be restored, whatever else is kept out of backups. */
        plain.excludes = plain.machine_excludes = NULL;
        return walk(&plain, &set, &(const struct particulars){ .flags = VSS_FILE_RANGES_FILE });
}
