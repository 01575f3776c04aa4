/* See lvm-process.h. No shell is involved, the environment is fixed, and the daemon's signals and
 * descriptors stay with the daemon. */

#include "daemon/providers/lvm-process.h"
#include "common/alive-lock.h"
#include "common/time-util.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/vg-lock.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The child's descriptor for reports; it knows it by LVM_REPORT_FD. */
#define REPORT_FD 3

/* The files that they hold: each run of the daemon has one of its own, to know its own lvm from
 * those of earlier runs. */
#define ALIVE "alive"

static char own_alive[64];
static pthread_once_t own_alive_once = PTHREAD_ONCE_INIT;

const char *lvm_program;
const char *lvm_lock_directory = "/run/lock/lvm/vss";

static const char *const programs[] = { "/usr/sbin/lvm", "/sbin/lvm" };

static char *const environment[] = {
        (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LC_ALL=C",
        (char *)"HOME=/nonexistent", /* lvm's shell would keep a history there */
        (char *)"LVM_SUPPRESS_FD_WARNINGS=1",
        (char *)"LVM_REPORT_FD=3",
        (char *)"LVM_ERR_FD=1",
        NULL,
};

void lvm_process_stop(struct lvm_process *p) {
        p->in_fd = safe_close(p->in_fd);
        p->out_fd = safe_close(p->out_fd);
        p->report_fd = safe_close(p->report_fd);
        if (p->pid > 0)
                while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        p->pid = -1;
}

static const char *find_program(void) {
        if (lvm_program)
                return lvm_program;
        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (access(programs[i], X_OK) == 0)
                        return programs[i];
        return programs[0];
}

struct pipe_ends {
        int read_fd, write_fd;
};

static void pipe_done(struct pipe_ends *p) {
        p->read_fd = safe_close(p->read_fd);
        p->write_fd = safe_close(p->write_fd);
}

static int pipe_make(struct pipe_ends *p) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        p->read_fd = fds[0];
        p->write_fd = fds[1];
        return 0;
}

/* The pipes' ends at their numbers in the child, whose other descriptors are closed by exec. An
 * end that has its number already would keep its close-on-exec: posix_spawn knows that. */
static int child_files(posix_spawn_file_actions_t *files, int in_fd, int out_fd, int alive_fd,
                       int report_fd) {
        int r;

        /* The numbers 0 to 3 may be ends themselves: then the order would matter. */
        assert(in_fd > REPORT_FD && out_fd > REPORT_FD && alive_fd > REPORT_FD &&
               report_fd > REPORT_FD);

        r = -posix_spawn_file_actions_adddup2(files, in_fd, STDIN_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(files, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(files, alive_fd, STDERR_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(files, report_fd, REPORT_FD);
        return r;
}

/* The daemon blocks signals and ignores some; lvm shall not. */
static int child_attributes(posix_spawnattr_t *attributes) {
        sigset_t none, all;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        r = -posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = -posix_spawnattr_setsigdefault(attributes, &all);
        if (r == 0)
                r = -posix_spawnattr_setflags(attributes,
                                              POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        return r;
}

static int spawn(pid_t *ret, const char *program, int in_fd, int out_fd, int alive_fd,
                 int report_fd) {
        char *argv[] = { (char *)"lvm", NULL };
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        int r;

        r = -posix_spawn_file_actions_init(&files);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r < 0) {
                (void)posix_spawn_file_actions_destroy(&files);
                return r;
        }
        r = child_files(&files, in_fd, out_fd, alive_fd, report_fd);
        if (r == 0)
                r = child_attributes(&attributes);
        if (r == 0)
                r = -posix_spawn(ret, program, &files, &attributes, argv, environment);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&files);
        return r;
}

/* A descriptor above those that the child gives a meaning to. */
static int lift(int *fd) {
        int lifted;

        if (*fd > REPORT_FD)
                return 0;
        lifted = fcntl(*fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
        if (lifted < 0)
                return -errno;
        safe_close(*fd);
        *fd = lifted;
        return 0;
}

static int set_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

static void name_own_alive(void) {
        (void)snprintf(own_alive, sizeof(own_alive), ALIVE "-%d-%llu", (int)getpid(),
                       (unsigned long long)now_monotonic_usec());
}

/* Held by the child, and by nobody else once it runs. lvm closes what it does not know, so the lock
 * takes the place of its standard error, which is told to go where its output goes. */
static int lock_alive(int *ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        /* Both for root alone: what is below /run/lock itself anybody could have made. */
        if ((mkdir(vg_lock_directory, 0700) < 0 && errno != EEXIST) ||
            (mkdir(lvm_lock_directory, 0700) < 0 && errno != EEXIST))
                return -errno;
        (void)pthread_once(&own_alive_once, name_own_alive);
        r = str_format(&path, "%s/%s", lvm_lock_directory, own_alive);
        return r < 0 ? r : alive_lock_hold(path, ret);
}

/* What nobody holds is never held again: it goes. */
static int await_orphan(const char *path, uint64_t end_usec, struct vss_error *reterr) {
        uint64_t now_usec = now_monotonic_usec();
        int r;

        r = alive_lock_await(path, now_usec < end_usec ? end_usec - now_usec : 0);
        if (r == -ETIMEDOUT)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                     "an lvm that an earlier run of this service has started is "
                                     "still at work ('fuser %s' says which); it goes on when that "
                                     "has ended",
                                     path);
        if (r < 0)
                return vss_error_from_errno(reterr, r, path);
        (void)unlink(path); /* one that stays is looked at again */
        return 0;
}

int lvm_await_orphans(uint64_t timeout_usec, struct vss_error *reterr) {
        uint64_t end_usec = now_monotonic_usec() + timeout_usec;
        _cleanup_(closedirp) DIR *d = opendir(lvm_lock_directory);
        const struct dirent *e;
        int r = 0;

        if (!d)
                return errno == ENOENT ? 0
                                       : vss_error_from_errno(reterr, -errno, lvm_lock_directory);
        (void)pthread_once(&own_alive_once, name_own_alive);
        while (r >= 0 && (e = readdir(d))) {
                _cleanup_(freep) char *path = NULL;

                if (strncmp(e->d_name, ALIVE, strlen(ALIVE)) != 0 || streq(e->d_name, own_alive))
                        continue;
                if (str_format(&path, "%s/%s", lvm_lock_directory, e->d_name) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, lvm_lock_directory);
                r = await_orphan(path, end_usec, reterr);
        }
        return r;
}

int lvm_process_start(struct lvm_process *ret, const char **ret_program) {
        _cleanup_(pipe_done) struct pipe_ends in = { -1, -1 }, out = { -1, -1 },
                                              report = { -1, -1 };
        _cleanup_(closep) int alive_fd = -1;
        pid_t pid;
        int r;

        *ret_program = find_program();
        r = pipe_make(&in);
        if (r >= 0)
                r = pipe_make(&out);
        if (r >= 0)
                r = pipe_make(&report);
        if (r >= 0)
                r = lock_alive(&alive_fd);
        if (r >= 0)
                r = lift(&alive_fd);
        if (r >= 0)
                r = lift(&in.read_fd);
        if (r >= 0)
                r = lift(&out.write_fd);
        if (r >= 0)
                r = lift(&report.write_fd);
        if (r >= 0)
                r = set_nonblocking(in.write_fd);
        if (r >= 0)
                r = spawn(&pid, *ret_program, in.read_fd, out.write_fd, alive_fd, report.write_fd);
        if (r < 0)
                return r;
        *ret = (struct lvm_process){
                .pid = pid,
                .in_fd = TAKE_FD(in.write_fd),
                .out_fd = TAKE_FD(out.read_fd),
                .report_fd = TAKE_FD(report.read_fd),
        };
        return 0;
}
