/* service-bench ADDRESS PID: what writers and documents cost the service at ADDRESS, whose process
 * is PID. Its writers are the library's, in this process, each on a connection of its own.
 *
 *   writers_freeze_ms_N       from before the first Freeze to the last answer, as the service's
 *                             timeline of the set has it, for N writers (1, 100, 1000), each of
 *                             which takes 10 ms to freeze, as one that flushes does; of RUNS
 *                             sets the median
 *   writers_freeze_bare_ms_N  the same with writers that answer at once: what the bus costs, which
 *                             passes two messages for each of them; 1,000 cannot take less than ten
 *                             times one, which is the latency of a call
 *   add_component_us          AddComponent, one of 10,000, in the mean
 *   gather_ms                 GatherWriterMetadata from 200 writers of 1,000 components each, from
 *                             the call to its end
 *   rss_idle_kib              resident memory of the service before all this
 *   rss_peak_kib              at its most
 *   rss_loaded_kib            after all this, with nobody there any more
 *
 * Prints a line `name value unit` for each. */

#include "common/util.h"

#include <stdio.h>
#include <time.h>
#include <vss/vsbackup.h>
#include <vss/vsslinux.h>
#include <vss/vswriter.h>

#define RUNS 5
#define FREEZE_MS 10
#define WRITERS_MAX 1000
#define GATHERED 200
#define COMPONENTS_EACH 1000
#define ADDED 10000
#define VOLUME "/srv/data"

static CVssWriter *writers[WRITERS_MAX];
static unsigned n_writers;
static unsigned n_components; /* of each writer's document */
static unsigned freeze_ms;

#define must(call)                                                                   \
        do {                                                                         \
                HRESULT hr_ = (call);                                                \
                if (FAILED(hr_)) {                                                   \
                        (void)fprintf(stderr, "service-bench: %s: %#x: %s\n", #call, \
                                      (unsigned)hr_, VssLastErrorMessage());         \
                        exit(EXIT_FAILURE);                                          \
                }                                                                    \
        } while (false)

static double now_ms(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void rest(unsigned milliseconds) {
        struct timespec t = { .tv_sec = milliseconds / 1000,
                              .tv_nsec = (long)(milliseconds % 1000) * 1000000 };

        (void)nanosleep(&t, NULL);
}

static void component_name(char name[static 32], unsigned i) {
        (void)snprintf(name, 32, "component %u", i);
}

static bool on_identify(CVssWriter *w _unused_, void *user _unused_,
                        IVssCreateWriterMetadata *metadata) {
        for (unsigned i = 0; i < n_components; i++) {
                char name[32];

                component_name(name, i);
                if (FAILED(IVssCreateWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP,
                                                                 "database", name, NULL, NULL, 0,
                                                                 false, false, true, true, 0)) ||
                    FAILED(IVssCreateWriterMetadata_AddFilesToFileGroup(
                            metadata, "database", name, "/srv/data/files", "*.dat", true, NULL,
                            VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)))
                        return false;
        }
        return true;
}

static bool on_event(CVssWriter *w _unused_, void *user _unused_) {
        return true;
}

static bool on_freeze(CVssWriter *w _unused_, void *user _unused_) {
        if (freeze_ms)
                rest(freeze_ms);
        return true;
}

/* Until there are so many. */
static void writers_have(unsigned n) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareSnapshot = on_event,
                .OnFreeze = on_freeze,
                .OnThaw = on_event,
                .OnAbort = on_event,
        };

        for (; n_writers < n; n_writers++) {
                VSS_ID class = { 0xbe4c4000, 0, 0x4000, { 0x80 } };
                CVssWriter *w = NULL;

                class.Data1 += n_writers;
                must(CVssWriter_Create(&callbacks, NULL, &w));
                must(CVssWriter_Initialize(w, class, "Bench", VSS_UT_USERDATA, VSS_ST_OTHER,
                                           VSS_APP_FRONT_END, 0, VSS_AWS_NO_ALTERNATE_WRITER, false,
                                           NULL));
                must(CVssWriter_Subscribe(w, 0,
                                          VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG));
                writers[n_writers] = w;
        }
}

static void writers_leave(void) {
        while (n_writers > 0)
                CVssWriter_Release(writers[--n_writers]);
}

static void finish(IVssAsync *async) {
        HRESULT status = S_OK;

        must(IVssAsync_Wait(async, INFINITE));
        must(IVssAsync_QueryStatus(async, &status, NULL));
        must(status);
        (void)IVssAsync_Release(async);
}

static IVssBackupComponents *gathered(bool components) {
        IVssBackupComponents *b = NULL;
        IVssAsync *async = NULL;
        UINT n = 0;

        must(CreateVssBackupComponents(&b));
        must(IVssBackupComponents_InitializeForBackup(b, NULL));
        must(IVssBackupComponents_SetBackupState(b, components, false, VSS_BT_FULL, false));
        must(IVssBackupComponents_GatherWriterMetadata(b, &async));
        finish(async);
        must(IVssBackupComponents_GetWriterMetadataCount(b, &n));
        if (n != n_writers) {
                (void)fprintf(stderr, "service-bench: %u of %u writers answered\n", n, n_writers);
                exit(EXIT_FAILURE);
        }
        return b;
}

/* One set; how long Freeze took. */
static double freeze_once(void) {
        IVssBackupComponents *b = gathered(false);
        VSS_SET_TIMELINE *timeline = NULL;
        VSS_ID set, snapshot;
        IVssAsync *async = NULL;
        double ms = -1;
        HRESULT hr;

        /* The set before may still be being put back. */
        while ((hr = IVssBackupComponents_StartSnapshotSet(b, &set)) ==
               VSS_E_SNAPSHOT_SET_IN_PROGRESS)
                rest(1);
        must(hr);
        must(IVssBackupComponents_AddToSnapshotSet(b, VOLUME, GUID_NULL, &snapshot));
        must(IVssBackupComponents_PrepareForBackup(b, &async));
        finish(async);
        must(IVssBackupComponents_DoSnapshotSet(b, &async));
        finish(async);
        must(VssGetSetTimeline(set, &timeline));
        for (UINT i = 0; i < timeline->count; i++)
                if (streq(timeline->phases[i].name, "Freeze"))
                        ms = (double)(timeline->phases[i].end_usec -
                                      timeline->phases[i].begin_usec) /
                             1e3;
        VssFreeSetTimeline(timeline);
        (void)IVssBackupComponents_Release(b);
        return ms;
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void measure_freeze(unsigned n) {
        static const struct {
                const char *name;
                unsigned ms;
        } kinds[] = { { "writers_freeze_ms", FREEZE_MS }, { "writers_freeze_bare_ms", 0 } };

        writers_have(n);
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                double runs[RUNS];

                freeze_ms = kinds[k].ms;
                for (size_t i = 0; i < RUNS; i++)
                        runs[i] = freeze_once();
                qsort(runs, RUNS, sizeof(*runs), compare);
                (void)printf("%s_%u %.3f ms\n", kinds[k].name, n, runs[RUNS / 2]);
        }
}

static void measure_add(void) {
        VSS_ID class, instance;
        IVssExamineWriterMetadata *metadata = NULL;
        IVssBackupComponents *b;
        BSTR name = NULL;
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        double begin;

        n_components = ADDED;
        writers_have(1);
        b = gathered(true);
        must(IVssBackupComponents_GetWriterMetadata(b, 0, &instance, &metadata));
        must(IVssExamineWriterMetadata_GetIdentity(metadata, &instance, &class, &name, &usage,
                                                   &source));
        SysFreeString(name);
        (void)IVssExamineWriterMetadata_Release(metadata);
        begin = now_ms();
        for (unsigned i = 0; i < ADDED; i++) {
                char component[32];

                component_name(component, i);
                must(IVssBackupComponents_AddComponent(b, instance, class, VSS_CT_FILEGROUP,
                                                       "database", component));
        }
        (void)printf("add_component_us %.1f us\n", (now_ms() - begin) * 1e3 / ADDED);
        (void)IVssBackupComponents_Release(b);
        writers_leave();
}

static void measure_gather(void) {
        double begin;

        n_components = COMPONENTS_EACH;
        writers_have(GATHERED);
        begin = now_ms();
        (void)IVssBackupComponents_Release(gathered(true));
        (void)printf("gather_ms %.1f ms\n", now_ms() - begin);
        writers_leave();
        n_components = 0;
}

/* "VmRSS:" or "VmHWM:", in KiB. */
static long memory_of(const char *pid, const char *which) {
        char path[64], line[256];
        long value = -1;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
        f = fopen(path, "re");
        if (!f) {
                perror(path);
                exit(EXIT_FAILURE);
        }
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, which, strlen(which)) == 0)
                        value = strtol(line + strlen(which), NULL, 10);
        (void)fclose(f); /* it was only read */
        return value;
}

int main(int argc, char **argv) {
        if (argc != 3) {
                (void)fprintf(stderr, "usage: service-bench ADDRESS PID\n");
                return 2;
        }
        must(VssSetBusAddress(argv[1]));
        (void)printf("rss_idle_kib %ld KiB\n", memory_of(argv[2], "VmRSS:"));
        (void)fflush(stdout); /* a terminal sees each as it comes */
        measure_freeze(1);
        measure_freeze(100);
        measure_freeze(1000);
        writers_leave();
        measure_add();
        measure_gather();
        rest(1000); /* for what they left to be cleared away */
        (void)printf("rss_peak_kib %ld KiB\n", memory_of(argv[2], "VmHWM:"));
        (void)printf("rss_loaded_kib %ld KiB\n", memory_of(argv[2], "VmRSS:"));
        return EXIT_SUCCESS;
}
