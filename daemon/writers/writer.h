#pragma once

/* Connected writers and what each said. Knows no D-Bus: a writer is reached through the transport
 * that the bus layer hands in with the registration. State is kept per writer and session, in a
 * participant; the registry keeps each writer's latest state for others. */

#include "common/vss-error.h"
#include <systemd/sd-event.h>
#include <vss/vswriter.h>

struct document;

enum writer_event_type {
        WRITER_EVENT_IDENTIFY,
        WRITER_EVENT_PREPARE_BACKUP,
        WRITER_EVENT_PREPARE_SNAPSHOT,
        WRITER_EVENT_FREEZE,
        WRITER_EVENT_THAW,
        WRITER_EVENT_POST_SNAPSHOT,
        WRITER_EVENT_ABORT,
        WRITER_EVENT_BACKUP_COMPLETE,
        WRITER_EVENT_BACKUP_SHUTDOWN,
        WRITER_EVENT_PRE_RESTORE,
        WRITER_EVENT_POST_RESTORE,
        _WRITER_EVENT_MAX,
};
/* "Identify", "PrepareBackup", ...: the D-Bus method's name, also for logs. */
const char *writer_event_type_to_string(enum writer_event_type t);
int writer_event_type_from_string(const char *s);
/* PreRestore and PostRestore; all others but Identify belong to a backup. */
bool writer_event_type_is_restore(enum writer_event_type t);
/* Does the event carry the writer's components, and its answer what the writer made of them? */
bool writer_event_type_has_components(enum writer_event_type t);

/* What an event tells the writer; all pointers borrowed for the duration of the call. */
struct writer_event {
        enum writer_event_type type;
        VSS_ID session_id;
        VSS_ID set_id; /* GUID_NULL before StartSnapshotSet */
        LONG context;
        VSS_BACKUP_TYPE backup_type;
        VSS_RESTORE_TYPE restore_type; /* PreRestore, PostRestore */
        bool component_mode, bootable_system_state, partial_files;
        char *const *volumes; /* canonical names of the set's volumes; from PrepareSnapshot on */
        char *const *devices; /* PostSnapshot only: device objects, in the order of volumes */
        /* A Backup Components Document with the components of this writer alone; NULL: none. */
        struct document *components;
};

struct writer_reply {
        bool delivered; /* false: no answer (timeout, connection lost, bus error) */
        bool timed_out;
        bool nonsense;   /* not delivered, because what came back is no answer */
        bool ok;         /* what the handler returned */
        HRESULT failure; /* recorded by SetWriterFailure(Ex); S_OK: nothing */
        HRESULT application;
        const char *message;       /* the application's; may be NULL */
        struct document *metadata; /* Identify: the Writer Metadata Document; NULL: an empty one */
        struct document *components; /* as the writer left them; NULL: unchanged */
};

struct writer;
typedef void (*writer_reply_fn)(void *userdata, const struct writer_reply *reply);

struct writer_call; /* an event under way; the transport's */
struct writer_transport {
        /* Sends; reply() is called exactly once, from the loop, unless the call is cancelled
         * first. The transport enforces timeout_usec. */
        int (*send)(void *peer, const struct writer_event *event, uint64_t timeout_usec,
                    writer_reply_fn reply, void *userdata, struct writer_call **ret);
        void (*cancel)(struct writer_call *call);
};

struct writer_identity {
        VSS_ID class_id, instance_id; /* instance: minted at registration, unless it has one of
                                         its own that no other has */
        char *name, *instance_name;
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        VSS_APPLICATION_LEVEL level;
        uint32_t freeze_timeout_ms; /* 60000; a writer may choose less */
        uint32_t major_version, minor_version;
        uint32_t subscribe; /* VSS_SM_..._FLAG: the kinds of events it takes beside Identify; 0:
                               those of backup and restore */
        uid_t uid;          /* who registered it */
        pid_t pid;
};

struct writer_registry;
int writer_registry_new(struct writer_registry **ret, sd_event *event);
struct writer_registry *writer_registry_free(struct writer_registry *r); /* asserts empty */
DEFINE_CLEANUP(struct writer_registry, writer_registry_free);

/* identity is copied. E_INVALIDARG for an empty name, a bad level,
 * usage or subscription; VSS_E_WRITER_ALREADY_SUBSCRIBED for the same (class, instance name) from a
 * peer that is still there when instance_name is not empty. */
int writer_registry_add(struct writer_registry *r, struct writer **ret,
                        const struct writer_identity *identity,
                        const struct writer_transport *transport, void *peer,
                        struct vss_error *reterr);
/* The writer unsubscribed or its connection went: its running calls end as not delivered. */
void writer_remove(struct writer *w);
size_t writer_registry_count(const struct writer_registry *r);
struct writer *writer_registry_get(struct writer_registry *r, size_t i);
struct writer *writer_registry_find(struct writer_registry *r, VSS_ID instance_id);

const struct writer_identity *writer_identity(const struct writer *w);
VSS_WRITER_STATE writer_state(const struct writer *w); /* latest, for those without a session */
HRESULT writer_failure(const struct writer *w);
const char *writer_failure_message(const struct writer *w);
/* changed(userdata, writer, event): "added", "removed", "state"; for the object tree. A change of
 * state is told a little later, together with those that follow it. */
enum writer_change { WRITER_ADDED, WRITER_REMOVED, WRITER_STATE_CHANGED };
typedef void (*writer_changed_fn)(void *userdata, struct writer *w, enum writer_change change);
void writer_registry_set_observer(struct writer_registry *r, writer_changed_fn fn, void *userdata);
