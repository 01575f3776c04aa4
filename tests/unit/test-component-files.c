/* VssSelection as a backup program uses it: from metadata to files on a real tree, for a type of
 * backup, with what the writer said of it. */

#include "common/util.h"
#include "libvssclient/writer-components.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <vss/vsslinux.h>

static char root[64];
static const VSS_ID class_id = { .Data1 = 0x5affb034 };

static void make_file(const char *path) {
        char whole[256];
        FILE *f;

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        f = fopen(whole, "we");
        ck_assert_msg(f != NULL, "%s", whole);
        ck_assert_int_ge(fputs(path, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void make_directory(const char *path) {
        char whole[256];

        (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
        ck_assert_int_eq(mkdir(whole, 0755), 0);
}

static void set_up(void) {
        (void)snprintf(root, sizeof(root), "/tmp/vss-files-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        make_directory("db");
        make_file("db/main.dat");
        make_file("db/main.log");
        make_file("db/scratch.dat");
        make_directory("users");
        make_file("users/anna");
        make_file("users/bert");
        make_directory("new");
        make_file("new/one");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f) {
        (void)st;
        (void)type;
        (void)f;
        return remove(path);
}

static void tear_down(void) {
        ck_assert_int_eq(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The text with each '@' replaced by the tree's root. */
static char *with_root(const char *text) {
        char *result = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&result, &size);

        ck_assert_ptr_nonnull(f);
        for (; *text != '\0'; text++)
                ck_assert_int_ge(*text == '@' ? fputs(root, f) : fputc(*text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        return result;
}

#define HEAD                                                                       \
        "<WRITER_METADATA xmlns='x-schema:#VssWriterMetadataInfo' version='1.2' "  \
        "backupSchema='%u'>"                                                       \
        "<IDENTIFICATION writerId='5affb034-0000-0000-0000-000000000000' "         \
        "instanceId='00000001-0000-0000-0000-000000000000' friendlyName='Test' "   \
        "usage='USER_DATA' dataSource='OTHER' majorVersion='0' minorVersion='0'/>" \
        "<BACKUP_LOCATIONS>"
#define TAIL "</BACKUP_LOCATIONS></WRITER_METADATA>"
#define COMPONENT(name, path, selectable)                                           \
        "componentName='" name "' " path                                            \
        " restoreMetadata='no' notifyOnBackupComplete='no' selectable='" selectable \
        "' selectableForRestore='no' componentFlags='0'"

/* clang-format off */
/* A full backup has all, a log backup the logs; users is part of all. */
static const char locations[] =
        "<DATABASE " COMPONENT("main", "", "yes") ">"
        "<DATABASE_FILES path='@/db' filespec='*.dat' filespecBackupType='257'/>"
        "<DATABASE_LOGFILES path='@/db' filespec='*.log' filespecBackupType='3855'/>"
        "</DATABASE>"
        "<FILE_GROUP " COMPONENT("all", "", "yes") "/>"
        "<FILE_GROUP " COMPONENT("users", "logicalPath='all'", "no") ">"
        "<FILE_LIST path='@/users' filespec='*' filespecBackupType='257'/>"
        "</FILE_GROUP>"
        "<FILE_GROUP " COMPONENT("odd", "", "yes") ">"
        "<FILE_LIST path='@/users' filespec='carl' filespecBackupType='3855'/>"
        "<FILE_LIST path='@/${NOT_DEFINED}' filespec='*' filespecBackupType='3855'/>"
        "</FILE_GROUP>"
        "<EXCLUDE_FILES path='@/db' filespec='scratch.*' recursive='no'/>";

/* What each type of backup has: full all but d, incremental d and the logs, differential b and
 * the logs. */
static const char typed[] =
        "<DATABASE " COMPONENT("main", "", "yes") ">"
        "<DATABASE_FILES path='@/db' filespec='main.dat' filespecBackupType='257'/>"
        "<DATABASE_FILES path='@/users' filespec='bert' filespecBackupType='771'/>"
        "<DATABASE_FILES path='@/new' filespec='one' filespecBackupType='1028'/>"
        "<DATABASE_LOGFILES path='@/db' filespec='*.log'/>"
        "</DATABASE>";

/* Sets that have files in common, in a component and in one that is part of it. */
static const char overlapping[] =
        "<FILE_GROUP " COMPONENT("main", "", "yes") ">"
        "<FILE_LIST path='@/users' filespec='a*' recursive='yes'/>"
        "<FILE_LIST path='@' filespec='*' recursive='yes'/>"
        "<FILE_LIST path='@/db' filespec='main.dat'/>"
        "</FILE_GROUP>"
        "<FILE_GROUP " COMPONENT("part", "logicalPath='main'", "no") ">"
        "<FILE_LIST path='@/users' filespec='bert'/>"
        "</FILE_GROUP>";

/* Its files are elsewhere than they belong. */
static const char elsewhere[] =
        "<FILE_GROUP " COMPONENT("main", "", "yes") ">"
        "<FILE_LIST path='@/not/there' filespec='*' recursive='yes' alternatePath='@/users'/>"
        "</FILE_GROUP>";
/* clang-format on */

static IVssExamineWriterMetadata *metadata_of(const char *of, unsigned schema) {
        char head[1024];
        _cleanup_(freep) char *body = with_root(of), *text = NULL;
        IVssExamineWriterMetadata *metadata = NULL;

        (void)snprintf(head, sizeof(head), HEAD, schema);
        ck_assert_int_eq(str_format(&text, "%s%s%s", head, body, TAIL), 0);
        ck_assert_msg(CreateVssExamineWriterMetadata(text, &metadata) == S_OK, "%s",
                      VssLastErrorMessage());
        return metadata;
}

static VssSelection *choose_from(const char *of, unsigned schema, const char *name) {
        IVssExamineWriterMetadata *metadata = metadata_of(of, schema);
        VssSelection *selection = NULL;
        UINT n;

        ck_assert_int_eq(VssSelection_Create(&metadata, 1, &selection), S_OK);
        IVssExamineWriterMetadata_Release(metadata);
        ck_assert_msg(VssSelection_Choose(selection, class_id, NULL, name) == S_OK, "%s",
                      VssLastErrorMessage());
        ck_assert_int_eq(VssSelection_Complete(selection, &n, NULL), S_OK);
        ck_assert_uint_ge(n, 1);
        return selection;
}

static VssSelection *choose(unsigned schema, const char *name) {
        return choose_from(locations, schema, name);
}

struct noted {
        char files[1024], sources[1024], problems[1024];
        HRESULT answer;
};

static HRESULT on_file(void *user, const VSS_FILE *file) {
        struct noted *noted = user;

        ck_assert_uint_lt(strlen(noted->files) + strlen(file->path) + 64, sizeof(noted->files));
        strcat(strcat(noted->files, file->path + strlen(root)), " ");
        if (file->ranges)
                strcat(strcat(noted->files, file->ranges), " ");
        ck_assert_uint_lt(strlen(noted->sources) + strlen(file->source) + 2,
                          sizeof(noted->sources));
        strcat(strcat(noted->sources, file->source + strlen(root)), " ");
        return noted->answer;
}

static HRESULT on_problem(void *user, const VSS_FILE_PROBLEM *problem) {
        struct noted *noted = user;

        strcat(strcat(noted->problems, problem->message), "\n");
        return S_OK;
}

static HRESULT list(VssSelection *selection, UINT component, VSS_BACKUP_TYPE type,
                    IVssComponent *state, bool alone, struct noted *noted) {
        *noted = (struct noted){ .answer = S_OK };
        return VssSelection_ListFiles(selection, component,
                                      &(const VSS_FILE_REQUEST){
                                              .size = sizeof(VSS_FILE_REQUEST),
                                              .type = type,
                                              .alone = alone,
                                              .state = state,
                                              .user = noted,
                                              .OnFile = on_file,
                                              .OnProblem = on_problem,
                                      });
}

START_TEST(the_type_says_which_files) {
        static const struct {
                unsigned schema;
                VSS_BACKUP_TYPE type;
                const char *want;
        } cases[] = {
                { VSS_BS_LOG, VSS_BT_FULL, "/db/main.dat /db/main.log " },
                { VSS_BS_LOG, VSS_BT_COPY, "/db/main.dat /db/main.log " },
                { VSS_BS_LOG, VSS_BT_LOG, "/db/main.log " },
                { VSS_BS_UNDEFINED, VSS_BT_LOG, "/db/main.dat /db/main.log " }, /* not done: full */
        };
        struct noted noted;

        set_up();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                VssSelection *selection = choose(cases[i].schema, "main");

                ck_assert_int_eq(list(selection, 0, cases[i].type, NULL, false, &noted), S_OK);
                ck_assert_str_eq(noted.files, cases[i].want);
                VssSelection_Release(selection);
        }
        tear_down();
}
END_TEST

START_TEST(each_type_has_its_file_sets) {
        static const struct {
                unsigned schema;
                VSS_BACKUP_TYPE type;
                const char *want;
        } cases[] = {
                { 0, VSS_BT_FULL, "/db/main.dat /users/bert /db/main.log " },
                { VSS_BS_COPY, VSS_BT_COPY, "/db/main.dat /users/bert /db/main.log " },
                { VSS_BS_INCREMENTAL, VSS_BT_INCREMENTAL, "/new/one /db/main.log " },
                { VSS_BS_INCREMENTAL, VSS_BT_DIFFERENTIAL,
                  "/db/main.dat /users/bert /db/main.log " },
                { VSS_BS_DIFFERENTIAL, VSS_BT_DIFFERENTIAL, "/users/bert /db/main.log " },
                { VSS_BS_LOG, VSS_BT_LOG, "/db/main.log " },
                { 0, VSS_BT_OTHER, "/db/main.dat /users/bert /db/main.log " },
        };
        struct noted noted;

        set_up();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                VssSelection *selection = choose_from(typed, cases[i].schema, "main");

                ck_assert_int_eq(list(selection, 0, cases[i].type, NULL, false, &noted), S_OK);
                ck_assert_str_eq(noted.files, cases[i].want);
                VssSelection_Release(selection);
        }
        tear_down();
}
END_TEST

static size_t times(const char *text, const char *what) {
        size_t n = 0;

        for (; (text = strstr(text, what)) != NULL; text += strlen(what))
                n++;
        return n;
}

START_TEST(what_several_sets_have_is_listed_once) {
        static const char *const all[] = {
                "/users ",       "/users/anna ",     "/users/bert ", "/db ",     "/db/main.dat ",
                "/db/main.log ", "/db/scratch.dat ", "/new ",        "/new/one "
        };
        VssSelection *selection;
        struct noted noted;

        set_up();
        selection = choose_from(overlapping, 0, "main");
        ck_assert_int_eq(list(selection, 0, VSS_BT_FULL, NULL, false, &noted), S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                ck_assert_msg(times(noted.files, all[i]) == 1, "'%s' in '%s'", all[i], noted.files);
        /* Another listing begins anew, and a part alone is whole. */
        ck_assert_int_eq(list(selection, 0, VSS_BT_FULL, NULL, true, &noted), S_OK);
        ck_assert_uint_eq(times(noted.files, "/db/main.dat "), 1);
        ck_assert_int_eq(list(selection, 1, VSS_BT_FULL, NULL, true, &noted), S_OK);
        ck_assert_str_eq(noted.files, "/users/bert ");
        VssSelection_Release(selection);
        tear_down();
}
END_TEST

START_TEST(an_explicit_component_stands_for_its_set) {
        VssSelection *selection;
        const VSS_SELECTED_COMPONENT *c;
        struct noted noted;
        UINT top = 0;

        set_up();
        selection = choose(0, "all");
        c = VssSelection_GetComponent(selection, 1);
        ck_assert_str_eq(c->name, "users");
        ck_assert_str_eq(c->logical_path, "all");
        ck_assert(!c->is_explicit);
        ck_assert_int_eq(c->reason, VSS_SR_SUBCOMPONENT);
        ck_assert_uint_eq(c->carrier, top);
        ck_assert_ptr_null(VssSelection_GetComponent(selection, 2));

        ck_assert_int_eq(list(selection, top, VSS_BT_FULL, NULL, false, &noted), S_OK);
        ck_assert_ptr_nonnull(strstr(noted.files, "/users/anna "));
        ck_assert_int_eq(list(selection, top, VSS_BT_FULL, NULL, true, &noted), S_OK);
        ck_assert_str_eq(noted.files, "");
        ck_assert_int_eq(list(selection, 1, VSS_BT_FULL, NULL, true, &noted), S_OK);
        ck_assert_ptr_nonnull(strstr(noted.files, "/users/bert "));
        VssSelection_Release(selection);
        tear_down();
}
END_TEST

START_TEST(problems_are_told_or_end_it) {
        VSS_FILE_REQUEST request = { .size = sizeof(request),
                                     .type = VSS_BT_FULL,
                                     .OnFile = on_file };
        VssSelection *selection;
        struct noted noted;

        set_up();
        selection = choose(0, "odd");
        ck_assert_int_eq(list(selection, 0, VSS_BT_FULL, NULL, false, &noted), S_FALSE);
        ck_assert_ptr_nonnull(strstr(noted.problems, "no file 'carl'"));
        ck_assert_ptr_nonnull(strstr(noted.problems, "NOT_DEFINED"));

        noted = (struct noted){ .answer = S_OK };
        request.user = &noted;
        ck_assert_int_eq(VssSelection_ListFiles(selection, 0, &request), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "no file 'carl'"));
        VssSelection_Release(selection);

        selection = choose(0, "main");
        noted.answer = E_ABORT;
        ck_assert_int_eq(VssSelection_ListFiles(selection, 0, &request), E_ABORT);
        ck_assert_int_eq(VssSelection_ListFiles(selection, 1, &request), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_ListFiles(selection, 0, NULL), E_INVALIDARG);
        request.size = 1;
        ck_assert_int_eq(VssSelection_ListFiles(selection, 0, &request), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Choose(selection, class_id, NULL, "all"), VSS_E_BAD_STATE);
        ck_assert_int_eq(VssSelection_Complete(selection, NULL, NULL), VSS_E_BAD_STATE);
        VssSelection_Release(selection);
        tear_down();
}
END_TEST

/* A document with the component main, and these entries. */
static char *document_of(const char *type, const char *instance, const char *entries) {
        _cleanup_(freep) char *body = with_root(entries);
        char *text;

        ck_assert_int_eq(
                str_format(
                        &text,
                        "<BACKUP_COMPONENTS xmlns='x-schema:#VssComponentMetadata' version='1.2' "
                        "bootableSystemStateBackup='no' selectComponents='yes' "
                        "backupType='%s' partialFileSupport='yes'>"
                        "<WRITER_COMPONENTS instanceId='%s-0000-0000-0000-000000000000' "
                        "writerId='5affb034-0000-0000-0000-000000000000'>"
                        "<COMPONENT componentName='main' componentType='database'>%s"
                        "</COMPONENT></WRITER_COMPONENTS></BACKUP_COMPONENTS>",
                        type, instance, body),
                0);
        return text;
}

static IVssComponent *state_of(const char *entries, IVssWriterComponents **ret_components) {
        _cleanup_(freep) char *text = document_of("full", "00000001", entries);
        struct generation *g = NULL;
        IVssComponent *component = NULL;

        ck_assert_int_eq(generation_new(&g), 0);
        ck_assert_int_eq(writer_components_new_for_requester(ret_components, g, false,
                                                             (VSS_ID){ .Data1 = 1 }, class_id, text,
                                                             strlen(text), NULL),
                         0);
        generation_unref(g);
        ck_assert_msg(IVssWriterComponents_GetComponent(*ret_components, 0, &component) == S_OK,
                      "%s", VssLastErrorMessage());
        return component;
}

/* What the writer said of this backup beats the masks. */
START_TEST(partial_and_differenced_files_beat_the_mask) {
        IVssWriterComponents *components = NULL;
        VssSelection *selection;
        IVssComponent *state;
        struct noted noted;
        UINT n = 0;

        set_up();
        state = state_of("<PARTIAL_FILE path='@/db' filespec='main.log' ranges='0:4,8:4' "
                         "metadata='m'/>"
                         "<DIFFERENCED_FILES path='@/db/' filespec='*.dat' recursive='no' "
                         "lastModifyTime='0'/>"
                         "<DIFFERENCED_FILES path='@/new' filespec='*' recursive='no' "
                         "lastModifyTime='0'/>",
                         &components);
        ck_assert_int_eq(IVssComponent_GetPartialFileCount(state, &n), S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(IVssComponent_GetDifferencedFilesCount(state, &n), S_OK);
        ck_assert_uint_eq(n, 2);

        /* In a log backup only *.log would be in, and whole. */
        selection = choose(VSS_BS_LOG | VSS_BS_LAST_MODIFY, "main");
        ck_assert_msg(list(selection, 0, VSS_BT_LOG, state, false, &noted) == S_OK, "%s",
                      noted.problems);
        ck_assert_str_eq(noted.files, "/db/main.dat /new/one /db/main.log 0:4,8:4 ");
        VssSelection_Release(selection);
        IVssComponent_Release(state);
        IVssWriterComponentsExt_Release(components);
        tear_down();
}
END_TEST

START_TEST(a_partial_file_is_read_where_its_set_is) {
        IVssWriterComponents *components = NULL;
        VssSelection *selection;
        IVssComponent *state;
        struct noted noted;

        set_up();
        state = state_of("<PARTIAL_FILE path='@/not/there' filespec='anna' ranges='0:1'/>",
                         &components);
        selection = choose_from(elsewhere, 0, "main");
        ck_assert_msg(list(selection, 0, VSS_BT_FULL, state, false, &noted) == S_OK, "%s",
                      noted.problems);
        ck_assert_ptr_nonnull(strstr(noted.files, "/not/there/bert "));
        ck_assert_ptr_nonnull(strstr(noted.files, "/not/there/anna 0:1 "));
        ck_assert_uint_eq(times(noted.files, "/not/there/anna "), 1);
        ck_assert_ptr_nonnull(strstr(noted.sources, "/users/anna "));
        VssSelection_Release(selection);
        IVssComponent_Release(state);
        IVssWriterComponentsExt_Release(components);
        tear_down();
}
END_TEST

/* More is listed then, and never less. */
static const struct contradiction {
        const char *said, *files, *problem;
} contradictions[] = {
        /* A part of a set, and a part of its name space. */
        { "<DIFFERENCED_FILES path='@/db' filespec='m*' recursive='no' lastModifyTime='0'/>",
          "/db/main.dat /db/main.log ", "is not that set" },
        { "<DIFFERENCED_FILES path='@/db' filespec='*.dat' recursive='yes' lastModifyTime='0'/>",
          "/db/main.dat /db/main.log /db ", "is not that set" },
        { "<DIFFERENCED_FILES path='@' filespec='*.dat' recursive='yes' "
          "lastModifyTime='264490368000000000'/>", /* nothing is that new */
          "/db/main.dat /db/main.log ", "is not that set" },
        /* Both differenced and partial: the former counts. */
        { "<DIFFERENCED_FILES path='@/db' filespec='*.dat' recursive='no' lastModifyTime='0'/>"
          "<PARTIAL_FILE path='@/db' filespec='main.dat' ranges='0:1'/>",
          "/db/main.dat /db/main.log ", "all of it counts" },
        { "<PARTIAL_FILE path='@/new' filespec='one' ranges='0:1'/>",
          "/db/main.dat /db/main.log /new/one 0:1 ", "below none of the component's file sets" },
        { "<DIFFERENCED_FILES path='@/db' filespec='../users/anna' recursive='no' "
          "lastModifyTime='0'/>",
          "/db/main.dat /db/main.log ", "is no specification" },
};

START_TEST(a_writer_that_contradicts_itself_is_told_of) {
        const struct contradiction *c = &contradictions[_i];
        IVssWriterComponents *components = NULL;
        VssSelection *selection;
        IVssComponent *state;
        struct noted noted;

        set_up();
        state = state_of(c->said, &components);
        selection = choose(VSS_BS_LAST_MODIFY, "main");
        ck_assert_int_eq(list(selection, 0, VSS_BT_FULL, state, false, &noted), S_FALSE);
        ck_assert_msg(strncmp(noted.files, c->files, strlen(c->files)) == 0, "'%s' is not '%s'",
                      noted.files, c->files);
        ck_assert_msg(strstr(noted.problems, c->problem), "'%s' is not in '%s'", c->problem,
                      noted.problems);
        ck_assert_uint_eq(times(noted.problems, "\n"), 1);
        ck_assert_uint_eq(times(noted.files, "/db/main.dat "), 1);
        VssSelection_Release(selection);
        IVssComponent_Release(state);
        IVssWriterComponentsExt_Release(components);
        tear_down();
}
END_TEST

/* What a backup has that was made: of its type, and with what the writer said of it. */
START_TEST(a_document_says_what_is_in_a_backup) {
        static const char said[] = "<PARTIAL_FILE path='@/db' filespec='main.log' ranges='0:4'/>";
        static const char *const instances[] = { "00000001", "00000002" };
        IVssExamineWriterMetadata *metadata;
        VssSelection *selection = NULL;
        struct noted noted;
        UINT n;

        set_up();
        metadata = metadata_of(locations, VSS_BS_LOG);
        /* The instance of the backup has gone, perhaps. */
        for (size_t i = 0; i < ARRAY_SIZE(instances); i++) {
                _cleanup_(freep) char *log = document_of("log", instances[i], said);

                ck_assert_msg(VssSelection_CreateForDocument(log, &metadata, 1, &selection) == S_OK,
                              "%s", VssLastErrorMessage());
                ck_assert_str_eq(VssSelection_GetComponent(selection, 0)->name, "main");
                ck_assert(VssSelection_GetComponent(selection, 0)->is_explicit);
                ck_assert_ptr_null(VssSelection_GetComponent(selection, 1));
                ck_assert_int_eq(list(selection, 0, VSS_BT_UNDEFINED, NULL, false, &noted), S_OK);
                ck_assert_str_eq(noted.files, "/db/main.log 0:4 ");
                ck_assert_int_eq(list(selection, 0, VSS_BT_FULL, NULL, false, &noted), S_OK);
                ck_assert_str_eq(noted.files, "/db/main.dat /db/main.log 0:4 ");
                ck_assert_int_eq(VssSelection_Choose(selection, class_id, NULL, "all"),
                                 VSS_E_BAD_STATE);
                ck_assert_int_eq(VssSelection_Complete(selection, &n, NULL), VSS_E_BAD_STATE);
                VssSelection_Release(selection);
        }
        IVssExamineWriterMetadata_Release(metadata);
        tear_down();
}
END_TEST

START_TEST(a_document_without_its_metadata_is_refused) {
        IVssExamineWriterMetadata *metadata = metadata_of("", 0);
        _cleanup_(freep) char *text = document_of("full", "00000001", "");
        VssSelection *selection = NULL;

        ck_assert_int_eq(VssSelection_CreateForDocument(text, &metadata, 1, &selection),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "the component 'main'"));
        ck_assert_ptr_null(selection);
        ck_assert_int_eq(VssSelection_CreateForDocument(text, NULL, 0, &selection),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(VssSelection_CreateForDocument("<x/>", &metadata, 1, &selection),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(VssSelection_CreateForDocument(NULL, &metadata, 1, &selection),
                         E_INVALIDARG);
        ck_assert_int_eq(VssSelection_CreateForDocument(text, &metadata, 1, NULL), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_CreateForDocument(text, NULL, 1, &selection), E_INVALIDARG);
        IVssExamineWriterMetadata_Release(metadata);
}
END_TEST

START_TEST(arguments_are_checked) {
        IVssExamineWriterMetadata *none = NULL;
        VssSelection *selection = NULL;
        char **volumes = NULL;

        ck_assert_int_eq(VssSelection_Create(NULL, 1, &selection), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Create(&none, 1, &selection), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Create(NULL, 0, NULL), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Create(NULL, 0, &selection), S_OK);
        ck_assert_int_eq(VssSelection_Choose(NULL, class_id, NULL, NULL), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Choose(selection, class_id, NULL, ""), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_Choose(selection, class_id, NULL, NULL),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(VssSelection_ListVolumes(selection, VSS_BT_FULL, &volumes),
                         VSS_E_BAD_STATE);
        ck_assert_ptr_null(VssSelection_GetComponent(selection, 0));
        ck_assert_ptr_null(VssSelection_GetComponent(NULL, 0));
        ck_assert_ptr_null(VssSelection_GetMissing(NULL, 0));
        ck_assert_int_eq(VssSelection_Complete(selection, NULL, NULL), S_OK);
        ck_assert_int_eq(VssSelection_ListVolumes(selection, VSS_BT_FULL, NULL), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_ListVolumes(selection, VSS_BT_FULL, &volumes), S_OK);
        ck_assert_ptr_nonnull(volumes);
        ck_assert_ptr_null(volumes[0]);
        VssFreeStrings(volumes);
        VssFreeStrings(NULL);
        ck_assert_int_eq(VssSelection_SetSource(NULL, GUID_NULL), E_INVALIDARG);
        ck_assert_int_eq(VssSelection_SetSource(selection, GUID_NULL), S_OK);
        ck_assert_int_eq(VssSelection_AddComponents(NULL, NULL), E_INVALIDARG);
        VssSelection_Release(selection);
        VssSelection_Release(NULL);
}
END_TEST

/* The files' volume is found; what it is called depends on the machine. */
START_TEST(the_volumes_are_those_of_the_files) {
        VssSelection *selection;
        char **volumes = NULL;

        set_up();
        selection = choose(0, "main");
        ck_assert_int_eq(VssSelection_ListVolumes(selection, VSS_BT_FULL, &volumes), S_OK);
        ck_assert_ptr_nonnull(volumes[0]);
        ck_assert_ptr_null(volumes[1]);
        ck_assert(streq(volumes[0], "/") || (strncmp(root, volumes[0], strlen(volumes[0])) == 0 &&
                                             root[strlen(volumes[0])] == '/'));
        VssFreeStrings(volumes);
        VssSelection_Release(selection);
        tear_down();
}
END_TEST

int main(void) {
        Suite *s = suite_create("component-files");
        TCase *c = tcase_create("component-files");
        SRunner *runner;
        int failed;

        tcase_add_test(c, the_type_says_which_files);
        tcase_add_test(c, each_type_has_its_file_sets);
        tcase_add_test(c, what_several_sets_have_is_listed_once);
        tcase_add_test(c, an_explicit_component_stands_for_its_set);
        tcase_add_test(c, problems_are_told_or_end_it);
        tcase_add_test(c, partial_and_differenced_files_beat_the_mask);
        tcase_add_test(c, a_partial_file_is_read_where_its_set_is);
        tcase_add_loop_test(c, a_writer_that_contradicts_itself_is_told_of, 0,
                            ARRAY_SIZE(contradictions));
        tcase_add_test(c, a_document_says_what_is_in_a_backup);
        tcase_add_test(c, a_document_without_its_metadata_is_refused);
        tcase_add_test(c, arguments_are_checked);
        tcase_add_test(c, the_volumes_are_those_of_the_files);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
