/* A component's way through a backup and its restore, against the real daemon: what the requester
 * says of it reaches the writer, what the writer says of it reaches the requester, and the saved
 * document carries both. Requester and writer are of this process, each on its own thread; the
 * requester's waits are on a third. */

#include "tests/bus/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <vss/vsbackup.h>
#include <vss/vsslinux.h>
#include <vss/vswriter.h>

static struct harness h;
static CVssWriter *writer;
static IVssBackupComponents *backup;

static const VSS_ID writer_class = { 0xcccccccc, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 2 } };
#define THE_COMPONENT writer_class, VSS_CT_FILEGROUP, "path", "files"

#define succeeds(call)                                                          \
        do {                                                                    \
                HRESULT hr_ = (call);                                           \
                ck_assert_msg(hr_ == S_OK, "%s: %#x: %s", #call, (unsigned)hr_, \
                              VssLastErrorMessage());                           \
        } while (false)

/* The writer. A handler that finds what it should not, fails, and so does the test. */

static bool is_text(BSTR text, const char *expected) {
        bool is = text && streq(text, expected);

        if (!is)
                (void)fprintf(stderr, "'%s', not '%s'\n", str_or_empty(text), expected);
        SysFreeString(text);
        return is;
}

static IVssComponent *only_component(IVssWriterComponents *components) {
        IVssComponent *component = NULL;
        UINT n = 0;

        if (!components || IVssWriterComponents_GetComponentCount(components, &n) != S_OK ||
            n != 1 || IVssWriterComponents_GetComponent(components, 0, &component) != S_OK)
                return NULL;
        return component;
}

static bool on_identify(CVssWriter *w _unused_, void *user _unused_, IVssCreateWriterMetadata *m) {
        return IVssCreateWriterMetadata_AddComponent(m, VSS_CT_FILEGROUP, "path", "files", NULL,
                                                     NULL, 0, false, false, true, true,
                                                     0) == S_OK &&
               IVssCreateWriterMetadata_AddFilesToFileGroup(
                       m, "path", "files", "/srv/data", "*", true, NULL,
                       VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED) == S_OK &&
               IVssCreateWriterMetadata_SetRestoreMethod(m, VSS_RME_RESTORE_IF_CAN_REPLACE, NULL,
                                                         NULL, VSS_WRE_ALWAYS, false) == S_OK &&
               IVssCreateWriterMetadata_AddAlternateLocationMapping(m, "/srv/data", "*", true,
                                                                    "/srv/other") == S_OK &&
               IVssCreateWriterMetadata_SetBackupSchema(
                       m, VSS_BS_INCREMENTAL | VSS_BS_WRITER_SUPPORTS_NEW_TARGET |
                                  VSS_BS_AUTHORITATIVE_RESTORE | VSS_BS_ROLLFORWARD_RESTORE |
                                  VSS_BS_RESTORE_RENAME) == S_OK;
}

static bool on_prepare_backup(CVssWriter *w, void *user _unused_,
                              IVssWriterComponents *components) {
        IVssComponent *c = only_component(components);
        BSTR options = NULL, stamp = NULL;
        bool good = c && CVssWriter_AreComponentsSelected(w) &&
                    CVssWriter_GetBackupType(w) == VSS_BT_INCREMENTAL &&
                    IVssComponent_GetBackupOptions(c, &options) == S_OK &&
                    IVssComponent_GetPreviousBackupStamp(c, &stamp) == S_OK &&
                    IVssComponent_SetBackupStamp(c, "stamp 2") == S_OK;

        good = is_text(options, "fast") && is_text(stamp, "stamp 1") && good;
        IVssComponent_Release(c);
        return good;
}

static bool on_nothing(CVssWriter *w _unused_, void *user _unused_) {
        return true;
}

static bool on_post_snapshot(CVssWriter *w _unused_, void *user _unused_,
                             IVssWriterComponents *components) {
        IVssComponent *c = only_component(components);
        bool good =
                c && IVssComponent_AddPartialFile(c, "/srv/data", "big", "0:4096", "mine") == S_OK;

        IVssComponent_Release(c);
        return good;
}

static bool on_backup_complete(CVssWriter *w _unused_, void *user _unused_,
                               IVssWriterComponents *components) {
        IVssComponent *c = only_component(components);
        bool succeeded = false;
        bool good = c && IVssComponent_GetBackupSucceeded(c, &succeeded) == S_OK && succeeded;

        IVssComponent_Release(c);
        return good;
}

static bool on_pre_restore(CVssWriter *w, void *user _unused_, IVssWriterComponents *components) {
        IVssComponent *c = only_component(components);
        VSS_ROLLFORWARD_TYPE roll = VSS_RF_UNDEFINED;
        BSTR point = NULL, name = NULL, options = NULL;
        bool selected = false, authoritative = false;
        bool good = c && CVssWriter_GetRestoreType(w) == VSS_RTYPE_OTHER &&
                    IVssComponent_IsSelectedForRestore(c, &selected) == S_OK && selected &&
                    IVssComponentEx_GetAuthoritativeRestore(c, &authoritative) == S_OK &&
                    authoritative && IVssComponentEx_GetRollForward(c, &roll, &point) == S_OK &&
                    roll == VSS_RF_PARTIAL && IVssComponentEx_GetRestoreName(c, &name) == S_OK &&
                    IVssComponent_GetRestoreOptions(c, &options) == S_OK &&
                    IVssComponent_SetRestoreTarget(c, VSS_RT_ALTERNATE) == S_OK;

        good = is_text(point, "noon") && is_text(name, "path\\new") && is_text(options, "slow") &&
               good;
        IVssComponent_Release(c);
        return good;
}

static bool on_post_restore(CVssWriter *w _unused_, void *user _unused_,
                            IVssWriterComponents *components) {
        IVssComponent *c = only_component(components);
        VSS_FILE_RESTORE_STATUS status = VSS_RS_UNDEFINED;
        UINT mappings = 0;
        bool good = c && IVssComponent_GetFileRestoreStatus(c, &status) == S_OK &&
                    status == VSS_RS_ALL &&
                    IVssComponent_GetAlternateLocationMappingCount(c, &mappings) == S_OK &&
                    mappings == 1 &&
                    IVssComponent_SetPostRestoreFailureMsg(c, "look at the log") == S_OK;

        IVssComponent_Release(c);
        return good;
}

static void setup(void) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareBackup = on_prepare_backup,
                .OnPrepareSnapshot = on_nothing,
                .OnFreeze = on_nothing,
                .OnThaw = on_nothing,
                .OnPostSnapshot = on_post_snapshot,
                .OnAbort = on_nothing,
                .OnBackupComplete = on_backup_complete,
                .OnPreRestore = on_pre_restore,
                .OnPostRestore = on_post_restore,
        };

        harness_start(&h, NULL);
        succeeds(VssSetBusAddress(h.address));
        succeeds(CVssWriter_Create(&callbacks, NULL, &writer));
        succeeds(CVssWriter_Initialize(writer, writer_class, "Components writer", VSS_UT_USERDATA,
                                       VSS_ST_OTHER, VSS_APP_FRONT_END,
                                       VSS_WRITER_DEFAULT_FREEZE_TIMEOUT,
                                       VSS_AWS_NO_ALTERNATE_WRITER, false, NULL));
        succeeds(CVssWriter_Subscribe(writer, VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT,
                                      VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG));
}

static void teardown(void) {
        CVssWriter_Release(writer);
        ck_assert_int_eq(VssSetBusAddress(NULL), S_OK);
        harness_stop(&h);
}

/* The requester. */

struct wait {
        IVssAsync *async;
        HRESULT status;
        atomic_bool ended;
};

static void *wait_for_end(void *data) {
        struct wait *w = data;

        succeeds(IVssAsync_Wait(w->async, INFINITE));
        succeeds(IVssAsync_QueryStatus(w->async, &w->status, NULL));
        (void)IVssAsync_Release(w->async);
        atomic_store(&w->ended, true);
        return NULL;
}

/* Waits on another thread, while this one goes on calling. */
static void finish(HRESULT begun, IVssAsync *async) {
        struct wait wait = { .async = async };
        pthread_t thread;
        VSS_ID session;

        ck_assert_msg(begun == S_OK, "%#x: %s", (unsigned)begun, VssLastErrorMessage());
        atomic_init(&wait.ended, false);
        ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_end, &wait), 0);
        do
                succeeds(IVssBackupComponentsEx3_GetSessionId(backup, &session));
        while (!atomic_load(&wait.ended));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_msg(wait.status == VSS_S_ASYNC_FINISHED, "%#x", (unsigned)wait.status);
}
#define done(method)                                                             \
        do {                                                                     \
                IVssAsync *async_ = NULL;                                        \
                HRESULT begun_ = IVssBackupComponents_##method(backup, &async_); \
                                                                                 \
                finish(begun_, async_);                                          \
        } while (false)

static void assert_writer_state(VSS_WRITER_STATE expected) {
        VSS_ID instance, class;
        VSS_WRITER_STATE state;
        BSTR name = NULL;
        HRESULT failure;
        UINT n;

        done(GatherWriterStatus);
        succeeds(IVssBackupComponents_GetWriterStatusCount(backup, &n));
        ck_assert_uint_eq(n, 1);
        succeeds(IVssBackupComponents_GetWriterStatus(backup, 0, &instance, &class, &name, &state,
                                                      &failure));
        ck_assert_msg(state == expected && failure == S_OK, "%s: %s, %#x", name,
                      VssWriterStateToString(state), (unsigned)failure);
        SysFreeString(name);
        succeeds(IVssBackupComponents_FreeWriterStatus(backup));
}

static VSS_ID check_metadata(void) {
        IVssExamineWriterMetadata *metadata = NULL;
        UINT include, exclude, components, n;
        VSS_ID instance;
        DWORD schema;

        succeeds(IVssBackupComponents_GetWriterMetadataCount(backup, &n));
        ck_assert_uint_eq(n, 1);
        succeeds(IVssBackupComponents_GetWriterMetadata(backup, 0, &instance, &metadata));
        ck_assert_int_eq(IVssBackupComponents_GetWriterMetadata(
                                 backup, 1, &(VSS_ID){ 0 }, &(IVssExamineWriterMetadata *){ NULL }),
                         VSS_E_OBJECT_NOT_FOUND);
        succeeds(
                IVssExamineWriterMetadata_GetFileCounts(metadata, &include, &exclude, &components));
        ck_assert_uint_eq(components, 1);
        succeeds(IVssExamineWriterMetadata_GetBackupSchema(metadata, &schema));
        ck_assert_uint_eq(schema & VSS_BS_INCREMENTAL, VSS_BS_INCREMENTAL);
        IVssExamineWriterMetadata_Release(metadata);
        return instance;
}

static IVssWriterComponents *fetch(void) {
        IVssWriterComponents *components = NULL;
        UINT n = 0;

        succeeds(IVssBackupComponents_GetWriterComponentsCount(backup, &n));
        ck_assert_uint_eq(n, 1);
        succeeds(IVssBackupComponents_GetWriterComponents(backup, 0, &components));
        return components;
}

/* What the writer wrote, in a document of any age. */
static void check_what_was_written(void) {
        IVssWriterComponents *components = fetch();
        IVssComponent *c = only_component(components);
        BSTR stamp = NULL, path = NULL, file = NULL, ranges = NULL, metadata = NULL;

        ck_assert_ptr_nonnull(c);
        succeeds(IVssComponent_GetBackupStamp(c, &stamp));
        ck_assert(is_text(stamp, "stamp 2"));
        succeeds(IVssComponent_GetPartialFile(c, 0, &path, &file, &ranges, &metadata));
        ck_assert(is_text(path, "/srv/data"));
        ck_assert(is_text(file, "big"));
        ck_assert(is_text(ranges, "0:4096"));
        ck_assert(is_text(metadata, "mine"));
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}

static void assert_stale(IVssWriterComponents *components) {
        UINT n;

        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(components, &n), VSS_E_BAD_STATE);
        IVssWriterComponentsExt_Release(components);
}

/* A whole backup; gives its document. */
static char *back_up(void) {
        IVssWriterComponents *components;
        VSS_ID instance, set, snapshot;
        char *xml = NULL;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForBackup(backup, NULL));
        succeeds(
                IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_INCREMENTAL, true));
        done(GatherWriterMetadata);
        instance = check_metadata();
        succeeds(IVssBackupComponents_AddComponent(backup, instance, THE_COMPONENT));
        ck_assert_int_eq(IVssBackupComponents_AddComponent(backup, instance, THE_COMPONENT),
                         VSS_E_OBJECT_ALREADY_EXISTS);
        succeeds(IVssBackupComponents_SetBackupOptions(backup, THE_COMPONENT, "fast"));
        succeeds(IVssBackupComponents_SetPreviousBackupStamp(backup, THE_COMPONENT, "stamp 1"));
        ck_assert_int_eq(IVssBackupComponents_SetBackupOptions(backup, writer_class,
                                                               VSS_CT_FILEGROUP, NULL, "none", ""),
                         VSS_E_OBJECT_NOT_FOUND);
        succeeds(IVssBackupComponents_StartSnapshotSet(backup, &set));
        succeeds(IVssBackupComponents_AddToSnapshotSet(backup, "/srv/data", GUID_NULL, &snapshot));
        components = fetch();
        done(PrepareForBackup);
        assert_stale(components);
        assert_writer_state(VSS_WS_STABLE);
        components = fetch();
        done(DoSnapshotSet);
        assert_stale(components);
        assert_writer_state(VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
        check_what_was_written();
        succeeds(IVssBackupComponents_SetBackupSucceeded(backup, instance, THE_COMPONENT, true));
        components = fetch();
        done(BackupComplete);
        assert_stale(components);
        assert_writer_state(VSS_WS_STABLE);
        succeeds(IVssBackupComponents_SaveAsXML(backup, &xml));
        ck_assert_uint_eq(IVssBackupComponents_Release(backup), 0);
        return xml;
}

static void check_restored(void) {
        IVssWriterComponents *components = fetch();
        IVssComponent *c = only_component(components);
        BSTR message = NULL;

        ck_assert_ptr_nonnull(c);
        succeeds(IVssComponent_GetPostRestoreFailureMsg(c, &message));
        ck_assert(is_text(message, "look at the log"));
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}

static void check_target(void) {
        IVssWriterComponents *components = fetch();
        IVssComponent *c = only_component(components);
        VSS_RESTORE_TARGET target;

        ck_assert_ptr_nonnull(c);
        succeeds(IVssComponent_GetRestoreTarget(c, &target));
        ck_assert_int_eq(target, VSS_RT_ALTERNATE);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
}

static void restore(const char *xml) {
        IVssWriterComponents *components;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForRestore(backup, xml));
        check_what_was_written();
        done(GatherWriterMetadata);
        succeeds(IVssBackupComponents_SetRestoreState(backup, VSS_RTYPE_OTHER));
        succeeds(IVssBackupComponents_SetSelectedForRestore(backup, THE_COMPONENT, true));
        succeeds(IVssBackupComponents_SetRestoreOptions(backup, THE_COMPONENT, "slow"));
        succeeds(IVssBackupComponentsEx2_SetAuthoritativeRestore(backup, THE_COMPONENT, true));
        succeeds(IVssBackupComponentsEx2_SetRollForward(backup, THE_COMPONENT, VSS_RF_PARTIAL,
                                                        "noon"));
        succeeds(IVssBackupComponentsEx2_SetRestoreName(backup, THE_COMPONENT, "path\\new"));
        components = fetch();
        done(PreRestore);
        assert_stale(components);
        assert_writer_state(VSS_WS_STABLE);
        check_target();
        succeeds(IVssBackupComponents_AddAlternativeLocationMapping(
                backup, THE_COMPONENT, "/srv/data", "*", true, "/srv/other"));
        succeeds(IVssBackupComponents_SetRangesFilePath(backup, THE_COMPONENT, 0, "/srv/ranges"));
        succeeds(IVssBackupComponents_SetFileRestoreStatus(backup, THE_COMPONENT, VSS_RS_ALL));
        components = fetch();
        done(PostRestore);
        assert_stale(components);
        assert_writer_state(VSS_WS_STABLE);
        check_restored();
        ck_assert_uint_eq(IVssBackupComponents_Release(backup), 0);
}

START_TEST(a_component_is_backed_up_and_restored) {
        char *xml = back_up();

        restore(xml);
        SysFreeString(xml);
}
END_TEST

START_TEST(a_path_has_a_root_and_a_prefix) {
        VSS_PWSZ root = NULL, prefix = NULL;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForBackup(backup, NULL));
        succeeds(IVssBackupComponentsEx4_GetRootAndLogicalPrefixPaths(backup, "/proc/not/there",
                                                                      &root, &prefix, FALSE));
        ck_assert(is_text(root, "/proc/"));
        ck_assert_ptr_nonnull(prefix);
        SysFreeString(prefix);
        ck_assert_int_eq(IVssBackupComponentsEx4_GetRootAndLogicalPrefixPaths(
                                 backup, "relative", &root, &prefix, FALSE),
                         E_INVALIDARG);
        ck_assert_ptr_null(root);
        IVssBackupComponents_Release(backup);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-components");
        TCase *t = tcase_create("bus-components");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, a_component_is_backed_up_and_restored);
        tcase_add_test(t, a_path_has_a_root_and_a_prefix);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
