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

/* A suspend that was under way when the daemon died, or hangs in it, can complete a little later:
 * the rounds go on until its last thread is gone, or this long after the first; but for an origin
 * whose other device is just being brought to life, to the end of that. */
#define ROUNDS_USEC (1500 * USEC_PER_MSEC)
#define ROUND_PAUSE_MSEC 10
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
        atomic_store(&row->undecided, false);
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

enum rescued { RESCUED, RESCUE_UNDER_WAY, RESCUE_TOO_EARLY };

/* alone: nobody is at work on these devices any more, so that there is nothing to wait for. Whether
 * it was too early only the helper will know: until then it counts as that. */
static enum rescued rescue_row(struct guard_process *p, struct guard_row *row, bool committed,
                               bool alone) {
        if (atomic_load(&row->order) == GUARD_REST) {
                if (dm_request_run(row->status, p->kernel, p->control_fd) < 0 ||
                    !dm_request_saw_suspended(row->status))
                        return RESCUED;
                row->committed = committed;
                row->alone = alone;
                atomic_store(&row->undecided, !committed && row->other && !alone);
                if (row->has_helper) {
                        atomic_store(&row->order, GUARD_RESUME);
                        futex_wake_all(&row->order);
                } else
                        resume_row(row, false);
        }
        /* Looked at again in the next round. */
        return atomic_load(&row->undecided) ? RESCUE_TOO_EARLY : RESCUE_UNDER_WAY;
}

/* What is too early keeps no other waiting: the set is lost by then, and a second is promised.
 * Those with another device last: it can be what a dead thread of the daemon still waits in. */
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

static bool any_at_work(const struct guard_process *p) {
        for (size_t i = 0; i < p->n_rows; i++)
                if (atomic_load(&p->rows[i].order) != GUARD_REST)
                        return true;
        return false;
}

/* A real sleep: the processor may be needed by what a resume waits for. */
static void pause_between_rounds(struct guard_process *p, bool alone) {
        if (alone)
                (void)poll(NULL, 0, ROUND_PAUSE_MSEC);
        else
                (void)await_daemons_end(p, ROUND_PAUSE_MSEC); /* the next round asks again */
}

/* With the daemon dead and everything resumed the next start must not look for anything: whatever
 * is suspended by then is another program's. */
static void forget_list(const struct guard_process *p) {
        if (p->list)
                (void)unlink(p->list); /* or that start goes by the state of the devices */
}

/* The origins are ours to resume only as long as it can be the daemon that suspended them: the next
 * one, or an administrator, suspends them for reasons of their own. */
static void rescue(struct guard_process *p) {
        uint32_t expected = GUARD_ARMED;
        uint64_t end_usec;

        (void)atomic_compare_exchange_strong(&p->page->state, &expected, GUARD_FIRED);
        end_usec = now_monotonic_usec() + ROUNDS_USEC;
        for (;;) {
                bool over = now_monotonic_usec() >= end_usec, gone = await_daemons_end(p, 0);
                /* Where nothing tells of the daemon's end, its time must do. */
                bool alone = gone || (p->daemon_fd < 0 && over);
                enum guard_state state = state_of(p);
                enum rescued worst;

                if (state == GUARD_DONE)
                        return;
                worst = rescue_rows(p, state == GUARD_COMMITTED, alone);
                if (gone && worst == RESCUED)
                        forget_list(p);
                if ((alone && worst == RESCUED) || (over && worst != RESCUE_TOO_EARLY))
                        return;
                pause_between_rounds(p, gone);
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
        pause_between_rounds(p, false);
        pause_between_rounds(p, true);
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
        /* The daemon's end: a suspend that hung while it lived can have completed since. */
        if (armed && word == '\0') {
                rescue(p);
                await_helpers(p);
        }
        _exit(EXIT_SUCCESS);
}
