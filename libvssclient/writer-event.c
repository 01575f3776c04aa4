/* Events: their names, what each of them offers to its handler, and how one is read. */

#include "libvssclient/writer-event.h"

#define BACKUP_STATE (PHASE_HAS_FAILURE | PHASE_HAS_STATE | PHASE_HAS_CONTEXT)
#define SET_STATE (BACKUP_STATE | PHASE_HAS_SET | PHASE_HAS_VOLUMES)

static const struct phase_row {
        const char *name;
        unsigned has;
        bool components; /* it carries a document, and so does its answer */
} phases[_PHASE_MAX] = {
        [PHASE_IDENTIFY] = { .name = "Identify", .has = 0 },
        [PHASE_PREPARE_BACKUP] = { .name = "PrepareBackup",
                                   .has = BACKUP_STATE,
                                   .components = true },
        [PHASE_PREPARE_SNAPSHOT] = { .name = "PrepareSnapshot", .has = SET_STATE },
        [PHASE_FREEZE] = { .name = "Freeze", .has = SET_STATE },
        [PHASE_THAW] = { .name = "Thaw", .has = SET_STATE },
        [PHASE_POST_SNAPSHOT] = { .name = "PostSnapshot",
                                  .has = SET_STATE | PHASE_HAS_DEVICES,
                                  .components = true },
        [PHASE_ABORT] = { .name = "Abort", .has = BACKUP_STATE | PHASE_HAS_SET },
        [PHASE_BACKUP_COMPLETE] = { .name = "BackupComplete",
                                    .has = BACKUP_STATE,
                                    .components = true },
        [PHASE_BACKUP_SHUTDOWN] = { .name = "BackupShutdown", .has = BACKUP_STATE },
        [PHASE_PRE_RESTORE] = { .name = "PreRestore", .has = BACKUP_STATE, .components = true },
        [PHASE_POST_RESTORE] = { .name = "PostRestore", .has = BACKUP_STATE, .components = true },
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
        struct writer_event e = { .phase = phase };
        const char *session;
        const char *signature = phases[phase].components ? "sa{sv}v" : "sa{sv}";
        DBusMessageIter iter;
        int r;

        if (!dbus_message_has_signature(call, signature))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s takes %s, not '%s'",
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
        *ret = e;
        return 0;
}

void writer_event_become_abort(struct writer_event *e) {
        e->phase = PHASE_ABORT;
        e->failure = e->application = S_OK;
        freep(&e->message);
}

void writer_event_done(struct writer_event *e) {
        wire_clear(&wire_event_details_table, &e->details);
        freep(&e->message);
}
