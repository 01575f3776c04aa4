#pragma once

/* What is legal when: one table, method x state, of all 62 methods of the IVssBackupComponents
 * family, with the sentence for each refusal. Pure: it knows no
 * session, only the facts handed in. */

#include "common/vss-error.h"
#include "daemon/session/session-state.h"

/* By their number in the interface (vtable order after IUnknown). */
enum session_method {
        METHOD_GET_WRITER_COMPONENTS_COUNT = 1,
        METHOD_GET_WRITER_COMPONENTS,
        METHOD_INITIALIZE_FOR_BACKUP,
        METHOD_SET_BACKUP_STATE,
        METHOD_INITIALIZE_FOR_RESTORE,
        METHOD_SET_RESTORE_STATE,
        METHOD_GATHER_WRITER_METADATA,
        METHOD_GET_WRITER_METADATA_COUNT,
        METHOD_GET_WRITER_METADATA,
        METHOD_FREE_WRITER_METADATA,
        METHOD_ADD_COMPONENT,
        METHOD_PREPARE_FOR_BACKUP,
        METHOD_ABORT_BACKUP,
        METHOD_GATHER_WRITER_STATUS,
        METHOD_GET_WRITER_STATUS_COUNT,
        METHOD_FREE_WRITER_STATUS,
        METHOD_GET_WRITER_STATUS,
        METHOD_SET_BACKUP_SUCCEEDED,
        METHOD_SET_BACKUP_OPTIONS,
        METHOD_SET_SELECTED_FOR_RESTORE,
        METHOD_SET_RESTORE_OPTIONS,
        METHOD_SET_ADDITIONAL_RESTORES,
        METHOD_SET_PREVIOUS_BACKUP_STAMP,
        METHOD_SAVE_AS_XML,
        METHOD_BACKUP_COMPLETE,
        METHOD_ADD_ALTERNATIVE_LOCATION_MAPPING,
        METHOD_ADD_RESTORE_SUBCOMPONENT,
        METHOD_SET_FILE_RESTORE_STATUS,
        METHOD_ADD_NEW_TARGET,
        METHOD_SET_RANGES_FILE_PATH,
        METHOD_PRE_RESTORE,
        METHOD_POST_RESTORE,
        METHOD_SET_CONTEXT,
        METHOD_START_SNAPSHOT_SET,
        METHOD_ADD_TO_SNAPSHOT_SET,
        METHOD_DO_SNAPSHOT_SET,
        METHOD_DELETE_SNAPSHOTS,
        METHOD_IMPORT_SNAPSHOTS,
        METHOD_BREAK_SNAPSHOT_SET,
        METHOD_GET_SNAPSHOT_PROPERTIES,
        METHOD_QUERY,
        METHOD_IS_VOLUME_SUPPORTED,
        METHOD_DISABLE_WRITER_CLASSES,
        METHOD_ENABLE_WRITER_CLASSES,
        METHOD_DISABLE_WRITER_INSTANCES,
        METHOD_EXPOSE_SNAPSHOT,
        METHOD_REVERT_TO_SNAPSHOT,
        METHOD_QUERY_REVERT_STATUS,
        METHOD_GET_WRITER_METADATA_EX,
        METHOD_SET_SELECTED_FOR_RESTORE_EX,
        METHOD_UNEXPOSE_SNAPSHOT,
        METHOD_SET_AUTHORITATIVE_RESTORE,
        METHOD_SET_ROLL_FORWARD,
        METHOD_SET_RESTORE_NAME,
        METHOD_BREAK_SNAPSHOT_SET_EX,
        METHOD_PRE_FAST_RECOVERY,
        METHOD_FAST_RECOVERY,
        METHOD_GET_WRITER_STATUS_EX,
        METHOD_ADD_SNAPSHOT_TO_RECOVERY_SET,
        METHOD_RECOVER_SET,
        METHOD_GET_SESSION_ID,
        METHOD_GET_ROOT_AND_LOGICAL_PREFIX_PATHS,
        _METHOD_MAX,
};

/* The documented name: "GetWriterComponentsCount". */
const char *session_method_to_string(enum session_method m);
/* -EINVAL */
int session_method_from_string(const char *name);

/* What a row's cell depends on besides the state. */
struct session_facts {
        bool no_writers;      /* the context has NO_WRITERS */
        bool all_contexts;    /* the context is VSS_CTX_ALL */
        bool context_set;     /* SetContext was called, or the context was consumed */
        bool backup_state;    /* SetBackupState was called */
        bool other_builds;    /* another object holds the machine's one creation */
        bool loaded;          /* InitializeForBackup was given a document */
        bool recovery_queued; /* AddSnapshotToRecoverySet was called */
};

enum session_verdict {
        VERDICT_NONE,            /* "-": the combination cannot arise */
        VERDICT_BAD,             /* VSS_E_BAD_STATE */
        VERDICT_SAME,            /* legal, the state stays */
        VERDICT_NO_EFFECT,       /* S_OK, and nothing happens */
        VERDICT_GO,              /* legal, leads to next (at once, or when the operation ends) */
        VERDICT_NOT_FOUND,       /* VSS_E_OBJECT_NOT_FOUND */
        VERDICT_IN_PROGRESS,     /* VSS_E_SNAPSHOT_SET_IN_PROGRESS */
        VERDICT_UNSUPPORTED,     /* VSS_E_UNSUPPORTED_CONTEXT */
        VERDICT_NOT_IMPLEMENTED, /* E_NOTIMPL */
};

struct session_cell {
        enum session_verdict verdict;
        enum session_state next; /* of VERDICT_GO */
};

struct session_cell session_table_look(enum session_method m, const struct session_facts *facts,
                                       enum session_state state);
/* 0: legal, *ret_next is the state that follows. 1: answer success and do nothing. Negative: the
 * documented code, with the sentence that says what to call first. */
int session_table_check(enum session_method m, const struct session_facts *facts,
                        enum session_state state, enum session_state *ret_next,
                        struct vss_error *reterr);
