#pragma once

/* CVssWriter: identity, handlers, and the thread that serves its events.
 *
 * Three kinds of threads touch it. The application's calls Initialize, Subscribe and Unsubscribe,
 * one at a time. The writer's own thread, from Subscribe to Unsubscribe, owns everything below
 * `link`, and runs the handlers. Any thread may ask whether it is shutting down. */

#include "libvssclient/writer-event.h"
#include "libvssclient/writer-link.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <vss/vswriter.h>

struct CVssWriter {
        VSS_WRITER_CALLBACKS callbacks;
        void *user;

        struct writer_identity identity;
        bool initialized;

        bool subscribed;
        pthread_t thread;
        sigset_t handler_mask; /* the subscriber's: handlers run under it */
        atomic_bool stopping;
        int wake_fd; /* eventfd: stopping was set */

        struct writer_link *link;
        struct writer_event *current; /* the handler that runs */

        /* From the arrival of Freeze until Thaw or Abort arrives, or OnAbort was called here. */
        bool frozen;
        struct writer_event freeze; /* owned while frozen */
        uint64_t freeze_deadline_usec;
        VSS_ID expired_session; /* its freeze ended here: it gets no Thaw any more */
};

/* The event whose handler runs on this very thread, or NULL. */
struct writer_event *writer_current(CVssWriter *writer);

/* writer-dispatch.c: the thread's side of an event. */
void writer_on_call(CVssWriter *writer, enum event_phase phase, DBusMessage *call);
/* Ends a freeze here, by OnAbort, because Thaw will not come or came not in time. */
void writer_abort_freeze(CVssWriter *writer);
/* writer-thread.c */
void *writer_thread(void *writer);

struct writer_metadata;
struct IVssCreateWriterMetadata {
        struct writer_metadata *document;
};
