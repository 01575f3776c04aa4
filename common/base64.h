#pragma once

/* Base64 (RFC 4648, section 4) of a run of bytes: icons in documents. */

#include "common/util.h"

/* 0, -ENOMEM. */
int base64_encode(char **ret, const uint8_t *bytes, size_t n);
/* Blanks between digits are skipped. -EINVAL, -ENOMEM. */
int base64_decode(uint8_t **ret, size_t *ret_n, const char *text, size_t n);
