/* See whole-file.h. Stateless. */

#include "daemon/adoption/whole-file.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static int say(struct vss_error *reterr, const char *verb, const char *path, int error) {
        return vss_error_set(reterr, error == EACCES ? E_ACCESSDENIED : VSS_E_UNEXPECTED, error,
                             "cannot %s %s: %s", verb, path, strerror(error));
}

int whole_file_read(const char *path, size_t max, char **ret, size_t *ret_size,
                    struct vss_error *reterr) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *text = NULL;
        struct stat st;
        size_t size;

        f = fopen(path, "re");
        if (!f && errno != ENOENT)
                return say(reterr, "read", path, errno);
        text = calloc(1, max + 1);
        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        if (f && fstat(fileno(f), &st) == 0 && !S_ISREG(st.st_mode))
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EINVAL, "%s is no regular file",
                                     path);
        size = f ? fread(text, 1, max, f) : 0;
        if (f && ferror(f))
                return say(reterr, "read", path, EIO);
        if (f && !feof(f) && fgetc(f) != EOF)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EFBIG, "%s has more than %zu bytes",
                                     path, max);
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

/* The directory of path, opened; it is made if it is not there. */
static int open_parent(const char *path, int *ret) {
        _cleanup_(freep) char *parent = strdup(path);
        char *slash;
        int fd;

        if (!parent)
                return -ENOMEM;
        slash = strrchr(parent, '/');
        assert(slash);
        *slash = '\0';
        if (mkdir(*parent ? parent : "/", 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(*parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

/* Everything but the rename. */
static int fill(int fd, const char *like, const char *text, size_t size) {
        _cleanup_(fclosep) FILE *f = NULL;
        struct stat st;

        f = fdopen(fd, "w");
        if (!f) {
                safe_close(fd);
                return -ENOMEM;
        }
        if (stat(like, &st) == 0) {
                if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
                        return -errno;
        } else if (fchmod(fd, 0644) < 0)
                return -errno;
        if (fwrite(text, 1, size, f) != size || fflush(f) != 0 || fsync(fd) < 0)
                return errno > 0 ? -errno : -EIO;
        return 0;
}

int whole_file_write(const char *path, const char *text, size_t size, struct vss_error *reterr) {
        _cleanup_(freep) char *target = NULL, *fresh = NULL;
        _cleanup_(closep) int parent = -1;
        int fd, r;

        target = realpath(path, NULL);
        if (!target && errno == ENOENT)
                target = strdup(path);
        if (!target)
                return say(reterr, "write", path, errno);
        r = open_parent(target, &parent);
        if (r >= 0)
                r = str_format(&fresh, "%s.vss-XXXXXX", target);
        if (r < 0)
                return say(reterr, "write", path, -r);
        fd = mkostemp(fresh, O_CLOEXEC);
        if (fd < 0)
                return say(reterr, "write", path, errno);
        r = fill(fd, target, text, size);
        if (r >= 0 && rename(fresh, target) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlink(fresh); /* r says what went wrong */
                return say(reterr, "write", path, -r);
        }
        if (fsync(parent) < 0)
                return say(reterr, "write", path, errno);
        return 0;
}

int whole_file_remove(const char *path, struct vss_error *reterr) {
        return unlink(path) < 0 && errno != ENOENT ? say(reterr, "remove", path, errno) : 0;
}
