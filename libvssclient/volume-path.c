/* Paths and volumes. */

#include "libvssclient/volume-path.h"
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

int volume_path_expand(char **ret, const char *path) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return -ENOMEM;
        while (*path) {
                const char *end = path[0] == '$' && path[1] == '{' ? strchr(path, '}') : NULL;

                if (end) {
                        _cleanup_(freep) char *name = strndup(path + 2, (size_t)(end - path) - 2);

                        if (!name) {
                                (void)fclose(out); /* what it holds is thrown away */
                                free(text);
                                return -ENOMEM;
                        }
                        (void)fputs(str_or_empty(secure_getenv(name)), out); /* fclose() tells */
                        path = end + 1;
                } else
                        (void)fputc(*path++, out);
        }
        if (fclose(out) != 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}

/* The file system of the path, or of its nearest parent that exists. */
static int path_device(char *path, dev_t *ret) {
        struct stat st;

        while (stat(path, &st) < 0) {
                char *slash = strrchr(path, '/');

                if ((errno != ENOENT && errno != ENOTDIR) || !slash)
                        return -errno;
                if (slash == path)
                        slash[1] = '\0'; /* the root exists */
                else
                        *slash = '\0';
        }
        *ret = st.st_dev;
        return 0;
}

bool volume_path_is_on(const char *path, char *const *volumes) {
        _cleanup_(freep) char *expanded = NULL;
        dev_t device = 0;

        if (volume_path_expand(&expanded, path) < 0 || expanded[0] != '/' ||
            path_device(expanded, &device) < 0)
                return false;
        STRV_FOREACH (volume, volumes) {
                struct stat st;

                if (stat(*volume, &st) < 0)
                        continue;
                if (S_ISBLK(st.st_mode) ? st.st_rdev == device : st.st_dev == device)
                        return true;
        }
        return false;
}
