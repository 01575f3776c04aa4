#pragma once

/* CVssWriter: identity, handlers, and the thread that serves its events.
 *
 * Four kinds of threads touch it. The application's calls Initialize, Subscribe and Unsubscribe,
 * one at a time. The library has two of its own, from Subscribe to Unsubscribe: one has the link to
 * the service and the freeze's deadline, which count the time whatever a handler does, and the
 * other runs the handlers; unless the application has a loop of its own, whose thread then runs
 * them (writer-turn.h). Any thread may ask whether it is shutting down. */

#include "libvssclient/writer-link.h"
#include "libvssclient/writer-turn.h"
#include <signal.h>
#include <stdatomic.h>

struct CVssWriter {
        VSS_WRITER_CALLBACKS callbacks;
        void *user;

        struct writer_identity identity;
        bool initialized;

        bool subscribed;
        DWORD unsubscribe_timeout_ms; /* INFINITE: none */
        pthread_t thread;             /* the link's */
        pthread_t handlers_thread;    /* unless loop_fd is there */
        sigset_t handler_mask; /* the subscriber's: handlers on a thread of ours run under it */
        atomic_bool stopping;
        int wake_fd; /* eventfd: something for the link's thread to look at */
        int loop_fd; /* eventfd: a turn for the application's loop; -1: it has none */

        struct writer_link *link; /* the link's thread's */
        struct writer_turns turns;
        struct writer_event *current; /* the handler that runs, on its thread */
};

struct writer_subscription {
        DWORD events;                 /* VSS_SM_... */
        DWORD service_timeout_ms;     /* 0: the default */
        DWORD unsubscribe_timeout_ms; /* 0: none */
        bool own_loop;
};
/* writer.c: function: the name of the one who was called. */
int writer_subscribe(CVssWriter *w, const struct writer_subscription *s, const char *function,
                     struct vss_error *reterr);

/* The event whose handler runs on this very thread, or NULL. */
struct writer_event *writer_current(CVssWriter *writer);

/* writer-handler.c: calls the handler of e. */
bool writer_run_handler(CVssWriter *w, struct writer_event *e, IVssCreateWriterMetadata *metadata);

/* writer-answer.c: the answer to call, of which the handler has been called; NULL: no memory. */
DBusMessage *writer_answer_event(DBusMessage *call, struct writer_event *e, bool ok);
/* Runs OnIdentify. *ret_identity: what it said; NULL: nothing. */
DBusMessage *writer_answer_identify(CVssWriter *w, DBusMessage *call, struct writer_event *e,
                                    VSS_ID instance_id, struct document **ret_identity);

/* writer-thread.c: both threads, with all signals blocked. stop waits until the last handler has
 * returned, timeout_ms at most unless it is INFINITE, and may be called again after false. */
int writer_threads_start(CVssWriter *w, struct vss_error *reterr);
bool writer_threads_stop(CVssWriter *w, DWORD timeout_ms);
bool writer_on_library_thread(const CVssWriter *w);
void writer_wake(const CVssWriter *w);
