#pragma once

/* Events on their way to writers: which may go now, which has to wait for another, and until when.
 *
 * A bus bounds how many calls of one connection may lack an answer, and it goes on counting those
 * that the caller gave up: dbus-daemon's limit max_replies_per_connection, 128 unless it is told
 * otherwise. Our part of its configuration, dbus/org.vssd.Vss1.conf, tells it WRITER_CALLS_MAX: all
 * of a thousand writers are asked at once, and hundreds of them may be stuck. Where the bus grants
 * less it refuses a call, and that one waits for another's answer. */

#include "daemon/writers/writer.h"

struct bus;
struct writer_peer;

#define WRITER_CALLS_MAX 2048U

/* What waits for its turn, by how much of the bus it may take: the first goes first. */
enum writer_queue {
        WRITER_QUEUE_END, /* Thaw, Abort, BackupShutdown: who was told a beginning is told its end
                           */
        WRITER_QUEUE_STAGE,
        WRITER_QUEUE_IDENTIFY, /* any number of sessions may ask for it at once */
        _WRITER_QUEUE_MAX,
};
struct writer_call_list {
        struct writer_call *first, *last;
};

/* Of the whole bus. */
struct writer_calls {
        struct writer_call_list waiting[_WRITER_QUEUE_MAX], sent;
        unsigned n_sent, n_late; /* late: sent, and nobody waits for the answer any more */
        uint64_t n_ever;
        unsigned granted;      /* by the bus, as far as we know; 0: it has refused nothing */
        uint64_t refused_usec; /* when it last did */
        sd_event_source *again;
        struct writer_message_pattern *pattern;
};
/* When the last writer has gone. */
void writer_calls_done(struct writer_calls *calls);

/* Of one writer. */
struct writer_peer_calls {
        struct writer_call *first; /* the newest first */
        unsigned n_unsent[_WRITER_QUEUE_MAX];
        unsigned n_sent, n_late;
        unsigned n_missed; /* deadlines, since it last answered something */
};

/* As the transport's. */
int writer_call_new(struct writer_call **ret, struct writer_peer *peer,
                    const struct writer_event *event, uint64_t timeout_usec, writer_reply_fn reply,
                    void *userdata);
void writer_call_cancel(struct writer_call *c);
/* The writer goes, and nobody waits for its answers any more. */
void writer_peer_drop_calls(struct writer_peer *peer);
