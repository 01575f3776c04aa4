#pragma once

/* The words that a document has for the values of an enumeration. */

#include "common/util.h"

struct xml_tokens {
        const char *const *names; /* by value; NULL: has no word */
        size_t n;
};

#define XML_TOKENS(array) \
        { .names = (array), .n = ARRAY_SIZE(array) }

/* NULL: none. */
const char *xml_token(const struct xml_tokens *tokens, int64_t value);
/* -1: text (not 0-terminated) is none of them. */
int xml_token_find(const struct xml_tokens *tokens, const char *text, size_t size);

static inline const char *xml_yes_no(bool value) {
        return value ? "yes" : "no";
}

/* Decimal, digits only. -EINVAL. */
int xml_parse_mask(uint32_t *ret, const char *text, size_t size);
