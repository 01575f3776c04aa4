/* The guard's own life, from the fork to its exit: see guard.h. It runs in a copy of the daemon
 * that has one thread and may have been forked while others held locks, so it calls nothing that
 * allocates or locks: system calls, and the one mutex in the shared page. */

#include "daemon/window/guard-process.h"
#include "daemon/window/stack.h"
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* A suspend that is under way when the daemon dies, is stopped or hangs can complete at any time:
 * the rounds go on until no origin can be suspended by it any more, slower when they have taken
 * this long. */
#define QUICK_ROUNDS_USEC (1500 * USEC_PER_MSEC)
#define ROUND_PAUSE_MSEC 10
#define SLOW_ROUND_PAUSE_MSEC 100
/* A thread of a dying daemon that is in the midst of its resume is out of it by then, or hangs. */
#define DYING_USEC (100 * USEC_PER_MSEC)
/* Less than the daemon waits for the guard. */
#define POST_TIMEOUT_USEC (8 * USEC_PER_SEC)

static enum guard_state state_of(struct guard_process *p) {
        return (enum guard_state)atomic_load(&p->page->state);
}

/* Nobody is left to tell of a failure; the next round tries again. */
static void run_request(const struct guard_process *p, struct dm_request *request, bool rehearsal) {
        if (rehearsal)
                dm_request_touch(request);
        else
                (void)dm_request_run(request, p->kernel, p->control_fd);
}

/* rehearsal: in memory only, so that all of it is there. */
static void resume_row(struct guard_row *row, bool rehearsal) {
        struct guard_process *p = row->process;
        bool forward = false;

        if (!row->committed && row->other && rehearsal)
                other_device_touch(row->other);
        else if (!row->committed && row->other) {
                int r = other_device_go_back(row->other, p->kernel, p->control_fd);

                if (r == -EAGAIN && !row->alone)
                        return; /* too early */
                forward = r > 0;
        }
        if (!row->committed && !forward && row->clears_inactive_table)
                run_request(p, row->clear, rehearsal);
        run_request(p, row->resume, rehearsal);
}

/* A resume thaws the file system, which writes to it and waits for that: where storage is slow or
 * hangs, that is no reason to let other volumes wait. So each origin has a helper: a process in the
 * guard's own memory (all share errno, so that an error tells no more than that there was one),
 * made before the window, because there may be no memory for it when it is needed. It ends with the
 * guard. */
static int helper_run(void *userdata) {
        struct guard_row *row = userdata;
        struct guard_process *p = row->process;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != p->pid)
                return 0; /* it has ended just before */
        /* By its end the daemon sees that the guard itself is there. The lock stays: it is for as
         * long as anybody may resume. */
        (void)close(p->socket_fd); /* our own copy of the descriptor */
        resume_row(row, true);
        (void)futex_wait(&row->order, GUARD_RESUME, USEC_INFINITY); /* it is not that */
        atomic_fetch_add(&p->n_at_post, 1);
        futex_wake_all(&p->n_at_post);
        for (;;) {
                if (atomic_load(&row->order) == GUARD_RESUME) {
                        resume_row(row, false);
                        atomic_store(&row->order, GUARD_REST);
                }
                (void)futex_wait(&row->order, GUARD_REST, USEC_INFINITY);
        }
}

static void make_helpers(struct guard_process *p) {
        uint64_t deadline_usec = now_monotonic_usec() + POST_TIMEOUT_USEC;
        uint32_t n = 0, at_post;

        p->pid = getpid();
        for (size_t i = 0; i < p->n_rows; i++) {
                struct guard_row *row = p->rows + i;

                /* Into memory, as the head of the row. */
                memset(row->stack, 0, sizeof(row->stack));
                row->committed = false;
                atomic_store(&row->order, GUARD_REST);
                /* Without one the guard does its work. */
                row->has_helper = clone(helper_run, row->stack + sizeof(row->stack),
                                        CLONE_VM | SIGCHLD, row) > 0;
                if (row->has_helper)
                        n++;
                else
                        resume_row(row, true);
        }
        while ((at_post = atomic_load(&p->n_at_post)) < n)
                if (futex_wait(&p->n_at_post, at_post, deadline_usec) == -ETIMEDOUT)
                        _exit(EXIT_FAILURE); /* and there is no window */
}

static bool any_at_work(const struct guard_process *p) {
        for (size_t i = 0; i < p->n_rows; i++)
                if (atomic_load(&p->rows[i].order) != GUARD_REST)
                        return true;
        return false;
}

/* 1: something of it waits to be resumed; 0: nothing does. */
static int ask_row(struct guard_process *p, struct guard_row *row, bool committed) {
        int r = dm_request_run(row->status, p->kernel, p->control_fd);

        if (r < 0 || dm_request_saw_suspended(row->status))
                return r < 0 ? r : 1;
        r = row->other && !committed ? other_device_is_asleep(row->other, p->kernel, p->control_fd)
                                     : 0;
        return r == -ENXIO ? 0 : r; /* -ENXIO is said of the origin alone */
}

/* True if it is settled; otherwise it is to be looked at again in the next round. alone: nobody is
 * at work on these devices any more, so that there is nothing to wait for. What has been seen
 * running is left alone from then on: who suspends it now does so for reasons of his own. But not
 * as long as the daemon can still put something to sleep: the origin, or the other device. */
static bool rescue_row(struct guard_process *p, size_t i, bool committed, bool alone) {
        struct guard_row *row = &p->rows[i];
        uint32_t part = atomic_load(&p->page->parts[i]); /* before the state is asked for */
        int r;

        if (atomic_load(&row->order) != GUARD_REST)
                return false;
        if (part == GUARD_PART_SETTLED)
                return true;
        r = ask_row(p, row, committed);
        if (r == 0 && !alone && (part == GUARD_PART_OPEN || (row->other_works && !committed)))
                return false;
        /* There is no such device any more; but an error is what a helper may have left. */
        if (r == 0 || (r == -ENXIO && !any_at_work(p))) {
                guard_page_settle(p->page, i);
                return true;
        }
        if (r < 0)
                return false;
        if (part == GUARD_PART_RESUMING && !alone && now_monotonic_usec() < p->leave_usec)
                return false;
        if (committed)
                atomic_store(&p->page->helped, true);
        row->committed = committed;
        row->alone = alone;
        if (row->has_helper) {
                atomic_store(&row->order, GUARD_RESUME);
                futex_wake_all(&row->order);
        } else
                resume_row(row, false);
        return false;
}

/* True if all are settled. What cannot be decided yet keeps no other waiting: the set is lost by
 * then, and a second is promised. Those with another device last: it can be what a dead thread of
 * the daemon still waits in. */
static bool rescue_rows(struct guard_process *p, bool committed, bool alone) {
        bool all = true;

        for (unsigned with_other = 0; with_other < 2; with_other++)
                for (size_t i = 0; i < p->n_rows; i++)
                        if ((p->rows[i].other != NULL) == with_other &&
                            !rescue_row(p, i, committed, alone))
                                all = false;
        return all;
}

/* Sleeps at most so long, or until the daemon has something to say; true if nothing of it is left,
 * which can suspend nothing then. */
static bool await_daemons_end(struct guard_process *p, int msec) {
        struct pollfd daemon[] = {
                { .fd = p->daemon_fd, .events = POLLIN },
                { .fd = p->socket_fd, .events = POLLIN },
        };

        return poll(daemon, ARRAY_SIZE(daemon), msec) > 0 &&
               (daemon[0].revents != 0 || daemon[1].revents & (POLLHUP | POLLERR));
}

/* A real sleep: the processor may be needed by what a resume waits for. */
static void pause_between_rounds(struct guard_process *p, bool alone, bool slow) {
        int msec = slow ? SLOW_ROUND_PAUSE_MSEC : ROUND_PAUSE_MSEC;

        if (alone)
                (void)poll(NULL, 0, msec);
        else
                (void)await_daemons_end(p, msec); /* the next round asks again */
}

/* With the daemon dead and everything resumed the next start must not look for anything: whatever
 * is suspended by then is another program's. */
static void forget_list(const struct guard_process *p) {
        if (p->list)
                (void)unlink(p->list); /* or that start goes by the state of the devices */
}

/* Until all origins are settled: a daemon that is stopped, or that waits for what hangs, may leave
 * something suspended at any time. */
static void rescue(struct guard_process *p) {
        uint32_t expected = GUARD_ARMED;
        uint64_t quick_end_usec;

        (void)atomic_compare_exchange_strong(&p->page->state, &expected, GUARD_FIRED);
        quick_end_usec = now_monotonic_usec() + QUICK_ROUNDS_USEC;
        for (;;) {
                bool gone = await_daemons_end(p, 0);
                enum guard_state state = state_of(p);

                if (state == GUARD_DONE)
                        return;
                if (rescue_rows(p, state == GUARD_COMMITTED, gone)) {
                        if (gone)
                                forget_list(p);
                        return;
                }
                pause_between_rounds(p, gone, now_monotonic_usec() >= quick_end_usec);
        }
}

/* A helper ends with the guard, and must not in the midst of its work: what it has to do before the
 * resume may be what hangs. */
static void await_helpers(const struct guard_process *p) {
        while (any_at_work(p))
                (void)poll(NULL, 0, ROUND_PAUSE_MSEC);
}

/* Watches over an armed window. */
static void watch(struct guard_process *p) {
        uint64_t deadline_usec = atomic_load(&p->page->deadline_usec);
        const struct timespec deadline = {
                .tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000,
        };

        /* 0: the window is over, and if that was not said as well, something of it still hangs.
         * Anything else (its holder died, the deadline passed): it is not over. */
        switch (pthread_mutex_clocklock(&p->page->alive, CLOCK_MONOTONIC, &deadline)) {
        case 0:
                (void)pthread_mutex_unlock(&p->page->alive); /* ours, so it cannot fail */
                p->leave_usec = deadline_usec;
                break;
        case EOWNERDEAD: p->leave_usec = now_monotonic_usec() + DYING_USEC; break;
        default: break;
        }
        if (state_of(p) != GUARD_DONE)
                rescue(p);
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

/* Before everything else on this host, as the window's own threads. Where it is not permitted the
 * guard takes its turn like others. */
static void ask_for_priority(void) {
        const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };

        (void)sched_setscheduler(0, SCHED_RR, &lowest);
}

/* Its own code, all of it: a fork has the memory of its parent, but of files only what it has
 * touched itself. Where it is not permitted, what the rehearsal touches has to do. */
static void pin_code(const struct guard_process *p) {
        for (size_t i = 0; i < p->n_code; i++)
                (void)mlock(p->code[i].start, p->code[i].length);
}

/* Walks through all the code and memory that a rescue needs (its helpers have), so that it is
 * there, and then pins it: with the daemon killed there may be no memory to be had, and no program
 * to be read from a volume that is suspended. MCL_ONFAULT: a copy of the daemon's whole heap would
 * be made for nothing otherwise. */
static void rehearse(struct guard_process *p) {
        stack_touch();
        for (size_t i = 0; i < p->n_rows; i++)
                (void)dm_request_run(p->rows[i].status, p->kernel, p->control_fd);
        pause_between_rounds(p, false, false);
        pause_between_rounds(p, true, false);
        (void)any_at_work(p);
        (void)unlink(""); /* there is no such file */
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
        (void)prctl(PR_SET_DUMPABLE, 0); /* as the daemon, see core-dump.h */
        close_all_but(kept, ARRAY_SIZE(kept));
        escape_oom_killer();
        ask_for_priority();
        pin_code(p);
        make_helpers(p);
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
        /* The daemon's end. */
        if (armed && word == '\0') {
                rescue(p);
                await_helpers(p);
        }
        _exit(EXIT_SUCCESS);
}
