/* See vg-lock.h. Stateless: the lock lives in the descriptor. */

#include "daemon/providers/vg-lock.h"
#include "common/time-util.h"
#include "daemon/providers/lvm-name.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define LOCK_TIMEOUT_USEC (120 * USEC_PER_SEC)
#define LOCK_POLL_NSEC (20L * 1000 * 1000)

const char *vg_lock_directory = "/run/lock/lvm";

/* LVM unlinks the file when it lets go: what was locked may not be what is there now. */
static bool is_current(int fd, const char *path) {
        struct stat ours, theirs;

        return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
               ours.st_ino == theirs.st_ino;
}

static int try_lock(const char *path, int *ret_fd) {
        _cleanup_(closep) int fd = -1;

        fd = open(path, O_CREAT | O_APPEND | O_RDWR | O_CLOEXEC, 0700);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        if (!is_current(fd, path))
                return -EWOULDBLOCK;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int vg_lock(const char *vg, int *ret_fd, struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = LOCK_POLL_NSEC };
        uint64_t end_usec = now_monotonic_usec() + LOCK_TIMEOUT_USEC;
        _cleanup_(freep) char *path = NULL;
        int r;

        assert(lvm_name_is_valid(vg));

        if (str_format(&path, "%s/V_%s", vg_lock_directory, vg) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, vg);
        if (mkdir(vg_lock_directory, 0700) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, vg_lock_directory);
        for (;;) {
                r = try_lock(path, ret_fd);
                if (r != -EWOULDBLOCK)
                        break;
                if (now_monotonic_usec() >= end_usec)
                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                             "volume group %s is locked by another LVM command for "
                                             "%d s now; try again when it has ended",
                                             vg, (int)(LOCK_TIMEOUT_USEC / USEC_PER_SEC));
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        return r < 0 ? vss_error_from_errno(reterr, r, path) : 0;
}

int vg_unlock(int fd) {
        return safe_close(fd);
}
