#pragma once

/* The tables: text, so that they read as tables. A line is a row, its columns divided by '|'; '#'
 * begins a comment, a '\' at the end joins the next line, "[Interface]" opens the rows of one. */

#include "common/util.h"

#define COLUMNS_MAX 20

struct row {
        const char *file, *section; /* section: "IVssBackupComponents" */
        unsigned line;
        unsigned n_columns;
        char *columns[COLUMNS_MAX]; /* without blanks around them */
        char *text;                 /* what they lie in */
};

struct rows {
        struct row *rows;
        size_t n;
};

/* Appends a file's; ends the program with a sentence when it cannot be read. */
void rows_read(struct rows *rows, const char *path);
void rows_done(struct rows *rows);
/* NULL: the row has no such column, or an empty one. */
const char *row_column(const struct row *row, unsigned i);
