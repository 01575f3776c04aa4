/* See unit-name.h. Stateless. */

#include "daemon/adoption/unit-name.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>

#define LINKS_MAX 4096 /* and folders that are not there */
#define ESCAPED_MAX 4  /* "\x20" */

static char *put_escaped(char *to, char c) {
        static const char digits[] = "0123456789abcdef";
        unsigned char u = (unsigned char)c;

        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[u >> 4];
        *to++ = digits[u & 15];
        return to;
}

static bool is_plain(char c) {
        return isascii((unsigned char)c) && (isalnum((unsigned char)c) || strchr(":_.", c));
}

int unit_name_of_path(char **ret, const char *path, const char *suffix) {
        char *name = malloc(strlen(path) * ESCAPED_MAX + strlen(suffix) + 2), *to = name;

        if (!name)
                return -ENOMEM;
        while (*path) {
                if (*path == '/') {
                        path += strspn(path, "/");
                        if (to > name && *path)
                                *to++ = '-';
                } else if (is_plain(*path) && (*path != '.' || to > name))
                        *to++ = *path++;
                else
                        to = put_escaped(to, *path++);
        }
        if (to == name)
                *to++ = '-'; /* the root */
        memcpy(to, suffix, strlen(suffix) + 1);
        *ret = name;
        return 0;
}

/* Without "." and doubled slashes, as path_simplify() of systemd. */
static char *simplify(const char *path) {
        char *simple = malloc(strlen(path) + 2), *to = simple;

        if (!simple)
                return NULL;
        while (*path) {
                size_t n;

                path += strspn(path, "/");
                n = strcspn(path, "/");
                if (n > 0 && !(n == 1 && *path == '.')) {
                        *to++ = '/';
                        memcpy(to, path, n);
                        to += n;
                }
                path += n;
        }
        if (to == simple)
                *to++ = '/';
        *to = '\0';
        return simple;
}

/* Where a link leads that leads to nothing. NULL: it is none, or without memory: errno. */
static char *follow(const char *path) {
        _cleanup_(freep) char *joined = NULL;
        char target[PATH_MAX];
        ssize_t n;

        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return NULL;
        target[n] = '\0';
        if (str_format(&joined, "%.*s/%s", target[0] == '/' ? 0 : (int)(strrchr(path, '/') - path),
                       path, target) < 0)
                return NULL;
        return simplify(joined);
}

int unit_mount_point(char **ret, const char *target) {
        _cleanup_(freep) char *path = simplify(target), *rest = strdup("");

        for (unsigned i = 0; path && rest && i < LINKS_MAX; i++) {
                _cleanup_(freep) char *real = realpath(path, NULL), *next = NULL;
                char *slash = strrchr(path, '/');

                if (real || errno != ENOENT)
                        return str_format(ret, "%s%s", real ? real : path, rest);
                next = follow(path);
                if (next) {
                        free(path);
                        path = TAKE_PTR(next);
                        continue;
                }
                if (slash == path)
                        return str_format(ret, "%s%s", path, rest);
                if (str_format(&next, "%s%s", slash, rest) < 0)
                        return -ENOMEM;
                *slash = '\0';
                free(rest);
                rest = TAKE_PTR(next);
        }
        return path && rest ? -ELOOP : -ENOMEM;
}

/* As udev writes ids and labels in its links: printable characters, and UTF-8 as it is. */
static int encode_link(char **ret, const char *directory, const char *value) {
        char *path = malloc(strlen(directory) + strlen(value) * ESCAPED_MAX + 1), *to;

        if (!path)
                return -ENOMEM;
        to = stpcpy(path, directory);
        for (; *value; value++) {
                unsigned char c = (unsigned char)*value;

                if (c >= 0x80 || isalnum(c) || strchr("#+-.:=@_", c))
                        *to++ = *value;
                else
                        to = put_escaped(to, *value);
        }
        *to = '\0';
        *ret = path;
        return 0;
}

int unit_device_of_spec(char **ret, const char *spec) {
        static const struct {
                const char *tag, *directory;
        } tags[] = {
                { .tag = "UUID=", .directory = "/dev/disk/by-uuid/" },
                { .tag = "LABEL=", .directory = "/dev/disk/by-label/" },
                { .tag = "PARTUUID=", .directory = "/dev/disk/by-partuuid/" },
                { .tag = "PARTLABEL=", .directory = "/dev/disk/by-partlabel/" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
                _cleanup_(freep) char *value = NULL;
                size_t n = strlen(tags[i].tag);

                if (strncmp(spec, tags[i].tag, n) != 0)
                        continue;
                value = strdup(spec + n);
                if (!value)
                        return -ENOMEM;
                n = strlen(value);
                if (n >= 2 && strchr("\"'", value[0]) && value[n - 1] == value[0]) {
                        value[n - 1] = '\0';
                        return encode_link(ret, tags[i].directory, value + 1);
                }
                return encode_link(ret, tags[i].directory, value);
        }
        *ret = strdup(spec);
        return *ret ? 0 : -ENOMEM;
}
