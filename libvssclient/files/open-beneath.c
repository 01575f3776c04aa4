/* Step by step: openat2(RESOLVE_NO_SYMLINKS) would be one call, but old kernels and the filters of
 * containers do not have it. */

#include "libvssclient/files/open-beneath.h"

#include "common/util.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static int open_at(int directory, const char *name, int flags) {
        struct stat st;
        int fd, error;

        fd = openat(directory, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
                return fd;
        error = errno;
        /* With O_DIRECTORY a link is ENOTDIR. */
        if (error == ENOTDIR && fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(st.st_mode))
                return -ELOOP;
        return -error;
}

int open_directory_at(int directory, const char *name) {
        return open_at(directory, name, O_RDONLY);
}

int open_beneath(const char *root, const char *inside) {
        _cleanup_(closep) int fd = -1;
        char name[NAME_MAX + 1];

        fd = open(*root == '\0' ? "/" : root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (*inside != '\0') {
                size_t n;
                int next;

                inside++;
                n = strcspn(inside, "/");
                if (n > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, inside, n);
                name[n] = '\0';
                next = open_at(fd, name, O_PATH);
                if (next < 0)
                        return next;
                (void)safe_close(fd);
                fd = next;
                inside += n;
        }
        return open_at(fd, ".", O_RDONLY);
}
