/* libvssclient against the real daemon: a requester and a writer as their authors would write them,
 * and the documented codes where things go wrong. */

#include "tests/bus/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <vss/vsbackup.h>
#include <vss/vsserror.h>
#include <vss/vsslinux.h>
#include <vss/vswriter.h>

static struct harness h;

static void setup(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(VssSetBusAddress(h.address), S_OK);
}

static void teardown(void) {
        ck_assert_int_eq(VssSetBusAddress(NULL), S_OK);
        harness_stop(&h);
}

#define succeeds(call)                                                          \
        do {                                                                    \
                HRESULT hr_ = (call);                                           \
                ck_assert_msg(hr_ == S_OK, "%s: %#x: %s", #call, (unsigned)hr_, \
                              VssLastErrorMessage());                           \
        } while (false)
#define fails(code, call)                                                                        \
        do {                                                                                     \
                HRESULT hr_ = (call);                                                            \
                ck_assert_msg(hr_ == (code), "%s: %#x, not " #code ": %s", #call, (unsigned)hr_, \
                              VssLastErrorMessage());                                            \
                ck_assert_msg(VssLastErrorMessage()[0] != '\0', "%s leaves no sentence", #call); \
        } while (false)

/* Waits; the operation's own result. */
static HRESULT ended(HRESULT begun, IVssAsync **async) {
        HRESULT result = S_OK;

        ck_assert_msg(begun == S_OK, "%#x: %s", (unsigned)begun, VssLastErrorMessage());
        succeeds(IVssAsync_Wait(*async, 30000));
        succeeds(IVssAsync_QueryStatus(*async, &result, NULL));
        IVssAsync_Release(TAKE_PTR(*async));
        return result;
}

static struct {
        atomic_uint n[12];
        VSS_ID set;
        char device[128];
        bool veto;
} heard;
enum { IDENTIFY, PREPARE_BACKUP, PREPARE, FREEZE, THAW, POST, ABORT, COMPLETE, SHUTDOWN };

static bool on_identify(CVssWriter *w _unused_, void *user _unused_,
                        IVssCreateWriterMetadata *metadata) {
        heard.n[IDENTIFY]++;
        return IVssCreateWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP, NULL, "files",
                                                     "All files", NULL, 0, false, false, true, true,
                                                     0) == S_OK;
}
static bool on_prepare_backup(CVssWriter *w _unused_, void *user _unused_,
                              IVssWriterComponents *components _unused_) {
        heard.n[PREPARE_BACKUP]++;
        return true;
}
static bool on_prepare(CVssWriter *w, void *user _unused_) {
        heard.n[PREPARE]++;
        heard.set = CVssWriter_GetCurrentSnapshotSetId(w);
        return CVssWriter_GetCurrentVolumeCount(w) == 1;
}
static bool on_freeze(CVssWriter *w, void *user _unused_) {
        heard.n[FREEZE]++;
        if (!heard.veto)
                return true;
        (void)CVssWriterEx2_SetWriterFailureEx(w, VSS_E_WRITERERROR_NONRETRYABLE, 7,
                                               "the tables are locked");
        return false;
}
static bool on_thaw(CVssWriter *w _unused_, void *user _unused_) {
        heard.n[THAW]++;
        return true;
}
static bool on_post(CVssWriter *w, void *user _unused_, IVssWriterComponents *c _unused_) {
        LPCWSTR device = NULL;

        heard.n[POST]++;
        if (CVssWriter_GetSnapshotDeviceName(w, "/srv/data/", &device) != S_OK)
                return false;
        (void)snprintf(heard.device, sizeof(heard.device), "%s", device);
        return true;
}
static bool on_abort(CVssWriter *w _unused_, void *user _unused_) {
        heard.n[ABORT]++;
        return true;
}
static bool on_complete(CVssWriter *w _unused_, void *user _unused_,
                        IVssWriterComponents *c _unused_) {
        heard.n[COMPLETE]++;
        return true;
}
static bool on_shutdown(CVssWriter *w _unused_, void *user _unused_, VSS_ID set _unused_) {
        heard.n[SHUTDOWN]++;
        return true;
}

static const VSS_ID writer_class = { 0xbbbbbbbb, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };

static CVssWriter *subscribed(void) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareBackup = on_prepare_backup,
                .OnPrepareSnapshot = on_prepare,
                .OnFreeze = on_freeze,
                .OnThaw = on_thaw,
                .OnPostSnapshot = on_post,
                .OnAbort = on_abort,
                .OnBackupComplete = on_complete,
                .OnBackupShutdown = on_shutdown,
        };
        CVssWriter *w = NULL;

        memset(&heard, 0, sizeof(heard));
        succeeds(CVssWriter_Create(&callbacks, NULL, &w));
        succeeds(CVssWriter_Initialize(
                w, writer_class, "Library writer", VSS_UT_USERDATA, VSS_ST_OTHER, VSS_APP_FRONT_END,
                VSS_WRITER_DEFAULT_FREEZE_TIMEOUT, VSS_AWS_NO_ALTERNATE_WRITER, false, NULL));
        succeeds(CVssWriter_Subscribe(w, VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT,
                                      VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG));
        return w;
}

static IVssBackupComponents *prepared(VSS_ID *set, VSS_ID *snapshot) {
        IVssBackupComponents *b = NULL;
        IVssAsync *async = NULL;

        succeeds(CreateVssBackupComponents(&b));
        succeeds(IVssBackupComponents_InitializeForBackup(b, NULL));
        succeeds(IVssBackupComponents_SetBackupState(b, false, false, VSS_BT_FULL, false));
        ck_assert_int_eq(ended(IVssBackupComponents_GatherWriterMetadata(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        succeeds(IVssBackupComponents_StartSnapshotSet(b, set));
        succeeds(IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", GUID_NULL, snapshot));
        ck_assert_int_eq(ended(IVssBackupComponents_PrepareForBackup(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        return b;
}

static void writer_status(IVssBackupComponents *b, VSS_WRITER_STATE *state, HRESULT *failure,
                          char message[static 256]) {
        VSS_ID instance, class;
        BSTR name = NULL, text = NULL;
        IVssAsync *async = NULL;
        HRESULT application, code;
        VSS_WRITER_STATE none;
        UINT n = 0;

        ck_assert_int_eq(ended(IVssBackupComponents_GatherWriterStatus(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        succeeds(IVssBackupComponents_GetWriterStatusCount(b, &n));
        ck_assert_uint_eq(n, 1);
        succeeds(IVssBackupComponentsEx3_GetWriterStatusEx(b, 0, &instance, &class, &name, state,
                                                           failure, &application, &text));
        ck_assert_str_eq(name, "Library writer");
        (void)snprintf(message, 256, "%s", str_or_empty(text));
        SysFreeString(name);
        SysFreeString(text);
        fails(VSS_E_OBJECT_NOT_FOUND,
              IVssBackupComponents_GetWriterStatus(b, 1, &instance, &class, &name, &none, &code));
}

static UINT count_snapshots(void) {
        VSS_SNAPSHOT_INFO **snapshots = NULL;
        UINT n = 0;

        succeeds(VssListSnapshots(NULL, &snapshots, &n));
        VssFreeSnapshots(snapshots);
        return n;
}

START_TEST(a_backup_with_a_writer_from_beginning_to_end) {
        CVssWriter *w = subscribed();
        VSS_ID set, snapshot;
        IVssBackupComponents *b = prepared(&set, &snapshot);
        char id[VSS_ID_STRING_SIZE], other[VSS_ID_STRING_SIZE], message[256];
        IVssEnumObject *e = NULL;
        VSS_OBJECT_PROP object;
        VSS_SNAPSHOT_PROP p = { 0 };
        VSS_WRITER_STATE state;
        IVssAsync *async = NULL;
        HRESULT failure;
        ULONG fetched;

        fails(VSS_E_OBJECT_NOT_FOUND, IVssBackupComponents_GetSnapshotProperties(b, snapshot, &p));
        ck_assert_int_eq(ended(IVssBackupComponents_DoSnapshotSet(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(heard.n[FREEZE], 1);
        ck_assert_uint_eq(heard.n[THAW], 1);
        ck_assert_uint_eq(heard.n[POST], 1);
        ck_assert_uint_eq(heard.n[ABORT], 0);
        ck_assert_str_eq(VssIdToString(heard.set, id), VssIdToString(set, other));
        writer_status(b, &state, &failure, message);
        ck_assert_int_eq(state, VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
        ck_assert_int_eq(failure, S_OK);

        succeeds(IVssBackupComponents_GetSnapshotProperties(b, snapshot, &p));
        ck_assert_str_eq(p.m_pwszOriginalVolumeName, "/srv/data/");
        ck_assert_str_eq(p.m_pwszSnapshotDeviceObject, heard.device);
        ck_assert_int_eq(p.m_eStatus, VSS_SS_CREATED);
        ck_assert_ptr_null(p.m_pwszExposedName);
        VssFreeSnapshotProperties(&p);

        succeeds(
                IVssBackupComponents_Query(b, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, &e));
        succeeds(IVssEnumObject_Next(e, 1, &object, &fetched));
        ck_assert_uint_eq(fetched, 1);
        ck_assert_int_eq(object.Type, VSS_OBJECT_SNAPSHOT);
        VssFreeSnapshotProperties(&object.Obj.Snap);
        ck_assert_int_eq(IVssEnumObject_Next(e, 1, &object, &fetched), S_FALSE);
        ck_assert_uint_eq(fetched, 0);
        IVssEnumObject_Release(e);

        ck_assert_int_eq(ended(IVssBackupComponents_BackupComplete(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(heard.n[COMPLETE], 1);
        IVssBackupComponents_Release(b);
        harness_await(&h, "remove", 1);
        for (unsigned i = 0; heard.n[SHUTDOWN] == 0 || count_snapshots() > 0; i++)
                ck_assert_uint_lt(i, 100000);
        succeeds(CVssWriter_Unsubscribe(w));
        CVssWriter_Release(w);
}
END_TEST

START_TEST(a_veto_reaches_the_requester_in_the_writers_words) {
        CVssWriter *w = subscribed();
        VSS_ID set, snapshot;
        IVssBackupComponents *b = prepared(&set, &snapshot);
        IVssAsync *async = NULL;
        VSS_WRITER_STATE state;
        char message[256];
        HRESULT failure, hr;

        heard.veto = true;
        hr = ended(IVssBackupComponents_DoSnapshotSet(b, &async), &async);
        ck_assert(FAILED(hr));
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "the tables are locked"));
        ck_assert_uint_eq(heard.n[ABORT], 1);
        writer_status(b, &state, &failure, message);
        ck_assert_int_eq(state, VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(failure, VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_str_eq(message, "the tables are locked");
        ck_assert_uint_eq(harness_count(&h, "abort"), 1);
        succeeds(IVssBackupComponents_AbortBackup(b));
        IVssBackupComponents_Release(b);
        CVssWriter_Release(w);
}
END_TEST

START_TEST(order_rules_and_codes_hold) {
        IVssBackupComponents *b = NULL, *other = NULL;
        IVssAsync *async = (IVssAsync *)&async;
        VSS_ID set, snapshot;
        BOOL supported = FALSE;
        IVssEnumObject *e = NULL;
        UINT n;

        fails(E_INVALIDARG, CreateVssBackupComponents(NULL));
        succeeds(CreateVssBackupComponents(&b));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_SetContext(b, VSS_CTX_NAS_ROLLBACK));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_GatherWriterMetadata(b, &async));
        ck_assert_ptr_null(async);
        succeeds(IVssBackupComponents_InitializeForBackup(b, NULL));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_InitializeForBackup(b, NULL));
        fails(E_INVALIDARG, IVssBackupComponents_SetContext(b, 1));
        succeeds(IVssBackupComponents_SetContext(b, VSS_CTX_NAS_ROLLBACK));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_SetContext(b, VSS_CTX_NAS_ROLLBACK));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_GetWriterStatusCount(b, &n));
        fails(VSS_E_BAD_STATE,
              IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", GUID_NULL, &snapshot));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_DoSnapshotSet(b, &async));
        fails(E_INVALIDARG, IVssBackupComponents_StartSnapshotSet(b, NULL));
        succeeds(IVssBackupComponents_StartSnapshotSet(b, &set));
        fails(VSS_E_BAD_STATE, IVssBackupComponents_PrepareForBackup(b, &async));

        fails(VSS_E_OBJECT_NOT_FOUND,
              IVssBackupComponents_AddToSnapshotSet(b, "/nowhere", GUID_NULL, &snapshot));
        fails(VSS_E_VOLUME_NOT_SUPPORTED,
              IVssBackupComponents_AddToSnapshotSet(b, "/srv/plain", GUID_NULL, &snapshot));
        fails(VSS_E_PROVIDER_NOT_REGISTERED,
              IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", writer_class, &snapshot));
        succeeds(IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", GUID_NULL, &snapshot));
        fails(VSS_E_OBJECT_ALREADY_EXISTS,
              IVssBackupComponents_AddToSnapshotSet(b, "/srv/data/", GUID_NULL, &snapshot));
        succeeds(IVssBackupComponents_IsVolumeSupported(b, GUID_NULL, "/srv/mail", &supported));
        ck_assert(supported);
        succeeds(IVssBackupComponents_IsVolumeSupported(b, GUID_NULL, "/srv/plain", &supported));
        ck_assert(!supported);
        fails(E_INVALIDARG,
              IVssBackupComponents_Query(b, set, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, &e));
        ck_assert_int_eq(
                IVssBackupComponents_Query(b, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, &e),
                S_FALSE);
        IVssEnumObject_Release(e);

        succeeds(CreateVssBackupComponents(&other));
        succeeds(IVssBackupComponents_InitializeForBackup(other, NULL));
        fails(VSS_E_SNAPSHOT_SET_IN_PROGRESS, IVssBackupComponents_StartSnapshotSet(other, &set));
        IVssBackupComponents_Release(b);
        for (unsigned i = 0; IVssBackupComponents_StartSnapshotSet(other, &set) != S_OK; i++)
                ck_assert_uint_lt(i, 10000);
        IVssBackupComponents_Release(other);
        ck_assert_uint_eq(harness_count(&h, "stage"), 0);
}
END_TEST

START_TEST(deleting_is_told_in_numbers) {
        LONG deleted = -1;
        VSS_ID set, snapshot, not_deleted;
        IVssBackupComponents *b = NULL;
        IVssAsync *async = NULL;
        BOOL present = FALSE;
        LONG capability;

        succeeds(CreateVssBackupComponents(&b));
        succeeds(IVssBackupComponents_InitializeForBackup(b, NULL));
        succeeds(IVssBackupComponents_SetContext(b, VSS_CTX_NAS_ROLLBACK));
        succeeds(IVssBackupComponents_StartSnapshotSet(b, &set));
        succeeds(IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", GUID_NULL, &snapshot));
        succeeds(IVssBackupComponents_AddToSnapshotSet(b, "/srv/mail", GUID_NULL, &snapshot));
        ck_assert_int_eq(ended(IVssBackupComponents_DoSnapshotSet(b, &async), &async),
                         VSS_S_ASYNC_FINISHED);
        succeeds(IsVolumeSnapshotted("/srv/data/", &present, &capability));
        ck_assert(present);
        harness_knob(&h, "busy", "");
        fails(VSS_E_PROVIDER_VETO,
              IVssBackupComponents_DeleteSnapshots(b, set, VSS_OBJECT_SNAPSHOT_SET, FALSE, &deleted,
                                                   &not_deleted));
        ck_assert_int_eq(deleted, 0);
        ck_assert_int_ne(memcmp(&not_deleted, &GUID_NULL, sizeof(not_deleted)), 0);
        succeeds(IVssBackupComponents_DeleteSnapshots(b, set, VSS_OBJECT_SNAPSHOT_SET, TRUE,
                                                      &deleted, &not_deleted));
        ck_assert_int_eq(deleted, 2);
        ck_assert_int_eq(memcmp(&not_deleted, &GUID_NULL, sizeof(not_deleted)), 0);
        IVssBackupComponents_Release(b);
        ck_assert_uint_eq(count_snapshots(), 0);
}
END_TEST

START_TEST(a_daemon_that_goes_is_an_error_not_a_hang) {
        VSS_ID set, snapshot;
        IVssBackupComponents *b = prepared(&set, &snapshot);
        IVssAsync *async = NULL;
        HRESULT result = S_OK;

        harness_knob(&h, "slow", "stage 5000");
        succeeds(IVssBackupComponents_DoSnapshotSet(b, &async));
        harness_await(&h, "stage", 1);
        harness_kill_daemon(&h);
        (void)IVssAsync_Wait(async, 30000);
        (void)IVssAsync_QueryStatus(async, &result, NULL);
        ck_assert_int_ne(result, VSS_S_ASYNC_FINISHED);
        ck_assert_int_ne(result, VSS_S_ASYNC_PENDING);
        IVssAsync_Release(async);
        fails(VSS_E_UNEXPECTED, IVssBackupComponents_AbortBackup(b));
        fails(VSS_E_WRITER_INFRASTRUCTURE, IVssBackupComponents_GatherWriterStatus(b, &async));
        fails(VSS_E_WRITER_INFRASTRUCTURE, IVssBackupComponents_GatherWriterMetadata(b, &async));
        IVssBackupComponents_Release(b);
        harness_knob(&h, "slow", NULL);
        harness_start_daemon(&h, NULL);
        succeeds(CreateVssBackupComponents(&b));
        IVssBackupComponents_Release(b);
}
END_TEST

/* The one writer that there is, waited for. */
static VSS_ID instance_of_writer(void) {
        VSS_WRITER_INFO **writers = NULL;
        VSS_ID id = GUID_NULL;
        UINT n = 0;

        for (unsigned i = 0; n == 0; i++) {
                ck_assert_uint_lt(i, 100000);
                succeeds(VssListWriters(&writers, &n));
                if (n > 0)
                        id = writers[0]->instance_id;
                VssFreeWriters(writers);
        }
        return id;
}

START_TEST(a_writer_comes_back_with_the_daemon) {
        CVssWriter *w = subscribed();
        VSS_ID instance = instance_of_writer(), again;

        harness_stop_daemon(&h);
        harness_start_daemon(&h, NULL);
        again = instance_of_writer();
        ck_assert_mem_eq(&again, &instance, sizeof(instance));
        succeeds(CVssWriter_Unsubscribe(w));
        succeeds(CVssWriter_Subscribe(w, 0, VSS_SM_BACKUP_EVENTS_FLAG));
        again = instance_of_writer();
        ck_assert_mem_eq(&again, &instance, sizeof(instance));
        CVssWriter_Release(w);
}
END_TEST

START_TEST(volumes_are_adopted_and_released) {
        const LPCWSTR options[] = { "name=x", "initramfs=no", NULL };
        const LPCWSTR twice[] = { "name=x", "name=y", NULL };
        const LPCWSTR no_pair[] = { "name", NULL };
        char **notes = NULL;

        succeeds(VssAdoptVolume("/srv/plain", options, &notes));
        ck_assert_str_eq(notes[0], "x");
        ck_assert_str_eq(notes[1], "no initramfs");
        ck_assert_ptr_null(notes[2]);
        VssFreeStrings(notes);
        succeeds(VssAdoptVolume("/srv/plain", NULL, NULL));
        succeeds(VssReleaseVolume("/srv/plain", NULL, &notes));
        ck_assert_ptr_nonnull(notes);
        ck_assert_ptr_null(notes[0]);
        VssFreeStrings(notes);
        ck_assert_int_eq(VssAdoptVolume(NULL, NULL, &notes), E_INVALIDARG);
        ck_assert_ptr_null(notes);
        ck_assert_int_eq(VssAdoptVolume("/srv/plain", twice, &notes), E_INVALIDARG);
        ck_assert_int_eq(VssAdoptVolume("/srv/plain", no_pair, &notes), E_INVALIDARG);
        ck_assert_int_eq(VssAdoptVolume("\xff", NULL, &notes), E_INVALIDARG);
        ck_assert_int_eq(VssAdoptVolume("/nowhere", NULL, &notes), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(VssReleaseVolume(NULL, NULL, NULL), E_INVALIDARG);
}
END_TEST

START_TEST(lists_for_tools) {
        VSS_VOLUME_INFO **volumes = NULL;
        VSS_PROVIDER_INFO **providers = NULL;
        UINT n = 0;

        succeeds(VssListVolumes(&volumes, &n));
        ck_assert_uint_eq(n, 4);
        ck_assert_str_eq(volumes[0]->name, "/srv/data/");
        ck_assert(!volumes[3]->supported);
        VssFreeVolumes(volumes);
        succeeds(VssListProviders(&providers, &n));
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(providers[0]->name, "fake-cow");
        VssFreeProviders(providers);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-library");
        TCase *t = tcase_create("bus-library");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, a_backup_with_a_writer_from_beginning_to_end);
        tcase_add_test(t, a_veto_reaches_the_requester_in_the_writers_words);
        tcase_add_test(t, order_rules_and_codes_hold);
        tcase_add_test(t, deleting_is_told_in_numbers);
        tcase_add_test(t, a_daemon_that_goes_is_an_error_not_a_hang);
        tcase_add_test(t, a_writer_comes_back_with_the_daemon);
        tcase_add_test(t, lists_for_tools);
        tcase_add_test(t, volumes_are_adopted_and_released);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
