/* Express writers: what their documents may not hold, as they are made and as they are loaded; and
 * what the service is told. */

#include "common/document.h"
#include "common/vss-id.h"
#include "common/wire-error.h"
#include "fake-bus.h"
#include <vss/vsbackup.h>

#define ROOT "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\""
#define ID_OF(usage)                                                                            \
        "<IDENTIFICATION writerId=\"0000000a-0000-0000-0100-000000000000\" "                    \
        "instanceId=\"0000000b-0000-0000-0200-000000000000\" friendlyName=\"x\" usage=\"" usage \
        "\" dataSource=\"OTHER\" majorVersion=\"0\" minorVersion=\"0\"/>"
#define HEAD ROOT ">" ID_OF("USER_DATA")
#define TAIL "</WRITER_METADATA>"
#define LOCATIONS(inside) "<BACKUP_LOCATIONS>" inside "</BACKUP_LOCATIONS>"
#define GROUP(attributes, inside) \
        "<FILE_GROUP componentName=\"g\" " attributes ">" inside "</FILE_GROUP>"
#define MASK (VSS_FSBT_FULL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)

static const VSS_ID class_id = { .Data1 = 0xa, .Data4 = { 1 } };
#define CLASS_TEXT "0000000a-0000-0000-0100-000000000000"

static struct fake_bus bus;
static IVssExpressWriter *express;
static IVssCreateExpressWriterMetadata *metadata;

/* What the service says, and what it was told. */
static struct {
        HRESULT refuse;
        char *registered;      /* the document */
        char unregistered[64]; /* the class */
} service;

static DBusMessage *serve(struct fake_bus *b, DBusMessage *call) {
        struct vss_error error = { 0 };
        DBusMessage *reply;
        DBusMessageIter iter;

        (void)b;
        ck_assert(dbus_message_iter_init(call, &iter));
        if (dbus_message_has_member(call, "RegisterExpressWriter")) {
                struct document *d = NULL;

                ck_assert_int_eq(document_read(&iter, "it", DOCUMENT_MAX, &d, NULL), 0);
                free(service.registered);
                service.registered = strdup(document_text(d));
                document_unref(d);
        } else {
                const char *text;

                ck_assert(dbus_message_has_member(call, "UnregisterExpressWriter"));
                dbus_message_iter_get_basic(&iter, &text);
                (void)snprintf(service.unregistered, sizeof(service.unregistered), "%s", text);
        }
        if (service.refuse == S_OK)
                return dbus_message_new_method_return(call);
        (void)vss_error_set(&error, service.refuse, 0, "The reason");
        reply = wire_error_reply(call, &error);
        vss_error_done(&error);
        return reply;
}

static void setup(void) {
        memset(&service, 0, sizeof(service));
        fake_start(&bus, serve, NULL);
        /* Nobody is registered as yet: asking whether one may is no failure. */
        service.refuse = VSS_E_OBJECT_NOT_FOUND;
        ck_assert_int_eq(CreateVssExpressWriter(&express), S_OK);
        service.refuse = S_OK;
        ck_assert_int_eq(IVssExpressWriter_CreateMetadata(express, class_id, "x", VSS_UT_USERDATA,
                                                          1, 2, 0, &metadata),
                         S_OK);
}

static void teardown(void) {
        IVssCreateExpressWriterMetadata_Release(metadata);
        IVssExpressWriter_Release(express);
        fake_stop(&bus);
        free(service.registered);
}

static HRESULT add_component(int type, DWORD flags) {
        static unsigned n;
        char name[16];

        (void)snprintf(name, sizeof(name), "%u", n++);
        return IVssCreateExpressWriterMetadata_AddComponent(metadata, (VSS_COMPONENT_TYPE)type,
                                                            NULL, name, NULL, NULL, 0, false, false,
                                                            true, false, flags);
}

START_TEST(components_are_file_groups_without_recovery) {
        static const struct {
                int type;
                DWORD flags;
                HRESULT hr;
        } rows[] = {
                { VSS_CT_FILEGROUP, 0, S_OK },
                { VSS_CT_FILEGROUP, VSS_CF_NOT_SYSTEM_STATE, S_OK },
                { VSS_CT_DATABASE, 0, VSS_E_NOT_SUPPORTED },
                { VSS_CT_FILEGROUP, VSS_CF_BACKUP_RECOVERY, VSS_E_NOT_SUPPORTED },
                { VSS_CT_FILEGROUP, VSS_CF_APP_ROLLBACK_RECOVERY, VSS_E_NOT_SUPPORTED },
                { VSS_CT_UNDEFINED, 0, E_INVALIDARG },
                { 40, 0, E_INVALIDARG },
                { VSS_CT_FILEGROUP, 8, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                ck_assert_msg(add_component(rows[i].type, rows[i].flags) == rows[i].hr, "row %zu",
                              i);
}
END_TEST

START_TEST(files_are_for_full_backups_and_lie_where_they_belong) {
        static const struct {
                const char *alternate;
                DWORD mask;
                HRESULT hr;
        } rows[] = {
                { NULL, MASK, S_OK },
                { "", 0x10f01, S_OK },
                { NULL, 0, S_OK },
                { "/b", MASK, VSS_E_NOT_SUPPORTED },
                { NULL, 0xf0f, VSS_E_NOT_SUPPORTED },
                { NULL, MASK | VSS_FSBT_DIFFERENTIAL_BACKUP_REQUIRED, VSS_E_NOT_SUPPORTED },
                { NULL, MASK | VSS_FSBT_INCREMENTAL_BACKUP_REQUIRED, VSS_E_NOT_SUPPORTED },
                { NULL, MASK | VSS_FSBT_LOG_BACKUP_REQUIRED, VSS_E_NOT_SUPPORTED },
                { NULL, 0x20, E_INVALIDARG },
        };

        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP,
                                                                      NULL, "g", NULL, NULL, 0,
                                                                      false, false, true, false, 0),
                         S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssCreateExpressWriterMetadata_AddFilesToFileGroup(
                        metadata, NULL, "g", "/a", "*", true, rows[i].alternate, rows[i].mask);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddFilesToFileGroup(
                                 metadata, NULL, "h", "/a", "*", true, NULL, MASK),
                         VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

START_TEST(restores_need_no_writer) {
        static const struct {
                int method, restore;
                HRESULT hr;
        } rows[] = {
                { VSS_RME_RESTORE_IF_NOT_THERE, VSS_WRE_NEVER, S_OK },
                { VSS_RME_RESTORE_IF_CAN_REPLACE, VSS_WRE_NEVER, S_OK },
                { VSS_RME_RESTORE_AT_REBOOT, VSS_WRE_NEVER, S_OK },
                { VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE, VSS_WRE_NEVER, S_OK },
                { VSS_RME_UNDEFINED, VSS_WRE_NEVER, VSS_E_NOT_SUPPORTED },
                { VSS_RME_RESTORE_TO_ALTERNATE_LOCATION, VSS_WRE_NEVER, VSS_E_NOT_SUPPORTED },
                { VSS_RME_CUSTOM, VSS_WRE_NEVER, VSS_E_NOT_SUPPORTED },
                { VSS_RME_RESTORE_IF_NOT_THERE, VSS_WRE_ALWAYS, VSS_E_NOT_SUPPORTED },
                { VSS_RME_RESTORE_IF_NOT_THERE, VSS_WRE_IF_REPLACE_FAILS, VSS_E_NOT_SUPPORTED },
                { VSS_RME_RESTORE_IF_NOT_THERE, VSS_WRE_UNDEFINED, VSS_E_NOT_SUPPORTED },
                { 9, VSS_WRE_NEVER, E_INVALIDARG },
                { 33, VSS_WRE_NEVER, E_INVALIDARG },
                { VSS_RME_RESTORE_IF_NOT_THERE, 4, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssCreateExpressWriterMetadata_SetRestoreMethod(
                        metadata, (VSS_RESTOREMETHOD_ENUM)rows[i].method, NULL, NULL,
                        (VSS_WRITERRESTORE_ENUM)rows[i].restore, false);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
        }
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SetRestoreMethod(
                                 metadata, VSS_RME_STOP_RESTORE_START, "a.service", NULL,
                                 VSS_WRE_NEVER, false),
                         S_OK);
}
END_TEST

START_TEST(the_schema_is_of_copies_at_most) {
        for (unsigned bit = 0; bit < 32; bit++) {
                const DWORD mask = 1u << bit;
                HRESULT hr = IVssCreateExpressWriterMetadata_SetBackupSchema(metadata, mask);
                bool may = mask == VSS_BS_COPY || mask == VSS_BS_INDEPENDENT_SYSTEM_STATE;

                ck_assert_msg(hr == (may ? S_OK : VSS_E_NOT_SUPPORTED), "bit %u: 0x%x", bit,
                              (unsigned)hr);
        }
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SetBackupSchema(metadata, 0), S_OK);
}
END_TEST

START_TEST(usage_and_reserved_arguments_are_checked) {
        static const struct {
                int usage;
                const char *name;
                DWORD reserved;
                HRESULT hr;
        } rows[] = {
                { VSS_UT_BOOTABLESYSTEMSTATE, "x", 0, S_OK },
                { VSS_UT_SYSTEMSERVICE, "x", 0, S_OK },
                { VSS_UT_UNDEFINED, "x", 0, E_INVALIDARG },
                { VSS_UT_OTHER, "x", 0, E_INVALIDARG },
                { 5, "x", 0, E_INVALIDARG },
                { VSS_UT_USERDATA, "x", 1, E_INVALIDARG },
                { VSS_UT_USERDATA, NULL, 0, E_INVALIDARG },
                { VSS_UT_USERDATA, "", 0, E_INVALIDARG },
        };
        IVssCreateExpressWriterMetadata *made;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssExpressWriter_CreateMetadata(express, class_id, rows[i].name,
                                                              (VSS_USAGE_TYPE)rows[i].usage, 0, 0,
                                                              rows[i].reserved, &made);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x", i, (unsigned)hr);
                ck_assert(!made == FAILED(hr));
                if (made)
                        ck_assert_uint_eq(IVssCreateExpressWriterMetadata_Release(made), 1);
        }
        ck_assert_int_eq(IVssExpressWriter_CreateMetadata(express, GUID_NULL, "x", VSS_UT_USERDATA,
                                                          0, 0, 0, &made),
                         E_INVALIDARG);
}
END_TEST

START_TEST(a_document_is_loaded_if_it_is_an_express_writers) {
        static const struct {
                const char *text;
                HRESULT hr;
        } rows[] = {
                { HEAD LOCATIONS("") TAIL, S_OK },
                { HEAD "<RESTORE_METHOD method=\"REPLACE_AT_REBOOT\" writerRestore=\"never\" "
                       "rebootRequired=\"no\"/>" LOCATIONS(
                               GROUP("", "<FILE_LIST path=\"/a\" filespec=\"*\" "
                                         "filespecBackupType=\"3841\"/>")) TAIL,
                  S_OK },
                { ROOT " backupSchema=\"16\">" ID_OF("SYSTEM_SERVICE") LOCATIONS("") TAIL, S_OK },
                { ROOT " backupSchema=\"17\">" ID_OF("USER_DATA") LOCATIONS("") TAIL,
                  E_INVALIDARG },
                { ROOT ">" ID_OF("OTHER") LOCATIONS("") TAIL, E_INVALIDARG },
                { HEAD LOCATIONS("<DATABASE componentName=\"g\"/>") TAIL, E_INVALIDARG },
                { HEAD LOCATIONS(GROUP("componentFlags=\"1\"", "")) TAIL, E_INVALIDARG },
                /* Without a mask it is that of every backup. */
                { HEAD LOCATIONS(GROUP("", "<FILE_LIST path=\"/a\" filespec=\"*\"/>")) TAIL,
                  E_INVALIDARG },
                { HEAD LOCATIONS(GROUP("", "<FILE_LIST path=\"/a\" filespec=\"*\" "
                                           "alternatePath=\"/b\" "
                                           "filespecBackupType=\"3841\"/>")) TAIL,
                  E_INVALIDARG },
                { HEAD "<RESTORE_METHOD method=\"CUSTOM\" writerRestore=\"never\" "
                       "rebootRequired=\"no\"/>" LOCATIONS("") TAIL,
                  E_INVALIDARG },
                { HEAD "<RESTORE_METHOD method=\"RESTORE_IF_NOT_THERE\" writerRestore=\"always\" "
                       "rebootRequired=\"no\"/>" LOCATIONS("") TAIL,
                  E_INVALIDARG },
                { HEAD LOCATIONS("<EXCLUDE_FILES_FROM_SNAPSHOT path=\"/a\" filespec=\"*\" "
                                 "recursive=\"no\"/>") TAIL,
                  E_INVALIDARG },
                { "<a/>", VSS_E_INVALID_XML_DOCUMENT },
                { "a", VSS_E_INVALID_XML_DOCUMENT },
                { "", E_INVALIDARG },
                { NULL, E_INVALIDARG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                HRESULT hr = IVssExpressWriter_LoadMetadata(express, rows[i].text, 0);

                ck_assert_msg(hr == rows[i].hr, "row %zu: 0x%x %s", i, (unsigned)hr,
                              VssLastErrorMessage());
        }
        ck_assert_int_eq(IVssExpressWriter_LoadMetadata(express, rows[0].text, 1), E_INVALIDARG);
}
END_TEST

START_TEST(what_was_made_or_loaded_is_registered) {
        static const HRESULT refusals[] = { VSS_E_OBJECT_ALREADY_EXISTS, E_ACCESSDENIED };
        IVssExpressWriter *empty = NULL;
        BSTR xml = NULL;

        ck_assert_int_eq(
                IVssCreateExpressWriterMetadata_AddExcludeFiles(metadata, "/a", "*~", true), S_OK);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP,
                                                                      NULL, "g", NULL, NULL, 0,
                                                                      false, false, true, false, 0),
                         S_OK);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddComponentDependency(
                                 metadata, NULL, "g", (VSS_ID){ .Data1 = 9 }, NULL, "other"),
                         S_OK);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SaveAsXML(metadata, &xml), S_OK);
        ck_assert_int_eq(IVssExpressWriter_Register(express), S_OK);
        ck_assert_str_eq(service.registered, xml);
        /* What was saved can be loaded and says the same. */
        ck_assert_int_eq(IVssExpressWriter_LoadMetadata(express, xml, 0), S_OK);
        ck_assert_int_eq(IVssExpressWriter_Register(express), S_OK);
        ck_assert_str_eq(service.registered, xml);
        SysFreeString(xml);
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                service.refuse = refusals[i];
                ck_assert_int_eq(IVssExpressWriter_Register(express), refusals[i]);
                ck_assert_str_eq(VssLastErrorMessage(), "The reason");
        }
        service.refuse = S_OK;
        ck_assert_int_eq(CreateVssExpressWriterInternal(&empty), S_OK);
        ck_assert_int_eq(IVssExpressWriter_Register(empty), VSS_E_BAD_STATE);
        ck_assert_uint_eq(IVssExpressWriter_AddRef(empty), 2);
        ck_assert_uint_eq(IVssExpressWriter_Release(empty), 1);
        ck_assert_uint_eq(IVssExpressWriter_Release(empty), 0);
}
END_TEST

START_TEST(a_class_is_unregistered) {
        ck_assert_int_eq(IVssExpressWriter_Unregister(express, class_id), S_OK);
        ck_assert_str_eq(service.unregistered, CLASS_TEXT);
        service.refuse = VSS_E_OBJECT_NOT_FOUND;
        ck_assert_int_eq(IVssExpressWriter_Unregister(express, class_id), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(IVssExpressWriter_Unregister(express, GUID_NULL), E_INVALIDARG);
}
END_TEST

START_TEST(who_may_not_register_gets_no_object) {
        IVssExpressWriter *e = express;

        service.refuse = E_ACCESSDENIED;
        ck_assert_int_eq(CreateVssExpressWriter(&e), E_ACCESSDENIED);
        ck_assert_ptr_null(e);
        ck_assert_int_eq(CreateVssExpressWriter(NULL), E_INVALIDARG);
}
END_TEST

START_TEST(missing_objects_and_outputs_are_refused) {
        BSTR xml = NULL;

        IVssCreateExpressWriterMetadata_Release(metadata);
        ck_assert_int_eq(IVssExpressWriter_CreateMetadata(NULL, class_id, "x", VSS_UT_USERDATA, 0,
                                                          0, 0, &metadata),
                         E_INVALIDARG);
        ck_assert_ptr_null(metadata);
        ck_assert_int_eq(IVssExpressWriter_CreateMetadata(express, class_id, "x", VSS_UT_USERDATA,
                                                          0, 0, 0, NULL),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssExpressWriter_LoadMetadata(NULL, HEAD TAIL, 0), E_INVALIDARG);
        ck_assert_int_eq(IVssExpressWriter_Register(NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssExpressWriter_Unregister(NULL, class_id), E_INVALIDARG);
        ck_assert_uint_eq(IVssExpressWriter_Release(NULL), 0);
        ck_assert_uint_eq(IVssCreateExpressWriterMetadata_Release(NULL), 0);
        ck_assert_int_eq(add_component(VSS_CT_FILEGROUP, 0), E_INVALIDARG);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddExcludeFiles(NULL, "/a", "*", true),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddFilesToFileGroup(NULL, NULL, "g", "/a",
                                                                             "*", true, NULL, MASK),
                         E_INVALIDARG);
        ck_assert_int_eq(
                IVssCreateExpressWriterMetadata_SetRestoreMethod(NULL, VSS_RME_RESTORE_IF_NOT_THERE,
                                                                 NULL, NULL, VSS_WRE_NEVER, false),
                E_INVALIDARG);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_AddComponentDependency(
                                 NULL, NULL, "g", class_id, NULL, "h"),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SetBackupSchema(NULL, 0), E_INVALIDARG);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SaveAsXML(NULL, &xml), E_INVALIDARG);
        ck_assert_int_eq(IVssExpressWriter_CreateMetadata(express, class_id, "x", VSS_UT_USERDATA,
                                                          0, 0, 0, &metadata),
                         S_OK);
        ck_assert_int_eq(IVssCreateExpressWriterMetadata_SaveAsXML(metadata, NULL), E_INVALIDARG);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                components_are_file_groups_without_recovery,
                files_are_for_full_backups_and_lie_where_they_belong,
                restores_need_no_writer,
                the_schema_is_of_copies_at_most,
                usage_and_reserved_arguments_are_checked,
                a_document_is_loaded_if_it_is_an_express_writers,
                what_was_made_or_loaded_is_registered,
                a_class_is_unregistered,
                who_may_not_register_gets_no_object,
                missing_objects_and_outputs_are_refused,
        };
        Suite *suite = suite_create("express-writer");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, FAKE_SECONDS + 10);
        tcase_add_checked_fixture(tcase, setup, teardown);
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
