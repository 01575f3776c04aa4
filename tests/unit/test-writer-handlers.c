/* What a handler may ask and do, event by event; the components that it is given, and what of them
 * goes back. */

#include "common/backup-document.h"
#include "fake-events.h"
#include "libvssclient/writer-sessions.h"

#define INSTANCE_ID ((VSS_ID){ .Data1 = 0xb, .Data4 = { 2 } })
#define WRITER_ID ((VSS_ID){ .Data1 = 0xa, .Data4 = { 1 } })

static CVssWriter *writer;

/* What was found to work in the handler that ran last. */
enum {
        FAILURE = 1 << 0,
        STATE = 1 << 1,
        CONTEXT = 1 << 2,
        SET = 1 << 3,
        VOLUMES = 1 << 4,
        DEVICES = 1 << 5,
        IDENTITY = 1 << 6,
        RESTORE = 1 << 7,
        SESSION = 1 << 8,
        COMPONENTS = 1 << 9,
};

static struct {
        unsigned works;
        const char *event;
        HRESULT (*on_component)(CVssWriter *w, IVssComponent *c);
        HRESULT outcome; /* of on_component */
        bool veto;
        HRESULT failure;
        bool regrets;   /* says S_OK after it */
        bool describes; /* its files, in Identify */
} app;

static bool all_state(CVssWriter *w) {
        return CVssWriter_GetBackupType(w) == VSS_BT_COPY && CVssWriter_AreComponentsSelected(w) &&
               CVssWriter_IsBootableSystemStateBackedUp(w) &&
               CVssWriter_IsPartialFileSupportEnabled(w);
}

static bool no_state(CVssWriter *w) {
        return CVssWriter_GetBackupType(w) == VSS_BT_UNDEFINED &&
               !CVssWriter_AreComponentsSelected(w) &&
               !CVssWriter_IsBootableSystemStateBackedUp(w) &&
               !CVssWriter_IsPartialFileSupportEnabled(w);
}

static bool all_volumes(CVssWriter *w) {
        return CVssWriter_GetCurrentVolumeCount(w) == 2 && CVssWriter_GetCurrentVolumeArray(w) &&
               CVssWriter_IsPathAffected(w, "/proc/self");
}

static bool no_volumes(CVssWriter *w) {
        return CVssWriter_GetCurrentVolumeCount(w) == 0 && !CVssWriter_GetCurrentVolumeArray(w) &&
               !CVssWriter_IsPathAffected(w, "/proc/self");
}

static bool has_identity(CVssWriter *w) {
        IVssExamineWriterMetadata *metadata = (IVssExamineWriterMetadata *)&app, *again;
        VSS_ID instance, id;
        BSTR name = NULL;
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        HRESULT hr = CVssWriterEx_GetIdentifyInformation(w, &metadata);

        if (hr == E_FAIL) {
                ck_assert_ptr_null(metadata);
                return false;
        }
        ck_assert_int_eq(hr, S_OK);
        ck_assert_int_eq(IVssExamineWriterMetadata_GetIdentity(metadata, &instance, &id, &name,
                                                               &usage, &source),
                         S_OK);
        ck_assert_str_eq(name, "Handlers");
        SysFreeString(name);
        ck_assert_int_eq(CVssWriterEx_GetIdentifyInformation(w, &again), S_OK);
        ck_assert_ptr_eq(again, metadata);
        ck_assert_int_eq(CVssWriterEx_GetIdentifyInformation(w, NULL), E_INVALIDARG);
        return true;
}

static bool may_fail(CVssWriter *w) {
        HRESULT hr = CVssWriterEx2_SetWriterFailureEx(w, S_OK, 0, NULL);

        ck_assert_int_eq(CVssWriter_SetWriterFailure(w, E_FAIL), E_INVALIDARG);
        ck_assert(hr == S_OK || hr == VSS_E_BAD_STATE);
        return hr == S_OK;
}

/* Each either works as a whole, or not at all. */
static void probe(CVssWriter *w, IVssWriterComponents *components) {
        LPCWSTR device = NULL;
        VSS_ID session;

        app.works = may_fail(w) ? FAILURE : 0;
        ck_assert(all_state(w) || no_state(w));
        app.works |= all_state(w) ? STATE : 0;
        app.works |= CVssWriter_GetContext(w) == VSS_CTX_APP_ROLLBACK ? CONTEXT : 0;
        app.works |= vss_id_is_null(CVssWriter_GetCurrentSnapshotSetId(w)) ? 0 : SET;
        ck_assert(all_volumes(w) || no_volumes(w));
        app.works |= all_volumes(w) ? VOLUMES : 0;
        app.works |= CVssWriter_GetSnapshotDeviceName(w, "/proc/", &device) == S_OK ? DEVICES : 0;
        app.works |= has_identity(w) ? IDENTITY : 0;
        app.works |= CVssWriter_GetRestoreType(w) == VSS_RTYPE_IMPORT ? RESTORE : 0;
        app.works |= CVssWriterEx2_GetSessionId(w, &session) == S_OK ? SESSION : 0;
        app.works |= components ? COMPONENTS : 0;
        ck_assert_int_eq(CVssWriter_GetCurrentLevel(w), VSS_APP_SYSTEM);
}

static bool handle(CVssWriter *w, const char *event, IVssWriterComponents *components) {
        probe(w, components);
        note(event);
        if (app.on_component && components) {
                IVssComponent *c;

                ck_assert_int_eq(IVssWriterComponents_GetComponent(components, 0, &c), S_OK);
                app.outcome = app.on_component(w, c);
                (void)IVssComponent_Release(c);
        }
        if (app.failure != S_OK)
                ck_assert_int_eq(CVssWriterEx2_SetWriterFailureEx(w, app.failure, 7, "seven"),
                                 components || app.failure != VSS_E_WRITERERROR_PARTIAL_FAILURE
                                         ? S_OK
                                         : VSS_E_BAD_STATE);
        if (app.regrets)
                ck_assert_int_eq(CVssWriterEx2_SetWriterFailureEx(w, S_OK, 0, NULL), S_OK);
        return !app.veto;
}

#define HANDLER(function, event)                          \
        static bool function(CVssWriter *w, void *user) { \
                (void)user;                               \
                return handle(w, (event), NULL);          \
        }
#define HANDLER_WITH_COMPONENTS(function, event)                                   \
        static bool function(CVssWriter *w, void *user, IVssWriterComponents *c) { \
                (void)user;                                                        \
                return handle(w, (event), c);                                      \
        }

HANDLER_WITH_COMPONENTS(on_prepare_backup, "PrepareBackup")
HANDLER(on_prepare_snapshot, "PrepareSnapshot")
HANDLER(on_freeze, "Freeze")
HANDLER(on_thaw, "Thaw")
HANDLER_WITH_COMPONENTS(on_post_snapshot, "PostSnapshot")
HANDLER(on_abort, "Abort")
HANDLER_WITH_COMPONENTS(on_backup_complete, "BackupComplete")
HANDLER_WITH_COMPONENTS(on_pre_restore, "PreRestore")
HANDLER_WITH_COMPONENTS(on_post_restore, "PostRestore")

static void describe(IVssCreateWriterMetadata *metadata) {
        static const char *const paths[] = { "/proc/data", "/sys/data" };

        ck_assert_int_eq(IVssCreateWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP, "a\\b",
                                                               "files", NULL, NULL, 0, false, false,
                                                               true, true, 0),
                         S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                ck_assert_int_eq(
                        IVssCreateWriterMetadata_AddFilesToFileGroup(
                                metadata, "a\\b", "files", paths[i], "*.dat", false, NULL, 0xf0f),
                        S_OK);
}

static bool on_identify(CVssWriter *w, void *user, IVssCreateWriterMetadataEx *metadata) {
        (void)user;
        ck_assert_ptr_nonnull(metadata);
        if (app.describes)
                describe(metadata);
        return handle(w, "Identify", NULL);
}

static bool on_backup_shutdown(CVssWriter *w, void *user, VSS_ID set_id) {
        (void)user;
        (void)set_id;
        return handle(w, "BackupShutdown", NULL);
}

static bool never(CVssWriter *w, void *user) {
        (void)w;
        (void)user;
        ck_abort_msg("a reserved handler was called");
}

static bool never_io(CVssWriter *w, void *user, LPCWSTR volume, VSS_ID snapshot, VSS_ID provider) {
        (void)w;
        (void)user;
        (void)volume;
        (void)snapshot;
        (void)provider;
        ck_abort_msg("a reserved handler was called");
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(VSS_WRITER_CALLBACKS),
        .OnIdentifyEx = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupComplete = on_backup_complete,
        .OnBackupShutdown = on_backup_shutdown,
        .OnPreRestore = on_pre_restore,
        .OnPostRestore = on_post_restore,
        .OnBackOffIOOnVolume = never_io,
        .OnContinueIOOnVolume = never_io,
        .OnVSSApplicationStartup = never,
        .OnVSSShutdown = never,
};

static void setup(void) {
        VSS_WRITER_CALLBACKS both = callbacks;

        events_start();
        both.OnIdentify = on_identify;
        ck_assert_int_eq(CVssWriter_Create(&both, NULL, &writer), E_INVALIDARG);
        ck_assert_int_eq(CVssWriter_Create(&callbacks, NULL, &writer), S_OK);
        ck_assert_int_eq(CVssWriter_Initialize(writer, WRITER_ID, "Handlers", VSS_UT_USERDATA,
                                               VSS_ST_OTHER, VSS_APP_SYSTEM, 0,
                                               VSS_AWS_NO_ALTERNATE_WRITER, false, NULL),
                         S_OK);
        ck_assert_msg(CVssWriter_Subscribe(writer, 0,
                                           VSS_SM_BACKUP_EVENTS_FLAG |
                                                   VSS_SM_RESTORE_EVENTS_FLAG) == S_OK,
                      "%s", VssLastErrorMessage());
}

static void teardown(void) {
        CVssWriter_Release(writer);
        events_stop();
        writer = NULL;
        memset(&app, 0, sizeof(app));
}

/* A document with one component of ours. */
static char *document(void) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        const struct backup_document_state state = {
                .select_components = true,
                .partial_files = true,
                .backup_type = VSS_BT_FULL,
        };
        const struct backup_writer_info info = { .instance_id = INSTANCE_ID,
                                                 .writer_id = WRITER_ID,
                                                 .schema =
                                                         VSS_BS_LAST_MODIFY | VSS_BS_INCREMENTAL };
        const struct backup_component_key key = { .instance_id = INSTANCE_ID,
                                                  .writer_id = WRITER_ID,
                                                  .type = VSS_CT_FILEGROUP,
                                                  .logical_path = "a\\b",
                                                  .name = "files" };
        struct backup_component *c;
        size_t size;
        char *xml;

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        ck_assert_int_eq(backup_document_set_state(d, &state, NULL), 0);
        ck_assert_int_eq(backup_document_add(d, &info, &key, &c, NULL), 0);
        ck_assert_int_eq(backup_document_to_xml(d, &xml, &size, NULL), 0);
        return xml;
}

#define BACKUP (FAILURE | STATE | CONTEXT | SESSION)
#define MAKING (BACKUP | SET | VOLUMES)

static const struct phase_case {
        const char *event;
        unsigned works;
} phase_cases[] = {
        { "Identify", SESSION },
        { "PrepareBackup", BACKUP | IDENTITY | COMPONENTS },
        { "PrepareSnapshot", MAKING | IDENTITY },
        { "Freeze", MAKING },
        { "Thaw", MAKING },
        { "PostSnapshot", MAKING | DEVICES | IDENTITY | COMPONENTS },
        { "Abort", BACKUP | SET },
        { "BackupComplete", BACKUP | COMPONENTS },
        { "BackupShutdown", BACKUP },
        { "PreRestore", BACKUP | RESTORE | COMPONENTS },
        { "PostRestore", BACKUP | RESTORE | COMPONENTS },
};

START_TEST(each_event_has_what_is_its_own) {
        _cleanup_(freep) char *xml = document();

        /* A whole backup, so that each comes at its time. */
        for (size_t i = 0; i < ARRAY_SIZE(phase_cases); i++) {
                const struct phase_case *c = &phase_cases[i];

                app.works = UINT32_MAX;
                dbus_message_unref(
                        tell_as(FAKE_SERVICE, c->event, &(struct told){ .components = xml }));
                ck_assert_msg(app.works == c->works, "%s: 0x%x, not 0x%x", c->event, app.works,
                              c->works);
        }
        assert_journal(" Identify PrepareBackup PrepareSnapshot Freeze Thaw PostSnapshot Abort "
                       "BackupComplete BackupShutdown PreRestore PostRestore");
}
END_TEST

START_TEST(without_an_identify_in_the_session_there_is_no_identity) {
        tell("PrepareBackup", true, S_OK, NULL);
        ck_assert_uint_eq(app.works & IDENTITY, 0);
        dbus_message_unref(
                tell_as(FAKE_SERVICE, "Identify", &(struct told){ .session = OTHER_SESSION_TEXT }));
        tell("PrepareBackup", true, S_OK, NULL);
        ck_assert_uint_eq(app.works & IDENTITY, 0);
        ck_assert_uint_eq(app.works & COMPONENTS, 0);
}
END_TEST

static void list_writers(unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                char id[VSS_ID_TEXT_MAX];

                (void)snprintf(id, sizeof(id), "00000000-0000-0000-0000-00000000%04x", i);
                dbus_message_unref(
                        tell_as(FAKE_SERVICE, "Identify", &(struct told){ .session = id }));
        }
}

/* Nor before one begins, unless it takes its time. */
START_TEST(listings_do_not_take_the_identity_of_a_backup) {
        dbus_message_unref(tell_as(FAKE_SERVICE, "Identify", &(struct told){ 0 }));
        list_writers(20);
        tell("PrepareBackup", true, S_OK, NULL);
        ck_assert_uint_eq(app.works & IDENTITY, IDENTITY);
        list_writers(2 * WRITER_SESSIONS_MAX);
        tell("PostSnapshot", true, S_OK, NULL);
        ck_assert_uint_eq(app.works & IDENTITY, IDENTITY);
}
END_TEST

START_TEST(a_success_takes_no_failure_back) {
        dbus_int32_t failure, application;
        const char *message;
        DBusMessage *reply;
        dbus_bool_t ok;

        app.failure = VSS_E_WRITERERROR_RETRYABLE;
        app.regrets = true;
        reply = tell_as(FAKE_SERVICE, "PrepareSnapshot", &(struct told){ 0 });
        ck_assert(dbus_message_get_args(reply, NULL, DBUS_TYPE_BOOLEAN, &ok, DBUS_TYPE_INT32,
                                        &failure, DBUS_TYPE_INT32, &application, DBUS_TYPE_STRING,
                                        &message, DBUS_TYPE_INVALID));
        ck_assert_int_eq(failure, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(application, 7);
        ck_assert_str_eq(message, "seven");
        dbus_message_unref(reply);
}
END_TEST

static HRESULT stamp(CVssWriter *w, IVssComponent *c) {
        (void)w;
        return IVssComponent_SetBackupStamp(c, "stamp-1");
}

static HRESULT target(CVssWriter *w, IVssComponent *c) {
        (void)w;
        return IVssComponent_SetRestoreTarget(c, VSS_RT_ALTERNATE);
}

/* What may be said of files; the volumes of the set are /dev and /proc. */
static const struct claim_case {
        const char *before[2]; /* what was said before: a partial file, or NULL and differenced */
        enum { PARTIAL, DIFFERENCED, DIRECTED } kind;
        const char *path, *name;
        HRESULT expected;
} claim_cases[] = {
        { .kind = PARTIAL, .path = "/proc/data", .name = "x.dat", .expected = S_OK },
        { .kind = PARTIAL, .path = "/proc/data/new", .name = "x", .expected = S_OK },
        { .kind = PARTIAL, .path = "/sys/data", .name = "x.dat", .expected = S_OK },
        { .kind = PARTIAL, .path = "/sys/data", .name = "new", .expected = E_INVALIDARG },
        { .kind = PARTIAL, .path = "/proc", .name = "x.dat", .expected = E_INVALIDARG },
        { .kind = DIFFERENCED, .path = "/proc/data", .name = "*.dat", .expected = S_OK },
        { .kind = DIFFERENCED, .path = "/sys/data/", .name = "*.dat", .expected = S_OK },
        { .kind = DIFFERENCED, .path = "/proc/data", .name = "*.log", .expected = S_OK },
        { .kind = DIFFERENCED, .path = "/proc/data", .name = "a*.dat", .expected = E_INVALIDARG },
        { .kind = DIFFERENCED, .path = "/proc/data", .name = "*", .expected = E_INVALIDARG },
        { .kind = DIFFERENCED, .path = "/sys/data", .name = "*.log", .expected = E_INVALIDARG },
        { { "/proc/data", "x.dat" }, DIFFERENCED, "/proc/data", "*.dat", E_INVALIDARG },
        { { NULL, "*.dat" }, PARTIAL, "/proc/data", "x.dat", E_INVALIDARG },
        { { NULL, "*.dat" }, PARTIAL, "/proc/data", "x.log", S_OK },
        { .kind = DIRECTED, .path = "/proc/data", .name = "x.dat", .expected = S_OK },
        { .kind = DIRECTED, .path = "/etc", .name = "passwd", .expected = E_INVALIDARG },
};

static const struct claim_case *claimed;

static HRESULT claim(CVssWriter *w, IVssComponent *c) {
        const FILETIME now = { 1, 1 };

        (void)w;
        if (claimed->before[0])
                ck_assert_int_eq(IVssComponent_AddPartialFile(c, claimed->before[0],
                                                              claimed->before[1], "0:1", NULL),
                                 S_OK);
        else if (claimed->before[1])
                ck_assert_int_eq(IVssComponent_AddDifferencedFilesByLastModifyTime(
                                         c, "/proc/data", claimed->before[1], FALSE, now),
                                 S_OK);
        switch (claimed->kind) {
        case PARTIAL:
                return IVssComponent_AddPartialFile(c, claimed->path, claimed->name, "0:1", NULL);
        case DIFFERENCED:
                return IVssComponent_AddDifferencedFilesByLastModifyTime(c, claimed->path,
                                                                         claimed->name, FALSE, now);
        case DIRECTED:
                return IVssComponent_AddDirectedTarget(c, claimed->path, claimed->name, "0:1",
                                                       "/proc/other", "x", "0:1");
        }
        return E_FAIL;
}

START_TEST(what_is_said_of_files_fits_the_metadata) {
        _cleanup_(freep) char *xml = document(), *back = NULL;

        claimed = &claim_cases[_i];
        app.describes = true;
        dbus_message_unref(tell_as(FAKE_SERVICE, "Identify", &(struct told){ 0 }));
        app.on_component = claim;
        back = tell_components(claimed->kind == DIRECTED ? "PreRestore" : "PostSnapshot", xml, true,
                               S_OK);
        ck_assert_msg(app.outcome == claimed->expected, "0x%08x", (unsigned)app.outcome);
}
END_TEST

/* And if the metadata are not known, nothing is held against it. */
START_TEST(what_is_said_of_files_is_believed_without_metadata) {
        static const struct claim_case any = { .kind = PARTIAL, .path = "/nowhere", .name = "x" };
        _cleanup_(freep) char *xml = document(), *back = NULL;

        claimed = &any;
        app.on_component = claim;
        back = tell_components("PostSnapshot", xml, true, S_OK);
        ck_assert_int_eq(app.outcome, S_OK);
}
END_TEST

static const struct change_case {
        const char *event;
        HRESULT (*change)(CVssWriter *w, IVssComponent *c);
        HRESULT outcome;
        const char *goes_back; /* NULL: nothing */
} change_cases[] = {
        { "PrepareBackup", stamp, S_OK, "stamp-1" },
        { "PostSnapshot", stamp, S_OK, "stamp-1" },
        { "BackupComplete", stamp, VSS_E_BAD_STATE, NULL },
        { "PreRestore", stamp, VSS_E_BAD_STATE, NULL },
        { "PreRestore", target, S_OK, "restoreTarget" },
        { "PostRestore", target, VSS_E_BAD_STATE, NULL },
        { "PrepareBackup", target, VSS_E_BAD_STATE, NULL },
        { "PrepareBackup", NULL, S_OK, NULL },
};

START_TEST(what_a_handler_changed_goes_back) {
        const struct change_case *c = &change_cases[_i];
        _cleanup_(freep) char *xml = document(), *back = NULL;

        app.on_component = c->change;
        back = tell_components(c->event, xml, true, S_OK);
        ck_assert_msg(app.outcome == c->outcome, "0x%08x", (unsigned)app.outcome);
        if (c->goes_back)
                ck_assert_msg(strstr(back, c->goes_back) != NULL, "%s", back);
        else
                ck_assert_str_eq(back, "");
}
END_TEST

START_TEST(what_a_vetoing_handler_changed_goes_back_too) {
        _cleanup_(freep) char *xml = document(), *back = NULL;

        app.on_component = stamp;
        app.veto = true;
        back = tell_components("PrepareBackup", xml, false, VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_ptr_nonnull(strstr(back, "stamp-1"));
}
END_TEST

static HRESULT mark(CVssWriter *w, IVssComponent *c) {
        (void)w;
        return IVssComponentEx2_SetFailure(c, VSS_E_WRITERERROR_TIMEOUT, 3, "three", 0);
}

START_TEST(a_partial_failure_needs_a_marked_component) {
        _cleanup_(freep) char *xml = document(), *marked = NULL, *unmarked = NULL;

        app.failure = VSS_E_WRITERERROR_PARTIAL_FAILURE;
        unmarked = tell_components("PostSnapshot", xml, true, VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_str_eq(unmarked, "");
        app.on_component = mark;
        marked = tell_components("PostSnapshot", xml, true, VSS_E_WRITERERROR_PARTIAL_FAILURE);
        ck_assert_int_eq(app.outcome, S_OK);
        ck_assert_ptr_nonnull(strstr(marked, "three"));
        tell("PrepareSnapshot", true, S_OK, NULL); /* no components: VSS_E_BAD_STATE there */
}
END_TEST

START_TEST(components_that_are_no_document_are_a_failure) {
        _cleanup_(freep) char *back = NULL;

        back = tell_components("PrepareBackup", "<nonsense", false, VSS_E_WRITERERROR_NONRETRYABLE);
        ck_assert_str_eq(back, "");
        assert_journal("");
}
END_TEST

static IVssComponent *kept;

static HRESULT keep(CVssWriter *w, IVssComponent *c) {
        (void)w;
        (void)IVssComponent_AddRef(c);
        kept = c;
        return S_OK;
}

START_TEST(components_hold_until_the_handler_returns) {
        _cleanup_(freep) char *xml = document(), *back = NULL;
        BSTR name = NULL;

        app.on_component = keep;
        back = tell_components("PrepareBackup", xml, true, S_OK);
        ck_assert_int_eq(IVssComponent_SetBackupStamp(kept, "too late"), VSS_E_BAD_STATE);
        ck_assert_int_eq(IVssComponent_GetComponentName(kept, &name), VSS_E_BAD_STATE);
        ck_assert_ptr_null(name);
        (void)IVssComponent_Release(kept);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                each_event_has_what_is_its_own,
                without_an_identify_in_the_session_there_is_no_identity,
                listings_do_not_take_the_identity_of_a_backup,
                a_success_takes_no_failure_back,
                what_is_said_of_files_is_believed_without_metadata,
                what_a_vetoing_handler_changed_goes_back_too,
                a_partial_failure_needs_a_marked_component,
                components_that_are_no_document_are_a_failure,
                components_hold_until_the_handler_returns,
        };
        Suite *suite;
        TCase *tcase =
                events_case(&suite, "writer-handlers", tests, ARRAY_SIZE(tests), setup, teardown);

        tcase_add_loop_test(tcase, what_a_handler_changed_goes_back, 0, ARRAY_SIZE(change_cases));
        tcase_add_loop_test(tcase, what_is_said_of_files_fits_the_metadata, 0,
                            ARRAY_SIZE(claim_cases));
        return events_run(suite);
}
