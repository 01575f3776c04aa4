#pragma once

/* One IVssBackupComponents object: its main state, its context, the writers it gathered, at most
 * one set in creation. What is legal in which state is one table (session-table.c), in the order
 * of the calls; every entry point below asks it first. It belongs to one
 * requester; session_free() is the last Release, with its documented consequences: an
 * unfinished set is aborted, auto-release snapshots are deleted, writers get BackupShutdown. That
 * work goes on in the background after session_free() has returned. */

#include "common/backup-document.h"
#include "common/document.h"
#include "daemon/adoption/adoption.h"
#include "daemon/session/async.h"
#include "daemon/session/session-table.h"
#include "daemon/store/store.h"
#include "daemon/writers/writer.h"

struct session_manager; /* all sessions, and the one creation at a time on the host */
struct session;

struct session_config {
        uint64_t freeze_usec;           /* first Freeze to last Thaw: 60 s */
        uint64_t flush_usec;            /* before anything is frozen: 120 s */
        uint64_t hold_usec;             /* the window: 10 s */
        uint64_t prepare_snapshot_usec; /* 180 s */
        uint64_t post_snapshot_usec;    /* 300 s */
        uint64_t event_usec;            /* any other event: 180 s */
        uint64_t recovery_usec;         /* the start waits so long for a step of it: 30 s */
        unsigned max_volumes;           /* 64 */
        unsigned max_snapshots;         /* 512 of one volume */
        unsigned max_client_snapshots;  /* 64, client-accessible ones; then the oldest goes */
        unsigned max_sessions;          /* 1,024 objects in all, whatever they are for */
        uint64_t area_volume_bytes;     /* stores of one volume's copies; UINT64_MAX: no limit */
        uint64_t area_all_bytes;        /* all stores; UINT64_MAX: no limit */
        const char *suspend_lists;      /* suspend-list.h: their directory; NULL: none are kept */
};
void session_config_defaults(struct session_config *c);

int session_manager_new(struct session_manager **ret, sd_event *event, struct store *store,
                        struct writer_registry *writers, const struct session_config *config);
struct session_manager *session_manager_free(struct session_manager *m);
DEFINE_CLEANUP(struct session_manager, session_manager_free);
/* At start-up, before serving: undo or finish every open intent, delete what non-persistent sets
 * left, activate and mount finished persistent ones. Blocks for a third of recovery_usec at most,
 * for what is suspended; done() comes from the loop: when all has been gone through (n_left 0), or
 * when no step of it has ended for recovery_usec; and then once more, when the rest has been. 0, or
 * nothing is done. */
typedef void (*session_recovered_fn)(void *userdata, unsigned n_left);
int session_manager_recover(struct session_manager *m, session_recovered_fn done, void *userdata,
                            struct vss_error *reterr);
/* For a stop: no new step of it is begun. */
void session_manager_cancel_recovery(struct session_manager *m);
/* Background work (aborts, deletions) still running? For a clean stop. */
bool session_manager_is_idle(const struct session_manager *m);
/* Is there a snapshot with an end to come? Only a running service can delete it then. */
bool session_manager_has_expiry(const struct session_manager *m);
/* Is a creation under way, from StartSnapshotSet to its end? (Manager.SnapshotSetInProgress) */
bool session_manager_set_in_progress(const struct session_manager *m);
/* Observers: the object tree learns of finished and deleted snapshots. */
enum snapshot_change {
        SNAPSHOT_ADDED,
        SNAPSHOT_REMOVED,
        SNAPSHOT_CHANGED,       /* exposed or not */
        SNAPSHOT_STORE_CHANGED, /* its store has grown, or overflowed */
};
typedef void (*snapshot_changed_fn)(void *userdata, const struct snapshot_record *r,
                                    enum snapshot_change change);
void session_manager_set_observer(struct session_manager *m, snapshot_changed_fn fn,
                                  void *userdata);

/* What becomes of the stores of copies (area-watch.h). */
enum area_event_kind {
        AREA_GROWN,      /* the store is larger */
        AREA_FULL,       /* it should be larger, and cannot */
        AREA_DELETED,    /* the copy was deleted to make room */
        AREA_OVERFLOWED, /* the copy is lost */
        AREA_POOL,       /* the thin pool that the copy is in fills, or has failed */
};
const char *area_event_kind_to_string(enum area_event_kind kind);
int area_event_kind_from_string(enum area_event_kind *ret, const char *text); /* -EINVAL */
struct area_event {
        enum area_event_kind kind;
        const struct snapshot_record *record;
        uint64_t used_bytes, allocated_bytes; /* of its store, as last known */
        const char *message;                  /* for people */
};
typedef void (*area_changed_fn)(void *userdata, const struct area_event *event);
void session_manager_set_area_observer(struct session_manager *m, area_changed_fn fn,
                                       void *userdata);
/* Is there a store that may have to grow? Only a running service can see to that. */
bool session_manager_has_areas(const struct session_manager *m);
/* No store is looked at any more: the service ends. */
void session_manager_stop_watching(struct session_manager *m);

int session_new(struct session **ret, struct session_manager *m, uid_t owner,
                struct vss_error *reterr);
struct session *session_free(struct session *s);
DEFINE_CLEANUP(struct session, session_free);
uint64_t session_number(const struct session *s); /* N of .../session/N */
VSS_ID session_id(const struct session *s);
uid_t session_owner(const struct session *s);

/* Functions that may touch storage or a disk answer later: done() once, from the loop, never
 * before the call returned. A non-zero return means done() will not be called. Freeing the session
 * answers what is pending with VSS_E_BAD_STATE. result points to the type named at each. */
typedef void (*session_done_fn)(void *userdata, int r, const void *result, struct vss_error *error);

/* Functions with a struct async **ret hand out a reference that is the caller's to drop. Its
 * observer hears of every change from then on; the session keeps a reference of its own until the
 * operation has ended, and freeing the session completes what runs as cancelled. */

/* May the method be called now? For those who want to know before they look at its arguments: the
 * state comes first. 0, 1 (it has no effect), or the documented refusal. */
int session_check(const struct session *s, enum session_method m, struct vss_error *reterr);

/* What the session's documents take is charged here; NULL (at first): nowhere. It must live until
 * session_free(). */
struct session_account {
        size_t used, max;
};
void session_set_account(struct session *s, struct session_account *account);

/* A backup from the beginning. */
int session_initialize_for_backup(struct session *s, struct vss_error *reterr);
/* With a saved document: m is InitializeForBackup (for an import) or InitializeForRestore. result:
 * NULL. */
int session_initialize_from(struct session *s, enum session_method m, struct document *saved,
                            session_done_fn done, void *userdata, struct vss_error *reterr);
/* 1: *ret has the document, the caller's to drop. 0: it is large, and done() comes, with a struct
 * document as its result. */
int session_save_as_xml(struct session *s, struct document **ret, session_done_fn done,
                        void *userdata, struct vss_error *reterr);
int session_get_writer_components_count(struct session *s, uint32_t *ret, struct vss_error *reterr);
/* A document with the state and the components of the i-th writer that has some; at once or later,
 * as session_save_as_xml(). */
int session_get_writer_components(struct session *s, uint32_t i, VSS_ID *ret_instance,
                                  VSS_ID *ret_writer, struct document **ret, session_done_fn done,
                                  void *userdata, struct vss_error *reterr);

/* AddComponent and all methods that name a component: session-components.c has the table of them.
 */
#define COMPONENT_TEXTS 3
struct component_args {
        struct backup_component_key key; /* instance_id: AddComponent, SetBackupSucceeded */
        const char
                *texts[COMPONENT_TEXTS]; /* those that follow the key, in their order; never NULL */
        uint32_t number;
        bool flag;
        VSS_ID instance_id; /* SetSelectedForRestoreEx */
};
/* 1: done. 0: the writer's metadata is read first, and done() will come; args stay the caller's
 * until then. result: NULL */
int session_call_component(struct session *s, enum session_method m,
                           const struct component_args *args, session_done_fn done, void *userdata,
                           struct vss_error *reterr);
int session_set_restore_state(struct session *s, uint32_t type, struct vss_error *reterr);
int session_pre_restore(struct session *s, struct async **ret, struct vss_error *reterr);
int session_post_restore(struct session *s, struct async **ret, struct vss_error *reterr);
int session_set_context(struct session *s, LONG context, struct vss_error *reterr);
int session_set_backup_state(struct session *s, bool select_components, bool bootable,
                             VSS_BACKUP_TYPE type, bool partial_files, struct vss_error *reterr);
int session_enable_writer_classes(struct session *s, const VSS_ID *ids, size_t n,
                                  struct vss_error *reterr);
int session_disable_writer_classes(struct session *s, const VSS_ID *ids, size_t n,
                                   struct vss_error *reterr);
int session_disable_writer_instances(struct session *s, const VSS_ID *ids, size_t n,
                                     struct vss_error *reterr);
int session_gather_writer_metadata(struct session *s, struct async **ret, struct vss_error *reterr);
int session_get_writer_metadata_count(struct session *s, uint32_t *ret, struct vss_error *reterr);
/* Borrowed until FreeWriterMetadata; NULL: an empty one. */
int session_get_writer_metadata(struct session *s, uint32_t i, VSS_ID *ret_instance,
                                struct document **ret_metadata, struct vss_error *reterr);
int session_free_writer_metadata(struct session *s, struct vss_error *reterr);
int session_start_snapshot_set(struct session *s, VSS_ID *ret, struct vss_error *reterr);
/* result: const VSS_ID * (the snapshot id) */
int session_add_to_snapshot_set(struct session *s, const char *volume, VSS_ID provider,
                                session_done_fn done, void *userdata, struct vss_error *reterr);
/* result: const bool *. A volume that exists but is not supported is false, not an error; then
 * error carries the reason (hr S_OK is not set: look at r, which is 0). */
int session_is_volume_supported(struct session *s, VSS_ID provider, const char *volume,
                                session_done_fn done, void *userdata, struct vss_error *reterr);
int session_prepare_for_backup(struct session *s, struct async **ret, struct vss_error *reterr);
int session_do_snapshot_set(struct session *s, struct async **ret, struct vss_error *reterr);
int session_gather_writer_status(struct session *s, struct async **ret, struct vss_error *reterr);
int session_get_writer_status_count(struct session *s, uint32_t *ret, struct vss_error *reterr);
struct writer_status {
        VSS_ID instance_id, class_id;
        const char *name; /* borrowed until FreeWriterStatus */
        VSS_WRITER_STATE state;
        HRESULT failure, application;
        const char *message;
};
int session_get_writer_status(struct session *s, uint32_t i, struct writer_status *ret,
                              struct vss_error *reterr);
int session_free_writer_status(struct session *s, struct vss_error *reterr);
/* Owned by the caller: snapshot_record_done. */
int session_get_snapshot_properties(struct session *s, VSS_ID id, struct snapshot_record *ret,
                                    struct vss_error *reterr);
/* Snapshots of the session's context, ordered by number; 0 found is 0 with *ret_n == 0 (the bus
 * answers an empty list, the library S_FALSE). Arguments as documented for Query. */
int session_query_snapshots(struct session *s, VSS_ID queried, VSS_OBJECT_TYPE queried_type,
                            VSS_OBJECT_TYPE returned_type, struct snapshot_record **ret,
                            size_t *ret_n, struct vss_error *reterr);
struct delete_result {
        int32_t deleted;
        VSS_ID not_deleted;
};
/* result: const struct delete_result *, valid also when r < 0 */
int session_delete_snapshots(struct session *s, VSS_ID id, VSS_OBJECT_TYPE type, bool force,
                             session_done_fn done, void *userdata, struct vss_error *reterr);
int session_backup_complete(struct session *s, struct async **ret, struct vss_error *reterr);
/* Answers when the writers have been told. result: NULL */
int session_abort_backup(struct session *s, session_done_fn done, void *userdata,
                         struct vss_error *reterr);

struct exposure_request {
        VSS_ID id;
        const char *path;    /* a directory in the copy; "": all of it */
        uint32_t attributes; /* VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY or _REMOTELY */
        const char
                *expose; /* the directory to mount on, or the share's name; "", of a share: any */
        uid_t owner;     /* whose the directory has to be: the caller; 0: anybody's */
};
/* result: const char *, as what it is exposed */
int session_expose_snapshot(struct session *s, const struct exposure_request *request,
                            session_done_fn done, void *userdata, struct vss_error *reterr);
/* result: NULL */
int session_unexpose_snapshot(struct session *s, VSS_ID id, session_done_fn done, void *userdata,
                              struct vss_error *reterr);

/* Copies become ordinary volumes: break-off.c. result: char *const *, the volumes' paths, in the
 * order of the copies' numbers. flags: VSS_BREAKEX_FLAG_*. */
int session_break_snapshot_set(struct session *s, VSS_ID set_id, session_done_fn done,
                               void *userdata, struct vss_error *reterr);
int session_break_snapshot_set_ex(struct session *s, VSS_ID set_id, uint32_t flags,
                                  struct async **ret, struct vss_error *reterr);
/* A volume becomes what it was: revert.c. Answers when it has been begun. result: NULL. */
int session_revert_to_snapshot(struct session *s, VSS_ID id, bool force, session_done_fn done,
                               void *userdata, struct vss_error *reterr);
/* Ends with the revert of that volume, whoever began it. */
int session_query_revert_status(struct session *s, const char *volume, struct async **ret,
                                struct vss_error *reterr);
/* What another host made becomes this one's: import.c. */
int session_import_snapshots(struct session *s, struct async **ret, struct vss_error *reterr);
/* What no provider can do (session-resync.c): states, arguments and codes are those of the
 * documents, and a call that is legal is answered with the code for a provider that cannot. */
int session_add_snapshot_to_recovery_set(struct session *s, VSS_ID id, uint32_t flags,
                                         const char *destination, session_done_fn done,
                                         void *userdata, struct vss_error *reterr);
int session_recover_set(struct session *s, uint32_t flags, struct vss_error *reterr);

/* result: const struct path_split * */
struct path_split {
        char *root;   /* the mount point, ends with '/'; of a share the same as the prefix */
        char *prefix; /* what is mounted there: "UUID=...", "host:/export", or the device */
};
/* full_names: a share's host with its domain, else without. */
int session_get_root_and_logical_prefix_paths(struct session *s, const char *path, bool full_names,
                                              session_done_fn done, void *userdata,
                                              struct vss_error *reterr);

/* Not tied to a session (IsVolumeSnapshotted; the Manager's verbs). */
struct snapshotted_result {
        bool present;
        LONG capability; /* VSS_SC_* */
};
int manager_is_volume_snapshotted(struct session_manager *m, const char *volume,
                                  session_done_fn done, void *userdata, struct vss_error *reterr);
/* result: struct volume, NULL: there is none that could have copies. */
int manager_find_volume(struct session_manager *m, const char *volume, session_done_fn done,
                        void *userdata, struct vss_error *reterr);
struct supported_result {
        bool supported;
        const char *provider; /* "" if none */
        const char *reason;   /* why not; "" if supported */
};
int manager_is_volume_supported(struct session_manager *m, const char *volume, session_done_fn done,
                                void *userdata, struct vss_error *reterr);
struct volume_row {
        const struct volume *volume;
        bool supported;
        const struct provider *provider; /* NULL */
        char *reason;                    /* NULL */
        unsigned snapshots;
        enum adoption_state adoption;
};
struct volume_list_result {
        const struct volume_row *rows;
        size_t n;
};
int manager_list_volumes(struct session_manager *m, session_done_fn done, void *userdata,
                         struct vss_error *reterr);
/* Which blocks differ between two copies of a volume, the older one first; younger GUID_NULL:
 * between the copy and the volume as it is. result: const struct delta_result *. */
struct delta_result {
        uint32_t block_bytes;
        uint64_t volume_bytes;
        bool exact;
        struct document *bitmap; /* a bit for each block, the lowest of the first byte first */
};
int manager_query_delta(struct session_manager *m, VSS_ID older, VSS_ID younger,
                        session_done_fn done, void *userdata, struct vss_error *reterr);
/* A plain partition gets a mapping from its next mount on, or loses it: daemon/adoption. result:
 * const struct adoption_result *. */
struct adoption_result {
        char *const *notes; /* sentences for the administrator; may be NULL */
};
int manager_adopt_volume(struct session_manager *m, const char *volume,
                         const struct adoption_options *options, session_done_fn done,
                         void *userdata, struct vss_error *reterr);
int manager_release_volume(struct session_manager *m, const char *volume,
                           const struct adoption_options *options, session_done_fn done,
                           void *userdata, struct vss_error *reterr);
/* IVssAdmin, of the providers of others: foreign.h. result: const char *, its name.
 * VSS_E_PROVIDER_IN_USE. */
struct provider_record;
int manager_register_provider(struct session_manager *m, const struct provider_record *record,
                              session_done_fn done, void *userdata, struct vss_error *reterr);
int manager_unregister_provider(struct session_manager *m, VSS_ID id, session_done_fn done,
                                void *userdata, struct vss_error *reterr);
int manager_expose_snapshot(struct session_manager *m, const struct exposure_request *request,
                            session_done_fn done, void *userdata, struct vss_error *reterr);
int manager_unexpose_snapshot(struct session_manager *m, VSS_ID id, session_done_fn done,
                              void *userdata, struct vss_error *reterr);
int manager_break_set(struct session_manager *m, VSS_ID set_id, uint32_t flags,
                      session_done_fn done, void *userdata, struct vss_error *reterr);
/* What manager_revert() refuses at once, as VSS_E_REVERT_IN_PROGRESS; for who asks the volume
 * something first, which that would not be let. */
int snapshot_check_reverting(const struct snapshot_record *r, struct vss_error *reterr);
int manager_revert(struct session_manager *m, VSS_ID id, bool force, session_done_fn done,
                   void *userdata, struct vss_error *reterr);
/* Reverts under way, or that have failed. Borrowed until the next turn. 0, -ENOMEM. */
struct revert_row {
        VSS_ID id, set_id;
        const char *volume, *provider;
        char **names;        /* of the volume; NULL: it has no other */
        const char *state;   /* "merging", "waiting" (for the next boot), "failed" */
        const char *message; /* why, if it failed */
        unsigned per_cent;
        uint64_t total, left; /* bytes to be copied back; total 0: not known */
};
int manager_list_reverts(struct session_manager *m, struct revert_row **ret, size_t *ret_n);
int manager_delete_snapshots(struct session_manager *m, VSS_ID id, VSS_OBJECT_TYPE type, bool force,
                             session_done_fn done, void *userdata, struct vss_error *reterr);

/* The whole sequence in one call, for scripts: script.c. */
struct script_options {
        LONG context;           /* default VSS_CTX_APP_ROLLBACK: persistent, with writers */
        uint64_t expire_unix;   /* 0: never */
        char **exclude_writers; /* class ids, instance ids or names */
        bool require_writers;   /* a writer's veto fails the set (default: true) */
};
struct script_result {
        VSS_ID set_id;
        const struct snapshot_record *snapshots; /* in the order of the volumes */
        size_t n;
};
struct script_run;
/* progress may be NULL. result: const struct script_result *. */
int script_create_snapshot_set(struct script_run **ret, struct session_manager *m, uid_t owner,
                               char *const *volumes, const struct script_options *options,
                               async_observer_fn progress, session_done_fn done, void *userdata,
                               struct vss_error *reterr);
/* The caller went away: abort what is under way. done() will not be called. */
void script_cancel(struct script_run *run);
