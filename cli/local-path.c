/* What begins with a dot is looked up here. */

#include "cli/local-path.h"

#include "cli/exit-status.h"
#include "cli/message.h"

int local_path(char **ret, const char *word) {
        if (word[0] != '.') {
                *ret = strdup(word);
                return *ret ? 0 : -ENOMEM;
        }
        *ret = realpath(word, NULL);
        return *ret ? 0 : -errno;
}

int local_path_or_say(char **ret, const char *word) {
        int r = local_path(ret, word);

        if (r == -ENOMEM)
                return message_out_of_memory();
        if (r < 0) {
                message(MESSAGE_ERROR, "%s: %s", word, strerror(-r));
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

bool local_path_is_meant(const char *word) {
        return word[0] != '/' && word[0] != '.' && access(word, F_OK) == 0;
}
