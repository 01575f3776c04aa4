/* The diff areas that were set down: see area-record.h. All of them are kept in memory. */

#include "daemon/store/area-record.h"
#include "daemon/store/record-columns.h"
#include "daemon/store/store-private.h"

#define COLUMNS(COLUMN)                  \
        COLUMN(volume, COLUMN_TEXT)      \
        COLUMN(origin_uuid, COLUMN_TEXT) \
        COLUMN(store, COLUMN_TEXT)       \
        COLUMN(maximum, COLUMN_INT64)    \
        COLUMN(boot, COLUMN_TEXT)        \
        COLUMN(boot_maximum, COLUMN_INT64)

#define AS_ROW(field, kind) { #field, offsetof(struct area_record, field), kind },
static const struct column items[] = { COLUMNS(AS_ROW) };
static const struct columns columns = { items, ARRAY_SIZE(items), sizeof(struct area_record) };

void area_record_done(struct area_record *r) {
        record_done(&columns, r);
}

void area_records_free(struct area_record *r, size_t n) {
        for (size_t i = 0; i < n; i++)
                area_record_done(&r[i]);
        free(r);
}

static bool is_of(const struct area_record *a, const char *name, const char *uuid) {
        if (!str_empty(a->origin_uuid) && !str_empty(uuid))
                return streq(a->origin_uuid, uuid);
        return streq(a->volume, str_or_empty(name));
}

const struct area_record *area_record_find(const struct area_record *areas, size_t n,
                                           const char *name, const char *uuid) {
        for (size_t i = 0; i < n; i++)
                if (is_of(&areas[i], name, uuid))
                        return &areas[i];
        return NULL;
}

/* n: it is not there. Under `reading`. */
static size_t find(const struct store *s, const char *volume) {
        size_t i = 0;

        while (i < s->n_areas && !streq(str_or_empty(s->areas[i].volume), volume))
                i++;
        return i;
}

int store_area_list(struct store *s, struct area_record **ret, size_t *ret_n,
                    struct vss_error *reterr) {
        struct area_record *copies;
        size_t n = 0;

        WITH_LOCK(&s->reading);
        copies = calloc(s->n_areas > 0 ? s->n_areas : 1, sizeof(*copies));
        if (!copies)
                return store_out_of_memory(reterr);
        for (; n < s->n_areas; n++)
                if (record_copy(&columns, &copies[n], &s->areas[n]) < 0) {
                        area_records_free(copies, n);
                        return store_out_of_memory(reterr);
                }
        *ret = copies;
        *ret_n = n;
        return 0;
}

/* Room for one more, so that showing it cannot fail. */
static int reserve(struct store *s) {
        struct area_record *longer;

        WITH_LOCK(&s->reading);
        longer = reallocarray(s->areas, s->n_areas + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        s->areas = longer;
        return 0;
}

/* Takes the record over. */
static void show(struct store *s, struct area_record *r) {
        size_t i;

        WITH_LOCK(&s->reading);
        i = find(s, r->volume);
        if (i < s->n_areas)
                area_record_done(&s->areas[i]);
        else
                s->n_areas++;
        s->areas[i] = *r;
}

/* False: it was not there. */
static bool hide(struct store *s, const char *volume) {
        size_t i;

        WITH_LOCK(&s->reading);
        i = find(s, volume);
        if (i == s->n_areas)
                return false;
        area_record_done(&s->areas[i]);
        s->areas[i] = s->areas[--s->n_areas];
        return true;
}

int store_area_put(struct store *s, const struct area_record *record, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        struct area_record copy;
        int r;

        WITH_LOCK(&s->writing);
        if (reserve(s) < 0 || record_copy(&columns, &copy, record) < 0)
                return store_out_of_memory(reterr);
        r = str_format(&text, "INSERT OR REPLACE INTO area (%s) VALUES (%s)",
                       &(COLUMNS(COLUMN_NAME))[2], &(COLUMNS(COLUMN_PLACEHOLDER))[2]);
        if (r >= 0)
                r = sql_prepare(s->db, &stmt, text, reterr);
        else
                (void)store_out_of_memory(reterr);
        if (r >= 0 && record_bind(&columns, stmt, record) < 0)
                r = store_out_of_memory(reterr);
        if (r >= 0)
                r = sql_run(s->db, stmt, "write a diff area", reterr);
        if (r >= 0)
                show(s, &copy);
        else
                area_record_done(&copy);
        return r;
}

int store_area_delete(struct store *s, const char *volume, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        int r;

        WITH_LOCK(&s->writing);
        r = sql_prepare(s->db, &stmt, "DELETE FROM area WHERE volume = ?1", reterr);
        if (r >= 0 && sql_bind_text(stmt, 1, volume) < 0)
                r = store_out_of_memory(reterr);
        if (r >= 0)
                r = sql_run(s->db, stmt, "delete a diff area", reterr);
        if (r < 0)
                return r;
        return hide(s, volume) ? 0 : store_not_found("diff area of", volume, reterr);
}

int store_areas_load(struct store *s, struct vss_error *reterr) {
        _cleanup_(sql_finalizep) sqlite3_stmt *stmt = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "SELECT %s FROM area ORDER BY volume", &(COLUMNS(COLUMN_NAME))[2]);
        if (r < 0)
                return store_out_of_memory(reterr);
        r = sql_prepare(s->db, &stmt, text, reterr);
        if (r < 0)
                return r;
        while ((r = sql_step(s->db, stmt, "read the diff areas", reterr)) > 0) {
                struct area_record record;

                r = record_read(&columns, stmt, &record);
                if (r == -EBADMSG || (r >= 0 && (!record.volume || !record.store))) {
                        if (r >= 0)
                                area_record_done(&record);
                        return store_corrupt(s, "a diff area's row makes no sense", reterr);
                }
                if (r < 0 || reserve(s) < 0) {
                        if (r >= 0)
                                area_record_done(&record);
                        return store_out_of_memory(reterr);
                }
                show(s, &record);
        }
        return r;
}

void store_areas_forget(struct store *s) {
        area_records_free(TAKE_PTR(s->areas), s->n_areas);
        s->n_areas = 0;
}
