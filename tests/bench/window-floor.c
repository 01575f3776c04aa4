/* window-floor ORIGIN SNAPSHOT [ORIGIN SNAPSHOT]... : the write-freeze window with nothing of ours,
 * the measure that the service's window is held against.
 *
 * The names are of mapped devices, staged beforehand (stage.sh): SNAPSHOT is loaded and not yet
 * resumed, ORIGIN has its snapshot-origin table in the inactive slot. One thread per pair, started
 * before and waiting on a barrier, does the least that makes a common instant:
 *
 *      suspend ORIGIN (with lockfs) | barrier | resume SNAPSHOT | barrier | resume ORIGIN
 *
 * by bare ioctls. Prints "inner MILLISECONDS", from before the first suspend to after the last
 * resume. If a suspend fails nothing is committed, and all that was suspended is resumed. */

#include "common/util.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

struct pair {
        struct dm_ioctl suspend, commit, resume;
        const char *origin;
        pthread_t thread;
        uint64_t end_nsec;
        int error;
};

static int control = -1;
static pthread_barrier_t barrier;
static atomic_bool failed;

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
        return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* DM_DEV_SUSPEND without DM_SUSPEND_FLAG resumes. */
static int request_init(struct dm_ioctl *request, const char *name, uint32_t flags) {
        *request = (struct dm_ioctl){
                .version = { DM_VERSION_MAJOR, 0, 0 },
                .data_size = sizeof(*request),
                .flags = flags,
        };
        if (strlen(name) >= sizeof(request->name))
                return -1;
        memcpy(request->name, name, strlen(name) + 1);
        return 0;
}

static int run(struct dm_ioctl *request) {
        return ioctl(control, DM_DEV_SUSPEND, request) < 0 ? errno : 0;
}

static void *pair_main(void *userdata) {
        struct pair *p = userdata;
        bool suspended;

        (void)pthread_barrier_wait(&barrier); /* all parked */
        (void)pthread_barrier_wait(&barrier); /* go */
        p->error = run(&p->suspend);
        suspended = p->error == 0;
        if (!suspended)
                atomic_store(&failed, true);
        (void)pthread_barrier_wait(&barrier);
        if (!atomic_load(&failed))
                p->error = run(&p->commit);
        (void)pthread_barrier_wait(&barrier);
        if (suspended) {
                int error = run(&p->resume);

                if (error)
                        p->error = error;
        }
        p->end_nsec = now_nsec();
        return NULL;
}

int main(int argc, char **argv) {
        _cleanup_(freep) struct pair *pairs = NULL;
        size_t n = (size_t)(argc - 1) / 2;
        uint64_t begin, end = 0;
        pthread_attr_t attr;
        int status = EXIT_SUCCESS;

        if (argc < 3 || argc % 2 == 0) {
                (void)fprintf(stderr, "usage: window-floor ORIGIN SNAPSHOT [ORIGIN SNAPSHOT]...\n");
                return 2;
        }
        pairs = calloc(n, sizeof(*pairs));
        control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
        if (!pairs || control < 0 || pthread_attr_init(&attr) != 0 ||
            pthread_attr_setstacksize(&attr, 64 * 1024) != 0 ||
            pthread_barrier_init(&barrier, NULL, (unsigned)n + 1) != 0) {
                perror("window-floor");
                return EXIT_FAILURE;
        }
        for (size_t i = 0; i < n; i++) {
                struct pair *p = &pairs[i];

                p->origin = argv[1 + 2 * i];
                if (request_init(&p->suspend, p->origin, DM_SUSPEND_FLAG) < 0 ||
                    request_init(&p->commit, argv[2 + 2 * i], 0) < 0 ||
                    request_init(&p->resume, p->origin, 0) < 0) {
                        (void)fprintf(stderr, "window-floor: name too long\n");
                        return 2;
                }
                if (pthread_create(&p->thread, &attr, pair_main, p) != 0) {
                        (void)fprintf(stderr, "window-floor: cannot start %zu threads\n", n);
                        return EXIT_FAILURE; /* the waiting ones have touched nothing */
                }
        }
        if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
                perror("window-floor: mlockall");
                return EXIT_FAILURE;
        }

        (void)pthread_barrier_wait(&barrier);
        begin = now_nsec();
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_barrier_wait(&barrier);
        for (size_t i = 0; i < n; i++) {
                (void)pthread_join(pairs[i].thread, NULL);
                if (pairs[i].end_nsec > end)
                        end = pairs[i].end_nsec;
                if (pairs[i].error) {
                        (void)fprintf(stderr, "window-floor: %s: %s\n", pairs[i].origin,
                                      strerror(pairs[i].error));
                        status = EXIT_FAILURE;
                }
        }
        (void)printf("inner %.3f\n", (double)(end - begin) / 1e6);
        return status;
}
