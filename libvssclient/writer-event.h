#pragma once

/* One event that a writer is told, and what its handler said to it. Lives while its handler runs.
 * For the while a handler has the writer's components, it has them as `components`. */

#include "common/document.h"
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

/* What is valid to ask, or to do, in a phase, and what it belongs to. */
enum {
        PHASE_HAS_FAILURE = 1 << 0, /* SetWriterFailure(Ex) */
        PHASE_HAS_STATE = 1 << 1,   /* what SetBackupState said */
        PHASE_HAS_CONTEXT = 1 << 2,
        PHASE_HAS_SET = 1 << 3, /* the set's id */
        PHASE_HAS_VOLUMES = 1 << 4,
        PHASE_HAS_DEVICES = 1 << 5,
        PHASE_HAS_IDENTITY = 1 << 6, /* GetIdentifyInformation */
        PHASE_HAS_RESTORE = 1 << 7,  /* GetRestoreType */
        PHASE_HAS_COMPONENTS = 1 << 8,
        PHASE_OF_BACKUP = 1 << 9,   /* VSS_SM_BACKUP_EVENTS_FLAG */
        PHASE_OF_RESTORE = 1 << 10, /* VSS_SM_RESTORE_EVENTS_FLAG */
};

struct IVssWriterComponents;
struct IVssExamineWriterMetadata;

struct writer_event {
        enum event_phase phase;
        VSS_ID session_id;
        struct wire_event_details details;
        struct document *components_document; /* NULL: none */
        struct document *identity;            /* what Identify said; NULL: not kept */
        /* The handler's. */
        struct IVssWriterComponents *components;
        struct IVssExamineWriterMetadata *examined; /* GetIdentifyInformation's */
        HRESULT failure, application;
        char *message;
};

/* "PrepareBackup"; the D-Bus method's name. */
const char *event_phase_to_string(enum event_phase phase);
/* -EINVAL for no event. */
int event_phase_from_string(enum event_phase *ret, const char *name);
bool event_phase_has(enum event_phase phase, unsigned what);

/* From a method call's arguments: session_id s, details a{sv}, and components v if it has them. */
int writer_event_read(struct writer_event *ret, enum event_phase phase, DBusMessage *call,
                      struct vss_error *reterr);
/* An event of the session that the service does not tell. Details are taken without what they
 * point to. */
void writer_event_make(struct writer_event *ret, enum event_phase phase, VSS_ID session_id,
                       const struct wire_event_details *details);
void writer_event_done(struct writer_event *e);
