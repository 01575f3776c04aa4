/* The clocks, and the one conversion between Unix time and VSS_TIMESTAMP. */

#include "common/time-util.h"
#include <assert.h>
#include <time.h>

#define NSEC_PER_TICK 100

static struct timespec clock_read(clockid_t clock) {
        struct timespec ts;
        int r;

        /* Fails only for a clock that does not exist or a bad pointer: a bug. */
        r = clock_gettime(clock, &ts);
        assert(r == 0);
        (void)r;
        return ts;
}

uint64_t now_monotonic_usec(void) {
        struct timespec ts = clock_read(CLOCK_MONOTONIC);

        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

int64_t now_realtime_nsec(void) {
        struct timespec ts = clock_read(CLOCK_REALTIME);

        return (int64_t)ts.tv_sec * 1000000000 + (int64_t)ts.tv_nsec;
}

VSS_TIMESTAMP vss_timestamp_from_unix_nsec(int64_t nsec) {
        return nsec / NSEC_PER_TICK + VSS_TIMESTAMP_UNIX_EPOCH;
}

int64_t vss_timestamp_to_unix_nsec(VSS_TIMESTAMP ts) {
        int64_t nsec;

        /* Ticks reach further than nanoseconds do; what is beyond stays at the end of the scale. */
        if (__builtin_sub_overflow(ts, VSS_TIMESTAMP_UNIX_EPOCH, &nsec) ||
            __builtin_mul_overflow(nsec, NSEC_PER_TICK, &nsec))
                return ts < VSS_TIMESTAMP_UNIX_EPOCH ? INT64_MIN : INT64_MAX;
        return nsec;
}
