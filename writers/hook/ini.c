/* The reader: line by line in a buffer of its own, the first mistake ends it. */

#include "writers/hook/ini.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>

struct reader {
        char *section; /* owned; NULL before the first */
        ini_entry_fn fn;
        void *userdata;
        struct ini_error *error;
};

void ini_error_done(struct ini_error *e) {
        free(e->message);
        *e = (struct ini_error){ 0 };
}

int ini_error_set(struct ini_error *e, unsigned line, const char *format, ...) {
        va_list args;

        if (e->message)
                return -EINVAL;

        va_start(args, format);
        if (vasprintf(&e->message, format, args) < 0)
                e->message = NULL;
        va_end(args);
        e->line = line;
        return -EINVAL;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Cuts the blanks around s, in place. */
static char *trim(char *s) {
        size_t n;

        while (is_blank(*s))
                s++;
        n = strlen(s);
        while (n > 0 && is_blank(s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

/* Names of sections and keys: letters and digits, a letter first. */
static bool is_name(const char *s) {
        for (const char *c = s; *c != '\0'; c++) {
                bool letter = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z');

                if (!letter && (c == s || *c < '0' || *c > '9'))
                        return false;
        }
        return *s != '\0';
}

static int check_characters(const char *line, size_t length, unsigned number,
                            struct ini_error *reterr) {
        if (strlen(line) != length)
                return ini_error_set(reterr, number, "there is a NUL byte in the line");

        while (*line != '\0') {
                uint32_t character;
                size_t n = utf8_decode(line, &character);

                if (character == UTF8_REPLACEMENT && n == 1)
                        return ini_error_set(reterr, number, "the line is not UTF-8 text");
                if (utf8_is_control(character) && character != '\t')
                        return ini_error_set(reterr, number,
                                             "there is a control character (U+%04X) in the line",
                                             (unsigned)character);
                line += n;
        }
        return 0;
}

static int take_section(struct reader *r, char *line, unsigned number) {
        size_t n = strlen(line);
        int q;

        if (line[n - 1] != ']')
                return ini_error_set(r->error, number, "the section's ']' is missing");
        line[n - 1] = '\0';
        if (!is_name(line + 1))
                return ini_error_set(r->error, number, "'%s' is no section name", line + 1);

        q = str_replace(&r->section, line + 1);
        if (q < 0)
                return q;
        return r->fn(r->userdata, &(struct ini_entry){ .line = number, .section = r->section },
                     r->error);
}

static int take_line(struct reader *r, char *line, unsigned number) {
        char *equals, *key;

        line = trim(line);
        if (*line == '\0' || *line == '#' || *line == ';')
                return 0;
        if (*line == '[')
                return take_section(r, line, number);

        equals = strchr(line, '=');
        if (!equals)
                return ini_error_set(r->error, number,
                                     "neither a comment, nor a [Section], nor Key=Value");
        *equals = '\0';
        key = trim(line);
        if (!is_name(key))
                return ini_error_set(r->error, number, "'%s' is no name of a key", key);
        if (!r->section)
                return ini_error_set(r->error, number, "%s= stands before the first [Section]",
                                     key);

        return r->fn(r->userdata,
                     &(struct ini_entry){
                             .line = number,
                             .section = r->section,
                             .key = key,
                             .value = trim(equals + 1),
                     },
                     r->error);
}

int ini_parse(const char *text, size_t length, ini_entry_fn fn, void *userdata,
              struct ini_error *reterr) {
        struct reader reader = { .fn = fn, .userdata = userdata, .error = reterr };
        unsigned number = 0;
        int r = 0;

        if (length > INI_SIZE_MAX)
                return ini_error_set(reterr, 0, "the file is larger than %u bytes", INI_SIZE_MAX);

        for (size_t at = 0; at < length && r >= 0;) {
                const char *end = memchr(text + at, '\n', length - at);
                size_t n = end ? (size_t)(end - (text + at)) : length - at;
                char line[INI_LINE_MAX + 1];

                number++;
                if (n > INI_LINE_MAX) {
                        r = ini_error_set(reterr, number, "the line is longer than %u bytes",
                                          INI_LINE_MAX);
                        break;
                }
                memcpy(line, text + at, n);
                line[n] = '\0';
                r = check_characters(line, n, number, reterr);
                if (r >= 0)
                        r = take_line(&reader, line, number);
                at += n + 1;
        }

        free(reader.section);
        return r < 0 ? r : 0;
}
