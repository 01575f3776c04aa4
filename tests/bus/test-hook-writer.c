/* vss-hook-writer against the real daemon over fake storage: commands in order, vetoes in the
 * application's words, and whoever was frozen is thawed, whatever happens to whom. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <vss/vsslinux.h>

#define PATIENCE 3000 /* looks of 10 ms */

static struct harness h;
static pid_t hook_writer;

static const char *path_of(const char *name) {
        static char paths[8][160];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", h.directory, name);
        return path;
}

static void write_file(const char *path, const char *text, mode_t mode) {
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, mode), 0);
}

static const char *read_file(const char *path) {
        static char text[65536];
        FILE *f = fopen(path, "re");
        size_t n = 0;

        if (f) {
                n = fread(text, 1, sizeof(text) - 1, f);
                ck_assert_int_eq(fclose(f), 0);
        }
        text[n] = '\0';
        return text;
}

static void rest(void) {
        const struct timespec t = { .tv_nsec = 10000000 };

        (void)nanosleep(&t, NULL);
}

/* Waits until the file has the text in it. */
static void await_text(const char *file, const char *want) {
        for (unsigned i = 0; !strstr(read_file(path_of(file)), want); i++) {
                ck_assert_msg(i < PATIENCE, "'%s' did not come; there was: %s", want,
                              read_file(path_of(file)));
                rest();
        }
}

/* The events that the application's commands were run for, since the last look. */
static void expect_events(const char *want) {
        ck_assert_str_eq(read_file(path_of("events")), want);
        write_file(path_of("events"), "", 0644);
}

static void start_hook_writer(void) {
        static char config[160], records[160];

        (void)snprintf(config, sizeof(config), "%s", path_of("writers.d"));
        (void)snprintf(records, sizeof(records), "%s", path_of("records"));
        hook_writer = fork();
        ck_assert_int_ge(hook_writer, 0);
        if (hook_writer == 0) {
                int log = open(path_of("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

                /* A failed assertion kills the test without further ado. */
                if (log < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
                    dup2(log, STDERR_FILENO) < 0 || setenv("RUNTIME_DIRECTORY", records, 1) < 0)
                        _exit(126);
                execl(VSS_HOOK_WRITER, "vss-hook-writer", "--config-dir", config, (char *)NULL);
                _exit(127);
        }
        await_text("log", "App: registered\n");
}

static void end_hook_writer(int sig) {
        int status;

        ck_assert_int_eq(kill(hook_writer, sig), 0);
        ck_assert_int_eq(waitpid(hook_writer, &status, 0), hook_writer);
        if (sig == SIGTERM)
                ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x",
                              (unsigned)status);
        ck_assert_int_eq(truncate(path_of("log"), 0), 0);
}

/* deadlines: lines for [Deadlines]. */
static void write_config(const char *file, const char *name, const char *deadlines) {
        static const char *const events[][2] = {
                { "PrepareSnapshot", "prepare-snapshot" },
                { "Freeze", "freeze" },
                { "Thaw", "thaw" },
                { "PostSnapshot", "post-snapshot" },
                { "Abort", "abort" },
                { "BackupComplete", "backup-complete" },
                { "PreRestore", "pre-restore" },
                { "PostRestore", "post-restore" },
        };
        char text[2048];
        size_t n;

        n = (size_t)snprintf(text, sizeof(text), "[Writer]\nName=%s\nAlways=yes\n[Commands]\n",
                             name);
        for (size_t i = 0; i < ARRAY_SIZE(events); i++)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s=%s %s\n", events[i][0],
                                      path_of("hook"), events[i][1]);
        (void)snprintf(text + n, sizeof(text) - n, "[Deadlines]\n%s", deadlines);
        write_file(path_of(file), text, 0644);
}

static void set_up(const char *deadlines) {
        char script[1024];

        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        /* Files named after an event make it fail or hang; one makes what follows Freeze slow. */
        (void)snprintf(script, sizeof(script),
                       "#!/bin/sh\n"
                       "cd %s\n"
                       "printf '%%s ' \"$1\" >>events\n"
                       "env | sed -n 's/^VSS_[CAR][A-Z]*_[SR][A-Z]*=/&/p' | sort |\n"
                       "  sed \"s/^/$1 /\" >>said\n"
                       "test ! -e fail-$1 || { echo 'table 7 is locked' >&2; exit 75; }\n"
                       "test ! -e hang-$1 || exec sleep 60\n"
                       "test $1 != freeze || mv slow-then slow 2>/dev/null\n"
                       "exit 0\n",
                       h.directory);
        write_file(path_of("hook"), script, 0755);
        write_file(path_of("events"), "", 0644);
        write_file(path_of("log"), "", 0644);
        ck_assert_int_eq(mkdir(path_of("writers.d"), 0755), 0);
        write_config("writers.d/app.conf", "App", deadlines);
        start_hook_writer();
}

static void tear_down(void) {
        end_hook_writer(SIGTERM);
        harness_stop(&h);
}

/* Makes a set and deletes it; the sentence of what failed, or NULL. */
static const char *make_set(const char *require) {
        static char sentence[4096];
        const char *set = NULL;
        struct client c;
        DBusMessage *reply;

        client_open(&c, &h);
        reply = client_send(&c, message_new(ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                                            (char *const[]){ (char[]){ "/srv/data" }, NULL },
                                            (char *const[]){ (char[]){ "require-writers" },
                                                             (char *)(uintptr_t)require, NULL }));
        if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR) {
                const char *text = "";

                (void)dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text,
                                            DBUS_TYPE_INVALID);
                (void)snprintf(sentence, sizeof(sentence), "%s", text);
                dbus_message_unref(reply);
                client_close(&c);
                return sentence;
        }
        ck_assert(dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &set, DBUS_TYPE_INVALID) ||
                  set);
        dbus_message_unref(client_call(&c, ROOT, MANAGER, "DeleteSnapshots", "asa{ss}",
                                       (char *const[]){ (char *)(uintptr_t)set, NULL },
                                       (char *const[]){ NULL }));
        dbus_message_unref(reply);
        client_close(&c);
        return NULL;
}

static void expect_sentence(const char *sentence, const char *want) {
        ck_assert_msg(sentence && strstr(sentence, want), "'%s' is not in '%s'", want,
                      str_or_empty(sentence));
}

/* Begins a set that stays between Freeze and Thaw for a while; the requester ends with the test. */
static void begin_frozen(const char *slow) {
        pid_t child;

        harness_knob(&h, "slow-then", slow);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                        _exit(126);
                (void)make_set("no");
                _exit(0);
        }
        harness_await(&h, "sync", 3); /* two were before Freeze */
}

START_TEST(commands_are_run_in_order) {
        set_up("");
        ck_assert_ptr_null(make_set("yes"));
        expect_events("prepare-snapshot freeze thaw post-snapshot backup-complete ");
        ck_assert_ptr_null(make_set("yes"));
        expect_events("prepare-snapshot freeze thaw post-snapshot backup-complete ");
        tear_down();
}
END_TEST

START_TEST(a_freeze_that_fails_vetoes_and_is_thawed) {
        set_up("");
        write_file(path_of("fail-freeze"), "", 0644);
        expect_sentence(make_set("no"), "App");
        expect_sentence(make_set("no"), "exit status 75: table 7 is locked");
        expect_events("prepare-snapshot freeze thaw abort prepare-snapshot freeze thaw abort ");
        ck_assert_int_eq(unlink(path_of("fail-freeze")), 0);
        ck_assert_ptr_null(make_set("yes"));
        tear_down();
}
END_TEST

START_TEST(a_freeze_beyond_its_deadline_vetoes_and_is_thawed) {
        set_up("Freeze=2s\n");
        write_file(path_of("hang-freeze"), "", 0644);
        expect_sentence(make_set("no"), "took longer than its 2000 ms");
        expect_events("prepare-snapshot freeze thaw abort ");
        tear_down();
}
END_TEST

START_TEST(a_thaw_that_fails_is_tried_again) {
        set_up("");
        write_file(path_of("fail-thaw"), "", 0644);
        expect_sentence(make_set("no"), "table 7 is locked");
        expect_events("prepare-snapshot freeze thaw thaw abort ");
        tear_down();
}
END_TEST

START_TEST(a_preparation_that_fails_is_the_requesters_choice) {
        set_up("");
        write_file(path_of("fail-prepare-snapshot"), "", 0644);
        ck_assert_ptr_null(make_set("no"));
        expect_events("prepare-snapshot ");
        expect_sentence(make_set("yes"), "table 7 is locked");
        tear_down();
}
END_TEST

START_TEST(the_time_from_freeze_to_thaw_is_limited) {
        set_up("Freeze=2s\nFreezeToThaw=2500ms\n");
        begin_frozen("sync 2000");
        await_text("events", "thaw abort ");
        tear_down();
}
END_TEST

START_TEST(the_daemons_death_thaws) {
        set_up("");
        begin_frozen("sync 20000");
        harness_kill_daemon(&h);
        await_text("events", "thaw abort ");
        harness_knob(&h, "slow", NULL);
        ck_assert_int_eq(truncate(path_of("log"), 0), 0);
        harness_start_daemon(&h, NULL);
        write_file(path_of("events"), "", 0644);
        /* It registers again by itself. */
        for (unsigned i = 0; strlen(read_file(path_of("events"))) == 0; i++) {
                ck_assert_uint_lt(i, PATIENCE);
                ck_assert_ptr_null(make_set("yes"));
                rest();
        }
        expect_events("prepare-snapshot freeze thaw post-snapshot backup-complete ");
        tear_down();
}
END_TEST

START_TEST(its_own_end_thaws) {
        set_up("");
        begin_frozen("sync 500");
        end_hook_writer(SIGTERM);
        expect_events("prepare-snapshot freeze thaw abort ");
        start_hook_writer();
        tear_down();
}
END_TEST

START_TEST(its_own_death_is_made_good_at_the_next_start) {
        set_up("");
        begin_frozen("sync 500");
        ck_assert_int_eq(access(path_of("records/app.conf"), F_OK), 0);
        end_hook_writer(SIGKILL);
        expect_events("prepare-snapshot freeze ");
        start_hook_writer();
        expect_events("thaw ");
        ck_assert_int_lt(access(path_of("records/app.conf"), F_OK), 0);
        tear_down();
}
END_TEST

START_TEST(nothing_is_logged_while_frozen) {
        set_up("");
        ck_assert_int_eq(truncate(path_of("log"), 0), 0);
        begin_frozen("sync 300");
        ck_assert_ptr_null(strstr(read_file(path_of("log")), "freeze: done"));
        await_text("log", "App: freeze: done\n");
        ck_assert_ptr_nonnull(strstr(read_file(path_of("events")), "thaw "));
        tear_down();
}
END_TEST

START_TEST(a_reload_takes_what_is_new_and_waits_for_who_is_busy) {
        set_up("");
        write_config("writers.d/other.conf", "Other", "");
        write_file(path_of("writers.d/broken.conf"), "[Writer]\nNam=x\n", 0644);
        ck_assert_int_eq(kill(hook_writer, SIGHUP), 0);
        await_text("log", "Other: registered\n");
        await_text("log", "broken.conf:2: unknown key Nam= in [Writer]\n");
        ck_assert_ptr_null(strstr(read_file(path_of("log")), "App: unregistered"));

        begin_frozen("sync 500");
        write_config("writers.d/app.conf", "Renamed", "");
        ck_assert_int_eq(kill(hook_writer, SIGHUP), 0);
        await_text("log", "Renamed: registered\n");
        ck_assert_ptr_nonnull(strstr(read_file(path_of("log")), "reloading after it"));
        ck_assert_ptr_nonnull(strstr(read_file(path_of("events")), "post-snapshot "));
        tear_down();
}
END_TEST

/* A requester in component mode, for backups and their restores. */

#define succeeds(call)                                                          \
        do {                                                                    \
                HRESULT hr_ = (call);                                           \
                ck_assert_msg(hr_ == S_OK, "%s: %#x: %s", #call, (unsigned)hr_, \
                              VssLastErrorMessage());                           \
        } while (false)

static IVssBackupComponents *backup;
static VSS_ID app, app_instance;
#define THE_APP app, VSS_CT_FILEGROUP, NULL, "App"

static void finish(HRESULT (*begin)(IVssBackupComponents *, IVssAsync **)) {
        IVssAsync *async = NULL;
        HRESULT status = S_OK;

        succeeds(begin(backup, &async));
        succeeds(IVssAsync_Wait(async, INFINITE));
        succeeds(IVssAsync_QueryStatus(async, &status, NULL));
        ck_assert_int_eq(status, VSS_S_ASYNC_FINISHED);
        IVssAsync_Release(async);
}

/* The one writer there is. */
static void gather(VSS_WRITERRESTORE_ENUM *ret_restore) {
        VSS_RESTOREMETHOD_ENUM method;
        IVssExamineWriterMetadata *m;
        BSTR name, service, procedure;
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        bool reboot;
        UINT n;

        finish(IVssBackupComponents_GatherWriterMetadata);
        succeeds(IVssBackupComponents_GetWriterMetadata(backup, 0, &app_instance, &m));
        succeeds(IVssExamineWriterMetadata_GetIdentity(m, &app_instance, &app, &name, &usage,
                                                       &source));
        succeeds(IVssExamineWriterMetadata_GetRestoreMethod(m, &method, &service, &procedure,
                                                            ret_restore, &reboot, &n));
        ck_assert_str_eq(name, "App");
        SysFreeString(name);
        SysFreeString(service);
        SysFreeString(procedure);
        IVssExamineWriterMetadata_Release(m);
}

/* succeeded: -1: the requester does not say. */
static BSTR back_up(int succeeded) {
        VSS_WRITERRESTORE_ENUM restore;
        VSS_ID set, copy;
        BSTR xml = NULL;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForBackup(backup, NULL));
        succeeds(IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_FULL, false));
        gather(&restore);
        ck_assert_int_eq(restore, VSS_WRE_ALWAYS);
        succeeds(IVssBackupComponents_AddComponent(backup, app_instance, THE_APP));
        succeeds(IVssBackupComponents_StartSnapshotSet(backup, &set));
        succeeds(IVssBackupComponents_AddToSnapshotSet(backup, "/srv/data", GUID_NULL, &copy));
        finish(IVssBackupComponents_PrepareForBackup);
        finish(IVssBackupComponents_DoSnapshotSet);
        if (succeeded >= 0)
                succeeds(IVssBackupComponents_SetBackupSucceeded(backup, app_instance, THE_APP,
                                                                 succeeded));
        finish(IVssBackupComponents_BackupComplete);
        succeeds(IVssBackupComponents_SaveAsXML(backup, &xml));
        ck_assert_uint_eq(IVssBackupComponents_Release(backup), 0);
        return xml;
}

/* chain: increments follow. */
static void begin_restore(BSTR xml, bool chain) {
        VSS_WRITERRESTORE_ENUM restore;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForRestore(backup, xml));
        gather(&restore);
        succeeds(IVssBackupComponents_SetSelectedForRestore(backup, THE_APP, true));
        if (chain)
                succeeds(IVssBackupComponents_SetAdditionalRestores(backup, THE_APP, true));
        finish(IVssBackupComponents_PreRestore);
}

static void expect_writer(VSS_WRITER_STATE want, HRESULT want_failure, const char *want_message) {
        VSS_ID instance, writer;
        VSS_WRITER_STATE state;
        HRESULT failure, application;
        BSTR name, message;

        finish(IVssBackupComponents_GatherWriterStatus);
        succeeds(IVssBackupComponentsEx3_GetWriterStatusEx(
                backup, 0, &instance, &writer, &name, &state, &failure, &application, &message));
        ck_assert_int_eq(state, want);
        ck_assert_int_eq(failure, want_failure);
        if (want_message)
                expect_sentence(message, want_message);
        SysFreeString(name);
        SysFreeString(message);
        succeeds(IVssBackupComponents_FreeWriterStatus(backup));
}

static void expect_said(const char *want) {
        ck_assert_str_eq(read_file(path_of("said")), want);
        write_file(path_of("said"), "", 0644);
}

START_TEST(a_restore_runs_its_commands) {
        BSTR xml;

        set_up("");
        xml = back_up(true);
        expect_events("prepare-snapshot freeze thaw post-snapshot backup-complete ");
        expect_said("backup-complete VSS_COMPONENT_SUCCEEDED=yes\n");
        begin_restore(xml, false);
        succeeds(IVssBackupComponents_SetFileRestoreStatus(backup, THE_APP, VSS_RS_ALL));
        finish(IVssBackupComponents_PostRestore);
        expect_writer(VSS_WS_STABLE, S_OK, NULL);
        IVssBackupComponents_Release(backup);
        expect_events("pre-restore post-restore ");
        expect_said("pre-restore VSS_ADDITIONAL_RESTORES=\n"
                    "post-restore VSS_ADDITIONAL_RESTORES=\n"
                    "post-restore VSS_RESTORE_STATUS=all\n");
        SysFreeString(xml);
        tear_down();
}
END_TEST

START_TEST(a_component_that_was_not_saved_is_said) {
        set_up("");
        SysFreeString(back_up(false));
        expect_said("backup-complete VSS_COMPONENT_SUCCEEDED=no\n");
        SysFreeString(back_up(-1));
        expect_said("backup-complete VSS_COMPONENT_SUCCEEDED=\n");
        /* Who copies volumes knows nothing of components. */
        ck_assert_ptr_null(make_set("yes"));
        expect_said("");
        tear_down();
}
END_TEST

static BSTR component_message(HRESULT (*get)(IVssComponent *, BSTR *)) {
        IVssWriterComponents *components = NULL;
        IVssComponent *c = NULL;
        BSTR message = NULL;

        succeeds(IVssBackupComponents_GetWriterComponents(backup, 0, &components));
        succeeds(IVssWriterComponents_GetComponent(components, 0, &c));
        succeeds(get(c, &message));
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
        return message;
}

START_TEST(a_restore_command_that_fails_vetoes) {
        BSTR xml, message;

        set_up("");
        xml = back_up(true);
        write_file(path_of("fail-pre-restore"), "", 0644);
        write_file(path_of("fail-post-restore"), "", 0644);
        expect_events("prepare-snapshot freeze thaw post-snapshot backup-complete ");
        begin_restore(xml, true); /* it is the requester who looks, and decides */
        expect_writer(VSS_WS_FAILED_AT_PRE_RESTORE, VSS_E_WRITERERROR_RETRYABLE,
                      "exit status 75: table 7 is locked");
        message = component_message(IVssComponent_GetPreRestoreFailureMsg);
        expect_sentence(message, "table 7 is locked");
        SysFreeString(message);

        /* It was told to get ready, so it is told of the end. */
        succeeds(IVssBackupComponents_SetFileRestoreStatus(backup, THE_APP, VSS_RS_NONE));
        write_file(path_of("said"), "", 0644);
        finish(IVssBackupComponents_PostRestore);
        expect_writer(VSS_WS_FAILED_AT_POST_RESTORE, VSS_E_WRITERERROR_RETRYABLE,
                      "table 7 is locked");
        message = component_message(IVssComponent_GetPostRestoreFailureMsg);
        expect_sentence(message, "table 7 is locked");
        SysFreeString(message);
        IVssBackupComponents_Release(backup);
        expect_events("pre-restore post-restore ");
        expect_said("post-restore VSS_ADDITIONAL_RESTORES=yes\n"
                    "post-restore VSS_RESTORE_STATUS=none\n");
        SysFreeString(xml);
        tear_down();
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-writer");
        TCase *c = tcase_create("hook-writer");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, commands_are_run_in_order);
        tcase_add_test(c, a_freeze_that_fails_vetoes_and_is_thawed);
        tcase_add_test(c, a_freeze_beyond_its_deadline_vetoes_and_is_thawed);
        tcase_add_test(c, a_thaw_that_fails_is_tried_again);
        tcase_add_test(c, a_preparation_that_fails_is_the_requesters_choice);
        tcase_add_test(c, the_time_from_freeze_to_thaw_is_limited);
        tcase_add_test(c, the_daemons_death_thaws);
        tcase_add_test(c, its_own_end_thaws);
        tcase_add_test(c, its_own_death_is_made_good_at_the_next_start);
        tcase_add_test(c, nothing_is_logged_while_frozen);
        tcase_add_test(c, a_reload_takes_what_is_new_and_waits_for_who_is_busy);
        tcase_add_test(c, a_restore_runs_its_commands);
        tcase_add_test(c, a_component_that_was_not_saved_is_said);
        tcase_add_test(c, a_restore_command_that_fails_vetoes);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
