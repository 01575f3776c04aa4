/* Base64, with padding, in one line. */

#include "common/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(char **ret, const uint8_t *bytes, size_t n) {
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

int base64_decode(uint8_t **ret, size_t *ret_n, const char *text, size_t n) {
        _cleanup_(freep) uint8_t *bytes = malloc(n / 4 * 3 + 3);
        size_t n_digits = 0, n_padding = 0, n_bytes = 0;
        uint32_t group = 0;

        if (!bytes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *digit;

                if (strchr(" \t\r\n", text[i]) && text[i] != '\0')
                        continue;
                digit = text[i] == '=' || text[i] == '\0' ? NULL : strchr(digits, text[i]);
                n_padding += text[i] == '=';
                if ((!digit && text[i] != '=') || (digit && n_padding > 0) || n_padding > 2)
                        return -EINVAL;
                group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
                if (++n_digits % 4 == 0) {
                        bytes[n_bytes++] = (uint8_t)(group >> 16);
                        bytes[n_bytes++] = (uint8_t)(group >> 8);
                        bytes[n_bytes++] = (uint8_t)group;
                }
        }
        if (n_digits % 4 != 0 || n_padding > n_bytes)
                return -EINVAL;
        *ret_n = n_bytes - n_padding;
        *ret = TAKE_PTR(bytes);
        return 0;
}
