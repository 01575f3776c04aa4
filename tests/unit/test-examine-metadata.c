/* IVssExamineWriterMetadata over documents that were not made here: what is absent, what is
 * refused, and a document of a hundred thousand entries. */

#include "common/vss-id.h"
#include "libvssclient/examine-metadata.h"

#include <check.h>
#include <stdio.h>
#include <time.h>
#include <vss/vsbackup.h>
#include <vss/vsslinux.h>

#define IDENTIFICATION                                                                       \
        "<IDENTIFICATION writerId=\"A65FAA63-5EA8-4EBC-9DBD-A0C4DB26912A\" "                 \
        "instanceId=\"{b0a2e9b5-0c9c-4c5e-8a5b-3d7e9c1f2a4b}\" friendlyName=\"Old Writer\" " \
        "usage=\"USER_DATA\" dataSource=\"OTHER\" majorVersion=\"0\" minorVersion=\"0\"/>"
#define DOCUMENT(locations)                                              \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" "    \
        "version=\"1.2\">" IDENTIFICATION "<BACKUP_LOCATIONS>" locations \
        "</BACKUP_LOCATIONS></WRITER_METADATA>"

static const char bare[] = DOCUMENT("");
static const char some[] =
        DOCUMENT("<FILE_GROUP componentName=\"g\" restoreMetadata=\"no\" selectable=\"yes\">"
                 "<FILE_LIST path=\"%SystemRoot%\\System32\" filespec=\"*.*\"/>"
                 "<DEPENDENCY writerId=\"{afbab4a2-367d-4d15-a586-71dbb18f8485}\" "
                 "componentName=\"Registry\"/>"
                 "</FILE_GROUP>"
                 "<EXCLUDE_FILES path=\"C:\\x\" filespec=\"y\" recursive=\"yes\"/>"
                 "<LATER with=\"attributes\"/>");

#define WITH_METHOD(name)                                                              \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" "                  \
        "version=\"1.2\">" IDENTIFICATION "<RESTORE_METHOD method=\"" name             \
        "\" service=\"some.service\" writerRestore=\"always\" rebootRequired=\"no\"/>" \
        "<BACKUP_LOCATIONS/></WRITER_METADATA>"

static IVssExamineWriterMetadata *read_text(const char *text) {
        IVssExamineWriterMetadata *e = NULL;

        ck_assert_int_eq(CreateVssExamineWriterMetadata(text, &e), S_OK);
        return e;
}

START_TEST(a_service_is_told_with_the_methods_that_stop_one) {
        static const struct {
                const char *document;
                VSS_RESTOREMETHOD_ENUM method;
                bool service;
        } cases[] = {
                { WITH_METHOD("RESTORE_IF_NOT_THERE"), VSS_RME_RESTORE_IF_NOT_THERE, false },
                { WITH_METHOD("RESTORE_IF_CAN_BE_REPLACED"), VSS_RME_RESTORE_IF_CAN_REPLACE,
                  false },
                { WITH_METHOD("STOP_RESTORE_START"), VSS_RME_STOP_RESTORE_START, true },
                { WITH_METHOD("RESTORE_TO_ALTERNATE_LOCATION"),
                  VSS_RME_RESTORE_TO_ALTERNATE_LOCATION, false },
                { WITH_METHOD("REPLACE_AT_REBOOT"), VSS_RME_RESTORE_AT_REBOOT, false },
                { WITH_METHOD("REPLACE_AT_REBOOT_IF_CANNOT_REPLACE"),
                  VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE, false },
                { WITH_METHOD("CUSTOM"), VSS_RME_CUSTOM, false },
                { WITH_METHOD("RESTORE_STOP_START"), VSS_RME_RESTORE_STOP_START, true },
                { WITH_METHOD("NEW_METHOD"), VSS_RME_UNDEFINED, false },
        };
        IVssExamineWriterMetadata *e = read_text(cases[_i].document);
        BSTR service = (BSTR)&e, procedure = NULL, xml = NULL;
        VSS_RESTOREMETHOD_ENUM method;
        VSS_WRITERRESTORE_ENUM restore;
        bool reboot;
        UINT n;

        ck_assert_int_eq(IVssExamineWriterMetadata_GetRestoreMethod(
                                 e, &method, &service, &procedure, &restore, &reboot, &n),
                         S_OK);
        ck_assert_int_eq(method, cases[_i].method);
        ck_assert_pstr_eq(service, cases[_i].service ? "some.service" : NULL);
        /* What the writer wrote stays in its document. */
        ck_assert_int_eq(IVssExamineWriterMetadata_SaveAsXML(e, &xml), S_OK);
        ck_assert_ptr_nonnull(strstr(xml, "service=\"some.service\""));
        SysFreeString(service);
        SysFreeString(procedure);
        SysFreeString(xml);
        IVssExamineWriterMetadata_Release(e);
}
END_TEST

START_TEST(what_is_absent_has_its_documented_value) {
        IVssExamineWriterMetadata *e = read_text(bare);
        VSS_RESTOREMETHOD_ENUM method = VSS_RME_CUSTOM;
        VSS_WRITERRESTORE_ENUM restore = VSS_WRE_ALWAYS;
        UINT include = 7, exclude = 7, n = 7;
        BSTR name, instance = (BSTR)&name, procedure = (BSTR)&name;
        VSS_ID instance_id, writer_id;
        VSS_SOURCE_TYPE source;
        DWORD major = 7, minor = 7;
        VSS_USAGE_TYPE usage;
        bool reboot = true;

        ck_assert_int_eq(IVssExamineWriterMetadataEx_GetIdentityEx(
                                 e, &instance_id, &writer_id, &name, &instance, &usage, &source),
                         S_OK);
        ck_assert_uint_eq(writer_id.Data1, 0xa65faa63);
        ck_assert_uint_eq(instance_id.Data1, 0xb0a2e9b5);
        ck_assert_str_eq(name, "Old Writer");
        ck_assert_ptr_null(instance);
        ck_assert(usage == VSS_UT_USERDATA && source == VSS_ST_OTHER);
        SysFreeString(name);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetIdentity(e, &instance_id, &writer_id, &name,
                                                               &usage, &source),
                         S_OK);
        SysFreeString(name);
        ck_assert_int_eq(IVssExamineWriterMetadataEx2_GetVersion(e, &major, &minor), S_OK);
        ck_assert(major == 0 && minor == 0);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetFileCounts(e, &include, &exclude, &n), S_OK);
        ck_assert(include == 0 && exclude == 0 && n == 0);
        ck_assert_int_eq(IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotCount(e, &n), S_OK);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetBackupSchema(e, &major), S_OK);
        ck_assert_uint_eq(major, 0);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetRestoreMethod(
                                 e, &method, &instance, &procedure, &restore, &reboot, &n),
                         S_FALSE);
        ck_assert(method == VSS_RME_UNDEFINED && restore == VSS_WRE_UNDEFINED && !reboot && n == 0);
        ck_assert(!instance && !procedure);
        IVssExamineWriterMetadata_Release(e);
}
END_TEST

START_TEST(an_old_document_is_read_as_it_was_meant) {
        IVssExamineWriterMetadata *e = read_text(some);
        IVssWMDependency *dependency;
        IVssWMComponent *component;
        IVssWMFiledesc *files;
        DWORD mask;
        BSTR text;
        bool flag;

        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 0, &component), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetFile(component, 0, &files), S_OK);
        ck_assert_int_eq(IVssWMFiledesc_GetBackupTypeMask(files, &mask), S_OK);
        ck_assert_uint_eq(mask, 0xf0f);
        ck_assert_int_eq(IVssWMFiledesc_GetRecursive(files, &flag), S_OK);
        ck_assert(!flag);
        ck_assert_int_eq(IVssWMFiledesc_GetPath(files, &text), S_OK);
        ck_assert_str_eq(text, "%SystemRoot%\\System32");
        SysFreeString(text);
        IVssWMFiledesc_Release(files);
        ck_assert_int_eq(IVssWMComponent_GetDependency(component, 0, &dependency), S_OK);
        ck_assert_uint_eq(IVssWMDependency_AddRef(dependency), 2);
        ck_assert_uint_eq(IVssWMDependency_Release(dependency), 1);
        ck_assert_int_eq(IVssWMDependency_GetLogicalPath(dependency, &text), S_FALSE);
        ck_assert_ptr_null(text);
        IVssWMDependency_Release(dependency);
        ck_assert_uint_eq(IVssWMComponent_AddRef(component), 2);
        ck_assert_uint_eq(IVssWMComponent_Release(component), 1);
        IVssWMComponent_Release(component);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetExcludeFile(e, 0, &files), S_OK);
        ck_assert_int_eq(IVssWMFiledesc_GetRecursive(files, &flag), S_OK);
        ck_assert(flag);
        IVssWMFiledesc_Release(files);
        /* What nobody here knows is kept. */
        ck_assert_int_eq(IVssExamineWriterMetadata_SaveAsXML(e, &text), S_OK);
        ck_assert_ptr_nonnull(strstr(text, "<LATER with=\"attributes\"/>"));
        SysFreeString(text);
        ck_assert_uint_eq(IVssExamineWriterMetadata_AddRef(e), 2);
        ck_assert_uint_eq(IVssExamineWriterMetadata_Release(e), 1);
        ck_assert_uint_eq(IVssExamineWriterMetadata_Release(e), 0);
}
END_TEST

START_TEST(an_index_beyond_the_end_is_not_found) {
        static const UINT indexes[] = { 1, 2, UINT32_MAX };
        IVssExamineWriterMetadata *e = read_text(some);
        IVssWMComponent *component, *none;
        IVssWMDependency *dependency;
        IVssWMFiledesc *files;

        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 0, &component), S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
                const UINT at = indexes[i];

#define NOT_FOUND(call, output)                                   \
        do {                                                      \
                (output) = (void *)&files;                        \
                ck_assert_int_eq((call), VSS_E_OBJECT_NOT_FOUND); \
                ck_assert_ptr_null(output);                       \
        } while (0)
                NOT_FOUND(IVssExamineWriterMetadata_GetIncludeFile(e, at - 1, &files), files);
                NOT_FOUND(IVssExamineWriterMetadata_GetExcludeFile(e, at, &files), files);
                NOT_FOUND(IVssExamineWriterMetadata_GetAlternateLocationMapping(e, at - 1, &files),
                          files);
                files = (void *)&files;
                ck_assert_int_eq(
                        IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotFile(e, at - 1, &files),
                        E_INVALIDARG);
                ck_assert_ptr_null(files);
                NOT_FOUND(IVssExamineWriterMetadata_GetComponent(e, at, &none), none);
                NOT_FOUND(IVssWMComponent_GetFile(component, at, &files), files);
                NOT_FOUND(IVssWMComponent_GetDatabaseFile(component, at - 1, &files), files);
                NOT_FOUND(IVssWMComponent_GetDatabaseLogFile(component, at - 1, &files), files);
                NOT_FOUND(IVssWMComponent_GetDependency(component, at, &dependency), dependency);
#undef NOT_FOUND
        }
        IVssWMComponent_Release(component);
        IVssExamineWriterMetadata_Release(e);
}
END_TEST

START_TEST(missing_objects_and_outputs_are_refused) {
        IVssExamineWriterMetadata *examined = read_text(some), *made;
        IVssWMComponent *component, *other;
        VSS_RESTOREMETHOD_ENUM method;
        VSS_WRITERRESTORE_ENUM restore;
        IVssWMDependency *dependency, *d;
        IVssWMFiledesc *files, *f;
        VSS_ID instance, writer;
        VSS_SOURCE_TYPE source;
        PVSSCOMPONENTINFO info;
        VSS_USAGE_TYPE usage;
        BSTR text[2];
        DWORD mask[2];
        UINT n[3];
        bool flag;

        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(examined, 0, &component), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetFile(component, 0, &files), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetDependency(component, 0, &dependency), S_OK);
        /* Each output left out once, and the object. */
        for (int out = -1; out < 6; out++) {
#define OR_NULL(i, p) (out == (i) ? NULL : (p))
#define REFUSED(n_outputs, call)                                                             \
        do                                                                                   \
                if (out < (n_outputs))                                                       \
                        ck_assert_msg((call) == E_INVALIDARG, "without %d: %s", out, #call); \
        while (0)
                IVssExamineWriterMetadata *e = out < 0 ? NULL : examined;
                IVssWMComponent *c = out < 0 ? NULL : component;
                IVssWMDependency *on = out < 0 ? NULL : dependency;
                IVssWMFiledesc *set = out < 0 ? NULL : files;

                REFUSED(5, IVssExamineWriterMetadata_GetIdentity(
                                   e, OR_NULL(0, &instance), OR_NULL(1, &writer), OR_NULL(2, text),
                                   OR_NULL(3, &usage), OR_NULL(4, &source)));
                REFUSED(6,
                        IVssExamineWriterMetadataEx_GetIdentityEx(
                                e, OR_NULL(0, &instance), OR_NULL(1, &writer), OR_NULL(2, &text[0]),
                                OR_NULL(3, &text[1]), OR_NULL(4, &usage), OR_NULL(5, &source)));
                REFUSED(2, IVssExamineWriterMetadataEx2_GetVersion(e, OR_NULL(0, &mask[0]),
                                                                   OR_NULL(1, &mask[1])));
                REFUSED(3, IVssExamineWriterMetadata_GetFileCounts(
                                   e, OR_NULL(0, &n[0]), OR_NULL(1, &n[1]), OR_NULL(2, &n[2])));
                REFUSED(1, IVssExamineWriterMetadata_GetIncludeFile(e, 0, OR_NULL(0, &f)));
                REFUSED(1, IVssExamineWriterMetadata_GetExcludeFile(e, 0, OR_NULL(0, &f)));
                REFUSED(1, IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotCount(
                                   e, OR_NULL(0, &n[0])));
                REFUSED(1, IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotFile(e, 0,
                                                                                   OR_NULL(0, &f)));
                REFUSED(1, IVssExamineWriterMetadata_GetComponent(e, 0, OR_NULL(0, &other)));
                REFUSED(6,
                        IVssExamineWriterMetadata_GetRestoreMethod(
                                e, OR_NULL(0, &method), OR_NULL(1, &text[0]), OR_NULL(2, &text[1]),
                                OR_NULL(3, &restore), OR_NULL(4, &flag), OR_NULL(5, &n[0])));
                REFUSED(1, IVssExamineWriterMetadata_GetAlternateLocationMapping(e, 0,
                                                                                 OR_NULL(0, &f)));
                REFUSED(1, IVssExamineWriterMetadata_GetBackupSchema(e, OR_NULL(0, mask)));
                REFUSED(1, IVssExamineWriterMetadata_SaveAsXML(e, OR_NULL(0, text)));
                REFUSED(1, IVssExamineWriterMetadata_LoadFromXML(e, OR_NULL(0, bare)));
                REFUSED(1, IVssWMComponent_GetComponentInfo(c, OR_NULL(0, &info)));
                REFUSED(1, IVssWMComponent_GetFile(c, 0, OR_NULL(0, &f)));
                REFUSED(1, IVssWMComponent_GetDatabaseFile(c, 0, OR_NULL(0, &f)));
                REFUSED(1, IVssWMComponent_GetDatabaseLogFile(c, 0, OR_NULL(0, &f)));
                REFUSED(1, IVssWMComponent_GetDependency(c, 0, OR_NULL(0, &d)));
                REFUSED(1, IVssWMFiledesc_GetPath(set, OR_NULL(0, text)));
                REFUSED(1, IVssWMFiledesc_GetFilespec(set, OR_NULL(0, text)));
                REFUSED(1, IVssWMFiledesc_GetRecursive(set, OR_NULL(0, &flag)));
                REFUSED(1, IVssWMFiledesc_GetAlternateLocation(set, OR_NULL(0, text)));
                REFUSED(1, IVssWMFiledesc_GetBackupTypeMask(set, OR_NULL(0, mask)));
                REFUSED(1, IVssWMDependency_GetWriterId(on, OR_NULL(0, &writer)));
                REFUSED(1, IVssWMDependency_GetLogicalPath(on, OR_NULL(0, text)));
                REFUSED(1, IVssWMDependency_GetComponentName(on, OR_NULL(0, text)));
                REFUSED(1,
                        CreateVssExamineWriterMetadata(out < 0 ? NULL : bare, OR_NULL(0, &made)));
                REFUSED(0, IVssWMComponent_FreeComponentInfo(c, NULL));
#undef REFUSED
#undef OR_NULL
        }
        ck_assert_int_eq(IVssWMComponent_FreeComponentInfo(component, NULL), S_OK);
        ck_assert_uint_eq(IVssWMFiledesc_Release(NULL), 0);
        ck_assert_uint_eq(IVssWMComponent_Release(NULL), 0);
        ck_assert_uint_eq(IVssWMDependency_Release(NULL), 0);
        ck_assert_uint_eq(IVssExamineWriterMetadata_Release(NULL), 0);
        IVssWMFiledesc_Release(files);
        IVssWMDependency_Release(dependency);
        IVssWMComponent_Release(component);
        IVssExamineWriterMetadata_Release(examined);
}
END_TEST

/* As Windows writes them to files; text is ASCII. Owned. */
static uint8_t *utf16(const char *text, bool big_endian, bool mark, size_t *ret_size) {
        size_t n = strlen(text), at = 0;
        uint8_t *bytes = malloc(2 * n + 2);

        if (mark) {
                bytes[at++] = big_endian ? 0xfe : 0xff;
                bytes[at++] = big_endian ? 0xff : 0xfe;
        }
        for (size_t i = 0; i < n; i++) {
                bytes[at++] = big_endian ? 0 : (uint8_t)text[i];
                bytes[at++] = big_endian ? (uint8_t)text[i] : 0;
        }
        *ret_size = at;
        return bytes;
}

START_TEST(documents_in_utf16_become_text) {
        static const char declared[] = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" DOCUMENT("");

        for (unsigned how = 0; how < 4; how++) {
                size_t size;
                uint8_t *bytes = utf16(declared, how & 1, how & 2, &size);
                BSTR text = NULL;

                ck_assert_msg(VssDocumentFromBytes(bytes, size, &text) == S_OK, "%s",
                              VssLastErrorMessage());
                ck_assert_str_eq(text, declared);
                IVssExamineWriterMetadata_Release(read_text(text));
                SysFreeString(text);
                free(bytes);
        }
}
END_TEST

START_TEST(bytes_that_are_no_document_are_refused) {
        static const struct {
                const char *bytes;
                size_t size;
                HRESULT hr;
        } rows[] = {
                { "\xef\xbb\xbf<a/>", 7, S_OK }, /* UTF-8 with a mark, which goes */
                { "<a b='\xc3\xa4'/>", 11, S_OK },
                { "<a b='\xe4'/>", 10, VSS_E_INVALID_XML_DOCUMENT }, /* Latin-1 */
                { "<a>\0</a>", 8, VSS_E_INVALID_XML_DOCUMENT },
                { "\xff\xfe<\0a\0/\0>", 9, VSS_E_INVALID_XML_DOCUMENT },     /* half a character */
                { "\xff\xfe<\0\x00\xd8>\0", 8, VSS_E_INVALID_XML_DOCUMENT }, /* of half a pair */
                { "\xff\xfe", 2, VSS_E_INVALID_XML_DOCUMENT },
                { "<!DOCTYPE a>", 12, VSS_E_INVALID_XML_DOCUMENT },
                { "no xml", 6, VSS_E_INVALID_XML_DOCUMENT },
                { "<a/>", 0, E_INVALIDARG },
                { NULL, 4, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                BSTR text = (BSTR)(uintptr_t)bare;
                HRESULT hr = VssDocumentFromBytes(rows[i].bytes, rows[i].size, &text);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                ck_assert_msg(!text == FAILED(hr), "row %zu", i);
                if (text)
                        ck_assert_msg(*text == '<', "row %zu", i);
                SysFreeString(text);
        }
        ck_assert_int_eq(VssDocumentFromBytes("<a/>", 4, NULL), E_INVALIDARG);
}
END_TEST

START_TEST(text_that_is_no_document_is_refused) {
        static const struct {
                const char *text;
                HRESULT created, loaded;
        } rows[] = {
                { "no xml", VSS_E_INVALID_XML_DOCUMENT, S_FALSE },
                { "<WRITER_METADATA>", VSS_E_INVALID_XML_DOCUMENT, S_FALSE },
                { "<a><b></a>", VSS_E_INVALID_XML_DOCUMENT, S_FALSE },
                { "<a/>", VSS_E_INVALID_XML_DOCUMENT, VSS_E_INVALID_XML_DOCUMENT },
                { "<WRITER_METADATA version=\"1.2\"/>", VSS_E_INVALID_XML_DOCUMENT,
                  VSS_E_INVALID_XML_DOCUMENT },
                { "<WRITER_METADATA version=\"2.0\" backupSchema=\"16\"/>",
                  VSS_E_INVALID_XML_DOCUMENT, VSS_E_INVALID_XML_DOCUMENT },
                { "<WRITER_METADATA version=\"2.0\">" IDENTIFICATION "</WRITER_METADATA>",
                  VSS_E_INVALID_XML_DOCUMENT, VSS_E_INVALID_XML_DOCUMENT },
                { "", E_INVALIDARG, E_INVALIDARG },
                { NULL, E_INVALIDARG, E_INVALIDARG },
                { bare, S_OK, S_OK },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                IVssExamineWriterMetadata *e = (IVssExamineWriterMetadata *)&e, *kept;
                UINT include, exclude, n;
                HRESULT hr;

                hr = CreateVssExamineWriterMetadataInternal(rows[i].text, &e);
                ck_assert_msg(hr == rows[i].created, "row %zu: 0x%x", i, (unsigned)hr);
                ck_assert_msg(!e == FAILED(hr), "row %zu", i);
                IVssExamineWriterMetadata_Release(e);
                kept = read_text(some);
                hr = IVssExamineWriterMetadata_LoadFromXML(kept, rows[i].text);
                ck_assert_msg(hr == rows[i].loaded, "row %zu: 0x%x", i, (unsigned)hr);
                if (hr != S_OK)
                        ck_assert_str_ne(VssLastErrorMessage(), "");
                /* Replaced, or as it was. */
                ck_assert_int_eq(
                        IVssExamineWriterMetadata_GetFileCounts(kept, &include, &exclude, &n),
                        S_OK);
                ck_assert_uint_eq(n, hr == S_OK ? 0 : 1);
                IVssExamineWriterMetadata_Release(kept);
        }
}
END_TEST

START_TEST(what_was_handed_out_survives_a_replacement) {
        IVssExamineWriterMetadata *e = read_text(some);
        IVssWMComponent *component;
        PVSSCOMPONENTINFO info;

        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 0, &component), S_OK);
        ck_assert_int_eq(IVssExamineWriterMetadata_LoadFromXML(e, bare), S_OK);
        IVssExamineWriterMetadata_Release(e);
        ck_assert_int_eq(IVssWMComponent_GetComponentInfo(component, &info), S_OK);
        ck_assert_str_eq(info->bstrComponentName, "g");
        ck_assert_int_eq(IVssWMComponent_FreeComponentInfo(component, info), S_OK);
        IVssWMComponent_Release(component);
}
END_TEST

/* Indexing costs the same wherever the entry is: the second half of a long list takes about as long
 * as the first, where a walk along the list would take three times as long. */
START_TEST(each_of_many_entries_is_found_at_once) {
        const UINT n = 100000;
        IVssExamineWriterMetadata *e;
        uint64_t spent[2] = { 0, 0 };
        IVssWMComponent *component;
        char *text = NULL;
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        ck_assert_ptr_nonnull(stream);
        (void)fputs("<WRITER_METADATA version=\"1.2\">" IDENTIFICATION
                    "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"g\">",
                    stream);
        for (UINT i = 0; i < n; i++)
                (void)fprintf(stream, "<FILE_LIST path=\"/d/%u\" filespec=\"*\"/>", i);
        (void)fputs("</FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>", stream);
        ck_assert_int_eq(fclose(stream), 0);
        e = read_text(text);
        free(text);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 0, &component), S_OK);
        for (UINT i = 0; i < n; i++) {
                IVssWMFiledesc *files;
                struct timespec before, after;
                char expected[32];
                BSTR path;

                (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
                ck_assert_int_eq(IVssWMComponent_GetFile(component, i, &files), S_OK);
                (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
                spent[2 * i / n] += (uint64_t)((after.tv_sec - before.tv_sec) * 1000000000 +
                                               (after.tv_nsec - before.tv_nsec));
                ck_assert_int_eq(IVssWMFiledesc_GetPath(files, &path), S_OK);
                (void)snprintf(expected, sizeof(expected), "/d/%u", i);
                ck_assert_str_eq(path, expected);
                SysFreeString(path);
                IVssWMFiledesc_Release(files);
        }
        ck_assert_msg(spent[1] < 2 * spent[0] + 50000000, "%llu ns, then %llu ns",
                      (unsigned long long)spent[0], (unsigned long long)spent[1]);
        IVssWMComponent_Release(component);
        IVssExamineWriterMetadata_Release(e);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                what_is_absent_has_its_documented_value, an_old_document_is_read_as_it_was_meant,
                an_index_beyond_the_end_is_not_found,    missing_objects_and_outputs_are_refused,
                documents_in_utf16_become_text,          bytes_that_are_no_document_are_refused,
                text_that_is_no_document_is_refused,     what_was_handed_out_survives_a_replacement,
                each_of_many_entries_is_found_at_once,
        };
        Suite *suite = suite_create("examine-metadata");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 30);
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
                tcase_add_test(tcase, tests[i]);
        tcase_add_loop_test(tcase, a_service_is_told_with_the_methods_that_stop_one, 0, 9);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
