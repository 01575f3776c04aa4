#pragma once

/* Ranges of a file: "offset:length" pairs, separated by commas, each number decimal or 0x...,
 * blanks allowed after commas. Or the path of a file that holds them, which
 * some write with "File=" before it. */

#include "common/vss-error.h"

/* Is text a list? */
bool range_list_is(const char *text);
/* Checks text: a list, or else the absolute path of a file; *ret: text without "File=". what names
 * it. E_INVALIDARG. */
int range_list_check(const char *text, const char *what, const char **ret,
                     struct vss_error *reterr);
/* As many ranges, each as long as its counterpart? Both are lists. */
bool range_lists_match(const char *a, const char *b);
