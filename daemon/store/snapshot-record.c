/* A snapshot as it is kept. */

#include "daemon/store/snapshot-record.h"

#include "daemon/store/record-columns.h"

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
        COLUMN(consistency_reason, COLUMN_TEXT)  \
        COLUMN(writers, COLUMN_TEXT)

#define AS_ROW(field, kind) { #field, offsetof(struct snapshot_record, field), kind },
static const struct column items[] = { COLUMNS(AS_ROW) };
static const struct columns columns = { items, ARRAY_SIZE(items), sizeof(struct snapshot_record) };

const char *snapshot_record_columns(void) {
        return &(COLUMNS(COLUMN_NAME))[2];
}
const char *snapshot_record_placeholders(void) {
        return &(COLUMNS(COLUMN_PLACEHOLDER))[2];
}
const char *snapshot_record_assignments(void) {
        return &(COLUMNS(COLUMN_ASSIGNMENT))[2];
}

void snapshot_record_done(struct snapshot_record *r) {
        record_done(&columns, r);
}

int snapshot_record_copy(struct snapshot_record *dst, const struct snapshot_record *src) {
        return record_copy(&columns, dst, src);
}

int snapshot_record_bind(sqlite3_stmt *s, const struct snapshot_record *r) {
        return record_bind(&columns, s, r);
}

int snapshot_record_read(sqlite3_stmt *s, struct snapshot_record *ret) {
        return record_read(&columns, s, ret);
}
