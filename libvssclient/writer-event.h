#pragma once

/* One event that a writer is told, and what its handler said to it. Lives while its handler runs;
 * the event that froze the application is kept until it thaws. */

#include "common/wire-rows.h"

enum event_phase {
        PHASE_IDENTIFY,
        PHASE_PREPARE_BACKUP,
        PHASE_PREPARE_SNAPSHOT,
        PHASE_FREEZE,
        PHASE_THAW,
        PHASE_POST_SNAPSHOT,
        PHASE_ABORT,
        PHASE_BACKUP_COMPLETE,
        PHASE_BACKUP_SHUTDOWN,
        PHASE_PRE_RESTORE,
        PHASE_POST_RESTORE,
        _PHASE_MAX,
};

/* What is valid to ask, or to do, in a phase (spec/writer.md, 1.2). */
enum {
        PHASE_HAS_FAILURE = 1 << 0, /* SetWriterFailure(Ex) */
        PHASE_HAS_STATE = 1 << 1,   /* what SetBackupState said */
        PHASE_HAS_CONTEXT = 1 << 2,
        PHASE_HAS_SET = 1 << 3, /* the set's id */
        PHASE_HAS_VOLUMES = 1 << 4,
        PHASE_HAS_DEVICES = 1 << 5,
};

struct writer_event {
        enum event_phase phase;
        VSS_ID session_id;
        struct wire_event_details details;
        /* The handler's. */
        HRESULT failure, application;
        char *message;
};

/* "PrepareBackup"; the D-Bus method's name. */
const char *event_phase_to_string(enum event_phase phase);
/* -EINVAL for no event. */
int event_phase_from_string(enum event_phase *ret, const char *name);
bool event_phase_has(enum event_phase phase, unsigned what);

/* From a method call's arguments: session_id s, details a{sv}. */
int writer_event_read(struct writer_event *ret, enum event_phase phase, DBusMessage *call,
                      struct vss_error *reterr);
/* The Abort that ends what e began: its session and set. e may be empty afterwards. */
void writer_event_become_abort(struct writer_event *e);
void writer_event_done(struct writer_event *e);
