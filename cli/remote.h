#pragma once

/* -H HOST: vssctl runs itself on another machine through ssh. What crosses the border is quoted
 * for the shell at the other end, and no part of HOST can be taken for an option. */

#include "common/util.h"

struct remote_host {
        char *target; /* what ssh is given: "user@host" */
        char *port;   /* NULL: ssh's own choice */
};
void remote_host_done(struct remote_host *h);

/* "[USER@]HOST[:PORT]", an IPv6 address with a port in brackets. 0; -EINVAL if it is none of
 * that; -ENOMEM. */
int remote_host_parse(struct remote_host *ret, const char *text);

/* The words as one command for a POSIX shell. */
int remote_quote(char **ret, const char *const *words, size_t n);

/* The argv for ssh that runs `vssctl WORDS...`, followed by `-- COMMAND...` if command is given. */
int remote_command(char ***ret, const struct remote_host *host, char *const *words,
                   char *const *command);

/* Replaces the process. Returns an exit status when that failed, after having said why. */
int remote_execute(const char *host, char *const *words, char *const *command);
