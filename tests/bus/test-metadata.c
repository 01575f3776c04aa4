/* What writers say of themselves, on its way from them to a requester: documents that are none, and
 * one that is large. */

#include "tests/bench/document-way.h"
#include "tests/bus/bus-writer.h"

#include "common/document.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <vss/vsslinux.h>

static struct harness h;
static struct client c;
static char log_path[] = "/tmp/test-metadata-XXXXXX";

/* What the daemon says goes to a file; it has the test's stderr. */
static void setup(void) {
        int fd = mkstemp(log_path), own = dup(STDERR_FILENO);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_ge(own, 0);
        ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
        (void)close(fd);
        harness_start(&h, NULL);
        ck_assert_int_ge(dup2(own, STDERR_FILENO), 0);
        (void)close(own);
        client_open(&c, &h);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
        (void)unlink(log_path);
}

/* Is there a line with all of these words? */
static bool log_has(const char *const *words) {
        FILE *f = fopen(log_path, "re");
        bool found = false;
        char line[2048];

        ck_assert_ptr_nonnull(f);
        while (!found && fgets(line, sizeof(line), f)) {
                found = true;
                for (size_t i = 0; words[i]; i++)
                        found = found && strstr(line, words[i]);
        }
        (void)fclose(f); /* it was only read */
        return found;
}

/* --- documents that are none --- */

#define IDENTIFICATION(attributes) \
        "<WRITER_METADATA version=\"1.2\"><IDENTIFICATION " attributes "/></WRITER_METADATA>"
#define CLASS "writerId=\"aaaaaaaa-0000-4000-8000-000000000001\" "
#define NAME "friendlyName=\"w\" "

static const struct {
        const char *metadata; /* NULL: larger than any may be */
        const char *why;      /* in the log */
} invalid[] = {
        { "<WRITER_METADATA><IDENTIFICATION", "line 1" },
        { "<BACKUP_COMPONENTS/>", "the root is not WRITER_METADATA" },
        { "<WRITER_METADATA/>", "there is no IDENTIFICATION" },
        { IDENTIFICATION(NAME), "has no writerId" },
        { IDENTIFICATION(CLASS), "has no friendlyName" },
        { IDENTIFICATION("writerId=\"one\" " NAME), "writerId is no id" },
        { IDENTIFICATION(CLASS NAME "majorVersion=\"-1\""), "majorVersion is no number" },
        { "<!DOCTYPE x [<!ENTITY e \"e\">]><x>&e;</x>", "is not accepted" },
        { "", "is empty" },
        { NULL, "are the most" },
};

static struct bus_writer bad = {
        .label = "bad",
        .name = "Bad Writer",
        .class_id = "aaaaaaaa-0000-4000-8000-000000000001",
};
static struct bus_writer good = {
        .label = "good",
        .name = "Good Writer",
        .class_id = "aaaaaaaa-0000-4000-8000-000000000002",
};

/* It takes no memory: its size alone is looked at. */
static int too_large(void) {
        int fd = memfd_create("metadata", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t)DOCUMENT_MAX + 1), 0);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
        return fd;
}

START_TEST(a_writer_without_valid_metadata_is_left_out) {
        const char *const words[] = { "Bad Writer", invalid[_i].why, NULL };
        const char *session = client_session(&c), *instance, *xml;
        dbus_uint32_t n;

        bad.metadata = invalid[_i].metadata;
        if (!invalid[_i].metadata)
                bad.metadata_fd = too_large();
        bus_writer_start(&bad, &h);
        bus_writer_start(&good, &h);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_do(&c, session, SESSION, "SetBackupState", "bbub", FALSE, FALSE, VSS_BT_FULL, FALSE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadataCount", ""), "u", &n);
        ck_assert_uint_eq(n, 1);
        reply_read(client_call(&c, session, SESSION, "GetWriterMetadata", "u", 0U), "sv", &instance,
                   &xml);
        ck_assert_str_eq(instance, good.instance_id);
        ck_assert_msg(log_has(words), "no line says \"%s\"", invalid[_i].why);

        /* Nor is it in any later list, or told of the backup. */
        ck_assert_int_eq(client_run(&c, session, "GatherWriterStatus", NULL), VSS_S_ASYNC_FINISHED);
        reply_read(client_call(&c, session, SESSION, "GetWriterStatusCount", ""), "u", &n);
        ck_assert_uint_eq(n, 1);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        client_do(&c, session, SESSION, "AddToSnapshotSet", "ss", "/srv/data", "");
        ck_assert_int_eq(client_run(&c, session, "PrepareForBackup", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "DoSnapshotSet", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(client_run(&c, session, "BackupComplete", NULL), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(bus_writer_count("bad", "Identify"), 1);
        ck_assert_uint_eq(bus_writer_count("bad", "PrepareBackup"), 0);
        ck_assert_uint_eq(bus_writer_count("good", "BackupComplete"), 1);
        bus_writer_stop(&bad);
        bus_writer_stop(&good);
        if (bad.metadata_fd > 0)
                (void)close(bad.metadata_fd);
}
END_TEST

/* --- a large one --- */

static double cpu_ms(clockid_t clock) {
        struct timespec t;

        ck_assert_int_eq(clock_gettime(clock, &t), 0);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of the service, and of this process, in which writer and requester are; in this much processor
 * time, which other load hardly changes. */
static double all_cpu_ms(void) {
        clockid_t service;

        ck_assert_int_eq(clock_getcpuclockid(h.vssd, &service), 0);
        return cpu_ms(service) + cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
}

/* "VmRSS:" or "VmHWM:" of the service, in KiB. */
static long service_kib(const char *which) {
        char path[64], line[256];
        long kib = -1;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)h.vssd);
        f = fopen(path, "re");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, which, strlen(which)) == 0)
                        kib = strtol(line + strlen(which), NULL, 10);
        (void)fclose(f); /* it was only read */
        ck_assert_int_gt(kib, 0);
        return kib;
}

/* From here on VmHWM counts anew. */
static void service_forget_peak(void) {
        char path[64];
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%ld/clear_refs", (long)h.vssd);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs("5", f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

struct cost {
        double ms;
        long kib;
};

/* The better of two: the first may pay for what is done once. */
static struct cost cost_of(size_t n) {
        struct cost best = { 0 };

        for (unsigned i = 0; i < 2; i++) {
                struct document_way_writer w;
                struct document_way_times times;
                struct cost now;
                BSTR xml = NULL;

                ck_assert(document_way_start_writer(&w, n));
                service_forget_peak();
                now.ms = all_cpu_ms();
                ck_assert(document_way_go(n, &times, &xml));
                now.ms = all_cpu_ms() - now.ms;
                now.kib = service_kib("VmHWM:");
                document_way_stop_writer(&w);
                ck_assert_uint_gt(strlen(xml), n * 64); /* it is all there */
                SysFreeString(xml);
                if (i == 0 || now.ms < best.ms)
                        best.ms = now.ms;
                if (i == 0 || now.kib < best.kib)
                        best.kib = now.kib;
        }
        return best;
}

/* Four times the entries take sixteen times as long where something is quadratic, and four times
 * where nothing is. */
START_TEST(what_a_large_document_costs_grows_with_it) {
        static const size_t n[] = { 25000, 50000, 100000, 200000 };
        struct cost cost[ARRAY_SIZE(n)];

        ck_assert_int_eq(VssSetBusAddress(h.address), S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(n); i++)
                cost[i] = cost_of(n[i]);
        for (size_t i = 0; i + 2 < ARRAY_SIZE(n); i++) {
                ck_assert_msg(cost[i + 2].ms < 9 * cost[i].ms,
                              "%zu entries take %.0f ms of processor time, %zu take %.0f ms", n[i],
                              cost[i].ms, n[i + 2], cost[i + 2].ms);
                /* The text is mapped: a few times 110 bytes for an entry. */
                ck_assert_msg((cost[i + 2].kib - cost[i].kib) * 1024 < 500 * (long)n[i + 2],
                              "%zu entries take %ld KiB of the service, %zu take %ld KiB", n[i],
                              cost[i].kib, n[i + 2], cost[i + 2].kib);
        }
        ck_assert_int_eq(VssSetBusAddress(NULL), S_OK);
}
END_TEST

/* A sanitizer keeps what was freed, to see who uses it. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The last session went: so does what its documents took. Not to the last page, and not at once. */
START_TEST(memory_is_given_back) {
        long before, after = 0;

        ck_assert_int_eq(VssSetBusAddress(h.address), S_OK);
        (void)cost_of(1000);
        before = service_kib("VmRSS:");
        ck_assert_int_gt(cost_of(200000).kib, before + 32L * 1024);
        for (unsigned i = 0; i < 3000; i++) {
                struct timespec t = { .tv_nsec = 10000000 };

                after = service_kib("VmRSS:");
                if (after < before + 6L * 1024)
                        break;
                (void)nanosleep(&t, NULL);
        }
        ck_assert_msg(after < before + 6L * 1024, "%ld KiB before, %ld KiB after", before, after);
        ck_assert_int_eq(VssSetBusAddress(NULL), S_OK);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-metadata");
        TCase *t = tcase_create("bus-metadata");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_loop_test(t, a_writer_without_valid_metadata_is_left_out, 0,
                            (int)ARRAY_SIZE(invalid));
        tcase_add_test(t, what_a_large_document_costs_grows_with_it);
        if (!SANITIZED)
                tcase_add_test(t, memory_is_given_back);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
