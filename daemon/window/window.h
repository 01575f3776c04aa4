#pragma once

/* The write-freeze window: all origins of a set suspended at once, all snapshots committed, all
 * origins resumed. Knows nothing but device-mapper ioctls prepared beforehand.
 *
 *      window_new -> window_add_row ... -> window_prepare -> window_run -> window_free
 *
 * window_prepare notes the origins in a list (suspend-list.h), forks the guard, starts one thread
 * per row (64 KiB stack, parked on a barrier), fills every ioctl buffer, locks memory. window_run
 * does, from first suspend to last resume, no allocation, no log, no path look-up, no system call
 * but ioctl, futex and clock_gettime:
 *
 *      every row: suspend origin (lockfs)      | barrier |
 *      every row: its commit ioctls            | barrier |
 *      every row: resume origin                  done
 *
 * A failed suspend, a failed commit or a deadline that passes turns the rest into the way back:
 * the origin's inactive table is cleared and the origin resumed on its live table (but see
 * other-device.h); only what was suspended is resumed. When window_run returns, no origin is
 * suspended, whatever it returns, but for what hangs.
 *
 * Nobody can hurry a request that hangs inside the kernel, because storage does not answer: a
 * suspend, which syncs the file system; a resume, which writes to it; or a commit. It does not hold
 * up the others: they are resumed when the deadline passes. Where a commit hangs the guard resumes
 * the origin; but in a row with another device it must not go on before it is known which of the
 * two works. What still hangs, or fails to be resumed and is tried again, a second later window_run
 * returns without, naming the volume; the origin belongs to the thread that hangs (held-origin.h),
 * which undoes the suspend in the moment that it can, and the guard does so should the daemon be
 * dead or stopped by then. Until then every other command on that volume hangs as well. */

#include "common/vss-error.h"
#include <sys/types.h>

struct window;
struct dm_kernel;  /* dm-kernel.h */
struct dm_request; /* one prepared device-mapper ioctl, dm-request.h */

struct window_row {
        const char *volume; /* for messages; copied */
        dev_t origin;       /* device number of the origin's mapped device */
        /* In order. The array and what is in it belong to the window once window_add_row() has
         * succeeded. */
        struct dm_request **commits;
        size_t n_commits;
        bool clears_inactive_table; /* on the way back clear the origin's inactive table first */
        /* Another device over the origin's blocks, of which only one may work at a time because its
         * target keeps state of its own (a cache, a RAID); 0: none. The commits change over from
         * one to the other. On the way back it is resumed if other_works, before the origin is.
         * Otherwise the origin gets its new table, over the other, if that works already:
         * other-device.h. */
        dev_t other;
        bool other_works;
};

struct window_options {
        uint64_t hold_usec;  /* at most this long from first suspend to last resume; 10 s */
        uint64_t flush_usec; /* a single suspend that takes longer: VSS_E_FLUSH_WRITES_TIMEOUT */
        const struct dm_kernel *kernel; /* NULL: the real one */
        /* A file that the guard holds an alive-lock on, so that a later run of the daemon can wait
         * for its end: it must not resume what that run suspends. NULL: none. Borrowed. */
        const char *guard_lock;
        const char
                *suspend_lists; /* suspend-list.h: the directory; NULL: none are kept. Borrowed. */
};

struct window_result {
        uint64_t start_usec;       /* monotonic: before the first suspend */
        uint64_t suspended_usec;   /* all suspended */
        uint64_t committed_usec;   /* all committed */
        uint64_t end_usec;         /* all resumed */
        int64_t instant_unix_nsec; /* wall clock of the common instant */
};

/* One row's part, for the timeline. Monotonic. */
struct window_row_times {
        uint64_t suspend_begin_usec, suspend_end_usec;
        uint64_t commit_begin_usec, commit_end_usec;
        uint64_t resume_begin_usec, resume_end_usec;
};

int window_new(struct window **ret, const struct window_options *options);
struct window *window_free(struct window *w);
DEFINE_CLEANUP(struct window, window_free);
/* -EEXIST: the origin has a row already. */
int window_add_row(struct window *w, const struct window_row *row, struct vss_error *reterr);
/* VSS_E_VOLUME_IN_USE: somebody else has suspended an origin, or an earlier window still has it. */
int window_prepare(struct window *w, struct vss_error *reterr);
/* 0; or VSS_E_FLUSH_WRITES_TIMEOUT, VSS_E_HOLD_WRITES_TIMEOUT, VSS_E_UNEXPECTED_PROVIDER_ERROR
 * (an ioctl failed; the volume is named). Once per window. An empty window (no rows) succeeds. */
int window_run(struct window *w, struct window_result *ret, struct vss_error *reterr);
size_t window_row_count(const struct window *w);
const char *window_row_volume(const struct window *w, size_t i); /* as it was added */
const struct window_row_times *window_row_times(const struct window *w, size_t i);
