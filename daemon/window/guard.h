#pragma once

/* A frozen file system thaws by itself on no kernel. The guard is a tiny process, forked before
 * the window and locked into memory, that holds nothing but the control node, a socket to the
 * daemon, a page shared with it and the list of origins. When the daemon dies inside the window,
 * or the deadline passes while it is stopped, hung or starved, the guard resumes every origin; and
 * goes on with it for as long as anything of the daemon can still suspend one, be that for days.
 *
 * The two agree on one word in the shared page:
 *
 *      IDLE --arm--> ARMED --commit--> COMMITTED --disarm--> DONE
 *                      +--the guard--> FIRED ------disarm--> DONE
 *
 * Commit and the guard race for the step out of ARMED, and one of them wins it: either all copies
 * are good and the guard merely resumes, or the guard drops the inactive tables (but see
 * other-device.h) and the window is lost. While armed, the daemon's thread holds a robust mutex in
 * the page, so that the kernel itself tells the guard at once when that thread is gone; the
 * socket's end would come only after the last thread of a dying process has returned from its
 * ioctl.
 *
 * With the guard dead, too, the next start resumes: suspend-list.h. */

#include "common/vss-error.h"
#include "daemon/window/dm-kernel.h"
#include <sys/types.h>

struct guard;

struct guard_origin {
        dev_t device;
        bool clears_inactive_table; /* unless committed, drop the inactive table first */
        dev_t other;                /* as in a window's row; unless committed */
        bool other_works;
};

/* Forks it and waits until it is at its post: call it before other threads are made. lock: a file
 * on which it holds an alive-lock to its end; list: one that it unlinks when the daemon is dead and
 * everything is resumed. NULL: none. */
int guard_new(struct guard **ret, const struct dm_kernel *kernel, int control_fd, const char *lock,
              const char *list, const struct guard_origin *origins, size_t n,
              struct vss_error *reterr);
/* As long as anybody has it on hold no guard is forked: a fork makes all memory of this process
 * copy-on-write, and who writes to a page next, in his window perhaps, waits for a new one. */
void guard_forks_hold(void);
void guard_forks_release(void);
/* Sends it away and reaps it. Every origin must be resumed by now. */
struct guard *guard_free(struct guard *g);
DEFINE_CLEANUP(struct guard, guard_free);

/* From here on it watches. -EPIPE: it is gone, nothing may be suspended. Pairs with guard_disarm()
 * in the same thread. */
int guard_arm(struct guard *g, uint64_t deadline_usec);
/* From any thread, when all are committed. False: it has fired, the window is lost. */
bool guard_commit(struct guard *g);
/* How far the i-th origin is: suspended, and nobody can suspend it a second time; settled, nobody
 * can at all and it is not. Once the guard watches no more, or is at it itself, it goes by this. */
void guard_suspended(struct guard *g, size_t i);
/* Its thread is about to resume it, and the guard lets it, before the deadline. False: it is
 * settled, and nobody may. */
bool guard_resuming(struct guard *g, size_t i);
void guard_settle(struct guard *g, size_t i);
bool guard_is_settled(struct guard *g, size_t i);
/* Sleeps until all are, by whomever, or the deadline has passed; whether they are. */
bool guard_await_settled(struct guard *g, uint64_t deadline_usec);
/* It has not fired, and nothing is committed. */
bool guard_is_armed(const struct guard *g);
/* It resumed something that was committed. That may have been beside its own thread, or not the
 * first attempt: whether the origin got its new table, and tells its copy what is written, is not
 * known then. */
bool guard_has_helped(const struct guard *g);
/* It was killed. */
bool guard_is_dead(const struct guard *g);
/* Before the deadline: what is not settled shall be resumed, each origin by itself, where who would
 * resume one might hang. In the thread of guard_arm(). */
void guard_fire(struct guard *g);
/* settled: nothing is suspended any more, it may go. Otherwise it stays until guard_free(), or the
 * daemon's end, and resumes meanwhile what is not settled: a thread that hangs in a suspend cannot
 * undo it should the daemon be stopped in the moment that it completes. */
void guard_disarm(struct guard *g, bool settled);
pid_t guard_pid(const struct guard *g);
