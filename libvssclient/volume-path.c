/* Paths and volumes. */

#include "libvssclient/volume-path.h"
#include "common/path-variables.h"
#include <sys/stat.h>

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

        if (path_variables_expand(&expanded, path, NULL) < 0 || expanded[0] != '/' ||
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
