/* Preloaded into the service, it does what nobody may do inside a write-freeze window: so that the
 * test that looks for it is seen to find it. At the first suspend of a device. */

#include "common/util.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define FILE_READ "/etc/machine-id"
#define FILE_WRITTEN "/run/window-touches"

static int read_fd = -1, write_fd = -1;
static const volatile char *page = MAP_FAILED;

__attribute__((constructor)) static void prepare(void) {
        read_fd = open(FILE_READ, O_RDONLY | O_CLOEXEC);
        write_fd = open(FILE_WRITTEN, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (read_fd >= 0)
                page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, read_fd, 0);
}

/* What goes wrong here the test sees: it finds less than it looks for. */
static void touch(void) {
        char byte;
        int fd;

        fd = open(FILE_READ, O_RDONLY | O_CLOEXEC);
        fd = safe_close(fd);
        if (pread(read_fd, &byte, 1, 0) < 1 || pwrite(write_fd, &byte, 1, 0) < 1)
                return;
        if (page == MAP_FAILED)
                return;
        (void)munlock((const void *)page, 1);
        (void)madvise((void *)(uintptr_t)page, 1, MADV_DONTNEED);
        byte = *page;
}

int ioctl(int fd, unsigned long request, ...) {
        static _Atomic bool touched;
        int (*next)(int, unsigned long, ...) =
                (int (*)(int, unsigned long, ...))(uintptr_t)dlsym(RTLD_NEXT, "ioctl");
        const struct dm_ioctl *io;
        void *argument;
        va_list ap;
        int r;

        va_start(ap, request);
        argument = va_arg(ap, void *);
        va_end(ap);
        r = next(fd, request, argument);
        io = argument;
        if (request == DM_DEV_SUSPEND && io->flags & DM_SUSPEND_FLAG &&
            !atomic_exchange(&touched, true))
                touch();
        return r;
}
