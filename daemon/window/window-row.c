/* What one thread of the window does: see window.h for the whole, gate.h for the phases. From the
 * suspend to the resume it runs prepared ioctls, waits on the gate and reads the clock; nothing
 * else. Results go into fields of the row. */

#include "daemon/window/window-row.h"
#include "daemon/window/stack.h"

/* A resume that fails leaves the volume hanging: these come at once, and then it is tried for as
 * long as it takes, with a pause. */
#define RESUME_ATTEMPTS 3
#define RESUME_PAUSE_USEC (20 * USEC_PER_MSEC)

struct row *row_free(struct row *row) {
        if (!row)
                return NULL;
        for (size_t i = 0; i < row->n_commits; i++)
                dm_request_free(row->commits[i]);
        free(row->commits);
        dm_request_free(row->status);
        dm_request_free(row->suspend);
        dm_request_free(row->clear);
        dm_request_free(row->resume);
        other_device_free(row->other);
        free(row->volume);
        free(row);
        return NULL;
}

int row_new(struct row **ret, struct window *w, const struct window_row *spec) {
        _cleanup_(row_freep) struct row *row = NULL;
        int r;

        row = calloc(1, sizeof(*row));
        if (!row)
                return -ENOMEM;
        row->volume = strdup(spec->volume);
        if (!row->volume)
                return -ENOMEM;
        row->window = w;
        row->index = w->n_rows;
        row->origin = spec->origin;
        row->clears_inactive_table = spec->clears_inactive_table;
        row->other_number = spec->other;
        row->other_works = spec->other_works;
        r = dm_request_new_status(&row->status, spec->origin);
        if (r >= 0)
                r = dm_request_new_suspend(&row->suspend, spec->origin);
        if (r >= 0)
                r = dm_request_new_clear(&row->clear, spec->origin);
        if (r >= 0)
                r = dm_request_new_resume(&row->resume, spec->origin);
        if (r >= 0 && spec->other != 0)
                r = other_device_new(&row->other, spec->other, spec->other_works);
        if (r < 0)
                return r;
        /* Last, so that a failure leaves them with the caller. */
        row->commits = spec->commits;
        row->n_commits = spec->n_commits;
        *ret = TAKE_PTR(row);
        return 0;
}

enum row_state row_state(struct row *row) {
        return (enum row_state)atomic_load(&row->state);
}

bool row_take(struct row *row, enum row_state from, enum row_state to) {
        uint32_t expected = from;

        return atomic_compare_exchange_strong(&row->state, &expected, to);
}

static int row_request(struct row *row, struct dm_request *request) {
        return dm_request_run(request, row->window->kernel, row->window->control_fd);
}

/* Remembers the first failure and turns everybody back. */
static void row_fail(struct row *row, const struct dm_request *request, int error) {
        struct window *w = row->window;

        if (!atomic_exchange(&w->failure.taken, true)) {
                w->failure.verb = dm_request_verb(request);
                w->failure.error = error;
                atomic_store(&w->failure.row, (uint32_t)row->index + 1);
        }
        if (!gate_step(&w->gate, GATE_SUSPENDING, GATE_BACK))
                (void)gate_step(&w->gate, GATE_COMMITTING, GATE_BACK); /* or it is there already */
}

void row_abandon(struct row *row) {
        uint32_t state = atomic_load(&row->state);

        held_origin_add(&row->held, row->origin); /* first: its thread takes it out */
        do {
                if (state == ROW_SETTLED) {
                        held_origin_remove(&row->held);
                        return;
                }
        } while (!atomic_compare_exchange_weak(&row->state, &state, ROW_ABANDONED));
        row->stuck = state != ROW_PENDING;
}

/* True if there is nothing left to resume: somebody else has, or the device is gone. */
static bool row_is_over(struct row *row) {
        int r;

        if (guard_is_settled(row->window->guard, row->index))
                return true;
        r = row_request(row, row->status);
        return r == -ENXIO || (r >= 0 && !dm_request_saw_suspended(row->status));
}

/* new_table: it was to get that now. The kernel drops a table that it cannot bring to life, and the
 * next attempt succeeds on the one before, past which the copy is not told of what is written. */
static void resume_for_good(struct row *row, bool new_table) {
        for (unsigned n = 1;; n++) {
                futex_word nothing = 0;
                int r = row_request(row, row->resume);

                if (r >= 0)
                        return;
                if (new_table || n == RESUME_ATTEMPTS)
                        row_fail(row, row->resume, r);
                if (n < RESUME_ATTEMPTS)
                        continue;
                (void)futex_wait(&nothing, 0, now_monotonic_usec() + RESUME_PAUSE_USEC);
                if (row_is_over(row))
                        return;
        }
}

int row_resume_once(struct row *row) {
        if (row->clears_inactive_table)
                (void)row_request(row, row->clear); /* as the guard does it */
        return row_request(row, row->resume);
}

/* True if the origin goes on over its new table. The commits of this row are over: its own thread
 * runs this. One that works and is not awake keeps waiting whoever writes to the origin: so that is
 * tried for as long as it takes. */
static bool other_goes_back(struct row *row) {
        for (;;) {
                futex_word nothing = 0;
                int r = other_device_go_back(row->other, row->window->kernel,
                                             row->window->control_fd);

                if (r >= 0)
                        return r > 0;
                if (r != -EAGAIN)
                        row_fail(row, row->resume, r);
                if (!row->other_works || r == -ENXIO ||
                    guard_is_settled(row->window->guard, row->index))
                        return false;
                (void)futex_wait(&nothing, 0, now_monotonic_usec() + RESUME_PAUSE_USEC);
        }
}

/* Returns when the origin runs. */
static void row_resume(struct row *row, bool back) {
        bool forward = false;
        int r;

        row->times.resume_begin_usec = now_monotonic_usec();
        if (back && row->other)
                forward = other_goes_back(row);
        if (back && row->clears_inactive_table && !forward) {
                r = row_request(row, row->clear);
                if (r < 0)
                        row_fail(row, row->clear, r);
        }
        resume_for_good(row, !back && row->clears_inactive_table);
        row->times.resume_end_usec = now_monotonic_usec();
}

static void row_settle(struct row *row) {
        atomic_store(&row->through, true);
        if (atomic_exchange(&row->state, ROW_SETTLED) == ROW_ABANDONED)
                held_origin_remove(&row->held);
        guard_settle(row->window->guard, row->index);
}

/* True for the last of all rows to arrive. */
static bool last_to_arrive(struct window *w, _Atomic uint32_t *counter) {
        return atomic_fetch_add(counter, 1) + 1 == w->n_rows;
}

static void row_suspended(struct row *row) {
        struct window *w = row->window;

        if (!last_to_arrive(w, &w->n_suspended))
                return;
        w->times.instant_unix_nsec = now_realtime_nsec();
        w->times.suspended_usec = now_monotonic_usec();
        (void)gate_step(&w->gate, GATE_SUSPENDING, GATE_COMMITTING); /* or it went back */
}

/* Asked before each commit: one can hang, or the daemon be stopped, until the window has gone back
 * without it. The origin takes writes then, and the device of the next commit is undone, or another
 * set's by then. (One that is about to begin in that moment does begin. It is undone with the rest;
 * but where it would set a second device to work beside the origin, see other-device.h.) */
static bool may_commit(struct window *w) {
        if (gate_phase(&w->gate) != GATE_COMMITTING)
                return false;
        if (guard_is_armed(w->guard))
                return true;
        (void)gate_step(&w->gate, GATE_COMMITTING, GATE_BACK); /* or it is there already */
        return false;
}

static void row_commit(struct row *row) {
        struct window *w = row->window;

        row->times.commit_begin_usec = now_monotonic_usec();
        for (size_t i = 0; i < row->n_commits; i++) {
                int r;

                if (!may_commit(w))
                        return;
                r = row_request(row, row->commits[i]);
                if (r < 0) {
                        row_fail(row, row->commits[i], r);
                        return;
                }
        }
        row->times.commit_end_usec = now_monotonic_usec();
        atomic_store(&row->committed, true);
        if (!last_to_arrive(w, &w->n_committed))
                return;
        w->times.committed_usec = now_monotonic_usec();
        /* Or it went back. */
        (void)gate_step(&w->gate, GATE_COMMITTING,
                        guard_commit(w->guard) ? GATE_RESUMING : GATE_BACK);
}

static void row_run(struct row *row) {
        struct window *w = row->window;
        enum gate_phase phase = GATE_BACK;
        int r;

        row->times.suspend_begin_usec = now_monotonic_usec();
        r = row_request(row, row->suspend);
        if (r < 0) {
                row_fail(row, row->suspend, r);
                row_settle(row);
                return;
        }
        guard_suspended(w->guard, row->index);
        row->times.suspend_end_usec = now_monotonic_usec();
        /* If it fails, nobody waits for this row any more. */
        if (row_take(row, ROW_PENDING, ROW_SUSPENDED)) {
                row_suspended(row);
                phase = gate_wait(&w->gate, GATE_SUSPENDING, USEC_INFINITY);
        }
        if (phase == GATE_COMMITTING) {
                row_commit(row);
                phase = gate_wait(&w->gate, GATE_COMMITTING, USEC_INFINITY);
        }
        (void)row_take(row, ROW_SUSPENDED, ROW_RESUMING); /* as above */
        /* The guard has, if the commit hung or the daemon was stopped; and who suspends it after
         * that is somebody else. */
        if (guard_resuming(w->guard, row->index))
                row_resume(row, phase == GATE_BACK);
        row_settle(row);
}

void *row_thread(void *p) {
        struct row *row = p;
        struct window *w = row->window;

        (void)pthread_setname_np(pthread_self(), "vssd-window");
        stack_touch();
        (void)now_monotonic_usec();
        (void)now_realtime_nsec();
        atomic_fetch_add(&w->n_parked, 1);
        futex_wake_all(&w->n_parked);

        if (gate_wait(&w->gate, GATE_PARKED, USEC_INFINITY) != GATE_QUIT) {
                row_run(row);
                while (atomic_load(&w->over) == 0)
                        (void)futex_wait(&w->over, 0, USEC_INFINITY);
        }
        window_unref(w);
        return NULL;
}
