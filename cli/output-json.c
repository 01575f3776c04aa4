/* JSON, written as it comes: nothing is kept but the depth. */

#include "cli/output-json.h"

#include "common/utf8.h"

#include <inttypes.h>

void json_init(struct json *j, FILE *stream) {
        *j = (struct json){ .stream = stream };
}

void json_done(struct json *j) {
        assert(j->depth == 0);
        fputc('\n', j->stream);
}

static void new_line(struct json *j) {
        fprintf(j->stream, "\n%*s", (int)j->depth * 2, "");
}

static void write_text(struct json *j, const char *s) {
        FILE *f = j->stream;

        fputc('"', f);
        while (*s != '\0') {
                char buf[4];
                uint32_t character;

                s += utf8_decode(s, &character);
                if (character == '"' || character == '\\')
                        fprintf(f, "\\%c", (char)character);
                else if (character == '\n')
                        fputs("\\n", f);
                else if (character == '\t')
                        fputs("\\t", f);
                else if (utf8_is_control(character)) /* so that `--json` on a terminal is safe */
                        fprintf(f, "\\u%04" PRIx32, character);
                else
                        fwrite(buf, 1, utf8_encode(character, buf), f);
        }
        fputc('"', f);
}

/* What stands before every value: the comma after its elder sibling, its place, its key. */
static void begin_value(struct json *j, const char *key) {
        if (j->depth == 0) {
                assert(!key);
                return;
        }

        if (j->filled[j->depth - 1])
                fputc(',', j->stream);
        j->filled[j->depth - 1] = true;
        new_line(j);
        if (key) {
                write_text(j, key);
                fputs(": ", j->stream);
        }
}

static void open_level(struct json *j, const char *key, char bracket) {
        begin_value(j, key);
        assert(j->depth < JSON_DEPTH_MAX);
        j->filled[j->depth++] = false;
        fputc(bracket, j->stream);
}

static void close_level(struct json *j, char bracket) {
        assert(j->depth > 0);
        j->depth--;
        if (j->filled[j->depth])
                new_line(j);
        fputc(bracket, j->stream);
}

void json_object_begin(struct json *j, const char *key) {
        open_level(j, key, '{');
}

void json_object_end(struct json *j) {
        close_level(j, '}');
}

void json_array_begin(struct json *j, const char *key) {
        open_level(j, key, '[');
}

void json_array_end(struct json *j) {
        close_level(j, ']');
}

void json_string(struct json *j, const char *key, const char *value) {
        if (!value) {
                json_null(j, key);
                return;
        }
        begin_value(j, key);
        write_text(j, value);
}

void json_string_or_null(struct json *j, const char *key, const char *value) {
        json_string(j, key, str_empty(value) ? NULL : value);
}

void json_int(struct json *j, const char *key, int64_t value) {
        begin_value(j, key);
        fprintf(j->stream, "%" PRId64, value);
}

void json_uint(struct json *j, const char *key, uint64_t value) {
        begin_value(j, key);
        fprintf(j->stream, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *key, bool value) {
        begin_value(j, key);
        fputs(value ? "true" : "false", j->stream);
}

void json_null(struct json *j, const char *key) {
        begin_value(j, key);
        fputs("null", j->stream);
}
