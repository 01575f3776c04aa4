/* The last Release, or the death of the requester: what it leaves is put right in the background,
 * in this order:
 *
 *      set in creation: its way back -> Abort to writers of an unfinished backup
 *                                    -> BackupShutdown to all that took part
 *                                    -> deletion of auto-release snapshots -> end
 *
 * The object's memory goes in a turn of the loop of its own, so that a callback of the session may
 * release it. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/session/session-private.h"

static void session_on_release_round(void *userdata, const struct round_result *result _unused_) {
        struct session *s = userdata;

        s->release_round = NULL;
        session_release_next(s);
}

/* Was it begun, i.e. is its end still to come? */
static bool session_release_tell(struct session *s, enum writer_event_type type) {
        struct writer_event event = session_event(s, type);
        int r;

        if (!s->participants)
                return false;
        /* The null id says that no copy was made. */
        if (type == WRITER_EVENT_BACKUP_SHUTDOWN && !s->set_created)
                event.set_id = GUID_NULL;
        r = participants_send(s->participants, &event, s->manager->config.event_usec,
                              session_on_release_round, s, &s->release_round);
        if (r < 0)
                log_error("Session %llu: %s could not be sent to its writers: %s",
                          (unsigned long long)s->number, writer_event_type_to_string(type),
                          strerror(-r));
        return r >= 0;
}

static void session_on_deleted(void *userdata, int r, const void *result _unused_,
                               struct vss_error *error) {
        struct session *s = userdata;

        s->deleting = false;
        /* Somebody may have deleted them before us. */
        if (r < 0 && error->hr != VSS_E_OBJECT_NOT_FOUND) {
                log_set_failure(
                        LOG_ERR, s->set_id, error,
                        "The snapshots of session %llu were to go with it and stay for now: %s",
                        (unsigned long long)s->number, str_or_empty(error->message));
                manager_delete_later(s->manager);
        }
        session_release_next(s);
}

/* What goes with it: what it has imported, of a set that others may have the rest of; or the set
 * that it has made. One that it has made for another host goes with who imports it there, from the
 * moment on that its document is out. */
static bool session_takes_set(const struct session *s, struct snapshot_choice *ret) {
        *ret = (struct snapshot_choice){ .set_id = s->set_id,
                                         .ids = s->imported,
                                         .n = s->n_imported };
        return s->set_created &&
               vss_context_auto_release(s->imported ? s->imported_context : s->context) &&
               !s->handed_over;
}

static bool session_release_delete(struct session *s) {
        struct snapshot_choice which;
        struct vss_error error = { 0 };
        int r;

        if (!session_takes_set(s, &which))
                return false;
        manager_hide_set(s->manager, &which); /* one that came into being after Release */
        r = manager_delete_hidden(s->manager, &which, session_on_deleted, s, &error);
        if (r < 0) {
                log_set_failure(LOG_ERR, s->set_id, &error,
                                "The snapshots of session %llu cannot be deleted for now: %s",
                                (unsigned long long)s->number, str_or_empty(error.message));
                manager_delete_later(s->manager);
        }
        vss_error_done(&error);
        s->deleting = r >= 0;
        return s->deleting;
}

void session_release_next(struct session *s) {
        assert(s->released);

        if (s->coordinator || s->release_round || s->deleting)
                return;
        for (;;) {
                bool waits = false;

                switch (s->release_step++) {
                case RELEASE_ABORT:
                        /* After a failed creation the writers have been told already. */
                        if (s->state == SESSION_SET_OPEN || s->state == SESSION_PREPARED)
                                waits = session_release_tell(s, WRITER_EVENT_ABORT);
                        break;
                case RELEASE_SHUTDOWN:
                        waits = session_release_tell(s, WRITER_EVENT_BACKUP_SHUTDOWN);
                        break;
                case RELEASE_DELETE: waits = session_release_delete(s); break;
                case RELEASE_END: session_turn(s->release_turn); return;
                }
                if (waits)
                        return;
        }
}

int session_on_release_turn(sd_event_source *source _unused_, void *userdata) {
        struct session *s = userdata;

        log_debug("Session %llu has ended", (unsigned long long)s->number);
        session_destroy(s);
        return 0;
}

struct session *session_free(struct session *s) {
        struct vss_error error = { 0 };
        struct snapshot_choice which;

        if (!s)
                return NULL;
        assert(!s->released);

        s->released = true;
        session_set_account(s, NULL);
        (void)vss_error_set(&error, VSS_E_BAD_STATE, 0,
                            "The session ended before this could be answered");
        session_drop_work(s, &error);
        while (s->inquiries)
                inquiry_abandon(s->inquiries, &error);
        if (s->abort_round) {
                round_cancel(s->abort_round);
                s->abort_round = NULL;
        }
        session_answer_abort(s, -EBADFD, &error);
        vss_error_done(&error);

        if (s->status_async) {
                _cleanup_(async_unrefp) struct async *a = TAKE_PTR(s->status_async);

                async_complete_cancelled(a);
        }
        /* Gone for everybody from here on, whatever the writers still have to say. */
        if (session_takes_set(s, &which))
                manager_hide_set(s->manager, &which);
        if (s->expire_unix != 0 || s->handed_over)
                manager_arm_expiry(s->manager); /* not before: see there */
        /* A gathering or preparing round ends here; a set in creation goes its way back. */
        session_drop_operation(s);
        if (s->coordinator)
                coordinator_cancel(s->coordinator);
        else
                manager_release_creation(s->manager, s);
        session_release_next(s);
        return NULL;
}
