/* See vg-lock.h. The lock lives in the descriptor. Those of sets are kept in a table, so that a
 * second provider of a set can have a duplicate: the kernel lets go with the last one closed. */

#include "daemon/providers/vg-lock.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/lvm-name.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define LOCK_TIMEOUT_USEC (120 * USEC_PER_SEC)
#define LOCK_POLL_NSEC (20L * 1000 * 1000)

const char *vg_lock_directory = "/run/lock/lvm";

struct shared_lock {
        struct shared_lock *next;
        VSS_ID owner;
        int fd;
        char vg[];
};

static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shared_lock *shared_locks;

/* Puts a descriptor into the table. */
static int share(const char *vg, VSS_ID owner, int fd) {
        struct shared_lock *s = calloc(1, sizeof(*s) + strlen(vg) + 1);

        if (!s)
                return -ENOMEM;
        strcpy(s->vg, vg);
        s->owner = owner;
        s->fd = fd;
        (void)pthread_mutex_lock(&shared_mutex); /* a plain mutex of ours */
        s->next = shared_locks;
        shared_locks = s;
        (void)pthread_mutex_unlock(&shared_mutex);
        return 0;
}

/* A duplicate of what another provider of the set holds. 0: none does. */
static int join(const char *vg, VSS_ID owner, int *ret_fd) {
        int r = 0;

        (void)pthread_mutex_lock(&shared_mutex);
        for (struct shared_lock *s = shared_locks; s; s = s->next)
                if (streq(s->vg, vg) && vss_id_equal(s->owner, owner)) {
                        *ret_fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
                        r = *ret_fd < 0 ? -errno : 1;
                        break;
                }
        (void)pthread_mutex_unlock(&shared_mutex);
        return r;
}

static void leave(int fd) {
        (void)pthread_mutex_lock(&shared_mutex);
        for (struct shared_lock **s = &shared_locks; *s; s = &(*s)->next)
                if ((*s)->fd == fd) {
                        struct shared_lock *gone = *s;

                        *s = gone->next;
                        free(gone);
                        break;
                }
        (void)pthread_mutex_unlock(&shared_mutex);
}

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

static int wait_for_lock(const char *vg, int *ret_fd, struct vss_error *reterr) {
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

int vg_lock(const char *vg, VSS_ID owner, int *ret_fd, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int r;

        if (vss_id_is_null(owner))
                return wait_for_lock(vg, ret_fd, reterr);
        r = join(vg, owner, &fd);
        if (r < 0)
                return vss_error_from_errno(reterr, r, vg);
        if (r == 0) {
                r = wait_for_lock(vg, &fd, reterr);
                if (r < 0)
                        return r;
        }
        r = share(vg, owner, fd);
        if (r < 0)
                return vss_error_from_errno(reterr, r, vg);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int vg_unlock(int fd) {
        if (fd >= 0)
                leave(fd);
        return safe_close(fd);
}

static int compare_names(const void *a, const void *b) {
        const char *const *left = a, *const *right = b;

        return strcmp(*left, *right);
}

int vg_locks_take(struct vg_locks *l, const char **names, size_t n, VSS_ID owner,
                  struct vss_error *reterr) {
        assert(!l->fds);

        l->fds = calloc(n > 0 ? n : 1, sizeof(*l->fds));
        if (!l->fds)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot lock the volume groups");
        if (n > 0)
                qsort(names, n, sizeof(*names), compare_names);
        for (size_t i = 0; i < n; i++) {
                int r;

                if (i > 0 && streq(names[i], names[i - 1]))
                        continue;
                r = vg_lock(names[i], owner, &l->fds[l->n], reterr);
                if (r < 0) {
                        vg_locks_drop(l);
                        return r;
                }
                l->n++;
        }
        return 0;
}

void vg_locks_drop(struct vg_locks *l) {
        for (size_t i = 0; i < l->n; i++)
                l->fds[i] = vg_unlock(l->fds[i]);
        free(l->fds);
        *l = (struct vg_locks){ 0 };
}
