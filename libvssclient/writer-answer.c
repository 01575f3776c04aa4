/* Answers: what a handler said, on its way back to the service. */

#include "common/wire-error.h"
#include "libvssclient/create-writer-metadata.h"
#include "libvssclient/writer-components.h"
#include "libvssclient/writer-documents.h"
#include "libvssclient/writer.h"

/* A veto without a reason is still a veto, and one that will come again; so is the failure of some
 * components of which none is marked. */
static HRESULT failure_of(const struct writer_event *e, bool ok) {
        if (e->failure == VSS_E_WRITERERROR_PARTIAL_FAILURE &&
            !writer_components_any_failed(e->components))
                return VSS_E_WRITERERROR_NONRETRYABLE;
        return !ok && e->failure == S_OK ? VSS_E_WRITERERROR_NONRETRYABLE : e->failure;
}

/* ok b, failure i, application i, message s; and components v, if the event has them */
static int append_answer(DBusMessage *reply, const struct writer_event *e, bool ok,
                         struct document *components) {
        dbus_int32_t failure = failure_of(e, ok), application = e->application;
        dbus_bool_t success = ok;
        DBusMessageIter iter;

        dbus_message_iter_init_append(reply, &iter);
        if (!dbus_message_iter_append_basic(&iter, DBUS_TYPE_BOOLEAN, &success) ||
            !dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &failure) ||
            !dbus_message_iter_append_basic(&iter, DBUS_TYPE_INT32, &application))
                return -ENOMEM;
        if (wire_append_string(&iter, e->message) < 0)
                return -ENOMEM;
        return event_phase_has(e->phase, PHASE_HAS_COMPONENTS) ? document_append(&iter, components)
                                                               : 0;
}

DBusMessage *writer_answer_event(DBusMessage *call, struct writer_event *e, bool ok) {
        _cleanup_(document_unrefp) struct document *components = NULL;
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };

        /* What the handler set is lost then, and with it what the copy is worth. */
        if (writer_event_close_components(e, &components, &error) < 0) {
                reply = wire_error_reply(call, &error);
                vss_error_done(&error);
                return TAKE_PTR(reply);
        }
        reply = dbus_message_new_method_return(call);
        return reply && append_answer(reply, e, ok, components) >= 0 ? TAKE_PTR(reply) : NULL;
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

/* *ret NULL: the handler would not. */
static int identify(CVssWriter *w, struct writer_event *e, VSS_ID instance_id,
                    struct document **ret, struct vss_error *reterr) {
        const struct writer_metadata_identity identity = {
                .writer_id = w->identity.class_id,
                .instance_id = instance_id,
                .name = w->identity.name,
                .instance_name = w->identity.instance_name,
                .usage = w->identity.usage,
                .source = w->identity.source,
                .major_version = w->identity.major_version,
                .minor_version = w->identity.minor_version,
        };
        _cleanup_(create_metadata_freep) IVssCreateWriterMetadata *metadata = NULL;
        char *xml;
        int r;

        r = create_metadata_new(&metadata, &identity, reterr);
        if (r < 0)
                return r;
        if (!writer_run_handler(w, e, metadata))
                return 0;
        r = create_metadata_finish(metadata, &xml, reterr);
        return r < 0 ? r : document_new(ret, xml, strlen(xml), reterr);
}

DBusMessage *writer_answer_identify(CVssWriter *w, DBusMessage *call, struct writer_event *e,
                                    VSS_ID instance_id, struct document **ret_identity) {
        struct vss_error error = { 0 };
        DBusMessage *reply;

        if (identify(w, e, instance_id, ret_identity, &error) >= 0)
                return build_identity(call, *ret_identity, *ret_identity);
        reply = wire_error_reply(call, &error);
        vss_error_done(&error);
        return reply;
}
