/* See futex.h. Stateless. */

#include "daemon/window/futex.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

int futex_wait(futex_word *word, uint32_t value, uint64_t deadline_usec) {
        struct timespec deadline = {
                .tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long)(deadline_usec % USEC_PER_SEC) * 1000,
        };
        int saved = errno;
        int r = 0;

        /* FUTEX_WAIT_BITSET, because its timeout is absolute and monotonic. */
        if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value,
                    deadline_usec == USEC_INFINITY ? NULL : &deadline, NULL,
                    FUTEX_BITSET_MATCH_ANY) < 0 &&
            errno == ETIMEDOUT)
                r = -ETIMEDOUT;
        errno = saved;
        return r;
}

void futex_wake_all(futex_word *word) {
        /* Fails for an invalid address only. */
        (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
