/* vss-verify [--between LOW HIGH] FILE... : are these copies of vss-counter's files, named in the
 * order in which it writes them, of one instant?
 *
 * They are if no number is smaller than the one in the file after it, and the first is the last
 * one's or the last one's plus one. With --between the first file's number must also lie in that
 * range: what the counter had reached before the copy was asked for and after it was made, so that
 * an old copy does not pass for a new one. Exit status: 0 one instant, 1 not, 2 no answer. */

#include "common/util.h"
#include "tests/vm/counter-record.h"

#include <fcntl.h>
#include <stdio.h>

static int read_counter(uint64_t *ret, const char *path) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        char record[COUNTER_RECORD_SIZE + 1];
        ssize_t size;

        if (fd < 0) {
                perror(path);
                return -1;
        }
        size = pread(fd, record, sizeof(record), 0);
        if (size < 0) {
                perror(path);
                return -1;
        }
        if (counter_record_parse(ret, record, (size_t)size) < 0) {
                (void)fprintf(stderr, "vss-verify: %s holds no counter\n", path);
                return -1;
        }
        return 0;
}

/* Says what is wrong with values[0 .. n-1], or nothing. */
static bool is_one_instant(char *const *paths, const uint64_t *values, size_t n) {
        bool good = true;

        for (size_t i = 1; i < n; i++)
                if (values[i] > values[i - 1]) {
                        (void)printf("torn: %s has %" PRIu64
                                     ", but %s, written after it, has %" PRIu64 ": %" PRIu64
                                     " too many\n",
                                     paths[i - 1], values[i - 1], paths[i], values[i],
                                     values[i] - values[i - 1]);
                        good = false;
                }
        if (values[0] > values[n - 1] && values[0] - values[n - 1] > 1) {
                (void)printf("torn: %s has %" PRIu64 ", but %s has %" PRIu64 ": %" PRIu64
                             " records are missing\n",
                             paths[0], values[0], paths[n - 1], values[n - 1],
                             values[0] - values[n - 1]);
                good = false;
        }
        return good;
}

static int parse_number(uint64_t *ret, const char *text) {
        char *end;
        unsigned long long value;

        errno = 0;
        value = strtoull(text, &end, 10);
        if (errno || end == text || *end != '\0' || *text == '-')
                return -1;
        *ret = value;
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_(freep) uint64_t *values = NULL;
        uint64_t low = 0, high = UINT64_MAX;
        char **paths = argv + 1;
        size_t n;
        bool good;

        if (argc >= 4 && streq(argv[1], "--between")) {
                if (parse_number(&low, argv[2]) < 0 || parse_number(&high, argv[3]) < 0) {
                        (void)fprintf(stderr, "vss-verify: --between takes two numbers\n");
                        return 2;
                }
                paths += 3;
        }
        n = (size_t)(argv + argc - paths);
        if (n < 2) {
                (void)fprintf(stderr, "usage: vss-verify [--between LOW HIGH] FILE FILE...\n");
                return 2;
        }
        values = calloc(n, sizeof(*values));
        if (!values)
                return 2;
        for (size_t i = 0; i < n; i++)
                if (read_counter(&values[i], paths[i]) < 0)
                        return 2;

        good = is_one_instant(paths, values, n);
        if (values[0] < low || values[0] > high) {
                (void)printf("not of this time: %s has %" PRIu64
                             ", the counter was between %" PRIu64 " and %" PRIu64 " meanwhile\n",
                             paths[0], values[0], low, high);
                good = false;
        }
        if (good)
                (void)printf("one instant: %" PRIu64 " and %" PRIu64 "\n", values[0],
                             values[n - 1]);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
