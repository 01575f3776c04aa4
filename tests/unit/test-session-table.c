/* What is legal when: the tables of the requester specification, sections 3.2 to 3.4, transcribed
 * as text and compared with the daemon's for every method in every state. */

#include "daemon/session/session-table.h"

#include <check.h>
#include <stdio.h>

/* Columns: N B0 BM BS BP BC BD BE BA. "=": legal, state unchanged; "no effect"/"ignored": success,
 * nothing happens; a state: leads there; "-": cannot arise; "": the row has nothing to say. */
struct backup_row {
        const char *methods; /* numbers of the interface */
        const char *condition;
        const char *cells[9];
};

static const struct backup_row backup_rows[] = {
        { "3", "", { "B0", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "5", "", { "R0", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "33", "first", { "BAD", "=", "=", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "33", "second", { "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "4", "", { "BAD", "=", "=", "=", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "43 44 45",
          "",
          { "BAD", "=", "no effect", "no effect", "no effect", "no effect", "no effect",
            "no effect", "no effect" } },
        { "7", "", { "BAD", "BM", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "8 9 49", "", { "BAD", "BAD", "=", "=", "=", "=", "=", "=", "=" } },
        { "10", "", { "BAD", "BAD", "=", "=", "=", "=", "=", "=", "=" } },
        { "11", "", { "BAD", "BAD", "=", "=", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "11", "no-writers", { "BAD", "BAD", "BAD", "BAD", "-", "BAD", "BAD", "-", "BAD" } },
        { "19 23", "", { "BAD", "NF", "=", "=", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "34", "", { "BAD", "BS", "BS", "IPR", "IPR", "IPR", "BAD", "BAD", "BAD" } },
        { "34", "ctx-all", { "BAD", "UNSUPPORTED", "UNSUPPORTED", "-", "-", "-", "-", "-", "-" } },
        { "34", "other builds", { "BAD", "IPR", "IPR", "-", "-", "-", "-", "-", "-" } },
        { "35", "", { "BAD", "BAD", "BAD", "=", "=", "BAD", "BAD", "BAD", "BAD" } },
        { "12", "", { "BAD", "BAD", "BAD", "BP", "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "12", "without 4", { "BAD", "BAD", "BAD", "BAD", "-", "-", "-", "-", "-" } },
        { "12", "no-writers", { "BAD", "BAD", "BAD", "BAD", "-", "BAD", "BAD", "-", "BAD" } },
        { "36", "", { "BAD", "BAD", "BAD", "BAD", "BC", "BAD", "BAD", "BAD", "BAD" } },
        { "36", "no-writers", { "BAD", "BAD", "BAD", "BC", "-", "BAD", "BAD", "-", "BAD" } },
        { "18", "", { "BAD", "BAD", "BAD", "BAD", "=", "BAD", "=", "BAD", "BAD" } },
        { "25", "", { "BAD", "BAD", "BAD", "BAD", "BE", "BAD", "BE", "BAD", "BAD" } },
        { "25", "no-writers", { "BAD", "BAD", "BAD", "BAD", "-", "BAD", "BAD", "-", "BAD" } },
        { "24", "", { "BAD", "=", "=", "=", "=", "BAD", "=", "=", "=" } },
        { "13", "", { "BAD", "ignored", "ignored", "BA", "BA", "BA", "BA", "ignored", "ignored" } },
        { "14", "", { "BAD", "BAD", "=", "=", "=", "BAD", "=", "=", "=" } },
        { "15 17 58", "", { "BAD", "BAD", "=", "=", "=", "=", "=", "=", "=" } },
        { "16", "", { "BAD", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "1 2", "", { "BAD", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "40", "", { "BAD", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "41", "", { "BAD", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "42", "", { "BAD", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "61 62", "", { "=", "=", "=", "=", "=", "=", "=", "=", "=" } },
        { "6 20 21 22 26 27 28 29 30 50 52 53 54 31 32 59 60",
          "",
          { "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD" } },
};

/* Columns: N, B0, BM..BC, BD and BE, R0..RD. BA stands with BD and BE: an aborted object may still
 * tidy up. */
static const struct {
        const char *methods, *condition;
        const char *cells[5];
} administration_rows[] = {
        { "41", "", { "BAD", "=", "=", "=", "BAD" } },
        { "40", "", { "BAD", "=", "=", "=", "BAD" } },
        { "37", "", { "BAD", "=", "=", "=", "BAD" } },
        { "39 55", "", { "BAD", "=", "=", "=", "BAD" } },
        { "46 51", "", { "BAD", "=", "=", "=", "BAD" } },
        { "47", "", { "BAD", "=", "=", "=", "BAD" } },
        { "48", "", { "BAD", "=", "=", "=", "=" } },
        { "38", "", { "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "38", "loaded", { "BAD", "BI", "BAD", "BAD", "BAD" } },
        { "56 57", "", { "NIM", "NIM", "NIM", "NIM", "NIM" } },
};

/* Columns: N R0 RM RP RD. */
static const struct {
        const char *methods, *condition;
        const char *cells[5];
} restore_rows[] = {
        { "5", "", { "R0", "BAD", "BAD", "BAD", "BAD" } },
        { "3", "", { "B0", "BAD", "BAD", "BAD", "BAD" } },
        { "43 44 45", "", { "BAD", "=", "no effect", "no effect", "no effect" } },
        { "7", "", { "BAD", "RM", "BAD", "BAD", "BAD" } },
        { "8 9 49 10", "", { "BAD", "BAD", "=", "=", "=" } },
        { "1 2", "", { "BAD", "=", "=", "=", "=" } },
        { "6", "", { "BAD", "=", "=", "BAD", "BAD" } },
        { "20 50", "", { "BAD", "BAD", "=", "BAD", "BAD" } },
        { "21 27 29 52 53 54", "", { "BAD", "BAD", "=", "BAD", "BAD" } },
        { "22 30", "", { "BAD", "BAD", "=", "=", "BAD" } },
        { "31", "", { "BAD", "BAD", "RP", "BAD", "BAD" } },
        { "14 15 16 17 58", "", { "BAD", "BAD", "=", "=", "=" } },
        { "26", "", { "BAD", "BAD", "=", "=", "BAD" } },
        { "28", "", { "BAD", "BAD", "BAD", "=", "BAD" } },
        { "32", "", { "BAD", "BAD", "BAD", "RD", "BAD" } },
        { "24", "", { "BAD", "=", "=", "=", "=" } },
        { "59", "", { "BAD", "=", "=", "=", "BAD" } },
        { "60", "", { "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "60", "queued", { "BAD", "BAD", "=", "=", "BAD" } },
        { "13", "", { "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "33 34 35 36 12 25 18 19 23 11", "", { "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "4", "", { "BAD", "=", "BAD", "BAD", "BAD" } },
        { "42", "", { "BAD", "BAD", "BAD", "BAD", "BAD" } },
        { "61 62", "", { "=", "=", "=", "=", "=" } },
};

/* The side branch BI: "readers, 37, 39, 40, 41, 46, 24 and Release work there, 13 is ignored,
 * everything that creates a set is BAD". */
static const struct {
        const char *methods, *cell;
} import_rows[] = {
        { "1 2 16 24 37 39 55 40 41 42 46 51 48 61 62", "=" },
        { "13", "ignored" },
        { "43 44 45", "no effect" },
        { "3 5 33 4 7 8 9 49 10 11 19 23 34 35 12 36 18 25 14 15 17 58 38 47", "BAD" },
        { "6 20 21 22 26 27 28 29 30 50 52 53 54 31 32 59 60", "BAD" },
        { "56 57", "NIM" },
};

static struct session_facts facts_of(const char *condition) {
        struct session_facts f = { .backup_state = true };

        if (streq(condition, "second"))
                f.context_set = true;
        else if (streq(condition, "no-writers"))
                f.no_writers = true;
        else if (streq(condition, "ctx-all"))
                f.all_contexts = f.no_writers = true; /* all bits are set in it */
        else if (streq(condition, "other builds"))
                f.other_builds = true;
        else if (streq(condition, "without 4"))
                f.backup_state = false;
        else if (streq(condition, "loaded"))
                f.loaded = true;
        else if (streq(condition, "queued"))
                f.recovery_queued = true;
        else
                ck_assert(streq(condition, "") || streq(condition, "first"));
        return f;
}

static const char *cell_text(struct session_cell c) {
        switch (c.verdict) {
        case VERDICT_NONE: return "-";
        case VERDICT_BAD: return "BAD";
        case VERDICT_SAME: return "=";
        case VERDICT_NO_EFFECT: return "no effect";
        case VERDICT_GO: return session_state_to_string(c.next);
        case VERDICT_NOT_FOUND: return "NF";
        case VERDICT_IN_PROGRESS: return "IPR";
        case VERDICT_UNSUPPORTED: return "UNSUPPORTED";
        case VERDICT_NOT_IMPLEMENTED: return "NIM";
        }
        return "?";
}

static bool seen[_METHOD_MAX][_SESSION_STATE_MAX];

static HRESULT expected_hr(const char *cell) {
        static const struct {
                const char *cell;
                HRESULT hr;
        } codes[] = {
                { "BAD", VSS_E_BAD_STATE },
                { "NF", VSS_E_OBJECT_NOT_FOUND },
                { "IPR", VSS_E_SNAPSHOT_SET_IN_PROGRESS },
                { "UNSUPPORTED", VSS_E_UNSUPPORTED_CONTEXT },
                { "NIM", E_NOTIMPL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (streq(codes[i].cell, cell))
                        return codes[i].hr;
        return S_OK;
}

static void expect(enum session_method m, const char *condition, enum session_state state,
                   const char *cell) {
        const struct session_facts f = facts_of(condition);
        struct session_cell actual = session_table_look(m, &f, state);
        const char *wanted = streq(cell, "ignored") ? "no effect" : cell;
        enum session_state next = _SESSION_STATE_MAX;
        struct vss_error error = { 0 };
        int r;

        if (streq(cell, "-"))
                return; /* cannot arise: nothing is promised */
        seen[m][state] = true;
        ck_assert_msg(streq(cell_text(actual), wanted), "%u %s (%s) in %s: %s, expected %s", m,
                      session_method_to_string(m), condition, session_state_to_string(state),
                      cell_text(actual), wanted);

        r = session_table_check(m, &f, state, &next, &error);
        ck_assert_int_eq(error.hr, expected_hr(wanted));
        if (error.hr != S_OK) {
                ck_assert_int_lt(r, 0);
                ck_assert_ptr_nonnull(error.message);
                /* The sentence names what was called. */
                ck_assert_msg(error.hr == VSS_E_SNAPSHOT_SET_IN_PROGRESS ||
                                      error.hr == VSS_E_UNSUPPORTED_CONTEXT ||
                                      strstr(error.message, session_method_to_string(m)),
                              "%s", error.message);
        } else if (streq(wanted, "no effect"))
                ck_assert_int_eq(r, 1);
        else {
                ck_assert_int_eq(r, 0);
                ck_assert_str_eq(session_state_to_string(next),
                                 streq(wanted, "=") ? session_state_to_string(state) : wanted);
        }
        vss_error_done(&error);
}

static void expect_all(const char *methods, const char *condition, const char *state,
                       const char *cell) {
        char list[256], *rest = list, *item;
        int s = session_state_from_string(state);

        ck_assert_int_ge(s, 0);
        ck_assert_uint_lt(strlen(methods), sizeof(list));
        memcpy(list, methods, strlen(methods) + 1);
        while ((item = strsep(&rest, " ")))
                expect((enum session_method)atoi(item), condition, (enum session_state)s, cell);
}

static void walk_the_backup_path(void) {
        static const char *const columns[] = {
                "N", "B0", "BM", "BS", "BP", "BC", "BD", "BE", "BA"
        };

        for (size_t i = 0; i < ARRAY_SIZE(backup_rows); i++)
                for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
                        expect_all(backup_rows[i].methods, backup_rows[i].condition, columns[c],
                                   backup_rows[i].cells[c]);
}

START_TEST(the_backup_path) {
        walk_the_backup_path();
}
END_TEST

static void walk_administration(void) {
        static const struct {
                const char *state;
                size_t column;
        } columns[] = { { "N", 0 },  { "B0", 1 }, { "BM", 2 }, { "BS", 2 }, { "BP", 2 },
                        { "BC", 2 }, { "BD", 3 }, { "BE", 3 }, { "BA", 3 }, { "R0", 4 },
                        { "RM", 4 }, { "RP", 4 }, { "RD", 4 } };

        for (size_t i = 0; i < ARRAY_SIZE(administration_rows); i++)
                for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
                        expect_all(administration_rows[i].methods, administration_rows[i].condition,
                                   columns[c].state,
                                   administration_rows[i].cells[columns[c].column]);
}

START_TEST(administration) {
        walk_administration();
}
END_TEST

static void walk_the_restore_path(void) {
        static const char *const columns[] = { "N", "R0", "RM", "RP", "RD" };

        for (size_t i = 0; i < ARRAY_SIZE(restore_rows); i++)
                for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
                        expect_all(restore_rows[i].methods, restore_rows[i].condition, columns[c],
                                   restore_rows[i].cells[c]);
}

START_TEST(the_restore_path) {
        walk_the_restore_path();
}
END_TEST

static void walk_the_import_branch(void) {
        for (size_t i = 0; i < ARRAY_SIZE(import_rows); i++)
                expect_all(import_rows[i].methods, "", "BI", import_rows[i].cell);
}

START_TEST(the_import_branch) {
        walk_the_import_branch();
}
END_TEST

START_TEST(every_method_in_every_state_was_looked_at) {
        memset(seen, 0, sizeof(seen));
        walk_the_backup_path();
        walk_administration();
        walk_the_restore_path();
        walk_the_import_branch();
        for (unsigned m = 1; m < _METHOD_MAX; m++)
                for (unsigned s = 0; s < _SESSION_STATE_MAX; s++)
                        ck_assert_msg(seen[m][s], "%u %s in %s", m,
                                      session_method_to_string((enum session_method)m),
                                      session_state_to_string((enum session_state)s));
}
END_TEST

static void expect_sentence(enum session_method m, const char *condition, const char *state,
                            const char *sentence) {
        const struct session_facts f = facts_of(condition);
        enum session_state next;
        struct vss_error error = { 0 };

        ck_assert_int_lt(session_table_check(m, &f,
                                             (enum session_state)session_state_from_string(state),
                                             &next, &error),
                         0);
        ck_assert_str_eq(error.message, sentence);
        vss_error_done(&error);
}

START_TEST(refusals_say_what_to_call_first) {
        expect_sentence(METHOD_DO_SNAPSHOT_SET, "", "BS",
                        "DoSnapshotSet needs PrepareForBackup first in a context with writers");
        expect_sentence(METHOD_DO_SNAPSHOT_SET, "no-writers", "B0",
                        "DoSnapshotSet needs StartSnapshotSet first");
        expect_sentence(METHOD_ADD_TO_SNAPSHOT_SET, "", "N",
                        "AddToSnapshotSet needs InitializeForBackup first");
        expect_sentence(METHOD_ADD_TO_SNAPSHOT_SET, "", "BM",
                        "AddToSnapshotSet needs StartSnapshotSet first");
        expect_sentence(METHOD_PREPARE_FOR_BACKUP, "without 4", "BS",
                        "PrepareForBackup needs SetBackupState first");
        expect_sentence(METHOD_PREPARE_FOR_BACKUP, "no-writers", "BS",
                        "PrepareForBackup has no place in a context without writers; leave it out, "
                        "DoSnapshotSet follows AddToSnapshotSet there");
        expect_sentence(METHOD_BACKUP_COMPLETE, "", "BM",
                        "BackupComplete needs DoSnapshotSet first");
        expect_sentence(METHOD_GET_WRITER_STATUS, "", "B0",
                        "GetWriterStatus needs GatherWriterStatus first");
        expect_sentence(METHOD_SET_CONTEXT, "second", "B0",
                        "The context was set or used already: call SetContext once, right after "
                        "InitializeForBackup");
        expect_sentence(METHOD_SET_CONTEXT, "", "BS",
                        "SetContext comes too late: a snapshot set is open; use a new object for "
                        "another operation");
        expect_sentence(METHOD_ADD_TO_SNAPSHOT_SET, "", "BC",
                        "AddToSnapshotSet cannot be called while DoSnapshotSet is running; wait "
                        "for its end");
        expect_sentence(METHOD_START_SNAPSHOT_SET, "", "BE",
                        "StartSnapshotSet comes too late: the backup is complete; use a new object "
                        "for another operation");
        expect_sentence(METHOD_INITIALIZE_FOR_BACKUP, "", "BM",
                        "InitializeForBackup was preceded by another: the writers' metadata was "
                        "gathered; an object serves one operation, use a new one");
        expect_sentence(METHOD_PRE_RESTORE, "", "B0",
                        "PreRestore belongs to a restore, and this object was initialised for a "
                        "backup; use another object");
        expect_sentence(METHOD_START_SNAPSHOT_SET, "", "R0",
                        "StartSnapshotSet belongs to a backup, and this object was initialised for "
                        "a restore; use another object");
        expect_sentence(METHOD_IMPORT_SNAPSHOTS, "", "B0",
                        "ImportSnapshots needs InitializeForBackup with a saved document first");
}
END_TEST

START_TEST(ctx_all_is_refused_for_good_also_while_another_builds) {
        const struct session_facts f = { .all_contexts = true, .other_builds = true };

        ck_assert_int_eq(session_table_look(METHOD_START_SNAPSHOT_SET, &f, SESSION_BACKUP).verdict,
                         VERDICT_UNSUPPORTED);
}
END_TEST

START_TEST(names_of_methods_and_states) {
        for (unsigned m = 1; m < _METHOD_MAX; m++)
                ck_assert_ptr_nonnull(session_method_to_string((enum session_method)m));
        ck_assert_ptr_null(session_method_to_string((enum session_method)0));
        ck_assert_ptr_null(session_method_to_string(_METHOD_MAX));
        ck_assert_str_eq(session_method_to_string((enum session_method)37), "DeleteSnapshots");
        for (unsigned s = 0; s < _SESSION_STATE_MAX; s++) {
                const char *name = session_state_to_string((enum session_state)s);

                ck_assert_int_eq(session_state_from_string(name), (int)s);
                ck_assert_ptr_nonnull(session_state_describe((enum session_state)s));
        }
        ck_assert_int_eq(session_state_from_string("XX"), -EINVAL);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-table");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, the_backup_path);
        tcase_add_test(tc, administration);
        tcase_add_test(tc, the_restore_path);
        tcase_add_test(tc, the_import_branch);
        tcase_add_test(tc, every_method_in_every_state_was_looked_at);
        tcase_add_test(tc, refusals_say_what_to_call_first);
        tcase_add_test(tc, ctx_all_is_refused_for_good_also_while_another_builds);
        tcase_add_test(tc, names_of_methods_and_states);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
