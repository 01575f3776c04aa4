/* What is known of whole sets: how each was made. A row is written with the set's snapshots and
 * goes with the last of them; in memory there is one object for each, which never changes. */

#include "daemon/store/record-columns.h"
#include "daemon/store/store-private.h"

#define COLUMNS(COLUMN)                   \
        COLUMN(id, COLUMN_ID)             \
        COLUMN(window_usec, COLUMN_INT64) \
        COLUMN(timeline, COLUMN_TEXT)     \
        COLUMN(steps, COLUMN_TEXT)        \
        COLUMN(writers, COLUMN_TEXT)

#define AS_ROW(field, kind) { #field, offsetof(struct set_record, field), kind },
static const struct column items[] = { COLUMNS(AS_ROW) };
static const struct columns columns = { items, ARRAY_SIZE(items), sizeof(struct set_record) };

void set_record_done(struct set_record *r) {
        record_done(&columns, r);
}

struct set_record *set_record_free(struct set_record *r) {
        if (!r)
                return NULL;
        set_record_done(r);
        free(r);
        return NULL;
}

static int set_record_new(struct set_record **ret, const struct set_record *source) {
        struct set_record *r = calloc(1, sizeof(*r));

        if (!r || record_copy(&columns, r, source) < 0) {
                free(r);
                return -ENOMEM;
        }
        *ret = r;
        return 0;
}

int store_set_insert(struct store *s, const struct set_record *record, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "INSERT INTO snapshot_set (%s) VALUES (%s)",
                       &(COLUMNS(COLUMN_NAME))[2], &(COLUMNS(COLUMN_PLACEHOLDER))[2]);
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        if (record_bind(&columns, stmt, record) < 0)
                return store_out_of_memory(reterr);
        return sql_run(s->db, stmt, "write a set", reterr);
}

int store_set_delete_empty(struct store *s, VSS_ID id, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        r = sql_prepare(s->db, &stmt,
                        "DELETE FROM snapshot_set WHERE id = ?1 AND NOT EXISTS "
                        "(SELECT 1 FROM snapshot WHERE set_id = ?1)",
                        reterr);
        if (r < 0)
                return r;
        if (sql_bind_id(stmt, 1, id) < 0)
                return store_out_of_memory(reterr);
        return sql_run(s->db, stmt, "delete a set", reterr);
}

int store_set_prepare(struct store *s, const struct set_record *record, struct set_record **ret,
                      struct vss_error *reterr) {
        struct set_record **grown;

        if (!record)
                return 0;
        WITH_LOCK(&s->reading);
        grown = reallocarray(s->sets, s->n_sets + 1, sizeof(struct set_record *));
        if (!grown)
                return store_out_of_memory(reterr);
        s->sets = grown;
        return set_record_new(ret, record) < 0 ? store_out_of_memory(reterr) : 0;
}

void store_set_show(struct store *s, struct set_record *record) {
        if (record)
                s->sets[s->n_sets++] = record;
}

void store_set_drop_empty(struct store *s, VSS_ID id) {
        for (size_t i = 0; i < s->n_snapshots; i++)
                if (vss_id_equal(s->snapshots[i].set_id, id))
                        return;
        for (size_t i = 0; i < s->n_sets; i++)
                if (vss_id_equal(s->sets[i]->id, id)) {
                        set_record_free(s->sets[i]);
                        s->sets[i] = s->sets[--s->n_sets];
                        return;
                }
}

int store_sets_load(struct store *s, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "SELECT %s FROM snapshot_set ORDER BY id",
                       &(COLUMNS(COLUMN_NAME))[2]);
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        while ((r = sql_step(s->db, stmt, "read the sets", reterr)) > 0) {
                struct set_record record, *copy = NULL;

                r = record_read(&columns, stmt, &record);
                if (r == -EBADMSG)
                        return store_corrupt(s, "a set's row makes no sense", reterr);
                if (r < 0)
                        return store_out_of_memory(reterr);
                r = store_set_prepare(s, &record, &copy, reterr);
                set_record_done(&record);
                if (r < 0)
                        return r;
                store_set_show(s, copy);
        }
        return r;
}

void store_sets_forget(struct store *s) {
        for (size_t i = 0; i < s->n_sets; i++)
                set_record_free(s->sets[i]);
        free(TAKE_PTR(s->sets));
        s->n_sets = 0;
}

int store_set_get(struct store *s, VSS_ID id, struct set_record *ret, struct vss_error *reterr) {
        WITH_LOCK(&s->reading);

        for (size_t i = 0; i < s->n_sets; i++)
                if (vss_id_equal(s->sets[i]->id, id))
                        return record_copy(&columns, ret, s->sets[i]) < 0
                                       ? store_out_of_memory(reterr)
                                       : 0;
        return store_not_found("snapshot set", VSS_ID_TEXT(id), reterr);
}
