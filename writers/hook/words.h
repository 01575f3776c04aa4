#pragma once

/* A line as words, without a shell: blanks separate, '...' is literal, in "..." a backslash takes
 * the meaning from '"' and '\', outside from any character. Nothing is expanded. */

#include "common/util.h"

enum words_kind {
        WORDS_COMMAND, /* unquoted characters that a shell would act on are refused */
        WORDS_PATHS,   /* file specifications may have '*' and '?' */
};

/* 0; -EINVAL with *ret_error a static sentence; -ENOMEM. An empty line gives no words (NULL). */
int words_split(char ***ret, const char *line, enum words_kind kind, const char **ret_error);
