#pragma once

/* The words of fstab(5): what would end one is written as a backslash and three octal digits. Ours
 * are written the same way. */

#include "common/util.h"

/* In place. -EINVAL: it would have a NUL. */
int mount_word_decode(char *word);
/* 0, -ENOMEM */
int mount_word_encode(char **ret, const char *text);
