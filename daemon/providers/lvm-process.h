#pragma once

/* The process behind struct lvm, and its three pipes; nobody else includes this. */

#include "common/util.h"
#include <sys/types.h>

struct lvm_process {
        pid_t pid;     /* -1: none */
        int in_fd;     /* commands, non-blocking */
        int out_fd;    /* messages: standard output and error as one, in order */
        int report_fd; /* what reports print */
};

/* 0 or -errno; *ret_program is what was tried, also on failure. */
int lvm_process_start(struct lvm_process *ret, const char **ret_program);
/* Closes the pipes, at which lvm finishes what it was told and goes, and waits for that. */
void lvm_process_stop(struct lvm_process *p);
