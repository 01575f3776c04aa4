#pragma once

/* Writes one JSON document (RFC 8259) to a stream, indented by two blanks. The caller says what
 * comes; commas, indentation and escaping are this object's. Text that is not UTF-8 is made so:
 * each bad byte becomes U+FFFD, because volume names and messages come from elsewhere. */

#include "common/util.h"
#include <stdio.h>

#define JSON_DEPTH_MAX 16

struct json {
        FILE *stream;                /* borrowed */
        unsigned depth;              /* open objects and arrays */
        bool filled[JSON_DEPTH_MAX]; /* has the one at this depth a member already? */
};

void json_init(struct json *j, FILE *stream);
/* Closes the line. Asserts that everything that was opened was closed. */
void json_done(struct json *j);

/* key: NULL inside an array and for the outermost value. */
void json_object_begin(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array_begin(struct json *j, const char *key);
void json_array_end(struct json *j);
/* value NULL writes null. */
void json_string(struct json *j, const char *key, const char *value);
/* As json_string, but the empty string is null too: VSS knows no difference between them. */
void json_string_or_null(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
