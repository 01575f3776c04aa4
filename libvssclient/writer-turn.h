#pragma once

/* Turns: what waits for a handler, one at a time for a writer. Events wait in the order in which
 * they came; what we have to end ourselves (Abort, BackupShutdown) goes before them.
 *
 * The library's thread brings what arrives and takes the answers out to the bus. Turns are taken
 * there, or, if the application has a loop of its own, in the application's loop: then the thread
 * only takes those that cannot wait, when the loop has let TURN_PATIENCE_USEC pass.
 *
 *      bus --arrive--> waiting --take--> handler --> answered --answer--> bus
 */

#include "common/time-util.h"
#include "libvssclient/writer-sessions.h"
#include <pthread.h>
#include <vss/vswriter.h>

#define TURN_PATIENCE_USEC (250 * USEC_PER_MSEC)
#define TURNS_MAX 256 /* Identify, from everybody, for a loop that is stuck */

struct writer_call;

struct writer_turns {
        pthread_mutex_t lock; /* guards all that follows */
        pthread_cond_t rested;
        bool running; /* a handler, on whichever thread */
        struct writer_sessions sessions;
        struct writer_call *waiting, *answered; /* first in, first out */
        size_t n_waiting;
        uint64_t generation; /* of the registration: answers of an earlier one are not sent */
        VSS_ID instance_id;
};

void writer_turns_init(struct writer_turns *t);
void writer_turns_done(struct writer_turns *t);

/* The library's thread. */

/* A call from the service. */
void writer_turn_arrive(CVssWriter *w, enum event_phase phase, DBusMessage *call);
/* The service is gone: nothing that waits is answered, and everything that began is to end. */
void writer_turn_lose(CVssWriter *w);
/* Sends what was answered. */
void writer_turn_answer(CVssWriter *w);
/* Ends freezes whose time is over. Is there a turn to take (for us, if the application has a loop,
 * one that it has left too long)? When to look again. */
bool writer_turn_due(CVssWriter *w, uint64_t *ret_next_usec);
/* Waits for the handler that runs, then ends everything. */
void writer_turn_finish(CVssWriter *w);

/* Whichever thread runs handlers. */

enum turn_kind {
        TURN_ANY,
        TURN_URGENT, /* Abort for a frozen application */
};
/* Runs one handler, if there is something to do and none runs. */
bool writer_turn_take(CVssWriter *w, enum turn_kind kind);
