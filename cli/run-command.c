/* A child, its signals, its end. It is the only child vssctl ever has. */

#include "cli/run-command.h"

#include "common/util.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Handed on to the command. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

static bool is_program(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int run_command_check(const char *program) {
        const char *path = getenv("PATH");

        if (strchr(program, '/'))
                return is_program(program) ? 0 : access(program, F_OK) < 0 ? -ENOENT : -EACCES;

        /* execvp's own default, without the current directory. */
        for (const char *dir = path ? path : "/bin:/usr/bin"; dir;) {
                _cleanup_(freep) char *candidate = NULL;
                size_t n = strcspn(dir, ":");

                if (str_format(&candidate, "%.*s%s%s", (int)n, dir, n > 0 ? "/" : "", program) < 0)
                        return -ENOMEM;
                if (is_program(candidate))
                        return 0;
                dir = dir[n] == ':' ? dir + n + 1 : NULL;
        }
        return -ENOENT;
}

/* Ctrl-C reaches every process of the terminal's foreground group by itself: a second one from us
 * would look like impatience. What a process sent, it sent to us alone. */
static bool was_sent_by_process(const siginfo_t *info) {
        return info->si_code <= 0;
}

static bool is_stop(int sig) {
        return sig == SIGINT || sig == SIGTERM || sig == SIGHUP;
}

/* Waits for the child's end while handing on signals. The signals of `set` are blocked. */
static int supervise(pid_t pid, const sigset_t *set, int *ret_wait_status, int *ret_signal) {
        *ret_signal = 0;

        for (;;) {
                siginfo_t info;
                int sig;
                pid_t p;

                p = waitpid(pid, ret_wait_status, WNOHANG);
                if (p == pid)
                        return 0;
                if (p < 0 && errno != EINTR)
                        return -errno;

                sig = sigwaitinfo(set, &info);
                if (sig < 0 || sig == SIGCHLD)
                        continue;
                if (is_stop(sig))
                        *ret_signal = sig;
                if (was_sent_by_process(&info))
                        (void)kill(pid, sig); /* not reaped yet, so it is still ours */
        }
}

_Noreturn static void run_child(char *const *argv, char *const *environment, pid_t parent,
                                const sigset_t *mask, int error_fd) {
        int error;

        /* Without us the copies go, and the command would read what is vanishing. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(127);

        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++) {
                struct sigaction now;

                /* Ours back to the default; what was ignored from the start (nohup) stays so. */
                if (sigaction(forwarded[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
                        (void)signal(forwarded[i], SIG_DFL);
        }
        /* libdbus ignores it for the whole process; a program in a pipeline must not. */
        (void)signal(SIGPIPE, SIG_DFL);
        (void)sigprocmask(SIG_SETMASK, mask, NULL);

        execvpe(argv[0], argv, environment);
        error = errno;
        while (write(error_fd, &error, sizeof(error)) < 0 && errno == EINTR)
                continue;
        _exit(127);
}

int run_command(char *const *argv, char *const *environment, int *ret_wait_status,
                int *ret_signal) {
        _cleanup_(closep) int read_fd = -1;
        sigset_t set, before;
        pid_t pid, parent = getpid();
        int fds[2], error = 0, r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                sigaddset(&set, forwarded[i]);
        (void)sigprocmask(SIG_BLOCK, &set, &before); /* cannot fail with these arguments */

        pid = fork();
        if (pid == 0)
                run_child(argv, environment, parent, &before, fds[1]);
        r = pid < 0 ? -errno : 0;
        (void)safe_close(fds[1]);

        if (r >= 0)
                r = supervise(pid, &set, ret_wait_status, ret_signal);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        if (r < 0)
                return r;

        /* The pipe is at its end, unless the program could not be executed. */
        if (read(read_fd, &error, sizeof(error)) == sizeof(error))
                return -error;
        return 0;
}
