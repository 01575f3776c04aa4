#pragma once

/* CVssWriter: identity, handlers, and the thread that serves its events.
 *
 * Three kinds of threads touch it. The application's calls Initialize, Subscribe and Unsubscribe,
 * one at a time. The library's own thread, from Subscribe to Unsubscribe, has the link to the
 * service and the freeze's deadline, and runs the handlers; unless the application has a loop of
 * its own, whose thread then runs them (writer-turn.h). Any thread may ask whether it is shutting
 * down. */

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
        pthread_t thread;
        sigset_t handler_mask; /* the subscriber's: handlers on the library's thread run under it */
        atomic_bool stopping;
        int wake_fd; /* eventfd: something for the library's thread to look at */
        int loop_fd; /* eventfd: a turn for the application's loop; -1: it has none */

        struct writer_link *link; /* the library's thread's */
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

/* writer-thread.c */
void *writer_thread(void *writer);
bool writer_on_library_thread(const CVssWriter *w);
void writer_wake(const CVssWriter *w);
