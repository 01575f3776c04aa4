/* See nbd-server.h. The socket is handed over as systemd does (sd_listen_fds(3)), the device as a
 * descriptor: neither a name that changes hands nor one with odd characters comes in between. */

#include "cli/nbd-server.h"
#include "cli/run-command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Where they are in the server: the first one as sd_listen_fds(3) has it. */
enum { LISTENER_FD = 3, DEVICE_FD = 4, FIRST_FREE_FD = 10 };
#define DEVICE_PATH "/dev/fd/4"

/* It waits for its clients to go, who may not; as nothing is written it can be killed. */
#define STOP_LOOK_USEC (50 * 1000)
#define STOP_LOOKS 40 /* 2 s */

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
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
            dup2(listener_fd, LISTENER_FD) < 0 || dup2(device_fd, DEVICE_FD) < 0)
                _exit(127);
        (void)signal(SIGPIPE, SIG_DFL); /* libdbus ignores it for the whole process */
        execvpe(argv[0], argv, env);
        _exit(127);
}

int nbd_server_start(pid_t *ret_pid, int device_fd, int listener_fd, const char *tls) {
        _cleanup_(closep) int device = -1, listener = -1;
        _cleanup_(strv_freep) char **argv = NULL, **env = NULL;
        _cleanup_(freep) char *certificates = NULL;
        pid_t pid, parent = getpid();
        char place[] = "LISTEN_PID=01234567890123456789", *listen_pid;
        int r;

        r = run_command_check(NBD_SERVER);
        if (r < 0)
                return r;
        r = strv_append(&argv, NBD_SERVER);
        if (r >= 0)
                r = strv_append(&argv, "--foreground");
        if (r >= 0)
                r = strv_append(&argv, "--readonly");
        if (r >= 0)
                r = strv_append(&argv, "--exit-with-parent");
        if (r >= 0 && tls)
                r = strv_append(&argv, "--tls=require");
        if (r >= 0 && tls)
                r = str_format(&certificates, "--tls-certificates=%s", tls);
        if (r >= 0 && tls)
                r = strv_append(&argv, certificates);
        if (r >= 0)
                r = strv_append(&argv, "file");
        if (r >= 0)
                r = strv_append(&argv, "file=" DEVICE_PATH);
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
        *ret_pid = pid;
        return 0;
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
