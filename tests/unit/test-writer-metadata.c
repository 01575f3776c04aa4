/* The Writer Metadata Document: exactly this text for these calls, and refused calls leave it so.
 */

#include "common/base64.h"
#include "common/writer-metadata.h"
#include "common/xml-text.h"

#include <check.h>

#define CLASS_TEXT "0000000a-0000-0000-0100-000000000000"
#define INSTANCE_TEXT "0000000b-0000-0000-0200-000000000000"
#define HEAD                                                                          \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\">" \
        "<IDENTIFICATION writerId=\"" CLASS_TEXT "\" instanceId=\"" INSTANCE_TEXT "\""

static struct writer_metadata *new_document(void) {
        const struct writer_metadata_identity identity = {
                .writer_id = { .Data1 = 0xa, .Data4 = { 1 } },
                .instance_id = { .Data1 = 0xb, .Data4 = { 2 } },
                .name = "Test Writer",
                .usage = VSS_UT_USERDATA,
                .source = VSS_ST_OTHER,
                .major_version = 1,
        };
        struct writer_metadata *m = NULL;

        ck_assert_int_eq(writer_metadata_new(&m, &identity, NULL), 0);
        return m;
}

static void assert_xml(const struct writer_metadata *m, const char *expected) {
        _cleanup_(freep) char *xml = NULL;

        ck_assert_int_eq(writer_metadata_to_xml(m, &xml, NULL), 0);
        ck_assert_str_eq(xml, expected);
}

#define EMPTY_HEAD                                                                    \
        HEAD " friendlyName=\"Test Writer\" usage=\"USER_DATA\" dataSource=\"OTHER\"" \
             " majorVersion=\"1\" minorVersion=\"0\"/>"

START_TEST(a_writer_without_components_has_a_document) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();

        assert_xml(m, EMPTY_HEAD "<BACKUP_LOCATIONS/></WRITER_METADATA>");
}
END_TEST

START_TEST(components_files_and_restore_method_stand_in_their_order) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();
        const struct writer_metadata_component component = {
                .type = VSS_CT_FILEGROUP,
                .logical_path = "etc\\app",
                .name = "Settings & \"more\"",
                .caption = "two\nlines",
                .selectable = true,
                .flags = VSS_CF_BACKUP_RECOVERY,
        };
        const struct writer_metadata_files files = { .path = "/etc/app",
                                                     .filespec = "*.c?nf",
                                                     .recursive = true,
                                                     .alternate_path = "/mnt",
                                                     .backup_type_mask = 0xf0f };
        const struct writer_metadata_files exclude = { .path = "/etc/app", .filespec = "*~" };
        struct writer_metadata_restore restore = { .method = VSS_RME_RESTORE_IF_CAN_REPLACE,
                                                   .writer_restore = VSS_WRE_ALWAYS };

        ck_assert_int_eq(writer_metadata_add_component(m, &component, NULL), 0);
        ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_FILES, "etc\\app",
                                             "Settings & \"more\"", &files, NULL),
                         0);
        ck_assert_int_eq(
                writer_metadata_add(m, WRITER_METADATA_EXCLUDES, NULL, NULL, &exclude, NULL), 0);
        ck_assert_int_eq(writer_metadata_set_restore_method(m, &restore, NULL), 0);
        restore = (struct writer_metadata_restore){ .method = VSS_RME_STOP_RESTORE_START,
                                                    .service = "app.service",
                                                    .writer_restore = VSS_WRE_NEVER,
                                                    .reboot_required = true };
        ck_assert_int_eq(writer_metadata_set_restore_method(m, &restore, NULL), 0);
        assert_xml(m, EMPTY_HEAD
                   "<RESTORE_METHOD method=\"STOP_RESTORE_START\" service=\"app.service\""
                   " writerRestore=\"never\" rebootRequired=\"yes\"/>"
                   "<BACKUP_LOCATIONS>"
                   "<FILE_GROUP logicalPath=\"etc\\app\""
                   " componentName=\"Settings &amp; &quot;more&quot;\" caption=\"two&#10;lines\""
                   " restoreMetadata=\"no\" notifyOnBackupComplete=\"no\" selectable=\"yes\""
                   " selectableForRestore=\"no\" componentFlags=\"1\">"
                   "<FILE_LIST path=\"/etc/app\" filespec=\"*.c?nf\" recursive=\"yes\""
                   " alternatePath=\"/mnt\" filespecBackupType=\"3855\"/>"
                   "</FILE_GROUP>"
                   "<EXCLUDE_FILES path=\"/etc/app\" filespec=\"*~\" recursive=\"no\"/>"
                   "</BACKUP_LOCATIONS></WRITER_METADATA>");
}
END_TEST

START_TEST(the_same_name_twice_exists_already) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();
        struct writer_metadata_component c = { .type = VSS_CT_FILEGROUP, .name = "a" };
        struct vss_error e = { 0 };

        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
        c.logical_path = ""; /* the same as none */
        c.type = VSS_CT_DATABASE;
        ck_assert_int_eq(writer_metadata_add_component(m, &c, &e), -EEXIST);
        ck_assert_int_eq(e.hr, VSS_E_OBJECT_ALREADY_EXISTS);
        c.logical_path = "x";
        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
        vss_error_done(&e);
}
END_TEST

START_TEST(files_need_their_file_group) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();
        const struct writer_metadata_component database = { .type = VSS_CT_DATABASE, .name = "d" };
        const struct writer_metadata_files files = { .path = "/a", .filespec = "*" };
        struct vss_error e = { 0 };

        ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_FILES, NULL, "d", &files, &e),
                         -ENOENT);
        ck_assert_int_eq(e.hr, VSS_E_OBJECT_NOT_FOUND);
        vss_error_done(&e);
        ck_assert_int_eq(writer_metadata_add_component(m, &database, NULL), 0);
        ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_FILES, NULL, "d", &files, &e),
                         -EINVAL);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        vss_error_done(&e);
}
END_TEST

static void assert_component_refused(const struct writer_metadata_component *c) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();
        struct vss_error e = { 0 };

        ck_assert_int_eq(writer_metadata_add_component(m, c, &e), -EINVAL);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        vss_error_done(&e);
        assert_xml(m, EMPTY_HEAD "<BACKUP_LOCATIONS/></WRITER_METADATA>");
}

START_TEST(bad_components_are_refused) {
        static const uint8_t icon[] = { 1 };
        const struct writer_metadata_component cases[] = {
                { .type = VSS_CT_UNDEFINED, .name = "a" },
                { .type = (VSS_COMPONENT_TYPE)3, .name = "a" },
                { .type = VSS_CT_FILEGROUP },
                { .type = VSS_CT_FILEGROUP, .name = "" },
                { .type = VSS_CT_FILEGROUP, .name = "a\\b" },
                { .type = VSS_CT_FILEGROUP, .name = "a\x01" },
                { .type = VSS_CT_FILEGROUP, .name = "a\xff" },
                { .type = VSS_CT_FILEGROUP, .name = "a\xef\xbf\xbf" }, /* U+FFFF */
                { .type = VSS_CT_FILEGROUP, .name = "a", .caption = "\x1b[2J" },
                { .type = VSS_CT_FILEGROUP, .name = "a", .logical_path = "\\a" },
                { .type = VSS_CT_FILEGROUP, .name = "a", .logical_path = "a\\" },
                { .type = VSS_CT_FILEGROUP, .name = "a", .logical_path = "a\\\\b" },
                { .type = VSS_CT_FILEGROUP, .name = "a", .flags = 8 },
                { .type = VSS_CT_FILEGROUP, .name = "a", .icon = icon },
                { .type = VSS_CT_FILEGROUP, .name = "a", .icon_size = 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_component_refused(&cases[i]);
}
END_TEST

START_TEST(bad_file_sets_are_refused) {
        static const struct writer_metadata_files cases[] = {
                { .filespec = "*" },
                { .path = "", .filespec = "*" },
                { .path = "/a" },
                { .path = "/a", .filespec = "" },
                { .path = "/a*", .filespec = "*" },
                { .path = "/a", .filespec = "b/*" },
                { .path = "/a", .filespec = "*", .backup_type_mask = 0x10 },
                { .path = "/a\x02", .filespec = "*" },
        };
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct vss_error e = { 0 };

                ck_assert_int_eq(
                        writer_metadata_add(m, WRITER_METADATA_EXCLUDES, NULL, NULL, &cases[i], &e),
                        -EINVAL);
                ck_assert_int_eq(e.hr, E_INVALIDARG);
                vss_error_done(&e);
        }
        assert_xml(m, EMPTY_HEAD "<BACKUP_LOCATIONS/></WRITER_METADATA>");
}
END_TEST

START_TEST(bad_restore_methods_are_refused) {
        static const struct writer_metadata_restore cases[] = {
                { .method = VSS_RME_UNDEFINED, .writer_restore = VSS_WRE_NEVER },
                { .method = (VSS_RESTOREMETHOD_ENUM)9, .writer_restore = VSS_WRE_NEVER },
                { .method = VSS_RME_CUSTOM, .writer_restore = VSS_WRE_UNDEFINED },
                { .method = VSS_RME_CUSTOM, .writer_restore = (VSS_WRITERRESTORE_ENUM)4 },
                { .method = VSS_RME_STOP_RESTORE_START, .writer_restore = VSS_WRE_NEVER },
                { .method = VSS_RME_CUSTOM, .writer_restore = VSS_WRE_NEVER, .service = "a" },
        };
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = new_document();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct vss_error e = { 0 };

                ck_assert_int_eq(writer_metadata_set_restore_method(m, &cases[i], &e), -EINVAL);
                ck_assert_int_eq(e.hr, E_INVALIDARG);
                vss_error_done(&e);
        }
        assert_xml(m, EMPTY_HEAD "<BACKUP_LOCATIONS/></WRITER_METADATA>");
}
END_TEST

START_TEST(bad_identities_are_refused) {
        const struct writer_metadata_identity cases[] = {
                { .name = NULL, .usage = VSS_UT_OTHER },
                { .name = "", .usage = VSS_UT_OTHER },
                { .name = "a\xff", .usage = VSS_UT_OTHER },
                { .name = "a", .instance_name = "\x01", .usage = VSS_UT_OTHER },
                { .name = "a", .usage = (VSS_USAGE_TYPE)5 },
                { .name = "a", .source = (VSS_SOURCE_TYPE)4 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct writer_metadata *m = NULL;

                ck_assert_int_eq(writer_metadata_new(&m, &cases[i], NULL), -EINVAL);
                ck_assert_ptr_null(m);
        }
}
END_TEST

START_TEST(base64_is_that_of_the_standard) {
        static const char *const cases[][2] = {
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
                { "\xfb\xff\xbf", "+/+/" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(
                        base64_encode(&text, (const uint8_t *)cases[i][0], strlen(cases[i][0])), 0);
                ck_assert_str_eq(text, cases[i][1]);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("writer-metadata");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, a_writer_without_components_has_a_document);
        tcase_add_test(tcase, components_files_and_restore_method_stand_in_their_order);
        tcase_add_test(tcase, the_same_name_twice_exists_already);
        tcase_add_test(tcase, files_need_their_file_group);
        tcase_add_test(tcase, bad_components_are_refused);
        tcase_add_test(tcase, bad_file_sets_are_refused);
        tcase_add_test(tcase, bad_restore_methods_are_refused);
        tcase_add_test(tcase, bad_identities_are_refused);
        tcase_add_test(tcase, base64_is_that_of_the_standard);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
