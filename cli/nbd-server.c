/* See nbd-server.h. The socket is handed over as systemd does (sd_listen_fds(3)), the device as a
 * descriptor. nbdkit resolves that to the device's name, /dev/dm-N, and opens it by this for each
 * client; it is the same device each time, as the descriptor stays open and keeps it, and with it
 * its number, from being another's. */

#include "cli/nbd-server.h"
#include "cli/run-command.h"
#include "common/time-util.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Where they are in the server: the first one as sd_listen_fds(3) has it. */
enum { LISTENER_FD = 3, DEVICE_FD = 4, FIRST_FREE_FD = 10 };
#define DEVICE_PATH "/dev/fd/4"

/* It waits for its clients to go, who may not; as nothing is written it can be killed. */
#define STOP_LOOK_USEC (50 * 1000)
#define STOP_LOOKS 40 /* 2 s */
static const int stops[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
#define START_USEC (60 * USEC_PER_SEC)

static int environment(char ***ret, char *listen_pid) {
        _cleanup_(strv_freep) char **e = NULL;
        int r = 0;

        STRV_FOREACH (variable, environ)
                if (r >= 0 && strncmp(*variable, "LISTEN_", 7) != 0)
                        r = strv_append(&e, *variable);
        if (r >= 0)
                r = strv_append(&e, "LISTEN_FDS=1");
        if (r >= 0)
                r = strv_append(&e, listen_pid); /* its place: the child knows the number */
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e);
        return 0;
}

_Noreturn static void run_child(char *const *argv, char *const *env, char *listen_pid, size_t size,
                                pid_t parent, int device_fd, int listener_fd) {
        (void)snprintf(listen_pid, size, "LISTEN_PID=%ld", (long)getpid());
        /* Until it has a leash; it sets the same itself. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
            dup2(listener_fd, LISTENER_FD) < 0 || dup2(device_fd, DEVICE_FD) < 0)
                _exit(127);
        (void)signal(SIGPIPE, SIG_DFL); /* libdbus ignores it for the whole process */
        execvpe(argv[0], argv, env);
        _exit(127);
}

/* In a process of its own, which ends with what it waits for. */
_Noreturn static void run_keeper(int rope, int server) {
        char byte;

        for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
                (void)signal(stops[i],
                             SIG_IGN); /* those of a terminal or a unit are for all in it */
        if (dup2(rope, 0) < 0 || dup2(server, 1) < 0 || close_range(2, ~0U, 0) < 0)
                _exit(1);
        while (read(0, &byte, 1) < 0 && errno == EINTR)
                continue;
        (void)syscall(SYS_pidfd_send_signal, 1, SIGKILL, NULL, 0); /* or it has ended */
        _exit(0);
}

/* Told by SIGTERM, which is all that the kernel can tell it of our end as it sets that signal
 * itself, nbdkit waits for its clients to go. So somebody else sees our end and kills it. */
static int put_on_leash(pid_t server, int *ret) {
        _cleanup_(closep) int process = -1, rope = -1, leash = -1, end = -1, found = -1;
        int pipes[2], status;
        pid_t pid;

        if (pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        end = pipes[0];
        leash = pipes[1];
        found = (int)syscall(SYS_pidfd_open, server, 0);
        rope = fcntl(end, F_DUPFD_CLOEXEC, FIRST_FREE_FD); /* out of the way, as above */
        process = fcntl(found, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        if (rope < 0 || process < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                pid = fork(); /* twice: it is no child of ours, who would have to wait for it */
                if (pid == 0)
                        run_keeper(rope, process);
                _exit(pid < 0);
        }
        if (pid < 0)
                return -errno;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return -EAGAIN;
        *ret = TAKE_FD(leash);
        return 0;
}

static int arguments(char ***ret, const char *tls) {
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *certificates = NULL;
        int r;

        r = str_format(&certificates, "--tls-certificates=%s", str_or_empty(tls));
        if (r >= 0) {
                const struct {
                        const char *word;
                        bool given;
                } words[] = {
                        { NBD_SERVER, true },
                        { "--foreground", true },
                        { "--readonly", true },
                        { "--tls=require", tls != NULL },
                        { certificates, tls != NULL },
                        { "--tls-verify-peer", tls != NULL },
                        { "file", true },
                        { "file=" DEVICE_PATH, true },
                };

                for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(words); i++)
                        if (words[i].given)
                                r = strv_append(&argv, words[i].word);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(argv);
        return 0;
}

int nbd_server_start(pid_t *ret_pid, int *ret_leash, int device_fd, int listener_fd,
                     const char *tls) {
        _cleanup_(closep) int device = -1, listener = -1;
        _cleanup_(strv_freep) char **argv = NULL, **env = NULL;
        pid_t pid, parent = getpid();
        char place[] = "LISTEN_PID=01234567890123456789", *listen_pid;
        int r;

        r = run_command_check(NBD_SERVER);
        if (r >= 0)
                r = arguments(&argv, tls);
        if (r >= 0)
                r = environment(&env, place);
        if (r < 0)
                return r;
        listen_pid = env[strv_length(env) - 1];
        /* Out of the way of the two numbers that they get. */
        device = fcntl(device_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        listener = fcntl(listener_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        if (device < 0 || listener < 0)
                return -errno;
        pid = fork();
        if (pid == 0)
                run_child(argv, env, listen_pid, sizeof(place), parent, device, listener);
        if (pid < 0)
                return -errno;
        r = put_on_leash(pid, ret_leash);
        if (r < 0) {
                nbd_server_stop(pid);
                return r;
        }
        *ret_pid = pid;
        return 0;
}

/* --- does it serve? --- */

/* The server's side of an agreement, and ours: that we want nothing (the NBD protocol, "Newstyle
 * negotiation"). Without the latter it would complain of us. */
#define GREETING "NBDMAGICIHAVEOPT"
#define GREETING_SIZE 18
static const char no_more[] = "\0\0\0\1"
                              "IHAVEOPT"
                              "\0\0\0\2"
                              "\0\0\0\0";
#define LAST_WORD_SIZE 20

static int connect_to(int listener_fd) {
        struct sockaddr_storage address = { 0 };
        _cleanup_(closep) int fd = -1;
        socklen_t size = sizeof(address);

        if (getsockname(listener_fd, (struct sockaddr *)&address, &size) < 0)
                return -errno;
        fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* 0 when they are there. -ENODATA: it has closed the connection. */
static int await_bytes(int fd, char *bytes, size_t size, uint64_t until_usec, pid_t pid,
                       int *ret_wait_status) {
        for (size_t n = 0; n < size;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t k;

                if (nbd_server_look(pid, ret_wait_status) == 0)
                        return -ECHILD;
                if (now_monotonic_usec() >= until_usec)
                        return -ETIMEDOUT;
                if (poll(&p, 1, STOP_LOOK_USEC / 1000) < 0)
                        return -errno;
                if (p.revents == 0)
                        continue;
                k = recv(fd, bytes + n, size - n, MSG_DONTWAIT);
                if (k < 0 && errno != EAGAIN)
                        return -errno;
                if (k == 0) { /* as its end closes it, before we can see that */
                        (void)usleep(STOP_LOOK_USEC);
                        return nbd_server_look(pid, ret_wait_status) == 0 ? -ECHILD : -ENODATA;
                }
                n += k > 0 ? (size_t)k : 0;
        }
        return 0;
}

int nbd_server_await(pid_t pid, int listener_fd, int *ret_wait_status) {
        const uint64_t until_usec = now_monotonic_usec() + START_USEC;
        _cleanup_(closep) int fd = connect_to(listener_fd);
        char bytes[LAST_WORD_SIZE];
        int r;

        if (fd < 0)
                return fd;
        r = await_bytes(fd, bytes, GREETING_SIZE, until_usec, pid, ret_wait_status);
        if (r >= 0 && memcmp(bytes, GREETING, strlen(GREETING)) != 0)
                r = -EPROTO;
        if (r < 0)
                return r;
        if (send(fd, no_more, sizeof(no_more) - 1, MSG_NOSIGNAL) >= 0)
                r = await_bytes(fd, bytes, LAST_WORD_SIZE, until_usec, pid, ret_wait_status);
        return r == -ENODATA ? 0 : r; /* it has said what it had to */
}

int nbd_server_look(pid_t pid, int *ret_wait_status) {
        pid_t p;

        do
                p = waitpid(pid, ret_wait_status, WNOHANG);
        while (p < 0 && errno == EINTR);
        return p == 0 ? 1 : 0;
}

void nbd_server_stop(pid_t pid) {
        int status;

        (void)kill(pid, SIGTERM); /* not reaped yet, so it is still ours */
        for (unsigned i = 0; i < STOP_LOOKS; i++) {
                if (nbd_server_look(pid, &status) == 0)
                        return;
                (void)usleep(STOP_LOOK_USEC); /* a signal makes it shorter */
        }
        (void)kill(pid, SIGKILL); /* as above */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
}
