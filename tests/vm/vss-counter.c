/* vss-counter FILE... : the load of the cross-volume tests and the observer of the write freeze.
 *
 * It writes 1, 2, 3, ... without pause: each number first to the first FILE, then to the next, and
 * so on, each write followed by fsync. Whatever instant one looks at, the numbers in the files
 * never rise from one file to the next and differ by one at most; vss-verify checks that in a copy.
 *
 * A pause is the time from one acknowledged write (fsync has returned) to the next one, over all
 * files together: what an application that writes all the time is kept waiting. SIGUSR1 prints the
 * longest since the last SIGUSR1 (or the start) and begins anew; SIGTERM and SIGINT end the program
 * after the present round, with a summary. All lines go to stdout:
 *
 *      started
 *      pause MILLISECONDS writes COUNT
 *      total MILLISECONDS writes COUNT last NUMBER
 *
 * Its memory is locked: it must go on while the root file system is suspended, and a page fault on
 * its own text would be counted as a pause of the volumes under test. */

#include "common/util.h"
#include "tests/vm/counter-record.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

struct counter_file {
        const char *path;
        int fd;
};

struct pauses {
        uint64_t last_ack_nsec;
        uint64_t longest_nsec, longest_ever_nsec;
        uint64_t writes, writes_ever;
};

static volatile sig_atomic_t asked_to_end, asked_for_pause;

static void on_signal(int signal_number) {
        if (signal_number == SIGUSR1)
                asked_for_pause = 1;
        else
                asked_to_end = 1;
}

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
        return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void pauses_note_write(struct pauses *p) {
        uint64_t now = now_nsec(), pause = now - p->last_ack_nsec;

        p->last_ack_nsec = now;
        p->writes++;
        p->writes_ever++;
        if (pause > p->longest_nsec)
                p->longest_nsec = pause;
        if (pause > p->longest_ever_nsec)
                p->longest_ever_nsec = pause;
}

static void pauses_report(struct pauses *p) {
        (void)printf("pause %.3f writes %" PRIu64 "\n", (double)p->longest_nsec / 1e6, p->writes);
        p->longest_nsec = 0;
        p->writes = 0;
}

static int write_record(const struct counter_file *file, uint64_t value) {
        char record[COUNTER_RECORD_SIZE];
        ssize_t written;

        counter_record_format(record, value);
        written = pwrite(file->fd, record, sizeof(record), 0);
        if (written != (ssize_t)sizeof(record) || fsync(file->fd) < 0) {
                (void)fprintf(stderr, "vss-counter: %s: %s\n", file->path,
                              written >= 0 && written < (ssize_t)sizeof(record) ? "short write"
                                                                                : strerror(errno));
                return -1;
        }
        return 0;
}

static int catch_signals(void) {
        static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1 };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (sigaction(numbers[i], &action, NULL) < 0)
                        return -1;
        return 0;
}

static int count(const struct counter_file *files, size_t n) {
        struct pauses pauses = { .last_ack_nsec = now_nsec() };
        uint64_t value = 0;

        while (!asked_to_end) {
                value++;
                for (size_t i = 0; i < n; i++) {
                        if (write_record(&files[i], value) < 0)
                                return EXIT_FAILURE;
                        pauses_note_write(&pauses);
                        if (asked_for_pause) {
                                asked_for_pause = 0;
                                pauses_report(&pauses);
                        }
                }
                if (value == 1)
                        (void)puts("started");
        }
        (void)printf("total %.3f writes %" PRIu64 " last %" PRIu64 "\n",
                     (double)pauses.longest_ever_nsec / 1e6, pauses.writes_ever, value);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        _cleanup_(freep) struct counter_file *files = NULL;
        size_t n = (size_t)argc - 1;

        if (argc < 2 || argv[1][0] == '-') {
                (void)fprintf(stderr, "usage: vss-counter FILE...\n");
                return 2;
        }
        files = calloc(n, sizeof(*files));
        if (!files || setvbuf(stdout, NULL, _IOLBF, BUFSIZ) != 0 || catch_signals() < 0) {
                perror("vss-counter");
                return EXIT_FAILURE;
        }
        for (size_t i = 0; i < n; i++) {
                files[i].path = argv[i + 1];
                files[i].fd = open(argv[i + 1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
                if (files[i].fd < 0) {
                        perror(argv[i + 1]);
                        return EXIT_FAILURE;
                }
        }
        if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
                perror("vss-counter: mlockall");
                return EXIT_FAILURE;
        }
        return count(files, n); /* the descriptors end with the process */
}
