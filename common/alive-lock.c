/* See alive-lock.h. Stateless: the lock lives in the descriptors. */

#include "common/alive-lock.h"
#include "common/time-util.h"
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* How often a lock that is held is looked at. */
#define POLL_NSEC (20L * 1000 * 1000)

int alive_lock_hold(const char *path, int *ret_fd) {
        _cleanup_(closep) int fd = -1;

        fd = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || flock(fd, LOCK_SH) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int alive_lock_await(const char *path, uint64_t timeout_usec) {
        const struct timespec pause = { .tv_nsec = POLL_NSEC };
        uint64_t end_usec = now_monotonic_usec() + timeout_usec;
        _cleanup_(closep) int fd = -1;

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                if (now_monotonic_usec() >= end_usec)
                        return -ETIMEDOUT;
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        return 0;
}
