/* Calling the application: which handler, on which thread, with which signals blocked. */

#include "libvssclient/writer.h"

/* A handler that runs on this thread. In one of a writer, the loop of another may be dispatched. */
struct serving {
        const CVssWriter *writer;
        const struct serving *outer;
};
static _Thread_local const struct serving *innermost;

struct writer_event *writer_current(CVssWriter *writer) {
        for (const struct serving *s = innermost; s; s = s->outer)
                if (s->writer == writer)
                        return writer->current;
        return NULL;
}

static bool identify(CVssWriter *w, IVssCreateWriterMetadata *metadata) {
        const VSS_WRITER_CALLBACKS *c = &w->callbacks;

        if (c->OnIdentifyEx)
                return c->OnIdentifyEx(w, w->user, metadata);
        return !c->OnIdentify || c->OnIdentify(w, w->user, metadata);
}

static bool call_handler(CVssWriter *w, const struct writer_event *e,
                         IVssCreateWriterMetadata *metadata) {
        const VSS_WRITER_CALLBACKS *c = &w->callbacks;
        IVssWriterComponents *components = e->components;

        switch (e->phase) {
        case PHASE_IDENTIFY: return identify(w, metadata);
        case PHASE_PREPARE_BACKUP:
                return !c->OnPrepareBackup || c->OnPrepareBackup(w, w->user, components);
        case PHASE_PREPARE_SNAPSHOT: return c->OnPrepareSnapshot(w, w->user);
        case PHASE_FREEZE: return c->OnFreeze(w, w->user);
        case PHASE_THAW: return c->OnThaw(w, w->user);
        case PHASE_POST_SNAPSHOT:
                return !c->OnPostSnapshot || c->OnPostSnapshot(w, w->user, components);
        case PHASE_ABORT: return c->OnAbort(w, w->user);
        case PHASE_BACKUP_COMPLETE:
                return !c->OnBackupComplete || c->OnBackupComplete(w, w->user, components);
        case PHASE_BACKUP_SHUTDOWN:
                return !c->OnBackupShutdown || c->OnBackupShutdown(w, w->user, e->details.set_id);
        case PHASE_PRE_RESTORE: return !c->OnPreRestore || c->OnPreRestore(w, w->user, components);
        case PHASE_POST_RESTORE:
                return !c->OnPostRestore || c->OnPostRestore(w, w->user, components);
        case _PHASE_MAX: break;
        }
        return false;
}

static bool is_subscribed_to(const CVssWriter *w, enum event_phase phase) {
        return ((w->identity.events & VSS_SM_BACKUP_EVENTS_FLAG) &&
                event_phase_has(phase, PHASE_OF_BACKUP)) ||
               ((w->identity.events & VSS_SM_RESTORE_EVENTS_FLAG) &&
                event_phase_has(phase, PHASE_OF_RESTORE));
}

/* On a thread of the library's, which takes no signals from the application, handlers see the
 * signal mask of the thread that subscribed, and so do the programs they start. */
bool writer_run_handler(CVssWriter *w, struct writer_event *e, IVssCreateWriterMetadata *metadata) {
        const struct serving here = { .writer = w, .outer = innermost };
        bool masks = writer_on_library_thread(w), ok;
        sigset_t before;

        if (!is_subscribed_to(w, e->phase))
                return true;
        innermost = &here;
        w->current = e;
        if (masks)
                (void)pthread_sigmask(SIG_SETMASK, &w->handler_mask, &before); /* bad `how` only */
        ok = call_handler(w, e, metadata);
        if (masks)
                (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        w->current = NULL;
        innermost = here.outer;
        return ok;
}
