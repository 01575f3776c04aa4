/* See writer-message.h. */

#include "daemon/bus/writer-message.h"

#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/log/log.h"

/* What was last told, without its writer: the next of a round is told the same. Making the
 * dictionary costs more than all the rest of an event. */
struct writer_message_pattern {
        enum writer_event_type type;
        VSS_ID session_id;
        struct wire_event_details details; /* its strings are ours */
        DBusMessage *message;
};

struct writer_message_pattern *writer_message_pattern_free(struct writer_message_pattern *p) {
        if (!p)
                return NULL;
        free(p->details.instance_name);
        strv_free(p->details.volumes);
        strv_free(p->details.devices);
        if (p->message)
                dbus_message_unref(p->message);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(struct writer_message_pattern, writer_message_pattern_free);

static struct wire_event_details event_details(const struct writer_peer *peer,
                                               const struct writer_event *event) {
        const struct writer_identity *who = writer_identity(peer->writer);

        return (struct wire_event_details){
                .set_id = event->set_id,
                .context = event->context,
                .backup_type = (uint32_t)event->backup_type,
                .restore_type = (uint32_t)event->restore_type,
                .instance_name = who->instance_name,
                .component_mode = event->component_mode,
                .bootable_system_state = event->bootable_system_state,
                .partial_files = event->partial_files,
                .volumes = (char **)event->volumes, /* only read */
                .devices = (char **)event->devices,
                .freeze_timeout_ms =
                        event->type == WRITER_EVENT_FREEZE ? who->freeze_timeout_ms : 0,
        };
}

static bool same_strings(char *const *a, char *const *b) {
        if (!a || !b)
                return !a == !b;
        for (; *a && *b; a++, b++)
                if (!streq(*a, *b))
                        return false;
        return !*a && !*b;
}

static bool pattern_fits(const struct writer_message_pattern *p, const struct writer_event *event,
                         const struct wire_event_details *d) {
        const struct wire_event_details *own = &p->details;

        return p->type == event->type && !event->components &&
               vss_id_equal(p->session_id, event->session_id) &&
               vss_id_equal(own->set_id, d->set_id) && own->context == d->context &&
               own->backup_type == d->backup_type && own->restore_type == d->restore_type &&
               streq(str_or_empty(own->instance_name), str_or_empty(d->instance_name)) &&
               own->component_mode == d->component_mode &&
               own->bootable_system_state == d->bootable_system_state &&
               own->partial_files == d->partial_files &&
               own->freeze_timeout_ms == d->freeze_timeout_ms &&
               same_strings(own->volumes, d->volumes) && same_strings(own->devices, d->devices);
}

static DBusMessage *unaddressed(const struct writer_event *event,
                                const struct wire_event_details *details) {
        DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_CALL);
        struct bus_out out;

        if (!m)
                return NULL;
        bus_out_init(&out, m);
        bus_out_id(&out, event->session_id);
        bus_out_dict(&out, &wire_event_details_table, details);
        if (writer_event_type_has_components(event->type))
                bus_out_document(&out, event->components);
        if (out.failed || !dbus_message_set_interface(m, bus_interface_writer_events.name) ||
            !dbus_message_set_member(m, writer_event_type_to_string(event->type))) {
                dbus_message_unref(m);
                return NULL;
        }
        return m;
}

/* Without memory there is none, and the next message is made anew. */
static void pattern_replace(struct writer_message_pattern **pattern,
                            const struct writer_event *event,
                            const struct wire_event_details *details, DBusMessage *m) {
        _cleanup_(writer_message_pattern_freep) struct writer_message_pattern *p =
                calloc(1, sizeof(*p));

        *pattern = writer_message_pattern_free(*pattern);
        if (!p)
                return;
        p->type = event->type;
        p->session_id = event->session_id;
        p->details = *details;
        p->details.instance_name = NULL;
        p->details.volumes = p->details.devices = NULL;
        if (str_replace(&p->details.instance_name, details->instance_name) < 0 ||
            (details->volumes && strv_copy(&p->details.volumes, details->volumes) < 0) ||
            (details->devices && strv_copy(&p->details.devices, details->devices) < 0))
                return;
        p->message = dbus_message_ref(m);
        *pattern = TAKE_PTR(p);
}

DBusMessage *writer_message_new(struct writer_message_pattern **pattern,
                                const struct writer_peer *peer, const struct writer_event *event) {
        const struct wire_event_details details = event_details(peer, event);
        DBusMessage *common, *m = NULL;

        if (*pattern && pattern_fits(*pattern, event, &details))
                common = dbus_message_ref((*pattern)->message);
        else {
                common = unaddressed(event, &details);
                if (common && !event->components)
                        pattern_replace(pattern, event, &details, common);
        }
        if (common) {
                m = dbus_message_copy(common);
                dbus_message_unref(common);
        }
        if (m && (!dbus_message_set_path(m, peer->path) ||
                  !dbus_message_set_destination(m, peer->client->name))) {
                dbus_message_unref(m);
                m = NULL;
        }
        return m;
}

static int read_document(DBusMessageIter *iter, const char *what, struct document **ret,
                         const struct writer_peer *peer, enum writer_event_type type) {
        const char *name = writer_identity(peer->writer)->name;
        struct vss_error error = { 0 };
        int r;

        r = document_read(iter, what, DOCUMENT_MAX, ret, &error);
        if (r < 0)
                log_full(LOG_WARNING, (&(const struct log_fields){ .writer = name }),
                         "Writer %s, %s: %s", name, writer_event_type_to_string(type),
                         str_or_empty(error.message));
        vss_error_done(&error);
        return r;
}

bool writer_message_read(struct writer_reply *ret, const struct writer_peer *peer,
                         enum writer_event_type type, DBusMessage *m) {
        const struct bus_method *row = bus_interface_find_method(&bus_interface_writer_events,
                                                                 writer_event_type_to_string(type));
        dbus_bool_t ok = FALSE;
        DBusMessageIter iter;

        if (!dbus_message_has_signature(
                    m, bus_args_signature(row->out, (char[BUS_SIGNATURE_MAX]){ 0 })))
                return false;
        (void)dbus_message_iter_init(m, &iter); /* there are arguments: see above */
        dbus_message_iter_get_basic(&iter, &ok);
        (void)dbus_message_iter_next(&iter);
        if (type == WRITER_EVENT_IDENTIFY) {
                if (read_document(&iter, "the metadata", &ret->metadata, peer, type) < 0)
                        return false;
        } else {
                dbus_message_iter_get_basic(&iter, &ret->failure);
                (void)dbus_message_iter_next(&iter);
                dbus_message_iter_get_basic(&iter, &ret->application);
                (void)dbus_message_iter_next(&iter);
                dbus_message_iter_get_basic(&iter, &ret->message);
                if (writer_event_type_has_components(type)) {
                        (void)dbus_message_iter_next(&iter);
                        if (read_document(&iter, "the components", &ret->components, peer, type) <
                            0)
                                return false;
                }
        }
        ret->delivered = true;
        ret->ok = ok;
        return true;
}
