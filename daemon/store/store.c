/* The store. Two locks, taken in this order: `writing` serialises everything that touches the
 * file; `reading` guards the snapshots in memory and is held for memory work only. A change goes
 * to the file first and is shown in memory after its commit; what it needs in memory is made
 * before the commit, so that nothing can fail between the two. */

#include "daemon/store/store.h"

#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/store/snapshot-record.h"
#include "daemon/store/store-private.h"

#include <stdio.h>
#include <sys/stat.h>

#define STORE_FILE "vssd.db"
#define GUARD_LOCK_FILE "guard.lock"
#define SCHEMA_VERSION 5

#define SET_TABLE                                             \
        "CREATE TABLE snapshot_set ("                         \
        " id TEXT PRIMARY KEY, window_usec INTEGER NOT NULL," \
        " timeline TEXT, steps TEXT, writers TEXT) WITHOUT ROWID;"

#define AREA_TABLE                                                                          \
        "CREATE TABLE area ("                                                               \
        " volume TEXT PRIMARY KEY, origin_uuid TEXT, store TEXT, maximum INTEGER NOT NULL," \
        " boot TEXT, boot_maximum INTEGER NOT NULL) WITHOUT ROWID;"

#define PROVIDER_TABLE                                                                 \
        "CREATE TABLE provider ("                                                      \
        " id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL," \
        " version TEXT NOT NULL, version_id TEXT NOT NULL, priority INTEGER NOT NULL," \
        " bus_name TEXT NOT NULL, path TEXT NOT NULL) WITHOUT ROWID;"

static const char schema[] =
        "CREATE TABLE snapshot ("
        " id TEXT PRIMARY KEY, set_id TEXT NOT NULL, number INTEGER NOT NULL UNIQUE,"
        " volume TEXT, display TEXT, origin_uuid TEXT,"
        " provider TEXT NOT NULL, provider_id TEXT NOT NULL, provider_data TEXT,"
        " device TEXT, device_object TEXT, fs_type TEXT,"
        " originating_machine TEXT, service_machine TEXT,"
        " exposed_name TEXT, exposed_path TEXT,"
        " context INTEGER NOT NULL, attributes INTEGER NOT NULL, count INTEGER NOT NULL,"
        " created INTEGER NOT NULL, state INTEGER NOT NULL, expire_unix INTEGER NOT NULL,"
        " consistency TEXT, consistency_reason TEXT, writers TEXT) WITHOUT ROWID;" SET_TABLE
        "CREATE TABLE intent ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, set_id TEXT NOT NULL, provider TEXT NOT NULL,"
        " kind TEXT NOT NULL, data TEXT);"
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT INTO counter VALUES ('snapshot-number', 1);" AREA_TABLE PROVIDER_TABLE
        "PRAGMA user_version = 5;";
_Static_assert(SCHEMA_VERSION == 5, "the schema sets its own version");

/* From the version of the index to the next; each sets its own version. */
static const char *const upgrades[SCHEMA_VERSION] = {
        [1] = "BEGIN; ALTER TABLE snapshot ADD COLUMN writers TEXT; PRAGMA user_version = 2; "
              "COMMIT;",
        /* What is the set's went from each of its snapshots' rows to a row of its own. */
        [2] = "BEGIN; " SET_TABLE "INSERT INTO snapshot_set (id, window_usec, timeline)"
              " SELECT set_id, max(window_usec), max(timeline) FROM snapshot GROUP BY set_id;"
              "ALTER TABLE snapshot DROP COLUMN window_usec;"
              "ALTER TABLE snapshot DROP COLUMN timeline;"
              "ALTER TABLE snapshot ADD COLUMN consistency_reason TEXT;"
              "PRAGMA user_version = 3; COMMIT;",
        [3] = "BEGIN; " AREA_TABLE "PRAGMA user_version = 4; COMMIT;",
        [4] = "BEGIN; " PROVIDER_TABLE "PRAGMA user_version = 5; COMMIT;",
};

void snapshot_records_free(struct snapshot_record *r, size_t n) {
        for (size_t i = 0; i < n; i++)
                snapshot_record_done(&r[i]);
        free(r);
}

int store_out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "keep the state");
}

int store_corrupt(struct store *s, const char *why, struct vss_error *reterr) {
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG, "The state file %s is corrupt: %s",
                            s->path, why);
        return -EBADMSG;
}

int store_not_found(const char *what, const char *id, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0, "There is no %s %s", what, id);
}

/* An array that grows; freed with what it holds unless it was handed over. */
struct records {
        struct snapshot_record *items;
        size_t n;
};
static void records_done(struct records *r) {
        snapshot_records_free(r->items, r->n);
        *r = (struct records){ 0 };
}
static int records_grow(struct records *r) {
        struct snapshot_record *items;

        items = reallocarray(r->items, r->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        r->items = items;
        r->items[r->n] = (struct snapshot_record){ 0 };
        return 0;
}
static int records_append_copy(struct records *r, const struct snapshot_record *record) {
        int k;

        k = records_grow(r);
        if (k >= 0)
                k = snapshot_record_copy(&r->items[r->n], record);
        if (k >= 0)
                r->n++;
        return k;
}

static int store_read_version(struct store *s, int *ret, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt, "PRAGMA user_version", reterr);
        if (r >= 0)
                r = sql_step(s->db, stmt, "read the version", reterr);
        if (r < 0)
                return r;
        *ret = r > 0 ? sqlite3_column_int(stmt, 0) : 0;
        return 0;
}

static int store_check(struct store *s, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        const char *text;
        int r;

        r = sql_prepare(s->db, &stmt, "PRAGMA quick_check(1)", reterr);
        if (r >= 0)
                r = sql_step(s->db, stmt, "check", reterr);
        if (r < 0)
                return r;
        text = r > 0 ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
        if (!text || !streq(text, "ok"))
                return store_corrupt(s, text ? text : "its check gave no answer", reterr);
        return 0;
}

static int store_create_schema(struct store *s, struct vss_error *reterr) {
        _cleanup_(sql_rollback) struct sql_transaction t = { 0 };
        int r;

        r = sql_begin(&t, s->db, reterr);
        if (r >= 0)
                r = sql_exec(s->db, schema, "create the tables", reterr);
        if (r >= 0)
                r = sql_commit(&t, reterr);
        return r;
}

/* All snapshots of the file into memory. */
static int store_load(struct store *s, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(records_done) struct records records = { 0 };
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "SELECT %s FROM snapshot ORDER BY number", snapshot_record_columns());
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;

        while ((r = sql_step(s->db, stmt, "read the snapshots", reterr)) > 0) {
                r = records_grow(&records);
                if (r >= 0)
                        r = snapshot_record_read(stmt, &records.items[records.n]);
                if (r == -EBADMSG)
                        return store_corrupt(s, "a snapshot's row makes no sense", reterr);
                if (r < 0)
                        return store_out_of_memory(reterr);
                records.n++;
        }
        if (r < 0)
                return r;

        s->snapshots = TAKE_PTR(records.items);
        s->n_snapshots = records.n;
        records.n = 0;
        return 0;
}

/* Opens the file at s->path and loads it. -EBADMSG: corrupt. */
static int store_open_file(struct store *s, struct vss_error *reterr) {
        int version = 0, r;

        if (sqlite3_open_v2(s->path, &s->db,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX |
                                    SQLITE_OPEN_PRIVATECACHE,
                            NULL) != SQLITE_OK) {
                if (!s->db)
                        return store_out_of_memory(reterr);
                return sql_error(s->db, "open a file", reterr);
        }
        (void)sqlite3_extended_result_codes(s->db, 0);
        (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);

        /* EXCLUSIVE keeps the lock that the first transaction takes: no second daemon. TRUNCATE
         * commits by emptying the journal and syncing it, which needs no sync of the directory. */
        r = sql_exec(s->db,
                     "PRAGMA locking_mode = EXCLUSIVE;"
                     "PRAGMA journal_mode = TRUNCATE;"
                     "PRAGMA synchronous = FULL;"
                     "BEGIN EXCLUSIVE; COMMIT;",
                     "begin work", reterr);
        if (r >= 0)
                r = store_read_version(s, &version, reterr);
        if (r < 0)
                return r;
        if (version < 0 || version > SCHEMA_VERSION)
                return vss_error_set(
                        reterr, VSS_E_UNEXPECTED, EPROTO,
                        "The state file %s has version %i, and this vssd knows up to %i: install "
                        "the vssd that wrote it, or move the file away to begin with no snapshots",
                        s->path, version, SCHEMA_VERSION);

        r = store_check(s, reterr);
        if (r >= 0 && version == 0)
                r = store_create_schema(s, reterr);
        for (int v = version; r >= 0 && v > 0 && v < SCHEMA_VERSION; v++)
                r = sql_exec(s->db, upgrades[v], "upgrade the state file", reterr);
        if (r >= 0)
                r = store_load(s, reterr);
        if (r >= 0)
                r = store_sets_load(s, reterr);
        if (r >= 0)
                r = store_areas_load(s, reterr);
        return r;
}

static void store_close_file(struct store *s) {
        snapshot_records_free(TAKE_PTR(s->snapshots), s->n_snapshots);
        s->n_snapshots = 0;
        store_sets_forget(s);
        store_areas_forget(s);
        /* No statement outlives its function, so closing cannot be refused. */
        (void)sqlite3_close(s->db);
        s->db = NULL;
}

/* Moves the corrupt file and its journal out of the way. */
static int store_set_aside(struct store *s, const struct vss_error *why, struct vss_error *reterr) {
        _cleanup_(freep) char *aside = NULL, *journal = NULL, *journal_aside = NULL;
        long long now = (long long)(now_realtime_nsec() / 1000000);
        int r;

        r = str_format(&aside, "%s.corrupt-%lld", s->path, now);
        if (r >= 0)
                r = str_format(&journal, "%s-journal", s->path);
        if (r >= 0)
                r = str_format(&journal_aside, "%s-journal", aside);
        if (r < 0)
                return store_out_of_memory(reterr);

        if (rename(s->path, aside) < 0) {
                int error = errno;

                return vss_error_set(reterr, VSS_E_UNEXPECTED, error,
                                     "%s It could not be set aside as %s: %s",
                                     str_or_empty(why->message), aside, strerror(error));
        }
        if (rename(journal, journal_aside) < 0 && errno != ENOENT)
                log_warning("Cannot set aside %s: %s", journal, strerror(errno));
        log_error(
                "%s; it was set aside as %s and an empty state begun: copies it knew are still on "
                "their volumes, but no longer listed",
                str_or_empty(why->message), aside);
        return 0;
}

int store_open(struct store **ret, const char *directory, struct vss_error *reterr) {
        _cleanup_(store_closep) struct store *s = NULL;
        struct vss_error first = { 0 };
        int r;

        assert(ret && directory);

        if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
                int error = errno;

                return vss_error_set(reterr, VSS_E_UNEXPECTED, error,
                                     "Cannot make the state directory %s: %s", directory,
                                     strerror(error));
        }

        s = calloc(1, sizeof(*s));
        if (!s)
                return store_out_of_memory(reterr);
        (void)pthread_mutex_init(&s->writing, NULL);
        (void)pthread_mutex_init(&s->reading, NULL);
        if (str_format(&s->path, "%s/" STORE_FILE, directory) < 0 ||
            str_format(&s->guard_lock, "%s/" GUARD_LOCK_FILE, directory) < 0)
                return store_out_of_memory(reterr);

        r = store_open_file(s, &first);
        if (r == -EBADMSG) {
                store_close_file(s);
                r = store_set_aside(s, &first, reterr);
                vss_error_done(&first);
                if (r >= 0)
                        r = store_open_file(s, &first);
        }
        if (r < 0) {
                if (first.hr != S_OK)
                        vss_error_move(reterr, &first);
                return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

struct store *store_close(struct store *s) {
        if (!s)
                return NULL;
        store_close_file(s);
        (void)pthread_mutex_destroy(&s->reading);
        free(s->hidden);
        (void)pthread_mutex_destroy(&s->writing);
        free(s->guard_lock);
        free(s->path);
        free(s);
        return NULL;
}

const char *store_guard_lock(const struct store *s) {
        return s->guard_lock;
}

int store_reserve_numbers(struct store *s, unsigned n, uint64_t *ret_first,
                          struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *read = NULL, *update = NULL;
        _cleanup_(sql_rollback) struct sql_transaction t = { 0 };
        sqlite3_int64 first;
        int r;

        r = sql_begin(&t, s->db, reterr);
        if (r >= 0)
                r = sql_prepare(s->db, &read,
                                "SELECT value FROM counter WHERE name = 'snapshot-number'", reterr);
        if (r >= 0)
                r = sql_step(s->db, read, "read the next number", reterr);
        if (r < 0)
                return r;
        first = r > 0 ? sqlite3_column_int64(read, 0) : 0;
        if (first < 1 || first > INT64_MAX - (sqlite3_int64)n)
                return store_corrupt(s, "the next snapshot number makes no sense", reterr);

        r = sql_prepare(s->db, &update,
                        "UPDATE counter SET value = ?1 WHERE name = 'snapshot-number'", reterr);
        if (r < 0)
                return r;
        (void)sqlite3_bind_int64(update, 1, first + n); /* integers need no memory */
        r = sql_run(s->db, update, "reserve numbers", reterr);
        if (r >= 0)
                r = sql_commit(&t, reterr);
        if (r < 0)
                return r;

        *ret_first = (uint64_t)first;
        return 0;
}

static int snapshot_insert(struct store *s, const struct snapshot_record *record,
                           struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "INSERT INTO snapshot (%s) VALUES (%s)", snapshot_record_columns(),
                       snapshot_record_placeholders());
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        if (snapshot_record_bind(stmt, record) < 0)
                return store_out_of_memory(reterr);
        return sql_run(s->db, stmt, "write a snapshot", reterr);
}

/* A copy of all records in memory, with room for `more`. Under `writing` the array cannot change,
 * so reading it needs no second lock. */
static int store_copy(struct store *s, struct records *ret) {
        for (size_t i = 0; i < s->n_snapshots; i++)
                if (records_append_copy(ret, &s->snapshots[i]) < 0)
                        return -ENOMEM;
        return 0;
}

static int by_number(const void *a, const void *b) {
        const struct snapshot_record *x = a, *y = b;

        return x->number < y->number ? -1 : x->number > y->number;
}

/* Shows the new records to readers; the old ones come back in *records. With them a new set (NULL:
 * none), and without the set that lost its last one (GUID_NULL: none). */
static void store_show(struct store *s, struct records *records, struct set_record *set,
                       VSS_ID shrunk) {
        struct records before = { s->snapshots, s->n_snapshots };

        /* qsort(NULL, 0) is undefined */
        if (records->n > 1)
                qsort(records->items, records->n, sizeof(*records->items), by_number);

        (void)pthread_mutex_lock(&s->reading);
        s->snapshots = records->items;
        s->n_snapshots = records->n;
        store_set_show(s, set);
        store_set_drop_empty(s, shrunk);
        (void)pthread_mutex_unlock(&s->reading);

        *records = before;
}

int store_set_commit(struct store *s, const struct set_record *set,
                     const struct snapshot_record *snapshots, size_t n, const int64_t *intents,
                     size_t n_intents, struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(records_done) struct records records = { 0 };
        _cleanup_(set_record_freep) struct set_record *copy = NULL;
        _cleanup_(sql_rollback) struct sql_transaction t = { 0 };
        int r;

        if (store_copy(s, &records) < 0)
                return store_out_of_memory(reterr);
        for (size_t i = 0; i < n; i++)
                if (records_append_copy(&records, &snapshots[i]) < 0)
                        return store_out_of_memory(reterr);
        r = store_set_prepare(s, set, &copy, reterr);
        if (r < 0)
                return r;

        r = sql_begin(&t, s->db, reterr);
        if (r >= 0 && set)
                r = store_set_insert(s, set, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = snapshot_insert(s, &snapshots[i], reterr);
        for (size_t i = 0; r >= 0 && i < n_intents; i++)
                r = store_intent_delete(s, intents[i], reterr);
        if (r >= 0)
                r = sql_commit(&t, reterr);
        if (r < 0)
                return r;

        store_show(s, &records, TAKE_PTR(copy), GUID_NULL);
        return 0;
}

static ssize_t find_record(const struct snapshot_record *records, size_t n, VSS_ID id) {
        for (size_t i = 0; i < n; i++)
                if (vss_id_equal(records[i].id, id))
                        return (ssize_t)i;
        return -1;
}

static bool store_hides(const struct store *s, VSS_ID id) {
        for (size_t i = 0; i < s->n_hidden; i++)
                if (vss_id_equal(s->hidden[i], id))
                        return true;
        return false;
}

int store_snapshot_hide(struct store *s, VSS_ID id) {
        WITH_LOCK(&s->reading);
        VSS_ID *grown;

        if (store_hides(s, id))
                return 0;
        grown = reallocarray(s->hidden, s->n_hidden + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        s->hidden = grown;
        s->hidden[s->n_hidden++] = id;
        return 0;
}

void store_snapshot_show(struct store *s, VSS_ID id) {
        WITH_LOCK(&s->reading);

        for (size_t i = 0; i < s->n_hidden; i++)
                if (vss_id_equal(s->hidden[i], id)) {
                        s->hidden[i] = s->hidden[--s->n_hidden];
                        return;
                }
}

int store_snapshot_get(struct store *s, VSS_ID id, struct snapshot_record *ret,
                       struct vss_error *reterr) {
        WITH_LOCK(&s->reading);
        ssize_t i;

        i = find_record(s->snapshots, s->n_snapshots, id);
        if (i < 0 || store_hides(s, id))
                return store_not_found("snapshot", VSS_ID_TEXT(id), reterr);
        if (snapshot_record_copy(ret, &s->snapshots[i]) < 0)
                return store_out_of_memory(reterr);
        return 0;
}

static int store_list(struct store *s, VSS_ID set_id, bool all, struct snapshot_record **ret,
                      size_t *ret_n, struct vss_error *reterr) {
        WITH_LOCK(&s->reading);
        _cleanup_(records_done) struct records records = { 0 };

        for (size_t i = 0; i < s->n_snapshots; i++) {
                if (!vss_id_is_null(set_id) && !vss_id_equal(s->snapshots[i].set_id, set_id))
                        continue;
                if (!all && store_hides(s, s->snapshots[i].id))
                        continue;
                if (records_append_copy(&records, &s->snapshots[i]) < 0)
                        return store_out_of_memory(reterr);
        }

        *ret_n = records.n;
        *ret = TAKE_PTR(records.items);
        records.n = 0;
        return 0;
}

int store_snapshot_list(struct store *s, VSS_ID set_id, struct snapshot_record **ret, size_t *ret_n,
                        struct vss_error *reterr) {
        return store_list(s, set_id, false, ret, ret_n, reterr);
}

int store_snapshot_list_all(struct store *s, VSS_ID set_id, struct snapshot_record **ret,
                            size_t *ret_n, struct vss_error *reterr) {
        return store_list(s, set_id, true, ret, ret_n, reterr);
}

int store_snapshot_update(struct store *s, const struct snapshot_record *record,
                          struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(records_done) struct records records = { 0 };
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        struct snapshot_record copy;
        ssize_t i;
        int r;

        i = find_record(s->snapshots, s->n_snapshots, record->id);
        if (i < 0)
                return store_not_found("snapshot", VSS_ID_TEXT(record->id), reterr);
        if (store_copy(s, &records) < 0 || snapshot_record_copy(&copy, record) < 0)
                return store_out_of_memory(reterr);
        snapshot_record_done(&records.items[i]);
        records.items[i] = copy;

        r = str_format(&text, "UPDATE snapshot SET %s WHERE id = :id",
                       snapshot_record_assignments());
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        if (snapshot_record_bind(stmt, record) < 0)
                return store_out_of_memory(reterr);
        r = sql_run(s->db, stmt, "write a snapshot", reterr);
        if (r < 0)
                return r;

        store_show(s, &records, NULL, GUID_NULL);
        return 0;
}

/* Takes it out of records, and out of the data base in the transaction that is open. */
static int records_delete(struct store *s, struct records *records, VSS_ID id,
                          struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        ssize_t i = find_record(records->items, records->n, id);
        int r;

        if (i < 0)
                return store_not_found("snapshot", VSS_ID_TEXT(id), reterr);
        snapshot_record_done(&records->items[i]);
        memmove(&records->items[i], &records->items[i + 1],
                (records->n - (size_t)i - 1) * sizeof(*records->items));
        records->n--;

        r = sql_prepare(s->db, &stmt, "DELETE FROM snapshot WHERE id = ?1", reterr);
        if (r < 0)
                return r;
        if (sql_bind_id(stmt, 1, id) < 0)
                return store_out_of_memory(reterr);
        return sql_run(s->db, stmt, "delete a snapshot", reterr);
}

int store_snapshots_delete(struct store *s, const VSS_ID *ids, size_t n, int64_t intent,
                           struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(records_done) struct records records = { 0 };
        _cleanup_(sql_rollback) struct sql_transaction t = { 0 };
        VSS_ID set_id;
        ssize_t first;
        int r;

        first = find_record(s->snapshots, s->n_snapshots, ids[0]);
        if (first < 0)
                return store_not_found("snapshot", VSS_ID_TEXT(ids[0]), reterr);
        set_id = s->snapshots[first].set_id;
        if (store_copy(s, &records) < 0)
                return store_out_of_memory(reterr);

        r = sql_begin(&t, s->db, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = records_delete(s, &records, ids[i], reterr);
        if (r >= 0)
                r = store_set_delete_empty(s, set_id, reterr);
        if (r >= 0 && intent > 0)
                r = store_intent_delete(s, intent, reterr);
        if (r >= 0)
                r = sql_commit(&t, reterr);
        if (r < 0)
                return r;

        store_show(s, &records, NULL, set_id);
        return 0;
}

int store_snapshot_delete(struct store *s, VSS_ID id, int64_t intent, struct vss_error *reterr) {
        return store_snapshots_delete(s, &id, 1, intent, reterr);
}
