/* A session's snapshot set: StartSnapshotSet, AddToSnapshotSet, PrepareForBackup, DoSnapshotSet. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/session/area-watch.h"
#include "daemon/session/client-limit.h"
#include "daemon/session/reverts.h"
#include "daemon/session/session-private.h"
#include "daemon/session/set-description.h"
#include "daemon/session/volume-facts.h"

int session_start_snapshot_set(struct session *s, VSS_ID *ret, struct vss_error *reterr) {
        enum session_state next;
        VSS_ID id;
        int r;

        /* The owner's name is better than the table's sentence. */
        if (s->manager->builder != s) {
                struct vss_error refusal = { 0 };

                r = session_enter(s, METHOD_START_SNAPSHOT_SET, &next, &refusal);
                if (r < 0 && refusal.hr == VSS_E_SNAPSHOT_SET_IN_PROGRESS)
                        r = manager_claim_creation(s->manager, s, reterr);
                else if (r < 0)
                        vss_error_move(reterr, &refusal);
                vss_error_done(&refusal);
        } else
                r = session_enter(s, METHOD_START_SNAPSHOT_SET, &next, reterr);
        if (r < 0)
                return r;
        r = vss_id_random(&id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Making a set's id");
        r = manager_claim_creation(s->manager, s, reterr);
        if (r < 0)
                return r;
        s->set_id = id;
        session_consume_context(s);
        session_set_state(s, next);
        log_full(LOG_INFO,
                 (&(const struct log_fields){ .session_id = &s->id, .set_id = &s->set_id }),
                 "Session %llu (%s, uid %u) begins snapshot set %s", (unsigned long long)s->number,
                 VSS_ID_TEXT(s->id), (unsigned)s->owner, VSS_ID_TEXT(id));
        *ret = id;
        return 0;
}

struct addition {
        struct inquiry inquiry;
        struct store *store;
        char *spec;
        VSS_ID provider_id;
        LONG context;
        unsigned max_snapshots;
        struct volume *others; /* names and devices of those in the set */
        size_t n_others;

        struct volume *volume;
        const struct provider *provider;
        VSS_ID snapshot_id;
};

static void addition_free(struct inquiry *q) {
        struct addition *a = (struct addition *)q;

        for (size_t i = 0; i < a->n_others; i++)
                free(a->others[i].name);
        free(a->others);
        free(a->spec);
        volume_free(a->volume);
}

static int addition_note_others(struct addition *a, const struct session *s) {
        a->others = calloc(s->n_volumes + 1, sizeof(*a->others));
        if (!a->others)
                return -ENOMEM;
        for (; a->n_others < s->n_volumes; a->n_others++) {
                const struct volume *v = s->volumes[a->n_others].volume;

                a->others[a->n_others].devno = v->devno;
                if (str_replace(&a->others[a->n_others].name, v->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Early, for the requester's sake; the set as a whole is looked at again before it is staged. */
static int addition_check_nesting(struct addition *a, struct vss_error *reterr) {
        _cleanup_(freep) const struct volume **volumes = NULL;

        volumes = calloc(a->n_others + 1, sizeof(*volumes));
        if (!volumes)
                return vss_error_from_errno(reterr, -ENOMEM, "AddToSnapshotSet");
        for (size_t i = 0; i < a->n_others; i++)
                volumes[i] = &a->others[i];
        volumes[a->n_others] = a->volume;
        return volumes_check_nesting(volumes, a->n_others + 1, reterr);
}

static int addition_check_number(struct addition *a, struct vss_error *reterr) {
        unsigned n;
        int r;

        r = volume_count_snapshots(a->store, a->volume, &n, reterr);
        if (r < 0)
                return r;
        if (n >= a->max_snapshots)
                return vss_error_set(reterr, VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, 0,
                                     "Volume %s has %u snapshots, and %u is the most; delete one",
                                     a->volume->name, n, a->max_snapshots);
        return 0;
}

static int addition_run(struct inquiry *q, struct vss_error *reterr) {
        struct addition *a = (struct addition *)q;
        int r;

        r = storage_table()->volume_open(&a->volume, a->spec, reterr);
        if (r < 0)
                return r;
        r = provider_select(&a->provider, a->provider_id, a->volume, a->context, reterr);
        if (r < 0)
                return r;
        r = addition_check_nesting(a, reterr);
        return r < 0 ? r : addition_check_number(a, reterr);
}

static int session_check_room(const struct session *s, struct vss_error *reterr) {
        unsigned max = s->manager->config.max_volumes;

        if (s->n_volumes < max)
                return 0;
        return vss_error_set(reterr, VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED, 0,
                             "The snapshot set has %u volumes, the most a set can have; make "
                             "another set for the rest",
                             max);
}

static int session_check_volume(const struct session *s, const struct volume *v,
                                struct vss_error *reterr) {
        for (size_t i = 0; i < s->n_volumes; i++) {
                const struct volume *other = s->volumes[i].volume;

                if (other->devno == v->devno)
                        return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, 0,
                                             "Volume %s (%s) is in the set already, as %s; name "
                                             "each volume once",
                                             v->display, v->device, other->display);
        }
        return 0;
}

static int session_keep_volume(struct session *s, struct addition *a, struct vss_error *reterr) {
        struct coordinator_volume *grown;
        int r;

        r = vss_id_random(&a->snapshot_id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Making a snapshot's id");
        grown = reallocarray(s->volumes, s->n_volumes + 1, sizeof(*grown));
        if (!grown)
                return vss_error_from_errno(reterr, -ENOMEM, "AddToSnapshotSet");
        s->volumes = grown;
        s->volumes[s->n_volumes++] = (struct coordinator_volume){
                .volume = TAKE_PTR(a->volume),
                .provider = a->provider,
                .snapshot_id = a->snapshot_id,
        };
        return 0;
}

/* A volume that is about to be unmounted would be in the set as one without a file system. */
static int session_check_reverts(const struct session *s, struct vss_error *reterr) {
        if (reverts_take_state_back(s->manager->reverts))
                return manager_refuse_before_boot(reterr, VSS_E_PROVIDER_VETO);
        if (s->manager->n_reversions > 0)
                return vss_error_set(
                        reterr, VSS_E_PROVIDER_VETO, EBUSY,
                        "the revert of a volume is just being begun; wait for a moment "
                        "and try again");
        return 0;
}

static const void *addition_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct addition *a = (struct addition *)q;
        struct session *s = q->session;

        if (!s)
                return NULL;
        s->n_adding--;
        if (*r < 0)
                return NULL;
        /* The set may have gone on, or away, while the volume was looked at. */
        *r = session_enter(s, METHOD_ADD_TO_SNAPSHOT_SET, NULL, error);
        if (*r >= 0)
                *r = session_check_room(s, error);
        if (*r >= 0)
                *r = session_check_reverts(s, error);
        if (*r >= 0)
                *r = session_check_volume(s, a->volume, error);
        if (*r >= 0)
                *r = session_keep_volume(s, a, error);
        return *r >= 0 ? &a->snapshot_id : NULL;
}

static const struct inquiry_type addition_type = {
        .name = "vss-add",
        .run = addition_run,
        .answer = addition_answer,
        .free = addition_free,
};

int session_add_to_snapshot_set(struct session *s, const char *volume, VSS_ID provider,
                                session_done_fn done, void *userdata, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct addition *a;
        int r;

        r = session_enter(s, METHOD_ADD_TO_SNAPSHOT_SET, NULL, reterr);
        if (r < 0)
                return r;
        if (str_empty(volume))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "AddToSnapshotSet needs a volume: a mount point or a block "
                                     "device");
        r = session_check_room(s, reterr);
        if (r >= 0)
                r = session_check_reverts(s, reterr);
        if (r < 0)
                return r;
        r = inquiry_new(&q, sizeof(*a), &addition_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        a = (struct addition *)q;
        a->store = s->manager->store;
        a->provider_id = provider;
        a->context = s->context;
        a->max_snapshots = s->manager->config.max_snapshots;
        a->spec = strdup(volume);
        if (!a->spec || addition_note_others(a, s) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "AddToSnapshotSet");
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        s->n_adding++;
        TAKE_PTR(q);
        return 0;
}

static void session_cancel_prepare(void *userdata) {
        session_drop_operation(userdata);
}

int session_prepare_for_backup(struct session *s, struct async **ret, struct vss_error *reterr) {
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_PREPARE_FOR_BACKUP, &next, reterr);
        if (r < 0)
                return r;
        if (!s->gathered)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "PrepareForBackup needs GatherWriterMetadata first, and that "
                                     "before StartSnapshotSet; use a new object");
        participants_involve(s->participants, session_concerns, s);
        return session_begin_round(s, METHOD_PREPARE_FOR_BACKUP, WRITER_EVENT_PREPARE_BACKUP, next,
                                   session_cancel_prepare, ret, reterr);
}

static void session_cancel_set(void *userdata) {
        struct session *s = userdata;

        /* The operation ends when everything is put back. */
        s->operation.cancelled = true;
        if (s->coordinator)
                coordinator_cancel(s->coordinator);
}

static void session_on_progress(void *userdata, const char *phase, unsigned per_cent) {
        struct session *s = userdata;

        if (s->operation.async)
                async_set_phase(s->operation.async, phase, per_cent);
}

/* Without memory the document lacks the set's id, which its requester has. */
static int session_note_set(struct session *s, struct vss_error *reterr) {
        struct backup_document_state state = *session_backup_state(s);

        state.set_id = s->set_id;
        if (backup_document_set_state(s->document, &state, NULL) < 0)
                log_set(LOG_WARNING, s->set_id, "Out of memory: the document lacks the set's id");
        return set_description_write(s, reterr);
}

/* What it was to be done for failed; r: whether what was made is gone. */
static void session_end_failed(struct session *s, int r, const struct vss_error *error) {
        struct vss_error failure = { 0 };

        vss_error_move(&failure, &s->operation.failure);
        if (r < 0)
                (void)vss_error_prefix(&failure, "The set stays, as it cannot be deleted (%s)",
                                       str_or_empty(error->message));
        session_end_operation(s, &failure);
        vss_error_done(&failure);
}

static void session_on_undone(void *userdata, int r, const void *result _unused_,
                              struct vss_error *error) {
        struct session *s = userdata;

        s->deleting = false;
        s->set_created = r < 0; /* what stays goes with the session, or is deleted by hand */
        if (s->released) {
                session_release_next(s);
                return;
        }
        session_set_state(s, SESSION_ABORTED);
        if (s->operation.failure.hr != S_OK) {
                session_end_failed(s, r, error);
                return;
        }
        if (r < 0)
                (void)vss_error_prefix(error, "The set was cancelled after it had been made, and "
                                              "cannot be deleted");
        session_end_operation(s, r < 0 ? error : NULL);
}

/* Cancel was accepted when the set was past its commit, and S_OK says that it is cancelled; or what
 * was made is of no use to anybody: it goes again, before the requester hears of the end. */
static void session_undo_set(struct session *s) {
        const struct snapshot_choice all = { .set_id = s->set_id };
        struct vss_error error = { 0 };
        int r;

        manager_hide_set(s->manager, &all);
        r = manager_delete_hidden(s->manager, &all, session_on_undone, s, &error);
        s->deleting = r >= 0;
        if (r < 0)
                session_on_undone(s, r, NULL, &error);
        vss_error_done(&error);
}

void session_on_set(void *userdata, int r, const struct coordinator_result *result,
                    struct vss_error *error) {
        struct session *s = userdata;
        struct session_manager *m = s->manager;

        s->coordinator = NULL;
        s->set_created = r == 0;
        session_drop_volumes(s);
        manager_release_creation(m, s);
        for (size_t i = 0; i < result->n; i++)
                manager_tell(m, &result->snapshots[i], SNAPSHOT_ADDED);
        if (result->n > 0) {
                manager_arm_expiry(m);
                area_watch_begin(m->areas, result->snapshots, result->n);
                if (!s->operation.cancelled) /* else they go again */
                        client_limit_apply(m, result->snapshots, result->n);
        }
        s->operation.held = r == 0 && !s->released && s->n_merges > 0;
        if (!s->operation.held)
                session_conclude_set(s, r, error);
}

void session_conclude_set(struct session *s, int r, struct vss_error *error) {
        if (r == 0 && !s->released && s->operation.cancelled && !s->abort_waiters) {
                session_undo_set(s);
                return;
        }
        /* AbortBackup goes before, and needs no document. */
        if (r == 0 && !s->released && session_note_set(s, &s->operation.failure) < 0 &&
            !s->abort_waiters) {
                session_undo_set(s);
                return;
        }
        session_set_state(s, r == 0 ? s->operation.next : SESSION_ABORTED);
        if (s->released) {
                session_release_next(s);
                return;
        }
        /* Whoever is answered may release the session; its memory stays until a later turn. */
        if (s->abort_waiters && r == 0) {
                session_end_operation(s, &(const struct vss_error){ 0 });
                if (!s->released)
                        session_abort_now(s);
                return;
        }
        session_end_operation(s, r == -ECANCELED ? NULL : error);
        if (!s->released) /* the writers were told on the way back */
                session_answer_abort(s, 0, NULL);
}

static int session_check_set(const struct session *s, struct vss_error *reterr) {
        if (s->n_adding > 0)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "DoSnapshotSet must wait: AddToSnapshotSet has not answered "
                                     "yet");
        if (s->n_volumes == 0 && !vss_context_has_writers(s->context))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "DoSnapshotSet needs AddToSnapshotSet first: without writers "
                                     "an empty set would be nothing at all");
        return 0;
}

static int session_start_set(struct session *s, struct vss_error *reterr) {
        /* What the events of this set have in common. */
        const struct writer_event event = session_event(s, WRITER_EVENT_PREPARE_SNAPSHOT);
        const struct session_config *config = &s->manager->config;
        struct coordinator_request request = {
                .event = s->manager->event,
                .store = s->manager->store,
                .session_id = s->id,
                .set_id = s->set_id,
                .context = s->context,
                .backup_type = event.backup_type,
                .component_mode = event.component_mode,
                .bootable_system_state = event.bootable_system_state,
                .partial_files = event.partial_files,
                .expire_unix = s->expire_unix,
                .store_bytes = config->area_all_bytes,
                .volumes = s->volumes,
                .n_volumes = s->n_volumes,
                .participants = vss_context_has_writers(s->context) ? s->participants : NULL,
                .freeze_usec = config->freeze_usec,
                .flush_usec = config->flush_usec,
                .hold_usec = config->hold_usec,
                .prepare_snapshot_usec = config->prepare_snapshot_usec,
                .post_snapshot_usec = config->post_snapshot_usec,
                .event_usec = config->event_usec,
                .suspend_lists = config->suspend_lists,
        };
        int r;

        r = coordinator_start(&s->coordinator, &request, session_on_progress, session_on_set, s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "DoSnapshotSet");
        session_set_state(s, SESSION_CREATING);
        return 0;
}

/* Until here nothing of the set has begun: what goes wrong leaves the state as it was. */
static void session_on_set_parts(void *userdata, int r, const void *result _unused_,
                                 struct vss_error *error) {
        struct session *s = userdata;

        if (s->released || !s->operation.async)
                return;
        if (s->operation.cancelled) {
                session_abort_now(s);
                return;
        }
        if (r >= 0)
                r = session_start_set(s, error);
        if (r < 0)
                session_end_operation(s, error);
}

int session_do_snapshot_set(struct session *s, struct async **ret, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_DO_SNAPSHOT_SET, NULL, reterr);
        if (r < 0)
                return r;
        r = session_check_set(s, reterr);
        if (r < 0)
                return r;
        r = session_begin_operation(s, METHOD_DO_SNAPSHOT_SET, SESSION_CREATED, session_cancel_set,
                                    reterr);
        if (r < 0)
                return r;
        r = session_make_parts(s, false, session_on_set_parts, reterr);
        if (r > 0)
                r = session_start_set(s, reterr);
        if (r < 0) {
                s->operation.async = async_unref(s->operation.async);
                return r;
        }
        *ret = async_ref(s->operation.async);
        return 0;
}
