#pragma once

/* Time inside the project is `uint64_t x_usec` on CLOCK_MONOTONIC. VSS_TIMESTAMP (100 ns ticks
 * since 1601-01-01 UTC) exists at the border only and is converted once. */

#include <stdint.h>
#include <vss/vss.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

uint64_t now_monotonic_usec(void);
/* Wall clock, nanoseconds since the Unix epoch. */
int64_t now_realtime_nsec(void);

VSS_TIMESTAMP vss_timestamp_from_unix_nsec(int64_t nsec);
int64_t vss_timestamp_to_unix_nsec(VSS_TIMESTAMP ts);
