#pragma once

/* Who keeps a mounted file system busy, for messages: "rsync (1234), bash (77)", at most a few. */

/* NULL if nobody is found or memory is out. */
char *mount_users(const char *directory);
