#pragma once

/* SQLite with this project's errors: a statement bound and read by small typed steps, a
 * transaction that rolls back unless it was committed. Only daemon/store includes this. */

#include "common/vss-error.h"
#include "common/vss-id.h"
#include <sqlite3.h>

static inline sqlite3_stmt *sql_finalize(sqlite3_stmt *s) {
        /* Repeats the error of the last step, which was seen there. */
        (void)sqlite3_finalize(s);
        return NULL;
}
DEFINE_CLEANUP(sqlite3_stmt, sql_finalize);

/* The last failure of db as an error: "Cannot WHAT PATH: REASON". Returns a negative errno:
 * -EBADMSG when the file is corrupt or no database, -EBUSY when another process has it. */
int sql_error(sqlite3 *db, const char *what, struct vss_error *reterr);

int sql_exec(sqlite3 *db, const char *statements, const char *what, struct vss_error *reterr);
int sql_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *text, struct vss_error *reterr);
/* 1: a row; 0: done. */
int sql_step(sqlite3 *db, sqlite3_stmt *s, const char *what, struct vss_error *reterr);
/* A statement that gives no rows. */
int sql_run(sqlite3 *db, sqlite3_stmt *s, const char *what, struct vss_error *reterr);

/* Binding fails only for want of memory; then the step that follows would run with a NULL, so it
 * is checked: 0 or -ENOMEM. Text and ids are copied. */
int sql_bind_text(sqlite3_stmt *s, int i, const char *text);
int sql_bind_id(sqlite3_stmt *s, int i, VSS_ID id);

/* -EBADMSG for what we would never have written. */
int sql_column_text(sqlite3_stmt *s, int i, char **ret);
int sql_column_id(sqlite3_stmt *s, int i, VSS_ID *ret);

struct sql_transaction {
        sqlite3 *db;
        bool open;
};
int sql_begin(struct sql_transaction *t, sqlite3 *db, struct vss_error *reterr);
int sql_commit(struct sql_transaction *t, struct vss_error *reterr);
/* For _cleanup_. */
void sql_rollback(struct sql_transaction *t);
