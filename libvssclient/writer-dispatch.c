/* Events, on the writer's thread: which handler is called, what is answered, and the freeze's own
 * deadline. An application that was asked to freeze is always told to go on, by Thaw, by Abort, or
 * from here; and exactly one of them counts. */

#include "common/document.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "common/wire-error.h"
#include "common/writer-metadata.h"
#include "libvssclient/writer.h"

static _Thread_local CVssWriter *serving;

struct writer_event *writer_current(CVssWriter *writer) {
        return writer && serving == writer ? writer->current : NULL;
}

static bool call_handler(CVssWriter *w, const struct writer_event *e,
                         IVssCreateWriterMetadata *metadata) {
        const VSS_WRITER_CALLBACKS *c = &w->callbacks;

        switch (e->phase) {
        case PHASE_IDENTIFY: return !c->OnIdentify || c->OnIdentify(w, w->user, metadata);
        case PHASE_PREPARE_BACKUP:
                return !c->OnPrepareBackup || c->OnPrepareBackup(w, w->user, NULL);
        case PHASE_PREPARE_SNAPSHOT: return c->OnPrepareSnapshot(w, w->user);
        case PHASE_FREEZE: return c->OnFreeze(w, w->user);
        case PHASE_THAW: return c->OnThaw(w, w->user);
        case PHASE_POST_SNAPSHOT: return !c->OnPostSnapshot || c->OnPostSnapshot(w, w->user, NULL);
        case PHASE_ABORT: return c->OnAbort(w, w->user);
        case PHASE_BACKUP_COMPLETE:
                return !c->OnBackupComplete || c->OnBackupComplete(w, w->user, NULL);
        case PHASE_BACKUP_SHUTDOWN:
                return !c->OnBackupShutdown || c->OnBackupShutdown(w, w->user, e->details.set_id);
        case PHASE_PRE_RESTORE: return !c->OnPreRestore || c->OnPreRestore(w, w->user, NULL);
        case PHASE_POST_RESTORE: return !c->OnPostRestore || c->OnPostRestore(w, w->user, NULL);
        case _PHASE_MAX: break;
        }
        return false;
}

/* Handlers see the signal mask of the thread that subscribed, and so do the programs they start;
 * the writer's thread itself takes no signals from the application. */
static bool run_handler(CVssWriter *w, struct writer_event *e, IVssCreateWriterMetadata *metadata) {
        sigset_t blocked;
        bool ok;

        serving = w;
        w->current = e;
        (void)pthread_sigmask(SIG_SETMASK, &w->handler_mask, &blocked); /* fails for bad `how` */
        ok = call_handler(w, e, metadata);
        (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
        w->current = NULL;
        serving = NULL;
        return ok;
}

void writer_abort_freeze(CVssWriter *w) {
        struct writer_event e;

        if (!w->frozen)
                return;
        e = w->freeze;
        w->freeze = (struct writer_event){ 0 };
        w->frozen = false;
        w->expired_session = e.session_id;
        writer_event_become_abort(&e);
        (void)run_handler(w, &e, NULL); /* nobody is there to read what it returns */
        writer_event_done(&e);
}

static void thaw(CVssWriter *w) {
        if (w->frozen)
                writer_event_done(&w->freeze);
        w->freeze = (struct writer_event){ 0 };
        w->frozen = false;
}

/* The clock starts with the event's arrival, before the handler: what it takes counts. A copy of
 * the event stays, for the Abort that may have to be made of it. */
static int arm(CVssWriter *w, const struct writer_event *e) {
        struct writer_event copy = *e;
        uint32_t timeout_ms = w->identity.freeze_timeout_ms;

        writer_abort_freeze(w); /* a session that froze us before is over: there is one at a time */
        if (e->details.freeze_timeout_ms != 0 && e->details.freeze_timeout_ms < timeout_ms)
                timeout_ms = e->details.freeze_timeout_ms;
        copy.message = NULL;
        copy.details.volumes = copy.details.devices = NULL;
        if (e->details.volumes && strv_copy(&copy.details.volumes, e->details.volumes) < 0)
                return -ENOMEM;
        w->freeze = copy;
        w->frozen = true;
        w->freeze_deadline_usec = now_monotonic_usec() + timeout_ms * USEC_PER_MSEC;
        w->expired_session = GUID_NULL;
        return 0;
}

static bool frozen_by(const CVssWriter *w, const struct writer_event *e) {
        return w->frozen && vss_id_equal(w->freeze.session_id, e->session_id);
}

static bool expired(const CVssWriter *w, const struct writer_event *e) {
        return !vss_id_is_null(w->expired_session) &&
               vss_id_equal(w->expired_session, e->session_id);
}

/* Refuses an event without asking the handler. */
static bool refuse(struct writer_event *e, HRESULT failure, const char *message) {
        e->failure = failure;
        (void)str_replace(&e->message, message); /* without memory: the code alone */
        return false;
}

static bool freeze(CVssWriter *w, struct writer_event *e) {
        bool ok;

        if (arm(w, e) < 0)
                return refuse(e, VSS_E_WRITERERROR_OUTOFRESOURCES,
                              "The writer has no memory to take part");
        ok = run_handler(w, e, NULL);
        if (now_monotonic_usec() >= w->freeze_deadline_usec) {
                writer_abort_freeze(w);
                return refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                              "The application did not freeze within its freeze timeout");
        }
        return ok;
}

/* The event goes to its handler, unless the freeze that it belongs to was ended here. */
static bool deliver(CVssWriter *w, struct writer_event *e, IVssCreateWriterMetadata *metadata) {
        if (e->phase == PHASE_FREEZE)
                return freeze(w, e);
        if (e->phase == PHASE_THAW) {
                if (!frozen_by(w, e))
                        return refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                                      "The application is not frozen: its freeze timeout passed, "
                                      "or the service was lost, and it went on");
                thaw(w);
        } else if (e->phase == PHASE_POST_SNAPSHOT && expired(w, e))
                return refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                              "The application went on before the copy was complete");
        else if (e->phase == PHASE_ABORT && frozen_by(w, e))
                thaw(w);
        else if (e->phase == PHASE_BACKUP_SHUTDOWN && frozen_by(w, e))
                writer_abort_freeze(w); /* the session is over, and nobody said Thaw or Abort */
        return run_handler(w, e, metadata);
}

static void send_error(CVssWriter *w, DBusMessage *call, struct vss_error *error) {
        DBusMessage *reply = wire_error_reply(call, error);

        if (reply) {
                link_send(w->link, reply);
                dbus_message_unref(reply);
        }
        vss_error_done(error);
}

/* ok b, failure i, application i, message s, and where the event has them, components v: this
 * version hands out none, and changes none. */
static DBusMessage *build_answer(DBusMessage *call, const struct writer_event *e, bool ok) {
        _cleanup_(message_unrefp) DBusMessage *reply = dbus_message_new_method_return(call);
        dbus_int32_t failure = e->failure, application = e->application;
        dbus_bool_t success = ok;
        bool has_components = dbus_message_has_signature(call, "sa{sv}v");
        DBusMessageIter iter;

        /* A veto without a reason is still a veto, and one that will come again. */
        if (!ok && failure == S_OK)
                failure = VSS_E_WRITERERROR_NONRETRYABLE;
        if (!reply)
                return NULL;
        dbus_message_iter_init_append(reply, &iter);
        if (!dbus_message_iter_append_basic(&iter, DBUS_TYPE_BOOLEAN, &success) ||
            !dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &failure) ||
            !dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &application) ||
            wire_append_string(&iter, e->message) < 0 ||
            (has_components && document_append(&iter, NULL) < 0))
                return NULL;
        return TAKE_PTR(reply);
}

/* ok b, metadata v */
static DBusMessage *build_identity(DBusMessage *call, bool ok, struct document *metadata) {
        _cleanup_(message_unrefp) DBusMessage *reply = dbus_message_new_method_return(call);
        dbus_bool_t success = ok;
        DBusMessageIter iter;

        if (!reply)
                return NULL;
        dbus_message_iter_init_append(reply, &iter);
        if (!dbus_message_iter_append_basic(&iter, DBUS_TYPE_BOOLEAN, &success) ||
            document_append(&iter, metadata) < 0)
                return NULL;
        return TAKE_PTR(reply);
}

static int new_document(CVssWriter *w, struct writer_metadata **ret, struct vss_error *reterr) {
        struct writer_metadata_identity identity = {
                .writer_id = w->identity.class_id,
                .instance_id = link_instance_id(w->link),
                .name = w->identity.name,
                .instance_name = w->identity.instance_name,
                .usage = w->identity.usage,
                .source = w->identity.source,
                .major_version = w->identity.major_version,
                .minor_version = w->identity.minor_version,
        };

        return writer_metadata_new(ret, &identity, reterr);
}

static int identify(CVssWriter *w, struct writer_event *e, DBusMessage *call, DBusMessage **ret,
                    struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *document = NULL;
        _cleanup_(document_unrefp) struct document *text = NULL;
        IVssCreateWriterMetadata metadata;
        bool ok;
        int r;

        r = new_document(w, &document, reterr);
        if (r < 0)
                return r;
        metadata.document = document;
        ok = deliver(w, e, &metadata);
        if (ok) {
                char *xml;

                r = writer_metadata_to_xml(document, &xml, reterr);
                if (r >= 0)
                        r = document_new(&text, xml, strlen(xml), reterr);
                if (r < 0)
                        return r;
        }
        *ret = build_identity(call, ok, text);
        return 0;
}

void writer_on_call(CVssWriter *w, enum event_phase phase, DBusMessage *call) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        struct writer_event e = { 0 };
        int r;

        r = writer_event_read(&e, phase, call, &error);
        if (r >= 0) {
                if (phase == PHASE_IDENTIFY)
                        r = identify(w, &e, call, &reply, &error);
                else
                        reply = build_answer(call, &e, deliver(w, &e, NULL));
        }
        if (r < 0)
                send_error(w, call, &error);
        else if (reply) /* without memory there is no answer, and the service's deadline speaks */
                link_send(w->link, reply);
        writer_event_done(&e);
}
