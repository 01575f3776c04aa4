/* One form for directories. */

#include "libvssclient/files/file-path.h"

#include "common/path-variables.h"
#include "libvssclient/files/wildcard.h"

int file_path_normalise(char **ret, const char *path, struct vss_error *reterr) {
        _cleanup_(freep) char *normal = NULL;
        char *end;

        if (path[0] != '/')
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' is no absolute path, so it is not known where its "
                                     "files are",
                                     path);
        if (wildcard_is_pattern(path))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' has a wildcard; only the file spec may have one", path);
        normal = malloc(strlen(path) + 1);
        if (!normal)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        end = normal;

        for (const char *p = path; *p != '\0';) {
                size_t n;

                while (*p == '/')
                        p++;
                n = strcspn(p, "/");
                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "'%s' has '..' in it; name the directory itself",
                                             path);
                if (n > 0 && !(n == 1 && p[0] == '.')) {
                        *end++ = '/';
                        memcpy(end, p, n);
                        end += n;
                }
                p += n;
        }
        *end = '\0';
        *ret = TAKE_PTR(normal);
        return 0;
}

int file_path_expand(char **ret, const char *path, struct vss_error *reterr) {
        _cleanup_(freep) char *expanded = NULL;
        int r;

        r = path_variables_expand(&expanded, path, reterr);
        return r < 0 ? r : file_path_normalise(ret, expanded, reterr);
}

bool file_path_is_below(const char *path, const char *directory, const char **ret_rest) {
        size_t n = strlen(directory);

        if (strncmp(path, directory, n) != 0 || (path[n] != '\0' && path[n] != '/'))
                return false;
        if (ret_rest)
                *ret_rest = path + n;
        return true;
}

int file_path_join(char **ret, const char *directory, const char *name) {
        return str_format(ret, "%s/%s", directory, name);
}

/* Where path stands: before, in, or behind what is asked for. */
static int place(const char *path, const char *directory, size_t n, bool below) {
        int order = strncmp(path, directory, n);

        if (order != 0)
                return order;
        return (int)(unsigned char)path[n] - (below ? '/' : 0);
}

/* The first item that is in, or behind; or that is behind. */
static size_t bound(const void *items, size_t n, size_t size, const char *directory, bool below,
                    bool behind) {
        size_t low = 0, high = n, length = strlen(directory);

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const char *path;
                int order;

                memcpy(&path, (const char *)items + middle * size, sizeof(path));
                order = place(path, directory, length, below);
                if (order < 0 || (behind && order == 0))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void file_path_range(const void *items, size_t n, size_t size, const char *directory, bool below,
                     size_t *ret_begin, size_t *ret_end) {
        *ret_begin = bound(items, n, size, directory, below, false);
        *ret_end = bound(items, n, size, directory, below, true);
}
