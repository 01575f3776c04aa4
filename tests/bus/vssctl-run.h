#pragma once

/* vssctl as a child of the test, with its ends of the pipes; a failure kills the test. */

#include "tests/bus/harness.h"

/* What a vssctl printed and how it ended. */
struct ended {
        int status; /* exit status; -signal */
        char out[16384], err[4096];
};

struct running {
        pid_t pid;
        int in, out, err; /* our ends; in: -1 if it reads /dev/null */
};

/* with_stdin: a pipe, which in is the end of; else it reads /dev/null. */
struct running vssctl_start(bool with_stdin, char *const *arguments);
/* Up to the end of the stream, or up to the first line that ends with until. */
void vssctl_read(int fd, char *buf, size_t size, const char *until);
void vssctl_finish(struct running *r, struct ended *e);
/* Valid until the next one. */
struct ended *vssctl_run(char *const *arguments);

#define ARGUMENTS(...) ((char *const[]){ (char[]){ "vssctl" }, __VA_ARGS__, NULL })
#define A(text) ((char[]){ text })
#define vssctl(...) vssctl_run(ARGUMENTS(__VA_ARGS__))

#define expect_status(e, want) \
        ck_assert_msg((e)->status == (want), "ended with %d: %s%s", (e)->status, (e)->out, (e)->err)
#define expect_text(text, want) \
        ck_assert_msg(strstr((text), (want)), "'%s' is not in '%s'", (want), (text))

void expect_no_copies(void);
/* "ShadowCopyN" of the only copy. */
const char *only_copy(void);
