/* See recovery-steps.h. Stateless. */

#include "daemon/session/recovery-steps.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/revert-note.h"

int recovery_intent_origins(struct store *store, const struct intent_record *intent, char ***uuids,
                            char ***names, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));

        if (revert_has_intent(intent))
                return revert_origins(intent, uuids, names, reterr);
        if (exposure_has_intent(intent))
                return exposure_origins(store, intent, uuids, names, reterr);
        return p && p->origins ? p->origins(intent, uuids, names, reterr) : 0;
}

void recovery_rescue_intent(const struct intent_record *intent, const char *uuid,
                            const char *name) {
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));
        struct vss_error error = { 0 };
        int r = 0;

        if (revert_has_intent(intent))
                r = revert_rescue(intent, &error);
        else if (p && p->rescue)
                r = p->rescue(intent, uuid, &error);
        if (r < 0)
                log_set_failure(LOG_ERR, intent->set_id, &error,
                                "%s, of snapshot set %s, may still be suspended: %s", name,
                                VSS_ID_TEXT(intent->set_id), str_or_empty(error.message));
        vss_error_done(&error);
}

/* What is to be tried again is said so. */
static int say_undone(const struct intent_record *intent, int r, const struct vss_error *error) {
        const char *why = error->message ? error->message : strerror(-r);

        if (r == -ETIMEDOUT)
                log_set_failure(LOG_WARNING, intent->set_id, error,
                                "It could not be done yet, and is tried again: %s", why);
        else
                log_set_failure(LOG_ERR, intent->set_id, error,
                                "It could not be done, the next start tries again: %s", why);
        return r;
}

int recovery_undo_intent(struct store *store, const struct intent_record *intent) {
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        const bool exposure = exposure_has_intent(intent);
        int r;

        if (revert_has_intent(intent)) {
                r = revert_recover(store, intent, &error);
                return r < 0 ? say_undone(intent, r, &error) : 0;
        }
        r = revert_find(store, intent, &error);
        if (r != 0)
                return r < 0 ? say_undone(intent, r, &error) : 0;
        if (!p && !exposure) {
                log_set(LOG_ERR, intent->set_id,
                        "The provider %s left a step unfinished (%s) and is not here to undo it",
                        str_or_empty(intent->provider), str_or_empty(intent->kind));
                return -ENODEV;
        }
        log_set(LOG_NOTICE, intent->set_id,
                "Clearing up an unfinished step of snapshot set %s (%s, %s)",
                VSS_ID_TEXT(intent->set_id), str_or_empty(intent->provider),
                str_or_empty(intent->kind));
        r = exposure ? exposure_recover(store, intent, &error) : p->recover(store, intent, &error);
        if (r < 0)
                return say_undone(intent, r, &error);
        r = store_intent_close(store, intent->id, &error);
        if (r >= 0 || error.hr == VSS_E_OBJECT_NOT_FOUND) /* the provider may have closed it */
                return 0;
        log_set_failure(LOG_ERR, intent->set_id, &error, "%s", str_or_empty(error.message));
        return r;
}

static int recover_delete(struct store *store, const struct snapshot_record *r, const char *why,
                          bool *ret_gone) {
        const struct log_fields fields = { .set_id = &r->set_id, .snapshot_id = &r->id };
        struct vss_error error = { 0 };
        int k;

        k = snapshot_delete(store, r, true, &error);
        if (k >= 0)
                log_full(LOG_NOTICE, &fields, "Snapshot %s of %s was deleted: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), why);
        else
                log_full(LOG_ERR, &fields,
                         "Snapshot %s of %s was to be deleted (%s) and stays%s: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), why,
                         k == -ETIMEDOUT ? " for now" : "", str_or_empty(error.message));
        *ret_gone = k >= 0;
        vss_error_done(&error);
        return k;
}

static int recover_keep(struct store *store, const struct snapshot_record *r, bool *ret_gone) {
        const struct log_fields fields = { .set_id = &r->set_id, .snapshot_id = &r->id };
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        struct vss_error error = { 0 };
        int k;

        if (!p) {
                log_full(LOG_ERR, &fields,
                         "Snapshot %s of %s belongs to the provider %s, which is not here; it "
                         "cannot be read",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(r->provider));
                return -ENODEV;
        }
        k = p->activate(r, &error);
        if (k == -ENOENT) {
                log_full(LOG_ERR, &fields,
                         "The storage of snapshot %s of %s is gone, the snapshot is lost: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(error.message));
                vss_error_done(&error);
                return recover_delete(store, r, "its storage is gone", ret_gone);
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
        return k;
}

/* Of a state that was reverted with the root rows come back of copies that have become volumes
 * since: deleting one, now or when it expires, would be deleting somebody's volume. */
static int recover_broken_off(struct store *store, const struct snapshot_record *r,
                              bool *ret_gone) {
        const struct log_fields fields = { .set_id = &r->set_id, .snapshot_id = &r->id };
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        struct vss_error error = { 0 };
        int k;

        k = p && p->is_broken_off ? p->is_broken_off(r, &error) : 0;
        if (k > 0) {
                log_full(LOG_WARNING, &fields,
                         "Snapshot %s of %s is a volume by now (somebody broke it off, or renamed "
                         "it): it is not deleted, and no snapshot any more",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume));
                k = store_snapshot_delete(store, r->id, 0, &error);
                *ret_gone = k >= 0;
                k = k < 0 ? k : 1;
        }
        if (k < 0) /* it is not known whose it is: it stays as it is */
                log_full(LOG_ERR, &fields, "Snapshot %s of %s cannot be looked at: %s",
                         VSS_ID_TEXT(r->id), str_or_empty(r->volume), str_or_empty(error.message));
        vss_error_done(&error);
        return k;
}

int recovery_settle_snapshot(struct store *store, const struct snapshot_record *r, bool *ret_gone) {
        uint64_t now = (uint64_t)(now_realtime_nsec() / 1000 / 1000 / 1000);
        VSS_ID reverting;
        bool is_reverting;
        int k;

        *ret_gone = false;
        if (snapshot_is_away(r)) /* another host may have it, or its disks */
                return 0;
        is_reverting = volume_is_reverting(r->origin_uuid, &reverting);
        /* It goes when its volume has become it. */
        if (is_reverting && vss_id_equal(reverting, r->id))
                return 0;
        k = recover_broken_off(store, r, ret_gone);
        if (k != 0)
                return k < 0 ? k : 0;
        /* Its volume's tables are not to change meanwhile; whose time is up goes at the end. */
        if (is_reverting)
                return recover_keep(store, r, ret_gone);
        if (!(r->context & VSS_VOLSNAP_ATTR_PERSISTENT))
                return recover_delete(store, r, "it was not to outlive its requester", ret_gone);
        if (r->expire_unix != 0 && r->expire_unix <= now)
                return recover_delete(store, r, "it has expired", ret_gone);
        return recover_keep(store, r, ret_gone);
}
