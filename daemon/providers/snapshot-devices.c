/* See snapshot-devices.h. Stateless. */

#include "daemon/providers/snapshot-devices.h"
#include "common/time-util.h"
#include "daemon/providers/block.h"
#include "daemon/window/dm-request.h"
#include "daemon/window/held-origin.h"
#include "daemon/window/other-device.h"
#include "daemon/window/window.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <vss/vss.h>

#define SECTOR_SIZE 512
/* A cache writes down all that it has in memory. */
#define CHANGE_OVER_USEC (10 * USEC_PER_SEC)
/* A window that hangs in a resume, or in bringing REAL to life, has been given up; its thread is in
 * the kernel. */
#define WAKE_USEC (60 * USEC_PER_SEC)
#define WAKE_PAUSE_NSEC (20L * 1000 * 1000)

uint64_t snapshot_devices_await_usec = WAKE_USEC;

/* Of the windows that are made here. */
static const char *guard_lock, *suspend_lists;

void snapshot_devices_set_notes(const char *lock, const char *lists) {
        guard_lock = lock;
        suspend_lists = lists;
}

static pthread_mutex_t stores = PTHREAD_MUTEX_INITIALIZER;

int snapshot_devices_find_origin(const struct snapshot_devices *d, struct mapper_info *ret,
                                 struct vss_error *reterr) {
        return d->origin_uuid ? mapper_find_uuid(d->origin_uuid, ret, reterr)
                              : mapper_find_name(d->origin, ret, reterr);
}

/* One of the other three. uuid: NULL if it is not known. */
static int find(const struct snapshot_devices *d, const char *name, const char *uuid,
                struct mapper_info *ret, struct vss_error *reterr) {
        int r = mapper_find_name(name, ret, reterr);

        if (r < 0 || !ret->exists)
                return r;
        ret->exists = uuid ? streq(ret->uuid, uuid)
                           : strncmp(ret->uuid, d->family, d->family_length) == 0;
        return 0;
}

static bool has_one_of(const struct mapper_table *table, const char *const *types, size_t n) {
        for (size_t i = 0; i < table->n; i++)
                for (size_t k = 0; k < n; k++)
                        if (streq(table->targets[i].type, types[k]))
                                return true;
        return false;
}

bool snapshot_devices_is_stateful(const struct mapper_table *table) {
        static const char *const types[] = { "raid", "cache", "writecache" };

        return has_one_of(table, types, ARRAY_SIZE(types));
}

bool snapshot_devices_is_cache(const struct mapper_table *table) {
        static const char *const types[] = { "cache", "writecache" };

        return has_one_of(table, types, ARRAY_SIZE(types));
}

/* Suspended, somebody is just bringing it to life, or has failed. */
static int await_real(const struct snapshot_devices *d, struct mapper_info *real,
                      struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = WAKE_PAUSE_NSEC };
        uint64_t end_usec = now_monotonic_usec() + WAKE_USEC;
        int r = 0;

        while (r >= 0 && real->exists && real->suspended && now_monotonic_usec() < end_usec) {
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
                r = find(d, d->real, d->real_uuid, real, reterr);
        }
        return r;
}

/* Both keep state of their own. forward: REAL has worked, so that the origin must go on over it.
 * undecided: it is another thread's, which will know, and the origin has to wait for that. */
static int rescue_stateful(const struct snapshot_devices *d, const struct mapper_info *origin,
                           struct mapper_info *real, bool *ret_forward, bool *ret_undecided,
                           struct vss_error *reterr) {
        bool staged = origin->suspended && origin->inactive_table;
        int r = 0;

        if (real->inactive_table)
                r = mapper_clear(real->name, reterr);
        if (r >= 0 && staged)
                r = await_real(d, real, reterr);
        if (r >= 0 && staged && real->exists && real->suspended && other_device_n_awaited() > 0) {
                *ret_undecided = true;
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                     "the device %s is still being brought to life, which its "
                                     "storage keeps waiting; %s goes on when that is over",
                                     real->name, origin->name);
        }
        if (r < 0 || !real->exists || !real->live_table || real->suspended)
                return r;
        *ret_forward = staged;
        return staged ? 0 : mapper_suspend(real, reterr);
}

/* Of the two, the one that works is the one that the origin needs. */
static int rescue_real(const struct snapshot_devices *d, const struct mapper_info *origin,
                       bool *ret_forward, bool *ret_undecided, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        struct mapper_info real;
        int r;

        r = find(d, d->real, d->real_uuid, &real, reterr);
        if (r < 0 || !real.exists)
                return r;
        r = mapper_read_table(origin->name, &live, reterr);
        if (r < 0)
                return r;
        if (live.n == 1 && streq(live.targets[0].type, "snapshot-origin"))
                return real.live_table && real.suspended ? mapper_resume(&real, reterr) : 0;
        return snapshot_devices_is_stateful(&live)
                       ? rescue_stateful(d, origin, &real, ret_forward, ret_undecided, reterr)
                       : 0;
}

/* The window's own thread, which came back late, or a guard can be at it, too: who waits in the
 * kernel for the other's resume is told EINVAL. What counts is that it goes on. */
static int resume_origin(const struct snapshot_devices *d, const struct mapper_info *origin,
                         struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info now;
        int r;

        r = mapper_resume(origin, &error);
        if (r >= 0)
                return 0;
        if (snapshot_devices_find_origin(d, &now, NULL) >= 0 && !now.suspended)
                return 0;
        vss_error_move(reterr, &error);
        return r;
}

/* A window's thread hangs in the resume, where we would hang as well; or it will know how. It gets
 * its time, once for all that wait for the same storage. */
static int await_held(const struct snapshot_devices *d, struct mapper_info *origin,
                      struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = WAKE_PAUSE_NSEC };
        uint64_t since_usec;

        while (origin->exists && origin->suspended &&
               held_origin_find(origin->devno, &since_usec)) {
                int r;

                if (now_monotonic_usec() >= since_usec + WAKE_USEC)
                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                             "%s is still suspended, as its storage does not "
                                             "answer; it goes on when that does",
                                             origin->name);
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
                r = snapshot_devices_find_origin(d, origin, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int snapshot_devices_await_origin(const struct snapshot_devices *d, struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = WAKE_PAUSE_NSEC };
        uint64_t end_usec = now_monotonic_usec() + snapshot_devices_await_usec;
        struct mapper_info origin;

        for (;;) {
                int r = snapshot_devices_find_origin(d, &origin, reterr);

                if (r < 0 || !origin.exists || !origin.suspended)
                        return r;
                if (now_monotonic_usec() >= end_usec)
                        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                             "%s is still suspended, by another program or as its "
                                             "storage does not answer; 'dmsetup resume %s' if no "
                                             "program is at it",
                                             origin.name, origin.name);
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
}

int snapshot_devices_rescue(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info info;
        bool forward = false, undecided = false;
        int r;

        r = snapshot_devices_find_origin(d, &info, reterr);
        if (r >= 0)
                r = await_held(d, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        r = info.live_table ? rescue_real(d, &info, &forward, &undecided, reterr) : 0;
        if (undecided)
                return r;
        if (info.inactive_table && !forward) {
                int k = mapper_clear(info.name, reterr);

                if (k < 0)
                        r = k;
        }
        if (info.suspended) {
                int k = resume_origin(d, &info, reterr);

                if (k < 0)
                        r = k;
        }
        return r;
}

/* What is read through the copy fails from now on; what lies below it is free. */
static int cut_off(const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, error = { 0 };
        int r;

        r = mapper_read_table(device->name, &live, reterr);
        if (r < 0)
                return r;
        r = mapper_table_add(&error, 0, mapper_table_length(&live), "error", "");
        if (r < 0)
                return vss_error_from_errno(reterr, r, device->name);
        r = mapper_load(device->name, &error, false, reterr);
        if (r >= 0)
                r = mapper_resume(device, reterr);
        return r < 0 ? r : mapper_remove(device->name, true, reterr);
}

int snapshot_devices_remove_copy(const struct snapshot_devices *d, bool force,
                                 struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info info;
        int r;

        r = find(d, d->copy, d->copy_uuid, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        r = mapper_remove(d->copy, false, &error);
        if (r == -EBUSY && force) {
                r = cut_off(&info, reterr);
                return r < 0 ? r : 1;
        }
        if (r == -EBUSY)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy %s is in use; end the programs that read it (lsof "
                                     "/dev/mapper/%s), or delete it by force",
                                     d->copy, d->copy);
        vss_error_move(reterr, &error);
        return r;
}

/* True if nothing but the origin itself lies on its blocks. */
static int is_last(const struct mapper_info *real, const struct mapper_info *origin, bool *ret) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(real->devno, "holders", &holders, &n);
        if (r < 0)
                return r;
        *ret = true;
        for (size_t i = 0; i < n; i++)
                if (!origin->exists || holders[i] != origin->devno)
                        *ret = false;
        return 0;
}

/* Origin and REAL change over while nothing is written: the one is suspended, with its file system,
 * and then the other, which puts its state to disk for the first to find. */
static int change_over(const struct mapper_info *origin, const struct mapper_info *real,
                       struct vss_error *reterr) {
        const struct window_options options = {
                .hold_usec = CHANGE_OVER_USEC,
                .flush_usec = CHANGE_OVER_USEC,
                .guard_lock = guard_lock,
                .suspend_lists = suspend_lists,
        };
        struct dm_request **commits = calloc(1, sizeof(struct dm_request *));
        _cleanup_(window_freep) struct window *w = NULL;
        struct window_result result;
        int r = -ENOMEM;

        if (commits)
                r = dm_request_new_suspend(commits, real->devno);
        if (r >= 0)
                r = window_new(&w, &options);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r, origin->name);
        else
                r = window_add_row(w,
                                   &(struct window_row){
                                           .volume = origin->name,
                                           .origin = origin->devno,
                                           .commits = commits,
                                           .n_commits = 1,
                                           .clears_inactive_table = true,
                                           .other = real->devno,
                                           .other_works = true,
                                   },
                                   reterr);
        if (r < 0) {
                if (commits)
                        dm_request_free(commits[0]);
                free(commits);
                return r;
        }
        r = window_prepare(w, reterr);
        return r < 0 ? r : window_run(w, &result, reterr);
}

/* One table of the origin's for another, in one step inside the kernel where that can be. */
static int exchange(const struct mapper_info *origin, const struct mapper_info *real,
                    const struct mapper_table *table, struct vss_error *reterr) {
        int r;

        r = mapper_load(origin->name, table, origin->read_only, reterr);
        if (r < 0)
                return r;
        return snapshot_devices_is_cache(table) ? change_over(origin, real, reterr)
                                                : mapper_resume(origin, reterr);
}

static int put_back_own(const struct snapshot_devices *d, const struct mapper_info *origin,
                        const struct mapper_info *real, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table own = { 0 };
        int r;

        r = mapper_read_table(d->real, &own, reterr);
        return r < 0 ? r : exchange(origin, real, &own, reterr);
}

/* Others have copies of it. */
static int put_back_origin(const struct mapper_info *origin, const struct mapper_info *real,
                           uint64_t length, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        char params[32];
        int r;

        (void)snprintf(params, sizeof(params), "%u:%u", major(real->devno), minor(real->devno));
        r = mapper_table_add(&table, 0, length, "snapshot-origin", params);
        return r < 0 ? vss_error_from_errno(reterr, r, origin->name)
                     : exchange(origin, real, &table, reterr);
}

static bool is_one(const struct mapper_table *table, const char *type) {
        return table->n == 1 && streq(table->targets[0].type, type);
}

/* REAL, the origin, what the origin's table is, and whether it alone lies on REAL. */
struct pair {
        struct mapper_info real, origin;
        struct mapper_table live;
        bool last;
};

static void pair_done(struct pair *p) {
        mapper_table_done(&p->live);
}

static int pair_read(const struct snapshot_devices *d, struct pair *ret, struct vss_error *reterr) {
        int r;

        r = find(d, d->real, d->real_uuid, &ret->real, reterr);
        if (r < 0 || !ret->real.exists)
                return r;
        r = snapshot_devices_find_origin(d, &ret->origin, reterr);
        if (r < 0)
                return r;
        r = is_last(&ret->real, &ret->origin, &ret->last);
        if (r < 0)
                return vss_error_from_errno(reterr, r, d->real);
        return ret->origin.exists && ret->origin.live_table
                       ? mapper_read_table(ret->origin.name, &ret->live, reterr)
                       : 0;
}

int snapshot_devices_restore_origin(const struct snapshot_devices *d, struct vss_error *reterr) {
        _cleanup_(pair_done) struct pair p = { 0 };
        int r;

        r = pair_read(d, &p, reterr);
        /* One that is being merged goes on: its blocks are where only that table finds them. */
        if (r < 0 || !p.real.exists || !p.last || is_one(&p.live, "snapshot-merge"))
                return r;
        if (is_one(&p.live, "snapshot-origin"))
                r = put_back_own(d, &p.origin, &p.real, reterr);
        return r < 0 ? r : mapper_remove(d->real, false, reterr);
}

int snapshot_devices_end_merge(const struct snapshot_devices *d, struct vss_error *reterr) {
        _cleanup_(pair_done) struct pair p = { 0 };
        int r;

        r = pair_read(d, &p, reterr);
        if (r < 0 || !p.real.exists)
                return r;
        if (!is_one(&p.live, "snapshot-merge")) /* somebody came as far, and died */
                return snapshot_devices_restore_origin(d, reterr);
        r = p.last ? put_back_own(d, &p.origin, &p.real, reterr)
                   : put_back_origin(&p.origin, &p.real, mapper_table_length(&p.live), reterr);
        if (r < 0) {
                /* With either table it is what it should be, but not suspended; the failure that
                 * counts is the first. */
                (void)snapshot_devices_rescue(d, NULL);
                return r;
        }
        return p.last ? mapper_remove(d->real, false, reterr) : 0;
}

int snapshot_devices_end_attempt(const struct snapshot_devices *d, struct vss_error *reterr) {
        _cleanup_(pair_done) struct pair p = { 0 };
        int r;

        r = pair_read(d, &p, reterr);
        if (r < 0 || !p.real.exists || !p.origin.exists)
                return r;
        return put_back_origin(&p.origin, &p.real, mapper_table_length(&p.live), reterr);
}

void snapshot_devices_hold_stores(void) {
        (void)pthread_mutex_lock(&stores); /* a plain mutex of ours */
}

void snapshot_devices_release_stores(void) {
        (void)pthread_mutex_unlock(&stores); /* as above */
}

int snapshot_devices_remove_store(const struct snapshot_devices *d, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = find(d, d->store, d->store_uuid, &info, reterr);
        if (r < 0 || !info.exists)
                return r;
        snapshot_devices_hold_stores();
        r = mapper_remove(d->store, false, reterr);
        snapshot_devices_release_stores();
        return r;
}

int snapshot_devices_usage(const char *copy, uint64_t *ret_used, uint64_t *ret_max,
                           bool *ret_overflowed, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        uint64_t used = 0, total = 0;
        int r;

        r = mapper_read_status(copy, &status, reterr);
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "snapshot"))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the device %s is no snapshot", copy);
        /* "Invalid" or "Overflow" has no numbers. */
        *ret_overflowed =
                sscanf(status.targets[0].params, "%" SCNu64 "/%" SCNu64, &used, &total) != 2;
        *ret_used = *ret_overflowed ? 0 : used * SECTOR_SIZE;
        *ret_max = *ret_overflowed ? 0 : total * SECTOR_SIZE;
        return 0;
}
