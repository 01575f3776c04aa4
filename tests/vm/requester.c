/* requester VOLUME... [-- COMMAND...] : a whole backup by the documented sequence of calls, as a
 * program outside this project would be written: against the installed headers and library, with
 * nothing but `pkg-config --cflags --libs libvssclient`.
 *
 * It makes a snapshot set of the VOLUMEs with the writers' part in it, runs COMMAND with the
 * directories of the copies as arguments, completes the backup and deletes the set. It prints
 * "set ID", a line "copy VOLUME DIRECTORY" for each, "writer NAME STATE" for each, and
 * "do_snapshot_set MILLISECONDS", "writes_held MILLISECONDS" and "delete_snapshots MILLISECONDS".
 * Exit status: COMMAND's, or 1. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vss/vsslinux.h>

/* Says what failed and ends; the session dies with the process, and with it what is unfinished. */
static void succeed(HRESULT hr, const char *what) {
        if (SUCCEEDED(hr))
                return;
        fprintf(stderr, "%s: %s: %s\n", what, VssHresultName(hr) ? VssHresultName(hr) : "?",
                VssLastErrorMessage());
        exit(EXIT_FAILURE);
}

/* Waits for an operation's end; takes the reference. */
static void finish(HRESULT hr, IVssAsync **async, const char *what) {
        HRESULT outcome;

        succeed(hr, what);
        succeed(IVssAsync_Wait(*async, INFINITE), what);
        succeed(IVssAsync_QueryStatus(*async, &outcome, NULL), what);
        IVssAsync_Release(*async);
        succeed(outcome, what);
}

static double now_msec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print_writers(IVssBackupComponents *backup) {
        IVssAsync *async;
        UINT n;

        finish(IVssBackupComponents_GatherWriterStatus(backup, &async), &async,
               "GatherWriterStatus");
        succeed(IVssBackupComponents_GetWriterStatusCount(backup, &n), "GetWriterStatusCount");
        for (UINT i = 0; i < n; i++) {
                VSS_ID instance, class;
                BSTR name;
                VSS_WRITER_STATE state;
                HRESULT failure;

                succeed(IVssBackupComponents_GetWriterStatus(backup, i, &instance, &class, &name,
                                                             &state, &failure),
                        "GetWriterStatus");
                printf("writer %s %s\n", name, VssWriterStateToString(state));
                SysFreeString(name);
        }
        succeed(IVssBackupComponents_FreeWriterStatus(backup), "FreeWriterStatus");
}

/* COMMAND with the directories after its own arguments. Its exit status. */
static int run_command(char *const *command, char *const *directories) {
        size_t n = 0, m = 0;
        char **argv;
        int status;
        pid_t pid;

        while (command[n])
                n++;
        while (directories[m])
                m++;
        argv = calloc(n + m + 1, sizeof(*argv));
        if (!argv)
                return EXIT_FAILURE;
        memcpy(argv, command, n * sizeof(*argv));
        memcpy(argv + n, directories, m * sizeof(*argv));
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                execvp(argv[0], argv);
                perror(argv[0]);
                _exit(127);
        }
        free(argv);
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return EXIT_FAILURE;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char **argv) {
        IVssBackupComponents *backup;
        IVssAsync *async;
        VSS_ID set, not_deleted, *snapshots;
        char id[VSS_ID_STRING_SIZE], **directories;
        VSS_SET_TIMELINE *timeline;
        LONG deleted;
        int n = 0, status = EXIT_SUCCESS;
        double begin;

        while (n + 1 < argc && strcmp(argv[n + 1], "--") != 0)
                n++;
        if (n == 0) {
                fprintf(stderr, "usage: requester VOLUME... [-- COMMAND...]\n");
                return 2;
        }
        snapshots = calloc((size_t)n, sizeof(*snapshots));
        directories = calloc((size_t)n + 1, sizeof(*directories));
        if (!snapshots || !directories)
                return EXIT_FAILURE;

        succeed(CreateVssBackupComponents(&backup), "CreateVssBackupComponents");
        succeed(IVssBackupComponents_InitializeForBackup(backup, NULL), "InitializeForBackup");
        succeed(IVssBackupComponents_SetBackupState(backup, false, false, VSS_BT_FULL, false),
                "SetBackupState");
        finish(IVssBackupComponents_GatherWriterMetadata(backup, &async), &async,
               "GatherWriterMetadata");
        succeed(IVssBackupComponents_StartSnapshotSet(backup, &set), "StartSnapshotSet");
        for (int i = 0; i < n; i++)
                succeed(IVssBackupComponents_AddToSnapshotSet(backup, argv[i + 1], GUID_NULL,
                                                              &snapshots[i]),
                        argv[i + 1]);
        finish(IVssBackupComponents_PrepareForBackup(backup, &async), &async, "PrepareForBackup");

        begin = now_msec();
        finish(IVssBackupComponents_DoSnapshotSet(backup, &async), &async, "DoSnapshotSet");
        printf("do_snapshot_set %.3f\n", now_msec() - begin);

        succeed(VssGetSetTimeline(set, &timeline), "VssGetSetTimeline");
        printf("writes_held %.3f\n", (double)timeline->writes_held_usec / 1e3);
        VssFreeSetTimeline(timeline);

        printf("set %s\n", VssIdToString(set, id));
        for (int i = 0; i < n; i++) {
                VSS_SNAPSHOT_PROP properties;

                succeed(IVssBackupComponents_GetSnapshotProperties(backup, snapshots[i],
                                                                   &properties),
                        "GetSnapshotProperties");
                printf("copy %s %s\n", argv[i + 1], properties.m_pwszSnapshotDeviceObject);
                if (i == 0) /* in ms since 1970 */
                        printf("instant %lld\n", (long long)(properties.m_tsCreationTimestamp -
                                                             VSS_TIMESTAMP_UNIX_EPOCH) /
                                                         10000);
                directories[i] = strdup(properties.m_pwszSnapshotDeviceObject);
                VssFreeSnapshotProperties(&properties);
        }
        print_writers(backup);

        if (n + 2 < argc)
                status = run_command(argv + n + 2, directories);

        finish(IVssBackupComponents_BackupComplete(backup, &async), &async, "BackupComplete");
        begin = now_msec();
        succeed(IVssBackupComponents_DeleteSnapshots(backup, set, VSS_OBJECT_SNAPSHOT_SET, FALSE,
                                                     &deleted, &not_deleted),
                "DeleteSnapshots");
        if (deleted != n) {
                fprintf(stderr, "DeleteSnapshots deleted %d of %d\n", (int)deleted, n);
                status = EXIT_FAILURE;
        }
        printf("delete_snapshots %.3f\n", now_msec() - begin);
        IVssBackupComponents_Release(backup);

        for (int i = 0; i < n; i++)
                free(directories[i]);
        free(directories);
        free(snapshots);
        return status;
}
