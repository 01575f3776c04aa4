/* See run-program.h. Stateless. */

#include "daemon/job/run-program.h"
#include "common/time-util.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

static char *const environment[] = {
        (char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        (char[]){ "LC_ALL=C.UTF-8" },
        (char[]){ "HOME=/" },
        NULL,
};

static int spawn(char *const argv[], int out_fd, pid_t *ret) {
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        sigset_t none, all;
        int r;

        (void)sigemptyset(&none); /* these have no way to fail */
        (void)sigfillset(&all);
        r = -posix_spawn_file_actions_init(&files);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r < 0) {
                (void)posix_spawn_file_actions_destroy(&files);
                return r;
        }
        r = -posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r >= 0)
                r = -posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
        if (r >= 0)
                r = -posix_spawn_file_actions_adddup2(&files, out_fd, STDERR_FILENO);
        if (r >= 0)
                r = -posix_spawnattr_setsigmask(&attributes, &none);
        if (r >= 0)
                r = -posix_spawnattr_setsigdefault(&attributes, &all);
        /* A group of its own, so that all that it starts can be ended. */
        if (r >= 0)
                r = -posix_spawnattr_setpgroup(&attributes, 0);
        if (r >= 0)
                r = -posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                                   POSIX_SPAWN_SETSIGDEF |
                                                                   POSIX_SPAWN_SETPGROUP);
        if (r >= 0)
                r = -posix_spawn(ret, argv[0], &files, &attributes, argv, environment);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&files);
        return r;
}

/* What it printed, kept whole or not at all. */
struct output {
        char line[256]; /* the last that is not empty */
        size_t used;    /* of the line */
        bool complete;  /* the line is: another one begins with the next character */
        bool keep;      /* all of it, in text */
        char *text;
        size_t size;
};

static void output_done(struct output *o) {
        free(o->text);
}

static void keep_line(struct output *o, const char *text, size_t size) {
        for (size_t i = 0; i < size; i++) {
                if (text[i] == '\n' || text[i] == '\0') {
                        o->complete = o->used > 0;
                        continue;
                }
                if (o->complete)
                        o->used = 0;
                o->complete = false;
                if (o->used < sizeof(o->line) - 1)
                        o->line[o->used++] = text[i];
        }
        o->line[o->used] = '\0';
}

static int keep_text(struct output *o, const char *text, size_t size) {
        char *grown;

        if (!o->keep)
                return 0;
        if (size > RUN_PROGRAM_OUTPUT_MAX - o->size)
                return -E2BIG;
        grown = realloc(o->text, o->size + size + 1);
        if (!grown)
                return -ENOMEM;
        o->text = grown;
        memcpy(o->text + o->size, text, size);
        o->size += size;
        o->text[o->size] = '\0';
        return 0;
}

/* 0: it has closed its output. -ETIME. */
static int follow(int fd, uint64_t end_usec, struct output *o) {
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                uint64_t now = now_monotonic_usec();
                char text[1024];
                ssize_t n;
                int r;

                if (now >= end_usec)
                        return -ETIME;
                r = poll(&p, 1, (int)((end_usec - now) / 1000) + 1);
                if (r <= 0)
                        continue;
                n = read(fd, text, sizeof(text));
                if (n == 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n <= 0)
                        continue;
                keep_line(o, text, (size_t)n);
                r = keep_text(o, text, (size_t)n);
                if (r < 0)
                        return r;
        }
}

static int run(char *const argv[], uint64_t timeout_usec, struct output *o,
               struct vss_error *reterr) {
        _cleanup_(closep) int in = -1, out = -1;
        int pipes[2], status, r;
        pid_t pid;

        if (pipe2(pipes, O_CLOEXEC) < 0)
                return vss_error_from_errno(reterr, -errno, argv[0]);
        in = pipes[0];
        out = pipes[1];
        r = spawn(argv, out, &pid);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r, "cannot run %s: %s", argv[0],
                                     strerror(-r));
        out = safe_close(out);
        r = follow(in, now_monotonic_usec() + timeout_usec, o);
        if (r < 0)
                (void)kill(-pid, SIGKILL); /* it may have ended by now */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r, "%s did not end: %s", argv[0],
                                     strerror(-r));
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, ECHILD, "%s failed: %s", argv[0],
                                     *o->line ? o->line : "it did not say why");
        return 0;
}

int run_program(char *const argv[], uint64_t timeout_usec, struct vss_error *reterr) {
        _cleanup_(output_done) struct output o = { 0 };

        return run(argv, timeout_usec, &o, reterr);
}

int run_program_output(char *const argv[], uint64_t timeout_usec, char **ret_output,
                       struct vss_error *reterr) {
        _cleanup_(output_done) struct output o = { .keep = true };
        int r;

        r = run(argv, timeout_usec, &o, reterr);
        if (r >= 0 && !o.text && str_replace(&o.text, "") < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, argv[0]);
        if (r >= 0)
                *ret_output = TAKE_PTR(o.text);
        return r;
}
