/* Start-up, before anybody is served: what a crash, a kill or a power cut left is undone by its
 * intent; what belonged to requesters that are gone is deleted; what was to stay is made readable
 * again. One thing that cannot be put right is said and does not keep the rest from it. */

#include "common/alive-lock.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider.h"
#include "daemon/session/manager-private.h"

#include <systemd/sd-daemon.h>

#define STEP_USEC "180000000" /* three minutes */
#define GUARDS_TIMEOUT_USEC (15 * USEC_PER_SEC)

/* A step here may take a minute (LVM), and there may be many: as long as they go on one by one,
 * systemd is to wait. What it waits without hearing of us is longer than one may take. */
static void recover_on(void) {
        /* Without a manager there is nobody to ask. */
        (void)sd_notify(0, "EXTEND_TIMEOUT_USEC=" STEP_USEC);
}

static void recover_intent(struct session_manager *m, const struct intent_record *intent) {
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));
        const bool exposure = exposure_has_intent(intent);
        struct vss_error error = { 0 };
        int r;

        if (!p && !exposure) {
                log_set(LOG_ERR, intent->set_id,
                        "The provider %s left a step unfinished (%s) and is not here to undo it",
                        str_or_empty(intent->provider), str_or_empty(intent->kind));
                return;
        }
        log_set(LOG_NOTICE, intent->set_id,
                "Undoing an unfinished step of snapshot set %s (%s, %s)",
                VSS_ID_TEXT(intent->set_id), str_or_empty(intent->provider),
                str_or_empty(intent->kind));
        r = exposure ? exposure_recover(m->store, intent, &error)
                     : p->recover(m->store, intent, &error);
        if (r < 0)
                log_set_failure(LOG_ERR, intent->set_id, &error,
                                "It could not be undone, the next start tries again: %s",
                                error.message ? error.message : strerror(-r));
        else if (store_intent_close(m->store, intent->id, &error) < 0 &&
                 error.hr != VSS_E_OBJECT_NOT_FOUND) /* the provider may have closed it */
                log_set_failure(LOG_ERR, intent->set_id, &error, "%s", str_or_empty(error.message));
        vss_error_done(&error);
}

/* Each provider has an intent of its own of a set, and volumes of all of them may be suspended. */
static void rescue_intent(const struct intent_record *intent) {
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));
        struct vss_error error = { 0 };

        if (p && p->rescue && p->rescue(intent, &error) < 0)
                log_set_failure(LOG_ERR, intent->set_id, &error,
                                "Volumes of snapshot set %s may still be suspended: %s",
                                VSS_ID_TEXT(intent->set_id), str_or_empty(error.message));
        vss_error_done(&error);
}

/* The guard of a daemon that died resumes what it finds suspended, and undoing suspends: one after
 * the other. It is there for moments; if its resume hangs, so would ours. */
static void await_guards(struct session_manager *m) {
        int r = alive_lock_await(store_guard_lock(m->store), GUARDS_TIMEOUT_USEC);

        if (r < 0)
                log_error(
                        "The guard process of an earlier run cannot be waited for (%s: %s); "
                        "undoing what that run left may fail, and is tried again at the next start",
                        store_guard_lock(m->store), strerror(-r));
}

static int recover_intents(struct session_manager *m, struct vss_error *reterr) {
        struct intent_record *intents = NULL;
        size_t n = 0;
        int r;

        r = store_intent_list(m->store, &intents, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                rescue_intent(&intents[i]);
        if (n > 0)
                await_guards(m);
        for (size_t i = 0; i < n; i++) {
                recover_on();
                recover_intent(m, &intents[i]);
        }
        intent_records_free(intents, n);
        return 0;
}

static void recover_delete(struct session_manager *m, const struct snapshot_record *r,
                           const char *why) {
        const struct log_fields fields = { .set_id = &r->set_id, .snapshot_id = &r->id };
        struct vss_error error = { 0 };

        if (snapshot_delete(m->store, r, true, &error) >= 0)
                log_full(LOG_NOTICE, &fields, "Snapshot %s of %s was deleted: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), why);
        else
                log_full(LOG_ERR, &fields, "Snapshot %s of %s was to be deleted (%s) and stays: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), why,
                         str_or_empty(error.message));
        vss_error_done(&error);
}

static void recover_keep(struct session_manager *m, const struct snapshot_record *r) {
        const struct log_fields fields = { .set_id = &r->set_id, .snapshot_id = &r->id };
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        struct vss_error error = { 0 };
        int k;

        if (!p) {
                log_full(LOG_ERR, &fields,
                         "Snapshot %s of %s belongs to the provider %s, which is not here; it "
                         "cannot be read",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(r->provider));
                return;
        }
        k = p->activate(r, &error);
        if (k == -ENOENT) {
                log_full(LOG_ERR, &fields,
                         "The storage of snapshot %s of %s is gone, the snapshot is lost: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(error.message));
                vss_error_done(&error);
                recover_delete(m, r, "its storage is gone");
                return;
        }
        if (k >= 0 && !streq(str_or_empty(r->device), str_or_empty(r->device_object)))
                k = storage_table()->mount(r, false, &error);
        if (k >= 0)
                exposure_again(r);
        if (k < 0)
                log_full(LOG_ERR, &fields, "Snapshot %s of %s cannot be read: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume),
                         error.message ? error.message : strerror(-k));
        vss_error_done(&error);
}

static void recover_snapshot(struct session_manager *m, const struct snapshot_record *r) {
        uint64_t now = (uint64_t)(now_realtime_nsec() / 1000 / 1000 / 1000);

        if (!(r->context & VSS_VOLSNAP_ATTR_PERSISTENT))
                recover_delete(m, r, "it was not to outlive its requester");
        else if (r->expire_unix != 0 && r->expire_unix <= now)
                recover_delete(m, r, "it has expired");
        else
                recover_keep(m, r);
}

int session_manager_recover(struct session_manager *m, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = recover_intents(m, reterr);
        if (r < 0)
                return r;
        r = store_snapshot_list(m->store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                recover_on();
                recover_snapshot(m, &records[i]);
        }
        snapshot_records_free(records, n);
        manager_arm_expiry(m);
        return 0;
}
