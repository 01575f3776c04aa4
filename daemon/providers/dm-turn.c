/* See dm-turn.h. One for the process: nobody else changes what is ours, and one set is in creation
 * at a time. */

#include "daemon/providers/dm-turn.h"
#include "common/time-util.h"
#include <inttypes.h>
#include <pthread.h>
#include <time.h>
#include <vss/vss.h>

uint64_t dm_turn_timeout_usec = 120 * USEC_PER_SEC;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static bool taken;

static int wait_for_it(void) {
        uint64_t end_usec = now_monotonic_usec() + dm_turn_timeout_usec;
        struct timespec end = { .tv_sec = (time_t)(end_usec / USEC_PER_SEC),
                                .tv_nsec = (long)(end_usec % USEC_PER_SEC) * 1000 };
        int r = 0;

        while (taken && r == 0)
                r = pthread_cond_clockwait(&given, &mutex, CLOCK_MONOTONIC, &end);
        return taken ? -r : 0;
}

int dm_turn_take(struct vss_error *reterr) {
        int r;

        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        r = wait_for_it();
        if (r >= 0)
                taken = true;
        (void)pthread_mutex_unlock(&mutex);
        if (r == -ETIMEDOUT)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ETIMEDOUT,
                                     "copies of mapped devices have been made or deleted for "
                                     "%" PRIu64 " s now; try again when that has ended",
                                     dm_turn_timeout_usec / USEC_PER_SEC);
        return r < 0 ? vss_error_from_errno(reterr, r, "cannot wait for other copies") : 0;
}

void dm_turn_give(void) {
        (void)pthread_mutex_lock(&mutex);
        assert(taken);
        taken = false;
        (void)pthread_cond_signal(&given);
        (void)pthread_mutex_unlock(&mutex);
}
