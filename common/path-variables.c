/* The table of variables, and one copy of it for the whole process. */

#include "common/path-variables.h"
#include "common/utf8.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_MAX (64u * 1024u)

struct variable {
        char *name, *value;
};

struct path_variables {
        struct variable *items; /* of the file; a later one replaces an earlier one */
        size_t n;
};

/* Not to be replaced: the way to write these signs themselves. */
static const struct {
        const char *name, *value;
} signs[] = {
        { "percent", "%" },
        { "dollar", "$" },
};

static const struct {
        const char *name, *value;
} fixed[] = {
        { "sysconfdir", "/etc" },      { "localstatedir", "/var" },
        { "runstatedir", "/run" },     { "datadir", "/usr/share" },
        { "spooldir", "/var/spool" },  { "statedir", "/var/lib" },
        { "logdir", "/var/log" },      { "homedir", "/home" },
        { "ProgramData", "/var/lib" }, { "AllUsersProfile", "/var/lib" },
};

static bool is_name_character(char c, bool first) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (!first && ((c >= '0' && c <= '9') || c == '(' || c == ')'));
}

/* The length of the name at s; 0: there is none. */
static size_t name_length(const char *s) {
        size_t n = 0;

        while (is_name_character(s[n], n == 0))
                n++;
        return n;
}

struct path_variables *path_variables_free(struct path_variables *v) {
        if (!v)
                return NULL;
        for (size_t i = 0; i < v->n; i++) {
                free(v->items[i].name);
                free(v->items[i].value);
        }
        free(v->items);
        free(v);
        return NULL;
}

static bool name_is(const char *known, const char *name, size_t n) {
        return strncasecmp(known, name, n) == 0 && known[n] == '\0';
}

static const char *find(const struct path_variables *v, const char *name, size_t n) {
        for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
                if (name_is(signs[i].name, name, n))
                        return signs[i].value;
        for (size_t i = v->n; i-- > 0;)
                if (name_is(v->items[i].name, name, n))
                        return v->items[i].value;
        for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
                if (name_is(fixed[i].name, name, n))
                        return fixed[i].value;
        return NULL;
}

const char *path_variables_get(const struct path_variables *v, const char *name) {
        return find(v, name, strlen(name));
}

static char *strip(char *s) {
        size_t n;

        s += strspn(s, " \t\r");
        n = strlen(s);
        while (n > 0 && strchr(" \t\r", s[n - 1]))
                s[--n] = '\0';
        return s;
}

/* Takes the quotes off, if there are two. */
static char *unquote(char *s) {
        size_t n = strlen(s);

        if (n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n - 1] == s[0]) {
                s[n - 1] = '\0';
                s++;
        }
        return s;
}

/* UTF-8 without control characters. */
static bool is_text(const char *s) {
        while (*s) {
                uint32_t character;
                size_t n = utf8_decode(s, &character);

                if ((character == UTF8_REPLACEMENT && n == 1) || utf8_is_control(character))
                        return false;
                s += n;
        }
        return true;
}

static int add(struct path_variables *v, const char *name, const char *value) {
        _cleanup_(freep) char *name_copy = strdup(name), *value_copy = strdup(value);
        struct variable *items = reallocarray(v->items, v->n + 1, sizeof(*items));

        if (items)
                v->items = items;
        if (!items || !name_copy || !value_copy)
                return -ENOMEM;
        v->items[v->n++] = (struct variable){ TAKE_PTR(name_copy), TAKE_PTR(value_copy) };
        return 0;
}

static int read_line(struct path_variables *v, char *line, const char *file, unsigned number,
                     struct vss_error *reterr) {
        char *name = strip(line), *value;

        if (*name == '\0' || *name == '#' || *name == ';')
                return 0;
        value = strchr(name, '=');
        if (value) {
                *value++ = '\0';
                name = strip(name);
                value = unquote(strip(value));
        }
        if (!value || *name == '\0' || name[name_length(name)] != '\0')
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s:%u: a line is NAME=VALUE", file,
                                     number);
        if (!is_text(value))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s:%u: the value of %s is not UTF-8 text", file, number,
                                     name);
        return add(v, name, value) < 0 ? vss_error_from_errno(reterr, -ENOMEM, file) : 0;
}

static int read_file(char **ret, const char *file, struct vss_error *reterr) {
        _cleanup_(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        struct stat st;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return vss_error_from_errno(reterr, -errno, file);
        if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is not a regular file of at most %u bytes", file,
                                     FILE_MAX);
        text = malloc(FILE_MAX + 1);
        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, file);
        for (;;) {
                ssize_t n = read(fd, text + size, FILE_MAX - size);

                if (n < 0)
                        return vss_error_from_errno(reterr, -errno, file);
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        text[size] = '\0';
        if (strlen(text) != size)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s has a NUL in it", file);
        *ret = TAKE_PTR(text);
        return 0;
}

int path_variables_load(struct path_variables **ret, const char *file, struct vss_error *reterr) {
        _cleanup_(path_variables_freep) struct path_variables *v = calloc(1, sizeof(*v));
        _cleanup_(freep) char *text = NULL;
        unsigned number = 0;
        char *rest, *line;
        int r;

        if (!v)
                return vss_error_from_errno(reterr, -ENOMEM, file);
        r = read_file(&text, file, reterr);
        if (r < 0)
                return r;
        rest = text;
        while (rest && (line = strsep(&rest, "\n"))) {
                r = read_line(v, line, file, ++number, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

/* Is there a variable at s? Its name, and its length with the signs around it. */
static bool variable_at(const char *s, const char **ret_name, size_t *ret_n, size_t *ret_length) {
        size_t before = s[0] == '%' ? 1 : s[0] == '$' && s[1] == '{' ? 2 : 0, n;

        if (before == 0)
                return false;
        n = name_length(s + before);
        if (n == 0 || s[before + n] != (before == 1 ? '%' : '}'))
                return false;
        *ret_name = s + before;
        *ret_n = n;
        *ret_length = before + n + 1;
        return true;
}

bool path_has_variables(const char *path) {
        const char *name;
        size_t n, length;

        for (; *path; path++)
                if (variable_at(path, &name, &n, &length))
                        return true;
        return false;
}

int path_variables_replace(const struct path_variables *v, const char *path, char **ret,
                           struct vss_error *reterr) {
        _cleanup_(freep) char *result = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&result, &size);
        int r = 0;

        if (!stream)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        while (*path && r >= 0) {
                const char *name, *value;
                size_t n, length = 1;

                if (!variable_at(path, &name, &n, &length))
                        (void)fputc(*path, stream);
                else if ((value = find(v, name, n)))
                        (void)fputs(value, stream);
                else
                        r = vss_error_set(reterr, E_INVALIDARG, 0,
                                          "The variable '%.*s' in a path is not defined: define it "
                                          "in %s, or write the path itself",
                                          (int)n, name, PATH_VARIABLES_FILE);
                path += length;
        }
        /* A stream in memory fails only without memory; fclose() tells. */
        if (ferror(stream) && r >= 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "A path");
        if (fclose(stream) != 0 && r >= 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "A path");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(result);
        return 0;
}

/* What PATH_VARIABLES_FILE held, and which file that was. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct path_variables *kept;
static struct stat kept_of;

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Under the lock. A file that cannot be asked is as one that is not there; reading it will say. */
static int keep_current(struct vss_error *reterr) {
        struct path_variables *v;
        struct stat st;
        int r;

        if (stat(PATH_VARIABLES_FILE, &st) < 0)
                st = (struct stat){ 0 };
        if (kept && same_file(&st, &kept_of))
                return 0;
        r = path_variables_load(&v, PATH_VARIABLES_FILE, reterr);
        if (r < 0)
                return r;
        (void)path_variables_free(kept);
        kept = v;
        kept_of = st;
        return 0;
}

int path_variables_expand(char **ret, const char *path, struct vss_error *reterr) {
        int r;

        if (!path_has_variables(path)) {
                char *copy = strdup(path);

                if (!copy)
                        return vss_error_from_errno(reterr, -ENOMEM, "A path");
                *ret = copy;
                return 0;
        }
        (void)pthread_mutex_lock(&lock); /* an ordinary mutex, locked here only: cannot fail */
        r = keep_current(reterr);
        if (r >= 0)
                r = path_variables_replace(kept, path, ret, reterr);
        (void)pthread_mutex_unlock(&lock);
        return r;
}
