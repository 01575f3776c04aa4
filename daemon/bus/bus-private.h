#pragma once

/* Inside daemon/bus/ only: the bus object, shared by the rooms beside bus.c. */

#include "daemon/bus/bus-client.h"
#include "daemon/bus/bus-loop.h"
#include "daemon/bus/bus-table.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/writer-transport.h"

struct bus {
        struct bus_options options;
        sd_event *event;
        DBusConnection *connection;
        struct bus_loop *loop;
        DBusPendingCall *starting; /* the greeting or the request for the name */
        bool stopping;

        struct bus_client *clients;
        unsigned n_calls;         /* not yet answered, of all clients and of those that have gone */
        unsigned n_sessions;      /* in all */
        uint64_t last_async;      /* N of the last .../async/N; they are not used twice */
        struct bus_call *orphans; /* whose callers have gone, and which go on all the same */

        struct writer_calls writer_calls;
};

/* Sends and lets go of m; NULL (no memory) is allowed, and then nothing is sent. */
void bus_send(struct bus *bus, DBusMessage *m);
