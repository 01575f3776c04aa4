/* See record-columns.h. */

#include "daemon/store/record-columns.h"

static void *field_of(void *record, const struct column *c) {
        return (char *)record + c->offset;
}

static const void *field_of_const(const void *record, const struct column *c) {
        return (const char *)record + c->offset;
}

void record_done(const struct columns *c, void *record) {
        for (size_t i = 0; i < c->n; i++)
                if (c->items[i].type == COLUMN_TEXT)
                        free(*(char **)field_of(record, &c->items[i]));
        memset(record, 0, c->size);
}

int record_copy(const struct columns *c, void *dst, const void *src) {
        char *texts[COLUMNS_MAX] = { NULL };

        assert(c->n <= COLUMNS_MAX);

        for (size_t i = 0; i < c->n; i++) {
                if (c->items[i].type != COLUMN_TEXT)
                        continue;
                if (str_replace(&texts[i], *(char *const *)field_of_const(src, &c->items[i])) < 0) {
                        for (size_t k = 0; k < i; k++)
                                free(texts[k]);
                        return -ENOMEM;
                }
        }
        memcpy(dst, src, c->size);
        for (size_t i = 0; i < c->n; i++)
                if (c->items[i].type == COLUMN_TEXT)
                        *(char **)field_of(dst, &c->items[i]) = texts[i];
        return 0;
}

static int column_bind(sqlite3_stmt *s, int index, const struct column *c, const void *field) {
        int r = SQLITE_MISUSE;

        switch (c->type) {
        case COLUMN_ID: return sql_bind_id(s, index, *(const VSS_ID *)field);
        case COLUMN_TEXT: return sql_bind_text(s, index, *(char *const *)field);
        case COLUMN_INT32: r = sqlite3_bind_int(s, index, *(const LONG *)field); break;
        case COLUMN_INT64: r = sqlite3_bind_int64(s, index, *(const int64_t *)field); break;
        case COLUMN_STATE:
                r = sqlite3_bind_int(s, index, (int)*(const VSS_SNAPSHOT_STATE *)field);
                break;
        }
        return r == SQLITE_OK ? 0 : -ENOMEM;
}

int record_bind(const struct columns *c, sqlite3_stmt *s, const void *record) {
        for (size_t i = 0; i < c->n; i++) {
                int k;

                /* SQLite numbers the parameters from 1, in the order of their first mention. */
                k = column_bind(s, (int)i + 1, &c->items[i], field_of_const(record, &c->items[i]));
                if (k < 0)
                        return k;
        }
        return 0;
}

static int column_read(sqlite3_stmt *s, int index, const struct column *c, void *field) {
        sqlite3_int64 value;

        switch (c->type) {
        case COLUMN_ID: return sql_column_id(s, index, field);
        case COLUMN_TEXT: return sql_column_text(s, index, field);
        case COLUMN_INT32:
        case COLUMN_INT64:
        case COLUMN_STATE: break;
        }

        if (sqlite3_column_type(s, index) != SQLITE_INTEGER)
                return -EBADMSG;
        value = sqlite3_column_int64(s, index);
        if (c->type == COLUMN_INT64) {
                *(int64_t *)field = value;
                return 0;
        }
        if (value < INT32_MIN || value > INT32_MAX)
                return -EBADMSG;
        if (c->type == COLUMN_STATE)
                *(VSS_SNAPSHOT_STATE *)field = (VSS_SNAPSHOT_STATE)value;
        else
                *(LONG *)field = (LONG)value;
        return 0;
}

int record_read(const struct columns *c, sqlite3_stmt *s, void *ret) {
        memset(ret, 0, c->size);
        for (size_t i = 0; i < c->n; i++) {
                int r = column_read(s, (int)i, &c->items[i], field_of(ret, &c->items[i]));

                if (r < 0) {
                        record_done(c, ret);
                        return r;
                }
        }
        return 0;
}
