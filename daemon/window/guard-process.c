/* The guard's own life, from the fork to its exit: see guard.h. It runs in a copy of the daemon
 * that has one thread and may have been forked while others held locks, so it calls nothing that
 * allocates or locks: system calls, and the one mutex in the shared page. */

#include "daemon/window/guard-process.h"
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* A suspend that was under way when the daemon died, or hangs in it, can complete a little later:
 * the rounds go on until its last thread is gone, or this long after the first; but for an origin
 * whose other device is just being brought to life, to the end of that. */
#define ROUNDS_USEC (1500 * USEC_PER_MSEC)
#define ROUND_PAUSE_MSEC 10

static enum guard_state state_of(struct guard_process *p) {
        return (enum guard_state)atomic_load(&p->page->state);
}

enum rescued { RESCUED, RESCUE_FAILED, RESCUE_TOO_EARLY };

/* Nobody is left to tell of a failure; the next round tries again. alone: nobody is at work on
 * these devices any more. */
static enum rescued rescue_row(struct guard_process *p, struct guard_row *row, bool committed,
                               bool alone) {
        bool forward = false;

        if (dm_request_run(row->status, p->kernel, p->control_fd) < 0 ||
            !dm_request_saw_suspended(row->status))
                return RESCUED;
        if (!committed && row->other) {
                int r = other_device_go_back(row->other, p->kernel, p->control_fd);

                if (r == -EAGAIN && !alone)
                        return RESCUE_TOO_EARLY;
                forward = r > 0;
        }
        if (!committed && !forward && row->clears_inactive_table)
                (void)dm_request_run(row->clear, p->kernel, p->control_fd);
        return dm_request_run(row->resume, p->kernel, p->control_fd) >= 0 ? RESCUED : RESCUE_FAILED;
}

/* Those with another device last: it can be what a dead thread of the daemon still waits in. */
static enum rescued rescue_rows(struct guard_process *p, bool committed, bool alone) {
        enum rescued worst = RESCUED;

        for (unsigned with_other = 0; with_other < 2; with_other++)
                for (size_t i = 0; i < p->n_rows; i++)
                        if ((p->rows[i].other != NULL) == with_other) {
                                enum rescued k = rescue_row(p, &p->rows[i], committed, alone);

                                worst = k > worst ? k : worst;
                        }
        return worst;
}

/* Sleeps at most so long; true if nothing of the daemon is left, which can suspend nothing then. */
static bool await_daemons_end(struct guard_process *p, int msec) {
        struct pollfd daemon = { .fd = p->daemon_fd, .events = POLLIN };

        return poll(&daemon, 1, msec) > 0;
}

/* The origins are ours to resume only as long as it can be the daemon that suspended them: the next
 * one, or an administrator, suspends them for reasons of their own. */
static void rescue(struct guard_process *p) {
        uint32_t expected = GUARD_ARMED;
        uint64_t end_usec;

        (void)atomic_compare_exchange_strong(&p->page->state, &expected, GUARD_FIRED);
        end_usec = now_monotonic_usec() + ROUNDS_USEC;
        for (;;) {
                bool over = now_monotonic_usec() >= end_usec;
                /* Where nothing tells of the daemon's end, its time must do. */
                bool alone = await_daemons_end(p, 0) || (p->daemon_fd < 0 && over);
                enum guard_state state = state_of(p);
                enum rescued worst;

                if (state == GUARD_DONE)
                        return;
                worst = rescue_rows(p, state == GUARD_COMMITTED, alone);
                if ((alone && worst == RESCUED) || (over && worst != RESCUE_TOO_EARLY))
                        return;
                (void)await_daemons_end(p, ROUND_PAUSE_MSEC); /* the next round asks again */
        }
}

/* Watches over an armed window. */
static void watch(struct guard_process *p) {
        uint64_t deadline_usec = atomic_load(&p->page->deadline_usec);
        const struct timespec deadline = {
                .tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000,
        };

        /* 0: the window is over. Anything else (its holder died, the deadline passed): not so. */
        if (pthread_mutex_clocklock(&p->page->alive, CLOCK_MONOTONIC, &deadline) != 0)
                rescue(p);
        else
                (void)pthread_mutex_unlock(&p->page->alive); /* ours, so it cannot fail */
}

static char receive(struct guard_process *p) {
        ssize_t l;
        char word;

        do
                l = read(p->socket_fd, &word, 1);
        while (l < 0 && errno == EINTR);
        return l == 1 ? word : '\0';
}

/* What stays open by a failure here is only untidy. */
static void close_all_but(const int *fds, size_t n) {
        for (unsigned from = 0;;) {
                unsigned kept = ~0U;

                for (size_t i = 0; i < n; i++)
                        if (fds[i] >= 0 && (unsigned)fds[i] >= from && (unsigned)fds[i] < kept)
                                kept = (unsigned)fds[i];
                if (kept > from)
                        (void)close_range(from, kept == ~0U ? kept : kept - 1, 0);
                if (kept == ~0U)
                        return;
                from = kept + 1;
        }
}

/* Rather anybody else than this process. */
static void escape_oom_killer(void) {
        static const char score[] = "-1000";
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        /* Not permitted to everybody, and not needed for anything but bad days. */
        if (write(fd, score, sizeof(score) - 1) < 0)
                errno = 0;
        fd = safe_close(fd);
}

/* Walks through all the code that a rescue needs, so that it is in memory, and then pins it there.
 * MCL_ONFAULT: a copy of the daemon's whole heap would be made for nothing otherwise. */
static void rehearse(struct guard_process *p) {
        for (size_t i = 0; i < p->n_rows; i++)
                (void)dm_request_run(p->rows[i].status, p->kernel, p->control_fd);
        (void)await_daemons_end(p, ROUND_PAUSE_MSEC);
        if (pthread_mutex_lock(&p->page->alive) == 0)
                (void)pthread_mutex_unlock(&p->page->alive);
        (void)now_monotonic_usec();
        /* Where it is not permitted, the pages are still there, only not pinned. */
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void guard_process_run(struct guard_process *p) {
        const int kept[] = { p->control_fd, p->socket_fd, p->daemon_fd, p->lock_fd };
        bool armed = false;
        sigset_t all;
        char word = GUARD_WORD_READY;

        /* SIGTERM of a stopping service, SIGINT of a terminal: not for this process. */
        sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        (void)prctl(PR_SET_NAME, "vssd-guard");
        (void)prctl(PR_SET_PDEATHSIG, 0);
        close_all_but(kept, ARRAY_SIZE(kept));
        escape_oom_killer();
        rehearse(p);
        if (write(p->socket_fd, &word, 1) != 1)
                _exit(EXIT_FAILURE);

        while (state_of(p) != GUARD_DONE) {
                word = receive(p);
                if (word != GUARD_WORD_ARM)
                        break;
                armed = true;
                watch(p);
        }
        /* The daemon's end: a suspend that hung while it lived can have completed since. */
        if (armed && word == '\0')
                rescue(p);
        _exit(EXIT_SUCCESS);
}
