/* UTF-8: what is none is seen as such, byte by byte, and never read past. */

#include "common/utf8.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(valid_characters_decode_and_encode) {
        static const struct {
                const char *text;
                uint32_t character;
        } cases[] = {
                { "A", 'A' },
                { "\xC2\x80", 0x80 },
                { "\xC3\xA9", 0xE9 },
                { "\xE0\xA0\x80", 0x800 },
                { "\xE2\x82\xAC", 0x20AC },
                { "\xEF\xBF\xBD", 0xFFFD },
                { "\xF0\x90\x80\x80", 0x10000 },
                { "\xF4\x8F\xBF\xBF", 0x10FFFF },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                uint32_t character;
                char buf[4];
                size_t n = utf8_decode(cases[i].text, &character);

                ck_assert_uint_eq(n, strlen(cases[i].text));
                ck_assert_uint_eq(character, cases[i].character);
                ck_assert_uint_eq(utf8_encode(character, buf), n);
                ck_assert_mem_eq(buf, cases[i].text, n);
        }
}
END_TEST

START_TEST(invalid_bytes_are_replaced_one_by_one) {
        static const char *const cases[] = {
                "\x80",             /* a continuation byte alone */
                "\xC0\xAF",         /* overlong '/' */
                "\xC1\x81",         /* overlong 'A' */
                "\xE0\x9F\xBF",     /* overlong */
                "\xED\xA0\x80",     /* a surrogate */
                "\xF0\x8F\xBF\xBF", /* overlong */
                "\xF4\x90\x80\x80", /* above U+10FFFF */
                "\xF8\x88\x80\x80", /* five bytes */
                "\xFF",
                "\xC3", /* cut off by the end */
                "\xE2\x82",
                "\xF0\x90\x80",
                "\xE2\x41", /* 'A' is no continuation */
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                uint32_t character;

                ck_assert_uint_eq(utf8_decode(cases[i], &character), 1);
                ck_assert_uint_eq(character, UTF8_REPLACEMENT);
        }
}
END_TEST

START_TEST(cleaning_leaves_nothing_that_speaks_to_a_terminal) {
        char *clean = utf8_clean("a\033[2Jb\r\n\x7F\xC2\x9B\xE2\x80\xAE\xFFz");

        ck_assert_ptr_nonnull(clean);
        ck_assert_str_eq(clean, "a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
        free(clean);

        clean = utf8_clean("");
        ck_assert_str_eq(clean, "");
        free(clean);
}
END_TEST

int main(void) {
        Suite *s = suite_create("utf8");
        TCase *c = tcase_create("utf8");
        SRunner *runner;
        int failed;

        tcase_add_test(c, valid_characters_decode_and_encode);
        tcase_add_test(c, invalid_bytes_are_replaced_one_by_one);
        tcase_add_test(c, cleaning_leaves_nothing_that_speaks_to_a_terminal);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
