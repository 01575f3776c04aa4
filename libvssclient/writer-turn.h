#pragma once

/* Turns: what waits for a handler, one at a time for a writer. Events wait in the order in which
 * they came; what we have to end ourselves (Abort, BackupShutdown) goes before them. While an
 * application is frozen nothing is taken but what its session is told: a handler of another session
 * would keep its Thaw waiting, and its deadline too, since nothing runs beside a handler.
 *
 * The link's thread brings what arrives and takes the answers out to the bus; it has the clock.
 * Turns are taken on the handlers' thread, or, if the application has a loop of its own, in that
 * loop: then the link's thread takes those that cannot wait, when the loop has let
 * TURN_PATIENCE_USEC pass.
 *
 *      bus --arrive--> waiting --take--> handler --> answered --answer--> bus
 */

#include "common/time-util.h"
#include "libvssclient/writer-sessions.h"
#include <pthread.h>
#include <vss/vswriter.h>

#define TURN_PATIENCE_USEC (250 * USEC_PER_MSEC)
#define TURNS_MAX 512    /* of which Identify, which comes from everybody: */
#define LISTINGS_MAX 256 /* the rest is kept for the sessions that make a backup */

struct writer_call;

struct writer_turns {
        pthread_mutex_t lock;   /* guards all that follows */
        pthread_cond_t rested;  /* no handler runs any more */
        pthread_cond_t changed; /* the handlers' thread has to look */
        bool running;           /* a handler, on whichever thread */
        struct writer_sessions sessions;
        struct writer_call *waiting, *answered; /* first in, first out */
        size_t n_waiting;
        uint64_t generation; /* of the registration: answers of an earlier one are not sent */
};

void writer_turns_init(struct writer_turns *t);
void writer_turns_done(struct writer_turns *t);

/* The link's thread. */

/* A call from the service. */
void writer_turn_arrive(CVssWriter *w, enum event_phase phase, DBusMessage *call);
/* The service is gone: nothing that waits is answered, and everything that began is to end. */
void writer_turn_lose(CVssWriter *w);
/* Sends what was answered. */
void writer_turn_answer(CVssWriter *w);
/* Ends freezes whose time is over, and tells whoever takes turns that there is one. Has the
 * application's loop left one that cannot wait? When to look again. */
bool writer_turn_due(CVssWriter *w, uint64_t *ret_next_usec);
/* w->stopping was set: the handlers' thread is to see it. */
void writer_turn_stop(CVssWriter *w);

/* The handlers' thread. */

/* Waits for a turn; false: the writer stops. */
bool writer_turn_wait(CVssWriter *w);

/* Whichever thread runs handlers. */

/* Waits for the handler that runs, then ends everything. What was answered stays to be sent. */
void writer_turn_finish(CVssWriter *w);

enum turn_kind {
        TURN_ANY,
        TURN_URGENT, /* Abort for a frozen application */
};
/* Runs one handler, if there is something to do and none runs. */
bool writer_turn_take(CVssWriter *w, enum turn_kind kind);
