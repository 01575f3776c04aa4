/* See lvm.h. Owned by the operation that opened it and used from one thread. The end of a run is
 * found by a command that does not exist: lvm names it in its complaint. */

#include "daemon/providers/lvm.h"
#include "common/time-util.h"
#include "daemon/providers/lvm-process.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* lvm waits for locks that other commands hold (moving a volume, say), so this is long. */
#define RUN_TIMEOUT_USEC (180 * USEC_PER_SEC)
#define OUTPUT_MAX (16 * 1024 * 1024)
#define MARK "vss-end-of-run"

struct text {
        char *bytes;
        size_t length;
};

struct lvm {
        struct lvm_process process;
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
        lvm_process_stop(&l->process);
        text_reset(&l->out);
        text_reset(&l->report);
        free(l->complaint);
        free(l);
        return NULL;
}

int lvm_open(struct lvm **ret, struct vss_error *reterr) {
        struct lvm *l = calloc(1, sizeof(*l));
        const char *program;
        int r;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot start lvm");
        r = lvm_process_start(&l->process, &program);
        if (r < 0) {
                free(l);
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                     "cannot start %s: %s; is the package lvm2 installed?", program,
                                     strerror(-r));
        }
        *ret = l;
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
                        { .fd = l->process.out_fd, .events = POLLIN },
                        { .fd = l->process.report_fd, .events = POLLIN },
                        { .fd = left > 0 ? l->process.in_fd : -1, .events = POLLOUT },
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
                        k = text_read(&l->report, l->process.report_fd);
                        if (k < 0)
                                return (int)k;
                }
                if (fds[0].revents) {
                        k = text_read(&l->out, l->process.out_fd);
                        if (k <= 0)
                                return k < 0 ? (int)k : -EPIPE;
                }
                if (fds[2].revents) {
                        k = write_quietly(l->process.in_fd, input, left);
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
        struct pollfd report = { .fd = l->process.report_fd, .events = POLLIN };

        while (poll(&report, 1, 0) > 0 && report.revents & POLLIN) {
                ssize_t k = text_read(&l->report, l->process.report_fd);

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

static bool ends_with(const char *line, const char *end) {
        size_t l = strlen(line), e = strlen(end);

        return l >= e && streq(line + l - e, end);
}

static bool is_complaint(const char *line, const char *mark) {
        static const char *const warnings[] = { "WARNING", "THIS WILL DESTROY", "File descriptor" };
        static const char *const successes[] = { "created.", "converted to snapshot.",
                                                 "successfully removed." };

        if (!*line || streq(line, "lvm>") || strstr(line, mark))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
                if (strncmp(line, warnings[i], strlen(warnings[i])) == 0)
                        return false;
        for (size_t i = 0; i < ARRAY_SIZE(successes); i++)
                if (ends_with(line, successes[i]))
                        return false;
        return true;
}

/* Keeps the first line that is an error: those after it follow from it. */
static void find_complaint(struct lvm *l, const char *mark) {
        /* Without memory there is none. */
        _cleanup_(freep) char *copy = strdup(str_or_empty(l->out.bytes));
        char *line, *rest = copy;

        free(l->complaint);
        l->complaint = NULL;
        while (!l->complaint && (line = strsep(&rest, "\n"))) {
                line = skip_prompt(line);
                if (is_complaint(line, mark))
                        l->complaint = strdup(line);
        }
}

static int say_broken(struct lvm *l, int r, struct vss_error *reterr) {
        if (r == -ETIMEDOUT) {
                (void)kill(l->process.pid, SIGKILL); /* our child, not yet reaped */
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                     "lvm did not answer for %d s; another LVM command may hold "
                                     "its locks. Try again when it has ended",
                                     (int)(RUN_TIMEOUT_USEC / USEC_PER_SEC));
        }
        (void)kill(l->process.pid, SIGKILL);
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

size_t lvm_said(const struct lvm *l, const char *words) {
        const char *p = str_or_empty(l->out.bytes);
        size_t n = 0;

        while ((p = strstr(p, words))) {
                p += strlen(words);
                n++;
        }
        return n;
}

int lvm_version(struct lvm *l, unsigned *ret, struct vss_error *reterr) {
        static const char words[] = "LVM version:";
        unsigned major, minor, patch;
        const char *p;
        int r;

        r = lvm_tell(l, reterr, "version");
        if (r < 0)
                return r;
        p = strstr(str_or_empty(l->out.bytes), words);
        if (!p || sscanf(p + strlen(words), "%3u.%3u.%3u", &major, &minor, &patch) != 3)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's version");
        *ret = (major * 1000 + minor) * 1000 + patch;
        return 0;
}

const char *lvm_complaint(const struct lvm *l) {
        return str_or_empty(l->complaint);
}
