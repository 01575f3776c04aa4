/* What is kept with a set as text: the steps of its making and what each writer reached. What was
 * written is read again; what comes from writers can break neither; what is no such text is left
 * out. */

#include "daemon/store/set-steps.h"
#include "daemon/store/writer-reached.h"

#include "common/utf8.h"
#include "common/vss-id.h"

#include <check.h>
#include <stdio.h>

static char seen[8192];

static void see(void *userdata _unused_, const struct set_step *s) {
        (void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen),
                       "[%s|%s|%s|%s %llu-%llu 0x%x]", set_step_kind_to_string(s->kind), s->id,
                       s->name, s->step, (unsigned long long)s->begin_usec,
                       (unsigned long long)s->end_usec, (unsigned)s->failure);
}

static const char *parse(const char *text) {
        seen[0] = '\0';
        ck_assert_int_eq(set_steps_parse(text, see, NULL), 0);
        return seen;
}

static void add(struct set_steps *s, enum set_step_kind kind, const char *id, const char *name,
                const char *step, uint64_t begin, uint64_t end, HRESULT failure) {
        set_steps_add(s, &(const struct set_step){ .kind = kind,
                                                   .id = id,
                                                   .name = name,
                                                   .step = step,
                                                   .begin_usec = begin,
                                                   .end_usec = end,
                                                   .failure = failure });
}

START_TEST(steps_are_read_as_they_were_written) {
        static const char expected[] = "[provider|lvm-thick|lvm-thick|Stage 10-200 0x0]"
                                       "[writer|id-1|Mail store|Freeze 210-220 0x800423f3]"
                                       "[writer|id-1|Mail store|Thaw 300-310 0x0]"
                                       "[volume|id-2|/srv/|Suspend 250-260 0x0]"
                                       "[window|||Suspend 250-260 0x0]";
        _cleanup_(set_steps_freep) struct set_steps *s = NULL;
        _cleanup_(freep) char *text = NULL;

        ck_assert_int_eq(set_steps_new(&s, 1000), 0);
        add(s, SET_STEP_PROVIDER, "lvm-thick", "lvm-thick", "Stage", 1010, 1200, S_OK);
        add(s, SET_STEP_WRITER, "id-1", "Mail store", "Freeze", 1210, 1220,
            VSS_E_WRITERERROR_RETRYABLE);
        add(s, SET_STEP_VOLUME, "id-2", "/srv/", "Suspend", 1250, 1260, S_OK);
        add(s, SET_STEP_WRITER, "id-1", "Mail store", "Thaw", 1300, 1310, S_OK);
        add(s, SET_STEP_WINDOW, NULL, NULL, "Suspend", 1250, 1260, S_OK);
        ck_assert_int_eq(set_steps_print(s, &text), 0);
        ck_assert_str_eq(parse(text), expected);
        seen[0] = '\0';
        set_steps_for_each(s, see, NULL);
        ck_assert_str_eq(seen, expected);
        ck_assert_ptr_eq(strstr(text, "1\n"), text);
}
END_TEST

START_TEST(what_did_not_happen_is_no_step) {
        _cleanup_(set_steps_freep) struct set_steps *s = NULL;

        ck_assert_int_eq(set_steps_new(&s, 1000), 0);
        add(s, SET_STEP_WRITER, "a", "a", "Freeze", 0, 0, S_OK);       /* was not asked */
        add(s, SET_STEP_WRITER, "a", "a", "Freeze", 1200, 0, S_OK);    /* has not answered */
        add(s, SET_STEP_WRITER, "a", "a", "Freeze", 900, 950, S_OK);   /* of an earlier set */
        add(s, SET_STEP_WRITER, "a", "a", "Freeze", 1200, 1100, S_OK); /* makes no sense */
        seen[0] = '\0';
        set_steps_for_each(s, see, NULL);
        ck_assert_str_eq(seen, "");
}
END_TEST

START_TEST(names_cannot_break_the_text) {
        _cleanup_(set_steps_freep) struct set_steps *s = NULL;
        _cleanup_(freep) char *text = NULL;
        char name[1024];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        memcpy(name, "a\n\tb\tc\x1b[2J\xff", 11);
        memcpy(name + 117, "\xc3\xa4", 2); /* with what was replaced at the limit: not cut in two */
        ck_assert_int_eq(set_steps_new(&s, 1), 0);
        add(s, SET_STEP_WRITER, "i", name, "Freeze", 2, 3, S_OK);
        ck_assert_int_eq(set_steps_print(s, &text), 0);
        ck_assert_ptr_nonnull(strstr(parse(text), "|a\xef\xbf\xbd\xef\xbf\xbd"
                                                  "b\xef\xbf\xbd"
                                                  "c\xef\xbf\xbd[2J\xef\xbf\xbd"));
        ck_assert_ptr_nonnull(strstr(seen, "x|Freeze 1-2 0x0]"));
        ck_assert_uint_lt(strlen(seen), 200);
        for (const char *c = seen; *c; c++)
                ck_assert((unsigned char)*c >= ' ');
}
END_TEST

START_TEST(there_are_not_more_than_somebody_looks_at) {
        _cleanup_(set_steps_freep) struct set_steps *s = NULL;
        _cleanup_(freep) char *text = NULL;
        unsigned lines = 0;

        ck_assert_int_eq(set_steps_new(&s, 1), 0);
        for (unsigned i = 0; i < 2000; i++)
                for (unsigned k = 0; k < (i == 0 ? 100 : 1); k++) {
                        char id[16];

                        (void)snprintf(id, sizeof(id), "%u", i);
                        add(s, SET_STEP_WRITER, id, id, "Freeze", 2, 3, S_OK);
                }
        ck_assert_int_eq(set_steps_print(s, &text), 0);
        for (const char *c = text; *c; c++)
                lines += *c == '\n';
        ck_assert_uint_eq(lines, 1024 + 16 + 1023);
}
END_TEST

static const struct {
        const char *text, *expected;
} rows[] = {
        { NULL, "" },
        { "", "" },
        { "2\nwriter\ta\tb\n\tFreeze\t1\t2", "" }, /* of a later version */
        { "1\n\tFreeze\t1\t2", "" },               /* nobody's */
        { "1\nfriend\ta\tb\n\tFreeze\t1\t2", "" }, /* of no kind that is known */
        { "1\nwriter\ta\n\tFreeze\t1\t2", "" },    /* without a name */
        { "1\nwriter\ta\tb\n\tFreeze\t2\t1", "" }, /* ends before it begins */
        { "1\nwriter\ta\tb\n\tFreeze\t1", "" },    /* does not end */
        { "1\nwriter\ta\tb\n\tFreeze\tx\t1", "" },
        { "1\nwriter\ta\tb\n\tFreeze\t1\t2x", "" },
        { "1\nwriter\ta\tb\n\tFreeze\t1\t2\tno", "" },
        { "1\nwriter\ta\tb\n\tx\n\tThaw\t1\t2\n", "[writer|a|b|Thaw 1-2 0x0]" },
        { "1\nwriter\ta\tb\n\tThaw\t1\t2\nwriter\n\tThaw\t3\t4", "[writer|a|b|Thaw 1-2 0x0]" },
};

START_TEST(what_is_no_step_is_left_out) {
        ck_assert_msg(streq(parse(rows[_i].text), rows[_i].expected), "row %d: %s", _i, seen);
}
END_TEST

static int see_writer(void *userdata _unused_, const struct writer_reached *w) {
        (void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "[%s|%s|%s|%d 0x%x",
                       w->name, w->consistency, w->reason, (int)w->state, (unsigned)w->failure);
        STRV_FOREACH (volume, w->volumes)
                (void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), " %s", *volume);
        strcat(seen, "]");
        return 0;
}

START_TEST(what_writers_reached_is_read_as_it_was_written) {
        char *volumes[] = { (char *)"/srv/", (char *)"/\tx/", NULL };
        const struct writer_reached writers[] = {
                { .class_id = { .Data1 = 1 },
                  .instance_id = { .Data1 = 2 },
                  .name = "Mail\nstore",
                  .consistency = "file-system",
                  .reason = "it failed\tbadly",
                  .state = VSS_WS_FAILED_AT_POST_SNAPSHOT,
                  .failure = VSS_E_WRITERERROR_RETRYABLE,
                  .volumes = volumes },
                { .name = "other", .consistency = "application", .state = VSS_WS_STABLE },
        };
        _cleanup_(freep) char *text = NULL;

        ck_assert_int_eq(writers_reached_print(writers, 2, &text), 0);
        seen[0] = '\0';
        ck_assert_int_eq(writers_reached_parse(text, see_writer, NULL), 0);
        ck_assert_str_eq(seen, "[Mail\xef\xbf\xbdstore|file-system|it failed\xef\xbf\xbd"
                               "badly|11 0x800423f3 /srv/ /\xef\xbf\xbdx/]"
                               "[other|application||1 0x0]");
        seen[0] = '\0';
        ck_assert_int_eq(
                writers_reached_parse("1\nx\n\nnonsense\ta\tb\tc\td\te\tf", see_writer, NULL), 0);
        ck_assert_int_eq(writers_reached_parse(NULL, see_writer, NULL), 0);
        ck_assert_int_eq(writers_reached_parse("2\nx", see_writer, NULL), 0);
        ck_assert_str_eq(seen, "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("set-texts");
        TCase *c = tcase_create("set-texts");
        SRunner *runner;
        int failed;

        tcase_add_test(c, steps_are_read_as_they_were_written);
        tcase_add_test(c, what_did_not_happen_is_no_step);
        tcase_add_test(c, names_cannot_break_the_text);
        tcase_add_test(c, there_are_not_more_than_somebody_looks_at);
        tcase_add_loop_test(c, what_is_no_step_is_left_out, 0, (int)ARRAY_SIZE(rows));
        tcase_add_test(c, what_writers_reached_is_read_as_it_was_written);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
