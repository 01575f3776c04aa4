/* A command as a child process: made ready before the fork, watched by a pidfd. */

#include "writers/hook/hook-command.h"

#include "common/time-util.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KILL_DELAY_USEC (2 * USEC_PER_SEC)

/* The last HOOK_OUTPUT_MAX bytes of what comes out of a pipe. */
struct tail {
        int fd;
        size_t length;
        char text[HOOK_OUTPUT_MAX + 1];
};

/* All that lives only while a command runs; freed in one place. */
struct run {
        const struct hook_command *command;
        char *path;
        char **environment;
        int stdin_fd, errors_write, output_write;
        int pidfd;
        pid_t pid;
        struct tail *errors, *output;
};

static struct tail *tail_free(struct tail *t) {
        if (t)
                safe_close(t->fd);
        free(t);
        return NULL;
}

static void run_done(struct run *r) {
        free(r->path);
        strv_free(r->environment);
        safe_close(r->stdin_fd);
        safe_close(r->errors_write);
        safe_close(r->output_write);
        safe_close(r->pidfd);
        tail_free(r->errors);
        tail_free(r->output);
}

/* How often a pipe is read before others get their turn: a command that prints without pause must
 * not keep its deadline from being looked at. */
#define READS_A_TURN 16

/* Reads what is there, or some of it. Closes the pipe at its end. */
static void tail_read(struct tail *t) {
        for (unsigned i = 0; i < READS_A_TURN; i++) {
                char buf[4096];
                ssize_t n = read(t->fd, buf, sizeof(buf));
                size_t length, drop;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        t->fd = safe_close(t->fd);
                        return;
                }

                length = (size_t)n;
                drop = t->length + length > HOOK_OUTPUT_MAX ? t->length + length - HOOK_OUTPUT_MAX
                                                            : 0;
                memmove(t->text, t->text + drop, t->length - drop);
                memcpy(t->text + t->length - drop, buf, length);
                t->length += length - drop;
                t->text[t->length] = '\0';
        }
}

static int tail_new(struct tail **ret, int *ret_write) {
        struct tail *t;
        int fds[2];

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        if (pipe2(fds, O_CLOEXEC) < 0) {
                free(t);
                return -errno;
        }
        t->fd = fds[0];
        *ret_write = fds[1];
        *ret = t;
        /* Only our end: programs do not expect EAGAIN from their stderr. */
        if (fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

static int environment_new(char ***ret, char *const *more, const struct hook_user *user) {
        _cleanup_(strv_freep) char **env = NULL;
        const struct {
                const char *name, *value;
        } fixed[] = {
                { "PATH", HOOK_COMMAND_PATH }, { "LANG", "C.UTF-8" },     { "HOME", user->home },
                { "USER", user->name },        { "LOGNAME", user->name }, { "SHELL", user->shell },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
                _cleanup_(freep) char *s = NULL;

                r = str_format(&s, "%s=%s", fixed[i].name, fixed[i].value);
                if (r < 0)
                        return r;
                r = strv_append(&env, s);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (s, more) {
                r = strv_append(&env, *s);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(env);
        return 0;
}

static int check_program(const char *path, const struct hook_user *user) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
                return -EACCES;
        if ((st.st_uid != 0 && st.st_uid != user->uid) || (st.st_mode & 0022) != 0)
                return -EPERM;
        return 0;
}

int hook_command_find(char **ret_path, const char *program, const struct hook_user *user) {
        int r;

        if (program[0] == '/') {
                r = check_program(program, user);
                return r < 0 ? r : str_replace(ret_path, program);
        }

        for (const char *dir = HOOK_COMMAND_PATH; *dir != '\0';) {
                _cleanup_(freep) char *path = NULL;
                size_t n = strcspn(dir, ":");

                r = str_format(&path, "%.*s/%s", (int)n, dir, program);
                if (r < 0)
                        return r;
                r = check_program(path, user);
                if (r != -ENOENT && r != -ENOTDIR) {
                        if (r >= 0)
                                *ret_path = TAKE_PTR(path);
                        return r;
                }
                dir += n + (dir[n] == ':' ? 1 : 0);
        }
        return -ENOENT;
}

/* Says on the new stderr why there will be no command, with what is safe to call here. */
_Noreturn static void give_up(const char *what, int error) {
        const char *const parts[] = { "vss-hook-writer: ", what, ": ", strerrordesc_np(error),
                                      "\n" };

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (parts[i] && write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
                        break;
        _exit(127);
}

/* In the child of a process with threads: async-signal-safe calls only, and the bare system calls
 * for the identity, because glibc's would talk to threads that are not here. */
_Noreturn static void run_child(const struct run *r) {
        const struct hook_user *user = r->command->user;
        sigset_t none;

        (void)setsid(); /* a new child leads no group: cannot fail */
        if (dup2(r->stdin_fd, STDIN_FILENO) < 0 || dup2(r->output_write, STDOUT_FILENO) < 0 ||
            dup2(r->errors_write, STDERR_FILENO) < 0)
                _exit(127);
        if (close_range(3, ~0U, 0) < 0)
                give_up("cannot close inherited descriptors", errno);

        for (int sig = 1; sig < NSIG; sig++)
                (void)signal(sig, SIG_DFL); /* SIGKILL and SIGSTOP refuse, as they may */
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);

        /* root alone can change, and need not if it already is who is wanted. */
        if (geteuid() == 0) {
                if (syscall(SYS_setgroups, user->n_groups, user->groups) < 0)
                        give_up("cannot set the user's groups", errno);
                if (syscall(SYS_setresgid, user->gid, user->gid, user->gid) < 0)
                        give_up("cannot set the user's group", errno);
                if (syscall(SYS_setresuid, user->uid, user->uid, user->uid) < 0)
                        give_up("cannot become the user", errno);
        } else if (geteuid() != user->uid)
                give_up("cannot become another user", EPERM);

        if (chdir("/") < 0)
                give_up("cannot enter /", errno);
        umask(0022);
        execve(r->path, r->command->argv, r->environment);
        give_up(r->path, errno);
}

static int prepare(struct run *r) {
        const struct hook_command *c = r->command;
        int q;

        q = hook_command_find(&r->path, c->argv[0], c->user);
        if (q < 0)
                return q;
        q = environment_new(&r->environment, c->environment, c->user);
        if (q < 0)
                return q;
        r->stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (r->stdin_fd < 0)
                return -errno;
        q = tail_new(&r->errors, &r->errors_write);
        if (q < 0)
                return q;
        return tail_new(&r->output, &r->output_write);
}

enum waited { ENDED, TIME_IS_UP, TOLD_TO_STOP };

/* Waits for the child's end, but no longer than until_usec. Keeps its pipes empty meanwhile.
 * Returns an enum waited or a negative errno. */
static int wait_until(struct run *r, uint64_t until_usec, int stop_fd) {
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = r->pidfd, .events = POLLIN },
                        { .fd = r->errors->fd, .events = POLLIN },
                        { .fd = r->output->fd, .events = POLLIN },
                        { .fd = stop_fd, .events = POLLIN },
                };
                uint64_t now = now_monotonic_usec();
                int n;

                if (now >= until_usec)
                        return TIME_IS_UP;
                n = poll(fds, ARRAY_SIZE(fds),
                         (int)((until_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n <= 0)
                        continue;

                if (fds[1].revents)
                        tail_read(r->errors);
                if (fds[2].revents)
                        tail_read(r->output);
                if (fds[0].revents)
                        return ENDED;
                if (fds[3].revents)
                        return TOLD_TO_STOP;
        }
}

static void kill_group(const struct run *r, int sig) {
        /* Before the child's setsid() there is no group yet: then it alone. */
        if (kill(-r->pid, sig) < 0 && errno == ESRCH)
                (void)kill(r->pid, sig);
}

static void *reap_later(void *p) {
        pid_t *pid = p;

        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
                ;
        free(pid);
        return NULL;
}

/* A child that hangs in the kernel takes no SIGKILL: perhaps it waits for the very volume whose
 * application has to be thawed now. It is left to a thread of its own. */
static int leave_to_thread(pid_t child) {
        pid_t *pid = malloc(sizeof(*pid));
        pthread_t thread;
        int r;

        if (!pid)
                return -ENOMEM;
        *pid = child;
        r = -pthread_create(&thread, NULL, reap_later, pid);
        if (r < 0) {
                free(pid);
                return r;
        }
        (void)pthread_detach(thread); /* a thread that exists */
        return 0;
}

static int reap(struct run *r, int *ret_status) {
        int q = r->pidfd < 0 ? ENDED : wait_until(r, now_monotonic_usec() + KILL_DELAY_USEC, -1);

        if (q != ENDED) {
                /* If even that fails a zombie stays: better than an application that stays frozen.
                 */
                (void)leave_to_thread(r->pid);
                *ret_status = SIGKILL; /* as waitpid() would say in the end */
                return 0;
        }
        while (waitpid(r->pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        /* A process that it left behind may hold the pipes open: take what is there, do not wait
         * for their end. */
        if (r->errors->fd >= 0)
                tail_read(r->errors);
        if (r->output->fd >= 0)
                tail_read(r->output);
        return 0;
}

static int wait_or_kill(struct run *r, struct hook_result *result) {
        const struct hook_command *c = r->command;
        int q;

        q = wait_until(r, now_monotonic_usec() + c->deadline_usec, c->stop_fd);
        if (q == ENDED)
                return 0;

        result->timed_out = q == TIME_IS_UP;
        result->stopped = q == TOLD_TO_STOP;
        kill_group(r, SIGTERM);
        (void)wait_until(r, now_monotonic_usec() + KILL_DELAY_USEC, -1); /* either way: */
        /* The group outlives its leader, which is not reaped yet, if the others did not listen. */
        kill_group(r, SIGKILL);
        return q < 0 ? q : 0;
}

int hook_command_run(struct hook_result *ret, const struct hook_command *command) {
        _cleanup_(run_done) struct run run = {
                .command = command,
                .stdin_fd = -1,
                .errors_write = -1,
                .output_write = -1,
                .pidfd = -1,
        };
        _cleanup_(hook_result_done) struct hook_result result = { 0 };
        sigset_t all, before;
        int q, r;

        r = prepare(&run);
        if (r < 0)
                return r;

        /* The child must not run a handler of ours before it has taken them away. */
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* cannot fail with these arguments */
        run.pid = fork();
        if (run.pid == 0)
                run_child(&run);
        r = run.pid < 0 ? -errno : 0;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r < 0)
                return r;

        run.errors_write = safe_close(run.errors_write);
        run.output_write = safe_close(run.output_write);
        run.pidfd = pidfd_open(run.pid, 0);
        if (run.pidfd < 0) {
                /* No way to wait with a deadline: then it must not run at all. */
                r = -errno;
                kill_group(&run, SIGKILL);
        } else
                r = wait_or_kill(&run, &result);

        q = reap(&run, &result.wait_status);
        if (r < 0 || q < 0)
                return r < 0 ? r : q;

        result.errors = strdup(run.errors->text);
        result.output = strdup(run.output->text);
        if (!result.errors || !result.output)
                return -ENOMEM;
        *ret = result;
        result = (struct hook_result){ 0 };
        return 0;
}
