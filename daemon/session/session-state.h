#pragma once

/* The main state of an IVssBackupComponents object. Exactly one; set by
 * session_set_state() alone. What the orthogonal axes say (metadata, status, a running operation)
 * are facts of their own, not states. */

enum session_state {
        SESSION_NEW,              /* N: created, not initialised */
        SESSION_BACKUP,           /* B0: InitializeForBackup done */
        SESSION_GATHERED,         /* BM: the writers' metadata was gathered */
        SESSION_SET_OPEN,         /* BS: StartSnapshotSet done, volumes may be added */
        SESSION_PREPARED,         /* BP: PrepareForBackup finished */
        SESSION_CREATING,         /* BC: DoSnapshotSet running */
        SESSION_CREATED,          /* BD: the set is there */
        SESSION_COMPLETE,         /* BE: BackupComplete finished */
        SESSION_ABORTED,          /* BA: aborted, or the creation failed */
        SESSION_IMPORTED,         /* BI: a transportable set was imported */
        SESSION_RESTORE,          /* R0: InitializeForRestore done */
        SESSION_RESTORE_GATHERED, /* RM: restore, metadata gathered */
        SESSION_RESTORE_PREPARED, /* RP: PreRestore finished */
        SESSION_RESTORED,         /* RD: PostRestore finished */
        _SESSION_STATE_MAX,
};

/* The specification's short name: "BS". */
const char *session_state_to_string(enum session_state s);
/* -EINVAL */
int session_state_from_string(const char *name);
/* What came last, as the end of a sentence: "DoSnapshotSet is running". */
const char *session_state_describe(enum session_state s);
