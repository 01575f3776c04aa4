#pragma once

/* How events reach a writer: a method call on the connection that registered it, answered within
 * its deadline or not at all. */

#include "daemon/bus/bus-client.h"
#include "daemon/writers/writer.h"

struct writer_call;

/* Events that wait for their turn, by how many may be under way: the first goes first. */
enum writer_queue {
        WRITER_QUEUE_THAW, /* and Abort */
        WRITER_QUEUE_STAGE,
        WRITER_QUEUE_IDENTIFY,
        _WRITER_QUEUE_MAX,
};
struct writer_call_queue {
        struct writer_call *first, *last;
};

/* A writer as the bus knows it: it belongs to its client and goes with it. */
struct writer_peer {
        struct bus *bus;
        struct bus_client *client;
        struct writer_peer *next, **pprev;
        char *path; /* of the object that has WriterEvents */
        struct writer *writer;
        struct writer_call *calls; /* under way and waiting, the newest first */
        uint64_t n_calls;          /* that there ever were */
        unsigned n_waiting[_WRITER_QUEUE_MAX];
        unsigned n_unanswered; /* events sent and not answered */
        unsigned n_late;       /* those of them that nobody waits for any more */
};

/* Registers. identity as for writer_registry_add(); uid and pid are the client's. E_OUTOFMEMORY
 * beyond the client's limit. */
int writer_peer_new(struct writer_peer **ret, struct bus_client *client,
                    const struct writer_identity *identity, const char *path,
                    struct vss_error *reterr);
/* Unsubscribes; what it was asked ends as not answered. */
struct writer_peer *writer_peer_free(struct writer_peer *p);
