/* The table: aligned, cut to fit, and nothing in a cell can break out of it. */

#include "cli/output-table.h"

#include <check.h>
#include <locale.h>

static const struct table_column columns[] = {
        { .title = "NAME", .shrink = true },
        { .title = "SIZE", .right = true },
        { .title = "WHAT", .shrink = true },
};

static void add(struct table *t, const char *a, const char *b, const char *c) {
        ck_assert_int_eq(table_add(t, TABLE_ROW_PLAIN, (const char *const[]){ a, b, c }), 0);
}

static void expect(const struct table *t, const struct table_format *format, const char *text) {
        char *got = NULL;
        size_t size;
        FILE *stream = open_memstream(&got, &size);

        ck_assert_ptr_nonnull(stream);
        table_print(t, stream, format);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(got, text);
        free(got);
}

START_TEST(columns_are_aligned_and_lines_have_no_tail) {
        _cleanup_(table_freep) struct table *t = NULL;

        ck_assert_int_eq(table_new(&t, columns, ARRAY_SIZE(columns)), 0);
        add(t, "a", "1", "x");
        add(t, "longer", "1000000", "");
        add(t, NULL, NULL, "y");
        ck_assert_uint_eq(table_rows(t), 3);
        expect(t, &(struct table_format){ 0 },
               "NAME       SIZE  WHAT\n"
               "a             1  x\n"
               "longer  1000000  -\n"
               "-             -  y\n");
}
END_TEST

START_TEST(wide_columns_are_cut_to_the_terminal) {
        _cleanup_(table_freep) struct table *t = NULL;

        ck_assert_int_eq(table_new(&t, columns, ARRAY_SIZE(columns)), 0);
        add(t, "abcdefghijklmnopqrstuvwxyz", "12", "0123456789");
        expect(t, &(struct table_format){ .width = 30 },
               "NAME          SIZE  WHAT\n"
               "abcdefghi...    12  0123456789\n");
        expect(t, &(struct table_format){ .width = 30, .ellipsis = true },
               "NAME          SIZE  WHAT\n"
               "abcdefghijk\xE2\x80\xA6    12  0123456789\n");
}
END_TEST

START_TEST(what_cannot_shrink_is_left_whole) {
        _cleanup_(table_freep) struct table *t = NULL;

        ck_assert_int_eq(table_new(&t, columns, ARRAY_SIZE(columns)), 0);
        add(t, "abcdefghijkl", "123456789012345", "abcdefghijkl");
        expect(t, &(struct table_format){ .width = 10 },
               "NAME                 SIZE  WHAT\n"
               "abcde...  123456789012345  abcde...\n");
}
END_TEST

START_TEST(cells_cannot_break_the_table) {
        _cleanup_(table_freep) struct table *t = NULL;

        ck_assert_int_eq(table_new(&t, columns, ARRAY_SIZE(columns)), 0);
        add(t, "a\nb\033[31m", "\x80", "\t");
        expect(t, &(struct table_format){ .colour = true },
               "\033[1mNAME      SIZE  WHAT\033[0m\n"
               "a\xEF\xBF\xBD"
               "b\xEF\xBF\xBD[31m     \xEF\xBF\xBD  \xEF\xBF\xBD\n");
}
END_TEST

START_TEST(bad_rows_are_red_where_there_is_colour) {
        _cleanup_(table_freep) struct table *t = NULL;

        ck_assert_int_eq(table_new(&t, columns, ARRAY_SIZE(columns)), 0);
        ck_assert_int_eq(table_add(t, TABLE_ROW_BAD, (const char *const[]){ "a", "b", "c" }), 0);
        expect(t, &(struct table_format){ .colour = true },
               "\033[1mNAME  SIZE  WHAT\033[0m\n\033[31ma        b  c\033[0m\n");
        expect(t, &(struct table_format){ 0 }, "NAME  SIZE  WHAT\na        b  c\n");
}
END_TEST

START_TEST(wide_characters_take_their_places) {
        ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
        ck_assert_uint_eq(text_width("abc"), 3);
        ck_assert_uint_eq(text_width("\xC3\xA9"), 1);
        ck_assert_uint_eq(text_width("\xE6\xBC\xA2"), 2); /* a CJK character */
        ck_assert_uint_eq(text_width("e\xCC\x81"), 1);    /* a combining accent */
}
END_TEST

int main(void) {
        Suite *s = suite_create("output-table");
        TCase *c = tcase_create("output-table");
        SRunner *runner;
        int failed;

        tcase_add_test(c, columns_are_aligned_and_lines_have_no_tail);
        tcase_add_test(c, wide_columns_are_cut_to_the_terminal);
        tcase_add_test(c, what_cannot_shrink_is_left_whole);
        tcase_add_test(c, cells_cannot_break_the_table);
        tcase_add_test(c, bad_rows_are_red_where_there_is_colour);
        tcase_add_test(c, wide_characters_take_their_places);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
