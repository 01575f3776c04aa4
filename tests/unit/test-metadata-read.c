/* Reading Writer Metadata Documents: our own come back equal, those of other systems whole, and
 * hostile ones not at all. */

#include "common/vss-id.h"
#include "common/writer-metadata.h"

#include <check.h>
#include <stdio.h>
#include <time.h>

#define ID "writerId=\"E8132975-6F93-4464-A53E-1050253AE220\""
#define INSTANCE "instanceId=\"00000001-0000-0000-0000-000000000000\""
#define IDENTIFICATION                                                             \
        "<IDENTIFICATION " ID " " INSTANCE " friendlyName=\"System Writer\""       \
        " usage=\"BOOTABLE_SYSTEM_STATE\" dataSource=\"OTHER\" majorVersion=\"0\"" \
        " minorVersion=\"0\"/>"
#define ROOT "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\">"
#define DOCUMENT(locations) \
        ROOT IDENTIFICATION "<BACKUP_LOCATIONS>" locations "</BACKUP_LOCATIONS></WRITER_METADATA>"

static struct writer_metadata *parse_bytes(const char *text, size_t size) {
        struct writer_metadata *m = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(writer_metadata_parse(&m, text, size, &e) == 0, "%s: %.300s", e.message,
                      text);
        return m;
}

static struct writer_metadata *parse(const char *text) {
        return parse_bytes(text, strlen(text));
}

static char *print(const struct writer_metadata *m) {
        char *text = NULL;

        ck_assert_int_eq(writer_metadata_to_xml(m, &text, NULL), 0);
        return text;
}

static void assert_prints(const char *text, const char *expected) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse(text);
        _cleanup_(freep) char *printed = print(m);

        ck_assert_str_eq(printed, expected);
}

static void assert_refused(const char *text, size_t size, const char *why) {
        struct writer_metadata *m = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(writer_metadata_parse(&m, text, size, &e) < 0, "read: %.200s", text);
        ck_assert_msg(e.hr == VSS_E_INVALID_XML_DOCUMENT, "0x%x: %.200s", (unsigned)e.hr, text);
        ck_assert_ptr_null(m);
        ck_assert_ptr_nonnull(e.message);
        ck_assert_msg(!why || strstr(e.message, why), "'%s' does not say '%s'", e.message, why);
        vss_error_done(&e);
}

static struct writer_metadata *make_everything(void) {
        static const uint8_t icon[] = { 0, 1, 2, 255 };
        const struct writer_metadata_identity id = {
                .writer_id = { .Data1 = 7 },
                .instance_id = { .Data1 = 8 },
                .name = "W\xc3\xa4\xf0\x9f\x92\xbe <&>\"'",
                .instance_name = "i\n\r\t",
                .usage = VSS_UT_SYSTEMSERVICE,
                .source = VSS_ST_NONTRANSACTEDDB,
                .major_version = UINT32_MAX,
                .minor_version = 3,
        };
        const struct writer_metadata_component components[] = {
                { .type = VSS_CT_FILEGROUP,
                  .logical_path = "a\\b",
                  .name = "c",
                  .caption = "two\nlines",
                  .icon = icon,
                  .icon_size = sizeof(icon),
                  .restore_metadata = true,
                  .notify_on_backup_complete = true,
                  .selectable = true,
                  .selectable_for_restore = true,
                  .flags = VSS_CF_NOT_SYSTEM_STATE },
                { .type = VSS_CT_DATABASE, .name = "c" },
        };
        const struct writer_metadata_files files = { .path = "/p",
                                                     .filespec = "*",
                                                     .recursive = true,
                                                     .alternate_path = "/q",
                                                     .backup_type_mask = 0xf0f };
        const struct writer_metadata_restore restore = { .method = VSS_RME_STOP_RESTORE_START,
                                                         .service = "s.service",
                                                         .user_procedure = "http://u/",
                                                         .writer_restore = VSS_WRE_IF_REPLACE_FAILS,
                                                         .reboot_required = true };
        const struct writer_metadata_dependency on = { .writer_id = { .Data1 = 9 },
                                                       .logical_path = "l",
                                                       .name = "n" };
        struct writer_metadata *m = NULL;

        ck_assert_int_eq(writer_metadata_new(&m, &id, NULL), 0);
        ck_assert_int_eq(writer_metadata_set_schema(m, 0x371, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(components); i++)
                ck_assert_int_eq(writer_metadata_add_component(m, &components[i], NULL), 0);
        ck_assert_int_eq(writer_metadata_set_restore_method(m, &restore, NULL), 0);
        for (enum writer_metadata_list list = 0; list < _WRITER_METADATA_LIST_MAX; list++)
                for (unsigned i = 0; i < 3; i++)
                        ck_assert_int_eq(
                                writer_metadata_add(m, list,
                                                    list == WRITER_METADATA_FILES ? "a\\b" : NULL,
                                                    "c", &files, NULL),
                                0);
        ck_assert_int_eq(writer_metadata_add_dependency(m, "a\\b", "c", &on, NULL), 0);
        return m;
}

static void assert_same_text(const char *a, const char *b) {
        ck_assert_int_eq(!a, !b);
        if (a)
                ck_assert_str_eq(a, b);
}

static void assert_same_files(const struct writer_metadata *a, const struct writer_metadata *b,
                              enum writer_metadata_list list, size_t c) {
        size_t n = writer_metadata_n_files(a, list, c);

        ck_assert_uint_eq(writer_metadata_n_files(b, list, c), n);
        for (size_t i = 0; i < n; i++) {
                struct writer_metadata_files x, y;

                ck_assert(writer_metadata_get_files(a, list, c, i, &x));
                ck_assert(writer_metadata_get_files(b, list, c, i, &y));
                ck_assert_str_eq(x.path, y.path);
                ck_assert_str_eq(x.filespec, y.filespec);
                assert_same_text(x.alternate_path, y.alternate_path);
                ck_assert_uint_eq(x.backup_type_mask, y.backup_type_mask);
                ck_assert_int_eq(x.recursive, y.recursive);
        }
}

static void assert_same(const struct writer_metadata *a, const struct writer_metadata *b) {
        const struct writer_metadata_identity *x = writer_metadata_identity(a);
        const struct writer_metadata_identity *y = writer_metadata_identity(b);
        const struct writer_metadata_restore *r = writer_metadata_restore(a);
        const struct writer_metadata_restore *s = writer_metadata_restore(b);
        size_t n = writer_metadata_n_components(a);

        ck_assert(vss_id_equal(x->writer_id, y->writer_id));
        ck_assert(vss_id_equal(x->instance_id, y->instance_id));
        assert_same_text(x->name, y->name);
        assert_same_text(x->instance_name, y->instance_name);
        ck_assert_int_eq(x->usage, y->usage);
        ck_assert_int_eq(x->source, y->source);
        ck_assert_uint_eq(x->major_version, y->major_version);
        ck_assert_uint_eq(x->minor_version, y->minor_version);
        ck_assert_uint_eq(writer_metadata_schema(a), writer_metadata_schema(b));
        ck_assert_ptr_nonnull(r);
        ck_assert_ptr_nonnull(s);
        ck_assert_int_eq(r->method, s->method);
        assert_same_text(r->service, s->service);
        assert_same_text(r->user_procedure, s->user_procedure);
        ck_assert_int_eq(r->writer_restore, s->writer_restore);
        ck_assert_int_eq(r->reboot_required, s->reboot_required);
        ck_assert_uint_eq(writer_metadata_n_components(b), n);
        for (size_t i = 0; i < n; i++) {
                const struct writer_metadata_component *c = writer_metadata_component(a, i);
                const struct writer_metadata_component *d = writer_metadata_component(b, i);

                ck_assert_int_eq(c->type, d->type);
                assert_same_text(c->logical_path, d->logical_path);
                assert_same_text(c->name, d->name);
                assert_same_text(c->caption, d->caption);
                ck_assert_uint_eq(c->icon_size, d->icon_size);
                ck_assert(c->icon_size == 0 || memcmp(c->icon, d->icon, c->icon_size) == 0);
                ck_assert_int_eq(c->restore_metadata, d->restore_metadata);
                ck_assert_int_eq(c->notify_on_backup_complete, d->notify_on_backup_complete);
                ck_assert_int_eq(c->selectable, d->selectable);
                ck_assert_int_eq(c->selectable_for_restore, d->selectable_for_restore);
                ck_assert_uint_eq(c->flags, d->flags);
                ck_assert_uint_eq(writer_metadata_n_dependencies(a, i),
                                  writer_metadata_n_dependencies(b, i));
                for (enum writer_metadata_list list = 0; list < WRITER_METADATA_EXCLUDES; list++)
                        assert_same_files(a, b, list, i);
        }
        for (enum writer_metadata_list list = WRITER_METADATA_EXCLUDES;
             list < _WRITER_METADATA_LIST_MAX; list++)
                assert_same_files(a, b, list, 0);
}

START_TEST(what_is_made_comes_back_equal) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *made = make_everything();
        _cleanup_(freep) char *text = print(made);
        _cleanup_(writer_metadata_freep) struct writer_metadata *read = parse(text);
        _cleanup_(freep) char *again = print(read);
        struct writer_metadata_dependency on;

        assert_same(made, read);
        ck_assert_str_eq(text, again);
        ck_assert_uint_eq(writer_metadata_find_component(read, "a\\b", "c"), 0);
        ck_assert_uint_eq(writer_metadata_find_component(read, NULL, "c"), 1);
        ck_assert_uint_eq(writer_metadata_find_component(read, "a", "c"), SIZE_MAX);
        ck_assert(writer_metadata_get_dependency(read, 0, 0, &on));
        ck_assert_uint_eq(on.writer_id.Data1, 9);
        ck_assert_str_eq(on.logical_path, "l");
        ck_assert(!writer_metadata_get_dependency(read, 0, 1, &on));
        ck_assert(!writer_metadata_get_dependency(read, 2, 0, &on));
}
END_TEST

/* UTF-16 of text that is ASCII. */
static char *utf16(const char *text, bool big_endian, bool mark, size_t *ret_size) {
        size_t n = strlen(text), at = 0;
        char *wide = malloc(2 * n + 2);

        ck_assert_ptr_nonnull(wide);
        if (mark) {
                wide[at++] = big_endian ? '\xfe' : '\xff';
                wide[at++] = big_endian ? '\xff' : '\xfe';
        }
        for (size_t i = 0; i < n; i++) {
                wide[at++] = big_endian ? '\0' : text[i];
                wide[at++] = big_endian ? text[i] : '\0';
        }
        *ret_size = at;
        return wide;
}

/* As Windows writes it: indented, CRLF, the restore method last, upper-case ids, namespaces
 * repeated and emptied. */
#define WINDOWS                                                                                  \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">\r\n"        \
        "\t<IDENTIFICATION " ID "\r\n\t\t" INSTANCE " friendlyName=\"WMI Writer\""               \
        " usage=\"SYSTEM_SERVICE\" dataSource=\"OTHER\"/>\r\n"                                   \
        "\t<BACKUP_LOCATIONS xmlns=\"x-schema:#VssWriterMetadataInfo\">\r\n"                     \
        "\t\t<DATABASE xmlns='' componentName='WMI' componentFlags=\"0\" selectable=\"no\">\r\n" \
        "\t\t\t<DATABASE_FILES path=\"%SystemRoot%\\System32\\wbem\" filespec=\"*.*\"/>\r\n"     \
        "\t\t\t<ICON>\r\nAQI=\r\n</ICON>\r\n"                                                    \
        "\t\t</DATABASE>\r\n\t</BACKUP_LOCATIONS>\r\n"                                           \
        "\t<RESTORE_METHOD method=\"RESTORE_IF_CAN_REPLACE\" writerRestore=\"never\""            \
        " rebootRequired=\"no\"></RESTORE_METHOD>\r\n</WRITER_METADATA>\r\n"

static void assert_windows(const char *text, size_t size) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse_bytes(text, size);
        const struct writer_metadata_component *c = writer_metadata_component(m, 0);
        struct writer_metadata_files files;

        ck_assert_str_eq(writer_metadata_identity(m)->name, "WMI Writer");
        ck_assert_uint_eq(writer_metadata_identity(m)->writer_id.Data1, 0xe8132975);
        ck_assert_int_eq(writer_metadata_restore(m)->method, VSS_RME_RESTORE_IF_CAN_REPLACE);
        ck_assert_str_eq(c->name, "WMI");
        ck_assert_uint_eq(c->icon_size, 2);
        ck_assert(writer_metadata_get_files(m, WRITER_METADATA_DATABASE_FILES, 0, 0, &files));
        ck_assert_str_eq(files.path, "%SystemRoot%\\System32\\wbem");
        ck_assert_uint_eq(files.backup_type_mask, 0xf0f);
        ck_assert(!files.recursive);
        ck_assert(!writer_metadata_get_files(m, WRITER_METADATA_DATABASE_FILES, 0, 1, &files));
}

START_TEST(what_windows_writes_is_read) {
        static const char plain[] = WINDOWS;
        static const char declared[] = "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n" WINDOWS;
        static const char marked[] = "\xef\xbb\xbf" WINDOWS;

        assert_windows(plain, strlen(plain));
        assert_windows(declared, strlen(declared));
        assert_windows(marked, strlen(marked));
        for (unsigned i = 0; i < 4; i++) {
                size_t size;
                _cleanup_(freep) char *wide = utf16(declared, i & 1, i & 2, &size);

                assert_windows(wide, size);
        }
}
END_TEST

START_TEST(pairs_of_utf16_become_one_character) {
        /* <WRITER_METADATA> with a friendlyName that is U+1F4BE. */
        static const char before[] = ROOT "<IDENTIFICATION " ID " friendlyName=\"";
        static const char after[] = "\"/><BACKUP_LOCATIONS/></WRITER_METADATA>";
        size_t n, k;
        _cleanup_(freep) char *a = utf16(before, false, true, &n);
        _cleanup_(freep) char *b = utf16(after, false, false, &k);
        _cleanup_(freep) char *text = malloc(n + 4 + k);
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;

        memcpy(text, a, n);
        memcpy(text + n, "\x3d\xd8\xbe\xdc", 4);
        memcpy(text + n + 4, b, k);
        m = parse_bytes(text, n + 4 + k);
        ck_assert_str_eq(writer_metadata_identity(m)->name, "\xf0\x9f\x92\xbe");
        assert_refused(text, n + 4 + k - 1, "half");
        memcpy(text + n, "\xbe\xdc\x3d\xd8", 4);
        assert_refused(text, n + 4 + k, "half");
        memcpy(text + n, "\x3d\xd8\x41\x00", 4);
        assert_refused(text, n + 4 + k, "half");
}
END_TEST

/* Each prints as it is, and as often as one likes. */
START_TEST(what_is_not_known_survives) {
        static const char *const documents[] = {
                DOCUMENT("<NEW a=\"1\"><b>t &lt; u</b></NEW>"),
                DOCUMENT("<INCLUDE_FILES path=\"p\" filespec=\"f\"/>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\" color=\"red\"/>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\" selectable=\"maybe\"/>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\"><DATABASE_FILES path=\"p\" "
                         "filespec=\"f\"/></FILE_GROUP>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\" icon=\"???\"/>"),
                /* Microsoft's sample of an NTDS writer has these. */
                DOCUMENT("<DATABASE componentName=\"ntds\" caption=\"\"/>"),
                DOCUMENT("<FILE_GROUP logicalPath=\"\" componentName=\"c\"/>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"p\" filespec=\"f\" "
                         "recursive=\"no\"/></FILE_GROUP>"),
                DOCUMENT("<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"p\" filespec=\"f\" "
                         "alternatePath=\"\"/></FILE_GROUP>"),
                "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\" "
                "backupSchema=\"0\"><IDENTIFICATION " ID " friendlyName=\"w\"/>"
                "</WRITER_METADATA>",
                DOCUMENT("<o:NEW xmlns:o=\"urn:o\" o:a=\"&#10;\"/>"),
                DOCUMENT("<NEW xmlns=\"urn:o\"/>"),
                DOCUMENT("<!-- a comment --><?pi data?>"),
                DOCUMENT("text"),
                ROOT "<IDENTIFICATION " ID " friendlyName=\"w\" usage=\"NEW_USE\"/>"
                     "<RESTORE_METHOD method=\"NEW_METHOD\" writerRestore=\"sometimes\"/>"
                     "<BACKUP_LOCATIONS/></WRITER_METADATA>",
        };

        for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
                assert_prints(documents[i], documents[i]);
}
END_TEST

START_TEST(words_that_nobody_knows_are_undefined) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m =
                parse(ROOT "<IDENTIFICATION " ID " friendlyName=\"w\" usage=\"NEW_USE\"/>"
                           "<RESTORE_METHOD method=\"NEW_METHOD\" writerRestore=\"sometimes\"/>"
                           "</WRITER_METADATA>");

        ck_assert_int_eq(writer_metadata_identity(m)->usage, VSS_UT_UNDEFINED);
        ck_assert_int_eq(writer_metadata_restore(m)->method, VSS_RME_UNDEFINED);
        ck_assert_int_eq(writer_metadata_restore(m)->writer_restore, VSS_WRE_UNDEFINED);
        ck_assert_uint_eq(writer_metadata_n_components(m), 0);
}
END_TEST

START_TEST(an_addition_prints_the_model) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse(DOCUMENT("<NEW/>"));
        const struct writer_metadata_component c = { .type = VSS_CT_DATABASE, .name = "d" };
        _cleanup_(freep) char *text = NULL;

        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
        text = print(m);
        ck_assert_ptr_null(strstr(text, "NEW"));
        ck_assert_ptr_nonnull(strstr(text, "<DATABASE componentName=\"d\""));
}
END_TEST

START_TEST(of_two_components_the_first_wins) {
        static const char text[] = DOCUMENT("<FILE_GROUP componentName=\"c\" caption=\"first\"/>"
                                            "<DATABASE componentName=\"c\" caption=\"second\">"
                                            "<DATABASE_FILES path=\"p\" filespec=\"f\"/></DATABASE>"
                                            "<DATABASE logicalPath=\"l\" componentName=\"c\"/>");
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse(text);

        ck_assert_uint_eq(writer_metadata_n_components(m), 2);
        ck_assert_str_eq(writer_metadata_component(m, 0)->caption, "first");
        ck_assert_uint_eq(writer_metadata_n_files(m, WRITER_METADATA_DATABASE_FILES, 0), 0);
        assert_prints(text, text);
}
END_TEST

START_TEST(a_document_without_restore_method_has_none) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse(DOCUMENT(""));

        ck_assert_ptr_null(writer_metadata_restore(m));
        ck_assert_ptr_null(writer_metadata_component(m, 0));
        ck_assert_uint_eq(writer_metadata_n_files(m, WRITER_METADATA_FILES, 0), 0);
}
END_TEST

START_TEST(bad_documents_are_refused) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                { "", "empty" },
                { "x", "does not begin" },
                { " ", NULL },
                { "<WRITER_METADATA/>", "IDENTIFICATION" },
                { "<BACKUP_COMPONENTS/>", "root" },
                { ROOT "</WRITER_METADATA>", "IDENTIFICATION" },
                { ROOT "<IDENTIFICATION friendlyName=\"w\"/></WRITER_METADATA>", "writerId" },
                { ROOT "<IDENTIFICATION " ID "/></WRITER_METADATA>", "friendlyName" },
                { ROOT "<IDENTIFICATION writerId=\"x\" friendlyName=\"w\"/></WRITER_METADATA>",
                  "writerId" },
                { DOCUMENT("<FILE_GROUP/>"), "componentName" },
                { DOCUMENT("<FILE_GROUP componentName=\"c\" componentFlags=\"x\"/>"),
                  "componentFlags" },
                { DOCUMENT("<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"p\" filespec=\"f\" "
                           "filespecBackupType=\"4294967296\"/></FILE_GROUP>"),
                  "filespecBackupType" },
                { DOCUMENT("<FILE_GROUP componentName=\"c\"><FILE_LIST path=\"p\" filespec=\"f\" "
                           "filespecBackupType=\"-1\"/></FILE_GROUP>"),
                  "filespecBackupType" },
                { DOCUMENT("<FILE_GROUP componentName=\"c\"><DEPENDENCY/></FILE_GROUP>"),
                  "writerId" },
                { DOCUMENT("<a"), NULL },
                { DOCUMENT("<a b=\"1"), NULL },
                { DOCUMENT("<!-- "), NULL },
                { DOCUMENT("<a>") "</a>", NULL },
                { ROOT IDENTIFICATION, NULL }, /* truncated */
                { DOCUMENT("") DOCUMENT(""), NULL },
                { DOCUMENT("<a b='1' b='2'/>"), NULL },
                { DOCUMENT("&undefined;"), NULL },
                { DOCUMENT("&#0;"), NULL },
                { DOCUMENT("&#xFFFF;"), NULL },
                { DOCUMENT("\x01"), NULL },
                { DOCUMENT("<a b=\"\xff\"/>"), NULL },
                { DOCUMENT("\xc3"), NULL },
                { DOCUMENT("\xed\xa0\x80"), NULL }, /* a surrogate */
                { "<WRITER_METADATA version=\"2.0\">" IDENTIFICATION "</WRITER_METADATA>",
                  "version" },
                { "<WRITER_METADATA version=\"10\">" IDENTIFICATION "</WRITER_METADATA>",
                  "version" },
                { "<!DOCTYPE WRITER_METADATA>" DOCUMENT(""), "document type" },
                /* A billion laughs. */
                { "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
                  "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>" DOCUMENT("&c;"),
                  "document type" },
                { "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" DOCUMENT("&x;"),
                  "document type" },
                { "<!DOCTYPE l SYSTEM \"http://127.0.0.1:1/x.dtd\">" DOCUMENT(""),
                  "document type" },
                { "<?xml version=\"1.0\"?>\n<!-- c -->\n<!DOCTYPE l [<!ATTLIST a b CDATA "
                  "\"c\">]>" DOCUMENT(""),
                  "line 3" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_refused(cases[i].text, strlen(cases[i].text), cases[i].why);
}
END_TEST

START_TEST(a_nul_is_refused) {
        static const char text[] = DOCUMENT("<a b=\"x\"/>") "\0";
        char copy[sizeof(text)];

        assert_refused(text, sizeof(text) - 1, "NUL");
        memcpy(copy, text, sizeof(text));
        *strchr(copy, 'x') = '\0'; /* of x-schema */
        assert_refused(copy, sizeof(text) - 2, "NUL");
}
END_TEST

/* before, n times what, after */
static char *repeat(const char *before, const char *what, size_t n, const char *after) {
        size_t size = strlen(what);
        char *text = malloc(strlen(before) + n * size + strlen(after) + 1), *at;

        ck_assert_ptr_nonnull(text);
        at = stpcpy(text, before);
        for (size_t i = 0; i < n; i++)
                at = stpcpy(at, what);
        (void)stpcpy(at, after);
        return text;
}

static double cpu_s(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(depth_is_bounded) {
        _cleanup_(freep) char *bomb = repeat(ROOT IDENTIFICATION, "<a>", 1000000, "");
        _cleanup_(freep) char *deep = repeat(ROOT IDENTIFICATION, "<a>", 64, "");
        _cleanup_(freep) char *open = repeat(ROOT IDENTIFICATION, "<a>", 60, "");
        _cleanup_(freep) char *good = repeat(open, "</a>", 60, "</WRITER_METADATA>");
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = parse(good);

        ck_assert_uint_eq(writer_metadata_n_components(m), 0);
        assert_refused(bomb, strlen(bomb), "deeply");
        assert_refused(deep, strlen(deep), "deeply");
}
END_TEST

/* libxml2 compares each attribute of an element with each: a minute, were they let through. */
START_TEST(attributes_of_an_element_are_bounded) {
        const size_t n = 500000;
        _cleanup_(freep) char *text = malloc(n * 12 + 1024);
        char *at = stpcpy(text, ROOT "<a");
        double begin;

        for (size_t i = 0; i < n; i++)
                at += sprintf(at, " a%zu=''", i);
        (void)stpcpy(at, "/></WRITER_METADATA>");
        begin = cpu_s();
        assert_refused(text, strlen(text), "attributes");
        ck_assert(cpu_s() - begin < 5);
}
END_TEST

START_TEST(size_is_bounded) {
        static const char start[] = ROOT;
        size_t size = (size_t)300 * 1024 * 1024;
        char *text = calloc(1, size); /* pages that are not touched cost nothing */

        ck_assert_ptr_nonnull(text);
        memcpy(text, start, strlen(start));
        assert_refused(text, size, "are the most");
        free(text);
}
END_TEST

/* Ten times the document must not cost a hundred times the time. */
START_TEST(time_is_linear) {
        double seconds[2];

        for (size_t i = 0; i < 2; i++) {
                size_t n = i == 0 ? 20000 : 200000;
                _cleanup_(freep) char *text = malloc(n * 60 + 1024);
                char *at = stpcpy(text, ROOT IDENTIFICATION "<BACKUP_LOCATIONS>");
                _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
                double begin;

                for (size_t k = 0; k < n; k++)
                        at += sprintf(at, "<DATABASE componentName=\"c%zu\"/>", k);
                (void)stpcpy(at, "</BACKUP_LOCATIONS></WRITER_METADATA>");
                begin = cpu_s();
                m = parse(text);
                for (size_t k = 0; k < n; k++) {
                        char name[32];

                        (void)sprintf(name, "c%zu", k);
                        ck_assert(writer_metadata_find_component(m, NULL, name) == k);
                }
                seconds[i] = cpu_s() - begin;
        }
        ck_assert_msg(seconds[1] < 40 * seconds[0], "%f s, then %f s", seconds[0], seconds[1]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("metadata-read");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, what_is_made_comes_back_equal);
        tcase_add_test(tcase, what_windows_writes_is_read);
        tcase_add_test(tcase, pairs_of_utf16_become_one_character);
        tcase_add_test(tcase, what_is_not_known_survives);
        tcase_add_test(tcase, words_that_nobody_knows_are_undefined);
        tcase_add_test(tcase, an_addition_prints_the_model);
        tcase_add_test(tcase, of_two_components_the_first_wins);
        tcase_add_test(tcase, a_document_without_restore_method_has_none);
        tcase_add_test(tcase, bad_documents_are_refused);
        tcase_add_test(tcase, a_nul_is_refused);
        tcase_add_test(tcase, depth_is_bounded);
        tcase_add_test(tcase, attributes_of_an_element_are_bounded);
        tcase_add_test(tcase, size_is_bounded);
        tcase_add_test(tcase, time_is_linear);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
