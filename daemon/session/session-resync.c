/* Resynchronising finished snapshots. No provider of this service can, so that a call that is legal
 * ends with the documented code for that; state and arguments are looked at as they would be before
 * a provider is asked. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/session/session-private.h"

/* Resynchronising is an array's: it writes a copy's disk back over another one by itself. What a
 * software provider does instead is a revert, and nothing of ours copies over the host by this
 * name. So nothing is ever queued; what a call says is looked at all the same, and a mistake in it
 * is told before the lack of a provider. */
static int refuse_resync(VSS_ID id, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_BAD_STATE, EOPNOTSUPP,
                             "There is no hardware provider that could copy snapshot %s back to a "
                             "disk; restore the files from it, or try RevertToSnapshot",
                             VSS_ID_TEXT(id));
}

/* Whether the destination is there: to open it may take time. */
struct resync {
        struct inquiry inquiry;
        VSS_ID id;
        char *destination;
};

static void resync_free(struct inquiry *q) {
        free(((struct resync *)q)->destination);
}

static int resync_run(struct inquiry *q, struct vss_error *reterr) {
        struct resync *a = (struct resync *)q;
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        r = storage_table()->volume_open(&v, a->destination, reterr);
        return r < 0 ? r : refuse_resync(a->id, reterr);
}

static const void *resync_answer(struct inquiry *q _unused_, int *r _unused_,
                                 struct vss_error *error _unused_) {
        return NULL;
}

static const struct inquiry_type resync_type = {
        .name = "vss-resync",
        .run = resync_run,
        .answer = resync_answer,
        .free = resync_free,
};

static int resync_ask(struct session *s, VSS_ID id, const char *destination, session_done_fn done,
                      void *userdata, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct resync *a;
        int r;

        r = inquiry_new(&q, sizeof(*a), &resync_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct resync *)q;
        a->id = id;
        if (str_replace(&a->destination, destination) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "AddSnapshotToRecoverySet");
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(q);
        return 0;
}

int session_add_snapshot_to_recovery_set(struct session *s, VSS_ID id, uint32_t flags,
                                         const char *destination, session_done_fn done,
                                         void *userdata, struct vss_error *reterr) {
        struct snapshot_record record = { 0 };
        VSS_ID set_id;
        int r;

        r = session_enter(s, METHOD_ADD_SNAPSHOT_TO_RECOVERY_SET, NULL, reterr);
        if (r < 0)
                return r;
        if (vss_id_is_null(id) || flags != 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "AddSnapshotToRecoverySet needs the id of a snapshot, and "
                                     "flags, which are reserved, 0");
        r = str_empty(destination) ? 0 : volume_check_name(destination, reterr);
        if (r < 0)
                return r;
        r = store_snapshot_get(s->manager->store, id, &record, reterr);
        if (r < 0)
                return r;
        set_id = record.set_id;
        snapshot_record_done(&record);
        if (!vss_id_equal(set_id, session_backup_state(s)->set_id))
                return vss_error_set(reterr, VSS_E_SNAPSHOT_NOT_IN_SET, 0,
                                     "Snapshot %s is of the set %s, and the loaded document of %s",
                                     VSS_ID_TEXT(id), VSS_ID_TEXT(set_id),
                                     VSS_ID_TEXT(session_backup_state(s)->set_id));
        if (str_empty(destination)) /* the original volume */
                return refuse_resync(id, reterr);
        return resync_ask(s, id, destination, done, userdata, reterr);
}

/* The table refuses it in every state, as long as nothing can be queued; so the flags mean nothing
 * yet. */
int session_recover_set(struct session *s, uint32_t flags _unused_, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_RECOVER_SET, NULL, reterr);
        if (r < 0)
                return r;
        return vss_error_set(reterr, VSS_E_BAD_STATE, EOPNOTSUPP,
                             "There is no hardware provider that could copy snapshots back");
}
