/* The start: what a crash, a kill or a power cut left is undone by its intent; what belonged to
 * requesters that are gone is deleted; what was to stay is made readable again.
 *
 *      RESUME: every origin of an open intent, a thread each   --done, or a third of that time-->
 *      LANES:  guards awaited, intents undone, copies settled  --done, or no step for so long-->
 *      SERVE:  what is late goes on in its lane, its volumes are held (volume-hold.h)
 *
 * A lane is what cannot be put right side by side: the volumes of a volume group, or a mapped
 * device, and all that one intent names together. It is a job; one whose storage does not answer
 * keeps nobody waiting but itself, for as long as that takes, and whatever answers late that it was
 * not in time is tried again. The manager has one recovery, until the last lane has ended. */

#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/session/area-watch.h"
#include "daemon/session/recovery-private.h"
#include "daemon/session/reverts.h"

#include <systemd/sd-daemon.h>

#define NAMES_SHOWN 4
/* Beside what a step may take: until the service has its name on the bus. */
#define SERVING_USEC (60 * USEC_PER_SEC)

static struct recovery *recovery_free(struct recovery *r) {
        if (!r)
                return NULL;
        while (r->lanes) {
                struct lane *l = r->lanes;

                r->lanes = l->next;
                lane_free(l);
        }
        for (size_t i = 0; r->left && i < r->n; i++) {
                strv_free(r->left[i].uuids);
                strv_free(r->left[i].names);
        }
        free(r->left);
        free(r->rescues);
        intent_records_free(r->intents, r->n);
        sd_event_source_disable_unref(r->timer);
        free(r);
        return NULL;
}
DEFINE_CLEANUP(struct recovery, recovery_free);

/* The volumes of an intent that nobody can tell them of are no others': its provider stands for
 * them, whose name is no UUID. */
static int recovery_read_intent(struct recovery *r, size_t i) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct left *left = &r->left[i];
        int k;

        left->intent = &r->intents[i];
        k = recovery_intent_origins(r->manager->store, left->intent, &left->uuids, &left->names,
                                    &error);
        if (k == -ENOMEM)
                return k;
        if (k < 0 || !left->uuids) { /* undoing it says what is wrong with it */
                left->uuids = strv_free(left->uuids);
                left->names = strv_free(left->names);
                k = strv_append(&left->uuids, str_or_empty(left->intent->provider));
                if (k >= 0)
                        k = strv_append(&left->names, str_or_empty(left->intent->provider));
        }
        return k < 0 ? k : recovery_add(r, left->uuids, left->names);
}

static int recovery_read_snapshots(struct recovery *r, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int k;

        k = store_snapshot_list(r->manager->store, GUID_NULL, &records, &n, reterr);
        if (k < 0)
                return k;
        for (size_t i = 0; k >= 0 && i < n; i++) {
                char *uuids[] = { (char *)(uintptr_t)str_or_empty(records[i].origin_uuid), NULL };
                char *names[] = { (char *)(uintptr_t)str_or_empty(records[i].volume), NULL };

                k = recovery_add(r, uuids, names);
        }
        snapshot_records_free(records, n);
        return k < 0 ? vss_error_from_errno(reterr, k, "Looking at the snapshots") : 0;
}

static int recovery_read(struct recovery *r, struct vss_error *reterr) {
        int k;

        k = store_intent_list(r->manager->store, &r->intents, &r->n, reterr);
        if (k < 0)
                return k;
        r->left = calloc(r->n > 0 ? r->n : 1, sizeof(*r->left));
        k = r->left ? 0 : -ENOMEM;
        for (size_t i = 0; k >= 0 && i < r->n; i++)
                k = recovery_read_intent(r, i);
        return k < 0 ? vss_error_from_errno(reterr, k, "Looking at what an earlier run left")
                     : recovery_read_snapshots(r, reterr);
}

/* "a, b and 3 more" */
static char *names_text(char *const *names) {
        _cleanup_(freep) char *text = NULL;
        size_t n = strv_length(names);

        for (size_t i = 0; i < n && i < NAMES_SHOWN; i++) {
                char *longer;

                if (str_format(&longer, "%s%s%s", str_or_empty(text), i > 0 ? ", " : "", names[i]) <
                    0)
                        return NULL;
                free(text);
                text = longer;
        }
        if (n > NAMES_SHOWN) {
                char *longer;

                if (str_format(&longer, "%s and %zu more", text, n - NAMES_SHOWN) < 0)
                        return NULL;
                free(text);
                text = longer;
        }
        return TAKE_PTR(text);
}

static unsigned long long recovery_age(const struct recovery *r) {
        return (now_monotonic_usec() - r->begin_usec) / USEC_PER_SEC;
}

/* Of all copies but those that are held. */
static void watch_stores(struct session_manager *m) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct snapshot_record *records = NULL;
        size_t n = 0;

        if (store_snapshot_list(m->store, GUID_NULL, &records, &n, &error) < 0)
                log_failure(LOG_ERR, &error, "The stores of copies are not watched yet: %s",
                            str_or_empty(error.message));
        area_watch_begin(m->areas, records, n);
        snapshot_records_free(records, n);
}

static void lane_end(struct lane *l, int k, struct vss_error *error) {
        struct recovery *r = l->recovery;
        struct lane **at = &r->lanes;

        if (k < 0)
                log_failure(LOG_ERR, error, "Recovery is not complete: %s",
                            error->message ? error->message : strerror(-k));
        while (*at != l)
                at = &(*at)->next;
        *at = l->next;
        r->n_lanes--;
        lane_let_go(l);
        if (l->late && !l->cancelled) {
                _cleanup_(freep) char *names = names_text(l->names);

                log_notice("%s: what an earlier run had left has been gone through, %llu s after "
                           "the start; sets can be made again",
                           str_or_empty(names), recovery_age(r));
        }
        for (size_t i = 0; i < l->n_gone; i++)
                manager_tell(r->manager, &l->gone[i], SNAPSHOT_REMOVED);
        if (r->late) { /* else the start's end sees to it */
                manager_arm_expiry(r->manager);
                watch_stores(r->manager);
                reverts_load(r->manager->reverts);
        }
        lane_free(l);
        if (r->n_lanes == 0) {
                /* In a turn of its own; it has no way to fail. */
                (void)sd_event_source_set_time(r->timer, 0);
                (void)sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
        }
}

/* There may be many steps, and all of them take their time: as long as they go on one by one, the
 * start waits for the next, and systemd for the start. */
static void lane_on_progress(void *userdata, const char *step _unused_) {
        const struct lane *l = userdata;
        struct recovery *r = l->recovery;
        const uint64_t usec = r->manager->config.recovery_usec;

        if (r->late)
                return;
        /* Neither is a duty: without the first it serves earlier, nor is there always a manager. */
        (void)sd_event_source_set_time(r->timer, now_monotonic_usec() + usec);
        (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)(usec + SERVING_USEC));
}

static void lane_on_job(void *userdata, int r, struct vss_error *error) {
        lane_end(userdata, r, error);
}

static void lane_start(struct lane *l) {
        struct vss_error error = { 0 };
        int r;

        r = job_start(&l->job, l->recovery->manager->event, "vss-recovery", lane_run, lane_on_job,
                      l);
        if (r >= 0) {
                job_set_progress(l->job, lane_on_progress);
                return;
        }
        /* It has to be done, here if need be. */
        log_warning("Cannot start a thread (%s): the start takes longer", strerror(-r));
        r = lane_run(NULL, l, &error);
        lane_end(l, r, &error);
        vss_error_done(&error);
}

static void lane_say_late(struct lane *l) {
        _cleanup_(freep) char *names = names_text(l->names);

        l->late = true;
        log_error("%s: %s is not done %llu s after the start, as the storage takes its time or "
                  "does not answer; the service starts without. It is done when the storage "
                  "answers; until then no set is made of these volumes nor of others in their "
                  "volume groups, and their copies are left as they are ('dmsetup info' shows "
                  "what is suspended, the kernel's log which disk is at fault)",
                  str_or_empty(names), str_or_empty(atomic_load(&l->doing)),
                  recovery_age(l->recovery));
}

/* No step has ended for so long, or the last lane has ended. */
static int recovery_on_time(sd_event_source *source _unused_, uint64_t usec _unused_,
                            void *userdata) {
        struct recovery *r = userdata;
        struct session_manager *m = r->manager;
        session_recovered_fn done = r->done;
        unsigned n_lanes = r->n_lanes;
        void *done_userdata = r->userdata;

        r->late = true;
        for (struct lane *l = r->lanes; l; l = l->next)
                lane_say_late(l);
        manager_arm_expiry(m);
        if (n_lanes == 0) {
                m->recovery = NULL;
                recovery_free(r);
        }
        watch_stores(m);
        reverts_load(m->reverts);
        done(done_userdata, n_lanes);
        return 0;
}

static int recovery_hold(struct recovery *r) {
        int k = 0;

        for (struct lane *l = r->lanes; k >= 0 && l; l = l->next)
                k = lane_hold(l);
        return k;
}

static int recovery_start(struct session_manager *m, session_recovered_fn done, void *userdata,
                          struct vss_error *reterr) {
        _cleanup_(recovery_freep) struct recovery *r = NULL;
        int k;

        assert(!m->recovery);

        r = calloc(1, sizeof(*r));
        if (!r)
                return vss_error_from_errno(reterr, -ENOMEM, "Looking at what an earlier run left");
        r->manager = m;
        r->done = done;
        r->userdata = userdata;
        r->begin_usec = now_monotonic_usec();
        k = recovery_read(r, reterr);
        if (k < 0)
                return k;
        k = sd_event_add_time(m->event, &r->timer, CLOCK_MONOTONIC,
                              r->n_lanes > 0 ? r->begin_usec + m->config.recovery_usec : 0, 1,
                              recovery_on_time, r);
        if (k >= 0)
                k = recovery_find_rescues(r);
        if (k >= 0)
                k = recovery_hold(r);
        if (k < 0)
                return vss_error_from_errno(reterr, k, "Looking at what an earlier run left");
        recovery_rescue(r, m->config.recovery_usec / 3);
        for (struct lane *l = r->lanes, *next; l; l = next) {
                next = l->next;
                lane_start(l);
        }
        m->recovery = TAKE_PTR(r);
        return 0;
}

int session_manager_recover(struct session_manager *m, session_recovered_fn done, void *userdata,
                            struct vss_error *reterr) {
        int r = recovery_start(m, done, userdata, reterr);

        if (r <
            0) { /* who serves without has copies that end or are written to, volumes that change */
                manager_arm_expiry(m);
                watch_stores(m);
                reverts_load(m->reverts);
        }
        return r;
}

void session_manager_cancel_recovery(struct session_manager *m) {
        for (struct lane *l = m->recovery ? m->recovery->lanes : NULL; l; l = l->next) {
                l->cancelled = true;
                if (l->job)
                        job_cancel(l->job);
        }
}
