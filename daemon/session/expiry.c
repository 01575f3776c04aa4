/* Snapshots with an end: one timer on the wall clock, set to the earliest of them. While there is
 * one the service does not end for being idle: a timer unit would have to be kept in step with the
 * store over crashes and reboots, and what it would save is a sleeping process. What cannot be
 * deleted when its time has come (it is in use) is tried again later; so is what was to go with
 * its requester and could not. */

#include "common/time-util.h"
#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/session-private.h"

#define RETRY_USEC (300 * USEC_PER_SEC)
#define ACCURACY_USEC USEC_PER_SEC

static uint64_t now_unix_usec(void) {
        return (uint64_t)(now_realtime_nsec() / 1000);
}

static void expiry_stays(struct session_manager *m, const struct vss_error *error) {
        log_failure(LOG_WARNING, error, "An expired snapshot stays for now: %s",
                    str_or_empty(error->message));
        m->expiry_pause_usec = now_unix_usec() + RETRY_USEC;
}

void manager_delete_later(struct session_manager *m) {
        m->expiry_pause_usec = now_unix_usec() + RETRY_USEC;
        manager_arm_expiry(m);
}

/* Or is about to have it: while it makes or imports. */
static bool has_snapshot(const struct session *s, const struct snapshot_record *r) {
        for (size_t i = 0; i < s->n_imported; i++)
                if (vss_id_equal(s->imported[i], r->id))
                        return true;
        return !s->imported && vss_id_equal(s->set_id, r->set_id);
}

static bool has_requester(const struct session_manager *m, const struct snapshot_record *r) {
        for (const struct session *s = m->sessions; s; s = s->next)
                if (!s->released && has_snapshot(s, r))
                        return true;
        return false;
}

/* It was to go with its requester, who has gone. */
static bool is_orphan(const struct session_manager *m, const struct snapshot_record *r) {
        return vss_context_auto_release(r->context) && !has_requester(m, r);
}

/* When it is to go, on the wall clock; USEC_INFINITY: not by itself. */
static uint64_t expiry_usec(const struct session_manager *m, const struct snapshot_record *r) {
        if (snapshot_is_away(r)) /* another host may have it */
                return USEC_INFINITY;
        /* The start sees to it by itself, and comes here again. */
        if (volume_is_held(r->origin_uuid) || volume_is_reverting(r->origin_uuid, NULL))
                return USEC_INFINITY;
        if (is_orphan(m, r))
                return 0;
        /* Whoever makes it is to be told of it first; the end of its session comes here again. */
        if (r->expire_unix != 0 && has_requester(m, r))
                return USEC_INFINITY;
        return r->expire_unix == 0 || r->expire_unix > INT64_MAX / USEC_PER_SEC
                       ? USEC_INFINITY
                       : r->expire_unix * USEC_PER_SEC;
}

static void expiry_on_deleted(void *userdata, int r, const void *result _unused_,
                              struct vss_error *error) {
        struct session_manager *m = userdata;

        if (r < 0 && error->hr != VSS_E_OBJECT_NOT_FOUND)
                expiry_stays(m, error);
        if (--m->n_expiring == 0)
                manager_arm_expiry(m);
}

static void expiry_delete(struct session_manager *m, const struct snapshot_record *r) {
        struct vss_error error = { 0 };

        const bool orphan = is_orphan(m, r);

        log_full(LOG_INFO,
                 (&(const struct log_fields){ .set_id = &r->set_id, .snapshot_id = &r->id }),
                 "Snapshot %s of %s %s", VSS_ID_TEXT(r->id), str_or_empty(r->volume),
                 orphan ? "has outlived its requester" : "has expired");
        if (manager_delete(m, NULL, r->id, VSS_OBJECT_SNAPSHOT, orphan, expiry_on_deleted, m,
                           &error) >= 0)
                m->n_expiring++;
        else
                expiry_stays(m, &error);
        vss_error_done(&error);
}

static int expiry_on_time(sd_event_source *source _unused_, uint64_t usec _unused_,
                          void *userdata) {
        struct session_manager *m = userdata;
        struct snapshot_record *records = NULL;
        struct vss_error error = { 0 };
        size_t n = 0;

        if (m->n_expiring > 0)
                return 0; /* their end sets the timer anew */
        if (store_snapshot_list(m->store, GUID_NULL, &records, &n, &error) < 0)
                log_warning("Looking for expired snapshots: %s", str_or_empty(error.message));
        for (size_t i = 0; i < n; i++)
                if (expiry_usec(m, &records[i]) <= now_unix_usec())
                        expiry_delete(m, &records[i]);
        snapshot_records_free(records, n);
        vss_error_done(&error);
        if (m->n_expiring == 0)
                manager_arm_expiry(m);
        return 0;
}

static uint64_t expiry_next_usec(const struct session_manager *m,
                                 const struct snapshot_record *records, size_t n) {
        uint64_t now = now_unix_usec(), next = USEC_INFINITY;

        for (size_t i = 0; i < n; i++) {
                uint64_t at = expiry_usec(m, &records[i]);

                /* Its time has passed and it is still here: it may be one that could not go. */
                if (at <= now && at < m->expiry_pause_usec)
                        at = m->expiry_pause_usec;
                if (at < next)
                        next = at;
        }
        return next;
}

void manager_arm_expiry(struct session_manager *m) {
        struct snapshot_record *records = NULL;
        struct vss_error error = { 0 };
        uint64_t next_usec;
        size_t n = 0;
        int r;

        r = store_snapshot_list(m->store, GUID_NULL, &records, &n, &error);
        /* Not knowing is no reason to stop serving. */
        next_usec = expiry_next_usec(m, records, n);
        m->expiry_pending = r < 0 || next_usec != USEC_INFINITY;
        snapshot_records_free(records, n);
        if (r >= 0 && next_usec == USEC_INFINITY)
                r = m->expiry ? sd_event_source_set_enabled(m->expiry, SD_EVENT_OFF) : 0;
        else if (r >= 0 && !m->expiry)
                r = sd_event_add_time(m->event, &m->expiry, CLOCK_REALTIME, next_usec,
                                      ACCURACY_USEC, expiry_on_time, m);
        else if (r >= 0) {
                r = sd_event_source_set_time(m->expiry, next_usec);
                if (r >= 0)
                        r = sd_event_source_set_enabled(m->expiry, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                log_warning("Setting the timer of expiring snapshots: %s",
                            error.message ? error.message : strerror(-r));
        vss_error_done(&error);
}

bool session_manager_has_expiry(const struct session_manager *m) {
        return m->expiry_pending;
}
