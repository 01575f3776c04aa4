/* One name has one escape: what is read is what would be written. */

#include "common/path-escape.h"

#include "common/utf8.h"

#define SHOWN "\xef\xbf\xbd" /* U+FFFD */

/* The length of the character that s begins with; 0: this byte is bad. */
static size_t character(const char *s) {
        uint32_t c;
        size_t n = utf8_decode(s, &c);

        return n == 1 && c == UTF8_REPLACEMENT ? 0 : n;
}

bool path_escape_is_needed(const char *s) {
        for (s = str_or_empty(s); *s != '\0';) {
                size_t n = character(s);

                if (n == 0)
                        return true;
                s += n;
        }
        return false;
}

char *path_escape_shown(const char *s) {
        char *text = malloc(strlen(s) * strlen(SHOWN) + 1), *end = text;

        while (text && *s != '\0') {
                size_t n = character(s);

                memcpy(end, n == 0 ? SHOWN : s, n == 0 ? strlen(SHOWN) : n);
                end += n == 0 ? strlen(SHOWN) : n;
                s += n == 0 ? 1 : n;
        }
        if (text)
                *end = '\0';
        return text;
}

char *path_escape(const char *s) {
        static const char digits[] = "0123456789ABCDEF";
        char *text = malloc(strlen(s) * 3 + 1), *end = text;

        while (text && *s != '\0') {
                size_t n = character(s);

                if (n == 0 || *s == '%') {
                        *end++ = '%';
                        *end++ = digits[(unsigned char)*s >> 4];
                        *end++ = digits[*s & 0xf];
                        s++;
                        continue;
                }
                memcpy(end, s, n);
                end += n;
                s += n;
        }
        if (text)
                *end = '\0';
        return text;
}

static int digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False: it is no escape. to: as long as s, 0-terminated. */
static bool decode(char *to, const char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int high = i + 2 < n ? digit(s[i + 1]) : -1;
                int low = high >= 0 ? digit(s[i + 2]) : -1;

                if (s[i] != '%') {
                        *to++ = s[i];
                        continue;
                }
                if (low < 0 || (high == 0 && low == 0))
                        return false;
                *to++ = (char)(high << 4 | low);
                i += 2;
        }
        *to = '\0';
        return true;
}

static bool is(const char *text, const char *other, size_t n) {
        return strlen(text) == n && memcmp(text, other, n) == 0;
}

int path_unescape(const char *shown, size_t n_shown, const char *escaped, size_t n_escaped,
                  char **ret) {
        _cleanup_(freep) char *name = malloc(n_escaped + 1), *again = NULL, *seen = NULL;

        if (!name)
                return -ENOMEM;
        if (!decode(name, escaped, n_escaped) || !path_escape_is_needed(name))
                return 0;
        again = path_escape(name);
        seen = path_escape_shown(name);
        if (!again || !seen)
                return -ENOMEM;
        if (!is(again, escaped, n_escaped) || !is(seen, shown, n_shown))
                return 0;
        *ret = TAKE_PTR(name);
        return 1;
}
