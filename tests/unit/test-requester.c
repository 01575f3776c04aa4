/* The requester's half of the library against a service that says what the test wants: what is
 * sent, what is made of the answers. */

#include "fake-service.h"

START_TEST(the_last_release_ends_the_session) {
        IVssBackupComponents *backup = new_backup();

        ck_assert_uint_eq(IVssBackupComponents_AddRef(backup), 2);
        ck_assert_uint_eq(IVssBackupComponents_Release(backup), 1);
        ck_assert(!was_called("Release"));
        ck_assert_uint_eq(IVssBackupComponents_Release(backup), 0);
        ck_assert(was_called("Release"));
        ck_assert_uint_eq(IVssBackupComponents_Release(NULL), 0);
}
END_TEST

START_TEST(a_session_that_is_refused_leaves_nothing) {
        IVssBackupComponents *backup = (IVssBackupComponents *)&bus;

        script.refuse_session = E_ACCESSDENIED;
        ck_assert_int_eq(CreateVssBackupComponentsInternal(&backup), E_ACCESSDENIED);
        ck_assert_ptr_null(backup);
        ck_assert_str_eq(VssLastErrorMessage(), "The reason of CreateBackupComponents");
        ck_assert_int_eq(CreateVssBackupComponents(NULL), E_INVALIDARG);
}
END_TEST

START_TEST(a_bus_that_is_not_there_is_unexpected_and_says_where_it_was_sought) {
        IVssBackupComponents *backup = NULL;

        ck_assert_int_eq(VssSetBusAddress("unix:path=/nonexistent/bus"), S_OK);
        ck_assert_int_eq(CreateVssBackupComponents(&backup), VSS_E_UNEXPECTED);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "/nonexistent/bus"));
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "is the address right"));
        ck_assert_ptr_null(strstr(VssLastErrorMessage(), "systemctl"));
        ck_assert_int_eq(VssSetBusAddress("nonsense"), E_INVALIDARG);
}
END_TEST

START_TEST(what_the_bus_refuses_becomes_the_documented_code) {
        IVssBackupComponents *backup = new_backup();

        script.foreign = DBUS_ERROR_ACCESS_DENIED;
        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, NULL), E_ACCESSDENIED);
        script.foreign = DBUS_ERROR_NO_REPLY;
        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, NULL), VSS_E_UNEXPECTED);
        IVssBackupComponents_Release(backup);
}
END_TEST

/* Every method sends what the XML says (the fake bus compares) and makes sense of the answer. */
START_TEST(every_method_speaks_the_contract) {
        IVssBackupComponents *backup = new_backup();
        const VSS_ID ids[] = { some_id, GUID_NULL };
        IVssAsync *async = NULL;
        VSS_SNAPSHOT_PROP prop;
        BOOL supported = FALSE;
        LONG deleted = 0;
        VSS_ID id;
        UINT n;

        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, NULL), S_OK);
        ck_assert_int_eq(IVssBackupComponents_SetContext(backup, VSS_CTX_ALL), S_OK);
        ck_assert_int_eq(
                IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_FULL, false), S_OK);
        ck_assert_int_eq(IVssBackupComponents_EnableWriterClasses(backup, ids, 2), S_OK);
        ck_assert_int_eq(IVssBackupComponents_DisableWriterClasses(backup, NULL, 0), S_OK);
        ck_assert_int_eq(IVssBackupComponents_DisableWriterInstances(backup, ids, 1), S_OK);
        ck_assert_int_eq(IVssBackupComponents_GatherWriterMetadata(backup, &async), S_OK);
        IVssAsync_Release(async);
        ck_assert_int_eq(IVssBackupComponents_GetWriterMetadataCount(backup, &n), S_OK);
        ck_assert_uint_eq(n, 3);
        ck_assert_int_eq(IVssBackupComponents_FreeWriterMetadata(backup), S_OK);
        ck_assert_int_eq(IVssBackupComponents_StartSnapshotSet(backup, &id), S_OK);
        ck_assert(vss_id_equal(id, some_id));
        ck_assert_int_eq(IVssBackupComponents_AddToSnapshotSet(backup, "/srv", GUID_NULL, &id),
                         S_OK);
        ck_assert_int_eq(
                IVssBackupComponents_IsVolumeSupported(backup, some_id, "/srv", &supported), S_OK);
        ck_assert_int_eq(supported, TRUE);
        ck_assert_int_eq(IVssBackupComponents_PrepareForBackup(backup, &async), S_OK);
        IVssAsync_Release(async);
        ck_assert_int_eq(IVssBackupComponents_DoSnapshotSet(backup, &async), S_OK);
        IVssAsync_Release(async);
        ck_assert_int_eq(IVssBackupComponents_GatherWriterStatus(backup, &async), S_OK);
        IVssAsync_Release(async);
        ck_assert_int_eq(IVssBackupComponents_GetWriterStatusCount(backup, &n), S_OK);
        ck_assert_int_eq(IVssBackupComponents_FreeWriterStatus(backup), S_OK);
        ck_assert_int_eq(IVssBackupComponents_GetSnapshotProperties(backup, some_id, &prop), S_OK);
        ck_assert_str_eq(prop.m_pwszSnapshotDeviceObject, "/run/vss/ShadowCopy7");
        ck_assert_ptr_null(prop.m_pwszExposedName);
        ck_assert_int_eq(prop.m_eStatus, VSS_SS_CREATED);
        VssFreeSnapshotProperties(&prop);
        VssFreeSnapshotProperties(&prop);
        VssFreeSnapshotProperties(NULL);
        id = some_id;
        ck_assert_int_eq(IVssBackupComponents_DeleteSnapshots(
                                 backup, some_id, VSS_OBJECT_SNAPSHOT_SET, TRUE, &deleted, &id),
                         S_OK);
        ck_assert_int_eq(deleted, 2);
        ck_assert(vss_id_is_null(id));
        ck_assert_int_eq(IVssBackupComponents_BackupComplete(backup, &async), S_OK);
        IVssAsync_Release(async);
        ck_assert_int_eq(IVssBackupComponents_AbortBackup(backup), S_OK);
        ck_assert_int_eq(IVssBackupComponentsEx3_GetSessionId(backup, &id), S_OK);
        ck_assert(vss_id_equal(id, some_id));
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_refused_method_gives_code_and_sentence_and_clears_its_outputs) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async = (IVssAsync *)&bus;
        IVssEnumObject *objects = (IVssEnumObject *)&bus;
        VSS_ID id = some_id;
        UINT n = 7;

        script.refuse = VSS_E_BAD_STATE;
        ck_assert_int_eq(IVssBackupComponents_DoSnapshotSet(backup, &async), VSS_E_BAD_STATE);
        ck_assert_ptr_null(async);
        ck_assert_str_eq(VssLastErrorMessage(), "The reason of DoSnapshotSet");
        ck_assert_int_eq(IVssBackupComponents_StartSnapshotSet(backup, &id), VSS_E_BAD_STATE);
        ck_assert(vss_id_is_null(id));
        ck_assert_int_eq(IVssBackupComponents_GetWriterStatusCount(backup, &n), VSS_E_BAD_STATE);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(IVssBackupComponents_Query(backup, GUID_NULL, VSS_OBJECT_NONE,
                                                    VSS_OBJECT_SNAPSHOT, &objects),
                         VSS_E_BAD_STATE);
        ck_assert_ptr_null(objects);
        ck_assert_int_eq(IVssBackupComponents_AbortBackup(backup), VSS_E_BAD_STATE);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(bad_arguments_never_reach_the_bus) {
        IVssBackupComponents *backup = new_backup();
        IVssEnumObject *objects;
        VSS_WRITER_STATE state;
        HRESULT failure;
        BSTR name;
        VSS_ID id;
        BOOL b;

        (void)pthread_mutex_lock(&bus.lock);
        bus.calls[0] = '\0';
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(IVssBackupComponents_AddToSnapshotSet(backup, NULL, GUID_NULL, &id),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_AddToSnapshotSet(backup, "/srv", GUID_NULL, NULL),
                         E_INVALIDARG);
        /* libdbus would abort the process on this. */
        ck_assert_int_eq(IVssBackupComponents_AddToSnapshotSet(backup, "/\xff", GUID_NULL, &id),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_IsVolumeSupported(backup, GUID_NULL, "\xc3(", &b),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, "\xff"),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(IVssBackupComponents_DoSnapshotSet(backup, NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_DoSnapshotSet(NULL, NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_EnableWriterClasses(backup, NULL, 1), E_INVALIDARG);
        ck_assert_int_eq(
                IVssBackupComponents_GetWriterStatus(backup, 0, &id, &id, &name, &state, NULL),
                E_INVALIDARG);
        ck_assert_int_eq(
                IVssBackupComponents_GetWriterStatus(backup, 0, NULL, &id, &name, &state, &failure),
                E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_GetSnapshotProperties(backup, some_id, NULL),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssBackupComponents_Query(backup, GUID_NULL, VSS_OBJECT_NONE,
                                                    VSS_OBJECT_SNAPSHOT_SET, &objects),
                         E_INVALIDARG);
        ck_assert_int_eq(IsVolumeSnapshotted("/srv", NULL, NULL), E_INVALIDARG);
        ck_assert_str_eq(bus.calls, "");
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(answers_of_other_types_are_refused) {
        IVssBackupComponents *backup = new_backup();
        IVssAsync *async;
        IVssEnumObject *objects;
        VSS_SNAPSHOT_PROP prop;
        UINT n;
        VSS_ID id;

        script.nonsense = true;
        ck_assert_int_eq(IVssBackupComponents_DoSnapshotSet(backup, &async), VSS_E_UNEXPECTED);
        ck_assert_ptr_null(async);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "same version"));
        ck_assert_int_eq(IVssBackupComponents_GetWriterStatusCount(backup, &n), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssBackupComponents_StartSnapshotSet(backup, &id), VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssBackupComponents_GetSnapshotProperties(backup, some_id, &prop),
                         VSS_E_UNEXPECTED);
        ck_assert_int_eq(IVssBackupComponents_Query(backup, GUID_NULL, VSS_OBJECT_NONE,
                                                    VSS_OBJECT_SNAPSHOT, &objects),
                         VSS_E_UNEXPECTED);
        ck_assert_ptr_null(objects);
        IVssBackupComponents_Release(backup);
}
END_TEST

static IVssEnumObject *query(IVssBackupComponents *backup, VSS_OBJECT_TYPE type, HRESULT expected) {
        IVssEnumObject *objects = NULL;

        ck_assert_int_eq(
                IVssBackupComponents_Query(backup, GUID_NULL, VSS_OBJECT_NONE, type, &objects),
                expected);
        ck_assert_ptr_nonnull(objects);
        return objects;
}

START_TEST(a_query_without_results_is_an_empty_list) {
        IVssBackupComponents *backup = new_backup();
        IVssEnumObject *objects = query(backup, VSS_OBJECT_SNAPSHOT, S_FALSE);
        VSS_OBJECT_PROP item;
        ULONG n = 9;

        ck_assert_int_eq(IVssEnumObject_Next(objects, 1, &item, &n), S_FALSE);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(IVssEnumObject_Next(objects, 0, NULL, &n), S_OK);
        ck_assert_int_eq(IVssEnumObject_Skip(objects, 1), S_FALSE);
        ck_assert_int_eq(IVssEnumObject_Reset(objects), S_OK);
        IVssEnumObject_Release(objects);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_list_is_walked_skipped_reset_and_cloned) {
        IVssBackupComponents *backup = new_backup();
        IVssEnumObject *objects, *clone = NULL;
        VSS_OBJECT_PROP items[10];
        ULONG n;

        script.n_rows = 4;
        objects = query(backup, VSS_OBJECT_SNAPSHOT, S_OK);
        IVssBackupComponents_Release(backup); /* the list does not need it */
        ck_assert_int_eq(IVssEnumObject_Next(objects, 1, items, &n), S_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(items[0].Type, VSS_OBJECT_SNAPSHOT);
        ck_assert_uint_eq(items[0].Obj.Snap.m_SnapshotId.Data1, 1);
        ck_assert_str_eq(items[0].Obj.Snap.m_pwszOriginalVolumeName, "/srv/");
        VssFreeSnapshotProperties(&items[0].Obj.Snap);
        ck_assert_int_eq(IVssEnumObject_Clone(objects, &clone), S_OK);
        ck_assert_int_eq(IVssEnumObject_Skip(objects, 2), S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(objects, 10, items, &n), S_FALSE);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(items[0].Obj.Snap.m_SnapshotId.Data1, 4);
        VssFreeSnapshotProperties(&items[0].Obj.Snap);
        ck_assert_uint_eq(IVssEnumObject_AddRef(objects), 2);
        ck_assert_uint_eq(IVssEnumObject_Release(objects), 1);
        ck_assert_uint_eq(IVssEnumObject_Release(objects), 0);
        /* The clone is where it was, and lives. */
        ck_assert_int_eq(IVssEnumObject_Next(clone, 3, items, &n), S_OK);
        ck_assert_uint_eq(n, 3);
        for (ULONG i = 0; i < n; i++) {
                ck_assert_uint_eq(items[i].Obj.Snap.m_SnapshotId.Data1, i + 2);
                VssFreeSnapshotProperties(&items[i].Obj.Snap);
        }
        ck_assert_int_eq(IVssEnumObject_Reset(clone), S_OK);
        ck_assert_int_eq(IVssEnumObject_Skip(clone, 5), S_FALSE);
        ck_assert_int_eq(IVssEnumObject_Next(clone, 1, NULL, &n), E_POINTER);
        ck_assert_int_eq(IVssEnumObject_Next(clone, 1, items, NULL), E_POINTER);
        ck_assert_int_eq(IVssEnumObject_Clone(clone, NULL), E_POINTER);
        IVssEnumObject_Release(clone);
}
END_TEST

START_TEST(providers_are_listed_too) {
        IVssBackupComponents *backup = new_backup();
        IVssEnumObject *objects;
        VSS_OBJECT_PROP item;
        ULONG n;

        script.n_rows = 1;
        objects = query(backup, VSS_OBJECT_PROVIDER, S_OK);
        ck_assert_int_eq(IVssEnumObject_Next(objects, 1, &item, &n), S_OK);
        ck_assert_int_eq(item.Type, VSS_OBJECT_PROVIDER);
        ck_assert_str_eq(item.Obj.Prov.m_pwszProviderName, "lvm-thick");
        ck_assert_str_eq(item.Obj.Prov.m_pwszProviderVersion, "");
        SysFreeString(item.Obj.Prov.m_pwszProviderName);
        SysFreeString(item.Obj.Prov.m_pwszProviderVersion);
        IVssEnumObject_Release(objects);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_deletion_that_fails_says_how_far_it_came) {
        IVssBackupComponents *backup = new_backup();
        LONG deleted = 9;
        VSS_ID id = GUID_NULL;

        script.refuse = VSS_E_PROVIDER_VETO;
        ck_assert_int_eq(IVssBackupComponents_DeleteSnapshots(
                                 backup, some_id, VSS_OBJECT_SNAPSHOT_SET, FALSE, &deleted, &id),
                         VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(deleted, 2);
        ck_assert(vss_id_equal(id, some_id));
        ck_assert_str_eq(VssLastErrorMessage(), "The reason of DeleteSnapshots");
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(a_failed_writers_status_is_a_success_that_tells) {
        IVssBackupComponents *backup = new_backup();
        VSS_ID instance, class;
        BSTR name, message;
        VSS_WRITER_STATE state;
        HRESULT failure, application;

        ck_assert_int_eq(IVssBackupComponentsEx3_GetWriterStatusEx(backup, 0, &instance, &class,
                                                                   &name, &state, &failure,
                                                                   &application, &message),
                         S_OK);
        ck_assert(vss_id_equal(instance, some_id) && vss_id_equal(class, some_id));
        ck_assert_str_eq(name, "Writer");
        ck_assert_int_eq(state, VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(failure, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_int_eq(application, 42);
        ck_assert_ptr_null(message);
        SysFreeString(name);
        ck_assert_int_eq(IVssBackupComponents_GetWriterStatus(backup, 0, &instance, &class, &name,
                                                              &state, &failure),
                         S_OK);
        SysFreeString(name);
        IVssBackupComponents_Release(backup);
}
END_TEST

START_TEST(lists_for_tools) {
        bool block = false;
        static const LPCWSTR filter[] = { "context=app-rollback", "set=" SOME_ID_TEXT, NULL };
        static const LPCWSTR bad[] = { "context", NULL };
        VSS_SNAPSHOT_INFO **snapshots = NULL;
        VSS_PROVIDER_INFO **providers = NULL;
        char *provider = NULL, *reason = NULL;
        bool supported = false;
        BOOL present;
        LONG bits;
        UINT n = 0;

        script.n_rows = 3;
        ck_assert_int_eq(VssListSnapshots(filter, &snapshots, &n), S_OK);
        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(snapshots[2]->properties.m_SnapshotId.Data1, 3);
        ck_assert_str_eq(snapshots[0]->consistency, "");
        ck_assert_ptr_null(snapshots[3]);
        VssFreeSnapshots(snapshots);
        ck_assert_int_eq(VssListSnapshots(bad, &snapshots, NULL), E_INVALIDARG);
        ck_assert_ptr_null(snapshots);
        ck_assert_int_eq(VssListProviders(&providers, NULL), S_OK);
        ck_assert_str_eq(providers[0]->name, "lvm-thick");
        VssFreeProviders(providers);
        VssFreeProviders(NULL);
        ck_assert_int_eq(VssIsVolumeSupported("/srv", &supported, &provider, &reason), S_OK);
        ck_assert(supported);
        ck_assert_str_eq(provider, "lvm-thick");
        ck_assert_ptr_null(reason);
        VssFreeString(provider);
        ck_assert_int_eq(IsVolumeSnapshotted("/srv", &present, &bits), S_OK);
        ck_assert_int_eq(present, TRUE);
        ck_assert_int_eq(bits, VSS_SC_DISABLE_DEFRAG);
        ck_assert_int_eq(IsVolumeSnapshottedInternal("/srv", &present, &bits), S_OK);
        ck_assert_int_eq(ShouldBlockRevert("/srv", &block), S_OK);
        ck_assert(block);
        ck_assert_int_eq(ShouldBlockRevertInternal("/srv", &block), S_OK);
        ck_assert_int_eq(ShouldBlockRevert("/srv", NULL), E_INVALIDARG);
        ck_assert_int_eq(ShouldBlockRevert(NULL, &block), E_INVALIDARG);
        ck_assert(!block);
        script.refuse = VSS_E_OBJECT_NOT_FOUND;
        block = true;
        ck_assert_int_eq(ShouldBlockRevert("/srv", &block), VSS_E_OBJECT_NOT_FOUND);
        ck_assert(!block);
}
END_TEST

START_TEST(texts) {
        char buf[VSS_ID_STRING_SIZE];
        VSS_ID id = some_id;
        LONG context;

        ck_assert_str_eq(VssHresultName(VSS_E_BAD_STATE), "VSS_E_BAD_STATE");
        ck_assert_ptr_null(VssHresultName((HRESULT)0x80049999L));
        ck_assert_ptr_nonnull(VssHresultMessage((HRESULT)0x80049999L));
        ck_assert_int_eq(VssHresultToErrno(VSS_E_OBJECT_NOT_FOUND), ENOENT);
        ck_assert_int_eq(VssHresultToErrno(VSS_S_ASYNC_FINISHED), 0);
        ck_assert_int_eq(VssHresultToErrno((HRESULT)0x80049999L), EIO);
        ck_assert_str_eq(VssIdToString(some_id, buf), SOME_ID_TEXT);
        ck_assert_int_eq(VssIdFromString("", &id), E_INVALIDARG);
        ck_assert(vss_id_is_null(id));
        ck_assert_int_eq(VssIdFromString("{" SOME_ID_TEXT "}", &id), S_OK);
        ck_assert(vss_id_equal(id, some_id));
        ck_assert_int_eq(VssContextFromString("nas-rollback", &context), S_OK);
        ck_assert_int_eq(context, VSS_CTX_NAS_ROLLBACK);
        ck_assert_int_eq(VssContextFromString("nas", &context), E_INVALIDARG);
        ck_assert_str_eq(VssContextToString(VSS_CTX_ALL), "all");
        for (int i = 0; i < VSS_WS_COUNT; i++)
                ck_assert_ptr_nonnull(VssWriterStateToString((VSS_WRITER_STATE)i));
        ck_assert_ptr_null(VssWriterStateToString(VSS_WS_COUNT));
}
END_TEST

static void *read_message(void *unused) {
        (void)unused;
        return strdup(VssLastErrorMessage());
}

START_TEST(each_thread_has_its_own_last_message) {
        pthread_t thread;
        void *text = NULL;

        ck_assert_int_eq(CreateVssBackupComponents(NULL), E_INVALIDARG);
        ck_assert_str_ne(VssLastErrorMessage(), "");
        ck_assert_int_eq(pthread_create(&thread, NULL, read_message, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, &text), 0);
        ck_assert_str_eq(text, "");
        free(text);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                the_last_release_ends_the_session,
                a_session_that_is_refused_leaves_nothing,
                a_bus_that_is_not_there_is_unexpected_and_says_where_it_was_sought,
                what_the_bus_refuses_becomes_the_documented_code,
                every_method_speaks_the_contract,
                a_refused_method_gives_code_and_sentence_and_clears_its_outputs,
                bad_arguments_never_reach_the_bus,
                answers_of_other_types_are_refused,
                a_query_without_results_is_an_empty_list,
                a_list_is_walked_skipped_reset_and_cloned,
                providers_are_listed_too,
                a_deletion_that_fails_says_how_far_it_came,
                a_failed_writers_status_is_a_success_that_tells,
                lists_for_tools,
                texts,
                each_thread_has_its_own_last_message,
        };
        Suite *suite = suite_create("requester");
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
