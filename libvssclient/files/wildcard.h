#pragma once

/* File specs: one name, '*' any run, '?' one character, everything else
 * itself. Not fnmatch: brackets and backslashes are literal, a leading dot is nothing special, and
 * "*.*" is everything, as it is on Windows. */

#include <stdbool.h>

bool wildcard_is_pattern(const char *spec);
/* "*" or "*.*". */
bool wildcard_is_everything(const char *spec);
/* Bytes, case matters. A character for '?' is one of UTF-8, else a byte. */
bool wildcard_match(const char *spec, const char *name);
/* Is there a name that both match? True also if that is too long to find out. */
bool wildcard_share(const char *a, const char *b);
