/* The window's holder: builds it, begins it, watches the clock, sends everybody back when it has
 * to, says what came of it. See window.h; what a thread does is in window-row.c. The engine is
 * owned by whoever made it, and by its threads for as long as they run: a thread whose suspend
 * hangs in the kernel may outlive window_free(). */

#include "daemon/window/window.h"
#include "daemon/log/log.h"
#include "daemon/window/core-dump.h"
#include "daemon/window/stack.h"
#include "daemon/window/window-row.h"
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#define STACK_SIZE (UINT64_C(64) * 1024)

/* Of the time that writes may be held, what is kept for the way back. */
#define BACK_RESERVE_PART 10
#define BACK_RESERVE_MAX_USEC (500 * USEC_PER_MSEC)

/* On the way back: when the guard is called for a row whose commit hangs, and when one that hangs
 * still is left to itself. On the way forward it is, so long after the deadline. */
#define TAKE_OVER_USEC (50 * USEC_PER_MSEC)
#define ANSWER_USEC (500 * USEC_PER_MSEC)
#define ABANDON_USEC (1 * USEC_PER_SEC)

/* Threads that park need a moment each. */
#define PARK_TIMEOUT_USEC (30 * USEC_PER_SEC)

int window_new(struct window **ret, const struct window_options *options) {
        struct window *w;

        assert(options->hold_usec > 0);
        assert(options->flush_usec > 0);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->kernel = options->kernel ? options->kernel : &dm_kernel;
        w->hold_usec = options->hold_usec;
        w->flush_usec = options->flush_usec;
        w->guard_lock = options->guard_lock;
        w->suspend_lists = options->suspend_lists;
        w->control_fd = -1;
        atomic_store(&w->n_owners, 1);
        *ret = w;
        return 0;
}

static void window_destroy(struct window *w) {
        w->suspend_list = suspend_list_free(w->suspend_list);
        w->guard = guard_free(w->guard);
        w->control_fd = safe_close(w->control_fd);
        for (size_t i = 0; i < w->n_rows; i++)
                row_free(w->rows[i]);
        free(w->rows);
        free(w);
}

void window_unref(struct window *w) {
        if (atomic_fetch_sub(&w->n_owners, 1) == 1)
                window_destroy(w);
}

struct window *window_free(struct window *w) {
        bool all_joined = true, ran;

        if (!w)
                return NULL;
        ran = !gate_step(&w->gate, GATE_PARKED, GATE_QUIT);
        for (size_t i = 0; i < w->n_rows; i++) {
                struct row *row = w->rows[i];

                if (!row->has_thread)
                        continue;
                if (ran && !atomic_load(&row->through)) {
                        (void)pthread_detach(row->thread);
                        all_joined = false;
                } else
                        (void)pthread_join(row->thread, NULL);
        }
        /* A stack that a hung thread stands on stays. */
        if (w->stacks && all_joined)
                (void)munmap(w->stacks, w->stacks_size); /* mapped by make_stacks() */
        while (w->n_memory_locks-- > 0)
                w->kernel->unlock_memory();
        window_unref(w);
        return NULL;
}

int window_add_row(struct window *w, const struct window_row *spec, struct vss_error *reterr) {
        struct row **rows;
        int r;

        assert(!w->prepared);

        for (size_t i = 0; i < w->n_rows; i++)
                if (w->rows[i]->origin == spec->origin)
                        return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                             "%s and %s are the same volume", spec->volume,
                                             w->rows[i]->volume);
        rows = reallocarray(w->rows, w->n_rows + 1, sizeof(*rows));
        if (!rows)
                return vss_error_from_errno(reterr, -ENOMEM, spec->volume);
        w->rows = rows;
        r = row_new(&w->rows[w->n_rows], w, spec);
        if (r < 0)
                return vss_error_from_errno(reterr, r, spec->volume);
        w->n_rows++;
        return 0;
}

/* Every origin is there, and nobody else has suspended it: we could not know whether to resume. */
static int check_origins(struct window *w, struct vss_error *reterr) {
        for (size_t i = 0; i < w->n_rows; i++) {
                struct row *row = w->rows[i];
                uint64_t since_usec;
                int r;

                if (held_origin_find(row->origin, &since_usec))
                        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                             "%s is still held by an earlier set, which its "
                                             "storage keeps waiting; try again when that answers",
                                             row->volume);
                r = dm_request_run(row->status, w->kernel, w->control_fd);
                if (r < 0)
                        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                             "cannot read the state of %s: %s", row->volume,
                                             strerror(-r));
                if (dm_request_saw_suspended(row->status))
                        return vss_error_set(
                                reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                "%s is suspended by another program; when that has ended, "
                                "'dmsetup resume' brings the volume back",
                                row->volume);
        }
        return 0;
}

static int make_guard(struct window *w, struct vss_error *reterr) {
        _cleanup_(freep) struct guard_origin *origins = NULL;

        origins = calloc(w->n_rows, sizeof(*origins));
        if (!origins)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot make the guard process");
        for (size_t i = 0; i < w->n_rows; i++) {
                origins[i].device = w->rows[i]->origin;
                origins[i].clears_inactive_table = w->rows[i]->clears_inactive_table;
                origins[i].other = w->rows[i]->other_number;
                origins[i].other_works = w->rows[i]->other_works;
        }
        return guard_new(&w->guard, w->kernel, w->control_fd, w->guard_lock,
                         suspend_list_path(w->suspend_list), origins, w->n_rows, reterr);
}

/* For the start after the death of daemon and guard. What was just read of each origin is used. */
static int make_list(struct window *w, struct vss_error *reterr) {
        _cleanup_(freep) struct suspend_entry *entries = NULL;

        if (!w->suspend_lists)
                return 0;
        entries = calloc(w->n_rows, sizeof(*entries));
        if (!entries)
                return vss_error_from_errno(reterr, -ENOMEM, w->suspend_lists);
        for (size_t i = 0; i < w->n_rows; i++)
                entries[i] = (struct suspend_entry){
                        .origin = w->rows[i]->origin,
                        .clears_inactive_table = w->rows[i]->clears_inactive_table,
                        .other = w->rows[i]->other_number,
                        .other_works = w->rows[i]->other_works,
                        .uuid = dm_request_saw_uuid(w->rows[i]->status),
                };
        return suspend_list_new(&w->suspend_list, w->suspend_lists, entries, w->n_rows, reterr);
}

static size_t page_size(void) {
        return (size_t)sysconf(_SC_PAGESIZE);
}

/* One mapping for all: each a guard page and the stack above it. glibc's own cache of stacks could
 * hand out one of 8 MiB, and locking that into memory costs more than the whole window. */
static int make_stacks(struct window *w, size_t *ret_each) {
        size_t each = STACK_SIZE + page_size();
        char *stacks;

        stacks = mmap(NULL, each * w->n_rows, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stacks == MAP_FAILED)
                return -errno;
        w->stacks = stacks;
        w->stacks_size = each * w->n_rows;
        for (size_t i = 0; i < w->n_rows; i++)
                if (mprotect(stacks + i * each, page_size(), PROT_NONE) < 0)
                        return -errno;
        *ret_each = each;
        return 0;
}

/* Before everything else on this host: the commits wake udev, a process for each copy, and those
 * would run while writes are held. */
static int ask_for_priority(pthread_attr_t *attributes) {
        const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };
        int r;

        r = -pthread_attr_setschedpolicy(attributes, SCHED_RR);
        if (r == 0)
                r = -pthread_attr_setschedparam(attributes, &lowest);
        if (r == 0)
                r = -pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
        return r;
}

static int make_thread(struct row *row, char *stack, bool urgent) {
        pthread_attr_t attributes;
        sigset_t all;
        int r;

        r = -pthread_attr_init(&attributes);
        if (r < 0)
                return r;
        sigfillset(&all);
        r = -pthread_attr_setstack(&attributes, stack, STACK_SIZE);
        if (r == 0)
                r = -pthread_attr_setsigmask_np(&attributes, &all);
        if (r == 0 && urgent)
                r = ask_for_priority(&attributes);
        if (r == 0) {
                atomic_fetch_add(&row->window->n_owners, 1);
                r = -pthread_create(&row->thread, &attributes, row_thread, row);
                row->has_thread = r == 0;
                if (r < 0)
                        atomic_fetch_sub(&row->window->n_owners, 1);
        }
        (void)pthread_attr_destroy(&attributes);
        return r;
}

static int make_threads(struct window *w) {
        uint64_t deadline_usec = now_monotonic_usec() + PARK_TIMEOUT_USEC;
        size_t each = 0;
        int r;

        r = make_stacks(w, &each);
        for (size_t i = 0; r >= 0 && i < w->n_rows; i++) {
                char *stack = (char *)w->stacks + i * each + page_size();

                r = make_thread(w->rows[i], stack, true);
                if (r == -EPERM) /* in a container, say */
                        r = make_thread(w->rows[i], stack, false);
        }
        while (r >= 0) {
                uint32_t n = atomic_load(&w->n_parked);

                if (n == w->n_rows)
                        break;
                r = futex_wait(&w->n_parked, n, deadline_usec);
        }
        return r;
}

static int lock_memory(struct window *w, struct vss_error *reterr) {
        int r = w->kernel->lock_memory();

        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r,
                                     "cannot lock the daemon into memory, which holding writes "
                                     "needs: %s; raise its limit (LimitMEMLOCK=infinity)",
                                     strerror(-r));
        w->n_memory_locks++;
        return 0;
}

int window_prepare(struct window *w, struct vss_error *reterr) {
        int r;

        assert(!w->prepared);

        w->prepared = true;
        if (w->n_rows == 0)
                return 0;

        w->control_fd = w->kernel->open_control();
        if (w->control_fd < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -w->control_fd,
                                     "cannot open the control node of device-mapper: %s; is the "
                                     "kernel module dm_mod loaded?",
                                     strerror(-w->control_fd));
        r = check_origins(w, reterr);
        if (r < 0)
                return r;
        r = make_list(w, reterr);
        if (r >= 0)
                r = make_guard(w, reterr);
        if (r < 0)
                return r;
        r = make_threads(w);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot make the threads of the window");
        return lock_memory(w, reterr);
}

/* A guard that somebody has killed does not answer. A second thing that hangs, this call in it, is
 * not looked for then; nor one that fails, which the row's own thread will try again. */
static void take_over(struct window *w) {
        for (size_t i = 0; i < w->n_rows; i++) {
                struct row *row = w->rows[i];

                if (!row->other && row_take(row, ROW_SUSPENDED, ROW_RESUMING) &&
                    row_resume_once(row) >= 0)
                        guard_settle(w->guard, i);
        }
}

/* Waits until all rows are settled, but not for what hangs. Returns whether they are. */
static bool see_all_settled(struct window *w, uint64_t deadline_usec) {
        if (guard_await_settled(w->guard, deadline_usec))
                return true;
        for (size_t i = 0; i < w->n_rows; i++)
                if (!guard_is_settled(w->guard, i))
                        row_abandon(w->rows[i]);
        return guard_await_settled(w->guard, 0); /* perhaps in this moment */
}

/* The rows that wait at the gate go back by themselves and at once. Here are the others. */
static bool see_all_back(struct window *w) {
        uint64_t begin_usec = now_monotonic_usec();

        if (guard_await_settled(w->guard, begin_usec + TAKE_OVER_USEC))
                return true;
        /* A commit that hangs keeps its origin suspended. Who resumes that for it may hang, too, so
         * it is done by those that have nothing else to do. */
        guard_fire(w->guard);
        if (!guard_await_settled(w->guard, begin_usec + ANSWER_USEC) &&
            (guard_is_armed(w->guard) || guard_is_dead(w->guard)))
                take_over(w);
        return see_all_settled(w, begin_usec + ABANDON_USEC);
}

/* Waits for a phase to end; sends everybody back if that takes too long. */
static enum gate_phase watch_phase(struct window *w, enum gate_phase phase,
                                   uint64_t deadline_usec) {
        enum gate_phase now = gate_wait(&w->gate, phase, deadline_usec);

        if (now != phase)
                return now;
        for (size_t i = 0; i < w->n_rows; i++) {
                struct row *row = w->rows[i];

                row->late = phase == GATE_SUSPENDING ? row_state(row) == ROW_PENDING
                                                     : !atomic_load(&row->committed);
        }
        /* If it fails, the last row came in this moment, and the next phase goes on. */
        (void)gate_step(&w->gate, phase, GATE_BACK);
        return gate_phase(&w->gate);
}

static bool any_late(const struct window *w) {
        for (size_t i = 0; i < w->n_rows; i++)
                if (w->rows[i]->late)
                        return true;
        return false;
}

static bool any_stuck(const struct window *w) {
        for (size_t i = 0; i < w->n_rows; i++)
                if (w->rows[i]->stuck)
                        return true;
        return false;
}

enum window_outcome {
        WINDOW_GOOD,
        WINDOW_FLUSH_LATE,
        WINDOW_HOLD_LATE,
        WINDOW_STUCK,
        WINDOW_FAILED,
};

/* From the first suspend to the last resume. */
static enum window_outcome run_armed(struct window *w, uint64_t begin_usec, bool *ret_settled) {
        uint64_t reserve_usec = w->hold_usec / BACK_RESERVE_PART, hold_deadline_usec;
        uint64_t flush_deadline_usec = begin_usec + w->flush_usec;
        enum window_outcome late;
        enum gate_phase phase;

        if (reserve_usec > BACK_RESERVE_MAX_USEC)
                reserve_usec = BACK_RESERVE_MAX_USEC;
        hold_deadline_usec = begin_usec + w->hold_usec - reserve_usec;

        (void)gate_step(&w->gate, GATE_PARKED, GATE_SUSPENDING); /* nobody else takes this step */
        /* A suspend is late because of what it has to write: whichever limit it meets. */
        phase = watch_phase(w, GATE_SUSPENDING,
                            flush_deadline_usec < hold_deadline_usec ? flush_deadline_usec
                                                                     : hold_deadline_usec);
        late = any_late(w) ? WINDOW_FLUSH_LATE : WINDOW_HOLD_LATE;
        if (phase == GATE_COMMITTING) {
                late = WINDOW_HOLD_LATE;
                phase = watch_phase(w, GATE_COMMITTING, hold_deadline_usec);
        }
        if (phase == GATE_RESUMING)
                *ret_settled = see_all_settled(w, begin_usec + w->hold_usec + ABANDON_USEC);
        else
                *ret_settled = see_all_back(w);
        w->times.end_usec = now_monotonic_usec();

        if (atomic_load(&w->failure.row) != 0)
                return WINDOW_FAILED;
        if (any_stuck(w))
                return WINDOW_STUCK;
        if (phase != GATE_RESUMING)
                return late;
        return guard_has_helped(w->guard) ? WINDOW_HOLD_LATE : WINDOW_GOOD;
}

/* "/srv/a/, /srv/b/": those that were late, or are stuck. NULL if there are none or memory is out.
 */
static char *late_volumes(struct window *w, bool stuck) {
        char *list = NULL;

        for (size_t i = 0; i < w->n_rows; i++) {
                char *longer;

                if (!(stuck ? w->rows[i]->stuck : w->rows[i]->late))
                        continue;
                if (str_format(&longer, "%s%s%s", str_or_empty(list), list ? ", " : "",
                               w->rows[i]->volume) < 0)
                        break;
                free(list);
                list = longer;
        }
        return list;
}

static int say_late(struct window *w, enum window_outcome outcome, struct vss_error *reterr) {
        _cleanup_(freep) char *volumes = late_volumes(w, false);
        uint64_t msec;

        if (outcome == WINDOW_FLUSH_LATE) {
                msec = (w->flush_usec < w->hold_usec ? w->flush_usec : w->hold_usec) /
                       USEC_PER_MSEC;
                return vss_error_set(reterr, VSS_E_FLUSH_WRITES_TIMEOUT, ETIMEDOUT,
                                     "%s could not be flushed within %" PRIu64
                                     " ms; the storage is slow or hangs. Try again when less is "
                                     "written to it",
                                     volumes ? volumes : "the volumes", msec);
        }
        msec = w->hold_usec / USEC_PER_MSEC;
        return vss_error_set(reterr, VSS_E_HOLD_WRITES_TIMEOUT, ETIMEDOUT,
                             "writes to %s would have been held for more than %" PRIu64
                             " ms; they were let go and nothing was created. Try again when the "
                             "machine is less busy",
                             volumes ? volumes : "the volumes", msec);
}

static int say_stuck(struct window *w, struct vss_error *reterr) {
        _cleanup_(freep) char *volumes = late_volumes(w, true);

        return vss_error_set(reterr, VSS_E_HOLD_WRITES_TIMEOUT, ETIMEDOUT,
                             "writes to %s are still held: the storage does not answer, and they "
                             "go on when it does. Nothing was created",
                             volumes ? volumes : "a volume");
}

static int say_failed(struct window *w, struct vss_error *reterr) {
        const struct window_failure *f = &w->failure;
        const struct row *row = w->rows[f->row - 1];
        _cleanup_(freep) char *held = late_volumes(w, true);

        if (f->error == -EBUSY && streq(f->verb, "suspend"))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBUSY,
                                     "%s is frozen by another program; 'fsfreeze --unfreeze' on "
                                     "its mount point lets it go",
                                     row->volume);
        if (streq(f->verb, "check"))
                return vss_error_set(
                        reterr, VSS_E_PROVIDER_VETO, -f->error,
                        "the storage below %s changed while its copy was prepared (%s); "
                        "try again when it is healthy",
                        row->volume, strerror(-f->error));
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -f->error,
                             "device-mapper could not %s %s: %s%s%s%s", f->verb, row->volume,
                             strerror(-f->error), held ? "; writes to " : "", str_or_empty(held),
                             held ? " are still held, until its resume succeeds" : "");
}

static int say(struct window *w, enum window_outcome outcome, struct vss_error *reterr) {
        switch (outcome) {
        case WINDOW_GOOD: return 0;
        case WINDOW_FLUSH_LATE:
        case WINDOW_HOLD_LATE: return say_late(w, outcome, reterr);
        case WINDOW_STUCK: return say_stuck(w, reterr);
        case WINDOW_FAILED: return say_failed(w, reterr);
        }
        assert(false);
        return -EINVAL;
}

static void run_empty(struct window *w) {
        uint64_t now_usec = now_monotonic_usec();

        w->times = (struct window_result){
                .start_usec = now_usec,
                .suspended_usec = now_usec,
                .committed_usec = now_usec,
                .end_usec = now_usec,
                .instant_unix_nsec = now_realtime_nsec(),
        };
}

/* From the guard's arming to its disarming. */
static int run_rows(struct window *w, enum window_outcome *ret_outcome, struct vss_error *reterr) {
        uint64_t now_usec;
        bool settled = true;
        int r;

        r = w->suspend_list ? suspend_list_arm(w->suspend_list, reterr) : 0;
        if (r < 0) {
                w->ran = false; /* the threads are parked still */
                return r;
        }
        core_dump_forbid();
        now_usec = now_monotonic_usec();
        r = guard_arm(w->guard, now_usec + w->hold_usec);
        if (r < 0) {
                w->ran = false; /* as above */
                core_dump_allow();
                w->suspend_list = suspend_list_free(w->suspend_list);
                return vss_error_set(reterr, VSS_E_UNEXPECTED, -r,
                                     "the guard process is gone (%s); nothing was suspended",
                                     strerror(-r));
        }
        w->times.start_usec = now_usec;
        *ret_outcome = run_armed(w, now_usec, &settled);
        guard_disarm(w->guard, settled);
        core_dump_allow();
        atomic_store(&w->over, 1);
        futex_wake_all(&w->over);
        if (settled)
                w->suspend_list = suspend_list_free(w->suspend_list);
        return 0;
}

int window_run(struct window *w, struct window_result *ret, struct vss_error *reterr) {
        enum window_outcome outcome = WINDOW_GOOD;
        int r;

        assert(w->prepared);
        assert(!w->ran);

        w->ran = true;
        if (w->n_rows == 0) {
                run_empty(w);
                *ret = w->times;
                return 0;
        }
        guard_forks_hold();
        log_hold();
        /* Since this one was prepared another window's guard may have been forked. */
        r = lock_memory(w, reterr);
        if (r >= 0) {
                stack_touch();
                r = run_rows(w, &outcome, reterr);
        } else
                w->ran = false; /* the threads are parked still */
        log_release();
        guard_forks_release();
        if (r < 0)
                return r;
        r = say(w, outcome, reterr);
        if (r >= 0)
                *ret = w->times;
        return r;
}

size_t window_row_count(const struct window *w) {
        return w->n_rows;
}

const char *window_row_volume(const struct window *w, size_t i) {
        assert(i < w->n_rows);
        return w->rows[i]->volume;
}

const struct window_row_times *window_row_times(const struct window *w, size_t i) {
        assert(i < w->n_rows);
        return &w->rows[i]->times;
}
