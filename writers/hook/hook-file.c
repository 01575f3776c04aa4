/* Opening what root alone may have written, without following anything there. */

#include "writers/hook/hook-file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static int check_owner(const struct stat *st, const char *what, struct ini_error *reterr) {
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return ini_error_set(reterr, 0, "%s belongs to user %u, not to root: chown it",
                                     what, (unsigned)st->st_uid);
        if (st->st_mode & 0022)
                return ini_error_set(reterr, 0,
                                     "others than its owner can write to %s (mode %04o): "
                                     "chmod go-w",
                                     what, (unsigned)st->st_mode & 07777);
        return 0;
}

int hook_directory_open(int *ret_fd, const char *path, struct ini_error *reterr) {
        _cleanup_(closep) int fd = -1;
        struct stat st;
        int r;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return ini_error_set(reterr, 0, "cannot open the directory: %s", strerror(errno));
        r = check_owner(&st, "the directory", reterr);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static bool is_config_name(const char *name) {
        size_t length = strlen(name), suffix = strlen(HOOK_CONFIG_SUFFIX);

        return name[0] != '.' && length > suffix &&
               streq(name + length - suffix, HOOK_CONFIG_SUFFIX);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int hook_directory_list(char ***ret, int directory_fd) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd;

        /* A description of its own, hence a position of its own: the list can be asked again. */
        fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir) {
                (void)safe_close(fd);
                return -errno;
        }

        for (;;) {
                const struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(dir);
                if (!entry && errno != 0)
                        return -errno;
                if (!entry)
                        break;
                if (!is_config_name(entry->d_name))
                        continue;
                r = strv_append(&names, entry->d_name);
                if (r < 0)
                        return r;
        }

        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare_names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int read_all(int fd, char *buf, size_t size, size_t *ret_length) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, buf + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        *ret_length = length;
        return 0;
}

int hook_file_load(struct hook_config **ret, int directory_fd, const char *name,
                   struct ini_error *reterr) {
        const char *slash = strrchr(name, '/');
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -1;
        struct stat st;
        size_t length = 0;
        int r;

        /* O_NONBLOCK: a FIFO by that name must not hold us up. */
        fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 && errno == ELOOP)
                return ini_error_set(reterr, 0, "links are not followed: put the file itself here");
        if (fd < 0 || fstat(fd, &st) < 0)
                return ini_error_set(reterr, 0, "cannot open the file: %s", strerror(errno));
        if (!S_ISREG(st.st_mode))
                return ini_error_set(reterr, 0, "it is no regular file");
        r = check_owner(&st, "the file", reterr);
        if (r < 0)
                return r;

        /* One byte more than allowed, for the reader to see that there is more. */
        text = malloc(INI_SIZE_MAX + 1);
        if (!text)
                return -ENOMEM;
        r = read_all(fd, text, INI_SIZE_MAX + 1, &length);
        if (r < 0)
                return ini_error_set(reterr, 0, "cannot read the file: %s", strerror(-r));
        return hook_config_new(ret, slash ? slash + 1 : name, text, length, reterr);
}
