/* Which components are in a backup: selectability, sets in sets, dependencies. */

#include "libvssclient/files/file-set.h"
#include "libvssclient/files/selection.h"

#include <check.h>
#include <stdio.h>

static const VSS_ID class_a = { .Data1 = 0xaaaaaaaa }, class_b = { .Data1 = 0xbbbbbbbb },
                    class_c = { .Data1 = 0xcccccccc };

struct component {
        const char *logical_path, *name;
        bool selectable;
};

static struct writer_metadata *writer(VSS_ID class, uint32_t instance,
                                      const struct component *components, size_t n) {
        struct writer_metadata *m;

        ck_assert_int_eq(writer_metadata_new(&m,
                                             &(const struct writer_metadata_identity){
                                                     .writer_id = class,
                                                     .instance_id = { .Data1 = instance },
                                                     .name = "A writer",
                                                     .usage = VSS_UT_USERDATA,
                                                     .source = VSS_ST_OTHER,
                                             },
                                             NULL),
                         0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(writer_metadata_add_component(
                                         m,
                                         &(const struct writer_metadata_component){
                                                 .type = VSS_CT_FILEGROUP,
                                                 .logical_path = components[i].logical_path,
                                                 .name = components[i].name,
                                                 .selectable = components[i].selectable,
                                         },
                                         NULL),
                                 0);
        return m;
}

static void depends(struct writer_metadata *m, const char *name, VSS_ID on, const char *on_path,
                    const char *on_name) {
        ck_assert_int_eq(writer_metadata_add_dependency(m, NULL, name,
                                                        &(const struct writer_metadata_dependency){
                                                                .writer_id = on,
                                                                .logical_path = on_path,
                                                                .name = on_name,
                                                        },
                                                        NULL),
                         0);
}

/* The specification's worked example. */
static const struct component example[] = {
        { NULL, "Executables", false },
        { "Executables", "ConfigFiles", false },
        { NULL, "LicenseInfo", false },
        { NULL, "writerData", true },
        { "writerData", "Set1", true },
        { "writerData\\Set1", "Jan", false },
        { NULL, "Usage", true },
        { "writerDat", "Other", true }, /* whole names: not below writerData */
};

#define WRITERS_MAX 4

/* "E" explicit, "i" implicit, "." not in; one letter per component, a blank between writers. */
static const char *picture(const struct selection *s) {
        static char text[256];
        char *end = text;

        for (size_t w = 0; w < WRITERS_MAX && selection_entry(s, w, 0); w++) {
                if (w > 0)
                        *end++ = ' ';
                for (size_t c = 0; selection_entry(s, w, c); c++) {
                        const struct selection_entry *e = selection_entry(s, w, c);

                        *end++ = e->reason == SELECTION_NONE ? '.' : e->is_explicit ? 'E' : 'i';
                }
        }
        *end = '\0';
        return text;
}

static const struct {
        const char *chosen[3]; /* full names */
        const char *want;
        HRESULT code; /* of the last choice */
} cases[] = {
        { { NULL }, "........", S_OK },
        { { "Usage" }, "EEE...E.", S_OK },
        { { "writerData" }, "EEEEii..", S_OK },
        { { "writerData\\Set1" }, "EEE.Ei..", S_OK },
        /* Never both, in whatever order they are chosen. */
        { { "writerData\\Set1", "writerData" }, "EEEEii..", S_OK },
        { { "writerData", "writerData\\Set1" }, "EEEEii..", S_OK },
        { { "Executables" }, "EEE.....", S_OK },
        { { "Executables\\ConfigFiles" }, "EEE.....", S_OK },
        { { "writerDat\\Other" }, "EEE....E", S_OK },
        { { "writerData\\Set1\\Jan" }, "........", E_INVALIDARG },
        { { "writerData\\Set2" }, "........", VSS_E_OBJECT_NOT_FOUND },
        { { "usage" }, "........", VSS_E_OBJECT_NOT_FOUND },
        { { "*" }, "EEEEiiEE", S_OK },
};

static int choose(struct selection *s, VSS_ID id, const char *full, struct vss_error *e) {
        char text[128];
        char *separator;

        if (streq(full, "*"))
                return selection_choose(s, id, NULL, NULL, e);
        (void)snprintf(text, sizeof(text), "%s", full);
        separator = strrchr(text, '\\');
        if (separator)
                *separator = '\0';
        return selection_choose(s, id, separator ? text : NULL, separator ? separator + 1 : text,
                                e);
}

START_TEST(each_choice_brings_what_belongs_to_it) {
        struct writer_metadata *m = writer(class_a, 1, example, ARRAY_SIZE(example));
        struct vss_error error = { 0 };
        struct selection *s;

        ck_assert_int_eq(selection_new(&s, (const struct writer_metadata *const[]){ m }, 1, NULL),
                         0);
        for (size_t i = 0; cases[_i].chosen[i]; i++)
                (void)choose(s, class_a, cases[_i].chosen[i], &error);
        ck_assert_int_eq(error.hr, cases[_i].code);
        vss_error_done(&error);
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        ck_assert_str_eq(picture(s), cases[_i].want);
        ck_assert_uint_eq(selection_n_missing(s), 0);

        /* Once. */
        ck_assert_int_lt(selection_complete(s, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_BAD_STATE);
        vss_error_done(&error);
        ck_assert_int_lt(choose(s, class_a, "Usage", &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_BAD_STATE);
        vss_error_done(&error);
        selection_free(s);
        writer_metadata_free(m);
}
END_TEST

START_TEST(each_knows_why_it_is_in) {
        struct writer_metadata *m = writer(class_a, 1, example, ARRAY_SIZE(example));
        const struct selection_entry *e;
        struct selection *s;

        ck_assert_int_eq(selection_new(&s, (const struct writer_metadata *const[]){ m }, 1, NULL),
                         0);
        ck_assert_int_eq(choose(s, class_a, "writerData", NULL), 0);
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        e = selection_entry(s, 0, 3);
        ck_assert_int_eq(e->reason, SELECTION_CHOSEN);
        e = selection_entry(s, 0, 1);
        ck_assert_int_eq(e->reason, SELECTION_MANDATORY);
        ck_assert_uint_eq(e->because.component, 3);
        ck_assert_uint_eq(e->carrier.component, 1);
        e = selection_entry(s, 0, 5); /* Jan: part of Set1, carried by writerData */
        ck_assert_int_eq(e->reason, SELECTION_SUBCOMPONENT);
        ck_assert_uint_eq(e->because.component, 4);
        ck_assert_uint_eq(e->carrier.component, 3);
        ck_assert_int_eq(selection_entry(s, 0, 6)->reason, SELECTION_NONE);
        ck_assert_ptr_null(selection_entry(s, 0, 8));
        ck_assert_ptr_null(selection_entry(s, 1, 0));
        selection_free(s);
        writer_metadata_free(m);
}
END_TEST

static const struct component database[] = {
        { NULL, "db", true },
        { NULL, "logs", true },
        { NULL, "always", false },
};

static const struct component store[] = {
        { NULL, "root", true },
        { "root", "part", false },
        { NULL, "base", false },
        { NULL, "unused", true },
};

START_TEST(dependencies_are_followed_through_writers) {
        struct writer_metadata *a = writer(class_a, 1, database, ARRAY_SIZE(database));
        struct writer_metadata *b = writer(class_b, 2, store, ARRAY_SIZE(store));
        struct writer_metadata *c = writer(class_c, 3, database, ARRAY_SIZE(database));
        const struct selection_missing *missing;
        struct selection *s;

        depends(a, "db", class_b, "root", "part"); /* a part: comes with root */
        depends(b, "base", class_c, NULL, "logs"); /* of one that is only mandatory */
        depends(c, "logs", class_a, NULL, "db");   /* in a circle */
        depends(c, "always", class_b, NULL, "gone");
        depends(c, "db", class_b, NULL, "gone too"); /* which is not in */
        depends(a, "always", class_b, "\\\\elsewhere\\root", "part");
        ck_assert_int_eq(
                selection_new(&s, (const struct writer_metadata *const[]){ a, b, c }, 3, NULL), 0);
        ck_assert_int_eq(choose(s, class_a, "db", NULL), 0);
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        ck_assert_str_eq(picture(s), "E.E EiE. .EE");
        ck_assert_int_eq(selection_entry(s, 1, 0)->reason, SELECTION_DEPENDENCY);
        ck_assert_uint_eq(selection_entry(s, 1, 0)->because.writer, 0);
        ck_assert_int_eq(selection_entry(s, 2, 1)->reason, SELECTION_DEPENDENCY);
        ck_assert_uint_eq(selection_entry(s, 2, 1)->because.writer, 1);

        ck_assert_uint_eq(selection_n_missing(s), 2);
        for (size_t i = 0; i < 2; i++) {
                missing = selection_missing(s, i);
                ck_assert_uint_eq(missing->because.component, 2);
                ck_assert_int_eq(missing->remote, missing->because.writer == 0);
                ck_assert_str_eq(missing->on.name, missing->remote ? "part" : "gone");
        }
        ck_assert_ptr_null(selection_missing(s, 2));
        selection_free(s);
        writer_metadata_free(a);
        writer_metadata_free(b);
        writer_metadata_free(c);
}
END_TEST

START_TEST(of_several_instances_the_one_that_has_it) {
        static const struct component other[] = { { NULL, "other", true } };
        struct writer_metadata *a = writer(class_a, 1, other, 1);
        struct writer_metadata *b = writer(class_a, 2, database, ARRAY_SIZE(database));
        struct selection *s;

        ck_assert_int_eq(
                selection_new(&s, (const struct writer_metadata *const[]){ a, b }, 2, NULL), 0);
        ck_assert_int_eq(choose(s, class_a, "logs", NULL), 0);
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        ck_assert_str_eq(picture(s), ". .EE");
        selection_free(s);

        ck_assert_int_eq(
                selection_new(&s, (const struct writer_metadata *const[]){ a, b }, 2, NULL), 0);
        ck_assert_int_eq(choose(s, (VSS_ID){ .Data1 = 2 }, "*", NULL), 0); /* by instance */
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        ck_assert_str_eq(picture(s), ". EEE");
        selection_free(s);
        writer_metadata_free(a);
        writer_metadata_free(b);
}
END_TEST

START_TEST(many_components_take_linear_time) {
        enum { N = 20000 };
        struct writer_metadata *m = writer(class_a, 1, NULL, 0);
        char path[64] = "", name[32];
        struct selection *s;
        size_t in = 0;

        for (int i = 0; i < N; i++) {
                (void)snprintf(name, sizeof(name), "c%d", i);
                ck_assert_int_eq(
                        writer_metadata_add_component(m,
                                                      &(const struct writer_metadata_component){
                                                              .type = VSS_CT_FILEGROUP,
                                                              .logical_path = path,
                                                              .name = name,
                                                              .selectable = true,
                                                      },
                                                      NULL),
                        0);
                if (i % 100 == 0)
                        (void)snprintf(path, sizeof(path), "c%d", i);
                if (i % 100 == 98)
                        path[0] = '\0';
        }
        ck_assert_int_eq(selection_new(&s, (const struct writer_metadata *const[]){ m }, 1, NULL),
                         0);
        ck_assert_int_eq(choose(s, class_a, "*", NULL), 0);
        ck_assert_int_eq(selection_complete(s, NULL), 0);
        for (size_t i = 0; i < N; i++)
                in += selection_entry(s, 0, i)->reason != SELECTION_NONE;
        ck_assert_uint_eq(in, N);
        selection_free(s);
        writer_metadata_free(m);
}
END_TEST

START_TEST(a_mask_says_in_which_backups_a_set_is) {
        static const struct {
                uint32_t schema;
                VSS_BACKUP_TYPE asked;
                uint32_t mask;
                bool in, copy;
        } masks[] = {
                { 0, VSS_BT_FULL, 0xf0f, true, true },
                { 0, VSS_BT_COPY, 0x001, true, false },
                { 0, VSS_BT_INCREMENTAL, 0x101, true, true }, /* not done: full */
                { VSS_BS_INCREMENTAL, VSS_BT_INCREMENTAL, 0x101, false, false },
                { VSS_BS_INCREMENTAL, VSS_BT_INCREMENTAL, 0x404, true, true },
                { VSS_BS_DIFFERENTIAL, VSS_BT_DIFFERENTIAL, 0x002, true, false },
                { VSS_BS_LOG, VSS_BT_LOG, 0x808, true, true },
                { VSS_BS_LOG, VSS_BT_LOG, 0xf07, false, true },
                { VSS_BS_LOG, VSS_BT_DIFFERENTIAL, 0x002, false, false },
                { 0, VSS_BT_OTHER, 0x101, true, true },
                { 0, VSS_BT_UNDEFINED, 0x00e, false, false },
        };
        const enum writer_metadata_list logs = WRITER_METADATA_DATABASE_LOG_FILES;

        for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
                VSS_BACKUP_TYPE type = file_set_backup_type(masks[i].schema, masks[i].asked);

                ck_assert_msg(file_set_is_in_backup(logs, masks[i].mask, type) == masks[i].in,
                              "%zu", i);
                ck_assert_msg(file_set_needs_copy(masks[i].mask, type) == masks[i].copy, "%zu", i);
        }
        /* In a log backup are logs alone, whatever the mask of other files says. */
        for (enum writer_metadata_list l = 0; l <= logs; l++)
                ck_assert(file_set_is_in_backup(l, 0xf0f, VSS_BT_LOG) == (l == logs));
}
END_TEST

START_TEST(a_set_that_cannot_be_used_is_refused) {
        static const struct writer_metadata_files bad[] = {
                { .path = "relative", .filespec = "*" },
                { .path = "", .filespec = "*" },
                { .path = "/srv/../etc", .filespec = "*" },
                { .path = "/srv/*", .filespec = "*" },
                { .path = "/srv", .filespec = "" },
                { .path = "/srv", .filespec = "a/b" },
                { .path = "/srv/${NOT_DEFINED}", .filespec = "*" },
                { .path = "C:\\Windows", .filespec = "*" },
                { .path = "/srv", .filespec = "*", .alternate_path = "relative" },
        };
        struct file_set set;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct vss_error error = { 0 };

                ck_assert_msg(file_set_init(&set, &bad[i], VSS_BT_FULL, &error) < 0, "%zu", i);
                ck_assert_int_eq(error.hr, E_INVALIDARG);
                ck_assert_ptr_nonnull(error.message);
                vss_error_done(&error);
        }
        ck_assert_int_eq(file_set_init(&set,
                                       &(const struct writer_metadata_files){
                                               .path = "%STATEDIR%//x/./",
                                               .filespec = "*",
                                       },
                                       VSS_BT_FULL, NULL),
                         0);
        ck_assert_str_eq(set.path, "/var/lib/x");
        ck_assert_str_eq(set.source, "/var/lib/x");
        file_set_done(&set);
}
END_TEST

int main(void) {
        Suite *s = suite_create("selection");
        TCase *c = tcase_create("selection");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 30);
        tcase_add_loop_test(c, each_choice_brings_what_belongs_to_it, 0, (int)ARRAY_SIZE(cases));
        tcase_add_test(c, each_knows_why_it_is_in);
        tcase_add_test(c, dependencies_are_followed_through_writers);
        tcase_add_test(c, of_several_instances_the_one_that_has_it);
        tcase_add_test(c, many_components_take_linear_time);
        tcase_add_test(c, a_mask_says_in_which_backups_a_set_is);
        tcase_add_test(c, a_set_that_cannot_be_used_is_refused);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
