/* The timeline: a phase lasts until the next, and seeing one twice is seeing it once. */

#include "cli/timeline.h"

#include <check.h>

START_TEST(phases_follow_each_other) {
        struct timeline t;

        timeline_begin(&t);
        timeline_enter(&t, "");
        timeline_enter(&t, NULL);
        ck_assert_uint_eq(t.n_phases, 0);
        timeline_enter(&t, "freeze");
        timeline_enter(&t, "freeze");
        timeline_enter(&t, "thaw");
        timeline_enter(&t, "freeze");
        ck_assert_uint_eq(t.n_phases, 3);
        timeline_end(&t);

        for (size_t i = 0; i < t.n_phases; i++) {
                ck_assert_uint_le(t.phases[i].begin_usec, t.phases[i].end_usec);
                if (i > 0)
                        ck_assert_uint_le(t.phases[i - 1].end_usec, t.phases[i].begin_usec);
        }
        ck_assert_str_eq(t.phases[1].name, "thaw");
        timeline_done(&t);
        ck_assert_uint_eq(t.n_phases, 0);
}
END_TEST

START_TEST(rows_as_text_and_as_json) {
        char name[] = "freeze";
        struct timeline_phase phase = { .name = name, .begin_usec = 1500000, .end_usec = 1570000 };
        struct timeline t = { .phases = &phase, .n_phases = 1 };
        struct json j;
        char *text = NULL;
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        timeline_print(&t, stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, "    1.500 s  freeze  70 ms\n");
        free(text);

        stream = open_memstream(&text, &size);
        json_init(&j, stream);
        timeline_json(&t, &j, NULL);
        json_done(&j);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, "[\n  {\n    \"phase\": \"freeze\",\n    \"begin_ms\": 1500,\n"
                               "    \"duration_ms\": 70\n  }\n]\n");
        free(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("timeline");
        TCase *c = tcase_create("timeline");
        SRunner *runner;
        int failed;

        tcase_add_test(c, phases_follow_each_other);
        tcase_add_test(c, rows_as_text_and_as_json);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
