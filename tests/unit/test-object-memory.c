/* Each allocation of the objects over the documents fails once: the failure comes out as
 * E_OUTOFMEMORY, the same call then succeeds, so that nothing was half done, and nothing is left
 * behind (which the sanitizers see). */

#include "libvssclient/create-writer-metadata.h"
#include "libvssclient/examine-metadata.h"
#include "libvssclient/writer-components.h"

#include <check.h>
#include <libxml/xmlerror.h>
#include <stdarg.h>
#include <vss/vsbackup.h>
#include <vss/vsslinux.h>

/* The n-th allocation from now fails; -1: none. */
static long countdown = -1;

static bool fails(void) {
        if (countdown < 0)
                return false;
        return countdown-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

static bool failed; /* a call, in this round */

/* Check's own assertions allocate, through the same doors. */
static void require(bool true_here, const char *what) {
        if (!true_here) {
                countdown = -1;
                ck_abort_msg("%s", what);
        }
}

/* A call that may run out of memory, but then only once, and as if it had not been made. */
#define TRY(call)                                          \
        do {                                               \
                HRESULT hr_ = (call);                      \
                if (hr_ == E_OUTOFMEMORY) {                \
                        require(!failed, "twice: " #call); \
                        failed = true;                     \
                        hr_ = (call);                      \
                }                                          \
                require(SUCCEEDED(hr_), #call);            \
        } while (0)

/* The same for what gives a negative errno, and its error. */
static HRESULT result(int r, struct vss_error *error) {
        HRESULT hr = error->hr;

        require((r < 0) == FAILED(hr), "a failure without a code, or the reverse");
        vss_error_done(error);
        return hr;
}

/* libxml2 says each of these aloud. */
static void be_quiet(void *context, const char *format, ...) {
        (void)context;
        (void)format;
}

static void walk(void (*step)(void), long least) {
        for (long n = 0;; n++) {
                bool reached;

                failed = false;
                countdown = n;
                step();
                reached = countdown == -1;
                countdown = -1;
                if (!reached) {
                        ck_assert(!failed);
                        ck_assert_int_ge(n, least);
                        return;
                }
                ck_assert_int_lt(n, 10000); /* and what is only for a message may be done without */
        }
}

static void make(void) {
        const struct writer_metadata_identity identity = {
                .writer_id = { .Data1 = 1 },
                .instance_id = { .Data1 = 2 },
                .name = "x",
                .usage = VSS_UT_USERDATA,
                .source = VSS_ST_OTHER,
        };
        static const BYTE icon[] = { 1, 2, 3 };
        struct vss_error e = { 0 };
        IVssCreateWriterMetadata *m = NULL;
        _cleanup_(freep) char *xml = NULL;
        BSTR text = NULL;

        TRY(result(create_metadata_new(&m, &identity, &e), &e));
        TRY(IVssCreateWriterMetadata_AddComponent(m, VSS_CT_FILEGROUP, "a", "g", "caption", icon, 3,
                                                  false, false, true, true, 0));
        TRY(IVssCreateWriterMetadata_AddComponent(m, VSS_CT_DATABASE, NULL, "d", NULL, NULL, 0,
                                                  false, false, true, true, 0));
        TRY(IVssCreateWriterMetadata_AddFilesToFileGroup(m, "a", "g", "${statedir}/x", "*", true,
                                                         "/run/y", 0xf0f));
        TRY(IVssCreateWriterMetadata_AddDatabaseFiles(m, NULL, "d", "/d", "*", 0xf0f));
        TRY(IVssCreateWriterMetadata_AddDatabaseLogFiles(m, NULL, "d", "/l", "*", 0xf0f));
        TRY(IVssCreateWriterMetadata_AddExcludeFiles(m, "/d", "*~", true));
        TRY(IVssCreateWriterMetadata_SetRestoreMethod(m, VSS_RME_STOP_RESTORE_START, "s", "p",
                                                      VSS_WRE_ALWAYS, true));
        TRY(IVssCreateWriterMetadata_AddAlternateLocationMapping(m, "/d", "*", false, "/m"));
        TRY(IVssCreateWriterMetadata_AddComponentDependency(m, NULL, "d", (VSS_ID){ .Data1 = 9 },
                                                            "a", "b"));
        TRY(IVssCreateWriterMetadata_SetBackupSchema(m, VSS_BS_LOG));
        TRY(IVssCreateWriterMetadata_SaveAsXML(m, &text));
        TRY(result(create_metadata_finish(m, &xml, &e), &e));
        require(streq(xml, text), "two texts of one document");
        SysFreeString(text);
        (void)create_metadata_free(m);
}

START_TEST(making_a_document) {
        make(); /* the process' table of variables is read once */
        walk(make, 20);
}
END_TEST

#define ID_TEXT "0000000a-0000-0000-0100-000000000000"
static const char document[] =
        "<WRITER_METADATA version=\"1.2\"><IDENTIFICATION writerId=\"" ID_TEXT "\" "
        "instanceId=\"" ID_TEXT "\" instanceName=\"i\" friendlyName=\"n\" usage=\"OTHER\" "
        "dataSource=\"OTHER\" majorVersion=\"1\" minorVersion=\"2\"/>"
        "<RESTORE_METHOD method=\"STOP_RESTORE_START\" service=\"s\" userProcedure=\"p\" "
        "writerRestore=\"always\" rebootRequired=\"no\"/>"
        "<BACKUP_LOCATIONS><FILE_GROUP logicalPath=\"l\" componentName=\"c\" caption=\"t\" "
        "icon=\"AAEC\"><FILE_LIST path=\"/a\" filespec=\"*\" alternatePath=\"/b\"/>"
        "<DEPENDENCY writerId=\"" ID_TEXT "\" logicalPath=\"l\" componentName=\"c\"/>"
        "</FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>";

static void read_document(void) {
        IVssExamineWriterMetadata *e = NULL;
        VSS_RESTOREMETHOD_ENUM method;
        VSS_WRITERRESTORE_ENUM restore;
        IVssWMDependency *dependency;
        IVssWMComponent *component;
        PVSSCOMPONENTINFO info;
        VSS_SOURCE_TYPE source;
        IVssWMFiledesc *files;
        VSS_ID one, other;
        VSS_USAGE_TYPE usage;
        BSTR text[3];
        bool flag;
        UINT n;

        TRY(CreateVssExamineWriterMetadata(document, &e));
        TRY(IVssExamineWriterMetadataEx_GetIdentityEx(e, &one, &other, &text[0], &text[1], &usage,
                                                      &source));
        SysFreeString(text[0]);
        SysFreeString(text[1]);
        TRY(IVssExamineWriterMetadata_GetRestoreMethod(e, &method, &text[0], &text[1], &restore,
                                                       &flag, &n));
        SysFreeString(text[0]);
        SysFreeString(text[1]);
        TRY(IVssExamineWriterMetadata_SaveAsXML(e, &text[0]));
        TRY(IVssExamineWriterMetadata_LoadFromXML(e, text[0]));
        SysFreeString(text[0]);
        TRY(IVssExamineWriterMetadata_GetComponent(e, 0, &component));
        TRY(IVssWMComponent_GetComponentInfo(component, &info));
        require(info->cbIcon == 3, "the icon");
        TRY(IVssWMComponent_FreeComponentInfo(component, info));
        TRY(IVssWMComponent_GetFile(component, 0, &files));
        TRY(IVssWMFiledesc_GetPath(files, &text[0]));
        TRY(IVssWMFiledesc_GetFilespec(files, &text[1]));
        TRY(IVssWMFiledesc_GetAlternateLocation(files, &text[2]));
        for (size_t i = 0; i < 3; i++)
                SysFreeString(text[i]);
        IVssWMFiledesc_Release(files);
        TRY(IVssWMComponent_GetDependency(component, 0, &dependency));
        TRY(IVssWMDependency_GetLogicalPath(dependency, &text[0]));
        TRY(IVssWMDependency_GetComponentName(dependency, &text[1]));
        SysFreeString(text[0]);
        SysFreeString(text[1]);
        IVssWMDependency_Release(dependency);
        IVssWMComponent_Release(component);
        IVssExamineWriterMetadata_Release(e);
}

START_TEST(reading_a_document) {
        walk(read_document, 20);
}
END_TEST

static const char components_text[] =
        "<BACKUP_COMPONENTS version=\"1.2\" bootableSystemStateBackup=\"no\" "
        "selectComponents=\"yes\" backupType=\"full\" partialFileSupport=\"yes\">"
        "<WRITER_COMPONENTS instanceId=\"" ID_TEXT "\" writerId=\"" ID_TEXT "\" "
        "backupSchema=\"65\"><COMPONENT logicalPath=\"l\" componentName=\"c\" "
        "componentType=\"filegroup\"><NEW_TARGET path=\"/a\" filespec=\"*\" recursive=\"no\" "
        "alternatePath=\"/b\"/></COMPONENT></WRITER_COMPONENTS></BACKUP_COMPONENTS>";

static void write_components(void) {
        IVssWriterComponents *components = NULL, *read = NULL;
        _cleanup_(generation_unrefp) struct generation *g = NULL;
        _cleanup_(freep) char *xml = NULL;
        struct vss_error e = { 0 };
        IVssWMFiledesc *files;
        IVssComponent *c;
        BSTR text[4];
        size_t size;

        TRY(result(writer_components_new_for_writer(&components, BACKUP_PHASE_POST_SNAPSHOT,
                                                    components_text, sizeof(components_text) - 1,
                                                    &e),
                   &e));
        TRY(IVssWriterComponents_GetComponent(components, 0, &c));
        TRY(IVssComponent_SetBackupStamp(c, "stamp"));
        TRY(IVssComponent_SetBackupMetadata(c, "data"));
        TRY(IVssComponent_AddPartialFile(c, "${statedir}/a", "f", "0:1", "note"));
        TRY(IVssComponent_AddDifferencedFilesByLastModifyTime(c, "/a", "*", TRUE,
                                                              (FILETIME){ 1, 2 }));
        TRY(IVssComponentEx2_SetFailure(c, VSS_E_WRITERERROR_RETRYABLE, 1, "why", 0));
        IVssComponent_Release(c);
        TRY(result(writer_components_finish(components, &xml, &size, &e), &e));
        IVssWriterComponentsExt_Release(components);

        while (generation_new(&g) < 0)
                failed = true;
        TRY(result(writer_components_new_for_requester(&read, g, true, GUID_NULL, GUID_NULL, xml,
                                                       size, &e),
                   &e));
        TRY(IVssWriterComponents_GetComponent(read, 0, &c));
        TRY(IVssComponent_GetLogicalPath(c, &text[0]));
        TRY(IVssComponent_GetBackupStamp(c, &text[1]));
        require(streq(text[1], "stamp"), "the stamp");
        SysFreeString(text[0]);
        SysFreeString(text[1]);
        TRY(IVssComponent_GetPartialFile(c, 0, &text[0], &text[1], &text[2], &text[3]));
        for (size_t i = 0; i < 4; i++)
                SysFreeString(text[i]);
        TRY(IVssComponent_GetNewTarget(c, 0, &files));
        IVssWMFiledesc_Release(files);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(read);
}

START_TEST(writing_and_reading_components) {
        write_components();
        walk(write_components, 20);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("object-memory");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int n_failed;

        xmlSetGenericErrorFunc(NULL, be_quiet);
        tcase_add_test(tcase, making_a_document);
        tcase_add_test(tcase, reading_a_document);
        tcase_add_test(tcase, writing_and_reading_components);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
