#pragma once

/* How a struct snapshot_record lies in its table row. Only daemon/store includes this. */

#include "daemon/store/sql.h"
#include "daemon/store/store.h"

/* The list of all columns, for a SELECT ("id, set_id, ..."), for the VALUES of an INSERT (":id,
 * :set_id, ..."), for the SET of an UPDATE ("id = :id, ..."): bind() and read() know the order. */
const char *snapshot_record_columns(void);
const char *snapshot_record_placeholders(void);
const char *snapshot_record_assignments(void);

int snapshot_record_bind(sqlite3_stmt *s, const struct snapshot_record *r);
/* 0, -ENOMEM, -EBADMSG for a row that we would not have written. */
int snapshot_record_read(sqlite3_stmt *s, struct snapshot_record *ret);
