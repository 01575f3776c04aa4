#pragma once

/* Text from elsewhere (volume names, writers' messages, device names) as UTF-8. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT UINT32_C(0xFFFD)

/* Decodes the character at s (not at its end) and returns how many bytes it takes, at least 1.
 * What is no UTF-8 (overlong forms, surrogates and values above U+10FFFF included) is
 * UTF8_REPLACEMENT of one byte. */
size_t utf8_decode(const char *s, uint32_t *ret);
/* Writes the character's bytes to buf and returns how many. */
size_t utf8_encode(uint32_t character, char buf[static 4]);
/* Would it move the cursor or change the terminal's state instead of showing something: control
 * characters, and those that reorder the text around them? */
bool utf8_is_control(uint32_t character);
/* s as text that can be shown and sent: a copy in which bad bytes and control characters are
 * U+FFFD. NULL: out of memory. */
char *utf8_clean(const char *s);
