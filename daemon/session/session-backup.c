/* How a session's backup ends: BackupComplete or AbortBackup. */

#include "daemon/session/session-private.h"

/* The event is out with every writer and cannot be taken back: what is cancelled is the wait. */
static void session_cancel_complete(void *userdata) {
        struct session *s = userdata;

        session_set_state(s, s->operation.next);
        session_drop_operation(s);
}

int session_backup_complete(struct session *s, struct async **ret, struct vss_error *reterr) {
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_BACKUP_COMPLETE, &next, reterr);
        if (r < 0)
                return r;
        r = session_begin_round(s, METHOD_BACKUP_COMPLETE, WRITER_EVENT_BACKUP_COMPLETE, next,
                                session_cancel_complete, ret, reterr);
        /* Without DoSnapshotSet (no snapshot was needed) the set that was opened ends here. */
        if (r >= 0)
                manager_release_creation(s->manager, s);
        return r;
}

void session_answer_abort(struct session *s, int r, struct vss_error *error) {
        struct abort_waiter *waiters = TAKE_PTR(s->abort_waiters);

        while (waiters) {
                struct abort_waiter *w = waiters;
                struct vss_error none = { 0 };

                waiters = w->next;
                w->done(w->userdata, r, NULL, error ? error : &none);
                free(w);
        }
}

int session_on_abort_turn(sd_event_source *source _unused_, void *userdata) {
        struct session *s = userdata;
        struct vss_error error = { 0 };
        int r = s->abort_result;

        s->abort_result = 0;
        if (r < 0)
                (void)vss_error_from_errno(&error, r, "Telling the writers of the abort");
        session_answer_abort(s, r, &error);
        vss_error_done(&error);
        return 0;
}

static void session_on_abort_round(void *userdata, const struct round_result *result _unused_) {
        struct session *s = userdata;

        s->abort_round = NULL;
        session_answer_abort(s, 0, NULL);
}

void session_abort_now(struct session *s) {
        const struct writer_event event = session_event(s, WRITER_EVENT_ABORT);

        session_drop_operation(s);
        session_set_state(s, SESSION_ABORTED);
        manager_release_creation(s->manager, s);
        session_drop_volumes(s);
        s->abort_result = 0;
        if (s->participants)
                s->abort_result =
                        participants_send(s->participants, &event, s->manager->config.event_usec,
                                          session_on_abort_round, s, &s->abort_round);
        if (!s->abort_round)
                session_turn(s->abort_turn);
}

int session_abort_backup(struct session *s, session_done_fn done, void *userdata,
                         struct vss_error *reterr) {
        struct abort_waiter *waiter;
        int r;

        r = session_enter(s, METHOD_ABORT_BACKUP, NULL, reterr);
        if (r < 0)
                return r;
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return vss_error_from_errno(reterr, -ENOMEM, "AbortBackup");
        *waiter = (struct abort_waiter){ .next = s->abort_waiters,
                                         .done = done,
                                         .userdata = userdata };
        s->abort_waiters = waiter;
        if (s->coordinator) /* it tells the writers on its way back */
                coordinator_cancel(s->coordinator);
        else if (s->operation.held && s->operation.method == METHOD_DO_SNAPSHOT_SET)
                ; /* session_conclude_set() answers */
        else if (r == 0)
                session_abort_now(s);
        else if (!s->abort_round) /* nothing is under way */
                session_turn(s->abort_turn);
        return 0;
}
