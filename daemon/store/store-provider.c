/* The providers of others: see provider-record.h. Nothing of them is kept in memory here. */

#include "common/vss-id.h"
#include "daemon/store/provider-record.h"
#include "daemon/store/record-columns.h"
#include "daemon/store/store-private.h"

#define COLUMNS(COLUMN)                   \
        COLUMN(id, COLUMN_ID)             \
        COLUMN(name, COLUMN_TEXT)         \
        COLUMN(display_name, COLUMN_TEXT) \
        COLUMN(version, COLUMN_TEXT)      \
        COLUMN(version_id, COLUMN_ID)     \
        COLUMN(priority, COLUMN_INT32)    \
        COLUMN(bus_name, COLUMN_TEXT)     \
        COLUMN(path, COLUMN_TEXT)

#define AS_ROW(field, kind) { #field, offsetof(struct provider_record, field), kind },
static const struct column items[] = { COLUMNS(AS_ROW) };
static const struct columns columns = { items, ARRAY_SIZE(items), sizeof(struct provider_record) };

void provider_record_done(struct provider_record *r) {
        record_done(&columns, r);
}

int provider_record_copy(struct provider_record *dst, const struct provider_record *src) {
        return record_copy(&columns, dst, src);
}

void provider_records_free(struct provider_record *r, size_t n) {
        for (size_t i = 0; i < n; i++)
                provider_record_done(&r[i]);
        free(r);
}

struct records {
        struct provider_record *items;
        size_t n;
};

static void records_done(struct records *r) {
        provider_records_free(r->items, r->n);
}

static bool is_whole(const struct provider_record *r) {
        return r->name && r->display_name && r->version && r->bus_name && r->path;
}

static int records_read_one(struct records *records, struct store *s, sqlite3_stmt *stmt,
                            struct vss_error *reterr) {
        struct provider_record *longer;
        int r;

        longer = reallocarray(records->items, records->n + 1, sizeof(*longer));
        if (!longer)
                return store_out_of_memory(reterr);
        records->items = longer;
        r = record_read(&columns, stmt, &longer[records->n]);
        if (r == -ENOMEM)
                return store_out_of_memory(reterr);
        if (r >= 0)
                records->n++;
        if (r < 0 || !is_whole(&longer[records->n - 1]))
                return store_corrupt(s, "a provider's row makes no sense", reterr);
        return 0;
}

int store_provider_list(struct store *s, struct provider_record **ret, size_t *ret_n,
                        struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(records_done) struct records records = { 0 };
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "SELECT %s FROM provider ORDER BY name", &(COLUMNS(COLUMN_NAME))[2]);
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        while ((r = sql_step(s->db, stmt, "read the providers", reterr)) > 0) {
                r = records_read_one(&records, s, stmt, reterr);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(records.items);
        *ret_n = records.n;
        records.n = 0;
        return 0;
}

/* Whether there is one with its id or name. Under `writing`. */
static int provider_is_there(struct store *s, const struct provider_record *record,
                             struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt, "SELECT 1 FROM provider WHERE id = ?1 OR name = ?2", reterr);
        if (r >= 0 &&
            (sql_bind_id(stmt, 1, record->id) < 0 || sql_bind_text(stmt, 2, record->name) < 0))
                r = store_out_of_memory(reterr);
        return r < 0 ? r : sql_step(s->db, stmt, "look for a provider", reterr);
}

int store_provider_add(struct store *s, const struct provider_record *record,
                       struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(is_whole(record));

        r = provider_is_there(s, record, reterr);
        if (r > 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_ALREADY_REGISTERED, EEXIST,
                                     "A provider %s or with the name %s is registered already",
                                     VSS_ID_TEXT(record->id), record->name);
        if (r < 0)
                return r;
        r = str_format(&text, "INSERT INTO provider (%s) VALUES (%s)", &(COLUMNS(COLUMN_NAME))[2],
                       &(COLUMNS(COLUMN_PLACEHOLDER))[2]);
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r >= 0 && record_bind(&columns, stmt, record) < 0)
                r = store_out_of_memory(reterr);
        return r < 0 ? r : sql_run(s->db, stmt, "write a provider", reterr);
}

int store_provider_delete(struct store *s, VSS_ID id, struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt, "DELETE FROM provider WHERE id = ?1", reterr);
        if (r >= 0 && sql_bind_id(stmt, 1, id) < 0)
                r = store_out_of_memory(reterr);
        if (r >= 0)
                r = sql_run(s->db, stmt, "delete a provider", reterr);
        if (r < 0)
                return r;
        if (sqlite3_changes(s->db) == 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, ENOENT,
                                     "There is no provider %s that could be unregistered",
                                     VSS_ID_TEXT(id));
        return 0;
}
