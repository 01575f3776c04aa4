/* document-bench ADDRESS PID [ENTRIES]: what a Writer Metadata Document of so many file sets (a
 * million) costs on its whole way: a writer of the library's fills it in OnIdentify
 * (AddFilesToFileGroup, AddExcludeFiles), the service at ADDRESS, whose process is PID, gathers it,
 * and a requester gets it, reads every entry, and saves it as XML. The writer and the requester are
 * processes of their own.
 *
 *   document_ms            from the call of GatherWriterMetadata to the end of SaveAsXML, with what
 *                          the writer does meanwhile; elapsed
 *   document_making_ms     of that what passed in the writer's OnIdentify: the application's own
 *                          calls, one for each entry
 *   document_gather_ms, document_get_ms, document_examine_ms, document_save_ms
 *                          the parts of document_ms; making is in gather
 *   document_libxml2_ms    libxml2 merely reads the same text into a tree and writes the tree;
 *                          elapsed
 *   document_ratio         processor time of the way, of all three processes together, to that of
 *                          libxml2: what another processor does not hide, and other load does not
 *                          change; wanted: at most 2.0
 *   document_elapsed_ratio document_ms of document_libxml2_ms
 *   document_growth        the way's processor time for this many entries to that for a tenth, by
 *                          ten: 1.0 is linear
 *   document_size_kib      the text
 *   document_libxml2_peak_bytes, document_requester_peak_bytes, document_writer_peak_bytes,
 *   document_service_peak_bytes
 *                          the most memory that each took, the text included, for one entry
 *
 *   document_stall_ms      the longest that the service took to answer somebody else's Ping, while
 *                          all this went on and a Backup Components Document of 48 MiB was loaded
 *                          and saved: what others wait, a Thaw among them; other load tells in it
 *   document_loop_ms       the most processor time that the service's loop took between a Ping and
 *                          its answer: of the stall what is the service's own; wanted: below 100
 *
 * Of RUNS the best of each. Prints a line `name value unit` for each. */

#include "tests/bench/document-way.h"

#include <dbus/dbus.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <vss/vsslinux.h>

#define RUNS 3

struct result {
        struct document_way_times times;
        double ms, cpu_ms, making_ms;
        size_t size;
        long peak_kib;
        bool done;
};

static void die(const char *what) {
        (void)fprintf(stderr, "document-bench: %s\n", what);
        exit(EXIT_FAILURE);
}

static double cpu_ms(clockid_t clock) {
        struct timespec t;

        if (clock_gettime(clock, &t) < 0)
                die("no processor time is counted");
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Runs in a process of its own: what one takes, another does not have to give back. */
static struct result in_child(void (*run)(struct result *, void *), void *argument) {
        struct result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct result result;
        struct rusage usage;
        pid_t pid;

        if (shared == MAP_FAILED)
                die("mmap");
        pid = fork();
        if (pid == 0) {
                run(shared, argument);
                shared->done = true;
                _exit(EXIT_SUCCESS);
        }
        if (pid < 0 || wait4(pid, NULL, 0, &usage) < 0 || !shared->done)
                die("a run failed");
        result = *shared;
        result.peak_kib = usage.ru_maxrss;
        (void)munmap(shared, sizeof(*shared)); /* our own mapping */
        return result;
}

/* --- the writer: serves until its pipe closes --- */

struct writer_process {
        pid_t pid;
        int ready[2], stop[2];
        struct result *result;
};

static void serve(const struct writer_process *p, size_t n) {
        struct document_way_writer w;
        char byte;

        (void)close(p->stop[1]);
        if (!document_way_start_writer(&w, n) || write(p->ready[1], "r", 1) != 1)
                _exit(EXIT_FAILURE);
        if (read(p->stop[0], &byte, 1) < 0)
                _exit(EXIT_FAILURE);
        p->result->making_ms = w.made_ms;
        p->result->cpu_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
        document_way_stop_writer(&w);
        p->result->done = true;
        _exit(EXIT_SUCCESS);
}

static struct writer_process writer_begin(size_t n) {
        struct writer_process p;
        char byte;

        p.result = mmap(NULL, sizeof(*p.result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
        if (p.result == MAP_FAILED || pipe(p.ready) < 0 || pipe(p.stop) < 0)
                die("a writer's pipes");
        p.pid = fork();
        if (p.pid == 0)
                serve(&p, n);
        (void)close(p.ready[1]);
        (void)close(p.stop[0]);
        if (p.pid < 0 || read(p.ready[0], &byte, 1) != 1)
                die("the writer did not start");
        return p;
}

static struct result writer_end(struct writer_process *p) {
        struct result result;
        struct rusage usage;

        (void)close(p->stop[1]);
        if (wait4(p->pid, NULL, 0, &usage) < 0 || !p->result->done)
                die("the writer failed");
        (void)close(p->ready[0]);
        result = *p->result;
        result.peak_kib = usage.ru_maxrss;
        (void)munmap(p->result, sizeof(*p->result)); /* our own mapping */
        return result;
}

/* --- the requester --- */

struct request {
        size_t n;
        int text_fd; /* where the text is to go; -1: nowhere */
};

static void write_text(int fd, const char *text, size_t size) {
        if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                die("the text's file");
        for (size_t at = 0; at < size;) {
                ssize_t k = write(fd, text + at, size - at);

                if (k < 0)
                        die("write");
                at += (size_t)k;
        }
}

static void run_request(struct result *result, void *argument) {
        const struct request *r = argument;
        const struct document_way_times *t = &result->times;
        BSTR xml = NULL;

        if (!document_way_go(r->n, &result->times, &xml))
                die("the requester failed");
        result->cpu_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
        result->ms = t->gather + t->get + t->examine + t->save;
        result->size = strlen(xml);
        if (r->text_fd >= 0)
                write_text(r->text_fd, xml, result->size);
        SysFreeString(xml);
}

/* --- libxml2 --- */

static void run_libxml2(struct result *result, void *argument) {
        int text_fd = *(int *)argument, length = 0;
        off_t size = lseek(text_fd, 0, SEEK_END);
        xmlChar *printed = NULL;
        double begin, begin_cpu;
        xmlDoc *tree;
        char *text;

        text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, text_fd, 0);
        if (text == MAP_FAILED)
                die("mmap");
        begin = document_way_now_ms();
        begin_cpu = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
        tree = xmlReadMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
        if (!tree)
                die("libxml2 does not read it");
        xmlDocDumpMemory(tree, &printed, &length);
        result->cpu_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu;
        result->ms = document_way_now_ms() - begin;
        result->size = (size_t)length;
        xmlFree(printed);
        xmlFreeDoc(tree);
}

/* --- the service --- */

/* A value of /proc/PID/status, in KiB. */
static long service_memory(const char *pid, const char *which) {
        char path[64], line[256];
        long value = -1;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
        f = fopen(path, "re");
        if (!f)
                die("no such service");
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, which, strlen(which)) == 0)
                        value = strtol(line + strlen(which), NULL, 10);
        (void)fclose(f); /* it was only read */
        return value;
}

static clockid_t service_clock(const char *pid) {
        clockid_t clock;

        if (clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &clock) != 0)
                die("no such service");
        return clock;
}

/* --- somebody else --- */

struct pinger {
        pid_t pid;
        int stop[2];
        struct stall {
                double ms, loop_ms;
        } * stall;
};

/* Processor time of its first thread, which has the loop. */
static double loop_cpu_ms(const char *pid) {
        unsigned long long nsec = 0;
        char path[64];
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, pid);
        f = fopen(path, "re");
        if (!f || fscanf(f, "%llu", &nsec) != 1)
                _exit(EXIT_FAILURE);
        (void)fclose(f); /* it was only read */
        return (double)nsec / 1e6;
}

static void ping(const struct pinger *p, const char *address, const char *pid) {
        DBusConnection *bus = dbus_connection_open_private(address, NULL);
        struct timeval none = { 0 };
        fd_set set;

        if (!bus || !dbus_bus_register(bus, NULL))
                _exit(EXIT_FAILURE);
        (void)close(p->stop[1]);
        for (;;) {
                DBusMessage *m = dbus_message_new_method_call("org.vssd.Vss1", "/org/vssd/Vss1",
                                                              DBUS_INTERFACE_PEER, "Ping");
                double loop_ms = loop_cpu_ms(pid), ms = document_way_now_ms();
                DBusMessage *reply =
                        m ? dbus_connection_send_with_reply_and_block(bus, m, -1, NULL) : NULL;

                if (!reply)
                        _exit(EXIT_FAILURE);
                ms = document_way_now_ms() - ms;
                loop_ms = loop_cpu_ms(pid) - loop_ms;
                if (ms > p->stall->ms)
                        p->stall->ms = ms;
                if (loop_ms > p->stall->loop_ms)
                        p->stall->loop_ms = loop_ms;
                dbus_message_unref(reply);
                dbus_message_unref(m);
                FD_ZERO(&set);
                FD_SET(p->stop[0], &set);
                none.tv_usec = 1000;
                if (select(p->stop[0] + 1, &set, NULL, NULL, &none) != 0)
                        _exit(EXIT_SUCCESS);
        }
}

static struct pinger pinger_begin(const char *address, const char *pid) {
        struct pinger p;

        p.stall = mmap(NULL, sizeof(*p.stall), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
        if (p.stall == MAP_FAILED || pipe(p.stop) < 0)
                die("a pinger's pipe");
        p.pid = fork();
        if (p.pid == 0)
                ping(&p, address, pid);
        if (p.pid < 0)
                die("fork");
        (void)close(p.stop[0]);
        return p;
}

static struct stall pinger_end(struct pinger *p) {
        int status = 0;

        (void)close(p->stop[1]);
        if (waitpid(p->pid, &status, 0) < 0 || status != 0)
                die("the service did not answer a Ping");
        return *p->stall;
}

/* A saved backup of so many components. */
static char *saved_backup(size_t n) {
        static const char head[] = "<BACKUP_COMPONENTS version=\"1.2\"><WRITER_COMPONENTS "
                                   "writerId=\"0000d0c0-0000-4000-8000-000000000000\">",
                          tail[] = "</WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        char *text = malloc(sizeof(head) + sizeof(tail) + n * 128), *at = text;

        if (!text)
                die("out of memory");
        at += sprintf(at, "%s", head);
        for (size_t i = 0; i < n; i++)
                at += sprintf(
                        at,
                        "<COMPONENT logicalPath=\"some\\path\" componentName=\"component-%08zu"
                        "\" componentType=\"filegroup\"/>",
                        i);
        (void)sprintf(at, "%s", tail);
        return text;
}

static void run_backup(struct result *result, void *argument) {
        char *text = saved_backup(*(size_t *)argument);
        IVssBackupComponents *b = NULL;
        BSTR xml = NULL;

        if (FAILED(CreateVssBackupComponents(&b)) ||
            FAILED(IVssBackupComponents_InitializeForRestore(b, text)) ||
            FAILED(IVssBackupComponents_SaveAsXML(b, &xml)))
                die(VssLastErrorMessage());
        result->size = strlen(xml);
        SysFreeString(xml);
        (void)IVssBackupComponents_Release(b);
        free(text);
}

/* --- all of it --- */

struct whole {
        struct result requester, writer;
        double cpu_ms;
};

static struct whole measure(const char *pid, size_t n, int text_fd, unsigned runs) {
        struct request request = { .n = n, .text_fd = text_fd };
        struct whole best = { 0 };

        for (unsigned i = 0; i < runs; i++) {
                struct writer_process writer = writer_begin(n);
                double service_ms = cpu_ms(service_clock(pid));
                struct whole now;

                now.requester = in_child(run_request, &request);
                now.cpu_ms = cpu_ms(service_clock(pid)) - service_ms + now.requester.cpu_ms;
                now.writer = writer_end(&writer);
                now.cpu_ms += now.writer.cpu_ms;
                if (i == 0 || now.cpu_ms < best.cpu_ms)
                        best = now;
        }
        return best;
}

static double per_entry(long kib, size_t n) {
        return (double)kib * 1024 / (double)n;
}

int main(int argc, char **argv) {
        size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000 * 1000;
        struct result libxml2 = { 0 };
        struct whole ours, tenth;
        struct pinger pinger;
        struct stall stall;
        long service_kib;
        int text_fd;

        if (argc < 3 || argc > 4 || n < 10) {
                (void)fprintf(stderr, "usage: document-bench ADDRESS PID [ENTRIES]\n");
                return 2;
        }
        text_fd = memfd_create("document-bench", MFD_CLOEXEC);
        if (text_fd < 0 || FAILED(VssSetBusAddress(argv[1])))
                die("it cannot begin");
        {
                size_t n_components = n < 480000 ? n : 480000;

                /* Once by itself: it takes the others' processor. */
                pinger = pinger_begin(argv[1], argv[2]);
                (void)measure(argv[2], n, -1, 1);
                (void)in_child(run_backup, &n_components);
                (void)in_child(run_backup, &n_components); /* while the first is cleared away */
                stall = pinger_end(&pinger);
        }
        tenth = measure(argv[2], n / 10, -1, RUNS);
        ours = measure(argv[2], n, text_fd, RUNS);
        service_kib = service_memory(argv[2], "VmHWM:");
        for (unsigned i = 0; i < RUNS; i++) {
                struct result now = in_child(run_libxml2, &text_fd);

                if (i == 0 || now.cpu_ms < libxml2.cpu_ms)
                        libxml2 = now;
        }
        (void)printf("document_libxml2_ms %.0f ms\n", libxml2.ms);
        (void)printf("document_ms %.0f ms\n", ours.requester.ms);
        (void)printf("document_ratio %.2f ratio\n", ours.cpu_ms / libxml2.cpu_ms);
        (void)printf("document_elapsed_ratio %.2f ratio\n", ours.requester.ms / libxml2.ms);
        (void)printf("document_making_ms %.0f ms\n", ours.writer.making_ms);
        (void)printf("document_gather_ms %.0f ms\n", ours.requester.times.gather);
        (void)printf("document_get_ms %.0f ms\n", ours.requester.times.get);
        (void)printf("document_examine_ms %.0f ms\n", ours.requester.times.examine);
        (void)printf("document_save_ms %.0f ms\n", ours.requester.times.save);
        (void)printf("document_growth %.2f ratio\n", ours.cpu_ms / tenth.cpu_ms / 10);
        (void)printf("document_size_kib %zu KiB\n", ours.requester.size / 1024);
        (void)printf("document_libxml2_peak_bytes %.0f bytes\n", per_entry(libxml2.peak_kib, n));
        (void)printf("document_requester_peak_bytes %.0f bytes\n",
                     per_entry(ours.requester.peak_kib, n));
        (void)printf("document_writer_peak_bytes %.0f bytes\n", per_entry(ours.writer.peak_kib, n));
        (void)printf("document_service_peak_bytes %.0f bytes\n", per_entry(service_kib, n));
        (void)printf("document_stall_ms %.1f ms\n", stall.ms);
        (void)printf("document_loop_ms %.1f ms\n", stall.loop_ms);
        return EXIT_SUCCESS;
}
