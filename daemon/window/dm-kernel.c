/* The real kernel. All it keeps is how many have asked for locked memory. */

#include "daemon/window/dm-kernel.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CONTROL_NODE "/dev/" DM_DIR "/" DM_CONTROL_NODE

static int kernel_open_control(void) {
        int fd = open(CONTROL_NODE, O_RDWR | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? -errno : fd;
}

static int kernel_ioctl(int control_fd, unsigned long command, struct dm_ioctl *arg) {
        return ioctl(control_fd, command, arg) < 0 ? -errno : 0;
}

/* How many windows need it: a set's, and those of deletions. */
static pthread_mutex_t lockers_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned n_lockers;

static int lock_all(void) {
        /* What is mapped later is locked when it is first touched: otherwise each thread that
         * another part of the daemon starts meanwhile would have its 8 MiB of stack filled. */
        if (mlockall(MCL_CURRENT) < 0 || mlockall(MCL_FUTURE | MCL_ONFAULT) < 0)
                return -errno;
        return 0;
}

static int kernel_lock_memory(void) {
        int r;

        (void)pthread_mutex_lock(&lockers_mutex);
        r = lock_all(); /* also what has come, or was copied by a fork, since the last one */
        if (r >= 0)
                n_lockers++;
        (void)pthread_mutex_unlock(&lockers_mutex);
        return r;
}

static void kernel_unlock_memory(void) {
        (void)pthread_mutex_lock(&lockers_mutex);
        /* It has no failure that applies to the caller's own memory. */
        if (--n_lockers == 0)
                (void)munlockall();
        (void)pthread_mutex_unlock(&lockers_mutex);
}

const struct dm_kernel dm_kernel = {
        .open_control = kernel_open_control,
        .ioctl = kernel_ioctl,
        .lock_memory = kernel_lock_memory,
        .unlock_memory = kernel_unlock_memory,
};
