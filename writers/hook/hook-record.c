/* Empty files named after ini files: there or not there is all they say. */

#include "writers/hook/hook-record.h"

#include "writers/hook/hook-file.h"

#include <fcntl.h>
#include <sys/stat.h>

/* One per process, like the process' standing with the applications. */
static int directory_fd = -1;

int hook_record_open(const char *directory) {
        int fd;

        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory_fd = safe_close(directory_fd);
        directory_fd = fd;
        return 0;
}

int hook_record_set(const char *file) {
        int fd;

        fd = openat(directory_fd, file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        (void)safe_close(fd);
        return 0;
}

int hook_record_clear(const char *file) {
        if (unlinkat(directory_fd, file, 0) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

int hook_record_list(char ***ret) {
        return hook_directory_list(ret, directory_fd);
}
