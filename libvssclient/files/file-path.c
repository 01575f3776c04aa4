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
