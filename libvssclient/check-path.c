/* Paths and file names from applications. */

#include "libvssclient/check-path.h"
#include "common/path-variables.h"
#include "common/xml-text.h"

static bool has_parent(const char *path) {
        for (const char *p = path; (p = strstr(p, "/..")); p++)
                if (p[3] == '/' || p[3] == '\0')
                        return true;
        return false;
}

int check_path(const char *path, const char *what, struct vss_error *reterr) {
        _cleanup_(freep) char *expanded = NULL;
        int r;

        r = xml_path_require(path, what, reterr);
        if (r >= 0)
                r = path_variables_expand(&expanded, path, reterr);
        if (r < 0)
                return r;
        if (expanded[0] != '/')
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s, '%s', is not absolute: a path begins with '/'", what,
                                     path);
        if (strpbrk(expanded, "*?"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s, '%s', has a wildcard: only the file specification may",
                                     what, path);
        if (has_parent(expanded))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s, '%s', has '..' in it: name the directory itself", what,
                                     path);
        return 0;
}

int check_filespec(const char *filespec, const char *what, struct vss_error *reterr) {
        int r;

        r = xml_path_require(filespec, what, reterr);
        if (r < 0)
                return r;
        if (strchr(filespec, '/'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s, '%s', has a '/': directories belong into the path", what,
                                     filespec);
        return 0;
}

int check_file_name(const char *name, const char *what, struct vss_error *reterr) {
        int r;

        r = check_filespec(name, what, reterr);
        if (r < 0)
                return r;
        if (strpbrk(name, "*?"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s, '%s', has a wildcard: it is the name of one file", what,
                                     name);
        return 0;
}
