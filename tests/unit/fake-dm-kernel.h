#pragma once

/* A device-mapper of a few devices for the tests of the window: it fails, hangs and counts as
 * told, and complains of every request that comes too early. It lives in a page that all processes
 * of a test share, so that what the guard does is seen after the daemon's death.
 *
 * Origin i has the number FAKE_ORIGIN(i); its commit is the resume of FAKE_COPY(i). FAKE_OTHER(i)
 * is the other device of its row, if a test gives it one; then a commit before that wakes it or
 * puts it to sleep. */

#include "daemon/window/dm-request.h"
#include "daemon/window/futex.h"
#include "daemon/window/window.h"
#include <check.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define FAKE_MAX 24
#define FAKE_MAJOR 254
#define FAKE_ORIGIN(i) makedev(FAKE_MAJOR, (unsigned)(i))
#define FAKE_COPY(i) makedev(FAKE_MAJOR, 128U + (unsigned)(i))
#define FAKE_OTHER(i) makedev(FAKE_MAJOR, 64U + (unsigned)(i))

/* A bound for waits that end long before, if the test passes. */
#define FAKE_PATIENCE_USEC (20 * USEC_PER_SEC)

enum fake_point {
        FAKE_NOWHERE,
        FAKE_SUSPEND,
        FAKE_OTHER_BEGIN,
        FAKE_OTHER_SWAP,
        FAKE_OTHER_COMMIT,
        FAKE_COMMIT,
        FAKE_RESUME,
};

struct fake_origin {
        _Atomic bool suspended, inactive_table, committed;
        _Atomic int suspend_error, commit_error; /* positive errno */
        _Atomic int status_error;                /* likewise */
        _Atomic int resume_failures;             /* that many resumes fail */
        _Atomic uint32_t hangs_at;               /* enum fake_point; until released */
        _Atomic bool resume_hangs;               /* there, too */
        _Atomic uint32_t stops_at;               /* enum fake_point: SIGSTOP there, once */
        _Atomic unsigned n_suspends, n_resumes, n_clears, n_commits;
        _Atomic pid_t resumed_by;
        _Atomic bool other_suspended, other_live_table, other_inactive_table;
        _Atomic int other_error;   /* positive errno: nothing wakes it */
        _Atomic unsigned n_others; /* suspends and resumes of it */
};

struct fake_page {
        struct fake_origin origins[FAKE_MAX];
        size_t n;
        size_t first;        /* of the origins that a window gets which is made now */
        futex_word released; /* lets everything go on that hangs */
        futex_word events;   /* counts whatever happened */
        _Atomic bool too_early;
        _Atomic bool two_at_work; /* an origin on its old table, and its other device */
        _Atomic int lock_error;
        _Atomic bool locked;
        _Atomic unsigned n_locks;
        bool has_others, others_work; /* of the windows' rows */
        bool no_new_tables;           /* likewise */
        unsigned n_copies;            /* of each row: so many commits more */
        void (*in_ioctl)(void);       /* called inside each ioctl; NULL: nothing */
};

static struct fake_page *fake;

static void fake_event(void) {
        atomic_fetch_add(&fake->events, 1);
        futex_wake_all(&fake->events);
}

static void fake_hang(struct fake_origin *o, enum fake_point point) {
        if (atomic_load(&o->stops_at) == point) {
                atomic_store(&o->stops_at, FAKE_NOWHERE);
                (void)raise(SIGSTOP);
        }
        if (atomic_load(&o->hangs_at) != point)
                return;
        fake_event();
        while (atomic_load(&fake->released) == 0)
                (void)futex_wait(&fake->released, 0, USEC_INFINITY);
}

static int fake_suspend(struct fake_origin *o) {
        atomic_fetch_add(&o->n_suspends, 1);
        fake_hang(o, FAKE_SUSPEND);
        if (o->suspend_error != 0)
                return -o->suspend_error;
        atomic_store(&o->suspended, true);
        return 0;
}

static int fake_commit(struct fake_origin *o) {
        atomic_fetch_add(&o->n_commits, 1);
        /* One that has gone back already is no matter: this row's thread has not seen it yet. */
        for (size_t i = 0; i < fake->n; i++)
                if (!atomic_load(&fake->origins[i].suspended) &&
                    atomic_load(&fake->origins[i].n_resumes) == 0)
                        atomic_store(&fake->too_early, true);
        fake_hang(o, FAKE_COMMIT);
        if (o->commit_error != 0)
                return -o->commit_error;
        atomic_store(&o->committed, true);
        return 0;
}

static bool fake_other_works(struct fake_origin *o) {
        return atomic_load(&o->other_live_table) && !atomic_load(&o->other_suspended);
}

static int fake_resume(struct fake_origin *o) {
        /* With its inactive table still there it is the good end, not the way back; but for one
         * whose other device works. */
        if (atomic_load(&o->suspended) && atomic_load(&o->inactive_table) && !fake_other_works(o))
                for (size_t i = 0; i < fake->n; i++)
                        if (!atomic_load(&fake->origins[i].committed))
                                atomic_store(&fake->too_early, true);
        fake_hang(o, o->resume_hangs ? atomic_load(&o->hangs_at) : FAKE_RESUME);
        if (atomic_load(&o->resume_failures) > 0) {
                atomic_fetch_sub(&o->resume_failures, 1);
                atomic_store(&o->inactive_table, false); /* as the kernel does */
                return -EIO;
        }
        if (atomic_load(&o->suspended) && !atomic_load(&o->inactive_table) && fake_other_works(o) &&
            !fake->others_work)
                atomic_store(&fake->two_at_work, true);
        atomic_fetch_add(&o->n_resumes, 1);
        atomic_store(&o->inactive_table, false);
        atomic_store(&o->resumed_by, getpid());
        atomic_store(&o->suspended, false);
        return 0;
}

/* As the kernel does it: it counts as suspended from before it has its table until it is awake, and
 * a suspend that finds it so waits for nobody. */
static int fake_wake_other(struct fake_origin *o) {
        fake_hang(o, FAKE_OTHER_BEGIN);
        if (atomic_exchange(&o->other_inactive_table, false)) {
                atomic_store(&o->other_suspended, true);
                fake_hang(o, FAKE_OTHER_SWAP);
                atomic_store(&o->other_live_table, true);
        }
        fake_hang(o, FAKE_OTHER_COMMIT);
        if (o->other_error != 0)
                return -o->other_error;
        if (!atomic_load(&o->other_live_table))
                return -EINVAL;
        /* Two at work, over the same blocks. */
        if (!atomic_load(&o->suspended) && !fake->others_work)
                atomic_store(&fake->two_at_work, true);
        atomic_store(&o->other_suspended, false);
        return 0;
}

/* It may change only while the origin is suspended. */
static int fake_other(struct fake_origin *o, unsigned long command, struct dm_ioctl *arg) {
        int r = 0;

        if (command == DM_TABLE_CLEAR)
                atomic_store(&o->other_inactive_table, false);
        else if (command == DM_DEV_SUSPEND) {
                atomic_fetch_add(&o->n_others, 1);
                if (!atomic_load(&o->suspended))
                        atomic_store(&fake->too_early, true);
                if (!(arg->flags & DM_SUSPEND_FLAG))
                        r = fake_wake_other(o);
                else if (!atomic_exchange(&o->other_suspended, true))
                        fake_hang(o, FAKE_OTHER_COMMIT);
        } else if (command != DM_DEV_STATUS)
                return -ENOTTY;
        arg->flags = (atomic_load(&o->other_suspended) ? DM_SUSPEND_FLAG : 0U) |
                     (atomic_load(&o->other_live_table) ? DM_ACTIVE_PRESENT_FLAG : 0U);
        return r;
}

static int fake_ioctl(int fd, unsigned long command, struct dm_ioctl *arg) {
        struct fake_origin *o;
        int r = 0;

        if (fake->in_ioctl)
                fake->in_ioctl();
        if (fd < 0 || arg->version[0] != DM_VERSION_MAJOR)
                return -EINVAL;
        /* The numbers of the test are small: the kernel's encoding is major << 8 | minor. */
        if (arg->dev >> 8 != FAKE_MAJOR || (arg->dev & 0x3f) >= fake->n)
                return -ENXIO;
        o = &fake->origins[arg->dev & 0x3f];
        if (arg->dev & 0x40) {
                r = fake_other(o, command, arg);
                fake_event();
                return r;
        }
        if (arg->dev & 0x80) {
                if (command != DM_DEV_SUSPEND || arg->flags & DM_SUSPEND_FLAG)
                        return -ENOTTY;
                r = fake_commit(o);
                fake_event();
                return r;
        }

        if (command == DM_TABLE_CLEAR) {
                atomic_fetch_add(&o->n_clears, 1);
                atomic_store(&o->inactive_table, false);
        } else if (command == DM_DEV_SUSPEND)
                r = arg->flags & DM_SUSPEND_FLAG ? fake_suspend(o) : fake_resume(o);
        else if (command != DM_DEV_STATUS)
                return -ENOTTY;
        else
                r = -o->status_error;
        arg->flags = (atomic_load(&o->suspended) ? DM_SUSPEND_FLAG : 0U) |
                     (atomic_load(&o->inactive_table) ? DM_INACTIVE_PRESENT_FLAG : 0U);
        /* As the kernel does, so that a request that is run twice must be filled anew. */
        memcpy(arg->name, "answer", 7);
        (void)snprintf(arg->uuid, sizeof(arg->uuid), "FAKE-%u", (unsigned)(arg->dev & 0x7f));
        fake_event();
        return r;
}

static int fake_open_control(void) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int fake_lock_memory(void) {
        if (fake->lock_error != 0)
                return -fake->lock_error;
        atomic_store(&fake->locked, true);
        atomic_fetch_add(&fake->n_locks, 1);
        return 0;
}

static void fake_unlock_memory(void) {
        if (atomic_fetch_sub(&fake->n_locks, 1) == 1)
                atomic_store(&fake->locked, false);
}

static const struct dm_kernel fake_kernel = {
        .open_control = fake_open_control,
        .ioctl = fake_ioctl,
        .lock_memory = fake_lock_memory,
        .unlock_memory = fake_unlock_memory,
};

static void fake_init(size_t n) {
        fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(fake, MAP_FAILED);
        fake->n = n;
        for (size_t i = 0; i < n; i++)
                fake->origins[i].inactive_table = true;
}

static _unused_ void fake_no_new_tables(void) {
        fake->no_new_tables = true;
        for (size_t i = 0; i < fake->n; i++)
                fake->origins[i].inactive_table = false;
}

static _unused_ void fake_release(void) {
        atomic_store(&fake->released, 1);
        futex_wake_all(&fake->released);
}

/* Of the windows made from here on. */
static const char *fake_guard_lock, *fake_suspend_lists;

/* A window over all origins. */
static struct window *fake_window_over(const struct dm_kernel *kernel, uint64_t flush_usec,
                                       uint64_t hold_usec) {
        const struct window_options options = {
                .flush_usec = flush_usec,
                .hold_usec = hold_usec,
                .kernel = kernel,
                .guard_lock = fake_guard_lock,
                .suspend_lists = fake_suspend_lists,
        };
        struct window *w = NULL;

        ck_assert_int_eq(window_new(&w, &options), 0);
        for (size_t i = fake->first; i < fake->n; i++) {
                struct dm_request **commits =
                        calloc(2 + fake->n_copies, sizeof(struct dm_request *));
                size_t n = 0;
                char volume[32];

                (void)snprintf(volume, sizeof(volume), "/srv/%zu/", i);
                ck_assert_ptr_nonnull(commits);
                if (fake->has_others)
                        ck_assert_int_eq((fake->others_work ? dm_request_new_suspend
                                                            : dm_request_new_resume)(&commits[n++],
                                                                                     FAKE_OTHER(i)),
                                         0);
                for (unsigned k = 0; k <= fake->n_copies; k++)
                        ck_assert_int_eq(dm_request_new_resume(&commits[n++], FAKE_COPY(i)), 0);
                ck_assert_int_eq(
                        window_add_row(w,
                                       &(struct window_row){
                                               .volume = volume,
                                               .origin = FAKE_ORIGIN(i),
                                               .commits = commits,
                                               .n_commits = n,
                                               .clears_inactive_table = !fake->no_new_tables,
                                               .other = fake->has_others ? FAKE_OTHER(i) : 0,
                                               .other_works = fake->others_work,
                                       },
                                       NULL),
                        0);
        }
        return w;
}

static _unused_ struct window *fake_window(uint64_t flush_usec, uint64_t hold_usec) {
        return fake_window_over(&fake_kernel, flush_usec, hold_usec);
}

static bool fake_nothing_suspended(void) {
        for (size_t i = 0; i < fake->n; i++)
                if (atomic_load(&fake->origins[i].suspended))
                        return false;
        return true;
}

/* Sleeps until the condition holds, woken by every request; false when patience is out. */
#define FAKE_WAIT_FOR(condition)                                           \
        __extension__({                                                    \
                uint64_t end_ = now_monotonic_usec() + FAKE_PATIENCE_USEC; \
                bool holds_;                                               \
                for (;;) {                                                 \
                        uint32_t seen_ = atomic_load(&fake->events);       \
                                                                           \
                        holds_ = (condition);                              \
                        if (holds_ || now_monotonic_usec() > end_)         \
                                break;                                     \
                        (void)futex_wait(&fake->events, seen_, end_);      \
                }                                                          \
                holds_;                                                    \
        })
