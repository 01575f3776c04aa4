/* See sql.h. */

#include "daemon/store/sql.h"

static int sql_errno(int code) {
        static const struct {
                int code, error;
        } table[] = {
                { SQLITE_CORRUPT, EBADMSG }, { SQLITE_NOTADB, EBADMSG },
                { SQLITE_BUSY, EBUSY },      { SQLITE_LOCKED, EBUSY },
                { SQLITE_NOMEM, ENOMEM },    { SQLITE_FULL, ENOSPC },
                { SQLITE_READONLY, EROFS },  { SQLITE_PERM, EACCES },
                { SQLITE_CANTOPEN, EACCES },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].code == (code & 0xff))
                        return table[i].error;
        return EIO;
}

int sql_error(sqlite3 *db, const char *what, struct vss_error *reterr) {
        int error = sql_errno(sqlite3_errcode(db));
        const char *path = sqlite3_db_filename(db, "main");

        (void)vss_error_set(reterr, error == ENOMEM ? E_OUTOFMEMORY : VSS_E_UNEXPECTED, error,
                            "Cannot %s in the state file %s: %s%s", what, str_or_empty(path),
                            sqlite3_errmsg(db),
                            error == ENOSPC  ? "; make room on its file system"
                            : error == EBUSY ? "; is another vssd running on it?"
                                             : "");
        return -error;
}

int sql_exec(sqlite3 *db, const char *statements, const char *what, struct vss_error *reterr) {
        if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
                return sql_error(db, what, reterr);
        return 0;
}

int sql_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *text, struct vss_error *reterr) {
        if (sqlite3_prepare_v2(db, text, -1, ret, NULL) != SQLITE_OK)
                return sql_error(db, "prepare a statement", reterr);
        return 0;
}

int sql_step(sqlite3 *db, sqlite3_stmt *s, const char *what, struct vss_error *reterr) {
        int r = sqlite3_step(s);

        if (r == SQLITE_ROW)
                return 1;
        if (r == SQLITE_DONE)
                return 0;
        return sql_error(db, what, reterr);
}

int sql_run(sqlite3 *db, sqlite3_stmt *s, const char *what, struct vss_error *reterr) {
        int r;

        do
                r = sql_step(db, s, what, reterr);
        while (r > 0);
        return r;
}

int sql_bind_text(sqlite3_stmt *s, int i, const char *text) {
        int r = text ? sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT)
                     : sqlite3_bind_null(s, i);

        return r == SQLITE_OK ? 0 : -ENOMEM;
}

int sql_bind_id(sqlite3_stmt *s, int i, VSS_ID id) {
        return sql_bind_text(s, i, VSS_ID_TEXT(id));
}

int sql_column_text(sqlite3_stmt *s, int i, char **ret) {
        const unsigned char *text;
        char *copy = NULL;

        if (sqlite3_column_type(s, i) != SQLITE_NULL) {
                text = sqlite3_column_text(s, i);
                copy = text ? strdup((const char *)text) : NULL;
                if (!copy)
                        return -ENOMEM;
        }
        free(*ret);
        *ret = copy;
        return 0;
}

int sql_column_id(sqlite3_stmt *s, int i, VSS_ID *ret) {
        const unsigned char *text = sqlite3_column_text(s, i);

        if (!text || vss_id_parse(ret, (const char *)text) < 0)
                return -EBADMSG;
        return 0;
}

int sql_begin(struct sql_transaction *t, sqlite3 *db, struct vss_error *reterr) {
        int r;

        /* IMMEDIATE: the write lock now, not at the first change. */
        r = sql_exec(db, "BEGIN IMMEDIATE", "begin a change", reterr);
        if (r < 0)
                return r;
        *t = (struct sql_transaction){ .db = db, .open = true };
        return 0;
}

int sql_commit(struct sql_transaction *t, struct vss_error *reterr) {
        int r;

        r = sql_exec(t->db, "COMMIT", "commit a change", reterr);
        if (r < 0)
                return r; /* still open: rolled back by the cleanup */
        t->open = false;
        return 0;
}

void sql_rollback(struct sql_transaction *t) {
        if (!t->open)
                return;
        /* After some failures (disk full) SQLite has rolled back already, and says so. */
        (void)sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
        t->open = false;
}
