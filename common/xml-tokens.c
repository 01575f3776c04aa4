/* Words are compared as they are: the format's are case-sensitive. */

#include "common/xml-tokens.h"

const char *xml_token(const struct xml_tokens *tokens, int64_t value) {
        return value >= 0 && (uint64_t)value < tokens->n ? tokens->names[value] : NULL;
}

int xml_token_find(const struct xml_tokens *tokens, const char *text, size_t size) {
        for (size_t i = 0; i < tokens->n; i++)
                if (tokens->names[i] && strlen(tokens->names[i]) == size &&
                    memcmp(tokens->names[i], text, size) == 0)
                        return (int)i;
        return -1;
}

int xml_parse_mask(uint32_t *ret, const char *text, size_t size) {
        uint64_t value = 0;

        if (size == 0)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                value = value * 10 + (uint64_t)(text[i] - '0');
                if (value > UINT32_MAX)
                        return -EINVAL;
        }
        *ret = (uint32_t)value;
        return 0;
}
