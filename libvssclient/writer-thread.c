/* The library's threads. The link's waits for the bus, for Unsubscribe, and for the freeze's
 * deadline, which works with no bus and no service left, and with an application's loop that is
 * stuck. The handlers' takes turns; an application with a loop of its own has none. */

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

static void *handlers_thread(void *writer) {
        CVssWriter *w = writer;

        thread_of = w;
        while (writer_turn_wait(w))
                (void)writer_turn_take(w, TURN_ANY);
        writer_turn_finish(w);
        return NULL;
}

static void *link_thread(void *writer) {
        CVssWriter *w = writer;
        uint64_t next_usec;

        thread_of = w;
        /* The bus is looked at first: what came with the registration is there already. */
        while (!atomic_load(&w->stopping)) {
                link_process(w->link);
                while (!atomic_load(&w->stopping) && writer_turn_due(w, &next_usec))
                        (void)writer_turn_take(w, TURN_URGENT);
                writer_turn_answer(w);
                if (!atomic_load(&w->stopping))
                        wait_for_something(w, next_usec);
        }
        if (w->loop_fd < 0) {
                writer_turn_stop(w);
                (void)pthread_join(w->handlers_thread, NULL); /* it is there, and not us */
        } else
                writer_turn_finish(w);
        writer_turn_answer(w);
        link_goodbye(w->link);
        return NULL;
}

static int start_both(CVssWriter *w) {
        bool own_loop = w->loop_fd >= 0;
        int r = own_loop ? 0 : pthread_create(&w->handlers_thread, NULL, handlers_thread, w);

        if (r != 0)
                return r;
        r = pthread_create(&w->thread, NULL, link_thread, w);
        if (r != 0 && !own_loop) {
                /* It has nothing to do yet: nothing is brought. */
                atomic_store(&w->stopping, true);
                writer_turn_stop(w);
                (void)pthread_join(w->handlers_thread, NULL);
        }
        return r;
}

/* They start with all signals blocked: those of the application go to its own threads. */
int writer_threads_start(CVssWriter *w, struct vss_error *reterr) {
        sigset_t all;
        int r;

        (void)sigfillset(&all);
        r = pthread_sigmask(SIG_SETMASK, &all, &w->handler_mask);
        if (r == 0) {
                r = start_both(w);
                (void)pthread_sigmask(SIG_SETMASK, &w->handler_mask, NULL);
        }
        return r == 0 ? 0 : vss_error_from_errno(reterr, -r, "Starting the writer's threads");
}

bool writer_threads_stop(CVssWriter *w, DWORD timeout_ms) {
        struct timespec deadline;
        uint64_t usec;

        atomic_store(&w->stopping, true);
        writer_wake(w);
        if (timeout_ms == INFINITE) {
                (void)pthread_join(w->thread, NULL); /* fails only for no or our own thread */
                return true;
        }
        usec = now_monotonic_usec() + timeout_ms * USEC_PER_MSEC;
        deadline.tv_sec = (time_t)(usec / USEC_PER_SEC);
        deadline.tv_nsec = (long)(usec % USEC_PER_SEC * 1000);
        return pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &deadline) == 0;
}
