/* The library's thread: waits for the bus, for Unsubscribe, and for the freeze's deadline, which
 * works with no bus and no service left, and with an application's loop that is stuck. */

#include "libvssclient/writer.h"
#include <limits.h>
#include <poll.h>

static _Thread_local const CVssWriter *thread_of;

bool writer_on_library_thread(const CVssWriter *w) {
        return thread_of == w;
}

void writer_wake(const CVssWriter *w) {
        const uint64_t one = 1;

        (void)!write(w->wake_fd, &one, sizeof(one)); /* full means woken already */
}

static int poll_timeout(const CVssWriter *w, uint64_t next_usec) {
        uint64_t deadline = link_deadline_usec(w->link), now = now_monotonic_usec(), left;

        if (next_usec < deadline)
                deadline = next_usec;
        if (deadline == USEC_INFINITY)
                return -1;
        if (deadline <= now)
                return 0;
        left = (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return left > INT_MAX ? INT_MAX : (int)left;
}

static void wait_for_something(const CVssWriter *w, uint64_t next_usec) {
        struct pollfd fds[] = {
                { .fd = w->wake_fd, .events = POLLIN },
                { .fd = link_fd(w->link), .events = link_poll_events(w->link) },
        };
        uint64_t count;

        /* A failure (EINTR, ENOMEM) is a wake-up like any other: everything is looked at. */
        (void)poll(fds, ARRAY_SIZE(fds), poll_timeout(w, next_usec));
        (void)!read(w->wake_fd, &count, sizeof(count)); /* empty: it was something else */
}

void *writer_thread(void *writer) {
        CVssWriter *w = writer;
        uint64_t next_usec;

        thread_of = w;
        /* The bus is looked at first: what came with the registration is there already. */
        while (!atomic_load(&w->stopping)) {
                link_process(w->link);
                while (!atomic_load(&w->stopping) && writer_turn_due(w, &next_usec)) {
                        (void)writer_turn_take(w, w->loop_fd < 0 ? TURN_ANY : TURN_URGENT);
                        writer_turn_answer(w);
                }
                writer_turn_answer(w);
                if (!atomic_load(&w->stopping))
                        wait_for_something(w, next_usec);
        }
        writer_turn_answer(w);
        writer_turn_finish(w);
        link_goodbye(w->link);
        return NULL;
}
