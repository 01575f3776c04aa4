#pragma once

/* Names of files, which are bytes, in attributes of XML, which are characters.
 * A name in UTF-8 is its attribute's value. Of another the attribute shows what can be
 * shown, with U+FFFD for each bad byte, and a second attribute has all of it: each bad byte, and
 * '%', as "%" and two digits. */

#include "common/util.h"

/* Has it bytes that are no UTF-8? NULL: no. */
bool path_escape_is_needed(const char *s);
/* NULL: no memory. */
char *path_escape_shown(const char *s);
char *path_escape(const char *s);
/* The name. 1: in *ret; 0: the two do not belong together, or no name has them; -ENOMEM. Nothing
 * is 0-terminated. */
int path_unescape(const char *shown, size_t n_shown, const char *escaped, size_t n_escaped,
                  char **ret);
