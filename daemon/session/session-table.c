/* What may be called when, in the order of the calls: first the backup path, then
 * administration, then restore. A row holds for some methods and under one condition; the row
 * ALWAYS of a method is the rule, its other rows are exceptions, which have nothing to say where
 * they show NONE. Where the document's columns leave a state out (administration in BA, most of
 * BI), what reads or deletes is allowed and what would build is not. */

#include "daemon/session/session-table.h"

#include "common/util.h"

enum condition {
        ALWAYS,
        SECOND_CONTEXT,
        NO_WRITERS,
        WITHOUT_BACKUP_STATE,
        CONTEXT_ALL,
        OTHER_BUILDING,
        LOADED,
        QUEUED,
};

/* Which kind of object the method belongs to; decides the sentence in the wrong one. */
enum mode { EITHER, OF_BACKUP, OF_RESTORE };

struct row {
        uint64_t methods; /* bit n: method n */
        enum condition condition;
        enum mode mode;
        const char *needs; /* what is to be called before it is legal */
        struct session_cell cells[_SESSION_STATE_MAX];
};

/* clang-format off */
#define M(n) (UINT64_C(1) << (n))
#define BAD { .verdict = VERDICT_BAD }
#define SAME { .verdict = VERDICT_SAME }
#define NOEF { .verdict = VERDICT_NO_EFFECT }
#define NONE { .verdict = VERDICT_NONE }
#define NF { .verdict = VERDICT_NOT_FOUND }
#define IPR { .verdict = VERDICT_IN_PROGRESS }
#define UNS { .verdict = VERDICT_UNSUPPORTED }
#define NIM { .verdict = VERDICT_NOT_IMPLEMENTED }
#define GO(state) { .verdict = VERDICT_GO, .next = SESSION_##state }

static const struct row table[] = {
        /*                        N      B0     BM     BS     BP     BC     BD     BE     BA
         *                        BI     R0     RM     RP     RD */

        /* 3 InitializeForBackup */
        { M(3), ALWAYS, EITHER, NULL,
          { GO(BACKUP), BAD,    BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 5 InitializeForRestore */
        { M(5), ALWAYS, EITHER, NULL,
          { GO(RESTORE), BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 33 SetContext (first) */
        { M(33), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 33 SetContext (second) */
        { M(33), SECOND_CONTEXT, OF_BACKUP, NULL,
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 4 SetBackupState; tolerated in R0 */
        { M(4), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   SAME,  BAD,   BAD,   BAD } },
        /* 43-45 writer filters */
        { M(43) | M(44) | M(45), ALWAYS, EITHER, "InitializeForBackup",
          {                       BAD,   SAME,  NOEF,  NOEF,  NOEF,  NOEF,  NOEF,  NOEF,  NOEF,
                                  NOEF,  SAME,  NOEF,  NOEF,  NOEF } },
        /* 7 GatherWriterMetadata */
        { M(7), ALWAYS, EITHER, "InitializeForBackup",
          {                       BAD,   GO(GATHERED), BAD, BAD, BAD, BAD,  BAD,   BAD,   BAD,
                                  BAD,   GO(RESTORE_GATHERED), BAD, BAD, BAD } },
        /* 8, 9, 49 read metadata */
        { M(8) | M(9) | M(49), ALWAYS, EITHER, "GatherWriterMetadata",
          {                       BAD,   BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  BAD,   BAD,   SAME,  SAME,  SAME } },
        /* 10 FreeWriterMetadata */
        { M(10), ALWAYS, EITHER, "GatherWriterMetadata",
          {                       BAD,   BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  BAD,   BAD,   SAME,  SAME,  SAME } },
        /* 11 AddComponent */
        { M(11), ALWAYS, OF_BACKUP, "GatherWriterMetadata",
          {                       BAD,   BAD,   SAME,  SAME,  BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 11 (no-writers) */
        { M(11), NO_WRITERS, OF_BACKUP, NULL,
          {                       BAD,   BAD,   BAD,   BAD,   NONE,  BAD,   BAD,   NONE,  BAD,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 19, 23 options, stamp */
        { M(19) | M(23), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   NF,    SAME,  SAME,  BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 34 StartSnapshotSet */
        { M(34), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   GO(SET_OPEN), GO(SET_OPEN), IPR, IPR, IPR, BAD, BAD, BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 34 with VSS_CTX_ALL */
        { M(34), CONTEXT_ALL, OF_BACKUP, NULL,
          {                       BAD,   UNS,   UNS,   NONE,  NONE,  NONE,  NONE,  NONE,  NONE,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 34, other object building */
        { M(34), OTHER_BUILDING, OF_BACKUP, NULL,
          {                       BAD,   IPR,   IPR,   NONE,  NONE,  NONE,  NONE,  NONE,  NONE,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 35 AddToSnapshotSet */
        { M(35), ALWAYS, OF_BACKUP, "StartSnapshotSet",
          {                       BAD,   BAD,   BAD,   SAME,  SAME,  BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 12 PrepareForBackup */
        { M(12), ALWAYS, OF_BACKUP, "StartSnapshotSet",
          {                       BAD,   BAD,   BAD,   GO(PREPARED), BAD, BAD, BAD, BAD,  BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 12 without 4 */
        { M(12), WITHOUT_BACKUP_STATE, OF_BACKUP, NULL,
          {                       BAD,   BAD,   BAD,   BAD,   NONE,  NONE,  NONE,  NONE,  NONE,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 12 (no-writers) */
        { M(12), NO_WRITERS, OF_BACKUP, NULL,
          {                       BAD,   BAD,   BAD,   BAD,   NONE,  BAD,   BAD,   NONE,  BAD,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 36 DoSnapshotSet (writers) */
        { M(36), ALWAYS, OF_BACKUP, "PrepareForBackup",
          {                       BAD,   BAD,   BAD,   BAD,   GO(CREATING), BAD, BAD, BAD, BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 36 (no-writers) */
        { M(36), NO_WRITERS, OF_BACKUP, "StartSnapshotSet",
          {                       BAD,   BAD,   BAD,   GO(CREATING), NONE, BAD, BAD, NONE, BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 18 SetBackupSucceeded */
        { M(18), ALWAYS, OF_BACKUP, "DoSnapshotSet",
          {                       BAD,   BAD,   BAD,   BAD,   SAME,  BAD,   SAME,  BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 25 BackupComplete; in BP when no snapshot was needed */
        { M(25), ALWAYS, OF_BACKUP, "DoSnapshotSet",
          {                       BAD,   BAD,   BAD,   BAD,   GO(COMPLETE), BAD, GO(COMPLETE), BAD, BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 25 (no-writers) */
        { M(25), NO_WRITERS, OF_BACKUP, NULL,
          {                       BAD,   BAD,   BAD,   BAD,   NONE,  BAD,   BAD,   NONE,  BAD,
                                  NONE,  NONE,  NONE,  NONE,  NONE } },
        /* 24 SaveAsXML */
        { M(24), ALWAYS, EITHER, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  BAD,   SAME,  SAME,  SAME,
                                  SAME,  SAME,  SAME,  SAME,  SAME } },
        /* 13 AbortBackup */
        { M(13), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   NOEF,  NOEF,  GO(ABORTED), GO(ABORTED), GO(ABORTED),
                                  GO(ABORTED), NOEF, NOEF,
                                  NOEF,  BAD,   BAD,   BAD,   BAD } },
        /* 14 GatherWriterStatus */
        { M(14), ALWAYS, EITHER, "GatherWriterMetadata",
          {                       BAD,   BAD,   SAME,  SAME,  SAME,  BAD,   SAME,  SAME,  SAME,
                                  BAD,   BAD,   SAME,  SAME,  SAME } },
        /* 15, 17, 58 read status (if gathered) */
        { M(15) | M(17) | M(58), ALWAYS, EITHER, "GatherWriterStatus",
          {                       BAD,   BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  BAD,   BAD,   SAME,  SAME,  SAME } },
        /* 16 FreeWriterStatus */
        { M(16), ALWAYS, EITHER, "GatherWriterStatus",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  BAD,   SAME,  SAME,  SAME } },
        /* 1, 2 readers of the document */
        { M(1) | M(2), ALWAYS, EITHER, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  SAME,  SAME,  SAME,  SAME } },
        /* 40 GetSnapshotProperties, 41 Query, 42 IsVolumeSupported: what exists decides, not the
         * state; a snapshot in creation is not in the store and so not found */
        { M(40) | M(41) | M(42), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  BAD,   BAD,   BAD,   BAD } },
        /* 61 GetSessionId, 62 GetRootAndLogicalPrefixPaths */
        { M(61) | M(62), ALWAYS, EITHER, NULL,
          {                       SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  SAME,  SAME,  SAME,  SAME } },

        /* Administration. 37 DeleteSnapshots, 39, 55 BreakSnapshotSet(Ex), 46 ExposeSnapshot,
         * 51 UnexposeSnapshot */
        { M(37) | M(39) | M(55) | M(46) | M(51), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  BAD,   BAD,   BAD,   BAD } },
        /* 47 RevertToSnapshot */
        { M(47), ALWAYS, OF_BACKUP, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 48 QueryRevertStatus */
        { M(48), ALWAYS, EITHER, "InitializeForBackup",
          {                       BAD,   SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,  SAME,
                                  SAME,  SAME,  SAME,  SAME,  SAME } },
        /* 38 ImportSnapshots */
        { M(38), ALWAYS, OF_BACKUP, "InitializeForBackup with a saved document",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 38 if loaded with XML */
        { M(38), LOADED, OF_BACKUP, NULL,
          {                       BAD,   GO(IMPORTED), BAD, BAD, BAD, BAD,  BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 56 PreFastRecovery, 57 FastRecovery: reserved */
        { M(56) | M(57), ALWAYS, EITHER, NULL,
          {                       NIM,   NIM,   NIM,   NIM,   NIM,   NIM,   NIM,   NIM,   NIM,
                                  NIM,   NIM,   NIM,   NIM,   NIM } },

        /* Restore. 6 SetRestoreState */
        { M(6), ALWAYS, OF_RESTORE, "InitializeForRestore",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   SAME,  SAME,  BAD,   BAD } },
        /* 20, 50 SetSelectedForRestore(Ex) and 21, 27, 29, 52, 53, 54 */
        { M(20) | M(50) | M(21) | M(27) | M(29) | M(52) | M(53) | M(54), ALWAYS, OF_RESTORE,
          "GatherWriterMetadata",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   SAME,  BAD,   BAD } },
        /* 22 SetAdditionalRestores, 30 SetRangesFilePath, 26 AddAlternativeLocationMapping */
        { M(22) | M(30) | M(26), ALWAYS, OF_RESTORE, "GatherWriterMetadata",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   SAME,  SAME,  BAD } },
        /* 31 PreRestore */
        { M(31), ALWAYS, OF_RESTORE, "GatherWriterMetadata",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   GO(RESTORE_PREPARED), BAD, BAD } },
        /* 28 SetFileRestoreStatus */
        { M(28), ALWAYS, OF_RESTORE, "PreRestore",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   SAME,  BAD } },
        /* 32 PostRestore */
        { M(32), ALWAYS, OF_RESTORE, "PreRestore",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   GO(RESTORED), BAD } },
        /* 59 AddSnapshotToRecoverySet */
        { M(59), ALWAYS, OF_RESTORE, "InitializeForRestore",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   SAME,  SAME,  SAME,  BAD } },
        /* 60 RecoverSet */
        { M(60), ALWAYS, OF_RESTORE, "AddSnapshotToRecoverySet",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   BAD,   BAD,   BAD } },
        /* 60 if queued */
        { M(60), QUEUED, OF_RESTORE, "GatherWriterMetadata",
          {                       BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,   BAD,
                                  BAD,   BAD,   SAME,  SAME,  BAD } },
};
/* clang-format on */

static const char *const names[_METHOD_MAX] = {
        [METHOD_GET_WRITER_COMPONENTS_COUNT] = "GetWriterComponentsCount",
        [METHOD_GET_WRITER_COMPONENTS] = "GetWriterComponents",
        [METHOD_INITIALIZE_FOR_BACKUP] = "InitializeForBackup",
        [METHOD_SET_BACKUP_STATE] = "SetBackupState",
        [METHOD_INITIALIZE_FOR_RESTORE] = "InitializeForRestore",
        [METHOD_SET_RESTORE_STATE] = "SetRestoreState",
        [METHOD_GATHER_WRITER_METADATA] = "GatherWriterMetadata",
        [METHOD_GET_WRITER_METADATA_COUNT] = "GetWriterMetadataCount",
        [METHOD_GET_WRITER_METADATA] = "GetWriterMetadata",
        [METHOD_FREE_WRITER_METADATA] = "FreeWriterMetadata",
        [METHOD_ADD_COMPONENT] = "AddComponent",
        [METHOD_PREPARE_FOR_BACKUP] = "PrepareForBackup",
        [METHOD_ABORT_BACKUP] = "AbortBackup",
        [METHOD_GATHER_WRITER_STATUS] = "GatherWriterStatus",
        [METHOD_GET_WRITER_STATUS_COUNT] = "GetWriterStatusCount",
        [METHOD_FREE_WRITER_STATUS] = "FreeWriterStatus",
        [METHOD_GET_WRITER_STATUS] = "GetWriterStatus",
        [METHOD_SET_BACKUP_SUCCEEDED] = "SetBackupSucceeded",
        [METHOD_SET_BACKUP_OPTIONS] = "SetBackupOptions",
        [METHOD_SET_SELECTED_FOR_RESTORE] = "SetSelectedForRestore",
        [METHOD_SET_RESTORE_OPTIONS] = "SetRestoreOptions",
        [METHOD_SET_ADDITIONAL_RESTORES] = "SetAdditionalRestores",
        [METHOD_SET_PREVIOUS_BACKUP_STAMP] = "SetPreviousBackupStamp",
        [METHOD_SAVE_AS_XML] = "SaveAsXML",
        [METHOD_BACKUP_COMPLETE] = "BackupComplete",
        [METHOD_ADD_ALTERNATIVE_LOCATION_MAPPING] = "AddAlternativeLocationMapping",
        [METHOD_ADD_RESTORE_SUBCOMPONENT] = "AddRestoreSubcomponent",
        [METHOD_SET_FILE_RESTORE_STATUS] = "SetFileRestoreStatus",
        [METHOD_ADD_NEW_TARGET] = "AddNewTarget",
        [METHOD_SET_RANGES_FILE_PATH] = "SetRangesFilePath",
        [METHOD_PRE_RESTORE] = "PreRestore",
        [METHOD_POST_RESTORE] = "PostRestore",
        [METHOD_SET_CONTEXT] = "SetContext",
        [METHOD_START_SNAPSHOT_SET] = "StartSnapshotSet",
        [METHOD_ADD_TO_SNAPSHOT_SET] = "AddToSnapshotSet",
        [METHOD_DO_SNAPSHOT_SET] = "DoSnapshotSet",
        [METHOD_DELETE_SNAPSHOTS] = "DeleteSnapshots",
        [METHOD_IMPORT_SNAPSHOTS] = "ImportSnapshots",
        [METHOD_BREAK_SNAPSHOT_SET] = "BreakSnapshotSet",
        [METHOD_GET_SNAPSHOT_PROPERTIES] = "GetSnapshotProperties",
        [METHOD_QUERY] = "Query",
        [METHOD_IS_VOLUME_SUPPORTED] = "IsVolumeSupported",
        [METHOD_DISABLE_WRITER_CLASSES] = "DisableWriterClasses",
        [METHOD_ENABLE_WRITER_CLASSES] = "EnableWriterClasses",
        [METHOD_DISABLE_WRITER_INSTANCES] = "DisableWriterInstances",
        [METHOD_EXPOSE_SNAPSHOT] = "ExposeSnapshot",
        [METHOD_REVERT_TO_SNAPSHOT] = "RevertToSnapshot",
        [METHOD_QUERY_REVERT_STATUS] = "QueryRevertStatus",
        [METHOD_GET_WRITER_METADATA_EX] = "GetWriterMetadataEx",
        [METHOD_SET_SELECTED_FOR_RESTORE_EX] = "SetSelectedForRestoreEx",
        [METHOD_UNEXPOSE_SNAPSHOT] = "UnexposeSnapshot",
        [METHOD_SET_AUTHORITATIVE_RESTORE] = "SetAuthoritativeRestore",
        [METHOD_SET_ROLL_FORWARD] = "SetRollForward",
        [METHOD_SET_RESTORE_NAME] = "SetRestoreName",
        [METHOD_BREAK_SNAPSHOT_SET_EX] = "BreakSnapshotSetEx",
        [METHOD_PRE_FAST_RECOVERY] = "PreFastRecovery",
        [METHOD_FAST_RECOVERY] = "FastRecovery",
        [METHOD_GET_WRITER_STATUS_EX] = "GetWriterStatusEx",
        [METHOD_ADD_SNAPSHOT_TO_RECOVERY_SET] = "AddSnapshotToRecoverySet",
        [METHOD_RECOVER_SET] = "RecoverSet",
        [METHOD_GET_SESSION_ID] = "GetSessionId",
        [METHOD_GET_ROOT_AND_LOGICAL_PREFIX_PATHS] = "GetRootAndLogicalPrefixPaths",
};
_Static_assert(METHOD_GET_ROOT_AND_LOGICAL_PREFIX_PATHS == 62, "the numbers are the interface's");

int session_method_from_string(const char *name) {
        for (int m = 1; m < _METHOD_MAX; m++)
                if (streq(names[m], name))
                        return m;
        return -EINVAL;
}

const char *session_method_to_string(enum session_method m) {
        return m > 0 && m < _METHOD_MAX ? names[m] : NULL;
}

static bool condition_holds(enum condition c, const struct session_facts *f) {
        switch (c) {
        case ALWAYS: return true;
        case SECOND_CONTEXT: return f->context_set;
        case NO_WRITERS: return f->no_writers && !f->all_contexts;
        case WITHOUT_BACKUP_STATE: return !f->backup_state;
        case CONTEXT_ALL: return f->all_contexts;
        case OTHER_BUILDING: return f->other_builds && !f->all_contexts;
        case LOADED: return f->loaded;
        case QUEUED: return f->recovery_queued;
        }
        return false;
}

/* The row that decides: the last exception that holds and says something, else the rule. */
static const struct row *row_find(enum session_method m, const struct session_facts *f,
                                  enum session_state state) {
        const struct row *rule = NULL, *exception = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                const struct row *row = &table[i];

                if (!(row->methods & M(m)))
                        continue;
                if (row->condition == ALWAYS)
                        rule = row;
                else if (condition_holds(row->condition, f) &&
                         row->cells[state].verdict != VERDICT_NONE)
                        exception = row;
        }
        assert(rule);
        return exception ? exception : rule;
}

struct session_cell session_table_look(enum session_method m, const struct session_facts *facts,
                                       enum session_state state) {
        assert(m > 0 && m < _METHOD_MAX);
        assert((unsigned)state < _SESSION_STATE_MAX);

        return row_find(m, facts, state)->cells[state];
}

static bool state_is_restore(enum session_state s) {
        return s >= SESSION_RESTORE;
}

/* Is the method legal in a state that the object can still come to? */
static bool row_is_legal_later(const struct row *row, enum session_state state) {
        const enum session_state end =
                state_is_restore(state) ? _SESSION_STATE_MAX : SESSION_IMPORTED;

        if (state == SESSION_ABORTED || state == SESSION_IMPORTED)
                return false;
        for (unsigned s = (unsigned)state + 1; s < (unsigned)end; s++)
                if (row->cells[s].verdict != VERDICT_BAD && row->cells[s].verdict != VERDICT_NONE &&
                    s != SESSION_ABORTED)
                        return true;
        return false;
}

/* A row that is BAD throughout waits for its exception's condition, not for a state. */
static bool row_is_ever_legal(const struct row *row) {
        for (unsigned s = 0; s < _SESSION_STATE_MAX; s++)
                if (row->cells[s].verdict != VERDICT_BAD && row->cells[s].verdict != VERDICT_NONE)
                        return true;
        return false;
}

/* The object has come to an end, or cannot serve for this any more. */
static int refuse_late(const char *name, enum session_state state, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                             "%s comes too late: %s; use a new object for another operation", name,
                             session_state_describe(state));
}

static int refuse_uninitialised(const char *name, enum mode mode, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_BAD_STATE, 0, "%s needs %s first", name,
                             mode == OF_BACKUP    ? "InitializeForBackup"
                             : mode == OF_RESTORE ? "InitializeForRestore"
                                                  : "InitializeForBackup or InitializeForRestore");
}

/* An exception refused: its condition is the reason. 0: not in this state. */
static int refuse_exception(const struct row *row, const char *name, enum session_state state,
                            struct vss_error *reterr) {
        switch (row->condition) {
        case ALWAYS:
        case CONTEXT_ALL:
        case OTHER_BUILDING:
        case LOADED:
        case QUEUED: return 0;
        case SECOND_CONTEXT:
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "The context was set or used already: call SetContext once, "
                                     "right after InitializeForBackup");
        case NO_WRITERS:
                if (row->methods & M(METHOD_DO_SNAPSHOT_SET))
                        return 0;
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s has no place in a context without writers; leave it out, "
                                     "DoSnapshotSet follows AddToSnapshotSet there",
                                     name);
        case WITHOUT_BACKUP_STATE:
                if (state != SESSION_SET_OPEN)
                        return 0;
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0, "%s needs SetBackupState first",
                                     name);
        }
        return 0;
}

static int refuse_bad(const struct row *row, enum session_method m, enum session_state state,
                      struct vss_error *reterr) {
        const char *name = names[m];
        int r;

        if (m == METHOD_INITIALIZE_FOR_BACKUP || m == METHOD_INITIALIZE_FOR_RESTORE)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s was preceded by another: %s; an object serves one "
                                     "operation, use a new one",
                                     name, session_state_describe(state));
        if (state == SESSION_NEW)
                return refuse_uninitialised(name, row->mode, reterr);
        if (row->mode == OF_BACKUP && state_is_restore(state))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s belongs to a backup, and this object was initialised for "
                                     "a restore; use another object",
                                     name);
        if (row->mode == OF_RESTORE && !state_is_restore(state))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s belongs to a restore, and this object was initialised for "
                                     "a backup; use another object",
                                     name);
        r = refuse_exception(row, name, state, reterr);
        if (r < 0)
                return r;
        if (state == SESSION_CREATING)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s cannot be called while DoSnapshotSet is running; wait for "
                                     "its end",
                                     name);
        if (!row->needs || (row_is_ever_legal(row) && !row_is_legal_later(row, state)))
                return refuse_late(name, state, reterr);
        return vss_error_set(reterr, VSS_E_BAD_STATE, 0, "%s needs %s first%s", name, row->needs,
                             m == METHOD_DO_SNAPSHOT_SET && row->condition == ALWAYS
                                     ? " in a context with writers"
                                     : "");
}

int session_table_check(enum session_method m, const struct session_facts *facts,
                        enum session_state state, enum session_state *ret_next,
                        struct vss_error *reterr) {
        const struct row *row;
        const struct session_cell *cell;

        assert(m > 0 && m < _METHOD_MAX);
        assert((unsigned)state < _SESSION_STATE_MAX);

        row = row_find(m, facts, state);
        cell = &row->cells[state];
        switch (cell->verdict) {
        case VERDICT_SAME: *ret_next = state; return 0;
        case VERDICT_GO: *ret_next = cell->next; return 0;
        case VERDICT_NO_EFFECT: *ret_next = state; return 1;
        case VERDICT_NONE:
        case VERDICT_BAD: return refuse_bad(row, m, state, reterr);
        case VERDICT_NOT_FOUND:
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "%s finds no such component: none was added yet; call "
                                     "GatherWriterMetadata and AddComponent first",
                                     names[m]);
        case VERDICT_IN_PROGRESS:
                return vss_error_set(
                        reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, 0,
                        row->condition == OTHER_BUILDING
                                ? "Another snapshot set is being created on this "
                                  "machine; wait for its end and try again"
                                : "This object has a snapshot set open already; finish "
                                  "it with DoSnapshotSet or AbortBackup");
        case VERDICT_UNSUPPORTED:
                return vss_error_set(reterr, VSS_E_UNSUPPORTED_CONTEXT, 0,
                                     "VSS_CTX_ALL is for queries and deletion, nothing can be "
                                     "created in it; set another context in a new object");
        case VERDICT_NOT_IMPLEMENTED:
                return vss_error_set(reterr, E_NOTIMPL, 0, "%s is reserved and does nothing",
                                     names[m]);
        }
        return -EINVAL;
}
