/* Events: their names, what each of them offers to its handler, and how one is read. */

#include "libvssclient/writer-event.h"
#include "libvssclient/writer-documents.h"

#define BACKUP_STATE (PHASE_OF_BACKUP | PHASE_HAS_FAILURE | PHASE_HAS_STATE | PHASE_HAS_CONTEXT)
#define RESTORE_STATE                                                                 \
        (PHASE_OF_RESTORE | PHASE_HAS_FAILURE | PHASE_HAS_STATE | PHASE_HAS_CONTEXT | \
         PHASE_HAS_RESTORE | PHASE_HAS_COMPONENTS)
#define SET_STATE (BACKUP_STATE | PHASE_HAS_SET | PHASE_HAS_VOLUMES)

static const struct phase_row {
        const char *name;
        unsigned has;
} phases[_PHASE_MAX] = {
        [PHASE_IDENTIFY] = { .name = "Identify", .has = PHASE_OF_BACKUP | PHASE_OF_RESTORE },
        [PHASE_PREPARE_BACKUP] = { .name = "PrepareBackup",
                                   .has = BACKUP_STATE | PHASE_HAS_IDENTITY |
                                          PHASE_HAS_COMPONENTS },
        [PHASE_PREPARE_SNAPSHOT] = { .name = "PrepareSnapshot",
                                     .has = SET_STATE | PHASE_HAS_IDENTITY },
        [PHASE_FREEZE] = { .name = "Freeze", .has = SET_STATE },
        [PHASE_THAW] = { .name = "Thaw", .has = SET_STATE },
        [PHASE_POST_SNAPSHOT] = { .name = "PostSnapshot",
                                  .has = SET_STATE | PHASE_HAS_DEVICES | PHASE_HAS_IDENTITY |
                                         PHASE_HAS_COMPONENTS },
        [PHASE_ABORT] = { .name = "Abort", .has = BACKUP_STATE | PHASE_HAS_SET },
        [PHASE_BACKUP_COMPLETE] = { .name = "BackupComplete",
                                    .has = BACKUP_STATE | PHASE_HAS_COMPONENTS },
        [PHASE_BACKUP_SHUTDOWN] = { .name = "BackupShutdown", .has = BACKUP_STATE },
        [PHASE_PRE_RESTORE] = { .name = "PreRestore", .has = RESTORE_STATE },
        [PHASE_POST_RESTORE] = { .name = "PostRestore", .has = RESTORE_STATE },
};

const char *event_phase_to_string(enum event_phase phase) {
        return phases[phase].name;
}

int event_phase_from_string(enum event_phase *ret, const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
                if (streq(phases[i].name, name)) {
                        *ret = (enum event_phase)i;
                        return 0;
                }
        return -EINVAL;
}

bool event_phase_has(enum event_phase phase, unsigned what) {
        return (phases[phase].has & what) == what;
}

int writer_event_read(struct writer_event *ret, enum event_phase phase, DBusMessage *call,
                      struct vss_error *reterr) {
        _cleanup_(writer_event_done) struct writer_event e = { .phase = phase };
        bool has_components = event_phase_has(phase, PHASE_HAS_COMPONENTS);
        const char *signature = has_components ? "sa{sv}v" : "sa{sv}", *session;
        DBusMessageIter iter;
        int r;

        if (!dbus_message_has_signature(call, signature))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s takes a session's id, details and perhaps components "
                                     "(%s), not '%s'",
                                     event_phase_to_string(phase), signature,
                                     dbus_message_get_signature(call));
        (void)dbus_message_iter_init(call, &iter); /* there are arguments: see above */
        dbus_message_iter_get_basic(&iter, &session);
        r = wire_parse_id(&e.session_id, session, "session_id", reterr);
        if (r < 0)
                return r;
        (void)dbus_message_iter_next(&iter);
        r = wire_read_dict(&iter, &wire_event_details_table, WIRE_UNKNOWN_IGNORED, "details",
                           &e.details, NULL, reterr);
        if (r < 0)
                return r;
        if (has_components) {
                (void)dbus_message_iter_next(&iter);
                r = document_read(&iter, "components", DOCUMENT_MAX, &e.components_document,
                                  reterr);
                if (r < 0)
                        return r;
        }
        *ret = e;
        e = (struct writer_event){ 0 };
        return 0;
}

void writer_event_make(struct writer_event *ret, enum event_phase phase, VSS_ID session_id,
                       const struct wire_event_details *details) {
        *ret = (struct writer_event){
                .phase = phase,
                .session_id = session_id,
                .details = *details,
        };
        ret->details.volumes = ret->details.devices = NULL;
        ret->details.instance_name = NULL;
}

void writer_event_done(struct writer_event *e) {
        writer_event_drop_documents(e);
        wire_clear(&wire_event_details_table, &e->details);
        e->components_document = document_unref(e->components_document);
        e->identity = document_unref(e->identity);
        freep(&e->message);
}
