/* See lvm.h. Owned by the operation that opened it and used from one thread. Three pipes: commands
 * in, messages out (standard output and error as one, in order), reports out (LVM_REPORT_FD). The
 * end of a run is found by a command that does not exist: lvm names it in its complaint. */

#include "daemon/providers/lvm.h"
#include "common/time-util.h"
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

/* lvm waits for locks that other commands hold (moving a volume, say), so this is long. */
#define RUN_TIMEOUT_USEC (180 * USEC_PER_SEC)
#define OUTPUT_MAX (16 * 1024 * 1024)
#define REPORT_FD 3
#define MARK "vss-end-of-run"

const char *lvm_program;

static const char *const programs[] = { "/usr/sbin/lvm", "/sbin/lvm" };

static char *const environment[] = {
        (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LC_ALL=C",
        (char *)"HOME=/nonexistent", /* lvm's shell would keep a history there */
        (char *)"LVM_SUPPRESS_FD_WARNINGS=1",
        (char *)"LVM_REPORT_FD=3",
        NULL,
};

struct text {
        char *bytes;
        size_t length;
};

struct lvm {
        pid_t pid;
        int in_fd, out_fd, report_fd;
        unsigned n_runs;
        struct text out, report;
        char *complaint;
};

static void text_reset(struct text *t) {
        free(t->bytes);
        *t = (struct text){ 0 };
}

struct lvm *lvm_close(struct lvm *l) {
        if (!l)
                return NULL;
        l->in_fd = safe_close(l->in_fd);
        l->out_fd = safe_close(l->out_fd);
        l->report_fd = safe_close(l->report_fd);
        if (l->pid > 0)
                while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        text_reset(&l->out);
        text_reset(&l->report);
        free(l->complaint);
        free(l);
        return NULL;
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
static int child_files(posix_spawn_file_actions_t *files, int in_fd, int out_fd, int report_fd) {
        int r;

        /* The numbers 0 to 3 may be ends themselves: then the order would matter. */
        assert(in_fd > REPORT_FD && out_fd > REPORT_FD && report_fd > REPORT_FD);

        r = -posix_spawn_file_actions_adddup2(files, in_fd, STDIN_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(files, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(files, out_fd, STDERR_FILENO);
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

static int spawn(struct lvm *l, const char *program, int in_fd, int out_fd, int report_fd) {
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
        r = child_files(&files, in_fd, out_fd, report_fd);
        if (r == 0)
                r = child_attributes(&attributes);
        if (r == 0)
                r = -posix_spawn(&l->pid, program, &files, &attributes, argv, environment);
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

int lvm_open(struct lvm **ret, struct vss_error *reterr) {
        _cleanup_(pipe_done) struct pipe_ends in = { -1, -1 }, out = { -1, -1 },
                                              report = { -1, -1 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        const char *program = find_program();
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot start lvm");
        l->pid = -1;
        l->in_fd = l->out_fd = l->report_fd = -1;

        r = pipe_make(&in);
        if (r >= 0)
                r = pipe_make(&out);
        if (r >= 0)
                r = pipe_make(&report);
        if (r >= 0)
                r = lift(&in.read_fd);
        if (r >= 0)
                r = lift(&out.write_fd);
        if (r >= 0)
                r = lift(&report.write_fd);
        if (r >= 0)
                r = set_nonblocking(in.write_fd);
        if (r >= 0)
                r = spawn(l, program, in.read_fd, out.write_fd, report.write_fd);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                     "cannot start %s: %s; is the package lvm2 installed?", program,
                                     strerror(-r));
        l->in_fd = TAKE_FD(in.write_fd);
        l->out_fd = TAKE_FD(out.read_fd);
        l->report_fd = TAKE_FD(report.read_fd);
        *ret = TAKE_PTR(l);
        return 0;
}

/* One read. 0: the end; positive: there may be more. */
static ssize_t text_read(struct text *t, int fd) {
        char chunk[4096];
        char *longer;
        ssize_t l;

        do
                l = read(fd, chunk, sizeof(chunk));
        while (l < 0 && errno == EINTR);
        if (l <= 0)
                return l < 0 ? -errno : 0;
        if (t->length + (size_t)l > OUTPUT_MAX)
                return -EFBIG;
        longer = realloc(t->bytes, t->length + (size_t)l + 1);
        if (!longer)
                return -ENOMEM;
        t->bytes = longer;
        memcpy(t->bytes + t->length, chunk, (size_t)l);
        t->length += (size_t)l;
        t->bytes[t->length] = '\0';
        return l;
}

/* All commands as one text, the mark at its end. */
static int compose(char **ret, char *const *commands, const char *mark) {
        size_t size = strlen(mark) + 2;
        char *text, *end;

        STRV_FOREACH (c, commands)
                size += strlen(*c) + 1;
        text = malloc(size);
        if (!text)
                return -ENOMEM;
        end = text;
        STRV_FOREACH (c, commands) {
                end = stpcpy(end, *c);
                *end++ = '\n';
        }
        end = stpcpy(end, mark);
        *end++ = '\n';
        *end = '\0';
        *ret = text;
        return 0;
}

/* A write to a process that died must not kill the daemon. */
static ssize_t write_quietly(int fd, const char *bytes, size_t length) {
        const struct timespec at_once = { 0 };
        sigset_t broken_pipe, before, pending;
        bool was_pending;
        ssize_t l;
        int saved;

        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        sigpending(&pending);
        was_pending = sigismember(&pending, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
        l = write(fd, bytes, length);
        saved = errno;
        if (l < 0 && saved == EPIPE && !was_pending)
                (void)sigtimedwait(&broken_pipe, NULL, &at_once); /* it was ours */
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = saved;
        return l;
}

static int poll_timeout(uint64_t deadline_usec) {
        uint64_t now_usec = now_monotonic_usec();

        return now_usec >= deadline_usec ? 0
                                         : (int)((deadline_usec - now_usec) / USEC_PER_MSEC) + 1;
}

/* Feeds lvm and takes what it says, until it complains of the mark. */
static int converse(struct lvm *l, const char *input, const char *mark) {
        uint64_t deadline_usec = now_monotonic_usec() + RUN_TIMEOUT_USEC;
        size_t left = strlen(input);

        while (!l->out.bytes || !strstr(l->out.bytes, mark)) {
                struct pollfd fds[] = {
                        { .fd = l->out_fd, .events = POLLIN },
                        { .fd = l->report_fd, .events = POLLIN },
                        { .fd = left > 0 ? l->in_fd : -1, .events = POLLOUT },
                };
                ssize_t k;
                int n = poll(fds, ARRAY_SIZE(fds), poll_timeout(deadline_usec));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -ETIMEDOUT;
                if (fds[1].revents) {
                        k = text_read(&l->report, l->report_fd);
                        if (k < 0)
                                return (int)k;
                }
                if (fds[0].revents) {
                        k = text_read(&l->out, l->out_fd);
                        if (k <= 0)
                                return k < 0 ? (int)k : -EPIPE;
                }
                if (fds[2].revents) {
                        k = write_quietly(l->in_fd, input, left);
                        if (k < 0 && errno != EAGAIN)
                                return -errno;
                        if (k > 0) {
                                input += k;
                                left -= (size_t)k;
                        }
                }
        }
        return 0;
}

/* What reports wrote before the mark is in their pipe by now. */
static int drain_report(struct lvm *l) {
        struct pollfd report = { .fd = l->report_fd, .events = POLLIN };

        while (poll(&report, 1, 0) > 0 && report.revents & POLLIN) {
                ssize_t k = text_read(&l->report, l->report_fd);

                if (k <= 0)
                        return (int)k;
        }
        return 0;
}

/* Without the prompt that an lvm with readline prints, and the spaces. */
static char *skip_prompt(char *line) {
        static const char prompt[] = "lvm> ";

        line += strspn(line, " \t");
        while (strncmp(line, prompt, strlen(prompt)) == 0) {
                line += strlen(prompt);
                line += strspn(line, " \t");
        }
        return line;
}

static bool is_complaint(const char *line, const char *mark) {
        static const char *const harmless[] = {
                "WARNING", "lvm>", "THIS WILL DESTROY", "Logical volume", "File descriptor",
        };

        if (!*line || strstr(line, mark))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
                if (strncmp(line, harmless[i], strlen(harmless[i])) == 0)
                        return false;
        return true;
}

/* Keeps the first line that is an error: those after it follow from it. */
static void find_complaint(struct lvm *l, const char *mark) {
        char *line, *rest = l->out.bytes;

        free(l->complaint);
        l->complaint = NULL;
        while (!l->complaint && (line = strsep(&rest, "\n"))) {
                line = skip_prompt(line);
                if (is_complaint(line, mark))
                        l->complaint = strdup(line); /* without memory there is none */
        }
}

static int say_broken(struct lvm *l, int r, struct vss_error *reterr) {
        if (r == -ETIMEDOUT) {
                (void)kill(l->pid, SIGKILL); /* our child, not yet reaped */
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                     "lvm did not answer for %d s; another LVM command may hold "
                                     "its locks. Try again when it has ended",
                                     (int)(RUN_TIMEOUT_USEC / USEC_PER_SEC));
        }
        (void)kill(l->pid, SIGKILL);
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r, "lvm failed (%s)%s%s",
                             r == -EPIPE ? "it ended unexpectedly" : strerror(-r),
                             *lvm_complaint(l) ? ": " : "", lvm_complaint(l));
}

int lvm_run(struct lvm *l, char *const *commands, char **ret_report, struct vss_error *reterr) {
        _cleanup_(freep) char *mark = NULL, *input = NULL;
        int r;

        text_reset(&l->out);
        text_reset(&l->report);
        r = str_format(&mark, MARK "-%u", ++l->n_runs);
        if (r >= 0)
                r = compose(&input, commands, mark);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot talk to lvm");
        r = converse(l, input, mark);
        if (r >= 0)
                r = drain_report(l);
        find_complaint(l, mark);
        if (r < 0)
                return say_broken(l, r, reterr);
        if (ret_report) {
                if (!l->report.bytes) {
                        l->report.bytes = strdup("");
                        if (!l->report.bytes)
                                return vss_error_from_errno(reterr, -ENOMEM, "lvm");
                }
                *ret_report = TAKE_PTR(l->report.bytes);
                l->report.length = 0;
        }
        return 0;
}

const char *lvm_complaint(const struct lvm *l) {
        return str_or_empty(l->complaint);
}
