#pragma once

/* Who keeps a mounted file system busy, for messages: "rsync (1234), bash (77)", at most a few. */

#include <sys/types.h>

/* NULL if nobody is found or memory is out. */
char *mount_users(const char *directory);
/* Sends a signal to those of them that have the file system with that number open, or are in it,
 * but not to this process nor to the first. How many there were, of either kind: 0: nobody. */
unsigned mount_users_end(const char *directory, dev_t file_system, int signal);
