#pragma once

/* How events reach a writer: a method call on the connection that registered it, answered within
 * its deadline or not at all. Which goes when is writer-calls.h's. */

#include "daemon/bus/bus-client.h"
#include "daemon/bus/writer-calls.h"
#include "daemon/writers/writer.h"

/* A writer as the bus knows it: it belongs to its client and goes with it. */
struct writer_peer {
        struct bus *bus;
        struct bus_client *client;
        struct writer_peer *next, **pprev;
        char *path; /* of the object that has WriterEvents */
        struct writer *writer;
        bool leaving; /* nothing is sent to it any more */
        struct writer_peer_calls calls;
};

/* Registers. identity as for writer_registry_add(); uid and pid are the client's. E_OUTOFMEMORY
 * beyond the client's limit. */
int writer_peer_new(struct writer_peer **ret, struct bus_client *client,
                    const struct writer_identity *identity, const char *path,
                    struct vss_error *reterr);
/* Unsubscribes; what it was asked ends as not answered. */
struct writer_peer *writer_peer_free(struct writer_peer *p);
