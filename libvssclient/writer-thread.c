/* The writer's thread: waits for the bus, for Unsubscribe, and for the freeze's deadline, which
 * works with no bus and no service left. */

#include "common/time-util.h"
#include "libvssclient/writer.h"
#include <limits.h>
#include <poll.h>

static int poll_timeout(const CVssWriter *w) {
        uint64_t deadline = link_deadline_usec(w->link), now = now_monotonic_usec(), left;

        if (w->frozen && w->freeze_deadline_usec < deadline)
                deadline = w->freeze_deadline_usec;
        if (deadline == USEC_INFINITY)
                return -1;
        if (deadline <= now)
                return 0;
        left = (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return left > INT_MAX ? INT_MAX : (int)left;
}

static void wait_for_something(const CVssWriter *w) {
        struct pollfd fds[] = {
                { .fd = w->wake_fd, .events = POLLIN },
                { .fd = link_fd(w->link), .events = link_poll_events(w->link) },
        };

        /* A failure (EINTR, ENOMEM) is a wake-up like any other: everything is looked at. */
        (void)poll(fds, ARRAY_SIZE(fds), poll_timeout(w));
}

void *writer_thread(void *writer) {
        CVssWriter *w = writer;

        /* The bus is looked at first: what came with the registration is there already. */
        for (;;) {
                link_process(w->link);
                if (w->frozen && now_monotonic_usec() >= w->freeze_deadline_usec)
                        writer_abort_freeze(w);
                if (atomic_load(&w->stopping))
                        break;
                wait_for_something(w);
        }
        writer_abort_freeze(w);
        link_goodbye(w->link);
        return NULL;
}
