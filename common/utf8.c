/* UTF-8, decoded with every check of RFC 3629, and the characters that are not for showing. */

#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

size_t utf8_decode(const char *s, uint32_t *ret) {
        const unsigned char *p = (const unsigned char *)s;
        uint32_t character, least;
        size_t n;

        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        } else if ((p[0] & 0xE0) == 0xC0) {
                character = p[0] & 0x1F;
                n = 2;
                least = 0x80;
        } else if ((p[0] & 0xF0) == 0xE0) {
                character = p[0] & 0x0F;
                n = 3;
                least = 0x800;
        } else if ((p[0] & 0xF8) == 0xF0) {
                character = p[0] & 0x07;
                n = 4;
                least = 0x10000;
        } else {
                *ret = UTF8_REPLACEMENT;
                return 1;
        }

        /* The NUL at the end is no continuation byte, so this never reads past it. */
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xC0) != 0x80) {
                        *ret = UTF8_REPLACEMENT;
                        return 1;
                }
                character = character << 6 | (p[i] & 0x3F);
        }

        if (character < least || character > 0x10FFFF ||
            (character >= 0xD800 && character <= 0xDFFF)) {
                *ret = UTF8_REPLACEMENT;
                return 1;
        }

        *ret = character;
        return n;
}

size_t utf8_encode(uint32_t character, char buf[static 4]) {
        unsigned char *p = (unsigned char *)buf;

        if (character < 0x80) {
                p[0] = (unsigned char)character;
                return 1;
        }
        if (character < 0x800) {
                p[0] = (unsigned char)(0xC0 | character >> 6);
                p[1] = (unsigned char)(0x80 | (character & 0x3F));
                return 2;
        }
        if (character < 0x10000) {
                p[0] = (unsigned char)(0xE0 | character >> 12);
                p[1] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
                p[2] = (unsigned char)(0x80 | (character & 0x3F));
                return 3;
        }
        p[0] = (unsigned char)(0xF0 | character >> 18);
        p[1] = (unsigned char)(0x80 | (character >> 12 & 0x3F));
        p[2] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
        p[3] = (unsigned char)(0x80 | (character & 0x3F));
        return 4;
}

bool utf8_is_control(uint32_t character) {
        return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
               (character >= 0x200E && character <= 0x200F) ||
               (character >= 0x2028 && character <= 0x202E) ||
               (character >= 0x2066 && character <= 0x2069);
}

char *utf8_clean(const char *s) {
        size_t length = 0;
        char *clean;

        /* A byte becomes three at most. */
        clean = malloc(strlen(s) * 3 + 1);
        if (!clean)
                return NULL;

        while (*s != '\0') {
                char buf[4];
                uint32_t character;
                size_t n;

                s += utf8_decode(s, &character);
                n = utf8_encode(utf8_is_control(character) ? UTF8_REPLACEMENT : character, buf);
                memcpy(clean + length, buf, n);
                length += n;
        }
        clean[length] = '\0';
        return clean;
}
