#pragma once

/* One origin's part in the window: its requests, its thread, how far it got. Shared between the
 * window and its threads; nobody else includes this. */

#include "daemon/window/dm-request.h"
#include "daemon/window/gate.h"
#include "daemon/window/guard.h"
#include "daemon/window/held-origin.h"
#include "daemon/window/other-device.h"
#include "daemon/window/suspend-list.h"
#include "daemon/window/window.h"
#include <pthread.h>

enum row_state {
        ROW_PENDING,   /* not suspended, or its suspend is under way */
        ROW_SUSPENDED, /* its thread waits for the others, or is at its commits */
        ROW_RESUMING,
        ROW_SETTLED,   /* its thread is through with it */
        ROW_ABANDONED, /* hangs, or fails, past every deadline; its thread settles it alone */
};

struct row {
        struct window *window;
        size_t index;
        char *volume;
        dev_t origin;
        bool clears_inactive_table;
        dev_t other_number; /* see window.h; 0: none */
        bool other_works;
        struct other_device *other; /* NULL: none */
        struct dm_request *status, *suspend, *clear, *resume;
        struct dm_request **commits;
        size_t n_commits;

        pthread_t thread;
        bool has_thread;
        _Atomic bool through;    /* the thread makes no request any more */
        _Atomic bool committed;  /* all its commits have succeeded */
        _Atomic uint32_t state;  /* enum row_state */
        struct held_origin held; /* while it is abandoned */
        bool late;               /* not there when the deadline passed */
        bool stuck;              /* abandoned, and suspended */
        struct window_row_times times;
};

/* What went wrong first. */
struct window_failure {
        _Atomic bool taken;
        const char *verb;
        int error;
        _Atomic uint32_t row; /* index + 1, set last; 0: nothing */
};

struct window {
        const struct dm_kernel *kernel;
        uint64_t hold_usec, flush_usec;
        const char *guard_lock, *suspend_lists;
        struct suspend_list *suspend_list; /* until nothing of it can be suspended; NULL: none */
        struct row **rows;
        size_t n_rows;
        bool prepared, ran;
        unsigned n_memory_locks;
        int control_fd;
        struct guard *guard;
        void *stacks; /* of all threads */
        size_t stacks_size;

        struct gate gate;
        futex_word n_parked;
        futex_word over; /* the threads may end: that allocates, frees and unmaps */
        _Atomic uint32_t n_suspended, n_committed;
        /* The window's holder and every thread: the last one frees it. */
        _Atomic uint32_t n_owners;
        struct window_failure failure;
        struct window_result times;
};

int row_new(struct row **ret, struct window *w, const struct window_row *spec);
struct row *row_free(struct row *row);
DEFINE_CLEANUP(struct row, row_free);
enum row_state row_state(struct row *row);
bool row_take(struct row *row, enum row_state from, enum row_state to);
/* Leaves it to its own thread, which hangs. */
void row_abandon(struct row *row);
/* On the way back, for a row without another device whose thread hangs in a commit. */
int row_resume_once(struct row *row);
/* A thread's whole life; p is its row. */
void *row_thread(void *p);

/* Of window.c, for the threads. */
void window_unref(struct window *w);
