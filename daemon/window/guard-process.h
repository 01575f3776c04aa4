#pragma once

/* The inside of the guard, shared between the two halves of guard.[ch] only. */

#include "daemon/window/dm-request.h"
#include "daemon/window/futex.h"
#include "daemon/window/other-device.h"
#include <pthread.h>

enum guard_state {
        GUARD_IDLE,      /* nothing is suspended yet */
        GUARD_ARMED,     /* origins are being suspended; the way back drops their inactive tables */
        GUARD_COMMITTED, /* every copy is good: the origins only have to be resumed */
        GUARD_FIRED,     /* the guard has taken over: the window is lost */
        GUARD_DONE,      /* nothing is suspended any more */
};

/* How far one origin is. Each step is taken once, by the daemon's thread for it; the last one by
 * the guard where that was quicker. */
enum guard_part {
        GUARD_PART_OPEN,      /* its thread can suspend it */
        GUARD_PART_SUSPENDED, /* and has: once it is seen running, it is resumed for good */
        GUARD_PART_RESUMING,  /* its thread is at that: a second resume beside one that brings a new
                                 table can have the old one work for a moment */
        GUARD_PART_SETTLED,   /* resumed, or it never was suspended: whoever suspends it now, it is
                                 not this window */
};

/* What daemon and guard share. */
struct guard_page {
        pthread_mutex_t alive; /* robust: held by the daemon's thread while armed */
        futex_word state;      /* enum guard_state */
        _Atomic uint64_t deadline_usec;
        _Atomic bool helped;      /* the guard resumed something that was committed */
        futex_word n_settled;     /* of the parts */
        _Atomic uint32_t parts[]; /* enum guard_part, of each origin */
};

static inline void guard_page_settle(struct guard_page *page, size_t i) {
        if (atomic_exchange(&page->parts[i], GUARD_PART_SETTLED) == GUARD_PART_SETTLED)
                return;
        atomic_fetch_add(&page->n_settled, 1);
        futex_wake_all(&page->n_settled);
}

/* What the daemon says over the socket, and the guard's one answer. */
#define GUARD_WORD_READY 'R'
#define GUARD_WORD_ARM 'A'
#define GUARD_WORD_GO 'G'

#define GUARD_HELPER_STACK 16384

enum guard_order { GUARD_REST, GUARD_RESUME };

/* One origin's requests, made before the fork. The status is asked by the guard; the others are run
 * by its helper for this origin, see guard-process.c. */
struct guard_row {
        struct guard_process *process;
        struct dm_request *status, *clear, *resume;
        struct other_device *other; /* NULL: none */
        bool clears_inactive_table, other_works;
        bool committed, alone;
        bool has_helper;
        futex_word order; /* enum guard_order: back to GUARD_REST when it is done */
        _Alignas(16) char stack[GUARD_HELPER_STACK];
};

/* A part of a loaded file, of the program or of libc: all that the guard runs, and its constants.
 */
struct guard_code {
        const void *start;
        size_t length;
};
#define GUARD_CODE_MAX 16

struct guard_process {
        struct guard_page *page;
        const struct dm_kernel *kernel;
        struct guard_row *rows;
        size_t n_rows;
        struct guard_code code[GUARD_CODE_MAX];
        size_t n_code;
        pid_t pid;            /* the guard's own */
        futex_word n_at_post; /* helpers */
        const char *list;     /* unlinked when all is done; NULL: none */
        uint64_t leave_usec;  /* until then what its thread is resuming is left to it */
        int control_fd;
        int socket_fd;
        int daemon_fd; /* a pidfd: readable when no thread of the daemon is left; -1: no such, and
                          the socket's end, which comes with the last thread's, must do */
        int lock_fd;   /* held to the end; -1: none */
};

/* The child's whole life. */
_Noreturn void guard_process_run(struct guard_process *p);
