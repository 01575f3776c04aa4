/* See vssctl-run.h. */

#include "tests/bus/vssctl-run.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void make_pipe(int fds[2]) {
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
}

struct running vssctl_start(bool with_stdin, char *const *arguments) {
        struct running r = { .in = -1 };
        int in[2], out[2], err[2];

        make_pipe(in);
        make_pipe(out);
        make_pipe(err);
        r.pid = fork();
        ck_assert_int_ge(r.pid, 0);
        if (r.pid == 0) {
                int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

                /* A failed assertion kills the test without further ado. */
                if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                        _exit(126);
                if (null < 0 || dup2(with_stdin ? in[0] : null, STDIN_FILENO) < 0 ||
                    dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
                        _exit(126);
                execv(VSSCTL, arguments);
                _exit(127);
        }
        safe_close(in[0]);
        safe_close(out[1]);
        safe_close(err[1]);
        r.in = with_stdin ? in[1] : safe_close(in[1]);
        r.out = out[0];
        r.err = err[0];
        return r;
}

void vssctl_read(int fd, char *buf, size_t size, const char *until) {
        size_t length = strlen(buf);

        for (;;) {
                ssize_t n = read(fd, buf + length, size - 1 - length);

                ck_assert_int_ge(n, 0);
                if (n == 0)
                        return;
                length += (size_t)n;
                buf[length] = '\0';
                if (until && strstr(buf, until))
                        return;
                ck_assert_uint_lt(length, size - 1);
        }
}

void vssctl_finish(struct running *r, struct ended *e) {
        int status;

        r->in = safe_close(r->in);
        vssctl_read(r->out, e->out, sizeof(e->out), NULL);
        vssctl_read(r->err, e->err, sizeof(e->err), NULL);
        ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
        e->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        safe_close(r->out);
        safe_close(r->err);
}

struct ended *vssctl_run(char *const *arguments) {
        static struct ended e;
        struct running r = vssctl_start(false, arguments);

        e = (struct ended){ 0 };
        vssctl_finish(&r, &e);
        return &e;
}

void expect_no_copies(void) {
        const struct ended *e = vssctl(A("list"), A("--json"));

        expect_status(e, 0);
        ck_assert_str_eq(e->out, "{\n  \"snapshots\": [],\n  \"reverts\": []\n}\n");
}

const char *only_copy(void) {
        static char name[64];
        const struct ended *e = vssctl(A("list"), A("--json"));
        const char *at = strstr(e->out, "\"name\": \"");

        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(sscanf(at, "\"name\": \"%63[^\"]", name), 1);
        return name;
}
