/* See program-lines.h. Stateless. */

#include "daemon/providers/program-lines.h"
#include "common/time-util.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define LINE_MAX_BYTES 1024
#define PIECE_BYTES ((size_t)16 * 1024)

static char *const environment[] = {
        (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LC_ALL=C",
        NULL,
};

/* The daemon blocks signals and ignores some; the program shall not. A group of its own, so that
 * all that it starts can be ended. */
static int set_attributes(posix_spawnattr_t *attributes) {
        sigset_t none, all;
        int r;

        (void)sigemptyset(&none); /* these have no way to fail */
        (void)sigfillset(&all);
        r = -posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = -posix_spawnattr_setsigdefault(attributes, &all);
        if (r == 0)
                r = -posix_spawnattr_setpgroup(attributes, 0);
        if (r == 0)
                r = -posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                                  POSIX_SPAWN_SETSIGDEF |
                                                                  POSIX_SPAWN_SETPGROUP);
        return r;
}

static int spawn(char *const argv[], int out_fd, pid_t *ret) {
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
        r = -posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&files, out_fd, STDERR_FILENO);
        if (r == 0)
                r = set_attributes(&attributes);
        if (r == 0)
                r = -posix_spawn(ret, argv[0], &files, &attributes, argv, environment);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&files);
        return r;
}

struct lines {
        program_line_fn line;
        void *userdata;
        size_t used; /* of a line whose end has not come yet */
        char text[PIECE_BYTES + 1];
};

/* n more bytes have come behind the used ones. Lines are given where they lie: of millions of them
 * none is copied, but for the one that two pieces share. */
static int take_text(struct lines *l, size_t n) {
        char *line = l->text, *end = l->text + l->used + n;
        size_t seen = l->used; /* without an end */
        int r = 0;

        while (r >= 0 && line < end) {
                size_t left = (size_t)(end - line);
                char *stop = memchr(line + seen, '\n', left - seen);

                if ((stop ? (size_t)(stop - line) : left) >= LINE_MAX_BYTES)
                        return -EOVERFLOW;
                if (!stop)
                        break;
                *stop = '\0';
                r = l->line(l->userdata, line);
                line = stop + 1;
                seen = 0;
        }
        l->used = (size_t)(end - line);
        memmove(l->text, line, l->used);
        return r;
}

/* The last line may have no end. */
static int take_rest(struct lines *l) {
        if (l->used == 0)
                return 0;
        l->text[l->used] = '\0';
        l->used = 0;
        return l->line(l->userdata, l->text);
}

/* To the end of its output. */
static int follow(struct lines *l, int fd, uint64_t end_usec) {
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                uint64_t now = now_monotonic_usec();
                ssize_t n;
                int r;

                if (now >= end_usec)
                        return -ETIME;
                if (poll(&p, 1, (int)((end_usec - now) / USEC_PER_MSEC) + 1) <= 0)
                        continue;
                n = read(fd, l->text + l->used, PIECE_BYTES - l->used);
                if (n == 0)
                        return take_rest(l);
                if (n < 0 && errno != EINTR)
                        return -errno;
                r = n > 0 ? take_text(l, (size_t)n) : 0;
                if (r < 0)
                        return r;
        }
}

int program_lines(char *const argv[], uint64_t timeout_usec, program_line_fn line, void *userdata,
                  struct vss_error *reterr) {
        _cleanup_(freep) struct lines *l = calloc(1, sizeof(*l));
        _cleanup_(closep) int in = -1, out = -1;
        int pipes[2], status = 0, r;
        pid_t pid;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, argv[0]);
        l->line = line;
        l->userdata = userdata;
        if (pipe2(pipes, O_CLOEXEC) < 0)
                return vss_error_from_errno(reterr, -errno, argv[0]);
        in = pipes[0];
        out = pipes[1];
        r = spawn(argv, out, &pid);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r, "cannot run %s: %s", argv[0],
                                     strerror(-r));
        out = safe_close(out);
        r = follow(l, in, now_monotonic_usec() + timeout_usec);
        if (r < 0)
                (void)kill(-pid, SIGKILL); /* it may have ended by now */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r == -ETIME || r == -EOVERFLOW)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r, "%s %s", argv[0],
                                     r == -ETIME ? "did not end in time" : "prints no such lines");
        if (r >= 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                r = -ECHILD;
        return r;
}
