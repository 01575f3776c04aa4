/* document-bench [ENTRIES]: what a Writer Metadata Document of so many file sets (a million) costs.
 *
 *   document_libxml2_ms   libxml2 merely reads the text into a tree and writes the tree
 *   document_ms           a writer makes and prints the document, a requester reads it, looks at
 *                         every entry, and prints it again: gather, examine and save
 *   document_ratio        the second of the first; wanted: at most 2.0
 *   document_growth       document_ms for this many entries of that for a tenth, by ten: 1.0 is
 *                         linear
 *   document_size_kib     the text
 *   document_libxml2_peak_kib, document_peak_kib   the most memory that each took, text included
 *
 * Each is measured in a process of its own, in processor time, since other load would tell in
 * elapsed time; the best of RUNS. Prints a line `name value unit` for each. */

#include "common/writer-metadata.h"
#include <libxml/parser.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define RUNS 3
#define SETS_OF_A_COMPONENT 1000

struct result {
        double ms;
        size_t size;
        bool done;
};

static void die(const char *what, const struct vss_error *e) {
        (void)fprintf(stderr, "document-bench: %s: %s\n", what,
                      e && e->message ? e->message : "failed");
        exit(EXIT_FAILURE);
}

static double now_ms(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* every kernel has this clock */
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct writer_metadata *build(size_t n) {
        const struct writer_metadata_identity id = { .writer_id = { .Data1 = 1 },
                                                     .instance_id = { .Data1 = 2 },
                                                     .name = "Bench Writer",
                                                     .usage = VSS_UT_USERDATA,
                                                     .source = VSS_ST_OTHER };
        struct writer_metadata *m = NULL;
        struct vss_error e = { 0 };
        char name[32] = "", path[64] = "", filespec[32];

        if (writer_metadata_new(&m, &id, &e) < 0)
                die("new", &e);
        for (size_t i = 0; i < n; i++) {
                const struct writer_metadata_files files = { .path = path,
                                                             .filespec = filespec,
                                                             .backup_type_mask = 0xf0f };

                if (i % SETS_OF_A_COMPONENT == 0) {
                        const struct writer_metadata_component c = { .type = VSS_CT_FILEGROUP,
                                                                     .logical_path = "bench",
                                                                     .name = name,
                                                                     .selectable = true };

                        (void)snprintf(name, sizeof(name), "component-%zu",
                                       i / SETS_OF_A_COMPONENT);
                        if (writer_metadata_add_component(m, &c, &e) < 0)
                                die("add component", &e);
                }
                if (i % 16 == 0)
                        (void)snprintf(path, sizeof(path), "/var/lib/application/data/%08zu", i);
                (void)snprintf(filespec, sizeof(filespec), "file-%08zu.dat", i);
                if (writer_metadata_add(m, WRITER_METADATA_FILES, "bench", name, &files, &e) < 0)
                        die("add files", &e);
        }
        return m;
}

static char *print(const struct writer_metadata *m) {
        struct vss_error e = { 0 };
        char *text = NULL;

        if (writer_metadata_to_xml(m, &text, &e) < 0)
                die("print", &e);
        return text;
}

static size_t walk(const struct writer_metadata *m) {
        size_t n = 0;

        for (size_t c = 0; c < writer_metadata_n_components(m); c++) {
                size_t n_files = writer_metadata_n_files(m, WRITER_METADATA_FILES, c);
                struct writer_metadata_files files;

                for (size_t i = 0; i < n_files; i++)
                        if (writer_metadata_get_files(m, WRITER_METADATA_FILES, c, i, &files) &&
                            files.path[0] == '/' && files.filespec[0] == 'f')
                                n++;
        }
        return n;
}

static void run_ours(struct result *result, size_t n, int text_fd) {
        struct writer_metadata *made, *read = NULL;
        double begin = now_ms();
        struct vss_error e = { 0 };
        char *text, *again;

        (void)text_fd;
        made = build(n);
        text = print(made);
        (void)writer_metadata_free(made); /* a writer and a requester are two processes */
        result->size = strlen(text);
        if (writer_metadata_parse(&read, text, result->size, &e) < 0)
                die("parse", &e);
        if (walk(read) != n)
                die("walk", NULL);
        again = print(read);
        result->ms = now_ms() - begin;
        if (!streq(text, again))
                die("it does not print as it was", NULL);
        free(text);
        free(again);
        (void)writer_metadata_free(read);
}

static void run_libxml2(struct result *result, size_t n, int text_fd) {
        off_t size = lseek(text_fd, 0, SEEK_END);
        xmlChar *printed = NULL;
        double begin;
        xmlDoc *tree;
        char *text;
        int length = 0;

        (void)n;
        text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, text_fd, 0);
        if (text == MAP_FAILED)
                die("mmap", NULL);
        begin = now_ms();
        tree = xmlReadMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
        if (!tree)
                die("libxml2 does not read it", NULL);
        xmlDocDumpMemory(tree, &printed, &length);
        result->ms = now_ms() - begin;
        result->size = (size_t)length;
        xmlFree(printed);
        xmlFreeDoc(tree);
}

/* In a process of its own; the best time, and the most memory, of RUNS. */
static void measure(void (*run)(struct result *, size_t, int), size_t n, int text_fd,
                    struct result *ret, long *ret_peak_kib) {
        struct result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (shared == MAP_FAILED)
                die("mmap", NULL);
        ret->ms = -1;
        *ret_peak_kib = 0;
        for (unsigned i = 0; i < RUNS; i++) {
                struct rusage usage;
                pid_t pid;

                *shared = (struct result){ 0 };
                pid = fork();
                if (pid == 0) {
                        run(shared, n, text_fd);
                        shared->done = true;
                        _exit(EXIT_SUCCESS);
                }
                if (pid < 0 || wait4(pid, NULL, 0, &usage) < 0 || !shared->done)
                        die("a run failed", NULL);
                if (ret->ms < 0 || shared->ms < ret->ms)
                        *ret = *shared;
                if (usage.ru_maxrss > *ret_peak_kib)
                        *ret_peak_kib = usage.ru_maxrss;
        }
        (void)munmap(shared, sizeof(*shared)); /* our own mapping */
}

/* The text for libxml2, made by a child so that this process stays small: its children inherit. */
static int make_text(size_t n) {
        int fd = memfd_create("document-bench", MFD_CLOEXEC), status;
        pid_t pid = fork();

        if (pid == 0) {
                char *text = print(build(n));
                size_t size = strlen(text);

                for (size_t at = 0; at < size;) {
                        ssize_t k = write(fd, text + at, size - at);

                        if (k < 0)
                                die("write", NULL);
                        at += (size_t)k;
                }
                _exit(EXIT_SUCCESS);
        }
        if (fd < 0 || pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
                die("the text cannot be made", NULL);
        return fd;
}

int main(int argc, char **argv) {
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000 * 1000;
        long libxml2_peak, peak, tenth_peak;
        struct result libxml2, ours, tenth;
        int text_fd;

        if (argc > 2 || n < 10) {
                (void)fprintf(stderr, "usage: document-bench [ENTRIES]\n");
                return EXIT_FAILURE;
        }
        text_fd = make_text(n);
        measure(run_libxml2, n, text_fd, &libxml2, &libxml2_peak);
        measure(run_ours, n, text_fd, &ours, &peak);
        measure(run_ours, n / 10, text_fd, &tenth, &tenth_peak);
        (void)printf("document_libxml2_ms %.0f ms\n", libxml2.ms);
        (void)printf("document_ms %.0f ms\n", ours.ms);
        (void)printf("document_ratio %.2f ratio\n", ours.ms / libxml2.ms);
        (void)printf("document_growth %.2f ratio\n", ours.ms / tenth.ms / 10);
        (void)printf("document_size_kib %zu KiB\n", ours.size / 1024);
        (void)printf("document_libxml2_peak_kib %ld KiB\n", libxml2_peak);
        (void)printf("document_peak_kib %ld KiB\n", peak);
        return EXIT_SUCCESS;
}
