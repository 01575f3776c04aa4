/* IVssCreateWriterMetadata: what is made comes out again through IVssExamineWriterMetadata; what is
 * refused, with which code, and that it leaves the document as it was. */

#include "common/vss-id.h"
#include "libvssclient/create-writer-metadata.h"

#include <check.h>
#include <stdio.h>
#include <vss/vsbackup.h>
#include <vss/vsslinux.h>

#define MASK 0xf0fu

static const VSS_ID other_class = { .Data1 = 0xc, .Data4 = { 3 } };
static const struct writer_metadata_identity identity = {
        .writer_id = { .Data1 = 0xa, .Data4 = { 1 } },
        .instance_id = { .Data1 = 0xb, .Data4 = { 2 } },
        .name = "Test Writer",
        .instance_name = "one",
        .usage = VSS_UT_USERDATA,
        .source = VSS_ST_TRANSACTEDDB,
        .major_version = 2,
        .minor_version = 5,
};

static IVssCreateWriterMetadata *metadata;

static HRESULT add_component(VSS_COMPONENT_TYPE type, const char *logical_path, const char *name,
                             DWORD flags) {
        return IVssCreateWriterMetadata_AddComponent(metadata, type, logical_path, name, NULL, NULL,
                                                     0, false, false, true, false, flags);
}

/* A file group "files", a database "db" below "data". */
static void setup(void) {
        ck_assert_int_eq(create_metadata_new(&metadata, &identity, NULL), 0);
        ck_assert_int_eq(add_component(VSS_CT_FILEGROUP, NULL, "files", 0), S_OK);
        ck_assert_int_eq(add_component(VSS_CT_DATABASE, "data", "db", 0), S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                 metadata, NULL, "files", "/srv/", "*", true, NULL, MASK),
                         S_OK);
}

static void teardown(void) {
        metadata = create_metadata_free(metadata);
}

static char *text(void) {
        BSTR xml = NULL;

        ck_assert_int_eq(IVssCreateWriterMetadata_SaveAsXML(metadata, &xml), S_OK);
        return xml;
}

static IVssExamineWriterMetadata *examine(void) {
        _cleanup_(freep) char *xml = text();
        IVssExamineWriterMetadata *e = NULL;

        ck_assert_int_eq(CreateVssExamineWriterMetadata(xml, &e), S_OK);
        return e;
}

START_TEST(what_is_made_is_what_is_read) {
        static const BYTE icon[] = { 0, 1, 2, 0xff };
        IVssExamineWriterMetadata *e;
        VSS_RESTOREMETHOD_ENUM method;
        VSS_WRITERRESTORE_ENUM restore;
        UINT include, exclude, n;
        IVssWMDependency *dependency;
        IVssWMComponent *component;
        PVSSCOMPONENTINFO info;
        IVssWMFiledesc *files;
        BSTR one, two;
        DWORD mask;
        bool flag;
        VSS_ID id;

        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponent(
                                 metadata, VSS_CT_FILEGROUP, "files\\more", "third",
                                 "A caption\nof two lines", icon, sizeof(icon), true, true, false,
                                 true, VSS_CF_NOT_SYSTEM_STATE),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                 metadata, "files\\more", "third", "${statedir}/x", "*.db", false,
                                 "/run/spit", 0x10101),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddDatabaseFiles(metadata, "data", "db", "/d",
                                                                   "?.ibd", MASK),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddDatabaseLogFiles(metadata, "data", "db", "/l",
                                                                      "*.log", 0x808),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddExcludeFiles(metadata, "/srv", "*.tmp", true),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(metadata, "/srv",
                                                                                "core", false),
                         S_OK);
        ck_assert_int_eq(
                IVssCreateWriterMetadata_SetRestoreMethod(metadata, VSS_RME_RESTORE_IF_NOT_THERE,
                                                          NULL, NULL, VSS_WRE_NEVER, false),
                S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_SetRestoreMethod(
                                 metadata, VSS_RME_STOP_RESTORE_START, "db.service",
                                 "http://localhost/", VSS_WRE_IF_REPLACE_FAILS, true),
                         S_OK);
        /* "/srv" and "/srv/" are one. */
        ck_assert_int_eq(IVssCreateWriterMetadata_AddAlternateLocationMapping(metadata, "/srv", "*",
                                                                              true, "/mnt"),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddAlternateLocationMapping(
                                 metadata, "/l", "*.log", false, "/mnt/logs"),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponentDependency(
                                 metadata, "data", "db", other_class, "a\\b", "needed"),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_SetBackupSchema(
                                 metadata, VSS_BS_LOG | VSS_BS_INCREMENTAL | VSS_BS_TIMESTAMPED),
                         S_OK);

        e = examine();
        ck_assert_int_eq(IVssExamineWriterMetadata_GetFileCounts(e, &include, &exclude, &n), S_OK);
        ck_assert(include == 0 && exclude == 1 && n == 3);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetBackupSchema(e, &mask), S_OK);
        ck_assert_uint_eq(mask, VSS_BS_LOG | VSS_BS_INCREMENTAL | VSS_BS_TIMESTAMPED);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetRestoreMethod(e, &method, &one, &two,
                                                                    &restore, &flag, &n),
                         S_OK);
        ck_assert(method == VSS_RME_STOP_RESTORE_START && restore == VSS_WRE_IF_REPLACE_FAILS &&
                  flag && n == 2);
        ck_assert_str_eq(one, "db.service");
        ck_assert_str_eq(two, "http://localhost/");
        SysFreeString(one);
        SysFreeString(two);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetAlternateLocationMapping(e, 1, &files), S_OK);
        ck_assert_int_eq(IVssWMFiledesc_GetAlternateLocation(files, &one), S_OK);
        ck_assert_str_eq(one, "/mnt/logs");
        SysFreeString(one);
        IVssWMFiledesc_Release(files);
        ck_assert_int_eq(IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotCount(e, &n), S_OK);
        ck_assert_uint_eq(n, 1);

        /* The third: a file group. */
        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 2, &component), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetComponentInfo(component, &info), S_OK);
        ck_assert_int_eq(info->type, VSS_CT_FILEGROUP);
        ck_assert_str_eq(info->bstrLogicalPath, "files\\more");
        ck_assert_str_eq(info->bstrComponentName, "third");
        ck_assert_str_eq(info->bstrCaption, "A caption\nof two lines");
        ck_assert(info->cbIcon == sizeof(icon) && memcmp(info->pbIcon, icon, sizeof(icon)) == 0);
        ck_assert(info->bRestoreMetadata && info->bNotifyOnBackupComplete && !info->bSelectable &&
                  info->bSelectableForRestore);
        ck_assert_uint_eq(info->dwComponentFlags, VSS_CF_NOT_SYSTEM_STATE);
        ck_assert(info->cFileCount == 1 && info->cDatabases == 0 && info->cLogFiles == 0 &&
                  info->cDependencies == 0);
        ck_assert_int_eq(IVssWMComponent_FreeComponentInfo(component, info), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetFile(component, 0, &files), S_OK);
        ck_assert_int_eq(IVssWMFiledesc_GetPath(files, &one), S_OK);
        ck_assert_str_eq(one, "${statedir}/x");
        SysFreeString(one);
        ck_assert_int_eq(IVssWMFiledesc_GetAlternateLocation(files, &one), S_OK);
        ck_assert_str_eq(one, "/run/spit");
        SysFreeString(one);
        ck_assert_int_eq(IVssWMFiledesc_GetBackupTypeMask(files, &mask), S_OK);
        ck_assert_uint_eq(mask, 0x10101);
        IVssWMFiledesc_Release(files);
        IVssWMComponent_Release(component);

        /* The second: a database, which outlives what it came from. */
        ck_assert_int_eq(IVssExamineWriterMetadata_GetComponent(e, 1, &component), S_OK);
        ck_assert_uint_eq(IVssExamineWriterMetadata_Release(e), 0);
        ck_assert_int_eq(IVssWMComponent_GetComponentInfo(component, &info), S_OK);
        ck_assert(info->cFileCount == 0 && info->cDatabases == 1 && info->cLogFiles == 1 &&
                  info->cDependencies == 1);
        ck_assert_ptr_null(info->bstrCaption);
        ck_assert_ptr_null(info->pbIcon);
        ck_assert_int_eq(IVssWMComponent_FreeComponentInfo(component, info), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetDatabaseLogFile(component, 0, &files), S_OK);
        ck_assert_int_eq(IVssWMComponent_GetDependency(component, 0, &dependency), S_OK);
        IVssWMComponent_Release(component);
        ck_assert_int_eq(IVssWMFiledesc_GetFilespec(files, &one), S_OK);
        ck_assert_str_eq(one, "*.log");
        SysFreeString(one);
        ck_assert_int_eq(IVssWMFiledesc_GetRecursive(files, &flag), S_OK);
        ck_assert(!flag);
        ck_assert_int_eq(IVssWMFiledesc_GetAlternateLocation(files, &one), S_FALSE);
        ck_assert_ptr_null(one);
        IVssWMFiledesc_Release(files);
        ck_assert_int_eq(IVssWMDependency_GetWriterId(dependency, &id), S_OK);
        ck_assert(vss_id_equal(id, other_class));
        ck_assert_int_eq(IVssWMDependency_GetLogicalPath(dependency, &one), S_OK);
        ck_assert_str_eq(one, "a\\b");
        SysFreeString(one);
        ck_assert_int_eq(IVssWMDependency_GetComponentName(dependency, &one), S_OK);
        ck_assert_str_eq(one, "needed");
        SysFreeString(one);
        ck_assert_uint_eq(IVssWMDependency_Release(dependency), 0);
}
END_TEST

/* Each leaves the document as it was. */
START_TEST(component_names_are_checked) {
        static const struct {
                int type;
                const char *logical_path, *name;
                DWORD flags;
                HRESULT hr;
        } rows[] = {
                { VSS_CT_FILEGROUP, "", "a", 0, S_OK },
                { VSS_CT_DATABASE, "x\\y", "a", 7, S_OK },
                { VSS_CT_FILEGROUP, "", "a", 0, VSS_E_OBJECT_ALREADY_EXISTS },
                { VSS_CT_DATABASE, NULL, "a", 0, VSS_E_OBJECT_ALREADY_EXISTS },
                { VSS_CT_FILEGROUP, NULL, "A", 0, VSS_E_OBJECT_ALREADY_EXISTS },
                { VSS_CT_FILEGROUP, "X\\y", "a", 0, VSS_E_OBJECT_ALREADY_EXISTS },
                { VSS_CT_FILEGROUP, "x", "a", 0, S_OK },
                { VSS_CT_UNDEFINED, NULL, "b", 0, E_INVALIDARG },
                { 3, NULL, "b", 0, E_INVALIDARG },
                { -1, NULL, "b", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, NULL, NULL, 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, NULL, "", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, NULL, "b\\c", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, "\\b", "c", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, "b\\", "c", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, "b\\\\c", "d", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, "\x01", "c", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, NULL, "\xff", 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, NULL, "b", 8, E_INVALIDARG },
                /* What was refused may still be added. */
                { VSS_CT_FILEGROUP, NULL, "b", 4, S_OK },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *before = text(), *after = NULL;
                HRESULT hr = add_component((VSS_COMPONENT_TYPE)rows[i].type, rows[i].logical_path,
                                           rows[i].name, rows[i].flags);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                after = text();
                ck_assert_msg(streq(before, after) == FAILED(hr), "row %zu", i);
        }
}
END_TEST

START_TEST(sets_of_files_are_checked) {
        static const struct {
                const char *path, *filespec, *alternate;
                DWORD mask;
                HRESULT hr;
        } rows[] = {
                { "/a", "*", NULL, MASK, S_OK },
                { "/a/", "*.*", "", 0, S_OK },
                { "/a", "[x]\\*?", "/b", 0x10f0f, S_OK },
                { "%ProgramData%/a", "*", "${runstatedir}/b", MASK, S_OK },
                { "/100%", "*", NULL, MASK, S_OK },
                { NULL, "*", NULL, MASK, E_INVALIDARG },
                { "", "*", NULL, MASK, E_INVALIDARG },
                { "/a", NULL, NULL, MASK, E_INVALIDARG },
                { "/a", "", NULL, MASK, E_INVALIDARG },
                { "a", "*", NULL, MASK, E_INVALIDARG },
                { "C:\\Windows", "*", NULL, MASK, E_INVALIDARG },
                { "/a*", "*", NULL, MASK, E_INVALIDARG },
                { "/a?", "*", NULL, MASK, E_INVALIDARG },
                { "/a/../b", "*", NULL, MASK, E_INVALIDARG },
                { "/a/..", "*", NULL, MASK, E_INVALIDARG },
                { "/a..", "*", NULL, MASK, S_OK },
                { "/a", "b/*", NULL, MASK, E_INVALIDARG },
                { "${nothing}", "*", NULL, MASK, E_INVALIDARG },
                { "%SystemRoot%", "*", NULL, MASK, E_INVALIDARG },
                { "/a\x02", "*", NULL, MASK, E_INVALIDARG },
                { "/a", "*", "b", MASK, E_INVALIDARG },
                { "/a", "*", "%x%/b", MASK, E_INVALIDARG },
                { "/a", "*", NULL, 0x10, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *before = text(), *after = NULL;
                HRESULT hr = IVssCreateWriterMetadata_AddFilesToFileGroup(
                        metadata, "", "files", rows[i].path, rows[i].filespec, false,
                        rows[i].alternate, rows[i].mask);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                after = text();
                ck_assert_msg(streq(before, after) == FAILED(hr), "row %zu", i);
                /* The other lists take the same. */
                if (rows[i].alternate)
                        continue;
                hr = IVssCreateWriterMetadata_AddDatabaseFiles(metadata, "data", "db", rows[i].path,
                                                               rows[i].filespec, rows[i].mask);
                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                hr = IVssCreateWriterMetadata_AddDatabaseLogFiles(
                        metadata, "data", "db", rows[i].path, rows[i].filespec, rows[i].mask);
                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                if (rows[i].mask != MASK)
                        continue;
                hr = IVssCreateWriterMetadata_AddExcludeFiles(metadata, rows[i].path,
                                                              rows[i].filespec, true);
                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                hr = IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(metadata, rows[i].path,
                                                                            rows[i].filespec, true);
                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
}
END_TEST

START_TEST(files_go_to_a_component_of_their_type) {
        static const struct {
                const char *logical_path, *name;
                HRESULT group, database;
        } rows[] = {
                { NULL, "files", S_OK, E_INVALIDARG },
                { "", "files", S_OK, E_INVALIDARG },
                { "data", "db", E_INVALIDARG, S_OK },
                { NULL, "db", VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_NOT_FOUND },
                { NULL, "FILES", VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_NOT_FOUND },
                { NULL, NULL, E_INVALIDARG, E_INVALIDARG },
                { NULL, "", E_INVALIDARG, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *lp = rows[i].logical_path, *name = rows[i].name;

                ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                         metadata, lp, name, "/a", "*", false, NULL, MASK),
                                 rows[i].group);
                ck_assert_int_eq(IVssCreateWriterMetadata_AddDatabaseFiles(metadata, lp, name, "/a",
                                                                           "*", MASK),
                                 rows[i].database);
                ck_assert_int_eq(IVssCreateWriterMetadata_AddDatabaseLogFiles(metadata, lp, name,
                                                                              "/a", "*", MASK),
                                 rows[i].database);
        }
}
END_TEST

START_TEST(restore_methods_are_checked) {
        static const struct {
                int method;
                const char *service;
                int restore;
                HRESULT hr;
        } rows[] = {
                { VSS_RME_RESTORE_IF_NOT_THERE, NULL, VSS_WRE_NEVER, S_OK },
                { VSS_RME_RESTORE_AT_REBOOT, "", VSS_WRE_ALWAYS, S_OK },
                { VSS_RME_CUSTOM, NULL, VSS_WRE_IF_REPLACE_FAILS, S_OK },
                { VSS_RME_STOP_RESTORE_START, "a.service", VSS_WRE_ALWAYS, S_OK },
                { VSS_RME_RESTORE_STOP_START, "a.service", VSS_WRE_ALWAYS, S_OK },
                { VSS_RME_STOP_RESTORE_START, NULL, VSS_WRE_ALWAYS, E_INVALIDARG },
                { VSS_RME_RESTORE_STOP_START, "", VSS_WRE_ALWAYS, E_INVALIDARG },
                { VSS_RME_CUSTOM, "a.service", VSS_WRE_ALWAYS, E_INVALIDARG },
                { VSS_RME_UNDEFINED, NULL, VSS_WRE_ALWAYS, E_INVALIDARG },
                { 9, NULL, VSS_WRE_ALWAYS, E_INVALIDARG },
                { -1, NULL, VSS_WRE_ALWAYS, E_INVALIDARG },
                { VSS_RME_CUSTOM, NULL, VSS_WRE_UNDEFINED, E_INVALIDARG },
                { VSS_RME_CUSTOM, NULL, 4, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *before = text(), *after = NULL;
                HRESULT hr = IVssCreateWriterMetadata_SetRestoreMethod(
                        metadata, (VSS_RESTOREMETHOD_ENUM)rows[i].method, rows[i].service, NULL,
                        (VSS_WRITERRESTORE_ENUM)rows[i].restore, false);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                after = text();
                ck_assert_msg(streq(before, after) == FAILED(hr), "row %zu", i);
        }
}
END_TEST

START_TEST(mappings_are_of_a_set_of_files_exactly) {
        static const struct {
                const char *path, *filespec;
                bool recursive;
                const char *destination;
                HRESULT hr;
        } rows[] = {
                { "/srv", "*", true, "/mnt", S_OK },
                { "/srv/", "*", true, "/mnt", S_OK },
                { "/srv", "*", false, "/mnt", E_INVALIDARG },
                { "/srv", "*.*", true, "/mnt", E_INVALIDARG },
                { "/srv/a", "*", true, "/mnt", E_INVALIDARG },
                { "/excluded", "*", true, "/mnt", E_INVALIDARG },
                { "/srv", "*", true, "mnt", E_INVALIDARG },
                { "/srv", "*", true, "", E_INVALIDARG },
                { "/srv", "*", true, NULL, E_INVALIDARG },
                { NULL, "*", true, "/mnt", E_INVALIDARG },
                { "/srv", NULL, true, "/mnt", E_INVALIDARG },
        };

        ck_assert_int_eq(IVssCreateWriterMetadata_AddExcludeFiles(metadata, "/excluded", "*", true),
                         S_OK);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddAlternateLocationMapping(metadata, "/srv", "*",
                                                                              true, "/mnt"),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(IVssCreateWriterMetadata_SetRestoreMethod(
                                 metadata, VSS_RME_RESTORE_TO_ALTERNATE_LOCATION, NULL, NULL,
                                 VSS_WRE_ALWAYS, false),
                         S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssCreateWriterMetadata_AddAlternateLocationMapping(
                        metadata, rows[i].path, rows[i].filespec, rows[i].recursive,
                        rows[i].destination);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
        /* Setting the method again loses no mapping. */
        ck_assert_int_eq(
                IVssCreateWriterMetadata_SetRestoreMethod(metadata, VSS_RME_RESTORE_IF_CAN_REPLACE,
                                                          NULL, NULL, VSS_WRE_ALWAYS, false),
                S_OK);
        {
                IVssExamineWriterMetadata *e = examine();
                VSS_RESTOREMETHOD_ENUM method;
                VSS_WRITERRESTORE_ENUM restore;
                BSTR service, procedure;
                bool reboot;
                UINT n;

                ck_assert_int_eq(IVssExamineWriterMetadata_GetRestoreMethod(
                                         e, &method, &service, &procedure, &restore, &reboot, &n),
                                 S_OK);
                ck_assert_uint_eq(n, 2);
                ck_assert_int_eq(method, VSS_RME_RESTORE_IF_CAN_REPLACE);
                IVssExamineWriterMetadata_Release(e);
        }
}
END_TEST

START_TEST(dependencies_are_on_other_writers) {
        static const struct {
                const char *for_path, *for_name;
                unsigned writer; /* 0: none, 1: itself, 2: another */
                const char *on_path, *on_name;
                HRESULT hr;
        } rows[] = {
                { "data", "db", 2, NULL, "x", S_OK },
                { NULL, "files", 2, "\\\\host\\a", "x", S_OK },
                { NULL, "db", 2, NULL, "x", VSS_E_OBJECT_NOT_FOUND },
                { NULL, NULL, 2, NULL, "x", E_INVALIDARG },
                { NULL, "files", 0, NULL, "x", E_INVALIDARG },
                { NULL, "files", 1, NULL, "x", E_INVALIDARG },
                { NULL, "files", 2, NULL, NULL, E_INVALIDARG },
                { NULL, "files", 2, NULL, "", E_INVALIDARG },
                { NULL, "files", 2, "\x03", "x", E_INVALIDARG },
        };
        const VSS_ID ids[] = { GUID_NULL, identity.writer_id, other_class };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssCreateWriterMetadata_AddComponentDependency(
                        metadata, rows[i].for_path, rows[i].for_name, ids[rows[i].writer],
                        rows[i].on_path, rows[i].on_name);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
}
END_TEST

START_TEST(schemas_are_checked) {
        static const struct {
                DWORD mask;
                HRESULT hr;
        } rows[] = {
                { 0, S_OK },
                { VSS_BS_COPY | VSS_BS_INDEPENDENT_SYSTEM_STATE, S_OK },
                { 0x7, S_OK },
                { VSS_BS_DIFFERENTIAL | VSS_BS_TIMESTAMPED, S_OK },
                { VSS_BS_INCREMENTAL | VSS_BS_LAST_MODIFY, S_OK },
                { 0xf77f & ~0xcu, S_OK }, /* every bit but those that need more */
                { VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL, E_INVALIDARG },
                { VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL | VSS_BS_INCREMENTAL, E_INVALIDARG },
                { VSS_BS_TIMESTAMPED, E_INVALIDARG },
                { VSS_BS_LAST_MODIFY | VSS_BS_COPY, E_INVALIDARG },
                { VSS_BS_LSN, VSS_E_NOT_SUPPORTED },
                { 0x800, E_INVALIDARG },
                { 0x80000000, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssCreateWriterMetadata_SetBackupSchema(metadata, rows[i].mask);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
}
END_TEST

START_TEST(log_backups_need_log_files_when_identify_ends) {
        struct vss_error error = { 0 };
        _cleanup_(freep) char *xml = NULL;

        ck_assert_int_eq(create_metadata_finish(metadata, &xml, &error), 0); /* the control */
        free(TAKE_PTR(xml));
        ck_assert_int_eq(IVssCreateWriterMetadata_SetBackupSchema(metadata, VSS_BS_LOG), S_OK);
        ck_assert_int_lt(create_metadata_finish(metadata, &xml, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        ck_assert_ptr_nonnull(strstr(error.message, "AddDatabaseLogFiles"));
        vss_error_done(&error);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddDatabaseLogFiles(metadata, "data", "db", "/l",
                                                                      "*", MASK),
                         S_OK);
        ck_assert_int_eq(create_metadata_finish(metadata, &xml, &error), 0);
}
END_TEST

START_TEST(a_missing_object_is_refused) {
        BSTR xml = (BSTR)&xml;

        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponent(NULL, VSS_CT_FILEGROUP, NULL, "a",
                                                               NULL, NULL, 0, false, false, false,
                                                               false, 0),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(NULL, NULL, "a", "/a", "*",
                                                                      false, NULL, MASK),
                         E_INVALIDARG);
        ck_assert_int_eq(
                IVssCreateWriterMetadata_AddDatabaseFiles(NULL, NULL, "a", "/a", "*", MASK),
                E_INVALIDARG);
        ck_assert_int_eq(
                IVssCreateWriterMetadata_AddDatabaseLogFiles(NULL, NULL, "a", "/a", "*", MASK),
                E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddExcludeFiles(NULL, "/a", "*", false),
                         E_INVALIDARG);
        ck_assert_int_eq(
                IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(NULL, "/a", "*", false),
                E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_SetRestoreMethod(NULL, VSS_RME_CUSTOM, NULL, NULL,
                                                                   VSS_WRE_ALWAYS, false),
                         E_INVALIDARG);
        ck_assert_int_eq(
                IVssCreateWriterMetadata_AddAlternateLocationMapping(NULL, "/a", "*", false, "/b"),
                E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponentDependency(NULL, NULL, "a",
                                                                         other_class, NULL, "b"),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_SetBackupSchema(NULL, 0), E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_SaveAsXML(NULL, &xml), E_INVALIDARG);
        ck_assert_ptr_null(xml);
        ck_assert_int_eq(IVssCreateWriterMetadata_SaveAsXML(metadata, NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddIncludeFiles(NULL, "/a", "*", false, NULL),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssCreateWriterMetadata_AddIncludeFiles(metadata, "/a", "*", false, NULL),
                         E_NOTIMPL);
}
END_TEST

/* A quarter of a million sets of files: what is remembered of them is found again. */
START_TEST(many_sets_are_many) {
        const unsigned n = 250000;
        char path[32];

        ck_assert_int_eq(IVssCreateWriterMetadata_SetRestoreMethod(metadata, VSS_RME_CUSTOM, NULL,
                                                                   NULL, VSS_WRE_ALWAYS, false),
                         S_OK);
        for (unsigned i = 0; i < n; i++) {
                (void)snprintf(path, sizeof(path), "/d/%u", i);
                ck_assert_int_eq(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                         metadata, NULL, "files", path, "*", false, NULL, MASK),
                                 S_OK);
        }
        for (unsigned i = 0; i < 2 * n; i += 997) {
                HRESULT hr;

                (void)snprintf(path, sizeof(path), "/d/%u", i);
                hr = IVssCreateWriterMetadata_AddAlternateLocationMapping(metadata, path, "*",
                                                                          false, "/m");
                ck_assert_int_eq(hr, i < n ? S_OK : E_INVALIDARG);
        }
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                what_is_made_is_what_is_read,
                component_names_are_checked,
                sets_of_files_are_checked,
                files_go_to_a_component_of_their_type,
                restore_methods_are_checked,
                mappings_are_of_a_set_of_files_exactly,
                dependencies_are_on_other_writers,
                schemas_are_checked,
                log_backups_need_log_files_when_identify_ends,
                a_missing_object_is_refused,
                many_sets_are_many,
        };
        Suite *suite = suite_create("create-metadata");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 30);
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
