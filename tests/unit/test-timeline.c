/* The timeline: our steps follow each other, the last one is told apart by the service. */

#include "cli/timeline.h"

#include <check.h>

START_TEST(phases_follow_each_other) {
        struct timeline t;

        timeline_begin(&t);
        timeline_enter(&t, "gather");
        timeline_enter(&t, "add");
        timeline_enter(&t, "gather");
        ck_assert_uint_eq(t.n_phases, 3);
        timeline_end(&t);
        timeline_end(&t);

        for (size_t i = 0; i < t.n_phases; i++) {
                ck_assert_uint_le(t.phases[i].begin_usec, t.phases[i].end_usec);
                if (i > 0)
                        ck_assert_uint_le(t.phases[i - 1].end_usec, t.phases[i].begin_usec);
        }
        ck_assert_str_eq(t.phases[1].name, "add");
        timeline_done(&t);
        ck_assert_uint_eq(t.n_phases, 0);
}
END_TEST

START_TEST(the_services_phases_take_the_place_of_the_last) {
        char freeze[] = "Freeze", window[] = "Window";
        VSS_SET_PHASE phases[] = { { freeze, 10, 20 }, { window, 20, 90 } };
        VSS_SET_TIMELINE service = { .writes_held_usec = 70, .count = 2, .phases = phases };
        VSS_SET_TIMELINE nothing = { .writes_held_usec = 5 };
        struct timeline t;
        uint64_t begin;

        timeline_begin(&t);
        timeline_enter(&t, "gather");
        timeline_enter(&t, "snapshot");
        timeline_end(&t);
        begin = t.phases[1].begin_usec;
        timeline_expand(&t, &service);
        ck_assert_uint_eq(t.n_phases, 3);
        ck_assert_str_eq(t.phases[0].name, "gather");
        ck_assert_str_eq(t.phases[1].name, "Freeze");
        ck_assert_uint_eq(t.phases[1].begin_usec, begin + 10);
        ck_assert_str_eq(t.phases[2].name, "Window");
        ck_assert_uint_eq(t.phases[2].end_usec, begin + 90);
        ck_assert_uint_eq(t.writes_held_usec, 70);

        timeline_expand(&t, &nothing); /* a service that kept none */
        ck_assert_uint_eq(t.n_phases, 3);
        timeline_done(&t);

        timeline_expand(&t, &service); /* of a set that is only shown */
        ck_assert_uint_eq(t.n_phases, 2);
        ck_assert_uint_eq(t.phases[0].begin_usec, 10);
        timeline_done(&t);
}
END_TEST

START_TEST(rows_as_text_and_as_json) {
        char name[] = "freeze";
        struct timeline_phase phase = { .name = name, .begin_usec = 1500000, .end_usec = 1570000 };
        struct timeline t = { .phases = &phase, .n_phases = 1, .writes_held_usec = 4200 };
        struct json j;
        char *text = NULL;
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        timeline_print(&t, stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, "    1.500 s  freeze  70 ms\nWrites were held for 4.2 ms.\n");
        free(text);

        stream = open_memstream(&text, &size);
        json_init(&j, stream);
        json_object_begin(&j, NULL);
        timeline_json(&t, &j);
        json_object_end(&j);
        json_done(&j);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, "{\n  \"writes_held_usec\": 4200,\n  \"timeline\": [\n    {\n"
                               "      \"phase\": \"freeze\",\n      \"begin_usec\": 1500000,\n"
                               "      \"duration_usec\": 70000\n    }\n  ]\n}\n");
        free(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("timeline");
        TCase *c = tcase_create("timeline");
        SRunner *runner;
        int failed;

        tcase_add_test(c, phases_follow_each_other);
        tcase_add_test(c, the_services_phases_take_the_place_of_the_last);
        tcase_add_test(c, rows_as_text_and_as_json);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
