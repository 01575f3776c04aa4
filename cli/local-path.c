/* What begins with a dot is looked up here. */

#include "cli/local-path.h"

int local_path(char **ret, const char *word) {
        if (word[0] != '.') {
                *ret = strdup(word);
                return *ret ? 0 : -ENOMEM;
        }
        *ret = realpath(word, NULL);
        return *ret ? 0 : -errno;
}

bool local_path_is_meant(const char *word) {
        return word[0] != '/' && word[0] != '.' && access(word, F_OK) == 0;
}
