#pragma once

/* The texts in a set's row: a first line with the version of what follows, then a line for each
 * item, its fields separated by tabs. Fields come from writers and are cleaned and clipped as they
 * are written, so that they can hold neither separator. Only daemon/store includes this. */

#include "common/utf8.h"
#include "common/util.h"
#include <stdio.h>

#define SET_TEXT_VERSION "1"

/* At most max bytes of s. */
static inline void set_text_put(FILE *f, const char *s, size_t max) {
        char encoded[4];
        uint32_t character;
        size_t n;

        for (s = str_or_empty(s); *s != '\0'; s += n) {
                size_t k;

                n = utf8_decode(s, &character);
                k = utf8_encode(utf8_is_control(character) ? UTF8_REPLACEMENT : character, encoded);
                if (k > max)
                        break;
                max -= k;
                (void)fwrite(encoded, 1, k, f); /* who closes the stream looks */
        }
}

/* Ends a stream of open_memstream(): 0 or -ENOMEM, with nothing in *text. */
static inline int set_text_end(FILE *f, char **text) {
        bool failed = ferror(f);

        if (fclose(f) == 0 && !failed)
                return 0;
        free(*text);
        *text = NULL;
        return -ENOMEM;
}

/* A copy whose lines can be taken one after the other; *ret NULL: there is nothing, or of a version
 * that is not known. -ENOMEM */
static inline int set_text_open(const char *text, char **ret, char **lines) {
        *ret = NULL;
        if (!text)
                return 0;
        *ret = strdup(text);
        if (!*ret)
                return -ENOMEM;
        *lines = *ret;
        if (!streq(strsep(lines, "\n"), SET_TEXT_VERSION)) {
                free(*ret);
                *ret = NULL;
        }
        return 0;
}
