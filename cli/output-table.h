#pragma once

/* Rows of text in aligned columns, made to fit the terminal: columns that may shrink lose their
 * ends to an ellipsis, widest first. What is in a cell came from elsewhere and is cleaned: it can
 * neither break the lines nor speak to the terminal. */

#include "common/util.h"
#include <stdio.h>

struct table_column {
        const char *title;
        bool right;  /* numbers */
        bool shrink; /* may be cut to fit */
};

enum table_row_style {
        TABLE_ROW_PLAIN,
        TABLE_ROW_BAD, /* red where there is colour */
};

struct table_format {
        size_t width;  /* columns of the terminal; 0: no limit */
        bool colour;   /* bold titles, bad rows in red */
        bool ellipsis; /* the stream can show U+2026 */
};

struct table;

/* columns is borrowed, a const table of the caller's. */
int table_new(struct table **ret, const struct table_column *columns, size_t n_columns);
struct table *table_free(struct table *t);
DEFINE_CLEANUP(struct table, table_free);

/* One cell per column, copied; NULL and "" show as "-". 0, -ENOMEM. */
int table_add(struct table *t, enum table_row_style style, const char *const *cells);
size_t table_rows(const struct table *t);
void table_print(const struct table *t, FILE *stream, const struct table_format *format);

/* How many places s takes on a terminal. */
size_t text_width(const char *s);
