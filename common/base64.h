#pragma once

/* Base64 (RFC 4648, section 4) of a run of bytes: icons in documents. */

#include "common/util.h"

/* 0, -ENOMEM. */
int base64_encode(char **ret, const uint8_t *bytes, size_t n);
