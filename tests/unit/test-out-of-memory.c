/* Each allocation of the common layer fails once, the first, the second, ...: the failure comes out
 * as such, outputs stay as they were, and nothing is left behind (which the sanitizers see). The
 * linker sends the layer's allocations here (--wrap); libxml2 is given them. */

#include "common/backup-document.h"
#include "common/base64.h"
#include "common/vss-error.h"
#include "common/wire-error.h"
#include "common/wire-rows.h"
#include "common/wire.h"
#include "common/writer-metadata.h"

#include <check.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <stdarg.h>
#include <stdio.h>

/* The n-th allocation from now fails; -1: none. */
static long countdown = -1;

static bool fails(void) {
        if (countdown < 0)
                return false;
        return countdown-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args) {
        return fails() ? -1 : __real_vasprintf(ret, format, args);
}

static void *xml_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

static void *xml_realloc(void *p, size_t n) {
        return fails() ? NULL : realloc(p, n);
}

/* libxml2 says each of these aloud. */
static void be_quiet(void *context, const char *format, ...) {
        (void)context;
        (void)format;
}

static char *xml_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

/* For steps: Check's own assertions allocate, through the same doors. */
static void require(bool true_here) {
        if (!true_here)
                abort();
}

/* libxml2 does not always say that memory ran out: it may find fault with the text, or do without.
 * Whatever it says is then whole: the steps compare. */
static bool in_parser;

/* Runs step(), which returns a negative errno, failing its first, its second, ... allocation until
 * it succeeds with none failed. At least `least` failures must have been possible. */
static void walk(int (*step)(struct vss_error *reterr), long least) {
        for (long n = 0;; n++) {
                struct vss_error e = { 0 };
                bool failed;
                int r;

                countdown = n;
                r = step(&e);
                failed = countdown == -1;
                countdown = -1;
                if (!failed) {
                        ck_assert_int_eq(r, 0);
                        ck_assert_int_eq(e.hr, S_OK);
                        ck_assert_int_ge(n, least);
                        return;
                }
                if (!in_parser || (r < 0 && e.hr != VSS_E_INVALID_XML_DOCUMENT)) {
                        ck_assert_msg(r == -ENOMEM, "allocation %ld: %d", n, r);
                        ck_assert_msg(e.hr == S_OK || e.hr == E_OUTOFMEMORY, "allocation %ld: 0x%x",
                                      n, (unsigned)e.hr);
                }
                vss_error_done(&e);
        }
}

static char word_a[] = "a", word_b[] = "b\xff";
static char *words[] = { word_a, word_b, NULL };

static int make_strings(struct vss_error *reterr) {
        _cleanup_(strv_freep) char **copy = NULL;
        _cleanup_(freep) char *s = NULL, *clean = NULL, *encoded = NULL;
        int r;

        (void)reterr;
        r = strv_copy(&copy, words);
        if (r >= 0)
                r = strv_append(&copy, "c");
        if (r >= 0)
                r = str_replace(&s, "x");
        if (r >= 0)
                r = wire_utf8(&clean, word_b);
        if (r >= 0)
                r = base64_encode(&encoded, (const uint8_t *)word_a, 1);
        return r;
}

START_TEST(strings) {
        walk(make_strings, 7);
}
END_TEST

static DBusMessage *message; /* built without failures, read with them */

static DBusMessageIter begin(void) {
        DBusMessageIter iter;

        message = dbus_message_new_method_call("a.b", "/a", "a.b", "M");
        dbus_message_iter_init_append(message, &iter);
        return iter;
}

static int read_details(struct vss_error *reterr) {
        struct wire_event_details details = { .context = 5 };
        DBusMessageIter iter;
        int r;

        require(dbus_message_iter_init(message, &iter));
        r = wire_read_dict(&iter, &wire_event_details_table, WIRE_UNKNOWN_REFUSED, "details",
                           &details, NULL, reterr);
        if (r < 0) {
                require(!details.volumes);
                require(!details.devices);
        }
        wire_clear(&wire_event_details_table, &details);
        return r;
}

START_TEST(dictionaries) {
        const struct wire_event_details details = { .volumes = words, .devices = words };
        DBusMessageIter iter = begin();

        ck_assert_int_eq(wire_append_dict(&iter, &wire_event_details_table, &details), 0);
        walk(read_details, 10);
        dbus_message_unref(message);
}
END_TEST

static int read_rows(struct vss_error *reterr) {
        DBusMessageIter iter;
        void *rows = NULL;
        size_t n = 0;
        int r;

        require(dbus_message_iter_init(message, &iter));
        r = wire_read_rows(&iter, &wire_volume_table, "volumes", sizeof(VSS_VOLUME_INFO), &rows, &n,
                           reterr);
        if (r < 0) {
                require(!rows);
                return r;
        }
        require(n == 9);
        wire_rows_free(&wire_volume_table, rows, n, sizeof(VSS_VOLUME_INFO));
        return r;
}

START_TEST(rows) {
        VSS_VOLUME_INFO volumes[9] = { 0 }; /* more than one growth of the array */
        DBusMessageIter iter = begin();

        for (size_t i = 0; i < ARRAY_SIZE(volumes); i++)
                volumes[i].name = volumes[i].reason = word_a;
        ck_assert_int_eq(wire_append_rows(&iter, &wire_volume_table, volumes, ARRAY_SIZE(volumes),
                                          sizeof(volumes[0])),
                         0);
        walk(read_rows, 20);
        dbus_message_unref(message);
}
END_TEST

static int read_ids(struct vss_error *reterr) {
        _cleanup_(freep) VSS_ID *ids = NULL;
        DBusMessageIter iter;
        size_t n;

        require(dbus_message_iter_init(message, &iter));
        return wire_read_ids(&iter, "ids", &ids, &n, reterr);
}

START_TEST(ids) {
        const VSS_ID two[2] = { { .Data1 = 1 }, { .Data1 = 2 } };
        DBusMessageIter iter = begin();

        ck_assert_int_eq(wire_append_ids(&iter, two, 2), 0);
        walk(read_ids, 4);
        dbus_message_unref(message);
}
END_TEST

static int make_document(struct vss_error *reterr) {
        static const uint8_t icon[] = { 1, 2 };
        const struct writer_metadata_identity identity = { .name = "w",
                                                           .instance_name = "i",
                                                           .usage = VSS_UT_OTHER };
        const struct writer_metadata_component component = { .type = VSS_CT_FILEGROUP,
                                                             .logical_path = "l",
                                                             .name = "c",
                                                             .icon = icon,
                                                             .icon_size = sizeof(icon) };
        const struct writer_metadata_files files = { .path = "/", .filespec = "*" };
        const struct writer_metadata_restore restore = { .method = VSS_RME_CUSTOM,
                                                         .writer_restore = VSS_WRE_ALWAYS };
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        _cleanup_(freep) char *xml = NULL;
        int r;

        r = writer_metadata_new(&m, &identity, reterr);
        if (r >= 0)
                r = writer_metadata_add_component(m, &component, reterr);
        if (r >= 0)
                r = writer_metadata_add(m, WRITER_METADATA_FILES, "l", "c", &files, reterr);
        if (r >= 0)
                r = writer_metadata_add(m, WRITER_METADATA_EXCLUDES, NULL, NULL, &files, reterr);
        if (r >= 0)
                r = writer_metadata_set_restore_method(m, &restore, reterr);
        if (r >= 0)
                r = writer_metadata_set_restore_method(m, &restore, reterr);
        if (r >= 0)
                r = writer_metadata_to_xml(m, &xml, reterr);
        return r;
}

START_TEST(documents) {
        walk(make_document, 12);
}
END_TEST

static char *metadata_text, *components_text; /* made without failures, read with them */

static int read_metadata(struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        _cleanup_(freep) char *xml = NULL;
        int r;

        r = writer_metadata_parse(&m, metadata_text, strlen(metadata_text), reterr);
        if (r >= 0)
                r = writer_metadata_to_xml(m, &xml, reterr);
        if (r >= 0)
                require(streq(xml, metadata_text));
        return r;
}

#define METADATA(odd)                                                                         \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\">"         \
        "<IDENTIFICATION writerId=\"00000001-0000-0000-0000-000000000000\""                   \
        " instanceId=\"00000002-0000-0000-0000-000000000000\" instanceName=\"i\""             \
        " friendlyName=\"w&amp;\" usage=\"OTHER\" dataSource=\"OTHER\" majorVersion=\"0\""    \
        " minorVersion=\"0\"/>"                                                               \
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"c\" restoreMetadata=\"no\""            \
        " notifyOnBackupComplete=\"no\" selectable=\"no\" selectableForRestore=\"no\""        \
        " componentFlags=\"0\" icon=\"AQI=\"" odd ">"                                         \
        "<FILE_LIST path=\"/\" filespec=\"*&#10;\" filespecBackupType=\"3855\"/>"             \
        "<DEPENDENCY writerId=\"00000003-0000-0000-0000-000000000000\" componentName=\"d\"/>" \
        "</FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>"

START_TEST(metadata_that_is_read) {
        static char known[] = METADATA(""), odd[] = METADATA(" odd=\"1\"");

        in_parser = true;
        metadata_text = known;
        walk(read_metadata, 30);
        metadata_text = odd;
        walk(read_metadata, 50);
}
END_TEST

static int make_components(struct vss_error *reterr) {
        const struct backup_writer_info writer = { .writer_id = { .Data1 = 1 },
                                                   .instance_name = "i" };
        const struct backup_component_key key = { .type = VSS_CT_DATABASE,
                                                  .logical_path = "l",
                                                  .name = "c" };
        const struct backup_entry entry = { .texts = { "/p", "f", "0:1" } };
        const struct backup_document_state state = { .backup_type = VSS_BT_FULL };
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        _cleanup_(freep) char *xml = NULL, *part = NULL;
        struct backup_component *c;
        size_t size;
        int r;

        r = backup_document_new(&d, reterr);
        if (r >= 0)
                r = backup_document_set_state(d, &state, reterr);
        if (r >= 0)
                r = backup_document_add(d, &writer, &key, &c, reterr);
        if (r >= 0)
                r = backup_component_set_text(c, BACKUP_TEXT_BACKUP_STAMP, "s", reterr);
        if (r >= 0)
                r = backup_component_set_text(c, BACKUP_TEXT_BACKUP_STAMP, "t", reterr);
        if (r >= 0)
                r = backup_component_set_text(c, BACKUP_TEXT_BACKUP_METADATA, "m", reterr);
        if (r >= 0)
                r = backup_component_add_entry(c, BACKUP_LIST_PARTIAL_FILE, &entry, reterr);
        if (r >= 0)
                r = backup_component_set_entry_text(c, BACKUP_LIST_PARTIAL_FILE, 0, 2, "/r",
                                                    reterr);
        if (r >= 0)
                r = backup_document_extract(d, &writer, false, &part, &size, reterr);
        if (r >= 0)
                r = backup_document_to_xml(d, &xml, &size, reterr);
        if (r >= 0) {
                require(streq(xml, part));
                require(!components_text || streq(xml, components_text));
        }
        if (r >= 0 && !components_text)
                components_text = TAKE_PTR(xml);
        return r;
}

static int read_components(struct vss_error *reterr) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        _cleanup_(freep) char *xml = NULL;
        size_t size;
        int r;

        r = backup_document_parse(&d, components_text, strlen(components_text), reterr);
        if (r >= 0)
                r = backup_document_to_xml(d, &xml, &size, reterr);
        if (r >= 0)
                require(streq(xml, components_text));
        return r;
}

START_TEST(backup_components) {
        walk(make_components, 100);
        in_parser = true;
        walk(read_components, 80);
        free(components_text);
        components_text = NULL;
}
END_TEST

START_TEST(an_error_without_memory_keeps_its_code) {
        struct vss_error e = { 0 };

        countdown = 0;
        ck_assert_int_eq(vss_error_set(&e, VSS_E_OBJECT_NOT_FOUND, 0, "no '%s'", "x"), -ENOENT);
        ck_assert_int_eq(e.hr, VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_null(e.message);
        ck_assert_int_eq(vss_error_prefix(&e, "prefix"), -ENOENT);
        vss_error_done(&e);
        (void)vss_error_set(&e, VSS_E_OBJECT_NOT_FOUND, 0, "no '%s'", "x");
        for (long n = 0; n < 2; n++) {
                countdown = n;
                ck_assert_int_eq(vss_error_prefix(&e, "prefix"), -ENOENT);
                ck_assert_str_eq(e.message, "no 'x'");
        }
        countdown = -1;
        vss_error_done(&e);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("out-of-memory");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        if (xmlMemSetup(free, xml_malloc, xml_realloc, xml_strdup) != 0)
                return EXIT_FAILURE;
        xmlInitParser();
        xmlSetGenericErrorFunc(NULL, be_quiet);
        tcase_add_test(tcase, strings);
        tcase_add_test(tcase, dictionaries);
        tcase_add_test(tcase, rows);
        tcase_add_test(tcase, ids);
        tcase_add_test(tcase, documents);
        tcase_add_test(tcase, metadata_that_is_read);
        tcase_add_test(tcase, backup_components);
        tcase_add_test(tcase, an_error_without_memory_keeps_its_code);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
