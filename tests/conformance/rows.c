/* See rows.h. */

#include "tests/conformance/rows.h"

#include <ctype.h>
#include <stdio.h>

static _Noreturn void give_up(const char *path, unsigned line, const char *why) {
        (void)fprintf(stderr, "%s:%u: %s\n", path, line, why);
        exit(EXIT_FAILURE);
}

static char *strip(char *text) {
        size_t n;

        while (isspace((unsigned char)*text))
                text++;
        for (n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--)
                ;
        text[n] = '\0';
        return text;
}

/* A '|' or '#' inside quotes is text; so is a '|' between constants, which has no blank around. */
static bool divides(const char *line, const char *p, bool quoted) {
        return *p == '|' && !quoted && (p == line || isspace((unsigned char)p[-1])) &&
               (isspace((unsigned char)p[1]) || !p[1]);
}

static void split(struct row *row, const char *path) {
        char *begin = row->text;
        bool quoted = false;

        for (char *p = row->text;; p++) {
                if (*p == '"')
                        quoted = !quoted;
                if (*p && !divides(row->text, p, quoted))
                        continue;
                if (row->n_columns == COLUMNS_MAX)
                        give_up(path, row->line, "too many columns");
                row->columns[row->n_columns++] = begin;
                if (!*p)
                        break;
                *p = '\0';
                begin = p + 1;
        }
        for (unsigned i = 0; i < row->n_columns; i++)
                row->columns[i] = strip(row->columns[i]);
}

static void cut_comment(char *line) {
        bool quoted = false;

        for (; *line; line++) {
                if (*line == '"')
                        quoted = !quoted;
                if (*line == '#' && !quoted)
                        *line = '\0';
        }
}

void rows_read(struct rows *rows, const char *path) {
        FILE *f = fopen(path, "re");
        _cleanup_(freep) char *line = NULL;
        _cleanup_(freep) char *joined = NULL;
        static char sections[64][64];
        static unsigned n_sections;
        const char *section = "";
        size_t size = 0;
        unsigned number = 0;

        if (!f)
                give_up(path, 0, strerror(errno));
        while (getline(&line, &size, f) >= 0) {
                char *text, *whole = NULL;
                size_t n;

                number++;
                if (!joined)
                        cut_comment(line);
                text = joined ? line : strip(line);
                text[strcspn(text, "\n")] = '\0';
                if (str_format(&whole, "%s%s", str_or_empty(joined), text) < 0)
                        abort();
                free(TAKE_PTR(joined));
                n = strlen(whole);
                if (n > 0 && whole[n - 1] == '\\') {
                        whole[n - 1] = '\0';
                        joined = whole;
                        continue;
                }
                if (n == 0) {
                        free(whole);
                        continue;
                }
                if (whole[0] == '[' && !strchr(whole, '|')) {
                        if (n_sections == ARRAY_SIZE(sections) || n > sizeof(sections[0]))
                                give_up(path, number, "no room for another section");
                        (void)snprintf(sections[n_sections], sizeof(sections[0]), "%.*s",
                                       (int)strcspn(whole + 1, "]"), whole + 1);
                        section = sections[n_sections++];
                        free(whole);
                        continue;
                }
                rows->rows = reallocarray(rows->rows, rows->n + 1, sizeof(*rows->rows));
                if (!rows->rows)
                        abort();
                rows->rows[rows->n] = (struct row){
                        .file = path, .section = section, .line = number, .text = whole
                };
                split(&rows->rows[rows->n++], path);
        }
        (void)fclose(f); /* it was only read */
}

void rows_done(struct rows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                free(rows->rows[i].text);
        free(rows->rows);
        *rows = (struct rows){ 0 };
}

const char *row_column(const struct row *row, unsigned i) {
        return i < row->n_columns && row->columns[i][0] ? row->columns[i] : NULL;
}
