/* The table keeps clean copies of its cells and measures them when it is printed. */

#include "cli/output-table.h"

#include "common/utf8.h"

#include <wchar.h>

#define COLUMN_GAP 2
#define COLUMN_WIDTH_MIN 8 /* below this a cut cell says nothing */

struct row {
        enum table_row_style style;
        char **cells; /* n_columns of them, clean text */
};

struct table {
        const struct table_column *columns;
        size_t n_columns;
        struct row *rows;
        size_t n_rows;
};

static const char *const style_on[] = {
        [TABLE_ROW_PLAIN] = "",
        [TABLE_ROW_BAD] = "\033[31m",
};

int table_new(struct table **ret, const struct table_column *columns, size_t n_columns) {
        struct table *t;

        assert(n_columns > 0);

        t = malloc(sizeof(*t));
        if (!t)
                return -ENOMEM;
        *t = (struct table){ .columns = columns, .n_columns = n_columns };
        *ret = t;
        return 0;
}

static void row_done(struct row *r, size_t n_columns) {
        for (size_t i = 0; r->cells && i < n_columns; i++)
                free(r->cells[i]);
        free(r->cells);
}

struct table *table_free(struct table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_rows; i++)
                row_done(&t->rows[i], t->n_columns);
        free(t->rows);
        free(t);
        return NULL;
}

int table_add(struct table *t, enum table_row_style style, const char *const *cells) {
        struct row row = { .style = style };
        struct row *rows;

        rows = reallocarray(t->rows, t->n_rows + 1, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        t->rows = rows;

        row.cells = calloc(t->n_columns, sizeof(*row.cells));
        if (!row.cells)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_columns; i++) {
                row.cells[i] = utf8_clean(str_empty(cells[i]) ? "-" : cells[i]);
                if (!row.cells[i]) {
                        row_done(&row, t->n_columns);
                        return -ENOMEM;
                }
        }

        t->rows[t->n_rows++] = row;
        return 0;
}

size_t table_rows(const struct table *t) {
        return t->n_rows;
}

static size_t character_width(uint32_t character) {
        int w = wcwidth((wchar_t)character);

        /* Unknown to the locale: most terminals show one place of something. */
        return w < 0 ? 1 : (size_t)w;
}

size_t text_width(const char *s) {
        size_t width = 0;

        while (*s != '\0') {
                uint32_t character;

                s += utf8_decode(s, &character);
                width += character_width(character);
        }
        return width;
}

static void print_blanks(FILE *stream, size_t n) {
        while (n-- > 0)
                fputc(' ', stream);
}

/* Prints s in at most width places and returns how many it took. */
static size_t print_cut(FILE *stream, const char *s, size_t width, bool ellipsis) {
        const char *mark = ellipsis ? "\xE2\x80\xA6" : "...";
        size_t mark_width = ellipsis ? 1 : 3, used = 0;

        if (text_width(s) <= width) {
                fputs(s, stream);
                return text_width(s);
        }

        for (;;) {
                uint32_t character;
                size_t n = utf8_decode(s, &character), w = character_width(character);

                if (used + w + mark_width > width)
                        break;
                fwrite(s, 1, n, stream);
                used += w;
                s += n;
        }
        fputs(mark, stream);
        return used + mark_width;
}

static void print_cell(const struct table *t, FILE *stream, const struct table_format *format,
                       size_t column, size_t width, const char *text) {
        size_t text_places = text_width(text), pad = width > text_places ? width - text_places : 0;

        if (t->columns[column].right)
                print_blanks(stream, pad);
        text_places = print_cut(stream, text, width, format->ellipsis);

        /* No blanks at the end of a line: they wrap on narrow terminals. */
        if (column + 1 == t->n_columns)
                return;
        if (!t->columns[column].right)
                print_blanks(stream, width - text_places);
        print_blanks(stream, COLUMN_GAP);
}

/* Takes places from the widest column that may shrink until the line fits or nothing gives. */
static void fit(const struct table *t, size_t *widths, size_t limit) {
        for (;;) {
                size_t total = (t->n_columns - 1) * COLUMN_GAP, widest = SIZE_MAX;

                for (size_t i = 0; i < t->n_columns; i++) {
                        total += widths[i];
                        if (t->columns[i].shrink && widths[i] > COLUMN_WIDTH_MIN &&
                            (widest == SIZE_MAX || widths[i] > widths[widest]))
                                widest = i;
                }
                if (total <= limit || widest == SIZE_MAX)
                        return;
                widths[widest]--;
        }
}

void table_print(const struct table *t, FILE *stream, const struct table_format *format) {
        _cleanup_(freep) size_t *widths = NULL;

        widths = calloc(t->n_columns, sizeof(*widths));
        if (!widths) {
                fputs("(out of memory)\n", stream);
                return;
        }

        for (size_t i = 0; i < t->n_columns; i++) {
                widths[i] = text_width(t->columns[i].title);
                for (size_t k = 0; k < t->n_rows; k++) {
                        size_t w = text_width(t->rows[k].cells[i]);

                        if (w > widths[i])
                                widths[i] = w;
                }
        }
        if (format->width > 0)
                fit(t, widths, format->width);

        fputs(format->colour ? "\033[1m" : "", stream);
        for (size_t i = 0; i < t->n_columns; i++)
                print_cell(t, stream, format, i, widths[i], t->columns[i].title);
        fputs(format->colour ? "\033[0m\n" : "\n", stream);

        for (size_t k = 0; k < t->n_rows; k++) {
                const struct row *row = &t->rows[k];
                bool styled = format->colour && style_on[row->style][0] != '\0';

                fputs(styled ? style_on[row->style] : "", stream);
                for (size_t i = 0; i < t->n_columns; i++)
                        print_cell(t, stream, format, i, widths[i], row->cells[i]);
                fputs(styled ? "\033[0m\n" : "\n", stream);
        }
}
