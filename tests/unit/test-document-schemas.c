/* What is written is what the installed schemas describe, and they refuse what is broken. The
 * documents are made by chance, with a fixed seed: each calls what there is to call. What is made
 * comes back from its text, and prints equally. */

#include "common/backup-snapshots.h"
#include "common/writer-metadata.h"

#include <check.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>
#include <stdio.h>

#define METADATA_SCHEMA SCHEMA_DIR "/writer-metadata.xsd"
#define COMPONENTS_SCHEMA SCHEMA_DIR "/backup-components.xsd"

static xmlSchema *metadata_schema, *components_schema;

static void be_quiet(void *context, const char *format, ...) {
        (void)context;
        (void)format;
}

static xmlSchema *load(const char *path) {
        xmlSchemaParserCtxt *context = xmlSchemaNewParserCtxt(path);
        xmlSchema *schema = xmlSchemaParse(context);

        xmlSchemaFreeParserCtxt(context);
        ck_assert_msg(schema, "%s", path);
        return schema;
}

static void setup(void) {
        xmlSetGenericErrorFunc(NULL, be_quiet);
        metadata_schema = load(METADATA_SCHEMA);
        components_schema = load(COMPONENTS_SCHEMA);
}

static void teardown(void) {
        xmlSchemaFree(metadata_schema);
        xmlSchemaFree(components_schema);
        xmlSchemaCleanupTypes();
}

static bool validates(xmlSchema *schema, const char *text) {
        xmlDoc *tree = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                                     XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR);
        xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(schema);
        int r;

        ck_assert_msg(tree, "%s", text);
        xmlSchemaSetValidErrors(context, be_quiet, be_quiet, NULL);
        r = xmlSchemaValidateDoc(context, tree);
        ck_assert_int_ge(r, 0);
        xmlSchemaFreeValidCtxt(context);
        xmlFreeDoc(tree);
        return r == 0;
}

static uint32_t seed;

static uint32_t chance(uint32_t n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % n;
}

/* NULL, empty, plain, and what has to be escaped. */
static const char *any_text(void) {
        static const char *const texts[] = { NULL,       "",
                                             "plain",    "<&>\"'",
                                             "\n\r\t ",  "\xc3\xa4\xe2\x82\xac",
                                             "%A%\\b c", "\xf0\x9f\x92\xbe",
                                             "]]>" };

        return texts[chance(ARRAY_SIZE(texts))];
}

static const char *some_text(void) {
        const char *text = any_text();

        return str_empty(text) ? "x" : text;
}

static void add_files(struct writer_metadata *m, const char *logical_path, const char *name,
                      bool database) {
        for (unsigned k = chance(6); k > 0; k--) {
                const struct writer_metadata_files f = { .path = some_text(),
                                                         .filespec = "*.?",
                                                         .recursive = chance(2),
                                                         .alternate_path = some_text(),
                                                         .backup_type_mask = 0xf0f };
                enum writer_metadata_list list = chance(_WRITER_METADATA_LIST_MAX);

                if (database == (list == WRITER_METADATA_FILES))
                        list = WRITER_METADATA_EXCLUDES;
                if (!database && list < WRITER_METADATA_EXCLUDES)
                        list = WRITER_METADATA_FILES;
                ck_assert_int_eq(writer_metadata_add(m, list, logical_path, name, &f, NULL), 0);
        }
}

static struct writer_metadata *any_metadata(void) {
        static const uint8_t icon[] = { 1, 2, 3, 4, 5 };
        const struct writer_metadata_identity id = { .writer_id = { .Data1 = chance(99) },
                                                     .name = some_text(),
                                                     .instance_name = any_text(),
                                                     .usage = chance(5),
                                                     .source = chance(4),
                                                     .major_version = chance(9) };
        const struct writer_metadata_restore restore = {
                .method = VSS_RME_STOP_RESTORE_START,
                .service = some_text(),
                .user_procedure = any_text(),
                .writer_restore = 1 + chance(3),
                .reboot_required = chance(2),
        };
        struct writer_metadata *m = NULL;

        ck_assert_int_eq(writer_metadata_new(&m, &id, NULL), 0);
        ck_assert_int_eq(writer_metadata_set_schema(m, chance(2) * 0x371, NULL), 0);
        ck_assert_int_eq(writer_metadata_set_restore_method(m, &restore, NULL), 0);
        for (unsigned i = chance(5); i > 0; i--) {
                char name[16];
                struct writer_metadata_component c = { .type = 1 + chance(2),
                                                       .name = name,
                                                       .logical_path = chance(2) ? "l\\m" : NULL,
                                                       .caption = any_text(),
                                                       .selectable = chance(2),
                                                       .flags = chance(8) };
                const struct writer_metadata_dependency on = { .writer_id = { .Data1 = 1 },
                                                               .logical_path = any_text(),
                                                               .name = some_text() };

                (void)snprintf(name, sizeof(name), "c%u", i);
                if (chance(2)) {
                        c.icon = icon;
                        c.icon_size = 1 + chance(sizeof(icon));
                }
                ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
                add_files(m, c.logical_path, name, c.type == VSS_CT_DATABASE);
                if (chance(2))
                        ck_assert_int_eq(
                                writer_metadata_add_dependency(m, c.logical_path, name, &on, NULL),
                                0);
        }
        return m;
}

static char *print_metadata(const struct writer_metadata *m) {
        char *text = NULL;

        ck_assert_int_eq(writer_metadata_to_xml(m, &text, NULL), 0);
        return text;
}

START_TEST(metadata_validates) {
        for (seed = 1; seed < 2000; seed += 7) {
                uint32_t before = seed;
                _cleanup_(writer_metadata_freep) struct writer_metadata *m = any_metadata();
                _cleanup_(freep) char *text = print_metadata(m), *again = NULL;
                _cleanup_(writer_metadata_freep) struct writer_metadata *read = NULL;

                seed = before;
                ck_assert_msg(validates(metadata_schema, text), "%s", text);
                ck_assert_int_eq(writer_metadata_parse(&read, text, strlen(text), NULL), 0);
                again = print_metadata(read);
                ck_assert_str_eq(text, again);
        }
}
END_TEST

static void fill_component(struct backup_component *c) {
        static const int32_t numbers[] = { 2, 3, 3, VSS_E_WRITERERROR_TIMEOUT, -5 };
        _Static_assert(ARRAY_SIZE(numbers) == _BACKUP_NUMBER_MAX, "a value for each");

        for (enum backup_text what = 0; what < _BACKUP_TEXT_MAX; what++)
                if (what != BACKUP_TEXT_SELECTED_INSTANCE)
                        ck_assert_int_eq(backup_component_set_text(c, what, any_text(), NULL), 0);
        for (enum backup_flag what = 0; what < _BACKUP_FLAG_MAX; what++)
                if (chance(2))
                        ck_assert_int_eq(backup_component_set_flag(c, what, chance(2), NULL), 0);
        for (enum backup_number what = 0; what < _BACKUP_NUMBER_MAX; what++)
                if (chance(2))
                        ck_assert_int_eq(backup_component_set_number(c, what, numbers[what], NULL),
                                         0);
        for (unsigned i = chance(8); i > 0; i--) {
                const struct backup_entry entry = { .texts = { some_text(), some_text(), any_text(),
                                                               any_text(), any_text(), any_text() },
                                                    .flag = chance(2),
                                                    .time = (uint64_t)chance(99) << 56 };

                ck_assert_int_eq(
                        backup_component_add_entry(c, chance(_BACKUP_LIST_MAX), &entry, NULL), 0);
        }
}

static void describe_set(struct backup_document *d) {
        struct backup_snapshots set = { .set_id = { .Data1 = 5 },
                                        .context = VSS_CTX_NAS_ROLLBACK,
                                        .n = 1 + chance(3) };

        set.count = (LONG)set.n;
        for (unsigned i = 0; i < set.n; i++)
                set.items[i] = (struct backup_snapshot){ .id = { .Data1 = 1 + i },
                                                         .provider_id = { .Data1 = 7 },
                                                         .created = chance(99),
                                                         .mounted = chance(2),
                                                         .provider = some_text(),
                                                         .volume = some_text(),
                                                         .display = any_text(),
                                                         .fs_type = any_text(),
                                                         .storage = some_text() };
        ck_assert_int_eq(backup_document_set_snapshots(d, &set, NULL), 0);
}

static struct backup_document *any_components(void) {
        const struct backup_document_state state = { .select_components = chance(2),
                                                     .partial_files = chance(2),
                                                     .backup_type = chance(7),
                                                     .restore_type = chance(4),
                                                     .set_id = { .Data1 = chance(2) } };
        struct backup_document *d = NULL;

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        ck_assert_int_eq(backup_document_set_state(d, &state, NULL), 0);
        for (unsigned i = chance(6); i > 0; i--) {
                const struct backup_writer_info writer = { .instance_id = { .Data1 = chance(3) },
                                                           .writer_id = { .Data1 = 1 },
                                                           .instance_name = any_text(),
                                                           .schema = chance(9) };
                char name[16];
                const struct backup_component_key key = { .type = 1 + chance(2),
                                                          .logical_path = any_text(),
                                                          .name = name };
                struct backup_component *c = NULL;

                (void)snprintf(name, sizeof(name), "c%u", i);
                ck_assert_int_eq(backup_document_add(d, &writer, &key, &c, NULL), 0);
                fill_component(c);
        }
        if (chance(4) == 0)
                describe_set(d);
        return d;
}

START_TEST(components_validate) {
        for (seed = 1; seed < 2000; seed += 7) {
                uint32_t before = seed;
                _cleanup_(backup_document_freep) struct backup_document *d = any_components();
                _cleanup_(backup_document_freep) struct backup_document *read = NULL;
                _cleanup_(freep) char *text = NULL, *again = NULL;
                size_t size = 0;

                seed = before;
                ck_assert_int_eq(backup_document_to_xml(d, &text, &size, NULL), 0);
                ck_assert_msg(validates(components_schema, text), "%s", text);
                ck_assert_int_eq(backup_document_parse(&read, text, size, NULL), 0);
                ck_assert_int_eq(backup_document_to_xml(read, &again, &size, NULL), 0);
                ck_assert_str_eq(text, again);
        }
}
END_TEST

#define ID "00000001-0000-0000-0000-000000000000"
#define METADATA(identity, locations)                                                 \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\">" \
        "<IDENTIFICATION " identity "/><BACKUP_LOCATIONS>" locations                  \
        "</BACKUP_LOCATIONS></WRITER_METADATA>"
#define GOOD_IDENTITY "writerId=\"" ID "\" friendlyName=\"w\" usage=\"USER_DATA\""
#define COMPONENTS(rest)                                                                    \
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\">" rest \
        "</BACKUP_COMPONENTS>"
#define WRITER(rest) \
        COMPONENTS("<WRITER_COMPONENTS writerId=\"" ID "\">" rest "</WRITER_COMPONENTS>")

/* The shapes of real documents, and things that a later version may add. */
START_TEST(what_others_write_validates) {
        static const char *const metadata[] = {
                METADATA(GOOD_IDENTITY, ""),
                METADATA(GOOD_IDENTITY " new=\"1\"",
                         "<NEW a=\"b\">t</NEW><o:n xmlns:o=\"urn:o\"/>"),
                METADATA("writerId=\"{ABCDEF01-0000-0000-0000-000000000000}\" friendlyName=\"w\"",
                         "<FILE_GROUP componentName=\"c\" caption=\"\"><FILE_LIST path=\"p\" "
                         "filespec=\"f\"/><NEW/><ICON>AQI=</ICON></FILE_GROUP>"
                         "<EXCLUDE_FILES path=\"p\" filespec=\"f\" recursive=\"no\"/>"),
                "<?xml version=\"1.0\"?>\r\n<WRITER_METADATA "
                "xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">\r\n\t"
                "<IDENTIFICATION " GOOD_IDENTITY "/>\r\n<BACKUP_LOCATIONS/>\r\n"
                "<RESTORE_METHOD method=\"NEW_METHOD\" writerRestore=\"never\"/></WRITER_METADATA>",
        };
        static const char *const components[] = {
                COMPONENTS(""),
                COMPONENTS("<SNAPSHOT_SET_DESCRIPTION><x>y</x></SNAPSHOT_SET_DESCRIPTION>"),
                WRITER("<COMPONENT componentName=\"c\" componentType=\"filegroup\" new=\"1\">"
                       "<BACKUP_METADATA xmlns=\"\" metadata=\"m\"/><NEW/></COMPONENT>"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(metadata); i++)
                ck_assert_msg(validates(metadata_schema, metadata[i]), "%s", metadata[i]);
        for (size_t i = 0; i < ARRAY_SIZE(components); i++)
                ck_assert_msg(validates(components_schema, components[i]), "%s", components[i]);
}
END_TEST

START_TEST(what_is_broken_does_not_validate) {
        static const char *const metadata[] = {
                COMPONENTS(""),
                METADATA("", ""),
                METADATA("writerId=\"" ID "\"", ""),
                METADATA("friendlyName=\"w\"", ""),
                METADATA("writerId=\"x\" friendlyName=\"w\"", ""),
                METADATA("writerId=\"{" ID "\" friendlyName=\"w\"", ""),
                METADATA(GOOD_IDENTITY " majorVersion=\"-1\"", ""),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP/>"),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP componentName=\"\"/>"),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP componentName=\"c\" selectable=\"true\"/>"),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP componentName=\"c\" icon=\"???\"/>"),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP componentName=\"c\">text</FILE_GROUP>"),
                METADATA(GOOD_IDENTITY, "<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"p\" "
                                        "filespec=\"f\" filespecBackupType=\"x\"/></FILE_GROUP>"),
                METADATA(GOOD_IDENTITY, "<EXCLUDE_FILES filespec=\"f\"/>"),
                "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"2.0\">"
                "<IDENTIFICATION " GOOD_IDENTITY "/></WRITER_METADATA>",
                "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\"/>",
                "<WRITER_METADATA version=\"1.2\"/>",
        };
        static const char *const components[] = {
                METADATA(GOOD_IDENTITY, ""),
                COMPONENTS("<WRITER_COMPONENTS/>"),
                COMPONENTS("<WRITER_COMPONENTS writerId=\"x\"/>"),
                COMPONENTS("<SNAPSHOT_SET_DESCRIPTION context=\"-1\"/>"),
                COMPONENTS("<SNAPSHOT_SET_DESCRIPTION><SNAPSHOT_DESCRIPTION snapshotId=\"x\"/>"
                           "</SNAPSHOT_SET_DESCRIPTION>"),
                WRITER("<COMPONENT componentType=\"filegroup\"/>"),
                WRITER("<COMPONENT componentName=\"c\" backupSucceeded=\"1\"/>"),
                WRITER("<COMPONENT componentName=\"c\" hr=\"failed\"/>"),
                WRITER("<COMPONENT componentName=\"c\" selectedForRestoreInstanceId=\"x\"/>"),
                WRITER("<COMPONENT componentName=\"c\"><DIFFERENCED_FILES "
                       "lastModifyTime=\"today\"/></COMPONENT>"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(metadata); i++)
                ck_assert_msg(!validates(metadata_schema, metadata[i]), "%s", metadata[i]);
        for (size_t i = 0; i < ARRAY_SIZE(components); i++)
                ck_assert_msg(!validates(components_schema, components[i]), "%s", components[i]);
}
END_TEST

/* As a user checks: with the tool. */
static int run_xmllint(const char *schema, const char *text) {
        char command[1024], path[] = "/tmp/vss-schema-XXXXXX";
        int fd = mkstemp(path), r;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        (void)snprintf(command, sizeof(command),
                       "xmllint --nonet --noout --schema '%s' '%s' >/dev/null 2>&1", schema, path);
        r = system(command);
        (void)unlink(path); /* it is the test's own */
        return r;
}

START_TEST(xmllint_agrees) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = any_metadata();
        _cleanup_(backup_document_freep) struct backup_document *d = any_components();
        _cleanup_(freep) char *metadata = print_metadata(m), *components = NULL;
        size_t size;

        ck_assert_int_eq(backup_document_to_xml(d, &components, &size, NULL), 0);
        ck_assert_int_eq(run_xmllint(METADATA_SCHEMA, metadata), 0);
        ck_assert_int_eq(run_xmllint(COMPONENTS_SCHEMA, components), 0);
        ck_assert_int_ne(run_xmllint(METADATA_SCHEMA, components), 0);
        ck_assert_int_ne(run_xmllint(COMPONENTS_SCHEMA, metadata), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("document-schemas");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, metadata_validates);
        tcase_add_test(tcase, components_validate);
        tcase_add_test(tcase, what_others_write_validates);
        tcase_add_test(tcase, what_is_broken_does_not_validate);
        tcase_add_test(tcase, xmllint_agrees);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
