/* See mount-word.h. Stateless. */

#include "daemon/adoption/mount-word.h"

#define OCTAL_DIGITS 3

static bool is_octal(const char *s) {
        for (size_t i = 0; i < OCTAL_DIGITS; i++)
                if (s[i] < '0' || s[i] > (i == 0 ? '3' : '7'))
                        return false;
        return true;
}

int mount_word_decode(char *word) {
        char *to = word;

        while (*word) {
                if (*word == '\\' && is_octal(word + 1)) {
                        int c = (word[1] - '0') * 64 + (word[2] - '0') * 8 + (word[3] - '0');

                        if (c == 0)
                                return -EINVAL;
                        *to++ = (char)c;
                        word += 1 + OCTAL_DIGITS;
                } else
                        *to++ = *word++;
        }
        *to = '\0';
        return 0;
}

static bool must_be_escaped(unsigned char c) {
        return c <= ' ' || c == '\\' || c == '#' || c == 0x7f;
}

int mount_word_encode(char **ret, const char *text) {
        char *out = malloc(strlen(text) * (1 + OCTAL_DIGITS) + 1), *to = out;

        if (!out)
                return -ENOMEM;
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if (must_be_escaped(c)) {
                        *to++ = '\\';
                        *to++ = (char)('0' + (c >> 6));
                        *to++ = (char)('0' + ((c >> 3) & 7));
                        *to++ = (char)('0' + (c & 7));
                } else
                        *to++ = *text;
        }
        *to = '\0';
        *ret = out;
        return 0;
}
