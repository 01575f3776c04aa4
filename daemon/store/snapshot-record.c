/* A snapshot as it is kept. One table of columns says for each field its name and type; copying,
 * freeing, binding and reading walk it, and so does the unit test. */

#include "daemon/store/snapshot-record.h"

enum column_type {
        COLUMN_ID,
        COLUMN_TEXT,
        COLUMN_INT32,
        COLUMN_INT64, /* also the unsigned ones, which stay below 2^63 */
        COLUMN_STATE,
};

struct column {
        const char *name;
        size_t offset;
        enum column_type type;
};

#define COLUMNS(COLUMN)                          \
        COLUMN(id, COLUMN_ID)                    \
        COLUMN(set_id, COLUMN_ID)                \
        COLUMN(number, COLUMN_INT64)             \
        COLUMN(volume, COLUMN_TEXT)              \
        COLUMN(display, COLUMN_TEXT)             \
        COLUMN(origin_uuid, COLUMN_TEXT)         \
        COLUMN(provider, COLUMN_TEXT)            \
        COLUMN(provider_id, COLUMN_ID)           \
        COLUMN(provider_data, COLUMN_TEXT)       \
        COLUMN(device, COLUMN_TEXT)              \
        COLUMN(device_object, COLUMN_TEXT)       \
        COLUMN(fs_type, COLUMN_TEXT)             \
        COLUMN(originating_machine, COLUMN_TEXT) \
        COLUMN(service_machine, COLUMN_TEXT)     \
        COLUMN(exposed_name, COLUMN_TEXT)        \
        COLUMN(exposed_path, COLUMN_TEXT)        \
        COLUMN(context, COLUMN_INT32)            \
        COLUMN(attributes, COLUMN_INT32)         \
        COLUMN(count, COLUMN_INT32)              \
        COLUMN(created, COLUMN_INT64)            \
        COLUMN(state, COLUMN_STATE)              \
        COLUMN(expire_unix, COLUMN_INT64)        \
        COLUMN(consistency, COLUMN_TEXT)         \
        COLUMN(writers, COLUMN_TEXT)             \
        COLUMN(window_usec, COLUMN_INT64)        \
        COLUMN(timeline, COLUMN_TEXT)

#define AS_ROW(field, kind) { #field, offsetof(struct snapshot_record, field), kind },
static const struct column columns[] = { COLUMNS(AS_ROW) };

#define AS_NAME(field, kind) ", " #field
#define AS_PLACEHOLDER(field, kind) ", :" #field
#define AS_ASSIGNMENT(field, kind) ", " #field " = :" #field

/* Each string begins with the separator of a list. */
const char *snapshot_record_columns(void) {
        return &(COLUMNS(AS_NAME))[2];
}
const char *snapshot_record_placeholders(void) {
        return &(COLUMNS(AS_PLACEHOLDER))[2];
}
const char *snapshot_record_assignments(void) {
        return &(COLUMNS(AS_ASSIGNMENT))[2];
}

static void *field_of(struct snapshot_record *r, const struct column *c) {
        return (char *)r + c->offset;
}

static const void *field_of_const(const struct snapshot_record *r, const struct column *c) {
        return (const char *)r + c->offset;
}

void snapshot_record_done(struct snapshot_record *r) {
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
                if (columns[i].type == COLUMN_TEXT)
                        free(*(char **)field_of(r, &columns[i]));
        *r = (struct snapshot_record){ 0 };
}

int snapshot_record_copy(struct snapshot_record *dst, const struct snapshot_record *src) {
        struct snapshot_record copy = *src;

        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
                if (columns[i].type == COLUMN_TEXT)
                        *(char **)field_of(&copy, &columns[i]) = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                if (columns[i].type != COLUMN_TEXT)
                        continue;
                if (str_replace(field_of(&copy, &columns[i]),
                                *(char *const *)field_of_const(src, &columns[i])) < 0) {
                        snapshot_record_done(&copy);
                        return -ENOMEM;
                }
        }

        *dst = copy;
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

int snapshot_record_bind(sqlite3_stmt *s, const struct snapshot_record *r) {
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                int k;

                /* SQLite numbers the parameters from 1, in the order of their first mention. */
                k = column_bind(s, (int)i + 1, &columns[i], field_of_const(r, &columns[i]));
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

int snapshot_record_read(sqlite3_stmt *s, struct snapshot_record *ret) {
        struct snapshot_record record = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                int r = column_read(s, (int)i, &columns[i], field_of(&record, &columns[i]));

                if (r < 0) {
                        snapshot_record_done(&record);
                        return r;
                }
        }

        *ret = record;
        return 0;
}
