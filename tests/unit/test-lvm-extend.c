/* What LVM says of where a volume's blocks are, and when a longer table may take the place of the
 * live one. */

#include "daemon/providers/lvm-extend.h"
#include "daemon/providers/lvm-segments.h"

#include <check.h>
#include <stdio.h>

static void table_of(struct mapper_table *t, const char *const *lines) {
        for (; *lines; lines++) {
                char type[16], params[64];
                unsigned long long start, length;

                ck_assert_int_eq(
                        sscanf(*lines, "%llu %llu %15s %63[^\n]", &start, &length, type, params),
                        4);
                ck_assert_int_eq(mapper_table_add(t, start, length, type, params), 0);
        }
}

static const struct {
        const char *live[4], *longer[4];
        bool keeps;
} tables[] = {
        { { "0 8 linear 8:0 2048" }, { "0 16 linear 8:0 2048" }, true },
        { { "0 8 linear 8:0 2048" }, { "0 8 linear 8:0 2048" }, true },
        { { "0 8 linear 8:0 2048" }, { "0 8 linear 8:0 2048", "8 8 linear 8:16 0" }, true },
        { { "0 8 linear 8:0 2048", "8 8 linear 8:0 2056" },
          { "0 16 linear 8:0 2048", "16 4 linear 8:0 0" },
          true },
        { { "0 8 linear 8:0 2048" }, { "0 4 linear 8:0 2048" }, false },
        { { "0 8 linear 8:0 2048" }, { "0 16 linear 8:16 2048" }, false },
        { { "0 8 linear 8:0 2048" }, { "0 16 linear 8:0 2056" }, false },
        { { "0 8 linear 8:0 2048", "8 8 linear 8:0 4096" },
          { "0 32 linear 8:0 2048" },
          false }, /* the second piece is elsewhere */
        { { "0 8 mirror 8:0 2048" }, { "0 16 linear 8:0 2048" }, false },
        { { "0 8 linear 8:0 2048 x" }, { "0 16 linear 8:0 2048" }, false },
        { { NULL }, { "0 16 linear 8:0 2048" }, false },
};

START_TEST(a_longer_table_must_keep_what_is_there) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 }, longer = { 0 };

        table_of(&live, tables[_i].live);
        table_of(&longer, tables[_i].longer);
        ck_assert_int_eq(lvm_extend_keeps(&live, &longer), tables[_i].keeps);
}
END_TEST

START_TEST(segments_are_put_in_order) {
        _cleanup_(mapper_table_done) struct mapper_table t = { 0 };
        const char *rows[][LVM_SEGMENT_FIELDS] = {
                { "vg", "lv", "uuid", "8", "16", "2048", "10", "2", "8192", "4096", "5" },
                { "vg", "lv", "uuid", "8", "0", "2048", "3", "2", "0", "4096", "5" },
                { "vg", "lv", "uuid", "8", "0", "2048", "3", "x", "0", "4096", "5" },
        };

        ck_assert_int_eq(lvm_segments_add(&t, (char *const *)(uintptr_t)rows[0]), 0);
        ck_assert(!lvm_segments_sort(&t, 8192));
        ck_assert_int_eq(lvm_segments_add(&t, (char *const *)(uintptr_t)rows[1]), 0);
        ck_assert_int_eq(lvm_segments_add(&t, (char *const *)(uintptr_t)rows[2]), -EBADMSG);
        ck_assert(lvm_segments_sort(&t, 16384));
        ck_assert(!lvm_segments_sort(&t, 8192));
        ck_assert_str_eq(t.targets[0].params, "8:0 14336");
        ck_assert_str_eq(t.targets[1].params, "8:16 43008");
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-extend");
        TCase *t = tcase_create("lvm-extend");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(t, a_longer_table_must_keep_what_is_there, 0, ARRAY_SIZE(tables));
        tcase_add_test(t, segments_are_put_in_order);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed > 0;
}
