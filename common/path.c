/* See path.h. */

#include "common/path.h"
#include <string.h>

size_t path_length(const char *path, size_t n) {
        while (n > 1 && path[n - 1] == '/')
                n--;
        return n;
}

bool path_is_same(const char *a, const char *b) {
        size_t n = path_length(a, strlen(a));

        return n == path_length(b, strlen(b)) && memcmp(a, b, n) == 0;
}
