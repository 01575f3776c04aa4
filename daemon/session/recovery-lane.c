/* A lane: which volumes it has, and what is done with them one after the other, on a thread. See
 * recovery.c. */

#include "common/alive-lock.h"
#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/recovery-private.h"

#include <time.h>

#define GUARDS_TIMEOUT_USEC (15 * USEC_PER_SEC)
#define PAUSE_NSEC (50L * 1000 * 1000)

uint64_t recovery_retry_usec = 5 * USEC_PER_SEC;

struct lane *lane_free(struct lane *l) {
        if (!l)
                return NULL;
        lane_let_go(l);
        strv_free(l->uuids);
        strv_free(l->names);
        snapshot_records_free(l->gone, l->n_gone);
        free(l);
        return NULL;
}

bool lane_has(const struct lane *l, const char *uuid) {
        STRV_FOREACH (u, l->uuids)
                if (volume_hold_is_same(*u, uuid))
                        return true;
        return false;
}

static bool lane_has_any(const struct lane *l, char *const *uuids) {
        STRV_FOREACH (u, uuids)
                if (lane_has(l, *u))
                        return true;
        return false;
}

int lane_hold(struct lane *l) {
        assert(!l->held);

        STRV_FOREACH (u, l->uuids)
                if (volume_hold_add(*u) < 0) {
                        for (char *const *added = l->uuids; added != u; added++)
                                volume_hold_remove(*added);
                        return -ENOMEM;
                }
        l->held = true;
        return 0;
}

void lane_let_go(struct lane *l) {
        if (l->held)
                STRV_FOREACH (u, l->uuids)
                        volume_hold_remove(*u);
        l->held = false;
}

static int lane_add(struct lane *l, char *const *uuids, char *const *names) {
        int r = 0;

        STRV_FOREACH (u, uuids)
                if (r >= 0 && !lane_has(l, *u))
                        r = strv_append(&l->uuids, *u);
        STRV_FOREACH (name, names)
                if (r >= 0 && !strv_contains(l->names, *name))
                        r = strv_append(&l->names, *name);
        return r;
}

int recovery_add(struct recovery *r, char *const *uuids, char *const *names) {
        struct lane *found = NULL;
        int k;

        for (struct lane **at = &r->lanes; *at;) {
                struct lane *l = *at;

                if (!lane_has_any(l, uuids)) {
                        at = &l->next;
                        continue;
                }
                if (!found) {
                        found = l;
                        at = &l->next;
                        continue;
                }
                k = lane_add(found, l->uuids, l->names);
                if (k < 0)
                        return k;
                *at = l->next;
                r->n_lanes--;
                lane_free(l);
        }
        if (!found) {
                found = calloc(1, sizeof(*found));
                if (!found)
                        return -ENOMEM;
                found->recovery = r;
                found->doing = "resuming it";
                found->next = r->lanes;
                r->lanes = found;
                r->n_lanes++;
        }
        return lane_add(found, uuids, names);
}

/* Whether an earlier run has left something undone of it. */
static bool lane_has_left(const struct lane *l) {
        const struct recovery *r = l->recovery;

        for (size_t i = 0; i < r->n; i++)
                if (lane_has_any(l, r->left[i].uuids))
                        return true;
        return false;
}

/* The guard of a daemon that died resumes what it finds suspended, and undoing suspends: one after
 * the other. It is there for moments; if its resume hangs, so would ours. */
static int await_guards(const struct lane *l) {
        return alive_lock_await(store_guard_lock(l->recovery->manager->store), GUARDS_TIMEOUT_USEC);
}

/* What was left suspended has been resumed, by whoever. The guards of this run hold the same lock:
 * where a resume of ours takes days to end, they are asked for before that. One that is late then
 * hangs as we do, and ends with it. */
static void lane_await(struct lane *l) {
        const struct session_manager *m = l->recovery->manager;
        int r;

        if (!lane_has_left(l))
                return;
        l->doing = "waiting for the guard process of the earlier run";
        r = await_guards(l);
        l->doing = "resuming it";
        if (lane_await_rescues(l) && r == -ETIMEDOUT)
                r = await_guards(l);
        if (r < 0)
                log_error(
                        "The guard process of an earlier run cannot be waited for (%s: %s); "
                        "undoing what that run left may fail, and is tried again at the next start",
                        store_guard_lock(m->store), strerror(-r));
}

static bool is_cancelled(const struct job *job) {
        return job && job_is_cancelled(job);
}

/* A step has ended: the storage answers. */
static void say_progress(struct job *job) {
        if (job)
                job_report(job, "step");
}

/* Whether it is worth another try, after a while. */
static bool goes_on(const struct job *job, int r) {
        const struct timespec pause = { .tv_nsec = PAUSE_NSEC };
        uint64_t end_usec = now_monotonic_usec() + recovery_retry_usec;

        if (r != -ETIMEDOUT)
                return false;
        while (!is_cancelled(job) && now_monotonic_usec() < end_usec)
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        return !is_cancelled(job);
}

static void lane_undo(struct lane *l, struct job *job) {
        const struct recovery *r = l->recovery;

        for (size_t i = 0; i < r->n; i++) {
                int k;

                if (!lane_has_any(l, r->left[i].uuids))
                        continue;
                l->doing = "undoing an unfinished step";
                do
                        k = is_cancelled(job)
                                    ? 0
                                    : recovery_undo_intent(r->manager->store, r->left[i].intent);
                while (goes_on(job, k));
                say_progress(job);
        }
}

static int lane_settle(struct lane *l, struct job *job, struct vss_error *reterr) {
        struct store *store = l->recovery->manager->store;
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_list(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        l->gone = calloc(n > 0 ? n : 1, sizeof(*l->gone));
        if (!l->gone)
                r = vss_error_from_errno(reterr, -ENOMEM, "Looking at the snapshots");
        l->doing = "deleting copies, or making them readable";
        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool gone = false;
                int k;

                if (!lane_has(l, records[i].origin_uuid))
                        continue;
                do
                        k = is_cancelled(job) ? 0
                                              : recovery_settle_snapshot(store, &records[i], &gone);
                while (goes_on(job, k));
                say_progress(job);
                if (gone) {
                        l->gone[l->n_gone++] = records[i];
                        records[i] = (struct snapshot_record){ 0 };
                }
        }
        snapshot_records_free(records, n);
        return r;
}

int lane_run(struct job *job, void *userdata, struct vss_error *reterr) {
        struct lane *l = userdata;

        lane_await(l);
        lane_undo(l, job);
        return lane_settle(l, job, reterr);
}
