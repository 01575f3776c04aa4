/* Machine-wide lists: who administers the machine writes them, so a bad line is told, not fatal. */

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/file-rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#define LIST_SIZE_MAX (1024 * 1024)

struct reader {
        struct file_rules *rules;
        const struct file_rules_places *places;
        const char *file;
        unsigned line;
        file_rules_problem_fn on_problem;
        void *userdata;
};

static void tell(const struct reader *in, const char *problem) {
        _cleanup_(freep) char *sentence = NULL;

        if (in->on_problem && str_format(&sentence, "%s:%u: %s; the line is skipped", in->file,
                                         in->line, problem) >= 0)
                in->on_problem(in->userdata, sentence);
}

/* path: "" or "/...", below each of the places. */
static int add_everywhere(struct reader *in, char *const *places, const char *path,
                          const char *spec, bool recursive, struct vss_error *reterr) {
        STRV_FOREACH (place, places) {
                _cleanup_(freep) char *whole = NULL, *directory = NULL;
                struct vss_error error = { 0 };
                int r;

                if (str_format(&whole, "%s/%s", *place, path) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, in->file);
                r = file_path_normalise(&directory, whole, &error);
                if (r == -EINVAL) {
                        tell(in, str_or_empty(error.message));
                        vss_error_done(&error);
                        return 0;
                }
                vss_error_done(&error);
                if (r < 0 || file_rules_add(in->rules, directory, spec, recursive, NULL) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, in->file);
        }
        return 0;
}

/* "$AllVolumes$/PATH": the places, and the path behind; NULL: the path is one of its own. */
static const char *find_places(const struct reader *in, const char *path,
                               char *const **ret_places) {
        const struct {
                const char *name;
                char *const *places;
        } names[] = {
                { "$AllVolumes$", in->places->volumes },
                { "$UserProfile$", in->places->profiles },
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                size_t n = strlen(names[i].name);

                if (strncasecmp(path, names[i].name, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                        continue;
                *ret_places = names[i].places;
                return path + n;
        }
        return NULL;
}

/* "PATH/SPEC", "PATH/SPEC /s". 0 also for a line that is skipped. */
static int read_line(struct reader *in, char *line, struct vss_error *reterr) {
        _cleanup_(freep) char *directory = NULL;
        struct vss_error error = { 0 };
        bool recursive = false;
        char *const *places;
        const char *rest;
        char *slash;
        size_t n;
        int r;

        line += strspn(line, " \t");
        n = strlen(line);
        while (n > 0 && strchr(" \t\r\n", line[n - 1]))
                line[--n] = '\0';
        if (n == 0 || line[0] == '#')
                return 0;
        if (n > 3 && (streq(line + n - 3, " /s") || streq(line + n - 3, "\t/s"))) {
                recursive = true;
                n -= 3;
                while (n > 0 && strchr(" \t", line[n - 1]))
                        n--;
                line[n] = '\0';
        }

        slash = strrchr(line, '/');
        if (!slash || slash[1] == '\0') {
                tell(in, "it does not end with the name of a file, or '*'");
                return 0;
        }
        *slash = '\0';
        rest = find_places(in, line, &places);
        if (rest)
                return add_everywhere(in, places, rest, slash + 1, recursive, reterr);
        r = file_path_expand(&directory, slash == line ? "/" : line, &error);
        if (r == -ENOMEM) {
                vss_error_move(reterr, &error);
                return r;
        }
        if (r < 0) {
                tell(in, str_or_empty(error.message));
                vss_error_done(&error);
                return 0;
        }
        return file_rules_add(in->rules, directory, slash + 1, recursive, reterr);
}

static bool is_writers(const char *file, char *const *writers) {
        size_t n = strlen(file);

        if (n > 5 && streq(file + n - 5, ".conf"))
                n -= 5;
        STRV_FOREACH (writer, writers)
                if (strlen(*writer) == n && strncmp(*writer, file, n) == 0)
                        return true;
        return false;
}

static int read_file(struct reader *in, int directory, const char *name, struct vss_error *reterr) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        struct stat st;
        int fd;

        in->line = 0;
        fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        f = fd < 0 ? NULL : fdopen(fd, "r");
        if (!f) {
                tell(in, strerror(errno));
                (void)safe_close(fd);
                return 0;
        }
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > LIST_SIZE_MAX) {
                tell(in, "this is no regular file of at most 1 MiB");
                return 0;
        }
        while (getline(&line, &size, f) >= 0) {
                int r;

                in->line++;
                r = read_line(in, line, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int file_rules_read(struct file_rules *r, const char *directory,
                    const struct file_rules_places *places, file_rules_problem_fn on_problem,
                    void *userdata, struct vss_error *reterr) {
        struct reader in = {
                .rules = r,
                .places = places,
                .on_problem = on_problem,
                .userdata = userdata,
        };
        _cleanup_(closedirp) DIR *d = opendir(directory);
        int result = 0;

        if (!d && errno == ENOENT)
                return 0;
        if (!d)
                return vss_error_set(reterr, errno == EACCES ? E_ACCESSDENIED : VSS_E_UNEXPECTED,
                                     errno, "Cannot read %s: %s", directory, strerror(errno));
        for (struct dirent *e; result >= 0 && (e = readdir(d)) != NULL;) {
                _cleanup_(freep) char *path = NULL;
                size_t n = strlen(e->d_name);

                /* Hidden files and what editors leave. */
                if (e->d_name[0] == '.' || e->d_name[n - 1] == '~' ||
                    is_writers(e->d_name, places->writers))
                        continue;
                if (file_path_join(&path, directory, e->d_name) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, directory);
                in.file = path;
                result = read_file(&in, dirfd(d), e->d_name, reterr);
        }
        return result;
}
