/* See fstab.h. */

#include "daemon/adoption/fstab.h"
#include "daemon/adoption/mount-word.h"
#include "daemon/adoption/whole-file.h"
#include <stdio.h>
#include <sys/stat.h>

#define FSTAB_MAX ((size_t)1024 * 1024)
#define ROWS_MAX 4096
#define BLANK " \t\r"

const char *fstab_path = "/etc/fstab";

static void row_done(struct fstab_row *row) {
        free(row->spec);
        free(row->target);
        free(row->options);
}

void fstab_done(struct fstab *f) {
        for (size_t i = 0; i < f->n; i++)
                row_done(&f->rows[i]);
        free(f->rows);
        free(f->text);
        *f = (struct fstab){ 0 };
}

/* The next field of a line that has no NUL, decoded. 0: it is empty. 1: there. */
static int take_field(const char **at, const char *end, char **ret) {
        const char *begin = *at;
        size_t length = 0;

        while (begin < end && strchr(BLANK, *begin))
                begin++;
        while (begin + length < end && !strchr(BLANK, begin[length]))
                length++;
        *at = begin + length;
        if (length == 0)
                return 0;
        *ret = strndup(begin, length);
        if (!*ret)
                return -ENOMEM;
        return mount_word_decode(*ret) < 0 ? -EINVAL : 1;
}

/* 1: a row. 0: something else. */
static int read_row(const struct fstab *f, const char *line, const char *end,
                    struct fstab_row *row) {
        _cleanup_(freep) char *type = NULL;
        const char *at = line;
        int r;

        if (memchr(line, '\0', (size_t)(end - line)))
                return 0;
        r = take_field(&at, end, &row->spec);
        if (r <= 0)
                return r == -ENOMEM ? r : 0;
        row->spec_length = (size_t)(at - line);
        for (row->spec_at = (size_t)(line - f->text); strchr(BLANK, f->text[row->spec_at]);
             row->spec_at++)
                row->spec_length--;
        if (f->text[row->spec_at] == '#')
                return 0;
        r = take_field(&at, end, &row->target);
        if (r > 0)
                r = take_field(&at, end, &type);
        if (r > 0) {
                r = take_field(&at, end, &row->options);
                if (r == 0)
                        r = str_replace(&row->options, "") < 0 ? -ENOMEM : 1;
        }
        if (r <= 0)
                return r == -ENOMEM ? r : 0;
        return row->target[0] == '/' && !streq(type, "swap");
}

static int add_row(struct fstab *f, const char *line, const char *end) {
        struct fstab_row row = { 0 }, *longer;
        int r;

        r = read_row(f, line, end, &row);
        if (r > 0 && f->n < ROWS_MAX) {
                longer = reallocarray(f->rows, f->n + 1, sizeof(*longer));
                if (longer) {
                        f->rows = longer;
                        f->rows[f->n++] = row;
                        return 0;
                }
                r = -ENOMEM;
        }
        row_done(&row);
        return r < 0 ? r : 0;
}

int fstab_read(struct fstab *ret, struct vss_error *reterr) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        const char *line;
        int r;

        r = whole_file_read(fstab_path, FSTAB_MAX, &f.text, &f.size, reterr);
        if (r < 0)
                return r;
        line = f.text;
        while (line < f.text + f.size) {
                const char *end = memchr(line, '\n', (size_t)(f.text + f.size - line));

                if (!end)
                        end = f.text + f.size;
                r = add_row(&f, line, end);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, fstab_path);
                line = end + 1;
        }
        *ret = f;
        f = (struct fstab){ 0 };
        return 0;
}

bool fstab_is_link(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

int fstab_spec_text(const struct fstab *f, const struct fstab_row *row, char **ret) {
        *ret = strndup(f->text + row->spec_at, row->spec_length);
        return *ret ? 0 : -ENOMEM;
}

int fstab_write(const struct fstab *f, const char *const *specs, struct vss_error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0, from = 0;
        FILE *out;
        int r;

        out = open_memstream(&text, &size);
        if (!out)
                return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
        for (size_t i = 0; i < f->n; i++) {
                const struct fstab_row *row = &f->rows[i];

                if (!specs[i])
                        continue;
                (void)fwrite(f->text + from, 1, row->spec_at - from, out);
                (void)fputs(specs[i], out);
                from = row->spec_at + row->spec_length;
        }
        (void)fwrite(f->text + from, 1, f->size - from, out);
        r = ferror(out) ? -ENOMEM : 0;
        if (fclose(out) != 0)
                r = -ENOMEM;
        return r < 0 ? vss_error_from_errno(reterr, r, fstab_path)
                     : whole_file_write(fstab_path, text, size, reterr);
}
