#pragma once

/* Runs one command of a hook and waits for its end: without a shell, in a process group of its
 * own, as the user it was asked to, with a fixed environment, no descriptor of ours, and a
 * deadline: SIGTERM to the group, SIGKILL two seconds later. What it printed is kept. May be called
 * from several threads at once. Touches no file system between fork and exec. */

#include "common/util.h"
#include <sys/types.h>
#include <vss/vss.h>

#define HOOK_COMMAND_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define HOOK_OUTPUT_MAX (16U * 1024U)

struct hook_user {
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* owned */
        size_t n_groups;
        char *name, *home, *shell; /* owned */
};
/* name NULL: the user we are. Asks the name service, which may take a while and read files: so it
 * is done when a writer is set up, not when its command must run. -ESRCH: there is no such user. */
int hook_user_find(struct hook_user *ret, const char *name);
void hook_user_done(struct hook_user *u);

struct hook_result {
        int wait_status; /* as of waitpid() */
        bool timed_out;
        bool stopped; /* because of stop_fd */
        char *errors; /* stderr, the last HOOK_OUTPUT_MAX of it; owned, never NULL on success */
        char *output; /* stdout, likewise */
};
void hook_result_done(struct hook_result *r);

/* Is it safe to run argv[0] as this user: does its file belong to root or to that user, and can
 * nobody else write to it? -EPERM if not, -ENOENT if it cannot be found; *ret_path (owned) is the
 * program's path. */
int hook_command_find(char **ret_path, const char *program, const struct hook_user *user);

struct hook_command {
        char *const *argv;
        char *const *environment; /* "NAME=value"s, added to the fixed ones */
        const struct hook_user *user;
        uint64_t deadline_usec;
        int stop_fd; /* readable: it must end now, as if the time were up; -1: never */
};

/* 0 when the command was started and has ended, whatever its status. */
int hook_command_run(struct hook_result *ret, const struct hook_command *command);

/* The last line with something in it: clean UTF-8, at most 512 bytes; NULL if there is none. Owned
 * by the caller. */
char *hook_last_line(const char *text);

/* What the exit status says of the event: S_OK, or the VSS_E_WRITERERROR_... to record. */
HRESULT hook_result_failure(const struct hook_result *r);
/* The sentence that the requester reads of a failure: what became of the command and the last line
 * that it printed. Owned by the caller; NULL: out of memory. */
char *hook_result_sentence(const struct hook_result *r, const struct hook_command *command);
