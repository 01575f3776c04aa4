/* Writers that are programs of their own, in a whole backup and its restore: the test writer, every
 * event of it, and the example of the documentation. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <vss/vsslinux.h>

#define PATIENCE 3000 /* looks of 10 ms */
#define TEST_WRITER_ID "5affb034-969f-4919-8875-88f830d0ef89"
#define EXAMPLE_ID "a3c0b94e-6f7e-4b5e-9a57-0d4f2d7f3b11"

static struct harness h;
static pid_t program;
static int to_program = -1; /* its standard input */
static IVssBackupComponents *backup;

static void setup(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
}

static const char *path_of(const char *name) {
        static char paths[4][160];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", h.directory, name);
        return path;
}

static const char *read_file(const char *name) {
        static char text[65536];
        FILE *f = fopen(path_of(name), "re");
        size_t n = 0;

        if (f) {
                n = fread(text, 1, sizeof(text) - 1, f);
                (void)fclose(f); /* was only read */
        }
        text[n] = '\0';
        return text;
}

static void await_text(const char *file, const char *want) {
        const struct timespec t = { .tv_nsec = 10000000 };

        for (unsigned i = 0; !strstr(read_file(file), want); i++) {
                ck_assert_msg(i < PATIENCE, "'%s' is not in: %s", want, read_file(file));
                (void)nanosleep(&t, NULL);
        }
}

static void start_program(const char *path, char *const argv[]) {
        int pipe_fds[2];

        ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
        program = fork();
        ck_assert_int_ge(program, 0);
        if (program == 0) {
                int log = open(path_of("log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

                if (log < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
                    dup2(pipe_fds[0], STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
                    dup2(log, STDERR_FILENO) < 0)
                        _exit(126);
                execv(path, argv);
                _exit(127);
        }
        (void)close(pipe_fds[0]);
        to_program = pipe_fds[1];
}

static void await_end(int status) {
        int got;

        to_program = safe_close(to_program);
        ck_assert_int_eq(waitpid(program, &got, 0), program);
        program = 0;
        ck_assert_msg(got == status, "%#x: %s", (unsigned)got, read_file("log"));
}

static void teardown(void) {
        IVssBackupComponents_Release(backup);
        backup = NULL;
        if (program > 0) {
                (void)kill(program, SIGTERM);
                await_end(0);
        }
        harness_stop(&h);
}

#define succeeds(call)                                                          \
        do {                                                                    \
                HRESULT hr_ = (call);                                           \
                ck_assert_msg(hr_ == S_OK, "%s: %#x: %s", #call, (unsigned)hr_, \
                              VssLastErrorMessage());                           \
        } while (false)

/* Begins an operation and waits for its end; the result. */
static HRESULT run(HRESULT (*begin)(IVssBackupComponents *b, IVssAsync **async)) {
        IVssAsync *async = NULL;
        HRESULT result;

        succeeds(begin(backup, &async));
        succeeds(IVssAsync_Wait(async, 60000));
        succeeds(IVssAsync_QueryStatus(async, &result, NULL));
        IVssAsync_Release(async);
        return result;
}

static void finish(HRESULT (*begin)(IVssBackupComponents *b, IVssAsync **async)) {
        HRESULT hr = run(begin);

        ck_assert_msg(hr == VSS_S_ASYNC_FINISHED, "%#x: %s; %s", (unsigned)hr,
                      VssLastErrorMessage(), read_file("log"));
}

static VSS_ID id_of(const char *text) {
        VSS_ID id;

        succeeds(VssIdFromString(text, &id));
        return id;
}

/* A component of the writer, up to DoSnapshotSet. Returns the writer's instance. */
static VSS_ID begin_backup(VSS_ID writer, LPCWSTR logical_path, LPCWSTR name) {
        VSS_ID set, copy, instance = GUID_NULL;
        IVssExamineWriterMetadata *metadata;

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForBackup(backup, NULL));
        succeeds(IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_FULL, true));
        finish(IVssBackupComponents_GatherWriterMetadata);
        succeeds(IVssBackupComponents_GetWriterMetadata(backup, 0, &instance, &metadata));
        IVssExamineWriterMetadata_Release(metadata);
        succeeds(IVssBackupComponents_AddComponent(backup, instance, writer, VSS_CT_FILEGROUP,
                                                   logical_path, name));
        succeeds(IVssBackupComponents_StartSnapshotSet(backup, &set));
        succeeds(IVssBackupComponents_AddToSnapshotSet(backup, (VSS_PWSZ)(uintptr_t) "/srv/data",
                                                       GUID_NULL, &copy));
        finish(IVssBackupComponents_PrepareForBackup);
        return instance;
}

/* The backup metadata of the first component of the first writer; owned. */
static char *component_metadata(void) {
        IVssWriterComponentsExt *components;
        IVssComponent *c;
        BSTR text = NULL;

        succeeds(IVssBackupComponents_GetWriterComponents(backup, 0, &components));
        succeeds(IVssWriterComponents_GetComponent(components, 0, &c));
        succeeds(IVssComponent_GetBackupMetadata(c, &text));
        (void)IVssComponent_Release(c);
        (void)IVssWriterComponentsExt_Release(components);
        return text;
}

#define ARGUMENT(text) ((char *)(uintptr_t)(text))

/* In each event's line, and those of its component and of its script, in the order of the log. */
static const char *const whole_log[] = {
        "subscribed\n",
        "Identify session=",
        "Identify.component|filegroup|group|files|selectable,restore|0|The files S_OK\n",
        "Identify.files|group|files|/srv/data|*|recursive S_OK\n",
        "Identify.restore-method|2|3 S_OK\n",
        "Identify.end ok\n",
        "PrepareBackup session=",
        " type=1 restore-type=0 components-selected=1 bootable=0 partial-files=1 components=1\n",
        "PrepareBackup.component type=filegroup path=group name=files",
        "PrepareBackup.identity Test Writer\n",
        "PrepareBackup.stamp|group\\files|stamp 1 S_OK\n",
        "PrepareBackup.metadata|*|note S_OK\n",
        "PrepareBackup.metadata|*|again VSS_E_OBJECT_ALREADY_EXISTS\n",
        "PrepareBackup.end ok\n",
        "PrepareSnapshot session=",
        " volume=/srv/data/",
        "PrepareSnapshot.device|/srv/data VSS_E_BAD_STATE\n",
        "PrepareSnapshot.end ok\n",
        "Freeze session=",
        "Freeze.end ok\n",
        "Thaw session=",
        "Thaw.end ok\n",
        "PostSnapshot session=",
        " volume=/srv/data/ device=",
        "PostSnapshot.component type=filegroup path=group name=files stamp=stamp 1 metadata=note",
        "PostSnapshot.device /srv/data=",
        "PostSnapshot.device|/srv/data S_OK\n",
        "PostSnapshot.partial|*|/srv/data|big.db|0:5,100:20 S_OK\n",
        "PostSnapshot.end ok\n",
        "BackupComplete session=",
        "BackupComplete.component type=filegroup path=group name=files stamp=stamp 1 metadata=note",
        " succeeded=1",
        " partial-files=1",
        "BackupComplete.stamp|*|late VSS_E_BAD_STATE\n",
        "BackupComplete.end ok\n",
        "BackupShutdown session=",
        "BackupShutdown.end ok\n",
};

static void expect_in_order(const char *const *want, size_t n) {
        const char *log = read_file("log"), *at = log;

        for (size_t i = 0; i < n; i++) {
                const char *found = strstr(at, want[i]);

                ck_assert_msg(found != NULL, "'%s' is not where it should be in: %s", want[i], log);
                at = found + strlen(want[i]) - (want[i][strlen(want[i]) - 1] == '\n' ? 1 : 0);
        }
        ck_assert_msg(!strstr(log, "reserved handler"), "%s", log);
}

static void whole_backup(char *own_loop) {
        char *argv[] = {
                ARGUMENT("test-writer"),
                ARGUMENT("Identify|component|filegroup|group|files|selectable,restore|0|The files"),
                ARGUMENT("Identify|files|group|files|/srv/data|*|recursive"),
                ARGUMENT("Identify|restore-method|2|3"),
                ARGUMENT("PrepareBackup|identity"),
                ARGUMENT("PrepareBackup|stamp|group\\files|stamp 1"),
                ARGUMENT("PrepareBackup|metadata|*|note"),
                ARGUMENT("PrepareBackup|metadata|*|again"),
                ARGUMENT("PrepareSnapshot|device|/srv/data"),
                ARGUMENT("PostSnapshot|device|/srv/data"),
                ARGUMENT("PostSnapshot|partial|*|/srv/data|big.db|0:5,100:20"),
                ARGUMENT("BackupComplete|stamp|*|late"),
                ARGUMENT("PreRestore|restore-target|*|2"),
                ARGUMENT("PreRestore|restore-metadata|*|mine"),
                ARGUMENT("PostRestore|message|*|look after it"),
                own_loop,
                NULL,
        };
        const VSS_ID writer = id_of(TEST_WRITER_ID);
        BSTR xml = NULL;
        char *note;

        start_program(TEST_WRITER, argv);
        await_text("log", "subscribed\n");
        begin_backup(writer, "group", "files");
        finish(IVssBackupComponents_DoSnapshotSet);
        note = component_metadata();
        ck_assert_str_eq(note, "note");
        SysFreeString(note);
        succeeds(IVssBackupComponents_SetBackupSucceeded(backup, GUID_NULL, writer,
                                                         VSS_CT_FILEGROUP, "group", "files", true));
        finish(IVssBackupComponents_BackupComplete);
        succeeds(IVssBackupComponents_SaveAsXML(backup, &xml));
        IVssBackupComponents_Release(backup);
        await_text("log", "BackupShutdown.end ok\n");
        expect_in_order(whole_log, ARRAY_SIZE(whole_log));

        succeeds(CreateVssBackupComponents(&backup));
        succeeds(IVssBackupComponents_InitializeForRestore(backup, xml));
        SysFreeString(xml);
        finish(IVssBackupComponents_GatherWriterMetadata);
        succeeds(IVssBackupComponents_SetSelectedForRestore(backup, writer, VSS_CT_FILEGROUP,
                                                            "group", "files", true));
        finish(IVssBackupComponents_PreRestore);
        succeeds(IVssBackupComponents_SetFileRestoreStatus(backup, writer, VSS_CT_FILEGROUP,
                                                           "group", "files", VSS_RS_ALL));
        finish(IVssBackupComponents_PostRestore);
}

static const char *const restore_log[] = {
        "PreRestore session=",
        "PreRestore.component type=filegroup path=group name=files stamp=stamp 1 metadata=note",
        " selected=1",
        "PreRestore.restore-target|*|2 S_OK\n",
        "PreRestore.restore-metadata|*|mine S_OK\n",
        "PreRestore.end ok\n",
        "PostRestore session=",
        "PostRestore.component type=filegroup path=group name=files",
        " restore-metadata=mine",
        " status=2 target=2",
        "PostRestore.message|*|look after it S_OK\n",
        "PostRestore.end ok\n",
};

START_TEST(every_event_of_the_test_writer) {
        whole_backup(NULL);
        expect_in_order(restore_log, ARRAY_SIZE(restore_log));
}
END_TEST

START_TEST(every_event_in_its_own_loop) {
        whole_backup(ARGUMENT("--own-loop"));
        expect_in_order(restore_log, ARRAY_SIZE(restore_log));
        ck_assert_int_eq(kill(program, SIGTERM), 0);
        await_end(0);
        await_text("log", "unsubscribed\n");
}
END_TEST

START_TEST(a_veto_of_the_script_is_the_requesters) {
        char *argv[] = {
                ARGUMENT("test-writer"),
                ARGUMENT("Identify|component|filegroup||files|selectable"),
                ARGUMENT("Freeze*1|veto|retryable|42|the tables are locked"),
                NULL,
        };
        VSS_ID instance, writer = id_of(TEST_WRITER_ID);
        HRESULT failure, application;
        VSS_WRITER_STATE state;
        BSTR name, message;

        start_program(TEST_WRITER, argv);
        await_text("log", "subscribed\n");
        begin_backup(writer, NULL, "files");
        ck_assert(FAILED(run(IVssBackupComponents_DoSnapshotSet)));
        finish(IVssBackupComponents_GatherWriterStatus);
        succeeds(IVssBackupComponentsEx3_GetWriterStatusEx(
                backup, 0, &instance, &writer, &name, &state, &failure, &application, &message));
        ck_assert_int_eq(state, VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(failure, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(application, 42);
        ck_assert_str_eq(message, "the tables are locked");
        SysFreeString(name);
        SysFreeString(message);
        await_text("log", "Freeze.veto|retryable|42|the tables are locked S_OK\nFreeze.end veto\n");
        await_text("log", "Abort.end ok\n");
}
END_TEST

START_TEST(a_script_that_is_wrong_is_refused) {
        char *argv[] = { ARGUMENT("test-writer"), ARGUMENT("Freeze|dance"), NULL };

        start_program(TEST_WRITER, argv);
        await_end(EXIT_FAILURE << 8);
        await_text("log", "'Freeze|dance': there is no such verb");
}
END_TEST

START_TEST(the_example_keeps_its_ledger_and_takes_part) {
        static const char lines[] = "first\nsecond\n";
        char *argv[] = { ARGUMENT("writer"), h.directory, NULL };
        UINT count = 0;
        char *note;

        start_program(EXAMPLE_WRITER, argv);
        ck_assert_int_eq(write(to_program, lines, strlen(lines)), (ssize_t)strlen(lines));
        await_text("journal", "first\nsecond\n");
        /* It registered before it read. */
        begin_backup(id_of(EXAMPLE_ID), NULL, "ledger");
        succeeds(IVssBackupComponents_GetWriterMetadataCount(backup, &count));
        ck_assert_uint_eq(count, 1);
        finish(IVssBackupComponents_DoSnapshotSet);
        note = component_metadata();
        ck_assert_str_eq(note, "format=1");
        SysFreeString(note);
        finish(IVssBackupComponents_BackupComplete);
        ck_assert_int_eq(write(to_program, "third\n", 6), 6);
        await_text("journal", "third\n");
        await_end(0);
        ck_assert_msg(*read_file("log") == '\0', "%s", read_file("log"));
}
END_TEST

START_TEST(the_example_leaves_nothing_where_it_is_not_told_to) {
        char *argv[] = { ARGUMENT("writer"), NULL };

        ck_assert_int_eq(chdir(h.directory), 0);
        start_program(EXAMPLE_WRITER, argv);
        await_end(2 << 8);
        await_text("log", "usage: writer DIRECTORY");
        ck_assert_int_lt(access("journal", F_OK), 0);
        ck_assert_int_lt(access("ledger", F_OK), 0);
        ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                every_event_of_the_test_writer,
                every_event_in_its_own_loop,
                a_veto_of_the_script_is_the_requesters,
                a_script_that_is_wrong_is_refused,
                the_example_keeps_its_ledger_and_takes_part,
                the_example_leaves_nothing_where_it_is_not_told_to,
        };
        Suite *suite = suite_create("writer-programs");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 60);
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
