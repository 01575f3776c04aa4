/* What is about to be done to storage: written before the step, closed after it. */

#include "daemon/store/store-private.h"

#include <stdio.h>

void intent_record_done(struct intent_record *r) {
        free(r->provider);
        free(r->kind);
        free(r->data);
        *r = (struct intent_record){ 0 };
}

void intent_records_free(struct intent_record *r, size_t n) {
        for (size_t i = 0; i < n; i++)
                intent_record_done(&r[i]);
        free(r);
}

int store_intent_open(struct store *s, const struct intent_record *record, int64_t *ret_id,
                      struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt,
                        "INSERT INTO intent (set_id, provider, kind, data) VALUES (?1, ?2, ?3, ?4)",
                        reterr);
        if (r < 0)
                return r;
        if (sql_bind_id(stmt, 1, record->set_id) < 0 ||
            sql_bind_text(stmt, 2, str_or_empty(record->provider)) < 0 ||
            sql_bind_text(stmt, 3, str_or_empty(record->kind)) < 0 ||
            sql_bind_text(stmt, 4, record->data) < 0)
                return store_out_of_memory(reterr);
        r = sql_run(s->db, stmt, "write an intent", reterr);
        if (r < 0)
                return r;

        *ret_id = sqlite3_last_insert_rowid(s->db);
        return 0;
}

static int store_intent_not_found(int64_t id, struct vss_error *reterr) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%lld", (long long)id);
        return store_not_found("intent", text, reterr);
}

int store_intent_update(struct store *s, int64_t id, const char *data, struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt, "UPDATE intent SET data = ?2 WHERE id = ?1", reterr);
        if (r < 0)
                return r;
        (void)sqlite3_bind_int64(stmt, 1, id); /* integers need no memory */
        if (sql_bind_text(stmt, 2, data) < 0)
                return store_out_of_memory(reterr);
        r = sql_run(s->db, stmt, "write an intent", reterr);
        if (r < 0)
                return r;
        return sqlite3_changes(s->db) > 0 ? 0 : store_intent_not_found(id, reterr);
}

int store_intent_delete(struct store *s, int64_t id, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt, "DELETE FROM intent WHERE id = ?1", reterr);
        if (r < 0)
                return r;
        (void)sqlite3_bind_int64(stmt, 1, id); /* integers need no memory */
        return sql_run(s->db, stmt, "close an intent", reterr);
}

int store_intent_close(struct store *s, int64_t id, struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        int r;

        r = store_intent_delete(s, id, reterr);
        if (r < 0)
                return r;
        return sqlite3_changes(s->db) > 0 ? 0 : store_intent_not_found(id, reterr);
}

static int intent_read(sqlite3_stmt *stmt, struct intent_record *ret) {
        int r;

        ret->id = sqlite3_column_int64(stmt, 0);
        r = sql_column_id(stmt, 1, &ret->set_id);
        if (r >= 0)
                r = sql_column_text(stmt, 2, &ret->provider);
        if (r >= 0)
                r = sql_column_text(stmt, 3, &ret->kind);
        if (r >= 0)
                r = sql_column_text(stmt, 4, &ret->data);
        return r;
}

static int intents_read(struct store *s, sqlite3_stmt *stmt, struct intent_record **items,
                        size_t *n, struct vss_error *reterr) {
        int r;

        while ((r = sql_step(s->db, stmt, "read the intents", reterr)) > 0) {
                struct intent_record *grown;

                grown = reallocarray(*items, *n + 1, sizeof(*grown));
                if (!grown)
                        return store_out_of_memory(reterr);
                *items = grown;
                grown[*n] = (struct intent_record){ 0 };
                (*n)++;
                r = intent_read(stmt, &grown[*n - 1]);
                if (r == -EBADMSG)
                        return store_corrupt(s, "an intent's row makes no sense", reterr);
                if (r < 0)
                        return store_out_of_memory(reterr);
        }
        return r;
}

int store_intent_list(struct store *s, struct intent_record **ret, size_t *ret_n,
                      struct vss_error *reterr) {
        WITH_LOCK(&s->writing);
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        struct intent_record *items = NULL;
        size_t n = 0;
        int r;

        r = sql_prepare(s->db, &stmt,
                        "SELECT id, set_id, provider, kind, data FROM intent ORDER BY id", reterr);
        if (r >= 0)
                r = intents_read(s, stmt, &items, &n, reterr);
        if (r < 0) {
                intent_records_free(items, n);
                return r;
        }

        *ret = items;
        *ret_n = n;
        return 0;
}
