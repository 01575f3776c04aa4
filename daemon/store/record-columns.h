#pragma once

/* A record of the store as its table row: one table of columns says for each field of a struct its
 * name and type; copying, freeing, binding and reading walk it. Only daemon/store includes this. */

#include "daemon/store/sql.h"

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

#define COLUMNS_MAX 64U

struct columns {
        const struct column *items;
        size_t n;    /* at most COLUMNS_MAX */
        size_t size; /* of the struct */
};

/* COLUMN(field, kind) as what a list of columns is made of; each begins with its separator. */
#define COLUMN_NAME(field, kind) ", " #field
#define COLUMN_PLACEHOLDER(field, kind) ", :" #field
#define COLUMN_ASSIGNMENT(field, kind) ", " #field " = :" #field

void record_done(const struct columns *c, void *record);
int record_copy(const struct columns *c, void *dst, const void *src);
int record_bind(const struct columns *c, sqlite3_stmt *s, const void *record);
/* 0, -ENOMEM, -EBADMSG for a row that we would not have written. *ret: zeroed on failure. */
int record_read(const struct columns *c, sqlite3_stmt *s, void *ret);
