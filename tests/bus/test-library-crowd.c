/* A thousand of the library's writers, in a few processes of one user, on a bus with the limits
 * that we install; and what the library says on one without them. Each of its writers is a
 * connection. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <vss/vsbackup.h>
#include <vss/vsserror.h>
#include <vss/vsslinux.h>

#define PROCESSES 4U
#define WRITERS_EACH 250U
#define WRITERS (PROCESSES * WRITERS_EACH)

static struct harness h;
static struct process {
        pid_t pid;
        FILE *in, *out; /* ends when closed; what it says */
} processes[PROCESSES];

static void process_start(struct process *p, unsigned first, unsigned n) {
        int in[2], out[2];
        char first_text[16], n_text[16];
        pid_t parent = getpid();

        ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        (void)snprintf(first_text, sizeof(first_text), "%u", first);
        (void)snprintf(n_text, sizeof(n_text), "%u", n);
        p->pid = fork();
        ck_assert_int_ge(p->pid, 0);
        if (p->pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
                    dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
                        _exit(126);
                (void)execl(CROWD_WRITERS, CROWD_WRITERS, h.address, first_text, n_text, NULL);
                _exit(127);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        p->in = fdopen(in[1], "w");
        p->out = fdopen(out[0], "r");
        ck_assert(p->in && p->out);
}

/* What it says, static. */
static const char *process_line(struct process *p) {
        static char line[1024];

        ck_assert_msg(fgets(line, sizeof(line), p->out), "%s ended", CROWD_WRITERS);
        return line;
}

static void process_stop(struct process *p, int expected) {
        int status;

        if (p->pid == 0)
                return;
        (void)fclose(p->in);
        ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
        (void)fclose(p->out);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), expected);
        *p = (struct process){ 0 };
}

/* The bus, as our child, has our limit of descriptors: a system's has its own. */
static void setup(void) {
        struct rlimit files;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
        files.rlim_cur = files.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
}

static void teardown(void) {
        for (unsigned i = 0; i < PROCESSES; i++)
                process_stop(&processes[i], 0);
        harness_stop(&h);
}

#define must(call) ck_assert_msg(SUCCEEDED(call), "%s: %s", #call, VssLastErrorMessage())

static void finish(IVssAsync *async) {
        HRESULT status = S_OK;

        must(IVssAsync_Wait(async, INFINITE));
        must(IVssAsync_QueryStatus(async, &status, NULL));
        ck_assert_int_eq(status, VSS_S_ASYNC_FINISHED);
        (void)IVssAsync_Release(async);
}

static unsigned count_status(IVssBackupComponents *b, VSS_WRITER_STATE wanted) {
        VSS_ID instance, class;
        VSS_WRITER_STATE state;
        IVssAsync *async;
        HRESULT failure;
        unsigned found = 0;
        UINT n;

        must(IVssBackupComponents_GatherWriterStatus(b, &async));
        finish(async);
        must(IVssBackupComponents_GetWriterStatusCount(b, &n));
        for (UINT i = 0; i < n; i++) {
                BSTR name = NULL;

                must(IVssBackupComponents_GetWriterStatus(b, i, &instance, &class, &name, &state,
                                                          &failure));
                ck_assert_str_eq(name, "Library Writer");
                SysFreeString(name);
                found += state == wanted && failure == S_OK;
        }
        return found;
}

START_TEST(a_thousand_library_writers_take_part) {
        IVssBackupComponents *b;
        VSS_ID set, snapshot;
        IVssAsync *async;
        UINT n;

        harness_start(&h, NULL);
        for (unsigned i = 0; i < PROCESSES; i++)
                process_start(&processes[i], i * WRITERS_EACH, WRITERS_EACH);
        for (unsigned i = 0; i < PROCESSES; i++)
                ck_assert_str_eq(process_line(&processes[i]), "subscribed\n");

        must(VssSetBusAddress(h.address));
        must(CreateVssBackupComponents(&b));
        must(IVssBackupComponents_InitializeForBackup(b, NULL));
        must(IVssBackupComponents_SetBackupState(b, false, false, VSS_BT_FULL, false));
        must(IVssBackupComponents_GatherWriterMetadata(b, &async));
        finish(async);
        must(IVssBackupComponents_GetWriterMetadataCount(b, &n));
        ck_assert_uint_eq(n, WRITERS);
        must(IVssBackupComponents_StartSnapshotSet(b, &set));
        must(IVssBackupComponents_AddToSnapshotSet(b, "/srv/data", GUID_NULL, &snapshot));
        must(IVssBackupComponents_PrepareForBackup(b, &async));
        finish(async);
        must(IVssBackupComponents_DoSnapshotSet(b, &async));
        finish(async);
        ck_assert_uint_eq(count_status(b, VSS_WS_WAITING_FOR_BACKUP_COMPLETE), WRITERS);
        must(IVssBackupComponents_BackupComplete(b, &async));
        finish(async);
        ck_assert_uint_eq(count_status(b, VSS_WS_STABLE), WRITERS);
        (void)IVssBackupComponents_Release(b);
}
END_TEST

/* Without our limits there is room for 256 connections of a user, and the sentence says so. */
START_TEST(the_bus_limit_that_is_reached_is_named) {
        const char *line;

        harness_start_limited(&h, NULL, STOCK_CONNECTIONS);
        process_start(&processes[0], 0, WRITERS_EACH + 10);
        line = process_line(&processes[0]);
        ck_assert_msg(strstr(line, "max_connections_per_user"), "%s", line);
        ck_assert_msg(strstr(line, "/etc/dbus-1/system-local.conf"), "%s", line);
        ck_assert_msg(strstr(line, "0x8007000e"), "%s", line);
        process_stop(&processes[0], 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-library-crowd");
        TCase *t = tcase_create("bus-library-crowd");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 280);
        tcase_add_test(t, a_thousand_library_writers_take_part);
        tcase_add_test(t, the_bus_limit_that_is_reached_is_named);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
