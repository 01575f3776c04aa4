/* See revert-private.h and manager-private.h: the steps of a revert that a running service and the
 * next start have in common. What the start finds, after a death between any two lines of
 * revert.c, it goes by what the provider says of the storage, never by how far it should be:
 *
 *      REVERT_NONE      nothing has happened to the volume: it is mounted again, the intent goes
 *      REVERT_WAITING   LVM will do it with the next activation: it is begun, unless it is to wait
 *      REVERT_RUNNING,  it goes on by itself; the volume is mounted again, and looked after
 *      REVERT_COPIED
 *      REVERT_OVER      the volume is mounted again; the copy's row and the intent go
 *
 * While it waits it is not mounted: what would be written to it would be lost. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/revert-private.h"

static bool is_of_this_boot(const struct revert_note *n) {
        _cleanup_(freep) char *boot = NULL;

        return dm_copy_read_boot(&boot) >= 0 && streq(boot, n->boot);
}

static int find_provider(const struct revert_note *n, const struct provider **ret,
                         struct vss_error *reterr) {
        *ret = provider_by_name(n->provider);
        if (*ret && (*ret)->revert)
                return 0;
        return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                             "%s is being reverted by the provider %s, which this service does not "
                             "have",
                             n->volume, n->provider);
}

/* The row may be that of a later state than this, and not there. */
int revert_forget(struct store *store, const struct revert_note *n, int64_t intent,
                  struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = store_snapshot_delete(store, n->id, intent, &error);
        if (r < 0 && error.hr == VSS_E_OBJECT_NOT_FOUND)
                return store_intent_close(store, intent, reterr);
        vss_error_move(reterr, &error);
        return r;
}

/* What was mounted before a boot is what fstab(5) has mounted since. */
static int mount_again(const struct revert_note *n, struct vss_error *reterr) {
        if (str_empty(n->mounts) || !is_of_this_boot(n))
                return 0;
        return storage_table()->origin_mount(n->origin_uuid, n->mounts, reterr);
}

static void say(const struct revert_note *n, VSS_ID set_id, const struct vss_error *error,
                const char *what) {
        log_full(LOG_ERR,
                 (&(const struct log_fields){
                         .set_id = &set_id, .snapshot_id = &n->id, .code = error->hr }),
                 "%s, which is being reverted to the copy %s, %s: %s", n->volume,
                 VSS_ID_TEXT(n->id), what, str_or_empty(error->message));
}

/* What the next start is not to do again. */
static int note_mounted(struct store *store, const struct revert_note *n, int64_t intent,
                        struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        struct revert_note mounted = *n;

        mounted.mounts = NULL;
        if (revert_note_format(&mounted, &data) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, n->volume);
        return store_intent_update(store, intent, data, reterr);
}

void revert_mount(struct store *store, struct revert_note *n, VSS_ID set_id, int64_t intent,
                  enum revert_state state) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        if (str_empty(n->mounts) || state == REVERT_WAITING || state == REVERT_LOST)
                return;
        r = mount_again(n, &error);
        if (r < 0)
                say(n, set_id, &error, "could not be mounted again");
        else if (state != REVERT_OVER && note_mounted(store, n, intent, &error) < 0)
                say(n, set_id, &error, "is mounted, which could not be noted");
        *n->mounts = '\0';
}

bool revert_waits_for_boot(const struct revert_note *n) {
        return n->at_boot && is_of_this_boot(n);
}

int revert_check_before_boot(struct store *store, HRESULT hr, struct vss_error *reterr) {
        struct intent_record *intents = NULL;
        size_t n = 0;
        int r;

        r = store_intent_list(store, &intents, &n, reterr);
        for (size_t i = 0; i < n && r >= 0; i++) {
                _cleanup_(revert_note_done) struct revert_note note = { 0 };

                if (revert_has_intent(&intents[i]) &&
                    revert_note_parse(&note, intents[i].data) >= 0 && note.has_state &&
                    revert_waits_for_boot(&note))
                        r = manager_refuse_before_boot(reterr, hr);
        }
        intent_records_free(intents, n);
        return r;
}

/* From one state to what can be made of it. */
static int bring_on(const struct provider *p, const struct snapshot_record *record,
                    const struct revert_note *n, struct revert_progress *now,
                    struct vss_error *reterr) {
        const enum revert_state state = now->state;
        int r;

        if (state == REVERT_WAITING && !revert_waits_for_boot(n))
                r = p->revert(record, false, reterr);
        else if (state == REVERT_COPIED || state == REVERT_OVER)
                r = p->revert_end(record, reterr);
        else
                return 0;
        return r < 0 || state == REVERT_OVER ? r : p->revert_look(record, now, reterr);
}

int revert_undo(struct store *store, const struct revert_note *n, VSS_ID set_id, int64_t intent,
                struct vss_error *reterr) {
        const struct snapshot_record record = revert_note_record(n, set_id);
        const struct provider *p;
        int r;

        r = find_provider(n, &p, reterr);
        if (r >= 0 && p->revert_back)
                r = p->revert_back(&record, reterr);
        if (r >= 0)
                r = mount_again(n, reterr);
        return r < 0 ? r : store_intent_close(store, intent, reterr);
}

/* Nothing has happened to the volume, nor will: as at the start, and the copy is one that can be
 * read, unless it is not known (any more). */
static int call_off(struct store *store, const struct revert_note *n, VSS_ID set_id, int64_t intent,
                    struct vss_error *reterr) {
        struct snapshot_record record = { 0 };
        int r;

        r = revert_undo(store, n, set_id, intent, reterr);
        if (r >= 0 && store_snapshot_get(store, n->id, &record, NULL) >= 0)
                snapshot_put_back(&record);
        snapshot_record_done(&record);
        return r;
}

int revert_look(struct store *store, struct revert_note *n, VSS_ID set_id, int64_t intent,
                struct revert_progress *progress, struct vss_error *reterr) {
        const struct snapshot_record record = revert_note_record(n, set_id);
        const struct provider *p;
        int r;

        r = find_provider(n, &p, reterr);
        if (r >= 0)
                r = p->revert_look(&record, progress, reterr);
        if (r >= 0)
                r = bring_on(p, &record, n, progress, reterr);
        if (r >= 0 && progress->state == REVERT_NONE)
                return call_off(store, n, set_id, intent, reterr);
        if (r >= 0)
                revert_mount(store, n, set_id, intent, progress->state);
        return r >= 0 && progress->state == REVERT_OVER ? revert_forget(store, n, intent, reterr)
                                                        : r;
}

/* It cannot be undone, and if it does not go on now, it does later: the looks see to that. */
static int go_on(const struct provider *p, struct revert_note *n, struct store *store,
                 const struct intent_record *intent, struct revert_progress *now,
                 struct vss_error *reterr) {
        const struct snapshot_record record = revert_note_record(n, intent->set_id);
        const bool over = now->state == REVERT_OVER, waits = revert_waits_for_boot(n);
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = over ? p->revert_end(&record, &error) : p->revert(&record, waits, &error);
        if (r >= 0 && now->state == REVERT_WAITING && !waits)
                r = p->revert_look(&record, now, &error);
        if (r == -ETIMEDOUT) { /* the start tries again */
                vss_error_move(reterr, &error);
                return r;
        }
        if (r < 0)
                say(n, intent->set_id, &error, "could not be brought on, which is tried again");
        else
                revert_mount(store, n, intent->set_id, intent->id, now->state);
        return over && r >= 0;
}

int revert_recover(struct store *store, const struct intent_record *intent,
                   struct vss_error *reterr) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        struct revert_progress now = { 0 };
        struct snapshot_record record;
        const struct provider *p;
        int r;

        r = revert_note_parse(&n, intent->data);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG,
                                     "The intent of a revert makes no sense: \"%s\"",
                                     str_or_empty(intent->data));
        r = find_provider(&n, &p, reterr);
        /* Until it is known better: nobody else makes this copy readable again. */
        if (r >= 0 && volume_revert_add(n.origin_uuid, n.id) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, n.volume);
        if (r < 0)
                return r;
        record = revert_note_record(&n, intent->set_id);
        r = p->revert_look(&record, &now, reterr);
        if (r < 0 || now.state == REVERT_LOST) /* it goes on when it is back */
                return r < 0 ? r : 0;
        if (now.state == REVERT_NONE)
                r = revert_undo(store, &n, intent->set_id, intent->id, reterr);
        else {
                r = go_on(p, &n, store, intent, &now, reterr);
                if (r <= 0)
                        return r;
                r = revert_forget(store, &n, intent->id, reterr);
        }
        if (r >= 0)
                volume_revert_remove(n.id);
        return r;
}

/* What makes no sense is said by revert_recover(). */
int revert_rescue(const struct intent_record *intent, struct vss_error *reterr) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        const struct provider *p;
        struct snapshot_record record;

        if (revert_note_parse(&n, intent->data) < 0)
                return 0;
        p = provider_by_name(n.provider);
        record = revert_note_record(&n, intent->set_id);
        return p && p->revert_rescue ? p->revert_rescue(&record, reterr) : 0;
}

int revert_origins(const struct intent_record *intent, char ***uuids, char ***names,
                   struct vss_error *reterr) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        int r;

        if (revert_note_parse(&n, intent->data) < 0)
                return 0;
        r = strv_append(uuids, n.origin_uuid);
        if (r >= 0)
                r = strv_append(names, n.volume);
        return r < 0 ? vss_error_from_errno(reterr, r, n.volume) : 0;
}

/* The snapshot's id is not known any more: it gets another. */
static int note_found(struct store *store, const struct intent_record *intent,
                      const struct provider *p, const struct snapshot_record *found,
                      struct vss_error *reterr) {
        _cleanup_(origin_mounts_done) struct origin_mounts mounts = { 0 };
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        int64_t id;
        int r;

        /* For its names only; without it goes on as well. */
        (void)storage_table()->origin_mounts(found->origin_uuid, &mounts, NULL);
        n.names = TAKE_PTR(mounts.names);
        r = vss_id_random(&n.id);
        if (r >= 0)
                r = dm_copy_read_boot(&n.boot);
        if (r < 0 || str_replace(&n.provider, p->name) < 0 ||
            str_replace(&n.origin_uuid, str_or_empty(found->origin_uuid)) < 0 ||
            str_replace(&n.volume, found->volume) < 0 || str_replace(&n.device, "") < 0 ||
            str_replace(&n.data, found->provider_data) < 0)
                return vss_error_from_errno(reterr, r < 0 ? r : -ENOMEM, found->volume);
        if (volume_revert_add(n.origin_uuid, n.id) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, found->volume);
        r = revert_note_open(&n, store, intent->set_id, &id, reterr);
        return r < 0 ? r : store_intent_close(store, intent->id, reterr);
}

int revert_find(struct store *store, const struct intent_record *intent, struct vss_error *reterr) {
        _cleanup_(snapshot_record_done) struct snapshot_record found = { 0 };
        const struct provider *p = provider_by_name(str_or_empty(intent->provider));
        int r;

        if (!p || !p->find_reverting)
                return 0;
        r = p->find_reverting(intent, &found, reterr);
        if (r <= 0)
                return r;
        log_set(LOG_NOTICE, intent->set_id,
                "The state of the service is of the moment when the copy was made to which %s is "
                "being reverted; that goes on",
                found.volume);
        r = note_found(store, intent, p, &found, reterr);
        return r < 0 ? r : 1;
}
