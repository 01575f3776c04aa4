/* The matcher: one point to come back to, so that it takes no more than the product of both
 * lengths. Names have at most 255 bytes, so that two specs that are much longer need not be told
 * apart. */

#include "libvssclient/files/wildcard.h"

#include "common/utf8.h"
#include "common/util.h"

bool wildcard_is_pattern(const char *spec) {
        return strpbrk(spec, "*?") != NULL;
}

bool wildcard_is_everything(const char *spec) {
        return streq(spec, "*") || streq(spec, "*.*");
}

static const char *next_character(const char *s) {
        uint32_t character;

        return s + utf8_decode(s, &character);
}

bool wildcard_match(const char *spec, const char *name) {
        const char *star = NULL, *resume = NULL; /* behind the last '*', and what it takes to */

        if (wildcard_is_everything(spec))
                return true;
        while (*name != '\0') {
                if (*spec == '*') {
                        star = ++spec;
                        resume = name;
                } else if (*spec == '?') {
                        spec++;
                        name = next_character(name);
                } else if (*spec == *name) {
                        spec++;
                        name++;
                } else if (star) {
                        spec = star;
                        name = resume = next_character(resume);
                } else
                        return false;
        }
        while (*spec == '*')
                spec++;
        return *spec == '\0';
}

#define SHARE_MAX 512 /* characters */

/* Where each character of spec begins, and the end; 0: there are too many. */
static size_t cut(const char *ret[static SHARE_MAX + 1], const char *spec) {
        size_t n = 0;

        if (wildcard_is_everything(spec))
                spec = "*";
        for (; *spec != '\0' && n < SHARE_MAX; spec = next_character(spec))
                ret[n++] = spec;
        ret[n] = spec;
        return *spec == '\0' ? n : 0;
}

static bool is_same(const char *a, const char *a_end, const char *b, const char *b_end) {
        return *a == '?' || *b == '?' ||
               (a_end - a == b_end - b && memcmp(a, b, (size_t)(a_end - a)) == 0);
}

bool wildcard_share(const char *a, const char *b) {
        const char *x[SHARE_MAX + 1], *y[SHARE_MAX + 1];
        bool row[SHARE_MAX + 1] = { false }; /* of y: do the rests from here on share a name? */
        size_t n, m;

        if (!wildcard_is_pattern(a))
                return wildcard_match(b, a);
        if (!wildcard_is_pattern(b))
                return wildcard_match(a, b);
        n = cut(x, a);
        m = cut(y, b);
        if (n == 0 || m == 0)
                return true;
        /* From both ends backwards, one character of a after the other. */
        for (size_t i = n + 1; i-- > 0;) {
                bool below = false; /* row[j + 1] of the rest of a that is one shorter */

                for (size_t j = m + 1; j-- > 0;) {
                        bool rest = row[j], here;

                        if (i == n && j == m)
                                here = true;
                        else if (i < n && *x[i] == '*')
                                here = rest || (j < m && row[j + 1]);
                        else if (j < m && *y[j] == '*')
                                here = row[j + 1] || (i < n && rest);
                        else
                                here = i < n && j < m && below &&
                                       is_same(x[i], x[i + 1], y[j], y[j + 1]);
                        below = rest;
                        row[j] = here;
                }
        }
        return row[0];
}
