/* Names of files that are bytes, in documents. */

#include "common/path-escape.h"
#include "common/writer-metadata.h"

#include <check.h>

static const struct {
        const char *name, *shown, *escaped; /* shown NULL: it is UTF-8 */
} names[] = {
        { "/srv/data", NULL, NULL },
        { "/srv/100%", NULL, NULL },
        { "/srv/\xc3\xa4", NULL, NULL },
        { "", NULL, NULL },
        { "/srv/\xff", "/srv/\xef\xbf\xbd", "/srv/%FF" },
        { "\xc3", "\xef\xbf\xbd", "%C3" },
        { "100%\xe4\xc3\xa4", "100%\xef\xbf\xbd\xc3\xa4", "100%25%E4\xc3\xa4" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "%ED%A0%80" },
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "%C0%AF" },
        { "\xef\xbf\xbd\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd%FE" },
};

START_TEST(a_name_is_escaped_and_read_back) {
        _cleanup_(freep) char *shown = NULL, *escaped = NULL, *back = NULL;

        ck_assert(path_escape_is_needed(names[_i].name) == (names[_i].shown != NULL));
        if (!names[_i].shown)
                return;
        shown = path_escape_shown(names[_i].name);
        escaped = path_escape(names[_i].name);
        ck_assert_str_eq(shown, names[_i].shown);
        ck_assert_str_eq(escaped, names[_i].escaped);
        ck_assert_int_eq(path_unescape(shown, strlen(shown), escaped, strlen(escaped), &back), 1);
        ck_assert_str_eq(back, names[_i].name);
}
END_TEST

/* What somebody made up: the two say different things, or it is not how we write it. */
static const struct {
        const char *shown, *escaped;
} bad[] = {
        { "/srv", "/etc/%FF" },
        { "/srv/\xef\xbf\xbd", "/etc/%FF" },
        { "/srv/\xef\xbf\xbd", "/srv/%ff" },
        { "/srv/\xef\xbf\xbd", "/srv/%F" },
        { "/srv/\xef\xbf\xbd", "/srv/%" },
        { "/srv/\xef\xbf\xbd", "/srv/%GG" },
        { "/srv/\xef\xbf\xbd", "" },
        { "/srv/\xef\xbf\xbd", "%2Fsrv/%FF" },
        { "/srv/a", "/srv/%61" },
        { "/srv", "/srv" },
        { "/srv/\xef\xbf\xbd", "/srv/%FF%00" },
        { "/srv/\xef\xbf\xbd", "/srv/%FF/" },
};

START_TEST(what_does_not_belong_together_is_refused) {
        char *name = NULL;

        ck_assert_int_eq(path_unescape(bad[_i].shown, strlen(bad[_i].shown), bad[_i].escaped,
                                       strlen(bad[_i].escaped), &name),
                         0);
        ck_assert_ptr_null(name);
}
END_TEST

static struct writer_metadata *make(void) {
        struct writer_metadata *m;

        ck_assert_int_eq(writer_metadata_new(&m,
                                             &(const struct writer_metadata_identity){
                                                     .writer_id = { .Data1 = 1 },
                                                     .instance_id = { .Data1 = 2 },
                                                     .name = "Test",
                                                     .usage = VSS_UT_USERDATA,
                                                     .source = VSS_ST_OTHER,
                                             },
                                             NULL),
                         0);
        ck_assert_int_eq(writer_metadata_add_component(m,
                                                       &(const struct writer_metadata_component){
                                                               .type = VSS_CT_FILEGROUP,
                                                               .name = "c",
                                                       },
                                                       NULL),
                         0);
        return m;
}

static const struct writer_metadata_files bytes = {
        .path = "/srv/\xff%",
        .filespec = "*\xe4",
        .alternate_path = "/spit/\xfe",
        .backup_type_mask = 0xf0f,
};

static void expect(const struct writer_metadata *m, const char *path) {
        struct writer_metadata_files f;

        ck_assert(writer_metadata_get_files(m, WRITER_METADATA_FILES, 0, 0, &f));
        ck_assert_str_eq(f.path, path);
        ck_assert(writer_metadata_get_files(m, WRITER_METADATA_EXCLUDES, 0, 0, &f));
        ck_assert_str_eq(f.filespec, bytes.filespec);
}

START_TEST(metadata_keep_names_that_are_bytes) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = make(), *read = NULL;
        _cleanup_(freep) char *text = NULL, *again = NULL;
        struct writer_metadata_files f;

        ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_FILES, NULL, "c", &bytes, NULL), 0);
        ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_EXCLUDES, NULL, NULL, &bytes, NULL),
                         0);
        ck_assert_int_eq(writer_metadata_to_xml(m, &text, NULL), 0);
        ck_assert_ptr_nonnull(strstr(text, " path=\"/srv/\xef\xbf\xbd%\""));
        ck_assert_ptr_nonnull(strstr(text, " escapedPath=\"/srv/%FF%25\" escapedFilespec=\"*%E4\" "
                                           "escapedAlternatePath=\"/spit/%FE\"/>"));
        ck_assert_int_eq(writer_metadata_parse(&read, text, strlen(text), NULL), 0);
        expect(read, bytes.path);
        ck_assert(writer_metadata_get_files(read, WRITER_METADATA_FILES, 0, 0, &f));
        ck_assert_str_eq(f.alternate_path, bytes.alternate_path);
        ck_assert_int_eq(writer_metadata_to_xml(read, &again, NULL), 0);
        ck_assert_str_eq(again, text);

        /* An escape that is changed is kept, and not believed. */
        *strstr(text, "/srv/%FF") = '|';
        read = writer_metadata_free(read);
        free(TAKE_PTR(again));
        ck_assert_int_eq(writer_metadata_parse(&read, text, strlen(text), NULL), 0);
        expect(read, "/srv/\xef\xbf\xbd%");
        ck_assert_int_eq(writer_metadata_to_xml(read, &again, NULL), 0);
        ck_assert_str_eq(again, text);
}
END_TEST

START_TEST(what_no_document_holds_is_refused) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = make();
        struct writer_metadata_files f = bytes;
        struct vss_error error = { 0 };

        f.path = "/srv/\x01";
        ck_assert_int_lt(writer_metadata_add(m, WRITER_METADATA_FILES, NULL, "c", &f, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        vss_error_done(&error);
}
END_TEST

int main(void) {
        Suite *s = suite_create("path-escape");
        TCase *c = tcase_create("path-escape");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, a_name_is_escaped_and_read_back, 0, ARRAY_SIZE(names));
        tcase_add_loop_test(c, what_does_not_belong_together_is_refused, 0, ARRAY_SIZE(bad));
        tcase_add_test(c, metadata_keep_names_that_are_bytes);
        tcase_add_test(c, what_no_document_holds_is_refused);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
