/* The matcher: one point to come back to, so that it takes no more than the product of both
 * lengths. */

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
