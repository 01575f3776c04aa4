/* Base64, with padding, in one line. */

#include "common/base64.h"

int base64_encode(char **ret, const uint8_t *bytes, size_t n) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789+/";
        char *text, *at;

        if (n / 3 > SIZE_MAX / 4 - 2)
                return -ENOMEM;
        text = at = malloc((n + 2) / 3 * 4 + 1);
        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < n; i += 3) {
                uint32_t group = (uint32_t)bytes[i] << 16;

                if (i + 1 < n)
                        group |= (uint32_t)bytes[i + 1] << 8;
                if (i + 2 < n)
                        group |= bytes[i + 2];
                *at++ = digits[group >> 18];
                *at++ = digits[group >> 12 & 63];
                *at++ = i + 1 < n ? digits[group >> 6 & 63] : '=';
                *at++ = i + 2 < n ? digits[group & 63] : '=';
        }
        *at = '\0';
        *ret = text;
        return 0;
}
