/* String vectors and strings: small, total, -ENOMEM as the only failure. */

#include "common/util.h"
#include <stdarg.h>
#include <stdio.h>

char **strv_free(char **v) {
        if (v)
                for (char **s = v; *s; s++)
                        free(*s);
        free(v);
        return NULL;
}

size_t strv_length(char *const *v) {
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

bool strv_contains(char *const *v, const char *s) {
        STRV_FOREACH (i, v)
                if (streq(*i, s))
                        return true;
        return false;
}

int strv_append(char ***v, const char *s) {
        _cleanup_(freep) char *copy = strdup(s);
        size_t n = strv_length(*v);
        char **grown;

        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*v, n + 2, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        grown[n] = TAKE_PTR(copy);
        grown[n + 1] = NULL;
        *v = grown;
        return 0;
}

int strv_copy(char ***ret, char *const *v) {
        _cleanup_(strv_freep) char **copy = calloc(strv_length(v) + 1, sizeof(char *));

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; v && v[i]; i++) {
                copy[i] = strdup(v[i]);
                if (!copy[i])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

int str_replace(char **dst, const char *src) {
        char *copy = NULL;

        if (src) {
                copy = strdup(src);
                if (!copy)
                        return -ENOMEM;
        }
        free(*dst);
        *dst = copy;
        return 0;
}

int str_format(char **ret, const char *format, ...) {
        char *s;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&s, format, args);
        va_end(args);
        if (r < 0)
                return -ENOMEM;
        *ret = s;
        return 0;
}

bool str_has_word(const char *list, const char *separators, const char *word) {
        size_t length = strlen(word);

        for (const char *p = list; *p; p += strspn(p, separators)) {
                size_t n = strcspn(p, separators);

                if (n == length && memcmp(p, word, n) == 0)
                        return true;
                p += n;
        }
        return false;
}
