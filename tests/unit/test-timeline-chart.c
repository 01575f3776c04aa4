/* The chart and the lines of a set's making: well-formed whatever the names are, a row for each
 * subject and a bar for each step, in the right place, and the same bytes each time. */

#include "cli/timeline-chart.h"
#include "cli/timeline-steps.h"
#include "common/util.h"

#include <check.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#define TEXT(s) ((char *)(uintptr_t)(s))
#define STEP(subject, id_text, whose, what, begin, end)                                \
        {                                                                              \
                .kind = TEXT(subject), .id = TEXT(id_text), .name = TEXT(whose),       \
                .step = TEXT(what), .begin_usec = (begin)*1000, .end_usec = (end)*1000 \
        }
#define HOSTILE "<b>&\"'\x1b[2J\xff\xef\xbf\xbf</svg>"

static VSS_SET_PHASE phases[] = {
        { TEXT("Stage"), 0, 6000000 },        { TEXT("Freeze"), 6000000, 6040000 },
        { TEXT("Window"), 6050000, 6130000 }, { TEXT("Thaw"), 6131000, 6140000 },
        { TEXT("Seal"), 6140000, 10000000 },
};
static VSS_SET_STEP steps[] = {
        STEP("provider", "lvm-thick", "lvm-thick", "Stage", 1, 5990),
        STEP("provider", "lvm-thick", "lvm-thick", "Seal", 6140, 9000),
        STEP("writer", "w1", HOSTILE, "Freeze", 6000, 6010),
        STEP("writer", "w1", HOSTILE, "Thaw", 6131, 6140),
        STEP("writer", "w2", "same name", "Freeze", 6011, 6040),
        STEP("writer", "w3", "same name", "Freeze", 6011, 6040),
        STEP("volume", "v1", "/srv/", "Suspend", 6051, 6100),
        STEP("volume", "v1", "/srv/", "Commit", 6120, 6121),
        STEP("volume", "v1", "/srv/", "Resume", 6122, 6128),
        STEP("volume", "v2", "/a/path/that/does/not/fit/into/the/margin/", "Suspend", 6051, 6119),
        STEP("volume", "v2", "/a/path/that/does/not/fit/into/the/margin/", "Resume", 6122, 6124),
        STEP("window", NULL, NULL, "Suspend", 6050, 6120),
        STEP("window", NULL, NULL, "Commit", 6120, 6122),
        STEP("window", NULL, NULL, "Resume", 6122, 6130),
};
static VSS_SET_TIMELINE timeline;

static void setup(void) {
        timeline = (VSS_SET_TIMELINE){ .writes_held_usec = 80000,
                                       .count = ARRAY_SIZE(phases),
                                       .phases = phases,
                                       .n_steps = ARRAY_SIZE(steps),
                                       .steps = steps };
        steps[5].failure = VSS_E_WRITERERROR_TIMEOUT;
}

static char *chart(const VSS_SET_TIMELINE *t, const char *title) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(timeline_chart_print(t, title, "of a test", f), 0);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

struct drawing {
        xmlDoc *document;
        xmlXPathContext *paths;
};

static void drawing_open(struct drawing *d, const char *text) {
        d->document = xmlReadMemory(text, (int)strlen(text), "chart.svg", NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR);
        ck_assert_msg(d->document, "this is not well-formed: %s", text);
        d->paths = xmlXPathNewContext(d->document);
        ck_assert_int_eq(xmlXPathRegisterNs(d->paths, (const xmlChar *)"s",
                                            (const xmlChar *)"http://www.w3.org/2000/svg"),
                         0);
}

static void drawing_close(struct drawing *d) {
        xmlXPathFreeContext(d->paths);
        xmlFreeDoc(d->document);
}

static double number(struct drawing *d, const char *expression) {
        xmlXPathObject *o = xmlXPathEvalExpression((const xmlChar *)expression, d->paths);
        double n;

        ck_assert_msg(o, "%s", expression);
        n = xmlXPathCastToNumber(o);
        xmlXPathFreeObject(o);
        return n;
}

static unsigned count(struct drawing *d, const char *nodes) {
        char expression[256];

        (void)snprintf(expression, sizeof(expression), "count(%s)", nodes);
        return (unsigned)number(d, expression);
}

START_TEST(every_subject_is_a_row_and_every_step_a_bar) {
        _cleanup_(freep) char *text = chart(&timeline, "A set");
        struct drawing d;

        drawing_open(&d, text);
        ck_assert_uint_eq(count(&d, "//s:g[@class='subject provider']"), 1);
        ck_assert_uint_eq(count(&d, "//s:g[@class='subject writer']"), 3);
        /* Once over the whole time, once in the window. */
        ck_assert_uint_eq(count(&d, "//s:g[@class='subject volume']"), 4);
        ck_assert_uint_eq(count(&d, "//s:rect[@class='phase']"), 5);
        ck_assert_uint_eq(count(&d, "//s:rect[@class='band']"), 5 + 3);
        ck_assert_uint_eq(count(&d, "//s:rect[@class='bar']"), 2 + 4 + 5 + 5);
        ck_assert_uint_eq(count(&d, "//s:rect[@class='bar'][not(s:title)]"), 0);
        /* Frozen, and held twice in each panel. */
        ck_assert_uint_eq(count(&d, "//s:rect[@class='between']"), 1 + 4);
        ck_assert_uint_eq(count(&d, "//s:rect[@class='bar'][@fill='#c00020']"), 1);
        ck_assert_uint_eq(count(&d, "//s:title[contains(., 'VSS_E_WRITERERROR_TIMEOUT')]"), 1);
        ck_assert_uint_eq(count(&d, "//s:line[@class='instant']"), 1);
        drawing_close(&d);
}
END_TEST

START_TEST(bars_lie_where_their_time_is) {
        _cleanup_(freep) char *text = chart(&timeline, "A set");
        double left, width, right;
        struct drawing d;

        drawing_open(&d, text);
        /* Ten seconds are the whole width; Seal has the last 38.6 % of it. */
        left = number(&d, "//s:rect[@class='phase'][1]/@x");
        right = number(&d, "//s:rect[@class='phase'][last()]/@x") +
                number(&d, "//s:rect[@class='phase'][last()]/@width");
        width = right - left;
        ck_assert_double_eq_tol(number(&d, "//s:rect[@class='phase'][last()]/@width") / width,
                                0.386, 0.001);
        ck_assert_double_eq_tol(
                (number(&d, "//s:g[@class='subject provider']/s:rect[2]/@x") - left) / width, 0.614,
                0.001);
        /* Of what is tiny there, something is seen all the same. */
        ck_assert_double_ge(number(&d, "//s:g[@class='subject writer'][1]"
                                       "/s:rect[@class='bar'][1]/@width"),
                            1.5);
        /* In the window 80 ms are nearly the whole width. */
        ck_assert_double_eq_tol(
                number(&d, "//s:g[@class='subject volume'][3]/s:rect[@class='bar'][1]/@width") /
                        width,
                49.0 / 80 / 1.05, 0.005);
        /* Nothing is drawn outside. */
        ck_assert_uint_eq(count(&d, "//s:rect[@x + @width > 1200 or @x < 0]"), 0);
        ck_assert_uint_eq(count(&d, "//s:rect[@y + @height > /s:svg/@height]"), 0);
        drawing_close(&d);
}
END_TEST

START_TEST(names_are_text_and_never_markup) {
        _cleanup_(freep) char *text = chart(&timeline, HOSTILE);
        struct drawing d;

        drawing_open(&d, text);
        ck_assert_uint_eq(count(&d, "//s:b"), 0);
        ck_assert_uint_eq(count(&d, "//s:text[starts-with(., '<b>&')]"), 2);
        ck_assert_uint_eq(count(&d, "//s:text[@class='label'][starts-with(., '\xe2\x80\xa6')]"
                                    "[contains(., 'into/the/margin/')]"),
                          2);
        ck_assert_ptr_null(strchr(text, '\x1b'));
        drawing_close(&d);
}
END_TEST

START_TEST(the_same_set_is_the_same_chart) {
        _cleanup_(freep) char *once = chart(&timeline, "A set"), *twice = chart(&timeline, "A set");

        ck_assert_str_eq(once, twice);
}
END_TEST

/* Of a set of an earlier version, or of one that was over at once. */
START_TEST(little_is_drawn_of_little) {
        VSS_SET_PHASE one = { TEXT("Stage"), 0, 0 };
        const VSS_SET_TIMELINE rows[] = {
                { 0 },
                { .count = 1, .phases = &one },
                { .count = ARRAY_SIZE(phases), .phases = phases },
                { .n_steps = ARRAY_SIZE(steps), .steps = steps },
        };
        VSS_SET_STEP late =
                STEP("window", NULL, NULL, "Suspend", INT64_MAX / 1000 - 1, INT64_MAX / 1000);
        const VSS_SET_TIMELINE ages = { .n_steps = 1, .steps = &late };
        _cleanup_(freep) char *long_ago = chart(&ages, "A set");
        struct drawing d;

        drawing_open(&d, long_ago);
        drawing_close(&d);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *text = chart(&rows[i], "A set");

                drawing_open(&d, text);
                ck_assert_uint_eq(count(&d, "//s:rect[@class='phase']"), rows[i].count);
                drawing_close(&d);
        }
}
END_TEST

START_TEST(steps_stand_below_their_phase) {
        static const char expected[] =
                "    0.0000 s  Stage                                                         6.0 "
                "s\n"
                "    0.0010 s    provider lvm-thick                                          6.0 "
                "s\n"
                "    6.0000 s  Freeze                                                        40 "
                "ms\n"
                "    6.0000 s    writer <b>&\"'\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbf</svg>";
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_int_eq(timeline_steps_print(&timeline, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, "  failed: VSS_E_WRITERERROR_TIMEOUT\n"));
        ck_assert_ptr_nonnull(strstr(text, "    all volumes: Suspend  "));
        ck_assert_ptr_nonnull(strstr(text, "\nWrites were held for 80 ms.\n"));
        ck_assert_ptr_null(strchr(text, '\x1b'));
        free(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("timeline-chart");
        TCase *c = tcase_create("timeline-chart");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, NULL);
        tcase_add_test(c, every_subject_is_a_row_and_every_step_a_bar);
        tcase_add_test(c, bars_lie_where_their_time_is);
        tcase_add_test(c, names_are_text_and_never_markup);
        tcase_add_test(c, the_same_set_is_the_same_chart);
        tcase_add_test(c, little_is_drawn_of_little);
        tcase_add_test(c, steps_stand_below_their_phase);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
