/* Single commands, and the rows and fields of lvm's reports. Stateless. */

#include "daemon/providers/lvm.h"
#include <stdarg.h>
#include <stdio.h>

void lvm_rows_free(struct lvm_row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < rows[i].n; k++)
                        free(rows[i].fields[k]);
                free(rows[i].fields);
        }
        free(rows);
}

/* line: without the spaces before and after it. */
static int row_parse(struct lvm_row *row, char *line, size_t n_fields) {
        row->fields = calloc(n_fields, sizeof(*row->fields));
        if (!row->fields)
                return -ENOMEM;
        while (line) {
                char *field = strsep(&line, "|");

                if (row->n == n_fields)
                        return -EBADMSG;
                row->fields[row->n] = strdup(field);
                if (!row->fields[row->n])
                        return -ENOMEM;
                row->n++;
        }
        return row->n == n_fields ? 0 : -EBADMSG;
}

int lvm_report_parse(const char *report, size_t n_fields, struct lvm_row **ret, size_t *ret_n) {
        _cleanup_(freep) char *copy = strdup(report);
        struct lvm_row *rows = NULL;
        char *line, *rest = copy;
        size_t n = 0;
        int r = copy ? 0 : -ENOMEM;

        while (r >= 0 && (line = strsep(&rest, "\n"))) {
                struct lvm_row *longer;

                line += strspn(line, " ");
                if (!*line)
                        continue;
                longer = reallocarray(rows, n + 1, sizeof(*rows));
                if (!longer) {
                        r = -ENOMEM;
                        break;
                }
                rows = longer;
                rows[n] = (struct lvm_row){ 0 };
                r = row_parse(&rows[n++], line, n_fields);
        }
        if (r < 0) {
                lvm_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

static int run_one(struct lvm *l, char **ret_report, struct vss_error *reterr, const char *format,
                   va_list args) _printf_(4, 0);

static int run_one(struct lvm *l, char **ret_report, struct vss_error *reterr, const char *format,
                   va_list args) {
        _cleanup_(freep) char *command = NULL;

        if (vasprintf(&command, format, args) < 0) {
                command = NULL;
                return vss_error_from_errno(reterr, -ENOMEM, "cannot ask lvm");
        }
        return lvm_run(l, (char *[]){ command, NULL }, ret_report, reterr);
}

int lvm_tell(struct lvm *l, struct vss_error *reterr, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = run_one(l, NULL, reterr, format, args);
        va_end(args);
        return r;
}

int lvm_report_ask(struct lvm_report *ret, struct lvm *l, size_t n_fields, struct vss_error *reterr,
                   const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = run_one(l, &text, reterr, format, args);
        va_end(args);
        if (r < 0)
                return r;
        r = lvm_report_parse(text, n_fields, &ret->rows, &ret->n);
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

void lvm_report_done(struct lvm_report *r) {
        lvm_rows_free(r->rows, r->n);
        *r = (struct lvm_report){ 0 };
}

int lvm_number(const char *field, uint64_t *ret) {
        unsigned long long number;
        char *end;

        if (*field < '0' || *field > '9')
                return -EBADMSG;
        errno = 0;
        number = strtoull(field, &end, 10);
        if (errno != 0 || *end)
                return -EBADMSG;
        *ret = number;
        return 0;
}
